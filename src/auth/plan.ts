/** A plan: what would be written, in which order, why, and what stands in the way. Decided without I/O. */
import { advisoriesOf } from '../advisories/advisories.js'
import { allows, type PermissionType } from '../keys/permission.js'
import { checkedPolicy } from '../policy/check.js'
import type { Policy } from '../policy/policy.js'
import { checkState } from './check-state.js'
import { blockersOf, newPasswordUsers, warningsOf } from './blockers.js'
import { veilOf } from './dangling.js'
import { differences, unmanagedOf } from './difference.js'
import { digestOf } from './digest.js'
import { holdingsOf, holdsRoot, type Holdings } from './holdings.js'
import { checkIdentity, type Identity } from './identity.js'
import { orderSteps, type Gap } from './order.js'
import { checkPlanOptions, type PlanOptions } from './plan-options.js'
import { ACCESSES, v2Regions, v3Regions } from './rights.js'
import { rightsChanges, type RightsChange } from './rights-change.js'
import { fingerprint, type Api, type AuthState, type StoreNames } from './state.js'
import type { Step } from './step.js'
import { NOTHING_SINCE, othersIn, withoutDeleted, type Others, type OthersSince } from './unmanaged.js'
import { wantedOf, type Wanted } from './wanted.js'

/**
 * What would be done, as data: free of secrets, and the same for the same state, policy, options and time. It may be kept as JSON, looked at, and applied
 * later: {@link parsePlan}.
 */
export interface Plan {
  readonly api: Api
  /** `in sync`: nothing to do, no stranger holds role root, and none was found of what is listed below as keeping a store from it; `drift`: something is otherwise; `blocked`: `apply` would refuse. */
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
  readonly unmanaged: StoreNames
  /** What of these stays, and what it holds afterwards: what a drift since this plan is measured by. Empty with `unmanaged: 'keep'`. */
  readonly stays: Others
  /** Users whom the policy does not name, and who hold role root afterwards, or may, without being acknowledged: while there are any, a store is not in sync. */
  readonly strangersWithRoot: readonly string[]
  /** Names of which not all is known, since they cannot be asked for or etcd does not tell: see {@link AuthState}. While there are any, auth is not turned on, and a store is not in sync. */
  readonly unreadable: StoreNames
  /** Users whom the empty password lets in, where that was asked for: while there are any, a store is not in sync. */
  readonly emptyPasswords: readonly string[]
  /** In a drift since a recorded plan: names that the policy does not know, and that were not to be there after that plan. While there are any, a store is not in sync. */
  readonly appeared: StoreNames
  /** The same, of those that were to stay and are gone. */
  readonly disappeared: StoreNames
  /** The same, of those that hold other roles now, or grant otherwise. */
  readonly altered: OthersSince['altered']
  /**
   * Whose open connections must be cut afterwards (members restarted one at a time): streams survive enabling and revoking. On v2 `guest` stands for clients
   * that no user is known for. Keep it where applying fails half-way: a later plan knows of its own steps only.
   */
  readonly sever: 'everyone' | readonly string[]
  /** How many requests it took to read the store: on v3, each is an entry in etcd's raft log. 0 where a state was given. Not part of the fingerprint. */
  readonly reads: number
}

/**
 * Plans one half of a policy, that of `state.api`, for a store's state. Pure: the same state, policy, options and time give the same plan. What a server
 * cannot do is not in its blockers; {@link EtcdAuth.plan} adds that.
 *
 * @param given Is checked once more: what was spread from a policy, or read as part of a plan, is data of unknown origin.
 * @throws `TypeError` for what is no state, identity, date or option of a plan; {@link EtcdRbacError} `ERR_POLICY_HALF_MISSING`, `ERR_POLICY_INVALID`
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
  checkState(state)
  checkIdentity(identity)
  return sealed(draftPlan(state, given, options, identity, now))
}

/** A plan to which something may still be added. */
export type Draft = Omit<Plan, 'outcome' | 'fingerprint'>

/** The names that can be found again: etcd v2 lists no role whose name begins with "_", and only whoever holds one tells of it. */
function findable({ api }: AuthState, { users, roles }: StoreNames, { users: after }: Holdings): StoreNames {
  const held = new Set([...after.values()].flatMap((list) => [...list]))
  return { users, roles: roles.filter((role) => api === 'v3' || !role.startsWith('_') || held.has(role)) }
}

