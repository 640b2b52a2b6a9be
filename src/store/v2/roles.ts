/** The roles of v2: what `/v2/auth/roles` does to them. Follows `v2auth/auth.go`. */
import { sortNames } from '../v3/order.js'
import { ROOT_ROLE } from './access.js'
import { deleteRecord, readRole, writeRecord, type Access, type Permissions, type Role } from './records.js'
import { isReset, isTreeError, type AuthError } from './reply.js'
import type { Tree } from './tree.js'
import { authError, isRefused, type Refused } from './users.js'

const untouchable = (name: string): AuthError => authError(403, `Cannot modify role ${name}: is root role.`)

/** The role, or that there is none. */
export function getRole(tree: Tree, name: string): Role | Refused {
  if (name === 'root') return ROOT_ROLE
  const role = readRole(tree, name)
  return !isReset(role) && isTreeError(role) && role.errorCode === 100 ? authError(404, `Role ${name} does not exist.`) : role
}

/** Makes a role that must not exist. */
export function createRole(tree: Tree, role: Role, now: number): Role | Refused {
  if (role.role === 'root') return untouchable(role.role)
  const error = writeRecord(tree, 'create', 'roles', role.role, role, now)
  if (error?.errorCode === 105) return authError(409, `Role ${role.role} already exists.`)
  return error ?? role
}

function grantTo(access: Access, granted: Access): Access | AuthError {
  const lists = { read: new Set(access.read), write: new Set(access.write) }
  for (const kind of ['read', 'write'] as const) {
    for (const pattern of granted[kind] ?? []) {
      if (lists[kind].has(pattern)) return authError(409, `Granting duplicate ${kind} permission ${pattern}`)
      lists[kind].add(pattern)
    }
  }
  return { read: sortNames(lists.read), write: sortNames(lists.write) }
}

/** What is not held is skipped without a word. */
function revokeFrom(access: Access, revoked: Access): Access {
  const left = (kind: 'read' | 'write'): readonly string[] => {
    const gone = new Set(revoked[kind])
    return sortNames(new Set(access[kind])).filter((pattern) => !gone.has(pattern))
  }
  return { read: left('read'), write: left('write') }
}

/** Go's `reflect.DeepEqual`: order and doubles count, and a nil list is not an empty one. */
const sameAccess = (a: Access, b: Access): boolean => JSON.stringify([a.read, a.write]) === JSON.stringify([b.read, b.write])

const lists = (permissions: Permissions | undefined): Access | undefined => permissions?.kv

/** Grants, then revokes, on a role that must exist. */
export function updateRole(tree: Tree, asked: Role, now: number): Role | Refused {
  if (asked.role === 'root') return untouchable(asked.role)
  const old = getRole(tree, asked.role)
  if (isRefused(old)) return old
  if (old.role !== asked.role) return authError(409, `Merging role with conflicting names: ${old.role} ${asked.role}`)
  const [grant, revoke] = [lists(asked.grant), lists(asked.revoke)]
  const granted = grant === undefined ? old.permissions.kv : grantTo(old.permissions.kv, grant)
  if ('status' in granted) return granted
  const kv = revoke === undefined ? granted : revokeFrom(granted, revoke)
  if (sameAccess(old.permissions.kv, kv) && !old.grant && !old.revoke) {
    return authError(400, 'Role not updated. Use grant/revoke to update the role.')
  }
  const merged: Role = { role: old.role, permissions: { kv } }
  return writeRecord(tree, 'update', 'roles', asked.role, merged, now) ?? merged
}

export function deleteRole(tree: Tree, name: string, now: number): Refused | undefined {
  if (name === 'root') return untouchable(name)
  const error = deleteRecord(tree, 'roles', name, now)
  return error?.errorCode === 100 ? authError(404, `Role ${name} doesn't exist.`) : error
}
