/** Why a user may or may not do something, and the smallest grant that would change it. */
import { ACCESS_CHANGES, accessChanges, type AccessChange } from '../advisories/access-changes.js'
import type { Since } from '../advisories/version.js'
import { fromInterval, intersectIntervals, isEmptyInterval, missingFrom } from '../keys/interval.js'
import type { KeyRange } from '../keys/key-range.js'
import { pattern, type Path, type PathPattern } from '../keys/pattern.js'
import type { Permission } from '../keys/permission.js'
import { showKeys, showPermission } from '../keys/show.js'
import type { Anonymous } from './anonymous.js'
import type { Asked } from './index-policy.js'
import { isAllowed, meets, questionOf, wantedBy, type Circumstances, type Question } from './judge.js'
import { needsOf, type Need } from './needs.js'
import type { Operation } from './operations.js'
import type { Policy } from './policy.js'
import { opened, type Granted } from './rights.js'

/** One right that the request takes, and whether the user has it. */
export interface NeedAnswer {
  readonly need: Need
  readonly met: boolean
  /** Who gives it: the permissions that cover a part of it, with their roles. Empty where role root does, or nothing. */
  readonly by: readonly Granted[]
  /** What no permission covers, exactly. Empty where the need is met, or where only role root would meet it. */
  readonly missing: readonly (KeyRange | Path)[]
}

/** A release in which the answer is another. */
export interface VersionDifference {
  readonly change: AccessChange
  /** Since which releases etcd does as the intended rules say. */
  readonly since: Since
  /** The advisory, where there is one. */
  readonly advisory: string | undefined
  /** The answer on releases before. */
  readonly before: boolean
}

/** An answer with its reasons. */
export interface Explanation {
  readonly allowed: boolean
  readonly needs: readonly NeedAnswer[]
  /** The smallest permissions that would meet what is missing. Empty where nothing is, or where only role root helps. */
  readonly grants: readonly Permission[]
  /** Where a release of etcd changes the answer. */
  readonly differs: readonly VersionDifference[]
  /** What the answer alone does not say: ways in which etcd leaks, and names that do not arrive. */
  readonly notes: readonly string[]
  /** All of it for people, a line each. */
  readonly text: string
}

/**
 * Why a user may or may not do an operation.
 *
 * @throws {@link EtcdRbacError} `ERR_USER_UNKNOWN`, `ERR_POLICY_HALF_MISSING`, `ERR_VERSION_UNSUPPORTED`
 * @example
 * ```ts
 * import { definePolicy, explain, get, prefix, range, read } from 'etcd-rbac'
 * const policy = definePolicy({
 *   users: { auditor: 'certificate' },
 *   v3: { roles: { audit: [read(range('/calico/a', '/calico/m'))] }, bindings: { auditor: ['audit'] } },
 * })
 * const { allowed, grants } = explain(policy, 'auditor', get(range('/calico/a', '/calico/z')))
 * console.log(allowed) // false
 * console.log(grants.length) // 1
 * ```
 */
export function explain<P extends Policy>(policy: Asked<P>, user: (keyof P['users'] & string) | Anonymous, operation: Operation, circumstances: Circumstances = {}): Explanation {
  const question = questionOf(policy, user, operation, circumstances)
  const needs = needsOf(operation, question.has).map((need) => answerOf(need, question))
  const allowed = isAllowed(question)
  const grants = allowed ? [] : needs.flatMap(grantsFor)
  const differs = differencesOf(question)
  const notes = notesOf(question, circumstances)
  return { allowed, needs, grants, differs, notes, text: [...textOf(allowed, needs, grants), ...differs.map(showDifference), ...notes].join('\n') }
}

function answerOf(need: Need, question: Question): NeedAnswer {
  const met = meets(need, question)
  const { root, granted, open } = question.rights
  if ((need.need !== 'read' && need.need !== 'write') || root) return { need, met, by: [], missing: [] }
  const { access, interval } = wantedBy(need)
  const by = granted.filter(({ permission }) => {
    const part = opened(permission, access, question.user === undefined)
    return part !== undefined && !isEmptyInterval(intersectIntervals(part, interval))
  })
  if (met) return { need, met, by, missing: [] }
  return { need, met, by, missing: need.keys.api === 'v2' ? [need.keys] : missingFrom(open[access], interval).map(fromInterval) }
}

