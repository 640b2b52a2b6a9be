/**
 * Whether etcd would let a user do something, by etcd's intended rules.
 *
 * v3: `server/auth/range_perm_cache.go` — the union of the user's intervals must contain the whole requested range; role root may do
 * everything. v2: `v2auth/auth.go` and `v2http/client_auth.go` — one pattern must match the request's path; without a known user the
 * guest role decides, and it ignores `recursive`.
 */
import { EtcdRbacError } from '../errors.js'
import { containsInterval, toInterval, union } from '../keys/interval.js'
import { matchesPath } from '../keys/pattern.js'
import { allows } from '../keys/permission.js'
import type { Operation } from './operations.js'
import type { Bindings, Policy, UserName } from './policy.js'

/** Stands for a client that no user of the policy names: no certificate Common Name, or one that is no user. */
export const anonymous: unique symbol = Symbol('anonymous')

/** The type of {@link anonymous}. */
export type Anonymous = typeof anonymous

/**
 * Whether the policy lets a user do an operation.
 *
 * @throws {@link EtcdRbacError} `ERR_USER_UNKNOWN`, `ERR_POLICY_HALF_MISSING`
 * @example
 * ```ts
 * import { can, definePolicy, get, path, pattern, prefix, put, read } from 'etcd-rbac'
 * const policy = definePolicy({
 *   users: { auditor: 'certificate' },
 *   v3: { roles: { audit: [read(prefix('/calico/'))] }, bindings: { auditor: ['audit'] } },
 *   v2: { guest: [], roles: { audit: [read(pattern('/calico/*'))] }, bindings: { auditor: ['audit'] } },
 * })
 * can(policy, 'auditor', get(prefix('/calico/'))) // true
 * can(policy, 'auditor', put('/calico/x')) // false
 * can(policy, 'auditor', get(path('/calico/', { recursive: true }))) // true
 * ```
 */
export function can<P extends Policy>(policy: P, user: UserName<P> | Anonymous, operation: Operation): boolean {
  const { keys } = operation
  if (user !== anonymous && !Object.hasOwn(policy.users, user)) {
    const known = Object.keys(policy.users)
    throw new EtcdRbacError('ERR_USER_UNKNOWN', { found: `user ${JSON.stringify(user)}`, wanted: `one of ${known.join(', ')}`, fix: 'declare it in the policy' }, { user, known })
  }
  const half = policy[keys.api]
  if (half === undefined) {
    throw new EtcdRbacError(
      'ERR_POLICY_HALF_MISSING',
      { found: `a policy without ${keys.api} half`, wanted: `a ${keys.api} half that says what users may do there`, fix: `add ${keys.api} to the policy` },
      { api: keys.api },
    )
  }
  const roles = user === anonymous ? [] : rolesOf(half.bindings, user)
  if (roles.includes('root')) return true
  const access = operation.op === 'put' || operation.op === 'del' ? 'write' : 'read'
  if (keys.api === 'v2') {
    if (policy.v2 === undefined) return false
    if (user === anonymous) return policy.v2.guest.some(({ type, keys: pattern }) => allows(type, access) && matchesPath(pattern, { ...keys, recursive: false }))
    return roles.some((role) => policy.v2?.roles[role]?.some(({ type, keys: pattern }) => allows(type, access) && matchesPath(pattern, keys)))
  }
  const granted = roles.flatMap((role) => policy.v3?.roles[role] ?? []).filter(({ type }) => allows(type, access))
  return containsInterval(union(granted.map(({ keys }) => toInterval(keys))), toInterval(keys))
}

/** The roles that a user holds, by name. */
export function rolesOf(bindings: Bindings, user: string): readonly string[] {
  return Object.hasOwn(bindings, user) ? (bindings[user] ?? []) : []
}
