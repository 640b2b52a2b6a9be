/** The shapes that a double has for its callers: etcd3's clients, by structure, with `Uint8Array` where etcd3 has `Buffer`. */
import type { FetchLike, ResponseLike } from '../platform.js'
import type { Calls } from '../store/index.js'

/** What a call may be told. */
export interface CallOptions {
  /** When it is over: milliseconds since 1970, or a Date, by the double's clock. Default: never. */
  readonly deadline?: number | Date
}

/** The header of every reply. 64-bit numbers are decimal strings, as etcd3 decodes them. */
export interface ResponseHeader {
  readonly cluster_id: string
  readonly member_id: string
  readonly revision: string
  readonly raft_term: string
}

export interface HeaderReply {
  readonly header: ResponseHeader
}

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
  authEnable(options?: CallOptions): Promise<HeaderReply>
  authDisable(options?: CallOptions): Promise<HeaderReply>
  authStatus(options?: CallOptions): Promise<HeaderReply & { enabled: boolean; authRevision: string }>
  authenticate(request: { name?: string; password?: string }, options?: CallOptions): Promise<HeaderReply & { token: string }>
  userAdd(request: { name?: string; password?: string; options?: { no_password?: boolean } }, options?: CallOptions): Promise<HeaderReply>
  userGet(request: { name?: string }, options?: CallOptions): Promise<HeaderReply & { roles: string[] }>
  userList(options?: CallOptions): Promise<HeaderReply & { users: string[] }>
  userDelete(request: { name?: string }, options?: CallOptions): Promise<HeaderReply>
  userChangePassword(request: { name?: string; password?: string }, options?: CallOptions): Promise<HeaderReply>
  userGrantRole(request: { user?: string; role?: string }, options?: CallOptions): Promise<HeaderReply>
  userRevokeRole(request: { name?: string; role?: string }, options?: CallOptions): Promise<HeaderReply>
  roleAdd(request: { name?: string }, options?: CallOptions): Promise<HeaderReply>
  roleGet(request: { role?: string }, options?: CallOptions): Promise<HeaderReply & { perm: PermissionReply[] }>
  roleList(options?: CallOptions): Promise<HeaderReply & { roles: string[] }>
  roleDelete(request: { role?: string }, options?: CallOptions): Promise<HeaderReply>
  roleGrantPermission(request: { name?: string; perm?: PermissionRequest }, options?: CallOptions): Promise<HeaderReply>
  roleRevokePermission(request: { role?: string; key?: Uint8Array; range_end?: Uint8Array }, options?: CallOptions): Promise<HeaderReply>
}

/** A key range as a request names it. */
export interface RangeMessage {
  readonly key?: Uint8Array
  readonly range_end?: Uint8Array
}

/** etcd3's `KVClient` by structure. Requests take all fields of `rpc.proto` that concern keys and rights; leases do not exist here. */
export interface MemoryKv {
  range(
    request: RangeMessage & { limit?: number | string; revision?: number | string; keys_only?: boolean; count_only?: boolean; sort_order?: number | string; sort_target?: number | string },
    options?: CallOptions,
  ): Promise<Calls['range'][1]>
  put(
    request: { key?: Uint8Array; value?: Uint8Array; lease?: number | string; prev_kv?: boolean; ignore_value?: boolean; ignore_lease?: boolean },
    options?: CallOptions,
  ): Promise<Calls['put'][1]>
  deleteRange(request: RangeMessage & { prev_kv?: boolean }, options?: CallOptions): Promise<Calls['deleteRange'][1]>
  txn(
    request: { compare?: readonly object[]; success?: readonly object[]; failure?: readonly object[] },
    options?: CallOptions,
  ): Promise<HeaderReply & { readonly succeeded: boolean; readonly responses: readonly Readonly<Record<string, unknown>>[] }>
  compact(request: { revision?: number | string }, options?: CallOptions): Promise<HeaderReply>
}

/** An answer of {@link MemoryClient.fetch}. */
export interface MemoryResponse extends ResponseLike {
  readonly ok: boolean
  json(): Promise<unknown>
}

/** One client of a double, with an identity of its own. */
export interface MemoryClient {
  readonly auth: MemoryAuth
  readonly kv: MemoryKv
  readonly maintenance: { status(options?: CallOptions): Promise<Calls['status'][1]> }
  /** Opens a watch: the check of its rights, without events. A refusal is a reply with `canceled` and `cancel_reason`, as etcd has it. */
  watch(request: RangeMessage, options?: CallOptions): Promise<Calls['watchCreate'][1]>
  /** HTTP on the client port: `/v2`, `/version`, `/health`. Any host; as with `fetch`, `..` in the URL is resolved before it is sent. */
  readonly fetch: (...args: Parameters<FetchLike>) => Promise<MemoryResponse>
  /**
   * A client whose certificate has that Common Name. `undefined`: a certificate without one. On v3 that is nobody (PERMISSION_DENIED for
   * keys), on v2 the connection is reset.
   */
  as(commonName: string | undefined): MemoryClient
  /** A client without certificate and without login, as on a member without `--client-cert-auth`. */
  anonymous(): MemoryClient
  /** A client that sends that token on v3. It beats the certificate. */
  withToken(token: string): MemoryClient
  /** A client that logs in by password: on v3 before its first call, as etcd3 does; on v2 with a header on each request. */
  withPassword(user: string, password: string): MemoryClient
}
