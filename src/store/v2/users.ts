/** The users of v2: what `/v2/auth/users` does to them. Follows `v2auth/auth.go`. */
import { PASSWORD_BYTES } from '../v3/passwords.js'
import { utf8 } from '../../bytes.js'
import { sortNames } from '../v3/order.js'
import { isEnabled, deleteRecord, readUser, writeRecord, type User } from './records.js'
import { isAuthError, isReset, isTreeError, type AuthError, type Reset, type TreeError } from './reply.js'
import type { Tree } from './tree.js'

export type Refused = AuthError | TreeError | Reset

export const isRefused = (value: object): value is Refused => isAuthError(value) || isTreeError(value) || isReset(value)

/** A refusal of the auth API. */
export const authError = (status: number, message: string): AuthError => ({ status, message: `auth: ${message}` })

/** What bcrypt says to a long password since Go 1.20 is no error of the auth API. */
const HASH_FAILED: AuthError = { status: 500, message: 'Internal Server Error' }

/** The user, or that there is none. A store error that is not "not found" leaks as it is. */
export function getUser(tree: Tree, name: string): User | Refused {
  const user = readUser(tree, name)
  return !isReset(user) && isTreeError(user) && user.errorCode === 100 ? authError(404, `User ${name} does not exist.`) : user
}

interface Setting {
  readonly now: number
  /** Whether a password of more than 72 bytes is refused. */
  readonly longRefused: boolean
}

const isUnhashable = (password: string, { longRefused }: Setting): boolean => longRefused && utf8(password).length > PASSWORD_BYTES

/** Makes a user that must not exist. */
export function createUser(tree: Tree, asked: User, setting: Setting): User | Refused {
  const user = asked.user === 'root' && !asked.roles?.includes('root') ? { ...asked, roles: [...(asked.roles ?? []), 'root'] } : asked
  if (user.password === undefined || user.password === '') return authError(400, `Cannot create user ${user.user} with an empty password`)
  if (isUnhashable(user.password, setting)) return HASH_FAILED
  const error = writeRecord(tree, 'create', 'users', user.user, user, setting.now)
  if (error?.errorCode === 105) return authError(409, `User ${user.user} already exists.`)
  return error ?? user
}

/** The roles after grants and revokes, in this order, or why not. */
function mergedRoles(old: User, { user, grant = [], revoke = [] }: User): readonly string[] | AuthError {
  const roles = new Set(old.roles)
  for (const role of grant) {
    if (roles.has(role)) return authError(409, `Granting duplicate role ${role} for user ${user}`)
    roles.add(role)
  }
  for (const role of revoke) {
    if (!roles.delete(role)) return authError(409, `Revoking ungranted role ${role} for user ${user}`)
  }
  return sortNames(roles)
}

/** Changes a user that must exist. */
export function updateUser(tree: Tree, asked: User, setting: Setting): User | Refused {
  const old = getUser(tree, asked.user)
  if (isRefused(old)) return old
  if (old.user !== asked.user) return authError(409, `Merging user data with conflicting usernames: ${old.user} ${asked.user}`)
  const password = asked.password === undefined || asked.password === '' ? undefined : asked.password
  if (password !== undefined && isUnhashable(password, setting)) return HASH_FAILED
  const roles = mergedRoles(old, asked)
  if ('status' in roles) return roles
  const merged: User = { user: old.user, password: password ?? old.password ?? '', roles }
  // Go compares deeply: a nil list is not an empty one, and a hash is never the one before.
  const same = password === undefined && old.roles !== null && old.roles.join('\0') === roles.join('\0') && old.roles.length === roles.length
  if (same && !old.grant && !old.revoke) return authError(400, 'User not updated. Use grant/revoke/password to update the user.')
  return writeRecord(tree, 'update', 'users', asked.user, merged, setting.now) ?? merged
}

/** Makes a user, or changes the one that is there. */
export function createOrUpdateUser(tree: Tree, asked: User, setting: Setting): { readonly user: User; readonly created: boolean } | Refused {
  const old = getUser(tree, asked.user)
  if (isReset(old)) return old
  const created = isRefused(old)
  const user = created ? createUser(tree, asked, setting) : updateUser(tree, asked, setting)
  return isRefused(user) ? user : { user, created }
}

export function deleteUser(tree: Tree, name: string, now: number): Refused | undefined {
  if (isEnabled(tree) && name === 'root') return authError(403, 'Cannot delete root user while auth is enabled.')
  const error = deleteRecord(tree, 'users', name, now)
  return error?.errorCode === 100 ? authError(404, `User ${name} does not exist`) : error
}
