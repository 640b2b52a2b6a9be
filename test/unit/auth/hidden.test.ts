/** What etcd v2 lists nowhere: names that begin with "_", and what a role that does not exist hides behind it. */
import { describe, expect, test } from 'vitest'
import { parseState, planAuth, policyOfState, showStep, type StepEvent } from '../../../src/auth/index.js'
import { pattern, readwrite } from '../../../src/keys/index.js'
import { definePolicy } from '../../../src/policy/index.js'
import { double, rejected, type Double } from './doubles.js'

const url = 'https://127.0.0.1:2379'
const root = { root: ['root'] } as const
const alone = definePolicy({ users: { root: 'certificate' }, v2: { guest: [], roles: {}, bindings: root } })
const report = { unmanaged: 'report', enable: true } as const

/** Something that a stranger wrote while auth was off, or another administrator since. */
async function planted({ etcd }: Double, kind: 'users' | 'roles', name: string, body: object): Promise<void> {
  const { status } = await etcd.as('root').fetch(`${url}/v2/auth/${kind}/${name}`, { method: 'PUT', redirect: 'manual', body: JSON.stringify({ [kind.slice(0, -1)]: name, ...body }) })
  expect([200, 201]).toContain(status)
}
const user = (made: Double, name: string, ...roles: readonly string[]): Promise<void> => planted(made, 'users', name, { password: 'planted', roles })

describe('a role whose name begins with "_"', () => {
  async function opened(): Promise<Double> {
    const made = double('v2', '3.4.23')
    await planted(made, 'roles', '_all', { permissions: { kv: { read: ['/*'], write: ['/*'] } } })
    await user(made, 'app', '_all')
    return made
  }

  test('is read by that name where somebody holds it, and judged like any other', async () => {
    const { auth } = await opened()
    expect((await auth().state()).roles['_all']).toEqual([readwrite(pattern('/*'))])
    const plan = await auth().plan(alone, report)
    expect(plan.unmanaged).toEqual({ users: ['app'], roles: ['_all'] })
    const taken = await auth().plan(definePolicy({ users: { root: 'certificate', app: 'certificate' }, v2: { guest: [], roles: {}, bindings: root } }), report)
    expect(taken.steps.map(showStep)).toContain('unbind user app from role _all')
    expect(taken.rights).toContainEqual({ user: 'app', opens: [], closes: ['read /*', 'write /*', 'recursive read /*', 'recursive write /*'] })
    expect(policyOfState(await auth().state(), { logins: 'certificate' }).findings.map(({ code, name }) => [code, name])).toEqual([['guest-missing', 'guest'], ['role-renamed', '_all']])
  })

  test('goes with whom the policy does not name, where they are to be removed', async () => {
    const { auth, etcd } = await opened()
    await auth().apply(await auth().plan(alone, { ...report, unmanaged: 'remove' }))
    expect((await auth().plan(alone, { ...report, unmanaged: 'remove' })).steps).toEqual([])
    expect((await etcd.as('root').fetch(`${url}/v2/auth/roles/_all`, { method: 'GET', redirect: 'manual' })).status).toBe(404)
  })
})

test('a role that no URL can name is held without stopping anything', async () => {
  const made = double('v2')
  await user(made, 'app', 'a/b')
  expect((await made.auth().state()).users['app']).toEqual(['a/b'])
})

