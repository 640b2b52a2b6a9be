/** What an auth store must do behind either backend, on servers and on the double alike. */
import { describe, expect, test } from 'vitest'
import {
  allKeys,
  anonymous,
  can,
  definePolicy,
  del,
  fromKey,
  get,
  path,
  pattern,
  prefix,
  put,
  range,
  read,
  readwrite,
  watch,
  write,
  type KeyOperation,
  type Policy,
} from '../../src/policy/index.js'
import { EtcdAuth, type Api, type PlanOptions } from '../../src/auth/index.js'
import type { As, World } from './world.js'

const users = { root: 'certificate', alice: 'certificate', bob: 'certificate', 'calico-node': 'certificate', nobody: 'certificate', auditor: 'password' } as const

export const policy: Policy = definePolicy({
  users,
  members: ['etcd-0', 'etcd-1', 'etcd-2', 'etcd-peer'],
  authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers', 'etcd-ca'],
  v3: {
    roles: {
      alice: [readwrite(prefix('/alice/'))],
      writer: [write(prefix('/drop/'))],
      node: [readwrite(prefix('/calico/felix/v1/')), read(range('/calico/a', '/calico/b')), read(range('/calico/b', '/calico/c')), read(prefix('/calico/bgp/'))],
      audit: [read(prefix('/calico/'))],
    },
    bindings: { root: ['root'], alice: ['alice'], bob: ['writer', 'audit'], 'calico-node': ['node'], auditor: ['audit'] },
  },
  v2: {
    guest: [],
    roles: {
      alice: [readwrite(pattern('/alice/*'))],
      writer: [write(pattern('/drop*'))],
      node: [readwrite(pattern('/calico/felix/v1/*')), read(pattern('/calico'))],
      audit: [read(pattern('/calico/*'))],
    },
    bindings: { root: ['root'], alice: ['alice'], bob: ['writer', 'audit'], 'calico-node': ['node'], auditor: ['audit'] },
  },
})

/** The same names with other rights: types changed in place and beside a twin, roles moved, a user fewer. */
const changed: Policy = definePolicy({
  users: { root: 'certificate', alice: 'certificate', bob: 'certificate', 'calico-node': 'certificate', auditor: 'password' },
  v3: {
    roles: { alice: [read(prefix('/alice/'))], writer: [readwrite(prefix('/drop/'))], node: [read(prefix('/calico/felix/v1/')), readwrite(range('/calico/felix/v1/', '/calico/felix/v2'))] },
    bindings: { root: ['root'], alice: ['alice', 'writer'], bob: ['alice'], 'calico-node': ['node'] },
  },
  v2: {
    guest: [read(pattern('/public/*'))],
    roles: { alice: [read(pattern('/alice/*'))], writer: [readwrite(pattern('/drop*'))], node: [write(pattern('/calico/felix/v1/*'))] },
    bindings: { root: ['root'], alice: ['alice', 'writer'], bob: ['alice'], 'calico-node': ['node'] },
  },
})

const everyone: readonly As[] = ['root', 'alice', 'bob', 'calico-node', 'nobody', anonymous]

export const operations: Readonly<Record<Api, readonly KeyOperation[]>> = {
  v3: [
    get('/alice/x'),
    put('/alice/x'),
    get('/alice'),
    put('/alicefoo'),
    get(prefix('/alice/')),
    get(range('/alice/', '/alice1')),
    put('/drop/x'),
    get('/drop/x'),
    put('/calico/felix/v1/x'),
    get('/calico/felix/v1/x'),
    get('/calico/felix/v1'),
    get('/calico/felix/v10'),
    put('/calico/felix/v10'),
    get(range('/calico/a1', '/calico/b9')),
    get(range('/calico/a1', '/calico/d')),
    get(prefix('/calico/')),
    get('/registry/pods/x'),
    put('/registry/x'),
    get(prefix('/registry/')),
    get(allKeys()),
    get(fromKey('/alice/')),
    del('/alice/none'),
    del(prefix('/alice/none/')),
    del(prefix('/registry/none/')),
    watch('/alice/x'),
    watch(prefix('/alice/')),
    watch(prefix('/registry/')),
  ],
  v2: [
    get(path('/alice/x')),
    get(path('/alice/')),
    get(path('/alice')),
    get(path('/alicefoo')),
    put(path('/alice/x')),
    get(path('/alice/', { recursive: true })),
    put(path('/drop/x')),
    get(path('/drop/x')),
    put(path('/dropfoo')),
    get(path('/calico')),
    get(path('/calico/')),
    get(path('/calico', { recursive: true })),
    get(path('/calico/', { recursive: true })),
    put(path('/calico/felix/v1/x')),
    put(path('/calico/felix/v10')),
    get(path('/registry/x')),
    put(path('/registry/x')),
    get(path('/')),
    get(path('')),
    del(path('/alice/none')),
    del(path('/registry/none', { recursive: true })),
    watch(path('/alice/x')),
    watch(path('/registry/x')),
  ],
}

