/** The v3 auth store over HTTP: what is sent, and that nothing missing reads as off or none. */
import { describe, expect, test } from 'vitest'
import { EtcdAuth, gatewayTransport, v3Backend, type FetchLike, type V3Transport } from '../../../src/auth/index.js'
import { manualClock } from '../../../src/testing/index.js'
import { settled } from '../../support/double.js'
import { definePolicy } from '../../../src/policy/index.js'
import { rejected } from './doubles.js'

const endpoint = 'https://etcd.invalid:2379/'
const header = { cluster_id: '1', revision: '1' }
const answer = (status: number, body: unknown): ReturnType<FetchLike> => Promise.resolve({ status, headers: { get: () => null }, text: () => Promise.resolve(typeof body === 'string' ? body : JSON.stringify(body)) })
const authOver = (fetch: FetchLike, login?: { user: string; password: string }, version = '3.5.35') => new EtcdAuth(v3Backend(gatewayTransport({ fetch, endpoint, ...(login && { login }) }), { versions: [version] }), { identity: { user: 'root' } })

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
    expect((await authOver(fetch, undefined, '3.4.23').state()).enabled).toBe(false)
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

describe('once the time of a call is over', () => {
  const wanting = [401, { code: 16, message: 'etcdserver: user name is empty' }] as const
  /** A way over HTTP on a clock that is moved by hand, and a server whose answers to a path can be held back. */
  function slow(path: string) {
    const clock = manualClock(new Date('2026-01-01T00:00:00Z'))
    const asked: string[] = []
    const signals: { readonly aborted: boolean }[] = []
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const fetch: FetchLike = async (url, { headers, signal }) => {
      const at = url.replace('https://etcd.invalid:2379/v3/auth/', '')
      asked.push(at)
      signals.push(signal as { readonly aborted: boolean })
      if (at === path) await held
      if (at === 'authenticate') return answer(200, { header, token: 'x' })
      if (at === 'user/delete' && headers?.['authorization'] === undefined) return answer(...wanting)
      return answer(200, { header })
    }
    const auth = new EtcdAuth(v3Backend(gatewayTransport({ fetch, endpoint, clock, login: { user: 'root', password: 'secret' } }), { versions: ['3.5.35'] }), { identity: { user: 'root' }, clock, deadlineMilliseconds: 500 })
    const pass = async (milliseconds: number): Promise<void> => {
      await settled()
      clock.advance(milliseconds)
      await settled()
    }
    return { auth, asked, signals, release, pass }
  }

  test('no write goes out any more, though the log-in for it succeeds later', async () => {
    const { auth, asked, release, pass } = slow('authenticate')
    const deleting = auth.deleteUser('app')
    deleting.catch(() => undefined)
    await pass(500)
    release()
    await settled()
    await rejected('ERR_DEADLINE', deleting)
    expect(asked).toEqual(['user/get', 'user/delete', 'authenticate', 'user/get'])
  })

  test('its fetch is aborted, and not before', async () => {
    const { auth, asked, signals, pass } = slow('status')
    const state = auth.state()
    state.catch(() => undefined)
    await pass(499)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    await pass(1)
    await rejected('ERR_DEADLINE', state)
    expect([asked, signals.map(({ aborted }) => aborted)]).toEqual([['status'], [true]])
  })

  test('what was answered in time is not aborted afterwards: some platforms would close its connection', async () => {
    const { auth, signals, pass } = slow('none')
    await auth.state()
    await pass(1000)
    expect(signals.length).toBeGreaterThan(1)
    expect(signals.some(({ aborted }) => aborted)).toBe(false)
  })

  test('a log-in that never settles keeps no later call from logging in', async () => {
    const { auth, asked, pass } = slow('authenticate')
    for (let turn = 0; turn < 2; turn++) {
      const deleting = auth.deleteUser('app')
      deleting.catch(() => undefined)
      await pass(500)
      await rejected('ERR_DEADLINE', deleting)
    }
    expect(asked.filter((path) => path === 'authenticate')).toHaveLength(2)
  })

  test('nothing at all is sent', async () => {
    const asked: string[] = []
    const transport = gatewayTransport({ fetch: (url) => (asked.push(url), answer(200, { header })), endpoint })
    await expect(transport.call('authEnable', {}, { deadline: new Date(0) })).rejects.toThrow(/^4 DEADLINE_EXCEEDED: /)
    expect(asked).toEqual([])
  })
})