describe('a user whose name begins with "_", with a role that does not exist', () => {
  const named = { ...report, hiddenUsers: ['_back'] } as const
  async function backdoored(...roles: readonly string[]): Promise<Double> {
    const made = double('v2', '3.4.23')
    await user(made, '_back', ...roles)
    return made
  }

  test.each([[['ghost', 'root']], [['ghost1', 'ghost2']], [['ghost']]])('may hold anything beside it, %j: auth is not turned on over it, and it is never called in sync', async (roles) => {
    const { auth, writes } = await backdoored(...roles)
    const before = writes().length
    const plan = await auth().plan(alone, named)
    expect([plan.outcome, plan.unreadable.users, plan.strangersWithRoot]).toEqual(['blocked', ['_back'], ['_back']])
    expect(plan.blockers.join()).toMatch(/user _back holds role ghost1?, which does not exist.*may hold role root.*revokeRole/)
    await rejected('ERR_PLAN_BLOCKED', auth().apply(plan))
    expect(writes()).toHaveLength(before)
    const exported = parseState(JSON.parse(JSON.stringify(await auth().state({ hiddenUsers: ['_back'] }))))
    expect(planAuth(exported, alone, named, { user: 'root' }, new Date('2026-01-01T00:00:00Z')).outcome).toBe('blocked')
    expect(policyOfState(exported, { logins: 'certificate' }).findings[0]).toMatchObject({ code: 'unreadable', name: '_back', text: expect.stringContaining('may hold role root') as string })

    await auth().apply(await auth().plan(alone, report))
    const drift = await auth().drift(alone, { hiddenUsers: ['_back'] })
    expect([drift.outcome, drift.strangersWithRoot]).toEqual(['drift', ['_back']])
    expect(drift.warnings.join()).toContain('user _back holds role')
  })

  test('is laid open by unbinding it, role after role', async () => {
    const { auth } = await backdoored('ghost1', 'ghost2', 'root')
    await auth().revokeRole('_back', 'ghost1')
    expect((await auth().plan(alone, named)).blockers.join()).toContain('user _back holds role ghost2')
    await auth().revokeRole('_back', 'ghost2')
    const plan = await auth().plan(alone, named)
    expect([plan.unreadable.users, plan.strangersWithRoot]).toEqual([[], ['_back']])
    expect(plan.blockers.join()).toContain('user _back, whom the policy does not name, holds role root')
  })

  test('is told of where auth stays off', async () => {
    const { auth } = await backdoored('ghost', 'root')
    const plan = await auth().plan(alone, { ...named, enable: false })
    expect([plan.blockers, plan.strangersWithRoot]).toEqual([[], ['_back']])
    expect(plan.warnings.join()).toContain('may hold role root')
  })

  test('keeps nobody from turning auth on who removes it first', async () => {
    const { auth, etcd } = await backdoored('ghost', 'root')
    const { state } = await auth().apply(await auth().plan(alone, { ...named, unmanaged: 'remove' }))
    expect([state.enabled, state.users['_back']]).toEqual([true, undefined])
    expect((await etcd.as('_back').fetch(`${url}/v2/auth/users`, { method: 'GET', redirect: 'manual' })).status).toBe(401)
  })
})

