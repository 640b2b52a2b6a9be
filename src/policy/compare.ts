/**
 * Comparing rights: what one set of permissions opens that another does not. Every "no" comes with a request that shows it; every "yes" is a
 * proof over all keys, since rights are intervals.
 */
import { EtcdRbacError } from '../errors.js'
import { difference, intersection, toInterval, patternInterval, union, type Interval, type IntervalSet } from '../keys/interval.js'
import { keyText, type KeyRange, type KeyText } from '../keys/key-range.js'
import type { PathPattern } from '../keys/pattern.js'
import type { Permission } from '../keys/permission.js'
import { anonymous, type Anonymous } from './anonymous.js'
import { checkedUser, lookUp, type Asked } from './index-policy.js'
import type { Policy } from './policy.js'
import { openedBy, rightsOf, type Access, type Rights } from './rights.js'

/** That something holds, or a counterexample. */
export type Verdict<C> = { readonly holds: true } | { readonly holds: false; readonly counterexample: C }

/** A request that shows a difference: an access, and the v3 key or v2 path. */
export interface Example {
  readonly access: Access
  readonly key: KeyText
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

/** A key of an interval that is not empty: its first one. */
function firstOf({ start }: Interval): KeyText {
  return keyText(start.length === 0 ? new Uint8Array(1) : start)
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
  if (new Set(lists.flat().map(({ keys }) => keys.api)).size > 1) throw new TypeError('permissions on v3 keys and on v2 paths cannot be compared')
}

/**
 * Whether `wider` opens everything that `narrower` opens.
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
 * Whether two lists of permissions open the same. The counterexample is opened by one of them alone.
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

/**
 * Whether there is no key that both lists of permissions open, whatever the access. The counterexample is such a key.
 *
 * @example
 * ```ts
 * import { disjoint, fromKey, prefix, read, write } from 'etcd-rbac'
 * console.log(disjoint([read(prefix('/a/'))], [write(prefix('/b/'))]).holds) // true
 * console.log(disjoint([read(fromKey('/a/'))], [write(prefix('/b/'))]).holds) // false
 * ```
 */
export function disjoint(a: readonly Permission[], b: readonly Permission[]): Verdict<KeyText> {
  sameApi(a, b)
  const [shared] = intersection(touched(openedBy(a)), touched(openedBy(b)))
  return verdict(shared === undefined ? undefined : firstOf(shared))
}

/** What `after` opens to a client and `before` does not. */
function gainedBy(before: Rights, after: Rights): Example | 'root' | undefined {
  if (before.root) return undefined
  if (after.root) return 'root'
  return example((access) => difference(after.open[access], before.open[access]))
}

/**
 * Whether no client may do after a change what it could not before: no user of either policy, and nobody without a user.
 *
 * A user whom a policy does not name is nobody by it: no one on v3, the guest on v2.
 *
 * @throws {@link EtcdRbacError} `ERR_POLICY_HALF_MISSING` where only one of the policies says what is open on an API
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
export function noNewAccess(before: Policy, after: Policy): Verdict<ClientExample> {
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

/**
 * Whether a client may do nothing at all with any of these keys. The counterexample is what it may do.
 *
 * @throws {@link EtcdRbacError} `ERR_USER_UNKNOWN`
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
  const { root, open } = rights(keys.api, checkedUser(checked, user))
  if (root) return { holds: false, counterexample: 'root' }
  const asked = union([keys.api === 'v3' ? toInterval(keys) : patternInterval(keys)])
  return verdict(example((access) => intersection(open[access], asked)))
}
