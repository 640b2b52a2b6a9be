/** Private keys from files, by whatever tool: PKCS#8, SEC 1, PKCS#1, and PKCS#8 encrypted by PBES2; PEM or DER. */
import { EtcdRbacError, isEtcdRbacError } from '../errors.js'
import { checkFields } from '../known-fields.js'
import type { WebCryptoLike } from '../platform.js'
import { readDer } from './asn1/der.js'
import { formOf, type DerForm } from './asn1/form-of.js'
import { readPrivateKey, withPublicHalf, type PrivateKey, type PrivateKeyForm } from './asn1/private-key.js'
import { readPublicKey, type PublicKey } from './asn1/public-key.js'
import { refuseDer } from './asn1/refuse.js'
import { decryptKey } from './decrypt-key.js'
import { exporterOf } from './export-pkcs8.js'
import { checkFips, FIPS_KEYS, fipsProblem } from './fips.js'
import type { ExportableKeyPair, KeyPair } from './generate-key-pair.js'
import { passphraseError } from './passphrase.js'
import { onlyBlock, type PemInput } from './pem.js'
import { proveSigner } from './prove-signer.js'
import type { Signer } from './signer.js'
import { isNotSupported, subtleOf, unusableCrypto, type KeyHandle, type Subtle } from './subtle.js'
import { importParameters, webCryptoSigner } from './webcrypto-signer.js'

/** How a private key is opened. */
export interface OpenPrivateKeyOptions {
  /** Of an encrypted key, as UTF-8; refused with a key that is not encrypted. */
  readonly passphrase?: string
  /** Whether the result has `exportPkcs8`. Default false: the key stays inside WebCrypto. */
  readonly extractable?: boolean
  /** P-256, P-384 and RSA from 3072 bits only, and of encrypted keys only PBKDF2 with HMAC-SHA-256. Default false. */
  readonly fips?: boolean
}

const labels: Readonly<Record<string, PrivateKeyForm | 'encrypted PKCS#8'>> = {
  'PRIVATE KEY': 'PKCS#8',
  'EC PRIVATE KEY': 'SEC 1',
  'RSA PRIVATE KEY': 'PKCS#1',
  'ENCRYPTED PRIVATE KEY': 'encrypted PKCS#8',
}

/**
 * Opens a private key: ECDSA on P-256, P-384 or P-521, RSA of 2048 to 8192 bits, or Ed25519, in one PEM block (`PRIVATE KEY`, `EC PRIVATE KEY`,
 * `RSA PRIVATE KEY`, `ENCRYPTED PRIVATE KEY`) or in DER. What the key says twice must be the same, and it signs once, to see that its two halves belong
 * together. It cannot be extracted again unless `{ extractable: true }` asks for it; only then has the result `exportPkcs8`, which writes PKCS#8 whatever the
 * form was.
 *
 * Decrypted are PBES2 with PBKDF2 (HMAC-SHA-1, 256, 384, 512; at most 10,000,000 iterations) and AES-128, 192 or 256 in CBC. Everything else (scrypt, triple
 * DES, the headers of old PEM) is refused by name, with the command that converts it.
 *
 * @throws {@link EtcdRbacError} `ERR_PEM_INVALID`, `ERR_DER_INVALID`, `ERR_PASSPHRASE`, `ERR_ALGORITHM_UNSUPPORTED`, `ERR_KEY_MISMATCH`,
 * `ERR_SIGNER_INVALID`, `ERR_CRYPTO_UNUSABLE`; none quotes the key or the passphrase
 * @example
 * ```ts
 * import { openPrivateKey } from 'etcd-rbac'
 * declare const fileContent: string, passphrase: string
 * const { signer } = await openPrivateKey(crypto, fileContent, { passphrase })
 * ```
 */
