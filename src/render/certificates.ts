/**
 * What rendering must know of certificates: who issued whom, and which names they carry. Structure by RFC 5280 §4.1; no signature is
 * verified here, since a wrong one fails at the first handshake and opens nothing.
 */
import { compareBytes, fromUtf8 } from '../bytes.js'
import { contents, encoded, readDer, type DerValue } from '../pki/asn1/der.js'
import { fieldsOf, oidOf } from '../pki/asn1/fields.js'
import { readName } from '../pki/asn1/name.js'
import { ANY_EXTENDED_KEY_USAGE, CLIENT_AUTH, COMMON_NAME, EXTENDED_KEY_USAGE, SERVER_AUTH, SUBJECT_ALTERNATIVE_NAME } from '../pki/asn1/oids.js'

/** Facts of one certificate. */
export interface CertificateFacts {
  /** The encoded names and key, to be compared byte by byte. */
  readonly subject: Uint8Array
  readonly issuer: Uint8Array
  readonly publicKey: Uint8Array
  /** Every Common Name; `undefined` where one is no text of certain meaning. */
  readonly commonNames: readonly (string | undefined)[]
  readonly dnsNames: readonly string[]
  /** What it may be used for; both where it does not say. */
  readonly usages: readonly Usage[]
}

/** A side of TLS. */
export type Usage = 'clientAuth' | 'serverAuth'

/** @throws {@link EtcdRbacError} `ERR_DER_INVALID` */
export function certificateFacts(der: Uint8Array): CertificateFacts {
  const body = fieldsOf(fieldsOf(readDer(der), 'certificate').take(0x30, 'body'), 'body')
  body.optional(0xa0)
  body.take(0x02, 'serial number')
  body.take(0x30, 'signature algorithm')
  const issuer = body.take(0x30, 'issuer')
  body.take(0x30, 'validity')
  const subject = body.take(0x30, 'subject')
  const publicKey = body.take(0x30, 'public key')
  body.optional(0x81)
  body.optional(0x82)
  const extensions = (body.optional(0xa3)?.children[0]?.children ?? []).map(extensionOf)
  const valuesOf = (oid: string): readonly DerValue[] | undefined => extensions.find((extension) => extension.oid === oid)?.values
  const usages = valuesOf(EXTENDED_KEY_USAGE)?.map(oidOf) ?? [ANY_EXTENDED_KEY_USAGE]
  const allows = (oid: string): boolean => usages.includes(oid) || usages.includes(ANY_EXTENDED_KEY_USAGE)
  return {
    subject: encoded(subject),
    issuer: encoded(issuer),
    publicKey: encoded(publicKey),
    commonNames: readName(subject).filter(({ type }) => type === COMMON_NAME).map(({ value }) => value),
    dnsNames: (valuesOf(SUBJECT_ALTERNATIVE_NAME) ?? []).filter(({ tag }) => tag === 0x82).map((name) => fromUtf8(contents(name)) ?? ''),
    usages: [...(allows(CLIENT_AUTH) ? ['clientAuth' as const] : []), ...(allows(SERVER_AUTH) ? ['serverAuth' as const] : [])],
  }
}

/** An extension that is a list, of those that are read here; the others' values are not looked into. */
function extensionOf(extension: DerValue): { readonly oid: string; readonly values: readonly DerValue[] } {
  const fields = fieldsOf(extension, 'extension')
  const oid = oidOf(fields.take(0x06, 'type'))
  fields.optional(0x01)
  const value = fields.take(0x04, 'value')
  return { oid, values: oid === SUBJECT_ALTERNATIVE_NAME || oid === EXTENDED_KEY_USAGE ? readDer(contents(value)).children : [] }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => compareBytes(a, b) === 0

/** Whether a chain, leaf first, leads to one of the authorities by name. */
export function leadsTo(chain: readonly CertificateFacts[], authorities: readonly CertificateFacts[]): boolean {
  return chain.some(({ issuer }) => authorities.some(({ subject }) => same(issuer, subject)))
}

/**
 * Whether what `issuers` issue could be accepted where only `accepted` are trusted: one key is in both, whatever its certificates say
 * (renewed, cross-signed), or one of `accepted` issued one of `issuers`, whose clients can send it along.
 */
export function reaches(issuers: readonly CertificateFacts[], accepted: readonly CertificateFacts[]): boolean {
  return issuers.some((from) => accepted.some((to) => same(from.publicKey, to.publicKey) || same(from.issuer, to.subject)))
}
