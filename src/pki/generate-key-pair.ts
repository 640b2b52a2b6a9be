/** Fresh key pairs, in the WebCrypto that the caller passes. */
import { EtcdRbacError, quoted } from '../errors.js'
import type { WebCryptoLike } from '../platform.js'
import { readPublicKey, type PublicKeyAlgorithm } from './asn1/public-key.js'
import { readDer } from './asn1/der.js'
import { writePem, type PrivateKeyPem } from './pem.js'
import type { Signer } from './signer.js'
import { subtleOf } from './subtle.js'
import { webCryptoSigner } from './webcrypto-signer.js'

/** What {@link generateKeyPair} makes. P-256 is what etcd's own tools and every supported version handle fastest. */
export type KeyAlgorithm = 'ecdsa-p256' | 'ecdsa-p384' | 'rsa-2048' | 'rsa-3072' | 'rsa-4096'

/** A private key that stays inside WebCrypto, as what signs with it. */
export interface KeyPair {
  readonly algorithm: PublicKeyAlgorithm
  readonly signer: Signer
}

/** A key pair whose private key may be written to a file. */
export interface ExportableKeyPair extends KeyPair {
  /** The private key as PKCS#8 PEM, not encrypted. Keep it out of logs; files of it want mode 0600. */
  exportPkcs8(): Promise<PrivateKeyPem>
}

const ecdsa = (namedCurve: string) => ({ name: 'ECDSA', namedCurve })
const rsa = (modulusLength: number) => ({ name: 'RSASSA-PKCS1-v1_5', modulusLength, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' })

const parameters: Readonly<Record<KeyAlgorithm, () => object>> = {
  'ecdsa-p256': () => ecdsa('P-256'),
  'ecdsa-p384': () => ecdsa('P-384'),
  'rsa-2048': () => rsa(2048),
  'rsa-3072': () => rsa(3072),
  'rsa-4096': () => rsa(4096),
}

/**
 * Makes a key pair. Its private key cannot be extracted unless `{ extractable: true }` asks for it; only then has the result `exportPkcs8`.
 *
 * @throws {@link EtcdRbacError} `ERR_ALGORITHM_UNSUPPORTED`, `ERR_CRYPTO_UNUSABLE`
 * @example
 * ```ts
 * import { generateKeyPair } from 'etcd-rbac'
 * const keys = await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
 * const pem = await keys.exportPkcs8()
 * ```
 */
export function generateKeyPair(crypto: WebCryptoLike, algorithm: KeyAlgorithm, options: { readonly extractable: true }): Promise<ExportableKeyPair>
export function generateKeyPair(crypto: WebCryptoLike, algorithm: KeyAlgorithm, options?: { readonly extractable?: false }): Promise<KeyPair>
export async function generateKeyPair(
  crypto: WebCryptoLike,
  algorithm: KeyAlgorithm,
  options: { readonly extractable?: boolean } = {},
): Promise<KeyPair | ExportableKeyPair> {
  const subtle = subtleOf(crypto)
  if (typeof algorithm !== 'string') throw new TypeError('an algorithm must be a string')
  if (!Object.hasOwn(parameters, algorithm))
    throw new EtcdRbacError(
      'ERR_ALGORITHM_UNSUPPORTED',
      { found: `algorithm ${quoted(algorithm)}`, wanted: `one of ${Object.keys(parameters).join(', ')}`, fix: 'choose one of these' },
      { algorithm },
    )
  const extractable = options.extractable === true
  const pair = await subtle.generateKey(parameters[algorithm](), extractable, ['sign', 'verify'])
  const publicKey = new Uint8Array(await subtle.exportKey('spki', pair.publicKey))
  const reading = readPublicKey(readDer(publicKey))
  if (!reading.ok || reading.algorithm !== algorithm)
    throw new EtcdRbacError(
      'ERR_CRYPTO_UNUSABLE',
      { found: `a WebCrypto that made ${reading.algorithm}`, wanted: algorithm, fix: 'pass another WebCrypto object' },
      { missing: algorithm },
    )
  const signer = webCryptoSigner(subtle, pair.privateKey, reading.key)
  if (!extractable) return { algorithm, signer }
  return { algorithm, signer, exportPkcs8: async () => writePem('private key', new Uint8Array(await subtle.exportKey('pkcs8', pair.privateKey))) }
}
