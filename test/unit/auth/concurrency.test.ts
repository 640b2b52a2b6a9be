/** Writes that are under way at once: how many, and what becomes of them when one fails. */
import { describe, expect, test } from 'vitest'
import { EtcdAuth, v2Backend, v3Backend, type Api, type ApplyOptions, type Backend, type StepEvent, type V3Transport } from '../../../src/auth/index.js'
import { etcd3Transport } from '../../../src/auth/v3/transport.js'
import { definePolicy } from '../../../src/policy/index.js'
import { settled } from '../../support/double.js'
import { double, isWrite, locked, passwords, policy, rejected, type Double } from './doubles.js'

interface Watched {
  readonly made: Double
  readonly auth: EtcdAuth
  readonly most: () => number
  readonly under: () => number
}

/** A double whose calls each take a turn of the event loop, and a count of the writes that were under way at once. */
function watched(api: Api): Watched {
  const made = double(api)
  let [under, most] = [0, 0]
  const counted = async <T>(write: boolean, call: () => Promise<T>): Promise<T> => {
    if (write) {
      under++
      most = Math.max(most, under)
    }
    await settled()
    try {
      const answer = await call()
      // What succeeds takes longer than what fails.
      await settled()
      await settled()
      return answer
    } finally {
      if (write) under--
    }
  }
  const { etcd } = made
  const through = etcd3Transport(etcd.auth)
  const transport: V3Transport = { call: (method, request, options) => counted(isWrite({ method } as never), () => through.call(method, request, options)) }
  const backend: Backend =
    api === 'v3'
      ? v3Backend(transport, { versions: ['3.5.30'] })
      : v2Backend({ fetch: (url, init) => counted(init.method !== 'GET', () => etcd.fetch(url, init)), endpoint: 'https://127.0.0.1:2379', crypto })
  return { made, auth: new EtcdAuth(backend, { identity: { user: 'root' }, clock: made.clock }), most: () => most, under: () => under }
}

describe('writes under way at once', () => {
  test.each<readonly [what: string, api: Api, options: ApplyOptions, most: number]>([
    ['several on v3', 'v3', {}, 4],
    ['as many as are asked for', 'v3', { concurrency: 2 }, 2],
    ['one, where one is asked for', 'v3', { concurrency: 1 }, 1],
    ['one on v2, which loses one of two that meet', 'v2', {}, 1],
    ['one on v2, whatever is asked for', 'v2', { concurrency: 8 }, 1],
    ['one with pacing', 'v3', { pacing: {} }, 1],
  ])('are %s', async (_, api, options, wanted) => {
    const { auth, most } = watched(api)
    await auth.apply(await auth.plan(policy, locked), { passwords, ...options })
    expect(most()).toBe(wanted)
    expect((await auth.plan(policy, locked)).outcome).toBe('in sync')
  })

  test('are no more than sixteen', async () => {
    const { auth, most } = watched('v3')
    const users = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`user-${String(at)}`, 'certificate' as const]))
    const many = definePolicy({ users: { root: 'certificate', ...users }, v3: { roles: {}, bindings: { root: ['root'] } } })
    await auth.apply(await auth.plan(many, locked))
    expect(most()).toBe(16)
  })

  test.each([0, -1, 1.5, Number.NaN, '4' as never])('cannot be %s', async (concurrency) => {
    const { auth, made } = watched('v3')
    const plan = await auth.plan(policy, locked)
    await expect(auth.apply(plan, { passwords, concurrency })).rejects.toBeInstanceOf(TypeError)
    expect(made.writes()).toEqual([])
  })

  test('are waited for when one of them fails, and no other is begun', async () => {
    const { auth, made, under } = watched('v3')
    const plan = await auth.plan(policy, locked)
    const users = plan.steps.filter((step) => step.do === 'addUser').length
    let failed = false
    made.etcd.faults.failBefore(({ method }) => method === 'userAdd' && !failed && (failed = true))
    await rejected('ERR_UNREACHABLE', auth.apply(plan, { passwords }))
    // The others of the same kind were under way; what follows them is not.
    expect(made.writes().filter(({ method }) => method === 'userAdd')).toHaveLength(users)
    expect(made.writes().filter(({ method }) => method === 'userGrantRole')).toEqual([])
    expect(under()).toBe(0)
  })

  test('and begun before a signal are counted in the error that it ends in', async () => {
    const { auth, made } = watched('v3')
    const users = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`user-${String(at)}`, 'certificate' as const]))
    const many = definePolicy({ users: { root: 'certificate', ...users }, v3: { roles: {}, bindings: { root: ['root'] } } })
    const controller = new AbortController()
    const onStep = ({ number }: StepEvent): void => {
      if (number === 5) controller.abort()
    }
    const error = await rejected('ERR_ABORTED', auth.apply(await auth.plan(many, locked), { signal: controller.signal, onStep }))
    expect(error.detail.stepsDone).toBe(made.writes().length)
    expect(error.message).toContain(`after ${String(made.writes().length)} of`)
  })

  test('end in what the caller throws, or what failed, also where the signal stops them too', async () => {
    const { auth, made } = watched('v3')
    const controller = new AbortController()
    const plan = await auth.plan(policy, locked)
    const enough = new Error('the log is full')
    const onStep = (): void => {
      controller.abort()
      throw enough
    }
    await expect(auth.apply(plan, { passwords, signal: controller.signal, onStep })).rejects.toBe(enough)
    expect(made.writes().length).toBeGreaterThan(0)
  })

  test('are all told of before a signal stops what follows', async () => {
    const { auth } = watched('v3')
    const controller = new AbortController()
    const told: number[] = []
    const onStep = ({ number }: StepEvent): void => {
      told.push(number)
      controller.abort()
    }
    const error = await rejected('ERR_ABORTED', auth.apply(await auth.plan(policy, locked), { passwords, signal: controller.signal, onStep }))
    expect(error.detail.stepsDone).toBe(told.length)
    expect(told).toEqual(told.map((_number, index) => index + 1))
  })
})
