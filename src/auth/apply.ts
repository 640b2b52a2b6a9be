/** Writing a plan: step by step, enabling last, each result looked at. What to write is decided by planning alone. */
import { EtcdRbacError, isEtcdRbacError } from '../errors.js'
import type { AbortSignalLike } from '../platform.js'
import { eachAtOnce } from './at-once.js'
import { isDangling } from './dangling.js'
import type { AdvisoryLock } from './lock.js'
import { createPace, type Pacing } from './pacing.js'
import { checkFingerprint } from './parse-plan.js'
import { checkPasswords } from './passwords.js'
import { digestOf } from './digest.js'
import { perform, proveRoot, type Applier, type Outcome } from './perform.js'
import { strangersWithRoot, unreadableProblems } from './blockers.js'
import { decide, draftPlan, fingerprintOf, type Draft, type Plan } from './plan.js'
import { readState } from './read.js'
import { sideBySide } from './side-by-side.js'
import { fingerprint, type AuthState } from './state.js'
import { showStep, type Step } from './step.js'
import { few, visible } from './visible.js'
import { wantedOf } from './wanted.js'

/** Progress of `apply`. */
export interface StepEvent {
  /** From 1, in the order in which they were done. */
  readonly number: number
  /** The steps of the plan; on v2 it grows where a role that does not exist had hidden another one of the same user. */
  readonly total: number
  readonly step: Step
  readonly outcome: Outcome
  /** As whom it was written. */
  readonly actor: string
  /** The fingerprint of the plan that it belongs to. With the step's reason, all that an audit log wants: etcd keeps none. */
  readonly plan: string
}

/** What `apply` may be given. */
export interface ApplyOptions {
  /** Passwords of users that the plan creates and that log in by one. Sent once, kept nowhere. */
  readonly passwords?: Readonly<Record<string, string>>
  /**
   * Called after each step, and waited for where it returns a promise. What it throws stops the work and reaches the caller; planning and applying again
   * goes on. A write whose answer was lost and that could not be looked up is told of by the error alone.
   */
  readonly onStep?: (event: StepEvent) => unknown
  /** Stops before the next step. A call in flight ends by its deadline. */
  readonly signal?: AbortSignalLike
  /**
   * How fast to write at most. Each write moves the revision of the auth store, and etcd then refuses what other clients have under way with
   * "revision of auth store is old". Default: as fast as it goes.
   */
  readonly pacing?: Pacing
  /**
   * How many writes may be under way at once, where no order of them matters to anybody's rights. Default: 16 on v3. Always one on v2, which loses one of
   * two that meet, and with `pacing`. More at once are sooner done, and refuse a larger share of what others have under way.
   */
  readonly concurrency?: number
  /** Held while the plan is applied. Advisory: it keeps out appliers that take it too. */
  readonly lock?: AdvisoryLock
}

/** What was done. The store was read back after the last write and held the policy. */
export interface Applied {
  readonly steps: readonly { readonly step: Step; readonly outcome: Outcome }[]
  readonly state: AuthState
  /** Whose open connections must be cut now: see {@link Plan.sever}. */
  readonly sever: Plan['sever']
}

