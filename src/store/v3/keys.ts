/**
 * The v3 key space: ranges, puts and deletes, without rights.
 *
 * Follows `mvcc/kvstore_txn.go` and `etcdserver/apply.go`. All revisions are kept, in the order in which they were written.
 */
import { compareBytes, toHex } from '../../bytes.js'
import type { DeleteRangeRequest, KeyValue, PutRequest, RangeRequest } from './rpc.js'
import type { State, StoredKey } from './state.js'

/** The keys as they are, or were at a revision, in byte order. */
export function keysAt(state: State, revision: number = state.revision): readonly StoredKey[] {
  const keys = new Map<string, StoredKey>()
  for (const change of state.history) {
    if (change.revision > revision) break
    if (change.stored) keys.set(change.key, change.stored)
    else keys.delete(change.key)
  }
  return [...keys.values()].sort((a, b) => compareBytes(a.key, b.key))
}

/** The keys that a range names: one without an end, all from it on with an end of one zero byte. */
export function within(keys: readonly StoredKey[], key: Uint8Array, end: Uint8Array): readonly StoredKey[] {
  if (end.length === 0) return keys.filter((stored) => compareBytes(stored.key, key) === 0)
  const open = end.length === 1 && end[0] === 0
  return keys.filter((stored) => compareBytes(stored.key, key) >= 0 && (open || compareBytes(stored.key, end) < 0))
}

/** A key as replies carry it. */
export function toKeyValue(stored: StoredKey, keysOnly = false): KeyValue {
  return {
    key: stored.key,
    create_revision: String(stored.created),
    mod_revision: String(stored.modified),
    version: String(stored.version),
    value: keysOnly ? new Uint8Array(0) : stored.value,
    lease: '0',
  }
}

const orders: readonly ((a: StoredKey, b: StoredKey) => number)[] = [
  (a, b) => compareBytes(a.key, b.key),
  (a, b) => a.version - b.version,
  (a, b) => a.created - b.created,
  (a, b) => a.modified - b.modified,
  (a, b) => compareBytes(a.value, b.value),
]

/** What a range request finds. */
export function readRange(state: State, request: RangeRequest): { readonly kvs: readonly KeyValue[]; readonly more: boolean; readonly count: string } {
  const keys = keysAt(state, request.revision > 0 ? request.revision : state.revision)
  const found = within(keys, request.key, request.range_end)
  const order = orders[request.sort_target]
  // Without a direction, etcd sorts upwards by anything but the key, yet only what it has read up to the limit.
  const direction = request.sort_order === 2 ? -1 : 1
  const fetched = request.sort_order === 0 && request.limit > 0 ? found.slice(0, request.limit + 1) : found
  const sorted = order && (request.sort_order > 0 || request.sort_target > 0) ? fetched.toSorted((a, b) => direction * order(a, b)) : fetched
  const limited = request.limit > 0 ? sorted.slice(0, request.limit) : sorted
  const kvs = request.count_only ? [] : limited.map((stored) => toKeyValue(stored, request.keys_only))
  return { kvs, more: !request.count_only && limited.length < found.length, count: String(found.length) }
}

/** The one key, as it is. */
export function lookUp(state: State, key: Uint8Array): StoredKey | undefined {
  return within(keysAt(state), key, new Uint8Array(0))[0]
}

/** Writes a key at `revision`, which the caller makes the store's own when all of its writes are done. */
export function writeKey(state: State, request: PutRequest, revision: number): StoredKey | undefined {
  const previous = within(keysAt(state, revision), request.key, new Uint8Array(0))[0]
  const value = request.ignore_value && previous ? previous.value : request.value
  const stored = { key: request.key, value, created: previous?.created ?? revision, modified: revision, version: (previous?.version ?? 0) + 1 }
  state.history.push({ revision, key: toHex(request.key), stored })
  return previous
}

/** Deletes a range at `revision`; see {@link writeKey}. */
export function deleteKeys(state: State, request: DeleteRangeRequest, revision: number): readonly StoredKey[] {
  const doomed = within(keysAt(state, revision), request.key, request.range_end)
  for (const { key } of doomed) state.history.push({ revision, key: toHex(key), stored: undefined })
  return doomed
}
