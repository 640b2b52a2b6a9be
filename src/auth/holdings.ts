/** Who holds which roles, and what those grant: as a store was found, and as it will be when a plan has been applied. */
import type { Permission } from '../keys/permission.js'
import type { Differences } from './difference.js'
import type { AuthState } from './state.js'
import { byScope, type Wanted } from './wanted.js'

/** Clients that no user is known for, on v2: they hold the role `guest`. No user has an empty name. */
export const GUEST = ''

/** Users with their roles, and roles with their permissions by scope. */
export interface Holdings {
  readonly users: ReadonlyMap<string, readonly string[]>
  readonly roles: ReadonlyMap<string, ReadonlyMap<string, Permission>>
}

/** What a store holds as it was read. */
export function holdingsIn(state: AuthState): Holdings {
  return { users: new Map(Object.entries(state.users)), roles: new Map(Object.entries(state.roles).map(([role, list]) => [role, byScope(list)] as const)) }
}

/** What a store holds before and after: of users whom the policy does not name, only what is unbound and deleted changes. */
export function holdingsOf(state: AuthState, wanted: Wanted, { deletes, unbinds }: Pick<Differences, 'deletes' | 'unbinds'>): { readonly before: Holdings; readonly after: Holdings } {
  const { users: found, roles } = holdingsIn(state)
  const users = new Map(found)
  const usersAfter = new Map(users)
  const rolesAfter = new Map(roles)
  for (const [user, held] of Object.entries(wanted.users)) usersAfter.set(user, held)
  for (const [role, scopes] of Object.entries(wanted.roles)) rolesAfter.set(role, scopes)
  if (state.api === 'v2') for (const bindings of [users, usersAfter]) bindings.set(GUEST, ['guest'])
  for (const step of unbinds) if (step.do === 'unbindRole' && !Object.hasOwn(wanted.users, step.user)) usersAfter.set(step.user, (usersAfter.get(step.user) ?? []).filter((role) => role !== step.role))
  for (const step of deletes) {
    if (step.do === 'deleteUser') usersAfter.set(step.user, [])
    if (step.do === 'deleteRole') rolesAfter.delete(step.role)
  }
  return { before: { users, roles }, after: { users: usersAfter, roles: rolesAfter } }
}

/** Whether a user would be almighty. */
export function holdsRoot({ users }: Holdings, user: string): boolean {
  return users.get(user)?.includes('root') === true
}
