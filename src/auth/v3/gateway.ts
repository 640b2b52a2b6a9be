/**
 * The Auth RPCs over etcd's HTTP gateway, for programs without gRPC (etcd api/etcdserverpb/gw: one path for each RPC, JSON as protobuf has it).
 *
 * A certificate with a Common Name is refused there, and one without names nobody: whoever administers an etcd whose auth is on logs in by password.
 */
import { fromBase64, toBase64 } from '../../bytes.js'
import { checkFields } from '../../known-fields.js'
import type { FetchLike, ResponseLike } from '../../platform.js'
import { platformClock, type Clock } from '../clock.js'
import type { AuthMethod, V3Transport } from './transport.js'

/** Where the gateway is, and as whom to ask. */
export interface GatewayOptions {
  /** Carries a client certificate without Common Name, where etcd wants one. */
  readonly fetch: FetchLike
  /** The URL of a member whose gateway is on: `https://10.0.0.10:2379`. etcd 3.4 and newer. With `login` it must be https, unless it is loopback. */
  readonly endpoint: string
  /**
   * Who logs in once auth is on: a user with role root. Sent once, and again when its token has run out. Once this transport has changed that user's
   * password, the new one counts; a transport to another member does not learn of it.
   */
  readonly login?: { readonly user: string; readonly password: string }
  /** The one that `EtcdAuth` was given. Default: the platform's. */
  readonly clock?: Clock
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

/** The platform's, where it has one: it only frees the socket of a call that is given up. */
declare const AbortController: (new () => { readonly signal: object; abort(): void }) | undefined

/** The time that one call has for all that it sends. */
interface Time {
  /** Does something and waits for it while time is left, and does nothing afterwards. */
  readonly within: <T>(run: (signal: object | undefined) => Promise<T>) => Promise<T>
  readonly end: () => void
}

function timeUntil(deadline: Date, clock: Clock): Time {
  const aborter = typeof AbortController === 'function' ? new AbortController() : undefined
  const over = (): Error => new Error('4 DEADLINE_EXCEEDED: no answer before the deadline')
  let reject: (reason: Error) => void = () => undefined
  const late = new Promise<never>((_, no) => (reject = no))
  // Nobody may be waiting just then.
  late.catch(() => undefined)
  const end = clock.after(deadline.getTime() - clock.now().getTime(), () => {
    reject(over())
    aborter?.abort()
  })
  const within: Time['within'] = async (run) => {
    if (clock.now() >= deadline) throw over()
    return Promise.race([run(aborter?.signal), late])
  }
  return { within, end }
}

/**
 * A way to the v3 auth store over HTTP, for {@link v3Backend}. Follows no redirect, sends nothing after the deadline, and repeats a request only after etcd has
 * refused it unseen for want of a token, once.
 *
 * @throws `TypeError` for options that are missing or that nobody reads, and for a login that would travel in clear
 * @example
 * ```ts
 * import { EtcdAuth, gatewayTransport, v3Backend, type FetchLike } from 'etcd-rbac'
 * declare const fetchWithCertificate: FetchLike
 * declare const password: string
 * const transport = gatewayTransport({ fetch: fetchWithCertificate, endpoint: 'https://10.0.0.10:2379', login: { user: 'root', password } })
 * const auth = new EtcdAuth(v3Backend(transport), { identity: { user: 'root' } })
 * ```
 */
export function gatewayTransport(options: GatewayOptions): V3Transport {
  checkOptions(options)
  const { fetch, endpoint, login, clock = platformClock } = options
  const base = `${endpoint.replace(/\/+$/, '')}/v3/auth/`
  let password = login?.password
  let token: string | undefined
  const send = async (method: AuthMethod, request: object, time: Time): Promise<Table> => {
    const headers = { 'content-type': 'application/json', ...(token === undefined || method === 'authenticate' ? {} : { authorization: token }) }
    const body = JSON.stringify(toJson(request))
    const { status, text } = await time.within((signal) => answerOf(async () => fetch(base + PATHS[method], { method: 'POST', redirect: 'manual', headers, body, ...(signal === undefined ? {} : { signal }) })))
    const found = tableIn(text)
    // Every answer of etcd has a header. Without one, what is left away would read as "off" and "none".
    if (status === 200 && typeof found?.['header'] === 'object' && found['header'] !== null) return found
    throw new Error(failureIn(status, found, PATHS[method]))
  }
  let loggingIn: Promise<void> | undefined
  const logIn = async (user: string, time: Time): Promise<void> => {
    const found = (await send('authenticate', { name: user, password }, time))['token']
    if (typeof found !== 'string' || found === '') throw new Error('2 UNKNOWN: a login that was answered without a token')
    token = found
  }
  const sendLoggedIn = async (method: AuthMethod, request: object, time: Time): Promise<Table> => {
    try {
      return await send(method, request, time)
    } catch (error) {
      if (login === undefined || method === 'authenticate' || !/user name is empty|invalid auth token/.test(String(error))) throw error
      // One log-in for all calls that want one: each costs the server a password's hash.
      const { user } = login
      await time.within(() => (loggingIn ??= logIn(user, time).finally(() => (loggingIn = undefined))))
      return send(method, request, time)
    }
  }
  return {
    byPassword: { user: login?.user },
    call: async (method, request, { deadline }) => {
      const time = timeUntil(deadline, clock)
      try {
        const reply = fromJson(method, await sendLoggedIn(method, request, time))
        if (method === 'userChangePassword' && 'password' in request && request.name === login?.user) ({ password } = request)
        return reply
      } finally {
        time.end()
      }
    },
  }
}

/** https, or this very host. */
const SAFE = /^(https:\/\/|http:\/\/(127(\.\d{1,3}){3}|\[::1\]|localhost)(:\d+)?(\/|$))/i

function checkOptions(options: GatewayOptions): void {
  checkFields(options, ['fetch', 'endpoint', 'login', 'clock'], 'the options of gatewayTransport')
  const { fetch, endpoint, login } = options as Partial<GatewayOptions>
  if (typeof fetch !== 'function') throw new TypeError('gatewayTransport wants a function fetch')
  if (typeof endpoint !== 'string' || !/^https?:\/\/./i.test(endpoint)) throw new TypeError('gatewayTransport wants an endpoint: the URL of a member, https://10.0.0.10:2379')
  if (login === undefined) return
  checkFields(login, ['user', 'password'], 'login')
  for (const name of ['user', 'password'] as const) if (typeof login[name] !== 'string' || login[name] === '') throw new TypeError(`login wants a ${name}`)
  if (!SAFE.test(endpoint)) throw new TypeError('the endpoint of gatewayTransport must begin with https:// where a login is given: its password would travel in clear')
}

/** An answer with all of its text. What fetch rejects with is a connection that failed, in gRPC's words as every transport has them. */
async function answerOf(run: () => Promise<ResponseLike>): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await run()
    return { status: response.status, text: await response.text() }
  } catch (error) {
    throw new Error(`14 UNAVAILABLE: ${reasonOf(error)}`, { cause: error })
  }
}

/** fetch of Node says "fetch failed", and its cause what did; of several addresses that were tried, the cause has an error for each. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof Error) return reasonOf(error.cause)
  const { errors } = error as { errors?: unknown }
  if (Array.isArray(errors) && errors.length > 0) return reasonOf(errors[0])
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && !error.message.includes(code) ? `${error.message} (${code})` : error.message
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
