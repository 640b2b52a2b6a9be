/**
 * The order of a plan's steps.
 *
 * Safety before availability: after no step does a user hold what neither the old nor the new policy gives it; and every user keeps what
 * both give, except in the gaps that are returned. The steps are played through on a copy of the state: a step that would break either
 * rule waits for those that make room; where steps wait for each other in a circle, the first safe one goes and its gap is recorded.
 */
import { allows, type Permission } from '../keys/permission.js'
import { showPermission } from '../keys/show.js'
import type { Differences } from './difference.js'
import type { Regions } from './rights.js'
import { scopeOf, type AuthState } from './state.js'
import type { Step } from './step.js'
import { byScope, type Wanted } from './wanted.js'

/** A right that the old and the new policy both give, and that a user lacks for a moment. */
export interface Gap {
  readonly user: string
  readonly permission: string
  readonly after: Step
}

/** Clients that no user is known for, on v2: they hold the role `guest`. No user has an empty name. */
const GUEST = ''

type Access = 'read' | 'write'
const ACCESSES: readonly Access[] = ['read', 'write']

/** What a user holds: everything, or regions to read and regions to write. */
interface Rights<R> {
  readonly root: boolean
  readonly read: readonly R[]
  readonly write: readonly R[]
}

type Table = ReadonlyMap<string, ReadonlyMap<string, Permission>>

function rightsOf<R>(regions: Regions<R>, roles: Table, held: Iterable<string>): Rights<R> {
  const names = [...held]
  const permissions = names.flatMap((role) => [...(roles.get(role)?.values() ?? [])])
  const of = (access: Access): R[] => permissions.filter(({ type }) => allows(type, access)).map(({ keys }) => regions.of(keys))
  return { root: names.includes('root'), read: of('read'), write: of('write') }
}

/**
 * Puts the steps in order.
 *
 * On a store without conflicts the order is the cheaper of "permissions, users, bindings" and "users, bindings, permissions": since etcd 3.4
 * most writes rebuild every user's merged permissions (server/auth/range_perm_cache.go), so a binding is cheap while roles are empty.
 */
