/** Turning auth on and off, its status, and logging in. Follows `authStore.AuthEnable`, `AuthDisable`, `CheckPassword`, `Authenticate`. */
import { failures, isFailure, type Failure } from './failures.js'
import { adminOnly, identify, isRoot, TOKEN_MILLISECONDS } from './identity.js'
import { matches } from './passwords.js'
import type { Calls, HeaderReply } from './rpc.js'
import { headerOf, type Context } from './state.js'
import { changed } from './users.js'

export function authEnable(context: Context): HeaderReply | Failure {
  const { state } = context
  const refusal = adminOnly(context)
  if (refusal) return refusal
  if (!state.enabled) {
    if (!state.users.has('root')) return failures.rootUserMissing
    if (!isRoot(state, 'root')) return failures.rootRoleMissing
    state.enabled = true
  }
  return { header: headerOf(state) }
}

export function authDisable(context: Context): HeaderReply | Failure {
  const { state } = context
  const refusal = adminOnly(context)
  if (refusal) return refusal
  if (!state.enabled) return { header: headerOf(state) }
  state.enabled = false
  state.tokens.clear()
  return changed(state)
}

export function authStatus(context: Context): Calls['authStatus'][1] | Failure {
  const { state, quirks } = context
  if (!quirks.authStatus) return failures.unknownMethod
  const identity = identify(context)
  if (isFailure(identity)) return identity
  const refusal = quirks.openAuthStatus ? undefined : adminOnly(context)
  return refusal ?? { header: headerOf(state), enabled: state.enabled, authRevision: String(state.authRevision) }
}

export function authenticate(context: Context, { name, password }: Calls['authenticate'][0]): Calls['authenticate'][1] | Failure {
  const { state, quirks, now } = context
  if (!state.enabled) return failures.notEnabled
  const user = state.users.get(name)
  if (user === undefined) return failures.authFailed
  if (user.password.kind === 'none') return failures.noPasswordUser
  if (!matches(user.password, password)) return failures.authFailed
  // Old versions look at the token of the one who logs in, and refuse a stale one.
  const identity = quirks.tokensIgnoredWhenOff ? undefined : identify(context)
  if (identity && isFailure(identity)) return identity
  const token = nextToken(++state.logins)
  state.tokens.set(token, { user: name, expires: now.getTime() + TOKEN_MILLISECONDS })
  return { header: headerOf(state), token }
}

/** A token of etcd's form, sixteen letters and a number. Counted, not drawn: the store has no randomness, and guards nothing. */
function nextToken(login: number): string {
  const letters = [...String(login).padStart(16, '0')].map((digit) => 'abcdefghij'.charAt(Number(digit)))
  return `${letters.join('')}.${login + 10}`
}
