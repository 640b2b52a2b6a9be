/**
 * Streams of watches. Follows `v3rpc/watch.go` and `mvcc/watchable_store.go`.
 *
 * The rights of a watch are checked once, when it is created: what is revoked later, or locked by turning auth on, is delivered all the same.
 */
import { compareBytes } from '../../bytes.js'
import { failures, isFailure, type Failure } from './failures.js'
import { identify } from './identity.js'
import { toKeyValue } from './keys.js'
import { endLeases } from './leases.js'
import { keyRefusal } from './range-check.js'
import type { WatchCreateRequest, WatchEvent, WatchReply, WatchRequest } from './rpc.js'
import { headerOf, NO_LEASE, type Change, type Context, type State, type StoredKey } from './state.js'

/** One RPC Watch: a client's stream, with any number of watches on it. */
export interface WatchStream {
  /** Takes a message of the client. */
  send(request: WatchRequest, now: Date): void
  /** What there is to tell since the last time. */
  take(now: Date): readonly WatchReply[]
}

interface Watch extends WatchCreateRequest {
  /** Whether it wanted revisions that are gone: it keeps its id, and is told of nothing any more. */
  readonly isOver: boolean
}

/** No watch in particular, in a refusal or where all are meant. */
const NO_WATCH = '-1'
/** Asks for an id of the server's choice. */
const ANY_ID = '0'

/** The texts of gRPC's codes where an error is printed into another message. */
const CODES: Readonly<Record<string, string>> = { UNAUTHENTICATED: 'Unauthenticated', INVALID_ARGUMENT: 'InvalidArgument', PERMISSION_DENIED: 'PermissionDenied' }

const isOpen = (end: Uint8Array): boolean => end.length === 1 && end[0] === 0

function refusalOf(context: Context, { key, range_end }: WatchCreateRequest): Failure | undefined {
  const { quirks } = context
  const identity = identify(context)
  if (isFailure(identity)) return identity
  // Old versions turn "no end" into an empty end before they check, which then asks for one key only: GHSA-xg4h-6gfc-h4m8.
  const checked = isOpen(range_end) && !quirks.openWatchChecked ? new Uint8Array(0) : range_end
  return keyRefusal(context, identity, 'read', key, checked)
}

/** Whether no key can ever lie in it (`mvcc.watchStream.Watch`). */
function isEmpty({ key, range_end }: WatchCreateRequest): boolean {
  return range_end.length > 0 && !isOpen(range_end) && compareBytes(key, range_end) >= 0
}

/** Why a watch is not created, as it is told, or `undefined`. */
function reasonAgainst(context: Context, request: WatchCreateRequest, isTaken: boolean): string | undefined {
  const { quirks } = context
  if (request.start_revision < 0 && quirks.negativeWatchRefused) return failures.compacted.message
  const refusal = refusalOf(context, request)
  if (refusal) {
    const { status, message } = quirks.watchRefusalExplained ? refusal : failures.permissionDenied
    return `rpc error: code = ${CODES[status] ?? status} desc = ${message}`
  }
  if (isEmpty(request)) return quirks.emptyWatchExplained ? 'mvcc: watcher range is empty' : ''
  return isTaken ? 'mvcc: duplicate watch ID provided on the WatchStream' : undefined
}

function reply(state: State, id: string, more: Partial<WatchReply>): WatchReply {
  return { header: headerOf(state), watch_id: id, created: false, canceled: false, compact_revision: '0', cancel_reason: '', fragment: false, events: [], ...more }
}

function concerns({ key, range_end, filters, start_revision, isOver }: Watch, change: Change): boolean {
  if (isOver || change.revision < start_revision || filters.includes(change.stored ? 0 : 1)) return false
  if (range_end.length === 0) return compareBytes(change.key, key) === 0
  return compareBytes(change.key, key) >= 0 && (isOpen(range_end) || compareBytes(change.key, range_end) < 0)
}

function eventOf(state: State, { key, stored, previous, revision }: Change, wantsPrevious: boolean): WatchEvent {
  const gone: StoredKey = { key, value: new Uint8Array(0), created: 0, modified: revision, version: 0, lease: NO_LEASE }
  // It is read at the revision before, which may be gone.
  const shown = wantsPrevious && revision - 1 >= state.compacted ? previous : undefined
  return { type: stored ? 'Put' : 'Delete', kv: toKeyValue(stored ?? gone), prev_kv: shown ? toKeyValue(shown) : null }
}

/** Whether compaction has left a change for those who come later: old versions drop a deletion at the compacted revision itself. */
function isKept({ state, quirks }: Omit<Context, 'now'>, { revision, stored }: Change): boolean {
  return stored !== undefined || revision !== state.compacted || quirks.tombstonesKept
}

/** A new stream. Its client is who it was when it opened it. */
export function watchStream(client: Omit<Context, 'now'>): WatchStream {
  const { state, quirks } = client
  const watches = new Map<string, Watch>()
  let position = state.history.length
  let nextId = 0
  let replies: WatchReply[] = []
  const say = (id: string, more: Partial<WatchReply>): void => {
    replies.push(reply(state, id, more))
  }
  const tell = (id: string, watch: Watch, changes: readonly Change[], revision: number): void => {
    const events = changes.filter((change) => concerns(watch, change)).map((change) => eventOf(state, change, watch.prev_kv))
    if (events.length > 0) say(id, { header: { ...headerOf(state), revision: String(revision) }, events })
  }
  /** Tells each watch of what has happened, one message for each revision. */
  const catchUp = (now: Date): void => {
    endLeases(state, now)
    const news = state.history.slice(position)
    position = state.history.length
    for (const revision of new Set(news.map((change) => change.revision))) {
      const changes = news.filter((change) => change.revision === revision)
      for (const [id, watch] of watches) tell(id, watch, changes, revision)
    }
  }
  const create = (context: Context, sent: WatchCreateRequest): void => {
    // Without a key, it is the smallest.
    const request = sent.key.length === 0 ? { ...sent, key: new Uint8Array(1) } : sent
    const chosen = quirks.watchIdChosen ? request.watch_id : ANY_ID
    const against = reasonAgainst(context, request, chosen !== ANY_ID && watches.has(chosen))
    if (against !== undefined) {
      say(NO_WATCH, { created: true, canceled: true, cancel_reason: against })
      return
    }
    if (chosen === ANY_ID) while (watches.has(String(nextId))) nextId++
    const id = chosen === ANY_ID ? String(nextId++) : chosen
    const { start_revision: start } = request
    const isOver = start !== 0 && start < state.compacted
    const watch = { ...request, isOver }
    watches.set(id, watch)
    say(id, { created: true })
    if (isOver) say(id, { header: { ...headerOf(state), revision: '0' }, canceled: state.compacted !== 0, compact_revision: String(state.compacted) })
    // From the past until now in one message.
    else if (start > 0) tell(id, watch, state.history.filter((change) => isKept(client, change)), state.revision)
  }
  const hasProgress = (): boolean => {
    const all = [...watches.values()]
    if (!quirks.progressWantsWatches) return true
    return all.length > 0 && all.every(({ isOver, start_revision }) => !isOver && !(quirks.progressWaits && start_revision > state.revision))
  }
  return {
    send: (request, now) => {
      catchUp(now)
      if (request.kind === 'create') create({ ...client, now }, request.create)
      if (request.kind === 'cancel' && watches.delete(request.watch_id)) say(request.watch_id, { canceled: true })
      if (request.kind === 'progress' && hasProgress()) say(NO_WATCH, {})
    },
    take: (now) => {
      catchUp(now)
      const taken = replies
      replies = []
      return taken
    },
  }
}
