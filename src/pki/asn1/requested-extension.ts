/**
 * What the extensions of a certification request ask for, in words. Strict where Go is (`crypto/x509`, parseCertificateRequest): what other issuers
 * could not read is not worth a certificate.
 */
import { contents, readDer, type DerValue } from './der.js'
import { fieldsOf, oidOf } from './fields.js'
import { BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, KEY_USAGE, oidName, SUBJECT_ALTERNATIVE_NAME } from './oids.js'
import { refuseDer } from './refuse.js'

/** A name that is asked for, its address as bytes. */
export type RequestedName = { readonly kind: 'DNS' | 'email' | 'URI'; readonly text: string } | { readonly kind: 'IP'; readonly address: Uint8Array } | { readonly kind: 'name'; readonly tag: number }

/** What an extension asks for: names, or words; of extensions that are not known here only that they are there. */
export type RequestedExtension = { readonly names: readonly RequestedName[] } | { readonly words: readonly string[] }

/** The bits of keyUsage in their order (RFC 5280 §4.2.1.3). */
const usageBits: readonly string[] = [
  'digitalSignature', 'nonRepudiation', 'keyEncipherment', 'dataEncipherment', 'keyAgreement', 'keyCertSign', 'cRLSign', 'encipherOnly', 'decipherOnly',
]

/**
 * Reads the value of a requested extension.
 *
 * @throws {@link EtcdRbacError} `ERR_DER_INVALID` where a known one is malformed
 */
export function readRequestedExtension(oid: string, value: Uint8Array): RequestedExtension {
  if (oid === SUBJECT_ALTERNATIVE_NAME) {
    const list = readDer(value)
    if (list.tag !== 0x30 || list.children.length === 0) return refuseDer(list.start, 'a subjectAltName without names')
    return { names: list.children.map(nameOf) }
  }
  if (oid === BASIC_CONSTRAINTS) return { words: constraints(readDer(value)) }
  if (oid === KEY_USAGE) {
    const bits = readDer(value)
    if (bits.tag !== 0x03) return refuseDer(bits.start, 'a keyUsage that is no BIT STRING')
    return { words: usageBits.filter((_, bit) => ((contents(bits)[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0) }
  }
  if (oid === EXTENDED_KEY_USAGE) {
    const list = readDer(value)
    if (list.tag !== 0x30 || list.children.some(({ tag }) => tag !== 0x06)) return refuseDer(list.start, 'an extKeyUsage that is no list of purposes')
    return { words: list.children.map((purpose) => oidName(oidOf(purpose))) }
  }
  return { words: ['present'] }
}

function constraints(value: DerValue): readonly string[] {
  const fields = fieldsOf(value, 'basicConstraints')
  const ca = fields.optional(0x01)
  const pathLength = fields.optional(0x02)
  fields.end()
  return [ca !== undefined && contents(ca)[0] === 0xff ? 'CA:TRUE' : 'CA:FALSE', ...(pathLength === undefined ? [] : ['a path length'])]
}

/** Labels of a host that Go takes in a URI, with a port. */
const HOST = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*(?::\d{1,5})?$/
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})+(?:#(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$/

function nameOf(value: DerValue): RequestedName {
  const { tag } = value
  if ((tag & 0xc0) !== 0x80) return refuseDer(value.start, 'a subjectAltName with something that is no name')
  const content = contents(value)
  if (tag === 0x87) return content.length === 4 || content.length === 16 ? { kind: 'IP', address: content } : refuseDer(value.start, 'an address that is neither IPv4 nor IPv6')
  const kind = tag === 0x81 ? 'email' : tag === 0x82 ? 'DNS' : tag === 0x86 ? 'URI' : undefined
  if (kind === undefined) return { kind: 'name', tag: tag & 0x1f }
  if (content.some((octet) => octet >= 0x80)) return refuseDer(value.start, 'a name beyond ASCII in a subjectAltName')
  let text = ''
  for (const octet of content) text += String.fromCharCode(octet)
  if (kind === 'URI') {
    const host = /^[^:]*:\/\/(?:[^/?#@]*@)?([^/?#]*)/.exec(text)?.[1]
    if (!URI.test(text) || (host !== undefined && host !== '' && !HOST.test(host))) return refuseDer(value.start, 'a URI that cannot be read')
  }
  return { kind, text }
}
