/** Private keys from files: PKCS#8 PEM (RFC 5208), not encrypted. */
import { EtcdRbacError } from '../errors.js'
import type { WebCryptoLike } from '../platform.js'
import { ACCEPTED_KEYS, readPrivateKeyAlgorithm, readPublicKey } from './asn1/public-key.js'
import { readDer } from './asn1/der.js'
import type { ExportableKeyPair } from './generate-key-pair.js'
import { readPem, writePem, type PemInput } from './pem.js'
import { proveSigner } from './prove-signer.js'
import { subtleOf, type Subtle } from './subtle.js'
import { webCryptoSigner } from './webcrypto-signer.js'

/**
 * Opens a private key: ECDSA on P-256, P-384 or P-521, or RSA of 2048 to 8192 bits. Signs once with it, to see that its two halves belong together.
 *
 * @throws {@link EtcdRbacError} `ERR_PEM_INVALID`, `ERR_DER_INVALID`, `ERR_ALGORITHM_UNSUPPORTED`, `ERR_KEY_MISMATCH`, `ERR_SIGNER_INVALID`,
 * `ERR_CRYPTO_UNUSABLE`; none quotes the key
 * @example
 * ```ts
 * import { openPrivateKey } from 'etcd-rbac'
 * declare const fileContent: string
 * const { signer } = await openPrivateKey(crypto, fileContent)
 * ```
 */
export async function openPrivateKey(crypto: WebCryptoLike, pem: PemInput<'private key'>): Promise<ExportableKeyPair> {
  const subtle = subtleOf(crypto)
  const der = readPem('private key', pem)
  const kind = readPrivateKeyAlgorithm(der)
  if ('unsupported' in kind) return unsupported(kind.unsupported)
  const publicKeyDer = await publicHalf(subtle, der, kind)
  const reading = readPublicKey(readDer(publicKeyDer))
  if (!reading.ok) return unsupported(reading.algorithm, reading.wanted)

  const { key } = reading
  const hash = 'SHA-256'
  const parameters = key.family === 'rsa' ? { name: 'RSASSA-PKCS1-v1_5', hash } : { name: 'ECDSA', namedCurve: key.curve.webCrypto }
  const signer = webCryptoSigner(subtle, await subtle.importKey('pkcs8', der, parameters, false, ['sign']), key)
  await proveSigner(subtle, { signer, key }, 'private key')
  return { algorithm: key.algorithm, signer, exportPkcs8: () => Promise.resolve(writePem('private key', der)) }
}

async function publicHalf(subtle: Subtle, der: Uint8Array, kind: { readonly family: 'rsa' } | { readonly family: 'ecdsa'; readonly curve: { readonly webCrypto: string } }): Promise<Uint8Array> {
  const parameters = kind.family === 'rsa' ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } : { name: 'ECDSA', namedCurve: kind.curve.webCrypto }
  try {
    const { kty, crv, x, y, n, e } = await subtle.exportKey('jwk', await subtle.importKey('pkcs8', der, parameters, true, ['sign']))
    const half = Object.fromEntries(Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined))
    return new Uint8Array(await subtle.exportKey('spki', await subtle.importKey('jwk', half, parameters, true, ['verify'])))
  } catch {
    // The cause is left out: some implementations quote what they could not read.
    throw new EtcdRbacError(
      'ERR_KEY_MISMATCH',
      { found: 'a private key that WebCrypto cannot use', wanted: 'a complete PKCS#8 key of ECDSA or RSA', fix: 'check it: openssl pkey -check' },
      { commonName: 'private key' },
    )
  }
}

function unsupported(algorithm: string, wanted = ACCEPTED_KEYS): never {
  throw new EtcdRbacError('ERR_ALGORITHM_UNSUPPORTED', { found: `a private key of ${algorithm}`, wanted, fix: 'make another key' }, { algorithm })
}
