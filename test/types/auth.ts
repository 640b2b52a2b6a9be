/** What must and must not compile of writing to an auth store. */
import * as etcd3 from 'etcd3'
import { EtcdAuth, parsePlan, pattern, prefix, read, v3Backend, type Policy, type Written } from '../../src/index.js'
import { memoryEtcd } from '../../src/testing/index.js'

declare const policy: Policy
const double = memoryEtcd({ version: '3.5.35', errors: etcd3, Buffer })
const auth = new EtcdAuth(v3Backend(double.auth), { identity: { user: 'root' } })

// ---- single writes
export const created: Promise<Written<'created'>> = auth.addUser('a', { login: 'certificate' })
void auth.addUser('a', { login: 'password', password: 'p' })
// @ts-expect-error who logs in by password needs one
void auth.addUser('a', { login: 'password' })
// @ts-expect-error who logs in by certificate has no password
void auth.addUser('a', { login: 'certificate', password: 'p' })
// @ts-expect-error how a user logs in is said
void auth.addUser('a')
void auth.grantPermission('r', read(prefix('/a/')))
void auth.revokePermission('r', pattern('/a/*'))
// @ts-expect-error a permission, not keys
void auth.grantPermission('r', prefix('/a/'))
// @ts-expect-error keys, not a permission
void auth.revokePermission('r', read(prefix('/a/')))

// ---- plans
void auth.plan(policy, { unmanaged: 'remove', ours: { prefixes: ['team-'] }, enable: true })
// @ts-expect-error what happens to others is said
void auth.plan(policy, { enable: true })
void auth.apply(parsePlan(JSON.parse('{}')), { pacing: { mutationsPerSecond: 10 } })
// @ts-expect-error a rate by another name
void auth.apply(parsePlan(JSON.parse('{}')), { pacing: { perSecond: 10 } })

// ---- the double in the place of etcd3's connections
const client = new etcd3.Etcd3()
client.mock(double.callable)
client.mock(double.as('app').callable)
void double.leaseClient.leaseGrant({ TTL: 10 })
// @ts-expect-error etcd spells it in capitals
void double.leaseClient.leaseGrant({ ttl: 10 })
