/** A cluster that is upgraded member by member, from 3.3 to 3.4: what the member that is not asked makes of a user without a password. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EtcdAuth, v3Backend } from '../../src/auth/index.js'
import { anonymous, definePolicy, prefix, readwrite } from '../../src/policy/index.js'
import { startCluster, testLanes, type Cluster, type Lane } from '../support/cluster.js'

const { crypto } = globalThis
const policy = definePolicy({
  users: { root: 'certificate', node: 'certificate' },
  members: ['etcd-0', 'etcd-1', 'etcd-2'],
  authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
  v3: { roles: { node: [readwrite(prefix('/n/'))] }, bindings: { root: ['root'], node: ['node'] } },
})

const lanes = await testLanes()
const [old, young] = ['3.3.25', '3.4.23'].map((wanted) => lanes.find(({ name }) => name === wanted))

/** The lane of the oldest member, with another binary each time that one is started. */
function mixed(lane: Lane, binaries: readonly string[]): Lane {
  const next = binaries.values()
  return Object.defineProperty({ ...lane }, 'binary', { get: () => next.next().value })
}

describe.runIf(old !== undefined && young !== undefined)('two members of etcd 3.4.23 and one of 3.3.25', () => {
  let cluster: Cluster
  beforeAll(async () => {
    if (old === undefined || young === undefined) throw new Error('no such lanes')
    cluster = await startCluster({ lane: mixed(old, [young.binary, young.binary, old.binary]), members: 3, policy })
  })
  afterAll(async () => {
    await cluster.stop()
  })

  test('the members are what they should be', async () => {
    const versions = await Promise.all(cluster.clientUrls.map(async (url) => (await (await cluster.client('root', [url])).maintenance.status()).version))
    expect(versions.sort()).toEqual(['3.3.25', '3.4.23', '3.4.23'])
  })

  test('a plan made with a member of 3.4 leaves no user whom an empty password lets in, on any member', async () => {
    for (const url of cluster.clientUrls) {
      const { auth, maintenance } = await cluster.client('root', [url])
      if ((await maintenance.status()).version !== '3.4.23') continue
      const unprepared = new EtcdAuth(v3Backend(auth, { maintenance }), { identity: { user: 'root' } })
      const { blockers } = await unprepared.plan(policy, { unmanaged: 'report', enable: true })
      for (const what of ['gives certificate users an empty password', 'serves the v2 API by itself']) expect(blockers.join()).toMatch(new RegExp(`a member beside that which answered, etcd 3\\.4\\.23, unless it is 3\\.4 or newer too .*${what}`))
      const etcd = new EtcdAuth(v3Backend(auth, { maintenance, crypto }), { identity: { user: 'root' } })
      const plan = await etcd.plan(policy, { unmanaged: 'report', enable: true, acknowledgeOpenV2: true, acknowledgePasswordsInLog: true })
      expect(plan.blockers).toEqual([])
      await etcd.apply(plan)
      break
    }
    for (const url of cluster.clientUrls) {
      const { auth } = await cluster.client(anonymous, [url])
      for (const name of Object.keys(policy.users)) await expect(auth.authenticate({ name, password: '' })).rejects.toThrow('authentication failed')
    }
  })
})
