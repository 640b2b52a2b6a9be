/**
 * The requests and replies of etcd's v3 RPCs, as far as they are answered here: field names of `rpc.proto`, 64-bit numbers as decimal
 * strings, absent messages as `null`, which is how etcd3 decodes them.
 */

/** 0 READ, 1 WRITE, 2 READWRITE (`auth.proto`); etcd stores any other number as it comes. */
export type WirePermissionType = number

export interface WirePermission {
  readonly permType: WirePermissionType
  readonly key: Uint8Array
  readonly range_end: Uint8Array
}

/** The header of every reply. 64-bit numbers are decimal strings, as etcd3 decodes them. */
export interface ResponseHeader {
  readonly cluster_id: string
  readonly member_id: string
  /** The revision of the key space, not of the auth store. */
  readonly revision: string
  readonly raft_term: string
}

/** A reply that carries a header and nothing else. */
export interface HeaderReply {
  readonly header: ResponseHeader
}

/** A key and its value, with the revisions at which it was made and last changed. */
export interface KeyValue {
  readonly key: Uint8Array
  readonly create_revision: string
  readonly mod_revision: string
  readonly version: string
  readonly value: Uint8Array
  readonly lease: string
}

export interface RangeRequest {
  readonly key: Uint8Array
  readonly range_end: Uint8Array
  /** Whether `range_end` is on the wire although it is empty: Go then has an empty slice, not nil, and some of etcd tells them apart. */
  readonly emptyEndSent: boolean
  readonly limit: number
  readonly revision: number
  /** 0 none, 1 ascending, 2 descending. */
  readonly sort_order: number
  /** 0 key, 1 version, 2 create revision, 3 mod revision, 4 value. */
  readonly sort_target: number
  readonly keys_only: boolean
  readonly count_only: boolean
  /** Revisions of the keys that are wanted; 0 is no bound. */
  readonly min_mod_revision: number
  readonly max_mod_revision: number
  readonly min_create_revision: number
  readonly max_create_revision: number
}

/** What a range holds. */
export interface RangeReply extends HeaderReply {
  readonly kvs: readonly KeyValue[]
  /** Whether the limit left some out. */
  readonly more: boolean
  /** How many keys there are in the range, whatever the limit. */
  readonly count: string
}

export interface PutRequest {
  readonly key: Uint8Array
  readonly value: Uint8Array
  /** Decimal; `0` is none. */
  readonly lease: string
  readonly prev_kv: boolean
  readonly ignore_value: boolean
  readonly ignore_lease: boolean
}

/** What a put has done. */
export interface PutReply extends HeaderReply {
  /** What was there before, if it was asked for and there was something. */
  readonly prev_kv: KeyValue | null
}

export interface DeleteRangeRequest {
  readonly key: Uint8Array
  readonly range_end: Uint8Array
  readonly prev_kv: boolean
}

/** What a delete has done. */
export interface DeleteRangeReply extends HeaderReply {
  /** How many keys. */
  readonly deleted: string
  /** What they held, if it was asked for. */
  readonly prev_kvs: readonly KeyValue[]
}

export interface Compare {
  /** 0 equal, 1 greater, 2 less, 3 not equal. */
  readonly result: number
  /** 0 version, 1 create revision, 2 mod revision, 3 value, 4 lease. */
  readonly target: number
  readonly key: Uint8Array
  readonly range_end: Uint8Array
  /** See {@link RangeRequest.emptyEndSent}. */
  readonly emptyEndSent: boolean
  readonly number: bigint
  readonly value: Uint8Array
}

export type RequestOp =
  | { readonly op: 'range'; readonly request: RangeRequest }
  | { readonly op: 'put'; readonly request: PutRequest }
  | { readonly op: 'deleteRange'; readonly request: DeleteRangeRequest }
  | { readonly op: 'txn'; readonly request: TxnRequest }
  /** An operation that holds none of them. */
  | { readonly op: 'none' }

export interface TxnRequest {
  readonly compare: readonly Compare[]
  readonly success: readonly RequestOp[]
  readonly failure: readonly RequestOp[]
}

export type ResponseOp =
  | { readonly op: 'range'; readonly reply: RangeReply }
  | { readonly op: 'put'; readonly reply: PutReply }
  | { readonly op: 'deleteRange'; readonly reply: DeleteRangeReply }
  | { readonly op: 'txn'; readonly reply: TxnReply }

export interface TxnReply extends HeaderReply {
  readonly succeeded: boolean
  readonly responses: readonly ResponseOp[]
}

export interface WatchCreateRequest {
  readonly key: Uint8Array
  readonly range_end: Uint8Array
  /** 0: from now on. */
  readonly start_revision: number
  /** What not to be told of: 0 puts, 1 deletes. */
  readonly filters: readonly number[]
  readonly prev_kv: boolean
  /** Decimal; `0`: one that the server chooses. */
  readonly watch_id: string
}

/** What a client sends on a stream of watches. */
export type WatchRequest =
  | { readonly kind: 'create'; readonly create: WatchCreateRequest }
  | { readonly kind: 'cancel'; readonly watch_id: string }
  | { readonly kind: 'progress' }
  /** A message that holds none of them. */
  | { readonly kind: 'none' }

/** What a watch tells of. */
export interface WatchEvent {
  readonly type: 'Put' | 'Delete'
  /** The key as it is now; of a deleted one, its name and the revision. */
  readonly kv: KeyValue
  /** The key as it was, if that was asked for. */
  readonly prev_kv: KeyValue | null
}

