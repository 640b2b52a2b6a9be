/** What the versions of members decide: which servers are refused, and when a user may be made without a password. */
import { describe, expect, test } from 'vitest'
import { EtcdAuth, parseState, v2Backend, v3Backend, type FetchLike, type V3BackendOptions } from '../../../src/auth/index.js'
import { definePolicy } from '../../../src/policy/index.js'
import { memoryEtcd } from '../../../src/testing/index.js'
import { double, locked, passwords, policy, rejected, secret } from './doubles.js'

const unasked = { status: () => Promise.reject(new Error('not asked')) }

/** A double of a version behind a backend that knows of versions only what it is given; `true` asks the double itself. */
function known(version: string, given: Omit<V3BackendOptions, 'maintenance'> & { readonly maintenance?: boolean }) {
  const { etcd, clock } = double('v3', version)
  const { maintenance, ...options } = given
  const auth = new EtcdAuth(v3Backend(etcd.auth, { ...options, ...(maintenance === true ? { maintenance: etcd.maintenance } : {}) }), { identity: { user: 'root' }, clock })
  /** How the users of the policy who log in by certificate were made. */
  const made = () => etcd.calls.flatMap(({ method, request }) => (method === 'userAdd' && (request as { name: string }).name !== 'auditor' ? [request as { options?: object }] : []))
  return { auth, etcd, made }
}

describe('a user without a password is made', () => {
  test.each([
    ['every member is said to be 3.4', '3.4.23', { versions: ['3.4.23', '3.4.23', '3.5.30'] }],
    ['the member that answers is 3.5: none beside it is older than 3.4', '3.5.16', { maintenance: true }],
    ['the member that answers knows AuthStatus, as 3.5 and newer do', '3.5.16', {}],
  ] as const)('where %s', async (_, version, given) => {
    const { auth, made } = known(version, { ...given, crypto })
    await auth.apply(await auth.plan(policy, locked), { passwords })
    expect(made()).toHaveLength(3)
    for (const request of made()) expect(request.options).toEqual({ no_password: true })
  })

  test.each([
    ['one member is said to be 3.3', '3.4.23', { versions: ['3.4.23', '3.3.25'] }],
    ['the member that answers is 3.4: one beside it may be 3.3', '3.4.23', { maintenance: true }],
    ['the member that answers is 3.4, and the list of versions is empty', '3.4.23', { maintenance: true, versions: [] }],
    ['the member that answers is 3.3', '3.3.25', { maintenance: true }],
    ['nothing is known', '3.4.23', {}],
  ] as const)('not where %s: a random password, or a plan that is blocked', async (_, version, given) => {
    const { auth, made } = known(version, { ...given, crypto })
    await auth.apply(await auth.plan(policy, locked), { passwords })
    expect(made()).toHaveLength(3)
    for (const request of made()) expect(request.options).toBeUndefined()

    const without = known(version, given)
    const plan = await without.auth.plan(policy, locked)
    expect(plan.blockers.join()).toMatch(/crypto.*versions.*all members/)
    await rejected('ERR_PLAN_BLOCKED', without.auth.apply(plan, { passwords }))
    const backend = v3Backend(without.etcd.auth, 'versions' in given ? { versions: given.versions } : {})
    const context = { clock: without.etcd.clock, deadlineMilliseconds: 1000, user: 'root', signal: undefined }
    await rejected('ERR_VERSION_UNKNOWN', backend.perform({ do: 'addUser', user: 'node', login: 'certificate', reason: '' }, { password: undefined, version: plan.version }, context))
    expect(without.made()).toEqual([])
  })
})

describe('a version that nothing is known of is refused, typed', () => {
  const { etcd, clock } = double('v3')
  const stateOf = (options: V3BackendOptions) => new EtcdAuth(v3Backend(etcd.auth, options), { identity: { user: 'root' }, clock }).state()

  test.each([[['4.0.0']], [['3.8.0']], [['3.2.9', '3.5.30']], [['3.5.30', '3.10.1']], [['newest']], [['']]])('of members given as %j', async (versions) => {
    expect((await rejected('ERR_VERSION_UNSUPPORTED', stateOf({ versions }))).message).toContain('wanted etcd 3.3 to 3.7 on every member')
  })

  test.each(['4.0.0', '3.8.0', '3.2.32', '33.5.0'])('of a member that answers %s', async (version) => {
    await rejected('ERR_VERSION_UNSUPPORTED', stateOf({ versions: ['3.5.30'], maintenance: { status: () => Promise.resolve({ version }) } }))
  })

  test.each([
    ['3.5.30', '4.0.0'],
    ['2.3.8', '2.3.0'],
    ['4.0.1', '4.0.0'],
  ])('of a v2 server %s in a cluster of %s', async (etcdserver, etcdcluster) => {
    const fetch: FetchLike = (url) => Promise.resolve({ status: 200, headers: { get: () => null }, text: () => Promise.resolve(JSON.stringify(url.endsWith('/version') ? { etcdserver, etcdcluster } : { enabled: false })) })
    await rejected('ERR_VERSION_UNSUPPORTED', new EtcdAuth(v2Backend({ fetch, endpoint: 'https://127.0.0.1:2379', crypto }), { identity: { user: 'root' } }).state())
  })

  test.each(['3.5.30', 'v3.6.0-rc.1', '3.5', '3.3.25+dfsg'])('but not %s, as servers and people write it', async (version) => {
    expect((await stateOf({ versions: [version] })).version).toBe(version)
  })

  test('what is no text is a TypeError', async () => {
    await expect(stateOf({ versions: [3.5 as unknown as string] })).rejects.toBeInstanceOf(TypeError)
    await expect(stateOf({ maintenance: unasked })).rejects.toMatchObject({ code: 'ERR_UNREACHABLE' })
  })
})

