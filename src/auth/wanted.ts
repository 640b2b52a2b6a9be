/** What a policy wants an auth store to hold. */
import { EtcdRbacError } from '../errors.js'
import type { Permission } from '../keys/permission.js'
import { byScope as mergedByScope } from '../keys/scope.js'
import { rolesOf } from '../policy/rights.js'
import type { Login, Policy } from '../policy/policy.js'
import { tableOf, type Api, type StoredPermission } from './state.js'

/** Users, roles and permissions that one half of a policy asks for. */
export interface Wanted {
  /** Every user of the policy with its roles: a user without roles exists all the same, so that it is nobody else. */
  readonly users: Readonly<Record<string, readonly string[]>>
  readonly logins: Readonly<Record<string, Login>>
  /** Role → scope → permission, one per scope: etcd keeps a single type for the same keys. */
  readonly roles: Readonly<Record<string, ReadonlyMap<string, Permission>>>
}

/** Permissions by scope; of several on the same keys, what they allow together. Those of an unknown type allow nothing, and are left out. */
export function byScope(permissions: readonly StoredPermission[]): ReadonlyMap<string, Permission> {
  return mergedByScope(permissions.filter((permission) => permission.type !== 'unknown'))
}

/**
 * What one half of a policy wants.
 *
 * @throws {@link EtcdRbacError} `ERR_POLICY_HALF_MISSING`
 */
export function wantedOf(policy: Policy, api: Api): Wanted {
  const half = policy[api]
  if (half === undefined) {
    throw new EtcdRbacError(
      'ERR_POLICY_HALF_MISSING',
      { found: `a policy without ${api} half`, wanted: `what users may do on the ${api} API`, fix: `add ${api} to the policy, or do not plan for ${api}` },
      { api },
    )
  }
  const roles = Object.entries<readonly Permission[]>(half.roles)
  const guest = policy.v2 !== undefined && api === 'v2' ? [['guest', policy.v2.guest] as const] : []
  return {
    users: tableOf(Object.keys(policy.users).map((user) => [user, rolesOf(half.bindings, user)] as const)),
    logins: policy.users,
    roles: tableOf([...roles, ...guest].map(([role, permissions]) => [role, byScope(permissions)] as const)),
  }
}
