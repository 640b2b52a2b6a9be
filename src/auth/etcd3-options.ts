/** Options for `new Etcd3(...)`: TLS from issued material, and etcd3's own retries off. */
import type { Because } from '../because.js'
import { checkedHosts, checkPem, refuseSecondIdentity } from './connect-material.js'

/** What a client needs to reach etcd with its certificate. */
export interface Etcd3Material {
  /** `https://host:port` of the members, or of the TCP gateway. */
  readonly hosts: string | readonly string[]
  /** The CA of the servers, PEM. */
  readonly ca: string
  /** The client's certificate with its intermediates, PEM. */
  readonly certificate: string
  /** The client's private key, PEM. */
  readonly key: string
  /** None: the certificate is the identity. */
  readonly password?: Because<'a client has one identity: a certificate or a password, never both'>
}

/** A fault policy that does nothing but call, in the form that etcd3 takes. */
export interface NoPolicy {
  /** Runs the call once, and gives or throws what it does. */
  readonly execute: <T>(run: (context: { readonly signal: never }) => T | PromiseLike<T>, signal?: unknown) => Promise<T>
  /** Takes a listener and never calls it. */
  readonly onSuccess: (listener: unknown) => NoSubscription
  /** Takes a listener and never calls it. */
  readonly onFailure: (listener: unknown) => NoSubscription
}

/** The subscription of a listener that is never called. */
export interface NoSubscription {
  /** Does nothing. */
  dispose(): void
}

/** What `new Etcd3(...)` takes. */
export interface Etcd3Options {
  hosts: string[]
  // Node's Buffer, which declarations without @types/node cannot name.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  credentials: { rootCertificate: any; privateKey: any; certChain: any }
  // cockatiel's IPolicy, which declarations without etcd3 cannot name.
  faultHandling: {
    /** Gives the policy for calls to one host: a {@link NoPolicy}. */
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    host: () => any
    /** The policy for calls to any host: a {@link NoPolicy}. */
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    global: any
  }
}

/** Node's, wherever etcd3 runs: grpc-js refuses any other form of PEM. */
declare const Buffer: { from(text: string, encoding: 'utf8'): Uint8Array }

const never = (): NoSubscription => ({ dispose: () => undefined })

const once: NoPolicy = {
  execute: async (run, signal) => run({ signal: signal as never }),
  onSuccess: never,
  onFailure: never,
}

/**
 * Options for an etcd3 client that sends every request once.
 *
 * By itself etcd3 repeats a write whose answer was lost and then reports that the user exists, and after a failure it refuses calls for
 * seconds (etcd3 1.1 `connection-pool`). Here it does neither.
 *
 * Several hosts make etcd3 choose one of them for each call, and fail where that one is down. To go on with another, give {@link v3Backend} a client for
 * each member, and each client one host.
 *
 * Never reads a file: `ca`, `certificate` and `key` are PEM texts. Wants Node's `Buffer`, as etcd3 does.
 *
 * @throws `TypeError` for no endpoint, or one that is not https, for what is no PEM text, and for a password beside the certificate
 * @example
 * ```ts
 * import { Etcd3 } from 'etcd3'
 * import { etcd3Options } from 'etcd-rbac'
 * declare const pem: { ca: string; certificate: string; key: string }
 * const etcd = new Etcd3(etcd3Options({ hosts: 'https://10.0.0.10:2379', ...pem }))
 * ```
 */
export function etcd3Options(material: Etcd3Material): Etcd3Options {
  // What plain JavaScript may have left away.
  const { hosts, ca, certificate, key, ...rest } = (material as Partial<Record<keyof Etcd3Material, unknown>> | undefined) ?? {}
  const list = checkedHosts(hosts)
  refuseSecondIdentity(rest)
  checkPem('ca', ca)
  checkPem('certificate', certificate)
  checkPem('key', key)
  const bytes = (pem: string): Uint8Array => Buffer.from(pem, 'utf8')
  return {
    hosts: [...list],
    credentials: { rootCertificate: bytes(ca), privateKey: bytes(key), certChain: bytes(certificate) },
    faultHandling: { host: () => once, global: once },
  }
}
