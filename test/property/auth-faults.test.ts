/** Applying a policy of more than fifty steps, with a fault at each step in turn: nobody gains by it, and planning and applying again ends it. */
import { describe, expect, test } from 'vitest'
import type { Api } from '../../src/auth/index.js'
import { indexPolicy, type KeyOperation } from '../../src/policy/index.js'
import type { Call } from '../../src/testing/index.js'
import { attemptV2, attemptV3, memoryV3Client } from '../../examples/support/attempt.js'
import { double, isWrite, type Double } from '../unit/auth/doubles.js'
import { isGiven, operationsOf, options, policyAt, usersOf } from '../support/auth-policies.js'
import { settled } from '../support/double.js'

const endpoint = 'https://etcd.invalid:2379'
const attempt = ({ etcd }: Double, user: string, operation: KeyOperation): Promise<boolean> => {
  const [client, { keys }] = [etcd.as(user), operation]
  return keys.api === 'v3' ? attemptV3(memoryV3Client(client), operation, keys) : attemptV2(client.fetch, endpoint, operation, keys)
}

/** A store that holds the first policy, with auth on. */
async function prepared(api: Api): Promise<Double> {
  const made = double(api, api === 'v2' ? '3.4.23' : '3.5.30')
  await made.auth().apply(await made.auth().plan(policyAt(api, 0), options))
  return made
}

/** Lets an apply end, its deadlines too. */
async function ended({ clock }: Double, applying: Promise<unknown>): Promise<'done' | 'failed'> {
  const state: { end: 'done' | 'failed' | undefined } = { end: undefined }
  applying.then(
    () => (state.end = 'done'),
    () => (state.end = 'failed'),
  )
  while (state.end === undefined) {
    await settled()
    clock.advance(20_000)
  }
  return state.end
}

const faults: readonly (readonly [what: string, put: (made: Double, match: (call: Call) => boolean) => unknown])[] = [
  ['fails before its effect', ({ etcd }, match) => etcd.faults.failBefore(match)],
  ['loses its answer', ({ etcd }, match) => etcd.faults.failAfter(match)],
  ['never answers, and is not done', ({ etcd }, match) => etcd.faults.timeOut(match)],
  ['never answers, and is done', ({ etcd }, match) => etcd.faults.timeOut(match, { applied: true })],
]

describe.each(['v3', 'v2'] as const)('on %s, from one policy to the next', (api) => {
  const policies = [indexPolicy(policyAt(api, 0)), indexPolicy(policyAt(api, 1))]

  test.each(faults)('a write that %s, whichever it is, opens nothing, locks nobody out, and is made good by the next run', { timeout: 120_000 }, async (_, fault) => {
    const steps = (await (await prepared(api)).auth().plan(policyAt(api, 1), options)).steps.length
    expect(steps).toBeGreaterThanOrEqual(50)
    for (let at = 1; at <= steps; at++) {
      const made = await prepared(api)
      const plan = await made.auth().plan(policyAt(api, 1), options)
      let writes = 0
      fault(made, (call) => isWrite(call) && ++writes === at)
      const first = await ended(made, made.auth().apply(plan))
      made.etcd.faults.clear()
      // Where the plan stopped is the same for each kind of fault, so that one is enough to ask everybody.
      for (const user of fault === faults[0]?.[1] ? usersOf([0, 1]) : [])
        for (const operation of operationsOf(api)) {
          if (!(await attempt(made, user, operation))) continue
          expect(isGiven(policies, user, operation), `${user} ${JSON.stringify(operation)} after step ${String(at)} of ${String(steps)}`).toBe(true)
        }
      // Whoever asks is root all the time.
      const again = await made.auth().plan(policyAt(api, 1), options)
      if (first === 'done') expect(again.steps).toEqual([])
      await made.auth().apply(again)
      expect((await made.auth().plan(policyAt(api, 1), options)).outcome).toBe('in sync')
    }
  })
})
