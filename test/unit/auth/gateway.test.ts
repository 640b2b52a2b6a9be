/** The v3 auth store over HTTP: what is sent, and that nothing missing reads as off or none. */
import { describe, expect, test } from 'vitest'
import { EtcdAuth, gatewayTransport, v3Backend, type FetchLike } from '../../../src/auth/index.js'
import { rejected } from './doubles.js'

const endpoint = 'https://etcd.invalid:2379/'
const header = { cluster_id: '1', revision: '1' }
const answer = (status: number, body: unknown): ReturnType<FetchLike> => Promise.resolve({ status, headers: { get: () => null }, text: () => Promise.resolve(typeof body === 'string' ? body : JSON.stringify(body)) })
const authOver = (fetch: FetchLike, login?: { user: string; password: string }) => new EtcdAuth(v3Backend(gatewayTransport({ fetch, endpoint, ...(login && { login }) }), { versions: ['3.5.35'] }), { identity: { user: 'root' } })

/** Answers by path, and keeps what was asked. */
function server(answers: Readonly<Record<string, (body: Record<string, unknown>, token: string | undefined) => readonly [number, unknown]>>) {
  const asked: { path: string; body: Record<string, unknown>; token: string | undefined }[] = []
  const fetch: FetchLike = (url, { method, redirect, headers, body }) => {
    expect([method, redirect]).toEqual(['POST', 'manual'])
    const path = url.replace('https://etcd.invalid:2379/v3/auth/', '')
    const parsed = JSON.parse(body ?? '') as Record<string, unknown>
    asked.push({ path, body: parsed, token: headers?.['authorization'] })
    const [status, found] = answers[path]?.(parsed, headers?.['authorization']) ?? [404, 'Not Found']
    return answer(status, found)
  }
  return { fetch, asked }
}

describe('over the gateway', () => {
  test('what etcd leaves away is read as nothing, and bytes and types come back', async () => {
    const { fetch } = server({
      status: () => [200, { header }],
      'user/list': () => [200, { header, users: ['a'] }],
      'user/get': () => [200, { header }],
      'role/list': () => [200, { header, roles: ['r'] }],
      'role/get': () => [200, { header, perm: [{ key: 'L2Ev', range_end: 'L2Ew' }, { permType: 'WRITE', key: '/w==' }] }],
    })
    const state = await authOver(fetch).state()
    expect(state).toMatchObject({ enabled: false, users: { a: [] } })
    expect(state.roles['r']).toEqual([
      { type: 'read', keys: { api: 'v3', kind: 'prefix', prefix: '/a/' } },
      { type: 'write', keys: { api: 'v3', kind: 'key', key: { base64: '/w==' } } },
    ])
  })

  test.each([
    ['an empty object', {}],
    ['no JSON', '<html>'],
    ['a list', []],
    ['a header that is none', { header: 'x' }],
  ])('%s is no answer: auth is not taken for off', async (_, body) => {
    await expect(authOver(() => answer(200, body)).state()).rejects.toMatchObject({ code: 'ERR_SERVER' })
  })

  test('etcd that knows no AuthStatus is asked otherwise, as over gRPC', async () => {
    const { fetch, asked } = server({
      authenticate: () => [400, { error: 'etcdserver: authentication is not enabled', code: 9, message: 'etcdserver: authentication is not enabled' }],
      'user/list': () => [200, { header }],
      'role/list': () => [200, { header }],
    })
    expect((await authOver(fetch).state()).enabled).toBe(false)
    expect(asked.slice(0, 2).map(({ path }) => path)).toEqual(['status', 'authenticate'])
  })

  test('the caller logs in once for all calls that are refused for want of a token, and again when it has run out', async () => {
    let [logins, valid] = [0, '']
    const guarded = (found: object) => (_: unknown, token: string | undefined): readonly [number, unknown] => (token !== undefined && token === valid ? [200, { header, ...found }] : [401, { code: 16, message: token === undefined ? 'etcdserver: user name is empty' : 'etcdserver: invalid auth token' }])
    const { fetch, asked } = server({
      authenticate: ({ name, password }) => (name === 'root' && password === 'secret' ? [200, { header, token: (valid = `token-${String(++logins)}`) }] : [400, { code: 3, message: 'etcdserver: authentication failed, invalid user ID or password' }]),
      status: guarded({ enabled: true }),
      'user/list': guarded({ users: Array.from({ length: 20 }, (__, at) => `u${String(at)}`) }),
      'user/get': guarded({}),
      'role/list': guarded({}),
    })
    const auth = authOver(fetch, { user: 'root', password: 'secret' })
    await auth.state()
    expect(logins).toBe(1)
    valid = 'another'
    await auth.state()
    expect(logins).toBe(2)
    expect(asked.filter(({ path }) => path !== 'authenticate').every(({ body }) => !JSON.stringify(body).includes('secret'))).toBe(true)
  })

  test('a token that is never valid is tried twice, not for ever', async () => {
    const { fetch, asked } = server({
      authenticate: () => [200, { header, token: 'x' }],
      status: () => [401, { code: 16, message: 'etcdserver: invalid auth token' }],
    })
    await rejected('ERR_NOT_AUTHENTICATED', authOver(fetch, { user: 'root', password: 'secret' }).state())
    expect(asked.map(({ path }) => path)).toEqual(['status', 'authenticate', 'status'])
  })

  test('a wrong password is said to be one, and stands in no message', async () => {
    const { fetch } = server({
      authenticate: () => [400, { code: 3, message: 'etcdserver: authentication failed, invalid user ID or password' }],
      status: () => [401, { code: 3, message: 'etcdserver: user name is empty' }],
    })
    expect((await rejected('ERR_NOT_AUTHENTICATED', authOver(fetch, { user: 'root', password: 'hunter2' }).state())).message).not.toContain('hunter2')
  })

  test('a certificate with a Common Name is refused in words that say what to do', async () => {
    const said = 'CommonName of client sending a request against gateway will be ignored and not used as expected'
    const error = await rejected('ERR_NOT_AUTHENTICATED', authOver(() => answer(400, { error: said, code: 3, message: said })).state())
    expect(error.message).toMatch(/takes no certificate with a Common Name.*log in by password/)
  })

  test.each([
    [503, 'no healthy upstream', 'ERR_UNREACHABLE'],
    [302, '', 'ERR_SERVER'],
  ] as const)('HTTP %i is what it is', async (status, body, code) => {
    await rejected(code, authOver(() => answer(status, body)).state())
  })

  test('writes carry keys in base64 and types by name', async () => {
    const { fetch, asked } = server({ 'role/get': () => [200, { header }], 'role/grant': () => [200, { header }], status: () => [200, { header }] })
    const { readwrite, prefix } = await import('../../../src/keys/index.js')
    await authOver(fetch).grantPermission('r', readwrite(prefix('/a/')))
    expect(asked.at(-1)).toEqual({ path: 'role/grant', body: { name: 'r', perm: { permType: 'READWRITE', key: 'L2Ev', range_end: 'L2Ew' } }, token: undefined })
  })
})
