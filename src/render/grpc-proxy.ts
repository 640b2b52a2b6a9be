/**
 * `etcd grpc-proxy start`: a proxy that speaks gRPC itself. Behind it nobody is known by certificate, and its cache answers serializable reads
 * without asking who reads (etcd#22065; both tried on 3.5.30). {@link renderTcpGateway} has neither fault.
 *
 * Follows etcd `server/etcdmain/grpc_proxy.go`.
 */
import type { PemInput } from '../pki/pem.js'
import { leadsTo } from './certificates.js'
import { checkAddress, checkPath, checkReachable, isWildcard, refuseRender } from './check.js'
import { distinctPaths } from './distinct-paths.js'
import { materialFiles, publicFile, readCertificates, readMaterial, refuseCommonName, refuseUnnamed, type KeyedCertificate } from './material.js'
import type { Rendered } from './rendered.js'

/** What whoever runs the proxy must have understood. */
export type GrpcProxyAcknowledgement = 'clients are not known by their certificates, and the cache answers serializable reads of one to all others'

const ACKNOWLEDGEMENT: GrpcProxyAcknowledgement = 'clients are not known by their certificates, and the cache answers serializable reads of one to all others'

/** A gRPC proxy in front of members. */
export interface GrpcProxyOptions {
  readonly acknowledge: GrpcProxyAcknowledgement
  /** Host and port. */
  readonly listen: string
  /** Host and port that clients are told. */
  readonly advertise: string
  /** Client URLs of the members. */
  readonly endpoints: readonly string[]
  /** Absolute; created with mode 0700. */
  readonly certificatesDirectory: string
  /** With it the proxy dials the members: under their authority of clients, without Common Name. */
  readonly client: KeyedCertificate
  /**
   * With it the proxy meets its clients, and dials itself: issued by one of the authorities below, naming the advertised host, with serverAuth
   * and clientAuth.
   */
  readonly server: KeyedCertificate
  readonly trust: {
    /** Who issued the members' server certificates. */
    readonly servers: PemInput<'certificate'>
    /** Who issued the certificates of those that may connect to the proxy. */
    readonly clients: PemInput<'certificate'>
  }
}

/** How to start the proxy, and its files. */
export interface RenderedGrpcProxy extends Rendered {
  /** Before the arguments: `etcd grpc-proxy start …`. */
  readonly subcommand: readonly ['grpc-proxy', 'start']
}

/**
 * The arguments and files of `etcd grpc-proxy start`.
 *
 * @throws {@link EtcdRbacError} `ERR_RENDER_REFUSED` without the acknowledgement, for a client certificate with a Common Name, or for a server
 *   certificate that does not name the advertised host, by which clients and the proxy itself dial it; `ERR_PEM_INVALID`, `ERR_DER_INVALID`
 * @example
 * ```ts
 * import { renderGrpcProxy, toCommand, type GrpcProxyOptions } from 'etcd-rbac/render'
 * export const start = (options: GrpcProxyOptions): readonly string[] => {
 *   const { subcommand, arguments: args } = renderGrpcProxy(options)
 *   return ['etcd', ...subcommand, ...toCommand(args)]
 * }
 * ```
 */
export function renderGrpcProxy(options: GrpcProxyOptions): RenderedGrpcProxy {
  const { acknowledge, listen, advertise, endpoints, certificatesDirectory } = options
  if ((acknowledge as unknown) !== ACKNOWLEDGEMENT)
    refuseRender('a gRPC proxy without acknowledgement', `acknowledge: ${JSON.stringify(ACKNOWLEDGEMENT)}`, 'use renderTcpGateway, through which certificates work, or acknowledge')
  checkAddress('the address to listen on', listen)
  const advertised = checkAddress('the address to advertise', advertise)
  if (isWildcard(advertised)) refuseRender('the address of all interfaces to advertise', 'one that clients can dial', 'name it')
  checkReachable('endpoints', endpoints)
  const path = checkPath('the directory of certificates', certificatesDirectory)
  const client = readMaterial('the client certificate of the proxy', options.client, ['clientAuth'])
  const server = readMaterial('the server certificate of the proxy', options.server, ['serverAuth', 'clientAuth'])
  const servers = readCertificates('the authority of servers', options.trust.servers)
  const clients = readCertificates('the authority of clients', options.trust.clients)
  refuseUnnamed('the server certificate of the proxy', server, [advertised])
  refuseCommonName('a client certificate of the proxy', client, 'the proxy does not start with one')
  // The proxy is a client of itself, with its server certificate, and trusts there whom it trusts as its clients: 3.5.35 and 3.6.16 exit
  // after five seconds where that fails, older releases run on.
  const itself = leadsTo(server.certificate.facts, clients.facts)
  if (!itself && !leadsTo(server.certificate.facts, servers.facts))
    refuseRender('a server certificate of the proxy that neither authority issued', 'one that the proxy accepts itself', 'issue it under the authority of servers')
  return distinctPaths({
    subcommand: ['grpc-proxy', 'start'],
    arguments: [
      { flag: '--endpoints', value: endpoints.join(','), why: 'the members' },
      { flag: '--listen-addr', value: listen, why: 'where clients connect' },
      { flag: '--advertise-client-url', value: advertise, why: 'what clients are told' },
      { flag: '--cacert', value: `${path}/servers-ca.crt`, why: 'how the proxy knows the members' },
      { flag: '--cert', value: `${path}/proxy-client.crt`, why: 'what the proxy shows to the members; without Common Name, so that it is nobody' },
      { flag: '--key', value: `${path}/proxy-client.key`, why: 'the key of that certificate' },
      { flag: '--cert-file', value: `${path}/proxy-server.crt`, why: 'how clients know the proxy' },
      { flag: '--key-file', value: `${path}/proxy-server.key`, why: 'the key of that certificate' },
      { flag: '--trusted-ca-file', value: `${path}/proxy-clients-ca.crt`, why: 'who may connect to the proxy at all, itself included' },
    ],
    directories: [{ path, mode: 0o700 }],
    files: [
      ...materialFiles(`${path}/proxy-client`, client), ...materialFiles(`${path}/proxy-server`, server),
      publicFile(`${path}/servers-ca.crt`, servers.pem), publicFile(`${path}/proxy-clients-ca.crt`, itself ? clients.pem : clients.pem + servers.pem),
    ],
    notes: ['clients log in by password behind it; a user that has certificates only can do nothing'],
  })
}
