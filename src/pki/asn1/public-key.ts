/** Public keys (SubjectPublicKeyInfo, RFC 5280 §4.1.2.7; RSA: RFC 3279 §2.3.1; EC: RFC 5480 §2). Only kinds that etcd serves and accepts. */
import { curves, type CurveFacts } from './algorithms.js'
import { contents, encoded, readDer, type DerValue } from './der.js'
import { fieldsOf, oidOf, positiveInteger, wholeBits } from './fields.js'
import { EC_PUBLIC_KEY, oidName, RSA_ENCRYPTION } from './oids.js'

/** The kind and size of a public key: a curve, or RSA with the bits of its modulus. */
export type PublicKeyAlgorithm = 'ecdsa-p256' | 'ecdsa-p384' | 'ecdsa-p521' | `rsa-${number}`

interface PublicKeyBase {
  /** The SubjectPublicKeyInfo, as it was given. */
  readonly der: Uint8Array
  /** What a key identifier is the hash of: the content of the BIT STRING. */
  readonly bits: Uint8Array
}

/** A readable public key. */
export type PublicKey =
  | (PublicKeyBase & { readonly family: 'ecdsa'; readonly algorithm: CurveFacts['algorithm']; readonly curve: CurveFacts })
  | (PublicKeyBase & { readonly family: 'rsa'; readonly algorithm: `rsa-${number}`; readonly modulusBytes: number })

/** A public key that may be certified, or what is wrong with it. `algorithm` says what it is in both cases. */
export type PublicKeyReading =
  | { readonly ok: true; readonly algorithm: string; readonly key: PublicKey }
  | { readonly ok: false; readonly algorithm: string; readonly wanted: string }

/** The keys that are accepted, as messages say it. */
export const ACCEPTED_KEYS = 'ECDSA on P-256, P-384 or P-521, or RSA of 2048 to 8192 bits'

/**
 * Reads a SubjectPublicKeyInfo. Weak and unknown keys are a result, since a report wants to name them.
 *
 * @throws {@link EtcdRbacError} `ERR_DER_INVALID` where it is not one
 */
export function readPublicKey(spki: DerValue): PublicKeyReading {
  const fields = fieldsOf(spki, 'public key')
  const identifier = fieldsOf(fields.take(0x30, 'algorithm'), 'algorithm of a public key')
  const type = oidOf(identifier.take(0x06, 'identifier'))
  const bitString = fields.take(0x03, 'bits')
  fields.end()
  const der = encoded(spki)

  if (type === EC_PUBLIC_KEY) {
    const parameters = identifier.optional(0x06)
    // The curve spelled out in numbers, or taken from the issuer (RFC 5480 §2.1.1 forbids both).
    if (parameters === undefined) return { ok: false, algorithm: 'ecdsa without a named curve', wanted: ACCEPTED_KEYS }
    identifier.end()
    const oid = oidOf(parameters)
    const curve = curves.find((one) => one.oid === oid)
    if (curve === undefined) return { ok: false, algorithm: `ecdsa-${oidName(oid)}`, wanted: ACCEPTED_KEYS }
    const { algorithm, size } = curve
    const bits = wholeBits(bitString, 'point')
    // Compressed points are legal and Go does not read them.
    if (bits.length !== 1 + 2 * size || bits[0] !== 4) return { ok: false, algorithm, wanted: 'an uncompressed point of the curve' }
    return { ok: true, algorithm, key: { family: 'ecdsa', algorithm, curve, der, bits } }
  }
  if (type !== RSA_ENCRYPTION) return { ok: false, algorithm: oidName(type), wanted: ACCEPTED_KEYS }

  identifier.take(0x05, 'NULL')
  identifier.end()
  const bits = wholeBits(bitString, 'RSA key')
  const numbers = fieldsOf(readDer(bits), 'RSA key')
  const modulus = positiveInteger(numbers.take(0x02, 'modulus'), 'modulus')
  const exponent = positiveInteger(numbers.take(0x02, 'exponent'), 'exponent')
  numbers.end()
  const size = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24
  const algorithm = `rsa-${size}` as const
  if (size < 2048 || size > 8192) return { ok: false, algorithm, wanted: ACCEPTED_KEYS }
  if (((modulus.at(-1) ?? 0) & 1) === 0) return { ok: false, algorithm, wanted: 'an odd modulus' }
  // Below 65537 (FIPS 186-5 §5.1 (e)); above 2^31-1 Go refuses the key.
  const value = exponent.length > 4 ? Infinity : exponent.reduce((sum, octet) => sum * 256 + octet, 0)
  if (value < 65_537 || value > 0x7fff_ffff || value % 2 === 0) return { ok: false, algorithm, wanted: 'an odd public exponent of at least 65537 and below 2^31' }
  return { ok: true, algorithm, key: { family: 'rsa', algorithm, modulusBytes: modulus.length, der, bits } }
}

/** The algorithm of a PKCS#8 private key (RFC 5208 §5). Its content is not looked at. */
export function readPrivateKeyAlgorithm(der: Uint8Array): { readonly family: 'rsa' } | { readonly family: 'ecdsa'; readonly curve: CurveFacts } | { readonly unsupported: string } {
  const fields = fieldsOf(readDer(der), 'private key')
  const version = contents(fields.take(0x02, 'version'))
  if (version.length !== 1 || (version[0] !== 0 && version[0] !== 1)) return { unsupported: 'an unknown version of PKCS#8' }
  const identifier = fieldsOf(fields.take(0x30, 'algorithm'), 'algorithm of a private key')
  const type = oidOf(identifier.take(0x06, 'identifier'))
  if (type === RSA_ENCRYPTION) return { family: 'rsa' }
  if (type !== EC_PUBLIC_KEY) return { unsupported: oidName(type) }
  const parameters = identifier.optional(0x06)
  const oid = parameters === undefined ? 'without a named curve' : oidOf(parameters)
  const curve = curves.find((one) => one.oid === oid)
  return curve === undefined ? { unsupported: `ecdsa-${oidName(oid)}` } : { family: 'ecdsa', curve }
}
