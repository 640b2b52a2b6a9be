/** Clients at work on a real etcd while its auth store changes. What becomes of each request is looked at here, and judged by the test. */
import type { Etcd3 } from 'etcd3'
import { openWatch } from '../../examples/support/attempt.js'
import type { Cluster } from './cluster.js'

/** Requests of one kind, by what became of them. */
export interface Counted {
  done: number
  /** Refused as of an old revision. */
  refused: number
  /** How often one and the same was sent at most, until it was done. */
  sentAtMost: number
}

export interface Logins {
  done: number
  /** Not answered by its deadline. */
  late: number
  refused: number
  longestMs: number
}

export interface Traffic {
  readonly writes: Counted
  readonly reads: Counted
  readonly logins: Logins
  /** How many requests, logins aside, may be under way at once. */
  readonly atOnce: number
  /** Failures that are none of etcd's refusals, effects that a refused request had, and answers that are not those of the store. */
  readonly wrong: readonly string[]
  /** Logs in once, by password. */
  login(milliseconds: number): Promise<void>
  /** Resolves when each client has got through once more; at once if one has failed. */
  progress(): Promise<void>
  /** Ends the work, and gives what was written and what the watch heard, both by key in order. */
  end(): Promise<{ readonly written: Table; readonly heard: Table }>
}
type Table = Readonly<Record<string, readonly string[]>>

export interface TrafficOptions {
  readonly cluster: Cluster
  /** Certificate users: who may read and write `/live/`, who may read `/live/` and `/still/`. */
  readonly writer: string
  readonly reader: string
  readonly login: { readonly name: string; readonly password: string }
}

/** How etcd refuses a request that was under way while the auth store changed (server/auth/store.go, ErrAuthOldRevision). */
export const refusalOf = (version: string): string =>
  version.startsWith('3.3.') ? '2 UNKNOWN: auth: revision in header is old' : '3 INVALID_ARGUMENT: etcdserver: revision of auth store is old'

const STILL = 20
const WRITERS = 3
const READERS = 2
const deadline = () => ({ deadline: Date.now() + 20_000 })
/** In gRPC's words, also where a watch is told in its own answer. */
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replace(/^rpc error: code = InvalidArgument desc = /, '3 INVALID_ARGUMENT: ')

/** Puts what the readers look at. Wants a client that may. */
export async function putStill({ kv }: Etcd3): Promise<void> {
  for (let at = 0; at < STILL; at++) await kv.put({ key: Buffer.from(`/still/${String(at)}`), value: Buffer.from('here') })
}

