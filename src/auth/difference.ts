/** The writes that lead from what a store holds to what a policy wants, in no order yet. */
import type { Permission } from '../keys/permission.js'
import { showPermission } from '../keys/show.js'
import { scopeOf } from '../keys/scope.js'
import { isDangling, veilOf } from './dangling.js'
import type { Ours, PlanOptions } from './plan-options.js'
import type { AuthState, StoredPermission, StoreNames } from './state.js'
import type { Step } from './step.js'
import { byScope, type Wanted } from './wanted.js'

/** Steps that must follow one another directly, by kind. */
export interface Differences {
  readonly addRoles: readonly Step[]
  readonly addUsers: readonly Step[]
  /** Each a list of one, of a revoke and a grant, or of a changed type and the grants that would come to stand beside it. */
  readonly permissions: readonly (readonly Step[])[]
  readonly binds: readonly Step[]
  readonly unbinds: readonly Step[]
  /** New passwords of users who are made anew on v2, where there is nothing else to make anew. */
  readonly newPasswords: readonly Step[]
  /** On v3 each a user who is deleted, made anew and bound. */
  readonly recreates: readonly (readonly Step[])[]
  readonly deletes: readonly Step[]
}

/** Roles that are etcd's own and not judged by a policy. */
const isOwn = (role: string): boolean => role === 'root'

/** etcd v2 gives user root its role itself, and refuses to be told (v2auth/auth.go, `CreateUser`). */
const isInborn = (api: AuthState['api'], user: string, role: string): boolean => api === 'v2' && user === 'root' && role === 'root'

/** Users and roles of the store that the policy does not name. */
export function unmanagedOf(state: AuthState, wanted: Wanted): StoreNames {
  return {
    users: Object.keys(state.users).filter((user) => !Object.hasOwn(wanted.users, user)),
    roles: Object.keys(state.roles).filter((role) => !isOwn(role) && !Object.hasOwn(wanted.roles, role)),
  }
}

/**
 * Who holds a role of the policy without being named by it. A policy says of its roles what they grant and who holds them: such a binding is no more left
 * alone than an extra permission would be. On v2 a role may be held before it exists.
 */
export function strangersOf(state: AuthState, wanted: Wanted): readonly { readonly user: string; readonly role: string }[] {
  return unmanagedOf(state, wanted).users.flatMap((user) => [...new Set(state.users[user])].filter((role) => Object.hasOwn(wanted.roles, role)).map((role) => ({ user, role })))
}

/**
 * Whether a role is unbound from a user before anything is made or granted: one that does not exist may hide one that is about to be, which would come
 * alive with whoever holds it; of a hidden user it may hide any.
 */
function isVeil(state: AuthState, wanted: Wanted, user: string, role: string): boolean {
  return isDangling(state, role) && (veilOf(state, user) !== undefined || Object.keys(wanted.roles).some((made) => !Object.hasOwn(state.roles, made)))
}

/** Who holds such a role without being named by the policy, or holding a role of it by that. */
export function veilsOf(state: AuthState, wanted: Wanted): readonly { readonly user: string; readonly role: string }[] {
  return unmanagedOf(state, wanted).users.flatMap((user) => [...new Set(state.users[user])].filter((role) => !Object.hasOwn(wanted.roles, role) && isVeil(state, wanted, user, role)).map((role) => ({ user, role })))
}

/** What is removed of what the policy does not name: all, or what is ours. Neither `root` nor anyone in `keepUsers` ever is. */
function removedOf(state: AuthState, wanted: Wanted, ours: Ours | undefined, keepUsers: readonly string[]): StoreNames {
  const others = unmanagedOf(state, wanted)
  const begins = (name: string): boolean => (ours?.prefixes ?? []).some((prefix) => name.startsWith(prefix))
  const isOurs = (user: string): boolean => begins(user) || (ours?.markerRole !== undefined && state.users[user]?.includes(ours.markerRole) === true)
  return {
    users: others.users.filter((user) => user !== 'root' && !keepUsers.includes(user) && (ours === undefined || isOurs(user))),
    roles: others.roles.filter((role) => ours === undefined || begins(role)),
  }
}

