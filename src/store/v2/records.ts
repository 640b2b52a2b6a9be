/**
 * The auth records of v2: users and roles as JSON in the tree, under `/2`.
 *
 * Follows `api/v2auth/auth_requests.go`. A user is looked up by joining its name to a path, so that `x/../root` is `root`, `../roles/guest` is a user
 * without a name, and the empty name is the directory itself, which ends in a nil pointer: all of it observed on real servers.
 */
import { create, remove, update } from './changes.js'
import { joinPath } from './path.js'
import { isTreeError, RESET, type Reset, type TreeError } from './reply.js'
import { nodeAt, type Tree } from './tree.js'

/** Lists of patterns; `null` where Go has a nil slice. */
export interface Access {
  readonly read: readonly string[] | null
  readonly write: readonly string[] | null
}

export interface Permissions {
  readonly kv: Access
}

export interface Role {
  readonly role: string
  readonly permissions: Permissions
  readonly grant?: Permissions
  readonly revoke?: Permissions
}

export interface User {
  readonly user: string
  readonly password?: string
  readonly roles: readonly string[] | null
  readonly grant?: readonly string[]
  readonly revoke?: readonly string[]
}

const place = (kind: 'users' | 'roles', name: string): string => joinPath('/2', `/${kind}/${name}`)

/** The user record at a name. A record of another kind decodes to one without name and roles. */
export function readUser(tree: Tree, name: string): User | TreeError | Reset {
  const node = nodeAt(tree, place('users', name))
  if (isTreeError(node)) return node
  if (node.children) return RESET
  const stored = JSON.parse(node.value) as Partial<User>
  const user: User = { user: '', roles: null, ...stored }
  return user.user === 'root' && !user.roles?.includes('root') ? { ...user, roles: [...(user.roles ?? []), 'root'] } : user
}

/** The role record at a name. */
export function readRole(tree: Tree, name: string): Role | TreeError | Reset {
  const node = nodeAt(tree, place('roles', name))
  if (isTreeError(node)) return node
  if (node.children) return RESET
  const stored = JSON.parse(node.value) as Partial<Role>
  return { role: '', permissions: { kv: { read: null, write: null } }, ...stored }
}

/** The directories and the flag, made at the first write. */
function ensure(tree: Tree, now: number): void {
  const write = { value: '', dir: true, expires: undefined, refresh: false }
  for (const path of ['/2', '/2/users', '/2/roles']) create(tree, { ...write, path }, now)
  create(tree, { ...write, path: '/2/enabled', dir: false, value: 'false' }, now)
}

/** Stores a record that must not exist (`create`) or must (`update`). */
export function writeRecord(
  tree: Tree,
  how: 'create' | 'update',
  kind: 'users' | 'roles',
  name: string,
  record: User | Role,
  now: number,
): TreeError | undefined {
  ensure(tree, now)
  const write = { path: place(kind, name), value: JSON.stringify(record), dir: false, expires: undefined, refresh: false }
  const event = how === 'create' ? create(tree, write, now) : update(tree, write, now, false)
  return isTreeError(event) ? event : undefined
}

/** Deletes a record. */
export function deleteRecord(tree: Tree, kind: 'users' | 'roles', name: string, now: number): TreeError | undefined {
  ensure(tree, now)
  const event = remove(tree, place(kind, name), { dir: false, recursive: false }, now)
  return isTreeError(event) ? event : undefined
}

/** The names of all records; those that begin with `_` are hidden nodes and left out. */
export function listRecords(tree: Tree, kind: 'users' | 'roles'): readonly string[] {
  const node = nodeAt(tree, `/2/${kind}`)
  if (isTreeError(node) || !node.children) return []
  return [...node.children.keys()].filter((name) => !name.startsWith('_'))
}

/** Whether auth is on. */
export function isEnabled(tree: Tree): boolean {
  const node = nodeAt(tree, '/2/enabled')
  return !isTreeError(node) && node.value === 'true'
}

/** Turns auth on or off. */
export function setEnabled(tree: Tree, enabled: boolean, now: number): void {
  ensure(tree, now)
  update(tree, { path: '/2/enabled', value: String(enabled), dir: false, expires: undefined, refresh: false }, now, false)
}
