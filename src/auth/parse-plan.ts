/** A plan from JSON: as it was made, or not at all. */
import { EtcdRbacError } from '../errors.js'
import { checkedPolicy } from '../policy/check.js'
import { checkPlanOptions, type PlanOptions } from './plan-options.js'
import { fingerprintOf, sealed, type Draft, type Plan } from './plan.js'

const LISTS = ['advisories', 'steps', 'needsPassword', 'blockers', 'warnings', 'gaps', 'rights', 'strangersWithRoot', 'emptyPasswords'] as const

const PAIRS = ['unmanaged', 'unreadable', 'appeared'] as const

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
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid('no object')
  const { outcome, fingerprint, ...rest } = json as Partial<Plan>
  if (rest.api !== 'v2' && rest.api !== 'v3') throw invalid('no api')
  if (typeof fingerprint !== 'string' || typeof rest.basis !== 'string') throw invalid('no fingerprint or no basis')
  if (!Number.isInteger(rest.reads)) throw invalid('no number of reads')
  for (const list of LISTS) if (!Array.isArray(rest[list])) throw invalid(`no list of ${list}`)
  for (const pair of PAIRS) if (!Array.isArray(rest[pair]?.users) || !Array.isArray(rest[pair].roles)) throw invalid(`no lists of users and roles that are ${pair}`)
  const found = { ...rest, version: rest.version } as Draft
  if (fingerprintOf(found) !== fingerprint) throw invalid(`content that is not that of ${fingerprint.slice(0, 40)}`)
  checkPlanOptions(found.options)
  // JSON has no undefined, and a table of it has a prototype.
  const steps = found.steps.map((step) => (step.do === 'grantPermission' ? { ...step, replaces: step.replaces } : step))
  const plan = sealed({ ...found, steps, policy: checkedPolicy(found.policy), options: found.options satisfies PlanOptions })
  if (plan.outcome !== outcome || plan.fingerprint !== fingerprint) throw invalid(`content that is not that of ${fingerprint.slice(0, 40)}`)
  return plan
}

function invalid(reason: string): EtcdRbacError<'ERR_PLAN_INVALID'> {
  return new EtcdRbacError('ERR_PLAN_INVALID', { found: `a plan with ${reason}`, wanted: 'a plan as EtcdAuth.plan made it, by this release', fix: 'plan again' }, { reason })
}
