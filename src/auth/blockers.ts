/** What stands in the way of a plan, and what is worth knowing of it. */
import { isDangling, veilOf } from './dangling.js'
import { strangersOf, unmanagedOf, veilsOf } from './difference.js'
import { holdsRoot, type Holdings } from './holdings.js'
import { identityProblems, type Identity } from './identity.js'
import { needProblems } from './needs.js'
import { openV2Problems, unknownV2 } from './open-v2.js'
import { drawsPasswords, logsPasswords, passwordsInLog } from './password-log.js'
import type { PlanOptions } from './plan-options.js'
import type { AuthState } from './state.js'
import type { Step } from './step.js'
import { visible } from './visible.js'
import type { Wanted } from './wanted.js'

/** What a plan is judged by. */
interface Found {
  readonly state: AuthState
  readonly wanted: Wanted
  readonly options: PlanOptions
  readonly identity: Identity
  readonly now: Date
  /** All but enabling. */
  readonly steps: readonly Step[]
  readonly after: Holdings
}

/** Users to whom the steps give a password that the caller chooses. */
export function newPasswordUsers(steps: readonly Step[]): readonly string[] {
  return steps.flatMap((step) => (step.do === 'setPassword' || (step.do === 'addUser' && step.login === 'password') ? [step.user] : []))
}

/** Why a plan must not be applied. */
export function blockersOf({ state, wanted, options, identity, now, steps, after }: Found): readonly string[] {
  const { api, enabled } = state
  const enabling = options.enable && !enabled
  const onAfter = enabled || options.enable
  const rootIsManaged = Object.hasOwn(wanted.users, 'root')
  const blockers: string[] = []
  if (onAfter && !holdsRoot(after, identity.user))
    blockers.push(`user ${visible(identity.user)}, as whom you connect, would not hold role root: bind it to "root" in the ${api} half, or connect as a user who does`)
  if (enabling) {
    if (!holdsRoot(after, 'root')) blockers.push(`etcd enables auth only if a user named root holds role root: declare user root and bind it to "root" in the ${api} half`)
    blockers.push(...identityProblems(identity, now), ...strangersWithRoot(state, wanted, options, identity, after), ...unreadableProblems(state, after), ...openV2Problems(state, options))
  }
  if (api === 'v2' && rootIsManaged && !holdsRoot(after, 'root')) blockers.push('on v2 user root holds role root whatever is written: bind it to "root" in the v2 half, or drop the user')
  if (api === 'v3' && enabled && rootIsManaged && Object.hasOwn(state.users, 'root') && !holdsRoot(after, 'root'))
    blockers.push('etcd does not take role root from user root while auth is on: bind it to "root" in the v3 half, or drop the user')
  if (onAfter) blockers.push(...needProblems(api, after, options.needs ?? {}))
  const mark = options.ours?.markerRole
  if (mark !== undefined && !Object.hasOwn(wanted.roles, mark))
    blockers.push(`role ${visible(mark)}, by which you tell who is yours, is not in the ${api} half: this plan would take it from the users of the policy, and none of them could be told from others later; declare it there, without permissions, and bind your users to it`)
  // A name that others have lost: unbinding it, before the role is made again, takes the mark away.
  else if (mark !== undefined && Object.values(state.users).some((held) => held.includes(mark)) && isDangling(state, mark))
    blockers.push(`role ${visible(mark)}, by which you tell who is yours, does not exist on the server, and is held all the same: make it first (addRole), then plan again`)
  for (const user of options.recreate ?? []) {
    if (enabled && (user === 'root' || user === identity.user)) blockers.push(`user ${visible(user)} cannot be made anew: for a moment nobody would administer this store`)
    else if (!Object.hasOwn(wanted.users, user)) blockers.push(`user ${visible(user)}, who is to be made anew, is not in the policy: declare it, or drop it from recreate`)
  }
  if (options.acknowledgePasswordsInLog !== true && logsPasswords(api, state)) {
    const chosen = newPasswordUsers(steps)
    const drawn = steps.flatMap((step) => (step.do === 'addUser' && step.login === 'certificate' && drawsPasswords(api, state) ? [step.user] : []))
    if (chosen.length > 0) blockers.push(`${passwordsInLog(state)}: let ${listed(chosen)} log in by certificate, or acknowledge it (acknowledgePasswordsInLog)`)
    if (drawn.length > 0) blockers.push(`${passwordsInLog(state)}, the random ones too that it wants for ${listed(drawn)}: whoever reads that log could be them; acknowledge it (acknowledgePasswordsInLog)`)
  }
  return blockers
}

