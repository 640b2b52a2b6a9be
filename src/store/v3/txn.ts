/**
 * Transactions, with the holes that their check of rights had.
 *
 * Follows `apply_auth.go` (`checkTxnAuth`: compares need READ, both branches are checked whichever is taken), `v3rpc/key.go` (limits, doubled keys)
 * and `apply.go` (`applyCompares`, `applyTxn`).
 */
import { compareBytes, toHex } from '../../bytes.js'
import { failures, isFailure, type Failure } from './failures.js'
import { identify, type Identity } from './identity.js'
import { deleteKeys, keysAt, readRange, toKeyValue, within, writeKey } from './keys.js'
import { deleteProblem, deleteRefusal, putMissing, putProblem, putRefusal, rangeProblem, revisionProblem } from './kv.js'
import { keyRefusal } from './range-check.js'
import type { Compare, DeleteRangeRequest, RequestOp, ResponseHeader, ResponseOp, TxnReply, TxnRequest } from './rpc.js'
import { headerOf, type Context, type State, type StoredKey } from './state.js'

/** `--max-txn-ops`. */
const MAX_OPERATIONS = 128

const NO_HEADER: ResponseHeader = { cluster_id: '0', member_id: '0', revision: '0', raft_term: '0' }

/** The first finding, or `undefined`. */
function firstOf<T>(items: readonly T[], find: (item: T) => Failure | undefined): Failure | undefined {
  for (const item of items) {
    const found = find(item)
    if (found) return found
  }
  return undefined
}

function txnProblem({ compare, success, failure }: TxnRequest, allowed: number): Failure | undefined {
  const size = Math.max(compare.length, success.length, failure.length)
  if (size > allowed) return failures.tooManyOperations
  if (compare.some(({ key }) => key.length === 0)) return failures.keyEmpty
  return firstOf([...success, ...failure], (op) => {
    switch (op.op) {
      case 'range':
        return rangeProblem(op.request)
      case 'put':
        return putProblem(op.request)
      case 'deleteRange':
        return deleteProblem(op.request)
      case 'txn':
        return txnProblem(op.request, allowed - size)
    }
  })
}

interface Writes {
  /** Hexadecimal. */
  readonly puts: ReadonlySet<string>
  readonly deletes: readonly DeleteRangeRequest[]
}

/** Whether a delete takes a key, as the check of doubled keys sees it: an end of one zero byte is no "no end" to it, and takes nothing. */
function takes({ key, range_end: end }: DeleteRangeRequest, put: string): boolean {
  const [from, to] = [toHex(key), toHex(end)]
  return to === '' ? put === from : from <= put && put < to
}

/** What a branch may put and delete, or `undefined` where it puts a key twice, or puts and deletes it (`checkIntervals`). */
function writesOf(ops: readonly RequestOp[]): Writes | undefined {
  const puts = new Set<string>()
  const deletes = ops.flatMap((op) => (op.op === 'deleteRange' ? [op.request] : []))
  const add = (key: string, unless: ReadonlySet<string>): boolean => {
    if ((puts.has(key) && !unless.has(key)) || deletes.some((request) => takes(request, key))) return false
    puts.add(key)
    return true
  }
  const none = new Set<string>()
  for (const op of ops) {
    if (op.op !== 'txn') continue
    const [then, otherwise] = [writesOf(op.request.success), writesOf(op.request.failure)]
    if (!then || !otherwise) return undefined
    // Only one of the two branches will be taken, so both may put the same key.
    for (const key of then.puts) if (!add(key, none)) return undefined
    for (const key of otherwise.puts) if (!add(key, then.puts)) return undefined
    deletes.push(...then.deletes, ...otherwise.deletes)
  }
  for (const op of ops) if (op.op === 'put' && !add(toHex(op.request.key), none)) return undefined
  return { puts, deletes }
}

