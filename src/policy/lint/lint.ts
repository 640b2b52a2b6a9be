/** Everything that looks wrong with a policy. */
import { checkPolicy } from '../check.js'
import { checkedContext } from './checked-context.js'
import { contextFindings, type LintContext } from './context.js'
import { disagreements } from './disagreements.js'
import type { Finding } from './finding.js'
import { guestFindings, halfFindings, type IsRefused } from './halves.js'
import { refusals } from './refusals.js'

const SEVERITIES: readonly Finding['severity'][] = ['error', 'warning', 'info']

/**
 * What looks wrong with a policy, the gravest first. No policy makes it throw: what `definePolicy` and `parsePolicy` refuse is found too, and the
 * rest is judged without it.
 *
 * @param policy A policy, or what may become one: JSON of unknown origin, an adopted state.
 * @param context What is around it. One of wrong types is a `TypeError`: it comes from the caller, and a misspelt field would pass for nothing found.
 * @example
 * ```ts
 * import { allKeys, definePolicy, lint, read } from 'etcd-rbac'
 * const policy = definePolicy({ users: { root: 'certificate' }, v3: { roles: { all: [read(allKeys())] }, bindings: { root: ['root'] } } })
 * for (const { code, where } of lint(policy)) console.log(code, where)
 * ```
 */
export function lint(policy: unknown, context: LintContext = {}): readonly Finding[] {
  const around = checkedContext(context)
  const { problems, policy: sound } = checkPolicy(policy)
  const refused = refusals(problems)
  const paths = problems.map(({ path }) => path)
  const isRefused: IsRefused = (where, all) => paths.some((path) => path === where || (all === undefined && (path.startsWith(`${where}.`) || path.startsWith(`${where}[`))))
  const found = [
    ...refused,
    ...(sound.v3 === undefined ? [] : halfFindings(sound, 'v3', sound.v3, isRefused)),
    ...(sound.v2 === undefined ? [] : [...halfFindings(sound, 'v2', sound.v2, isRefused), ...guestFindings(sound.v2)]),
    ...disagreements(sound),
    ...contextFindings(sound, around),
  ]
  const rank = ({ severity }: Finding): number => SEVERITIES.indexOf(severity)
  return found.sort((a, b) => rank(a) - rank(b))
}
