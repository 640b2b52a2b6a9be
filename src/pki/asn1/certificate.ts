/** The certificate that we write (RFC 5280 §4.1), from parts of which those that do not change are encoded once per authority. */
import { algorithmIdentifier, type SignatureAlgorithm } from './algorithms.js'
import { nameConstraintsValue, type Subtrees } from './name-constraints.js'
import {
  AUTHORITY_KEY_IDENTIFIER, BASIC_CONSTRAINTS, CLIENT_AUTH, EXTENDED_KEY_USAGE, KEY_USAGE, NAME_CONSTRAINTS, SERVER_AUTH, SUBJECT_ALTERNATIVE_NAME, SUBJECT_KEY_IDENTIFIER,
} from './oids.js'
import { encodeTime } from './time.js'
import { concatBytes, utf8 } from '../../bytes.js'
import { namedBits, objectIdentifier, octetString, sequence, smallInteger, tagged, taggedPrimitive, TRUE, unsignedInteger } from './write.js'

/** What a certificate's key may be used for towards TLS. */
export type ExtendedUsage = 'clientAuth' | 'serverAuth'

/** The bits of keyUsage (RFC 5280 §4.2.1.3). */
export type KeyUsageBit = 'digitalSignature' | 'keyEncipherment' | 'keyCertSign' | 'cRLSign'

const usageBits: Readonly<Record<KeyUsageBit, number>> = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, cRLSign: 6 }
const usageOids: Readonly<Record<ExtendedUsage, string>> = { clientAuth: CLIENT_AUTH, serverAuth: SERVER_AUTH }

/** A name that a certificate is for, beside its subject. */
export type AlternativeName =
  | { readonly kind: 'dns'; readonly name: string }
  | { readonly kind: 'ip'; readonly address: Uint8Array }
  | { readonly kind: 'uri'; readonly uri: string }

function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  return critical ? sequence(objectIdentifier(oid), TRUE, octetString(value)) : sequence(objectIdentifier(oid), octetString(value))
}

/**
 * The extensions of an authority's certificate: a root's, unless another key identifier says who signs it. No extended key usage: it would limit
 * whatever is below. The key identifier of the issuer stands alone, without its name and serial number, so that a cross-signed issuer fits as well.
 */
export function authorityExtensions(
  keyId: Uint8Array,
  pathLength: number | undefined,
  { authorityKeyId = keyId, constraints }: { readonly authorityKeyId?: Uint8Array; readonly constraints?: Subtrees | undefined } = {},
): Uint8Array {
  return concatBytes(
    extension(BASIC_CONSTRAINTS, true, pathLength === undefined ? sequence(TRUE) : sequence(TRUE, smallInteger(pathLength))),
    extension(KEY_USAGE, true, namedBits([usageBits.keyCertSign, usageBits.cRLSign])),
    ...(constraints === undefined ? [] : [extension(NAME_CONSTRAINTS, true, nameConstraintsValue(constraints))]),
    extension(SUBJECT_KEY_IDENTIFIER, false, octetString(keyId)),
    extension(AUTHORITY_KEY_IDENTIFIER, false, sequence(taggedPrimitive(0, authorityKeyId))),
  )
}

/** The extensions of a leaf that are the same for all of one profile under one authority. */
export function leafExtensions(usage: readonly KeyUsageBit[], extended: readonly ExtendedUsage[], authorityKeyId: Uint8Array): Uint8Array {
  return concatBytes(
    extension(BASIC_CONSTRAINTS, true, sequence()),
    extension(KEY_USAGE, true, namedBits(usage.map((bit) => usageBits[bit]))),
    extension(EXTENDED_KEY_USAGE, false, sequence(...extended.map((one) => objectIdentifier(usageOids[one])))),
    extension(AUTHORITY_KEY_IDENTIFIER, false, sequence(taggedPrimitive(0, authorityKeyId))),
  )
}

/** subjectAltName: critical where the subject is empty (RFC 5280 §4.2.1.6). */
export function alternativeNames(names: readonly AlternativeName[], critical: boolean): Uint8Array {
  const encoded = names.map((name) => {
    if (name.kind === 'ip') return taggedPrimitive(7, name.address)
    return name.kind === 'dns' ? taggedPrimitive(2, utf8(name.name)) : taggedPrimitive(6, utf8(name.uri))
  })
  return extension(SUBJECT_ALTERNATIVE_NAME, critical, sequence(...encoded))
}

/** The part of a certificate between serial number and validity: how it is signed, and by whom. The same for all of one authority. */
export function signedBy(algorithm: SignatureAlgorithm, issuerName: Uint8Array): Uint8Array {
  return concatBytes(algorithmIdentifier(algorithm), issuerName)
}

const VERSION_3: Uint8Array = /* @__PURE__ */ tagged(0, /* @__PURE__ */ smallInteger(2))

/** The part of a certificate that is signed. `signedBy` and `extensions` are encoded beforehand. */
export function tbsCertificate(parts: {
  readonly serial: Uint8Array
  readonly signedBy: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
  readonly subject: Uint8Array
  readonly publicKeyDer: Uint8Array
  readonly extensions: readonly Uint8Array[]
}): Uint8Array {
  return sequence(
    VERSION_3,
    unsignedInteger(parts.serial),
    parts.signedBy,
    sequence(encodeTime(parts.notBefore), encodeTime(parts.notAfter)),
    parts.subject,
    parts.publicKeyDer,
    ...(parts.extensions.length === 0 ? [] : [tagged(3, sequence(...parts.extensions))]),
  )
}
