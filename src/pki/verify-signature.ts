/** Whether a signature is that of a public key. */
import { signatureAlgorithms, type SignatureAlgorithm } from './asn1/algorithms.js'
import { ecdsaFromDer } from './asn1/ecdsa.js'
import type { PublicKey } from './asn1/public-key.js'
import type { Subtle } from './subtle.js'

/** `false` also where the signature is malformed, of another kind than the key, or where the key's point is not on its curve. */
export async function verifySignature(subtle: Subtle, key: PublicKey, algorithm: SignatureAlgorithm, signed: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const { family, hash } = signatureAlgorithms[algorithm]
  if (family !== key.family) return false
  try {
    if (key.family === 'rsa') {
      const name = 'RSASSA-PKCS1-v1_5'
      return await subtle.verify({ name }, await subtle.importKey('spki', key.der, { name, hash }, false, ['verify']), signature, signed)
    }
    if (key.family === 'ed25519') {
      const name = 'Ed25519'
      return await subtle.verify({ name }, await subtle.importKey('raw', key.bits, { name }, false, ['verify']), signature, signed)
    }
    const joined = ecdsaFromDer(signature, key.curve.size)
    if (joined === undefined) return false
    // 'raw' is the fastest import by a factor of two.
    const handle = await subtle.importKey('raw', key.bits, { name: 'ECDSA', namedCurve: key.curve.webCrypto }, false, ['verify'])
    return await subtle.verify({ name: 'ECDSA', hash: { name: hash } }, handle, joined, signed)
  } catch {
    // An impossible point fails at import on the platform, and only at verification in `@peculiar/webcrypto`.
    return false
  }
}