/**
 * What is worth knowing but stops nothing.
 *
 * @param strange Users outside the policy who hold role root afterwards.
 */
export function warningsOf(state: AuthState, wanted: Wanted, options: PlanOptions, strange: readonly string[]): readonly string[] {
  const { api, enabled } = state
  const warnings: string[] = []
  if (!enabled && !options.enable) warnings.push(`auth stays off on ${api}: every client past TLS may do everything`)
  if (!enabled && options.enable) {
    const found = Object.keys(wanted.users).filter((user) => Object.hasOwn(state.users, user) && options.recreate?.includes(user) !== true)
    if (found.length > 0) warnings.push(`made while auth was off, so that anyone may have given them a password: ${listed(found)}; let those whom you did not make be made anew (recreate)`)
    if (api === 'v2') warnings.push('etcd v2 lists no user whose name begins with "_": one made by anyone while auth was off, with role root, stays almighty and unseen; name those that you suspect (hiddenUsers)')
    warnings.push(...unknownV2(state, options))
  }
  if (strange.length > 0) warnings.push(`not in the policy, but with role root: ${listed(strange)}`)
  const strangers = strangersOf(state, wanted)
  if (strangers.length > 0) warnings.push(`not in the policy, but with a role of it, which they lose: ${pairs(strangers)}`)
  const veils = veilsOf(state, wanted)
  if (veils.length > 0) warnings.push(`not in the policy, but with a role that does not exist, which may hide another that is about to be made, and which they lose before: ${pairs(veils)}`)
  if (enabled || !options.enable) warnings.push(...unreadableProblems(state))
  const empty = state.emptyPasswords ?? []
  if (empty.length > 0) warnings.push(`the empty password lets in: ${listed(empty)}; set or drop their passwords (setPassword, dropPassword)`)
  for (const [role, permissions] of Object.entries(wanted.roles)) if (permissions.size === 0 && role !== 'guest') warnings.push(`role ${visible(role)} grants nothing`)
  return warnings
}

/** Each user outside the policy who holds role root, still after what is planned, and is not known to: while auth is off, anyone could have made it. */
export function strangersWithRoot(state: AuthState, wanted: Wanted, { acknowledgeRoot = [] }: PlanOptions, identity: Identity, after?: Holdings): readonly string[] {
  const known = new Set([...acknowledgeRoot, identity.user])
  const isRoot = (user: string): boolean => state.users[user]?.includes('root') === true && (after === undefined || holdsRoot(after, user))
  return unmanagedOf(state, wanted)
    .users.filter((user) => isRoot(user) && !known.has(user))
    .map((user) => `user ${visible(user)}, whom the policy does not name, holds role root: ${user === 'root' ? 'declare it in the policy' : 'remove it'}, or acknowledge it by name (acknowledgeRoot) if you know who made it`)
}

/**
 * Names that are no text, and users of whom one role is known: anyone may have made them while auth was off, with role root, and nobody can ask. Who is
 * gone after what is planned is no problem.
 */
export function unreadableProblems(state: AuthState, after?: Holdings): readonly string[] {
  const { users, roles } = state.unreadable ?? { users: [], roles: [] }
  const veiled = users.flatMap((user) => {
    const role = veilOf(state, user)
    return role === undefined || after?.users.has(user) === false ? [] : [`user ${visible(user)} holds role ${visible(role)}, which does not exist, and etcd tells no more of a user whom it does not list: it may hold role root; unbind it from that role (revokeRole), which brings the next to light, or delete it`]
  })
  const named = [...users.filter((user) => veilOf(state, user) === undefined).map((user) => `user ${visible(user)}`), ...roles.map((role) => `role ${visible(role)}`)]
  if (named.length === 0) return veiled
  return [...veiled, `${named.slice(0, 10).join(', ')}${more(named)}: listed, but no name in UTF-8 that could be asked for, so that nothing is known of it; delete it by its bytes, as a client of its release does, or begin with an empty store`]
}

/** For a message: the first ten with the role that each holds. */
function pairs(held: readonly { readonly user: string; readonly role: string }[]): string {
  return held.slice(0, 10).map(({ user, role }) => `${visible(user)} (role ${visible(role)})`).join(', ') + more(held)
}

/** For a message: the first ten of what is fit to be shown. */
function listed(users: readonly string[]): string {
  return users.slice(0, 10).map((user) => visible(user)).join(', ') + more(users)
}

const more = (all: readonly unknown[]): string => (all.length > 10 ? ` and ${all.length - 10} more` : '')
