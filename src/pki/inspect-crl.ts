/** What a revocation list from anywhere says: plain data. */
import { compareBytes, toHex } from '../bytes.js'
import { checkFields } from '../known-fields.js'
import type { WebCryptoLike } from '../platform.js'
import { commonNamesOf } from './asn1/name.js'
import type { PublicKey } from './asn1/public-key.js'
import { readCertificate } from './asn1/read-certificate.js'
import { readCrl, type UnverifiedCrl } from './asn1/read-crl.js'
import { readPem, type PemInput } from './pem.js'
import { revokedOf, type RevokedCertificate } from './revocations.js'
import { subtleOf, type Subtle } from './subtle.js'
import { verifySignature } from './verify-signature.js'

/** The facts of a list. */
export interface InspectedCrl {
  /** 2, or 1 of old tools: without number, reasons and key identifier. */
  readonly version: 1 | 2
  /** The Common Name of its issuer, empty where it has not exactly one. */
  readonly authority: string
  readonly authorityKeyId?: string
  /** Decimal digits. */
  readonly number?: string
  readonly signatureAlgorithm: string
  /** When it was made, ISO 8601 in UTC. */
  readonly thisUpdate: string
  /** When the next one should be there at the latest. etcd does not look at it. */
  readonly nextUpdate?: string
  readonly revoked: readonly RevokedCertificate[]
  /** Critical extensions that are not understood here: the list is partial, indirect, or no list by itself. */
  readonly unknownCritical: readonly string[]
  /**
   * Where an issuer was given: whether the list is signed by its key, under its name. `'unsupported'`: the algorithm is not accepted, so it was not verified.
   */
  readonly signature?: 'valid' | 'invalid' | 'unsupported'
}

/**
 * Reads a revocation list, PEM or DER, of at most 16 MiB: some 300,000 entries. Its signature is verified only where `issuer`, the certificate of an
 * authority, is given. Whether that issuer may sign lists, and whether the list is outdated, is for the caller to judge.
 *
 * @throws {@link EtcdRbacError} `ERR_PEM_INVALID`, `ERR_DER_INVALID`, `ERR_CERTIFICATE_INVALID`, `ERR_CRYPTO_UNUSABLE`
 * @example
 * ```ts
 * import { inspectCrl, type Authority } from 'etcd-rbac'
 * declare const clients: Authority<'client'>, fileContent: Uint8Array
 * const { number, revoked, signature } = await inspectCrl(crypto, fileContent, { issuer: clients.certificate })
 * ```
 */
export async function inspectCrl(crypto: WebCryptoLike, crl: PemInput<'crl'> | Uint8Array, options: { readonly issuer?: PemInput<'certificate'> } = {}): Promise<InspectedCrl> {
  const subtle = subtleOf(crypto)
  checkFields(options, ['issuer'], 'the options of inspectCrl')
  const read = readCrl(crlBytes(crl))
  const names = commonNamesOf(read.issuer)
  const issuer = options.issuer === undefined ? undefined : readCertificate(readPem('certificate', options.issuer))
  return {
    version: read.version,
    authority: names.length === 1 ? (names[0] ?? '') : '',
    ...(read.authorityKeyId === undefined ? {} : { authorityKeyId: toHex(read.authorityKeyId) }),
    ...(read.number === undefined ? {} : { number: read.number.toString() }),
    signatureAlgorithm: 'algorithm' in read.signatureAlgorithm ? read.signatureAlgorithm.algorithm : read.signatureAlgorithm.unsupported,
    thisUpdate: read.thisUpdate.toISOString(),
    ...(read.nextUpdate === undefined ? {} : { nextUpdate: read.nextUpdate.toISOString() }),
    revoked: read.entries.map(revokedOf),
    unknownCritical: read.unknownCritical,
    ...(issuer === undefined ? {} : { signature: await crlSignature(subtle, read, { nameDer: issuer.subjectDer, key: issuer.publicKey.ok ? issuer.publicKey.key : undefined }) }),
  }
}

/** The DER of a list in either form; what was given is copied, since it may change while we wait. */
export function crlBytes(crl: PemInput<'crl'> | Uint8Array): Uint8Array {
  return crl instanceof Uint8Array ? Uint8Array.from(crl) : readPem('crl', crl)
}

/** Whether a list is signed by that key, under that name. */
export async function crlSignature(
  subtle: Subtle,
  { issuerDer, signatureAlgorithm, signed, signature }: UnverifiedCrl,
  { nameDer, key }: { readonly nameDer: Uint8Array; readonly key: PublicKey | undefined },
): Promise<'valid' | 'invalid' | 'unsupported'> {
  if (compareBytes(issuerDer, nameDer) !== 0) return 'invalid'
  if (key === undefined || 'unsupported' in signatureAlgorithm) return 'unsupported'
  return (await verifySignature(subtle, key, signatureAlgorithm.algorithm, signed, signature)) ? 'valid' : 'invalid'
}
