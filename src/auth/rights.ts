/** What is open to whom, so that a plan's order can be judged: byte intervals on v3, path patterns on v2. */
import { containsInterval, intersectIntervals, isEmptyInterval, toInterval, union, type Interval } from '../keys/interval.js'
import { coversPattern, type PathPattern } from '../keys/pattern.js'
import type { KeyRange } from '../keys/key-range.js'

/** How regions of one API compare. */
export interface Regions<R> {
  of(keys: KeyRange | PathPattern): R
  /** Whether everything in the region lies in the others together. */
  covered(region: R, by: readonly R[]): boolean
  /** What lies in both, or `undefined`. */
  common(a: R, b: R): R | undefined
}

function wrongApi(): never {
  throw new TypeError('permissions of one API cannot be compared with those of the other')
}

/** Regions of v3: intervals, judged by their union. */
export const v3Regions: Regions<Interval> = {
  of: (keys) => (keys.api === 'v3' ? toInterval(keys) : wrongApi()),
  covered: (region, by) => isEmptyInterval(region) || containsInterval(union(by), region),
  common: (a, b) => {
    const both = intersectIntervals(a, b)
    return isEmptyInterval(both) ? undefined : both
  },
}

/** Regions of v2: patterns, each judged alone, since etcd never adds two of them up. */
export const v2Regions: Regions<PathPattern> = {
  of: (keys) => (keys.api === 'v2' ? keys : wrongApi()),
  covered: (region, by) => by.some((outer) => coversPattern(outer, region)),
  common: (a, b) => (coversPattern(a, b) ? b : coversPattern(b, a) ? a : undefined),
}
