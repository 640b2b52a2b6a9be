/**
 * Who a v2 request is from, and what it may do.
 *
 * Follows `v2http/client_auth.go`: a header `Authorization` decides alone; else every Common Name of the chain is tried as a user name; else the client is
 * the guest. Patterns follow `v2auth/auth.go`: a final `*` matches what begins so, anything else only itself; requests that recurse count
 * patterns with a final `*` only, but not for the guest.
 */
import { fromBase64, fromUtf8 } from '../../bytes.js'
import type { Caller } from '../caller.js'
import { keep, matches } from '../v3/passwords.js'
import { isEnabled, readRole, readUser, type Role, type User } from './records.js'
import { isReset, isTreeError, RESET, type Reset } from './reply.js'
import type { Tree } from './tree.js'

/** Whether an attempt is the password of a record. */
function isPassword(user: User, attempt: string): boolean {
  return user.password !== undefined && user.password !== '' && matches(keep(user.password), attempt)
}

function userFromHeader(tree: Tree, header: string): User | undefined | Reset {
  const encoded = /^basic (.*)$/i.exec(header)?.[1]
  const bytes = encoded === undefined ? undefined : fromBase64(encoded)
  const text = bytes && fromUtf8(bytes)
  const colon = text?.indexOf(':') ?? -1
  if (text === undefined || colon < 0) return undefined
  const user = readUser(tree, text.slice(0, colon))
  if (isReset(user)) return user
  return isTreeError(user) || !isPassword(user, text.slice(colon + 1)) ? undefined : user
}

function userFromCertificate(tree: Tree, { commonName, chain = [] }: Caller): User | undefined | Reset {
  if (commonName === undefined) return undefined
  for (const name of [commonName, ...chain]) {
    const user = readUser(tree, name)
    if (isReset(user) || !isTreeError(user)) return user
  }
  return undefined
}

/** A request as far as its sender and its right are concerned. */
export interface Claim {
  readonly caller: Caller
  /** The header `Authorization`; empty is as good as absent. */
  readonly authorization: string
}

/** Whether the sender may administer. */
export function isAdmin(tree: Tree, { caller, authorization }: Claim): boolean | Reset {
  if (!isEnabled(tree)) return true
  const user = authorization === '' ? userFromCertificate(tree, caller) : userFromHeader(tree, authorization)
  if (user === undefined || isReset(user)) return user ?? false
  return user.roles?.includes('root') === true
}

/** Whether a pattern matches. The empty pattern is read behind its end: the handler panics. */
function matchesPattern(pattern: string, path: string, recursive: boolean): boolean | Reset {
  if (pattern === '') return RESET
  if (pattern.endsWith('*')) return path.startsWith(pattern.slice(0, -1))
  return !recursive && path === pattern
}

function roleAllows(role: Role, path: string, write: boolean, recursive: boolean): boolean | Reset {
  if (role.role === 'root') return true
  for (const pattern of role.permissions.kv[write ? 'write' : 'read'] ?? []) {
    const match = matchesPattern(pattern, path, recursive)
    if (match !== false) return match
  }
  return false
}

/** A key request: `path` is what stands behind `/v2/keys`, decoded but not cleaned. */
export interface KeyClaim extends Claim {
  readonly path: string
  readonly write: boolean
  readonly recursive: boolean
}

/** Whether the sender may do what it asks for. */
export function mayUseKey(tree: Tree, { caller, authorization, path, write, recursive }: KeyClaim): boolean | Reset {
  if (!isEnabled(tree)) return true
  const user = authorization === '' ? userFromCertificate(tree, caller) : userFromHeader(tree, authorization)
  if (user !== undefined && isReset(user)) return user
  if (user === undefined && authorization !== '') return false
  const guest = user === undefined
  for (const name of guest ? ['guest'] : (user.roles ?? [])) {
    const role = roleNamed(tree, name)
    if (role === undefined) continue
    const allowed = isReset(role) ? role : roleAllows(role, path, write, recursive && !guest)
    if (allowed !== false) return allowed
  }
  return false
}

/** The virtual role root. */
export const ROOT_ROLE: Role = { role: 'root', permissions: { kv: { read: ['/*'], write: ['/*'] } } }

/** A role, the virtual one included; `undefined` where it does not exist. */
export function roleNamed(tree: Tree, name: string): Role | undefined | Reset {
  if (name === 'root') return ROOT_ROLE
  const role = readRole(tree, name)
  return !isReset(role) && isTreeError(role) ? undefined : role
}