/** Three clients write, two read, and one watches; each sends its next request when the last one was done, and a refused one again. */
export async function startTraffic({ cluster, writer, reader, login }: TrafficOptions): Promise<Traffic> {
  const refusal = refusalOf(cluster.version)
  const run = `/live/${String(Date.now())}`
  const counted = (): Counted => ({ done: 0, refused: 0, sentAtMost: 0 })
  const [writes, reads, logins] = [counted(), counted(), { done: 0, late: 0, refused: 0, longestMs: 0 }]
  const wrong: string[] = []
  const written: Record<string, string[]> = {}
  const through = Array.from({ length: WRITERS + READERS }, () => 0)
  let over = false

  /** Sends until it is done; `refused` looks after each refusal at what must not have been done. */
  const insist = async <T>(count: Counted, call: () => Promise<T>, refused = async (): Promise<void> => undefined): Promise<T> => {
    for (let sent = 1; ; sent++) {
      try {
        const reply = await call()
        count.done++
        count.sentAtMost = Math.max(count.sentAtMost, sent)
        return reply
      } catch (error) {
        if (textOf(error) !== refusal) throw error
        count.refused++
      }
      await refused()
    }
  }
  const want = (holds: boolean, text: string): void => void (holds || wrong.push(text))

  const write = async ({ kv, leaseClient }: Etcd3, name: string, number: number): Promise<void> => {
    const [key, value] = [Buffer.from(name), Buffer.from(String(number))]
    const count = async (): Promise<number> => Number((await insist(reads, () => kv.range({ key }, deadline()))).count)
    const absent = async (): Promise<void> => want((await count()) === 0, `${name} is there, and its write was refused`)
    const present = async (): Promise<void> => want((await count()) === 1, `${name} is gone, and its deletion was refused`)
    const lease = number % 6 === 0 ? (await leaseClient.leaseGrant({ TTL: 600 }, deadline())).ID : undefined
    // Each is answered in another way where it has been done before.
    if (number % 2 === 0) {
      const { prev_kv }: { readonly prev_kv: unknown } = await insist(writes, () => kv.put({ key, value, prev_kv: true, ...(lease === undefined ? {} : { lease }) }, deadline()), absent)
      want(prev_kv === null, `${name} was there before it was put`)
    } else {
      const create = { compare: [{ key, target: 'Create' as const, result: 'Equal' as const, create_revision: 0 }], success: [{ request_put: { key, value } }] }
      want((await insist(writes, () => kv.txn(create, deadline()), absent)).succeeded, `${name} was there before it was created`)
    }
    const events = (written[name] = [`put ${String(number)}`])
    if (number % 3 > 0) return
    if (lease !== undefined) await insist(writes, () => leaseClient.leaseRevoke({ ID: lease }, deadline()), present)
    else want((await insist(writes, () => kv.deleteRange({ key }, deadline()), present)).deleted === '1', `${name} was gone before it was deleted`)
    events.push('deleted')
  }
  const read = async ({ kv, watchClient }: Etcd3): Promise<void> => {
    const [all, one] = [{ key: Buffer.from('/still/'), range_end: Buffer.from('/still0') }, { key: Buffer.from('/still/7') }]
    want((await insist(reads, () => kv.range(all, deadline()))).kvs.length === STILL, 'a range is not whole')
    want((await insist(reads, () => kv.range({ ...one, serializable: true }, deadline()))).count === '1', 'a key is not there')
    const { responses } = await insist(reads, () => kv.txn({ success: [{ request_range: all }] }, deadline()))
    want(responses[0]?.response_range.kvs.length === STILL, 'a range in a Txn is not whole')
    // etcd 3.3 says of any watch that it refuses that the permission is denied.
    if (!cluster.version.startsWith('3.3.')) await insist(reads, () => openWatch(watchClient as unknown as Parameters<typeof openWatch>[0], all, deadline()))
  }

  // etcd3 takes the UNKNOWN of etcd 3.3 for a broken member and closes the channel under its other calls: each client has one request under way.
  const client = (user: string): Promise<Etcd3> => cluster.client(user)
  const loop = async (at: number): Promise<void> => {
    const etcd = await client(at < WRITERS ? writer : reader)
    for (let number = 0; !over; number++) {
      await (at < WRITERS ? write(etcd, `${run}/${String(at)}/${String(number)}`, number) : read(etcd))
      through[at] = number + 1
    }
  }
  const watching = await watch(await client(reader), wrong)
  const working = through.map((_, at) => loop(at).catch((error: unknown) => void wrong.push(textOf(error))))
  const human = await client(reader)

  return {
    writes, reads, logins, wrong,
    atOnce: working.length,
    login: async (milliseconds) => {
      const began = performance.now()
      await human.auth.authenticate(login, { deadline: Date.now() + milliseconds }).then(
        () => logins.done++,
        (error: unknown) => {
          if (textOf(error) === refusal) logins.refused++
          else if (textOf(error).startsWith('4 DEADLINE_EXCEEDED: ')) logins.late++
          else wrong.push(`login: ${textOf(error)}`)
        },
      )
      logins.longestMs = Math.max(logins.longestMs, Math.round(performance.now() - began))
    },
    progress: async () => {
      const before = [...through]
      while (wrong.length === 0 && !over && before.some((count, at) => through[at] === count)) await new Promise((resolve) => setImmediate(resolve))
    },
    end: async () => {
      over = true
      await Promise.all(working)
      const fence = `${run}/fence`
      await (await client(writer)).kv.put({ key: Buffer.from(fence), value: Buffer.from('up') }, deadline())
      written[fence] = ['put up']
      return { written, heard: await watching.until(fence) }
    },
  }
}

/** Keeps a watch open and notes what it hears of each key. Not by etcd3's own watcher, which would open another one behind our back. */
async function watch({ watchClient }: Etcd3, wrong: string[]): Promise<{ until(key: string): Promise<Table> }> {
  const stream = await watchClient.watch()
  const heard: Record<string, string[]> = {}
  let open = true
  let wake = (): void => undefined
  const lost = (why: string): void => {
    if (open) wrong.push(`the watch was lost: ${why}`)
    open = false
    wake()
  }
  stream.on('error', (error) => lost(error.message))
  stream.on('end', () => lost('it has ended'))
  stream.on('data', ({ created, canceled, cancel_reason, events }) => {
    if (canceled) lost(cancel_reason)
    for (const { type, kv } of events) (heard[kv.key.toString()] ??= []).push(type === 'Put' ? `put ${kv.value.toString()}` : 'deleted')
    if (created || events.length > 0) wake()
  })
  const woken = (): Promise<void> => new Promise((resolve) => (wake = resolve))
  const created = woken()
  stream.write({ create_request: { key: Buffer.from('/live/'), range_end: Buffer.from('/live0') } })
  await created
  return {
    until: async (key) => {
      while (open && heard[key] === undefined) await woken()
      open = false
      stream.end()
      stream.cancel()
      return heard
    },
  }
}
