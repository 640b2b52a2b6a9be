/** The order of a plan's steps, played one by one on a store that shares no code with the planner. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planAuth, type Api, type AuthState, type StoredPermission, type Unmanaged } from '../../src/auth/index.js'
import { toWire } from '../../src/keys/interval.js'
import { allKeys, fromKey, key, pattern, prefix, range, read, readwrite, write, type KeyRange, type PathPattern, type Permission } from '../../src/keys/index.js'
import { parsePolicy, type Policy } from '../../src/policy/index.js'
import { sideBySide } from '../../src/auth/side-by-side.js'
import { asWanted, fromState, may, play, samplesOf, toState } from '../unit/auth/naive-store.js'

const runs = Number(process.env['FC_RUNS'] ?? 400)
const now = new Date('2026-01-01T00:00:00Z')
const names = ['u0', 'u1', 'u2', 'u3'] as const
const roleNames = ['r0', 'r1', 'r2', 'r3'] as const

const point = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const v3Keys: fc.Arbitrary<KeyRange> = fc.oneof(
  { weight: 2, arbitrary: point.map((name) => key(name)) },
  { weight: 2, arbitrary: point.map((name) => prefix(name, { siblings: 'include' })) },
  { weight: 4, arbitrary: fc.tuple(point, point).filter(([a, b]) => a !== b).map(([a, b]) => (a < b ? range(a, b) : range(b, a))) },
  { weight: 1, arbitrary: point.map((name) => fromKey(name)) },
  { weight: 1, arbitrary: fc.constant(allKeys()) },
)
const v2Keys: fc.Arbitrary<PathPattern> = fc.constantFrom('/a', '/a*', '/a/*', '/a/b', '/a/b*', '/b*', '/*', '*').map((text) => pattern(text))
const permissionOf = (keys: fc.Arbitrary<KeyRange | PathPattern>): fc.Arbitrary<Permission> =>
  fc.tuple(fc.constantFrom(read<KeyRange | PathPattern>, write<KeyRange | PathPattern>, readwrite<KeyRange | PathPattern>), keys).map(([make, one]) => make(one))

interface World {
  readonly state: AuthState
  readonly policy: Policy
  readonly unmanaged: Unmanaged
}

function worldOf(api: Api): fc.Arbitrary<World> {
  const permissions = fc.array(permissionOf(api === 'v3' ? v3Keys : v2Keys), { maxLength: 4 })
  const held = fc.uniqueArray(fc.constantFrom(...roleNames, ...(['root'] as const)), { maxLength: 3 })
  const some = <T>(list: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...list])
  const side = fc.record({ roles: fc.tuple(permissions, permissions, permissions, permissions), bound: fc.tuple(held, held, held, held), guest: permissions })
  /** In some worlds the next policy has the names, bindings and keys of the old, with other types: twins with the same start key must then make gaps. */
  const sides = fc.tuple(side, side, fc.boolean(), fc.nat()).map(([old, other, alike, seed]) => {
    const retyped = old.roles.map((list, role) => list.map(({ keys }, index): Permission => ({ keys, type: (['read', 'write', 'readwrite'] as const)[(seed >> ((role + index) % 8)) % 3] ?? 'read' })))
    return { alike, old, next: alike ? { roles: retyped, bound: old.bound, guest: other.guest } : other }
  })
  return fc
    .record({ sides, oldRoles: some(roleNames), nextRoles: some(roleNames), oldUsers: some(names), nextUsers: some(names), enabled: fc.boolean(), oddities: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(fc.boolean(), { maxLength: 4 }) }), unmanaged: fc.constantFrom('keep', 'report', 'remove') })
    .map(({ sides: { alike, old, next }, oldRoles, oldUsers, enabled, oddities, unmanaged, ...others }): World => {
      const [nextRoles, nextUsers] = alike ? [oldRoles, oldUsers] : [others.nextRoles, others.nextUsers]
      const index = (role: string): number => Number(role.slice(1))
      const exists = (roles: readonly string[]) => (role: string): boolean => role === 'root' || roles.includes(role)
      // A v3 store may hold types that etcd has no name for.
      const strange = (list: readonly Permission[]): readonly StoredPermission[] => (api === 'v2' ? list : list.map(({ type, keys }, at) => (oddities[at] === true ? { type: 'unknown', keys } : { type, keys })))
      const roles: [string, readonly StoredPermission[]][] = oldRoles.map((role) => [role, strange(sorted(old.roles[index(role)] ?? [], api))])
      if (api === 'v2') roles.unshift(['guest', sorted(old.guest, api)])
      // On v2 a user may hold a role that is not there: any name is taken.
      const held = (roles: readonly string[]): readonly string[] => (api === 'v2' ? roles : roles.filter(exists(oldRoles)))
      const state: AuthState = {
        api,
        version: '3.5.30',
        enabled,
        users: Object.fromEntries([['root', ['root']], ...oldUsers.map((user) => [user, held(old.bound[index(user)] ?? [])])] as [string, string[]][]),
        roles: Object.fromEntries(roles),
      }
      const policy = parsePolicy({
        users: Object.fromEntries(['root', ...nextUsers].map((user) => [user, 'certificate'])),
        [api]: {
          ...(api === 'v2' ? { guest: unique(next.guest) } : {}),
          roles: Object.fromEntries(nextRoles.map((role) => [role, unique(next.roles[index(role)] ?? [])])),
          bindings: Object.fromEntries([['root', ['root']], ...nextUsers.map((user) => [user, (next.bound[index(user)] ?? []).filter(exists(nextRoles))])] as [string, string[]][]),
        },
      })
      return { state, policy, unmanaged }
    })
}

