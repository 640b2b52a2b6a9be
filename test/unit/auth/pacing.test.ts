/** Writes no faster than asked for, by a clock that stands still until it is moved. */
import { describe, expect, test } from 'vitest'
import type { AbortSignalLike, Pacing } from '../../../src/auth/index.js'
import { settled } from '../../support/double.js'
import { double, locked, passwords, policy, rejected } from './doubles.js'

/** The moments, in milliseconds from the first, at which the steps of a plan were done. */
async function moments(pacing: Pacing): Promise<readonly number[]> {
  const { auth, clock } = double('v3')
  const plan = await auth().plan(policy, locked)
  const start = clock.now().getTime()
  const done: number[] = []
  const state = { isOver: false }
  const applying = auth({ deadlineMilliseconds: 100_000_000 })
    .apply(plan, { passwords, pacing, onStep: () => done.push(clock.now().getTime() - start) })
    .finally(() => (state.isOver = true))
  while (!state.isOver) {
    await settled()
    clock.advance(50)
  }
  await applying
  expect(done).toHaveLength(plan.steps.length)
  return done
}

describe('the steps of apply', () => {
  test('come as fast as they go, unless told otherwise', async () => {
    expect(new Set(await moments({}))).toEqual(new Set([0]))
  })

  test.each([
    ['ten a second', { mutationsPerSecond: 10 }, 100],
    ['a pause of 250 ms', { pauseMs: 250 }, 250],
    ['the slower of both', { mutationsPerSecond: 10, pauseMs: 250 }, 250],
    ['the slower of both, the other way', { mutationsPerSecond: 2, pauseMs: 250 }, 500],
  ])('with %s come so far apart', async (_, pacing, apart) => {
    const done = await moments(pacing)
    expect(done).toEqual(done.map((_moment, index) => index * apart))
  })

  test.each([{ mutationsPerSecond: 0 }, { mutationsPerSecond: -1 }, { mutationsPerSecond: Number.NaN }, { pauseMs: -1 }, { pauseMs: Number.POSITIVE_INFINITY }, { pauseMs: 'a second' as never }])(
    'are not begun with %j',
    async (pacing) => {
      const { auth, writes } = double('v3')
      const plan = await auth().plan(policy, locked)
      await expect(auth().apply(plan, { passwords, pacing })).rejects.toBeInstanceOf(TypeError)
      expect(writes()).toEqual([])
    },
  )

  test('stop while they wait, when they are told to', async () => {
    const { auth, clock, writes } = double('v3')
    const plan = await auth().plan(policy, locked)
    const stop = new AbortController()
    const applying = rejected('ERR_ABORTED', auth().apply(plan, { passwords, pacing: { pauseMs: 1000 }, signal: stop.signal }))
    await settled()
    stop.abort()
    clock.advance(1000)
    expect((await applying).detail.stepsDone).toBe(1)
    expect(writes()).toHaveLength(1)
  })

  test.each([
    ['calls back', (stop: AbortController): AbortSignalLike => stop.signal, 0],
    ['can only be looked at', ({ signal }: AbortController): AbortSignalLike => ({ get aborted() { return signal.aborted } }), 1000],
  ])('end a pause of an hour when they are told to by a signal that %s', async (_, signalOf, later) => {
    const { auth, clock, writes } = double('v3')
    const plan = await auth().plan(policy, locked)
    const stop = new AbortController()
    const applying = rejected('ERR_ABORTED', auth().apply(plan, { passwords, pacing: { pauseMs: 3_600_000 }, signal: signalOf(stop) }))
    await settled()
    clock.advance(60_000)
    stop.abort()
    clock.advance(later)
    expect((await applying).detail.stepsDone).toBe(1)
    expect(writes()).toHaveLength(1)
  })
})
