/** What is open to whom, so that a plan's order can be judged: byte intervals on v3, path patterns on v2. */
import { containsInterval, intersectIntervals, isEmptyInterval, toInterval, union, type Interval } from '../keys/interval.js'
import { coversPattern, type PathPattern } from '../keys/pattern.js'
import { allows, type Permission } from '../keys/permission.js'
import type { KeyRange } from '../keys/key-range.js'

export type Access = 'read' | 'write'
export const ACCESSES: readonly Access[] = ['read', 'write']

/** How regions of one API compare. */
export interface Regions<R> {
  readonly everything: R
  of(keys: KeyRange | PathPattern): R
  /** All regions together, in the form that `contains` and `common` take. */
  together(regions: readonly R[]): readonly R[]
  /** Whether everything in the region lies in the set. */
  contains(set: readonly R[], region: R): boolean
  /** What of the region lies in the set, in pieces. */
  common(set: readonly R[], region: R): readonly R[]
}

/** What a user may read and write. Role root is told apart, since it is more than every key. */
export interface Rights<R> {
  readonly root: boolean
  readonly read: readonly R[]
  readonly write: readonly R[]
}

function wrongApi(): never {
  throw new TypeError('permissions of one API cannot be compared with those of the other')
}

/** Regions of v3: intervals, judged by their union. */
export const v3Regions: Regions<Interval> = {
  everything: { start: new Uint8Array(0), end: undefined },
  of: (keys) => (keys.api === 'v3' ? toInterval(keys) : wrongApi()),
  together: union,
  contains: (set, region) => isEmptyInterval(region) || containsInterval(set, region),
  common: (set, region) => set.map((interval) => intersectIntervals(interval, region)).filter((both) => !isEmptyInterval(both)),
}

/** Regions of v2: patterns. Two of them are nested or apart, so that no number of narrower ones adds up to a wider one. */
export const v2Regions: Regions<PathPattern> = {
  everything: { api: 'v2', pattern: '*' },
  of: (keys) => (keys.api === 'v2' ? keys : wrongApi()),
  together: (patterns) => patterns,
  contains: (set, region) => set.some((outer) => coversPattern(outer, region)),
  common: (set, region) => set.flatMap((other) => (coversPattern(other, region) ? [region] : coversPattern(region, other) ? [other] : [])),
}

/** The regions that permissions open for one access. */
export function regionsOf<R>(regions: Regions<R>, permissions: Iterable<Permission>, access: Access): readonly R[] {
  return [...permissions].filter(({ type }) => allows(type, access)).map(({ keys }) => regions.of(keys))
}

/** What roles give together. */
export function rightsOf<R>(regions: Regions<R>, permissions: readonly Permission[], root: boolean): Rights<R> {
  if (root) return { root, read: [regions.everything], write: [regions.everything] }
  return { root, read: regions.together(regionsOf(regions, permissions, 'read')), write: regions.together(regionsOf(regions, permissions, 'write')) }
}
