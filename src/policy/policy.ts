/**
 * The policy: who there is, how each logs in, and what each may do. Data only; everything else is a function over it.
 *
 * Users are shared by the v3 and the v2 half, since a certificate has one Common Name. Roles, bindings and permissions are not: etcd keeps
 * two separate auth stores, and a v3 byte interval is not a v2 path.
 */
import type { Because } from '../because.js'
import type { KeyRange } from '../keys/key-range.js'
import type { PathPattern } from '../keys/pattern.js'
import type { Permission } from '../keys/permission.js'

/** How a user proves who it is: by a client certificate with its name as Common Name, or by a password. */
export type Login = 'certificate' | 'password'

/** A table of users: name → how it logs in. */
export type Users = Readonly<Record<string, Login>>

/** A table of roles: name → permissions. The role `root` is etcd's own and never in it. */
export type Roles<S extends KeyRange | PathPattern> = Readonly<Record<string, readonly Permission<S>[]>>

/** Who holds which roles. */
export type Bindings = Readonly<Record<string, readonly string[]>>

/** The v3 half of a policy. */
export interface PolicyV3 {
  readonly roles: Roles<KeyRange>
  readonly bindings: Bindings
}

/** The v2 half of a policy. `guest` is what clients without a known user may do: `[]` unless something must stay public. */
export interface PolicyV2 {
  readonly guest: readonly Permission<PathPattern>[]
  readonly roles: Roles<PathPattern>
  readonly bindings: Bindings
}

/** A checked policy. Made by `definePolicy` or `parsePolicy`; its tables have no prototype, so any name may be looked up. */
export interface Policy<U extends Users = Users, M extends string = string, A extends string = string> {
  readonly users: U
  /** Names of etcd members. No user has one of them. */
  readonly members: readonly M[]
  /** Names of certificate authorities. No user has one of them: etcd v2 takes a CA's Common Name for a user's. */
  readonly authorities: readonly A[]
  readonly v3: PolicyV3 | undefined
  readonly v2: PolicyV2 | undefined
}

/** The names of a policy's users. */
export type UserName<P extends Policy> = keyof P['users'] & string

/**
 * `N` where that user logs in by certificate; otherwise a type that says what is wrong. The names are spelt out in place, not by an alias: the
 * compiler prints an alias by its name, and nobody could choose from that.
 */
export type CertificateUser<P extends Policy, N extends string> = string extends keyof P['users']
  ? N
  : N extends keyof P['users']
    ? 'certificate' extends P['users'][N]
      ? N
      : Because<`user '${N}' logs in by password: no certificate`>
    : { [K in keyof P['users'] & string]: 'certificate' extends P['users'][K] ? K : never }[keyof P['users'] & string]

/** `N` where the policy declares that member. */
export type MemberName<P extends Policy> = P['members'][number]

/** `N` where the policy declares that authority. */
export type AuthorityName<P extends Policy> = P['authorities'][number]
