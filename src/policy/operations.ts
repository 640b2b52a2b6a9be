/**
 * What a client asks of etcd, as data: key requests, transactions, leases, and the calls that name no key.
 *
 * A string is one v3 key; `path(…)` asks the v2 API. Field by field as in etcd's rpc.proto, as far as rights depend on it.
 */
import { checkFields } from '../known-fields.js'
import type { Because } from '../because.js'
import { isEmptyInterval, toInterval } from '../keys/interval.js'
import { key, type Key, type KeyRange } from '../keys/key-range.js'
import type { Path } from '../keys/pattern.js'
import { isServerCall, type ServerCall } from './server-calls.js'

/** A request for keys: on v3 for a key or range, on v2 for a path. */
export interface KeyOperation {
  readonly op: 'get' | 'put' | 'del' | 'watch'
  readonly keys: KeyRange | Path
  /** v3 put, del and watch: the previous value is asked for as well, which takes the right to read. */
  readonly prevKv?: true
  /** v3 put: the keys that are on the lease already, each of which must be writable. */
  readonly attached?: readonly KeyRange[]
  /** v3 get: a serializable read, which the gRPC proxy answers from its cache, to whomever. */
  readonly serializable?: true
}

/** A v3 transaction. The rights of both branches are checked, whichever is taken. */
export interface Transaction {
  readonly op: 'txn'
  /** Keys that are compared. */
  readonly compare: readonly KeyRange[]
  readonly success: readonly TransactionOperation[]
  readonly failure: readonly TransactionOperation[]
}

/** What may stand in a transaction: v3 `get`, `put` and `del`, and another transaction. */
export type TransactionOperation = KeyOperation | Transaction

/** A v3 lease call. */
export interface LeaseOperation {
  readonly op: 'leaseGrant' | 'leaseRevoke' | 'leaseKeepAlive' | 'leaseTimeToLive' | 'leaseKeys' | 'leaseLeases'
  /** The keys on the lease; for `leaseLeases` those on all leases. */
  readonly attached: readonly KeyRange[]
}

/** A call that names no key. `subject` is the user of `UserGet` and the role of `RoleGet`, which their holders may read. */
export interface CallOperation {
  readonly op: 'call'
  readonly call: ServerCall
  readonly subject?: string
}

/** Anything that a client may ask. */
export type Operation = KeyOperation | Transaction | LeaseOperation | CallOperation

/** What an operation may be asked for: a v3 key by name, a v3 range, or a v2 path. */
export type Target = string | KeyRange | Path

const KINDS: readonly unknown[] = ['key', 'prefix', 'range', 'fromKey', 'allKeys'] satisfies readonly KeyRange['kind'][]
const LEASES: readonly unknown[] = ['leaseGrant', 'leaseRevoke', 'leaseKeepAlive', 'leaseTimeToLive', 'leaseKeys', 'leaseLeases'] satisfies readonly LeaseOperation['op'][]
/** How deep transactions may nest: far beyond `--max-txn-ops`, so that no caller's recursion ends in a full stack. */
const MAX_DEPTH = 128

const isKeyText = (value: unknown): boolean => typeof value === 'string' || typeof (Object(value) as { readonly base64?: unknown }).base64 === 'string'

/** Whether keys of a kind have the bounds that it takes. */
function hasBounds({ kind, key, prefix, start, end }: Readonly<Record<string, unknown>>): boolean {
  if (kind === 'key') return isKeyText(key)
  if (kind === 'prefix') return isKeyText(prefix)
  return kind === 'allKeys' || (isKeyText(start) && (kind === 'fromKey' || isKeyText(end)))
}

function checkRange(keys: unknown, what: string): void {
  const found = Object(keys) as Readonly<Record<string, unknown>>
  const { api, kind } = found
  if (api !== 'v3' || !KINDS.includes(kind) || !hasBounds(found)) throw new TypeError(`${what} must be v3 keys, made by key, prefix, range, fromKey or allKeys`)
  // The one kind that written by hand may hold no key: every set contains nothing, so it would be allowed to all.
  if (kind === 'range' && isEmptyInterval(toInterval(keys as KeyRange))) throw new TypeError(`${what} must hold a key: its end is not after its start`)
}

function checkList(list: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(list)) throw new TypeError(`${what} must be a list`)
  return list
}