describe('a connection that fails', () => {
  const refused = (address: string): Error => Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED' })
  const failing = (cause: unknown): FetchLike => () => Promise.reject(new TypeError('fetch failed', { cause }))

  test.each([
    ['one address', refused('10.0.0.10:2379'), 'ERR_UNREACHABLE', /got no answer: connect ECONNREFUSED 10\.0\.0\.10:2379/],
    ['several addresses', Object.assign(new AggregateError([refused('::1:2379'), refused('127.0.0.1:2379')]), { code: 'ECONNREFUSED' }), 'ERR_UNREACHABLE', /connect ECONNREFUSED ::1:2379/],
    ['a broken connection', Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }), 'ERR_UNREACHABLE', /other side closed \(UND_ERR_SOCKET\)/],
    ['a stranger', Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), 'ERR_TLS', /TLS handshake: self-signed certificate/],
    ['no cause', undefined, 'ERR_UNREACHABLE', /fetch failed/],
  ] as const)('is told by what it was: %s', async (_, cause, code, words) => {
    const { message } = await rejected(code, authOver(failing(cause)).state())
    expect(message).toMatch(words)
    expect(message).not.toContain('etcd3Options')
  })

  test('while the answer is read is one too, and a fetch that throws at once', async () => {
    const torn: FetchLike = () => Promise.resolve({ status: 200, headers: { get: () => null }, text: () => Promise.reject(new TypeError('terminated', { cause: new Error('read ECONNRESET') })) })
    expect((await rejected('ERR_UNREACHABLE', authOver(torn).state())).message).toContain('read ECONNRESET')
    const throwing: FetchLike = () => {
      throw refused('10.0.0.10:2379')
    }
    await rejected('ERR_UNREACHABLE', authOver(throwing).state())
  })

  test('lets another member be asked', async () => {
    const other: V3Transport = { call: (method) => Promise.resolve((method === 'authStatus' ? { enabled: false } : { users: [], roles: [] }) as never) }
    const auth = new EtcdAuth(v3Backend([gatewayTransport({ fetch: failing(refused('10.0.0.10:2379')), endpoint }), other], { versions: ['3.5.35'] }), { identity: { user: 'root' } })
    expect((await auth.state()).enabled).toBe(false)
  })
})

describe('the password of whoever logs in', () => {
  /** Root's password, and a token that every change of it voids, as etcd's simple tokens are. */
  function lockedServer(answerToChange: readonly [number, unknown] = [200, { header }]) {
    let [password, valid, logins] = ['old', '', 0]
    const guarded = (found: object, change?: (body: Record<string, unknown>) => void) => (body: Record<string, unknown>, token: string | undefined): readonly [number, unknown] => {
      if (token === undefined || token !== valid) return [401, { code: 16, message: token === undefined ? 'etcdserver: user name is empty' : 'etcdserver: invalid auth token' }]
      change?.(body)
      return change === undefined ? [200, { header, ...found }] : answerToChange
    }
    return server({
      authenticate: (body) => (body['name'] === 'root' && body['password'] === password ? [200, { header, token: (valid = `token-${String(++logins)}`) }] : [400, { code: 3, message: 'etcdserver: authentication failed, invalid user ID or password' }]),
      status: guarded({ enabled: true }),
      'user/list': guarded({ users: ['root'] }),
      'user/get': guarded({ roles: ['root'] }),
      'role/list': guarded({}),
      'user/changepw': guarded({}, (body) => {
        if (answerToChange[0] === 200 && body['name'] === 'root') [password, valid] = [String(body['password']), '']
      }),
    })
  }

  test('may be changed through it: it logs in by the new one from then on', async () => {
    const { fetch, asked } = lockedServer()
    const auth = authOver(fetch, { user: 'root', password: 'old' })
    expect((await auth.setPassword('root', 'new')).outcome).toBe('changed')
    expect((await auth.state()).enabled).toBe(true)
    expect(asked.filter(({ path }) => path === 'authenticate').map(({ body }) => body['password'])).toEqual(['old', 'new'])
  })

  test.each([
    ["that of somebody else, when it was changed", 'app', undefined],
    ['the new one, when etcd has refused the change', 'root', [400, { code: 9, message: 'etcdserver: user name not found' }]],
  ] as const)('is not %s', async (_, user, refusal) => {
    const { fetch, asked } = lockedServer(refusal)
    const transport = gatewayTransport({ fetch, endpoint, login: { user: 'root', password: 'old' } })
    const options = { deadline: new Date(Date.now() + 60_000) }
    await transport.call('userChangePassword', { name: user, password: 'new' }, options).catch(() => undefined)
    expect(asked.at(-1)?.path).toBe('user/changepw')
    // Its token has run out: whoever asks now logs in again.
    const again = gatewayTransport({ fetch, endpoint, login: { user: 'root', password: 'old' } })
    await again.call('authStatus', {}, options)
    await transport.call('authStatus', {}, options)
    expect(asked.filter(({ path }) => path === 'authenticate').map(({ body }) => body['password'])).toEqual(['old', 'old', 'old'])
  })
})

