/**
 * The HTTP/JSON gateway of a member (`/v3/…`): a client inside etcd, that dials the member's own gRPC port.
 *
 * Follows etcd `server/embed/serve.go` and `etcd.go`; what it dials with was tried on 3.3.25, 3.4.23 and 3.5.30.
 */
import type { EtcdVersion } from '../advisories/version.js'
import { leadsTo } from './certificates.js'
import { refuseRender } from './check.js'
import { knowsFlag, shownVersion } from './flags.js'
import { materialFiles, readMaterial, refuseCommonName, type Certificates, type KeyedCertificate, type Material } from './material.js'
import type { Rendered } from './rendered.js'

/**
 * The HTTP/JSON gateway, which never knows a client by certificate. `'off'`; or it dials the member with the server certificate, which the
 * authority of clients must have issued and which needs clientAuth; or (3.5 and newer) with a certificate of its own without Common Name.
 */
export type HttpGateway = 'off' | 'server certificate' | KeyedCertificate

/** The member that the gateway belongs to. */
export interface HttpGatewayContext {
  readonly version: EtcdVersion
  readonly server: Material
  readonly clients: Certificates
  readonly path: string
}

/** @throws {@link EtcdRbacError} `ERR_RENDER_REFUSED` for a certificate that the member would not accept, or would take for a user's */
export function renderHttpGateway(gateway: HttpGateway, { version, server, clients, path }: HttpGatewayContext): Omit<Rendered, 'directories'> {
  const trusted = leadsTo(server.certificate.facts, clients.facts)
  if (gateway === 'off') {
    if (knowsFlag(version, '--enable-grpc-gateway'))
      return { arguments: [{ flag: '--enable-grpc-gateway', value: 'false', why: 'it never knows a client by certificate' }], files: [], notes: [] }
    const effect = trusted ? 'it stays open to any client that passes TLS, with rights by password only' : 'it answers 503, since the authority of clients did not issue the server certificate'
    return { arguments: [], files: [], notes: [`etcd ${shownVersion(version)} cannot switch the HTTP/JSON gateway off: ${effect}`] }
  }
  const notes = ['through the HTTP/JSON gateway users have passwords only, and a client certificate with a Common Name is refused there']
  if (gateway === 'server certificate') {
    if (!trusted)
      refuseRender('a gateway that dials with the server certificate, which the authority of clients did not issue', 'one that the member accepts', "give the gateway a certificate of its own, or gateway: 'off'")
    return { arguments: [], files: [], notes }
  }
  if (typeof gateway !== 'object') throw new TypeError('gateway must be "off", "server certificate" or a certificate with its key')
  const own = readMaterial('the certificate of the gateway', gateway, ['clientAuth'])
  if (!knowsFlag(version, '--client-cert-file'))
    refuseRender(`a certificate for the gateway on etcd ${shownVersion(version)}`, 'etcd 3.5 or newer', "use gateway: 'off', or 'server certificate' with one authority for servers and clients")
  refuseCommonName('a certificate of the gateway', own, 'the gateway would act under that name')
  if (!leadsTo(own.certificate.facts, clients.facts))
    refuseRender('a certificate of the gateway that the authority of clients did not issue', 'one that the member accepts', 'issue it under that authority')
  return {
    arguments: [
      { flag: '--client-cert-file', value: `${path}.crt`, why: 'the gateway dials the member with it; without Common Name, so that it is nobody' },
      { flag: '--client-key-file', value: `${path}.key`, why: 'the key of that certificate' },
    ],
    files: materialFiles(path, own),
    notes,
  }
}