/** Writes a plan and reads the store back: see {@link EtcdAuth.apply}. */
export async function applyPlan(applier: Applier, plan: Plan, { passwords = {}, onStep, signal, pacing, concurrency }: ApplyOptions): Promise<Applied> {
  const { backend, identity, context } = applier
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency > 0)) throw new TypeError('concurrency must be a whole number above 0')
  const atOnce = pacing === undefined ? Math.min(concurrency ?? backend.writesAtOnce, backend.writesAtOnce) : 1
  const { recreate: _, ...lasting } = plan.options
  const read = (reading = context): Promise<AuthState> => readState(backend, reading, { hiddenUsers: plan.options.hiddenUsers ?? [], looksAtV2: plan.options.enable })

  const pace = createPace(context, pacing === undefined ? {} : pacing, signal)
  refuseBlocked(applier, plan, [])
  checkFingerprint(plan)
  checkPasswords(plan, passwords)
  // Nothing is written yet that would have to be read back.
  const before = await read({ ...context, signal })
  const found = fingerprint(before)
  if (found !== plan.basis) throw stale('a store that has changed since the plan was made', 'the state that the plan was made for', plan.basis, found)
  // A plan is data, and may have been kept as JSON or changed: what is written follows from the policy and from what was read.
  const now = draftPlan(before, plan.policy, plan.options, identity, context.clock.now())
  refuseBlocked(applier, now, backend.blockers(before, now.steps))
  // Whoever agreed to it has seen the rest of it, too.
  const follows = fingerprintOf({ ...now, version: plan.version, advisories: plan.advisories, blockers: plan.blockers, warnings: plan.warnings, unreadable: plan.unreadable, emptyPasswords: plan.emptyPasswords, appeared: plan.appeared, disappeared: plan.disappeared, altered: plan.altered })
  if (follows !== plan.fingerprint) throw stale('a plan that does not follow from its policy and the state of the store', 'a plan as it was made, by this release and for this identity', plan.fingerprint, follows)
  checkPasswords(now, passwords)
  /** What is left to do. Whoever was to be made anew has been. */
  const remaining = (state: AuthState) => decide(state, now.policy, lasting, identity, context.clock.now())

  const done: { readonly step: Step; readonly outcome: Outcome }[] = []
  /** Users that were to be made and were there already: made by somebody else, whose passwords they have, or by a client that repeats what it sends. */
  const foreign: string[] = []
  let total = now.steps.length
  const goOn = (): void => {
    if (signal?.aborted !== true) return
    throw new EtcdRbacError('ERR_ABORTED', { found: `the signal to stop, after ${done.length} of ${total} steps`, wanted: 'to go on', fix: 'plan and apply again: what was done is kept' }, { stepsDone: done.length }, signal.reason)
  }
  const run = async (step: Step): Promise<void> => {
    await pace()
    goOn()
    const password = step.do === 'setPassword' || (step.do === 'addUser' && step.login === 'password') ? passwords[step.user] : undefined
    const { outcome, conflict } = await perform(applier, step, password, before.version)
    if (conflict && step.do === 'addUser') foreign.push(step.user)
    done.push({ step, outcome })
    await onStep?.({ number: done.length, total, step, outcome, actor: identity.user, plan: plan.fingerprint })
  }

  /**
   * Unbinds roles that do not exist, until none comes to light any more, and gives the steps that are left. etcd v2 names one of each user, and hides the
   * others: what holds a role that is about to be made must be known before.
   */
  const layOpen = async (planned: readonly Step[]): Promise<readonly Step[]> => {
    const isVeil = (state: AuthState) => (step: Step) => step.do === 'unbindRole' && isDangling(state, step.role)
    const others = planned.filter((step) => !isVeil(before)(step))
    const unbound = new Set<string>()
    let left = planned
    for (let veils = planned.filter(isVeil(before)); veils.length > 0; ) {
      for (const step of veils) {
        unbound.add(JSON.stringify(step))
        await run(step)
      }
      const state = await read()
      left = decide(state, now.policy, now.options, identity, context.clock.now()).steps
      total = done.length + left.length
      veils = left.filter(isVeil(state))
      // A store that answers as if it were done, and is not, ends here and not in a circle.
      refuseDifferences(veils.filter((step) => unbound.has(JSON.stringify(step))).map(showStep))
    }
    const [asked, follows] = [others, left].map((list) => digestOf(list)) as [string, string]
    if (unbound.size > 0 && asked !== follows) throw stale('users who turn out to hold roles that were hidden behind some that do not exist', 'what was known when the plan was made', asked, follows)
    return others
  }

  const steps = await layOpen(now.steps)
  const enable = steps.find((step) => step.do === 'enable')
  for (const group of sideBySide(steps.filter((step) => step !== enable)))
    await eachAtOnce(group, atOnce, run).catch((error: unknown) => {
      // What was under way when the signal came has been done meanwhile, and counts. Any other failure says more than the signal.
      if (isEtcdRbacError(error, 'ERR_ABORTED')) goOn()
      throw error
    })
  let state = now.steps.length === 0 ? before : await read()
  let rest = remaining(state)
  if (enable === undefined) {
    refuseDifferences([...rest.steps.map(showStep), ...rest.blockers])
    return { steps: done, state, sever: now.sever }
  }

  // The last look before the door is locked: everything else holds, and the identity is root by what the store says.
  refuseForeign(foreign)
  refuseDifferences([...rest.steps.filter((step) => step.do !== 'enable').map(showStep), ...rest.blockers])
  await run(enable)
  await proveRoot(applier)
  state = await read()
  rest = remaining(state)
  // Between the last look and the lock the store was open.
  refuseDifferences([...rest.steps.map(showStep), ...rest.blockers, ...unreadableProblems(state), ...strangersWithRoot(state, wantedOf(now.policy, now.api), now.options, identity)])
  return { steps: done, state, sever: now.sever }
}

function refuseBlocked({ backend }: Applier, plan: Draft, found: readonly string[]): void {
  if (plan.api !== backend.api) throw new TypeError(`a plan for ${plan.api} cannot be applied to the ${backend.api} API`)
  const blockers = [...new Set([...plan.blockers, ...found])]
  if (blockers.length === 0) return
  throw new EtcdRbacError('ERR_PLAN_BLOCKED', { found: `a plan that must not be applied: ${few(blockers)}`, wanted: 'a plan without blockers', fix: 'remove what blocks it and plan again; nothing was written' }, { blockers })
}

function stale(found: string, wanted: string, planned: string, now: string): EtcdRbacError<'ERR_PLAN_STALE'> {
  return new EtcdRbacError('ERR_PLAN_STALE', { found, wanted, fix: 'plan again, and look at what is new' }, { planned, found: now })
}

function refuseDifferences(differences: readonly string[]): void {
  if (differences.length === 0) return
  throw new EtcdRbacError('ERR_READ_BACK', { found: `a store that differs from the policy after the writes: ${few(differences)}`, wanted: 'what the policy says', fix: 'look who else writes to this etcd, then plan and apply again' }, { differences })
}

/** Auth must not be enabled over users whose password somebody else may have chosen: planning again says so of them. */
function refuseForeign(users: readonly string[]): void {
  if (users.length === 0) return
  const differences = users.map((user) => `user ${visible(user)} was there already when it was to be made`)
  throw new EtcdRbacError('ERR_READ_BACK', { found: `${few(differences)}: while auth is off, anyone may have made it, with a password of their own`, wanted: 'users that this client made', fix: 'delete whom you did not make, then plan and apply again; if it was your client, which repeats writes by itself, only plan and apply again' }, { differences })
}
