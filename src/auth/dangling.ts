/**
 * Roles that are held and do not exist, on v2 (v2auth/auth.go checks no name that it binds). Of each user etcd names one of them, and of those whom it
 * lists the roles that do exist: what else a user holds comes to light when the one that is named is unbound.
 */
import type { AuthState } from './state.js'

/** Whether a role of v2 that somebody holds is none. */
export function isDangling({ api, roles }: Pick<AuthState, 'api' | 'roles'>, role: string): boolean {
  return api === 'v2' && role !== 'root' && !Object.hasOwn(roles, role)
}

/** The one that does not exist and is known, of a user of whom all the rest is unknown: role root may be there. */
export function veilOf(state: AuthState, user: string): string | undefined {
  return state.unreadable?.users.includes(user) === true ? state.users[user]?.find((role) => isDangling(state, role)) : undefined
}
