/** Whether the users of a policy keep out of each other's keys: tenants on one etcd. */
import { checkFields } from '../known-fields.js'
import { checkedKeys } from '../keys/checked.js'
import { difference, fromInterval, toInterval, union, type IntervalSet } from '../keys/interval.js'
import type { KeyRange, KeyText } from '../keys/key-range.js'
import { isOpenInterval } from '../keys/open-ended.js'
import type { PathPattern } from '../keys/pattern.js'
import { anonymous, type Anonymous } from './anonymous.js'
import { checkHalf, checkPolicy } from './half.js'
import { checkedUser, lookUp, type Asked } from './index-policy.js'
import { meetingParts, meetingPieces, overlappingPieces, sweepOf, type Part, type Piece } from './overlaps.js'
import type { Policy } from './policy.js'
import { keyIn, namedBy, reachOf, type Reach } from './reach.js'
import type { Granted } from './rights.js'

/** A user, or on v2 the guest, and the permission by which it holds something. */
export interface Holding extends Granted {
  readonly user: string | Anonymous
}

/** Two users who hold the same keys. */
export interface Overlap {
  readonly api: 'v2' | 'v3'
  readonly holdings: readonly [Holding, Holding]
  /** What both hold: a v3 range, or a v2 key that both reach. */
  readonly shared: KeyRange | KeyText
  /** On v2, the request by which each of them reaches it. */
  readonly by?: readonly [string, string]
  /** Of them, the holdings that have no end: they hold what every later tenant is given. */
  readonly openEnded: readonly Holding[]
}

/** Whether users are isolated. */
export interface Isolation {
  /** Whether nobody holds keys of another, nor will hold those of whoever comes later: no overlap, and nothing open-ended. */
  readonly isolated: boolean
  /** For every holding that meets an earlier one of another user, the one that reaches farthest: a witness each, not all pairs. */
  readonly overlaps: readonly Overlap[]
  /**
   * Holdings without end, which hold what every later tenant is given, even if nobody has been given any yet. An end counts as none where no key of text
   * can lie behind it: U+10FFFF, or bytes that are no UTF-8. On v2, patterns for all paths.
   */
  readonly openEnded: readonly Holding[]
  /** Users with role root, who are in everybody's keys. They are not compared. */
  readonly admins: readonly string[]
}

/** What is to be compared. */
export interface IsolationOptions<P extends Policy> {
  readonly api: 'v2' | 'v3'
  /** Default: every user without role root, and on v2 the guest. */
  readonly users?: readonly ((keyof P['users'] & string) | Anonymous)[]
  /** Keys that users may share. Default: none. */
  readonly except?: readonly (KeyRange | PathPattern)[]
}

const APIS: readonly unknown[] = ['v2', 'v3'] satisfies readonly IsolationOptions<Policy>['api'][]

/** Of keys that may be shared, those of the tree that a pattern names. */
function exceptedBy(except: readonly (KeyRange | PathPattern)[], api: 'v2' | 'v3'): IntervalSet {
  if (!Array.isArray(except)) throw new TypeError('except must be a list of keys')
  return union(
    except.flatMap((one: unknown) => {
      const keys = checkedKeys(one, 'each of except')
      if (keys.api !== api) throw new TypeError(`except must hold keys for ${api}`)
      return keys.api === 'v3' ? [toInterval(keys)] : namedBy(keys).map(({ bounds }) => bounds)
    }),
  )
}

function checkedParties<P extends Policy>(policy: P, { api, users }: IsolationOptions<P>): readonly (string | Anonymous)[] {
  if (users === undefined) return api === 'v2' ? [...Object.keys(policy.users), anonymous] : Object.keys(policy.users)
  const given: unknown = users
  if (!Array.isArray(given) || given.length === 0) throw new TypeError('users must be a list that names some')
  for (const user of users) checkedUser(policy, user)
  return users
}

/** What somebody holds by one reach of a permission; on v3 all that it opens. */
interface Held {
  readonly user: Holding['user']
  readonly holding: Holding
  readonly by: Reach['by'] | undefined
}

function onV3(holding: Holding, keys: KeyRange, excepted: IntervalSet): readonly Piece<Held>[] {
  return difference(union([toInterval(keys)]), excepted).map((interval) => ({ holding: { user: holding.user, holding, by: undefined }, interval }))
}

