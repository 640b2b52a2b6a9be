/** The user RPCs. Follows `authStore.User*` and the checks before them in `apply_auth.go` and `v3_server.go`. */
import { failures, isFailure, type Failure } from './failures.js'
import { adminOnly, adminRefusal, identify } from './identity.js'
import { sortNames } from './order.js'
import { isTooLong, keep } from './passwords.js'
import type { Calls, HeaderReply } from './rpc.js'
import { headerOf, type Context, type Password, type State, type UserRecord } from './state.js'

/** Counts a change of the auth store and answers it. */
export function changed(state: State): HeaderReply {
  state.authRevision++
  return { header: headerOf(state) }
}

/** A user's tokens end with its password and with the user. */
function forgetTokens(state: State, name: string): void {
  for (const [token, { user }] of state.tokens) if (user === name) state.tokens.delete(token)
}

/** Until 3.5, the hash is made while the entry is applied, so behind the check of rights; since, before it. */
function passwordRefusal({ quirks }: Context, password: string): Failure | undefined {
  return quirks.hashedBeforeProposal && isTooLong(password) ? failures.passwordTooLong : undefined
}

export function userAdd(context: Context, { name, password, no_password }: Calls['userAdd'][0]): HeaderReply | Failure {
  const { state, quirks } = context
  const withoutPassword = no_password && quirks.noPasswordUsers
  const refusal = (withoutPassword ? undefined : passwordRefusal(context, password)) ?? adminOnly(context)
  if (refusal) return refusal
  if (name === '') return failures.userEmpty
  if (state.users.has(name)) return failures.userExists
  state.users.set(name, { password: withoutPassword ? { kind: 'none' } : keep(password), roles: [] })
  return changed(state)
}

export function userGet(context: Context, { name }: Calls['userGet'][0]): Calls['userGet'][1] | Failure {
  const { state } = context
  const identity = identify(context)
  if (isFailure(identity)) return identity
  const refusal = adminRefusal(state, identity)
  if (refusal && name !== (identity.user ?? '')) return refusal
  const user = state.users.get(name)
  return user === undefined ? failures.userNotFound : { header: headerOf(state), roles: user.roles }
}

export function userList(context: Context): Calls['userList'][1] | Failure {
  return adminOnly(context) ?? { header: headerOf(context.state), users: sortNames(context.state.users.keys()) }
}

export function userDelete(context: Context, { name }: Calls['userDelete'][0]): HeaderReply | Failure {
  const { state } = context
  const refusal = adminOnly(context)
  if (refusal) return refusal
  if (state.enabled && name === 'root') return failures.invalidManagement
  if (!state.users.delete(name)) return failures.userNotFound
  forgetTokens(state, name)
  return changed(state)
}

/** An empty new password was hashed like any other before 3.5; since, nothing is stored in its place, and no password fits any more. */
function newPassword({ quirks }: Context, user: UserRecord, password: string): Password {
  if (user.password.kind === 'none') return user.password
  return password === '' && quirks.hashedBeforeProposal ? { kind: 'lost' } : keep(password)
}

export function userChangePassword(context: Context, { name, password }: Calls['userChangePassword'][0]): HeaderReply | Failure {
  const { state } = context
  const refusal = passwordRefusal(context, password) ?? adminOnly(context)
  if (refusal) return refusal
  const user = state.users.get(name)
  if (user === undefined) return failures.userNotFound
  state.users.set(name, { ...user, password: newPassword(context, user, password) })
  forgetTokens(state, name)
  return changed(state)
}

export function userGrantRole(context: Context, { user: name, role }: Calls['userGrantRole'][0]): HeaderReply | Failure {
  const { state } = context
  const refusal = adminOnly(context)
  if (refusal) return refusal
  const user = state.users.get(name)
  if (user === undefined) return failures.userNotFound
  // Role root need not exist to be held.
  if (role !== 'root' && !state.roles.has(role)) return failures.roleNotFound
  if (user.roles.includes(role)) return { header: headerOf(state) }
  state.users.set(name, { ...user, roles: sortNames([...user.roles, role]) })
  return changed(state)
}

export function userRevokeRole(context: Context, { name, role }: Calls['userRevokeRole'][0]): HeaderReply | Failure {
  const { state } = context
  const refusal = adminOnly(context)
  if (refusal) return refusal
  if (state.enabled && name === 'root' && role === 'root') return failures.invalidManagement
  const user = state.users.get(name)
  if (user === undefined) return failures.userNotFound
  if (!user.roles.includes(role)) return failures.roleNotGranted
  state.users.set(name, { ...user, roles: user.roles.filter((held) => held !== role) })
  return changed(state)
}
