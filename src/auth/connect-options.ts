/**
 * Options for clients other than etcd3, as data: an `https.Agent` of Node, undici's `connect`, and channels of `@grpc/grpc-js`.
 *
 * All that they say is told outright: nothing is read from a file or the environment, and the server is always verified.
 */
import { quoted } from '../errors.js'
import { checkedConnectMaterial, checkedHosts, type ConnectMaterial } from './connect-material.js'

/** What Node's TLS takes of a client's identity and of whom it trusts. */
export interface TlsClientOptions {
  readonly ca: string
  readonly cert?: string
  readonly key?: string
  readonly rejectUnauthorized: true
  readonly minVersion: 'TLSv1.2'
}

/** What `new https.Agent(...)` takes. */
export interface HttpsAgentOptions extends TlsClientOptions {
  readonly keepAlive: true
}

/** One member, as `@grpc/grpc-js` takes it: `new Client(target, credentials.createSsl(...ssl), options)`. */
export interface GrpcChannel {
  /** `dns:host:port`, `ipv4:address:port` or `ipv6:[address]:port`. */
  readonly target: string
  // Node's Buffer, which declarations without @types/node cannot name.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly ssl: readonly [rootCertificates: any, privateKey: any, certificateChain: any]
  readonly options: { readonly 'grpc.enable_retries': 0; readonly 'grpc.max_receive_message_length': -1; readonly 'grpc.service_config_disable_resolution': 1 }
}

/** Node's, wherever grpc-js runs: it refuses any other form of PEM. */
declare const Buffer: { from(text: string, encoding: 'utf8'): Uint8Array }

function tlsOptions(material: ConnectMaterial): TlsClientOptions {
  const { ca, pair } = checkedConnectMaterial(material)
  return { ca, ...(pair === undefined ? {} : { cert: pair.certificate, key: pair.key }), rejectUnauthorized: true, minVersion: 'TLSv1.2' }
}

/**
 * Options for Node's `https.Agent`, for requests to the v2 API, the HTTP gateway, `/health` and `/metrics`. One agent is one identity: give each user its own.
 *
 * @throws `TypeError` for what is no PEM text, a certificate without its key, and a password beside them
 * @example
 * ```ts
 * import { httpsAgentOptions } from 'etcd-rbac'
 * import { Agent } from 'node:https'
 * declare const pem: { ca: string; certificate: string; key: string }
 * const agent = new Agent(httpsAgentOptions(pem))
 * ```
 */
export function httpsAgentOptions(material: ConnectMaterial): HttpsAgentOptions {
  return { ...tlsOptions(material), keepAlive: true }
}

/**
 * What undici's `new Agent({ connect })` takes; with `{ dispatcher }` a `fetch` then carries the certificate. Undici hands it to Node's `tls.connect`.
 *
 * @throws `TypeError` for what is no PEM text, a certificate without its key, and a password beside them
 * @example
 * ```ts
 * import { undiciConnectOptions } from 'etcd-rbac'
 * declare const pem: { ca: string; certificate: string; key: string }
 * const agentOptions = { connect: undiciConnectOptions(pem) } // new Agent(agentOptions)
 * ```
 */
export function undiciConnectOptions(material: ConnectMaterial): TlsClientOptions {
  return tlsOptions(material)
}

/**
 * For each host what a raw `@grpc/grpc-js` client takes. Its own retries are off, since a write whose answer was lost must not be repeated unseen; no
 * TXT record is asked for settings that could turn them on again; answers may be of any size, as etcd's own client lets them.
 *
 * @throws `TypeError` for no endpoint, one that is not `https://host:port`, what is no PEM text, a certificate without its key, and a password beside them
 * @example
 * ```ts
 * import { grpcChannels } from 'etcd-rbac'
 * declare const pem: { ca: string; certificate: string; key: string }
 * for (const { target } of grpcChannels({ hosts: 'https://10.0.0.10:2379', ...pem })) console.log(target) // ipv4:10.0.0.10:2379
 * ```
 */
export function grpcChannels(material: ConnectMaterial & { readonly hosts: string | readonly string[] }): readonly GrpcChannel[] {
  const { hosts, ...rest } = (material as typeof material | undefined) ?? ({} as typeof material)
  const targets = checkedHosts(hosts).map(targetOf)
  const { ca, pair } = checkedConnectMaterial(rest)
  const bytes = (pem: string | undefined): Uint8Array | null => (pem === undefined ? null : Buffer.from(pem, 'utf8'))
  return targets.map((target) => ({
    target,
    ssl: [bytes(ca), bytes(pair?.key), bytes(pair?.certificate)],
    options: { 'grpc.enable_retries': 0, 'grpc.max_receive_message_length': -1, 'grpc.service_config_disable_resolution': 1 },
  }))
}

/** The scheme is told, since grpc-js would take a bare name with a colon for one. */
function targetOf(host: string): string {
  const [, name, port] = /^https:\/\/(\[[\da-fA-F:.]+\]|[^/:@?#[\]\s]+):(\d{1,5})\/?$/.exec(host) ?? []
  if (name === undefined || port === undefined || Number(port) < 1 || Number(port) > 65_535) throw new TypeError(`endpoint ${quoted(host)} must be https://host:port`)
  return `${name.startsWith('[') ? 'ipv6' : /^\d+(?:\.\d+){3}$/.test(name) ? 'ipv4' : 'dns'}:${name}:${port}`
}
