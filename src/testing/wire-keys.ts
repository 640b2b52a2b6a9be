/** The KV and Watch requests on the wire, and transactions back from it. See `wire.ts`. */
import type { Calls, WatchRequest } from '../store/index.js'
import { bytesField, isSent, enumField, enumsField, flagField, idField, listField, messageField, numberField, type Message } from './wire.js'

/** The field `key` and the field `range_end`. */
export const ranged = (message: Message): { readonly key: Uint8Array; readonly range_end: Uint8Array } => ({
  key: bytesField(message, 'key'),
  range_end: bytesField(message, 'range_end'),
})

const sendsEmptyEnd = (message: Message): boolean => isSent(message, 'range_end') && bytesField(message, 'range_end').length === 0

export function toRange(message: Message): Calls['range'][0] {
  return {
    ...ranged(message),
    emptyEndSent: sendsEmptyEnd(message),
    limit: numberField(message, 'limit'),
    revision: numberField(message, 'revision'),
    sort_order: enumField(message, 'sort_order', ['None', 'Ascend', 'Descend']),
    sort_target: enumField(message, 'sort_target', ['Key', 'Version', 'Create', 'Mod', 'Value']),
    keys_only: flagField(message, 'keys_only'),
    count_only: flagField(message, 'count_only'),
    min_mod_revision: numberField(message, 'min_mod_revision'),
    max_mod_revision: numberField(message, 'max_mod_revision'),
    min_create_revision: numberField(message, 'min_create_revision'),
    max_create_revision: numberField(message, 'max_create_revision'),
  }
}

export function toPut(message: Message): Calls['put'][0] {
  return {
    key: bytesField(message, 'key'),
    value: bytesField(message, 'value'),
    lease: idField(message, 'lease'),
    prev_kv: flagField(message, 'prev_kv'),
    ignore_value: flagField(message, 'ignore_value'),
    ignore_lease: flagField(message, 'ignore_lease'),
  }
}

export function toDeleteRange(message: Message): Calls['deleteRange'][0] {
  return { ...ranged(message), prev_kv: flagField(message, 'prev_kv') }
}

type Txn = Calls['txn'][0]

const TARGETS: readonly string[] = ['Version', 'Create', 'Mod', 'Value', 'Lease']
const TARGET_FIELDS: readonly string[] = ['version', 'create_revision', 'mod_revision', 'value', 'lease']

/** Of several that exclude each other, all are sent, and the last is taken: the fields of a `oneof` in the order of their numbers. */
const lastSent = (message: Message, fields: readonly string[]): string | undefined => fields.findLast((name) => isSent(message, name))

function toCompare(message: Message): Txn['compare'][number] {
  const target = enumField(message, 'target', TARGETS)
  const wanted = lastSent(message, TARGET_FIELDS)
  // What is compared with another kind of value than the target's is compared with nothing.
  const fits = wanted !== undefined && wanted === TARGET_FIELDS[target]
  return {
    ...ranged(message),
    emptyEndSent: sendsEmptyEnd(message),
    result: enumField(message, 'result', ['Equal', 'Greater', 'Less', 'NotEqual']),
    target,
    number: BigInt(fits && target !== 3 ? idField(message, wanted) : 0),
    value: fits && target === 3 ? bytesField(message, 'value') : new Uint8Array(0),
  }
}

function toOperation(message: Message): Txn['success'][number] {
  const kind = lastSent(message, ['request_range', 'request_put', 'request_delete_range', 'request_txn'])
  const request = kind === undefined ? undefined : messageField(message, kind, 'RequestOp')
  if (request === undefined) return { op: 'none' }
  if (kind === 'request_range') return { op: 'range', request: toRange(request) }
  if (kind === 'request_put') return { op: 'put', request: toPut(request) }
  return kind === 'request_txn' ? { op: 'txn', request: toTxn(request) } : { op: 'deleteRange', request: toDeleteRange(request) }
}

export function toTxn(message: Message): Txn {
  return {
    compare: listField(message, 'compare', 'TxnRequest').map(toCompare),
    success: listField(message, 'success', 'TxnRequest').map(toOperation),
    failure: listField(message, 'failure', 'TxnRequest').map(toOperation),
  }
}

export function toWatch(message: Message): WatchRequest {
  const kind = lastSent(message, ['create_request', 'cancel_request', 'progress_request'])
  const request = kind === undefined ? undefined : messageField(message, kind, 'WatchRequest')
  if (request === undefined) return { kind: 'none' }
  if (kind === 'progress_request') return { kind: 'progress' }
  if (kind === 'cancel_request') return { kind: 'cancel', watch_id: idField(request, 'watch_id') }
  const filters = enumsField(request, 'filters', ['Noput', 'Nodelete'])
  const numbers = { start_revision: numberField(request, 'start_revision'), watch_id: idField(request, 'watch_id') }
  return { kind: 'create', create: { ...ranged(request), ...numbers, filters, prev_kv: flagField(request, 'prev_kv') } }
}

const RESPONSES: Readonly<Record<string, string>> = { range: 'response_range', put: 'response_put', deleteRange: 'response_delete_range', txn: 'response_txn' }

/** A transaction's reply as etcd3 decodes it: one field of each response is set, and `response` names it. */
export function fromTxn({ header, succeeded, responses }: Calls['txn'][1]): Message {
  return {
    header,
    succeeded,
    responses: responses.map(({ op, reply }) => {
      const response = RESPONSES[op] ?? ''
      return { response, [response]: op === 'txn' ? fromTxn(reply) : reply }
    }),
  }
}
