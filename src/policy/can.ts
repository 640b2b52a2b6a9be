/**
 * Whether etcd would let a user do something.
 *
 * v3: `server/auth/range_perm_cache.go` — the union of the user's intervals must contain the whole requested range; role root may do
 * everything. v2: `v2auth/auth.go` and `v2http/client_auth.go` — one pattern must match the request's path; without a known user the
 * guest role decides, and it ignores `recursive`.
 */
import type { Anonymous } from './anonymous.js'
import type { Asked } from './index-policy.js'
import { isAllowed, questionOf, type Circumstances } from './judge.js'
import type { Operation } from './operations.js'
import type { Policy } from './policy.js'

/**
 * Whether the policy lets a user do an operation: by etcd's intended rules or, with `etcd`, by those of one release, its holes included.
 *
 * `anonymous` stands for every client that no user names, so that the answer for it is yes where any of them passes.
 *
 * @throws {@link EtcdRbacError} `ERR_USER_UNKNOWN`, `ERR_POLICY_HALF_MISSING`, `ERR_VERSION_UNSUPPORTED`
 * @example
 * ```ts
 * import { call, can, definePolicy, get, path, pattern, prefix, put, read } from 'etcd-rbac'
 * const policy = definePolicy({
 *   users: { auditor: 'certificate' },
 *   v3: { roles: { audit: [read(prefix('/calico/'))] }, bindings: { auditor: ['audit'] } },
 *   v2: { guest: [], roles: { audit: [read(pattern('/calico/*'))] }, bindings: { auditor: ['audit'] } },
 * })
 * console.log(can(policy, 'auditor', get(prefix('/calico/')))) // true
 * console.log(can(policy, 'auditor', put('/calico/x'))) // false
 * console.log(can(policy, 'auditor', get(path('/calico/', { recursive: true })))) // true
 * console.log(can(policy, 'auditor', call('compact'))) // false
 * console.log(can(policy, 'auditor', call('compact'), { etcd: '3.5.16' })) // true
 * ```
 */
export function can<P extends Policy>(policy: Asked<P>, user: (keyof P['users'] & string) | Anonymous, operation: Operation, circumstances: Circumstances = {}): boolean {
  return isAllowed(questionOf(policy, user, operation, circumstances))
}
