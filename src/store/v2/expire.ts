/** Nodes whose time is limited. Follows `DeleteExpiredKeys` of `api/v2store/store.go`, which the leader has run twice a second. */
import { detach, view, type Node, type Tree } from './tree.js'
import { record } from './watches.js'

/** Limits a node's time, or, by `undefined`, makes it permanent. */
export function setExpiry(tree: Tree, node: Node, expires: number | undefined): void {
  node.expires = expires
  tree.expiring.delete(node)
  if (expires !== undefined) tree.expiring.add(node)
}

/** The node that expires next; of several, the one whose time was set first. */
function next(tree: Tree): { readonly node: Node; readonly at: number } | undefined {
  let found: { readonly node: Node; readonly at: number } | undefined
  for (const node of tree.expiring) {
    const at = node.expires ?? Infinity
    if (!found || at < found.at) found = { node, at }
  }
  return found
}

/** When a node expires next, in milliseconds since 1970. */
export const nextExpiry = (tree: Tree): number | undefined => next(tree)?.at

/** Drops what has expired, in its order. What lies in a directory goes with it, without an event of its own. */
export function dropExpired(tree: Tree, now: number): void {
  for (let due = next(tree); due && due.at <= now; due = next(tree)) {
    const { node, at } = due
    const prevNode = view(node, at, 'self')
    const gone = detach(tree, node)
    tree.index++
    const dir = node.children === undefined ? {} : { dir: true as const }
    record(tree, { action: 'expire', node: { key: node.path, ...dir, modifiedIndex: tree.index, createdIndex: node.created }, prevNode }, { gone })
  }
}
