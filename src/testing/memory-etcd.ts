/** An etcd in memory, for unit tests of what talks to etcd: its rules and its error texts by version, no server, no time, no chance. */
import { createStore } from '../store/index.js'
import type { Call } from './calls.js'
import { createClient } from './client.js'
import { manualClock, type Clock } from './clock.js'
import { createFaults, type Faults } from './faults.js'
import type { ErrorClasses } from './grpc-error.js'
import type { MemoryClient } from './types.js'
import type { BytesMaker } from './wire.js'

/** Which etcd to be, and as whom its first client acts. */
export interface MemoryEtcdOptions {
  /** An exact release, such as `3.5.30`; 3.3.0 to 3.7.x. */
  readonly version: string
  /** Whether the v2 API is served (`--enable-v2`). Default: etcd's own, on for 3.3, off for 3.4 and 3.5; 3.6 and later have none. */
  readonly v2?: boolean
  /** Tells the time to tokens, expiring v2 keys and deadlines. Default: a manual clock that stands at 1970, so that no deadline passes. */
  readonly clock?: Clock
  /** The Common Name of the certificate with which the double itself acts. Default `root`. See {@link MemoryClient.as}. */
  readonly identity?: string
  /** The Common Names of the authorities above every client certificate, issuer first: on v2, each is tried as a user name. Default: none. */
  readonly chain?: readonly string[]
  /** Error classes by name, such as the module `etcd3` itself, so that `instanceof` holds. Default: plain errors with the right class name. */
  readonly errors?: ErrorClasses
  /** Node's `Buffer`, for replies whose bytes are Buffers, as etcd3's are. Default: `Uint8Array`. */
  readonly Buffer?: BytesMaker
}

/** An etcd in memory, and its first client. */
export interface MemoryEtcd extends MemoryClient {
  readonly version: string
  readonly clock: Clock
  /** What has been called so far, by any client. Without passwords. */
  readonly calls: readonly Call[]
  readonly faults: Faults
  /** Whether a request has killed the member for good, as some do on old versions: every later call finds nobody. */
  isDead(): boolean
}

/**
 * An etcd in memory. It keeps passwords as they come: never give it one that protects something.
 *
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED` for anything but a release of 3.3 to 3.7, or for `v2: true` where etcd has none
 * @example
 * ```ts
 * import { memoryEtcd } from 'etcd-rbac/testing'
 * const double = memoryEtcd({ version: '3.5.30' })
 * await double.auth.userAdd({ name: 'calico-node', options: { no_password: true } })
 * double.faults.failAfter(1)
 * await double.auth.roleAdd({ name: 'calico' }).catch((error: Error) => console.log(error.message)) // 14 UNAVAILABLE: read ECONNRESET
 * console.log((await double.auth.roleList()).roles.join()) // calico
 * ```
 */
export function memoryEtcd(options: MemoryEtcdOptions): MemoryEtcd {
  const { version, v2, clock = manualClock(new Date(0)), identity = 'root', chain = [], errors = {}, Buffer = Uint8Array } = options
  const store = createStore({ version, ...(v2 === undefined ? {} : { v2 }) })
  const { faults, judge } = createFaults()
  const calls: Call[] = []
  const client = createClient({ store, clock, classes: errors, bytes: Buffer, calls, judge, streams: new Set() }, { caller: { commonName: identity, chain } })
  return { ...client, version, clock, calls, faults, isDead: () => store.isDead() }
}
