/** What strangers leave in a real etcd while auth is off, and what a plan makes of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Client, credentials } from '@grpc/grpc-js'
import { Etcd3 } from 'etcd3'
import { EtcdAuth, etcd3Options } from '../../src/auth/index.js'
import { anonymous, definePolicy, path, pattern, prefix, put, readwrite } from '../../src/policy/index.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'

const policy = definePolicy({
  users: { root: 'certificate', node: 'certificate' },
  members: ['etcd-0'],
  authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
  v3: { roles: { node: [readwrite(prefix('/n/'))] }, bindings: { root: ['root'], node: ['node'] } },
  v2: { guest: [], roles: { node: [readwrite(pattern('/n/*'))] }, bindings: { root: ['root'], node: ['node'] } },
})
const locked = { unmanaged: 'keep', enable: true, acknowledgeOpenV2: true, acknowledgePasswordsInLog: true } as const

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
    const authOf = (api: 'v3' | 'v2') => new EtcdAuth(cluster.backend(api, 'root'), { identity: { user: 'root' } })

    test('on v3, a stranger bound to a role of the policy is unbound, and a permission of an unknown type grants nothing and stops nothing', async () => {
      const { auth } = await cluster.client(anonymous)
      const unknown = (name: string, key: string) => auth.roleGrantPermission({ name, perm: { permType: 7 as never, key: Buffer.from(key), range_end: Buffer.alloc(0) } })
      for (const name of ['node', 'other']) await auth.roleAdd({ name })
      await unknown('node', '/n/')
      await unknown('other', '/w')
      await auth.userAdd({ name: 'zed', password: 'planted' })
      await auth.userGrantRole({ user: 'zed', role: 'node' })
      await auth.userGrantRole({ user: 'zed', role: 'other' })

      const plan = await authOf('v3').plan(policy, locked)
      expect(plan.blockers).toEqual([])
      expect(plan.warnings.join('\n')).toContain('zed (role node)')
      const { state } = await authOf('v3').apply(plan)
      expect(state.users['zed']).toEqual(['other'])
      expect(state.roles['node']).toEqual(policy.v3?.roles['node'])
      expect(state.roles['other']).toMatchObject([{ type: 'unknown' }])
      expect((await authOf('v3').plan(policy, locked)).steps).toEqual([])

      const zed = new Etcd3({ ...etcd3Options({ hosts: cluster.clientUrls, ca: cluster.serverCa, ...(await cluster.credentials(anonymous)) }), auth: { username: 'zed', password: 'planted' } })
      opened.push(zed)
      await expect(zed.put('/n/owned').value('by zed')).rejects.toThrow('permission denied')
      await expect(zed.get('/w')).rejects.toThrow('permission denied')
      expect(await cluster.attempt('node', put('/n/x'))).toBe(true)
    })

    test('on v3, a user whose name is no text, whom no client in JavaScript can ask for, is not locked in with root', async () => {
      const { certificate, key } = await cluster.credentials(anonymous)
      const client = new Client((cluster.clientUrls[0] ?? '').replace('https://', ''), credentials.createSsl(Buffer.from(cluster.serverCa), Buffer.from(key), Buffer.from(certificate)))
      opened.push(client)
      await authOf('v3').disable()
      const field = (number: number, bytes: Buffer): Buffer => Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes])
      const call = (method: string, ...fields: readonly Buffer[]): Promise<unknown> =>
        new Promise((resolve, reject) => {
          const bytes = (buffer: Buffer): Buffer => buffer
          client.makeUnaryRequest(`/etcdserverpb.Auth/${method}`, bytes, bytes, Buffer.concat(fields.map((one, at) => field(at + 1, one))), (error, reply) => (error ? reject(error) : resolve(reply)))
        })
      const name = Buffer.from([0x6d, 0xff])
      try {
        await call('UserAdd', name, Buffer.from('mallory'))
      } catch (error) {
        // Newer releases take no such name.
        expect(String(error)).toMatch(/UTF-8/)
        return
      }
      await call('UserGrantRole', name, Buffer.from('root'))
      const plan = await authOf('v3').plan(policy, { ...locked, unmanaged: 'remove' })
      expect([plan.outcome, plan.unreadable.users]).toEqual(['blocked', ['m\ufffd']])
      await expect(authOf('v3').enable({ acknowledgeOpenV2: true })).rejects.toMatchObject({ code: 'ERR_WRITE_REFUSED', message: expect.stringContaining('nothing is known of it') as string })
      await call('UserDelete', name)
      await authOf('v3').apply(await authOf('v3').plan(policy, locked))
    })

    if (lane.v2 !== 'none') {
      test('on v2, roles that do not exist are unbound from all who hold them, one after the other, before one of them is made', async () => {
        const fetch = await cluster.fetch(anonymous)
        const plant = async (user: string, ...roles: readonly string[]): Promise<void> => {
          const { status } = await fetch(`${cluster.clientUrls[0] ?? ''}/v2/auth/users/${user}`, { method: 'PUT', body: JSON.stringify({ user, password: 'planted', roles }) })
          expect(status).toBe(200)
        }
        await plant('node', 'ghost1', 'ghost2', 'g'.repeat(600), 'node')
        await plant('zed', 'node')
        await plant('eve', 'ghost1', 'node')
        const plan = await authOf('v2').plan(policy, locked)
        expect(plan.warnings.join('\n')).toContain('zed (role node)')
        const { state } = await authOf('v2').apply(plan)
        expect(state.enabled).toBe(true)
        expect([state.users['node'], state.users['zed'], state.users['eve']]).toEqual([['node'], [], []])
        expect((await authOf('v2').plan(policy, locked)).steps).toEqual([])
        const basic = { authorization: `Basic ${Buffer.from('zed:planted').toString('base64')}` }
        expect((await fetch(`${cluster.clientUrls[0] ?? ''}/v2/keys/n/owned?value=zed`, { method: 'PUT', headers: basic })).status).toBe(401)
      })

      test('on v2, a user whom etcd does not list, and who hides role root behind a role that does not exist, is not locked in', async () => {
        const auth = authOf('v2')
        await auth.disable()
        const fetch = await cluster.fetch(anonymous)
        const put = async (path: string, body: object): Promise<number> => (await fetch(`${cluster.clientUrls[0] ?? ''}/v2/auth/${path}`, { method: 'PUT', body: JSON.stringify(body) })).status
        expect(await put('users/_back', { user: '_back', password: 'planted', roles: ['ghost', 'root'] })).toBe(200)
        const asked = { ...locked, hiddenUsers: ['_back'] } as const
        const plan = await auth.plan(policy, asked)
        expect([plan.outcome, plan.unreadable.users, plan.strangersWithRoot]).toEqual(['blocked', ['_back'], ['_back']])
        await auth.revokeRole('_back', 'ghost')
        expect((await auth.plan(policy, asked)).blockers.join()).toContain('user _back, whom the policy does not name, holds role root')
        await auth.deleteUser('_back')

        expect(await put('roles/_all', { role: '_all', permissions: { kv: { read: ['/*'], write: ['/*'] } } })).toBe(201)
        expect(await put('users/app', { user: 'app', password: 'planted', roles: ['_all'] })).toBe(200)
        expect((await auth.state()).roles['_all']).toEqual([readwrite(pattern('/*'))])
        const { state } = await auth.apply(await auth.plan(policy, { ...asked, unmanaged: 'remove' }))
        expect([state.enabled, Object.keys(state.users), Object.keys(state.roles)]).toEqual([true, ['node', 'root'], ['guest', 'node']])
      })

      test('on v2, guests are cut when guest loses a right', async () => {
        const open = { ...policy, v2: { guest: [readwrite(pattern('*'))], roles: policy.v2?.roles ?? {}, bindings: policy.v2?.bindings ?? {} } }
        expect((await authOf('v2').apply(await authOf('v2').plan(open, locked))).sever).toEqual([])
        expect((await authOf('v2').apply(await authOf('v2').plan(policy, locked))).sever).toEqual(['guest'])
      })

      test('on v2, nobody gets by a role that is made what was hidden with its name, and who becomes a user keeps what guests had and it has', async () => {
        const auth = authOf('v2')
        const fetch = await cluster.fetch('root')
        const url = cluster.clientUrls[0] ?? ''
        const open = definePolicy({ users: { root: 'certificate' }, v2: { guest: [readwrite(pattern('/app/*'))], roles: {}, bindings: { root: ['root'] } } })
        await auth.apply(await auth.plan(open, { ...locked, unmanaged: 'remove' }))
        expect((await fetch(`${url}/v2/auth/users/zed`, { method: 'PUT', body: JSON.stringify({ user: 'zed', password: 'planted', roles: ['ghost', 'more'] }) })).status).toBe(200)
        const more = definePolicy({ users: { root: 'certificate', node: 'certificate' }, v2: { guest: [], roles: { more: [readwrite(pattern('/app/*'))] }, bindings: { root: ['root'], node: ['more'] } } })
        const plan = await auth.plan(more, locked)
        expect(plan.gaps).toEqual([])
        const basic = { authorization: `Basic ${Buffer.from('zed:planted').toString('base64')}` }
        const seen: (readonly [string, boolean, number])[] = []
        await auth.apply(plan, {
          onStep: async ({ step }) => void seen.push([step.do, await cluster.attempt('node', put(path('/app/x'))), (await (await cluster.fetch(anonymous))(`${url}/v2/keys/app/x?value=zed`, { method: 'PUT', headers: basic })).status]),
        })
        expect(seen.filter(([, node, zed]) => !node || zed !== 401)).toEqual([])
        expect((await auth.state()).users['zed']).toEqual([])
      })
    }
  })
}
