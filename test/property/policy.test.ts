import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { compareBytes, concatBytes } from '../../src/bytes.js'
import { isEtcdRbacError } from '../../src/errors.js'
import { prefixEnd, toInterval } from '../../src/keys/interval.js'
import { anonymous, can, definePolicy, del, get, parsePolicy, path, put, watch, type KeyOperation, type Permission, type Policy } from '../../src/policy/index.js'
import { anyRange, keyRange, keysUpTo, permission, smallKey, smallPath } from '../support/arbitrary.js'
import { damagedPolicy, policySpec } from '../support/policies.js'
import type { KeyRange, PathPattern } from '../../src/keys/index.js'

describe('a policy', () => {
  test('is the same policy after JSON, and after being defined again', () => {
    fc.assert(
      fc.property(policySpec(anyRange), (spec) => {
        const policy = parsePolicy(spec)
        expect(isDeepStrictEqual(parsePolicy(JSON.parse(JSON.stringify(policy))), policy)).toBe(true)
        expect(isDeepStrictEqual(parsePolicy(policy), policy)).toBe(true)
        expect(isDeepStrictEqual(definePolicy(spec), policy)).toBe(true)
      }),
    )
  })

  test('holds exactly the names that it was given', () => {
    fc.assert(
      fc.property(policySpec(anyRange), (spec) => {
        const policy = parsePolicy(spec)
        expect(Object.keys(policy.users)).toEqual(Object.keys(spec.users))
        for (const api of ['v3', 'v2'] as const) {
          expect(policy[api] === undefined).toBe(spec[api] === undefined)
          expect(Object.keys(policy[api]?.roles ?? {})).toEqual(Object.keys(spec[api]?.roles ?? {}))
          expect(Object.entries(policy[api]?.bindings ?? {})).toEqual(Object.entries(spec[api]?.bindings ?? {}))
        }
      }),
    )
  })

  test('of any JSON, and of any damaged policy, is made or refused with a typed error whose problems have paths', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), damagedPolicy(fc.jsonValue()), fc.anything({ withNullPrototype: true, withMap: true, withTypedArray: true, withSparseArray: true })), (value) => {
        let policy: Policy
        try {
          policy = parsePolicy(value)
        } catch (error) {
          if (!isEtcdRbacError(error, 'ERR_POLICY_INVALID')) throw error
          expect(error.detail.problems.length).toBeGreaterThan(0)
          for (const { path, message } of error.detail.problems) {
            expect(path).toMatch(/^\$/)
            expect(message).not.toBe('')
          }
          return
        }
        expect(isDeepStrictEqual(parsePolicy(JSON.parse(JSON.stringify(policy))), policy)).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })
})

// A gap begins where the request or an interval does, or where an interval ends: a key, the key behind it, or the end of a prefix.
const short = keysUpTo(3)
const universe = [...short, ...short.map((one) => concatBytes(one, Uint8Array.of(0))), ...short.flatMap((one) => prefixEnd(one) ?? [])]

const inside = (keys: KeyRange, one: Uint8Array): boolean => {
  const { start, end } = toInterval(keys)
  return compareBytes(start, one) <= 0 && (end === undefined || compareBytes(one, end) < 0)
}
const holds = (permissions: readonly Permission[], access: 'read' | 'write'): readonly Permission[] => permissions.filter(({ type }) => type === access || type === 'readwrite')
const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined => (Object.hasOwn(table, name) ? table[name] : undefined)

describe('can', () => {
  const operation = fc
    .tuple(fc.constantFrom(get, del, watch), keyRange(smallKey))
    .map(([make, keys]) => make(keys))

  test('on v3 is: role root, or no key of the request outside what the roles grant', () => {
    fc.assert(
      fc.property(policySpec(keyRange(smallKey)), operation, (spec, asked) => {
        const policy = parsePolicy(spec)
        if (policy.v3 === undefined) return
        const keys = asked.keys as KeyRange
        const access = asked.op === 'del' ? 'write' : 'read'
        for (const user of Object.keys(policy.users)) {
          const roles = own(policy.v3.bindings, user) ?? []
          const granted = holds(roles.flatMap((role) => own(policy.v3!.roles, role) ?? []), access)
          const naive = roles.includes('root') || universe.every((one) => !inside(keys, one) || granted.some((permission) => inside(permission.keys as KeyRange, one)))
          expect(can(policy, user, asked)).toBe(naive)
        }
        expect(can(policy, anonymous, asked)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  test('on v2 is: role root, or one pattern that matches; without a user guest decides and ignores recursive', () => {
    const request: fc.Arbitrary<KeyOperation> = fc.tuple(fc.constantFrom(get, put, del, watch), smallPath, fc.boolean()).map(([make, text, recursive]) => make(path(text, { recursive })))
    fc.assert(
      fc.property(policySpec(anyRange), request, (spec, asked) => {
        const policy = parsePolicy(spec)
        if (policy.v2 === undefined) return
        const { path: text, recursive } = asked.keys as { path: string; recursive: boolean }
        const access = asked.op === 'put' || asked.op === 'del' ? 'write' : 'read'
        const opens = (permissions: readonly Permission[], deep: boolean): boolean =>
          holds(permissions, access).some(({ keys }) => {
            const { pattern } = keys as PathPattern
            return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : !deep && text === pattern
          })
        for (const user of Object.keys(policy.users)) {
          const roles = own(policy.v2.bindings, user) ?? []
          const naive = user === 'root' || roles.includes('root') || opens(roles.flatMap((role) => own(policy.v2!.roles, role) ?? []), recursive)
          expect(can(policy, user, asked)).toBe(naive)
        }
        expect(can(policy, anonymous, asked)).toBe(opens(policy.v2.guest, false))
      }),
    )
  })

  test('never takes away what a further role gives', () => {
    fc.assert(
      fc.property(fc.array(permission(keyRange(smallKey)), { maxLength: 4 }), fc.array(permission(keyRange(smallKey)), { maxLength: 4 }), operation, (some, more, asked) => {
        const policy = definePolicy({ users: { few: 'password', many: 'password' }, v3: { roles: { some, more }, bindings: { few: ['some'], many: ['some', 'more'] } } })
        if (can(policy, 'few', asked)) expect(can(policy, 'many', asked)).toBe(true)
      }),
    )
  })
})
