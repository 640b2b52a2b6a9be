/** The signer over a private key in WebCrypto. */
import { signatureAlgorithms, type CurveFacts, type SignatureAlgorithm } from './asn1/algorithms.js'
import { ecdsaToDer } from './asn1/ecdsa.js'
import type { PublicKey } from './asn1/public-key.js'
import type { Signer } from './signer.js'
import type { KeyHandle, Subtle } from './subtle.js'

/** The signature algorithm that goes with a key: the hash as strong as the curve. */
export function signatureAlgorithmFor(key: PublicKey): SignatureAlgorithm {
  if (key.family === 'rsa') return 'rsa-sha256'
  if (key.family === 'ed25519') return 'ed25519'
  return key.algorithm === 'ecdsa-p256' ? 'ecdsa-sha256' : key.algorithm === 'ecdsa-p384' ? 'ecdsa-sha384' : 'ecdsa-sha512'
}

/** What a private key is imported with, to sign by {@link signatureAlgorithmFor}. */
export function importParameters({ family, curve }: { readonly family: PublicKey['family']; readonly curve?: CurveFacts }): object {
  if (family === 'ed25519') return { name: 'Ed25519' }
  return curve === undefined ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } : { name: 'ECDSA', namedCurve: curve.webCrypto }
}

/** A signer over a key handle that was imported or generated for {@link signatureAlgorithmFor}. */
export function webCryptoSigner(subtle: Subtle, privateKey: KeyHandle, key: PublicKey): Signer {
  const algorithm = signatureAlgorithmFor(key)
  const { hash } = signatureAlgorithms[algorithm]
  const sign = async (parameters: object, bytes: Uint8Array) => new Uint8Array(await subtle.sign(parameters, privateKey, bytes))
  const signs: Readonly<Record<PublicKey['family'], Signer['sign']>> = {
    rsa: (bytes) => sign({ name: 'RSASSA-PKCS1-v1_5' }, bytes),
    ed25519: (bytes) => sign({ name: 'Ed25519' }, bytes),
    ecdsa: async (bytes) => ecdsaToDer(await sign({ name: 'ECDSA', hash: { name: hash } }, bytes)),
  }
  return { algorithm, publicKey: key.der, sign: signs[key.family] }
}
