/**
 * Comparing rights: what one set of permissions opens that another does not. Every "no" comes with a request that shows it; every "yes" is a
 * proof over all keys, since rights are intervals.
 */
import { EtcdRbacError } from '../errors.js'
import { checkedKeys, checkedPermissions } from '../keys/checked.js'
import { difference, intersection, patternInterval, toInterval, union, type Interval, type IntervalSet } from '../keys/interval.js'
import { keyText, type KeyRange, type KeyText } from '../keys/key-range.js'
import type { PathPattern } from '../keys/pattern.js'
import type { Permission } from '../keys/permission.js'
import { anonymous, type Anonymous } from './anonymous.js'
import { checkHalf, checkPolicy } from './half.js'
import { checkedUser, lookUp, type Asked } from './index-policy.js'
import type { Policy } from './policy.js'
import { meeting, namedBy, reachOf, type Reach } from './reach.js'
import { openedBy, rightsOf, type Access, type Rights } from './rights.js'

/** That something holds, or a counterexample. */
export type Verdict<C> = { readonly holds: true } | { readonly holds: false; readonly counterexample: C }

/** A request that shows a difference: an access, and the v3 key or v2 path. */
export interface Example {
  readonly access: Access
  readonly key: KeyText
  /** On v2, where keys were asked about: the request, which may be for another path than the key's, and what it does to the key. */
  readonly by?: string
}

/** What a client may do that it should not, or could not before. `root`: it holds role root, which is more than every key. */
export interface ClientExample {
  readonly user: string | Anonymous
  readonly api: 'v2' | 'v3'
  readonly gained: Example | 'root'
}

const ACCESSES: readonly Access[] = ['read', 'write', 'recursive read', 'recursive write']

const proof = { holds: true } as const

function verdict<C>(counterexample: C | undefined): Verdict<C> {
  return counterexample === undefined ? proof : { holds: false, counterexample }
}

/** A key of an interval that is not empty: its first one. Only the v2 pattern for everything begins before all keys, with the root. */
function firstOf({ start }: Interval): KeyText {
  return start.length === 0 ? '/' : keyText(start)
}

/** The first access of which `sets` yields something, with a key. */
function example(sets: (access: Access) => IntervalSet): Example | undefined {
  for (const access of ACCESSES) {
    const [first] = sets(access)
    if (first !== undefined) return { access, key: firstOf(first) }
  }
  return undefined
}

function sameApi(...lists: readonly (readonly Permission[])[]): void {
  if (new Set(lists.flatMap(checkedPermissions).map(({ keys }) => keys.api)).size > 1) throw new TypeError('permissions on v3 keys and on v2 paths cannot be compared')
}

/**
 * Whether `wider` opens everything that `narrower` opens: whether every request that etcd allows a user by `narrower` it allows by `wider`.
 *
 * On v2 requests are compared, not the keys that they reach: `/t` allows what lists the directory, and `/t/*` what reads each of its keys; neither implies
 * the other. Throws a `TypeError` for what are no permissions, or some for both APIs.
 *
 * @example
 * ```ts
 * import { implies, prefix, read, readwrite } from 'etcd-rbac'
 * console.log(implies([readwrite(prefix('/a/'))], [read(prefix('/a/b/'))]).holds) // true
 * ```
 */
export function implies(wider: readonly Permission[], narrower: readonly Permission[]): Verdict<Example> {
  sameApi(wider, narrower)
  const [open, asked] = [openedBy(wider), openedBy(narrower)]
  return verdict(example((access) => difference(asked[access], open[access])))
}

/**
 * Whether two lists of permissions open the same: {@link implies} both ways. The counterexample is opened by one of them alone.
 *
 * @example
 * ```ts
 * import { equivalent, range, read } from 'etcd-rbac'
 * console.log(equivalent([read(range('/a', '/c'))], [read(range('/a', '/b')), read(range('/b', '/c'))]).holds) // true
 * ```
 */
export function equivalent(a: readonly Permission[], b: readonly Permission[]): Verdict<Example> {
  const there = implies(a, b)
  return there.holds ? implies(b, a) : there
}

/** Everything that permissions open, whatever the access. */
function touched(open: Rights['open']): IntervalSet {
  return union(ACCESSES.flatMap((access) => open[access]))
}

function onV2(list: readonly Permission[]): readonly Permission<PathPattern>[] {
  return list.filter((permission): permission is Permission<PathPattern> => permission.keys.api === 'v2')
}

/** A key of the v2 tree that permissions of users reach in both lists. */
function sharedPath(a: readonly Permission<PathPattern>[], b: readonly Permission<PathPattern>[]): KeyText | undefined {
  const areas = (list: readonly Permission<PathPattern>[]): readonly Reach[] => list.flatMap((permission) => reachOf(permission, false))
  const others = areas(b)
  for (const { area } of areas(a))
    for (const other of others) {
      const shared = meeting(area, other.area)
      if (shared !== undefined) return shared
    }
  return undefined
}

/**
 * Whether there is no key that both lists of permissions open to users, whatever the access. The counterexample is such a key.
 *
 * On v2 it is what requests reach that counts, not what patterns match: a directory is listed with the values of its children, `/t/` is the key `/t`, and
 * who may write a directory may have all below it expire. Throws a `TypeError` for what are no permissions, or some for both APIs.
 *
 * @example
 * ```ts
 * import { disjoint, fromKey, pattern, prefix, read, write } from 'etcd-rbac'
 * console.log(disjoint([read(prefix('/a/'))], [write(prefix('/b/'))]).holds) // true
 * console.log(disjoint([read(fromKey('/a/'))], [write(prefix('/b/'))]).holds) // false
 * console.log(disjoint([read(pattern('/a'))], [write(pattern('/a/b'))]).holds) // false
 * ```
 */
