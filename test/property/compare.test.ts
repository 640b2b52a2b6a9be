/** The algebra of intervals and the comparisons of policies, beside brute force over all keys of a small alphabet. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes, concatBytes } from '../../src/bytes.js'
import { complement, containsInterval, difference, fromInterval, intersection, missingFrom, prefixEnd, toInterval, union, type Interval, type IntervalSet } from '../../src/keys/interval.js'
import { packedContains, packSet } from '../../src/keys/packed-set.js'
import { keyBytes, type KeyText } from '../../src/keys/key-range.js'
import { can, definePolicy, disjoint, equivalent, fromKey, get, implies, isolation, key, noNewAccess, notGranted, prefix, put, range, read, readwrite, type KeyRange, type Permission, type Policy } from '../../src/policy/index.js'
import { redundantAmong, redundantPermissions } from '../../src/policy/lint/redundant.js'
import { keyRange, keysUpTo, permission, smallKey } from '../support/arbitrary.js'

const short = keysUpTo(3)
/** Where two sets of intervals over keys of that alphabet differ, one of these keys tells them apart: each begins and ends at one of them. */
const universe = [...short, ...short.map((one) => concatBytes(one, Uint8Array.of(0))), ...short.flatMap((one) => prefixEnd(one) ?? [])]
const inside = ({ start, end }: Interval, one: Uint8Array): boolean => compareBytes(start, one) <= 0 && (end === undefined || compareBytes(one, end) < 0)
const has = (set: IntervalSet, one: Uint8Array): boolean => set.some((interval) => inside(interval, one))

const ranges = fc.array(keyRange(smallKey), { maxLength: 5 })
const sets = ranges.map((list) => union(list.map(toInterval)))

/** Disjoint, apart, not empty, ascending: the form that look-ups rely on. */
function isNormal(set: IntervalSet): boolean {
  return set.every(({ start, end }, at) => {
    const next = set[at + 1]
    return (end === undefined || compareBytes(start, end) < 0) && (next === undefined || (end !== undefined && compareBytes(end, next.start) < 0))
  })
}

describe('sets of intervals', () => {
  test('union, intersection, difference and complement hold the keys that their names say', () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const [both, either, left, none] = [intersection(a, b), union([...a, ...b]), difference(a, b), complement(a)]
        for (const set of [both, either, left, none]) expect(isNormal(set)).toBe(true)
        for (const one of universe) {
          expect(has(both, one)).toBe(has(a, one) && has(b, one))
          expect(has(either, one)).toBe(has(a, one) || has(b, one))
          expect(has(left, one)).toBe(has(a, one) && !has(b, one))
          expect(has(none, one)).toBe(!has(a, one))
        }
      }),
      { numRuns: 60 },
    )
  })

  test('union is associative, commutative and idempotent; complement undoes itself; difference is intersection with the complement', () => {
    fc.assert(
      fc.property(sets, sets, sets, (a, b, c) => {
        expect(union([...union([...a, ...b]), ...c])).toEqual(union([...a, ...union([...b, ...c])]))
        expect(union([...a, ...b])).toEqual(union([...b, ...a]))
        expect(union([...a, ...a])).toEqual(a)
        expect(complement(complement(a))).toEqual(a)
        expect(difference(a, b)).toEqual(intersection(a, complement(b)))
      }),
    )
  })

  test('what is missing from a set is nothing exactly if the set contains it, and a key range says the same', () => {
    fc.assert(
      fc.property(sets, keyRange(smallKey), (set, keys) => {
        const missing = missingFrom(set, toInterval(keys))
        expect(missing.length === 0).toBe(containsInterval(set, toInterval(keys)))
        expect(packedContains(packSet(set), toInterval(keys))).toBe(missing.length === 0)
        expect(missing.map((interval) => toInterval(fromInterval(interval)))).toEqual(missing)
      }),
    )
  })

  test('those found redundant may all go without a key being lost, and no other may', () => {
    fc.assert(
      fc.property(ranges, (list) => {
        const intervals = list.map(toInterval)
        const redundant = redundantAmong(intervals)
        const kept = intervals.filter((_, at) => !redundant.has(at))
        expect(union(kept)).toEqual(union(intervals))
        for (const at of kept.keys()) expect(union(kept.filter((_, other) => other !== at))).not.toEqual(union(intervals))
      }),
    )
  })
})

const permissions = fc.array(permission(keyRange(smallKey)), { maxLength: 4 })
const access = (list: readonly Permission[], kind: 'read' | 'write', one: Uint8Array): boolean =>
  list.some(({ type, keys }) => (type === kind || type === 'readwrite') && inside(toInterval(keys as KeyRange), one))
const kinds = ['read', 'write'] as const