/** On v2: the reaches of a permission, each with what of it may not be shared. */
function onV2(holding: Holding, keys: PathPattern, excepted: IntervalSet): readonly (Part<Held> & Reach)[] {
  const reaches = reachOf({ type: holding.permission.type, keys }, holding.user === anonymous)
  return reaches.map((reach) => ({ ...reach, holding: { user: holding.user, holding, by: reach.by }, open: difference([reach.area.bounds], excepted) }))
}

/** One overlap for each two holdings. */
function onceEach(overlaps: readonly Overlap[]): readonly Overlap[] {
  const seen = new Map<Holding, Set<Holding>>()
  return overlaps.filter(({ holdings: [a, b] }) => {
    const others = seen.get(a) ?? new Set()
    if (others.has(b) || seen.get(b)?.has(a) === true) return false
    seen.set(a, others.add(b))
    return true
  })
}

/**
 * Whether users hold keys of each other, now or as soon as somebody is given keys behind a holding without end. All pairs are compared in O(n log n), by
 * one sweep over all their intervals.
 *
 * On v2 it is what requests reach that counts, not what patterns match: a directory is listed with the values of its children, `/t/` is the key `/t`, and
 * who may write a directory may have all below it expire. The guest is compared too. Throws a `TypeError` for options that are none.
 *
 * @throws {@link EtcdRbacError} `ERR_POLICY_HALF_MISSING` where the policy does not say what is open on that API; `ERR_USER_UNKNOWN`
 * @example
 * ```ts
 * import { definePolicy, isolation, prefix, readwrite } from 'etcd-rbac'
 * const policy = definePolicy({
 *   users: { a: 'certificate', b: 'certificate' },
 *   v3: { roles: { a: [readwrite(prefix('/tenant-1/'))], b: [readwrite(prefix('/tenant-10/'))] }, bindings: { a: ['a'], b: ['b'] } },
 * })
 * console.log(isolation(policy, { api: 'v3' }).isolated) // true
 * ```
 */
export function isolation<P extends Policy>(asked: Asked<P>, options: IsolationOptions<P>): Isolation {
  const { policy, rights } = lookUp(asked)
  checkPolicy(policy)
  checkFields(options, ['api', 'users', 'except'], 'the options of isolation')
  const { api, except = [] } = options
  if (!APIS.includes(api)) throw new TypeError("api must be 'v2' or 'v3'")
  const parties = checkedParties(policy, options)
  const excepted = exceptedBy(except, api)
  checkHalf(policy, api)
  const admins: string[] = []
  const holdings: Holding[] = []
  for (const user of new Set<string | Anonymous>(parties)) {
    const { root, granted } = rights(api, user === anonymous ? undefined : user)
    if (root && user !== anonymous) admins.push(user)
    else holdings.push(...granted.map((one): Holding => ({ user, ...one })))
  }

  const parts = holdings.flatMap((holding) => (holding.permission.keys.api === 'v2' ? onV2(holding, holding.permission.keys, excepted) : []))
  const sweep = sweepOf([
    ...holdings.flatMap((holding) => (holding.permission.keys.api === 'v3' ? onV3(holding, holding.permission.keys, excepted) : [])),
    ...parts.filter(({ area }) => area.whole).flatMap(({ holding, open }) => open.map((interval) => ({ holding, interval }))),
  ])
  const openEnded = new Set(sweep.pieces.filter(({ interval }) => isOpenInterval(api, interval)).map(({ holding }) => holding.holding))
  const overlapOf = (a: Held, b: Held, shared: KeyRange | KeyText, by?: readonly [string, string]): Overlap => ({
    api,
    holdings: [a.holding, b.holding],
    shared,
    ...(by && { by }),
    openEnded: [a.holding, b.holding].filter((holding) => openEnded.has(holding)),
  })
  const onPath = ([a, b, key]: readonly [Held, Held, KeyText]): Overlap => overlapOf(a, b, key, [a.by?.(key) ?? '', b.by?.(key) ?? ''])
  const held = overlappingPieces(sweep)
  const scattered = parts.filter(({ area }) => !area.whole)
  const overlaps =
    api === 'v3'
      ? held.map(([a, b, both]) => overlapOf(a, b, fromInterval(both)))
      : onceEach([...held.map(([a, b, both]) => onPath([a, b, keyIn(both)])), ...[...meetingPieces(scattered, sweep), ...meetingParts(scattered)].map(onPath)])
  return { isolated: overlaps.length === 0 && openEnded.size === 0, overlaps, openEnded: [...openEnded], admins }
}
