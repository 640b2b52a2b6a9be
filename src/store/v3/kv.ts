/** The KV RPCs but transactions, with their rights. Follows `v3rpc/key.go` (requests) and `apply_auth.go` (rights). */
import { failures, isFailure, type Failure } from './failures.js'
import { adminOnly, identify, type Identity } from './identity.js'
import { deleteKeys, isSorted, isSortTarget, lookUp, readRange, toKeyValue, writeKey } from './keys.js'
import { leaseRefusal } from './leases.js'
import { keyRefusal } from './range-check.js'
import type { Calls, DeleteRangeReply, DeleteRangeRequest, HeaderReply, PutReply, PutRequest, RangeReply, RangeRequest } from './rpc.js'
import { headerOf, NO_LEASE, type Context, type State } from './state.js'

const ONE_KEY: Uint8Array = new Uint8Array(0)
const NO_END: Uint8Array = new Uint8Array(1)

/** A range or compare as the one who reads sees it, when its rights have been checked. */
export function asRead<T extends { readonly range_end: Uint8Array; readonly emptyEndSent: boolean }>({ quirks }: Context, request: T): T {
  return request.emptyEndSent && !quirks.emptyEndIgnored ? { ...request, range_end: NO_END } : request
}

/** What is wrong with a range, whoever asks. */
export function rangeProblem({ quirks }: Pick<Context, 'quirks'>, { key, sort_order, sort_target }: RangeRequest): Failure | undefined {
  if (key.length === 0) return failures.keyEmpty
  return quirks.sortChecked && (![0, 1, 2].includes(sort_order) || !isSortTarget(sort_target)) ? failures.invalidSort : undefined
}

/** Whether there is nothing to sort by, and old members fall over it. They come back with what they had: measured on 3.3.25 and 3.5.35. */
export function fellsMember(request: RangeRequest): boolean {
  return isSorted(request) && !isSortTarget(request.sort_target)
}

/** What is wrong with a put, whoever asks. */
export function putProblem(request: PutRequest): Failure | undefined {
  if (request.key.length === 0) return failures.keyEmpty
  if (request.ignore_value && request.value.length > 0) return failures.valueProvided
  return request.ignore_lease && request.lease !== NO_LEASE ? failures.leaseProvided : undefined
}

/** What is wrong with a delete, whoever asks. */
export function deleteProblem({ key }: DeleteRangeRequest): Failure | undefined {
  return key.length === 0 ? failures.keyEmpty : undefined
}

/** A put needs WRITE, on all keys of its lease too, and READ if it is to return the previous value. */
export function putRefusal(context: Context, identity: Identity, { key, lease, prev_kv }: PutRequest): Failure | undefined {
  const refusal = keyRefusal(context, identity, 'write', key, ONE_KEY) ?? leaseRefusal(context, identity, 'write', lease)
  return refusal ?? (prev_kv ? keyRefusal(context, identity, 'read', key, ONE_KEY) : undefined)
}

/** A delete needs WRITE on all of its range, and READ too if it is to return the previous values. */
export function deleteRefusal(context: Context, identity: Identity, { key, range_end, prev_kv }: DeleteRangeRequest): Failure | undefined {
  return keyRefusal(context, identity, 'write', key, range_end) ?? (prev_kv ? keyRefusal(context, identity, 'read', key, range_end) : undefined)
}

/** What a range names that is not there to be read. */
export function revisionProblem(state: State, revision: number): Failure | undefined {
  if (revision > state.revision) return failures.futureRevision
  return revision > 0 && revision < state.compacted ? failures.compacted : undefined
}

/** What a put relies on that is not there: its lease, or the key whose value or lease it is to keep. */
export function putMissing(state: State, request: PutRequest, first: 'lease' | 'key' = 'lease'): Failure | undefined {
  const lease = request.lease === NO_LEASE || state.leases.has(request.lease) ? undefined : failures.leaseNotFound
  const key = (request.ignore_value || request.ignore_lease) && lookUp(state, request.key) === undefined ? failures.keyNotFound : undefined
  return first === 'lease' ? (lease ?? key) : (key ?? lease)
}

export function range(context: Context, request: RangeRequest): RangeReply | Failure {
  const { state } = context
  const problem = rangeProblem(context, request)
  if (problem) return problem
  const identity = identify(context)
  if (isFailure(identity)) return identity
  const refusal = keyRefusal(context, identity, 'read', request.key, request.range_end) ?? revisionProblem(state, request.revision)
  if (!refusal && fellsMember(request)) return failures.dead
  return refusal ?? { header: headerOf(state), ...readRange(state, asRead(context, request)) }
}

export function put(context: Context, request: PutRequest): PutReply | Failure {
  const { state } = context
  const problem = putProblem(request)
  if (problem) return problem
  const identity = identify(context)
  if (isFailure(identity)) return identity
  const refusal = putRefusal(context, identity, request) ?? putMissing(state, request)
  if (refusal) return refusal
  const previous = writeKey(state, request, state.revision + 1)
  state.revision++
  return { header: headerOf(state), prev_kv: request.prev_kv && previous ? toKeyValue(previous) : null }
}

export function deleteRange(context: Context, request: DeleteRangeRequest): DeleteRangeReply | Failure {
  const { state } = context
  const problem = deleteProblem(request)
  if (problem) return problem
  const identity = identify(context)
  if (isFailure(identity)) return identity
  const refusal = deleteRefusal(context, identity, request)
  if (refusal) return refusal
  const deleted = deleteKeys(state, request, state.revision + 1)
  if (deleted.length > 0) state.revision++
  return { header: headerOf(state), deleted: String(deleted.length), prev_kvs: request.prev_kv ? deleted.map((key) => toKeyValue(key)) : [] }
}

/** Compaction needs no right on old versions, not even a user. */
export function compact(context: Context, { revision }: Calls['compact'][0]): HeaderReply | Failure {
  const { state, quirks } = context
  const identity = identify(context)
  const refusal = isFailure(identity) ? identity : quirks.callsGuarded ? adminOnly(context) : undefined
  if (refusal) return refusal
  if (revision <= state.compacted) return failures.compacted
  if (revision > state.revision) return failures.futureRevision
  state.compacted = revision
  return { header: headerOf(state) }
}
