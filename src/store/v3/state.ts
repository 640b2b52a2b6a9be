/** What a v3 store remembers, and what a call is answered from. */
import type { Caller } from '../caller.js'
import type { Quirks } from '../quirks.js'
import type { ResponseHeader, WirePermission } from './rpc.js'

/** How a user's password is judged. `any` takes none: the user was made without password, or lost it to an empty new one. */
export type Password =
  | { readonly kind: 'password'; readonly bytes: Uint8Array }
  | { readonly kind: 'none' }
  | { readonly kind: 'lost' }

export interface UserRecord {
  readonly password: Password
  /** Sorted by bytes. */
  readonly roles: readonly string[]
}

export interface StoredKey {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly created: number
  readonly modified: number
  readonly version: number
  /** The id of the lease that it is on, {@link NO_LEASE} for none. */
  readonly lease: string
}

/** What has no lease, on the wire too. */
export const NO_LEASE = '0'

/** A lease: its time to live in seconds, and when it ends if it is not kept alive, in milliseconds since 1970. */
export interface LeaseRecord {
  readonly ttl: number
  readonly expires: number
}

/** What a revision made of a key: as it is from then on, and as it was. `stored` is `undefined` from the revision that deleted it. */
export interface Change {
  readonly revision: number
  readonly key: Uint8Array
  readonly stored: StoredKey | undefined
  readonly previous: StoredKey | undefined
}

/** The mutable state of one cluster. Names are Map keys, so that users called `__proto__` or `10` are users like others. */
export interface State {
  enabled: boolean
  authRevision: number
  readonly users: Map<string, UserRecord>
  /** Permissions in etcd's order: by key, later ones of an equal key behind earlier ones. */
  readonly roles: Map<string, readonly WirePermission[]>
  /** Token → whose, and until when if it is not used. */
  readonly tokens: Map<string, { readonly user: string; readonly expires: number }>
  logins: number
  /** The revision of the keys; 1 is that of the empty store. */
  revision: number
  /** -1 before the first compaction, so that compacting at 0 succeeds once, as in etcd. */
  compacted: number
  readonly history: Change[]
  /** The keys as they are, by their bytes in hexadecimal. */
  readonly keys: Map<string, StoredKey>
  /** By id, a decimal number of 64 bits. */
  readonly leases: Map<string, LeaseRecord>
  /** The keys on each lease, by their bytes in hexadecimal. */
  readonly attached: Map<string, Map<string, StoredKey>>
  /** No lease ends before: milliseconds since 1970. */
  leasesLast: number
  /** How many leases have had their ids drawn by the store. */
  leaseIds: number
  /** A request has killed the member, and will again on each start: it is in the raft log. */
  dead: boolean
}

export interface Context {
  readonly state: State
  readonly quirks: Quirks
  readonly caller: Caller
  readonly now: Date
}

/** The state of a new cluster. */
export function emptyState(): State {
  return {
    enabled: false,
    authRevision: 1,
    users: new Map(),
    roles: new Map(),
    tokens: new Map(),
    logins: 0,
    revision: 1,
    compacted: -1,
    history: [],
    keys: new Map(),
    leases: new Map(),
    attached: new Map(),
    leasesLast: Number.POSITIVE_INFINITY,
    leaseIds: 0,
    dead: false,
  }
}

/** The header of a reply. Cluster and member ids are arbitrary, as they are in a real one. */
export function headerOf(state: State): ResponseHeader {
  return { cluster_id: CLUSTER_ID, member_id: MEMBER_ID, revision: String(state.revision), raft_term: '2' }
}

/** The arbitrary ids of the one member and its cluster, decimal; v2 shows them in hexadecimal. */
export const CLUSTER_ID = '14841639068965178418'
export const MEMBER_ID = '10276657743932975437'