export function orderSteps<R>(regions: Regions<R>, state: AuthState, wanted: Wanted, changes: Differences): { steps: readonly Step[]; gaps: readonly Gap[] } {
  const bindingsBefore = new Map(Object.entries(state.users))
  const bindingsAfter = new Map(bindingsBefore)
  for (const [user, roles] of Object.entries(wanted.users)) bindingsAfter.set(user, roles)
  for (const step of changes.deletes) if (step.do === 'deleteUser') bindingsAfter.set(step.user, [])
  if (state.api === 'v2') for (const bindings of [bindingsBefore, bindingsAfter]) bindings.set(GUEST, ['guest'])

  const rolesBefore = new Map(Object.entries(state.roles).map(([role, list]) => [role, byScope(list)] as const))
  const rolesAfter = new Map(rolesBefore)
  for (const [role, scopes] of Object.entries(wanted.roles)) rolesAfter.set(role, scopes)
  const before = memo((user: string) => rightsOf(regions, rolesBefore, bindingsBefore.get(user) ?? []))
  const after = memo((user: string) => rightsOf(regions, rolesAfter, bindingsAfter.get(user) ?? []))

  const roles = new Map([...rolesBefore].map(([role, scopes]) => [role, new Map(scopes)] as const))
  const users = new Map([...bindingsBefore].map(([user, held]) => [user, new Set(held)] as const))
  const holders = new Map<string, Set<string>>()
  for (const [user, held] of users) for (const role of held) holders.set(role, (holders.get(role) ?? new Set()).add(user))

  /** Whether the new policy gives the user this permission through this very role: the cheap and usual yes. */
  const isWanted = (user: string, role: string, permission: Permission): boolean => {
    const goal = rolesAfter.get(role)?.get(scopeOf(permission.keys))
    return goal !== undefined && (goal.type === permission.type || goal.type === 'readwrite') && (bindingsAfter.get(user) ?? []).includes(role)
  }
  const mayGain = (user: string, role: string, permission: Permission): boolean => {
    if (isWanted(user, role, permission)) return true
    const [old, next] = [before(user), after(user)]
    if (old.root || next.root) return true
    const region = regions.of(permission.keys)
    return ACCESSES.every((access) => !allows(permission.type, access) || regions.covered(region, [...old[access], ...next[access]]))
  }
  const mayHold = (user: string, role: string): boolean =>
    role === 'root' ? before(user).root || after(user).root : [...(roles.get(role)?.values() ?? [])].every((permission) => mayGain(user, role, permission))

  /** What the user would lack of what both policies give, were `role` (or one scope of it, to `remaining`) taken away. */
  const lacks = (user: string, role: string, scope?: string, remaining?: Permission): readonly string[] => {
    const [old, next] = [before(user), after(user)]
    if (next.root) return role === 'root' ? ['everything'] : []
    const left = new Map(roles)
    if (scope === undefined) left.delete(role)
    else {
      const scopes = new Map(roles.get(role))
      if (remaining === undefined) scopes.delete(scope)
      else scopes.set(scope, remaining)
      left.set(role, scopes)
    }
    const kept = rightsOf(regions, left, role === 'root' ? [...(users.get(user) ?? [])].filter((held) => held !== 'root') : (users.get(user) ?? []))
    if (kept.root) return []
    const lost = role === 'root' ? undefined : [...(roles.get(role)?.values() ?? [])].filter(({ keys }) => scope === undefined || scopeOf(keys) === scope)
    return ACCESSES.flatMap((access) => {
      const had = lost === undefined || old.root ? undefined : lost.filter(({ type }) => allows(type, access)).map(({ keys }) => regions.of(keys))
      const missing = (had ?? next[access])
        .flatMap((region) => next[access].map((goal) => (had === undefined ? goal : regions.common(region, goal))))
        .filter((region) => region !== undefined)
        .some((region) => !regions.covered(region, kept[access]))
      return missing ? [access] : []
    })
  }

  const isSafe = (unit: readonly Step[]): boolean =>
    unit.every((step) => {
      if (step.do === 'grantPermission') return [...(holders.get(step.role) ?? [])].every((user) => mayGain(user, step.role, step.permission))
      return step.do !== 'bindRole' || mayHold(step.user, step.role)
    })
  const gapsOf = (unit: readonly Step[]): Gap[] =>
    unit.flatMap((step) => {
      const gap = (user: string, missing: readonly string[], what: string): Gap[] =>
        missing.length === 0 ? [] : [{ user: user === GUEST ? 'guest' : user, permission: `${missing.join(' and ')} of ${what}`, after: step }]
      if (step.do === 'revokePermission' || (step.do === 'grantPermission' && step.replaces !== undefined)) {
        const remaining = step.do === 'grantPermission' ? step.permission : undefined
        return [...(holders.get(step.role) ?? [])].flatMap((user) =>
          gap(user, lacks(user, step.role, scopeOf(step.permission.keys), remaining), showPermission(step.permission)),
        )
      }
      return step.do === 'unbindRole' ? gap(step.user, lacks(step.user, step.role), `role ${step.role}`) : []
    })
  const play = (step: Step): void => {
    switch (step.do) {
      case 'addRole':
        roles.set(step.role, new Map())
        break
      case 'addUser':
        users.set(step.user, new Set())
        break
      case 'grantPermission':
        roles.get(step.role)?.set(scopeOf(step.permission.keys), step.permission)
        break
      case 'revokePermission':
        roles.get(step.role)?.delete(scopeOf(step.permission.keys))
        break
      case 'bindRole':
        users.get(step.user)?.add(step.role)
        holders.set(step.role, (holders.get(step.role) ?? new Set()).add(step.user))
        break
      case 'unbindRole':
        users.get(step.user)?.delete(step.role)
        holders.get(step.role)?.delete(step.user)
        break
      case 'deleteUser':
        for (const role of users.get(step.user) ?? []) holders.get(role)?.delete(step.user)
        users.delete(step.user)
        break
      case 'deleteRole':
        roles.delete(step.role)
        for (const user of holders.get(step.role) ?? []) users.get(user)?.delete(step.role)
        holders.delete(step.role)
        break
      case 'enable':
    }
  }

  const alone = (list: readonly Step[]): (readonly Step[])[] => list.map((step) => [step])
  const bound = [...alone(changes.addUsers), ...alone(changes.binds)]
  const additions = bindingsFirst(state, changes) ? [...bound, ...changes.permissions] : [...changes.permissions, ...bound]
  let pending: (readonly Step[])[] = [...alone(changes.addRoles), ...additions, ...alone(changes.unbinds), ...alone(changes.deletes)]
  const steps: Step[] = []
  const gaps: Gap[] = []
  const take = (unit: readonly Step[]): void => {
    for (const step of unit) {
      play(step)
      steps.push(step)
    }
  }
  while (pending.length > 0) {
    const waiting: (readonly Step[])[] = []
    for (const unit of pending) {
      if (isReady(unit, users, roles) && isSafe(unit) && gapsOf(unit).length === 0) take(unit)
      else waiting.push(unit)
    }
    if (waiting.length === pending.length) {
      // A circle. What only takes away is always safe, so there is one; without it the policy could not be reached at all.
      const index = waiting.findIndex((unit) => isReady(unit, users, roles) && isSafe(unit))
      const [unit] = waiting.splice(index === -1 ? 0 : index, 1)
      gaps.push(...gapsOf(unit ?? []))
      take(unit ?? [])
    }
    pending = waiting
  }
  return { steps, gaps }
}

/** Whether what a step names is there. */
function isReady(unit: readonly Step[], users: ReadonlyMap<string, unknown>, roles: ReadonlyMap<string, unknown>): boolean {
  return unit.every((step) => {
    if (step.do === 'bindRole') return users.has(step.user) && (step.role === 'root' || roles.has(step.role))
    return step.do !== 'grantPermission' || roles.has(step.role)
  })
}

/**
 * Whether binding users to roles that are still empty is the cheaper way. A rebuild costs about one unit for each user and each permission
 * that it merges; the estimate counts what the two orders do not share.
 */
function bindingsFirst(state: AuthState, { addUsers, binds, permissions }: Differences): boolean {
  const userCount = Object.keys(state.users).length + addUsers.length
  const grants = permissions.length
  const permissionsPerRole = grants / Math.max(1, new Set(permissions.flat().map((step) => ('role' in step ? step.role : ''))).size)
  const permissionsFirstCost = (binds.length ** 2 * permissionsPerRole) / 2
  const bindingsFirstCost = grants * userCount + (binds.length * permissionsPerRole * grants) / 2
  return bindingsFirstCost < permissionsFirstCost
}

function memo<T>(compute: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    const value = compute(key)
    known.set(key, value)
    return value
  }
}
