/**
 * Whether a server gives each user what a policy says, asked with each user's own connection.
 *
 * No write takes effect. On v3 a put or a deletion stands in the branch of a transaction that is never taken: etcd checks the rights of both
 * branches (`server/etcdserver/apply`, `checkTxnAuth`). On v2 a PUT names a value that no key has as the one before (`prevValue`): rights are checked first.
 */
import { EtcdRbacError } from '../errors.js'
import { toWire } from '../keys/interval.js'
import type { KeyRange } from '../keys/key-range.js'
import type { Path } from '../keys/pattern.js'
import { checkFields } from '../known-fields.js'
import type { AbortSignalLike, FetchLike } from '../platform.js'
import type { Anonymous } from '../policy/anonymous.js'
import { checkPolicy, checkHalf } from '../policy/half.js'
import { checkedUser } from '../policy/index-policy.js'
import type { KeyOperation } from '../policy/operations.js'
import type { Policy } from '../policy/policy.js'
import { accessProbes, SCRATCH, type AccessProbe } from './access-probes.js'
import { eachAtOnce } from './at-once.js'
import { checkSignal } from './signal.js'
import type { Api } from './state.js'
import { visibleReason } from './visible.js'

/** What is asked of a v3 client, by structure: `kv` of etcd3's `Etcd3` fits, as does the double's. Deadlines are its own. */
export interface V3AccessClient {
  /** Reads a range. What clients take for bytes differs. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  range(request: any): PromiseLike<unknown>
  /** Runs a transaction. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  txn(request: any): PromiseLike<unknown>
}

/** The connection of one user. */
export interface AccessConnection {
  readonly v3?: V3AccessClient
  readonly v2?: { readonly fetch: FetchLike; readonly endpoint: string }
  /** Called when the user has been asked for. */
  readonly close?: () => unknown
}

/** Settings of {@link verifyAccess}. */
export interface VerifyAccessOptions<P extends Policy> {
  /** Default: those of which the policy speaks. */
  readonly apis?: readonly Api[]
  /** Default: every user of the policy. */
  readonly users?: readonly ((keyof P['users'] & string) | Anonymous)[]
  /** More keys and paths, which every user is to be asked for: such as those that nobody may have. */
  readonly keys?: readonly (KeyRange | Path)[]
  /** Asks for reads alone: no write is sent, not even one that cannot take effect. Default `false`. */
  readonly readOnly?: boolean
  /** The server's release, to expect its holes too. Default: etcd's intended rules. */
  readonly etcd?: string
  /** Users asked for at once, each with one request at a time. Default 4. */
  readonly atOnce?: number
  readonly signal?: AbortSignalLike
}

/** One question, what the policy says and what the server said. */
export interface AccessRow extends AccessProbe {
  readonly found: 'allowed' | 'refused' | 'unanswered'
  readonly ok: boolean
  /** Why there was no answer. */
  readonly reason?: string
}

/** All questions, in the order of the users. */
export interface AccessTable {
  /** Whether the server answered every question as the policy does. */
  readonly ok: boolean
  readonly rows: readonly AccessRow[]
}

const FIELDS = ['apis', 'users', 'keys', 'readOnly', 'etcd', 'atOnce', 'signal'] as const satisfies readonly (keyof VerifyAccessOptions<Policy>)[]

/**
 * Asks a server, as each user, for what the policy allows and for what it must refuse: the user's own keys, those next to them, and those of all
 * other roles; that is users × permissions. A grant elsewhere that nobody knows of is found only where `keys` names it; `EtcdAuth#drift` lists all.
 *
 * Nothing is ever written, so nothing is left behind. Values are never asked for on v3; on v2 a GET of an exact path brings what is there.
 *
 * @param connect Gives the connection of a user with its own certificate or password. Where it fails, that user's rows are unanswered.
 * @throws {@link EtcdRbacError} `ERR_ABORTED`, when the requests under way have ended; `ERR_USER_UNKNOWN`, `ERR_POLICY_HALF_MISSING`, `ERR_VERSION_UNSUPPORTED`
 * @example
 * ```ts
 * import { Etcd3 } from 'etcd3'
 * import { describeAccess, etcd3Options, verifyAccess, type Policy } from 'etcd-rbac'
 * declare const policy: Policy
 * declare const pemOf: (user: string) => { ca: string; certificate: string; key: string }
 * const table = await verifyAccess(policy, (user) => {
 *   const etcd = new Etcd3(etcd3Options({ hosts: 'https://10.0.0.10:2379', ...pemOf(String(user)) }))
 *   return { v3: etcd.kv, close: () => etcd.close() }
 * }, { apis: ['v3'] })
 * if (!table.ok) console.log(describeAccess(table))
 * ```
 */
export async function verifyAccess<P extends Policy>(
  policy: P,
  connect: (user: (keyof P['users'] & string) | Anonymous) => AccessConnection | PromiseLike<AccessConnection>,
  options: VerifyAccessOptions<P> = {},
): Promise<AccessTable> {
  checkPolicy(policy)
  if (typeof (connect as unknown) !== 'function') throw new TypeError('connect must be a function that gives the connection of a user')
  const { probes, atOnce, signal } = checked(policy, options)
  const rows: AccessRow[][] = probes.map(() => [])
  const stopIfAborted = (): void => {
    if (signal?.aborted !== true) return
    const done = rows.flat().length
    throw new EtcdRbacError('ERR_ABORTED', { found: `the signal to stop after ${done} questions`, wanted: 'to ask them all', fix: 'ask again: nothing was written' }, { stepsDone: done }, signal.reason)
  }
  stopIfAborted()
  await eachAtOnce([...probes.entries()], atOnce, async ([at, questions]) => {
    const [first] = questions
    if (first === undefined) return
    stopIfAborted()
    const connection = await settle(() => connect(first.user as keyof P['users'] & string))
    try {
      for (const probe of questions) {
        stopIfAborted()
        const answer = 'reason' in connection ? connection : await settle(() => ask(connection.value, probe.operation, signal))
        // A call that ended by the signal has answered nothing.
        stopIfAborted()
        rows[at]?.push('reason' in answer ? { ...probe, found: 'unanswered', ok: false, reason: answer.reason } : { ...probe, found: answer.value, ok: answer.value === probe.expected })
      }
    } finally {
      // What goes wrong here changes no answer.
      if (!('reason' in connection)) await settle(() => (Object(connection.value) as AccessConnection).close?.())
    }
  })
  const all = rows.flat()
  return { ok: all.every(({ ok }) => ok), rows: all }
}

function checked<P extends Policy>(policy: P, options: VerifyAccessOptions<P>): { readonly probes: readonly (readonly AccessProbe[])[]; readonly atOnce: number; readonly signal: AbortSignalLike | undefined } {
  checkFields(options, FIELDS, 'the options of verifyAccess')
  const { apis = (['v3', 'v2'] as const).filter((api) => policy[api] !== undefined), users = Object.keys(policy.users), keys = [], readOnly = false, etcd, atOnce = 4, signal } = options
  for (const [name, list] of Object.entries({ apis, users, keys })) if (!Array.isArray(list)) throw new TypeError(`${name} must be a list`)
  // None of them would be answered by a table that is all right.
  if (apis.length === 0 || !apis.every((api: unknown) => api === 'v3' || api === 'v2')) throw new TypeError("apis must name 'v3', 'v2' or both")
  if (users.length === 0) throw new TypeError('users must name at least one')
  for (const one of keys) if (!apis.includes((Object(one) as KeyRange | Path).api)) throw new TypeError('each of keys must be v3 keys or a v2 path, for an API that is asked')
  if (typeof readOnly !== 'boolean') throw new TypeError('readOnly must be true or false')
  if (!Number.isSafeInteger(atOnce) || atOnce < 1) throw new TypeError('atOnce must be a whole number from 1')
  checkSignal(signal)
  for (const api of apis) checkHalf(policy, api)
  for (const user of users) checkedUser(policy, user)
  return { probes: accessProbes(policy, { users, apis: [...new Set(apis)], keys, readOnly, etcd }), atOnce, signal }
}

type Settled<T> = { readonly value: T } | { readonly reason: string }

/** What the caller's connection gave, or how it failed: by a rejection or at once. */
async function settle<T>(work: () => T | PromiseLike<T>): Promise<Settled<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    return { reason: visibleReason(error instanceof Error ? error.message : String(error)) }
  }
}