export function openPrivateKey(crypto: WebCryptoLike, key: PrivateKeyInput, options: OpenPrivateKeyOptions & { readonly extractable: true }): Promise<ExportableKeyPair>
export function openPrivateKey(crypto: WebCryptoLike, key: PrivateKeyInput, options?: OpenPrivateKeyOptions & { readonly extractable?: false }): Promise<KeyPair>
export async function openPrivateKey(crypto: WebCryptoLike, key: PrivateKeyInput, options: OpenPrivateKeyOptions = {}): Promise<KeyPair | ExportableKeyPair> {
  const subtle = subtleOf(crypto)
  checkFields(options, ['passphrase', 'extractable', 'fips'], 'options of openPrivateKey')
  const { passphrase, extractable = false } = options
  if (typeof extractable !== 'boolean') throw new TypeError('extractable must be true or false')
  const fips = checkFips(options.fips)
  const { form, der } = typeof key === 'string' ? fromPem(key) : fromDer(key)
  const encrypted = form === 'encrypted PKCS#8'
  if (!encrypted && passphrase !== undefined) throw passphraseError('not encrypted')
  const read = encrypted ? readPrivateKey('PKCS#8', await decryptKey(crypto, der, passphrase, fips)) : readPrivateKey(form, der)
  if (!read.ok) throw 'fault' in read ? mismatch(`a private key with ${read.fault}`) : unsupported(read.algorithm, read.wanted)

  const publicKey = read.key.publicKey ?? (await publicHalf(subtle, read.key))
  const { pkcs8 } = read.key.publicKey === undefined ? withPublicHalf(read.key, publicKey) : read.key
  if (fips && fipsProblem(publicKey) !== undefined) throw unsupported(publicKey.algorithm, FIPS_KEYS)
  const signer = webCryptoSigner(subtle, await importPrivate(subtle, read.key, false), publicKey)
  await prove(subtle, signer, publicKey)
  const pair: KeyPair = { algorithm: publicKey.algorithm, signer }
  return extractable ? { ...pair, exportPkcs8: exporterOf(crypto, () => Promise.resolve(pkcs8)) } : pair
}

/** A private key in PEM, or in DER of any form that {@link openPrivateKey} reads. */
export type PrivateKeyInput = PemInput<'private key' | 'encrypted private key'> | Uint8Array

interface KeyBytes {
  readonly form: PrivateKeyForm | 'encrypted PKCS#8'
  readonly der: Uint8Array
}

function fromPem(text: string): KeyBytes {
  const { label, der } = onlyBlock(text, Object.keys(labels), 'private key')
  return { form: labels[label] ?? 'PKCS#8', der }
}

function fromDer(bytes: Uint8Array): KeyBytes {
  if (!(bytes instanceof Uint8Array)) throw new TypeError('a private key must be PEM in a string, or DER in a Uint8Array')
  const der = Uint8Array.from(bytes)
  const form = formOf(readDer(der))
  return isKeyForm(form) ? { form, der } : refuseDer(0, `it has the form of ${form === undefined ? 'nothing that is known here' : `a ${form}`}, not of a private key`)
}

const isKeyForm = (form: DerForm | undefined): form is KeyBytes['form'] => Object.values(labels).some((one) => one === form)

async function importPrivate(subtle: Subtle, key: PrivateKey, extractable: boolean): Promise<KeyHandle> {
  try {
    return await subtle.importKey('pkcs8', key.pkcs8, importParameters(key), extractable, ['sign'])
  } catch (error) {
    // The cause is left out: some implementations quote what they could not read.
    if (isNotSupported(error)) throw unusableCrypto(`keys of ${key.curve?.algorithm ?? key.family}`)
    throw mismatch('a private key that WebCrypto cannot use')
  }
}

/** That the halves belong together; some implementations see only when they sign that the public one is not on its curve. */
async function prove(subtle: Subtle, signer: Signer, key: PublicKey): Promise<void> {
  try {
    await proveSigner(subtle, { signer, key }, 'private key')
  } catch (error) {
    throw isEtcdRbacError(error) ? error : mismatch('a private key that WebCrypto cannot sign with')
  }
}

/** The public half of a key that does not say it: EC without, and Ed25519 as most write it. */
async function publicHalf(subtle: Subtle, key: PrivateKey): Promise<PublicKey> {
  const handle = await importPrivate(subtle, key, true)
  try {
    const parameters = importParameters(key)
    const { kty, crv, x, y } = await subtle.exportKey('jwk', handle)
    const half = Object.fromEntries(Object.entries({ kty, crv, x, y }).filter(([, value]) => value !== undefined))
    const reading = readPublicKey(readDer(new Uint8Array(await subtle.exportKey('spki', await subtle.importKey('jwk', half, parameters, true, ['verify'])))))
    if (reading.ok) return reading.key
  } catch {
    // `@peculiar/webcrypto` does not calculate it.
  }
  throw unusableCrypto(`the public half of a private key of ${key.curve?.algorithm ?? key.family} that does not say it`)
}

function mismatch(found: string): EtcdRbacError<'ERR_KEY_MISMATCH'> {
  return new EtcdRbacError('ERR_KEY_MISMATCH', { found, wanted: 'a complete key whose parts belong together', fix: 'check it: openssl pkey -check' }, { commonName: 'private key' })
}

function unsupported(algorithm: string, wanted: string): EtcdRbacError<'ERR_ALGORITHM_UNSUPPORTED'> {
  return new EtcdRbacError('ERR_ALGORITHM_UNSUPPORTED', { found: `a private key of ${algorithm}`, wanted, fix: 'make another key' }, { algorithm })
}
