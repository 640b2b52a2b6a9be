/**
 * Whether etcd would let a user do something, by etcd's intended rules.
 *
 * v3: `server/auth/range_perm_cache.go` — the union of the user's intervals must contain the whole requested range; role root may do
 * everything. v2: `v2auth/auth.go` and `v2http/client_auth.go` — one pattern must match the request's path; without a known user the
 * guest role decides, and it ignores `recursive`.
 */
import { EtcdRbacError, quoted } from '../errors.js'
import { containsInterval, toInterval, union } from '../keys/interval.js'
import type { KeyRange } from '../keys/key-range.js'
import { matchesPath, type PathPattern } from '../keys/pattern.js'
import { allows, type Permission } from '../keys/permission.js'
import { checkedOperation, type Operation } from './operations.js'
import type { Bindings, Policy, Roles } from './policy.js'

/** Stands for a client that no user of the policy names: no certificate Common Name, or one that is no user. */
export const anonymous: unique symbol = Symbol('anonymous')

/** The type of {@link anonymous}. */
export type Anonymous = typeof anonymous

/**
 * Whether the policy lets a user do an operation, by etcd's intended rules: holes of single releases are not in it. A put or delete asks for the right to
 * write, a get or watch for the right to read, of all that it names.
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
 * console.log(can(policy, 'auditor', get(prefix('/calico/')))) // true
 * console.log(can(policy, 'auditor', put('/calico/x'))) // false
 * console.log(can(policy, 'auditor', get(path('/calico/', { recursive: true })))) // true
 * ```
 */
export function can<P extends Policy>(policy: P, user: (keyof P['users'] & string) | Anonymous, operation: Operation): boolean {
  const { op, keys } = checkedOperation(operation)
  if (user !== anonymous && typeof user !== 'string') throw new TypeError('a user is a name, or anonymous')
  if (user !== anonymous && !Object.hasOwn(policy.users, user)) throw unknownUser(user, Object.keys(policy.users))
  const half = policy[keys.api]
  if (half === undefined) {
    throw new EtcdRbacError(
      'ERR_POLICY_HALF_MISSING',
      { found: `a policy without ${keys.api} half`, wanted: `a ${keys.api} half that says what users may do there`, fix: `add ${keys.api} to the policy` },
      { api: keys.api },
    )
  }
  const access = op === 'put' || op === 'del' ? 'write' : 'read'
  const roles = user === anonymous ? [] : rolesOf(half.bindings, user)
  // On v2 the user named root has role root whatever its bindings say: etcd attaches it at every read.
  if (roles.includes('root') || (keys.api === 'v2' && user === 'root')) return true
  if (keys.api === 'v2') {
    const guest = user === anonymous
    const granted = guest ? (policy.v2?.guest ?? []) : permissionsOf(policy.v2?.roles, roles)
    const asked = guest ? { ...keys, recursive: false } : keys
    return granted.some(({ type, keys: pattern }) => allows(type, access) && matchesPath(pattern, asked))
  }
  const granted = permissionsOf(policy.v3?.roles, roles).filter(({ type }) => allows(type, access))
  return containsInterval(union(granted.map(({ keys }) => toInterval(keys))), toInterval(keys))
}

/** The roles that a user holds, by name. */
export function rolesOf(bindings: Bindings, user: string): readonly string[] {
  return Object.hasOwn(bindings, user) ? (bindings[user] ?? []) : []
}

/** What the roles grant together. */
function permissionsOf<S extends KeyRange | PathPattern>(declared: Roles<S> | undefined, roles: readonly string[]): readonly Permission<S>[] {
  return roles.flatMap((role) => (declared !== undefined && Object.hasOwn(declared, role) ? (declared[role] ?? []) : []))
}

function unknownUser(user: string, known: readonly string[]): EtcdRbacError {
  const shown = known.slice(0, 20).map(quoted)
  if (known.length > shown.length) shown.push(`${known.length - shown.length} more`)
  const wanted = known.length === 0 ? 'a user, and the policy declares none' : `one of ${shown.join(', ')}`
  return new EtcdRbacError('ERR_USER_UNKNOWN', { found: `user ${quoted(user)}`, wanted, fix: 'declare it in the policy' }, { user, known })
}
