/** Why a user may or may not do something, and the smallest grant that would change it. */
import { fromInterval, intersectIntervals, isEmptyInterval, missingFrom, toInterval, union } from '../keys/interval.js'
import type { KeyRange } from '../keys/key-range.js'
import { pattern, type Path, type PathPattern } from '../keys/pattern.js'
import { mergeTypes, type Permission } from '../keys/permission.js'
import { byScope } from '../keys/scope.js'
import { showKeys, showPermission } from '../keys/show.js'
import type { Anonymous } from './anonymous.js'
import { differencesOf, showDifference, type VersionDifference } from './differences.js'
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

/** An answer with its reasons. */
export interface Explanation {
  readonly allowed: boolean
  readonly needs: readonly NeedAnswer[]
  /**
   * The smallest permissions that would do: granted to one role of the user (on v2 without a user, to the guest) they make the answer yes, and each of
   * them is needed. One that replaces a permission of the user says all that is to be allowed there. Empty where no permission helps.
   */
  readonly grants: readonly Permission[]
  /** The releases of etcd that give the other answer. */
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
  const needs = needsOf(operation, question.server.has).map((need) => answerOf(need, question))
  const allowed = isAllowed(question)
  const grants = allowed ? [] : grantsFor(question, needs)
  const differs = differencesOf(question, allowed)
  const notes = notesOf(question, circumstances, allowed)
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
 * The narrowest pattern that opens a path: a recursive request counts patterns with a final `*` only, but for the guest, who needs the path alone. A
 * path that holds a `*` has no pattern of its own, since etcd takes one for literal only where it is not the last character, and `pattern` refuses
 * that: what stands before it opens it.
 */
export function patternFor({ path, recursive }: Path, guest = false): PathPattern {
  const star = path.indexOf('*')
  if (path === '') return pattern('*')
  return pattern(star !== -1 ? `${path.slice(0, star)}*` : recursive && !guest ? `${path}*` : path)
}

/** What would meet all needs that are not, or nothing where permissions alone do not: no role is held by who is no user on v3. */
function grantsFor({ api, user, server, rights }: Question, needs: readonly NeedAnswer[]): readonly Permission[] {
  const unmet = needs.filter(({ met }) => !met)
  const others = unmet.some(({ need: { need } }) => need !== 'read' && need !== 'write')
  if (server.unserved || server.turnedAway || others || (api === 'v3' && user === undefined)) return []
  const lacking = (type: 'read' | 'write'): readonly Permission[] => {
    const missing = unmet.flatMap((answer) => (answer.need.need === type ? answer.missing : []))
    const patterns = missing.flatMap((keys) => (keys.api === 'v2' ? [patternFor(keys, user === undefined)] : []))
    const ranges = union(missing.flatMap((keys) => (keys.api === 'v3' ? [toInterval(keys)] : []))).map(fromInterval)
    return [...patterns, ...ranges].map((keys) => ({ type, keys }))
  }
  // Etcd keeps one type for the same keys of a role: that which is granted last.
  const held = byScope(rights.granted.map(({ permission }) => permission))
  return [...byScope([...lacking('read'), ...lacking('write')])].map(([scope, { type, keys }]) => ({ type: mergeTypes(type, held.get(scope)?.type ?? type), keys }))
}

function notesOf({ policy, operation, server, cached, user, api }: Question, { etcd, via }: Circumstances, allowed: boolean): readonly string[] {
  const notes: string[] = []
  if (server.unserved) notes.push(`etcd ${etcd ?? ''} has no v2 API: 3.5 was the last to serve it`)
  if (server.turnedAway) notes.push('the gateway refuses every request that comes with a Common Name: use a certificate without one and a password user there')
  if (via !== undefined && user === undefined) notes.push(`through the ${via === 'gateway' ? 'gateway' : 'gRPC proxy'} etcd hears no Common Name: a certificate user is nobody there`)
  if (api === 'v3' && via === undefined && user === undefined && !allowed) notes.push('on v3 a client that no user names holds nothing, and no permission helps it: it must log in as a user')
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
