/**
 * Which keys of the v2 tree a permission reaches: more than the paths that its pattern matches.
 *
 * etcd v2 asks for a right to the path of a request, and answers with nodes of the tree (`v2http/client.go`, `v2store/store.go`):
 *
 * - `/t` and `/t/` are one node, so that `/t/*` reaches `/t` as well.
 * - GET of a directory shows its children with their values, hidden ones (`_…`) apart. From the guest, an exact pattern allows it recursively.
 * - POST to a directory creates a child: twenty digits. DELETE with `recursive`, which exact patterns allow to the guest alone, takes all below.
 * - Who may write a path may make it a directory with a TTL, and at its end all that others have put below it is gone (up to 3.4 also one that is
 *   there already). The root of the tree is never replaced nor deleted.
 *
 * Directories that a PUT makes on its way down are not counted. Keys are meant as they are stored: without a final slash.
 */
import { fromUtf8, utf8 } from '../bytes.js'
import { intersectIntervals, isEmptyInterval, pathInterval, prefixEnd, type Interval } from '../keys/interval.js'
import { keyText, type KeyText } from '../keys/key-range.js'
import type { PathPattern } from '../keys/pattern.js'
import { allows, type Permission } from '../keys/permission.js'

/** Keys of the tree. */
export interface Area {
  /** They all lie here. */
  readonly bounds: Interval
  /** Whether they are all keys that lie there. */
  readonly whole: boolean
  /** One of them that lies in an interval, if there is one. */
  readonly find: (within: Interval) => KeyText | undefined
}

/** Keys that a permission reaches, and by which request it reaches one that its pattern does not match. */
export interface Reach {
  readonly access: 'read' | 'write'
  readonly area: Area
  readonly by: (key: KeyText) => string
}

const isKey = (path: string): boolean => /^(?:\/[^/]+)+$/.test(path) && !/\/\.{1,2}(?:\/|$)/.test(path)

/** The first of these keys that lies in an interval, or what stands in for one that cannot be told as text. */
function firstWithin(within: Interval, candidates: readonly string[], counts: (path: string) => boolean): string | undefined {
  return candidates.find((path) => isKey(path) && counts(path) && !isEmptyInterval(intersectIntervals(within, pathInterval({ path }))))
}

/** Keys behind one that ends with a zero, which is the first of all but nobody would write. */
const readable = (start: string): readonly string[] => ['x', '0', '!'].map((end) => start.replace(/\0$/, end))

/** A key of an interval that is not empty. */
export function keyIn(interval: Interval): KeyText {
  const start = fromUtf8(interval.start) ?? ''
  return firstWithin(interval, [...readable(start), start, `${start}x`], () => true) ?? keyText(interval.start)
}

function whole(bounds: Interval): Area {
  const find = (within: Interval): KeyText | undefined => {
    const both = intersectIntervals(bounds, within)
    return isEmptyInterval(both) ? undefined : keyIn(both)
  }
  return { bounds, whole: true, find }
}

const bounds = (first: string, behind: string): Interval => ({ start: utf8(first), end: utf8(behind) })

/** All keys whose text begins so. None ends with a slash, and the first behind one is a zero. */
function beginning(text: string): Area {
  if (text === '' || text === '/') return whole(bounds('/\0', '0'))
  return whole({ start: utf8(text.endsWith('/') ? `${text}\0` : text), end: prefixEnd(utf8(text)) })
}

/** The children of a directory that a listing shows. The root's path is empty. */
function listedIn(directory: string): Area {
  const [below, hidden] = [`${directory}/`, `${directory}/_`]
  const all = bounds(`${below}\0`, `${directory}0`)
  const find = (within: Interval): KeyText | undefined => {
    const both = intersectIntervals(all, within)
    if (isEmptyInterval(both)) return undefined
    const start = fromUtf8(both.start)
    if (start === undefined) return keyText(both.start)
    // The least child from there on: there, behind what is deeper, or behind the hidden ones.
    const [child = ''] = start.slice(below.length).split('/')
    return firstWithin(both, [`${below}x`, ...readable(start), start, `${below}${child}0`, `${directory}/\``], (path) => path.startsWith(below) && !path.startsWith(hidden) && !path.includes('/', below.length))
  }
  return { bounds: all, whole: false, find }
}