function txnRefusal(context: Context, identity: Identity, request: TxnRequest): Failure | undefined {
  const { state, quirks } = context
  const compared = firstOf(request.compare, ({ key, range_end }) => keyRefusal(state, identity, 'read', key, range_end))
  if (compared) return compared
  return firstOf([...request.success, ...request.failure], (op) => {
    switch (op.op) {
      case 'range':
        return keyRefusal(state, identity, 'read', op.request.key, op.request.range_end)
      case 'put':
        return putRefusal(state, identity, quirks.transactionPutChecked ? op.request : { ...op.request, prev_kv: false })
      case 'deleteRange':
        return deleteRefusal(state, identity, op.request)
      case 'txn':
        return quirks.nestedTransactionChecked ? txnRefusal(context, identity, op.request) : undefined
    }
  })
}

function holds(stored: StoredKey | undefined, { target, result, number, value }: Compare): boolean {
  const numbers = [stored?.version ?? 0, stored?.created ?? 0, stored?.modified ?? 0, undefined, 0][target]
  // A key that is not there has version and revisions 0, but no value that could be compared.
  if (numbers === undefined && stored === undefined) return false
  const difference = numbers === undefined ? compareBytes(stored?.value ?? new Uint8Array(0), value) : numbers - number
  return [difference === 0, difference > 0, difference < 0, difference !== 0][result] ?? false
}

function passes(state: State, revision: number, compare: Compare): boolean {
  const found = within(keysAt(state, revision), compare.key, compare.range_end)
  if (found.length === 0 && compare.range_end.length > 0) return compare.target !== 3 && holds(undefined, compare)
  return found.length === 0 ? holds(undefined, compare) : found.every((stored) => holds(stored, compare))
}

/** Runs the branch whose turn it is. `written` is the length of the history before the outermost transaction. */
function apply(state: State, request: TxnRequest, written: number): TxnReply {
  const revision = state.revision + 1
  // A response carries the new revision from the first write on.
  const header = (): ResponseHeader => ({ ...headerOf(state), revision: String(state.history.length > written ? revision : state.revision) })
  const succeeded = request.compare.every((compare) => passes(state, revision, compare))
  const responses = (succeeded ? request.success : request.failure).map((op): ResponseOp => {
    switch (op.op) {
      case 'range':
        return { op: 'range', reply: { header: header(), ...readRange({ ...state, revision }, op.request) } }
      case 'put': {
        const previous = writeKey(state, op.request, revision)
        return { op: 'put', reply: { header: header(), prev_kv: op.request.prev_kv && previous ? toKeyValue(previous) : null } }
      }
      case 'deleteRange': {
        const deleted = deleteKeys(state, op.request, revision)
        const prev_kvs = op.request.prev_kv ? deleted.map((key) => toKeyValue(key)) : []
        return { op: 'deleteRange', reply: { header: header(), deleted: String(deleted.length), prev_kvs } }
      }
      case 'txn':
        // etcd leaves the header of an inner transaction empty.
        return { op: 'txn', reply: { ...apply(state, op.request, written), header: NO_HEADER } }
    }
  })
  return { header: headerOf(state), succeeded, responses }
}

/** What the branch that will be taken relies on and does not find; nothing has been written then. */
function missing(state: State, request: TxnRequest): Failure | undefined {
  const succeeded = request.compare.every((compare) => passes(state, state.revision, compare))
  return firstOf(succeeded ? request.success : request.failure, (op) => {
    if (op.op === 'put') return putMissing(state, op.request)
    if (op.op === 'range') return revisionProblem(state, op.request.revision)
    return op.op === 'txn' ? missing(state, op.request) : undefined
  })
}

export function txn(context: Context, request: TxnRequest): TxnReply | Failure {
  const { state } = context
  const problem = txnProblem(request, MAX_OPERATIONS)
  if (problem) return problem
  if (!writesOf(request.success) || !writesOf(request.failure)) return failures.duplicateKey
  const identity = identify(context)
  if (isFailure(identity)) return identity
  const refusal = txnRefusal(context, identity, request) ?? missing(state, request)
  if (refusal) return refusal
  const written = state.history.length
  const reply = apply(state, request, written)
  if (state.history.length > written) state.revision++
  return { ...reply, header: headerOf(state) }
}
