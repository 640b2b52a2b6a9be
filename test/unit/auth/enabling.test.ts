/** What keeps auth from being turned on: who would lack what it needs, and the other door of the same server. */
import { describe, expect, test } from 'vitest'
import { EtcdAuth, parseState, v3Backend, v2Backend, type FetchLike, type Needed } from '../../../src/auth/index.js'
import { key, pattern, prefix, read, readwrite } from '../../../src/keys/index.js'
import { definePolicy } from '../../../src/policy/index.js'
import { calicoV3, kubeApiserver } from '../../../src/presets/index.js'
import { requires } from '../../../src/review/index.js'
import { memoryEtcd, type MemoryEtcd } from '../../../src/testing/index.js'
import { double, locked, passwords, policy, rejected } from './doubles.js'

describe('a user who is said to need something', () => {
  const apiserver = kubeApiserver({ etcd: '3.5.30', compaction: 'etcd' })
  const roles = { registry: [readwrite(prefix('/registry/'))], part: [readwrite(prefix('/registry/pods/'))] }
  const policyWith = (role: 'registry' | 'part') => definePolicy({ users: { root: 'certificate', apiserver: 'certificate' }, v3: { roles, bindings: { root: ['root'], apiserver: [role] } } })
  const options = { unmanaged: 'report', enable: true } as const

  test('and would lack some of it blocks the plan, which names the permission and what to do', async () => {
    const { auth, writes } = double('v3')
    const plan = await auth().plan(policyWith('part'), { ...options, needs: { apiserver } })
    expect(plan.outcome).toBe('blocked')
    expect(plan.blockers.join()).toMatch(/user apiserver would lack some of .*\/registry\/.*grant it to a role of that user/)
    await rejected('ERR_PLAN_BLOCKED', auth().apply(plan))
    expect(writes()).toEqual([])
  })

  test('and would have it blocks nothing', async () => {
    const needed: Needed = { permissions: [readwrite(prefix('/registry/')), read(key('/registry/x'))] }
    expect((await double('v3').auth().plan(policyWith('registry'), { ...options, needs: { apiserver: needed } })).blockers).toEqual([])
  })

  test('for calls that etcd leaves to role root must hold it', async () => {
    const compacting = requires(kubeApiserver({ etcd: '3.5.30', compaction: 'apiserver' }), { etcd: '3.5.30' })
    const asked = async (held: 'registry' | 'root') =>
      (await double('v3').auth().plan(definePolicy({ users: { root: 'certificate', apiserver: 'certificate' }, v3: { roles, bindings: { root: ['root'], apiserver: [held] } } }), { ...options, needs: { apiserver: compacting } })).blockers.join()
    expect(await asked('registry')).toContain('calls that etcd leaves to role root')
    expect(await asked('root')).toBe('')
  })

  test('and is nobody blocks too', async () => {
    expect((await double('v3').auth().plan(policyWith('registry'), { ...options, needs: { apisever: apiserver } })).blockers.join()).toContain('there would be no user apisever')
  })

  test('on the other API is not asked about on this one', async () => {
    const [calico] = [calicoV3({ calico: '3.30', grants: 'source' })]
    expect((await double('v2').auth().plan(policy, { ...locked, needs: { node: Object.values(calico)[0] as Needed } })).blockers).toEqual([])
  })

  test('keeps auth from being turned on by a single write as well', async () => {
    const { auth } = double('v3')
    await auth().addUser('root', { login: 'certificate' })
    await auth().grantRole('root', 'root').catch(() => auth().addRole('root').then(() => auth().grantRole('root', 'root')))
    await auth().addUser('apiserver', { login: 'certificate' })
    expect((await rejected('ERR_WRITE_REFUSED', auth().enable({ needs: { apiserver } }))).message).toContain('user apiserver would lack')
    expect((await auth().state()).enabled).toBe(false)
    await auth().addRole('registry')
    for (const permission of apiserver.permissions) await auth().grantPermission('registry', permission)
    await auth().grantRole('apiserver', 'registry')
    expect((await auth().enable({ needs: { apiserver } })).outcome).toBe('changed')
  })

  test.each([[{ acknowledgeOpenV2: 'no' }], [{ acknowledgeRoot: 'mallory' }], [{ acknowledgeV2: true }]])('options of the wrong type, %j, turn nothing on', async (wrong) => {
    const { auth, writes } = double('v3')
    await expect(auth().enable(wrong as never)).rejects.toBeInstanceOf(TypeError)
    await expect(auth().setPassword('root', 'x', { acknowledgePasswordsInLog: 'no' as never })).rejects.toBeDefined()
    expect(writes()).toEqual([])
  })

  test.each([[[]], ['all'], [{ apiserver: {} }], [{ apiserver: null }], [{ apiserver: { permissions: [], operations: 'all' } }]])('of which %j says nothing is a TypeError', async (needs) => {
    await expect(double('v3').auth().plan(policy, { ...locked, needs: needs as never })).rejects.toBeInstanceOf(TypeError)
    await expect(double('v3').auth().enable({ needs: needs as never })).rejects.toBeInstanceOf(TypeError)
  })
})

