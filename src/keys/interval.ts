/**
 * v3 key ranges as half-open byte intervals, and the sets that they add up to.
 *
 * Follows etcd `server/auth/range_perm_cache.go`: rights are the union of intervals, and a request is allowed when that union contains all
 * of it.
 */
import { compareBytes, concatBytes, utf8 } from '../bytes.js'
import { keyBytes, keyText, type KeyRange } from './key-range.js'
import type { Path, PathPattern } from './pattern.js'

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
  // Copied by hand: slice() of Node's Buffer is a view of the caller's bytes, and a view of so few bytes costs more than they do.
  const end = new Uint8Array(length)
  for (let at = 0; at < length; at++) end[at] = prefix[at] ?? 0
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

/** The interval of the paths, as UTF-8, that a v2 pattern matches; recursion apart. */
export function patternInterval({ pattern }: PathPattern): Interval {
  if (!pattern.endsWith('*')) return pathInterval({ path: pattern })
  const start = utf8(pattern.slice(0, -1))
  return { start, end: prefixEnd(start) }
}

/** The interval of one v2 path. */
export function pathInterval({ path }: Pick<Path, 'path'>): Interval {
  const start = utf8(path)
  return { start, end: concatBytes(start, ZERO) }
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

/** What of the interval lies in none of the set: the gaps, in ascending order. */
export function missingFrom(set: IntervalSet, wanted: Interval): IntervalSet {
  if (isEmptyInterval(wanted)) return []
  const gaps: Interval[] = []
  let reached: Uint8Array | undefined = wanted.start
  for (let at = firstEndingAfter(set, wanted.start); reached !== undefined && at < set.length; at++) {
    const { start, end } = set[at] ?? wanted
    if (wanted.end !== undefined && compareBytes(start, wanted.end) >= 0) break
    if (compareBytes(start, reached) > 0) gaps.push({ start: reached, end: start })
    reached = end
  }
  if (reached !== undefined && (wanted.end === undefined || compareBytes(reached, wanted.end) < 0)) gaps.push({ start: reached, end: wanted.end })
  return gaps
}

/** The place in a set of the first interval that ends after a point. */
function firstEndingAfter(set: IntervalSet, point: Uint8Array): number {
  let [low, high] = [0, set.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const end = set[middle]?.end
    if (end === undefined || compareBytes(end, point) > 0) high = middle
    else low = middle + 1
  }
  return low
}

/** What lies in `a` and not in `b`. */
export function difference(a: IntervalSet, b: IntervalSet): IntervalSet {
  return a.flatMap((interval) => missingFrom(b, interval))
}

/** What lies in both sets. Linear in their sizes. */
export function intersection(a: IntervalSet, b: IntervalSet): IntervalSet {
  const found: Interval[] = []
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [left, right] = [a[i], b[j]]
    if (left === undefined || right === undefined) break
    const both = intersectIntervals(left, right)
    if (!isEmptyInterval(both)) found.push(both)
    if (compareEnds(left.end, right.end) <= 0) i++
    else j++
  }
  return found
}

/** Every key: no key is empty, so the first one is a zero byte. */
export const EVERY_KEY: Interval = { start: ZERO, end: undefined }

/** What lies in none of the set. */
export function complement(set: IntervalSet): IntervalSet {
  return missingFrom(set, EVERY_KEY)
}

/** The key range of an interval that is not empty. */
export function fromInterval({ start, end }: Interval): KeyRange {
  const from = start.length === 0 ? ZERO : start
  if (end === undefined) return fromWire({ key: from, rangeEnd: ZERO })
  const single = end.length === from.length + 1 && end.at(-1) === 0 && compareBytes(end.subarray(0, -1), from) === 0
  return fromWire({ key: from, rangeEnd: single ? NONE : end })
}

/** What lies in both, which may be empty. */
export function intersectIntervals(a: Interval, b: Interval): Interval {
  return {
    start: compareBytes(a.start, b.start) >= 0 ? a.start : b.start,
    end: compareEnds(a.end, b.end) <= 0 ? a.end : b.end,
  }
}
