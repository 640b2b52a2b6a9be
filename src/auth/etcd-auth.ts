/** The facade: read, plan and apply one auth store of an etcd. */
import { EtcdRbacError } from '../errors.js'
import type { AbortSignalLike } from '../platform.js'
import type { Policy } from '../policy/policy.js'
import { meaningOf, type Backend, type CallContext } from './backend.js'
import { platformClock, type Clock } from './clock.js'
import { identityProblems, type Identity } from './identity.js'
import { checkPasswords } from './passwords.js'
import { checkPlanOptions, planAuth, type Plan, type PlanOptions } from './plan.js'
import { holds, readState } from './read.js'
import { fingerprint, hashOf, type AuthState } from './state.js'
import { showStep, type Step } from './step.js'

/** What the facade must be told. */
export interface EtcdAuthOptions {
  /** As whom the backend's client is connected. */
  readonly identity: Identity
  /** Milliseconds for each single request. Default 10,000. */
  readonly deadlineMilliseconds?: number
  /** Default: the platform's clock. */
  readonly clock?: Clock
}

/** How a step went: `done` by this call, or `found` done already when the server said so or the answer was lost. */
export type Outcome = 'done' | 'found'

/** Progress of `apply`. */
export interface StepEvent {
  /** From 1. */
  readonly number: number
  readonly total: number
  readonly step: Step
  readonly outcome: Outcome
}

/** What `apply` may be given. */
export interface ApplyOptions {
  /** Passwords of users that the plan creates and that log in by one. Sent once, kept nowhere. */
  readonly passwords?: Readonly<Record<string, string>>
  /** Called after each step. What it throws stops the work and reaches the caller; planning and applying again goes on. */
  readonly onStep?: (event: StepEvent) => void
  /** Stops before the next step. A call in flight ends by its deadline. */
  readonly signal?: AbortSignalLike
}

/** What was done. The store was read back after the last write and held the policy. */
export interface Applied {
  readonly steps: readonly { readonly step: Step; readonly outcome: Outcome }[]
  readonly state: AuthState
  /** Whose open connections must be cut now: see {@link Plan.sever}. */
  readonly sever: Plan['sever']
}

/**
 * One auth store of an etcd: the v3 one or the v2 one, by the backend.
 *
 * @example
 * ```ts
 * import { EtcdAuth, definePolicy, describe, prefix, readwrite, v3Backend } from 'etcd-rbac'
 * import { memoryEtcd } from 'etcd-rbac/testing'
 * const policy = definePolicy({
 *   users: { root: 'certificate', app: 'certificate' },
 *   v3: { roles: { app: [readwrite(prefix('/app/'))] }, bindings: { root: ['root'], app: ['app'] } },
 * })
 * const etcd = memoryEtcd({ version: '3.5.30' })
 * const auth = new EtcdAuth(v3Backend(etcd.auth), { identity: { user: 'root' } })
 * const plan = await auth.plan(policy, { unmanaged: 'report', enable: true })
 * console.log(describe(plan))
 * await auth.apply(plan)
 * ```
 */
export class EtcdAuth {
  readonly #backend: Backend
  readonly #identity: Identity
  readonly #clock: Clock
  readonly #deadlineMilliseconds: number

  /**
   * Asks the server nothing yet.
   *
   * @throws `TypeError` for options without a user, or with a deadline that is no positive number
   */
  constructor(backend: Backend, options: EtcdAuthOptions) {
    const { identity, deadlineMilliseconds = 10_000, clock = platformClock } = options
    // What plain JavaScript may have left away.
    const { user } = (identity as Partial<Identity> | undefined) ?? {}
    if (typeof user !== 'string' || user === '') throw new TypeError('identity.user must name the user as whom the client is connected')
    if (!(Number.isFinite(deadlineMilliseconds) && deadlineMilliseconds > 0)) throw new TypeError('deadlineMilliseconds must be a positive number')
    this.#backend = backend
    this.#identity = identity
    this.#clock = clock
    this.#deadlineMilliseconds = deadlineMilliseconds
  }

