/**
 * Watches of the v2 key space: those that wait for an event, and the events of the past that they may ask for.
 *
 * Follows `api/v2store/watcher_hub.go` and `event_history.go`, whose rules for the past and for the present are not the same.
 */
import type { TreeError } from './reply.js'
import { treeError, type Tree, type TreeEvent, type Watch } from './tree.js'

/** How many events etcd remembers. */
const HISTORY = 1000

/** What else is known of an event: a refresh is remembered, but nobody is told; `gone` are the paths that went away with it. */
interface Circumstances {
  readonly refresh?: boolean
  readonly gone?: readonly string[]
}

/** Remembers an event, and tells the watches that wait for it. */
export function record(tree: Tree, event: Omit<TreeEvent, 'index'>, { refresh = false, gone = [] }: Circumstances = {}): TreeEvent {
  const recorded = { ...event, ...(refresh ? { refresh: true as const } : {}), index: tree.index }
  tree.history.push(recorded)
  if (tree.history.length > HISTORY) tree.history.shift()
  if (refresh) return recorded
  for (const watch of [...tree.watches].filter((each) => !each.stream && isTold(each, recorded, gone))) {
    tree.watches.delete(watch)
    watch.tell(recorded)
  }
  return recorded
}

/** Whether a watch that waits is told: of its own path, of that path's going away, and, if it recurses, of what is below and not hidden. */
function isTold({ path, recursive, since }: Watch, { node, index }: TreeEvent, gone: readonly string[]): boolean {
  const key = node.key ?? ''
  const below = recursive && key.startsWith(`${path}/`) && !key.slice(path.length).includes('/_')
  return index >= since && (key === path || gone.includes(path) || below)
}

/** Whether an event of the past concerns a watch: hidden keys too, and a deleted directory for every path that begins with its text. */
function concerns({ action, node, prevNode, refresh }: TreeEvent, path: string, recursive: boolean): boolean {
  const key = node.key ?? ''
  if (refresh) return false
  const gone = ['delete', 'expire'].includes(action) && prevNode?.dir === true && path.startsWith(prevNode.key ?? '')
  return key === path || gone || (recursive && key.startsWith(`${path}/`))
}

/** The first event since an index that concerns a path; `undefined` where there is none yet. */
export function pastEvent(tree: Tree, { path, recursive, since }: Pick<Watch, 'path' | 'recursive' | 'since'>): TreeEvent | TreeError | undefined {
  const oldest = Math.max(1, tree.index - HISTORY + 1)
  if (since < oldest) return treeError(tree, 401, `the requested history has been cleared [${oldest}/${since}]`)
  return tree.history.find((event) => event.index >= since && concerns(event, path, recursive))
}

/** Ends all watches, as the death of the member does. */
export function cutWatches(tree: Tree): void {
  for (const watch of [...tree.watches]) {
    tree.watches.delete(watch)
    watch.cut()
  }
}