describe('a role that is about to be made, and hides behind one that does not exist', () => {
  const withNode = definePolicy({ users: { root: 'certificate', n: 'certificate' }, v2: { guest: [], roles: { node: [readwrite(pattern('/secret/*'))] }, bindings: { ...root, n: ['node'] } } })
  const letsIn = async ({ etcd }: Double, name: string): Promise<boolean> => (await etcd.as(name).fetch(`${url}/v2/keys/secret/a`, { method: 'GET', redirect: 'manual' })).status !== 401

  test.each([
    ['zed', 'keep', ['ghost', 'node']],
    ['zed', 'report', ['ghost1', 'ghost2', 'node', 'z']],
    ['zed', 'remove', ['ghost', 'node']],
    ['_zed', 'report', ['ghost', 'node']],
  ] as const)('opens nothing to %s, with unmanaged %s, who holds %j', async (name, unmanaged, roles) => {
    const made = double('v2', '3.4.23')
    const { auth } = made
    await auth().apply(await auth().plan(alone, report))
    await user(made, name, ...roles)
    const plan = await auth().plan(withNode, { unmanaged, enable: true, hiddenUsers: [name] })
    expect(plan.warnings.join()).toContain(`${name} (role ${roles[0]})`)
    const seen: boolean[] = []
    const events: StepEvent[] = []
    const { state } = await auth().apply(plan, { onStep: async (event) => void (events.push(event), seen.push(await letsIn(made, name))) })
    expect(seen).not.toContain(true)
    expect(await letsIn(made, 'n')).toBe(true)
    expect(state.users[name]).toEqual(unmanaged === 'remove' ? undefined : [])
    expect(events.map(({ number }) => number)).toEqual(events.map((_, index) => index + 1))
    expect(events.at(-1)?.total).toBe(events.length)
    expect((await auth().plan(withNode, { unmanaged, enable: true, hiddenUsers: [name] })).steps).toEqual([])
  })

  test('is bound again where the policy binds it', async () => {
    const made = double('v2')
    await user(made, 'n', 'node', 'ghost')
    const { state } = await made.auth().apply(await made.auth().plan(withNode, report))
    expect(state.users['n']).toEqual(['node'])
  })

  test('is left to who holds it where no role is made: nothing comes alive', async () => {
    const made = double('v2')
    await made.auth().apply(await made.auth().plan(withNode, { ...report, enable: false }))
    await user(made, 'zed', 'ghost')
    expect((await made.auth().plan(withNode, report)).steps.map(showStep)).toEqual(['enable auth'])
  })

  test('and what else comes to light of a hidden user, stops what was planned without it', async () => {
    const made = double('v2')
    await made.auth().apply(await made.auth().plan(withNode, { ...report, enable: false }))
    await user(made, '_app', 'ghost', 'node')
    const more = definePolicy({ ...withNode, v2: { guest: [], roles: { ...withNode.v2?.roles, more: [readwrite(pattern('/more/*'))] }, bindings: { ...root, n: ['node', 'more'] } } } as never)
    const options = { ...report, enable: false, hiddenUsers: ['_app'] }
    await rejected('ERR_PLAN_STALE', made.auth().apply(await made.auth().plan(more, options)))
    const { state } = await made.auth().apply(await made.auth().plan(more, options))
    expect(state.users['_app']).toEqual([])
  })

  test('is made by nobody as long as the name in front of it cannot be taken away', async () => {
    const made = double('v2')
    await user(made, 'zed', 'ghost', 'node')
    const plan = await made.auth().plan(withNode, report)
    let taken = 0
    made.etcd.faults.beforeCall(({ method }) => method === 'GET /v2/auth/enable' && made.writes().some(({ request }) => 'revoke' in (request as object)) && taken++ === 0, () => planted(made, 'users', 'zed', { grant: ['ghost'] }))
    const error = await rejected('ERR_READ_BACK', made.auth().apply(plan))
    expect(error.detail.differences).toContain('unbind user zed from role ghost')
    expect(Object.keys((await made.auth().state()).roles)).toEqual([])
  })
})

describe('a hidden user with a role that does not exist, beside one that is to be given more', () => {
  const grown = definePolicy({ users: { root: 'certificate' }, v2: { guest: [], roles: { app: [readwrite(pattern('/secret/*'))] }, bindings: root } })
  test.each(['keep', 'report', 'remove'] as const)('is laid open before anything is granted, with unmanaged %s', async (unmanaged) => {
    const made = double('v2', '3.4.23')
    const { auth, etcd } = made
    await auth().apply(await auth().plan(alone, report))
    await planted(made, 'roles', 'app', { permissions: { kv: { read: [], write: [] } } })
    await user(made, '_h', 'gone', 'app')
    const options = { unmanaged, enable: true, hiddenUsers: ['_h'] } as const
    const seen: number[] = []
    const look = async (): Promise<void> => void seen.push((await etcd.as('_h').fetch(`${url}/v2/keys/secret/x`, { method: 'GET', redirect: 'manual' })).status)
    // What comes to light was not counted on: the plan stops, and the next one knows it.
    for (let left = 3; left > 0; left--) await auth().apply(await auth().plan(grown, options), { onStep: look }).catch((error: unknown) => expect(error).toMatchObject({ code: 'ERR_PLAN_STALE' }))
    await look()
    expect(new Set(seen)).toEqual(new Set([401]))
    expect((await auth().plan(grown, options)).outcome).toBe('in sync')
  })
})