/** What POST creates in the root, and all below it: an index, which has 64 bits, in twenty digits. */
const POSTED: Area = {
  bounds: bounds('/00000000000000000001', '/2'),
  whole: false,
  find(within) {
    const both = intersectIntervals(POSTED.bounds, within)
    if (isEmptyInterval(both)) return undefined
    const start = fromUtf8(both.start) ?? ''
    return firstWithin(both, [start, start.padEnd(21, '0')], (path) => /^\/[01][0-9]{19}(?:\/|$)/.test(path))
  },
}

const withoutSlash = (path: string): string => path.replace(/\/$/, '')
const nodeOf = (path: string): readonly Area[] => (path === '/' ? [] : [whole(pathInterval({ path: withoutSlash(path) }))])

/** The keys that a pattern names: those whose path it matches, with a final slash or without. */
export function namedBy({ pattern }: PathPattern): readonly Area[] {
  if (!pattern.endsWith('*')) return nodeOf(pattern)
  const text = pattern.slice(0, -1)
  return [beginning(text), ...(text.endsWith('/') ? nodeOf(text) : [])]
}

/** The request by which a key that the pattern names is asked for: with a final slash where it matches only so. */
function asked(method: 'GET' | 'PUT', { pattern }: PathPattern): Reach['by'] {
  if (!pattern.endsWith('*')) return () => `${method} ${pattern}`
  return (key) => `${method} ${typeof key === 'string' ? (key.startsWith(pattern.slice(0, -1)) ? key : `${key}/`) : pattern}`
}

/** How the guest sees what is below a path that is open to it. Listings leave hidden keys out, watches of the past do not. */
function shownTo(path: string): Reach['by'] {
  return (key) =>
    typeof key === 'string' && key.slice(withoutSlash(path).length).includes('/_')
      ? `GET ${path}?wait=true&recursive=true&waitIndex=… tells of its past`
      : `GET ${path}?recursive=true shows it`
}

/** How what is below a path is created or deleted by who may write that path alone. */
function writtenBelow(path: string, guest: boolean): Reach['by'] {
  return (key) => {
    if (typeof key === 'string' && /^\/[0-9]{20}$/.test(key.slice(withoutSlash(path).length))) return `POST ${path} creates such a child`
    if (path === '/') return 'POST /?dir=true&ttl=1 deletes it, when the directory that it creates expires'
    return guest ? `DELETE ${path}?recursive=true deletes it` : `PUT ${path}?dir=true&ttl=1 deletes it, when that directory expires`
  }
}

/** What an exact pattern reaches below its path. */
function belowExact(path: string, access: Reach['access'], guest: boolean): Reach {
  const [directory, below] = [withoutSlash(path), beginning(`${withoutSlash(path)}/`)]
  if (access === 'write') return { access, area: directory === '' ? POSTED : below, by: writtenBelow(path, guest) }
  return guest ? { access, area: below, by: shownTo(path) } : { access, area: listedIn(directory), by: () => `GET ${path} lists it with its value` }
}

/** What a permission on paths reaches. `guest`: it is the guest's. */
export function reachOf({ type, keys }: Permission<PathPattern>, guest: boolean): readonly Reach[] {
  return (['read', 'write'] as const)
    .filter((access) => allows(type, access))
    .flatMap((access): readonly Reach[] => [
      ...namedBy(keys).map((area) => ({ access, area, by: asked(access === 'read' ? 'GET' : 'PUT', keys) })),
      ...(keys.pattern.endsWith('*') ? [] : [belowExact(keys.pattern, access, guest)]),
    ])
}

/** A name that areas which are no intervals have in common if they may meet. */
export function neighbourhood({ bounds: { start } }: Area): string {
  const text = fromUtf8(start) ?? ''
  return /^\/(?:\0$|[01][0-9]{19}(?:\/|$))/.test(text) ? '/' : text
}

/** A key that lies in both. */
export function meeting(a: Area, b: Area): KeyText | undefined {
  if (b.whole) return a.find(b.bounds)
  if (a.whole) return b.find(a.bounds)
  const found = a.find(b.bounds)
  return typeof found === 'string' && b.find(pathInterval({ path: found })) === undefined ? undefined : found
}
