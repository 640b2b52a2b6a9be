/** The changes of the v2 key space. Follows `api/v2store/store.go`: Create, Set, Update, CompareAndSwap, Delete, CompareAndDelete. */
import { setExpiry } from './expire.js'
import { joinPath } from './path.js'
import { isTreeError, type TreeError } from './reply.js'
import { detach, directoryAt, newNode, nodeAt, treeError, view, type Node, type NodeView, type Tree, type TreeEvent } from './tree.js'
import { record } from './watches.js'

/** What is written, and how. Times are milliseconds since 1970. */
export interface Write {
  readonly path: string
  readonly value: string
  readonly dir: boolean
  readonly expires: number | undefined
  readonly refresh: boolean
}

/** What the node must be; 0 and `''` ask for nothing. */
export interface Precondition {
  readonly index: number
  readonly value: string
}

const READ_ONLY: readonly string[] = ['/', '/0', '/1']

const isReadOnly = (path: string): boolean => READ_ONLY.includes(joinPath('/', path))

/**
 * Before 2000, etcd takes the end of a new node's time for none at all: that is what so long a time comes to that it has no place in 64 bits. A
 * clock may stand there all the same.
 */
const lasting = (expires: number | undefined, now: number): number | undefined => (expires !== undefined && expires < Math.min(now, Date.UTC(2000, 0)) ? undefined : expires)

interface Placing {
  readonly action: 'create' | 'set'
  readonly unique: boolean
  readonly now: number
}

/** `internalCreate`: the node of a create, or of a set in the place of an older file. */
function place(tree: Tree, write: Write, { action, unique, now }: Placing): { readonly node: NodeView } | TreeError {
  const index = tree.index + 1
  const path = joinPath('/', unique ? `${write.path}/${String(index).padStart(20, '0')}` : write.path)
  if (isReadOnly(path)) return treeError(tree, 107, '/')
  const at = path.lastIndexOf('/')
  const directory = directoryAt(tree, path.slice(0, at + 1))
  if (isTreeError(directory)) return directory
  const name = path.slice(at + 1)
  const old = directory.children?.get(name)
  if (old && action === 'create') return treeError(tree, 105, path)
  if (old?.children) return treeError(tree, 102, path)
  if (old) detach(tree, old)
  const node = newNode(path, index, directory, write.dir ? undefined : write.value)
  directory.children?.set(name, node)
  setExpiry(tree, node, lasting(write.expires, now))
  tree.index = index
  return { node: view(node, now, 'self') }
}

export function create(tree: Tree, write: Write, now: number, unique = false): TreeEvent | TreeError {
  const placed = place(tree, write, { action: 'create', unique, now })
  return isTreeError(placed) ? placed : record(tree, { action: 'create', node: placed.node })
}

export function set(tree: Tree, write: Write, now: number): TreeEvent | TreeError {
  const old = nodeAt(tree, write.path)
  if (isTreeError(old) && (old.errorCode !== 100 || write.refresh)) return old
  const value = write.refresh && !isTreeError(old) ? old.value : write.value
  const previous = isTreeError(old) ? {} : { prevNode: { ...view(old, now, 'self'), key: write.path } }
  const placed = place(tree, { ...write, value }, { action: 'set', unique: false, now })
  return isTreeError(placed) ? placed : record(tree, { action: 'set', node: placed.node, ...previous }, write)
}

function rewrite(tree: Tree, node: Node, { value, expires }: Write): void {
  tree.index++
  if (node.children === undefined) {
    node.value = value
    node.modified = tree.index
  }
  setExpiry(tree, node, expires)
}

export function update(tree: Tree, write: Write, now: number, directoriesFail: boolean): TreeEvent | TreeError {
  const path = joinPath('/', write.path)
  if (isReadOnly(path)) return treeError(tree, 107, '/')
  const node = nodeAt(tree, path)
  if (isTreeError(node)) return node
  if (node.children && write.value !== '') return treeError(tree, 102, path)
  if (node.children && directoriesFail) return { errorCode: 300, cause: `nodePath ${path} : Not a file ()`, index: 0 }
  const prevNode = view(node, now, 'self')
  rewrite(tree, node, write.refresh ? { ...write, value: node.value } : write)
  return record(tree, { action: 'update', node: { ...view(node, now, 'self'), modifiedIndex: tree.index }, prevNode }, write)
}

/** Why a node is not what it must be; the text holds its value. */
function mismatch(node: Node, { index, value }: Precondition): string | undefined {
  const indexMatches = index === 0 || node.modified === index
  const valueMatches = value === '' || node.value === value
  if (indexMatches && valueMatches) return undefined
  const indexes = `[${index} != ${node.modified}]`
  const values = `[${value} != ${node.value}]`
  return indexMatches ? values : valueMatches ? indexes : `${values} ${indexes}`
}

export function compareAndSwap(tree: Tree, write: Write, precondition: Precondition, now: number): TreeEvent | TreeError {
  const path = joinPath('/', write.path)
  if (isReadOnly(path)) return treeError(tree, 107, '/')
  const node = nodeAt(tree, path)
  if (isTreeError(node)) return node
  if (node.children) return treeError(tree, 102, path)
  const cause = mismatch(node, precondition)
  if (cause !== undefined) return treeError(tree, 101, cause)
  const prevNode = view(node, now, 'self')
  rewrite(tree, node, write.refresh ? { ...write, value: node.value } : write)
  return record(tree, { action: 'compareAndSwap', node: view(node, now, 'self'), prevNode }, write)
}

export function remove(tree: Tree, path: string, how: { readonly dir: boolean; readonly recursive: boolean }, now: number): TreeEvent | TreeError {
  if (isReadOnly(path)) return treeError(tree, 107, '/')
  const node = nodeAt(tree, path)
  if (isTreeError(node)) return node
  if (node.children && !how.dir && !how.recursive) return treeError(tree, 102, node.path)
  if (node.children && node.children.size > 0 && !how.recursive) return treeError(tree, 108, node.path)
  const prevNode = view(node, now, 'self')
  const gone = detach(tree, node)
  tree.index++
  const shown = { key: node.path, ...(node.children ? { dir: true as const } : {}), modifiedIndex: tree.index, createdIndex: node.created }
  return record(tree, { action: 'delete', node: shown, prevNode }, { gone })
}

export function compareAndDelete(tree: Tree, path: string, precondition: Precondition, now: number): TreeEvent | TreeError {
  const node = nodeAt(tree, path)
  if (isTreeError(node)) return node
  if (node.children) return treeError(tree, 102, node.path)
  const cause = mismatch(node, precondition)
  if (cause !== undefined) return treeError(tree, 101, cause)
  const prevNode = view(node, now, 'self')
  const gone = detach(tree, node)
  tree.index++
  const shown = { key: node.path, modifiedIndex: tree.index, createdIndex: node.created }
  return record(tree, { action: 'compareAndDelete', node: shown, prevNode }, { gone })
}
