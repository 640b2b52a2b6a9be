/** Any policy that may be defined, with names and keys at which code goes wrong. */
import fc from 'fast-check'
import type { KeyRange, PathPattern } from '../../src/keys/index.js'
import { parsePolicy, type Policy } from '../../src/policy/index.js'
import { anyPattern, anyRange, permission } from './arbitrary.js'

const userName = fc.constantFrom('root', 'alice', "o'brien", '-x', '$(id)', 'constructor', '__proto__', '10', 'é', 'kube node', '=cmd|x', 'a`b"c')
const roleName = fc.constantFrom('node', 'audit', "it's", '--prefix', 'constructor', '__proto__', '7', 'kube:admin', '| x')

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

const listed = (name: string): boolean => !name.startsWith('_')

/** Any policy. */
export const anyPolicy: fc.Arbitrary<Policy> = fc.uniqueArray(userName, { minLength: 1, maxLength: 5 }).chain((users) =>
  fc
    .record(
      {
        users: fc.tuple(...users.map((user) => fc.tuple(fc.constant(user), fc.constantFrom('certificate', 'password')))).map(table),
        members: fc.uniqueArray(fc.constantFrom('etcd-0', 'etcd-1', 'hasOwnProperty'), { maxLength: 3 }),
        authorities: fc.uniqueArray(fc.constantFrom('ca', 'isPrototypeOf'), { maxLength: 2 }),
        v3: half(users, anyRange, roleName),
        v2: fc.tuple(half(users, anyPattern, roleName.filter(listed)), fc.array(permission(anyPattern), { maxLength: 3 })).map(([rest, guest]) => ({ ...rest, guest })),
      },
      { requiredKeys: ['users'] },
    )
    .map(({ v2, ...rest }) => parsePolicy({ ...rest, ...(v2 !== undefined && users.every(listed) ? { v2 } : {}) })),
)
