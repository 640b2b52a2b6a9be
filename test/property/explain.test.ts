/** Laws of explanations: what is proposed helps and is needed, and what is said of other releases is what `can` says of them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ACCESS_CHANGES, accessChanges } from '../../src/advisories/access-changes.js'
import { intersectIntervals, isEmptyInterval, toInterval } from '../../src/keys/interval.js'
import { byScope } from '../../src/keys/scope.js'
import {
  anonymous, call, can, definePolicy, del, explain, get, indexPolicy, path, put, watch, type Circumstances, type KeyRange, type Operation, type PathPattern, type Permission, type Policy, type ServerCall,
} from '../../src/policy/index.js'
import { anyPattern, keyRange, permission, smallKey, smallPath } from '../support/arbitrary.js'
import { smallOperation } from '../support/operations.js'

type Grants = { readonly v3: readonly Permission<KeyRange>[]; readonly v2: readonly Permission<PathPattern>[]; readonly guest: readonly Permission<PathPattern>[]; readonly root: boolean }

const grants: fc.Arbitrary<Grants> = fc.record({
  v3: fc.array(permission(keyRange(smallKey)), { maxLength: 3 }),
  v2: fc.array(permission(anyPattern), { maxLength: 3 }),
  guest: fc.array(permission(anyPattern), { maxLength: 2 }),
  root: fc.boolean(),
})
const policyOf = ({ v3, v2, guest, root }: Grants): Policy => {
  const bindings = { alice: ['node'], bob: root ? (['node', 'root'] as const) : (['node'] as const) } as const
  return definePolicy({ users: { alice: 'certificate', bob: 'password' }, v3: { roles: { node: v3 }, bindings }, v2: { guest, roles: { node: v2 }, bindings } })
}
const v2Operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(fc.constantFrom(get, put, del, watch), smallPath, fc.boolean()).map(([make, text, recursive]) => make(path(text, { recursive }))),
  fc.constantFrom<ServerCall>('GET /v2/members', 'PUT /v2/auth/users', 'GET /version').map((name) => call(name)),
)
const operation = fc.oneof({ weight: 3, arbitrary: smallOperation }, v2Operation)
const users = fc.constantFrom('alice', 'bob', anonymous)
const isV2 = (asked: Operation): boolean => ('keys' in asked ? asked.keys.api === 'v2' : asked.op === 'call' && asked.call.includes('/'))
const wayFor = (asked: Operation): fc.Arbitrary<Pick<Circumstances, 'via'>> => (isV2(asked) ? fc.constant({}) : fc.constantFrom({}, { via: 'gateway' as const }, { via: 'grpc-proxy' as const }))

/** The releases on both sides of every change, and of the end of the v2 API. */
const points: readonly string[] = [
  ...new Set(
    [3, 4, 5, 6, 7].flatMap((minor) => {
      const patches = ACCESS_CHANGES.flatMap((change) => accessChanges[change].since[`3.${minor}`] ?? [])
      return [0, 99, ...patches.flatMap((patch) => [patch - 1, patch, patch + 1])].filter((patch) => patch >= 0).map((patch) => `3.${minor}.${patch}`)
    }),
  ),
]
const parts = (release: string): readonly number[] => release.split('.').map(Number)
const isIn = (release: string, { from, to }: { readonly from: string; readonly to: string | undefined }): boolean => {
  const [, minor, patch] = parts(release)
  const [, fromMinor, fromPatch = 0] = parts(from)
  return minor === fromMinor && patch! >= fromPatch && (to === undefined || patch! <= parts(to)[2]!)
}
const question = fc.tuple(grants, users, operation).chain(([given, user, asked]) => fc.tuple(fc.constant({ given, user, asked }), wayFor(asked), fc.option(fc.constantFrom(...points), { nil: undefined })))

test('every release gives the answer that an explanation says of it, and those that it names not give its own', { timeout: 60_000 }, () => {
  let differing = 0
  fc.assert(
    fc.property(question, ([{ given, user, asked }, way, etcd]) => {
      const index = indexPolicy(policyOf(given))
      const circumstances = { ...way, ...(etcd === undefined ? {} : { etcd }) }
      const { allowed, differs } = explain<Policy>(index, user, asked, circumstances)
      expect(allowed).toBe(can<Policy>(index, user, asked, circumstances))
      if (differs.length > 0) differing++
      for (const release of points) {
        const named = differs.filter(({ releases }) => releases.some((one) => isIn(release, one)))
        expect(named.length).toBeLessThan(2)
        expect([release, can<Policy>(index, user, asked, { ...way, etcd: release })]).toEqual([release, named[0]?.allowed ?? allowed])
      }
      for (const { because, releases } of differs) expect([because, releases.length]).not.toEqual(['', 0])
    }),
    { numRuns: 1_500 },
  )
  // A law about differences that never sees one proves nothing.
  expect(differing).toBeGreaterThan(300)
})

test('granted together, the proposed permissions make the answer yes; none can be left out, and no two open the same for the same', { timeout: 60_000 }, () => {
  let proposed = 0
  fc.assert(
    fc.property(question, ([{ given, user, asked }, way, etcd]) => {
      const circumstances = { ...way, ...(etcd === undefined ? {} : { etcd }) }
      const before = policyOf(given)
      const { allowed, grants: wanted, needs } = explain<Policy>(before, user, asked, circumstances)
      if (allowed) expect(wanted).toEqual([])
      // What is granted comes last, and replaces what the role holds on the same keys.
      const on = <S extends KeyRange | PathPattern>(held: readonly Permission<S>[], more: readonly Permission[]): readonly Permission<S>[] => [...new Map([...byScope(held), ...byScope(more as readonly Permission<S>[])]).values()]
      const answerWith = (more: readonly Permission[]): boolean => {
        const [v3, v2] = [more.filter(({ keys }) => keys.api === 'v3'), more.filter(({ keys }) => keys.api === 'v2')]
        const guest = user === anonymous ? on(given.guest, v2) : given.guest
        return can<Policy>(policyOf({ ...given, v3: on(given.v3, v3), v2: user === anonymous ? given.v2 : on(given.v2, v2), guest }), user, asked, circumstances)
      }
      if (wanted.length > 0) {
        proposed++
        expect(answerWith(wanted)).toBe(true)
        for (const one of wanted) expect(answerWith(wanted.filter((other) => other !== one))).toBe(false)
      } else if (!allowed && needs.every(({ need: { need }, met }) => met || need === 'read' || need === 'write')) {
        // None is proposed where not even all of them would do.
        const everything = [{ type: 'readwrite', keys: { api: 'v3', kind: 'allKeys' } }, { type: 'readwrite', keys: { api: 'v2', pattern: '*' } }] as const
        expect(answerWith(everything)).toBe(false)
      }
      for (const access of ['read', 'write'] as const) {
        const ranges = wanted.flatMap(({ type, keys }) => (keys.api === 'v3' && (type === access || type === 'readwrite') ? [toInterval(keys)] : []))
        ranges.forEach((one, at) => ranges.slice(at + 1).forEach((other) => expect(isEmptyInterval(intersectIntervals(one, other))).toBe(true)))
      }
    }),
    { numRuns: 3_000 },
  )
  expect(proposed).toBeGreaterThan(200)
})
