/**
 * The algebra of sets of v3 keys: union, intersection, difference and complement of key ranges, and whether some contain others.
 *
 * A set is a list of key ranges, the empty one for no key. What comes out has one form for each set: ranges in byte order that neither overlap nor
 * touch, each by the narrowest name that it has (a key, a prefix, a range, everything from a key on, all keys).
 */
import { checkedRange } from './checked.js'
import { complement, containsInterval, difference, fromInterval, intersection, toInterval, union, type IntervalSet } from './interval.js'
import type { KeyRange } from './key-range.js'

function setOf(keys: readonly KeyRange[]): IntervalSet {
  if (!Array.isArray(keys)) throw new TypeError('a set of keys must be a list of v3 keys')
  return union(keys.map((one) => toInterval(checkedRange(one, 'each of a set of keys'))))
}

/**
 * The keys that lie in at least one of these ranges, in one form for each set: two lists hold the same keys exactly if their unions are equal. Throws
 * a `TypeError` for what is no v3 key range.
 *
 * @example
 * ```ts
 * import { range, showKeys, unionOf } from 'etcd-rbac'
 * console.log(unionOf([range('/b', '/c'), range('/a', '/b'), range('/x', '/z')]).map(showKeys).join()) // [/a, /c),[/x, /z)
 * ```
 */
export function unionOf(keys: readonly KeyRange[]): readonly KeyRange[] {
  return setOf(keys).map(fromInterval)
}

/**
 * The keys that lie in both sets. Throws a `TypeError` for what is no v3 key range.
 *
 * @example
 * ```ts
 * import { fromKey, intersectionOf, prefix, showKeys } from 'etcd-rbac'
 * console.log(intersectionOf([prefix('/a/'), prefix('/c/')], [fromKey('/b')]).map(showKeys).join()) // /c/*
 * ```
 */
export function intersectionOf(a: readonly KeyRange[], b: readonly KeyRange[]): readonly KeyRange[] {
  return intersection(setOf(a), setOf(b)).map(fromInterval)
}

/**
 * The keys that lie in `a` and not in `b`. Throws a `TypeError` for what is no v3 key range.
 *
 * @example
 * ```ts
 * import { differenceOf, prefix, showKeys } from 'etcd-rbac'
 * console.log(differenceOf([prefix('/a/')], [prefix('/a/b/')]).map(showKeys).join()) // [/a/, /a/b/),[/a/b0, /a0)
 * ```
 */
export function differenceOf(a: readonly KeyRange[], b: readonly KeyRange[]): readonly KeyRange[] {
  return difference(setOf(a), setOf(b)).map(fromInterval)
}

/**
 * The keys that lie in none of these ranges. Throws a `TypeError` for what is no v3 key range.
 *
 * @example
 * ```ts
 * import { complementOf, fromKey, showKeys } from 'etcd-rbac'
 * console.log(complementOf([fromKey('/')]).map(showKeys).join()) // [\u0000, /)
 * console.log(complementOf([]).map(showKeys).join()) // all keys
 * ```
 */
export function complementOf(keys: readonly KeyRange[]): readonly KeyRange[] {
  return complement(setOf(keys)).map(fromInterval)
}

/**
 * Whether `outer` holds every key that `inner` holds; no keys are held by any. Throws a `TypeError` for what is
 * no v3 key range.
 *
 * @example
 * ```ts
 * import { covers, prefix, range } from 'etcd-rbac'
 * console.log(covers([range('/a', '/b'), range('/b', '/c')], [range('/a', '/c')])) // true
 * console.log(covers([prefix('/a/')], [range('/a/', '/b')])) // false
 * ```
 */
export function covers(outer: readonly KeyRange[], inner: readonly KeyRange[]): boolean {
  const set = setOf(outer)
  return setOf(inner).every((interval) => containsInterval(set, interval))
}
