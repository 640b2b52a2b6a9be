/**
 * An etcd cluster of one member, as far as users, roles and rights go: requests in, etcd's own answers out, by version.
 *
 * Pure and synchronous: it opens nothing, waits for nothing, and learns the time with each call. It shares no code with the policy that it is
 * used to test.
 */
import { EtcdRbacError } from '../errors.js'
import type { Caller } from './caller.js'
import { quirksOf } from './quirks.js'
import { dropExpired, nextExpiry } from './v2/expire.js'
import { answerHttp } from './v2/http.js'
import { isReset, type HttpReply, type HttpRequest, type Reset } from './v2/reply.js'
import { emptyTree } from './v2/tree.js'
import { cutWatches } from './v2/watches.js'
import { answer } from './v3/call.js'
import { isFailure, type Failure } from './v3/failures.js'
import type { Calls, Method } from './v3/rpc.js'
import { endLeases } from './v3/leases.js'
import { emptyState } from './v3/state.js'
import { watchStream, type WatchStream } from './v3/watch.js'

/** Which etcd to be. */
export interface StoreOptions {
  /** An exact release, such as `3.5.30`; 3.3.0 to 3.7.x. */
  readonly version: string
  /** Whether the v2 API is served (`--enable-v2`). Default: etcd's own, on for 3.3, off for 3.4 and 3.5. From 3.6 on there is none. */
  readonly v2?: boolean
}

/** A cluster. */
export interface Store {
  readonly version: string
  readonly v2: boolean
  /** Answers a v3 call. */
  call<M extends Method>(method: M, request: Calls[M][0], caller: Caller, now: Date): Calls[M][1] | Failure
  /** Ends the leases whose time is over. No other ends before the moment that it gives; `undefined` where there is none. */
  nextLeaseEnd(now: Date): Date | undefined
  /** Opens a stream of watches. */
  watch(caller: Caller): WatchStream
  /** Answers an HTTP request of the client port, or resets its connection. */
  http(request: HttpRequest, caller: Caller, now: Date): HttpReply | Reset
  /** When a v2 key expires next, while a watch waits that may have to be told of it. */
  nextExpiry(): Date | undefined
  /** Drops the v2 keys that have expired; each request does so first. */
  expire(now: Date): void
  /** Whether a request has killed the member for good: it dies again at each start. */
  isDead(): boolean
}

/**
 * A new, empty cluster.
 *
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED` for an unknown version, or for `v2: true` where etcd has none
 */
export function createStore(options: StoreOptions): Store {
  const quirks = quirksOf(options.version)
  const v2 = options.v2 ?? !quirks.v2Off
  if (v2 && quirks.v2Gone) {
    throw new EtcdRbacError(
      'ERR_VERSION_UNSUPPORTED',
      { found: `v2: true with etcd ${options.version}`, wanted: 'a version before 3.6, which removed the v2 API', fix: 'leave v2 away, or use an older version' },
      { version: options.version, wanted: '3.3.0 to 3.5.x' },
    )
  }
  const state = emptyState()
  const tree = emptyTree(3)
  return {
    version: options.version,
    v2,
    call: (method, request, caller, now) => {
      const reply = answer({ state, quirks, caller, now }, method, request)
      if (state.dead) cutWatches(tree)
      return reply
    },
    nextLeaseEnd: (now) => {
      endLeases(state, now)
      return Number.isFinite(state.leasesLast) ? new Date(state.leasesLast) : undefined
    },
    watch: (caller) => watchStream({ state, quirks, caller }),
    http: (request, caller, now) => (state.dead ? { reset: true } : answerHttp({ tree, quirks, v2, caller, now }, request)),
    nextExpiry: () => {
      const at = tree.watches.size === 0 ? undefined : nextExpiry(tree)
      return at === undefined ? undefined : new Date(at)
    },
    expire: (now) => dropExpired(tree, now.getTime()),
    isDead: () => state.dead,
  }
}

export { isFailure, isReset }
