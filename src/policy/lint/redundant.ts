/** Which intervals may go because the others cover them. */
import { compareBytes } from '../../bytes.js'
import { isEmptyInterval, type Interval } from '../../keys/interval.js'

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
 */
export function redundantAmong(intervals: readonly Interval[]): ReadonlySet<number> {
  const sorted = intervals
    .map((interval, place) => ({ interval, place }))
    .sort((a, b) => compareBytes(a.interval.start, b.interval.start) || ends(b.interval, a.interval) || a.place - b.place)
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
    if (touches(next.interval, kept.interval)) redundant.add(one.place)
    else kept = one
  }
  return redundant
}
