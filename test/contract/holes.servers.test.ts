/** Known holes of etcd, on real servers: open where `advisoriesOf` says so, and closed where it does not. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Etcd3 } from 'etcd3'
import { EtcdAuth, v3Backend } from '../../src/auth/index.js'
import { advisoriesOf, anonymous, call, can, definePolicy, fromKey, get, key, lease, prefix, put, read, readwrite, txn, watch, write, type Operation, type Policy } from '../../src/policy/index.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'

const policy: Policy = definePolicy({
  users: { root: 'certificate', reader: 'certificate', writer: 'certificate', nobody: 'certificate' },
  members: ['etcd-0'],
  authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
  v3: { roles: { r: [read(key('/a/x'))], w: [write(prefix('/w/'))], own: [readwrite(prefix('/own/'))] }, bindings: { root: ['root'], reader: ['r'], writer: ['w'], nobody: [] } },
})
const utf8 = (text: string): Buffer => Buffer.from(text)
const deadline = (): { deadline: number } => ({ deadline: Date.now() + 10_000 })

interface WatchStream {
  write(request: object): void
  end(): void
  cancel(): void
  on(event: 'data', listener: (response: { canceled: boolean; events: readonly { kv: { key: Buffer } }[] }) => void): void
  on(event: 'error', listener: () => void): void
}

/** Whether a watch from `/a/x` without end tells its reader of a key that it may not read. */
async function watchLeaks(reader: Etcd3, root: Etcd3): Promise<boolean> {
  const { watchClient } = reader as unknown as { watchClient: { watch(options: object): Promise<WatchStream> } }
  const stream = await watchClient.watch(deadline())
  try {
    return await new Promise<boolean>((resolve, reject) => {
      stream.on('error', () => undefined)
      stream.on('data', ({ canceled, events }) => {
        if (canceled) resolve(false)
        else if (events.some(({ kv }) => kv.key.equals(utf8('/b/secret')))) resolve(true)
        else root.kv.put({ key: utf8('/b/secret'), value: utf8('s') }, deadline()).catch(reject)
      })
      stream.write({ create_request: { key: utf8('/a/x'), range_end: Buffer.alloc(1) } })
    })
  } finally {
    stream.end()
    stream.cancel()
  }
}

interface Leases {
  leaseGrant(message: object, options: object): Promise<{ readonly ID: string }>
  leaseTimeToLive(message: object, options: object): Promise<unknown>
}
const leasesOf = (client: Etcd3): Leases => (client as unknown as { leaseClient: Leases }).leaseClient

const passes = (run: Promise<unknown>): Promise<boolean> =>
  run.then(
    () => true,
    (error: unknown) => {
      if (/permission denied|user name is empty|user name not found/.test(String(error))) return false
      throw error
    },
  )

interface Hole {
  readonly id: string
  /** The same as a question to the policy. */
  readonly user: string | typeof anonymous
  readonly operation: Operation
  readonly shown: (as: (user: string | typeof anonymous) => Promise<Etcd3>) => Promise<boolean>
}

const holes: readonly Hole[] = [
  {
    id: 'GHSA-xg4h-6gfc-h4m8',
    user: 'reader',
    operation: watch(fromKey('/a/x')),
    shown: async (as) => watchLeaks(await as('reader'), await as('root')),
  },
  {
    id: 'GHSA-rfx7-8w68-q57q',
    user: 'nobody',
    operation: txn({ success: [txn({ success: [get('/b/secret'), put('/b/other')] })] }),
    shown: async (as) => {
      const inner = { success: [{ request_range: { key: utf8('/b/secret') } }, { request_put: { key: utf8('/b/other'), value: utf8('x') } }] }
      return passes((await as('nobody')).kv.txn({ success: [{ request_txn: inner }] }, deadline()))
    },
  },
  {
    id: 'GHSA-x35m-3gp4-4fh5',
    user: 'writer',
    operation: txn({ success: [put('/w/x', { prevKv: true })] }),
    shown: async (as) => passes((await as('writer')).kv.txn({ success: [{ request_put: { key: utf8('/w/x'), value: utf8('x'), prev_kv: true } }] }, deadline())),
  },
  {
    id: 'GHSA-q8m4-xhhv-38mg',
    user: anonymous,
    operation: call('compact'),
    shown: async (as) => {
      const root = await as('root')
      const { header } = await root.kv.put({ key: utf8('/own/x'), value: utf8('x') }, deadline())
      return passes((await as(anonymous)).kv.compact({ revision: header.revision }, deadline()))
    },
  },
  {
    id: 'GHSA-3p4g-rcw5-8298',
    user: 'nobody',
    operation: lease('leaseKeys', ['/own/leased']),
    shown: async (as) => {
      const root = await as('root')
      const { ID } = await leasesOf(root).leaseGrant({ TTL: 60 }, deadline())
      await root.kv.put({ key: utf8('/own/leased'), value: utf8('x'), lease: ID }, deadline())
      return passes(leasesOf(await as('nobody')).leaseTimeToLive({ ID, keys: true }, deadline()))
    },
  },
]

for (const lane of await testLanes()) {
  describe(`etcd ${lane.name}`, () => {
    let cluster: Cluster
    const clients = new Map<string | typeof anonymous, Promise<Etcd3>>()
    const as = (user: string | typeof anonymous): Promise<Etcd3> => {
      const made = clients.get(user) ?? cluster.client(user)
      clients.set(user, made)
      return made
    }
    beforeAll(async () => {
      cluster = await startCluster({ lane, members: 1, policy })
      const auth = new EtcdAuth(v3Backend((await as('root')).auth, { versions: [lane.version], crypto: globalThis.crypto }), { identity: { user: 'root' } })
      await auth.apply(await auth.plan(policy, { unmanaged: 'report', enable: true, acknowledgeOpenV2: true, acknowledgePasswordsInLog: true }))
      await (await as('root')).kv.put({ key: utf8('/a/x'), value: utf8('x') }, deadline())
    })
    afterAll(async () => {
      await cluster.stop()
    })

    const known = advisoriesOf(lane.version).map(({ id }) => id)
    test.each(holes.map((hole) => [known.includes(hole.id) ? 'has' : 'has not', hole.id, hole] as const))('%s the hole %s, and can says so', async (has, _, { user, operation, shown }) => {
      expect(await shown(as)).toBe(has === 'has')
      expect(can(policy, user, operation, { etcd: lane.version })).toBe(has === 'has')
      expect(can(policy, user, operation)).toBe(false)
    })
  })
}
