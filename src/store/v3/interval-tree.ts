/**
 * The tree in which etcd keeps the intervals of a user, with its answers to ranges that end before they begin.
 *
 * Follows `pkg/adt/interval_tree.go`, a red-black tree by the begin of each interval. For a sound request its shape does not matter. But etcd
 * takes any, and prunes by comparisons that expect sound ones: whether a range that ends before it begins is covered depends on where the
 * tree's root happens to be. Only the same shape answers the same.
 */
import { compareBytes } from '../../bytes.js'

/** A begin or an end. Empty is behind every other (`BytesAffineComparable`). */
export type Point = Uint8Array

/** `[begin, end)`. */
export interface Interval {
  readonly begin: Point
  readonly end: Point
}

interface Node extends Interval {
  /** The farthest end at and below this node. */
  max: Point
  left: Node | undefined
  right: Node | undefined
  parent: Node | undefined
  red: boolean
}

type Side = 'left' | 'right'

function compare(a: Point, b: Point): number {
  if (a.length === 0 || b.length === 0) return Number(a.length === 0) - Number(b.length === 0)
  return compareBytes(a, b)
}

/** -1 left of the other, 1 right of it, 0 overlapping, as etcd sees it. */
function place(a: Interval, b: Interval): number {
  if (compare(a.begin, b.begin) < 0 && compare(a.end, b.begin) <= 0) return -1
  return compare(a.begin, b.end) >= 0 ? 1 : 0
}

/** The intervals of one user and one kind of access. */
export interface IntervalTree {
  /** Whether one of them overlaps. */
  intersects(wanted: Interval): boolean
  /** Whether all of them together contain it. */
  contains(wanted: Interval): boolean
}

/** @param splitsByEnd Whether intervals of an equal begin are told apart by their end; else the later stands to the right. */
export function intervalTree(intervals: readonly Interval[], splitsByEnd: boolean): IntervalTree {
  let root: Node | undefined

  const updateMax = (from: Node | undefined): void => {
    for (let node = from; node !== undefined; node = node.parent) {
      const max = [node.left?.max, node.right?.max].reduce<Point>((far, other) => (other && compare(other, far) > 0 ? other : far), node.end)
      if (compare(max, node.max) === 0) return
      node.max = max
    }
  }

  /** Moves a node to that side, below its child of the other. */
  const rotate = (node: Node, to: Side): void => {
    const from = to === 'left' ? 'right' : 'left'
    const child = node[from]
    if (!child) return
    node[from] = child[to]
    if (child[to]) child[to].parent = node
    updateMax(node)
    const { parent } = node
    child.parent = parent
    if (parent === undefined) root = child
    else parent[parent.left === node ? 'left' : 'right'] = child
    updateMax(parent)
    node.parent = child
    child[to] = node
    updateMax(child)
  }

  const balance = (inserted: Node): void => {
    let node = inserted
    for (let { parent } = node; parent?.red && parent.parent; parent = node.parent) {
      const above = parent.parent
      const side: Side = above.left === parent ? 'left' : 'right'
      const other: Side = side === 'left' ? 'right' : 'left'
      const uncle = above[other]
      if (uncle?.red) {
        uncle.red = parent.red = false
        above.red = true
        node = above
        continue
      }
      if (node === parent[other]) {
        node = parent
        rotate(node, side)
      }
      if (node.parent) node.parent.red = false
      above.red = true
      rotate(above, other)
    }
    if (root) root.red = false
  }

  const insert = ({ begin, end }: Interval): void => {
    const node: Node = { begin, end, max: end, left: undefined, right: undefined, parent: undefined, red: true }
    const sideOf = (at: Node): Side => {
      const order = compare(begin, at.begin)
      return (order === 0 && splitsByEnd ? compare(end, at.end) : order) < 0 ? 'left' : 'right'
    }
    for (let at = root; at !== undefined; at = at[sideOf(at)]) node.parent = at
    if (node.parent === undefined) root = node
    else {
      node.parent[sideOf(node.parent)] = node
      updateMax(node.parent)
    }
    balance(node)
  }

  /** Those that overlap, by their begin, as far as etcd finds them. */
  const overlapping = (node: Node | undefined, wanted: Interval): readonly Node[] => {
    if (node === undefined) return []
    const at = place(wanted, node)
    if (at < 0) return overlapping(node.left, wanted)
    if (at > 0 && place({ begin: node.begin, end: node.max }, wanted) !== 0) return []
    return [...overlapping(node.left, wanted), ...(at === 0 ? [node] : []), ...overlapping(node.right, wanted)]
  }

  for (const interval of intervals) insert(interval)
  return {
    intersects: (wanted) => {
      let node = root
      while (node !== undefined && place(wanted, node) !== 0) node = node.left && compare(node.left.max, wanted.begin) > 0 ? node.left : node.right
      return node !== undefined
    },
    contains: (wanted) => {
      const [first, ...rest] = overlapping(root, wanted)
      if (first === undefined || compare(first.begin, wanted.begin) > 0) return false
      let reached = first.end
      for (const { begin, end } of rest) {
        if (compare(reached, begin) < 0) return false
        if (compare(end, reached) > 0) reached = end
      }
      return compare(reached, wanted.end) >= 0
    },
  }
}
