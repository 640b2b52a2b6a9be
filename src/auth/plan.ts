/** A plan: what would be written, in which order, why, and what stands in the way. Decided without I/O. */
import { advisoriesOf } from '../advisories/advisories.js'
import { checkedPolicy } from '../policy/check.js'
import type { Policy } from '../policy/policy.js'
import { rightsChanges, type RightsChange } from './rights-change.js'
import { checkFields } from '../known-fields.js'
import { differences, strangersOf, unmanagedOf, type Ours, type Unmanaged } from './difference.js'
import { holdingsOf } from './holdings.js'
import { identityProblems, type Identity } from './identity.js'
import { orderSteps, type Gap } from './order.js'
import { v2Regions, v3Regions } from './rights.js'
import { canonical, fingerprint, hashOf, type Api, type AuthState } from './state.js'
import type { Step } from './step.js'
import { logsPasswords, passwordsInLog } from './password-log.js'
import { visible } from './visible.js'
import { wantedOf, type Wanted } from './wanted.js'

/** What a plan must be told. Nothing here has a default: each is a decision about who gets in. */
export interface PlanOptions {
  /**
   * Users and roles that the policy does not name: left alone, left alone but listed, or removed. Root and the caller never go. In every mode such users
   * are unbound from the roles that the policy declares: who holds those is the policy's to say.
   */
  readonly unmanaged: Unmanaged
  /** With `unmanaged: 'remove'`: remove only what is ours. Default: all. What is left is listed in {@link Plan.unmanaged} all the same. */
  readonly ours?: Ours
  /** Whether auth is to be on afterwards. `false` leaves it as it is. */
  readonly enable: boolean
  /** Users outside the policy that hold role root and are known to: anyone could have made them while auth was off. */
  readonly acknowledgeRoot?: readonly string[]
  /** Whether passwords may stand in clear in the raft log of members older than 3.5, and in its copies: those hash them only when they apply the entry. */
  readonly acknowledgePasswordsInLog?: boolean
}

/**
 * What would be done, as data: free of secrets, and the same for the same state, policy, options and time. It may be kept as JSON, looked at, and applied
 * later: {@link parsePlan}.
 */
export interface Plan {
  readonly api: Api
  /** `in sync`: nothing to do, and no stranger holds role root; `drift`: something is otherwise; `blocked`: `apply` would refuse. */
  readonly outcome: 'in sync' | 'drift' | 'blocked'
  /** One line that is equal for equal plans, for an audit log. */
  readonly fingerprint: string
  readonly version: string | undefined
  /** The ids of the known holes of that release: what a policy cannot keep there. Empty where the version is not exactly known. */
  readonly advisories: readonly string[]
  readonly policy: Policy
  readonly options: PlanOptions
  /** The state that the plan was made for. */
  readonly basis: string
  readonly steps: readonly Step[]
  /** Users that log in by password and are created: `apply` wants a password for each. */
  readonly needsPassword: readonly string[]
  /** Why `apply` would refuse. */
  readonly blockers: readonly string[]
  /** What is worth knowing but stops nothing. */
  readonly warnings: readonly string[]
  readonly gaps: readonly Gap[]
  /**
   * Whose rights differ afterwards, and by what: what the store grants now beside what it will. While auth is off, everything is open to everybody on top
   * of it.
   */
  readonly rights: readonly RightsChange[]
  /** Names that the policy does not know; empty with `unmanaged: 'keep'`. */
  readonly unmanaged: { readonly users: readonly string[]; readonly roles: readonly string[] }
  /** Users whom the policy does not name, and who hold role root afterwards without being acknowledged: while there are any, a store is not in sync. */
  readonly strangersWithRoot: readonly string[]
  /**
   * Whose open connections must be cut afterwards (members restarted one at a time): streams survive enabling and revoking. On v2 `guest` stands for clients
   * that no user is known for.
   */
  readonly sever: 'everyone' | readonly string[]
}

/**
 * Plans one half of a policy, that of `state.api`, for a store's state. Pure: the same state, policy, options and time give the same plan. What a server
 * cannot do is not in its blockers; {@link EtcdAuth.plan} adds that.
 *
 * @param given Is checked once more: what was spread from a policy, or read as part of a plan, is data of unknown origin.
 * @throws {@link EtcdRbacError} `ERR_POLICY_HALF_MISSING`, `ERR_POLICY_INVALID`
 * @example
 * ```ts
 * import { definePolicy, planAuth, showStep, type AuthState } from 'etcd-rbac'
 * const policy = definePolicy({ users: { root: 'certificate' }, v3: { roles: {}, bindings: { root: ['root'] } } })
 * const empty: AuthState = { api: 'v3', version: '3.5.30', enabled: false, users: {}, roles: {} }
 * const plan = planAuth(empty, policy, { unmanaged: 'report', enable: true }, { user: 'root' }, new Date())
 * console.log(plan.steps.map(showStep).join('; ')) // add role root; add user root, who logs in by certificate; bind user root to role root; enable auth
 * ```
 */
