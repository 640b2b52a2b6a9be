/** The facade: read, plan and apply one auth store of an etcd. Long by what its methods promise; what they do is done elsewhere. */
import { checkFields } from '../known-fields.js'
import type { AbortSignalLike } from '../platform.js'
import type { Policy } from '../policy/policy.js'
import type { Permission } from '../keys/permission.js'
import { applyPlan, type Applied, type ApplyOptions } from './apply.js'
import type { Backend, CallContext } from './backend.js'
import { checkApplyOptions, checkBackend, checkClock } from './check-arguments.js'
import { platformClock, type Clock } from './clock.js'
import { Direct } from './direct.js'
import { unmanagedOf } from './difference.js'
import { holdingsIn } from './holdings.js'
import { checkIdentity, type Identity } from './identity.js'
import { holding } from './lock.js'
import { checkNames, checkPlanOptions, type PlanOptions } from './plan-options.js'
import { draftPlan, sealed, type Draft, type Plan } from './plan.js'
import { checkPlan, checkShownPlan } from './plan-shape.js'
import { readState, type ReadOptions } from './read.js'
import { checkSignal } from './signal.js'
import type { AuthState } from './state.js'
import type { EnableOptions, NewUser, PasswordOptions, Written } from './written.js'
import { othersIn, sinceThen } from './unmanaged.js'
import { wantedOf } from './wanted.js'

/** What is read beside what a store lists. */
export interface StateOptions extends ReadOptions {
  /** Stops before the next request. */
  readonly signal?: AbortSignalLike
}

/** What a look for drift may be told beside the policy: all that a plan is told. Default: `{ unmanaged: 'report', enable: true }`, or as the plan had it. */
export type DriftOptions = Partial<PlanOptions> & Pick<StateOptions, 'probeEmptyPasswords' | 'signal'>

/** What the facade must be told. */
export interface EtcdAuthOptions {
  /** As whom the backend's client is connected. */
  readonly identity: Identity
  /** Milliseconds for each single request. Default 10,000. */
  readonly deadlineMilliseconds?: number
  /** Default: the platform's clock. */
  readonly clock?: Clock
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
  readonly #direct: Direct

  /**
   * Asks the server nothing yet.
   *
   * @throws `TypeError` for what is no backend, a misspelt option, an identity without a user, or a deadline that is no positive number
   */
  constructor(backend: Backend, options: EtcdAuthOptions) {
    checkBackend(backend)
    // What plain JavaScript may have left away.
    const given = (options as Partial<EtcdAuthOptions> | undefined) ?? {}
    checkFields(given, ['identity', 'deadlineMilliseconds', 'clock'], 'the options of EtcdAuth')
    checkIdentity(given.identity)
    const { identity, deadlineMilliseconds = 10_000, clock = platformClock } = options
    checkClock(clock)
    if (!(Number.isFinite(deadlineMilliseconds) && deadlineMilliseconds > 0)) throw new TypeError('deadlineMilliseconds must be a positive number')
    this.#backend = backend
    this.#identity = identity
    this.#clock = clock
    this.#deadlineMilliseconds = deadlineMilliseconds
    this.#direct = new Direct({ backend, identity, context: this.#context(undefined) })
  }

