/** What operators do with a live etcd, on real servers: locks, changes of how users log in, looking for open doors. */
import { Etcd3 } from 'etcd3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EtcdAuth, etcd3Options, v3Backend } from '../../src/auth/index.js'
import { anonymous, definePolicy, key, path, pattern, prefix, put, read, readwrite, type Policy } from '../../src/policy/index.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'

const policyBy = (app: 'certificate' | 'password'): Policy =>
  definePolicy({
    users: { root: 'certificate', app },
    members: ['etcd-0'],
    authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
    v3: { roles: { app: [readwrite(prefix('/app/'))] }, bindings: { root: ['root'], app: ['app'] } },
    v2: { guest: [], roles: { app: [readwrite(pattern('/app/*'))] }, bindings: { root: ['root'], app: ['app'] } },
  } as never)
const policy = policyBy('certificate')
const options = { unmanaged: 'report', enable: true, acknowledgePasswordsInLog: true } as const
const [first, second] = ['the first password', 'the second password']

for (const lane of await testLanes()) {
  describe(`etcd ${lane.name}`, () => {
    let cluster: Cluster
    const opened: { close(): unknown }[] = []
    beforeAll(async () => {
      cluster = await startCluster({ lane, members: 1, policy })
    })
    afterAll(async () => {
      for (const each of opened) each.close()
      await cluster.stop()
    })

    /** Root on v3, with an eye on v2. */
    const looking = async (): Promise<EtcdAuth> => {
      const [{ auth }, fetch] = [await cluster.client('root'), await cluster.fetch('root')]
      return new EtcdAuth(v3Backend(auth, { versions: [lane.version], crypto: globalThis.crypto, v2: { fetch, endpoints: cluster.clientUrls } }), { identity: { user: 'root' } })
    }
    const authOf = (api: 'v3' | 'v2') => new EtcdAuth(cluster.backend(api, 'root'), { identity: { user: 'root' } })
    /** Whether that password lets user app write on v3; the certificate is that of nobody. */
    const byPassword = async (password: string): Promise<boolean> => {
      const material = etcd3Options({ hosts: cluster.clientUrls, ca: cluster.serverCa, ...(await cluster.credentials(anonymous)) })
      const client = new Etcd3({ ...material, auth: { username: 'app', password } })
      opened.push(client)
      try {
        await client.put('/app/x').value('by password')
        return true
      } catch (error) {
        expect(String(error)).toMatch(/authentication failed|permission denied/)
        return false
      }
    }

    if (lane.v2 === 'none')
      test('v3 is locked without a word on v2, which the server does not have', async () => {
        const auth = await looking()
        expect((await auth.state()).v2).toBe('absent')
        await auth.apply(await auth.plan(policy, options))
      })
    else
      test('v3 is not locked while v2 is open to everybody; it is when v2 is locked', async () => {
        const auth = await looking()
        const plan = await auth.plan(policy, options)
        expect(plan.blockers.join()).toContain('the v2 API of this server is open to everybody')
        await expect(auth.enable()).rejects.toMatchObject({ code: 'ERR_WRITE_REFUSED' })
        await authOf('v2').apply(await authOf('v2').plan(policy, options))
        expect((await auth.state()).v2).toBe('locked')
        await auth.apply(await auth.plan(policy, options))
        expect(await cluster.attempt(anonymous, put('/app/x'))).toBe(false)
        expect(await cluster.attempt(anonymous, put(path('/app/x')))).toBe(false)
      })

    test('a certificate user is made one who logs in by password, with a gap that the plan lists; its certificate goes on', async () => {
      const plan = await authOf('v3').plan(policyBy('password'), { ...options, recreate: ['app'] })
      expect(plan.gaps.map(({ user }) => user)).toEqual(['app'])
      await authOf('v3').apply(plan, { passwords: { app: first } })
      expect([await byPassword(first), await byPassword(second)]).toEqual([true, false])
      expect(await cluster.attempt('app', put('/app/x'))).toBe(true)
    })

    test('a password is rotated', async () => {
      await authOf('v3').setPassword('app', second, { acknowledgePasswordsInLog: true })
      expect([await byPassword(first), await byPassword(second)]).toEqual([false, true])
    })

    test('a user who drops its password writes by certificate all the while, and by password no more', async () => {
      const state = { isOver: false, written: 0 }
      const writing = (async () => {
        const { kv } = await cluster.client('app')
        while (!state.isOver) {
          await kv.put({ key: Buffer.from('/app/y'), value: Buffer.from('by certificate') }).catch((error: unknown) => {
            // What etcd says to all whom a change of users finds under way.
            if (!/revision of auth store is old|revision in header is old/.test(String(error))) throw error
          })
          state.written++
        }
      })()
      await authOf('v3').dropPassword('app', { acknowledgePasswordsInLog: true })
      state.isOver = true
      await writing
      expect(state.written).toBeGreaterThan(0)
      expect(await byPassword(second)).toBe(false)
      expect((await authOf('v3').plan(policy, options)).outcome).toBe('in sync')
    })

    test('of two appliers with one lock, the second writes nothing', async () => {
      const client = await cluster.client('root')
      const held = await client.lock('/etcd-rbac/lock').acquire()
      const plan = await authOf('v3').plan({ ...policy, users: { ...policy.users, more: 'certificate' } }, options)
      await expect(authOf('v3').apply(plan, { lock: client.lock('/etcd-rbac/lock') })).rejects.toMatchObject({ code: 'ERR_LOCK_HELD' })
      expect((await authOf('v3').state()).users).not.toHaveProperty('more')
      await held.release()
      await authOf('v3').apply(plan, { lock: client.lock('/etcd-rbac/lock') })
      expect((await authOf('v3').state()).users).toHaveProperty('more')
    })

    test('users whom the empty password lets in are found, and mended', async () => {
      const { auth } = await cluster.client('root')
      await auth.userAdd({ name: 'open', password: '' })
      const drift = await authOf('v3').drift(policy, { probeEmptyPasswords: true })
      expect([drift.outcome, drift.emptyPasswords]).toEqual(['drift', ['open']])
      await authOf('v3').dropPassword('open', { acknowledgePasswordsInLog: true })
      expect((await authOf('v3').drift(policy, { probeEmptyPasswords: true })).emptyPasswords).toEqual([])
    })

    test('a client whom etcd does not know is not told that a user is not there', async () => {
      const stranger = new EtcdAuth(cluster.backend('v3', anonymous), { identity: { user: 'root' } })
      await expect(stranger.deleteUser('app')).rejects.toMatchObject({ code: 'ERR_NOT_AUTHENTICATED' })
      await expect(stranger.grantRole('app', 'app')).rejects.toMatchObject({ code: 'ERR_NOT_AUTHENTICATED' })
      expect((await authOf('v3').state()).users).toHaveProperty('app')
    })

    for (const api of lane.v2 === 'none' ? (['v3'] as const) : (['v3', 'v2'] as const))
      test(`of single writes that are asked for at once, none is lost on ${api}`, async () => {
        const auth = authOf(api)
        const names = Array.from({ length: 12 }, (_, at) => `at-once-${String(at)}`)
        await Promise.all(names.map((name) => auth.addRole(name)))
        const bound = await Promise.all(names.map((name) => auth.grantRole('app', name)))
        const keys = (at: number) => (api === 'v3' ? prefix(`/at/${String(at)}/`) : pattern(`/at/${String(at)}/*`))
        const granted = await Promise.all(names.map((_, at) => auth.grantPermission(names[0] ?? '', readwrite(keys(at)))))
        expect([...bound, ...granted].map(({ outcome }) => outcome)).toEqual([...names, ...names].map(() => 'changed'))
        const { users, roles } = await auth.state()
        expect(users['app']).toEqual(expect.arrayContaining(names))
        expect(roles[names[0] ?? '']).toHaveLength(names.length)
        await auth.apply(await auth.plan(policy, { ...options, unmanaged: 'remove', acknowledgeOpenV2: true }))
      })

    test('copies of one permission, as a client that repeats grants leaves them, are nothing to do, and one revoke takes them all', async () => {
      const { auth } = await cluster.client('root')
      const twins = definePolicy({ ...policy, v3: { roles: { app: [readwrite(prefix('/app/')), read(key('/app/'))] }, bindings: { root: ['root'], app: ['app'] } } } as never)
      await authOf('v3').apply(await authOf('v3').plan(twins, options))
      for (const [permType, range_end] of [['Readwrite', '/app0'], ['Read', ''], ['Readwrite', '/app0'], ['Read', '']] as const) await auth.roleGrantPermission({ name: 'app', perm: { permType, key: Buffer.from('/app/'), range_end: Buffer.from(range_end) } })
      const stored = async () => (await authOf('v3').state()).roles['app'] ?? []
      expect((await stored()).length).toBeGreaterThan(2)
      expect((await authOf('v3').plan(twins, options)).outcome).toBe('in sync')
      await authOf('v3').apply(await authOf('v3').plan(policy, options))
      expect((await stored()).filter(({ keys }) => keys.api === 'v3' && keys.kind === 'key')).toEqual([])
      await authOf('v3').revokePermission('app', prefix('/app/'))
      expect(await stored()).toEqual([])
      await authOf('v3').apply(await authOf('v3').plan(policy, options))
    })

    test('the requests that reading takes are counted', async () => {
      const { users, roles, reads } = await authOf('v3').state()
      // A server that knows AuthStatus is asked once whether auth is on; the others are asked to log a nobody in.
      const asked = /^3\.[34]\./.test(lane.version) ? 2 : 1
      expect(reads).toBe(asked + 2 + Object.keys(users).length + Object.keys(roles).length)
    })

    if (lane.v2 !== 'none')
      test('a user whom v2 lists nowhere is found by name, and removed', async () => {
        const fetch = await cluster.fetch('root')
        const { status } = await fetch(`${cluster.clientUrls[0] ?? ''}/v2/auth/users/_back`, { method: 'PUT', body: JSON.stringify({ user: '_back', password: 'planted', roles: ['root'] }) })
        expect(status).toBe(200)
        expect((await authOf('v2').drift(policy)).outcome).toBe('in sync')
        const drift = await authOf('v2').drift(policy, { hiddenUsers: ['_back', '_nobody'] })
        expect([drift.outcome, drift.strangersWithRoot]).toEqual(['drift', ['_back']])
        await authOf('v2').apply(await authOf('v2').plan(policy, { ...options, unmanaged: 'remove', hiddenUsers: ['_back'] }))
        expect((await authOf('v2').drift(policy, { hiddenUsers: ['_back'] })).outcome).toBe('in sync')
      })
  })
}
