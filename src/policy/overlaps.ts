/** Where what one user holds meets what another holds, for all pairs of them at once. */
import { compareBytes } from '../bytes.js'
import { intersectIntervals, isEmptyInterval, type Interval, type IntervalSet } from '../keys/interval.js'
import type { KeyText } from '../keys/key-range.js'
import { meeting, neighbourhood, type Area } from './reach.js'

/** An interval that a user holds by something. */
export interface Piece<H> {
  readonly holding: H
  readonly interval: Interval
}

/** An area of which a user holds what lies in some intervals. */
export interface Part<H> {
  readonly holding: H
  readonly area: Area
  readonly open: IntervalSet
}

interface Owned {
  readonly user: unknown
}

function reachesFarther<H>(a: Piece<H> | undefined, b: Piece<H> | undefined): boolean {
  if (a === undefined || b === undefined) return b === undefined
  const [left, right] = [a.interval.end, b.interval.end]
  return right !== undefined && (left === undefined || compareBytes(left, right) > 0)
}

/** Pieces in the order of their starts, and for each place the one before it that reaches farthest, and the farthest of any other user. */
export interface Sweep<H> {
  readonly pieces: readonly Piece<H>[]
  readonly before: readonly (readonly [Piece<H> | undefined, Piece<H> | undefined])[]
}

export function sweepOf<H extends Owned>(unsorted: readonly Piece<H>[]): Sweep<H> {
  const pieces = unsorted.toSorted((a, b) => compareBytes(a.interval.start, b.interval.start))
  const before: [Piece<H> | undefined, Piece<H> | undefined][] = []
  let [farthest, other]: [Piece<H> | undefined, Piece<H> | undefined] = [undefined, undefined]
  for (const piece of pieces) {
    before.push([farthest, other])
    if (reachesFarther(piece, farthest)) {
      if (farthest?.holding.user !== piece.holding.user) other = farthest
      farthest = piece
    } else if (farthest?.holding.user !== piece.holding.user && reachesFarther(piece, other)) other = piece
  }
  return { pieces, before: [...before, [farthest, other]] }
}

/** For every piece that meets an earlier one of another user: the one that reaches farthest, and what both hold. */
export function overlappingPieces<H extends Owned>({ pieces, before }: Sweep<H>): readonly (readonly [H, H, Interval])[] {
  return pieces.flatMap((piece, at) => {
    const [farthest, other] = before[at] ?? []
    const earlier = farthest?.holding.user === piece.holding.user ? other : farthest
    const both = earlier && intersectIntervals(earlier.interval, piece.interval)
    return earlier && both && !isEmptyInterval(both) ? [[earlier.holding, piece.holding, both] as const] : []
  })
}

/** The place of the first piece that starts at a point or behind it. */
function firstFrom<H>({ pieces }: Sweep<H>, point: Uint8Array): number {
  let [low, high] = [0, pieces.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const start = pieces[middle]?.interval.start
    if (start !== undefined && compareBytes(start, point) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function foundIn({ area, open }: Part<unknown>, interval: Interval): KeyText | undefined {
  for (const one of open) {
    const both = intersectIntervals(one, interval)
    const found = isEmptyInterval(both) ? undefined : area.find(both)
    if (found !== undefined) return found
  }
  return undefined
}

/** What meets an area that is no interval, and a key that lies in both. */
type Hit<H> = readonly [H, KeyText]

/** The first piece that meets an area, and the first of another user. */
function firstHits<H extends Owned>(part: Part<H>, sweep: Sweep<H>): readonly Hit<H>[] {
  const { start, end } = part.area.bounds
  const from = firstFrom(sweep, start)
  const hits: Hit<H>[] = []
  const look = (piece: Piece<H> | undefined): void => {
    if (piece === undefined || hits[0]?.[0].user === piece.holding.user) return
    const found = foundIn(part, piece.interval)
    if (found !== undefined) hits.push([piece.holding, found])
  }
  // What began before lies in the bounds as far as it reaches.
  for (const piece of sweep.before[from] ?? []) look(piece)
  for (let at = from; hits.length < 2; at++) {
    const piece = sweep.pieces[at]
    if (piece === undefined || (end !== undefined && compareBytes(piece.interval.start, end) >= 0)) break
    look(piece)
  }
  return hits
}

/** For every area that is no interval and meets a piece of another user: one of these, and a key that both hold. */
export function meetingPieces<H extends Owned>(parts: readonly Part<H>[], sweep: Sweep<H>): readonly (readonly [H, H, KeyText])[] {
  const known = new Map<string, readonly Hit<H>[]>()
  return parts.flatMap((part) => {
    const name = String(part.area.bounds.start)
    const hits = known.get(name) ?? firstHits(part, sweep)
    known.set(name, hits)
    const hit = hits.find(([{ user }]) => user !== part.holding.user)
    return hit === undefined ? [] : [[part.holding, ...hit] as const]
  })
}

/** For every area that is no interval and meets an earlier such area of another user: one of these, and a key that both hold. */
export function meetingParts<H extends Owned>(parts: readonly Part<H>[]): readonly (readonly [H, H, KeyText])[] {
  const earlier = new Map<string, Part<H>[]>()
  return parts.flatMap((part) => {
    const neighbours = earlier.get(neighbourhood(part.area)) ?? []
    earlier.set(neighbourhood(part.area), neighbours)
    const own = { ...part.area, find: (within: Interval) => foundIn(part, within) }
    neighbours.push(part)
    for (const other of neighbours) {
      const shared = other.holding.user === part.holding.user ? undefined : meeting(own, other.area)
      if (shared !== undefined) return [[other.holding, part.holding, shared] as const]
    }
    return []
  })
}