describe('lists of permissions', () => {
  test('lose no access when those found redundant go, and lose one with any other', () => {
    fc.assert(
      fc.property(permissions, (list) => {
        const redundant = redundantPermissions(list)
        const kept = list.filter((_, at) => !redundant.has(at))
        expect(equivalent(kept, list).holds).toBe(true)
        for (const at of kept.keys()) expect(equivalent(kept.toSpliced(at, 1), list).holds).toBe(false)
      }),
      // What is covered anyway lies inside one that may go.
      { numRuns: 500, examples: [[[readwrite(fromKey(Uint8Array.of(0xff, 0))), read(range('\0', Uint8Array.of(0xff, 0))), read(prefix(Uint8Array.of(0xff), { siblings: 'include' }))]]] },
    )
  })

  test('imply one another exactly if no key tells them apart, and the counterexample is one that does', () => {
    fc.assert(
      fc.property(permissions, permissions, (wider, narrower) => {
        const naive = universe.every((one) => kinds.every((kind) => !access(narrower, kind, one) || access(wider, kind, one)))
        const found = implies(wider, narrower)
        expect(found.holds).toBe(naive)
        if (found.holds) return
        const { access: kind, key: text } = found.counterexample
        expect(access(narrower, kind as 'read', keyBytes(text))).toBe(true)
        expect(access(wider, kind as 'read', keyBytes(text))).toBe(false)
      }),
      { numRuns: 80 },
    )
  })

  test('are equivalent to themselves in any order, and to nobody who opens more', () => {
    fc.assert(
      fc.property(permissions, permissions, (a, b) => {
        expect(equivalent(a, a.toReversed()).holds).toBe(true)
        expect(equivalent(a, b).holds).toBe(implies(a, b).holds && implies(b, a).holds)
        expect(implies([...a, ...b], a).holds).toBe(true)
      }),
    )
  })

  test('are disjoint exactly if they share no key, and the counterexample is a shared one', () => {
    fc.assert(
      fc.property(permissions, permissions, (a, b) => {
        const touch = (list: readonly Permission[], one: Uint8Array): boolean => kinds.some((kind) => access(list, kind, one))
        const found = disjoint(a, b)
        expect(found.holds).toBe(!universe.some((one) => touch(a, one) && touch(b, one)))
        if (!found.holds) expect(touch(a, keyBytes(found.counterexample)) && touch(b, keyBytes(found.counterexample))).toBe(true)
      }),
      { numRuns: 80 },
    )
  })
})

const users = ['a', 'b', 'c'] as const
const policies: fc.Arbitrary<Policy> = fc.tuple(permissions, permissions, permissions, fc.constantFrom('a', 'b', undefined)).map(([a, b, c, admin]) =>
  definePolicy({
    users: { a: 'certificate', b: 'certificate', c: 'certificate' },
    v3: { roles: { a, b, c }, bindings: Object.fromEntries(users.map((user) => [user, user === admin ? [user, 'root'] : [user]])) },
  }) as Policy,
)
const may = (policy: Policy, user: string, kind: string, text: KeyText): boolean => {
  const one = key(keyBytes(text))
  return can(policy, user, kind === 'read' ? get(one) : put(one))
}

describe('policies', () => {
  test('give no new access to themselves, and a counterexample is something that only the later one allows', () => {
    fc.assert(
      fc.property(policies, policies, (before, after) => {
        expect(noNewAccess(before, before)).toEqual({ holds: true })
        const found = noNewAccess(before, after)
        const naive = universe.every((one) => users.every((user) => kinds.every((kind) => !may(after, user, kind, { base64: Buffer.from(one).toString('base64') }) || may(before, user, kind, { base64: Buffer.from(one).toString('base64') }))))
        if (found.holds) expect(naive).toBe(true)
        else if (found.counterexample.gained !== 'root') {
          const { user, gained } = found.counterexample
          expect(may(after, user as string, gained.access, gained.key)).toBe(true)
          expect(may(before, user as string, gained.access, gained.key)).toBe(false)
        }
      }),
      { numRuns: 40 },
    )
  })

  test('grant nothing of some keys exactly if no key of them is granted', () => {
    fc.assert(
      fc.property(policies, keyRange(smallKey), (policy, keys) => {
        for (const user of users) {
          const naive = !universe.some((one) => inside(toInterval(keys), one) && kinds.some((kind) => may(policy, user, kind, { base64: Buffer.from(one).toString('base64') })))
          expect(notGranted(policy, user, keys).holds).toBe(naive)
        }
      }),
      { numRuns: 40 },
    )
  })

  test('isolate users exactly if each two of them are disjoint', () => {
    fc.assert(
      fc.property(policies, (policy) => {
        const { isolated, overlaps, openEnded, admins } = isolation(policy, { api: 'v3' })
        const tenants = users.filter((user) => !admins.includes(user))
        const held = (user: string): readonly Permission[] => policy.v3!.roles[user] ?? []
        const naive = tenants.every((a, at) => tenants.slice(at + 1).every((b) => disjoint(held(a), held(b)).holds))
        expect(overlaps.length === 0).toBe(naive)
        expect(isolated).toBe(naive && openEnded.length === 0)
        for (const { holdings, shared } of overlaps) {
          expect(holdings[0].user).not.toBe(holdings[1].user)
          for (const { permission: { keys } } of holdings) expect(intersection(union([toInterval(keys as KeyRange)]), [toInterval(shared as KeyRange)])).toEqual([toInterval(shared as KeyRange)])
        }
      }),
    )
  })
})
