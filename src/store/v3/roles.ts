/** The role RPCs. Follows `authStore.Role*` and the checks before them in `apply_auth.go`. */
import { compareBytes } from '../../bytes.js'
import { failures, isFailure, type Failure } from './failures.js'
import { adminOnly, adminRefusal, identify } from './identity.js'
import { sortNames } from './order.js'
import type { Calls, HeaderReply, WirePermission } from './rpc.js'
import { headerOf, type Context, type State } from './state.js'
import { changed } from './users.js'

/** What RoleGet of role root shows since 3.6. */
const EVERYTHING: WirePermission = { permType: 2, key: new Uint8Array(0), range_end: new Uint8Array(1) }

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => compareBytes(a, b) === 0

/** The member panics while it applies the entry, and again at each start. */
function die(state: State): Failure {
  state.dead = true
  return failures.dead
}

export function roleAdd(context: Context, { name }: Calls['roleAdd'][0]): HeaderReply | Failure {
  const { state, quirks } = context
  const refusal = adminOnly(context)
  if (refusal) return refusal
  if (name === '') return quirks.emptyRoleRefused ? failures.roleEmpty : die(state)
  if (state.roles.has(name)) return failures.roleExists
  state.roles.set(name, [])
  return changed(state)
}

export function roleGet(context: Context, { role }: Calls['roleGet'][0]): Calls['roleGet'][1] | Failure {
  const { state, quirks } = context
  const identity = identify(context)
  if (isFailure(identity)) return identity
  const refusal = adminRefusal(state, identity)
  const holds = state.users.get(identity.user ?? '')?.roles.includes(role) === true
  if (refusal && !holds) return refusal
  const permissions = state.roles.get(role)
  if (permissions === undefined) return failures.roleNotFound
  return { header: headerOf(state), perm: role === 'root' && quirks.rootRoleShown ? [EVERYTHING] : permissions }
}

export function roleList(context: Context): Calls['roleList'][1] | Failure {
  return adminOnly(context) ?? { header: headerOf(context.state), roles: sortNames(context.state.roles.keys()) }
}

export function roleDelete(context: Context, { role }: Calls['roleDelete'][0]): HeaderReply | Failure {
  const { state } = context
  const refusal = adminOnly(context)
  if (refusal) return refusal
  if (state.enabled && role === 'root') return failures.invalidManagement
  if (!state.roles.delete(role)) return failures.roleNotFound
  for (const [name, user] of state.users) state.users.set(name, { ...user, roles: user.roles.filter((held) => held !== role) })
  return changed(state)
}

/** Whether newer versions take it: a key, and an end that is absent, one zero byte or behind it (`isValidPermissionRange`). */
function isUsable({ key, range_end: end }: WirePermission): boolean {
  if (key.length === 0) return false
  return end.length === 0 || (end.length === 1 && end[0] === 0) || compareBytes(key, end) < 0
}

/**
 * A granted permission among those of a role. etcd looks only at the first entry with that key: if its end is another, the new one is
 * appended even where the very same range stands further on. Entries of one key stay in the order in which they came; in etcd they may change places
 * in a role of more than 12 permissions (6, if built by a Go before 1.19), since its sort is not stable.
 */
function granted(permissions: readonly WirePermission[], permission: WirePermission): readonly WirePermission[] {
  const at = permissions.findIndex(({ key }) => compareBytes(key, permission.key) >= 0)
  const first = permissions[at]
  if (first && sameBytes(first.key, permission.key) && sameBytes(first.range_end, permission.range_end)) {
    return permissions.with(at, { ...first, permType: permission.permType })
  }
  return [...permissions, permission].sort((a, b) => compareBytes(a.key, b.key))
}

export function roleGrantPermission(context: Context, { name, perm }: Calls['roleGrantPermission'][0]): HeaderReply | Failure {
  const { state, quirks } = context
  const refusal = adminOnly(context)
  if (refusal) return refusal
  if (perm === undefined && quirks.missingPermissionRefused) return failures.permissionNotGiven
  if (perm !== undefined && quirks.permissionRangeChecked && !isUsable(perm)) return failures.invalidManagement
  const permissions = state.roles.get(name)
  if (permissions === undefined) return failures.roleNotFound
  if (perm === undefined) return die(state)
  state.roles.set(name, granted(permissions, perm))
  return changed(state)
}

export function roleRevokePermission(context: Context, { role, key, range_end }: Calls['roleRevokePermission'][0]): HeaderReply | Failure {
  const { state } = context
  const refusal = adminOnly(context)
  if (refusal) return refusal
  const permissions = state.roles.get(role)
  if (permissions === undefined) return failures.roleNotFound
  const left = permissions.filter((held) => !sameBytes(held.key, key) || !sameBytes(held.range_end, range_end))
  if (left.length === permissions.length) return failures.permissionNotGranted
  state.roles.set(role, left)
  return changed(state)
}
