/** A double that fails on demand, by a clock that stands still. */
import { describe, expect, test } from 'vitest'
import { manualClock, memoryEtcd } from '../../../src/testing/index.js'
import { answerOf } from '../../support/double.js'

const lost = '14 UNAVAILABLE: read ECONNRESET'
const names = async (etcd: ReturnType<typeof memoryEtcd>): Promise<string[]> => (await etcd.auth.roleList()).roles
const double = (): ReturnType<typeof memoryEtcd> => memoryEtcd({ version: '3.5.30' })

describe('a fault', () => {
  test('before a call takes its effect away, once, at the call counted from now on', async () => {
    const etcd = double()
    await etcd.auth.roleAdd({ name: 'a' })
    etcd.faults.failBefore(2)
    expect([await answerOf(etcd.auth.roleAdd({ name: 'b' })), await answerOf(etcd.auth.roleAdd({ name: 'c' })), await answerOf(etcd.auth.roleAdd({ name: 'd' }))]).toEqual(['ok', lost, 'ok'])
    expect(await names(etcd)).toEqual(['a', 'b', 'd'])
  })

  test('after a call leaves its effect and loses its answer, refusals too', async () => {
    const etcd = double()
    etcd.faults.failAfter((call) => call.method === 'roleAdd')
    expect([await answerOf(etcd.auth.roleAdd({ name: 'a' })), await answerOf(etcd.auth.roleAdd({ name: 'a' }))]).toEqual([lost, lost])
    expect(await names(etcd)).toEqual(['a'])
  })

  test('may be an error of one’s own', async () => {
    const etcd = double()
    const error = new Error('the cable is out')
    etcd.faults.failBefore(1, error)
    await expect(etcd.auth.roleList()).rejects.toBe(error)
  })

  test('chosen by a function lasts until it is removed, and clear takes all away', async () => {
    const etcd = double()
    const remove = etcd.faults.failBefore((call) => call.method === 'roleAdd')
    etcd.faults.failBefore((call) => call.method === 'userAdd')
    expect([await answerOf(etcd.auth.roleAdd({ name: 'a' })), await answerOf(etcd.auth.roleAdd({ name: 'a' }))]).toEqual([lost, lost])
    remove()
    expect(await answerOf(etcd.auth.roleAdd({ name: 'a' }))).toBe('ok')
    etcd.faults.clear()
    expect(await answerOf(etcd.auth.userAdd({ name: 'u', password: 'p' }))).toBe('ok')
  })

  test('is shared by all clients of a double, on both APIs', async () => {
    const etcd = memoryEtcd({ version: '3.3.25' })
    etcd.faults.failBefore((call) => call.api === 'v2')
    await expect(etcd.as('alice').fetch('https://etcd.invalid/v2/keys/', { method: 'GET', redirect: 'manual' })).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await answerOf(etcd.as('alice').auth.roleList())).toBe('ok')
  })

  test.each([0, -1, 1.5, '1', undefined])('for the call %j is a TypeError', (match) => {
    expect(() => double().faults.failBefore(match as never)).toThrow(TypeError)
  })
})

