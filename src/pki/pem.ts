/**
 * PEM (RFC 7468 §3): one block of the right label and nothing else but white space.
 *
 * Strict, since a file with two blocks is read differently by different programs, and text before a block is where a second one hides.
 */
import { fromBase64, toBase64 } from '../bytes.js'
import { EtcdRbacError } from '../errors.js'

declare const pemKind: unique symbol

/** What a PEM text holds. */
export type PemKind = 'certificate' | 'csr' | 'private key' | 'crl'

/** A PEM text of known kind, so that a certificate is not passed for a key. It is a string at run time. */
export type Pem<K extends PemKind> = string & { readonly [pemKind]: K }

/** A certificate in PEM (`-----BEGIN CERTIFICATE-----`). */
export type CertificatePem = Pem<'certificate'>
/** A certification request in PEM (`-----BEGIN CERTIFICATE REQUEST-----`). */
export type CsrPem = Pem<'csr'>
/** A PKCS#8 private key in PEM (`-----BEGIN PRIVATE KEY-----`), not encrypted. */
export type PrivateKeyPem = Pem<'private key'>
/** A revocation list in PEM (`-----BEGIN X509 CRL-----`). */
export type CrlPem = Pem<'crl'>

/** PEM of that kind, or a string of unknown kind such as the content of a file; never PEM of another kind. */
export type PemInput<K extends PemKind> = Pem<K> | (string & { readonly [pemKind]?: never })

const labels: Readonly<Record<PemKind, string>> = { certificate: 'CERTIFICATE', csr: 'CERTIFICATE REQUEST', 'private key': 'PRIVATE KEY', crl: 'X509 CRL' }

/** What to do about a block that is nearly the right one. */
const advice: Readonly<Record<string, string>> = {
  'EC PRIVATE KEY': 'convert it: openssl pkcs8 -topk8 -nocrypt',
  'RSA PRIVATE KEY': 'convert it: openssl pkcs8 -topk8 -nocrypt',
  'ENCRYPTED PRIVATE KEY': 'decrypt it: openssl pkcs8',
  'NEW CERTIFICATE REQUEST': 'have it written as CERTIFICATE REQUEST: openssl req',
}

/** Above any certificate chain here; what is longer is not looked at. */
const MAX_LENGTH = 262_144
/** Room for a revocation list as long as its reader takes. */
const MAX_LENGTH_OF_CRL = 23_000_000

/** PEM of bytes: lines of 64 characters, a final newline. */
export function writePem<K extends PemKind>(kind: K, der: Uint8Array): Pem<K> {
  const lines = toBase64(der).match(/.{1,64}/g) ?? []
  return `-----BEGIN ${labels[kind]}-----\n${lines.join('\n')}\n-----END ${labels[kind]}-----\n` as Pem<K>
}

/**
 * The bytes of exactly one PEM block.
 *
 * @throws {@link EtcdRbacError} `ERR_PEM_INVALID`; the message never quotes the content
 */
export function readPem<K extends PemKind>(kind: K, text: PemInput<K>): Uint8Array {
  const [only, second] = readPemBlocks(kind, text)
  if (only === undefined) return refuse(kind, 'no PEM block')
  return second === undefined ? only : refuse(kind, 'more than one PEM block')
}

/** The bytes of any number of PEM blocks of one kind, white space between them. */
export function readPemBlocks<K extends PemKind>(kind: K, text: PemInput<K>): readonly Uint8Array[] {
  if (typeof text !== 'string') throw new TypeError(`a ${kind} must be PEM in a string`)
  const most = kind === 'crl' ? MAX_LENGTH_OF_CRL : MAX_LENGTH
  if (text.length > most) return refuse(kind, `a text longer than ${most} characters`)
  const label = labels[kind]
  const blocks: Uint8Array[] = []
  let body: string[] | undefined
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.trimEnd()
    if (body === undefined) {
      if (trimmed.trim() === '') continue
      const found = /^-----BEGIN ([A-Z0-9 ]{1,40})-----$/.exec(trimmed)?.[1]
      if (found === undefined) return refuse(kind, blocks.length === 0 ? 'text that does not begin with a PEM block' : 'text behind a PEM block')
      if (found !== label) return refuse(kind, `a block labelled ${found}`, Object.hasOwn(advice, found) ? advice[found] : undefined)
      body = []
    } else if (trimmed === `-----END ${label}-----`) {
      const der = fromBase64(body.join(''))
      if (der === undefined || der.length === 0) return refuse(kind, 'a block that is not base64')
      blocks.push(der)
      body = undefined
    } else {
      if (!/^[A-Za-z0-9+/]{1,76}={0,2}$/.test(trimmed)) return refuse(kind, 'a line that is not base64, or no END line')
      body.push(trimmed)
    }
  }
  return body === undefined ? blocks : refuse(kind, 'a block without an END line')
}

function refuse(kind: PemKind, reason: string, fix = `pass the PEM text of the ${kind} alone`): never {
  throw new EtcdRbacError('ERR_PEM_INVALID', { found: reason, wanted: `exactly one block "-----BEGIN ${labels[kind]}-----"`, fix }, { label: labels[kind], reason })
}
