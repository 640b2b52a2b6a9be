/** What of a store keeps auth from being turned on, where no policy says who and what is to be there. */
import { unreadableProblems } from './blockers.js'
import { holdingsIn, holdsRoot } from './holdings.js'
import type { Identity } from './identity.js'
import { opensAll } from './open-v2.js'
import type { AuthState } from './state.js'
import { visible } from './visible.js'

/** Why auth must not be on over what a store holds: one line each. */
export function enablingProblems(state: AuthState, { user }: Identity, acknowledgeRoot: readonly string[]): readonly string[] {
  const held = holdingsIn(state)
  const known = new Set([...acknowledgeRoot, user])
  const strangers = Object.keys(state.users).filter((name) => holdsRoot(held, name) && !known.has(name))
  const guest = state.api === 'v2' ? state.roles['guest'] : []
  return [
    ...(holdsRoot(held, user) ? [] : [`user ${visible(user)}, as whom you connect, does not hold role root`]),
    ...(holdsRoot(held, 'root') ? [] : ['etcd turns auth on only if a user named root holds role root']),
    ...(guest === undefined ? ['there is no role guest: etcd would make one, by which everybody may do everything; add it, with the rights that strangers are to have, or with none'] : []),
    ...((guest ?? []).some(opensAll) ? ['role guest may write every key, so that auth would keep nobody from anything; take that from it first (revokePermission)'] : []),
    ...unreadableProblems(state),
    ...strangers.map((name) => `user ${visible(name)} holds role root: while auth is off, anyone may have made it; ${name === 'root' ? '' : 'delete it, or '}acknowledge it by name (acknowledgeRoot) if you know who made it`),
  ]
}
