/** The keys that were seen, on each API: what opens them, what holds what, and what is opened beyond. */
import { difference, containsInterval, fromInterval, pathInterval, patternInterval, prefixEnd, toInterval, union, type Interval, type IntervalSet } from '../keys/interval.js'
import { keyBytes, keyText, type KeyRange, type KeyText } from '../keys/key-range.js'
import { coversPattern, pattern, type PathPattern } from '../keys/pattern.js'
import { fromUtf8, toHex, utf8 } from '../bytes.js'
import { patternFor } from './explain.js'
import type { Need } from './needs.js'

/** A need for keys. */
export type KeyNeed = Extract<Need, { readonly keys: unknown }>

/** How one API's keys are covered. All needs that it is given are for one access. */
export interface Seen<S extends KeyRange | PathPattern> {
  readonly api: S['api']
  /** The fewest keys that open all needs. `directories`: single keys of one directory become the directory. */
  cover(needs: readonly KeyNeed[], directories: boolean): readonly S[]
  /** Whether a cover opens all of these keys. */
  within(cover: readonly S[]): (keys: S) => boolean
  /** What these keys open that no need was for. */
  beyond(needs: readonly KeyNeed[]): (keys: S) => readonly { readonly keys: S; readonly example: KeyText }[]
}

const SLASH = 0x2f

/** The directories of two or more of these keys: each up to and with its last slash, unless nothing but slashes is left. */
function directoriesOf(keys: Iterable<Uint8Array>): readonly Uint8Array[] {
  const found = new Map<string, { readonly directory: Uint8Array; readonly keys: Set<string> }>()
  for (const key of keys) {
    const directory = key.subarray(0, key.lastIndexOf(SLASH) + 1)
    if (directory.every((byte) => byte === SLASH)) continue
    const name = toHex(directory)
    const same = found.get(name) ?? { directory, keys: new Set<string>() }
    same.keys.add(toHex(key))
    found.set(name, same)
  }
  return [...found.values()].filter(({ keys: { size } }) => size > 1).map(({ directory }) => directory)
}

const v3Needed = (needs: readonly KeyNeed[]): readonly Interval[] => needs.flatMap(({ keys }) => (keys.api === 'v3' ? [toInterval(keys)] : []))

/** v3: intervals, by their union. */
export const v3Seen: Seen<KeyRange> = {
  api: 'v3',
  cover(needs, directories) {
    const single = needs.flatMap(({ keys }) => (keys.api === 'v3' && keys.kind === 'key' ? [keyBytes(keys.key)] : []))
    const wide = directories ? directoriesOf(single).map((start) => ({ start, end: prefixEnd(start) })) : []
    return union([...v3Needed(needs), ...wide]).map(fromInterval)
  },
  within(cover) {
    const open = union(cover.map(toInterval))
    return (keys) => containsInterval(open, toInterval(keys))
  },
  beyond(needs) {
    const seen = union(v3Needed(needs))
    return (keys) => difference([toInterval(keys)], seen).map((interval) => ({ keys: fromInterval(interval), example: keyText(interval.start) }))
  },
}

/** The paths that a v2 request touches: one, or a directory with everything below it. */
function touched({ keys }: KeyNeed): readonly Interval[] {
  if (keys.api !== 'v2') return []
  if (!keys.recursive) return [pathInterval(keys)]
  const below = utf8(keys.path.endsWith('/') ? keys.path : `${keys.path}/`)
  return [pathInterval(keys), { start: below, end: prefixEnd(below) }]
}

/** An example that reads well, if the gaps hold one; otherwise their first path. */
function exampleIn(gaps: IntervalSet, { pattern: text }: PathPattern): KeyText {
  const likely = utf8(`${text.slice(0, -1)}foo`)
  if (containsInterval(gaps, { start: likely, end: new Uint8Array([...likely, 0]) })) return keyText(likely)
  return keyText(gaps[0]?.start ?? likely)
}

/** v2: patterns, of which one alone must match. */
export const v2Seen: Seen<PathPattern> = {
  api: 'v2',
  cover(needs, directories) {
    const single = needs.flatMap(({ keys }) => (keys.api === 'v2' && !keys.recursive && !keys.path.includes('*') ? [utf8(keys.path)] : []))
    const wide = directories ? directoriesOf(single).map((directory) => pattern(`${fromUtf8(directory) ?? ''}*`)) : []
    const all = new Map([...needs.flatMap(({ keys }) => (keys.api === 'v2' ? [patternFor(keys)] : [])), ...wide].map((one) => [one.pattern, one]))
    const stars = [...all.values()].filter((one) => one.pattern.endsWith('*'))
    return [...all.values()].filter((one) => !stars.some((other) => other.pattern !== one.pattern && coversPattern(other, one)))
  },
  within: (cover) => (keys) => cover.some((outer) => coversPattern(outer, keys)),
  beyond(needs) {
    const seen = union(needs.flatMap(touched))
    return (keys) => {
      const gaps = difference(union([patternInterval(keys)]), seen)
      return gaps.length === 0 ? [] : [{ keys, example: exampleIn(gaps, keys) }]
    }
  },
}
