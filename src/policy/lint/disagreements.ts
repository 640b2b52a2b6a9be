/**
 * Where the two halves say different things of one user. Their keys differ by nature (Calico keeps other things in v3 than in v2), so that only what
 * no application explains is found: an area in one half, a right to write in one half, or one half that opens all of the other and more.
 */
import { quoted } from '../../errors.js'
import { containsInterval, difference, EVERY_KEY, fromInterval, patternInterval, toInterval, union, type Interval, type IntervalSet } from '../../keys/interval.js'
import { keyText, type KeyRange } from '../../keys/key-range.js'
import type { PathPattern } from '../../keys/pattern.js'
import { allows } from '../../keys/permission.js'
import { showKeys } from '../../keys/show.js'
import { isOpenEnded } from '../../keys/open-ended.js'
import type { Policy } from '../policy.js'
import { rightsOf, type Rights } from '../rights.js'
import { at, type Finding } from './finding.js'

/** What one half opens for one access, and the areas that it names. */
interface Side {
  readonly set: IntervalSet
  readonly named: readonly { readonly area: string; readonly interval: Interval }[]
}

/** The first part of a key or path: `/calico/…` is in `/calico`. */
function areaOf({ start }: Interval): string {
  const text = keyText(start)
  return typeof text === 'string' ? (/^\/?[^/*]*/.exec(text)?.[0] ?? text) : `base64:${text.base64}`
}

function sideOf({ granted }: Rights, access: 'read' | 'write'): Side {
  const all = granted.flatMap(({ permission: { type, keys } }) => (allows(type, access) ? [keys] : []))
  const above = new Set(all.flatMap((keys) => (keys.api === 'v2' ? keys.pattern.split('/').map((_, depth, names) => names.slice(0, depth).join('/')) : [])))
  // A directory is a node of its own on v2, and no key on v3.
  const isDirectory = (keys: KeyRange | PathPattern): boolean => keys.api === 'v2' && above.has(keys.pattern)
  const intervals = all.filter((keys) => !isDirectory(keys)).map((keys) => ({ keys, interval: keys.api === 'v2' && isOpenEnded(keys) ? EVERY_KEY : keys.api === 'v3' ? toInterval(keys) : patternInterval(keys) }))
  return {
    set: union(intervals.map(({ interval }) => interval)),
    named: intervals.filter(({ keys }) => keys.api === 'v2' ? !isOpenEnded(keys) : keys.kind !== 'allKeys').map(({ interval }) => ({ area: areaOf(interval), interval })),
  }
}

/** The areas of one side that the other knows nothing of. */
function areasWithout({ named }: Side, other: Side): readonly string[] {
  const known = new Set(other.named.map(({ area }) => area))
  return [...new Set(named.filter(({ area, interval }) => !known.has(area) && !containsInterval(other.set, interval)).map(({ area }) => area))]
}

const listed = (names: readonly string[]): string => names.slice(0, 10).map(quoted).join(', ')

function disagreement(v3: Rights, v2: Rights): string | undefined {
  const sides = (['read', 'write'] as const).map((access) => ({ access, left: sideOf(v3, access), right: sideOf(v2, access) }))
  const both = (pick: 'left' | 'right'): Side => ({ set: union(sides.flatMap((side) => side[pick].set)), named: sides.flatMap((side) => side[pick].named) })
  const [left, right] = [both('left'), both('right')]
  const apart = [...new Set([...areasWithout(left, right), ...areasWithout(right, left)])]
  if (apart.length > 0) return `is let into ${listed(apart)} by one half only`
  for (const { access, left, right } of sides) {
    const once = [...new Set([...areasWithout(left, right), ...areasWithout(right, left)])]
    if (once.length > 0) return `may ${access} in ${listed(once)} by one half only`
  }
  for (const { access, left, right } of sides) {
    const [more, less] = [difference(left.set, right.set), difference(right.set, left.set)]
    const [first] = more.length > 0 ? more : less
    if (first === undefined || (more.length > 0 && less.length > 0)) continue
    return `may ${access} on ${more.length > 0 ? 'v3' : 'v2'} all that the other half opens and more, such as ${showKeys(fromInterval(first))}`
  }
  return undefined
}

/** Where the two halves say different things of one user. */
export function disagreements(policy: Policy): readonly Finding[] {
  if (policy.v3 === undefined || policy.v2 === undefined) return []
  return Object.keys(policy.users).flatMap((user): readonly Finding[] => {
    const [v3, v2] = [rightsOf(policy, 'v3', user), rightsOf(policy, 'v2', user)]
    const where = at('$.users', user)
    if (v3.root !== v2.root)
      return [{ code: 'halves-disagree', severity: 'warning', where, why: `user ${quoted(user)} holds role root on ${v3.root ? 'v3' : 'v2'} only`, fix: 'make both halves say the same, unless that is meant' }]
    if (v3.root || v3.roles.length === 0 || v2.roles.length === 0) return []
    const text = disagreement(v3, v2)
    return text === undefined ? [] : [{ code: 'halves-disagree', severity: 'info', where, why: `user ${quoted(user)} ${text}`, fix: 'compare the two halves' }]
  })
}
