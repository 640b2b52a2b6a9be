/**
 * What a certificate says by its form alone (RFC 5280 §4.1): who issued whom, under which names, for which uses. At once, and without pkijs.
 *
 * Nothing is verified; extensions other than subjectAltName and extKeyUsage are not looked into.
 */
import { fromUtf8 } from '../../bytes.js'
import type { AlternativeName, ExtendedUsage } from './certificate.js'
import { certificateParts } from './certificate-parts.js'
import { contents, encoded, readDer, type DerValue } from './der.js'
import { fieldsOf, oidOf } from './fields.js'
import { readName } from './name.js'
import { ANY_EXTENDED_KEY_USAGE, CLIENT_AUTH, COMMON_NAME, EXTENDED_KEY_USAGE, SERVER_AUTH, SUBJECT_ALTERNATIVE_NAME } from './oids.js'

/** The outline of one certificate. */
export interface CertificateOutline {
  /** The encoded names and key, to be compared byte by byte. */
  readonly subjectDer: Uint8Array
  readonly issuerDer: Uint8Array
  readonly publicKeyDer: Uint8Array
  /** Every Common Name; `undefined` where one is no text of certain meaning. */
  readonly commonNames: readonly (string | undefined)[]
  /** DNS names, addresses and URIs, as they stand; names of other kinds are left out. */
  readonly alternativeNames: readonly AlternativeName[]
  /** What it may be used for in TLS; both where it does not say. */
  readonly extendedUsages: readonly ExtendedUsage[]
}

/** @throws {@link EtcdRbacError} `ERR_DER_INVALID` */
export function readOutline(der: Uint8Array): CertificateOutline {
  const parts = certificateParts(readDer(der))
  const { issuer, subject, publicKey } = parts
  const extensions = (parts.extensions?.children ?? []).map(listedBy)
  const listOf = (oid: string): readonly DerValue[] | undefined => extensions.find((extension) => extension.oid === oid)?.values
  const usages = listOf(EXTENDED_KEY_USAGE)?.map(oidOf) ?? [ANY_EXTENDED_KEY_USAGE]
  const allows = (oid: string): boolean => usages.includes(oid) || usages.includes(ANY_EXTENDED_KEY_USAGE)
  return {
    subjectDer: encoded(subject),
    issuerDer: encoded(issuer),
    publicKeyDer: encoded(publicKey),
    commonNames: readName(subject).filter(({ type }) => type === COMMON_NAME).map(({ value }) => value),
    alternativeNames: (listOf(SUBJECT_ALTERNATIVE_NAME) ?? []).flatMap(alternativeNameOf),
    extendedUsages: [...(allows(CLIENT_AUTH) ? ['clientAuth' as const] : []), ...(allows(SERVER_AUTH) ? ['serverAuth' as const] : [])],
  }
}

/** The values of an extension that is a list, of those that are read here. */
function listedBy(extension: DerValue): { readonly oid: string; readonly values: readonly DerValue[] } {
  const fields = fieldsOf(extension, 'extension')
  const oid = oidOf(fields.take(0x06, 'identifier'))
  fields.optional(0x01)
  const value = fields.take(0x04, 'value')
  fields.end()
  return { oid, values: oid === SUBJECT_ALTERNATIVE_NAME || oid === EXTENDED_KEY_USAGE ? readDer(contents(value)).children : [] }
}

/** A GeneralName (RFC 5280 §4.2.1.6); a DNS name or URI that is no UTF-8 is nobody's. */
function alternativeNameOf(value: DerValue): readonly AlternativeName[] {
  if (value.tag === 0x87) return [{ kind: 'ip', address: contents(value) }]
  const text = value.tag === 0x82 || value.tag === 0x86 ? fromUtf8(contents(value)) : undefined
  if (text === undefined) return []
  return [value.tag === 0x82 ? { kind: 'dns', name: text } : { kind: 'uri', uri: text }]
}
