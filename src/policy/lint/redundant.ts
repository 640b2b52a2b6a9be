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

/** The first place in an ascending list at which something is so, and stays so; the length where it never is. */
function firstPlace<T>(list: readonly T[], isSo: (one: T) => boolean): number {
  let [from, to] = [0, list.length]
  while (from < to) {
    const middle = (from + to) >> 1
    const one = list[middle]
    if (one !== undefined && isSo(one)) to = middle
    else from = middle + 1
  }
  return from
}

/** An interval with all that is covered anyway and meets it: as it counts beside others. `undefined` where it adds nothing to that. */
function grown(interval: Interval, standing: IntervalSet): Interval | undefined {
  const first = firstPlace(standing, (one) => touches(interval, one))
  const last = firstPlace(standing, (one) => !touches(one, interval)) - 1
  const [low, high] = [standing[first], standing[last]]
  if (low === undefined || high === undefined || first > last) return interval
  if (first === last && compareBytes(low.start, interval.start) <= 0 && ends(interval, low) <= 0) return undefined
  return { start: compareBytes(low.start, interval.start) < 0 ? low.start : interval.start, end: ends(interval, high) < 0 ? high.end : interval.end }
}

/**
 * The places of intervals that may all be left out together without a key being lost. Of equal ones the first stays. O(n log n).
 *
 * What lies inside another goes first. Of the rest, in order, one goes if its neighbours meet: both starts and ends ascend there, so that
 * nobody else could cover what lies between.
 *
 * @param standing What is covered anyway: each interval counts together with what of it meets it.
 */
export function redundantAmong(intervals: readonly Interval[], standing: IntervalSet = []): ReadonlySet<number> {
  const redundant = new Set<number>()
  const sorted: { readonly interval: Interval; readonly place: number }[] = []
  for (const [place, one] of intervals.entries()) {
    const interval = isEmptyInterval(one) ? undefined : grown(one, standing)
    if (interval === undefined) redundant.add(place)
    else sorted.push({ interval, place })
  }
  sorted.sort((a, b) => compareBytes(a.interval.start, b.interval.start) || ends(b.interval, a.interval) || a.place - b.place)
  const left: typeof sorted = []
  for (const one of sorted) {
    const last = left.at(-1)
    if (last !== undefined && ends(one.interval, last.interval) <= 0) redundant.add(one.place)
    else left.push(one)
  }
  let kept = left[0]
  for (let i = 1; i + 1 < left.length; i++) {
    const [one, next] = [left[i], left[i + 1]]
    if (kept === undefined || one === undefined || next === undefined) break
    if (touches(next.interval, kept.interval)) redundant.add(one.place)
    else kept = one
  }
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
