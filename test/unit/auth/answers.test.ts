/** What servers, clients and proxies say to either backend, hostile or torn: how it reaches errors, and what reading survives. */
import { describe, expect, test } from 'vitest'
import { describe as describePlan, EtcdAuth, v2Backend, v3Backend, type FetchLike, type V3Transport } from '../../../src/auth/index.js'
import { key } from '../../../src/keys/index.js'
import type { MemoryEtcd } from '../../../src/testing/index.js'
import { double, locked, passwords, policy, rejected } from './doubles.js'

const identity = { user: 'root' }
const answer = (status: number, body: unknown) => ({ status, headers: { get: () => null }, text: () => Promise.resolve(typeof body === 'string' ? body : JSON.stringify(body)) })

/** A v2 server of a few answers, by the end of the URL; what it does not know is 500. */
const v2Of = (answers: Readonly<Record<string, unknown>>, endpoint = 'https://127.0.0.1:2379'): EtcdAuth => {
  const fetch: FetchLike = (url) => {
    const path = Object.keys(answers).find((end) => url.endsWith(end))
    const found = path === undefined ? answer(500, 'no') : answers[path]
    if (found instanceof Error) return Promise.reject(found)
    return Promise.resolve(found !== null && typeof found === 'object' && 'status' in found ? (found as ReturnType<typeof answer>) : answer(200, found))
  }
  return new EtcdAuth(v2Backend({ fetch, endpoint, crypto }), { identity })
}
const v3Of = (failure: Error): EtcdAuth => {
  const call = ((method: string) => (method === 'authStatus' ? Promise.resolve({ enabled: false }) : Promise.reject(failure))) as V3Transport['call']
  return new EtcdAuth(v3Backend({ call }), { identity })
}
const open = { '/v2/auth/enable': { enabled: false }, '/version': { etcdserver: '3.5.30', etcdcluster: '3.5.0' } }

const hostile = `\u001b[2Jevil\nline \u202e${'x'.repeat(100_000)}`
const isFit = (text: string): void => {
  expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  expect(text.length).toBeLessThan(1500)
}

describe('what a server says is shown on one line, without escapes, and cut', () => {
  test.each([
    ['an error of etcd', 'ERR_SERVER', `9 FAILED_PRECONDITION: etcdserver: ${hostile}`],
    ['no user', 'ERR_NOT_AUTHENTICATED', `3 INVALID_ARGUMENT: etcdserver: user name is empty ${hostile}`],
    ['a connection that failed', 'ERR_UNREACHABLE', `14 UNAVAILABLE: ${hostile}`],
    ['a handshake that failed', 'ERR_TLS', `14 UNAVAILABLE: certificate ${hostile}`],
    ['a failure of the client', 'ERR_UNREACHABLE', hostile],
  ] as const)('on v3, %s', async (_, code, text) => {
    const error = await rejected(code, v3Of(new Error(text)).state())
    isFit(error.message)
    isFit(JSON.stringify(error.detail))
    expect(error.message).toContain('\\u{1b}[2Jevil\\u{a}line')
    expect(error.cause).toBeInstanceOf(Error)
  })

  test.each([
    ['an error of etcd', 'ERR_SERVER', answer(400, { message: hostile })],
    ['plain text', 'ERR_SERVER', answer(400, hostile)],
    ['a connection that was cut', 'ERR_UNREACHABLE', new Error(`ECONNRESET ${hostile}`)],
    ['a connection that failed', 'ERR_UNREACHABLE', new Error(hostile)],
    ['a handshake that failed', 'ERR_TLS', new Error(`certificate ${hostile}`)],
  ] as const)('on v2, %s', async (_, code, found) => {
    const error = await rejected(code, v2Of({ ...open, '/v2/auth/users': found }).state())
    isFit(error.message)
    isFit(JSON.stringify(error.detail))
    expect(error.message).toContain('\\u{1b}[2Jevil\\u{a}line')
  })

  test('the password in an endpoint reaches no error', async () => {
    const endpoint = 'https://root:hunter2@127.0.0.1:2379'
    const errors = [
      await rejected('ERR_V2_DISABLED', v2Of({ enable: answer(404, '404 page not found') }, endpoint).state()),
      await rejected('ERR_UNREACHABLE', v2Of({ enable: new TypeError(`Request cannot be constructed from a URL that includes credentials: ${endpoint}/v2/auth/enable`) }, endpoint).state()),
    ]
    for (const { message, detail } of errors) expect(message + JSON.stringify(detail)).not.toContain('hunter2')
  })
})

test('a name with half of a surrogate pair, which no URL could ask for, is a typed error', async () => {
  for (const users of [[{ user: '\ud800' }], [{ user: 'a', roles: [{ role: '\ud800' }] }]]) {
    const error = await rejected('ERR_SERVER', v2Of({ ...open, '/v2/auth/users': { users } }).state())
    expect(error.message).toContain('\\u{d800}')
  }
})

