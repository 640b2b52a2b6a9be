/** `/v2/keys` as etcd answers it: which pattern lets what pass, and what else than rights it says. */
import { describe, expect, test } from 'vitest'
import { memoryEtcd, type MemoryClient, type MemoryEtcd } from '../../../src/testing/index.js'
import { since } from '../../support/double.js'

const v2Versions = since('3.6.0').before
const url = 'https://etcd.invalid:2379'
const form = { 'content-type': 'application/x-www-form-urlencoded' }

interface Answer {
  readonly status: number
  readonly body: string
  readonly header: (name: string) => string | null
}

async function ask(client: MemoryClient, method: string, path: string, body?: string): Promise<Answer> {
  const response = await client.fetch(`${url}/v2/keys${path}`, { method, redirect: 'manual', headers: form, ...(body === undefined ? {} : { body }) })
  return { status: response.status, body: await response.text(), header: (name) => response.headers.get(name) }
}

/** Keys below `/c` and beside it, a user alice with these patterns for everything, an empty guest, auth on. */
async function guarded(version: string, patterns: readonly string[], guest: readonly string[] = []): Promise<MemoryEtcd> {
  const etcd = memoryEtcd({ version, v2: true })
  for (const key of ['/c/a', '/c/_hid', '/cfoo', '/gdel/x']) await ask(etcd, 'PUT', key, 'value=x')
  const put = (path: string, body: object): Promise<unknown> => etcd.fetch(`${url}/v2/auth/${path}`, { method: 'PUT', redirect: 'manual', body: JSON.stringify(body) })
  await put('users/root', { user: 'root', password: 'pw' })
  await put('roles/r', { role: 'r', permissions: { kv: { read: patterns, write: patterns } } })
  await put('roles/guest', { role: 'guest', permissions: { kv: { read: guest, write: guest } } })
  await put('users/alice', { user: 'alice', password: 'pw', roles: ['r'] })
  await put('enable', {})
  return etcd
}

/** Which patterns let an operation pass. */
const patterns = ['/c/*', '/c*', '/c', '/c/', '*', '/*', '/', '/c/a', 'c/*'] as const
const table: readonly (readonly [operation: string, allowed: readonly (typeof patterns)[number][]])[] = [
  ['GET /c', ['/c*', '/c', '*', '/*']],
  ['GET /c/', ['/c/*', '/c*', '/c/', '*', '/*']],
  ['GET /c?recursive=true', ['/c*', '*', '/*']],
  ['GET /c/?recursive=true', ['/c/*', '/c*', '*', '/*']],
  ['DELETE /c?recursive=true', ['/c*', '*', '/*']],
  ['DELETE /c/?recursive=true', ['/c/*', '/c*', '*', '/*']],
  ['GET /c/a', ['/c/*', '/c*', '*', '/*', '/c/a']],
  ['GET /c/_hid', ['/c/*', '/c*', '*', '/*']],
  ['GET /c/a?recursive=true', ['/c/*', '/c*', '*', '/*']],
  ['GET /cfoo', ['/c*', '*', '/*']],
  ['GET ', ['*']],
  ['GET /', ['*', '/*', '/']],
  ['POST /c', ['/c*', '/c', '*', '/*']],
  ['PUT /c?dir=true&prevExist=false', ['/c*', '/c', '*', '/*']],
]

describe.each(v2Versions)('etcd %s', (version) => {
  test.each(table)('%s passes with %j only', async (operation, allowed) => {
    const [method = '', path = ''] = operation.split(' ')
    const passed: string[] = []
    for (const pattern of patterns) {
      const { status } = await ask((await guarded(version, [pattern])).as('alice'), method, path, method === 'GET' ? undefined : 'value=x')
      if (status !== 401) passed.push(pattern)
    }
    expect(passed).toEqual(allowed)
  })

  test('an exact pattern lets the guest recurse, and nobody else', async () => {
    const etcd = await guarded(version, ['/gdel'], ['/gdel'])
    expect((await ask(etcd.as('alice'), 'DELETE', '/gdel?recursive=true')).status).toBe(401)
    expect((await ask(etcd.as('stranger'), 'DELETE', '/gdel?recursive=true')).status).toBe(200)
  })

  test('a user does not inherit what the guest may', async () => {
    const etcd = await guarded(version, [], ['/c/*'])
    expect((await ask(etcd.as('alice'), 'GET', '/c/a')).status).toBe(401)
    expect((await ask(etcd.as('stranger'), 'GET', '/c/a')).status).toBe(200)
  })

  test('an empty pattern resets the connection of whoever it is asked for', async () => {
    const etcd = await guarded(version, ['', '/c/*'])
    await expect(ask(etcd.as('alice'), 'GET', '/c/a')).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect((await ask(etcd, 'GET', '/c/a')).status).toBe(200)
  })

  test('WRITE shows the value that was there', async () => {
    const etcd = await guarded(version, ['/c/*'])
    expect((await ask(etcd.as('alice'), 'PUT', '/c/a', 'value=y')).body).toContain('"prevNode":{"key":"/c/a","value":"x"')
    expect(await ask(etcd.as('alice'), 'PUT', '/c/a?prevValue=z', 'value=w')).toMatchObject({ status: 412, body: expect.stringContaining('"cause":"[z != y]"') as string })
  })

  test('hidden keys are read by name and not listed', async () => {
    const etcd = await guarded(version, [])
    expect((await ask(etcd, 'GET', '/c?recursive=true')).body).not.toContain('_hid')
    expect((await ask(etcd, 'GET', '/c/_hid')).status).toBe(200)
  })

  test.each([
    ['GET', '/none', 404, '{"errorCode":100,"message":"Key not found","cause":"/none","index":4}'],
    ['PUT', '/k/x', 400, '{"errorCode":104,"message":"Not a directory","cause":"/k","index":4}'],
    ['PUT', '/k?prevExist=false', 412, '{"errorCode":105,"message":"Key already exists","cause":"/k","index":4}'],
    ['PUT', '?dir=true', 400, '{"errorCode":107,"message":"Root is read only","cause":"/","index":4}'],
    ['GET', '/k?recursive=maybe', 400, '{"errorCode":209,"message":"Invalid field","cause":"invalid value for \\"recursive\\"","index":0}'],
    ['PUT', '/k?prevIndex=x', 400, '{"errorCode":203,"message":"The given index in POST form is not a number","cause":"invalid value for \\"prevIndex\\"","index":0}'],
    ['PUT', '/k?value=%zz', 400, '{"errorCode":210,"message":"Invalid POST form","cause":"invalid URL escape \\"%zz\\"","index":0}'],
  ])('%s %s of a store of one key is %i %s', async (method, path, status, body) => {
    const etcd = memoryEtcd({ version, v2: true })
    await ask(etcd, 'PUT', '/k', 'value=x')
    const answer = await ask(etcd, method, path, method === 'PUT' ? 'value=y' : undefined)
    expect([answer.status, answer.body.trim()]).toEqual([status, body])
  })
})