export function planAuth(state: AuthState, given: Policy, options: PlanOptions, identity: Identity, now: Date): Plan {
  checkPlanOptions(options)
  const policy = checkedPolicy(given)
  const wanted = wantedOf(policy, state.api)
  const changes = differences(state, wanted, options.unmanaged, [identity.user], options.ours)
  const holdings = holdingsOf(state, wanted, changes)
  const { steps, gaps } = state.api === 'v3' ? orderSteps(v3Regions, state, changes, holdings) : orderSteps(v2Regions, state, changes, holdings)
  const enabling = options.enable && !state.enabled
  const others = unmanagedOf(state, wanted)
  const deleted = new Set(steps.flatMap((step) => (step.do === 'deleteUser' ? [step.user] : [])))
  const holdsRootAfter = (user: string): boolean =>
    !deleted.has(user) && (Object.hasOwn(wanted.users, user) ? wanted.users[user] : Object.hasOwn(state.users, user) ? state.users[user] : undefined)?.includes('root') === true

  const blockers: string[] = []
  const onAfter = state.enabled || options.enable
  if (onAfter && !holdsRootAfter(identity.user))
    blockers.push(`user ${identity.user}, as whom you connect, would not hold role root: bind it to "root" in the ${state.api} half, or connect as a user who does`)
  if (enabling) {
    if (!holdsRootAfter('root')) blockers.push(`etcd enables auth only if a user named root holds role root: declare user root and bind it to "root" in the ${state.api} half`)
    blockers.push(...identityProblems(identity, now))
    blockers.push(...strangersWithRoot(state, wanted, options, identity, deleted))
  }
  if (state.api === 'v2' && Object.hasOwn(wanted.users, 'root') && !holdsRootAfter('root'))
    blockers.push('on v2 user root holds role root whatever is written: bind it to "root" in the v2 half, or drop the user')

  if (state.api === 'v3' && state.enabled && Object.hasOwn(wanted.users, 'root') && Object.hasOwn(state.users, 'root') && !holdsRootAfter('root'))
    blockers.push('etcd does not take role root from user root while auth is on: bind it to "root" in the v3 half, or drop the user')

  const newPasswords = steps.flatMap((step) => (step.do === 'addUser' && step.login === 'password' ? [step.user] : []))
  if (newPasswords.length > 0 && options.acknowledgePasswordsInLog !== true && logsPasswords(state.api, state.version))
    blockers.push(`${passwordsInLog(state.version)}: let ${listed(newPasswords.map((user) => visible(user)))} log in by certificate, or acknowledge it (acknowledgePasswordsInLog)`)

  const strange = others.users.filter((user) => user !== identity.user && user !== 'root' && holdsRootAfter(user))
  const warnings: string[] = []
  if (!onAfter) warnings.push(`auth stays off on ${state.api}: every client past TLS may do everything`)
  if (enabling) {
    const found = Object.keys(wanted.users).filter((user) => Object.hasOwn(state.users, user))
    if (found.length > 0) warnings.push(`made while auth was off, so that anyone may have given them a password: ${listed(found.map((user) => visible(user)))}; delete and plan again whom you did not make`)
    if (state.api === 'v2') warnings.push('etcd v2 lists no user whose name begins with "_": one made by anyone while auth was off, with role root, stays almighty and unseen')
  } else if (state.enabled) {
    if (strange.length > 0) warnings.push(`not in the policy, but with role root: ${listed(strange.map((user) => visible(user)))}`)
  }
  const strangers = strangersOf(state, wanted)
  if (strangers.length > 0) warnings.push(`not in the policy, but with a role of it, which they lose: ${listed(strangers.map(({ user, role }) => `${visible(user)} (role ${visible(role)})`))}`)
  for (const [role, permissions] of Object.entries(wanted.roles)) if (permissions.size === 0 && role !== 'guest') warnings.push(`role ${role} grants nothing`)
  const reduced = new Set<string>()
  const shrunk = new Set<string>()
  for (const step of steps) {
    if (step.do === 'unbindRole' || step.do === 'deleteUser') reduced.add(step.user)
    if (step.do === 'revokePermission' || step.do === 'deleteRole' || (step.do === 'grantPermission' && step.replaces !== undefined)) shrunk.add(step.role)
  }
  for (const [user, held] of Object.entries(state.users)) if (held.some((role) => shrunk.has(role))) reduced.add(user)
  if (state.api === 'v2' && shrunk.has('guest')) reduced.add('guest')
  return sealed({
    api: state.api,
    version: state.version,
    advisories: advisoriesAt(state.version),
    policy,
    options,
    basis: fingerprint(state),
    steps: enabling ? [...steps, { do: 'enable', reason: 'asked for; last, so that nothing is locked that is not yet opened to whom it belongs' }] : steps,
    needsPassword: newPasswords,
    blockers,
    warnings,
    gaps,
    rights: rightsChanges(holdings.before, holdings.after),
    unmanaged: options.unmanaged === 'keep' ? { users: [], roles: [] } : others,
    strangersWithRoot: strange.filter((user) => !(options.acknowledgeRoot ?? []).includes(user)),
    sever: enabling ? 'everyone' : [...reduced],
  })
}

