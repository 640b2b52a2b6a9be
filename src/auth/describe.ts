/** Plans for people to read before they apply them. */
import type { Plan } from './plan.js'
import { showStep } from './step.js'
import { visible } from './visible.js'

/**
 * A plan as text, one step a line with its reason. Free of secrets, and the same for the same plan.
 *
 * @example
 * ```ts
 * import { describe, type Plan } from 'etcd-rbac'
 * declare const plan: Plan
 * console.log(describe(plan))
 * ```
 */
export function describe(plan: Plan): string {
  const { steps } = plan
  const server = `etcd ${visible(plan.version ?? 'of unknown version')}, ${plan.api} API`
  const width = String(steps.length).length
  const numbered = steps.map((step, index) => `  ${String(index + 1).padStart(width)}. ${showStep(step)} (${step.reason})`)
  const section = (title: string, lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : [title, ...lines.map((line) => `  - ${line}`)])
  const cut = plan.sever === 'everyone' ? ['every client: streams opened before auth was on go on without it'] : plan.sever.map((user) => `${visible(user)}: watches opened before go on with the old rights`)
  return [
    steps.length === 0 ? `${server}: in sync, nothing to do` : `${server}: ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}`,
    ...numbered,
    ...section('Blocked:', plan.blockers),
    ...section('Passwords wanted for:', plan.needsPassword),
    ...section(
      'For a moment without a right that they keep:',
      plan.gaps.map(({ user, permission, after }) => `${visible(user)}: ${permission}, after "${showStep(after)}"`),
    ),
    ...section('Not in the policy:', [...plan.unmanaged.users.map((user) => `user ${visible(user)}`), ...plan.unmanaged.roles.map((role) => `role ${visible(role)}`)]),
    ...section('Warnings:', plan.warnings),
    ...section('Cut the connections afterwards (restart the members one at a time) of:', cut),
  ].join('\n')
}
