/** An advisory lock around an apply. */
import { Etcd3 } from 'etcd3'
import { expect, test } from 'vitest'
import type { AdvisoryLock } from '../../../src/auth/index.js'
import type { ManualClock } from '../../../src/testing/index.js'
import { settled } from '../../support/double.js'
import { double, locked, passwords, policy, rejected, secret } from './doubles.js'

/** What a promise comes to while the clock goes on. */
async function moved<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  const state = { isOver: false }
  const ended = promise.finally(() => (state.isOver = true))
  while (!state.isOver) {
    await settled()
    clock.advance(100)
  }
  return ended
}

test('whoever does not get the lock writes nothing; it is free again afterwards', async () => {
  const { auth, etcd, writes } = double('v3')
  const client = new Etcd3()
  client.mock(etcd.callable as never)
  const other = await client.lock('/lock').acquire()
  const plan = await auth().plan(policy, locked)
  const error = await rejected('ERR_LOCK_HELD', auth().apply(plan, { passwords, lock: client.lock('/lock') }))
  expect(error.message).not.toContain(secret)
  expect(writes()).toEqual([])
  await other.release()
  await auth().apply(plan, { passwords, lock: client.lock('/lock') })
  await auth().apply(await auth().plan(policy, locked), { passwords, lock: client.lock('/lock') })
})

test('the lock is freed when the work fails, and a lock that cannot be freed changes nothing of what came of it', async () => {
  const { auth, etcd } = double('v3')
  const told: string[] = []
  const lock = { acquire: () => Promise.resolve(told.push('acquired')), release: () => (told.push('released'), Promise.reject(new Error('lease expired'))) }
  const plan = await auth().plan(policy, locked)
  const remove = etcd.faults.failBefore(({ method }) => method === 'userAdd')
  await rejected('ERR_UNREACHABLE', auth().apply(plan, { passwords, lock }))
  expect(told).toEqual(['acquired', 'released'])
  remove()
  const { state } = await auth().apply(await auth().plan(policy, locked), { passwords, lock })
  expect(state.enabled).toBe(true)
})

test.each([
  ['returns nothing', () => undefined],
  [
    'throws at once',
    () => {
      throw new Error('closed')
    },
  ],
])('a release that %s changes nothing of what came of the work', async (_, release) => {
  const { auth } = double('v3')
  const lock = { acquire: () => Promise.resolve(), release } as unknown as AdvisoryLock
  expect((await auth().apply(await auth().plan(policy, locked), { passwords, lock })).state.enabled).toBe(true)
})

test('a release that never answers ends by the deadline', async () => {
  const { auth, clock } = double('v3')
  const lock = { acquire: () => Promise.resolve(), release: () => new Promise(() => undefined) }
  const applying = auth({ deadlineMilliseconds: 500 }).apply(await auth().plan(policy, locked), { passwords, lock })
  expect((await moved(clock, applying)).state.enabled).toBe(true)
})

test('a lock that fails for another reason than being held is told with that reason, not as held', async () => {
  const { auth, writes } = double('v3')
  const plan = await auth().plan(policy, locked)
  for (const acquire of [
    () => Promise.reject(new Error('14 UNAVAILABLE: connect ECONNREFUSED')),
    () => {
      throw new Error('14 UNAVAILABLE: connect ECONNREFUSED')
    },
  ]) {
    const error = await rejected('ERR_LOCK_HELD', auth().apply(plan, { passwords, lock: { acquire, release: () => Promise.resolve() } }))
    expect(error.detail.reason).toContain('UNAVAILABLE')
    expect(error.message).toMatch(/^the lock was not had: 14 UNAVAILABLE.*if another applier holds it, wait/)
  }
  expect(writes()).toEqual([])
})

test('a lock that never answers ends by the deadline, and is freed when it answers after it', async () => {
  const { auth, clock, writes } = double('v3')
  const plan = await auth().plan(policy, locked)
  let answer = (_: unknown): void => undefined
  let released = 0
  const lock = { acquire: () => new Promise((resolve) => (answer = resolve)), release: () => Promise.resolve(released++) }
  const applying = rejected('ERR_LOCK_HELD', auth({ deadlineMilliseconds: 500 }).apply(plan, { passwords, lock }))
  await settled()
  clock.advance(500)
  expect((await applying).detail.reason).toBe('no answer within 500 ms')
  expect(released).toBe(0)
  answer(undefined)
  await settled()
  expect(released).toBe(1)
  expect(writes()).toEqual([])
})

test('a lock that answers in the moment of the deadline is not left held', async () => {
  const { auth, clock } = double('v3')
  const plan = await auth().plan(policy, locked)
  let answer = (_: unknown): void => undefined
  let released = 0
  const lock = { acquire: () => new Promise((resolve) => (answer = resolve)), release: () => Promise.resolve(released++) }
  const applying = rejected('ERR_LOCK_HELD', auth({ deadlineMilliseconds: 500 }).apply(plan, { passwords, lock }))
  await settled()
  answer(undefined)
  clock.advance(500)
  await applying
  expect(released).toBe(1)
})

test('whoever is told to stop does not wait for the lock: before, it is not asked for, and while, it is freed when it answers', async () => {
  const { auth, writes } = double('v3')
  const plan = await auth().plan(policy, locked)
  let answer = (_: unknown): void => undefined
  const told: string[] = []
  const lock = { acquire: () => new Promise((resolve) => (told.push('asked'), (answer = resolve))), release: () => Promise.resolve(told.push('released')) }
  await rejected('ERR_ABORTED', auth().apply(plan, { passwords, lock, signal: AbortSignal.abort() }))
  expect(told).toEqual([])
  const stop = new AbortController()
  const applying = rejected('ERR_ABORTED', auth().apply(plan, { passwords, lock, signal: stop.signal }))
  await settled()
  stop.abort(new Error('enough'))
  expect((await applying).cause).toMatchObject({ message: 'enough' })
  answer(undefined)
  await settled()
  expect(told).toEqual(['asked', 'released'])
  expect(writes()).toEqual([])
})
