/**
 * A copy of a store on which a plan's steps are played before they are written: what each would open, and what it would take.
 *
 * Rights are judged by what both policies say of a user: `old` is the store as found, `next` the policy. Users with the same roles before,
 * now and after are judged once, and a binding that the policy wants is not judged by what the policy wants: cost follows the changes.
 */
import { showPermission } from '../keys/show.js'
import { allows, type Permission } from '../keys/permission.js'
import { scopeOf } from '../keys/scope.js'
import type { holdingsOf } from './holdings.js'
import { ACCESSES, regionsOf, rightsOf, type Access, type Regions, type Rights } from './rights.js'
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

export function rehearse<R>(regions: Regions<R>, { before: { users: bindingsBefore, roles: rolesBefore }, after: { users: bindingsAfter, roles: rolesAfter } }: ReturnType<typeof holdingsOf>): Rehearsal {
  const roles = new Map<string, Scopes>([...rolesBefore].map(([role, scopes]) => [role, new Map(scopes)]))
  const users = new Map([...bindingsBefore].map(([user, held]) => [user, new Set(held)] as const))
  const holders = new Map<string, Set<string>>()
  /** Holders of a role to whom the policy does not give it. */
  const strangers = new Map<string, Set<string>>()
  /** Permissions that a role has and the policy does not give it. */
  const surplus = new Map<string, Scopes>()

  const into = (table: Map<string, Set<string>>, role: string, user: string): void => {
    const members = table.get(role)
    if (members === undefined) table.set(role, new Set([user]))
    else members.add(user)
  }
  const isBoundAfter = (user: string, role: string): boolean => bindingsAfter.get(user)?.includes(role) === true
  const hold = (user: string, role: string): void => {
    into(holders, role, user)
    if (!isBoundAfter(user, role)) into(strangers, role, user)
  }
  const drop = (user: string, role: string): void => {
    holders.get(role)?.delete(user)
    strangers.get(role)?.delete(user)
  }
  const note = (role: string, scope: string, permission: Permission): void => {
    const goal = rolesAfter.get(role)?.get(scope)
    const isSurplus = goal === undefined || (goal.type !== permission.type && goal.type !== 'readwrite')
    if (isSurplus) surplus.set(role, (surplus.get(role) ?? new Map<string, Permission>()).set(scope, permission))
    else surplus.get(role)?.delete(scope)
  }
  for (const [user, held] of users) for (const role of held) hold(user, role)
  for (const [role, scopes] of roles) for (const [scope, permission] of scopes) note(role, scope, permission)

  const rightsBy = (held: ReadonlyMap<string, readonly string[]>, tables: ReadonlyMap<string, ReadonlyMap<string, Permission>>): ((user: string) => Rights<R>) => {
    const known = memo((names: string) => {
      const list = JSON.parse(names) as readonly string[]
      return rightsOf(regions, list.flatMap((role) => [...(tables.get(role)?.values() ?? [])]), list.includes('root'))
    })
    return (user) => known(JSON.stringify(held.get(user) ?? []))
  }
  const before = rightsBy(bindingsBefore, rolesBefore)
  const after = rightsBy(bindingsAfter, rolesAfter)
  const paired = (user: string): string => JSON.stringify([bindingsBefore.get(user), bindingsAfter.get(user)])
  /** What users held, will hold and hold, as one text for each; until that changes. */
  const kinds = new Map<string, string>()
  const kindOf = (user: string): string => {
    const known = kinds.get(user)
    if (known !== undefined) return known
    const kind = paired(user) + JSON.stringify([...(users.get(user) ?? [])])
    kinds.set(user, kind)
    return kind
  }
  const pairs = new Map<string, { readonly either: Rights<R>; readonly both: Rights<R> }>()
  /** What one or both of the policies give a user. */
  const rightsIn = (user: string): { readonly either: Rights<R>; readonly both: Rights<R> } => {
    const name = paired(user)
    const known = pairs.get(name)
    if (known !== undefined) return known
    const [old, next] = [before(user), after(user)]
    const either = (access: Access): readonly R[] => regions.together([...old[access], ...next[access]])
    const both = (access: Access): readonly R[] => regions.together(old[access].flatMap((region) => regions.common(next[access], region)))
    const found = {
      either: { root: old.root || next.root, read: either('read'), write: either('write') },
      both: { root: old.root && next.root, read: both('read'), write: both('write') },
    }
    pairs.set(name, found)
    return found
  }

  const mayGain = (user: string, { keys, type }: Permission): boolean => {
    const { either } = rightsIn(user)
    return ACCESSES.every((access) => !allows(type, access) || regions.contains(either[access], regions.of(keys)))
  }

  const obstacleOf = (step: Step): Obstacle | undefined => {
    if (step.do === 'grantPermission') {
      // To whom the policy gives the role, it gives what it grants to the role.
      for (const user of strangers.get(step.role) ?? []) if (!mayGain(user, step.permission)) return { user }
    } else if (step.do === 'bindRole' && step.role !== 'root') {
      for (const permission of surplus.get(step.role)?.values() ?? []) if (!mayGain(step.user, permission)) return { role: step.role }
    } else if (step.do === 'deleteRole' && (strangers.get(step.role)?.size ?? 0) > 0) {
      // Else etcd v3 would unbind them unasked, and etcd v2 leave them with a name that opens whatever it names next.
      return { role: step.role }
    }
    return undefined
  }

  /** The accesses in which a user would lack something, were these permissions of a role (`root`: all that is) taken, and one of them left. */
  const missing = (user: string, role: string, taken: readonly Permission[], left: Permission | undefined): readonly Access[] => {
    const { both } = rightsIn(user)
    const lost = (access: Access): readonly R[] => {
      const regionsLost = role === 'root' ? [regions.everything] : regionsOf(regions, taken, access)
      return regionsLost.flatMap((region) => regions.common(both[access], region))
    }
    const losses = ACCESSES.map((access) => [access, lost(access)] as const).filter(([, pieces]) => pieces.length > 0)
    if (losses.length === 0) return []
    const others = [...(users.get(user) ?? [])].filter((held) => held !== role)
    if (others.includes('root')) return []
    const gone = new Set(taken.map(({ keys }) => scopeOf(keys)))
    const kept = [
      ...others.flatMap((held) => [...(roles.get(held)?.values() ?? [])]),
      ...[...(roles.get(role) ?? [])].filter(([scope]) => !gone.has(scope)).map(([, permission]) => permission),
      ...(left === undefined ? [] : [left]),
    ]
    return losses.flatMap(([access, pieces]) => {
      const set = regions.together(regionsOf(regions, kept, access))
      return pieces.some((piece) => !regions.contains(set, piece)) ? [access] : []
    })
  }

  function* lacksOf(step: Step): Iterable<Lack> {
    const lack = (user: string, accesses: readonly Access[], what: string): Lack => ({ user, permission: `${accesses.join(' and ')} of ${what}`, after: step })
    if (step.do === 'unbindRole') {
      const accesses = missing(step.user, step.role, [...(roles.get(step.role)?.values() ?? [])], undefined)
      if (accesses.length > 0) yield lack(step.user, accesses, `role ${visible(step.role)}`)
    } else if (step.do === 'deleteUser') {
      // Of a user who goes for good, the policies have nothing in common.
      const { both } = rightsIn(step.user)
      const accesses = ACCESSES.filter((access) => both[access].length > 0)
      if (accesses.length > 0) yield lack(step.user, accesses, 'all that it holds')
    } else if (step.do === 'revokePermission' || (step.do === 'grantPermission' && step.replaces !== undefined)) {
      const stored = roles.get(step.role)?.get(scopeOf(step.permission.keys))
      if (stored === undefined) return
      const left = step.do === 'grantPermission' ? step.permission : undefined
      const judged = new Map<string, readonly Access[]>()
      for (const user of holders.get(step.role) ?? []) {
        const kind = kindOf(user)
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
      if ('user' in step) kinds.delete(step.user)
      switch (step.do) {
        case 'addRole':
          roles.set(step.role, new Map())
          return { users: [], roles: [] }
        case 'addUser':
          users.set(step.user, new Set())
          return { users: [], roles: [] }
        case 'grantPermission': {
          const scope = scopeOf(step.permission.keys)
          roles.get(step.role)?.set(scope, step.permission)
          note(step.role, scope, step.permission)
          return { users: holders.get(step.role) ?? [], roles: [step.role] }
        }
        case 'revokePermission': {
          const scope = scopeOf(step.permission.keys)
          for (const table of [roles, surplus]) table.get(step.role)?.delete(scope)
          return { users: holders.get(step.role) ?? [], roles: [step.role] }
        }
        case 'bindRole':
          users.get(step.user)?.add(step.role)
          hold(step.user, step.role)
          return { users: [step.user], roles: [] }
        case 'unbindRole':
          users.get(step.user)?.delete(step.role)
          drop(step.user, step.role)
          return { users: [step.user], roles: [step.role] }
        case 'deleteUser': {
          const held = [...(users.get(step.user) ?? [])]
          for (const role of held) drop(step.user, role)
          users.delete(step.user)
          return { users: [step.user], roles: held }
        }
        case 'deleteRole': {
          const held = [...(holders.get(step.role) ?? [])]
          for (const user of held) {
            users.get(user)?.delete(step.role)
            kinds.delete(user)
          }
          for (const table of [roles, holders, strangers, surplus]) table.delete(step.role)
          return { users: held, roles: [step.role] }
        }
        case 'enable':
          return { users: [], roles: [] }
      }
    },
  }
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
