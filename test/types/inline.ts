/** What must and must not compile where a policy is written in place. The messages are in test/unit/type-messages.test.ts. */
import { anonymous, can, definePolicy, del, get, path, pattern, prefix, put, range, read, readwrite, watch, write, type Policy } from '../../src/policy/index.js'
import { issueClient, issuePeer, issueServer, type Authority, type Validity } from '../../src/pki/index.js'

declare const clients: Authority<'client'>
declare const servers: Authority<'server'>
declare const peers: Authority<'peer'>
declare const all: Authority<'client' | 'server' | 'peer'>
declare const validity: Validity
declare const csr: string

const policy = definePolicy({
  users: { root: 'certificate', 'calico-node': 'certificate', auditor: 'password' },
  members: ['etcd-0'],
  authorities: ['etcd-clients'],
  v3: {
    roles: { calicoNode: [readwrite(prefix('/calico/felix/v1/')), read(range('/a', '/b'))], audit: [read(prefix('/calico/'))], none: [] },
    bindings: { root: ['root'], 'calico-node': ['calicoNode'], auditor: ['audit'] },
  },
  v2: { guest: [], roles: { calicoNode: [readwrite(pattern('/calico/v1*')), write(pattern('/x'))] }, bindings: { root: ['root'], 'calico-node': ['calicoNode'] } },
})
export const general: Policy = policy

// Users, by how they log in.
void issueClient(clients, { policy, user: 'calico-node', csr, validity })
void issueClient(all, { policy, user: 'root', csr, validity })
// @ts-expect-error no user of the policy
void issueClient(clients, { policy, user: 'calico-nod', csr, validity })
// @ts-expect-error logs in by password
void issueClient(clients, { policy, user: 'auditor', csr, validity })
// @ts-expect-error a member is no user
void issueClient(clients, { policy, user: 'etcd-0', csr, validity })
// @ts-expect-error a role is no user
void issueClient(clients, { policy, user: 'calicoNode', csr, validity })
// @ts-expect-error the user is missing
void issueClient(clients, { policy, csr, validity })
// @ts-expect-error the validity is missing: it has no default
void issueClient(clients, { policy, user: 'root', csr })
// @ts-expect-error the CSR is missing
void issueClient(clients, { policy, user: 'root', validity })
// @ts-expect-error the policy is missing
void issueClient(clients, { user: 'root', csr, validity })
// @ts-expect-error no such field
void issueClient(clients, { policy, user: 'root', csr, validity, commonName: 'root' })
// @ts-expect-error a doubled field
void issueClient(clients, { policy, user: 'root', user: 'calico-node', csr, validity })

// Authorities, by what they issue.
void issueServer(servers, { policy, member: 'etcd-0', hosts: ['10.0.0.10'], csr, validity })
void issuePeer(all, { policy, member: 'etcd-0', hosts: ['10.0.0.10'], csr, validity })
// @ts-expect-error the peers' authority issues no clients
void issueClient(peers, { policy, user: 'calico-node', csr, validity })
// @ts-expect-error the servers' authority issues no clients
void issueClient(servers, { policy, user: 'calico-node', csr, validity })
// @ts-expect-error the clients' authority issues no peers: whoever holds such a certificate is root
void issuePeer(clients, { policy, member: 'etcd-0', hosts: ['10.0.0.10'], csr, validity })
// @ts-expect-error the servers' authority issues no peers
void issuePeer(servers, { policy, member: 'etcd-0', hosts: ['10.0.0.10'], csr, validity })
// @ts-expect-error no member of the policy
void issueServer(servers, { policy, member: 'etcd-1', hosts: ['10.0.0.10'], csr, validity })
// @ts-expect-error a user is no member
void issueServer(servers, { policy, member: 'root', hosts: ['10.0.0.10'], csr, validity })

// Questions.
can(policy, 'auditor', put('/x'))
can(policy, anonymous, get(path('/x', { recursive: true })))
can(policy, 'root', del(range('/a', '/b')))
can(policy, 'root', watch(prefix('/a/')))
// @ts-expect-error no user of the policy
can(policy, 'audit', put('/x'))
// @ts-expect-error a member is no user
can(policy, 'etcd-0', put('/x'))
// @ts-expect-error no operation
can(policy, 'auditor', { op: 'delete', keys: prefix('/x/') })
put('/x', { attached: ['/y'], prevKv: true })
put(path('/x'), { prevKv: true })
// @ts-expect-error leases are v3
put(path('/x'), { attached: ['/y'] })
// @ts-expect-error a put is for one key
put(prefix('/x/'))
// @ts-expect-error a request names a path, not a pattern
get(pattern('/x*'))
// @ts-expect-error keys are made by key, prefix, range, …
read('/calico/')
// @ts-expect-error a request is no permission
read(path('/x'))

