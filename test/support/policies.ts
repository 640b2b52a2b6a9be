/** Any policy that may be defined, with names and keys at which code goes wrong. */
import fc from 'fast-check'
import type { KeyRange, PathPattern } from '../../src/keys/index.js'
import { parsePolicy, type Policy } from '../../src/policy/index.js'
import { anyPattern, anyRange, permission } from './arbitrary.js'

const userName = fc.constantFrom('root', 'alice', 'bob', "o'brien", '-x', '$(id)', 'constructor', '__proto__', 'toString', '10', 'é', 'calico-node', 'kube node', '=cmd|x', 'a`b"c')
const roleName = fc.constantFrom('node', 'audit', "it's", '--prefix', 'constructor', '__proto__', 'valueOf', '7', 'kube:admin', '| x')

/** A table as `JSON.parse` makes it, in which `__proto__` is a name like any other. */
function table<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  const result: Record<string, T> = {}
  for (const [name, value] of entries) Object.defineProperty(result, name, { value, enumerable: true, configurable: true, writable: true })
  return result
}

function half<S extends KeyRange | PathPattern>(users: readonly string[], keys: fc.Arbitrary<S>, names: fc.Arbitrary<string>) {
  return fc.uniqueArray(names, { maxLength: 4 }).chain((roles) =>
    fc.record({
      roles: fc.tuple(...roles.map((role) => fc.tuple(fc.constant(role), fc.array(permission(keys), { maxLength: 4 })))).map(table),
      bindings: fc
        .uniqueArray(fc.constantFrom(...users), { maxLength: users.length })
        .chain((bound) => fc.tuple(...bound.map((user) => fc.tuple(fc.constant(user), fc.uniqueArray(fc.constantFrom('root', ...roles), { maxLength: 3 })))))
        .map(table),
    }),
  )
}

/** etcd v2 hides other names from its lists, so that a policy for it may not use them. */
const listedOnV2 = (name: string): boolean => !name.startsWith('_')

/** What `definePolicy` may be given, with these v3 keys. */
export function policySpec(ranges: fc.Arbitrary<KeyRange>) {
  return fc.uniqueArray(userName, { minLength: 1, maxLength: 5 }).chain((users) =>
    fc
      .record(
        {
          users: fc.tuple(...users.map((user) => fc.tuple(fc.constant(user), fc.constantFrom('certificate' as const, 'password' as const)))).map(table),
          members: fc.uniqueArray(fc.constantFrom('etcd-0', 'etcd-1', 'hasOwnProperty'), { maxLength: 3 }),
          authorities: fc.uniqueArray(fc.constantFrom('ca', 'isPrototypeOf'), { maxLength: 2 }),
          v3: half(users, ranges, roleName),
          v2: fc.tuple(half(users, anyPattern, roleName.filter(listedOnV2)), fc.array(permission(anyPattern), { maxLength: 3 })).map(([rest, guest]) => ({ ...rest, guest })),
        },
        { requiredKeys: ['users'] },
      )
      .map(({ v2, ...rest }) => ({ ...rest, ...(v2 !== undefined && users.every(listedOnV2) ? { v2 } : {}) })),
  )
}

/** Any policy. */
export const anyPolicy: fc.Arbitrary<Policy> = policySpec(anyRange).map((spec) => parsePolicy(spec))

/** A policy as JSON in which one field, at any depth, is something else. */
export function damagedPolicy(replacements: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.tuple(anyPolicy, fc.nat(), replacements).map(([policy, at, replacement]) => {
    const copy = JSON.parse(JSON.stringify(policy)) as unknown
    const places: (() => void)[] = []
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return
      for (const name of Object.keys(value)) {
        places.push(() => Object.defineProperty(value, name, { value: replacement, enumerable: true }))
        visit((value as Record<string, unknown>)[name])
      }
    }
    visit(copy)
    places[at % places.length]?.()
    return copy
  })
}
