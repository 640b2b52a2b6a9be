/** The facade: read, plan and apply one auth store of an etcd. */
import type { AbortSignalLike } from '../platform.js'
import type { Policy } from '../policy/policy.js'
import type { Permission } from '../keys/permission.js'
import { applyPlan, type Applied, type ApplyOptions } from './apply.js'
import type { Backend, CallContext } from './backend.js'
import { platformClock, type Clock } from './clock.js'
import { Direct, type NewUser, type PasswordOptions, type Written } from './direct.js'
import type { Identity } from './identity.js'
import { checkPlanOptions, planAuth, sealed, type Plan, type PlanOptions } from './plan.js'
import { readState } from './read.js'
import type { AuthState } from './state.js'

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
    this.#direct = new Direct({ backend, identity, context: this.#context(undefined) })
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
    const { outcome: _, fingerprint: __, ...plan } = planAuth(state, policy, decided, this.#identity, this.#clock.now())
    return sealed({ ...plan, blockers: [...plan.blockers, ...this.#backend.blockers(state, plan.steps)] })
  }

  /**
   * Writes a plan, step by step, enabling last, and reads the store back. Interrupted at any step, planning and applying again goes on.
   *
   * @throws {@link EtcdRbacError} before any write: `ERR_PLAN_BLOCKED`, `ERR_PLAN_STALE`, `ERR_POLICY_INVALID`, `ERR_PASSWORD_MISSING`,
   * `ERR_PASSWORD_INVALID`;
   * later: `ERR_ABORTED`, `ERR_READ_BACK`, `ERR_LOCKED_OUT`, `ERR_VERSION_UNKNOWN`, and what {@link EtcdAuth.state} throws
   */
  async apply(plan: Plan, options: ApplyOptions = {}): Promise<Applied> {
    return applyPlan({ backend: this.#backend, identity: this.#identity, context: this.#context(undefined) }, plan, options)
  }

  /**
   * What differs from the policy, as the plan that would mend it: names that the policy does not know are listed, and auth that is off is a difference.
   *
   * @throws {@link EtcdRbacError} what {@link EtcdAuth.plan} throws
   */
  drift(policy: Policy, options: { readonly signal?: AbortSignalLike } = {}): Promise<Plan> {
    return this.plan(policy, { unmanaged: 'report', enable: true, ...options })
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
  setPassword(user: string, password: string, options: PasswordOptions = {}): Promise<Written<'changed'>> {
    return this.#direct.setPassword(user, password, options)
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
   * Deletes a role if it is there, never root. etcd v3 unbinds whoever holds it; v2 leaves the name with them.
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
   * Turns auth on, and proves that you are root then. Refuses while you or user root would not be, and while a user that is not acknowledged holds role
   * root: anyone could have made it. On v2 also without a role guest: etcd would make one that may do everything.
   *
   * @throws {@link EtcdRbacError} `ERR_WRITE_REFUSED` before anything is written; `ERR_LOCKED_OUT` and `ERR_READ_BACK` behind; and what
   * {@link EtcdAuth.state} throws
   */
  enable({ acknowledgeRoot = [] }: { readonly acknowledgeRoot?: readonly string[] } = {}): Promise<Written<'changed'>> {
    return this.#direct.enable(acknowledgeRoot)
  }

  /**
   * Turns auth off: every client past TLS may then do everything.
   *
   * @throws {@link EtcdRbacError} what {@link EtcdAuth.state} throws
   */
  disable(): Promise<Written<'changed'>> {
    return this.#direct.disable()
  }

  #context(signal: AbortSignalLike | undefined): CallContext {
    return { clock: this.#clock, deadlineMilliseconds: this.#deadlineMilliseconds, user: this.#identity.user, signal }
  }
}