const show = (user: As): string => (typeof user === 'symbol' ? 'an unknown client' : user)
/** Some of the servers are older than 3.5. */
const inLog = { acknowledgePasswordsInLog: true }
const acknowledged = { ...inLog, acknowledgeOpenV2: true }
const locked: PlanOptions = { unmanaged: 'report', enable: true, ...acknowledged }
const passwords = { auditor: 'a password for the auditor' }

/** The answers of a world beside those of `can`, as two tables that should be equal. */
export async function answers(world: World, api: Api, wanted: Policy, asked: readonly As[] = everyone): Promise<{ found: Record<string, boolean>; said: Record<string, boolean> }> {
  const found: Record<string, boolean> = {}
  const said: Record<string, boolean> = {}
  for (const user of asked) {
    for (const [index, operation] of operations[api].entries()) {
      const row = `${show(user)} ${index}: ${operation.op} ${JSON.stringify(operation.keys)}`
      found[row] = await world.attempt(user, operation)
      said[row] = can(wanted, user, operation)
    }
  }
  return { found, said }
}

/** The tests go on from one another: one store, from empty to locked to changed. */
export function contract(title: string, world: () => World, apis: readonly Api[]): void {
  describe.each(apis)(`${title}, %s`, (api) => {
    const authAs = (user: As): EtcdAuth => new EtcdAuth(world().backend(api, user), { identity: { user: typeof user === 'symbol' ? 'root' : user } })

    test('a new store has no users and is open', async () => {
      const state = await authAs('root').state()
      expect(state).toMatchObject({ api, enabled: false, version: world().version })
      expect(Object.keys(state.users)).toEqual([])
      expect(Object.keys(state.roles).filter((role) => role !== 'root')).toEqual([])
      expect(await world().attempt(anonymous, operations[api][0] ?? get('/'))).toBe(true)
    })

    test('a blocked plan writes nothing', async () => {
      const auth = new EtcdAuth(world().backend(api, 'root'), { identity: { user: 'alice' } })
      const plan = await auth.plan(policy, locked)
      expect(plan.blockers).not.toEqual([])
      await expect(auth.apply(plan, { passwords })).rejects.toMatchObject({ code: 'ERR_PLAN_BLOCKED' })
      expect(Object.keys((await auth.state()).users)).toEqual([])
    })

    test('applying a policy makes the store hold it, with auth on', async () => {
      const auth = authAs('root')
      const plan = await auth.plan(policy, locked)
      const applied = await auth.apply(plan, { passwords })
      expect(applied.steps.length).toBe(plan.steps.length)
      expect(applied.state.enabled).toBe(true)
      expect(applied.state.users['bob']).toEqual(expect.arrayContaining(['audit', 'writer']))
      if (api === 'v2') expect(applied.state.roles['guest']).toEqual([])
    })

    test('applying it again changes nothing', async () => {
      const auth = authAs('root')
      const plan = await auth.plan(policy, locked)
      expect(plan.steps).toEqual([])
      expect((await auth.apply(plan, { passwords })).steps).toEqual([])
    })

    test('every client may do what the policy says, and nothing else', async () => {
      const { found, said } = await answers(world(), api, policy)
      expect(found).toEqual(said)
      expect(Object.values(said)).toContain(true)
      expect(Object.values(said)).toContain(false)
    })

    test('a user without role root can neither read nor change users and roles', async () => {
      await expect(authAs('alice').state()).rejects.toMatchObject({ code: 'ERR_NOT_ROOT' })
      await expect(authAs(anonymous).state()).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_NOT_(ROOT|AUTHENTICATED)$/) as string })
    })

    test('rights that nobody planned are drift, and go', async () => {
      const backend = world().backend(api, 'root')
      const auth = authAs('root')
      const stray = api === 'v3' ? read(prefix('/stray/')) : read(pattern('/stray/*'))
      const context = { clock: { now: () => new Date(), after: () => () => undefined }, deadlineMilliseconds: 10_000, user: 'root', signal: undefined }
      const options = { password: undefined, version: world().version }
      await backend.perform({ do: 'grantPermission', role: 'alice', permission: stray, replaces: undefined, reason: '' }, options, context)
      await backend.perform({ do: 'bindRole', user: 'nobody', role: 'audit', reason: '' }, options, context)
      await backend.perform({ do: 'addUser', user: 'stranger-1', login: 'password', reason: '' }, { ...options, password: 'a password' }, context)
      await backend.perform({ do: 'bindRole', user: 'stranger-1', role: 'audit', reason: '' }, options, context)
      const plan = await auth.plan(policy, { unmanaged: 'keep', enable: true })
      expect(plan.steps).toMatchObject([
        { do: 'revokePermission', role: 'alice' },
        { do: 'unbindRole', user: 'nobody', role: 'audit' },
        { do: 'unbindRole', user: 'stranger-1', role: 'audit' },
      ])
      expect(plan.warnings.join()).toContain('stranger-1 (role audit)')
      await auth.apply(plan)
      expect((await auth.plan(policy, locked)).steps).toEqual([])
    })

    test('a step that could hurt a server is refused before it is sent', async () => {
      const backend = world().backend(api, 'root')
      const context = { clock: { now: () => new Date(), after: () => () => undefined }, deadlineMilliseconds: 10_000, user: 'root', signal: undefined }
      const options = { password: undefined, version: world().version }
      const end = api === 'v3' ? ({ api: 'v3', kind: 'range', start: 'z', end: 'a' } as const) : ({ api: 'v2', pattern: '' } as const)
      await expect(backend.perform({ do: 'addRole', role: '', reason: '' }, options, context)).rejects.toMatchObject({ code: 'ERR_NAME_INVALID' })
      await expect(backend.perform({ do: 'grantPermission', role: 'alice', permission: { type: 'read', keys: end }, replaces: undefined, reason: '' }, options, context)).rejects.toMatchObject({
        code: api === 'v3' ? 'ERR_RANGE_EMPTY' : 'ERR_PATTERN_INVALID',
      })
      expect((await authAs('root').plan(policy, locked)).steps).toEqual([])
    })

    test('single writes do what is missing, say whether they did, and leave no drift when they are undone', async () => {
      const auth = authAs('root')
      const keys = api === 'v3' ? prefix('/single/') : pattern('/single/*')
      const outcomes = async (run: () => Promise<{ readonly outcome: string }>): Promise<string> => `${(await run()).outcome}, ${(await run()).outcome}`
      expect(await outcomes(() => auth.addRole('single'))).toBe('created, unchanged')
      expect(await outcomes(() => auth.grantPermission('single', { type: 'read', keys }))).toBe('changed, unchanged')
      expect(await outcomes(() => auth.grantPermission('single', { type: 'readwrite', keys }))).toBe('changed, unchanged')
      expect(await outcomes(() => auth.addUser('single', { login: 'password', password: 'a long password', ...inLog }))).toBe('created, unchanged')
      expect(await outcomes(() => auth.grantRole('single', 'single'))).toBe('changed, unchanged')
      expect((await auth.setPassword('single', 'another password', inLog)).outcome).toBe('changed')
      const { users, roles } = await auth.state()
      expect([users['single'], roles['single']]).toEqual([['single'], [{ type: 'readwrite', keys }]])
      expect(await outcomes(() => auth.revokePermission('single', keys))).toBe('changed, unchanged')
      expect(await outcomes(() => auth.revokeRole('single', 'single'))).toBe('changed, unchanged')
      expect(await outcomes(() => auth.deleteUser('single'))).toBe('deleted, unchanged')
      expect(await outcomes(() => auth.deleteRole('single'))).toBe('deleted, unchanged')
      expect((await auth.drift(policy)).steps).toEqual([])
    })

    test('single writes refuse what locks out, what is not there, and what must not be sent', async () => {
      const auth = authAs('root')
      await expect(auth.deleteUser('root')).rejects.toMatchObject({ code: 'ERR_WRITE_REFUSED' })
      await expect(auth.revokeRole('root', 'root')).rejects.toMatchObject({ code: 'ERR_WRITE_REFUSED' })
      await expect(auth.deleteRole('root')).rejects.toMatchObject({ code: 'ERR_WRITE_REFUSED' })
      await expect(auth.grantRole('nobody', 'nothing')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND', detail: { kind: 'role', name: 'nothing' } })
      await expect(auth.grantRole('not-there', 'audit')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND', detail: { kind: 'user', name: 'not-there' } })
      await expect(auth.setPassword('not-there', 'x')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' })
      await expect(auth.setPassword('auditor', '')).rejects.toMatchObject({ code: 'ERR_PASSWORD_INVALID' })
      await expect(auth.setPassword('auditor', 'x'.repeat(73))).rejects.toMatchObject({ code: 'ERR_PASSWORD_INVALID' })
      await expect(auth.addRole('')).rejects.toMatchObject({ code: 'ERR_NAME_INVALID' })
      await expect(authAs('alice').addRole('other')).rejects.toMatchObject({ code: 'ERR_NOT_ROOT' })
      expect((await auth.drift(policy)).steps).toEqual([])
    })

    test('turning auth off opens the store, and turning it on again asks who is root', async () => {
      const auth = authAs('root')
      const operation = operations[api].find(({ op, keys }) => op === 'get' && JSON.stringify(keys).includes('/registry/')) ?? get('/registry/x')
      expect([(await auth.disable()).outcome, (await auth.disable()).outcome]).toEqual(['changed', 'unchanged'])
      expect(await world().attempt('alice', operation)).toBe(true)
      expect((await auth.drift(policy)).steps.map((step) => step.do)).toEqual(['enable'])
      await auth.addUser('planted', { login: 'password', password: 'a long password', ...inLog })
      await auth.grantRole('planted', 'root')
      await expect(auth.enable({ acknowledgeOpenV2: true })).rejects.toMatchObject({ code: 'ERR_WRITE_REFUSED', message: expect.stringContaining('user planted holds role root') as string })
      expect(await world().attempt('alice', operation)).toBe(true)
      await auth.deleteUser('planted')
      expect(await auth.enable({ acknowledgeOpenV2: true })).toEqual({ outcome: 'changed', sever: 'everyone' })
      expect((await auth.enable()).outcome).toBe('unchanged')
      expect(await world().attempt('alice', operation)).toBe(false)
      expect((await auth.drift(policy)).steps).toEqual([])
    })

    test('a plan that takes role root from user root while auth is on is blocked: no etcd would do it', async () => {
      const headless: Policy = definePolicy({ users: { root: 'certificate', alice: 'certificate' }, v3: { roles: {}, bindings: { alice: ['root'] } }, v2: { guest: [], roles: {}, bindings: { alice: ['root'] } } })
      expect((await authAs('root').plan(headless, { unmanaged: 'keep', enable: true, ...acknowledged })).blockers.join()).toMatch(api === 'v3' ? /does not take role root from user root/ : /user root holds role root whatever is written/)
    })

    test('another policy takes the place of the first, and its rights hold at once', async () => {
      const auth = authAs('root')
      const plan = await auth.plan(changed, { unmanaged: 'remove', enable: true, ...acknowledged })
      expect(plan.steps.map((step) => step.do)).toContain('deleteUser')
      await auth.apply(plan)
      expect((await auth.plan(changed, { unmanaged: 'remove', enable: true, ...acknowledged })).steps).toEqual([])
      const { found, said } = await answers(world(), api, changed, ['root', 'alice', 'bob', 'calico-node', anonymous])
      expect(found).toEqual(said)
    })

    test('a changed type beside a twin with the same start key leaves no duplicate', async () => {
      const auth = authAs('root')
      const twin = api === 'v3' ? { v3: { roles: { node: [readwrite(prefix('/calico/felix/v1/')), read(range('/calico/felix/v1/', '/calico/felix/v2'))] }, bindings: { root: ['root'] as const, 'calico-node': ['node'] as const } } } : {}
      const wanted: Policy = definePolicy({
        users: { root: 'certificate', alice: 'certificate', bob: 'certificate', 'calico-node': 'certificate', auditor: 'password' },
        v2: { guest: [], roles: { node: [read(pattern('/calico/felix/v1/*'))] }, bindings: { root: ['root'], 'calico-node': ['node'] } },
        ...twin,
      })
      await auth.apply(await auth.plan(wanted, { unmanaged: 'remove', enable: true, ...acknowledged }))
      const { roles } = await auth.state()
      expect(roles['node']).toHaveLength(api === 'v3' ? 2 : 1)
      const { found, said } = await answers(world(), api, wanted, ['alice', 'calico-node', anonymous])
      expect(found).toEqual(said)
    })
  })
}