type Answer = 'allowed' | 'refused'

async function ask(connection: AccessConnection, { op, keys }: KeyOperation, signal: AbortSignalLike | undefined): Promise<Answer> {
  const { [keys.api]: client } = Object(connection) as AccessConnection
  if (client === undefined) throw new Error(`connect gave no client for ${keys.api}`)
  return keys.api === 'v3' ? askV3(client as V3AccessClient, op, keys) : askV2(client as NonNullable<AccessConnection['v2']>, op, keys, signal)
}

/** etcd's own words, with its prefix: a socket's "permission denied" is no answer. */
const REFUSED = /\b(?:etcdserver|auth): (?:permission denied|user name is empty|user name not found|user not found)/

async function askV3(client: V3AccessClient, op: KeyOperation['op'], keys: KeyRange): Promise<Answer> {
  const { key, rangeEnd } = toWire(keys)
  // An empty end is left away, never sent: etcd before 3.7 checks the right to one key then, and reads all that follow.
  const range = { key, ...(rangeEnd.length === 0 ? {} : { range_end: rangeEnd }) }
  try {
    if (op === 'get') await client.range({ ...range, count_only: true })
    // Without comparisons, success is what is taken.
    else await client.txn({ compare: [], success: [], failure: [op === 'put' ? { request_put: { key, value: new Uint8Array(0) } } : { request_delete_range: range }] })
    return 'allowed'
  } catch (error) {
    if (error instanceof Error && REFUSED.test(error.message)) return 'refused'
    throw error
  }
}

/** A path that is not there, a value that another is and a directory are all told only to whom may ask. */
const ANSWERED: ReadonlySet<number> = new Set([200, 201, 403, 404, 412])

async function askV2({ fetch, endpoint }: NonNullable<AccessConnection['v2']>, op: KeyOperation['op'], { path, recursive }: Path, signal: AbortSignalLike | undefined): Promise<Answer> {
  const url = `${endpoint.replace(/\/$/, '')}/v2/keys${path.split('/').map(encodeURIComponent).join('/')}${recursive ? '?recursive=true' : ''}`
  const stop = signal === undefined ? {} : { signal }
  const write = { method: 'PUT', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `value=${SCRATCH}&prevValue=${SCRATCH}` }
  const response = await fetch(url, { ...(op === 'get' ? { method: 'GET' } : write), redirect: 'manual', ...stop })
  const text = await response.text()
  if (response.status === 401) return 'refused'
  // Nobody writes the root directory: EcodeRootROnly (`v2error/error.go`), told where rights have been checked.
  if (ANSWERED.has(response.status) || (response.status === 400 && /"errorCode":\s*107\b/.test(text))) return 'allowed'
  throw new Error(`HTTP status ${response.status}`)
}
