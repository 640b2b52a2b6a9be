/**
 * As whom a call is made, and whether that user administers etcd.
 *
 * Follows `EtcdServer.AuthInfoFromCtx` (the token first, then the certificate, no way back from a bad token) and
 * `authStore.IsAdminPermitted`.
 */
import { failures, isFailure, type Failure } from './failures.js'
import type { Context, State } from './state.js'

/** Simple tokens live for 300 seconds after their last use (`simpleTokenTTLDefault`). */
export const TOKEN_MILLISECONDS = 300_000

/** `user` is `undefined` where the client has shown neither token nor certificate, `''` where its certificate has no Common Name. */
export interface Identity {
  readonly user: string | undefined
}

/** Who calls. */
export function identify({ state, quirks, caller, now }: Context): Identity | Failure {
  const ignored = quirks.tokensIgnoredWhenOff && !state.enabled
  if (caller.token === undefined || ignored) return { user: caller.commonName }
  const found = state.tokens.get(caller.token)
  if (found === undefined || now.getTime() > found.expires) {
    state.tokens.delete(caller.token)
    return failures.invalidToken
  }
  state.tokens.set(caller.token, { user: found.user, expires: now.getTime() + TOKEN_MILLISECONDS })
  return { user: found.user }
}

/** Whether a user holds role root. Its permissions do not matter then, nor whether the role exists. */
export function isRoot(state: State, user: string): boolean {
  return state.users.get(user)?.roles.includes('root') === true
}

/** Why an identity may not administer, or `undefined`. */
export function adminRefusal(state: State, { user }: Identity): Failure | undefined {
  if (!state.enabled) return undefined
  if (user === undefined || user === '') return failures.userEmpty
  if (!state.users.has(user)) return failures.userNotFound
  return isRoot(state, user) ? undefined : failures.permissionDenied
}

/** Why a caller may not do what wants somebody, whoever it be, or `undefined` (`requireAuthInfo`). */
export function userOnly(context: Context): Failure | undefined {
  if (!context.state.enabled) return undefined
  const identity = identify(context)
  if (isFailure(identity)) return identity
  // Any certificate will do, even one that names no user.
  return identity.user === undefined ? failures.userEmpty : undefined
}

/** Why the caller may not administer, or `undefined`. */
export function adminOnly(context: Context): Failure | undefined {
  const identity = identify(context)
  return isFailure(identity) ? identity : adminRefusal(context.state, identity)
}
