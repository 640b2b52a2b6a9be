/**
 * A copy of a store on which a plan's steps are played before they are written: what each would open, and what it would take.
 *
 * Rights are judged by what both policies say of a user: `old` is the store as found, `next` the policy. Users with the same roles before,
 * now and after are judged once, and a binding that the policy wants is not judged by what the policy wants: cost follows the changes.
 * On v2 a name that is no user, not yet or no more, is held by a guest: there users come and go between their own roles and that one.
 */
import { showPermission } from '../keys/show.js'
import { allows, type Permission } from '../keys/permission.js'
import { scopeOf } from '../keys/scope.js'
import { givenBy } from './given.js'
import { heldBy, namesIn, type Held, type Holdings, type holdingsOf } from './holdings.js'
import { ACCESSES, regionsOf, rightsOf, type Access, type Regions, type Rights } from './rights.js'
import type { Api } from './state.js'
import type { Step } from './step.js'
import { visible } from './visible.js'

/** Steps that must follow one another directly. */
export type Unit = readonly Step[]

/** What a user would lack, for a moment, of what both policies give. */
export interface Lack {
  readonly user: string
  readonly permission: string
  readonly after: Step
}

/** Whose rights stand in the way of a unit: they are asked about again when those have changed. */
export type Obstacle = { readonly user: string } | { readonly role: string }

export interface Rehearsal {
  /** Why the unit must wait for safety's sake, or for what it names. */
  obstacle(unit: Unit): Obstacle | undefined
  /** What the unit would take though both policies give it. */
  lacks(unit: Unit): Iterable<Lack>
  /** Plays a step, and tells whose rights and which roles it may have changed. */
  play(step: Step): { readonly users: Iterable<string>; readonly roles: Iterable<string> }
}

type Scopes = Map<string, Permission>

const NOBODY: Holdings['users'] = new Map()