function checkKeys({ op, keys }: { readonly op: unknown; readonly keys?: unknown }): void {
  const { api, kind, path, recursive } = Object(keys) as { readonly api?: unknown; readonly kind?: unknown; readonly path?: unknown; readonly recursive?: unknown }
  const v3 = api === 'v3' && KINDS.includes(kind)
  if (v3) checkRange(keys, 'the keys of an operation')
  if (!v3 && !(api === 'v2' && typeof path === 'string' && typeof recursive === 'boolean')) throw new TypeError('an operation asks for a v3 key, a v3 range, or a v2 path made by path')
  if (v3 && op === 'put' && kind !== 'key') throw new TypeError('a put is for one key')
}

function checkTransaction({ compare, success, failure }: Partial<Transaction>, depth: number): void {
  if (depth > MAX_DEPTH) throw new TypeError(`transactions nest at most ${MAX_DEPTH} deep`)
  for (const keys of checkList(compare, 'compare')) checkRange(keys, 'compared keys')
  for (const inner of [...checkList(success, 'success'), ...checkList(failure, 'failure')]) {
    const { op, keys } = Object(inner) as { readonly op?: unknown; readonly keys?: { readonly api?: unknown } }
    if (op === 'txn') checkTransaction(inner as Transaction, depth + 1)
    else if (op !== 'get' && op !== 'put' && op !== 'del') throw new TypeError('a transaction holds get, put, del and txn')
    else {
      checkKeys({ op, keys })
      if (keys?.api !== 'v3') throw new TypeError('a transaction is for v3 keys')
      checkOptionsOf(inner)
    }
  }
}

/** What a put or delete asks for beside its keys. */
function checkOptionsOf(operation: unknown): void {
  const { prevKv, attached } = Object(operation) as { readonly prevKv?: unknown; readonly attached?: unknown }
  if (prevKv !== undefined && typeof prevKv !== 'boolean') throw new TypeError('prevKv must be true or false')
  if (attached !== undefined) for (const keys of checkList(attached, 'attached')) checkRange(keys, 'attached keys')
}

/** The operation, if it is one: a misspelt `op` must not be answered as if it were another. Its keys were checked where they were made. */
export function checkedOperation(operation: Operation): Operation {
  const found = Object(operation) as { readonly op?: unknown; readonly call?: unknown; readonly subject?: unknown; readonly attached?: unknown; readonly keys?: unknown }
  const { op } = found
  if (op === 'get' || op === 'put' || op === 'del' || op === 'watch') checkKeys({ op, keys: found.keys })
  else if (op === 'txn') checkTransaction(found as Partial<Transaction>, 0)
  else if (op === 'call') {
    if (!isServerCall(found.call)) throw new TypeError('call names no call of etcd')
    if (found.subject !== undefined && typeof found.subject !== 'string') throw new TypeError('subject must be a name')
  } else if (!LEASES.includes(op)) throw new TypeError('an operation is one of get, put, del, watch, txn, a lease call, and call')
  if (op === 'put' && found.attached !== undefined && (found.keys as KeyRange | Path).api === 'v2') throw new TypeError('attached keys are on a lease of v3: the v2 API has none')
  if (LEASES.includes(op)) checkList(found.attached, 'attached')
  checkOptionsOf(operation)
  return operation
}

/** Options that plain JavaScript may have passed. */
function checkedOptions<O extends object>(options: O, known: readonly string[]): O {
  checkFields(options, known, 'options')
  return options
}

const rangesOf = (keys: readonly (string | KeyRange)[], what: string): readonly KeyRange[] => (checkList(keys, what) as typeof keys).map(rangeOf)
const rangeOf = (keys: string | KeyRange): KeyRange => (typeof keys === 'string' ? key(keys) : keys)
const targetOf = (keys: Target): KeyRange | Path => (typeof keys === 'string' ? key(keys) : keys)

function keyOperation(operation: KeyOperation): KeyOperation {
  checkedOperation(operation)
  return operation
}

/**
 * Read: v3 Range, whether for values, keys or a count; v2 GET.
 *
 * @throws {@link EtcdRbacError} `ERR_KEY_INVALID` for a key that is empty or no text
 * @example
 * ```ts
 * import { get, prefix } from 'etcd-rbac'
 * get('/calico/x')
 * get(prefix('/calico/'))
 * ```
 */
export function get(keys: Target, options: { readonly serializable?: true } = {}): KeyOperation {
  return keyOperation({ op: 'get', keys: targetOf(keys), ...(checkedOptions(options, ['serializable']).serializable ? { serializable: true } : {}) })
}

