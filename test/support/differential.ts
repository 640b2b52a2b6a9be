/** The same requests to a real etcd and to the double, and whether both answer the same. */
import type { Etcd3 } from 'etcd3'
import { openWatch } from '../../examples/support/attempt.js'
import type { MemoryClient, MemoryStream, WatchReply } from '../../src/testing/index.js'

/** One v3 call, as plain data. A number `{ back: n }` in its message stands for n revisions before the newest that has been seen. */
export interface V3Request {
  /** The Common Name of the client's certificate. */
  readonly as: string
  readonly service: 'auth' | 'kv' | 'leaseClient' | 'cluster' | 'maintenance' | 'watchClient'
  /** `watch` sends a message on the client's stream of watches; `openWatch` and `leaseKeepAlive` on a stream of their own. */
  readonly method: string
  /** `undefined` for a method that takes no message. */
  readonly message?: unknown
}

/** What a call came to: its reply, or its error's class and text, both as plain data without what is arbitrary. */
export type Outcome = { readonly reply: unknown } | { readonly error: string; readonly message: string }

type Methods = Readonly<Record<string, (...given: unknown[]) => Promise<unknown>>>

/** A client, etcd3's or the double's, as a differential asks it. */
export interface V3Sender {
  send(request: V3Request): Promise<unknown>
  /** What its watches have been told so far. */
  readonly told: Told
  /** Closes its stream of watches, if it has one. */
  close(): Promise<void>
}

/** What a stream of watches has said: whatever opens and closes a watch in its order, and the events of each. */
export interface Told {
  readonly control: readonly unknown[]
  readonly events: ReadonlyMap<string, readonly unknown[]>
}

type Stream = MemoryStream<object, WatchReply & { readonly TTL: string }>

/** A client as it is asked. */
export function senderOf(client: Etcd3 | MemoryClient, isReal: boolean): V3Sender {
  const options = (): object => (isReal ? { deadline: Date.now() + 60_000 } : {})
  const services = client as unknown as Readonly<Record<V3Request['service'], Methods>>
  const control: unknown[] = []
  const events = new Map<string, unknown[]>()
  let stream: Stream | undefined
  let ended: Promise<void> = Promise.resolve()
  const opened = async (): Promise<Stream> => {
    if (stream) return stream
    const fresh = (await services.watchClient['watch']!(options())) as Stream
    stream = fresh
    ended = new Promise((resolve) => fresh.on('status', () => resolve()))
    return fresh.on('error', () => undefined).on('data', ({ events: some, ...rest }) => {
      if (some.length === 0) control.push(plain(rest))
      else events.set(rest.watch_id, [...(events.get(rest.watch_id) ?? []), ...some.map(plain)])
    })
  }
  return {
    told: { control, events },
    send: async ({ service, method, message }) => {
      if (method === 'watch') {
        ;(await opened()).write(message as object)
        return {}
      }
      if (method === 'openWatch') return openWatch((client as MemoryClient).watchClient, message as { key: Buffer }, options())
      if (method === 'leaseKeepAlive') return keptAlive((await services.leaseClient['leaseKeepAlive']!(options())) as Stream, message as object)
      return services[service][method]!(...(message === undefined ? [] : [message]), options())
    },
    close: async () => {
      stream?.end()
      stream?.cancel()
      await ended
    },
  }
}

/** The first answer of a stream that keeps leases alive. */
async function keptAlive(stream: Stream, message: object): Promise<unknown> {
  const ended = new Promise<void>((resolve) => stream.on('status', () => resolve()))
  try {
    return await new Promise((resolve, reject) => {
      stream.on('error', reject).on('data', resolve)
      stream.write(message)
    })
  } finally {
    stream.end()
    await ended
  }
}

/** The outcome of a call. */
export async function outcomeOf(run: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { reply: plain(await run()) }
  } catch (error) {
    const { constructor, message } = error as Error
    return { error: constructor.name, message }
  }
}

/** Of a server's ids, terms, sizes and hashes, only whether they are there; bytes as latin1 text behind a mark. */
const ARBITRARY: readonly string[] = ['cluster_id', 'member_id', 'raft_term', 'dbSize', 'leader', 'raftIndex', 'raftTerm', 'raftAppliedIndex', 'dbSizeInUse', 'token', 'hash']

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${JSON.stringify(Buffer.from(value).toString('latin1'))}`
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const shown = (name: string, field: unknown): unknown => {
    if (ARBITRARY.includes(name)) return field === '0' || field === '' ? field : 'arbitrary'
    // Members have names and addresses; the keys of a lease come in the order of a Go map, leases in that of nanoseconds.
    if (name === 'members') return (field as readonly unknown[]).length
    if (name === 'keys' || name === 'leases') return (plain(field) as readonly unknown[]).map((one) => JSON.stringify(one)).sort()
    // What is left of a lease that lasts.
    if (name === 'TTL' && 'grantedTTL' in (value)) return Number(field) > 1 ? 'some' : field
    return plain(field)
  }
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shown(name, field)]))
}

/** A message with its relative revisions made absolute. */
export function resolved(value: unknown, revision: number): unknown {
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => resolved(item, revision))
  const { back } = value as { back?: unknown }
  if (typeof back === 'number') return revision - back
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, resolved(field, revision)]))
}

/** The revision in a reply's header, or the one known before. */
export function revisionIn(outcome: Outcome, known: number): number {
  const header = 'reply' in outcome ? (outcome.reply as { header?: { revision?: string } }).header : undefined
  return Math.max(known, Number(header?.revision ?? 0))
}

/** A difference as a failed test shows it. */
export function difference(request: unknown, wanted: unknown, found: unknown): string {
  return `asked: ${JSON.stringify(plain(request))}\netcd:   ${JSON.stringify(wanted)}\ndouble: ${JSON.stringify(found)}\n`
}