const VEILS = 'it does not exist, and may hide another that is there or about to be made'

/** The steps from `state` to `wanted`. Neither `root` nor anyone in `keepUsers` is ever deleted. */
export function differences(state: AuthState, wanted: Wanted, { unmanaged, ours, recreate = [] }: Pick<PlanOptions, 'unmanaged' | 'ours' | 'recreate'>, keepUsers: readonly string[]): Differences {
  const removed = unmanaged === 'remove' ? removedOf(state, wanted, ours, keepUsers) : { users: [], roles: [] }
  const needsRootRole = state.api === 'v3' && !Object.hasOwn(state.roles, 'root') && Object.values(wanted.users).some((roles) => roles.includes('root'))

  const addRoles: Step[] = needsRootRole ? [{ do: 'addRole', role: 'root', reason: 'the policy binds users to it' }] : []
  const permissions: (readonly Step[])[] = []
  for (const [role, scopes] of Object.entries(wanted.roles)) {
    const stored = Object.hasOwn(state.roles, role) ? (state.roles[role] ?? []) : undefined
    if (stored === undefined) addRoles.push({ do: 'addRole', role, reason: role === 'guest' && state.api === 'v2' ? 'without it, enabling auth makes a guest who may do everything' : 'the policy declares it' })
    permissions.push(...permissionSteps(role, stored ?? [], scopes))
  }

  const addUsers: Step[] = []
  const binds: Step[] = []
  const unbinds: Step[] = []
  const recreates: (readonly Step[])[] = []
  const newPasswords: Step[] = []
  const bind = (user: string, role: string): Step => ({ do: 'bindRole', user, role, reason: 'the policy binds it' })
  for (const [user, roles] of Object.entries(wanted.users)) {
    const held = Object.hasOwn(state.users, user) ? (state.users[user] ?? []) : undefined
    const login = wanted.logins[user] ?? 'certificate'
    const isAnew = held !== undefined && recreate.includes(user)
    if (isAnew && state.api === 'v2') newPasswords.push({ do: login === 'password' ? 'setPassword' : 'dropPassword', user, reason: 'it is to be made anew' })
    else if (isAnew) {
      recreates.push([{ do: 'deleteUser', user, reason: 'it is to be made anew' }, { do: 'addUser', user, login, reason: 'it is to be made anew' }, ...roles.map((role) => bind(user, role))])
      continue
    }
    const missing = roles.filter((role) => (held?.includes(role) !== true || isVeil(state, wanted, user, role)) && !isInborn(state.api, user, role))
    // On v2 a user is made with its roles: in between it would hold neither them nor what guests hold.
    const isMadeWhole = held === undefined && state.api === 'v2' && missing.length > 0
    if (held === undefined) addUsers.push({ do: 'addUser', user, login, ...(isMadeWhole && { roles: missing }), reason: 'the policy declares it' })
    if (!isMadeWhole) binds.push(...missing.map((role) => bind(user, role)))
    // etcd v2 stores a role as often as it was named at the user's creation.
    for (const role of new Set(held)) {
      if (isVeil(state, wanted, user, role)) unbinds.push({ do: 'unbindRole', user, role, reason: VEILS })
      // A name that is no text cannot be sent: the state tells of it.
      else if (!roles.includes(role) && !role.includes('\ufffd')) unbinds.push({ do: 'unbindRole', user, role, reason: 'the policy does not bind it' })
    }
  }
  const gone = new Set(removed.users)
  const going = new Set(removed.roles)
  for (const user of unmanagedOf(state, wanted).users)
    for (const role of new Set(state.users[user])) {
      if (isVeil(state, wanted, user, role)) unbinds.push({ do: 'unbindRole', user, role, reason: VEILS })
      else if (gone.has(user)) continue
      else if (Object.hasOwn(wanted.roles, role)) unbinds.push({ do: 'unbindRole', user, role, reason: 'the policy declares the role, and does not name the user' })
      // Who stays and holds a role that goes: etcd v3 would unbind them unasked, and etcd v2 leave them with a name that opens whatever it names next.
      else if (going.has(role)) unbinds.push({ do: 'unbindRole', user, role, reason: 'the role is to be removed' })
    }
  return {
    addRoles,
    addUsers,
    permissions,
    binds,
    unbinds,
    recreates,
    newPasswords,
    deletes: [
      ...removed.users.map((user): Step => ({ do: 'deleteUser', user, reason: 'the policy does not name it, and unmanaged users are to be removed' })),
      ...removed.roles.map((role): Step => ({ do: 'deleteRole', role, reason: 'the policy does not name it, and unmanaged roles are to be removed' })),
    ],
  }
}