export function disjoint(a: readonly Permission[], b: readonly Permission[]): Verdict<KeyText> {
  sameApi(a, b)
  const [shared] = intersection(touched(openedBy(a)), touched(openedBy(b)))
  return verdict(shared === undefined ? sharedPath(onV2(a), onV2(b)) : firstOf(shared))
}

/** What `after` opens to a client and `before` does not. */
function gainedBy(before: Rights, after: Rights): Example | 'root' | undefined {
  if (before.root) return undefined
  if (after.root) return 'root'
  return example((access) => difference(after.open[access], before.open[access]))
}

/**
 * Whether no client may do after a change what it could not before: no user of either policy, and nobody without a user. The policies may be indexes.
 *
 * Access is what etcd allows with keys, request by request, and role root. That who holds a role may read its definition is not counted. A user whom a
 * policy does not name is nobody by it: no one on v3, the guest on v2. Throws a `TypeError` for what is no policy.
 *
 * @throws {@link EtcdRbacError} `ERR_POLICY_HALF_MISSING` where only one of the policies says what is open on an API, or neither says it of any
 * @example
 * ```ts
 * import { definePolicy, noNewAccess, prefix, read, readwrite } from 'etcd-rbac'
 * const users = { node: 'certificate' } as const
 * const bindings = { node: ['node'] } as const
 * const before = definePolicy({ users, v3: { roles: { node: [read(prefix('/calico/'))] }, bindings } })
 * const after = definePolicy({ users, v3: { roles: { node: [readwrite(prefix('/calico/'))] }, bindings } })
 * const verdict = noNewAccess(before, after)
 * console.log(verdict.holds) // false
 * console.log(noNewAccess(after, before).holds) // true
 * ```
 */
export function noNewAccess(old: Asked<Policy>, changed: Asked<Policy>): Verdict<ClientExample> {
  const [before, after] = [lookUp(old).policy, lookUp(changed).policy]
  for (const policy of [before, after]) checkPolicy(policy)
  // Two policies that say nothing are not equal: what nobody manages is open on v2, and unknown on v3.
  if (before.v3 === undefined && before.v2 === undefined) checkHalf(before, 'v3')
  for (const api of ['v3', 'v2'] as const) {
    if ((before[api] === undefined) !== (after[api] === undefined)) {
      throw new EtcdRbacError(
        'ERR_POLICY_HALF_MISSING',
        { found: `a ${api} half in one policy only`, wanted: 'both policies to say what is open there', fix: `add ${api} to the other` },
        { api },
      )
    }
    if (after[api] === undefined) continue
    const named = (policy: Policy, user: string): string | undefined => (Object.hasOwn(policy.users, user) ? user : undefined)
    for (const user of new Set([...Object.keys(before.users), ...Object.keys(after.users)])) {
      const gained = gainedBy(rightsOf(before, api, named(before, user)), rightsOf(after, api, named(after, user)))
      if (gained !== undefined) return { holds: false, counterexample: { user, api, gained } }
    }
    const gained = gainedBy(rightsOf(before, api, undefined), rightsOf(after, api, undefined))
    if (gained !== undefined) return { holds: false, counterexample: { user: anonymous, api, gained } }
  }
  return proof
}

/** What v2 permissions reach of the keys that a pattern names, by requests for whatever path. */
function reached(granted: Rights['granted'], keys: PathPattern, guest: boolean): Example | undefined {
  const reaches = onV2(granted.map(({ permission }) => permission)).flatMap((permission) => reachOf(permission, guest))
  for (const wanted of namedBy(keys))
    for (const { access, area, by } of reaches) {
      const key = meeting(area, wanted)
      if (key !== undefined) return { access, key, by: by(key) }
    }
  return undefined
}

/**
 * Whether a client may do nothing at all with any of these keys. The counterexample is what it may do.
 *
 * On v2 a pattern stands for the keys whose path it matches, with a final slash or without, and what requests for other paths do to these keys counts:
 * a listing shows the children of a directory with their values, to the guest all that is below; who may write a directory creates children, and may have
 * all below it expire. The counterexample says which request. Throws a `TypeError` for what are no keys.
 *
 * @throws {@link EtcdRbacError} `ERR_USER_UNKNOWN`; `ERR_POLICY_HALF_MISSING` where the policy does not say what is open on that API
 * @example
 * ```ts
 * import { definePolicy, notGranted, prefix, read } from 'etcd-rbac'
 * const policy = definePolicy({ users: { a: 'certificate' }, v3: { roles: { r: [read(prefix('/calico/'))] }, bindings: { a: ['r'] } } })
 * console.log(notGranted(policy, 'a', prefix('/registry/')).holds) // true
 * ```
 */
export function notGranted<P extends Policy>(
  policy: Asked<P>,
  user: (keyof P['users'] & string) | Anonymous,
  keys: KeyRange | PathPattern,
): Verdict<Example | 'root'> {
  const { policy: checked, rights } = lookUp(policy)
  checkPolicy(checked)
  checkedKeys(keys, 'keys')
  const name = checkedUser(checked, user)
  checkHalf(checked, keys.api)
  const { root, open, granted } = rights(keys.api, name)
  if (root) return { holds: false, counterexample: 'root' }
  const asked = union([keys.api === 'v3' ? toInterval(keys) : patternInterval(keys)])
  // Of the root, which is no key of the tree, only the request for it remains.
  return verdict((keys.api === 'v2' ? reached(granted, keys, name === undefined) : undefined) ?? example((access) => intersection(open[access], asked)))
}
