/** Functions over any policy. */
import { can, definePolicy, prefix, put, read, type Bindings, type KeyRange, type Login, type Policy, type Roles, type UserName, type Users } from '../../src/policy/index.js'
import { issueClient, type Authority, type Validity } from '../../src/pki/index.js'

declare const clients: Authority<'client'>
declare const validity: Validity

const policy = definePolicy({ users: { root: 'certificate', auditor: 'password' }, v3: { roles: { r: [] }, bindings: { root: ['root'] } } })

export function mayWrite<P extends Policy>(one: P, user: UserName<P>): boolean {
  return can(one, user, put('/x'))
}
mayWrite(policy, 'auditor')
// @ts-expect-error no user of the policy
mayWrite(policy, 'audit')

/** Over a policy whose names are not known, a name is text; issuing checks it. */
export function issueForAll(one: Policy): void {
  for (const user of Object.keys(one.users)) void issueClient(clients, { policy: one, user, csr: '', validity })
}
issueForAll(policy)

/** A policy over users that the caller chooses. */
export function policyFor<const U extends Users>(users: U) {
  return definePolicy({ users, v3: { roles: { all: [read(prefix('/x/'))] }, bindings: {} } })
}
can(policyFor({ alice: 'certificate' }), 'alice', put('/x'))
// @ts-expect-error no user of that policy
can(policyFor({ alice: 'certificate' }), 'bob', put('/x'))

/** A policy over users that are read elsewhere. */
export function policyOf(users: Readonly<Record<string, Login>>): Policy {
  return definePolicy({ users, members: ['etcd-0'], authorities: ['etcd-clients'], v3: { roles: { all: [read(prefix('/x/'))] }, bindings: { alice: ['all'] } } })
}
// @ts-expect-error no role of the policy, whoever its users are
export const wrong = (users: Readonly<Record<string, Login>>): Policy => definePolicy({ users, v3: { roles: { all: [read(prefix('/x/'))] }, bindings: { alice: ['al'] } } })
// @ts-expect-error no authority is named root, whoever the users are
export const named = (users: Readonly<Record<string, Login>>) => definePolicy({ users, authorities: ['root'] })

/** Over tables that the caller chooses, and over names that nobody knows yet. */
export function assembled<const U extends Users, const R extends Roles<KeyRange>>(users: U, roles: R) {
  return definePolicy({ users, v3: { roles, bindings: {} } })
}
export function loose(users: Users, roles: Roles<KeyRange>, bindings: Bindings, names: readonly string[]): Policy {
  return definePolicy({ users, members: names, authorities: names, v3: { roles, bindings } })
}

// A policy of known names is a policy; a policy is none of known names.
export const wide: Policy = policy
// @ts-expect-error its names are not known
export const narrow: typeof policy = wide
