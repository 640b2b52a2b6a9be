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
  readonly authDisable: { readonly request: object; readonly reply: object }
  readonly authStatus: { readonly request: object; readonly reply: { readonly enabled: boolean } }
  readonly authenticate: { readonly request: { readonly name: string; readonly password: string }; readonly reply: object }
  readonly userAdd: {
    readonly request: { readonly name: string; readonly password: string; readonly options?: { readonly no_password: boolean } }
    readonly reply: object
  }
  readonly userGet: { readonly request: { readonly name: string }; readonly reply: { readonly roles: readonly string[] } }
  readonly userList: { readonly request: object; readonly reply: { readonly users: readonly string[] } }
  readonly userChangePassword: { readonly request: { readonly name: string; readonly password: string }; readonly reply: object }
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
  /** On a way where no certificate is anybody: who logs in by password, if anyone does. Left away where certificates count. */
  readonly byPassword?: { readonly user: string | undefined }
  /** Sends one RPC and gives its reply. `deadline`: when it is over; the library stops waiting then, whatever this does. */
  call<M extends AuthMethod>(method: M, request: AuthRpcs[M]['request'], options: { readonly deadline: Date }): Promise<AuthRpcs[M]['reply']>
}

/** What etcd3 is told of a single call. */
export interface Etcd3CallOptions {
  /** When the call is over. */
  readonly deadline?: Date
}

/** The `auth` client of an `etcd3` object, as far as it is used. Written with methods, whose parameters compare both ways, so that its own types fit: keys are Buffer there. */
export interface Etcd3AuthClient {
  /** Turns auth on. */
  authEnable(options?: Etcd3CallOptions): Promise<object>
  /** Turns auth off. Only asked by `EtcdAuth.disable`. */
  authDisable?(options?: Etcd3CallOptions): Promise<object>
  /** Whether auth is on. etcd 3.5 and newer. */
  authStatus(options?: Etcd3CallOptions): Promise<{ enabled: boolean }>
  /** Logs in by password. Only asked of older servers, as a user that does not exist, to see whether auth is on. */
  authenticate(request: { name?: string; password?: string }, options?: Etcd3CallOptions): Promise<object>
  /** Makes a user: with a password, or with none to log in by (`no_password`, etcd 3.4 and newer). */
  userAdd(request: { name?: string; password?: string; options?: { no_password?: boolean } }, options?: Etcd3CallOptions): Promise<object>
  /** The roles of a user. */
  userGet(request: { name?: string }, options?: Etcd3CallOptions): Promise<{ roles: string[] }>
  /** The names of all users. */
  userList(options?: Etcd3CallOptions): Promise<{ users: string[] }>
  /** Changes a password. Only asked by `EtcdAuth.setPassword`. */
  userChangePassword?(request: { name?: string; password?: string }, options?: Etcd3CallOptions): Promise<object>
  /** Deletes a user. */
  userDelete(request: { name?: string }, options?: Etcd3CallOptions): Promise<object>
  /** Binds a user to a role. */
  userGrantRole(request: { user?: string; role?: string }, options?: Etcd3CallOptions): Promise<object>
  /** Unbinds a user, `name`, from a role. */
  userRevokeRole(request: { name?: string; role?: string }, options?: Etcd3CallOptions): Promise<object>
  /** Makes a role without permissions. */
  roleAdd(request: { name?: string }, options?: Etcd3CallOptions): Promise<object>
  /** The permissions of a role, in stored order. */
  roleGet(request: { role?: string }, options?: Etcd3CallOptions): Promise<{ perm: WirePermission[] }>
  /** The names of all roles. */
  roleList(options?: Etcd3CallOptions): Promise<{ roles: string[] }>
  /** Deletes a role; etcd unbinds whoever holds it. */
  roleDelete(request: { role?: string }, options?: Etcd3CallOptions): Promise<object>
  /** Grants a role a permission; of the same key and range end the type is replaced. */
  roleGrantPermission(request: { name?: string; perm?: object }, options?: Etcd3CallOptions): Promise<object>
  /** Takes a permission from a role: the one with exactly that key and range end. */
  roleRevokePermission(request: { role?: string; key?: Uint8Array; range_end?: Uint8Array }, options?: Etcd3CallOptions): Promise<object>
}

const WITHOUT_REQUEST: ReadonlySet<AuthMethod> = new Set(['authEnable', 'authDisable', 'authStatus', 'userList', 'roleList'])

/** Calls through etcd3's `auth` client: never its `Role` and `User` classes, whose array form of `revoke` grants. */
export function etcd3Transport(client: Etcd3AuthClient): V3Transport {
  return {
    call: async (method, request, options) => {
      const run = client[method] as ((this: Etcd3AuthClient, ...args: readonly unknown[]) => Promise<object>) | undefined
      if (run === undefined) throw new TypeError(`the client that was given to v3Backend has no method ${method}`)
      const reply = await (WITHOUT_REQUEST.has(method) ? run.call(client, options) : run.call(client, request, options))
      return reply
    },
  }
}
