/** A key and its certificate in one file for clients that want it so, Java's above all: PKCS#12 (RFC 7292). */
import { compareBytes, utf8 } from '../bytes.js'
import { checkFields } from '../known-fields.js'
import type { WebCryptoLike } from '../platform.js'
import { readOutline } from './asn1/read-outline.js'
import { writeForeignPkcs12 } from './asn1/foreign/write-pkcs12.js'
import type { ExportableKeyPair } from './generate-key-pair.js'
import { openPrivateKey } from './open-private-key.js'
import { passphraseError } from './passphrase.js'
import { keyMismatch } from './prove-signer.js'
import { readPem, readPemBlocks, type PemInput } from './pem.js'
import { sha256, subtleOf } from './subtle.js'

/** What goes into the file. */
export interface Pkcs12Request {
  /** The chain as `Issued` has it: the leaf, then the intermediates. PEM blocks. The root belongs into the client's trust store. */
  readonly chain: PemInput<'certificate'>
  /** The key pair of the leaf: generated, or opened, with `{ extractable: true }`. */
  readonly key: ExportableKeyPair
  /** Encrypts it: at least 8 characters of ASCII: Java takes no other. */
  readonly passphrase: string
  /** What the entry is called in the file. ASCII. Default: `etcd-client`. */
  readonly alias?: string
}

/** PBKDF2 and the MAC alike: whoever guesses goes by the cheaper of the two. */
const ITERATIONS = 100_000
const LEAST_PASSPHRASE = 8

/**
 * Writes a PKCS#12 file: key and certificates by AES-256 under PBKDF2 with HMAC-SHA-256, the whole under HMAC-SHA-256, 100,000 iterations each. Java reads
 * it from 8u301, 11.0.12 and 16 on (`keytool -list -storetype PKCS12`). Loads pkijs. Blocks for some tenths of a second: the derivation of the MAC's key
 * is not WebCrypto's.
 *
 * @throws {@link EtcdRbacError} `ERR_KEY_MISMATCH` where the key is not the leaf's, `ERR_PASSPHRASE` for one that is too short or not ASCII,
 * `ERR_PEM_INVALID`, `ERR_DER_INVALID`, `ERR_CRYPTO_UNUSABLE`
 * @example
 * ```ts
 * import { toPkcs12, type ExportableKeyPair, type Issued } from 'etcd-rbac'
 * declare const issued: Issued, key: ExportableKeyPair, passphrase: string
 * const file: Uint8Array = await toPkcs12(crypto, { chain: issued.chain, key, passphrase })
 * ```
 */
export async function toPkcs12(crypto: WebCryptoLike, request: Pkcs12Request): Promise<Uint8Array> {
  checkFields(request, ['chain', 'key', 'passphrase', 'alias'], 'the options of toPkcs12')
  const subtle = subtleOf(crypto)
  const { alias = 'etcd-client', passphrase, key } = request
  if (typeof (key as Partial<ExportableKeyPair> | undefined)?.exportPkcs8 !== 'function') throw new TypeError('key must be a key pair that was generated or opened with { extractable: true }')
  if (typeof alias !== 'string' || !/^[\x20-\x7e]{1,100}$/.test(alias)) throw new TypeError('alias must be 1 to 100 characters of ASCII')
  if (typeof passphrase !== 'string') throw new TypeError('a passphrase must be a string')
  if (passphrase.length < LEAST_PASSPHRASE) throw passphraseError('too short')
  if (!/^[\x20-\x7e]+$/.test(passphrase)) throw passphraseError('not ASCII')
  const certificates = readPemBlocks('certificate', request.chain)
  const [leaf] = certificates
  if (leaf === undefined) {
    readPem('certificate', request.chain)
    throw new TypeError('a chain must hold a certificate')
  }
  const { publicKeyDer, commonNames } = readOutline(leaf)
  if (compareBytes(key.signer.publicKey, publicKeyDer) !== 0) throw keyMismatch(commonNames[0] ?? alias)
  const exported = await key.exportPkcs8()
  // What is written is what was exported, whatever else is said of it.
  const { signer } = await openPrivateKey(crypto, exported)
  if (compareBytes(signer.publicKey, publicKeyDer) !== 0) throw keyMismatch(commonNames[0] ?? alias)
  const localKeyId = (await sha256(subtle, publicKeyDer)).subarray(0, 20)
  return writeForeignPkcs12(crypto, { privateKey: readPem('private key', exported), certificates, localKeyId, alias, passphrase: utf8(passphrase), iterations: ITERATIONS })
}
