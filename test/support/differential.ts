/** The same requests to a real etcd and to the double, and whether both answer the same. */
import type { Etcd3 } from 'etcd3'
import { memoryV3Client, v3Client } from '../../examples/support/attempt.js'
import type { MemoryClient } from '../../src/testing/index.js'

/** One v3 call, as plain data. A number `{ back: n }` in its message stands for n revisions before the newest that has been seen. */
export interface V3Request {
  /** The Common Name of the client's certificate. */
  readonly as: string
  readonly service: 'auth' | 'kv' | 'maintenance' | 'watch'
  readonly method: string
  /** `undefined` for a method that takes no message. */
  readonly message?: unknown
}

/** What a call came to: its reply, or its error's class and text, both as plain data without what is arbitrary. */
export type Outcome = { readonly reply: unknown } | { readonly error: string; readonly message: string }

/** Raw calls of a client, etcd3's or the double's. */
export type V3Send = (request: V3Request) => Promise<unknown>

type Methods = Readonly<Record<string, (...given: unknown[]) => Promise<unknown>>>

/** How a request is put to a client of etcd3 or of the double. */
export function sendV3(client: Etcd3 | MemoryClient, isReal: boolean): V3Send {
  const watcher = isReal ? v3Client(client as Etcd3) : memoryV3Client(client as MemoryClient)
  return async ({ service, method, message }) => {
    if (service === 'watch') {
      await watcher.watch(message as { key: Buffer; range_end: Buffer })
      return {}
    }
    const options = isReal ? [{ deadline: Date.now() + 20_000 }] : []
    const methods = client[service] as unknown as Methods
    return methods[method]!(...(message === undefined ? [] : [message]), ...options)
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

/** Of a server's ids, terms and sizes, only whether they are there; bytes as latin1 text behind a mark. */
const ARBITRARY: readonly string[] = ['cluster_id', 'member_id', 'raft_term', 'dbSize', 'leader', 'raftIndex', 'raftTerm', 'raftAppliedIndex', 'dbSizeInUse', 'token']

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${JSON.stringify(Buffer.from(value).toString('latin1'))}`
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const shown = (name: string, field: unknown): unknown => (ARBITRARY.includes(name) ? (field === '0' || field === '' ? field : 'arbitrary') : plain(field))
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
