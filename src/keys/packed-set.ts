/**
 * An interval set in three flat arrays, for many look-ups: a binary search over a hundred thousand intervals then touches a few megabytes
 * instead of a hundred thousand objects.
 */
import type { Interval, IntervalSet } from './interval.js'

/** An interval set, packed. Boundary `2 n` is the start of interval `n`, boundary `2 n + 1` its end. */
export interface PackedSet {
  readonly bytes: Uint8Array
  /** Where each boundary begins in `bytes`; one more says where the last one ends. */
  readonly offsets: Uint32Array
  /** Whether the last interval has no end. */
  readonly open: boolean
}

/** Packs a set. */
export function packSet(set: IntervalSet): PackedSet {
  const length = set.reduce((sum, { start, end }) => sum + start.length + (end?.length ?? 0), 0)
  const bytes = new Uint8Array(length)
  const offsets = new Uint32Array(2 * set.length + 1)
  let [at, boundary] = [0, 0]
  for (const { start, end } of set) {
    for (const part of [start, end]) {
      offsets[boundary++] = at
      if (part === undefined) continue
      bytes.set(part, at)
      at += part.length
    }
  }
  offsets[boundary] = at
  const last = set.at(-1)
  return { bytes, offsets, open: last !== undefined && last.end === undefined }
}

/** Order of a boundary and a key. */
function compareBoundary({ bytes, offsets }: PackedSet, boundary: number, key: Uint8Array): number {
  const from = offsets[boundary] ?? 0
  const size = (offsets[boundary + 1] ?? 0) - from
  const shared = Math.min(size, key.length)
  for (let i = 0; i < shared; i++) {
    const difference = (bytes[from + i] ?? 0) - (key[i] ?? 0)
    if (difference !== 0) return difference
  }
  return size - key.length
}

/** Whether the set contains all of the interval. */
export function packedContains(set: PackedSet, { start, end }: Interval): boolean {
  const count = (set.offsets.length - 1) / 2
  let [low, high] = [0, count]
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareBoundary(set, 2 * middle, start) <= 0) low = middle + 1
    else high = middle
  }
  if (low === 0) return false
  const found = low - 1
  if (set.open && found === count - 1) return true
  return end !== undefined && compareBoundary(set, 2 * found + 1, end) >= 0
}