describe('a password that an old member would keep in clear in its log', () => {
  const unacknowledged = { unmanaged: 'report', enable: true } as const

  test.each(['3.3.25', '3.4.23'])('blocks the plan, and a single write, on etcd %s, until that is acknowledged', async (version) => {
    const { auth, writes } = double('v3', version)
    const plan = await auth().plan(policy, unacknowledged)
    expect(plan.blockers.join()).toMatch(/keeps new passwords in clear in its log.*let auditor log in by certificate, or acknowledge it/)
    await rejected('ERR_PLAN_BLOCKED', auth().apply(plan, { passwords }))
    await rejected('ERR_WRITE_REFUSED', auth().addUser('auditor', { login: 'password', password: secret }))
    expect(writes()).toEqual([])
    expect((await auth().addUser('auditor', { login: 'password', password: secret, acknowledgePasswordsInLog: true })).outcome).toBe('created')
    await rejected('ERR_WRITE_REFUSED', auth().setPassword('auditor', secret))
    expect((await auth().setPassword('auditor', secret, { acknowledgePasswordsInLog: true })).outcome).toBe('changed')
  })

  test('blocks nothing where it is hashed before it is logged: from 3.5 on, and on v2', async () => {
    expect((await double('v3', '3.5.16').auth().plan(policy, unacknowledged)).blockers).toEqual([])
    expect((await double('v2', '3.3.25').auth().plan(policy, unacknowledged)).blockers).toEqual([])
    expect((await double('v3', '3.5.16').auth().addUser('auditor', { login: 'password', password: secret })).outcome).toBe('created')
  })

  test('is no matter where only certificates log in', async () => {
    const only = definePolicy({ users: { root: 'certificate' }, v3: { roles: {}, bindings: { root: ['root'] } } })
    expect((await double('v3', '3.4.23').auth().plan(only, unacknowledged)).blockers).toEqual([])
  })
})

