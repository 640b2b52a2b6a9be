/** Who holds which roles, and what those grant: as a store was found, and as it will be when a plan has been applied. */
import type { Permission } from '../keys/permission.js'
import type { Differences } from './difference.js'
import type { Api, AuthState } from './state.js'
import { byScope, type Wanted } from './wanted.js'

/** On v2, whoever comes under a name of which neither store nor policy knows. No user has an empty name. */
export const GUEST = ''

/** Users with their roles, and roles with their permissions by scope. */
export interface Holdings {
  readonly api: Api
  readonly users: ReadonlyMap<string, readonly string[]>
  readonly roles: ReadonlyMap<string, ReadonlyMap<string, Permission>>
}

/** What stands behind a name. */
export interface Held {
  readonly roles: readonly string[]
  /** By no user, but as one of the guests, of whom v2 does not ask whether their requests recurse (v2http/client_auth.go, `hasGuestAccess`). */
  readonly asGuest: boolean
}

const nobody: Readonly<Record<Api, Held>> = { v3: { roles: [], asGuest: false }, v2: { roles: ['guest'], asGuest: true } }

/** What whoever comes under a name holds. On v2 one that is no user is a guest: users come from there, and go there. */
export function heldBy({ api, users }: Holdings, user: string): Held {
  const roles = users.get(user)
  return roles === undefined ? nobody[api] : { roles, asGuest: false }
}

/** All who may come, before or after; on v2 also whom nobody has a name for. */
export function namesIn(before: Holdings, after: Holdings): readonly string[] {
  return [...new Set([...before.users.keys(), ...after.users.keys(), ...(before.api === 'v2' ? [GUEST] : [])])]
}

/** What a store holds as it was read. */
export function holdingsIn(state: AuthState): Holdings {
  return { api: state.api, users: new Map(Object.entries(state.users)), roles: new Map(Object.entries(state.roles).map(([role, list]) => [role, byScope(list)] as const)) }
}

/** What a store holds before and after: of users whom the policy does not name, only what is unbound and deleted changes. */
export function holdingsOf(state: AuthState, wanted: Wanted, { deletes, unbinds }: Pick<Differences, 'deletes' | 'unbinds'>): { readonly before: Holdings; readonly after: Holdings } {
  const before = holdingsIn(state)
  const { api, users, roles } = before
  const usersAfter = new Map(users)
  const rolesAfter = new Map(roles)
  for (const [user, held] of Object.entries(wanted.users)) usersAfter.set(user, held)
  for (const [role, scopes] of Object.entries(wanted.roles)) rolesAfter.set(role, scopes)
  for (const step of unbinds) if (step.do === 'unbindRole' && !Object.hasOwn(wanted.users, step.user)) usersAfter.set(step.user, (usersAfter.get(step.user) ?? []).filter((role) => role !== step.role))
  for (const step of deletes) {
    if (step.do === 'deleteUser') usersAfter.delete(step.user)
    if (step.do === 'deleteRole') rolesAfter.delete(step.role)
  }
  return { before, after: { api, users: usersAfter, roles: rolesAfter } }
}

/** Whether a user would be almighty. */
export function holdsRoot({ users }: Holdings, user: string): boolean {
  return users.get(user)?.includes('root') === true
}