describe('what a gateway is not made of is a TypeError at once', () => {
  const fetch: FetchLike = () => Promise.reject(new Error('not asked'))
  const login = { user: 'root', password: 'secret' }
  test.each([
    ['nothing', undefined, 'must be a table'],
    ['null', null, 'must be a table'],
    ['no fetch', { endpoint }, 'a function fetch'],
    ['no endpoint', { fetch }, 'an endpoint'],
    ['an endpoint without a scheme', { fetch, endpoint: '10.0.0.10:2379' }, 'an endpoint'],
    ['several endpoints', { fetch, endpoint: [endpoint] }, 'an endpoint'],
    ['a misspelt field', { fetch, endpoint, logon: login }, '"logon"'],
    ['a login that is none', { fetch, endpoint, login: 'root:secret' }, 'login must be a table'],
    ['a login without password', { fetch, endpoint, login: { user: 'root' } }, 'login wants a password'],
    ['a login without user', { fetch, endpoint, login: { user: '', password: 'secret' } }, 'login wants a user'],
    ['a login of other fields', { fetch, endpoint, login: { ...login, name: 'root' } }, '"name"'],
  ])('%s', (_, options, words) => {
    expect(() => gatewayTransport(options as never)).toThrow(TypeError)
    expect(() => gatewayTransport(options as never)).toThrow(words)
  })

  test.each(['http://10.0.0.10:2379', 'http://localhost.example:2379', 'http://127.0.0.1.example', 'http://127.0.0.1@10.0.0.10', 'http://127.0.0.1:80@10.0.0.10', 'http://[::2]:2379', 'HTTP://etcd:2379'])('a login over %s, where everybody would read it', (open) => {
    expect(() => gatewayTransport({ fetch, endpoint: open, login })).toThrow(/must begin with https:\/\/.*in clear/)
    expect(() => gatewayTransport({ fetch, endpoint: open })).not.toThrow()
  })

  test.each(['https://10.0.0.10:2379', 'http://127.0.0.1:2379', 'http://127.8.0.1/', 'http://[::1]:2379', 'http://localhost', 'HTTPS://etcd'])('but not a login over %s', (safe) => {
    expect(() => gatewayTransport({ fetch, endpoint: safe, login })).not.toThrow()
  })
})

describe('whoever can only log in by password', () => {
  const policyBy = (login: 'certificate' | 'password') => definePolicy({ users: { root: login }, v3: { roles: {}, bindings: { root: ['root'] } } })
  const empty = () => server({ status: () => [200, { header }], 'user/list': () => [200, { header }], 'role/list': () => [200, { header }] })
  const options = { unmanaged: 'report', enable: true } as const

  test('is not locked out by a plan that makes its user one without a password', async () => {
    const { fetch } = empty()
    const auth = authOver(fetch, { user: 'root', password: 'secret' })
    expect((await auth.plan(policyBy('certificate'), options)).blockers.join()).toContain('user root, by whose password you log in, would be one without')
    expect((await auth.plan(policyBy('password'), options)).blockers).toEqual([])
    expect((await auth.plan(policyBy('certificate'), { ...options, enable: false })).blockers.join()).toContain('would be one without')
  })

  test('does not turn auth on without a login', async () => {
    const { fetch } = empty()
    expect((await authOver(fetch).plan(policyBy('password'), options)).blockers.join()).toContain('pass login to gatewayTransport')
    await rejected('ERR_WRITE_REFUSED', authOver(fetch).enable())
  })

  test('does not drop its own password', async () => {
    const { fetch, asked } = empty()
    expect((await rejected('ERR_WRITE_REFUSED', authOver(fetch, { user: 'root', password: 'secret' }).dropPassword('root'))).message).toContain('by which you are connected')
    expect(asked).toEqual([])
  })
})