/** What a put's lease may hold beside it: a reason in place of it on v2. */
export type Attached<K> = K extends Path ? Because<'attached keys are on a lease of v3: the v2 API has none'> : readonly (string | KeyRange)[]

/**
 * Write: v3 Put of one key, v2 PUT or POST. `attached`: the keys that are on the put's lease already.
 *
 * @throws {@link EtcdRbacError} `ERR_KEY_INVALID` for a key that is empty or no text
 * @example
 * ```ts
 * import { path, put } from 'etcd-rbac'
 * put('/calico/x', { prevKv: true })
 * put(path('/calico/v1/x'))
 * ```
 */
export function put<const K extends string | Key | Path>(key: K, options: { readonly prevKv?: true; readonly attached?: Attached<K> } = {}): KeyOperation {
  const { prevKv, attached } = checkedOptions(options, ['prevKv', 'attached']) as { readonly prevKv?: true; readonly attached?: readonly (string | KeyRange)[] }
  return keyOperation({
    op: 'put',
    keys: targetOf(key),
    ...(prevKv ? { prevKv: true } : {}),
    ...(attached === undefined ? {} : { attached: rangesOf(attached, 'attached') }),
  })
}

/**
 * Delete: v3 DeleteRange, v2 DELETE.
 *
 * @throws {@link EtcdRbacError} `ERR_KEY_INVALID` for a key that is empty or no text
 * @example
 * ```ts
 * import { del, prefix } from 'etcd-rbac'
 * del(prefix('/calico/'))
 * ```
 */
export function del(keys: Target, options: { readonly prevKv?: true } = {}): KeyOperation {
  return keyOperation({ op: 'del', keys: targetOf(keys), ...(checkedOptions(options, ['prevKv']).prevKv ? { prevKv: true } : {}) })
}

/**
 * Watch: v3 Watch, v2 GET with `wait=true`. Rights are asked for when it is opened, and never again.
 *
 * @throws {@link EtcdRbacError} `ERR_KEY_INVALID` for a key that is empty or no text
 * @example
 * ```ts
 * import { prefix, watch } from 'etcd-rbac'
 * watch(prefix('/calico/'))
 * ```
 */
export function watch(keys: Target): KeyOperation {
  return keyOperation({ op: 'watch', keys: targetOf(keys) })
}

/**
 * A v3 transaction. Etcd checks the rights of both branches, whichever is taken.
 *
 * @throws {@link EtcdRbacError} `ERR_KEY_INVALID` for a key that is empty or no text
 * @example
 * ```ts
 * import { get, put, txn } from 'etcd-rbac'
 * txn({ compare: ['/lock'], success: [put('/lock', { prevKv: true })], failure: [get('/lock')] })
 * ```
 */
export function txn(parts: {
  readonly compare?: readonly (string | KeyRange)[]
  readonly success?: readonly TransactionOperation[]
  readonly failure?: readonly TransactionOperation[]
}): Transaction {
  const { compare = [], success = [], failure = [] } = checkedOptions(parts, ['op', 'compare', 'success', 'failure'])
  const made = { op: 'txn', compare: rangesOf(compare, 'compare'), success: [...checkList(success, 'success')], failure: [...checkList(failure, 'failure')] } as Transaction
  checkedOperation(made)
  return made
}

/**
 * A v3 lease call: `leaseKeys` is LeaseTimeToLive that asks for the keys too. `attached`: the keys on the lease, none by default.
 *
 * @throws {@link EtcdRbacError} `ERR_KEY_INVALID` for a key that is empty or no text
 * @example
 * ```ts
 * import { lease } from 'etcd-rbac'
 * lease('leaseGrant')
 * lease('leaseRevoke', ['/calico/x'])
 * ```
 */
export function lease(op: LeaseOperation['op'], attached: readonly (string | KeyRange)[] = []): LeaseOperation {
  const made: LeaseOperation = { op, attached: rangesOf(attached, 'attached') }
  checkedOperation(made)
  return made
}

/**
 * A call that names no key. `subject` is the user of `userGet` or the role of `roleGet`.
 *
 * @example
 * ```ts
 * import { call } from 'etcd-rbac'
 * call('compact')
 * call('userGet', 'alice')
 * call('GET /v2/members')
 * ```
 */
export function call(name: ServerCall, subject?: string): CallOperation {
  const made: CallOperation = { op: 'call', call: name, ...(subject === undefined ? {} : { subject }) }
  checkedOperation(made)
  return made
}