/** See {@link planAuth}. */
export function draftPlan(state: AuthState, given: Policy, options: PlanOptions, identity: Identity, now: Date): Draft {
  // What plain JavaScript may have passed: an invalid date is neither before nor after the end of a certificate.
  if (!(now instanceof Date) || Number.isNaN(now.getTime())) throw new TypeError('now must be a valid Date')
  checkPlanOptions(options)
  const policy = checkedPolicy(given)
  const { wanted, holdings, steps, gaps, blockers } = decide(state, policy, options, identity, now)
  const others = unmanagedOf(state, wanted)
  const rights = rightsChanges(holdings.before, holdings.after)
  const listed = options.unmanaged === 'keep' ? { users: [], roles: [] } : others
  const strange = others.users.filter((user) => user !== identity.user && user !== 'root' && holdsRoot(holdings.after, user))
  const unknown = others.users.filter((user) => veilOf(state, user) !== undefined && holdings.after.users.has(user) && !strange.includes(user))
  return {
    api: state.api,
    version: state.version,
    advisories: advisoriesAt(state.version),
    policy,
    options: ownCopy(options),
    basis: fingerprint(state),
    steps,
    needsPassword: newPasswordUsers(steps),
    blockers,
    warnings: warningsOf(state, wanted, options, strange),
    gaps,
    rights,
    unmanaged: listed,
    stays: othersIn(holdings.after, withoutDeleted(findable(state, listed, holdings.after), steps)),
    strangersWithRoot: [...strange, ...unknown].filter((user) => !(options.acknowledgeRoot ?? []).includes(user)),
    unreadable: ownCopy(state.unreadable ?? { users: [], roles: [] }),
    ...NOTHING_SINCE,
    emptyPasswords: [...(state.emptyPasswords ?? [])],
    sever: enabling(state, options) ? 'everyone' : [...reducedBy(steps, state, rights)],
    reads: state.reads ?? 0,
  }
}

/** A plan is a value: what its caller does to what it was made from does not change it. As JSON has it, since that is how a plan is kept. */
function ownCopy<T>(data: T): T {
  return JSON.parse(JSON.stringify(data)) as T
}

interface Decision extends Pick<Plan, 'steps' | 'gaps' | 'blockers'> {
  readonly wanted: Wanted
  readonly holdings: ReturnType<typeof holdingsOf>
}

/** What is to be written, and what stands in the way: all of a plan that applying one asks again and again. `policy` is a checked one. */
export function decide(state: AuthState, policy: Policy, options: PlanOptions, identity: Identity, now: Date): Decision {
  const wanted = wantedOf(policy, state.api)
  const changes = differences(state, wanted, options, [identity.user])
  const holdings = holdingsOf(state, wanted, changes)
  const { steps, gaps } = state.api === 'v3' ? orderSteps(v3Regions, state, changes, holdings) : orderSteps(v2Regions, state, changes, holdings)
  const enable: readonly Step[] = enabling(state, options) ? [{ do: 'enable', reason: 'asked for; last, so that nothing is locked that is not yet opened to whom it belongs' }] : []
  const blockers = blockersOf({ state, wanted, options, identity, now, steps, after: holdings.after })
  return { wanted, holdings, steps: [...steps, ...enable], gaps, blockers }
}

const enabling = (state: AuthState, options: PlanOptions): boolean => options.enable && !state.enabled

/** Whether a type that takes the place of another allows less in some way. */
export function takes(before: PermissionType | undefined, after: PermissionType): boolean {
  return before !== undefined && ACCESSES.some((access) => allows(before, access) && !allows(after, access))
}

/** Users who hold less after the steps than before, or who are others under the same name. */
function reducedBy(steps: readonly Step[], state: AuthState, rights: readonly RightsChange[]): ReadonlySet<string> {
  const closing = new Set(rights.flatMap(({ user, closes }) => (closes.length > 0 ? [user] : [])))
  const reduced = new Set<string>()
  const shrunk = new Set<string>()
  for (const step of steps) {
    if (step.do === 'unbindRole' || step.do === 'deleteUser' || step.do === 'setPassword' || step.do === 'dropPassword') reduced.add(step.user)
    // Who was one of the guests of v2 may have held more.
    if (step.do === 'addUser' && closing.has(step.user)) reduced.add(step.user)
    if (step.do === 'revokePermission' || step.do === 'deleteRole' || (step.do === 'grantPermission' && takes(step.replaces, step.permission.type))) shrunk.add(step.role)
  }
  for (const [user, held] of Object.entries(state.users)) if (held.some((role) => shrunk.has(role))) reduced.add(user)
  if (state.api === 'v2' && shrunk.has('guest')) reduced.add('guest')
  return reduced
}

/** A plan with what follows from the rest of it. */
export function sealed(plan: Draft): Plan {
  const isQuiet = [plan.steps, plan.strangersWithRoot, plan.emptyPasswords, ...[plan.unreadable, plan.appeared, plan.disappeared, plan.altered].flatMap(({ users, roles }): readonly (readonly unknown[])[] => [users, roles])].every((list) => list.length === 0)
  const outcome = plan.blockers.length > 0 ? 'blocked' : isQuiet ? 'in sync' : 'drift'
  return { ...plan, outcome, fingerprint: fingerprintOf(plan) }
}

/** The fingerprint of a plan by the rest of it. */
export function fingerprintOf(plan: Draft): string {
  return `${plan.api}-plan-${digestOf({ ...plan, outcome: undefined, fingerprint: undefined, reads: undefined })}`
}

function advisoriesAt(version: string | undefined): readonly string[] {
  return version !== undefined && /^3\.[3-7]\.\d{1,4}$/.test(version) ? advisoriesOf(version).map(({ id }) => id) : []
}

