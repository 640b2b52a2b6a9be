/** What components send, on real servers, each by its own certificate and with what its preset says: answered within it, refused outside. */
import type { Etcd3 } from 'etcd3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EtcdAuth, v3Backend } from '../../src/auth/index.js'
import { allKeys, parsePolicy, readwrite } from '../../src/policy/index.js'
import { backup, composed, defragmentation, kubeadmEtcd, kubeApiserver, tenant, type RequestNeed } from '../../src/presets/index.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'

const utf8 = (text: string): Buffer => Buffer.from(text)
const deadline = (): { deadline: number } => ({ deadline: Date.now() + 10_000 })
const prefixed = (text: string): { key: Buffer; range_end: Buffer } => ({ key: utf8(`${text}/`), range_end: utf8(`${text}0`) })

interface Snapshots {
  snapshot(options: object): Promise<{ on(event: 'data' | 'error' | 'end', listener: (error?: unknown) => void): unknown; cancel(): void }>
}

async function takeSnapshot({ maintenance }: Etcd3): Promise<void> {
  const stream = await (maintenance as unknown as Snapshots).snapshot(deadline())
  await new Promise<void>((resolve, reject) => {
    stream.on('error', reject)
    stream.on('data', () => undefined)
    stream.on('end', () => resolve())
  })
}

/** Whether etcd let a call pass: it may fail for another reason after that. */
const passes = (run: Promise<unknown>): Promise<boolean> =>
  run.then(
    () => true,
    (error: unknown) => {
      if (/permission denied|user name is empty/.test(String(error))) return false
      if (/member not found/.test(String(error))) return true
      throw error
    },
  )

for (const lane of await testLanes()) {
  describe(`etcd ${lane.name}`, () => {
    const etcd = lane.version
    const { healthcheck, apiserver } = kubeadmEtcd({ etcd, compaction: 'etcd', nodes: ['etcd-0'] })
    const { policy, collisions } = composed(
      { ...backup({ etcd }), name: 'backup' },
      { ...kubeApiserver({ etcd, compaction: 'etcd', resources: 'events' }), name: 'events' },
      { ...healthcheck.rights, name: healthcheck.commonName },
      tenant({ name: 'shop', prefix: '/tenants/shop/', etcd }),
      { name: 'all', permissions: [readwrite(allKeys())] },
      { ...apiserver.rights, name: apiserver.commonName },
    )
    let cluster: Cluster
    const clients = new Map<string, Etcd3>()
    const as = (user: string): Etcd3 => {
      const client = clients.get(user)
      if (client === undefined) throw new Error(`no client for ${user}`)
      return client
    }
    beforeAll(async () => {
      const whole = parsePolicy({ users: policy.users, v3: policy.v3, members: ['etcd-0'], authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'] })
      cluster = await startCluster({ lane, members: 1, policy: whole })
      for (const user of Object.keys(whole.users)) clients.set(user, await cluster.client(user))
      const auth = new EtcdAuth(v3Backend(as('root').auth, { versions: [etcd], crypto: globalThis.crypto }), { identity: { user: 'root' } })
      await auth.apply(await auth.plan(whole, { unmanaged: 'report', enable: true, acknowledgeOpenV2: true, acknowledgePasswordsInLog: true }))
    })
    afterAll(async () => {
      await cluster.stop()
    })

    test('whoever holds role root takes snapshots and defragments, and the holder of all keys does not', async () => {
      expect(await Promise.all(['backup', 'all', 'shop'].map((user) => passes(takeSnapshot(as(user)))))).toEqual([true, false, false])
      expect([backup({ etcd }).needsRoot, defragmentation({ etcd }).needsRoot]).toEqual([true, true])
      for (const [user, may] of [['all', false], ['shop', false], ['backup', true]] as const) expect(await passes(as(user).maintenance.defragment(deadline()))).toBe(may)
    })

    test('kubeadm without role root lists members and asks for Status as its requests say, and neither adds nor removes members', async () => {
      const { cluster: members, maintenance } = as(healthcheck.commonName)
      const open = (request: RequestNeed['request']) => healthcheck.rights.requests.find((need) => need.request === request)?.needs !== 'root'
      expect(await passes(members.memberList(deadline() as never))).toBe(open('MemberList'))
      expect(await passes(maintenance.status(deadline()))).toBe(open('Status'))
      expect(await passes(members.memberAdd({ peerURLs: ['https://127.0.0.1:1'] }, deadline()))).toBe(open('MemberAdd'))
      expect(await passes(members.memberRemove({ ID: '1' }, deadline()))).toBe(open('MemberRemove'))
      expect(await passes(as('backup').cluster.memberRemove({ ID: '1' }, deadline()))).toBe(true)
    })

    test('kube-apiserver has its events, its health and the compaction key, and nothing else', async () => {
      const { kv } = as('events')
      const value = utf8('v')
      const event = utf8('/registry/events/default/pod.17')
      const created = { compare: [{ key: event, target: 'Mod', result: 'Equal', mod_revision: 0 }], success: [{ request_put: { key: event, value } }], failure: [{ request_range: { key: event } }] }
      const inside = [kv.txn(created as never, deadline()), kv.range(prefixed('/registry/events'), deadline()), kv.range({ key: utf8('/registry/health') }, deadline()), kv.put({ key: utf8('compact_rev_key'), value }, deadline()), kv.deleteRange({ key: event }, deadline())].map(passes)
      const outside = [kv.put({ key: utf8('/registry/health'), value }, deadline()), kv.range(prefixed('/registry'), deadline()), kv.range({ key: utf8('/registry/secrets/x') }, deadline()), kv.range(prefixed('/tenants/shop'), deadline())].map(passes)
      expect(await Promise.all(inside)).toEqual(inside.map(() => true))
      expect(await Promise.all(outside)).toEqual(outside.map(() => false))
    })

    test('a tenant has its prefix, and nothing else', async () => {
      const { kv } = as('shop')
      const value = utf8('v')
      const inside = [kv.put({ key: utf8('/tenants/shop/x'), value }, deadline()), kv.range(prefixed('/tenants/shop'), deadline()), kv.deleteRange(prefixed('/tenants/shop'), deadline())].map(passes)
      const outside = [kv.put({ key: utf8('/tenants/shop0'), value }, deadline()), kv.range(prefixed('/tenants'), deadline()), kv.range({ key: utf8('/tenants/shop') }, deadline()), kv.range(prefixed('/registry/events'), deadline())].map(passes)
      expect(await Promise.all(inside)).toEqual(inside.map(() => true))
      expect(await Promise.all(outside)).toEqual(outside.map(() => false))
    })

    test('what collides here is told: the keys of all, the compaction key, and who is root', () => {
      expect(new Set(collisions.map(({ code }) => code))).toEqual(new Set(['keys-shared', 'keys-open-ended', 'root-held']))
    })
  })
}
