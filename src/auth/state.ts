/** What an etcd's auth store holds, as data, the same shape for v3 and v2. */
import { compareBytes, utf8 } from '../bytes.js'
import type { Permission } from '../keys/permission.js'
import { scopeOf } from '../keys/scope.js'
import type { Release } from './version.js'

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
   * them, and they are not among `users` and `roles`. Left away where there are none.
   */
  readonly unreadable?: StoreNames
  /** Users whom the empty password lets in, where that was asked for. */
  readonly emptyPasswords?: readonly string[]
  /** How many requests reading it took: on v3, each is an entry in etcd's raft log. */
  readonly reads?: number
}

/** Order of names as etcd lists them. */
export function compareNames(a: string, b: string): number {
  return compareBytes(utf8(a), utf8(b))
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

/** One text for equal data, in whatever order its fields stand: JSON, fields by name, those without a value left away. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{${fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join()}}`
}

/** FNV-1a, 64 bits: tells texts apart, keeps nothing secret and nothing safe. */
export function hashOf(text: string): string {
  // In halves, since BigInt is slow: the prime is 2^40 + 0x1b3.
  let [high, low] = [0xcbf29ce4, 0x84222325]
  for (const byte of utf8(text)) {
    const mixed = (low ^ byte) >>> 0
    const product = mixed * 0x1b3
    low = product >>> 0
    high = (high * 0x1b3 + Math.floor(product / 2 ** 32) + ((mixed << 8) >>> 0)) % 2 ** 32
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}