test('of however many strangers, a message names a few, and its end how many more there are', async () => {
  const { auth, etcd } = double('v3')
  for (const name of ['root', ...Array.from({ length: 300 }, (_, at) => `planted-${String(at)}`)]) {
    await etcd.auth.userAdd({ name, password: 'x' })
    await etcd.auth.userGrantRole({ user: name, role: 'root' })
  }
  const messages = [(await rejected('ERR_WRITE_REFUSED', auth().enable())).message, (await rejected('ERR_PLAN_BLOCKED', auth().apply(await auth().plan(policy, locked), { passwords }))).message]
  for (const message of messages) {
    expect(message).toContain('and 280 more')
    expect(message.length).toBeLessThan(6_000)
  }
})

describe.each(['v3', 'v2'] as const)('on %s, user root, whom neither the policy nor the caller is,', (api) => {
  const half = { roles: {}, bindings: { admin: ['root'] } } as const
  const only = definePolicy({ users: { admin: 'certificate' }, v3: half, v2: { guest: [], ...half } })
  const prepared = async () => {
    const made = double(api)
    const auth = made.auth({ identity: { user: 'admin' } })
    await auth.addRole(api === 'v3' ? 'root' : 'guest')
    for (const user of ['root', 'admin']) {
      await auth.addUser(user, { login: 'certificate' })
      await auth.grantRole(user, 'root')
    }
    return auth
  }

  test.each(['keep', 'report', 'remove'] as const)('may have been made by anyone: a plan (%s) and a single write ask for it by name alike, and neither says to remove it', async (unmanaged) => {
    const auth = await prepared()
    const [blocker, ...others] = (await auth.plan(only, { ...locked, unmanaged })).blockers
    expect(others).toEqual([])
    expect(blocker).toMatch(/user root, whom the policy does not name, holds role root: declare it in the policy, or acknowledge it by name \(acknowledgeRoot\)/)
    const { message } = await rejected('ERR_WRITE_REFUSED', auth.enable())
    expect(message).toMatch(/user root holds role root: .*acknowledge it by name \(acknowledgeRoot\)/)
    expect(`${String(blocker)} ${message}`).not.toMatch(/remove it|delete it/)
  })

  test('is taken for known by both where it is acknowledged', async () => {
    const auth = await prepared()
    expect((await auth.enable({ acknowledgeRoot: ['root'] })).outcome).toBe('changed')
    const other = await prepared()
    const { state } = await other.apply(await other.plan(only, { ...locked, acknowledgeRoot: ['root'] }))
    expect(state.enabled).toBe(true)
  })
})

test('whoever turns auth on and is not root then is told so at once', async () => {
  const { auth, etcd } = double('v3')
  await auth().addUser('root', { login: 'certificate' })
  await auth().addRole('root')
  await auth().grantRole('root', 'root')
  // It says that it is root, and its certificate says otherwise.
  await rejected('ERR_LOCKED_OUT', auth({}, etcd.as('stranger')).enable())
  expect((await auth().disable()).outcome).toBe('changed')
})

