/** What plain JavaScript may pass for the state of an auth store. */
import { isTable } from '../policy/found.js'
import { isStored } from './check-step.js'
import type { AuthState, StoredPermission } from './state.js'

type Loose<T> = { readonly [Field in keyof T]?: unknown }

/**
 * Refuses what no auth store holds: JSON that {@link parseState} has not looked at, say.
 *
 * @throws `TypeError`
 */
export function checkState(state: unknown): void {
  if (!isState(state)) throw new TypeError("state must be what an etcd's auth store holds, as EtcdAuth's state() and parseState give it")
}

function isState(given: unknown): boolean {
  const { api, version, enabled, users, roles, unreadable, emptyPasswords } = (given ?? {}) as Loose<AuthState>
  if ((api !== 'v2' && api !== 'v3') || typeof enabled !== 'boolean' || !(version === undefined || typeof version === 'string') || !isTable(users) || !isTable(roles)) return false
  const isPermission = (permission: unknown): boolean => isTable(permission) && typeof permission['type'] === 'string' && isStored(api, permission['keys'] as StoredPermission['keys'] | null | undefined)
  const { users: lostUsers, roles: lostRoles } = (unreadable ?? { users: [], roles: [] }) as Loose<NonNullable<AuthState['unreadable']>>
  return [...Object.values(users), lostUsers, lostRoles, emptyPasswords ?? []].every(isNames) && Object.values(roles).every((permissions) => Array.isArray(permissions) && permissions.every(isPermission))
}

function isNames(given: unknown): boolean {
  return Array.isArray(given) && given.every((name) => typeof name === 'string')
}