/** A message of a stream of watches. */
export interface WatchReply extends HeaderReply {
  /** `-1` where the watch was refused, or where all are meant. */
  readonly watch_id: string
  /** Whether it answers the creation of a watch. */
  readonly created: boolean
  /** Whether the watch is over: refused (and `created` all the same), cancelled, or in want of revisions that are compacted. */
  readonly canceled: boolean
  /** The oldest revision that there is, where an older one was wanted. */
  readonly compact_revision: string
  readonly cancel_reason: string
  readonly fragment: boolean
  readonly events: readonly WatchEvent[]
}

/** A lease kept alive. */
export interface LeaseKeepAliveReply extends HeaderReply {
  readonly ID: string
  /** Seconds; `0` where there is no such lease. */
  readonly TTL: string
}

/** What is left of a lease. */
export interface LeaseTimeToLiveReply extends HeaderReply {
  readonly ID: string
  /** Whole seconds; `-1` where there is no such lease. */
  readonly TTL: string
  /** Seconds. */
  readonly grantedTTL: string
  /** The keys that are on it, in no order, if they were asked for. */
  readonly keys: readonly Uint8Array[]
}

/** The state of a member. */
export interface StatusReply extends HeaderReply {
  readonly version: string
  readonly dbSize: string
  readonly leader: string
  readonly raftIndex: string
  readonly raftTerm: string
  readonly raftAppliedIndex: string
  readonly errors: readonly string[]
  readonly dbSizeInUse: string
  readonly isLearner: boolean
}

/** A member of the cluster. */
export interface Member {
  readonly ID: string
  readonly name: string
  readonly peerURLs: readonly string[]
  readonly clientURLs: readonly string[]
  readonly isLearner: boolean
}

/** Every call that the store answers: what it takes and what it gives. */
export interface Calls {
  readonly authEnable: readonly [request: object, reply: HeaderReply]
  readonly authDisable: readonly [request: object, reply: HeaderReply]
  readonly authStatus: readonly [request: object, reply: HeaderReply & { readonly enabled: boolean; readonly authRevision: string }]
  readonly authenticate: readonly [request: { readonly name: string; readonly password: string }, reply: HeaderReply & { readonly token: string }]
  readonly userAdd: readonly [
    request: { readonly name: string; readonly password: string; readonly no_password: boolean },
    reply: HeaderReply,
  ]
  readonly userGet: readonly [request: { readonly name: string }, reply: HeaderReply & { readonly roles: readonly string[] }]
  readonly userList: readonly [request: object, reply: HeaderReply & { readonly users: readonly string[] }]
  readonly userDelete: readonly [request: { readonly name: string }, reply: HeaderReply]
  readonly userChangePassword: readonly [request: { readonly name: string; readonly password: string }, reply: HeaderReply]
  readonly userGrantRole: readonly [request: { readonly user: string; readonly role: string }, reply: HeaderReply]
  readonly userRevokeRole: readonly [request: { readonly name: string; readonly role: string }, reply: HeaderReply]
  readonly roleAdd: readonly [request: { readonly name: string }, reply: HeaderReply]
  readonly roleGet: readonly [request: { readonly role: string }, reply: HeaderReply & { readonly perm: readonly WirePermission[] }]
  readonly roleList: readonly [request: object, reply: HeaderReply & { readonly roles: readonly string[] }]
  readonly roleDelete: readonly [request: { readonly role: string }, reply: HeaderReply]
  readonly roleGrantPermission: readonly [
    request: { readonly name: string; readonly perm: WirePermission | undefined },
    reply: HeaderReply,
  ]
  readonly roleRevokePermission: readonly [
    request: { readonly role: string; readonly key: Uint8Array; readonly range_end: Uint8Array },
    reply: HeaderReply,
  ]
  readonly range: readonly [request: RangeRequest, reply: RangeReply]
  readonly put: readonly [request: PutRequest, reply: PutReply]
  readonly deleteRange: readonly [request: DeleteRangeRequest, reply: DeleteRangeReply]
  readonly txn: readonly [request: TxnRequest, reply: TxnReply]
  readonly leaseGrant: readonly [request: { readonly ID: string; readonly TTL: number }, reply: HeaderReply & { readonly ID: string; readonly TTL: string; readonly error: string }]
  readonly leaseRevoke: readonly [request: { readonly ID: string }, reply: HeaderReply]
  readonly leaseKeepAlive: readonly [request: { readonly ID: string }, reply: LeaseKeepAliveReply]
  readonly leaseTimeToLive: readonly [request: { readonly ID: string; readonly keys: boolean }, reply: LeaseTimeToLiveReply]
  readonly leaseLeases: readonly [request: object, reply: HeaderReply & { readonly leases: readonly { readonly ID: string }[] }]
  readonly compact: readonly [request: { readonly revision: number }, reply: HeaderReply]
  readonly alarm: readonly [request: { readonly action: number }, reply: { readonly header: ResponseHeader | null; readonly alarms: readonly never[] }]
  readonly defragment: readonly [request: object, reply: { readonly header: null }]
  readonly hash: readonly [request: object, reply: HeaderReply & { readonly hash: number }]
  readonly memberList: readonly [request: object, reply: HeaderReply & { readonly members: readonly Member[] }]
  readonly status: readonly [request: object, reply: StatusReply]
}

/** The name of a call: a method of the services Auth, KV, Lease, Cluster and Maintenance, in lower camel case. */
export type Method = keyof Calls