describe('what some members answer proves no more of the others than the minor release before', () => {
  const unacknowledged = { unmanaged: 'report', enable: true } as const
  const only = definePolicy({ users: { root: 'certificate' }, v3: { roles: {}, bindings: { root: ['root'] } } })
  const dead = { status: () => Promise.reject(new Error('14 UNAVAILABLE: no connection')) }
  /** Blockers and warnings of each gate, with only one of two members asked, none, or all of them stated. */
  const judged = async (version: string, asked: 'one' | 'none' | 'all') => {
    const etcd = memoryEtcd({ version })
    const told: V3BackendOptions = { one: { maintenance: [etcd.maintenance, dead] }, none: {}, all: { versions: [version, version] } }[asked]
    const facade = (more: V3BackendOptions = {}) => new EtcdAuth(v3Backend(etcd.auth, { ...told, ...more }), { identity: { user: 'root' } })
    const withPassword = await facade({ crypto }).plan(policy, unacknowledged)
    const without = await facade().plan(only, unacknowledged)
    return {
      log: withPassword.blockers.some((one) => one.includes('keeps new passwords in clear') && one.includes('let auditor log in by certificate')),
      drawn: withPassword.blockers.some((one) => one.includes('keeps new passwords in clear') && one.includes('the random ones too')),
      empty: without.blockers.some((one) => one.includes('gives certificate users an empty password')),
      v2: without.blockers.some((one) => one.includes('serves the v2 API by itself')) ? 'blocked' : without.warnings.some((one) => one.includes('--enable-v2')) ? 'warned' : 'nothing',
    }
  }

  // Each gate opens one minor release later where not all are known: 3.4 for no_password and v2, 3.5 for the log, 3.6 for a server without v2.
  test.each([
    ['3.3.25', 'all', { log: true, drawn: true, empty: true, v2: 'blocked' }],
    ['3.4.23', 'all', { log: true, drawn: false, empty: false, v2: 'warned' }],
    ['3.5.35', 'all', { log: false, drawn: false, empty: false, v2: 'warned' }],
    ['3.6.16', 'all', { log: false, drawn: false, empty: false, v2: 'nothing' }],
    ['3.3.25', 'one', { log: true, drawn: true, empty: true, v2: 'blocked' }],
    ['3.4.23', 'one', { log: true, drawn: true, empty: true, v2: 'blocked' }],
    ['3.5.35', 'one', { log: true, drawn: false, empty: false, v2: 'warned' }],
    ['3.6.16', 'one', { log: false, drawn: false, empty: false, v2: 'warned' }],
    ['3.7.3', 'one', { log: false, drawn: false, empty: false, v2: 'nothing' }],
    ['3.4.23', 'none', { log: true, drawn: true, empty: true, v2: 'blocked' }],
    ['3.5.35', 'none', { log: true, drawn: false, empty: false, v2: 'warned' }],
    ['3.6.16', 'none', { log: true, drawn: false, empty: false, v2: 'warned' }],
  ] as const)('etcd %s, %s asked: %j', async (version, asked, wanted) => {
    expect(await judged(version, asked)).toEqual(wanted)
  })

  test('also for a single write, and for a state that was exported', async () => {
    const etcd = memoryEtcd({ version: '3.5.35' })
    const auth = new EtcdAuth(v3Backend(etcd.auth, { maintenance: [etcd.maintenance, dead] }), { identity: { user: 'root' } })
    expect((await rejected('ERR_WRITE_REFUSED', auth.addUser('auditor', { login: 'password', password: secret }))).message).toContain('a member beside that which answered, etcd 3.5.35')
    const state = await auth.state()
    expect(state.versionOf).toBe('some')
    expect(parseState(JSON.parse(JSON.stringify(state)))).toEqual(state)
  })
})

describe('versions that a member contradicts are refused, with both', () => {
  const facade = (version: string, options: V3BackendOptions) => {
    const etcd = memoryEtcd({ version, ...(version < '3.6' ? { v2: false } : {}) })
    return { etcd, auth: new EtcdAuth(v3Backend(etcd.auth, { ...options, ...(options.maintenance === undefined ? {} : { maintenance: etcd.maintenance }) }), { identity: { user: 'root' } }) }
  }

  test.each(['3.3.25', '3.4.23'])('since etcd %s knows no AuthStatus, as 3.5 does: no user is made with an empty password, by a plan or by a single write', async (version) => {
    const { auth, etcd } = facade(version, { versions: ['3.5.35', '3.6.16'] })
    const { detail, message } = await rejected('ERR_VERSION_CONTRADICTED', auth.plan(policy, locked))
    expect(detail).toEqual({ stated: ['3.5.35', '3.6.16'], found: 'an etcd older than 3.5' })
    expect(message).toMatch(/older than 3\.5.*3\.5\.35, 3\.6\.16/)
    await rejected('ERR_VERSION_CONTRADICTED', auth.addUser('app', { login: 'certificate' }))
    await rejected('ERR_VERSION_CONTRADICTED', auth.addUser('app', { login: 'certificate', acknowledgePasswordsInLog: true }))
    expect(etcd.calls.some(({ method }) => method === 'userAdd')).toBe(false)
  })

  test('since a member says so itself, where nothing else would tell', async () => {
    const { auth } = facade('3.3.25', { versions: ['3.4.23'], maintenance: unasked })
    expect((await rejected('ERR_VERSION_CONTRADICTED', auth.state())).detail).toEqual({ stated: ['3.4.23'], found: 'etcd 3.3.25' })
  })

  test.each([
    ['3.5.35', { versions: ['3.4.23'] }],
    ['3.5.16', { versions: ['3.5.35'], maintenance: unasked }],
    ['3.4.23', { versions: ['3.5.35', '3.4.23'] }],
    ['3.3.25', { versions: ['3.3.25'], maintenance: unasked }],
  ])('but not where etcd %s is newer than %j say, or as old as one of them: the lowest counts', async (version, options) => {
    expect((await facade(version, options).auth.state()).version).toBe([version, ...options.versions].sort()[0])
  })

  test('and believed without being asked more than once', async () => {
    const { auth, etcd } = facade('3.5.35', { versions: ['3.5.35'] })
    await auth.state()
    await auth.addUser('app', { login: 'certificate' })
    expect(etcd.calls.filter(({ method }) => method === 'authStatus')).toHaveLength(1)
  })
})
