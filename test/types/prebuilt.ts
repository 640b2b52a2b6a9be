/** Parts that are built before the policy. */
import { can, definePolicy, defineUsers, put, prefix, read, readwrite, type Policy } from '../../src/policy/index.js'
import { issueClient, type Authority, type Validity } from '../../src/pki/index.js'

declare const clients: Authority<'client'>
declare const validity: Validity

const users = defineUsers({ root: 'certificate', 'calico-node': 'certificate', auditor: 'password' })
const roles = { node: [readwrite(prefix('/calico/'))], audit: [read(prefix('/calico/'))] }
const bindings = { root: ['root'], 'calico-node': ['node'], auditor: ['audit'] } as const
const members = ['etcd-0', 'etcd-1'] as const

const policy = definePolicy({ users, members, v3: { roles, bindings } })
export const general: Policy<{ readonly root: 'certificate'; readonly 'calico-node': 'certificate'; readonly auditor: 'password' }, 'etcd-0' | 'etcd-1'> = policy
can(policy, 'auditor', put('/x'))
void issueClient(clients, { policy, user: 'calico-node', csr: '', validity })
// @ts-expect-error logs in by password
void issueClient(clients, { policy, user: 'auditor', csr: '', validity })
// @ts-expect-error no user of the policy
void issueClient(clients, { policy, user: 'node', csr: '', validity })
// @ts-expect-error no user of the policy
can(policy, 'audit', put('/x'))

definePolicy({ users, v3: { roles, bindings } })
definePolicy({ users, v2: { guest: [], roles: { node: [], audit: [] }, bindings } })
declare const perhaps: { readonly root?: readonly ['root']; readonly auditor?: readonly ['audit'] }
definePolicy({ users, v3: { roles, bindings: perhaps } })
declare const anyone: Readonly<Record<string, readonly ('node' | 'audit')[]>>
definePolicy({ users, v3: { roles, bindings: anyone } })
const widerBindings = { ...bindings, alice: ['node'] } as const
// @ts-expect-error a user of bindings built beforehand that is not declared
definePolicy({ users, v3: { roles, bindings: widerBindings } })
// @ts-expect-error likewise in the v2 half
definePolicy({ users, v2: { guest: [], roles: { node: [], audit: [] }, bindings: widerBindings } })
const otherBindings = { root: ['root'], auditor: ['adit'] } as const
// @ts-expect-error a role of bindings built beforehand that is not declared
definePolicy({ users, v3: { roles, bindings: otherBindings } })
const ownRoles = { ...roles, root: [read(prefix('/calico/'))] }
// @ts-expect-error a role that etcd has already
definePolicy({ users, v3: { roles: ownRoles, bindings } })
const authorities = ['etcd-ca', 'etcd-1'] as const
definePolicy({ users, authorities })
// @ts-expect-error a name that is both a member's and an authority's
definePolicy({ users, members, authorities })

// @ts-expect-error no role of the table built beforehand
definePolicy({ users, v3: { roles, bindings: { root: ['nod'] } } })
// @ts-expect-error no user of the table built beforehand
definePolicy({ users, v3: { roles, bindings: { alice: ['node'] } } })
// @ts-expect-error a member named like a user of the table built beforehand
definePolicy({ users, members: ['auditor'] })
// @ts-expect-error bindings built beforehand name roles as any text: `as const` keeps them
definePolicy({ users, v3: { roles, bindings: wideBindings() } })
// @ts-expect-error users built beforehand log in by any text: defineUsers keeps them
definePolicy({ users: wideUsers(), v3: { roles: {}, bindings: {} } })
// @ts-expect-error no way to log in
defineUsers({ a: 'certificat' })
// @ts-expect-error a user twice
defineUsers({ a: 'certificate', a: 'password' })

function wideBindings() {
  return { root: ['root'] }
}
function wideUsers() {
  return { root: 'certificate' }
}

// One that is decided at run time: the compiler cannot know, and issuing checks.
declare const login: 'certificate' | 'password'
const either = definePolicy({ users: { a: login } })
void issueClient(clients, { policy: either, user: 'a', csr: '', validity })
