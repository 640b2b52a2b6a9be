/** Reading a denial: what a log line or an error says of its cause, and the smallest permission that would help, if it can be known. */
import { quoted } from '../errors.js'
import type { Permission } from '../keys/permission.js'
import { byScope } from '../keys/scope.js'
import { path } from '../keys/pattern.js'
import { unpacked } from './denial/line.js'
import { askedIn, type Asked } from './denial/request.js'
import { SIGNS, type DenialCause, type Sign } from './denial/signs.js'
import { explain, patternFor } from './explain.js'
import { indexPolicy, lookUp, type Asked as AskedPolicy } from './index-policy.js'
import { needsOf } from './needs.js'
import { get, put, type Operation } from './operations.js'
import type { Policy } from './policy.js'

/** What is known beside the text. */
export interface DenialContext<P extends Policy = Policy> {
  /** The policy that etcd should hold: what it gives already is not proposed. */
  readonly policy?: AskedPolicy<P>
  /** Who was denied, where the text does not say so. */
  readonly user?: keyof P['users'] & string
}

/** A denial, as far as it can be read. */
export interface Denial {
  readonly cause: DenialCause
  /** Who was denied, by the text or by the context. */
  readonly user: string | undefined
  /** What was asked, where the text says all of it. */
  readonly operation: Operation | undefined
  /** The smallest permissions that would do. Empty where none helps, or where the keys are not in the text: they are never guessed. */
  readonly proposals: readonly Permission[]
  /** What cannot be known from the text. */
  readonly unknown: readonly string[]
  readonly fix: string
}

/**
 * Reads a denial: a line of etcd's log (3.3 to 3.7), an error of gRPC in Go or Node, the answer of the v2 API, a line of Calico or kube-apiserver,
 * an error of TLS. Of several lines, the first that is a denial counts.
 *
 * A line is read as etcd wrote it, and with what journald, a container runtime, Docker or `docker compose logs` put around it.
 *
 * A key that is not in the text is never proposed. etcd logs a denied read only if it was slow (100 ms, unless told otherwise), and then without its
 * user; no error of gRPC names a key.
 *
 * @param text The line or message as it stands, quoting and all.
 * @throws {@link EtcdRbacError} `ERR_USER_UNKNOWN` for a user of the context that the policy does not declare
 * @example
 * ```ts
 * import { explainDenied, showPermission } from 'etcd-rbac'
 * const { user, proposals } = explainDenied(
 *   '{"level":"warn","msg":"failed to apply request","request":"header:<ID:1 username:\\"node\\" auth_revision:8 > put:<key:\\"/calico/x\\" value_size:1 >","error":"auth: permission denied"}',
 * )
 * console.log(user, proposals.map(showPermission)) // node [ 'write /calico/x' ]
 * ```
 */
export function explainDenied<P extends Policy = Policy>(text: string, context: DenialContext<P> = {}): Denial {
  if (typeof text !== 'string') throw new TypeError('text must be a string')
  const policy = context.policy === undefined ? undefined : indexPolicy(lookUp(context.policy).policy as Policy)
  if (policy !== undefined && context.user !== undefined) lookUpUser(policy.policy, context.user)
  const { line, sign } = denialIn(text) ?? {}
  if (line === undefined || sign === undefined)
    return { cause: 'unrecognized', user: context.user, operation: undefined, proposals: [], unknown: ['whether etcd denied anything: no known form of a denial is in the text'], fix: "look into etcd's log at that time" }

  const asks = ['permission', 'root only', 'v2 credentials or permission', 'unknown user', 'wrong password'].includes(sign.cause)
  const asked = asks ? askedIn(line) : undefined
  const user = asked?.user ?? context.user
  const denial: Denial = { cause: sign.cause, user, operation: asked?.operation, proposals: [], unknown: sign.unknown, fix: sign.fix }
  if (asked === undefined || (sign.cause !== 'permission' && sign.cause !== 'v2 credentials or permission')) return denial
  return permissionDenial(denial, asked, policy)
}

/** What is read of a line: far more than etcd logs of a request, so that no expression takes long over a text that is none. */
const LONGEST = 65_536

/** The first line with a sign of a denial, or the text as a whole: some errors break in the middle. */
function denialIn(text: string): { readonly line: string; readonly sign: Sign } | undefined {
  for (const whole of [...text.split('\n'), text]) {
    const line = unpacked(whole.slice(0, LONGEST))
    const sign = SIGNS.find(({ within, match }) => (within === undefined || line.includes(within)) && match.test(line))
    if (sign !== undefined) return { line, sign }
  }
  return undefined
}

function lookUpUser(policy: Policy, user: string): void {
  // Asked for its error alone.
  explain(policy, user, policy.v3 === undefined ? get(path('')) : get('\0'))
}

/** What a denied request lacks: by the policy where there is one and it knows the user, otherwise everything that it takes. */
function permissionDenial(denial: Denial, asked: Asked, policy: { readonly policy: Policy } | undefined): Denial {
  const { user } = denial
  const unknown = [...denial.unknown, ...(user === undefined ? ['who was denied'] : []), ...asked.unknown]
  const operation = asked.operation ?? (asked.path === undefined ? undefined : missingOn(asked.path, user, policy?.policy))
  if (operation === undefined) return { ...denial, unknown }
  const known = asked.operation === undefined ? unknown.map((one) => (one.startsWith('whether it was to be read or written') ? 'whether it was recursive: etcd v2 does not log that' : one)) : unknown
  const api = 'keys' in operation ? operation.keys.api : 'v3'
  if (user !== undefined && policy !== undefined) {
    if (!Object.hasOwn(policy.policy.users, user)) return { ...denial, operation, proposals: wholeNeed(operation), unknown: known, fix: `declare user ${quoted(user)}, which the policy does not know, and ${denial.fix}` }
    if (policy.policy[api] !== undefined) {
      const { allowed, grants } = explain(policy.policy, user, operation)
      if (allowed && asked.leased)
        return { ...denial, operation, proposals: [], unknown: known, fix: `the policy allows the put by itself: it attaches the key to a lease, which takes the right to write every key that is on it already. Find them (etcdctl lease timetolive --keys), and let user ${quoted(user)} write them or take a lease of its own` }
      if (allowed)
        return { ...denial, operation, proposals: [], unknown: known, fix: 'the policy allows this: etcd holds something else (plan it to see), or asks for more on its release (give explain the version), or another user was denied' }
      return { ...denial, operation, proposals: merged(grants), unknown: known }
    }
  }
  return { ...denial, operation, proposals: wholeNeed(operation), unknown: known }
}

function wholeNeed(operation: Operation): readonly Permission[] {
  return merged(needsOf(operation, () => true).flatMap((need) => (need.need === 'read' || need.need === 'write' ? [{ type: need.need, keys: need.keys.api === 'v2' ? patternFor(need.keys) : need.keys }] : [])))
}

const merged = (permissions: readonly Permission[]): readonly Permission[] => [...byScope(permissions).values()]

/** For a v2 path without a method: what the user lacks there, if it lacks one thing alone. */
function missingOn(text: string, user: string | undefined, policy: Policy | undefined): Operation | undefined {
  if (user === undefined || policy?.v2 === undefined || !Object.hasOwn(policy.users, user)) return undefined
  const lacking = [get(path(text)), put(path(text))].filter((operation) => !explain(policy, user, operation).allowed)
  return lacking.length === 1 ? lacking[0] : undefined
}
