/** What is open to whom, so that a plan's order can be judged: byte intervals on v3, path patterns on v2, with or without recursion. */
import { containsInterval, intersectIntervals, isEmptyInterval, toInterval, union, type Interval } from '../keys/interval.js'
import { coversPattern, type PathPattern } from '../keys/pattern.js'
import { allows, type Permission } from '../keys/permission.js'
import type { KeyRange } from '../keys/key-range.js'

export type Access = 'read' | 'write'
export const ACCESSES: readonly Access[] = ['read', 'write']

/** How regions of one API compare. */
export interface Regions<R> {
  readonly everything: R
  /** `asGuest`: held by a guest of v2, who may recurse by any pattern. */
  of(keys: KeyRange | PathPattern, asGuest: boolean): R
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

/** A pattern, and whether requests that recurse are let through by it. */
export interface V2Region extends PathPattern {
  readonly recursive: boolean
}

const covers = (outer: V2Region, inner: V2Region): boolean => coversPattern(outer, inner) && (outer.recursive || !inner.recursive)

/** Regions of v2: patterns. Two of them are nested or apart, so that no number of narrower ones adds up to a wider one. */
export const v2Regions: Regions<V2Region> = {
  everything: { api: 'v2', pattern: '*', recursive: true },
  of: (keys, asGuest) => (keys.api === 'v2' ? { ...keys, recursive: asGuest || keys.pattern.endsWith('*') } : wrongApi()),
  together: (patterns) => patterns,
  contains: (set, region) => set.some((outer) => covers(outer, region)),
  common: (set, region) => set.flatMap((other) => (covers(other, region) ? [region] : covers(region, other) ? [other] : [])),
}

/** The regions that permissions open for one access. */
export function regionsOf<R>(regions: Regions<R>, permissions: Iterable<Permission>, access: Access, asGuest: boolean): readonly R[] {
  return [...permissions].filter(({ type }) => allows(type, access)).map(({ keys }) => regions.of(keys, asGuest))
}

/** What roles give together. */
export function rightsOf<R>(regions: Regions<R>, permissions: readonly Permission[], { root, asGuest }: { readonly root: boolean; readonly asGuest: boolean }): Rights<R> {
  if (root) return { root, read: [regions.everything], write: [regions.everything] }
  const open = (access: Access): readonly R[] => regions.together(regionsOf(regions, permissions, access, asGuest))
  return { root, read: open('read'), write: open('write') }
}
