/** The signer over a private key in WebCrypto. */
import { signatureAlgorithms, type SignatureAlgorithm } from './asn1/algorithms.js'
import { ecdsaToDer } from './asn1/ecdsa.js'
import type { PublicKey } from './asn1/public-key.js'
import type { Signer } from './signer.js'
import type { KeyHandle, Subtle } from './subtle.js'

/** The signature algorithm that goes with a key: the hash as strong as the curve. */
export function signatureAlgorithmFor(key: PublicKey): SignatureAlgorithm {
  if (key.family === 'rsa') return 'rsa-sha256'
  return key.algorithm === 'ecdsa-p256' ? 'ecdsa-sha256' : key.algorithm === 'ecdsa-p384' ? 'ecdsa-sha384' : 'ecdsa-sha512'
}

/** A signer over a key handle that was imported or generated for {@link signatureAlgorithmFor}. */
export function webCryptoSigner(subtle: Subtle, privateKey: KeyHandle, key: PublicKey): Signer {
  const algorithm = signatureAlgorithmFor(key)
  const { hash } = signatureAlgorithms[algorithm]
  return {
    algorithm,
    publicKey: key.der,
    sign:
      key.family === 'rsa'
        ? async (bytes) => new Uint8Array(await subtle.sign({ name: 'RSASSA-PKCS1-v1_5' }, privateKey, bytes))
        : async (bytes) => ecdsaToDer(new Uint8Array(await subtle.sign({ name: 'ECDSA', hash: { name: hash } }, privateKey, bytes))),
  }
}
