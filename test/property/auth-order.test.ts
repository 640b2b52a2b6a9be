/** The order of a plan's steps, played one by one on a store that shares no code with the planner. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planAuth, type AuthState } from '../../src/auth/index.js'
import { sideBySide } from '../../src/auth/side-by-side.js'
import { names, worldOf, type World } from '../support/auth-worlds.js'
import { asWanted, fromState, may, namesOf, play, samplesOf, toState } from '../unit/auth/naive-store.js'

const runs = Number(process.env['FC_RUNS'] ?? 400)
const now = new Date('2026-01-01T00:00:00Z')
const planOf = ({ state, policy, unmanaged }: World, before: AuthState = state, recreate: readonly string[] = []) =>
  planAuth(before, policy, { unmanaged, enable: true, acknowledgeRoot: names, recreate }, { user: 'root' }, now)

describe.each(['v3', 'v2'] as const)('on %s', (api) => {
  test('after no step does a user hold what neither policy gives; each keeps what both give, except in the listed gaps, which are real', () => {
    let gapsSeen = 0
    fc.assert(
      fc.property(worldOf(api), (world) => {
        const { state, policy, unmanaged, recreate } = world
        const plan = planOf(world, state, recreate)
        const [old, next, store] = [fromState(state), asWanted(state, policy, unmanaged, ['root']), fromState(state)]
        const samples = samplesOf(old, next)
        const users = namesOf(old, next)
        const lacking = (): Set<string> => new Set(users.flatMap((user) => samples.filter((sample) => may(old, user, sample) && may(next, user, sample) && !may(store, user, sample)).map((sample) => JSON.stringify([user === '' ? 'guest' : user, sample]))))
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
    // A law about gaps that never sees one proves nothing. On v2 they take a circle, which test/unit/auth/order.test.ts and guests.test.ts make.
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
        for (const sample of samplesOf(store, wanted)) for (const user of namesOf(store, wanted)) if (may(store, user, sample) !== may(wanted, user, sample)) throw new Error(`${user}: ${sample}`)
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
          for (const user of namesOf(old, next))
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
        const { state, policy, unmanaged, recreate } = world
        const plan = planOf(world, state, recreate)
        const [old, next, store] = [fromState(state), asWanted(state, policy, unmanaged, ['root']), fromState(state)]
        const samples = samplesOf(old, next)
        const users = namesOf(old, next)
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