export function rehearse<R>(regions: Regions<R>, { before, after }: ReturnType<typeof holdingsOf>): Rehearsal {
  const roles = new Map<string, Scopes>([...before.roles].map(([role, scopes]) => [role, new Map(scopes)]))
  const users = new Map([...before.users].map(([user, held]) => [user, held] as const))
  const current: Holdings = { ...before, users }
  const heldNow = (user: string): Held => heldBy(current, user)
  const holders = new Map<string, Set<string>>()
  /** Holders of a role to whom the policy does not give it. */
  const strangers = new Map<string, Set<string>>()
  /** Those who will hold a role by being made, or as a guest by being deleted: what is granted to it may end their waiting. */
  const comers = new Map<string, Set<string>>()
  /** Permissions that a role has and the policy does not give it. */
  const surplus = new Map<string, Scopes>()

  const into = (table: Map<string, Set<string>>, role: string, user: string): void => {
    const members = table.get(role)
    if (members === undefined) table.set(role, new Set([user]))
    else members.add(user)
  }
  const hold = (user: string, role: string): void => {
    into(holders, role, user)
    const goal = heldBy(after, user)
    // A guest may more by a role than who is bound to it.
    if (!goal.roles.includes(role) || (heldNow(user).asGuest && !goal.asGuest)) into(strangers, role, user)
  }
  const drop = (user: string, role: string): void => {
    holders.get(role)?.delete(user)
    strangers.get(role)?.delete(user)
  }
  const note = (role: string, permission: Permission): void => {
    const scope = scopeOf(permission.keys)
    const goal = after.roles.get(role)?.get(scope)
    const isSurplus = goal === undefined || (goal.type !== permission.type && goal.type !== 'readwrite')
    if (isSurplus) surplus.set(role, (surplus.get(role) ?? new Map<string, Permission>()).set(scope, permission))
    else surplus.get(role)?.delete(scope)
  }
  for (const user of namesIn(before, after)) {
    for (const role of heldNow(user).roles) hold(user, role)
    const [old, goal] = [heldBy(before, user), heldBy(after, user)]
    if (old.asGuest !== goal.asGuest) for (const role of goal.roles) into(comers, role, user)
  }
  for (const [role, scopes] of roles) for (const permission of scopes.values()) note(role, permission)
  function* touchedBy(role: string): Iterable<string> {
    yield* holders.get(role) ?? []
    yield* comers.get(role) ?? []
  }

  const { given, kindOf } = givenBy(regions, before, after)
  const mayGain = (user: string, { keys, type }: Permission, asGuest: boolean): boolean => {
    const { either } = given(user)
    return ACCESSES.every((access) => !allows(type, access) || regions.contains(either[access], regions.of(keys, asGuest)))
  }
  /** The first of the roles that holds, beside what the policy gives it, something that the user must not gain. */
  const unripe = (user: string, { roles: list, asGuest }: Held): Obstacle | undefined => {
    for (const role of list) for (const permission of surplus.get(role)?.values() ?? []) if (!mayGain(user, permission, asGuest)) return { role }
    return undefined
  }
  /** What a user holds as soon as the step is done. */
  const heldAfter = (step: Extract<Step, { readonly do: 'addUser' | 'deleteUser' }>): Held => (step.do === 'addUser' ? { roles: bornWith(before.api, step), asGuest: false } : heldBy({ ...before, users: NOBODY }, step.user))

  const obstacleOf = (step: Step): Obstacle | undefined => {
    if (step.do === 'grantPermission') {
      // To whom the policy gives the role, it gives what it grants to the role.
      for (const user of strangers.get(step.role) ?? []) if (!mayGain(user, step.permission, heldNow(user).asGuest)) return { user }
    } else if (step.do === 'bindRole' && step.role !== 'root') return unripe(step.user, { roles: [step.role], asGuest: false })
    else if (step.do === 'addUser' || step.do === 'deleteUser') return unripe(step.user, heldAfter(step))
    // Else etcd v3 would unbind them unasked, and etcd v2 leave them with a name that opens whatever it names next.
    else if (step.do === 'deleteRole' && (strangers.get(step.role)?.size ?? 0) > 0) return { role: step.role }
    return undefined
  }

  /** The accesses in which a user would lack something, were these permissions of a role (`root`: all that is) taken, and one of them left. */
  const missing = (user: string, role: string, taken: readonly Permission[], left: Permission | undefined): readonly Access[] => {
    const { both } = given(user)
    const held = heldNow(user)
    const lost = (access: Access): readonly R[] => {
      const regionsLost = role === 'root' ? [regions.everything] : regionsOf(regions, taken, access, held.asGuest)
      return regionsLost.flatMap((region) => regions.common(both[access], region))
    }
    const losses = ACCESSES.map((access) => [access, lost(access)] as const).filter(([, pieces]) => pieces.length > 0)
    if (losses.length === 0) return []
    const others = held.roles.filter((other) => other !== role)
    if (others.includes('root')) return []
    const gone = new Set(taken.map(({ keys }) => scopeOf(keys)))
    const kept = [
      ...others.flatMap((other) => [...(roles.get(other)?.values() ?? [])]),
      ...[...(roles.get(role) ?? [])].filter(([scope]) => !gone.has(scope)).map(([, permission]) => permission),
      ...(left === undefined ? [] : [left]),
    ]
    return losses.flatMap(([access, pieces]) => {
      const set = regions.together(regionsOf(regions, kept, access, held.asGuest))
      return pieces.some((piece) => !regions.contains(set, piece)) ? [access] : []
    })
  }

  const rightsNow = ({ roles: list, asGuest }: Held): Rights<R> => rightsOf(regions, list.flatMap((role) => [...(roles.get(role)?.values() ?? [])]), { root: list.includes('root'), asGuest })
  /** The accesses in which a user would lack something that it has, were it to hold something else instead. */
  const exchanged = (user: string, next: Held): readonly Access[] => {
    const { both } = given(user)
    if (ACCESSES.every((access) => both[access].length === 0)) return []
    const [now, then] = [rightsNow(heldNow(user)), rightsNow(next)]
    return ACCESSES.filter((access) => both[access].flatMap((region) => regions.common(now[access], region)).some((piece) => !regions.contains(then[access], piece)))
  }

  function* lacksOf(step: Step): Iterable<Lack> {
    const lack = (user: string, accesses: readonly Access[], what: string): Lack => ({ user, permission: `${accesses.join(' and ')} of ${what}`, after: step })
    if (step.do === 'unbindRole') {
      const accesses = missing(step.user, step.role, [...(roles.get(step.role)?.values() ?? [])], undefined)
      if (accesses.length > 0) yield lack(step.user, accesses, `role ${visible(step.role)}`)
    } else if (step.do === 'deleteUser' || (step.do === 'addUser' && !users.has(step.user))) {
      // Who is made anew lacks nothing by that: what it had, the step before has taken.
      const accesses = exchanged(step.user, heldAfter(step))
      if (accesses.length > 0) yield lack(step.user, accesses, step.do === 'addUser' ? 'what guests hold' : 'all that it holds')
    } else if (step.do === 'revokePermission' || (step.do === 'grantPermission' && step.replaces !== undefined)) {
      const stored = roles.get(step.role)?.get(scopeOf(step.permission.keys))
      if (stored === undefined) return
      const left = step.do === 'grantPermission' ? step.permission : undefined
      const judged = new Map<string, readonly Access[]>()
      for (const user of holders.get(step.role) ?? []) {
        const kind = kindOf(user) + JSON.stringify(heldNow(user))
        const accesses = judged.get(kind) ?? missing(user, step.role, [stored], left)
        judged.set(kind, accesses)
        if (accesses.length > 0) yield lack(user, accesses, visible(showPermission(left ?? stored)))
      }
    }
  }

  return {
    obstacle: (unit) => {
      for (const step of unit) {
        const found = obstacleOf(step)
        if (found !== undefined) return found
      }
      return undefined
    },
    *lacks(unit) {
      for (const step of unit) yield* lacksOf(step)
    },
    play: (step) => {
      switch (step.do) {
        case 'addRole':
          roles.set(step.role, new Map())
          return { users: [], roles: [] }
        case 'addUser':
        case 'deleteUser': {
          const [held, next] = [heldNow(step.user).roles, heldAfter(step)]
          for (const role of held) drop(step.user, role)
          if (step.do === 'addUser') users.set(step.user, next.roles)
          else users.delete(step.user)
          for (const role of next.roles) hold(step.user, role)
          return { users: [step.user], roles: held }
        }
        case 'grantPermission':
          roles.get(step.role)?.set(scopeOf(step.permission.keys), step.permission)
          note(step.role, step.permission)
          return { users: touchedBy(step.role), roles: [step.role] }
        case 'revokePermission':
          roles.get(step.role)?.delete(scopeOf(step.permission.keys))
          surplus.get(step.role)?.delete(scopeOf(step.permission.keys))
          return { users: touchedBy(step.role), roles: [step.role] }
        case 'bindRole':
          users.set(step.user, [...heldNow(step.user).roles, step.role])
          hold(step.user, step.role)
          return { users: [step.user], roles: [] }
        case 'unbindRole':
          users.set(step.user, heldNow(step.user).roles.filter((role) => role !== step.role))
          drop(step.user, step.role)
          return { users: [step.user], roles: [step.role] }
        case 'deleteRole': {
          const held = [...(holders.get(step.role) ?? [])]
          for (const user of held) users.set(user, heldNow(user).roles.filter((role) => role !== step.role))
          for (const table of [roles, holders, strangers, surplus]) table.delete(step.role)
          return { users: held, roles: [step.role] }
        }
        case 'setPassword':
        case 'dropPassword':
        case 'enable':
          return { users: [], roles: [] }
      }
    },
  }
}

/** What a user holds from the moment on at which it is made: on v2 user root what etcd gives it by itself, too (v2auth/auth.go, `CreateUser`). */
function bornWith(api: Api, { user, roles = [] }: Extract<Step, { readonly do: 'addUser' }>): readonly string[] {
  return api === 'v2' && user === 'root' ? [...roles, 'root'] : roles
}
