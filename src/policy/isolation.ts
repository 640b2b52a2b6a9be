/** Whether the users of a policy keep out of each other's keys: tenants on one etcd. */
import { compareBytes } from '../bytes.js'
import { difference, fromInterval, intersectIntervals, isEmptyInterval, patternInterval, toInterval, union, type Interval } from '../keys/interval.js'
import { keyText, type KeyRange, type KeyText } from '../keys/key-range.js'
import type { PathPattern } from '../keys/pattern.js'
import { lookUp, type Asked } from './index-policy.js'
import type { Policy } from './policy.js'
import type { Granted } from './rights.js'

/** A user, and the permission by which it holds something. */
export interface Holding extends Granted {
  readonly user: string
}

/** Two users who hold the same keys. */
export interface Overlap {
  readonly api: 'v2' | 'v3'
  readonly holdings: readonly [Holding, Holding]
  /** What both hold: a v3 range, or the first v2 path. */
  readonly shared: KeyRange | KeyText
  /** Of them, the holdings that have no end: they hold what every later tenant is given. */
  readonly openEnded: readonly Holding[]
}

/** Whether users are isolated. */
export interface Isolation {
  readonly isolated: boolean
  /** For every holding that meets an earlier one of another user, the one that reaches farthest: a witness each, not all pairs. */
  readonly overlaps: readonly Overlap[]
  /** Users with role root, who are in everybody's keys. They are not compared. */
  readonly admins: readonly string[]
}

/** What is to be compared. */
export interface IsolationOptions<P extends Policy> {
  readonly api: 'v2' | 'v3'
  /** Default: every user without role root. */
  readonly users?: readonly (keyof P['users'] & string)[]
  /** Keys that users may share. Default: none. */
  readonly except?: readonly (KeyRange | PathPattern)[]
}

interface Piece {
  readonly holding: Holding
  readonly interval: Interval
}

const intervalOf = (keys: KeyRange | PathPattern): Interval => (keys.api === 'v3' ? toInterval(keys) : patternInterval(keys))

function reachesFarther(a: Piece | undefined, b: Piece | undefined): boolean {
  if (a === undefined || b === undefined) return b === undefined
  const [left, right] = [a.interval.end, b.interval.end]
  return right !== undefined && (left === undefined || compareBytes(left, right) > 0)
}

/**
 * Whether users hold keys of each other, in O(n log n) for all pairs: one sweep over all their intervals.
 *
 * @example
 * ```ts
 * import { definePolicy, isolation, prefix, readwrite } from 'etcd-rbac'
 * const policy = definePolicy({
 *   users: { a: 'certificate', b: 'certificate' },
 *   v3: { roles: { a: [readwrite(prefix('/tenant-1/'))], b: [readwrite(prefix('/tenant-10/'))] }, bindings: { a: ['a'], b: ['b'] } },
 * })
 * console.log(isolation(policy, { api: 'v3' }).isolated) // true
 * ```
 */
export function isolation<P extends Policy>(asked: Asked<P>, options: IsolationOptions<P>): Isolation {
  const { policy, rights } = lookUp(asked)
  const { api, users = Object.keys(policy.users), except = [] } = options
  const excepted = union(except.map(intervalOf))
  const admins: string[] = []
  const pieces: Piece[] = []
  for (const user of users) {
    const { root, granted } = rights(api, user)
    if (root) admins.push(user)
    else
      for (const { role, permission } of granted)
        for (const interval of difference(union([intervalOf(permission.keys)]), excepted)) pieces.push({ holding: { user, role, permission }, interval })
  }
  pieces.sort((a, b) => compareBytes(a.interval.start, b.interval.start))

  // Of all that began before, the piece that reaches farthest, and the farthest of any other user.
  let farthest: Piece | undefined
  let other: Piece | undefined
  const overlaps: Overlap[] = []
  for (const piece of pieces) {
    const earlier = farthest?.holding.user === piece.holding.user ? other : farthest
    const both = earlier && intersectIntervals(earlier.interval, piece.interval)
    if (earlier && both && !isEmptyInterval(both)) overlaps.push(overlapOf(api, earlier, piece, both))
    if (reachesFarther(piece, farthest)) {
      if (farthest?.holding.user !== piece.holding.user) other = farthest
      farthest = piece
    } else if (farthest?.holding.user !== piece.holding.user && reachesFarther(piece, other)) other = piece
  }
  return { isolated: overlaps.length === 0, overlaps, admins }
}

function overlapOf(api: 'v2' | 'v3', a: Piece, b: Piece, both: Interval): Overlap {
  return {
    api,
    holdings: [a.holding, b.holding],
    shared: api === 'v3' ? fromInterval(both) : keyText(both.start.length === 0 ? new Uint8Array(1) : both.start),
    openEnded: [a, b].filter(({ interval }) => interval.end === undefined).map(({ holding }) => holding),
  }
}
