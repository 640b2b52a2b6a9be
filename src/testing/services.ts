/** etcd3's clients by structure, service by service, with `Uint8Array` where etcd3 has `Buffer`. */
import type { DeleteRangeReply, HeaderReply, LeaseKeepAliveReply, LeaseTimeToLiveReply, Member, PutReply, RangeReply, ResponseHeader, StatusReply, WatchReply } from '../store/index.js'
import type { CallOptions } from './calls.js'
import type { MemoryStream } from './stream.js'

/** A permission as `roleGet` shows it: `Read`, `Write` or `Readwrite`, or the number of a type that etcd does not know but stores. */
export interface PermissionReply {
  readonly permType: string
  readonly key: Uint8Array
  readonly range_end: Uint8Array
}

/**
 * A permission as `roleGrantPermission` takes it: `Read` (0), `Write` (1), `Readwrite` (2). Any other name, `READWRITE` too, goes over the wire
 * as Read: so etcd3 does it.
 */
export interface PermissionRequest {
  readonly permType?: string | number
  readonly key?: Uint8Array
  readonly range_end?: Uint8Array
}

/** etcd3's `AuthClient` by structure. Rejects as etcd3 does: `9 FAILED_PRECONDITION: etcdserver: …`. */
export interface MemoryAuth {
  /** Turns auth on: wants a user `root` who holds role `root`. */
  authEnable(options?: CallOptions): Promise<HeaderReply>
  /** Turns auth off; by role root only while it is on. */
  authDisable(options?: CallOptions): Promise<HeaderReply>
  /** Whether auth is on, and the revision of the auth store. UNIMPLEMENTED before 3.5. */
  authStatus(options?: CallOptions): Promise<HeaderReply & { enabled: boolean; authRevision: string }>
  /** Logs in by password. The token is good for 300 seconds after its last use, by the double's clock. */
  authenticate(request: { name?: string; password?: string }, options?: CallOptions): Promise<HeaderReply & { token: string }>
  /** Makes a user. `no_password` is ignored by etcd 3.3, which leaves the password empty. */
  userAdd(request: { name?: string; password?: string; options?: { no_password?: boolean } }, options?: CallOptions): Promise<HeaderReply>
  /** The roles of a user. Beside role root a user may ask about itself. */
  userGet(request: { name?: string }, options?: CallOptions): Promise<HeaderReply & { roles: string[] }>
  /** The names of all users, in the order of their bytes. */
  userList(options?: CallOptions): Promise<HeaderReply & { users: string[] }>
  /** Deletes a user, and forgets its tokens. */
  userDelete(request: { name?: string }, options?: CallOptions): Promise<HeaderReply>
  /** Changes a password, and forgets the user's tokens. */
  userChangePassword(request: { name?: string; password?: string }, options?: CallOptions): Promise<HeaderReply>
  /** Binds a user to a role. Once more is no error. */
  userGrantRole(request: { user?: string; role?: string }, options?: CallOptions): Promise<HeaderReply>
  /** Unbinds a user, `name`, from a role. */
  userRevokeRole(request: { name?: string; role?: string }, options?: CallOptions): Promise<HeaderReply>
  /** Makes a role. Without a name it kills a 3.3 for good. */
  roleAdd(request: { name?: string }, options?: CallOptions): Promise<HeaderReply>
  /** The permissions of a role, in stored order, duplicates included. */
  roleGet(request: { role?: string }, options?: CallOptions): Promise<HeaderReply & { perm: PermissionReply[] }>
  /** The names of all roles, in the order of their bytes. */
  roleList(options?: CallOptions): Promise<HeaderReply & { roles: string[] }>
  /** Deletes a role, and unbinds whoever holds it. */
  roleDelete(request: { role?: string }, options?: CallOptions): Promise<HeaderReply>
  /** Grants a permission. Only the first one with the same start key is replaced: others are appended beside it. Without `perm` it kills a 3.3, and a 3.4 before 3.4.25, for good. */
  roleGrantPermission(request: { name?: string; perm?: PermissionRequest }, options?: CallOptions): Promise<HeaderReply>
  /** Takes the permissions with exactly that key and range end. */
  roleRevokePermission(request: { role?: string; key?: Uint8Array; range_end?: Uint8Array }, options?: CallOptions): Promise<HeaderReply>
}

/** A key range as a request names it. */
export interface RangeMessage {
  readonly key?: Uint8Array
  readonly range_end?: Uint8Array
}

