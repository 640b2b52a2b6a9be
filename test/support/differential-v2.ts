/** The same HTTP requests to a real etcd and to the double, and whether both answer the same. */
import { isDeepStrictEqual } from 'node:util'
import type { FetchLike } from '../../src/platform.js'
import { difference } from './differential.js'
import type { V2Request } from './v2-requests.js'

/** What a request came to. */
export type V2Outcome =
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: unknown }
  /** The connection was reset. */
  | { readonly error: string }

/** The headers that both must have alike. `x-raft-index` and the ids are arbitrary, `date` and `content-length` are the platform's. */
const HEADERS: readonly string[] = ['content-type', 'x-etcd-index', 'allow', 'location', 'access-control-allow-origin', 'x-content-type-options']
/** Of these, only whether they are there. */
const ARBITRARY: readonly string[] = ['x-etcd-cluster-id', 'x-raft-index', 'x-raft-term']

/** The body of a watch, which may come later. */
interface Rest {
  readonly text: Promise<string>
  readonly abort: () => void
}

/** What a request came to, and the body that it leaves open. */
interface Asked {
  readonly outcome: V2Outcome
  readonly rest?: Rest
}

/** Whether a request is a watch. A read by quorum is none. */
const waits = ({ target }: V2Request): boolean => target.includes('wait=true') && !target.includes('quorum=true')

async function answerOf(fetch: FetchLike, endpoint: string, request: V2Request): Promise<Asked> {
  const { method, target, headers, body } = request
  const patience = new AbortController()
  try {
    const given = { ...(headers ? { headers } : {}), ...(body === undefined ? {} : { body }) }
    const response = await fetch(`${endpoint}${target}`, { method, redirect: 'manual', signal: patience.signal, ...given })
    const open = waits(request) && response.status === 200
    const text = response.text()
    const rest = open ? { rest: { text: text.catch((error: unknown) => String(error)), abort: () => patience.abort() } } : {}
    const shown = [...HEADERS.map((name) => [name, response.headers.get(name)]), ...ARBITRARY.map((name) => [name, response.headers.get(name) === null ? null : 'arbitrary'])]
    // Go's router redirects by 301, from 1.26 on by 307: that is up to the build, not to etcd.
    const status = response.status === 307 ? 301 : response.status
    const shownHeaders = Object.fromEntries(shown.filter(([, value]) => value !== null)) as Record<string, string>
    return { outcome: { status, headers: shownHeaders, body: open ? 'to come' : shownBody(await text, target.includes('sorted=true')) }, ...rest }
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    return { outcome: { error: code ?? message } }
  }
}

/** How long etcd may take for the body of an event that has happened, and how long a body is looked for that must not come. In milliseconds. */
const [PATIENCE, GLANCE] = [5_000, 30]
const OPEN = 'open'
const within = (milliseconds: number, text: Promise<string>): Promise<string> => Promise.race([text, new Promise<string>((resolve) => setTimeout(() => resolve(OPEN), milliseconds))])

interface OpenWatch {
  readonly request: V2Request
  readonly real: Rest
  readonly own: Rest
}

/** One client of etcd, the same of the double. */
export type FetchPair = readonly [real: FetchLike, double: FetchLike]

/** Asks both sides, and leaves watches open on both until the double has a body for them; etcd must have the same. Throws where they differ. */
export function comparison(endpoint: string) {
  let open: readonly OpenWatch[] = []
  const compare = (request: V2Request, wanted: unknown, found: unknown): void => {
    if (!isDeepStrictEqual(found, wanted)) throw new Error(difference(request, wanted, found))
  }
  /** Compares the bodies that have come. */
  const compareBodies = async (): Promise<void> => {
    for (const watch of open) {
      const found = await Promise.race([watch.own.text, Promise.resolve(OPEN)])
      if (found === OPEN) continue
      open = open.filter((other) => other !== watch)
      compare(watch.request, shownBody(await within(PATIENCE, watch.real.text), true), shownBody(found, true))
    }
  }
  /** What is open must be open on both sides. */
  const compareOpen = async (): Promise<void> => {
    const all = await Promise.all(open.map(async ({ request, real }) => ({ request, text: await within(GLANCE, real.text) })))
    for (const { request, text } of all) compare(request, text, OPEN)
  }
  const ask = async ([real, double]: FetchPair, request: V2Request): Promise<V2Outcome> => {
    const [wanted, found] = [await answerOf(real, endpoint, request), await answerOf(double, endpoint, request)]
    if (wanted.rest && found.rest) open = [...open, { request, real: wanted.rest, own: found.rest }]
    compare(request, wanted.outcome, found.outcome)
    await compareBodies()
    return wanted.outcome
  }
  /** Waits until both sides have a body for the newest watch, which comes of itself, and compares what has come. */
  const awaitNewest = async (): Promise<void> => {
    const newest = open.at(-1)
    await Promise.all([newest?.real.text, newest?.own.text])
    await compareBodies()
  }
  const abort = (): void => {
    for (const { real, own } of open) for (const side of [real, own]) side.abort()
    open = []
  }
  return { ask, awaitNewest, compareOpen, abort }
}

/** A body without its times; where the nodes come in the order of a Go map, in an order. */
function shownBody(text: string, inOrder: boolean): unknown {
  const body = text.replace('>Temporary Redirect<', '>Moved Permanently<').replaceAll(/"expiration":"[^"]+"(,"ttl":\d+)?/g, (_, ttl?: string) => `"expiration":"some"${ttl === undefined ? '' : ',"ttl":"some"'}`)
  if (inOrder) return body
  if (!body.includes('"nodes"')) return body
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, sorted(field)]))
  }
  return JSON.stringify(sorted(JSON.parse(body)))
}

/** The index in a reply's header, or the one known before. */
export function indexIn(outcome: V2Outcome, known: number): number {
  return 'status' in outcome ? Math.max(known, Number(outcome.headers['x-etcd-index'] ?? 0)) : known
}
