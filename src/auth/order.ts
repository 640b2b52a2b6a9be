/**
 * The order of a plan's steps.
 *
 * Safety before availability: after no step does a user hold what neither the old nor the new policy gives it; and every user keeps what
 * both give, except in the gaps that are returned. The steps are played through on a copy of the state: a step that would break either
 * rule waits for those that make room; where steps wait for each other in a circle, the first safe one goes and its gap is recorded.
 */
import { isDangling } from './dangling.js'
import type { Differences } from './difference.js'
import { GUEST, type holdingsOf } from './holdings.js'
import { rehearse, type Obstacle, type Unit } from './rehearsal.js'
import type { Regions } from './rights.js'
import type { AuthState } from './state.js'
import type { Step } from './step.js'

/** A right that the old and the new policy both give, and that a user lacks for a moment. */
export interface Gap {
  /** On v2 `guest` for clients that no user is known for. */
  readonly user: string
  readonly permission: string
  readonly after: Step
}

/**
 * Puts the steps in order.
 *
 * On a store of v3 without conflicts the order is the cheaper of "permissions, users, bindings" and "users, bindings, permissions": since etcd 3.4
 * most writes rebuild every user's merged permissions (server/auth/range_perm_cache.go), so a binding is cheap while roles are empty.
 */
export function orderSteps<R>(regions: Regions<R>, state: AuthState, changes: Differences, holdings: ReturnType<typeof holdingsOf>): { steps: readonly Step[]; gaps: readonly Gap[] } {
  const rehearsal = rehearse(regions, holdings)
  const alone = (list: readonly Step[]): readonly Unit[] => list.map((step) => [step])
  const additions = bindingsFirst(state, changes)
    ? [...alone(boundInTurn(changes)), ...changes.permissions]
    : [...changes.permissions, ...alone(changes.addUsers), ...alone(changes.binds)]
  // What does not exist grants nothing yet, and its name may hide another that is about to be made.
  const isVeil = (step: Step): boolean => step.do === 'unbindRole' && isDangling(state, step.role)
  const [veils, unbinds] = [changes.unbinds.filter(isVeil), changes.unbinds.filter((step) => !isVeil(step))]
  const queue: Unit[] = [...alone(veils), ...alone(changes.addRoles), ...additions, ...alone(unbinds), ...alone(changes.newPasswords), ...changes.recreates, ...alone(changes.deletes)]

  const steps: Step[] = []
  const gaps: Gap[] = []
  const waiting = { users: new Map<string, Unit[]>(), roles: new Map<string, Unit[]>() }
  /** What would be safe but takes a right for a moment, in the order in which it came to wait. */
  const gapping = new Set<Unit>()

  const wait = (unit: Unit, obstacle: Obstacle): void => {
    const [list, name] = 'user' in obstacle ? [waiting.users, obstacle.user] : [waiting.roles, obstacle.role]
    const others = list.get(name)
    if (others === undefined) list.set(name, [unit])
    else others.push(unit)
  }
  const wake = (list: Map<string, Unit[]>, names: Iterable<string>): void => {
    if (list.size === 0) return
    for (const name of names) {
      for (const unit of list.get(name) ?? []) {
        gapping.delete(unit)
        queue.push(unit)
      }
      list.delete(name)
    }
  }
  const take = (unit: Unit): void => {
    for (const step of unit) {
      const changed = rehearsal.play(step)
      steps.push(step)
      wake(waiting.users, changed.users)
      wake(waiting.roles, changed.roles)
    }
  }

  const forced = new Set<Unit>()
  for (let next = 0; ; next++) {
    const unit = queue[next]
    if (unit === undefined) {
      // A circle, or a right that no order could keep. What only takes away is always safe, so that one waits for a gap alone.
      const [first] = gapping
      if (first === undefined) break
      gapping.delete(first)
      forced.add(first)
      next--
      for (const { user, ...gap } of rehearsal.lacks(first)) gaps.push({ user: user === GUEST ? 'guest' : user, ...gap })
      take(first)
      continue
    }
    if (forced.has(unit)) continue
    const obstacle = rehearsal.obstacle(unit)
    if (obstacle !== undefined) {
      wait(unit, obstacle)
      continue
    }
    const lack = firstOf(rehearsal.lacks(unit))
    if (lack === undefined) take(unit)
    else {
      wait(unit, lack)
      gapping.add(unit)
    }
  }
  return { steps, gaps }
}

function firstOf<T>(values: Iterable<T>): T | undefined {
  for (const value of values) return value
  return undefined
}

/** How many users are made before they are bound, where roles are empty: enough to be written side by side. */
const USERS_IN_TURN = 64

/** Users made and bound a few at a time: each of these writes rebuilds the rights of all users that are there, and so finds fewer of them. */
function boundInTurn({ addUsers, binds }: Differences): readonly Step[] {
  const bindsOf = new Map<string, Step[]>()
  for (const step of binds) {
    if (step.do !== 'bindRole') continue
    const others = bindsOf.get(step.user)
    if (others === undefined) bindsOf.set(step.user, [step])
    else others.push(step)
  }
  const inTurn: Step[] = []
  for (let from = 0; from < addUsers.length; from += USERS_IN_TURN) {
    const made = addUsers.slice(from, from + USERS_IN_TURN)
    inTurn.push(...made)
    for (const step of made) {
      if (step.do !== 'addUser') continue
      inTurn.push(...(bindsOf.get(step.user) ?? []))
      bindsOf.delete(step.user)
    }
  }
  return [...inTurn, ...[...bindsOf.values()].flat()]
}

/**
 * Whether binding users to roles that are still empty is the cheaper way. A rebuild costs about one unit for each user and each permission
 * that it merges; the estimate counts what the two orders do not share.
 */
function bindingsFirst(state: AuthState, { addUsers, binds, permissions }: Differences): boolean {
  // There nothing is rebuilt, and users are made with their roles.
  if (state.api === 'v2') return false
  const userCount = Object.keys(state.users).length + addUsers.length
  const grants = permissions.length
  const permissionsPerRole = grants / Math.max(1, new Set(permissions.flat().map((step) => ('role' in step ? step.role : ''))).size)
  const permissionsFirstCost = (binds.length ** 2 * permissionsPerRole) / 2
  const bindingsFirstCost = grants * userCount + (binds.length * permissionsPerRole * grants) / 2
  return bindingsFirstCost < permissionsFirstCost
}