test('an error names the RPC that failed, Status too', async () => {
  const { etcd, clock } = double('v3')
  const failing = (text: string) => new EtcdAuth(v3Backend(etcd.auth, { maintenance: { status: () => Promise.reject(new Error(text)) } }), { identity, clock })
  expect((await rejected('ERR_UNREACHABLE', failing('14 UNAVAILABLE: connect ECONNREFUSED').state())).message).toMatch(/^status got no answer/)
  expect((await rejected('ERR_NOT_ROOT', failing('7 PERMISSION_DENIED: etcdserver: permission denied').state())).message).toMatch(/^status denied/)
})

describe.each(['v3', 'v2'] as const)('on %s, a signal to stop', (api) => {
  test('is heard on an empty store too, before the first read', async () => {
    const { auth, etcd } = double(api)
    const signal = AbortSignal.abort(new Error('enough'))
    expect((await rejected('ERR_ABORTED', auth().plan(policy, { ...locked, signal }))).detail.stepsDone).toBe(0)
    await rejected('ERR_ABORTED', auth().state({ signal }))
    expect(etcd.calls).toEqual([])
  })

  test.each([1, 2])('that comes during read %i is heard before the next', async (at) => {
    const { auth, etcd } = double(api)
    await auth().apply(await auth().plan(policy, { unmanaged: 'keep', enable: false }), { passwords })
    const before = etcd.calls.length
    const controller = new AbortController()
    etcd.faults.beforeCall(at, () => controller.abort())
    await rejected('ERR_ABORTED', auth().state({ signal: controller.signal }))
    expect(etcd.calls.length - before).toBe(at)
  })
})

describe('roles that do not exist, on v2', () => {
  test('one with a name of 600 characters is read, and does not stop a plan', async () => {
    const { auth, etcd } = double('v2')
    await etcd.fetch('https://127.0.0.1:2379/v2/auth/users/eve', { method: 'PUT', redirect: 'manual', body: JSON.stringify({ user: 'eve', password: 'x', roles: ['g'.repeat(600)] }) })
    expect((await auth().state()).users['eve']).toEqual(['g'.repeat(600)])
    expect((await auth().plan(policy, locked)).blockers).toEqual([])
  })
})

describe('permissions of a type that etcd has no name for, on v3', () => {
  const grant = (etcd: MemoryEtcd, role: string, permType: number, key: string, end = '') => etcd.auth.roleGrantPermission({ name: role, perm: { permType, key: Buffer.from(key), range_end: Buffer.from(end) } })

  test('stop no plan where the policy does not name the role, and are read as what they are', async () => {
    const { auth, etcd } = double('v3')
    await etcd.auth.roleAdd({ name: 'other' })
    await grant(etcd, 'other', 7, '/k')
    expect((await auth().state()).roles['other']).toEqual([{ type: 'unknown', keys: key('/k') }])
    const { state } = await auth().apply(await auth().plan(policy, locked), { passwords })
    expect([state.enabled, state.roles['other']?.length]).toEqual([true, 1])
  })

  test.each([
    ['where the policy grants nothing', [[7, '/k', '']]],
    ['where it grants', [[7, '/calico/felix/v1/', '/calico/felix/v10']]],
    ['beside what it grants', [[7, '/calico/felix/v1/', ''], [2, '/calico/felix/v1/', '/calico/felix/v10']]],
    ['before another type of what it grants', [[7, '/calico/felix/v1/', '/calico/felix/v1z'], [0, '/calico/felix/v1/', '/calico/felix/v10']]],
  ] as const)('are revoked in a role of the policy, %s', async (_, permissions) => {
    const { auth, etcd } = double('v3', '3.5.30')
    await etcd.auth.roleAdd({ name: 'node' })
    for (const [type, start, end] of permissions) await grant(etcd, 'node', type, start, end)
    const plan = await auth().plan(policy, locked)
    expect(describePlan(plan)).toContain('revoke an unknown right to ')
    // Also where the answer to the revocation is lost, before or after its effect.
    etcd.faults.failAfter(({ method }) => method === 'roleRevokePermission')
    const { steps, state } = await auth().apply(plan, { passwords })
    expect(steps.find(({ step }) => step.do === 'revokePermission')?.outcome).toBe('found')
    expect(state.roles['node']).toHaveLength(2)
    expect((await auth().plan(policy, locked)).steps).toEqual([])
  })

  test('a revocation that did not happen is not taken for done', async () => {
    const { auth, etcd } = double('v3')
    await etcd.auth.roleAdd({ name: 'node' })
    await grant(etcd, 'node', 7, '/k')
    const plan = await auth().plan(policy, locked)
    etcd.faults.failBefore(({ method }) => method === 'roleRevokePermission')
    await rejected('ERR_UNREACHABLE', auth().apply(plan, { passwords }))
  })

  test('what has no type at all is no answer of etcd', async () => {
    const call = ((method: string) => Promise.resolve({ authStatus: { enabled: false }, userList: { users: [] }, roleList: { roles: ['r'] }, roleGet: { perm: [{ key: Buffer.from('/k'), range_end: Buffer.alloc(0) }] } }[method])) as V3Transport['call']
    const error = await rejected('ERR_SERVER', new EtcdAuth(v3Backend({ call }), { identity }).state())
    expect(error.message).toContain('a permission without type in role r')
  })
})
