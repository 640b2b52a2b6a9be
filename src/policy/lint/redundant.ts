/** Which intervals may go because the others cover them. */
import { compareBytes } from '../../bytes.js'
import { EVERY_KEY, isEmptyInterval, patternInterval, toInterval, union, type Interval, type IntervalSet } from '../../keys/interval.js'
import type { Permission, PermissionType } from '../../keys/permission.js'

const ends = (a: Interval, b: Interval): number => {
  if (a.end === undefined || b.end === undefined) return a.end === b.end ? 0 : a.end === undefined ? 1 : -1
  return compareBytes(a.end, b.end)
}

/** Whether an interval begins no later than another ends, so that nothing lies between. */
const touches = (later: Interval, earlier: Interval): boolean => earlier.end === undefined || compareBytes(later.start, earlier.end) <= 0

/**
 * The places of intervals that may all be left out together without a key being lost. Of equal ones the first stays. O(n log n).
 *
 * What lies inside another goes first. Of the rest, in order, one goes if its neighbours meet: both starts and ends ascend there, so that
 * nobody else could cover what lies between.
 *
 * @param standing What is covered anyway.
 */
export function redundantAmong(intervals: readonly Interval[], standing: IntervalSet = []): ReadonlySet<number> {
  const sorted = [...standing.map((interval) => ({ interval, place: -1 })), ...intervals.map((interval, place) => ({ interval, place }))].sort(
    (a, b) => compareBytes(a.interval.start, b.interval.start) || ends(b.interval, a.interval) || a.place - b.place,
  )
  const redundant = new Set<number>()
  const left: typeof sorted = []
  for (const one of sorted) {
    const last = left.at(-1)
    if (isEmptyInterval(one.interval) || (last !== undefined && ends(one.interval, last.interval) <= 0)) redundant.add(one.place)
    else left.push(one)
  }
  let kept = left[0]
  for (let i = 1; i + 1 < left.length; i++) {
    const [one, next] = [left[i], left[i + 1]]
    if (kept === undefined || one === undefined || next === undefined) break
    if (one.place !== -1 && touches(next.interval, kept.interval)) redundant.add(one.place)
    else kept = one
  }
  redundant.delete(-1)
  return redundant
}

/**
 * The places of permissions that may all be left out together without an access being lost. What reads and writes is kept before what does one of
 * them: a read is redundant beside a readwrite of the same keys, wherever they stand.
 */
export function redundantPermissions(permissions: readonly Permission[]): ReadonlySet<number> {
  const intervalAt = (place: number): Interval => {
    const keys = permissions[place]?.keys
    return keys === undefined ? EVERY_KEY : keys.api === 'v3' ? toInterval(keys) : patternInterval(keys)
  }
  const placesOf = (type: PermissionType): readonly number[] => [...permissions.keys()].filter((place) => permissions[place]?.type === type)
  const among = (places: readonly number[], standing: IntervalSet): ReadonlySet<number> => new Set([...redundantAmong(places.map(intervalAt), standing)].flatMap((index) => places[index] ?? []))
  const without = (places: readonly number[], gone: ReadonlySet<number>): readonly number[] => places.filter((place) => !gone.has(place))
  const covered = (places: readonly number[]): IntervalSet => union(places.map(intervalAt))

  const [reads, writes, both] = [placesOf('read'), placesOf('write'), placesOf('readwrite')]
  const twice = among(both, [])
  const kept = without(both, twice)
  const [read, written] = [among(reads, covered(kept)), among(writes, covered(kept))]
  // What may be left out for each access alone may go where it is in both.
  const forReading = among(kept, covered(without(reads, read)))
  const forWriting = among(kept, covered(without(writes, written)))
  return new Set([...twice, ...read, ...written, ...[...forReading].filter((place) => forWriting.has(place))])
}
