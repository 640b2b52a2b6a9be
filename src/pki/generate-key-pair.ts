/** Fresh key pairs, in the WebCrypto that the caller passes. */
import { EtcdRbacError, quoted } from '../errors.js'
import { checkFields } from '../known-fields.js'
import type { WebCryptoLike } from '../platform.js'
import { readPublicKey, type PublicKeyAlgorithm } from './asn1/public-key.js'
import { readDer } from './asn1/der.js'
import { exporterOf, type ExportPkcs8 } from './export-pkcs8.js'
import { checkFips, fipsProblem } from './fips.js'
import type { Signer } from './signer.js'
import { isNotSupported, subtleOf, unusableCrypto } from './subtle.js'
import { webCryptoSigner } from './webcrypto-signer.js'

/**
 * What {@link generateKeyPair} makes, for an authority, a server, a peer or a client, in any mixture: each kind was run in each of these places on etcd
 * 3.3.25, 3.4.23, 3.5.16, 3.5.30, 3.5.35, 3.6.16 and 3.7.3 (`test/interop/etcd-algorithms.test.ts`).
 *
 * - `ecdsa-p256` is what etcd's own tools and every version handle fastest.
 * - `ecdsa-p384`, `ecdsa-p521`, `rsa-2048`, `rsa-3072`, `rsa-4096`: where a rule of the house asks for them. RSA takes up to seconds to make.
 * - `ed25519` needs an etcd that was built with Go 1.13 or newer, as every release since 3.5 is. Upstream's own binaries of 3.3, and of 3.4 up to 3.4.17 at
 *   least, were built with Go 1.12 (`CHANGELOG-3.4.md`), which ends with "tls: failed to parse private key"; Debian's 3.3.25 and 3.4.23 (Go 1.15 and 1.19) take
 *   it. Other clients of such a cluster must know it as well.
 */
export type KeyAlgorithm = 'ecdsa-p256' | 'ecdsa-p384' | 'ecdsa-p521' | 'rsa-2048' | 'rsa-3072' | 'rsa-4096' | 'ed25519'

/** A private key that stays inside WebCrypto, as what signs with it. */
export interface KeyPair {
  readonly algorithm: PublicKeyAlgorithm
  readonly signer: Signer
}

/** A key pair whose private key may be written to a file. */
export interface ExportableKeyPair extends KeyPair {
  readonly exportPkcs8: ExportPkcs8
}

/** How a key pair is made. */
export interface GenerateKeyPairOptions {
  /** Whether the result has `exportPkcs8`. Default false: the key stays inside WebCrypto. */
  readonly extractable?: boolean
  /** P-256, P-384 and RSA from 3072 bits only. Default false. */
  readonly fips?: boolean
}

const ecdsa = (namedCurve: string) => ({ name: 'ECDSA', namedCurve })
const rsa = (modulusLength: number) => ({ name: 'RSASSA-PKCS1-v1_5', modulusLength, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' })

const parameters: Readonly<Record<KeyAlgorithm, () => object>> = {
  'ecdsa-p256': () => ecdsa('P-256'),
  'ecdsa-p384': () => ecdsa('P-384'),
  'ecdsa-p521': () => ecdsa('P-521'),
  'rsa-2048': () => rsa(2048),
  'rsa-3072': () => rsa(3072),
  'rsa-4096': () => rsa(4096),
  ed25519: () => ({ name: 'Ed25519' }),
}

/**
 * Makes a key pair. Its private key cannot be extracted unless `{ extractable: true }` asks for it; only then has the result `exportPkcs8`, plain or
 * encrypted by a passphrase.
 *
 * @throws {@link EtcdRbacError} `ERR_ALGORITHM_UNSUPPORTED`, `ERR_CRYPTO_UNUSABLE`
 * @example
 * ```ts
 * import { generateKeyPair } from 'etcd-rbac'
 * declare const passphrase: string
 * const keys = await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
 * const [plain, encrypted] = [await keys.exportPkcs8(), await keys.exportPkcs8({ passphrase })]
 * ```
 */
export function generateKeyPair(crypto: WebCryptoLike, algorithm: KeyAlgorithm, options: GenerateKeyPairOptions & { readonly extractable: true }): Promise<ExportableKeyPair>
export function generateKeyPair(crypto: WebCryptoLike, algorithm: KeyAlgorithm, options?: GenerateKeyPairOptions & { readonly extractable?: false }): Promise<KeyPair>
export async function generateKeyPair(crypto: WebCryptoLike, algorithm: KeyAlgorithm, options: GenerateKeyPairOptions = {}): Promise<KeyPair | ExportableKeyPair> {
  const subtle = subtleOf(crypto)
  if (typeof algorithm !== 'string') throw new TypeError('an algorithm must be a string')
  checkFields(options, ['extractable', 'fips'], 'options of generateKeyPair')
  const { extractable = false } = options
  if (typeof extractable !== 'boolean') throw new TypeError('extractable must be true or false')
  const fips = checkFips(options.fips)
  const known = Object.keys(parameters) as KeyAlgorithm[]
  const takes = fips ? known.filter((one) => fipsProblem({ algorithm: one }) === undefined) : known
  if (!takes.includes(algorithm))
    throw new EtcdRbacError(
      'ERR_ALGORITHM_UNSUPPORTED',
      { found: `algorithm ${quoted(algorithm)}`, wanted: `${fips ? 'for fips ' : ''}one of ${takes.join(', ')}`, fix: 'choose one of these' },
      { algorithm },
    )
  const pair = await subtle.generateKey(parameters[algorithm](), extractable, ['sign', 'verify']).catch((error: unknown) => {
    throw isNotSupported(error) ? unusableCrypto(`keys of ${algorithm}`) : error
  })
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
  return { algorithm, signer, exportPkcs8: exporterOf(crypto, async () => new Uint8Array(await subtle.exportKey('pkcs8', pair.privateKey))) }
}
