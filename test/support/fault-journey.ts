/** A store that goes from one policy to the other and back, each time with a fault on the way. */
import { expect } from 'vitest'
import { isEtcdRbacError, type Api, type EtcdAuth, type ErrorCode, type Plan } from '../../src/auth/index.js'
import { indexPolicy, type KeyOperation, type Policy } from '../../src/policy/index.js'
import { isGiven, operationsOf, options, policyAt, usersOf } from './auth-policies.js'
import { randomOf, type Random } from './random.js'

const samples = Number(process.env['FAULT_SAMPLES'] ?? 1)
const seed = Number(process.env['FAULT_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))
console.info(`FAULT_SEED=${String(seed)} FAULT_SAMPLES=${String(samples)}`)

/** Of policies of 50 to 300 steps. */
export const MOST_USERS = 26
const LEAST_USERS = 10
/** Questions: after a fault on the way, of what neither policy gives; where the new one is reached, of what it gives and of what it does not. */
const ON_THE_WAY = 200
const THERE = 20
const AT_ONCE = 16

/** How an apply ended that met a fault. */
export type End = 'done' | ErrorCode

/** Waits for the end of an apply. What is no error of the library is no answer to a fault. */
export async function endOf(applying: Promise<unknown>): Promise<End> {
  try {
    await applying
    return 'done'
  } catch (error) {
    if (isEtcdRbacError(error)) return error.code
    throw error
  }
}

/** Makes the store hold a policy. */
export async function reach(auth: EtcdAuth, policy: Policy): Promise<void> {
  const plan = await auth.plan(policy, options)
  if (plan.outcome !== 'in sync') await auth.apply(plan)
}

/** Waits for what was sent and is not done yet, though nobody waits for its answer: until the store is twice the same. */
async function standstill(auth: EtcdAuth, policy: Policy): Promise<void> {
  const look = async (): Promise<string> => (await auth.plan(policy, options)).basis
  for (let seen = ''; ; ) {
    const now = await look()
    if (now === seen) return
    seen = now
  }
}

export interface JourneyOptions {
  readonly where: string
  readonly api: Api
  /** A client of root that meets no fault: asked for each time, since the member that it asks may die. */
  readonly root: () => Promise<EtcdAuth>
  readonly attempt: (user: string, operation: KeyOperation) => Promise<boolean>
}

export interface Journey {
  /** What the store holds. */
  readonly here: () => Policy
  /** Goes on to the other policy with a fault at some write, and checks all that must hold: `apply` says how applying ended. */
  readonly travel: (what: string, apply: (plan: Plan, at: number, random: Random) => Promise<End>) => Promise<readonly End[]>
}

export function createJourney({ where, api, root, attempt }: JourneyOptions): Journey {
  const random = randomOf(seed, where)
  const more = MOST_USERS - LEAST_USERS + 1
  // Rather few than many: the shorter the way, the more often it is gone.
  const users = LEAST_USERS + Math.min(random(more), random(more))
  const policies = [0, 1].map((turn) => policyAt(api, turn, users))
  const indexes = policies.map((policy) => indexPolicy(policy))
  const questions = usersOf([0, 1], users).flatMap((user) => operationsOf(api).map((operation) => ({ user, operation })))
  let turn = 0
  let isThere = false

  const travel: Journey['travel'] = async (what, apply) => {
    const random = randomOf(seed, `${where}: ${what}`)
    const ask = async (list: typeof questions, count: number, wanted: boolean, when: string): Promise<void> => {
      for (let left = count; left > 0; left -= AT_ONCE) {
        await Promise.all(
          Array.from({ length: Math.min(left, AT_ONCE) }, async () => {
            const { user, operation } = list[random(list.length)]!
            expect(await attempt(user, operation), `${user} ${JSON.stringify(operation)} ${when}`).toBe(wanted)
          }),
        )
      }
    }
    const ends: End[] = []
    for (let sample = 0; sample < samples; sample++) {
      if (!isThere) await reach(await root(), policies[turn]!)
      isThere = false
      const next = 1 - turn
      const policy = policies[next]!
      const plan = await (await root()).plan(policy, options)
      const steps = plan.steps.length
      expect(steps).toBeGreaterThanOrEqual(50)
      expect(steps).toBeLessThanOrEqual(300)
      const at = 1 + random(steps)
      const end = await apply(plan, at, random)
      ends.push(end)

      const when = `after a write that ${what}, ${String(at)} of ${String(steps)}, and ended with ${end}: ${where}, FAULT_SEED=${String(seed)}`
      if (end !== 'done') await standstill(await root(), policy)
      const forbidden = questions.filter(({ user, operation }) => !isGiven(indexes, user, operation))
      await ask(forbidden, end === 'done' ? THERE : ON_THE_WAY, false, when)
      // Whoever asks is root all the time.
      const again = await (await root()).plan(policy, options)
      if (end === 'done') expect(again.steps, when).toEqual([])
      if (again.outcome !== 'in sync') {
        await (await root()).apply(again)
        expect((await (await root()).plan(policy, options)).outcome, when).toBe('in sync')
      }
      turn = next
      isThere = true
      const given = questions.filter(({ user, operation }) => isGiven([indexes[next]!], user, operation))
      await ask(given, THERE, true, `in the end, ${when}`)
    }
    return ends
  }
  return { here: () => policies[turn]!, travel }
}