test('a hidden role that nobody holds any more is no drift', async () => {
  const made = double('v2', '3.4.23')
  const { auth } = made
  await planted(made, 'roles', '_x', { permissions: { kv: { read: ['/x'], write: [] } } })
  await user(made, 'app', '_x')
  const plan = await auth().plan(definePolicy({ users: { root: 'certificate', app: 'certificate' }, v2: { guest: [], roles: {}, bindings: root } }), report)
  await auth().apply(plan)
  expect((await auth().drift(plan)).outcome).toBe('in sync')
})

test('the mark of who is ours is not unbound as a role that does not exist: the plan is blocked until it does', async () => {
  const made = double('v2', '3.4.23')
  const { auth } = made
  for (const name of ['old', 'app']) await user(made, name, 'ours')
  const policy = definePolicy({ users: { root: 'certificate', app: 'certificate' }, v2: { guest: [], roles: { ours: [] }, bindings: { ...root, app: ['ours'] } } })
  const options = { unmanaged: 'remove', ours: { markerRole: 'ours' }, enable: true } as const
  expect((await auth().plan(policy, options)).blockers.join()).toContain('role ours, by which you tell who is yours, does not exist on the server')
  await auth().addRole('ours')
  await auth().apply(await auth().plan(policy, options))
  expect(Object.keys((await auth().state()).users)).toEqual(['app', 'root'])
})

test.each(['', '.', '..'])('a user who holds a role called %j, over which etcd breaks off, is told of and can be deleted', async (role) => {
  const made = double('v2', '3.4.23')
  await user(made, 'odd', role)
  const { auth } = made
  const state = await auth().state()
  expect(Object.hasOwn(state.users, 'odd') ? state.users['odd'] : state.unreadable?.users).toEqual(Object.hasOwn(state.users, 'odd') ? [role] : ['odd'])
  if (!Object.hasOwn(state.users, 'odd')) expect((await auth().plan(alone, report)).blockers.join()).toContain('odd')
  expect((await auth().deleteUser('odd')).outcome).toBe('deleted')
  expect((await auth().plan(alone, report)).blockers).toEqual([])
})

test('a hidden one of the kind is told of where it is looked for', async () => {
  const made = double('v2', '3.4.23')
  await user(made, '_odd', '')
  expect((await made.auth().state({ hiddenUsers: ['_odd'] })).unreadable?.users).toEqual(['_odd'])
})

test.each([1, 2])('a question about a user that is cut off %i times behind a write that was does not pass for an answer', async (times) => {
  const made = double('v2', '3.4.23')
  await planted(made, 'roles', 'r', { permissions: { kv: { read: ['/x'], write: [] } } })
  await user(made, 'app', 'r')
  let cuts = 0
  const fetch: typeof made.etcd.fetch = (to, init) => {
    const isCut = init.method === 'PUT' && to.endsWith('/users/app') ? (cuts = times) > 0 : init.method === 'GET' && to.endsWith('/users/app') && cuts-- > 0
    return isCut ? Promise.reject(new Error('socket hang up (ECONNRESET)')) : made.etcd.fetch(to, init)
  }
  const { code } = await rejected('ERR_UNREACHABLE', made.auth({}, { ...made.etcd.as('root'), fetch }).revokeRole('app', 'r'))
  expect(code).toBe('ERR_UNREACHABLE')
  expect((await made.auth().state()).users['app']).toEqual(['r'])
})

test('a pattern with a star that is none is told of as a right that is lost', async () => {
  const made = double('v2', '3.4.23')
  await planted(made, 'roles', 'r', { permissions: { kv: { read: ['/c*d'], write: [] } } })
  const { findings } = policyOfState(await made.auth().state(), { logins: 'certificate' })
  expect(findings.filter(({ name }) => name === 'r')).toMatchObject([{ code: 'pattern-left-out', text: expect.stringContaining('the right to that one key is lost') as string }])
})