/** A plan with what follows from the rest of it. */
export function sealed(plan: Omit<Plan, 'outcome' | 'fingerprint'>): Plan {
  const outcome = plan.blockers.length > 0 ? 'blocked' : plan.steps.length + plan.strangersWithRoot.length === 0 ? 'in sync' : 'drift'
  return { ...plan, outcome, fingerprint: fingerprintOf(plan) }
}

/** The fingerprint of a plan by the rest of it. */
export function fingerprintOf(plan: Omit<Plan, 'outcome' | 'fingerprint'>): string {
  return `${plan.api}-plan-${hashOf(canonical(plan))}`
}

function advisoriesAt(version: string | undefined): readonly string[] {
  return version !== undefined && /^3\.[3-7]\.\d{1,4}$/.test(version) ? advisoriesOf(version).map(({ id }) => id) : []
}

/** Each user outside the policy who holds role root and is not known to: while auth is off, anyone could have made it. */
export function strangersWithRoot(state: AuthState, wanted: Wanted, { acknowledgeRoot = [] }: PlanOptions, identity: Identity, deleted?: ReadonlySet<string>): readonly string[] {
  const known = new Set([...acknowledgeRoot, identity.user, ...(deleted ?? [])])
  return unmanagedOf(state, wanted)
    .users.filter((user) => state.users[user]?.includes('root') === true && !known.has(user))
    .map((user) => `user ${visible(user)}, whom the policy does not name, holds role root: remove it, or acknowledge it by name (acknowledgeRoot) if you know who made it`)
}

/**
 * Refuses options of the wrong JavaScript type.
 *
 * @throws `TypeError`
 */
export function checkPlanOptions(options: PlanOptions): void {
  checkFields(options, ['unmanaged', 'ours', 'enable', 'acknowledgeRoot', 'acknowledgePasswordsInLog', 'signal'], 'the options of a plan')
  // What plain JavaScript may have left away.
  const { unmanaged, ours, enable, acknowledgeRoot, acknowledgePasswordsInLog } = (options as Partial<PlanOptions> | undefined) ?? {}
  if (unmanaged !== 'keep' && unmanaged !== 'report' && unmanaged !== 'remove') throw new TypeError("unmanaged must be 'keep', 'report' or 'remove'")
  if (ours !== undefined) checkOurs(unmanaged, ours)
  if (typeof enable !== 'boolean') throw new TypeError('enable must be true or false')
  if (acknowledgeRoot !== undefined && !(Array.isArray(acknowledgeRoot) && acknowledgeRoot.every((user) => typeof user === 'string'))) throw new TypeError('acknowledgeRoot must be a list of user names')
  if (acknowledgePasswordsInLog !== undefined && typeof acknowledgePasswordsInLog !== 'boolean') throw new TypeError('acknowledgePasswordsInLog must be true or false')
}

/** A rule that would take everything for ours, or that nothing comes of, is a mistake. */
function checkOurs(unmanaged: Unmanaged, ours: Ours): void {
  checkFields(ours, ['prefixes', 'markerRole'], 'ours')
  const { prefixes = [], markerRole } = (ours as Partial<Ours> | null) ?? {}
  const fits = Array.isArray(prefixes) && prefixes.every((prefix) => typeof prefix === 'string' && prefix !== '') && (markerRole === undefined || (typeof markerRole === 'string' && markerRole !== ''))
  if (!fits || (prefixes.length === 0 && markerRole === undefined)) throw new TypeError('ours must name prefixes, none of them empty, or a markerRole')
  if (unmanaged !== 'remove') throw new TypeError("ours says what is removed: it goes with unmanaged: 'remove' only")
}

/** For a message: the first ten of what is fit to be shown. */
function listed(names: readonly string[]): string {
  return names.slice(0, 10).join(', ') + (names.length > 10 ? ` and ${names.length - 10} more` : '')
}