const roles = { r: [read(prefix('/x/'))] }
// @ts-expect-error no role of the policy
definePolicy({ users: { a: 'certificate' }, v3: { roles: { r: [read(prefix('/x/'))] }, bindings: { a: ['rr'] } } })
// @ts-expect-error a role of the other half
definePolicy({ users: { a: 'certificate' }, v3: { roles, bindings: {} }, v2: { guest: [], roles: {}, bindings: { a: ['r'] } } })
// @ts-expect-error no user of the policy
definePolicy({ users: { a: 'certificate' }, v3: { roles: { r: [read(prefix('/x/'))] }, bindings: { b: ['r'] } } })
// @ts-expect-error a v2 pattern in the v3 half
definePolicy({ users: { a: 'certificate' }, v3: { roles: { r: [read(pattern('/x*'))] }, bindings: { a: ['r'] } } })
// @ts-expect-error a v3 prefix in the v2 half
definePolicy({ users: { a: 'certificate' }, v2: { guest: [], roles: { r: [read(prefix('/x/'))] }, bindings: { a: ['r'] } } })
// @ts-expect-error a v3 prefix for guest
definePolicy({ users: { a: 'certificate' }, v2: { guest: [read(prefix('/x/'))], roles: {}, bindings: {} } })
// @ts-expect-error the v2 half says what guest may do
definePolicy({ users: { a: 'certificate' }, v2: { roles: { r: [read(pattern('/x*'))] }, bindings: { a: ['r'] } } })
// @ts-expect-error the v3 half has no guest
definePolicy({ users: { a: 'certificate' }, v3: { guest: [], roles: {}, bindings: {} } })
// @ts-expect-error a member named like a user
definePolicy({ users: { a: 'certificate' }, members: ['a'], v3: { roles: {}, bindings: {} } })
// @ts-expect-error an authority named like a user
definePolicy({ users: { a: 'certificate' }, authorities: ['b', 'a'], v3: { roles: {}, bindings: {} } })
// @ts-expect-error an authority named root, declared or not
definePolicy({ users: { a: 'certificate' }, authorities: ['root'], v3: { roles: {}, bindings: {} } })
// @ts-expect-error an authority named like a member
definePolicy({ users: { a: 'certificate' }, members: ['m'], authorities: ['c', 'm'] })
// @ts-expect-error role root is etcd's own
definePolicy({ users: { a: 'certificate' }, v3: { roles: { root: [] }, bindings: {} } })
// @ts-expect-error likewise in the v2 half
definePolicy({ users: { a: 'certificate' }, v2: { guest: [], roles: { root: [] }, bindings: {} } })
// @ts-expect-error role guest has a field of its own
definePolicy({ users: { a: 'certificate' }, v2: { guest: [], roles: { guest: [read(pattern('/x*'))] }, bindings: {} } })
// On v3 a role may be called guest.
definePolicy({ users: { a: 'certificate' }, v3: { roles: { guest: [] }, bindings: { a: ['guest'] } } })
// @ts-expect-error no way to log in
definePolicy({ users: { a: 'token' }, v3: { roles: {}, bindings: {} } })
// @ts-expect-error users are missing
definePolicy({ v3: { roles: {}, bindings: {} } })
// @ts-expect-error bindings are missing
definePolicy({ users: { a: 'certificate' }, v3: { roles: {} } })
// @ts-expect-error no such field
definePolicy({ users: { a: 'certificate' }, member: ['etcd-0'], v3: { roles: {}, bindings: {} } })
// @ts-expect-error no such field in a half
definePolicy({ users: { a: 'certificate' }, v3: { roles: {}, bindings: {}, users: {} } })
// @ts-expect-error a user twice
definePolicy({ users: { a: 'certificate', a: 'password' }, v3: { roles: {}, bindings: {} } })
// @ts-expect-error a role twice
definePolicy({ users: { a: 'certificate' }, v3: { roles: { r: [], r: [] }, bindings: {} } })
// @ts-expect-error a binding twice
definePolicy({ users: { a: 'certificate' }, v3: { roles: { r: [] }, bindings: { a: ['r'], a: [] } } })
// @ts-expect-error a policy does not change
policy.users.auditor = 'certificate'

// An annotation of the result does not make the names any text.
// @ts-expect-error a member named like a user
export const annotated: Policy = definePolicy({ users: { a: 'certificate' }, members: ['a'] })
// @ts-expect-error no user of the policy
export const annotatedToo: Policy = definePolicy({ users: { a: 'certificate' }, v3: { roles: {}, bindings: { b: [] } } })