/**
 * The narrowest pattern that opens a path: a recursive request counts patterns with a final `*` only. A path that holds a `*` has no pattern of
 * its own, since etcd takes one for literal only where it is not the last character, and `pattern` refuses that: what stands before it opens it.
 */
export function patternFor({ path, recursive }: Path): PathPattern {
  const star = path.indexOf('*')
  if (path === '') return pattern('*')
  return pattern(star !== -1 ? `${path.slice(0, star)}*` : recursive ? `${path}*` : path)
}

function grantsFor({ need, missing }: NeedAnswer): readonly Permission[] {
  if (need.need !== 'read' && need.need !== 'write') return []
  const type = need.need
  return missing.map((keys): Permission => ({ type, keys: keys.api === 'v2' ? patternFor(keys) : keys }))
}

function differencesOf(question: Question): readonly VersionDifference[] {
  const intended = isAllowed(question, () => true)
  return ACCESS_CHANGES.filter((change) => isAllowed(question, (other) => other !== change) !== intended).map((change) => {
    const { since, advisory } = accessChanges[change]
    return { change, since, advisory: advisory?.id, before: !intended }
  })
}

function notesOf({ policy, operation, turnedAway, cached, user, api }: Question, { via }: Circumstances): readonly string[] {
  const notes: string[] = []
  if (turnedAway) notes.push('the gateway refuses every request that comes with a Common Name: use a certificate without one and a password user there')
  if (via !== undefined && user === undefined) notes.push(`through the ${via === 'gateway' ? 'gateway' : 'gRPC proxy'} etcd hears no Common Name: a certificate user is nobody there`)
  if (cached) notes.push("the gRPC proxy answers a serializable read from its cache, to whomever, once a user with the right has read the keys (etcd#22065)")
  if (operation.op === 'watch') notes.push('rights are checked when the watch is opened, and never again: it outlives a revocation')
  if (api === 'v2' && (operation.op === 'put' || operation.op === 'del')) notes.push('on v2 a write returns the old value, whether its user may read or not')
  if (api === 'v2' && user === undefined && 'keys' in operation && operation.keys.api === 'v2' && operation.keys.recursive && (policy.v2?.guest.length ?? 0) > 0)
    notes.push('for the guest, etcd v2 takes an exact pattern for the whole subtree')
  return notes
}

function showNeed(need: Need): string {
  switch (need.need) {
    case 'user':
      return 'any client with a name'
    case 'root':
      return 'role root'
    case 'holder':
      return need.of === 'user' ? `being user ${need.name ?? '?'}, or role root` : `holding role ${need.name ?? '?'}, or role root`
    case 'read':
    case 'write':
      return `${need.need} ${showKeys(need.keys)}, since ${need.because}`
  }
}

function textOf(allowed: boolean, needs: readonly NeedAnswer[], grants: readonly Permission[]): readonly string[] {
  return [
    allowed ? 'allowed' : 'refused',
    ...needs.map(({ need, met, by, missing }) => {
      const given = by.length === 0 ? '' : ` by ${by.map(({ role, permission }) => `role ${role} (${showPermission(permission)})`).join(' and ')}`
      if (met) return `  has ${showNeed(need)}${given}`
      return `  lacks ${showNeed(need)}${missing.length === 0 ? '' : `: nothing covers ${missing.map(showKeys).join(', ')}`}`
    }),
    ...(grants.length === 0 ? [] : [`  would do: ${grants.map(showPermission).join(', ')}`]),
  ]
}

function showDifference({ change, since, advisory, before }: VersionDifference): string {
  const fixed = Object.entries(since).map(([minor, patch]) => `${minor}.${patch}`)
  return `  ${before ? 'allowed' : 'refused'} before etcd ${fixed.join(', ')}: ${accessChanges[change].before}${advisory === undefined ? '' : ` (${advisory})`}`
}
