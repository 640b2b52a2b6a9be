/** What an etcd's auth store holds, as data, the same shape for v3 and v2. */
import { compareBytes, utf8 } from '../bytes.js'
import type { Permission } from '../keys/permission.js'
import { scopeOf } from '../keys/scope.js'
import type { Release } from './version.js'
import { hashOf } from './digest.js'

/** One of etcd's two separate auth stores. */
export type Api = 'v2' | 'v3'

/** What of the v2 API of a server was seen through the v3 backend: served without auth, with it, or not served; unknown where a member could not be asked and none is open. */
export type V2Seen = 'open' | 'locked' | 'absent' | 'unknown'

/**
 * A permission that a store holds. etcd v3 stores types that it does not know, `unknown` here: it grants nothing by them (server/auth/range_perm_cache.go,
 * `getMergedPerms`), but takes them for a permission when another is granted with the same keys.
 */
export type StoredPermission = Permission | { readonly type: 'unknown'; readonly keys: Permission['keys'] }

/** Names of users and roles. */
export interface StoreNames {
  readonly users: readonly string[]
  readonly roles: readonly string[]
}

/** Users, roles and whether auth is on. Tables have no prototype. */
export interface AuthState extends Release {
  readonly api: Api
  readonly enabled: boolean
  /** User → names of its roles, `root` among them. */
  readonly users: Readonly<Record<string, readonly string[]>>
  /** Role → permissions in stored order, duplicates included. v2's `guest` is one of them, its virtual `root` is not. */
  readonly roles: Readonly<Record<string, readonly StoredPermission[]>>
  /** On v3 while auth is off, since it matters before it is turned on: what was seen of the v2 API of the same server, where the backend was told how to look. */
  readonly v2?: V2Seen
  /** Which endpoints of v2 could not be asked, each with the reason. Left away where all could. */
  readonly v2Unasked?: readonly string[]
  /**
   * Names that the store lists and that cannot be asked for: no text in UTF-8, which older releases take, and which reads like another. Nothing is known of
   * them, and they are not among `users` and `roles`. On v2 also users whom it does not list and who hold a role that does not exist: they are among
   * `users` with that one, which is all that etcd tells of them, and may hold any other, role root too. Left away where there are none.
   */
  readonly unreadable?: StoreNames
  /** Users whom the empty password lets in, where that was asked for. */
  readonly emptyPasswords?: readonly string[]
  /** How many requests reading it took: on v3, each is an entry in etcd's raft log. */
  readonly reads?: number
}

const SURROGATE = /[\ud800-\udfff]/

/** Order of names as etcd lists them: of their UTF-8, which is encoded only where the order of UTF-16 units could be another. */
export function compareNames(a: string, b: string): number {
  if (SURROGATE.test(a) || SURROGATE.test(b)) return compareBytes(utf8(a), utf8(b))
  return a < b ? -1 : a > b ? 1 : 0
}

/** A table without prototype, names in etcd's order. */
export function tableOf<T>(entries: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  const table = Object.create(null) as Record<string, T>
  for (const [name, value] of [...entries].sort(([a], [b]) => compareNames(a, b))) table[name] = value
  return table
}

/** One line that is equal for equal states, free of secrets: what a plan was made against. */
export function fingerprint({ api, enabled, users, roles }: AuthState): string {
  const text = JSON.stringify([
    api,
    enabled,
    Object.entries(users).map(([user, held]) => [user, [...held].sort(compareNames)]),
    Object.entries(roles).map(([role, permissions]) => [role, permissions.map(({ type, keys }) => [type, scopeOf(keys)])]),
  ])
  return `${api}-${hashOf(text)}`
}