  /**
   * What the store holds. Every read is an entry in etcd's raft log: one for each user and each role, 16 in flight at once.
   *
   * @throws {@link EtcdRbacError} `ERR_UNREACHABLE`, `ERR_TLS`, `ERR_DEADLINE`, `ERR_NOT_ROOT`, `ERR_NOT_AUTHENTICATED`, `ERR_V2_DISABLED`,
   * `ERR_VERSION_UNSUPPORTED`, `ERR_VERSION_CONTRADICTED`, `ERR_SERVER`, `ERR_ABORTED`
   */
  async state(options: StateOptions = {}): Promise<AuthState> {
    checkFields(options, ['hiddenUsers', 'probeEmptyPasswords', 'signal'], 'the options of state')
    const { signal, ...read } = options
    checkNames(read.hiddenUsers, 'hiddenUsers')
    checkSignal(signal)
    return readState(this.#backend, this.#context(signal), read)
  }

  /**
   * What would have to be written for the store to hold the policy. Writes nothing.
   *
   * @throws {@link EtcdRbacError} what {@link EtcdAuth.state} throws, `ERR_POLICY_HALF_MISSING`, and `ERR_POLICY_INVALID` for what is no checked policy
   */
  async plan(policy: Policy, options: PlanOptions & Pick<StateOptions, 'probeEmptyPasswords' | 'signal'>): Promise<Plan> {
    return sealed((await this.#draft(policy, options)).draft)
  }

  /**
   * Writes a plan, step by step, enabling last, and reads the store back. Interrupted at any step, planning and applying again goes on.
   *
   * @throws {@link EtcdRbacError} before any write: `ERR_LOCK_HELD`, `ERR_PLAN_BLOCKED`, `ERR_PLAN_INVALID` for a plan that is not the one of its fingerprint, `ERR_PLAN_STALE`, `ERR_POLICY_INVALID`, `ERR_PASSWORD_MISSING`,
   * `ERR_PASSWORD_INVALID`; later: `ERR_ABORTED`, `ERR_READ_BACK`, `ERR_LOCKED_OUT`, `ERR_VERSION_UNKNOWN`; and what {@link EtcdAuth.state} throws
   */
  async apply(plan: Plan, options: ApplyOptions = {}): Promise<Applied> {
    checkPlan(plan)
    checkApplyOptions(options)
    return holding(options.lock, this.#context(options.signal), () => applyPlan({ backend: this.#backend, identity: this.#identity, context: this.#context(undefined) }, plan, options))
  }

  /**
   * What differs from a policy, or from what a recorded plan came to, as the plan that would mend it: names that the policy does not know are listed, and
   * auth that is off is a difference. Since a recorded plan, unless that was to keep them unlisted, also who of them came, went, or holds otherwise. On request with users of v2 who are hidden, and with users whom the empty password lets in.
   *
   * @throws {@link EtcdRbacError} what {@link EtcdAuth.plan} throws
   * @example
   * ```ts
   * import { definePolicy, EtcdAuth, v3Backend } from 'etcd-rbac'
   * import { memoryEtcd } from 'etcd-rbac/testing'
   * const policy = definePolicy({ users: { root: 'certificate' }, v3: { roles: {}, bindings: { root: ['root'] } } })
   * const etcd = memoryEtcd({ version: '3.5.35' })
   * const auth = new EtcdAuth(v3Backend(etcd.auth), { identity: { user: 'root' } })
   * const plan = await auth.plan(policy, { unmanaged: 'report', enable: true })
   * await auth.apply(plan)
   * console.log((await auth.drift(plan)).outcome) // in sync
   * await etcd.auth.userAdd({ name: 'mallory', password: '' })
   * console.log((await auth.drift(plan, { probeEmptyPasswords: true })).emptyPasswords.join()) // mallory
   * ```
   */
  async drift(from: Policy | Plan, options: DriftOptions = {}): Promise<Plan> {
    if ((options as unknown) === null) throw new TypeError('the options of drift must be a table, or left away')
    // What plain JavaScript may have passed otherwise is refused by the plan.
    const planned = typeof from === 'object' && (from as unknown) !== null && 'steps' in from && 'policy' in from ? from : undefined
    if (planned !== undefined && planned.api !== this.#backend.api) throw new TypeError(`a plan for ${planned.api} says nothing of the ${this.#backend.api} API`)
    if (planned !== undefined) checkShownPlan(planned)
    // Whoever was to be made anew has been; what was acknowledged still is.
    const { recreate: _, ours, unmanaged = 'report', enable = true, hiddenUsers = [], ...lasting }: Partial<PlanOptions> = planned?.options ?? {}
    const decided = { unmanaged: unmanaged === 'keep' ? ('report' as const) : unmanaged, enable, ...lasting, ...options }
    // Whom the record was told of is still looked for.
    checkNames(options.hiddenUsers, 'hiddenUsers')
    const hidden = [...new Set([...hiddenUsers, ...(options.hiddenUsers ?? [])])]
    // What was ours to remove goes with removing only.
    const { draft, state } = await this.#draft(planned?.policy ?? (from as Policy), { ...(ours !== undefined && decided.unmanaged === 'remove' ? { ours } : {}), ...decided, ...(hidden.length > 0 && { hiddenUsers: hidden }) })
    // What the record did not list because it was to be kept, it does not tell from what has come since.
    if (planned === undefined || planned.options.unmanaged === 'keep' || decided.unmanaged === 'keep') return sealed(draft)
    const now = othersIn(holdingsIn(state), unmanagedOf(state, wantedOf(draft.policy, draft.api)))
    return sealed({ ...draft, ...sinceThen(planned.stays, now) })
  }

  /**
   * Makes a user, unless there is one of that name: how that one logs in stays as it is, since etcd does not tell.
   *
   * @throws {@link EtcdRbacError} `ERR_NAME_INVALID`, `ERR_PASSWORD_INVALID`, `ERR_WRITE_REFUSED` where a password would stand in a log, `ERR_VERSION_UNKNOWN` where a certificate user would get an empty password, and
   * what {@link EtcdAuth.state} throws
   * @example
   * ```ts
   * import { EtcdAuth, prefix, readwrite, v3Backend } from 'etcd-rbac'
   * import { memoryEtcd } from 'etcd-rbac/testing'
   * const auth = new EtcdAuth(v3Backend(memoryEtcd({ version: '3.5.35' }).auth), { identity: { user: 'root' } })
   * console.log((await auth.addUser('app', { login: 'certificate' })).outcome) // created
   * console.log((await auth.addUser('app', { login: 'certificate' })).outcome) // unchanged
   * await auth.addRole('app')
   * await auth.grantPermission('app', readwrite(prefix('/app/')))
   * console.log((await auth.grantRole('app', 'app')).outcome) // changed
   * ```
   */
  addUser(user: string, options: NewUser): Promise<Written<'created'>> {
    return this.#direct.addUser(user, options)
  }

  /**
   * Deletes a user if it is there: neither root nor the one as whom you are connected.
   *
   * @throws {@link EtcdRbacError} `ERR_WRITE_REFUSED`, `ERR_NAME_INVALID`, and what {@link EtcdAuth.state} throws
   */
  deleteUser(user: string): Promise<Written<'deleted'>> {
    return this.#direct.deleteUser(user)
  }

  /**
   * Changes a password: 1 to 72 bytes. Whoever logged in by the old one must log in again; certificates go on. What a lost answer leaves open is
   * an error: set it again. A user that was made to log in by certificate alone stays so on v3, and etcd does not tell who that is.
   *
   * @throws {@link EtcdRbacError} `ERR_NOT_FOUND`, `ERR_PASSWORD_INVALID`, `ERR_NAME_INVALID`, `ERR_WRITE_REFUSED` where the password would stand in a log, and what {@link EtcdAuth.state} throws
   */
  async setPassword(user: string, password: string, options: PasswordOptions = {}): Promise<Written<'changed'>> {
    checkFields(options, ['acknowledgePasswordsInLog'], 'the options of setPassword')
    return this.#direct.setPassword(user, password, options)
  }

  /**
   * Gives a user a random password that nobody knows, so that from now on only its certificate lets it in: it does so already, whatever the password, and
   * there is no moment without access. Whoever logged in by the old password is out.
   *
   * @throws {@link EtcdRbacError} `ERR_NOT_FOUND`, `ERR_NAME_INVALID`, `ERR_CRYPTO_UNUSABLE` where the backend was given no `crypto`, `ERR_WRITE_REFUSED`
   * where the password would stand in a log, or where you log in by it, and what
   * {@link EtcdAuth.state} throws
   */
  async dropPassword(user: string, options: PasswordOptions = {}): Promise<Written<'changed'>> {
    checkFields(options, ['acknowledgePasswordsInLog'], 'the options of dropPassword')
    return this.#direct.dropPassword(user, options)
  }

  /**
   * Makes a role without permissions, unless it is there.
   *
   * @throws {@link EtcdRbacError} `ERR_NAME_INVALID`, and what {@link EtcdAuth.state} throws
   */
  addRole(role: string): Promise<Written<'created'>> {
    return this.#direct.addRole(role)
  }

  /**
   * Deletes a role if it is there, never root, nor v2's guest. etcd v3 unbinds whoever holds it; v2 leaves the name with them.
   *
   * @throws {@link EtcdRbacError} `ERR_WRITE_REFUSED`, `ERR_NAME_INVALID`, and what {@link EtcdAuth.state} throws
   */
  deleteRole(role: string): Promise<Written<'deleted'>> {
    return this.#direct.deleteRole(role)
  }

  /**
   * Grants a role a permission. One on the same keys is replaced; where etcd would leave the old one beside it, it is revoked before.
   *
   * @throws {@link EtcdRbacError} `ERR_NOT_FOUND`, `ERR_WRITE_REFUSED` for role root, `ERR_KEY_INVALID`, `ERR_RANGE_EMPTY`, `ERR_PATTERN_INVALID`,
   * `ERR_NAME_INVALID`, and what {@link EtcdAuth.state} throws
   */
  grantPermission(role: string, permission: Permission): Promise<Written<'changed'>> {
    return this.#direct.grantPermission(role, permission)
  }

  /**
   * Takes what a role holds on exactly these keys.
   *
   * @throws {@link EtcdRbacError} `ERR_NOT_FOUND`, `ERR_NAME_INVALID`, and what {@link EtcdAuth.state} throws
   */
  revokePermission(role: string, keys: Permission['keys']): Promise<Written<'changed'>> {
    return this.#direct.revokePermission(role, keys)
  }

  /**
   * Binds a user to a role. Both must be there: etcd v2 would bind a role that is not.
   *
   * @throws {@link EtcdRbacError} `ERR_NOT_FOUND`, `ERR_NAME_INVALID`, and what {@link EtcdAuth.state} throws
   */
  grantRole(user: string, role: string): Promise<Written<'changed'>> {
    return this.#direct.grantRole(user, role)
  }

  /**
   * Unbinds a user from a role: never root or yourself from role root.
   *
   * @throws {@link EtcdRbacError} `ERR_NOT_FOUND`, `ERR_WRITE_REFUSED`, `ERR_NAME_INVALID`, and what {@link EtcdAuth.state} throws
   */
  revokeRole(user: string, role: string): Promise<Written<'changed'>> {
    return this.#direct.revokeRole(user, role)
  }

  /**
   * Turns auth on, and proves that you are root then. Refuses while you or user root would not be, while a user that is not acknowledged holds role root
   * (anyone could have made it, `root` too where you connect as another; on v2 `hiddenUsers` are looked for), while somebody would lack what `needs` says, and while the v2 API of the server is open. On v2 also without a role guest:
   * etcd would make one that may do everything.
   *
   * @throws {@link EtcdRbacError} `ERR_WRITE_REFUSED` before anything is written; `ERR_LOCKED_OUT` and `ERR_READ_BACK` behind; and what
   * {@link EtcdAuth.state} throws
   */
  enable(options: EnableOptions = {}): Promise<Written<'changed'>> {
    return this.#direct.enable(options)
  }

  /**
   * Turns auth off: every client past TLS may then do everything.
   *
   * @param options There are none yet.
   * @throws {@link EtcdRbacError} what {@link EtcdAuth.state} throws
   */
  async disable(options: Readonly<Record<string, never>> = {}): Promise<Written<'changed'>> {
    checkFields(options, [], 'the options of disable')
    return this.#direct.disable()
  }

  /** A plan, and what it was made for. */
  async #draft(policy: Policy, options: PlanOptions & Pick<StateOptions, 'probeEmptyPasswords' | 'signal'>): Promise<{ readonly draft: Draft; readonly state: AuthState }> {
    checkPlanOptions(options, ['signal', 'probeEmptyPasswords'])
    const { signal, probeEmptyPasswords = false, ...decided } = options
    checkSignal(signal)
    const state = await readState(this.#backend, this.#context(signal), { hiddenUsers: options.hiddenUsers ?? [], probeEmptyPasswords, looksAtV2: options.enable })
    const draft = draftPlan(state, policy, decided, this.#identity, this.#clock.now())
    const untried = probeEmptyPasswords && !state.enabled ? ['nobody logs in while auth is off: the empty password was not tried; look again when it is on'] : []
    return { draft: { ...draft, blockers: [...draft.blockers, ...this.#backend.blockers(state, draft.steps)], warnings: [...draft.warnings, ...untried] }, state }
  }

  #context(signal: AbortSignalLike | undefined): CallContext {
    return { clock: this.#clock, deadlineMilliseconds: this.#deadlineMilliseconds, user: this.#identity.user, signal }
  }
}
