/** What a plan is made of, looked at before anything is done with one that may be none: it may come from JSON, or from plain JavaScript. */
import { isEtcdRbacError } from '../errors.js'
import { checkStep, isStored } from './check-step.js'
import type { Gap } from './order.js'
import type { Plan } from './plan.js'
import type { RightsChange } from './rights-change.js'
import type { Api, StoredPermission, StoreNames } from './state.js'
import type { Step } from './step.js'
import type { Alteration } from './unmanaged.js'

type Loose<T> = { readonly [Field in keyof T]?: unknown }

const TEXTS = ['advisories', 'needsPassword', 'blockers', 'warnings', 'strangersWithRoot', 'emptyPasswords'] as const

/** Deeper than any plan: far less than what JSON holds and the call stack does not. */
const LEVELS = 32

/** What keeps it from being a plan, as a noun with its article; `undefined` where nothing does. */
export function planFault(json: unknown): string | undefined {
  if (!isObject(json)) return 'no object'
  if (isDeeper(json, LEVELS)) return `more than ${LEVELS} levels`
  const { api, fingerprint, basis, reads, version, policy, options, steps, gaps, rights, unmanaged, unreadable, appeared, disappeared, stays, altered, sever, ...rest } = json as Loose<Plan>
  if (api !== 'v2' && api !== 'v3') return 'no api'
  if (typeof fingerprint !== 'string' || typeof basis !== 'string') return 'no fingerprint or no basis'
  if (!Number.isInteger(reads)) return 'no number of reads'
  if (version !== undefined && typeof version !== 'string') return 'a version that is no text'
  if (!isObject(policy) || !isObject(options)) return 'no policy or no options'
  for (const list of TEXTS) if (!isTexts(rest[list])) return `no list of ${list}`
  if (!isListOf(steps, (step) => isStep(api, step))) return 'no list of steps'
  if (!isListOf(gaps, (gap) => isGap(api, gap))) return 'no list of gaps'
  if (!isListOf(rights, isRightsChange)) return 'no list of rights'
  for (const [what, names] of Object.entries({ unmanaged, unreadable, appeared, disappeared })) {
    const { users, roles } = (names ?? {}) as Loose<StoreNames>
    if (!isTexts(users) || !isTexts(roles)) return `no lists of what is ${what}`
  }
  const [kept, otherwise] = [stays, altered].map((tables) => (tables ?? {}) as Loose<StoreNames>)
  if (!isTableOfTexts(kept?.users) || !isTableOfTexts(kept?.roles)) return 'no tables of what stays'
  if (!isListOf(otherwise?.users, isAlteration) || !isListOf(otherwise?.roles, isAlteration)) return 'no lists of what is altered'
  if (sever !== 'everyone' && !isTexts(sever)) return 'no list of whom to sever'
  return undefined
}

/**
 * Refuses what cannot be applied as a plan. Whether it is one as it was made is judged by what follows from it.
 *
 * @throws `TypeError`
 */
export function checkPlan(plan: unknown): void {
  const { steps, blockers, needsPassword, policy, options } = (plan ?? {}) as Loose<Plan>
  if (![steps, blockers, needsPassword].every(Array.isArray) || !isObject(policy) || !isObject(options)) throw noPlan()
  if (isDeeper(plan, LEVELS)) throw noPlan(`more than ${LEVELS} levels`)
}

/**
 * Refuses what cannot be shown as a plan.
 *
 * @throws `TypeError`
 */
export function checkShownPlan(plan: unknown): void {
  const fault = planFault(plan)
  if (fault !== undefined) throw noPlan(fault)
}

function noPlan(fault?: string): TypeError {
  return new TypeError(`plan must be a plan, as EtcdAuth.plan, planAuth and parsePlan give it${fault === undefined ? '' : `: found one with ${fault}`}`)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isListOf(value: unknown, isOne: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne)
}

function isTexts(value: unknown): boolean {
  return isListOf(value, (one) => typeof one === 'string')
}

function isTableOfTexts(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isTexts)
}

function isAlteration(given: unknown): boolean {
  const { name, gained, lost } = (given ?? {}) as Loose<Alteration>
  return typeof name === 'string' && isTexts(gained) && isTexts(lost)
}

/** Goes no further down than that itself. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}

/** One whose names or keys must not be sent is a step all the same, to be looked at. */
function isStep(api: Api, given: unknown): boolean {
  if (!isObject(given)) return false
  const { reason, user = '', role = '', permission } = given as { readonly reason?: unknown; readonly user?: unknown; readonly role?: unknown; readonly permission?: { readonly keys?: StoredPermission['keys'] } | null }
  if (![reason, user, role].every((text) => typeof text === 'string') || (permission !== undefined && !isStored(api, permission?.keys))) return false
  try {
    checkStep(api, given as Step)
    return true
  } catch (error) {
    return isEtcdRbacError(error)
  }
}

function isGap(api: Api, given: unknown): boolean {
  const { user, permission, after } = (given ?? {}) as Loose<Gap>
  return typeof user === 'string' && typeof permission === 'string' && isStep(api, after)
}

function isRightsChange(given: unknown): boolean {
  const { user, opens, closes } = (given ?? {}) as Loose<RightsChange>
  return typeof user === 'string' && isTexts(opens) && isTexts(closes)
}
