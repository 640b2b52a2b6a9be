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
  readonly lease: number
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
  readonly number: number
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
}

/** The first reply of a watch. */
export interface WatchReply extends HeaderReply {
  /** `-1` where it was refused. */
  readonly watch_id: string
  readonly created: boolean
  /** Whether it was refused; it is `created` all the same. */
  readonly canceled: boolean
  readonly cancel_reason: string
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
  readonly compact: readonly [request: { readonly revision: number }, reply: HeaderReply]
  readonly watchCreate: readonly [request: WatchCreateRequest, reply: WatchReply]
  readonly status: readonly [request: object, reply: StatusReply]
}

/** The name of a call: a method of the services Auth, KV, Watch and Maintenance, in lower camel case. */
export type Method = keyof Calls
