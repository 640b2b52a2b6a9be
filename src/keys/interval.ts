/**
 * v3 key ranges as half-open byte intervals, and the sets that they add up to.
 *
 * Follows etcd `server/auth/range_perm_cache.go`: rights are the union of intervals, and a request is allowed when that union contains all
 * of it.
 */
import { compareBytes, concatBytes } from '../bytes.js'
import { keyBytes, keyText, type KeyRange } from './key-range.js'

/** From `start` (included) to `end` (excluded); `end` is `undefined` where there is none. Empty when `end` is not after `start`. */
export interface Interval {
  readonly start: Uint8Array
  readonly end: Uint8Array | undefined
}

/** Disjoint, non-adjacent, non-empty intervals in ascending order. Made by {@link union}. */
export type IntervalSet = readonly Interval[]

/** `key` and `range_end` as etcd's RPCs carry them. */
export interface WireRange {
  readonly key: Uint8Array
  readonly rangeEnd: Uint8Array
}

const ZERO: Uint8Array = new Uint8Array(1)
const NONE: Uint8Array = new Uint8Array(0)

/** The first key after all keys that begin with `prefix`, or `undefined` where there is none (empty, or 0xff alone). */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return undefined
  // A copy, not slice(): on Node's Buffer that is a view of the caller's bytes.
  const end = new Uint8Array(prefix.subarray(0, length))
  end[length - 1] = (end[length - 1] ?? 0) + 1
  return end
}

/** The interval of a key range. */
export function toInterval(keys: KeyRange): Interval {
  switch (keys.kind) {
    case 'key': {
      const start = keyBytes(keys.key)
      return { start, end: concatBytes(start, ZERO) }
    }
    case 'prefix': {
      const start = keyBytes(keys.prefix)
      return { start, end: prefixEnd(start) }
    }
    case 'range':
      return { start: keyBytes(keys.start), end: keyBytes(keys.end) }
    case 'fromKey':
      return { start: keyBytes(keys.start), end: undefined }
    case 'allKeys':
      return { start: ZERO, end: undefined }
  }
}

/** A key range as etcd's RPCs carry it. */
export function toWire(keys: KeyRange): WireRange {
  if (keys.kind === 'key') return { key: keyBytes(keys.key), rangeEnd: NONE }
  const { start, end } = toInterval(keys)
  return { key: start, rangeEnd: end ?? ZERO }
}

/** The key range of what an RPC carried. Total: what old servers store but never match becomes an empty `range`. */
export function fromWire({ key, rangeEnd }: WireRange): KeyRange {
  if (rangeEnd.length === 0) return { api: 'v3', kind: 'key', key: keyText(key) }
  const open = compareBytes(rangeEnd, ZERO) === 0
  if (open && compareBytes(key, ZERO) === 0) return { api: 'v3', kind: 'allKeys' }
  if (open && key.length > 0 && prefixEnd(key) !== undefined) return { api: 'v3', kind: 'fromKey', start: keyText(key) }
  const end = key.length === 0 ? undefined : (prefixEnd(key) ?? ZERO)
  if (end !== undefined && compareBytes(end, rangeEnd) === 0) {
    const siblings = key.at(-1) === 0x2f ? {} : ({ siblings: 'include' } as const)
    return { api: 'v3', kind: 'prefix', prefix: keyText(key), ...siblings }
  }
  return { api: 'v3', kind: 'range', start: keyText(key), end: keyText(rangeEnd) }
}

/** Whether no key lies in the interval. */
export function isEmptyInterval({ start, end }: Interval): boolean {
  return end !== undefined && compareBytes(start, end) >= 0
}

/** Order of two ends, `undefined` being the last. */
function compareEnds(a: Uint8Array | undefined, b: Uint8Array | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1
  return compareBytes(a, b)
}

/** Everything that lies in at least one of the intervals. */
export function union(intervals: readonly Interval[]): IntervalSet {
  const sorted = intervals.filter((interval) => !isEmptyInterval(interval)).sort((a, b) => compareBytes(a.start, b.start))
  const merged: Interval[] = []
  for (const interval of sorted) {
    const last = merged.at(-1)
    if (last !== undefined && (last.end === undefined || compareBytes(interval.start, last.end) <= 0)) {
      if (compareEnds(interval.end, last.end) > 0) merged[merged.length - 1] = { start: last.start, end: interval.end }
    } else merged.push(interval)
  }
  return merged
}

/** Whether the set contains all of the interval. Binary search. */
export function containsInterval(set: IntervalSet, wanted: Interval): boolean {
  let [low, high] = [0, set.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    const candidate = set[middle]
    if (candidate !== undefined && compareBytes(candidate.start, wanted.start) <= 0) low = middle
    else high = middle - 1
  }
  const found = set[low]
  return found !== undefined && compareBytes(found.start, wanted.start) <= 0 && compareEnds(wanted.end, found.end) <= 0
}

/** What lies in both, which may be empty. */
export function intersectIntervals(a: Interval, b: Interval): Interval {
  return {
    start: compareBytes(a.start, b.start) >= 0 ? a.start : b.start,
    end: compareEnds(a.end, b.end) <= 0 ? a.end : b.end,
  }
}
