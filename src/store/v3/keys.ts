/**
 * The v3 key space: ranges, puts and deletes, without rights.
 *
 * Follows `mvcc/kvstore_txn.go` and `etcdserver/apply.go`. All revisions are kept, in the order in which they were written.
 */
import { compareBytes, toHex } from '../../bytes.js'
import type { DeleteRangeRequest, KeyValue, PutRequest, RangeRequest } from './rpc.js'
import { NO_LEASE, type Change, type State, type StoredKey } from './state.js'

/** The keys as they are, or were at a revision, in byte order. */
function keysAt(state: State, revision: number): ReadonlyMap<string, StoredKey> {
  const keys = new Map<string, StoredKey>()
  for (const change of state.history) {
    if (change.revision > revision) break
    note(keys, change)
  }
  return keys
}

function note(keys: Map<string, StoredKey>, { key, stored }: Change): void {
  if (stored) keys.set(toHex(key), stored)
  else keys.delete(toHex(key))
}

/** The keys that a range names, in byte order: one without an end, all from it on with an end of one zero byte. */
export function within(keys: ReadonlyMap<string, StoredKey>, key: Uint8Array, end: Uint8Array): readonly StoredKey[] {
  if (end.length === 0) {
    const stored = keys.get(toHex(key))
    return stored ? [stored] : []
  }
  const open = end.length === 1 && end[0] === 0
  const found = [...keys.values()].filter((stored) => compareBytes(stored.key, key) >= 0 && (open || compareBytes(stored.key, end) < 0))
  return found.sort((a, b) => compareBytes(a.key, b.key))
}

/** A key as replies carry it. */
export function toKeyValue(stored: StoredKey, keysOnly = false): KeyValue {
  return {
    key: stored.key,
    create_revision: String(stored.created),
    mod_revision: String(stored.modified),
    version: String(stored.version),
    value: keysOnly ? new Uint8Array(0) : stored.value,
    lease: stored.lease,
  }
}

const orders: readonly ((a: StoredKey, b: StoredKey) => number)[] = [
  (a, b) => compareBytes(a.key, b.key),
  (a, b) => a.version - b.version,
  (a, b) => a.created - b.created,
  (a, b) => a.modified - b.modified,
  (a, b) => compareBytes(a.value, b.value),
]

const BOUNDS = ['min_mod_revision', 'max_mod_revision', 'min_create_revision', 'max_create_revision'] as const

const isBounded = (request: RangeRequest): boolean => BOUNDS.some((bound) => request[bound] !== 0)

/** Whether a key lies within the bounds of its revisions. */
function isWanted({ modified, created }: StoredKey, request: RangeRequest): boolean {
  const outside = (revision: number, min: number, max: number): boolean => (min !== 0 && revision < min) || (max !== 0 && revision > max)
  return !outside(modified, request.min_mod_revision, request.max_mod_revision) && !outside(created, request.min_create_revision, request.max_create_revision)
}

/** Whether a range is sorted: by a direction that etcd knows, or upwards where only a target is given. */
export function isSorted({ sort_order, sort_target }: RangeRequest): boolean {
  return sort_order === 1 || sort_order === 2 || (sort_order === 0 && sort_target !== 0)
}

/** What there is to sort by. */
export const isSortTarget = (target: number): boolean => orders[target] !== undefined

/** What a range request finds. */
export function readRange(state: State, request: RangeRequest): { readonly kvs: readonly KeyValue[]; readonly more: boolean; readonly count: string } {
  const keys = request.revision > 0 ? keysAt(state, request.revision) : state.keys
  const found = within(keys, request.key, request.range_end)
  // Without a direction, etcd sorts upwards by anything but the key, yet only what it has read up to the limit.
  const fetched = request.sort_order === 0 && !isBounded(request) && request.limit > 0 ? found.slice(0, request.limit + 1) : found
  const wanted = fetched.filter((stored) => isWanted(stored, request))
  const order = isSorted(request) ? orders[request.sort_target] : undefined
  const direction = request.sort_order === 2 ? -1 : 1
  const sorted = order ? wanted.toSorted((a, b) => direction * order(a, b)) : wanted
  const limited = request.limit > 0 ? sorted.slice(0, request.limit) : sorted
  const kvs = request.count_only ? [] : limited.map((stored) => toKeyValue(stored, request.keys_only))
  return { kvs, more: !request.count_only && limited.length < sorted.length, count: String(found.length) }
}

/** The one key, as it is. */
export function lookUp(state: State, key: Uint8Array): StoredKey | undefined {
  return state.keys.get(toHex(key))
}

function write(state: State, change: Change): void {
  const { key, stored, previous } = change
  state.history.push(change)
  note(state.keys, change)
  if (previous && previous.lease !== NO_LEASE) state.attached.get(previous.lease)?.delete(toHex(key))
  if (!stored || stored.lease === NO_LEASE) return
  const others = state.attached.get(stored.lease)
  if (others) others.set(toHex(key), stored)
  else state.attached.set(stored.lease, new Map([[toHex(key), stored]]))
}

/** Writes a key at `revision`, which the caller makes the store's own when all of its writes are done. */
export function writeKey(state: State, request: PutRequest, revision: number): StoredKey | undefined {
  const previous = lookUp(state, request.key)
  const value = request.ignore_value && previous ? previous.value : request.value
  const lease = request.ignore_lease && previous ? previous.lease : request.lease
  const stored = { key: request.key, value, created: previous?.created ?? revision, modified: revision, version: (previous?.version ?? 0) + 1, lease }
  write(state, { revision, key: request.key, stored, previous })
  return previous
}

/** Deletes a range at `revision`; see {@link writeKey}. */
export function deleteKeys(state: State, request: Pick<DeleteRangeRequest, 'key' | 'range_end'>, revision: number): readonly StoredKey[] {
  const doomed = within(state.keys, request.key, request.range_end)
  for (const previous of doomed) write(state, { revision, key: previous.key, stored: undefined, previous })
  return doomed
}
