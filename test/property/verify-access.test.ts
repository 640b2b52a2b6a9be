/** The questions of verified access, for policies at random on the double, which shares no code with what judges them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeAccess, EtcdAuth, v2Backend, v3Backend, verifyAccess, type AccessConnection, type Api } from '../../src/auth/index.js'
import { showKeys, type KeyRange, type PathPattern, type Permission } from '../../src/keys/index.js'
import { anonymous, definePolicy, type Anonymous, type Policy } from '../../src/policy/index.js'
import { memoryEtcd } from '../../src/testing/index.js'
import { anyPattern, anyRange, permission } from '../support/arbitrary.js'

const runs = Math.min(Number(process.env['FC_RUNS'] ?? 60), 1_000)
const endpoint = 'https://127.0.0.1:2379'
const users = { root: 'certificate', a: 'certificate', b: 'certificate', c: 'certificate' } as const
const bindings = { root: ['root'], a: ['r0'], b: ['r0', 'r1'] } as const

/** One of each range: a role holds each range once. */
const distinct = (list: readonly Permission[]): readonly Permission[] => [...new Map(list.map((one) => [showKeys(one.keys), one])).values()]

test.each<Api>(['v3', 'v2'])('on %s, a server that was given a policy by a plan answers every question as the policy does', async (api) => {
  const grants = fc.array<Permission>(permission<KeyRange | PathPattern>(api === 'v3' ? anyRange : anyPattern), { minLength: 1, maxLength: 4 }).map(distinct)
  await fc.assert(
    fc.asyncProperty(grants, grants, grants, async (r0, r1, guest) => {
      const half = { roles: { r0, r1 }, bindings, ...(api === 'v2' ? { guest } : {}) }
      const policy = definePolicy({ users, [api]: half }) as Policy<typeof users>
      const etcd = memoryEtcd({ version: '3.5.35', ...(api === 'v2' ? { v2: true } : {}) })
      const backend = api === 'v3' ? v3Backend(etcd.auth, { versions: ['3.5.35'], crypto }) : v2Backend({ fetch: etcd.fetch, endpoint, crypto })
      const auth = new EtcdAuth(backend, { identity: { user: 'root' } })
      await auth.apply(await auth.plan(policy, { unmanaged: 'remove', enable: true, acknowledgeOpenV2: true, acknowledgePasswordsInLog: true }))
      const connect = (user: string | Anonymous): AccessConnection => {
        const { kv, fetch } = etcd.as(user === anonymous ? 'stranger' : user)
        return { v3: kv, v2: { fetch, endpoint } }
      }
      const table = await verifyAccess(policy, connect, { users: ['root', 'a', 'b', 'c', anonymous] })
      expect(table.ok, describeAccess(table, { rows: 'wrong' })).toBe(true)
    }),
    { numRuns: runs },
  )
})