  /**
   * What the store holds. Every read is an entry in etcd's raft log: one for each user and each role, 16 in flight at once.
   *
   * @throws {@link EtcdRbacError} `ERR_UNREACHABLE`, `ERR_TLS`, `ERR_DEADLINE`, `ERR_NOT_ROOT`, `ERR_NOT_AUTHENTICATED`, `ERR_V2_DISABLED`,
   * `ERR_VERSION_UNSUPPORTED`, `ERR_SERVER`, `ERR_ABORTED`
   */
  state(options: { readonly signal?: AbortSignalLike } = {}): Promise<AuthState> {
    return readState(this.#backend, this.#context(options.signal))
  }

  /**
   * What would have to be written for the store to hold the policy. Writes nothing.
   *
   * @throws {@link EtcdRbacError} what {@link EtcdAuth.state} throws, `ERR_POLICY_HALF_MISSING`, and `ERR_POLICY_INVALID` for what is no checked policy
   */
  async plan(policy: Policy, options: PlanOptions & { readonly signal?: AbortSignalLike }): Promise<Plan> {
    checkPlanOptions(options)
    const { signal, ...decided } = options
    const state = await this.state(signal === undefined ? {} : { signal })
    const plan = planAuth(state, policy, decided, this.#identity, this.#clock.now())
    return { ...plan, blockers: [...plan.blockers, ...this.#backend.blockers(state, plan.steps)] }
  }

  /**
   * Writes a plan, step by step, enabling last, and reads the store back. Interrupted at any step, planning and applying again goes on.
   *
   * @throws {@link EtcdRbacError} before any write: `ERR_PLAN_BLOCKED`, `ERR_PLAN_STALE`, `ERR_POLICY_INVALID`, `ERR_PASSWORD_MISSING`,
   * `ERR_PASSWORD_INVALID`;
   * later: `ERR_ABORTED`, `ERR_READ_BACK`, `ERR_LOCKED_OUT`, `ERR_VERSION_UNKNOWN`, and what {@link EtcdAuth.state} throws
   */
  async apply(plan: Plan, options: ApplyOptions = {}): Promise<Applied> {
    const { passwords = {}, onStep, signal } = options
    // Reads are not stopped: what has been written is always read back.
    const context = this.#context(undefined)
    this.#refuseBlocked(plan, [])
    checkPasswords(plan, passwords)
    const before = await readState(this.#backend, context)
    const found = fingerprint(before)
    if (found !== plan.basis) {
      throw new EtcdRbacError('ERR_PLAN_STALE', { found: 'a store that has changed since the plan was made', wanted: 'the state that the plan was made for', fix: 'plan again, and look at what is new' }, { planned: plan.basis, found })
    }
    // A plan is data, and may have been kept as JSON or changed: what is written follows from the policy and from what was read.
    const now = this.#remaining(plan, before)
    this.#refuseBlocked(now, this.#backend.blockers(before, now.steps))
    const [planned, follows] = [plan.steps, now.steps].map((steps) => `${plan.api}-${hashOf(JSON.stringify(steps))}`)
    if (planned !== follows) {
      throw new EtcdRbacError('ERR_PLAN_STALE', { found: 'steps that do not follow from the policy and the state of the store', wanted: 'a plan as it was made, by this release and for this identity', fix: 'plan again, and apply what that gives' }, { planned: planned ?? '', found: follows ?? '' })
    }
    checkPasswords(now, passwords)
    const done: { step: Step; outcome: Outcome }[] = []
    for (const step of now.steps) {
      if (signal?.aborted === true) {
        throw new EtcdRbacError('ERR_ABORTED', { found: `the signal to stop, after ${done.length} of ${now.steps.length} steps`, wanted: 'to go on', fix: 'plan and apply again: what was done is kept' }, { stepsDone: done.length }, signal.reason)
      }
      if (step.do === 'enable') await this.#refuseUnlessReady(plan, context)
      const outcome = await this.#perform(step, step.do === 'addUser' && step.login === 'password' ? passwords[step.user] : undefined, before.version, context)
      done.push({ step, outcome })
      onStep?.({ number: done.length, total: now.steps.length, step, outcome })
      if (step.do === 'enable') await this.#proveRoot(context)
    }
    const state = done.length === 0 ? before : await readState(this.#backend, context)
    this.#refuseDifferences(this.#remaining(plan, state))
    return { steps: done, state, sever: now.sever }
  }

  #context(signal: AbortSignalLike | undefined): CallContext {
    return { clock: this.#clock, deadlineMilliseconds: this.#deadlineMilliseconds, user: this.#identity.user, signal }
  }

  #refuseBlocked(plan: Plan, found: readonly string[]): void {
    if (plan.api !== this.#backend.api) throw new TypeError(`a plan for ${plan.api} cannot be applied to the ${this.#backend.api} API`)
    const enabling = plan.steps.some((step) => step.do === 'enable')
    const blockers = [...new Set([...plan.blockers, ...found, ...(enabling ? identityProblems(this.#identity, this.#clock.now()) : [])])]
    if (blockers.length === 0) return
    throw new EtcdRbacError('ERR_PLAN_BLOCKED', { found: `a plan that must not be applied: ${blockers.join('; ')}`, wanted: 'a plan without blockers', fix: 'remove what blocks it and plan again; nothing was written' }, { blockers })
  }

  /** Sends one step once; where the answer leaves open whether it was done, the store itself is asked. */
  async #perform(step: Step, password: string | undefined, version: string | undefined, context: CallContext): Promise<Outcome> {
    try {
      await this.#backend.perform(step, { password, version }, context)
      return 'done'
    } catch (error) {
      const meaning = meaningOf(error)
      if (meaning === 'denied' || meaning === 'refused') throw error
      // When the store cannot be asked either, the first failure says more: unless it is now locked, which only enabling does.
      const isDone = await holds(this.#backend, step, context).catch((asking: unknown) => step.do === 'enable' && meaningOf(asking) === 'denied')
      if (!isDone) throw error
      return 'found'
    }
  }

  #remaining(plan: Plan, state: AuthState): Plan {
    return planAuth(state, plan.policy, plan.options, this.#identity, this.#clock.now())
  }

  #refuseDifferences({ steps, blockers }: Pick<Plan, 'steps' | 'blockers'>): void {
    const differences = [...steps.map(showStep), ...blockers]
    if (differences.length === 0) return
    throw new EtcdRbacError('ERR_READ_BACK', { found: `a store that differs from the policy after the writes: ${differences.join('; ')}`, wanted: 'what the policy says', fix: 'look who else writes to this etcd, then plan and apply again' }, { differences })
  }

  /** The last look before the door is locked: everything else holds, and the identity is root by what the store says. */
  async #refuseUnlessReady(plan: Plan, context: CallContext): Promise<void> {
    const rest = this.#remaining(plan, await readState(this.#backend, context))
    this.#refuseDifferences({ steps: rest.steps.filter((step) => step.do !== 'enable'), blockers: rest.blockers })
  }

  async #proveRoot(context: CallContext): Promise<void> {
    try {
      await this.#backend.listUsers(context)
    } catch (error) {
      if (meaningOf(error) !== 'denied') throw error
      const { user } = this.#identity
      throw new EtcdRbacError('ERR_LOCKED_OUT', { found: `auth is on, and this client is not user ${user} with role root for etcd`, wanted: `an admin call as ${user} that succeeds`, fix: `connect with a certificate whose Common Name is ${user} from the CA in --trusted-ca-file, with --client-cert-auth on every member; with it, auth can be disabled or the work go on` }, { user }, error)
    }
  }
}