const nameOf = ({ keys }: Permission): string => JSON.stringify(keys)
/** One permission for each range: what a policy says of the same keys twice is one permission in etcd. */
const unique = (permissions: readonly Permission[]): readonly Permission[] => [...new Map(permissions.map((permission) => [nameOf(permission), permission])).values()]
/** v3 keeps permissions by start key, duplicates included; v2 one type for a pattern. */
function sorted(permissions: readonly Permission[], api: Api): readonly Permission[] {
  if (api === 'v2') return unique(permissions)
  const start = ({ keys }: Permission): string => (keys.api === 'v2' ? '' : Buffer.from(toWire(keys).key).toString('hex'))
  return [...permissions].sort((a, b) => (start(a) < start(b) ? -1 : start(a) > start(b) ? 1 : 0))
}

const planOf = ({ state, policy, unmanaged }: World, before: AuthState = state) => planAuth(before, policy, { unmanaged, enable: true, acknowledgeRoot: names }, { user: 'root' }, now)

describe.each(['v3', 'v2'] as const)('on %s', (api) => {
  test('after no step does a user hold what neither policy gives; each keeps what both give, except in the listed gaps, which are real', () => {
    let gapsSeen = 0
    fc.assert(
      fc.property(worldOf(api), (world) => {
        const { state, policy, unmanaged } = world
        const plan = planOf(world)
        const [old, next, store] = [fromState(state), asWanted(state, policy, unmanaged, ['root']), fromState(state)]
        const samples = samplesOf(old, next)
        const users = new Set([...old.users.keys(), ...next.users.keys()])
        const lacking = (): Set<string> => new Set([...users].flatMap((user) => samples.filter((sample) => may(old, user, sample) && may(next, user, sample) && !may(store, user, sample)).map((sample) => JSON.stringify([user === '' ? 'guest' : user, sample]))))
        let before = lacking()
        for (const step of plan.steps) {
          play(store, step)
          for (const user of users)
            for (const sample of samples)
              if (may(store, user, sample) && !may(old, user, sample) && !may(next, user, sample)) throw new Error(`after ${JSON.stringify(step)}, ${user} may ${sample}`)
          const after = lacking()
          const fresh = [...after].filter((name) => !before.has(name)).map((name) => JSON.parse(name) as [string, string])
          const listed = plan.gaps.filter((gap) => gap.after === step)
          gapsSeen += listed.length
          const isListed = ([user, sample]: readonly [string, string]): boolean => listed.some((gap) => gap.user === user && (sample === 'administer' || gap.permission.split(' of ')[0]?.includes(sample.split(' ')[0] ?? '') === true))
          expect(fresh.filter((one) => !isListed(one))).toEqual([])
          for (const gap of listed) expect(fresh.map(([user]) => user)).toContain(gap.user)
          before = after
        }
        expect(before).toEqual(new Set())
        for (const gap of plan.gaps) expect(plan.steps).toContain(gap.after)
      }),
      { numRuns: runs },
    )
    // A law about gaps that never sees one proves nothing. On v2 they take a circle, which test/unit/auth/order.test.ts makes.
    if (api === 'v3') expect(gapsSeen).toBeGreaterThan(0)
  })

  test('the steps are possible, lead to the policy, and a second plan is empty', () => {
    fc.assert(
      fc.property(worldOf(api), (world) => {
        const plan = planOf(world)
        const store = fromState(world.state)
        for (const step of plan.steps) play(store, step)
        const after = planOf(world, toState(store))
        expect(after.steps).toEqual([])
        const wanted = asWanted(world.state, world.policy, world.unmanaged, ['root'])
        const users = new Set([...wanted.users.keys(), ...store.users.keys()])
        for (const sample of samplesOf(store, wanted)) for (const user of users) if (may(store, user, sample) !== may(wanted, user, sample)) throw new Error(`${user}: ${sample}`)
        expect([...store.users.keys()].sort()).toEqual([...wanted.users.keys()].sort())
        expect([...store.roles.keys()].filter((role) => role !== 'root').sort()).toEqual([...wanted.roles.keys()].filter((role) => role !== 'root').sort())
        expect(plan.steps.map((step) => step.do).indexOf('enable')).toBe(world.state.enabled ? -1 : plan.steps.length - 1)
      }),
      { numRuns: runs },
    )
  })

  test('stopped after any step, planning again finishes the job, safely', () => {
    fc.assert(
      fc.property(worldOf(api), fc.nat({ max: 30 }), (world, stop) => {
        const [old, next, store] = [fromState(world.state), asWanted(world.state, world.policy, world.unmanaged, ['root']), fromState(world.state)]
        const samples = samplesOf(old, next)
        for (const step of planOf(world).steps.slice(0, stop)) play(store, step)
        for (const step of planOf(world, toState(store)).steps) {
          play(store, step)
          for (const user of [...old.users.keys(), ...next.users.keys()])
            for (const sample of samples) if (may(store, user, sample) && !may(old, user, sample) && !may(next, user, sample)) throw new Error(`after ${JSON.stringify(step)}, ${user} may ${sample}`)
        }
        expect(planOf(world, toState(store)).steps).toEqual([])
      }),
      { numRuns: runs },
    )
  })

  test('steps that go side by side may come in any order, and any of them be missing: nobody holds more, and nobody lacks what no gap lists', () => {
    let sizes = 0
    fc.assert(
      fc.property(worldOf(api), fc.array(fc.nat(), { minLength: 20, maxLength: 20 }), (world, dice) => {
        const { state, policy, unmanaged } = world
        const plan = planOf(world)
        const [old, next, store] = [fromState(state), asWanted(state, policy, unmanaged, ['root']), fromState(state)]
        const samples = samplesOf(old, next)
        const users = [...new Set([...old.users.keys(), ...next.users.keys()])]
        const isListed = (user: string): boolean => plan.gaps.some((gap) => gap.user === (user === '' ? 'guest' : user))
        for (const group of sideBySide(plan.steps)) {
          const left = [...group]
          if (group.length > 1) sizes++
          for (let at = 0; left.length > 0; at++) {
            const [step] = left.splice((dice[at % dice.length] ?? 0) % left.length, 1)
            if (step !== undefined) play(store, step)
            for (const user of users)
              for (const sample of samples) {
                const [was, will, is] = [old, next, store].map((one) => may(one, user, sample))
                if (is && !was && !will) throw new Error(`after ${JSON.stringify(step)}, ${user} may ${sample}`)
                if (!is && was && will && !isListed(user)) throw new Error(`after ${JSON.stringify(step)}, ${user} may no longer ${sample}`)
              }
          }
        }
        expect(planOf(world, toState(store)).steps).toEqual([])
      }),
      { numRuns: runs },
    )
    expect(sizes).toBeGreaterThan(0)
  })

  test('the same input gives the same plan', () => {
    fc.assert(
      fc.property(worldOf(api), (world) => {
        expect(JSON.stringify(planOf(world))).toBe(JSON.stringify(planOf(structuredClone(world))))
      }),
      { numRuns: 50 },
    )
  })
})
