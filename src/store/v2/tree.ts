/**
 * The v2 key space: a tree of directories and files with indexes and expiry, which holds the auth records too.
 *
 * Follows `api/v2store/store.go` and `node.go`: the order of the checks, which index an error carries, what an event repeats.
 */
import { joinPath } from './path.js'
import type { TreeError } from './reply.js'

/** A directory (`children`) or a file (`value`). */
export interface Node {
  readonly path: string
  readonly created: number
  modified: number
  value: string
  readonly children: Map<string, Node> | undefined
  readonly parent: Node | undefined
  /** Milliseconds since 1970. */
  expires: number | undefined
}

/** A node as replies show it, in Go's order of fields. */
export interface NodeView {
  readonly key?: string
  readonly value?: string
  readonly dir?: true
  readonly expiration?: string
  readonly ttl?: number
  readonly nodes?: readonly NodeView[]
  readonly modifiedIndex?: number
  readonly createdIndex?: number
}

/** What happened. */
export interface TreeEvent {
  readonly action: string
  readonly node: NodeView
  readonly prevNode?: NodeView
  readonly refresh?: true
  /** The index of the tree afterwards; not part of the JSON. */
  readonly index: number
}

/** A watch that waits. */
export interface Watch {
  readonly path: string
  readonly recursive: boolean
  /** It is told of no event before this index. */
  readonly since: number
  /** Whether it asks for every event. Such a watch is told of none: its body has no end that could be waited for. */
  readonly stream: boolean
  /** Gives it its event; it waits no longer. */
  readonly tell: (event: TreeEvent) => void
  /** Its connection is lost. */
  readonly cut: () => void
}

export interface Tree {
  index: number
  readonly root: Node
  /** What is remembered of the past, oldest first. */
  readonly history: TreeEvent[]
  readonly watches: Set<Watch>
  /** The nodes that will expire, in the order in which that was decided. */
  readonly expiring: Set<Node>
}

export const isHidden = (node: Node): boolean => (node.path.split('/').at(-1) ?? '').startsWith('_')

export function newNode(path: string, index: number, parent: Node | undefined, value: string | undefined): Node {
  return { path, created: index, modified: index, value: value ?? '', children: value === undefined ? new Map() : undefined, parent, expires: undefined }
}

/** An error of the key space at the tree's present index. */
export function treeError(tree: Tree, errorCode: number, cause: string): TreeError {
  return { errorCode, cause, index: tree.index }
}

/** The node at a path. A file on the way is an error of its own kind. */
export function nodeAt(tree: Tree, path: string): Node | TreeError {
  let node: Node = tree.root
  for (const name of joinPath('/', path).split('/').slice(1)) {
    if (name === '') return node
    if (node.children === undefined) return treeError(tree, 104, node.path)
    const child = node.children.get(name)
    if (child === undefined) return treeError(tree, 100, joinPath(node.path, name))
    node = child
  }
  return node
}

/** The directory at a path, made where it is missing, with all above it. */
export function directoryAt(tree: Tree, path: string): Node | TreeError {
  let node: Node = tree.root
  for (const name of path.split('/').slice(1)) {
    if (name === '') return node
    const child = node.children?.get(name)
    if (child === undefined) {
      const made = newNode(joinPath(node.path, name), tree.index + 1, node, undefined)
      node.children?.set(name, made)
      node = made
    } else if (child.children === undefined) return treeError(tree, 104, child.path)
    else node = child
  }
  return node
}

const withAllBelow = (node: Node): readonly Node[] => [node, ...[...(node.children?.values() ?? [])].flatMap(withAllBelow)]

/** Takes a node out of its directory, and returns the paths that are gone with it. */
export function detach(tree: Tree, node: Node): readonly string[] {
  const name = node.path.split('/').at(-1) ?? ''
  if (node.parent?.children?.get(name) === node) node.parent.children.delete(name)
  const gone = withAllBelow(node)
  for (const each of gone) tree.expiring.delete(each)
  return gone.map(({ path }) => path)
}

/** Whole seconds that are left, and the moment, of what expires. */
function expiry(node: Node, now: number): Pick<NodeView, 'expiration' | 'ttl'> {
  if (node.expires === undefined) return {}
  const ttl = Math.ceil((node.expires - now) / 1000)
  const expiration = new Date(node.expires).toISOString().replace(/\.(\d*?)0*Z$/, (_, digits: string) => (digits === '' ? 'Z' : `.${digits}Z`))
  return { expiration, ...(ttl === 0 ? {} : { ttl }) }
}

/** A node as it is shown, with its children if `depth` allows. Hidden children are left out. */
export function view(node: Node, now: number, depth: 'self' | 'children' | 'all', order: 'sorted' | 'any' = 'any'): NodeView {
  const key = node.path === '/' || node.path === '' ? {} : { key: node.path }
  const indexes = { ...(node.modified ? { modifiedIndex: node.modified } : {}), ...(node.created ? { createdIndex: node.created } : {}) }
  if (node.children === undefined) return { ...key, value: node.value, ...expiry(node, now), ...indexes }
  const listed = depth === 'self' ? [] : [...node.children.values()].filter((child) => !isHidden(child))
  if (order === 'sorted') listed.sort((a, b) => (a.path < b.path ? -1 : 1))
  const nodes = listed.map((child) => view(child, now, depth === 'all' ? 'all' : 'self', order))
  return { ...key, dir: true, ...expiry(node, now), ...(nodes.length === 0 ? {} : { nodes }), ...indexes }
}

/** A new tree, with the directories that etcd reserves; `index` is where a member stands when it has started. */
export function emptyTree(index: number): Tree {
  const root = newNode('/', 0, undefined, undefined)
  for (const name of ['0', '1']) root.children?.set(name, newNode(`/${name}`, 0, root, undefined))
  return { index, root, history: [], watches: new Set(), expiring: new Set() }
}
