/** A plan from JSON: as it was made, or not at all. */
import { EtcdRbacError } from '../errors.js'
import { checkedPolicy } from '../policy/check.js'
import { checkPlanOptions, type PlanOptions } from './plan-options.js'
import { planFault } from './plan-shape.js'
import { fingerprintOf, sealed, type Draft, type Plan } from './plan.js'
import { tableOf } from './state.js'
import { MESSAGE_MAX, visible } from './visible.js'

/**
 * A plan that was kept as JSON. `EtcdAuth.apply` works out anew what it writes, from the policy in it and from the store; this makes sure that what people
 * looked at is that plan.
 *
 * @param json What `JSON.parse` gave.
 * @throws {@link EtcdRbacError} `ERR_PLAN_INVALID` for what is no plan, or was changed after it was made; `ERR_POLICY_INVALID`
 * @example
 * ```ts
 * import { definePolicy, parsePlan, planAuth } from 'etcd-rbac'
 * const policy = definePolicy({ users: { root: 'certificate' }, v3: { roles: {}, bindings: { root: ['root'] } } })
 * const plan = planAuth({ api: 'v3', version: '3.5.35', enabled: false, users: {}, roles: {} }, policy, { unmanaged: 'report', enable: true }, { user: 'root' }, new Date())
 * console.log(parsePlan(JSON.parse(JSON.stringify(plan))).fingerprint === plan.fingerprint) // true
 * ```
 */
export function parsePlan(json: unknown): Plan {
  const fault = planFault(json)
  if (fault !== undefined) throw invalid(fault)
  const { outcome, fingerprint, ...rest } = json as Plan
  const found: Draft = { ...rest, version: rest.version }
  checkFingerprint(json as Plan)
  checkOptions(found.options)
  // JSON has no undefined, and a table of it has a prototype.
  const steps = found.steps.map((step) => (step.do === 'grantPermission' ? { ...step, replaces: step.replaces } : step))
  const stays = { users: tableOf(Object.entries(found.stays.users)), roles: tableOf(Object.entries(found.stays.roles)) }
  const plan = sealed({ ...found, steps, policy: checkedPolicy(found.policy), stays })
  if (plan.outcome !== outcome || plan.fingerprint !== fingerprint) throw invalid(contentOfAnother(fingerprint))
  return plan
}

/**
 * Refuses a plan that is not the one of its fingerprint: who agreed to that one has not seen this.
 *
 * @throws {@link EtcdRbacError} `ERR_PLAN_INVALID`
 */
export function checkFingerprint(plan: Plan): void {
  if (fingerprintOf(plan) !== plan.fingerprint) throw invalid(contentOfAnother(plan.fingerprint))
}

/** Of whatever plain JavaScript has there. */
function contentOfAnother(fingerprint: unknown): string {
  return `content that is not that of its fingerprint, ${visible(String(fingerprint), 40)}`
}

/** What would be a mistake of the program elsewhere is one of the JSON here. */
function checkOptions(options: PlanOptions): void {
  try {
    checkPlanOptions(options)
  } catch (error) {
    throw invalid(`options that are none: ${visible(error instanceof Error ? error.message : String(error), MESSAGE_MAX)}`, error)
  }
}

function invalid(reason: string, cause?: unknown): EtcdRbacError<'ERR_PLAN_INVALID'> {
  return new EtcdRbacError('ERR_PLAN_INVALID', { found: `a plan with ${reason}`, wanted: 'a plan as EtcdAuth.plan made it, by this release', fix: 'plan again' }, { reason }, cause)
}
