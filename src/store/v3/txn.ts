/**
 * Transactions, with the holes that their check of rights had.
 *
 * Follows `apply_auth.go` (`checkTxnAuth`: compares need READ, both branches are checked whichever is taken) and `txn.go` (all compares, those of
 * inner transactions too, are judged before anything is written).
 */
import { compareBytes } from '../../bytes.js'
import { failures, firstOf, isFailure, type Failure } from './failures.js'
import { identify, type Identity } from './identity.js'
import { deleteKeys, readRange, toKeyValue, within, writeKey } from './keys.js'
import { asRead, deleteRefusal, fellsMember, putMissing, putRefusal, revisionProblem } from './kv.js'
import { keyRefusal } from './range-check.js'
import type { Compare, RangeRequest, RequestOp, ResponseHeader, ResponseOp, TxnReply, TxnRequest } from './rpc.js'
import { headerOf, NO_LEASE, type Context, type State, type StoredKey } from './state.js'
import { txnProblem } from './txn-request.js'

const NO_HEADER: ResponseHeader = { cluster_id: '0', member_id: '0', revision: '0', raft_term: '0' }

function txnRefusal(context: Context, identity: Identity, request: TxnRequest): Failure | undefined {
  const { quirks } = context
  const compared = firstOf(request.compare, ({ key, range_end }) => keyRefusal(context, identity, 'read', key, range_end))
  if (compared) return compared
  return firstOf([...request.success, ...request.failure], (op) => {
    switch (op.op) {
      case 'range':
        return keyRefusal(context, identity, 'read', op.request.key, op.request.range_end)
      case 'put':
        return putRefusal(context, identity, quirks.transactionPutChecked ? op.request : { ...op.request, prev_kv: false, lease: NO_LEASE })
      case 'deleteRange':
        return deleteRefusal(context, identity, op.request)
      case 'txn':
        return quirks.nestedTransactionChecked ? txnRefusal(context, identity, op.request) : undefined
      case 'none':
        return undefined
    }
  })
}

/** `target`: 0 version, 1 create revision, 2 mod revision, 3 value, 4 lease. What etcd does not know is equal; a result that it does not know holds. */
function holds(stored: StoredKey | undefined, { target, result, number, value }: Compare): boolean {
  const found = [stored?.version ?? 0, stored?.created ?? 0, stored?.modified ?? 0, undefined, stored?.lease ?? NO_LEASE][target]
  // A key that is not there has version and revisions 0, but no value that could be compared.
  if (target === 3 && stored === undefined) return false
  const [a, b] = target === 3 ? [compareBytes(stored?.value ?? new Uint8Array(0), value), 0] : [BigInt(found ?? number), number]
  return [a === b, a > b, a < b, a !== b][result] ?? true
}

function passes(state: State, compare: Compare): boolean {
  const found = within(state.keys, compare.key, compare.range_end)
  return found.length === 0 ? holds(undefined, compare) : found.every((stored) => holds(stored, compare))
}

/** A transaction whose branches have been chosen. */
interface Chosen {
  readonly succeeded: boolean
  readonly steps: readonly (Exclude<RequestOp, { readonly op: 'txn' | 'none' }> | { readonly op: 'txn'; readonly chosen: Chosen })[]
}

function choose(state: State, { compare, success, failure }: TxnRequest): Chosen {
  const succeeded = compare.every((one) => passes(state, one))
  const steps = (succeeded ? success : failure).flatMap((op): Chosen['steps'] => {
    if (op.op === 'none') return []
    return [op.op === 'txn' ? { op: op.op, chosen: choose(state, op.request) } : op]
  })
  return { succeeded, steps }
}

/** Runs what was chosen. `written` is the length of the history before the outermost transaction. */
function apply(state: State, { succeeded, steps }: Chosen, written: number): TxnReply {
  const revision = state.revision + 1
  // Of its header, a response carries the revision only: the new one from the first write on.
  const header = (): ResponseHeader => ({ ...NO_HEADER, revision: String(state.history.length > written ? revision : state.revision) })
  const responses = steps.map((step): ResponseOp => {
    switch (step.op) {
      case 'range':
        return { op: 'range', reply: { header: header(), ...readRange({ ...state, revision }, step.request) } }
      case 'put': {
        const previous = writeKey(state, step.request, revision)
        return { op: 'put', reply: { header: header(), prev_kv: step.request.prev_kv && previous ? toKeyValue(previous) : null } }
      }
      case 'deleteRange': {
        const deleted = deleteKeys(state, step.request, revision)
        const prev_kvs = step.request.prev_kv ? deleted.map((key) => toKeyValue(key)) : []
        return { op: 'deleteRange', reply: { header: header(), deleted: String(deleted.length), prev_kvs } }
      }
      case 'txn':
        // etcd leaves the header of an inner transaction empty.
        return { op: 'txn', reply: { ...apply(state, step.chosen, written), header: NO_HEADER } }
    }
  })
  return { header: headerOf(state), succeeded, responses }
}

const anyRange = ({ steps }: Chosen, holds: (request: RangeRequest) => boolean): boolean =>
  steps.some((step) => (step.op === 'txn' ? anyRange(step.chosen, holds) : step.op === 'range' && holds(step.request)))

/** What the chosen branches rely on and do not find. */
function missing({ state, quirks }: Context, chosen: Chosen): Failure | undefined {
  const find = ({ steps }: Chosen, kinds: readonly RequestOp['op'][]): Failure | undefined =>
    firstOf(steps, (step) => {
      if (step.op === 'txn') return find(step.chosen, kinds)
      if (step.op === 'put' && kinds.includes('put')) return putMissing(state, step.request, quirks.leaseCheckedFirst ? 'lease' : 'key')
      return step.op === 'range' && kinds.includes('range') ? revisionMissing(state, step.request.revision) : undefined
    })
  return quirks.checkedInOrder ? find(chosen, ['put', 'range']) : (find(chosen, ['put']) ?? find(chosen, ['range']))
}

/** Here, a revision below 0 is not the present one, as it is for a range alone (`checkRange`). */
function revisionMissing(state: State, revision: number): Failure | undefined {
  return revision < 0 && revision < state.compacted ? failures.compacted : revisionProblem(state, revision)
}

/** What only reads is not sent through raft, which would drop an empty end. */
function asExecuted(context: Context, request: TxnRequest): TxnRequest {
  if ([...request.success, ...request.failure].some(({ op }) => op !== 'range')) return request
  const ranges = (ops: readonly RequestOp[]): readonly RequestOp[] => ops.map((op) => (op.op === 'range' ? { op: 'range', request: asRead(context, op.request) } : op))
  return { compare: request.compare.map((compare) => asRead(context, compare)), success: ranges(request.success), failure: ranges(request.failure) }
}

export function txn(context: Context, request: TxnRequest): TxnReply | Failure {
  const { state } = context
  const problem = txnProblem(context, request)
  if (problem) return problem
  const identity = identify(context)
  if (isFailure(identity)) return identity
  const refusal = txnRefusal(context, identity, request)
  if (refusal) return refusal
  const chosen = choose(state, asExecuted(context, request))
  const absent = missing(context, chosen)
  if (absent) return absent
  if (anyRange(chosen, fellsMember)) return failures.dead
  const written = state.history.length
  const reply = apply(state, chosen, written)
  if (state.history.length > written) state.revision++
  return { ...reply, header: headerOf(state) }
}
