/** The typed builders of a policy. */
import type { Because, BecauseUnknown } from '../because.js'
import type { KeyRange } from '../keys/key-range.js'
import type { PathPattern } from '../keys/pattern.js'
import type { Permission } from '../keys/permission.js'
import { checkedPolicy } from './check.js'
import type { Policy, Roles, Users } from './policy.js'

/** `N` where no user has that name; otherwise a type that says so. Names that are not known when compiling are left to run time. */
export type NotUser<U, N extends string> = N extends (string extends keyof U ? 'root' : keyof U | 'root') ? Because<`'${N}' is an etcd user: no member or authority may share its name`> : N

/** `N` where no member has that name; otherwise a type that says so. */
export type NotMember<M, N> = string extends M ? N : N extends M & string ? Because<`'${N}' is a member: no authority may share its name`> : N

/** Who holds which roles: users of the table `U`, and roles of the table `R` or etcd's own `root`. */
export type BoundRoles<U, R> = { readonly [N in keyof U & string]?: readonly ((keyof R & string) | 'root')[] }

/**
 * What the bindings `B` must be: roles of the table `R` for users of the table `U`. Of another it wants what says so, since TypeScript takes a table that was built
 * beforehand with names beyond those that are asked for.
 */
export type BoundUsers<U, R, B> = {
  readonly [N in keyof B]: string extends keyof U | N
    ? readonly ((keyof R & string) | 'root')[]
    : N extends keyof U
      ? readonly ((keyof R & string) | 'root')[]
      : BecauseUnknown<`user '${N & string}' is not declared in users: declare it there, or write one of these`, keyof U>
}

/** The table of roles `R`, without those that etcd or the half of the policy has already: `Own` says why not. */
export type OwnRoles<R, Own> = { readonly [N in keyof R]: N extends keyof Own ? Own[N] : R[N] }

/** The role that is in every etcd. */
export interface RootRole {
  readonly root: Because<"role 'root' is etcd's own and may do everything: bind users to it without declaring it">
}

/** The roles that are in every v2 store. */
export interface V2OwnRoles extends RootRole {
  readonly guest: Because<"role 'guest' stands in a field of its own: write v2.guest">
}

/**
 * Keeps the literal names and logins of a user table that is built before the policy. Returns the table as it is, unchecked.
 *
 * @example
 * ```ts
 * import { definePolicy, defineUsers } from 'etcd-rbac'
 * const users = defineUsers({ root: 'certificate', auditor: 'password' })
 * definePolicy({ users, v3: { roles: {}, bindings: { root: ['root'] } } })
 * ```
 */
export function defineUsers<const U extends Users>(users: U): U {
  return users
}

/**
 * A checked policy with its names as literal types: a frozen copy, whose tables have no prototype. A half that is left out is `undefined`, `members` and
 * `authorities` are empty unless named; nothing else has a default.
 *
 * @throws {@link EtcdRbacError} `ERR_POLICY_INVALID`, with every problem and its path
 * @example
 * ```ts
 * import { definePolicy, prefix, readwrite } from 'etcd-rbac'
 * const policy = definePolicy({
 *   users: { root: 'certificate', 'calico-node': 'certificate' },
 *   members: ['etcd-0'],
 *   authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
 *   v3: {
 *     roles: { calicoNode: [readwrite(prefix('/calico/felix/v1/'))] },
 *     bindings: { root: ['root'], 'calico-node': ['calicoNode'] },
 *   },
 * })
 * ```
 */
export function definePolicy<
  const U extends Users,
  const R3 extends Roles<KeyRange> = Record<never, never>,
  const R2 extends Roles<PathPattern> = Record<never, never>,
  const M extends string = never,
  const A extends string = never,
  const B3 = Record<never, never>,
  const B2 = Record<never, never>,
>(spec: {
  readonly users: U
  readonly members?: readonly NotUser<U, M>[]
  readonly authorities?: readonly NotMember<NoInfer<M>, NotUser<U, A>>[]
  readonly v3?: { readonly roles: OwnRoles<R3, RootRole>; readonly bindings: BoundRoles<U, NoInfer<R3>> & BoundUsers<U, NoInfer<R3>, B3> }
  readonly v2?: { readonly guest: readonly Permission<PathPattern>[]; readonly roles: OwnRoles<R2, V2OwnRoles>; readonly bindings: BoundRoles<U, NoInfer<R2>> & BoundUsers<U, NoInfer<R2>, B2> }
}): Policy<U, NoInfer<M>, NoInfer<A>> {
  return checkedPolicy(spec) as Policy<U, M, A>
}

/**
 * A policy read from JSON: the same data that `JSON.stringify(policy)` gives. Takes a parsed value, not text.
 *
 * @throws {@link EtcdRbacError} `ERR_POLICY_INVALID`, with every problem and its path
 * @example
 * ```ts
 * import { can, definePolicy, parsePolicy, prefix, put, readwrite } from 'etcd-rbac'
 * const text = JSON.stringify(definePolicy({
 *   users: { app: 'password' },
 *   v3: { roles: { app: [readwrite(prefix('/app/'))] }, bindings: { app: ['app'] } },
 * }))
 * console.log(can(parsePolicy(JSON.parse(text)), 'app', put('/app/x'))) // true
 * ```
 */
export function parsePolicy(json: unknown): Policy {
  return checkedPolicy(json)
}
