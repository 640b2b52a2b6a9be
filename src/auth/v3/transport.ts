/** The raw Auth RPCs of etcd v3 (rpc.proto, service Auth), and a thin adapter over etcd3's `auth` client. */

/** A permission on the wire (auth.proto). Replies of etcd3 name the type, requests may too. */
export interface WirePermission {
  readonly permType: string | number
  readonly key: Uint8Array
  readonly range_end: Uint8Array
}

/** The RPCs that are used, with the fields that are read and written. */
export interface AuthRpcs {
  readonly authEnable: { readonly request: object; readonly reply: object }
  readonly authStatus: { readonly request: object; readonly reply: { readonly enabled: boolean } }
  readonly authenticate: { readonly request: { readonly name: string; readonly password: string }; readonly reply: object }
  readonly userAdd: {
    readonly request: { readonly name: string; readonly password: string; readonly options?: { readonly no_password: boolean } }
    readonly reply: object
  }
  readonly userGet: { readonly request: { readonly name: string }; readonly reply: { readonly roles: readonly string[] } }
  readonly userList: { readonly request: object; readonly reply: { readonly users: readonly string[] } }
  readonly userDelete: { readonly request: { readonly name: string }; readonly reply: object }
  readonly userGrantRole: { readonly request: { readonly user: string; readonly role: string }; readonly reply: object }
  readonly userRevokeRole: { readonly request: { readonly name: string; readonly role: string }; readonly reply: object }
  readonly roleAdd: { readonly request: { readonly name: string }; readonly reply: object }
  readonly roleGet: { readonly request: { readonly role: string }; readonly reply: { readonly perm: readonly WirePermission[] } }
  readonly roleList: { readonly request: object; readonly reply: { readonly roles: readonly string[] } }
  readonly roleDelete: { readonly request: { readonly role: string }; readonly reply: object }
  readonly roleGrantPermission: { readonly request: { readonly name: string; readonly perm: WirePermission }; readonly reply: object }
  readonly roleRevokePermission: {
    readonly request: { readonly role: string; readonly key: Uint8Array; readonly range_end: Uint8Array }
    readonly reply: object
  }
}

/** The name of an RPC, as etcd3 writes it. */
export type AuthMethod = keyof AuthRpcs

/**
 * How the v3 backend reaches a server.
 *
 * It must send the request at most once, and reject with an `Error` whose message is gRPC's: `9 FAILED_PRECONDITION: etcdserver: …`.
 */
export interface V3Transport {
  call<M extends AuthMethod>(method: M, request: AuthRpcs[M]['request'], options: { readonly deadline: Date }): Promise<AuthRpcs[M]['reply']>
}

interface CallOptions {
  readonly deadline?: Date
}

/** The `auth` client of an `etcd3` object, as far as it is used. Written with methods, so that its own types fit. */
export interface Etcd3AuthClient {
  authEnable(options?: CallOptions): Promise<object>
  authStatus(options?: CallOptions): Promise<{ enabled: boolean }>
  authenticate(request: { name?: string; password?: string }, options?: CallOptions): Promise<object>
  userAdd(request: { name?: string; password?: string; options?: { no_password?: boolean } }, options?: CallOptions): Promise<object>
  userGet(request: { name?: string }, options?: CallOptions): Promise<{ roles: string[] }>
  userList(options?: CallOptions): Promise<{ users: string[] }>
  userDelete(request: { name?: string }, options?: CallOptions): Promise<object>
  userGrantRole(request: { user?: string; role?: string }, options?: CallOptions): Promise<object>
  userRevokeRole(request: { name?: string; role?: string }, options?: CallOptions): Promise<object>
  roleAdd(request: { name?: string }, options?: CallOptions): Promise<object>
  roleGet(request: { role?: string }, options?: CallOptions): Promise<{ perm: WirePermission[] }>
  roleList(options?: CallOptions): Promise<{ roles: string[] }>
  roleDelete(request: { role?: string }, options?: CallOptions): Promise<object>
  // The key's type differs between clients (Buffer, Uint8Array); method parameters compare both ways.
  roleGrantPermission(request: { name?: string; perm?: object }, options?: CallOptions): Promise<object>
  roleRevokePermission(request: { role?: string; key?: Uint8Array; range_end?: Uint8Array }, options?: CallOptions): Promise<object>
}

const WITHOUT_REQUEST: ReadonlySet<AuthMethod> = new Set(['authEnable', 'authStatus', 'userList', 'roleList'])

/** Calls through etcd3's `auth` client: never its `Role` and `User` classes, whose array form of `revoke` grants. */
export function etcd3Transport(client: Etcd3AuthClient): V3Transport {
  return {
    call: async (method, request, options) => {
      const run = client[method] as (this: Etcd3AuthClient, ...args: readonly unknown[]) => Promise<object>
      const reply = await (WITHOUT_REQUEST.has(method) ? run.call(client, options) : run.call(client, request, options))
      return reply
    },
  }
}
