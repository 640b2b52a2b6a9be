/** Real servers, asked as each user by its own certificate, answer as the policy does, and tell what was taken and added behind it. */
import { expect, test } from 'vitest'
import { describeAccess, EtcdAuth, verifyAccess, type AccessConnection, type Api } from '../../src/auth/index.js'
import { fromKey, key, path, pattern, prefix, range, read, readwrite, showKeys, write } from '../../src/keys/index.js'
import { anonymous, definePolicy, type Anonymous, type Policy } from '../../src/policy/index.js'
import { startCluster, testLanes } from '../support/cluster.js'

const v3 = {
  roles: { node: [readwrite(prefix('/calico/felix/')), read(key('/calico/ready')), write(range('/calico/w0', '/calico/w5'))], audit: [read(prefix('/calico/')), read(fromKey('/z'))] },
  bindings: { root: ['root'], node: ['node'], auditor: ['audit'] },
} as const
const v2 = {
  guest: [read(pattern('/public/*'))],
  roles: { node: [readwrite(pattern('/calico/v1/*')), readwrite(pattern('/calico/ready'))], audit: [read(pattern('/calico/*'))] },
  bindings: { root: ['root'], node: ['node'], auditor: ['audit'] },
} as const
const base = { users: { root: 'certificate', node: 'certificate', auditor: 'certificate', nobody: 'certificate' }, members: ['etcd-0'], authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'] } as const

test.each(await testLanes())('etcd $version gives each user what the policy says, keeps every key as it is, and tells of what was taken and added', { timeout: 120_000 }, async (lane) => {
  const policy: Policy = lane.v2 === 'none' ? definePolicy({ ...base, v3 }) : definePolicy({ ...base, v3, v2 })
  const cluster = await startCluster({ lane, members: 1, policy })
  try {
    const [endpoint = ''] = cluster.clientUrls
    const connect = async (user: string | Anonymous): Promise<AccessConnection> => ({
      v3: (await cluster.client(user)).kv,
      ...(lane.v2 === 'none' ? {} : { v2: { fetch: await cluster.fetch(user), endpoint } }),
    })
    const root = await cluster.client('root')
    await root.put('/calico/ready').value('kept')
    const v2Keys = async (path: string, init: { readonly method: string; readonly body?: string; readonly headers?: Record<string, string> }): Promise<string> => {
      const fetch = await cluster.fetch('root')
      return (await fetch(`${endpoint}/v2/keys${path}`, init)).text()
    }
    if (lane.v2 !== 'none') for (const path of ['/calico/ready', '/calico/v1/x']) await v2Keys(path, { method: 'PUT', body: 'value=kept', headers: { 'content-type': 'application/x-www-form-urlencoded' } })
    for (const api of cluster.apis) {
      const auth = new EtcdAuth(cluster.backend(api, 'root'), { identity: { user: 'root' } })
      await auth.apply(await auth.plan(policy, { unmanaged: 'report', enable: true, acknowledgePasswordsInLog: true, acknowledgeOpenV2: true }))
    }
    const kept = async (): Promise<unknown> => {
      const { kvs, header } = await root.kv.range({ key: Buffer.alloc(1), range_end: Buffer.alloc(1) })
      return [kvs.map((kv) => [kv.key.toString(), kv.value.toString(), kv.mod_revision]), header.revision, lane.v2 === 'none' ? 'kept' : await v2Keys('/?recursive=true&sorted=true', { method: 'GET' })]
    }
    const before = await kept()
    expect(JSON.stringify(before).match(/kept/g)?.length).toBeGreaterThan(1)
    const right = await verifyAccess(policy, connect, { users: [...Object.keys(policy.users), anonymous], keys: [prefix('/registry/'), ...(lane.v2 === 'none' ? [] : [path('/'), path('/calico/', { recursive: true })])] })
    expect(right.ok, describeAccess(right, { rows: 'wrong' })).toBe(true)
    console.info(`etcd ${lane.version}: ${describeAccess(right, { rows: 'wrong' })}, ${String(right.rows.filter((row) => row.found === 'refused').length)} refusals`)
    expect(await kept()).toEqual(before)

    for (const api of cluster.apis) {
      const auth = new EtcdAuth(cluster.backend(api, 'root'), { identity: { user: 'root' } })
      await auth.revokePermission('audit', api === 'v3' ? prefix('/calico/') : pattern('/calico/*'))
      await auth.grantPermission('node', api === 'v3' ? read(key('/calico/felix0')) : read(pattern('/public/*')))
      await told(api)
    }
    async function told(api: Api): Promise<void> {
      const { rows } = await verifyAccess(policy, connect, { apis: [api] })
      const wrong = rows.filter(({ ok }) => !ok).map(({ user, operation: { op, keys }, found }) => `${String(user)} ${op} ${showKeys(keys)} ${found}`)
      const [lost, added] = [wrong.filter((line) => line.startsWith('auditor')), wrong.filter((line) => line.startsWith('node'))]
      expect([...lost, ...added].toSorted()).toEqual(wrong.toSorted())
      expect(lost).toContain(api === 'v3' ? 'auditor get /calico/* refused' : 'auditor get /calico/etcd-rbac-access-probe refused')
      expect(lost.every((line) => line.endsWith(' refused'))).toBe(true)
      const public_ = (what: string): string => `node get /public/etcd-rbac-access-probe${what} allowed`
      expect(added).toEqual(api === 'v3' ? ['node get /calico/felix0 allowed'] : [public_(''), public_(' (recursive)')])
    }
  } finally {
    await cluster.stop()
  }
})
