/**
 * Certificates of any origin (RFC 5280 §4), read strictly: whoever relies on one must see in it what etcd sees, and nothing that etcd cannot read.
 *
 * Names decide who somebody is: every Common Name counts, of any string type, wherever it stands.
 */
import { compareBytes } from '../../bytes.js'
import { EtcdRbacError, isEtcdRbacError } from '../../errors.js'
import { readSignatureAlgorithm } from './algorithms.js'
import { readCertificateExtensions, type CertificateExtensions } from './certificate-extensions.js'
import { certificateParts } from './certificate-parts.js'
import { encoded, readDer, type DerValue } from './der.js'
import { fieldsOf, oidOf, wholeBits } from './fields.js'
import { readName, type NameAttribute } from './name.js'
import {
  AUTHORITY_KEY_IDENTIFIER, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, KEY_USAGE, NAME_CONSTRAINTS, SUBJECT_ALTERNATIVE_NAME, SUBJECT_KEY_IDENTIFIER,
} from './oids.js'
import { readPublicKey, type PublicKeyReading } from './public-key.js'

/** What a certificate says. Nothing of it is verified. */
export interface UnverifiedCertificate extends CertificateExtensions {
  readonly der: Uint8Array
  readonly version: 1 | 2 | 3
  /** The content of the serial number's INTEGER. */
  readonly serial: Uint8Array
  /** The identifier of the signature algorithm. */
  readonly signatureAlgorithm: string
  readonly notBefore: Date
  readonly notAfter: Date
  readonly issuer: readonly NameAttribute[]
  readonly issuerDer: Uint8Array
  readonly subject: readonly NameAttribute[]
  readonly subjectDer: Uint8Array
  readonly publicKey: PublicKeyReading
  readonly publicKeyDer: Uint8Array
  readonly signed: Uint8Array
  readonly signature: Uint8Array
}

/** Extensions whose meaning is read here. A critical one that is not among them must be refused by whoever relies on the certificate. */
export const knownExtensions: readonly string[] = [
  AUTHORITY_KEY_IDENTIFIER, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, KEY_USAGE, NAME_CONSTRAINTS, SUBJECT_ALTERNATIVE_NAME, SUBJECT_KEY_IDENTIFIER,
]

/**
 * Reads one certificate.
 *
 * @throws {@link EtcdRbacError} `ERR_DER_INVALID`, `ERR_CERTIFICATE_INVALID`
 */
export function readCertificate(der: Uint8Array): UnverifiedCertificate {
  const { tbs, outerAlgorithm, signature, version, serial, notBefore, notAfter, algorithm, issuer, subject, publicKey, extensions } = certificateParts(readDer(der))
  const signatureBits = wholeBits(signature, 'signature')
  // Byte for byte (RFC 5280 §4.1.1.2): only the inner one is signed, and Go reads no certificate in which they differ.
  if (compareBytes(encoded(algorithm), encoded(outerAlgorithm)) !== 0) throw certificateError('its two signature algorithms differ')
  readSignatureAlgorithm(algorithm)
  return {
    der,
    version,
    serial,
    signatureAlgorithm: oidOf(fieldsOf(algorithm, 'signature algorithm').take(0x06, 'identifier')),
    notBefore,
    notAfter,
    issuer: readName(issuer),
    issuerDer: encoded(issuer),
    subject: readName(subject),
    subjectDer: encoded(subject),
    publicKey: readPublicKey(publicKey),
    publicKeyDer: encoded(publicKey),
    signed: encoded(tbs),
    signature: signatureBits,
    ...extensionsOf(extensions),
  }
}

/** The error of a certificate that cannot be used as what it was passed for. */
export function certificateError(reason: string, wanted = 'a certificate that can be read', fix = 'see whether the right file was passed'): EtcdRbacError<'ERR_CERTIFICATE_INVALID'> {
  return new EtcdRbacError('ERR_CERTIFICATE_INVALID', { found: `a certificate with a fault: ${reason}`, wanted, fix }, { reason })
}

function extensionsOf(list: DerValue | undefined): CertificateExtensions {
  try {
    return readCertificateExtensions(list)
  } catch (error) {
    if (isEtcdRbacError(error, 'ERR_DER_INVALID')) throw certificateError(error.detail.reason)
    throw error
  }
}
