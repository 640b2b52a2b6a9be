/** PEM that becomes files: checked for its label, so that no key lands in a file that everybody may read, and written again in one form. */
import type { ExtendedUsage } from '../pki/asn1/certificate.js'
import { readOutline, type CertificateOutline } from '../pki/asn1/read-outline.js'
import { readPem, readPemBlocks, writePem, type PemInput } from '../pki/pem.js'
import { namesHost } from './certificates.js'
import { refuseRender, shown, type Address } from './check.js'
import type { RenderedFile } from './rendered.js'

/** A certificate with its private key, both PEM. */
export interface KeyedCertificate {
  /** The leaf first, then its intermediates if it has any; without the root. */
  readonly certificate: PemInput<'certificate'>
  /** PKCS#8, not encrypted. */
  readonly key: PemInput<'private key'>
}

/** Certificates that were read. */
export interface Certificates {
  /** PEM in one form: block after block, lines of 64 characters. */
  readonly pem: string
  readonly facts: readonly CertificateOutline[]
}

/** A keyed certificate that was read. */
export interface Material {
  readonly certificate: Certificates
  readonly key: string
}

/** At least one certificate. @throws {@link EtcdRbacError} `ERR_PEM_INVALID`, `ERR_DER_INVALID` */
export function readCertificates(what: string, text: PemInput<'certificate'>): Certificates {
  const blocks = readPemBlocks('certificate', text)
  if (blocks.length === 0) return refuseRender(`${what} without a certificate`, 'PEM of at least one', 'pass it')
  return { pem: blocks.map((der) => writePem('certificate', der)).join(''), facts: blocks.map(readOutline) }
}

/**
 * A certificate and its key.
 *
 * @param needed what its extended key usage must allow: TLS fails otherwise, with a message on the other side only
 * @throws {@link EtcdRbacError} `ERR_RENDER_REFUSED`, `ERR_PEM_INVALID`, `ERR_DER_INVALID`
 */
export function readMaterial(what: string, { certificate, key }: KeyedCertificate, needed: readonly ExtendedUsage[]): Material {
  const read = { certificate: readCertificates(what, certificate), key: writePem('private key', readPem('private key', key)) }
  const [leaf] = read.certificate.facts
  for (const usage of needed)
    if (leaf?.extendedUsages.includes(usage) !== true) refuseRender(`${what} without ${usage}`, `${needed.join(' and ')} in its extended key usage`, 'issue it for that')
  return read
}

/** Refuses a certificate that has a Common Name where etcd takes none, and says what would happen. */
export function refuseCommonName(what: string, { certificate }: Material, because: string): void {
  const [leaf] = certificate.facts
  if (leaf !== undefined && leaf.commonNames.length > 0)
    refuseRender(`${what} with Common Name ${JSON.stringify(leaf.commonNames[0] ?? '')}`, 'one without', `issue one without Common Name: ${because}`)
}

/** The hosts among these that a certificate is not for, each once. */
export function unnamedHosts({ certificate }: Material, addresses: readonly Address[]): readonly string[] {
  const [leaf] = certificate.facts
  return [...new Set(addresses.filter((address) => leaf === undefined || !namesHost(leaf, address)).map(({ host }) => host))]
}

/** Refuses a certificate that does not name every host that others are told to dial: they would refuse it. */
export function refuseUnnamed(what: string, material: Material, addresses: readonly Address[]): void {
  const unnamed = unnamedHosts(material, addresses)
  if (unnamed.length === 0) return
  refuseRender(`${what} does not name ${unnamed.map(shown).join(', ')}`, 'every advertised host in its subjectAltName, addresses as IP addresses', 'issue it for these hosts: whoever dials them would refuse it')
}

/** A file that anybody may read. */
export const publicFile = (path: string, contents: string): RenderedFile => ({ path, mode: 0o644, contents, secret: false })

/** A file that only its owner may read. */
export const secretFile = (path: string, contents: string): RenderedFile => ({ path, mode: 0o600, contents, secret: true })

/** The two files of a keyed certificate: `<path>.crt` and `<path>.key`. */
export function materialFiles(path: string, { certificate, key }: Material): readonly RenderedFile[] {
  return [publicFile(`${path}.crt`, certificate.pem), secretFile(`${path}.key`, key)]
}
