/** Watches and limited times of `/v2/keys`: what a double tells whom, and when. All of it as measured on 3.3.25, 3.4.23, 3.5.16, 3.5.30 and 3.5.35. */
import { describe, expect, test } from 'vitest'
import { manualClock, memoryEtcd, type Clock, type ManualClock, type MemoryClient, type MemoryEtcd, type MemoryResponse } from '../../../src/testing/index.js'
import { since } from '../../support/double.js'

const v2Versions = since('3.6.0').before
const start = new Date('2026-01-01T00:00:00Z')
const headers = { 'content-type': 'application/x-www-form-urlencoded' }

const double = (version = '3.5.30', clock: Clock = manualClock(start)): MemoryEtcd => memoryEtcd({ version, v2: true, clock })
const ask = (client: MemoryClient, method: string, target: string, body = '', signal?: AbortSignal): Promise<MemoryResponse> =>
  client.fetch(`https://etcd.invalid:2379/v2/${target}`, { method, redirect: 'manual', headers, body, ...(signal ? { signal } : {}) })
const put = (client: MemoryClient, key: string, body = 'value=x'): Promise<MemoryResponse> => ask(client, 'PUT', `keys${key}`, body)
const remove = (client: MemoryClient, key: string): Promise<MemoryResponse> => ask(client, 'DELETE', `keys${key}?recursive=true`)
/** The body of a watch, not waited for. */
const watch = async (client: MemoryClient, key: string, query = '', signal?: AbortSignal): Promise<{ body: Promise<string> }> => ({
  body: (await ask(client, 'GET', `keys${key}?wait=true${query}`, '', signal)).text(),
})
/** What a body is now: its text, or that it is open. */
const now = ({ body }: { body: Promise<string> }): Promise<string> => Promise.race([body, Promise.resolve('open')])
/** The key and the action of the event in a body. */
const eventIn = (text: string): string => {
  if (text === 'open') return text
  const { action, node } = JSON.parse(text) as { action: string; node: { key: string } }
  return `${action} ${node.key}`
}
const heard = async (open: { body: Promise<string> }): Promise<string> => eventIn(await now(open))

