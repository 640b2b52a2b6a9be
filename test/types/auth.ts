/** What must and must not compile of writing to an auth store. */
import * as etcd3 from 'etcd3'
import { calicoV3, EtcdAuth, etcd3Options, gatewayTransport, grpcChannels, httpsAgentOptions, kubeApiserver, observe, parsePlan, parseState, pattern, prefix, read, requires, v3Backend, type Policy, type Written } from '../../src/index.js'
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

// ---- what a plan is told of components and credentials
const apiserver = kubeApiserver({ etcd: '3.5.35', compaction: 'etcd' })
void auth.plan(policy, { unmanaged: 'report', enable: true, needs: { apiserver, other: requires(apiserver, { etcd: '3.5.35' }), node: calicoV3({ calico: '3.30', grants: 'source' }).node } })
// @ts-expect-error a component, not its permissions
void auth.plan(policy, { unmanaged: 'report', enable: true, needs: { apiserver: apiserver.permissions } })
// @ts-expect-error a list of users
void auth.plan(policy, { unmanaged: 'report', enable: true, recreate: 'app' })
void auth.drift(parsePlan(JSON.parse('{}')), { probeEmptyPasswords: true })
void auth.drift(policy, { hiddenUsers: ['_back'] })
// @ts-expect-error what was read is no policy
void auth.drift(parseState(JSON.parse('{}')))
// @ts-expect-error a password that is dropped is nobody's
void auth.dropPassword('app', 'p')

// ---- locks, members and ways to them
const live = new etcd3.Etcd3()
void auth.apply(parsePlan(JSON.parse('{}')), { lock: live.lock('/lock'), concurrency: 4 })
// @ts-expect-error the key alone locks nothing
void auth.apply(parsePlan(JSON.parse('{}')), { lock: '/lock' })
void observe({ 'https://10.0.0.10:2379': live.maintenance, double: double.maintenance })
v3Backend([live.auth, double.auth], { versions: ['3.5.35'] })
v3Backend(gatewayTransport({ fetch, endpoint: 'https://10.0.0.10:2379', login: { user: 'root', password: 'p' } }))
// @ts-expect-error who logs in has a password
gatewayTransport({ fetch, endpoint: 'https://10.0.0.10:2379', login: { user: 'root' } })

// ---- the double in the place of etcd3's connections
const client = new etcd3.Etcd3()
client.mock(double.callable)
client.mock(double.as('app').callable)
void double.leaseClient.leaseGrant({ TTL: 10 })
// @ts-expect-error etcd spells it in capitals
void double.leaseClient.leaseGrant({ ttl: 10 })

// ---- one identity per client
declare const pem: { readonly ca: string; readonly certificate: string; readonly key: string }
void httpsAgentOptions(pem)
void httpsAgentOptions({ ca: pem.ca })
// @ts-expect-error a certificate without its key
void httpsAgentOptions({ ca: pem.ca, certificate: pem.certificate })
// @ts-expect-error a certificate and a password
void httpsAgentOptions({ ...pem, password: 'p' })
// @ts-expect-error a certificate and a password
void grpcChannels({ ...pem, hosts: 'https://10.0.0.10:2379', password: 'p' })
// @ts-expect-error a certificate and a password
void etcd3Options({ ...pem, hosts: 'https://10.0.0.10:2379', password: 'p' })
