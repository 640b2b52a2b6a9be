/** What a double has for its callers: etcd3's connections by structure, HTTP, and who its clients are. */
import type { FetchLike, ResponseLike } from '../platform.js'
import type { CallOptions } from './calls.js'
import type { MemoryAuth, MemoryCluster, MemoryKv, MemoryLease, MemoryMaintenance, MemoryWatch } from './services.js'

/** An answer of {@link MemoryClient.fetch}. */
export interface MemoryResponse extends ResponseLike {
  /** Whether the status is one of success, 200 to 299. */
  readonly ok: boolean
  /** The body, parsed. Rejects with a `SyntaxError` where it is no JSON. */
  json(): Promise<unknown>
}

/**
 * etcd3's `ICallable` by structure: what `new Etcd3().mock(…)` takes, so that all of etcd3 works on the double, its builders, watchers, leases
 * and locks too. It does not pass on deadlines: etcd3 gives a mock none.
 */
export interface MemoryCallable {
  /** Makes a call by etcd3's name of the service (`KV`) and the method (`range`). Rejects with a `TypeError` for one that the double does not answer. */
  exec<Reply>(service: string, method: string, message: unknown, options?: CallOptions): Promise<Reply>
  /** Gives what streams are opened by. */
  // etcd3 types these by gRPC's classes, which nobody here loads.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  withConnection<Result>(service: string, run: (connection: { resource: any; client: any; metadata: any }) => Result | Promise<Result>): Promise<Result>
  /** Takes what etcd3 says of a connection that failed, and does nothing about it. */
  markFailed(resource: unknown, error: Error): void
  readonly callOptionsFactory: undefined
}

/** One client of a double, with an identity of its own. */
export interface MemoryClient {
  readonly auth: MemoryAuth
  readonly kv: MemoryKv
  readonly leaseClient: MemoryLease
  readonly watchClient: MemoryWatch
  readonly cluster: MemoryCluster
  readonly maintenance: MemoryMaintenance
  /** For `new Etcd3().mock(…)`. */
  readonly callable: MemoryCallable
  /**
   * HTTP on the client port: `/v2`, `/version`, `/health`. Any host; as with `fetch`, `..` in the URL is resolved before it is sent. A v2 watch
   * (`wait=true`) resolves with its headers; its body comes with the event, by any client or the clock, and rejects when the `signal` aborts. With
   * `stream=true` it has no end.
   */
  readonly fetch: (...args: Parameters<FetchLike>) => Promise<MemoryResponse>
  /**
   * A client whose certificate has that Common Name. `undefined`: a certificate without one. On v3 that is nobody (PERMISSION_DENIED for
   * keys), on v2 the connection is reset.
   */
  as(commonName: string | undefined): MemoryClient
  /** A client without certificate and without login, as on a member without `--client-cert-auth`. */
  anonymous(): MemoryClient
  /** A client that sends that token on v3. It beats the certificate. */
  withToken(token: string): MemoryClient
  /** A client that logs in by password: on v3 before its first call, as etcd3 does; on v2 with a header on each request. */
  withPassword(user: string, password: string): MemoryClient
}
