/**
 * Certificates that others made: the strict checks first, the names and the key by our own reader, then the extensions by pkijs.
 *
 * Names are ours to read since they decide who somebody is: every Common Name counts, of any string type, wherever it stands.
 */
import { compareBytes } from '../../bytes.js'
import { EtcdRbacError, isEtcdRbacError } from '../../errors.js'
import { readSignatureAlgorithm } from './algorithms.js'
import { certificateParts } from './certificate-parts.js'
import { contents, encoded, readDer, type DerValue } from './der.js'
import { fieldsOf, oidOf, wholeBits } from './fields.js'
import { readForeignCertificate, type ForeignCertificate } from './foreign/read-certificate.js'
import { readName, type NameAttribute } from './name.js'
import { readNameConstraints, type Subtrees } from './name-constraints.js'
import {
  AUTHORITY_KEY_IDENTIFIER, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, KEY_USAGE, NAME_CONSTRAINTS, SUBJECT_ALTERNATIVE_NAME, SUBJECT_KEY_IDENTIFIER,
} from './oids.js'
import { readPublicKey, type PublicKeyReading } from './public-key.js'

/** What a certificate of any origin says. Nothing of it is verified. */
export interface UnverifiedCertificate extends ForeignCertificate {
  readonly der: Uint8Array
  readonly issuer: readonly NameAttribute[]
  readonly issuerDer: Uint8Array
  readonly subject: readonly NameAttribute[]
  readonly subjectDer: Uint8Array
  readonly publicKey: PublicKeyReading
  readonly publicKeyDer: Uint8Array
  readonly signed: Uint8Array
  readonly signature: Uint8Array
  /** The names to which an authority is restricted. */
  readonly nameConstraints: Subtrees | undefined
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
export async function readCertificate(der: Uint8Array): Promise<UnverifiedCertificate> {
  const own = readOuter(readDer(der))
  const reading = await readForeignCertificate(der)
  if ('problem' in reading) throw certificateError(reading.problem)
  return { ...reading.certificate, ...own, der }
}

/** The error of a certificate that cannot be used as what it was passed for. */
export function certificateError(reason: string, wanted = 'a certificate that can be read', fix = 'see whether the right file was passed'): EtcdRbacError<'ERR_CERTIFICATE_INVALID'> {
  return new EtcdRbacError('ERR_CERTIFICATE_INVALID', { found: `a certificate with a fault: ${reason}`, wanted, fix }, { reason })
}

type Outer = Omit<UnverifiedCertificate, keyof ForeignCertificate | 'der'>

function readOuter(value: DerValue): Outer {
  const { tbs, outerAlgorithm, signature, algorithm, issuer, subject, publicKey, extensions } = certificateParts(value)
  const signatureBits = wholeBits(signature, 'signature')
  // Byte for byte (RFC 5280 §4.1.1.2): only the inner one is signed, and Go reads no certificate in which they differ.
  if (compareBytes(encoded(algorithm), encoded(outerAlgorithm)) !== 0) throw certificateError('its two signature algorithms differ')
  readSignatureAlgorithm(algorithm)
  const known = new Map(extensions.flatMap(knownExtension))
  const constraints = known.get(NAME_CONSTRAINTS)

  return {
    signature: signatureBits,
    signed: encoded(tbs),
    issuer: readName(issuer),
    issuerDer: encoded(issuer),
    subject: readName(subject),
    subjectDer: encoded(subject),
    publicKey: readPublicKey(publicKey),
    publicKeyDer: encoded(publicKey),
    nameConstraints: constraints === undefined ? undefined : strictly(NAME_CONSTRAINTS, () => readNameConstraints(constraints)),
  }
}

/** The inside of an extension is an OCTET STRING to the outer reader; what is going to be relied on is held to the same strictness. */
function knownExtension(extension: DerValue): readonly (readonly [oid: string, value: DerValue])[] {
  const fields = fieldsOf(extension, 'extension')
  const oid = oidOf(fields.take(0x06, 'identifier'))
  fields.optional(0x01)
  const value = fields.take(0x04, 'value')
  fields.end()
  return knownExtensions.includes(oid) ? [[oid, strictly(oid, () => readDer(contents(value)))]] : []
}

function strictly<T>(oid: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (isEtcdRbacError(error, 'ERR_DER_INVALID')) throw certificateError(`extension ${oid} is not canonical DER: ${error.detail.reason}`)
    throw error
  }
}
