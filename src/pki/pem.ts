/**
 * PEM (RFC 7468 §3): one block of the right label and nothing else but white space.
 *
 * Strict, since a file with two blocks is read differently by different programs, and text before a block is where a second one hides.
 */
import { fromBase64, toBase64 } from '../bytes.js'
import { EtcdRbacError } from '../errors.js'

declare const pemKind: unique symbol

/** What a PEM text holds. */
export type PemKind = 'certificate' | 'csr' | 'private key' | 'encrypted private key' | 'crl'

/** A PEM text of known kind, so that a certificate is not passed for a key. It is a string at run time. */
export type Pem<K extends PemKind> = string & { readonly [pemKind]: K }

/** A certificate in PEM (`-----BEGIN CERTIFICATE-----`). */
export type CertificatePem = Pem<'certificate'>
/** A certification request in PEM (`-----BEGIN CERTIFICATE REQUEST-----`). */
export type CsrPem = Pem<'csr'>
/** A PKCS#8 private key in PEM (`-----BEGIN PRIVATE KEY-----`), not encrypted. */
export type PrivateKeyPem = Pem<'private key'>
/** A PKCS#8 private key in PEM, encrypted by a passphrase (`-----BEGIN ENCRYPTED PRIVATE KEY-----`). */
export type EncryptedPrivateKeyPem = Pem<'encrypted private key'>
/** A list of revoked certificates in PEM (`-----BEGIN X509 CRL-----`). */
export type CrlPem = Pem<'crl'>

/** PEM of that kind, or a string of unknown kind such as the content of a file; never PEM of another kind. */
export type PemInput<K extends PemKind> = Pem<K> | (string & { readonly [pemKind]?: never })

/** The label of each kind (RFC 7468 §5 to §11). */
export const pemLabels: Readonly<Record<PemKind, string>> = {
  certificate: 'CERTIFICATE',
  csr: 'CERTIFICATE REQUEST',
  'private key': 'PRIVATE KEY',
  'encrypted private key': 'ENCRYPTED PRIVATE KEY',
  crl: 'X509 CRL',
}

/** What to do about a block that is nearly the right one. */
const advice: Readonly<Record<string, string>> = {
  'EC PRIVATE KEY': 'convert it: openssl pkcs8 -topk8 -nocrypt',
  'RSA PRIVATE KEY': 'convert it: openssl pkcs8 -topk8 -nocrypt',
  'DSA PRIVATE KEY': 'make another key',
  'OPENSSH PRIVATE KEY': 'convert it: ssh-keygen -p -m PKCS8',
  'EC PARAMETERS': 'take the block of the parameters out: openssl pkey writes the key without',
  'ENCRYPTED PRIVATE KEY': 'decrypt it: openssl pkcs8',
  'NEW CERTIFICATE REQUEST': 'have it written as CERTIFICATE REQUEST: openssl req',
  'TRUSTED CERTIFICATE': 'have it written as CERTIFICATE: openssl x509',
  'X509 CERTIFICATE': 'have it written as CERTIFICATE: openssl x509',
}

/** Above any certificate chain here; what is longer is not looked at. Lists of revoked certificates grow with what they revoke. */
const MAX_LENGTH = 262_144
const MAX_CRL_LENGTH = 23_000_000

/** PEM of bytes: lines of 64 characters, a final newline. */
export function writePem<K extends PemKind>(kind: K, der: Uint8Array): Pem<K> {
  const lines = toBase64(der).match(/.{1,64}/g) ?? []
  return `-----BEGIN ${pemLabels[kind]}-----\n${lines.join('\n')}\n-----END ${pemLabels[kind]}-----\n` as Pem<K>
}

/**
 * The bytes of exactly one PEM block.
 *
 * @throws {@link EtcdRbacError} `ERR_PEM_INVALID`; the message never quotes the content
 */
export function readPem<K extends PemKind>(kind: K, text: PemInput<K>): Uint8Array {
  return onlyBlock(text, [pemLabels[kind]], kind).der
}

/** The bytes of any number of PEM blocks of one kind, white space between them. */
export function readPemBlocks<K extends PemKind>(kind: K, text: PemInput<K>): readonly Uint8Array[] {
  return readBlocks(text, [pemLabels[kind]], kind).map(({ der }) => der)
}

/**
 * The same of a CA file, between whose blocks anything may stand, as in the bundles of systems: etcd and OpenSSL pass over it. A block of another kind
 * is refused, as etcd refuses it.
 */
export function readTrustedBlocks(text: PemInput<'certificate'>): readonly Uint8Array[] {
  return readBlocks(text, [pemLabels.certificate], 'certificate', true).map(({ der }) => der)
}

/** A block, as it was labelled. */
export interface PemBlock {
  readonly label: string
  readonly der: Uint8Array
}

/** Exactly one block of any of these labels. */
export function onlyBlock(text: string, labels: readonly string[], what: string): PemBlock {
  const [only, second] = readBlocks(text, labels, what)
  if (only === undefined) return refuse(labels, what, 'no PEM block')
  return second === undefined ? only : refuse(labels, what, 'more than one PEM block')
}

function readBlocks(text: string, labels: readonly string[], what: string, textBetween = false): readonly PemBlock[] {
  if (typeof text !== 'string') throw new TypeError(`a ${what} must be PEM in a string`)
  const longest = labels.includes(pemLabels.crl) ? MAX_CRL_LENGTH : MAX_LENGTH
  if (text.length > longest) return refuse(labels, what, `a text longer than ${longest} characters`)
  const blocks: PemBlock[] = []
  let open: { readonly label: string; readonly body: string[] } | undefined
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.trimEnd()
    if (open === undefined) {
      if (trimmed.trim() === '' || (textBetween && !trimmed.startsWith('-----'))) continue
      const label = /^-----BEGIN ([A-Z0-9 ]{1,40})-----$/.exec(trimmed)?.[1]
      if (label === undefined) return refuse(labels, what, blocks.length === 0 ? 'text that does not begin with a PEM block' : 'text behind a PEM block')
      if (!labels.includes(label)) return refuse(labels, what, `a block labelled ${label}`, Object.hasOwn(advice, label) ? advice[label] : undefined)
      open = { label, body: [] }
    } else if (trimmed === `-----END ${open.label}-----`) {
      const der = fromBase64(open.body.join(''))
      if (der === undefined || der.length === 0) return refuse(labels, what, 'a block that is not base64')
      blocks.push({ label: open.label, der })
      open = undefined
    } else {
      // Its key comes from the passphrase by MD5 (RFC 1421, OpenSSL's EVP_BytesToKey), which no WebCrypto has.
      if (trimmed === 'Proc-Type: 4,ENCRYPTED')
        return refuse(labels, what, 'a block encrypted in the old way, by headers, not as base64 alone', 'convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256')
      if (!/^[A-Za-z0-9+/]{1,76}={0,2}$/.test(trimmed)) return refuse(labels, what, 'a line that is not base64, or no END line')
      open.body.push(trimmed)
    }
  }
  return open === undefined ? blocks : refuse(labels, what, 'a block without an END line')
}

function refuse(labels: readonly string[], what: string, reason: string, fix = `pass the PEM text of the ${what} alone`): never {
  const [label = ''] = labels
  const wanted = `exactly one block ${labels.map((one) => `"-----BEGIN ${one}-----"`).join(' or ')}`
  throw new EtcdRbacError('ERR_PEM_INVALID', { found: reason, wanted, fix }, { label, reason })
}
