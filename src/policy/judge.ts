/** Whether the rights of a user meet what a request takes: the one place where `can`, `explain` and the checks of policies decide. */
import { accessOf, V2_REMOVED, type AccessChange } from '../advisories/access-changes.js'
import { isSince, parseVersion } from '../advisories/version.js'
import { checkFields } from '../known-fields.js'
import { pathInterval, toInterval, type Interval } from '../keys/interval.js'
import type { Anonymous } from './anonymous.js'
import { checkHalf } from './half.js'
import { checkedUser, lookUp, type Asked } from './index-policy.js'
import { apiOf, needsOf, type Need } from './needs.js'
import { checkedOperation, type Operation } from './operations.js'
import type { Policy } from './policy.js'
import type { Access, Rights } from './rights.js'

/** The circumstances of a question. */
export interface Circumstances {
  /** The server's release, such as `'3.5.30'`. Default: etcd's intended rules, as the newest releases have them. */
  readonly etcd?: string
  /**
   * How the request comes in. Through the HTTP gateway and the gRPC proxy no Common Name reaches etcd, so that a certificate user is nobody
   * there. Default: straight, or through the TCP forwarder. A client that shows no certificate where the server asks for none is `anonymous`
   * through the gateway: etcd hears no name of it either.
   */
  readonly via?: 'gateway' | 'grpc-proxy'
}

const WAYS: readonly unknown[] = [undefined, 'gateway', 'grpc-proxy'] satisfies readonly Circumstances['via'][]

/** A question whose parts were checked. */
export interface Question {
  readonly policy: Policy
  readonly operation: Operation
  /** `undefined`: neither, so that no right of a policy is asked. */
  readonly api: 'v2' | 'v3' | undefined
  /** `undefined`: a client that no user names. */
  readonly user: string | undefined
  /** Whether etcd hears any name at all, if only one that no user has. */
  readonly named: boolean
  /** Whether the client's Common Name gets lost at the gateway. */
  readonly lostName: boolean
  /** Whether the cache of the gRPC proxy may answer in etcd's place, to whomever. */
  readonly cached: boolean
  readonly server: Server
  readonly rights: Rights
}

/** What depends on the server's release. */
export interface Server {
  readonly has: (change: AccessChange) => boolean
  /** Whether the way refuses the client before etcd looks at its request. */
  readonly turnedAway: boolean
  /** Whether the release has no such API. */
  readonly unserved: boolean
}

function serverOf({ api, lostName }: Pick<Question, 'api' | 'lostName'>, etcd: string | undefined): Server {
  const version = etcd === undefined ? undefined : parseVersion(etcd)
  return {
    has: accessOf(etcd),
    turnedAway: lostName && (version === undefined || version.minor >= 4),
    unserved: api === 'v2' && version !== undefined && isSince(version, V2_REMOVED),
  }
}

/** The same question to another release. */
export function askedOf(question: Question, etcd: string): Question {
  return { ...question, server: serverOf(question, etcd) }
}

const NO_RIGHTS: Rights = { root: false, roles: [], granted: [], open: { read: [], write: [], 'recursive read': [], 'recursive write': [] }, covers: () => false }

/**
 * Checks a question.
 *
 * @throws {@link EtcdRbacError} `ERR_USER_UNKNOWN`, `ERR_POLICY_HALF_MISSING`, `ERR_VERSION_UNSUPPORTED`
 */
export function questionOf<P extends Policy>(asked: Asked<P>, user: string | Anonymous, operation: Operation, circumstances: Circumstances): Question {
  const { policy, rights } = lookUp(asked)
  checkFields(circumstances, ['etcd', 'via'], 'circumstances')
  const { etcd, via } = circumstances
  checkedOperation(operation)
  const name = checkedUser(policy, user)
  const api = apiOf(operation)
  if (api !== undefined) checkHalf(policy, api)
  if (!WAYS.includes(via)) throw new TypeError("via must be 'gateway' or 'grpc-proxy'")
  if (via !== undefined && api === 'v2') throw new TypeError('the v2 API is not served by the gateway or the gRPC proxy')
  const known = via === undefined || (name !== undefined && policy.users[name] === 'password') ? name : undefined
  const lostName = via === 'gateway' && name !== undefined && known === undefined && api !== undefined
  return {
    policy,
    operation,
    api,
    user: known,
    named: via === undefined || known !== undefined,
    lostName,
    cached: via === 'grpc-proxy' && operation.op === 'get' && operation.serializable === true,
    server: serverOf({ api, lostName }, etcd),
    rights: api === undefined ? NO_RIGHTS : rights(api, known),
  }
}

/** The need for keys as an access and an interval of bytes. */
export function wantedBy({ need, keys }: Extract<Need, { readonly keys: unknown }>): { readonly access: Access; readonly interval: Interval } {
  if (keys.api === 'v3') return { access: need, interval: toInterval(keys) }
  return { access: keys.recursive ? `recursive ${need}` : need, interval: pathInterval(keys) }
}

/** Whether a need is met. */
export function meets(need: Need, { user, named, rights: { root, roles, covers } }: Question): boolean {
  switch (need.need) {
    case 'user':
      return named
    case 'root':
      return root
    case 'holder':
      return root || (user !== undefined && (need.of === 'user' ? need.name === user : need.name !== undefined && roles.includes(need.name)))
    case 'read':
    case 'write': {
      const { access, interval } = wantedBy(need)
      return root || covers(access, interval)
    }
  }
}

/** The answer to a question. */
export function isAllowed(question: Question, has: Server['has'] = question.server.has): boolean {
  const { cached, server } = question
  if (server.unserved) return false
  if (cached) return true
  return !server.turnedAway && needsOf(question.operation, has).every((need) => meets(need, question))
}
