/** A policy made ready for many questions. */
import { unknownUser } from '../names.js'
import { anonymous, type Anonymous } from './anonymous.js'
import type { Policy } from './policy.js'
import { readyRights, rightsOf, type Rights } from './rights.js'

declare const compiled: unique symbol

/** A policy made ready for many questions: pass it to `can`, `explain` and their kin in place of the policy. */
export interface PolicyIndex<P extends Policy = Policy> {
  readonly policy: P
  /** Never there at run time: it tells an index from a policy. */
  readonly [compiled]?: never
}

type Compiled = (api: 'v2' | 'v3', user: string | undefined) => Rights

const indexes = new WeakMap<PolicyIndex, Compiled>()

function remembered(policy: Policy): Compiled {
  const known = { v2: new Map<string | undefined, Rights>(), v3: new Map<string | undefined, Rights>() }
  return (api, user) => {
    const found = known[api].get(user)
    if (found !== undefined) return found
    const made = readyRights(rightsOf(policy, api, user))
    known[api].set(user, made)
    return made
  }
}

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null

/** What plain JavaScript may have passed: the tables of a policy, not what is in them. */
function checkedPolicy<P extends Policy>(policy: P): P {
  const { users, v3, v2 } = Object(policy) as Readonly<Record<string, unknown>>
  const isHalf = (half: unknown): boolean => half === undefined || (isTable(half) && isTable(half['roles']) && isTable(half['bindings']))
  const guest = v2 === undefined || (isTable(v2) && Array.isArray(v2['guest']))
  if (!isTable(users) || !isHalf(v3) || !isHalf(v2) || !guest) throw new TypeError('a policy must be one that definePolicy or parsePolicy made, or its index')
  return policy
}

/**
 * Makes a policy ready for many questions. Each user's intervals are sorted and merged when it is first asked about, in O(n log n); every later
 * question about it takes O(log n).
 *
 * @example
 * ```ts
 * import { can, definePolicy, get, indexPolicy, prefix, read } from 'etcd-rbac'
 * const policy = definePolicy({ users: { a: 'certificate' }, v3: { roles: { r: [read(prefix('/x/'))] }, bindings: { a: ['r'] } } })
 * const index = indexPolicy(policy)
 * console.log(can(index, 'a', get('/x/1'))) // true
 * ```
 */
export function indexPolicy<P extends Policy>(policy: P): PolicyIndex<P> {
  const index: PolicyIndex<P> = Object.freeze({ policy: checkedPolicy(policy) })
  indexes.set(index, remembered(policy))
  return index
}

/** A policy, or its index. */
export type Asked<P extends Policy> = P | PolicyIndex<P>

/** The policy, and what a client holds by it. A plain policy is compiled for that one question. */
export function lookUp<P extends Policy>(asked: Asked<P>): { readonly policy: P; readonly rights: Compiled } {
  const known = indexes.get(asked as PolicyIndex)
  if (known !== undefined) return { policy: (asked as PolicyIndex<P>).policy, rights: known }
  const policy = checkedPolicy(asked as P)
  return { policy, rights: (api, user) => rightsOf(policy, api, user) }
}

/**
 * The name of a user, `undefined` for `anonymous`.
 *
 * @throws {@link EtcdRbacError} `ERR_USER_UNKNOWN`
 */
export function checkedUser(policy: Policy, user: string | Anonymous): string | undefined {
  if (user === anonymous) return undefined
  if (typeof user !== 'string') throw new TypeError('a user is a name, or anonymous')
  if (Object.hasOwn(policy.users, user)) return user
  throw unknownUser(user, Object.keys(policy.users))
}