describe('found by comparing with servers', () => {
  const etcd = (version = '3.5.30'): MemoryEtcd => memoryEtcd({ version, v2: true })

  test.each(v2Versions)('the first write of etcd %s has index 4: three are of the member itself', async (version) => {
    expect((await ask(etcd(version), 'PUT', '/k', 'value=x')).header('x-etcd-index')).toBe('4')
  })

  test('a path that is not clean is redirected, with a page for GET', async () => {
    const { status, body, header } = await ask(etcd(), 'GET', '//k?a=1&b=2')
    expect([status, header('location'), header('content-type')]).toEqual([301, '/v2/keys/k?a=1&b=2', 'text/html; charset=utf-8'])
    expect(body).toBe('<a href="/v2/keys/k?a=1&amp;b=2">Moved Permanently</a>.\n\n')
    expect((await ask(etcd(), 'PUT', '//k', 'value=x')).body).toBe('')
  })

  test('HEAD has no body, not even where the path is malformed', async () => {
    expect(await ask(etcd(), 'HEAD', '/none')).toMatchObject({ status: 404, body: '' })
    expect(await ask(etcd(), 'HEAD', '/%zz')).toMatchObject({ status: 400, body: '' })
  })

  test.each([['3.3.25', 301], ['3.4.23', 200]])('OPTIONS of a path that is not clean, on etcd %s: %i', async (version, status) => {
    expect((await ask(etcd(version), 'OPTIONS', '//k')).status).toBe(status)
    expect((await ask(etcd(version), 'OPTIONS', '/k')).status).toBe(200)
  })

  test('a handler names the cluster only when it has begun', async () => {
    const locked = await guarded('3.5.30', [])
    const cluster = async (client: MemoryClient, method: string, path: string): Promise<boolean> => (await client.fetch(`${url}${path}`, { method, redirect: 'manual' })).headers.get('x-etcd-cluster-id') !== null
    expect(await cluster(locked, 'GET', '/v2/auth/users')).toBe(true)
    expect(await cluster(locked, 'GET', '/v2/auth/users/nobody')).toBe(true)
    expect(await cluster(locked.as('stranger'), 'GET', '/v2/auth/users')).toBe(false)
    expect(await cluster(locked.as('stranger'), 'GET', '/v2/keys/c')).toBe(true)
    expect(await cluster(locked, 'PATCH', '/v2/keys/c')).toBe(false)
    expect(await cluster(locked, 'GET', '/v2/auth/users/a/b')).toBe(false)
  })

  test('a watch of the past answers with the first event, and the present index in its header', async () => {
    const store = etcd()
    for (const value of ['1', '2', '3']) await ask(store, 'PUT', '/k', `value=${value}`)
    const { body, header } = await ask(store, 'GET', '/k?wait=true&waitIndex=5')
    expect(body).toContain('"value":"2"')
    expect(header('x-etcd-index')).toBe('6')
  })

  test('a watch of a key is told that a directory above it went, not of a refresh', async () => {
    const store = etcd()
    await ask(store, 'PUT', '/d/k', 'value=x')
    await ask(store, 'PUT', '/d/k?refresh=true&ttl=100&prevExist=true', '')
    await ask(store, 'DELETE', '/d?recursive=true')
    expect((await ask(store, 'GET', '/d/k?wait=true&waitIndex=5')).body).toContain('"action":"delete"')
  })

  test('only the last thousand events are remembered', async () => {
    const store = etcd()
    for (let i = 0; i < 1001; i++) await ask(store, 'PUT', '/k', 'value=x')
    expect(await ask(store, 'GET', '/k?wait=true&waitIndex=1')).toMatchObject({
      status: 400,
      body: '{"errorCode":401,"message":"The event in requested index is outdated and cleared","cause":"the requested history has been cleared [5/1]","index":1004}\n',
    })
    expect((await ask(store, 'GET', '/k?wait=true&waitIndex=5')).body).toContain('"modifiedIndex":5')
  })

  test('keys expire with the clock of the double', async () => {
    let now = 0
    const store = memoryEtcd({ version: '3.5.30', v2: true, clock: { now: () => new Date(now), after: () => () => undefined } })
    await ask(store, 'PUT', '/k?ttl=10', 'value=x')
    now = 9_999
    expect((await ask(store, 'GET', '/k')).status).toBe(200)
    now = 10_000
    expect((await ask(store, 'GET', '/k')).status).toBe(404)
  })
})
