/** The same HTTP requests to a real etcd and to the double, and whether both answer the same. */
import type { FetchLike } from '../../src/platform.js'
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

/** Asks. A watch that finds nothing would wait for ever: it is given up as soon as its headers are there. */
export async function ask(fetch: FetchLike, endpoint: string, { method, target, headers, body }: V2Request): Promise<V2Outcome> {
  const patience = new AbortController()
  try {
    const given = { ...(headers ? { headers } : {}), ...(body === undefined ? {} : { body }) }
    const response = await fetch(`${endpoint}${target}`, { method, redirect: 'manual', signal: patience.signal, ...given })
    const waits = target.includes('wait=true') && response.status === 200
    const text = waits ? await Promise.race([response.text(), later('')]) : await response.text()
    patience.abort()
    const shown = [...HEADERS.map((name) => [name, response.headers.get(name)]), ...ARBITRARY.map((name) => [name, response.headers.get(name) === null ? null : 'arbitrary'])]
    // Go's router redirects by 301, from 1.26 on by 307: that is up to the build, not to etcd.
    const status = response.status === 307 ? 301 : response.status
    return { status, headers: Object.fromEntries(shown.filter(([, value]) => value !== null)) as Record<string, string>, body: shownBody(text, target.includes('sorted=true')) }
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    return { error: code ?? message }
  }
}

const later = (text: string): Promise<string> => new Promise((resolve) => setTimeout(() => resolve(text), 30))

/** A body without its times; where the nodes come in the order of a Go map, in an order. */
function shownBody(text: string, inOrder: boolean): unknown {
  const body = text.replace('>Temporary Redirect<', '>Moved Permanently<').replaceAll(/"expiration":"[^"]+","ttl":\d+/g, '"expiration":"some","ttl":"some"')
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
