/**
 * The Auth RPCs over etcd's HTTP gateway, for programs without gRPC (etcd api/etcdserverpb/gw: one path for each RPC, JSON as protobuf has it).
 *
 * A certificate with a Common Name is refused there, and one without names nobody: whoever administers an etcd whose auth is on logs in by password.
 */
import { fromBase64, toBase64 } from '../../bytes.js'
import type { FetchLike } from '../../platform.js'
import type { AuthMethod, V3Transport } from './transport.js'

/** Where the gateway is, and as whom to ask. */
export interface GatewayOptions {
  /** Carries a client certificate without Common Name, where etcd wants one. */
  readonly fetch: FetchLike
  /** The URL of a member whose gateway is on: `https://10.0.0.10:2379`. etcd 3.4 and newer. */
  readonly endpoint: string
  /** Who logs in once auth is on: a user with role root. Sent once, and again when its token has run out. */
  readonly login?: { readonly user: string; readonly password: string }
}

const PATHS: Readonly<Record<AuthMethod, string>> = {
  authEnable: 'enable',
  authDisable: 'disable',
  authStatus: 'status',
  authenticate: 'authenticate',
  userAdd: 'user/add',
  userGet: 'user/get',
  userList: 'user/list',
  userDelete: 'user/delete',
  userChangePassword: 'user/changepw',
  userGrantRole: 'user/grant',
  userRevokeRole: 'user/revoke',
  roleAdd: 'role/add',
  roleGet: 'role/get',
  roleList: 'role/list',
  roleDelete: 'role/delete',
  roleGrantPermission: 'role/grant',
  roleRevokePermission: 'role/revoke',
}

/** gRPC's codes by their numbers. */
const CODES = 'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'.split(' ')

const TYPES = ['READ', 'WRITE', 'READWRITE']

type Table = Readonly<Record<string, unknown>>

/**
 * A way to the v3 auth store over HTTP, for {@link v3Backend}. Follows no redirect, and repeats a request only after etcd has refused it unseen for want of
 * a token, once.
 *
 * @example
 * ```ts
 * import { EtcdAuth, gatewayTransport, v3Backend, type FetchLike } from 'etcd-rbac'
 * declare const fetchWithCertificate: FetchLike
 * declare const password: string
 * const transport = gatewayTransport({ fetch: fetchWithCertificate, endpoint: 'https://10.0.0.10:2379', login: { user: 'root', password } })
 * const auth = new EtcdAuth(v3Backend(transport), { identity: { user: 'root' } })
 * ```
 */
export function gatewayTransport({ fetch, endpoint, login }: GatewayOptions): V3Transport {
  const base = `${endpoint.replace(/\/+$/, '')}/v3/auth/`
  let token: string | undefined
  const send = async (method: AuthMethod, request: object): Promise<Table> => {
    const headers = { 'content-type': 'application/json', ...(token === undefined || method === 'authenticate' ? {} : { authorization: token }) }
    const response = await fetch(base + PATHS[method], { method: 'POST', redirect: 'manual', headers, body: JSON.stringify(toJson(request)) })
    const text = await response.text()
    const body = tableIn(text)
    // Every answer of etcd has a header. Without one, what is left away would read as "off" and "none".
    if (response.status === 200 && typeof body?.['header'] === 'object' && body['header'] !== null) return body
    throw new Error(failureIn(response.status, body, PATHS[method]))
  }
  let loggingIn: Promise<void> | undefined
  const logIn = async ({ user, password }: NonNullable<GatewayOptions['login']>): Promise<void> => {
    const found = (await send('authenticate', { name: user, password }))['token']
    if (typeof found !== 'string' || found === '') throw new Error('2 UNKNOWN: a login that was answered without a token')
    token = found
  }
  return {
    call: async (method, request) => {
      try {
        return fromJson(method, await send(method, request))
      } catch (error) {
        if (login === undefined || method === 'authenticate' || !/user name is empty|invalid auth token/.test(String(error))) throw error
        // One log-in for all calls that want one: each costs the server a password's hash.
        loggingIn ??= logIn(login).finally(() => (loggingIn = undefined))
        await loggingIn
        return fromJson(method, await send(method, request))
      }
    },
  }
}

function tableIn(text: string): Table | undefined {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Table) : undefined
  } catch {
    return undefined
  }
}

/** A refusal in gRPC's words, as every transport has them. A path that nobody knows is an RPC that nobody serves. */
function failureIn(status: number, body: Table | undefined, path: string): string {
  const { code, message, error } = body ?? {}
  const said = [message, error].find((text) => typeof text === 'string')
  if (typeof code === 'number' && CODES[code] !== undefined && typeof said === 'string' && said !== 'Not Found') return `${String(code)} ${CODES[code]}: ${said}`
  if (status === 404 || status === 501) return `12 UNIMPLEMENTED: no /v3/auth/${path} there`
  return `${status >= 500 ? '14 UNAVAILABLE' : '2 UNKNOWN'}: HTTP ${String(status)} of /v3/auth/${path}`
}

/** protobuf's JSON: bytes in base64, enums by name. */
function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return toBase64(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, name === 'permType' ? (TYPES[Number(field)] ?? field) : toJson(field)]))
}

/** What it leaves away is nothing, zero or false. */
function fromJson(method: AuthMethod, body: Table): Table {
  if (method === 'authStatus') return { enabled: body['enabled'] ?? false }
  if (method === 'userList') return { users: body['users'] ?? [] }
  if (method === 'userGet' || method === 'roleList') return { roles: body['roles'] ?? [] }
  if (method !== 'roleGet') return body
  const { perm = [] } = body
  return { perm: Array.isArray(perm) ? perm.map((one: Table) => ({ permType: one['permType'] ?? 'READ', key: bytesIn(one['key']), range_end: bytesIn(one['range_end']) })) : perm }
}

function bytesIn(text: unknown): unknown {
  return text === undefined ? new Uint8Array(0) : typeof text === 'string' ? (fromBase64(text) ?? text) : text
}
