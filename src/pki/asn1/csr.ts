/** PKCS#10 certification requests (RFC 2986 §4). */
import { algorithmIdentifier, readSignatureAlgorithm, type SignatureAlgorithm } from './algorithms.js'
import { checkSetOrder, contents, encoded, readDer } from './der.js'
import { readExtensions } from './extensions.js'
import { fieldsOf, oidOf, wholeBits } from './fields.js'
import { commonNameOnly, EMPTY_NAME, readName, type NameAttribute } from './name.js'
import { EXTENSION_REQUEST, oidName } from './oids.js'
import { readPublicKey, type PublicKeyReading } from './public-key.js'
import { refuseDer } from './refuse.js'
import { readRequestedExtension } from './requested-extension.js'
import { bitString, sequence, smallInteger, tagged } from './write.js'

/** An attribute of a CSR; where it asks for extensions, each of them. */
export interface RequestedPart {
  readonly kind: 'attribute' | 'extension'
  readonly oid: string
  readonly critical: boolean
  /** The encoded value of an extension. Of attributes it is not kept: one of them is a password. */
  readonly value: Uint8Array | undefined
}

/** What a CSR says. Nothing of it is known to be true before its signature is verified, and then only that its sender has the private key. */
export interface UnverifiedCsr {
  readonly subject: readonly NameAttribute[]
  readonly publicKey: PublicKeyReading
  /** The SubjectPublicKeyInfo. */
  readonly publicKeyDer: Uint8Array
  /** What the CSR asks for beside its key and its names. */
  readonly requested: readonly RequestedPart[]
  /** What is signed. */
  readonly signed: Uint8Array
  readonly signatureAlgorithm: { readonly algorithm: SignatureAlgorithm } | { readonly unsupported: string }
  readonly signature: Uint8Array
}

/**
 * Reads a CSR.
 *
 * @throws {@link EtcdRbacError} `ERR_DER_INVALID`
 */
export function readCsr(der: Uint8Array): UnverifiedCsr {
  const fields = fieldsOf(readDer(der), 'certification request')
  const info = fields.take(0x30, 'info')
  const signatureAlgorithm = readSignatureAlgorithm(fields.take(0x30, 'signature algorithm'))
  const signature = wholeBits(fields.take(0x03, 'signature'), 'signature')
  fields.end()

  const inner = fieldsOf(info, 'certification request info')
  const version = inner.take(0x02, 'version')
  if (contents(version).length !== 1 || contents(version)[0] !== 0) return refuseDer(version.start, 'a certification request of another version than 1')
  const subject = readName(inner.take(0x30, 'subject'))
  const spki = inner.take(0x30, 'public key')
  const publicKey = readPublicKey(spki)
  // Mandatory even when empty: Go cannot read a CSR without it.
  const attributes = inner.take(0xa0, 'attributes').children
  inner.end()
  checkSetOrder(attributes)

  const seen = new Set<string>()
  const once = (oid: string): string => {
    if (seen.has(oid)) return refuseDer(info.start, `a certification request that asks for ${oidName(oid)} twice`)
    seen.add(oid)
    return oid
  }
  const requested = attributes.flatMap((attribute): readonly RequestedPart[] => {
    const parts = fieldsOf(attribute, 'attribute')
    const oid = once(oidOf(parts.take(0x06, 'type')))
    const values = parts.take(0x31, 'values').children
    parts.end()
    if (oid !== EXTENSION_REQUEST) return [{ kind: 'attribute', oid, critical: false, value: undefined }]
    // One value (RFC 2985 §5.4.2): where there were two, Go would read the first, and openssl too.
    const [list] = values
    if (list === undefined || values.length > 1) return refuseDer(attribute.start, 'a request for extensions of other than one value')
    return readExtensions(list).map(({ oid: id, critical, value }): RequestedPart => {
      readRequestedExtension(id, contents(value))
      return { kind: 'extension', oid: id, critical, value: contents(value) }
    })
  })
  return { subject, publicKey, publicKeyDer: encoded(spki), requested, signed: encoded(info), signatureAlgorithm, signature }
}

/** The part of a CSR that is signed: subject of one Common Name or empty, key, no attributes. */
export function csrInfo(commonName: string | undefined, publicKeyDer: Uint8Array): Uint8Array {
  return sequence(smallInteger(0), commonName === undefined ? EMPTY_NAME : commonNameOnly(commonName), publicKeyDer, tagged(0))
}

/** Puts a signature to what is signed: the outer form of a CSR and of a certificate alike. */
export function signedObject(signed: Uint8Array, algorithm: SignatureAlgorithm, signature: Uint8Array): Uint8Array {
  return sequence(signed, algorithmIdentifier(algorithm), bitString(signature))
}