/** etcd3's `KVClient` by structure. Requests take all fields of `rpc.proto` that concern keys and rights; of 64-bit numbers, text is exact. */
export interface MemoryKv {
  /** Reads a range; wants a right to read all of it. */
  range(
    request: RangeMessage & { limit?: number | string; revision?: number | string; keys_only?: boolean; count_only?: boolean; sort_order?: number | string; sort_target?: number | string },
    options?: CallOptions,
  ): Promise<RangeReply>
  /** Writes one key; wants a right to write it and all keys of its lease, and to read it where `prev_kv` asks for the value before. */
  put(
    request: { key?: Uint8Array; value?: Uint8Array; lease?: number | string; prev_kv?: boolean; ignore_value?: boolean; ignore_lease?: boolean },
    options?: CallOptions,
  ): Promise<PutReply>
  /** Deletes a range; wants a right to write all of it, and to read it where `prev_kv` asks for the values before. */
  deleteRange(request: RangeMessage & { prev_kv?: boolean }, options?: CallOptions): Promise<DeleteRangeReply>
  /** Compares, and runs one of two lists of operations. Rights are wanted for both lists, and to read what is compared, holes by version included. */
  txn(
    request: { compare?: readonly object[]; success?: readonly object[]; failure?: readonly object[] },
    options?: CallOptions,
  ): Promise<HeaderReply & { readonly succeeded: boolean; readonly responses: readonly Readonly<Record<string, unknown>>[] }>
  /** Forgets history up to a revision. From 3.4.42, 3.5.28 and 3.6.9 on by role root only; before, by anyone. */
  compact(request: { revision?: number | string }, options?: CallOptions): Promise<HeaderReply>
}

/** etcd3's `LeaseClient` by structure. Ids are decimal text: they do not fit into a number. Leases end by the double's clock. */
export interface MemoryLease {
  /** Makes a lease of so many seconds, 2 at least. Without an `ID`, etcd draws one. */
  leaseGrant(request: { TTL?: number | string; ID?: number | string }, options?: CallOptions): Promise<HeaderReply & { readonly ID: string; readonly TTL: string; readonly error: string }>
  /** Ends a lease, and deletes its keys; wants a right to write them. */
  leaseRevoke(request: { ID?: number | string }, options?: CallOptions): Promise<HeaderReply>
  /** Opens a stream that renews a lease with each message: `{ ID }`. */
  leaseKeepAlive(options?: CallOptions): Promise<MemoryStream<{ ID?: number | string }, LeaseKeepAliveReply>>
  /** What is left of a lease. With `keys`, its keys: who may ask for those depends on the version. */
  leaseTimeToLive(request: { ID?: number | string; keys?: boolean }, options?: CallOptions): Promise<LeaseTimeToLiveReply>
  /** The ids of all leases. */
  leaseLeases(options?: CallOptions): Promise<HeaderReply & { readonly leases: readonly { readonly ID: string }[] }>
}

/** What goes into a stream of watches. */
export interface WatchMessage {
  readonly create_request?: RangeMessage & {
    readonly start_revision?: number | string
    /** What not to be told of: `Noput` (0), `Nodelete` (1). */
    readonly filters?: readonly (string | number)[]
    readonly prev_kv?: boolean
    readonly watch_id?: number | string
    /** Taken, and not answered: there is no time in which nothing happens. */
    readonly progress_notify?: boolean
  }
  readonly cancel_request?: { readonly watch_id?: number | string }
  readonly progress_request?: object
}

/** etcd3's `WatchClient` by structure. */
export interface MemoryWatch {
  /**
   * Opens a stream of watches. Rights are checked when a watch is created, and never again, as in etcd. A refusal is no error but a message with
   * `canceled` and `cancel_reason`.
   */
  watch(options?: CallOptions): Promise<MemoryStream<WatchMessage, WatchReply>>
}

/** etcd3's `ClusterClient` by structure, as far as it only reads. */
export interface MemoryCluster {
  /** The one member. */
  memberList(request: object, options?: CallOptions): Promise<HeaderReply & { readonly members: readonly Member[] }>
}

/** etcd3's `MaintenanceClient` by structure, but for snapshots and what moves leaders and versions; `hashKV` etcd3 cannot call. Who may ask depends on the version. */
export interface MemoryMaintenance {
  /** The version of the member, and facts about its store. */
  status(options?: CallOptions): Promise<StatusReply>
  /** Lists alarms, of which there are none, or ends them: `Get` (0), `Deactivate` (2). */
  alarm(request: { action?: string | number }, options?: CallOptions): Promise<{ readonly header: ResponseHeader | null; readonly alarms: readonly never[] }>
  /** Answers, and has nothing to do. */
  defragment(options?: CallOptions): Promise<{ readonly header: null }>
  /** Answers with a hash that says nothing. */
  hash(options?: CallOptions): Promise<HeaderReply & { readonly hash: number }>
}