/** The steps from what a role holds to what it is to hold, in units that follow one another directly. */
export function permissionSteps(role: string, stored: readonly StoredPermission[], wanted: ReadonlyMap<string, Permission>): readonly (readonly Step[])[] {
  const known = byScope(stored)
  const scoped = stored.map((permission) => [scopeOf(permission.keys), permission] as const)
  const held = new Map(scoped.map(([scope, permission]) => [scope, known.get(scope) ?? permission] as const))
  // etcd v3 compares a grant with the first stored permission of the same start key only, and appends a duplicate otherwise
  // (server/auth/store.go, RoleGrantPermission): there, what stands must go before the new type comes.
  const starts = new Map<string, number>()
  // The very same twice, which a client that repeats a grant leaves there, is as good as once: a revoke takes all copies.
  const types = new Map<string, Set<StoredPermission['type']>>()
  for (const [scope, { type }] of scoped) {
    starts.set(startOf(scope), (starts.get(startOf(scope)) ?? 0) + 1)
    types.set(scope, (types.get(scope) ?? new Set()).add(type))
  }

  const steps: (readonly Step[])[] = []
  for (const [scope, permission] of held) {
    if (!wanted.has(scope)) steps.push([{ do: 'revokePermission', role, permission, reason: permission.type === 'unknown' ? 'etcd knows no such right' : 'the policy does not grant it' }])
  }
  /** By start key: a change in place, which must come before another permission stands there. */
  const inPlace = new Map<string, Step[]>()
  const added: (readonly [scope: string, step: Step])[] = []
  for (const [scope, permission] of wanted) {
    const before = held.get(scope)
    const start = startOf(scope)
    if (before === undefined) added.push([scope, { do: 'grantPermission', role, permission, replaces: undefined, reason: 'the policy grants it' }])
    else if (before.type === 'unknown' || (permission.keys.api === 'v3' && ((types.get(scope)?.size ?? 0) > 1 || (before.type !== permission.type && (starts.get(start) ?? 0) > 1)))) {
      const reason = before.type === 'unknown' ? 'etcd knows no such right' : `etcd would keep ${showPermission(before)} beside it: another permission has the same start key`
      steps.push([
        { do: 'revokePermission', role, permission: before, reason },
        { do: 'grantPermission', role, permission, replaces: undefined, reason: 'the policy grants it' },
      ])
    } else if (before.type !== permission.type) {
      const change = before.type === 'readwrite' ? 'less' : 'otherwise'
      const unit: Step[] = [{ do: 'grantPermission', role, permission, replaces: before.type, reason: `the policy grants ${change}` }]
      inPlace.set(start, unit)
      steps.push(unit)
    }
  }
  for (const [scope, step] of added) {
    const first = step.do === 'grantPermission' && step.permission.keys.api === 'v3' ? inPlace.get(startOf(scope)) : undefined
    if (first === undefined) steps.push([step])
    else first.push(step)
  }
  return steps
}

/** Of a scope on v3: the key, as {@link scopeOf} writes it before the end. */
function startOf(scope: string): string {
  return scope.slice(0, scope.indexOf('-'))
}
