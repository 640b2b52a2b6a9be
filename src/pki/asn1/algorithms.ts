/** Signature algorithms and curves as data (RFC 4055 §5, RFC 5758 §3.2, RFC 5480 §2.1.1, RFC 8410 §3), and their AlgorithmIdentifiers. */
import type { DerValue } from './der.js'
import { fieldsOf, oidOf } from './fields.js'
import { ED25519, oidName } from './oids.js'
import { refuseDer } from './refuse.js'
import { NULL, objectIdentifier, sequence } from './write.js'

/** How a certificate or CSR is signed: RSASSA-PKCS1-v1_5 or ECDSA over a SHA-2 hash, or Ed25519, which hashes by itself. SHA-1 is not among them. */
export type SignatureAlgorithm = 'ecdsa-sha256' | 'ecdsa-sha384' | 'ecdsa-sha512' | 'rsa-sha256' | 'rsa-sha384' | 'rsa-sha512' | 'ed25519'

/** The facts about a signature algorithm. */
export interface SignatureFacts {
  readonly oid: string
  readonly family: 'ecdsa' | 'rsa' | 'ed25519'
  /** The hash by its name in WebCrypto; of Ed25519 it is a part of the algorithm (RFC 8032 §5.1). */
  readonly hash: 'SHA-256' | 'SHA-384' | 'SHA-512'
}

export const signatureAlgorithms: Readonly<Record<SignatureAlgorithm, SignatureFacts>> = {
  'ecdsa-sha256': { oid: '1.2.840.10045.4.3.2', family: 'ecdsa', hash: 'SHA-256' },
  'ecdsa-sha384': { oid: '1.2.840.10045.4.3.3', family: 'ecdsa', hash: 'SHA-384' },
  'ecdsa-sha512': { oid: '1.2.840.10045.4.3.4', family: 'ecdsa', hash: 'SHA-512' },
  'rsa-sha256': { oid: '1.2.840.113549.1.1.11', family: 'rsa', hash: 'SHA-256' },
  'rsa-sha384': { oid: '1.2.840.113549.1.1.12', family: 'rsa', hash: 'SHA-384' },
  'rsa-sha512': { oid: '1.2.840.113549.1.1.13', family: 'rsa', hash: 'SHA-512' },
  ed25519: { oid: ED25519, family: 'ed25519', hash: 'SHA-512' },
}

/** A curve of etcd's TLS: Go's server takes no other (P-224 and secp256k1 are refused on some or all versions). */
export interface CurveFacts {
  readonly oid: string
  readonly algorithm: 'ecdsa-p256' | 'ecdsa-p384' | 'ecdsa-p521'
  /** Bytes of a coordinate. */
  readonly size: number
  /** The name in WebCrypto. */
  readonly webCrypto: 'P-256' | 'P-384' | 'P-521'
  /** y² = x³ - 3x + b over the numbers below the prime (SEC 2 §2.4.2, §2.5.1, §2.6.1). */
  readonly prime: bigint
  readonly b: bigint
  /** The order of its points (FIPS 186-5, SP 800-186 §3.2.1): a private key is below it. Hex, of `size` bytes. */
  readonly order: string
}

export const curves: readonly CurveFacts[] = [
  {
    oid: '1.2.840.10045.3.1.7',
    algorithm: 'ecdsa-p256',
    size: 32,
    webCrypto: 'P-256',
    prime: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    order: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  },
  {
    oid: '1.3.132.0.34',
    algorithm: 'ecdsa-p384',
    size: 48,
    webCrypto: 'P-384',
    prime: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    order: 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  },
  {
    oid: '1.3.132.0.35',
    algorithm: 'ecdsa-p521',
    size: 66,
    webCrypto: 'P-521',
    prime: 2n ** 521n - 1n,
    b: 0x051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
    order: '01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409',
  },
]

const identifiers: ReadonlyMap<string, Uint8Array> = /* @__PURE__ */ new Map(
  Object.entries(signatureAlgorithms).map(([name, { oid, family }]) => [name, family === 'rsa' ? sequence(objectIdentifier(oid), NULL) : sequence(objectIdentifier(oid))]),
)

/** The AlgorithmIdentifier of a signature: RSA with NULL (RFC 4055 §5), ECDSA and Ed25519 without parameters (RFC 5758 §3.2, RFC 8410 §3). */
export function algorithmIdentifier(algorithm: SignatureAlgorithm): Uint8Array {
  return identifiers.get(algorithm) ?? refuseDer(0, `no algorithm ${algorithm}`)
}

/** The signature algorithm of an AlgorithmIdentifier; only its name where it is none of {@link SignatureAlgorithm}. */
export function readSignatureAlgorithm(value: DerValue): { readonly algorithm: SignatureAlgorithm } | { readonly unsupported: string } {
  const fields = fieldsOf(value, 'algorithm of a signature')
  const oid = oidOf(fields.take(0x06, 'identifier'))
  const found = signatureAlgorithmOf(oid)
  if (found === undefined) return { unsupported: oidName(oid) }
  // RFC 4055 §2.1: NULL must be written, and its absence accepted.
  if (signatureAlgorithms[found].family === 'rsa') fields.optional(0x05)
  fields.end()
  return { algorithm: found }
}

/** The signature algorithm with that identifier, if it is supported. */
export function signatureAlgorithmOf(oid: string): SignatureAlgorithm | undefined {
  return (Object.keys(signatureAlgorithms) as SignatureAlgorithm[]).find((name) => signatureAlgorithms[name].oid === oid)
}