describe('a call that does not answer', () => {
  test('ends at its deadline, by the clock, and has had its effect only if asked', async () => {
    const clock = manualClock(new Date(0))
    const etcd = memoryEtcd({ version: '3.5.30', clock })
    for (const [name, applied] of [['a', false], ['b', true]] as const) {
      etcd.faults.timeOut(1, { applied })
      const ended = answerOf(etcd.auth.roleAdd({ name }, { deadline: clock.now().getTime() + 1000 }))
      await Promise.resolve()
      clock.advance(1000)
      expect(await ended).toBe('4 DEADLINE_EXCEEDED: Deadline exceeded')
    }
    expect(await names(etcd)).toEqual(['b'])
  })

  test('never ends without a deadline', async () => {
    const clock = manualClock(new Date(0))
    const etcd = memoryEtcd({ version: '3.5.30', clock })
    etcd.faults.timeOut(1)
    let ended = false
    void etcd.auth.roleList().finally(() => (ended = true))
    clock.advance(1e9)
    await etcd.auth.roleList()
    expect(ended).toBe(false)
  })

  test('of fetch ends with its signal', async () => {
    const etcd = memoryEtcd({ version: '3.3.25' })
    etcd.faults.timeOut(1)
    const abort = new AbortController()
    const ended = etcd.fetch('https://etcd.invalid/v2/keys/', { method: 'GET', redirect: 'manual', signal: abort.signal })
    await Promise.resolve()
    abort.abort()
    await expect(ended).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('whose deadline has passed has no effect', async () => {
    const etcd = memoryEtcd({ version: '3.5.30', clock: manualClock(new Date(5000)) })
    expect(await answerOf(etcd.auth.roleAdd({ name: 'a' }, { deadline: 4000 }))).toBe('4 DEADLINE_EXCEEDED: Deadline exceeded')
    expect(await names(etcd)).toEqual([])
  })
})

describe('a concurrent writer', () => {
  test('comes first, and does not set itself off', async () => {
    const etcd = double()
    etcd.faults.beforeCall((call) => call.method === 'roleAdd', async () => {
      await etcd.as('other').auth.roleAdd({ name: 'taken' })
    })
    expect(await answerOf(etcd.auth.roleAdd({ name: 'taken' }))).toBe('9 FAILED_PRECONDITION: etcdserver: role name already exists')
    expect(etcd.calls.map(({ method, commonName }) => [method, commonName])).toEqual([['roleAdd', 'root'], ['roleAdd', 'other']])
  })
})

describe('the log', () => {
  test('has every call in its order, without passwords', async () => {
    const etcd = memoryEtcd({ version: '3.3.25' })
    await etcd.auth.userAdd({ name: 'u', password: 'secret-1' })
    await answerOf(etcd.as('alice').auth.userAdd({ name: 'u', password: 'secret-2' }))
    await etcd.fetch('https://etcd.invalid/v2/auth/users/u', { method: 'PUT', redirect: 'manual', body: JSON.stringify({ user: 'u', password: 'secret-3' }) })
    await etcd.fetch('https://etcd.invalid/v2/auth/users/u', { method: 'PUT', redirect: 'manual', body: '{"password":"secret-4"' })
    expect(etcd.calls).toMatchObject([
      { index: 1, api: 'v3', method: 'userAdd', request: { name: 'u' }, commonName: 'root' },
      { index: 2, api: 'v3', method: 'userAdd', request: { name: 'u' }, commonName: 'alice' },
      { index: 3, api: 'v2', method: 'PUT /v2/auth/users/u', request: { user: 'u' }, commonName: 'root' },
      { index: 4, request: undefined },
    ])
    expect(JSON.stringify(etcd.calls)).not.toContain('secret')
  })
})

describe('a manual clock', () => {
  test('runs what falls due at its time, in its order, unless cancelled', () => {
    const clock = manualClock(new Date(0))
    const ran: string[] = []
    const note = (name: string) => () => ran.push(`${name} at ${clock.now().getTime()}`)
    clock.after(20, note('second'))
    clock.after(10, () => {
      note('first')()
      clock.after(5, note('inner'))
    })
    clock.after(15, note('cancelled'))()
    clock.after(-1, note('at once'))
    clock.advance(19)
    expect(ran).toEqual(['at once at 0', 'first at 10', 'inner at 15'])
    clock.advance(1)
    expect(ran.at(-1)).toBe('second at 20')
    expect(clock.now()).toEqual(new Date(20))
  })

  test('starts at a date and does not go back', () => {
    expect(() => manualClock(new Date(Number.NaN))).toThrow(TypeError)
    expect(() => manualClock(0 as never)).toThrow(TypeError)
    expect(() => manualClock(new Date(0)).advance(-1)).toThrow(RangeError)
    expect(() => manualClock(new Date(0)).advance(Number.NaN)).toThrow(RangeError)
  })
})