describe('the v2 API of the same server', () => {
  const options = { unmanaged: 'report', enable: true, acknowledgePasswordsInLog: true } as const
  const looking = (etcd: MemoryEtcd, fetch: FetchLike = etcd.fetch) => new EtcdAuth(v3Backend(etcd.auth, { versions: [etcd.version], crypto, v2: { fetch, endpoints: ['https://127.0.0.1:2379'] } }), { identity: { user: 'root' } })
  const blind = (etcd: MemoryEtcd) => new EtcdAuth(v3Backend(etcd.auth, { versions: [etcd.version], crypto }), { identity: { user: 'root' } })

  test.each(['3.3.25', '3.4.23', '3.5.35'])('that is open keeps v3 of %s from being locked, until it is locked itself or acknowledged', async (version) => {
    const etcd = memoryEtcd({ version, v2: true })
    const auth = looking(etcd)
    expect((await auth.state()).v2).toBe('open')
    const plan = await auth.plan(policy, options)
    expect(plan.blockers.join()).toMatch(/v2 API of this server is open to everybody.*--enable-v2=false.*acknowledgeOpenV2/)
    await rejected('ERR_PLAN_BLOCKED', auth.apply(plan, { passwords }))
    expect((await rejected('ERR_WRITE_REFUSED', auth.enable())).message).toContain('the v2 API of this server is open')
    expect((await auth.plan(policy, { ...options, acknowledgeOpenV2: true })).blockers).toEqual([])

    const onV2 = new EtcdAuth(v2Backend({ fetch: etcd.fetch, endpoint: 'https://127.0.0.1:2379', crypto }), { identity: { user: 'root' } })
    await onV2.apply(await onV2.plan(policy, options), { passwords })
    expect((await auth.state()).v2).toBe('locked')
    await auth.apply(await auth.plan(policy, options), { passwords })
    expect((await auth.state()).enabled).toBe(true)
  })

  test.each([['3.5.35', false], ['3.6.16', undefined]] as const)('that %s does not serve is no matter', async (version, v2) => {
    const etcd = memoryEtcd({ version, ...(v2 === undefined ? {} : { v2 }) })
    expect((await looking(etcd).state()).v2).toBe('absent')
    expect((await looking(etcd).plan(policy, options)).blockers).toEqual([])
  })

  test('that is on, but has a guest who may write everything, is open', async () => {
    const etcd = memoryEtcd({ version: '3.5.35', v2: true })
    const put = (path: string, body?: object) => etcd.fetch(`https://127.0.0.1:2379/v2/auth/${path}`, { method: 'PUT', redirect: 'manual', ...(body && { body: JSON.stringify(body) }) })
    await put('users/root', { user: 'root', password: 'x' })
    // etcd makes the guest by itself.
    await put('enable')
    expect((await looking(etcd).state()).v2).toBe('open')
    expect((await looking(etcd, etcd.as('stranger').fetch).state()).v2).toBe('locked')
  })

  test('is not taken for absent where no etcd answers', async () => {
    const etcd = memoryEtcd({ version: '3.5.35' })
    const elsewhere = () => Promise.resolve({ status: 404, headers: { get: () => null }, text: () => Promise.resolve('404 page not found') })
    expect(await looking(etcd, elsewhere).state()).toMatchObject({ v2: 'unknown', v2Unasked: [expect.stringContaining('https://127.0.0.1:2379: no etcd at https://127.0.0.1:2379') as string] })
  })

  test('that is open at one member is open', async () => {
    const [on, off] = [memoryEtcd({ version: '3.5.35', v2: true }), memoryEtcd({ version: '3.5.35', v2: false })]
    const fetch: FetchLike = (url, init) => (url.startsWith('https://b') ? on : off).fetch(url, init)
    const auth = new EtcdAuth(v3Backend(off.auth, { v2: { fetch, endpoints: ['https://a:2379', 'https://b:2379'] } }), { identity: { user: 'root' } })
    expect((await auth.state()).v2).toBe('open')
  })

  test('that nobody looked at is a blocker on 3.3, which serves it by itself, a warning on 3.4 and 3.5, and nothing from 3.6 on', async () => {
    const found = await Promise.all(['3.3.25', '3.4.23', '3.5.35', '3.6.16', '3.7.3'].map(async (version) => blind(memoryEtcd({ version })).plan(policy, options)))
    expect(found.map(({ blockers }) => /serves the v2 API by itself/.test(blockers.join()))).toEqual([true, false, false, false, false])
    expect(found.map(({ warnings }) => /--enable-v2/.test(warnings.join()))).toEqual([false, true, true, false, false])
    expect((await blind(memoryEtcd({ version: '3.3.25' })).plan(policy, { ...options, acknowledgeOpenV2: true })).blockers).toEqual([])
  })

  test.each<[string, FetchLike]>([
    ['nobody answers', () => Promise.reject(new Error('connect ECONNREFUSED'))],
    ['something else answers', () => Promise.resolve({ status: 200, headers: { get: () => null }, text: () => Promise.resolve('{}') })],
  ])('that cannot be asked, since %s, is not taken for closed: the plan is blocked and names the endpoint, until that is acknowledged', async (_, fetch) => {
    const etcd = memoryEtcd({ version: '3.5.35', v2: false })
    const plan = await looking(etcd, fetch).plan(policy, options)
    expect(plan.blockers).toEqual([expect.stringMatching(/v2 API.*not known.*https:\/\/127\.0\.0\.1:2379: .*acknowledgeOpenV2/) as string])
    await rejected('ERR_PLAN_BLOCKED', looking(etcd, fetch).apply(plan, { passwords }))
    expect((await rejected('ERR_WRITE_REFUSED', looking(etcd, fetch).enable())).message).toContain('https://127.0.0.1:2379')
    await looking(etcd, fetch).apply(await looking(etcd, fetch).plan(policy, { ...options, acknowledgeOpenV2: true }), { passwords })
    expect((await looking(etcd).state()).enabled).toBe(true)
  })

  describe('of which one member has gone', () => {
    const url = (name: string): string => `https://${name}:2379`
    /** A server with two endpoints of v2, one of which can be stopped. */
    const two = (v2: boolean) => {
      const etcd = memoryEtcd({ version: '3.5.35', v2 })
      const gone = { b: false }
      const asked: string[] = []
      const fetch: FetchLike = (at, init) => (asked.push(at), gone.b && at.startsWith(url('b')) ? Promise.reject(new Error('connect ECONNREFUSED')) : etcd.fetch(at, init))
      return { etcd, gone, asked, auth: new EtcdAuth(v3Backend([etcd.auth, etcd.auth], { versions: ['3.5.35'], crypto, v2: { fetch, endpoints: [url('a'), url('b')] } }), { identity: { user: 'root' } }) }
    }

    test('is asked of all others, and open wins over what is not known', async () => {
      const { auth, gone } = two(true)
      gone.b = true
      expect(await auth.state()).toMatchObject({ v2: 'open', v2Unasked: [expect.stringContaining(url('b')) as string] })
    })

    test('is no matter once auth is on: not asked about, neither then nor in the apply that turned it on', async () => {
      const { auth, gone, asked } = two(false)
      const plan = await auth.plan(policy, options)
      await auth.apply(plan, { passwords, onStep: ({ step }) => void (gone.b = step.do === 'enable') })
      const before = asked.length
      expect((await auth.drift(policy)).outcome).toBe('in sync')
      expect((await auth.state()).v2).toBeUndefined()
      expect(asked).toHaveLength(before)
    })

    test('stops an apply before auth is on, where it goes after the plan was made', async () => {
      const { auth, gone } = two(false)
      const plan = await auth.plan(policy, options)
      const failure = await rejected('ERR_READ_BACK', auth.apply(plan, { passwords, onStep: () => void (gone.b = true) }))
      expect(failure.message).toContain(url('b'))
      expect((await auth.state()).enabled).toBe(false)
    })

    test('is not asked about where auth is to stay off', async () => {
      const { auth, asked } = two(false)
      expect((await auth.plan(policy, { ...options, enable: false })).blockers).toEqual([])
      expect(asked).toEqual([])
    })
  })

  test.each(['open', 'locked', 'absent', 'unknown'] as const)('is kept with an exported state: %s', async (v2) => {
    const state = { ...(await double('v3').auth().state()), v2, v2Unasked: [`https://b:2379: gone`] }
    expect(parseState(JSON.parse(JSON.stringify(state)))).toEqual(state)
  })

  test('with a guest who may write everything is not locked by turning auth on', async () => {
    const { auth } = double('v2')
    await auth().addUser('root', { login: 'certificate' })
    await auth().addRole('guest')
    await auth().grantPermission('guest', readwrite(pattern('/*')))
    expect((await rejected('ERR_WRITE_REFUSED', auth().enable())).message).toContain('role guest may write every key')
    await auth().revokePermission('guest', pattern('/*'))
    expect((await auth().enable()).outcome).toBe('changed')
  })

  test('is not asked about on v2 itself', async () => {
    expect((await double('v2', '3.3.25').auth().plan(policy, options)).blockers).toEqual([])
  })
})
