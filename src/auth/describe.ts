/** Plans for people to read before they apply them. */
import { checkFields } from '../known-fields.js'
import { markdownText } from '../policy/document/markdown.js'
import type { Plan } from './plan.js'
import { checkShownPlan } from './plan-shape.js'
import type { StoreNames } from './state.js'
import { showStep } from './step.js'
import { visible } from './visible.js'

/**
 * A plan as text or as Markdown, one step a line with its reason, and nothing that is invisible. Free of secrets, and the same for the same plan.
 *
 * @throws `TypeError` for what is no plan, and for a format that there is not
 * @example
 * ```ts
 * import { describe, type Plan } from 'etcd-rbac'
 * declare const plan: Plan
 * console.log(describe(plan))
 * ```
 */
export function describe(plan: Plan, options: { readonly format?: 'text' | 'markdown' } = {}): string {
  checkShownPlan(plan)
  checkFields(options, ['format'], 'the options of describe')
  const { format = 'text' } = options
  if ((format as unknown) !== 'text' && (format as unknown) !== 'markdown') throw new TypeError("format must be 'text' or 'markdown'")
  const { steps } = plan
  const server = `etcd ${visible(plan.version ?? 'of unknown version')}, ${plan.api} API`
  const title = `${server}: ${plan.outcome === 'in sync' ? 'in sync, nothing to do' : `${steps.length} ${steps.length === 1 ? 'step' : 'steps'}`}`
  return format === 'text' ? asText(title, plan) : asMarkdown(title, plan)
}

/** Whole, since a plan is read to its end; one that was kept as JSON may hold what no server and no policy put into it. */
function onOneLine(text: string): string {
  return visible(text, Number.POSITIVE_INFINITY)
}

function asText(title: string, plan: Plan): string {
  const width = String(plan.steps.length).length
  const numbered = plan.steps.map((step, index) => `  ${String(index + 1).padStart(width)}. ${onOneLine(`${showStep(step)} (${step.reason})`)}`)
  return [title, ...numbered, ...sectionsOf(plan).flatMap(([heading, lines]) => [`${heading}:`, ...lines.map((line) => `  - ${onOneLine(line)}`)])].join('\n')
}

function asMarkdown(title: string, plan: Plan): string {
  const rows = plan.steps.map((step, index) => `| ${index + 1} | ${markdownText(onOneLine(showStep(step)))} | ${markdownText(onOneLine(step.reason))} |`)
  const table = rows.length === 0 ? [] : ['', '| | step | why |', '|---|---|---|', ...rows]
  const sections = sectionsOf(plan).flatMap(([heading, lines]) => ['', `## ${heading}`, '', ...lines.map((line) => `- ${markdownText(onOneLine(line))}`)])
  return `${[`# ${markdownText(title)}`, '', `Plan \`${plan.fingerprint}\``, ...table, ...sections].join('\n')}\n`
}

/** What is worth knowing beside the steps, by headings; those without lines are left out. */
function sectionsOf(plan: Plan): readonly (readonly [heading: string, lines: readonly string[]])[] {
  const rights = plan.rights.flatMap(({ user, opens, closes }) => [
    ...(opens.length > 0 ? [`${visible(user)} gains ${opens.map((one) => visible(one)).join(', ')}`] : []),
    ...(closes.length > 0 ? [`${visible(user)} loses ${closes.map((one) => visible(one)).join(', ')}`] : []),
  ])
  const gaps = plan.gaps.map(({ user, permission, after }) => `${visible(user)}: ${permission}, after "${showStep(after)}"`)
  const listed = ({ users, roles }: StoreNames): readonly string[] => [...users.map((user) => `user ${visible(user)}`), ...roles.map((role) => `role ${visible(role)}`)]
  const shown = (texts: readonly string[]): string => texts.map((text) => visible(text)).join(', ')
  /** With what it holds, where it stays. */
  const held = (table: Readonly<Record<string, readonly string[]>>, name: string): string => (Object.hasOwn(table, name) ? ` (${shown(table[name] ?? []) || 'nothing'})` : '')
  const others = [
    ...plan.unmanaged.users.map((user) => `user ${visible(user)}${held(plan.stays.users, user)}`),
    ...plan.unmanaged.roles.map((role) => `role ${visible(role)}${held(plan.stays.roles, role)}`),
  ]
  const cut = plan.sever === 'everyone' ? ['every client: streams opened before auth was on go on without it'] : plan.sever.map((user) => `${visible(user)}: watches opened before go on with the old rights`)
  const { acknowledgeRoot = [], acknowledgeOpenV2, acknowledgePasswordsInLog, unmanaged } = plan.options
  const agreed = [
    ...acknowledgeRoot.map((user) => `${visible(user)} may hold role root without being in the policy`),
    ...(acknowledgeOpenV2 === true ? ['the v2 API of the same server may stay open to everybody'] : []),
    ...(acknowledgePasswordsInLog === true ? ['passwords may stand in clear in the log of members before 3.5'] : []),
    ...(unmanaged === 'keep' ? ['users and roles that the policy does not name stay, and are not listed'] : []),
  ]
  const altered = (['user', 'role'] as const).flatMap((kind) =>
    plan.altered[`${kind}s`].flatMap(({ name, ...change }) => (['gained', 'lost'] as const).flatMap((way) => (change[way].length > 0 ? [`${kind} ${visible(name)} ${way} ${kind === 'user' ? 'role ' : ''}${shown(change[way])}`] : []))),
  )
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['Rights that change', rights],
    ['Blocked', plan.blockers],
    ['Passwords wanted for', plan.needsPassword],
    ['For a moment without a right that they keep', gaps],
    ['Not in the policy, and with role root', plan.strangersWithRoot.map((user) => visible(user))],
    ['Not in the policy', others],
    ['Come since the plan was made', listed(plan.appeared)],
    ['Gone since the plan was made', listed(plan.disappeared)],
    ['Altered since the plan was made', altered],
    ['Of whom not all is known', listed(plan.unreadable)],
    ['The empty password lets in', plan.emptyPasswords.map((user) => visible(user))],
    ['Agreed to', agreed],
    ['Warnings', plan.warnings],
    ['Holes of this release that no policy closes', plan.advisories],
    ['Cut the connections afterwards (restart the members one at a time) of', cut],
  ]
  return sections.filter(([, lines]) => lines.length > 0)
}
