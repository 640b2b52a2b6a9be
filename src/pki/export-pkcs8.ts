/** Private keys for files: PKCS#8 (RFC 5208), plain or encrypted by PBES2 (RFC 8018 §6.2.1) with PBKDF2 over HMAC-SHA-256 and AES-256 in CBC. */
import { checkFields } from '../known-fields.js'
import type { WebCryptoLike } from '../platform.js'
import { MAX_ITERATIONS, writeEncryptedKey } from './asn1/pbes2.js'
import { cipherKey, passphraseBytes } from './passphrase.js'
import { writePem, type EncryptedPrivateKeyPem, type PrivateKeyPem } from './pem.js'
import { cipherSubtleOf, randomBytes } from './subtle.js'

/** How a private key is encrypted. */
export interface EncryptOptions {
  /** At least one character, taken as UTF-8. What it withstands is up to its length: the iterations only make each guess dear. */
  readonly passphrase: string
  /** Of PBKDF2, from 100,000 to 10,000,000; a tenth of a second for each 300,000 or so. Default 600,000. */
  readonly iterations?: number
}

/** Writes a private key. */
export interface ExportPkcs8 {
  /** The private key as PKCS#8 PEM, not encrypted. Keep it out of logs; files of it want mode 0600. */
  (): Promise<PrivateKeyPem>
  /**
   * The same, encrypted by a passphrase. etcd itself reads only keys that are not: this is for keeping an authority's key.
   *
   * @throws {@link EtcdRbacError} `ERR_PASSPHRASE`, `ERR_CRYPTO_UNUSABLE`
   */
  (options: EncryptOptions): Promise<EncryptedPrivateKeyPem>
}

const DEFAULT_ITERATIONS = 600_000
const LEAST_ITERATIONS = 100_000
const SALT_BYTES = 16
const IV_BYTES = 16

/** The export of a key, from its PKCS#8. */
export function exporterOf(crypto: WebCryptoLike, pkcs8: () => Promise<Uint8Array>): ExportPkcs8 {
  const write = async (options?: EncryptOptions): Promise<PrivateKeyPem | EncryptedPrivateKeyPem> => {
    if (options === undefined) return writePem('private key', await pkcs8())
    checkFields(options, ['passphrase', 'iterations'], 'options of exportPkcs8')
    return writePem('encrypted private key', await encryptKey(crypto, await pkcs8(), options))
  }
  return write as ExportPkcs8
}

async function encryptKey(crypto: WebCryptoLike, pkcs8: Uint8Array, { passphrase, iterations = DEFAULT_ITERATIONS }: EncryptOptions): Promise<Uint8Array> {
  if (!Number.isInteger(iterations) || iterations < LEAST_ITERATIONS || iterations > MAX_ITERATIONS)
    throw new TypeError(`iterations must be a whole number from ${LEAST_ITERATIONS} to ${MAX_ITERATIONS}`)
  const subtle = cipherSubtleOf(crypto)
  const [salt, iv] = [randomBytes(crypto, SALT_BYTES), randomBytes(crypto, IV_BYTES)]
  const key = await cipherKey(subtle, passphraseBytes(passphrase), { hash: 'SHA-256', salt, iterations, keyBytes: 32 }, 'encrypt')
  const ciphertext = new Uint8Array(await subtle.encrypt({ name: 'AES-CBC', iv }, key, pkcs8))
  return writeEncryptedKey({ salt, iterations, iv, ciphertext })
}