describe.each(v2Versions)('a watch on etcd %s', (version) => {
  test('has its headers at once, and its body when another client makes the event', async () => {
    const etcd = double(version)
    const response = await ask(etcd, 'GET', 'keys/k?wait=true')
    expect([response.status, response.headers.get('content-type'), response.headers.get('x-etcd-index')]).toEqual([200, 'application/json', '3'])
    const body = response.text()
    expect(await now({ body })).toBe('open')
    const written = await put(etcd.as('other'), '/k')
    expect(await body).toBe('{"action":"set","node":{"key":"/k","value":"x","modifiedIndex":4,"createdIndex":4}}\n')
    expect(await body).toBe(await written.text())
    expect(await response.json()).toMatchObject({ action: 'set' })
  })

  test('ends with its first event', async () => {
    const etcd = double(version)
    const open = await watch(etcd, '/k')
    for (const value of ['1', '2']) await put(etcd, '/k', `value=${value}`)
    expect(JSON.parse(await open.body)).toMatchObject({ node: { value: '1' } })
  })

  test('shows the values that the writer did not want to see', async () => {
    const etcd = double(version)
    const open = await watch(etcd, '/k')
    expect(await (await put(etcd, '/k?noValueOnSuccess=true')).text()).toBe('{"action":"set"}\n')
    expect(await open.body).toContain('"value":"x"')
  })

  test('of the past is answered at once, of the present by the next event, of the future by the first that has its index', async () => {
    const etcd = double(version)
    for (const value of ['4', '5']) await put(etcd, '/k', `value=${value}`)
    const all = await Promise.all([4, 5, 6, 8].map((index) => watch(etcd, '/k', `&waitIndex=${index}`)))
    const values = async (): Promise<string[]> => Promise.all(all.map(async (open) => /"node":\{"key":"\/k","value":"(\d)"/.exec(await now(open))?.[1] ?? 'open'))
    expect(await values()).toEqual(['4', '5', 'open', 'open'])
    await put(etcd, '/k', 'value=6')
    expect(await values()).toEqual(['4', '5', '6', 'open'])
    await put(etcd, '/other')
    await put(etcd, '/k', 'value=8')
    expect(await values()).toEqual(['4', '5', '6', '8'])
  })

  test('hears of its own path, and, if it recurses, of what is below and not hidden', async () => {
    const etcd = double(version)
    const paths = ['/h', '/h/_x', '/h/_x/y', '/hh', '/', '']
    const open = await Promise.all(paths.flatMap((path) => ['', '&recursive=true'].map((query) => watch(etcd, path, query))))
    await put(etcd, '/h/_x/y')
    expect(await Promise.all(open.map(heard))).toEqual(['open', 'open', 'open', 'set /h/_x/y', 'set /h/_x/y', 'set /h/_x/y', 'open', 'open', 'open', 'open', 'open', 'open'])
    await put(etcd, '/h/z')
    expect(await Promise.all(open.map(heard))).toEqual(['open', 'set /h/z', 'open', 'set /h/_x/y', 'set /h/_x/y', 'set /h/_x/y', 'open', 'open', 'open', 'set /h/z', 'open', 'set /h/z'])
  })

  test('of the past hears nothing of a key whose name its own begins with', async () => {
    const etcd = double(version)
    await put(etcd, '/k')
    await remove(etcd, '/k')
    expect(await heard(await watch(etcd, '/kk', '&waitIndex=4'))).toBe('open')
  })

  test('of the past hears of hidden keys too', async () => {
    const etcd = double(version)
    await put(etcd, '/h/_x/y')
    expect(await heard(await watch(etcd, '/h', '&recursive=true&waitIndex=4'))).toBe('set /h/_x/y')
  })

  /** Path of the watch; what it hears while it waits, alone and recursing; what it hears afterwards of the past, alone and recursing. */
  test.each([
    ['/d', 'delete /d', 'delete /d', 'delete /d', 'delete /d'],
    ['/d/k', 'delete /d', 'delete /d', 'delete /d', 'delete /d'],
    ['/d/e/f', 'delete /d', 'delete /d', 'delete /d', 'delete /d'],
    ['/d/_p', 'delete /d', 'delete /d', 'delete /d', 'delete /d'],
    ['/d/_p/q', 'delete /d', 'delete /d', 'delete /d', 'delete /d'],
    ['/d/none', 'open', 'open', 'delete /d', 'delete /d'],
    ['/dd', 'open', 'open', 'delete /d', 'delete /d'],
    ['/', 'open', 'delete /d', 'open', 'delete /d'],
  ])('of %s hears of the end of the directory /d: %s, recursing %s; of the past: %s, recursing %s', async (path, ...wanted) => {
    const etcd = double(version)
    for (const key of ['/d/k', '/d/e/f', '/d/_p/q', '/dd']) await put(etcd, key)
    const open = [await watch(etcd, path), await watch(etcd, path, '&recursive=true')]
    await remove(etcd, '/d')
    const past = [await watch(etcd, path, '&waitIndex=8'), await watch(etcd, path, '&waitIndex=8&recursive=true')]
    expect(await Promise.all([...open, ...past].map(heard))).toEqual(wanted)
  })

  test.each([
    ['update', 'refresh=true&ttl=9&prevExist=true'],
    ['set', 'refresh=true&ttl=9'],
    ['compareAndSwap', 'refresh=true&ttl=9&prevValue=x'],
  ])('hears nothing of a refresh by %s, neither then nor of the past', async (action, body) => {
    const etcd = double(version)
    await put(etcd, '/k', 'value=x&ttl=5')
    const open = [await watch(etcd, '/k'), await watch(etcd, '', '&recursive=true')]
    expect(await (await put(etcd, '/k', body)).json()).toMatchObject({ action, node: { value: 'x', ttl: 9, modifiedIndex: 5 } })
    open.push(await watch(etcd, '/k', '&waitIndex=5'))
    expect(await Promise.all(open.map(heard))).toEqual(['open', 'open', 'open'])
    await put(etcd, '/k?prevExist=true', 'value=y')
    expect(await Promise.all(open.map(heard))).toEqual(['update /k', 'update /k', 'update /k'])
  })

  test('that asks for a quorum is a plain read', async () => {
    const etcd = double(version)
    await put(etcd, '/k')
    expect(await heard(await watch(etcd, '/k', '&quorum=true'))).toBe('get /k')
    expect((await ask(etcd, 'GET', 'keys/none?wait=true&quorum=true')).status).toBe(404)
  })

  test.each(['HEAD', 'PUT', 'POST', 'DELETE'])('is nothing for %s', async (method) => {
    const { status, ok } = await ask(double(version), method, 'keys/k?wait=true', 'value=x')
    expect([status, ok]).toEqual([400, false])
  })

  test.each(['x', '-1', '', '%2B1', '1_0', '%201', '18446744073709551616'])('from the index %j is refused', async (index) => {
    const response = await ask(double(version), 'GET', `keys/k?wait=true&waitIndex=${index}`)
    expect([response.status, await response.text()]).toEqual([400, '{"errorCode":203,"message":"The given index in POST form is not a number","cause":"invalid value for \\"waitIndex\\"","index":0}\n'])
  })

  test.each([['18446744073709551615', 'open'], [`${'0'.repeat(24)}4`, 'set /k'], ['0', 'open']])('from the index %s of a store that stands at 4: %s', async (index, wanted) => {
    const etcd = double(version)
    await put(etcd, '/k')
    expect(await heard(await watch(etcd, '/k', `&waitIndex=${index}`))).toBe(wanted)
  })

  test('is asked for its right at the start only: a revoke leaves it open', async () => {
    const etcd = double(version)
    const json = (path: string, body: object): Promise<MemoryResponse> => ask(etcd, 'PUT', `auth/${path}`, JSON.stringify(body))
    await json('users/root', { user: 'root', password: 'pw' })
    await json('roles/guest', { role: 'guest', permissions: { kv: { read: [], write: [] } } })
    await json('roles/r', { role: 'r', permissions: { kv: { read: ['/k'], write: [] } } })
    await json('users/alice', { user: 'alice', password: 'pw', roles: ['r'] })
    await json('enable', {})
    const open = await watch(etcd.as('alice'), '/k')
    await json('users/alice', { user: 'alice', revoke: ['r'] })
    expect((await ask(etcd.as('alice'), 'GET', 'keys/k?wait=true')).status).toBe(401)
    await put(etcd, '/k')
    expect(await heard(open)).toBe('set /k')
  })

  test.each(['', '&waitIndex=4'])('of every event has no end: stream=true%s', async (query) => {
    const etcd = double(version)
    await put(etcd, '/k')
    const aborter = new AbortController()
    const open = await watch(etcd, '/k', `&stream=true${query}`, aborter.signal)
    await put(etcd, '/k')
    expect(await heard(open)).toBe('open')
    aborter.abort()
    await expect(open.body).rejects.toMatchObject({ name: 'AbortError' })
  })
})

test('a watch of events that etcd has forgotten is refused, and one that no remembered event concerns waits', async () => {
  const etcd = double()
  for (let i = 0; i < 1001; i++) await put(etcd, '/k')
  const refused = await ask(etcd, 'GET', 'keys/k?wait=true&waitIndex=4')
  expect([refused.status, refused.headers.get('x-etcd-index'), await refused.json()]).toEqual([
    400, '1004', { errorCode: 401, message: 'The event in requested index is outdated and cleared', cause: 'the requested history has been cleared [5/4]', index: 1004 },
  ])
  expect(await heard(await watch(etcd, '/k', '&waitIndex=5'))).toBe('set /k')
  expect(await heard(await watch(etcd, '/none', '&waitIndex=5'))).toBe('open')
})

describe('the signal of a watch', () => {
  test('rejects its body, which no event fills any more', async () => {
    const etcd = double()
    const aborter = new AbortController()
    const open = await watch(etcd, '/k', '', aborter.signal)
    aborter.abort()
    await put(etcd, '/k')
    await expect(open.body).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('has its own reason', async () => {
    const aborter = new AbortController()
    const open = await watch(double(), '/k', '', aborter.signal)
    const reason = new Error('enough')
    aborter.abort(reason)
    await expect(open.body).rejects.toBe(reason)
  })

  test('rejects the request where it has aborted before', async () => {
    await expect(ask(double(), 'GET', 'keys/k?wait=true', '', AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('takes no event back that has come', async () => {
    const etcd = double()
    const aborter = new AbortController()
    const open = await watch(etcd, '/k', '', aborter.signal)
    await put(etcd, '/k')
    aborter.abort()
    expect(await heard(open)).toBe('set /k')
  })
})

test('the death of the member cuts the watches that wait', async () => {
  const etcd = double('3.3.25')
  const open = [await watch(etcd, '/k'), await watch(etcd, '/k', '&stream=true')]
  await etcd.auth.roleAdd({ name: '' }).catch(() => undefined)
  expect(etcd.isDead()).toBe(true)
  for (const { body } of open) await expect(body).rejects.toMatchObject({ code: 'ECONNRESET' })
})

describe.each(v2Versions)('a limited time on etcd %s', (version) => {
  const timed = (): { etcd: MemoryEtcd; clock: ManualClock } => {
    const clock = manualClock(start)
    return { etcd: double(version, clock), clock }
  }

  test('ends by the clock alone, once, and tells who waits', async () => {
    const { etcd, clock } = timed()
    await put(etcd, '/k', 'value=x&ttl=10')
    const open = [await watch(etcd, '/k'), await watch(etcd, '', '&recursive=true')]
    clock.advance(9_999)
    expect(await Promise.all(open.map(heard))).toEqual(['open', 'open'])
    clock.advance(1)
    const body = '{"action":"expire","node":{"key":"/k","modifiedIndex":5,"createdIndex":4},"prevNode":{"key":"/k","value":"x","expiration":"2026-01-01T00:00:10Z","modifiedIndex":4,"createdIndex":4}}\n'
    expect(await Promise.all(open.map(now))).toEqual([body, body])
    const again = await watch(etcd, '/k')
    clock.advance(60_000)
    expect(await now(again)).toBe('open')
    expect((await ask(etcd, 'GET', 'keys/k')).headers.get('x-etcd-index')).toBe('5')
  })

  test('may be set, prolonged and taken away while a watch is open', async () => {
    const { etcd, clock } = timed()
    const open = [await watch(etcd, '/a'), await watch(etcd, '/b'), await watch(etcd, '/c', '&waitIndex=10')]
    await put(etcd, '/c', 'value=x&ttl=10')
    await put(etcd, '/c?prevExist=true', 'value=x')
    await put(etcd, '/b/in', 'value=x&ttl=20')
    await put(etcd, '/a', 'value=x')
    const expiring = await watch(etcd, '/b/in')
    await put(etcd, '/b/in', 'refresh=true&ttl=30')
    clock.advance(29_999)
    expect(await Promise.all([...open, expiring].map(heard))).toEqual(['set /a', 'open', 'open', 'open'])
    clock.advance(1)
    expect(await Promise.all([...open, expiring].map(heard))).toEqual(['set /a', 'open', 'open', 'expire /b/in'])
  })

  test('ends one after the other, for a watch of each', async () => {
    const { etcd, clock } = timed()
    for (const ttl of [1, 2]) await put(etcd, `/${ttl}`, `value=x&ttl=${ttl}`)
    const open = [await watch(etcd, '/1'), await watch(etcd, '/2')]
    clock.advance(2_000)
    expect(await Promise.all(open.map(heard))).toEqual(['expire /1', 'expire /2'])
  })

  test('that ends at the same moment as another ends behind it where it was set later', async () => {
    const { etcd, clock } = timed()
    for (const key of ['/a', '/b']) await put(etcd, key, 'value=x&ttl=5')
    await put(etcd, '/a', 'refresh=true&ttl=5&prevExist=true')
    clock.advance(5_000)
    expect(await heard(await watch(etcd, '', '&recursive=true&waitIndex=7'))).toBe('expire /b')
  })

  test('shows no time left in its event, however late that is looked for', async () => {
    const { etcd, clock } = timed()
    await put(etcd, '/k', 'value=x&ttl=10')
    clock.advance(60_000)
    expect(await now(await watch(etcd, '/k', '&waitIndex=5'))).toContain('"prevNode":{"key":"/k","value":"x","expiration":"2026-01-01T00:00:10Z","modifiedIndex":4,"createdIndex":4}')
  })

  test('ends in its own order, whatever the order of the names', async () => {
    const { etcd, clock } = timed()
    for (const [key, ttl] of [['/a', 3], ['/b', 1], ['/c', 2], ['/d', 2]] as const) await put(etcd, key, `value=x&ttl=${ttl}`)
    clock.advance(5_000)
    const expired = await Promise.all([8, 9, 10, 11].map((index) => watch(etcd, '', `&recursive=true&waitIndex=${index}`)))
    expect(await Promise.all(expired.map(heard))).toEqual(['expire /b', 'expire /c', 'expire /d', 'expire /a'])
  })

  test('of a directory ends all that is in it, with one event', async () => {
    const { etcd, clock } = timed()
    await put(etcd, '/d', 'dir=true&ttl=10')
    await put(etcd, '/d/sub')
    await put(etcd, '/d/t', 'value=x&ttl=300')
    const open = await Promise.all(['/d', '/d/sub', '/d/t', '/d/none', ''].map((path) => watch(etcd, path, path === '' ? '&recursive=true' : '')))
    clock.advance(10_000)
    expect(await Promise.all(open.map(heard))).toEqual(['expire /d', 'expire /d', 'expire /d', 'open', 'expire /d'])
    expect(await heard(await watch(etcd, '/d/none', '&waitIndex=7'))).toBe('expire /d')
    clock.advance(300_000)
    expect((await ask(etcd, 'GET', 'keys/')).headers.get('x-etcd-index')).toBe('7')
  })

  /** The form, and what etcd shows of the time of a new key: its ttl, none where it is over or was never limited, or its refusal. */
  test.each([
    ['ttl=5', 5],
    [`ttl=${'0'.repeat(24)}5`, 5],
    ['ttl=7000000000', 7_000_000_000],
    ['ttl=', 'permanent'],
    ['ttl=0', 'over'],
    // Too long for 64 bits of nanoseconds: the end lies before 2000, and counts for none; or in the time of today.
    ['ttl=8000000000', 'permanent'],
    ['ttl=9999999999', 'permanent'],
    ['ttl=18446744074', 1],
    ['ttl=18446744073709551615', -1],
    ['ttl=18446744073709551616', 'refused'],
    ['ttl=-1', 'refused'],
    ['ttl=1.5', 'refused'],
    ['ttl=%2B5', 'refused'],
    ['ttl=x', 'refused'],
  ])('of a new key by %s is %s', async (form, wanted) => {
    const { etcd } = timed()
    const response = await put(etcd, '/k', `value=x&${form}`)
    const { node, errorCode } = (await response.json()) as { node?: { ttl?: number; expiration?: string }; errorCode?: number }
    expect(errorCode === 202 ? 'refused' : (node?.ttl ?? (node?.expiration === undefined ? 'permanent' : 'over'))).toBe(wanted)
    const stays = wanted === 'permanent' || (typeof wanted === 'number' && wanted > 0)
    expect((await ask(etcd, 'GET', 'keys/k')).status).toBe(stays ? 200 : 404)
  })

  test('that is too long ends a key at once that it is set anew for', async () => {
    const { etcd } = timed()
    await put(etcd, '/k')
    const open = await watch(etcd, '/k', '&waitIndex=6')
    expect(await (await put(etcd, '/k?prevExist=true', 'value=x&ttl=9999999999')).json()).toMatchObject({ action: 'update', node: { ttl: -8446744074 } })
    expect((await ask(etcd, 'GET', 'keys/k')).status).toBe(404)
    expect(await heard(open)).toBe('expire /k')
  })
})

test.each([['3.3.25', 200], ['3.4.23', 200], ['3.5.30', 500]])('the time of a directory is set anew on etcd %s with the status %i', async (version, status) => {
  const clock = manualClock(start)
  const etcd = double(version, clock)
  await put(etcd, '/d', 'dir=true&ttl=50')
  expect((await put(etcd, '/d', 'dir=true&ttl=60')).status).toBe(403)
  const open = await watch(etcd, '/d')
  expect((await put(etcd, '/d', 'dir=true&ttl=70&prevExist=true')).status).toBe(status)
  expect(await heard(open)).toBe(status === 200 ? 'update /d' : 'open')
  clock.advance(50_000)
  expect((await ask(etcd, 'GET', 'keys/d')).status).toBe(status === 200 ? 200 : 404)
})

describe('the clock of a double', () => {
  /** A clock of one timer, whose owner looks at it. */
  const watched = (): { clock: Clock; timers: Set<number> } => {
    const timers = new Set<number>()
    const after: Clock['after'] = (milliseconds) => {
      timers.add(milliseconds)
      return () => void timers.delete(milliseconds)
    }
    return { clock: { now: () => start, after }, timers }
  }

  test('is asked to wake the double only while a watch waits and a key expires', async () => {
    const { clock, timers } = watched()
    const etcd = double('3.5.30', clock)
    const aborter = new AbortController()
    await put(etcd, '/k', 'value=x&ttl=10')
    expect([...timers]).toEqual([])
    const open = await watch(etcd, '/other', '', aborter.signal)
    expect([...timers]).toEqual([10_000])
    await put(etcd, '/k', 'refresh=true&ttl=5')
    expect([...timers]).toEqual([5_000])
    await put(etcd, '/k?prevExist=true')
    expect([...timers]).toEqual([])
    await put(etcd, '/k', 'value=x&ttl=10')
    expect([...timers]).toEqual([10_000])
    aborter.abort()
    await expect(open.body).rejects.toThrow()
    expect([...timers]).toEqual([])
  })

  test('is let go when the last watch has its event', async () => {
    const { clock, timers } = watched()
    const etcd = double('3.5.30', clock)
    await put(etcd, '/k', 'value=x&ttl=10')
    await watch(etcd, '/other')
    await put(etcd, '/other')
    expect([...timers]).toEqual([])
  })

  test('is let go when a watch is given up whose answer was not to come', async () => {
    const { clock, timers } = watched()
    const etcd = double('3.5.30', clock)
    const aborter = new AbortController()
    await put(etcd, '/k', 'value=x&ttl=10')
    etcd.faults.timeOut(1, { applied: true })
    const silent = watch(etcd, '/k', '', aborter.signal)
    expect([...timers]).toEqual([10_000])
    aborter.abort()
    await expect(silent).rejects.toMatchObject({ name: 'AbortError' })
    expect([...timers]).toEqual([])
  })

  test('is asked for no longer time than the timers of a platform can take', async () => {
    const { clock, timers } = watched()
    const etcd = double('3.5.30', clock)
    await put(etcd, '/k', 'value=x&ttl=7000000000')
    await watch(etcd, '/k')
    expect([...timers]).toEqual([2 ** 31 - 1])
  })
})
