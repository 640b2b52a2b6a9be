/** The facade: read, plan and apply one auth store of an etcd. */
import type { AbortSignalLike } from '../platform.js'
import type { Policy } from '../policy/policy.js'
import { applyPlan, type Applied, type ApplyOptions } from './apply.js'
import type { Backend, CallContext } from './backend.js'
import { platformClock, type Clock } from './clock.js'
import type { Identity } from './identity.js'
import { checkPlanOptions, planAuth, type Plan, type PlanOptions } from './plan.js'
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
    return applyPlan({ backend: this.#backend, identity: this.#identity, context: this.#context(undefined) }, plan, options)
  }

  #context(signal: AbortSignalLike | undefined): CallContext {
    return { clock: this.#clock, deadlineMilliseconds: this.#deadlineMilliseconds, user: this.#identity.user, signal }
  }
}
