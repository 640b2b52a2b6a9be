/**
 * Public keys (SubjectPublicKeyInfo, RFC 5280 §4.1.2.7; RSA: RFC 3279 §2.3.1; EC: RFC 5480 §2; Ed25519: RFC 8410 §4). Only kinds that etcd serves and
 * accepts.
 */
import { toHex } from '../../bytes.js'
import { curves, type CurveFacts } from './algorithms.js'
import { encoded, readDer, type DerValue } from './der.js'
import { fieldsOf, oidOf, positiveInteger, wholeBits } from './fields.js'
import { EC_PUBLIC_KEY, ED25519, oidName, RSA_ENCRYPTION } from './oids.js'
import { bitString, NULL, objectIdentifier, sequence } from './write.js'

/** The kind and size of a public key: a curve, or RSA with the bits of its modulus. */
export type PublicKeyAlgorithm = 'ecdsa-p256' | 'ecdsa-p384' | 'ecdsa-p521' | `rsa-${number}` | 'ed25519'

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
  | (PublicKeyBase & { readonly family: 'ed25519'; readonly algorithm: 'ed25519' })

/** A public key that may be certified, or what is wrong with it. `algorithm` says what it is in both cases. */
export type PublicKeyReading =
  | { readonly ok: true; readonly algorithm: string; readonly key: PublicKey }
  | { readonly ok: false; readonly algorithm: string; readonly wanted: string }

/** The keys that are accepted, as messages say it. */
export const ACCEPTED_KEYS = 'ECDSA on P-256, P-384 or P-521, RSA of 2048 to 8192 bits, or Ed25519'

/**
 * The points of Ed25519 by which anyone can sign, since eight times each is nothing (RFC 8032 §5.1.7 does not refuse them, nor do Go and OpenSSL): as
 * bytes, without the bit of the sign. Whoever has such a key certified would have a certificate for everybody.
 */
const smallOrder: ReadonlySet<string> = /* @__PURE__ */ new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

/**
 * Reads a SubjectPublicKeyInfo. Weak and unknown keys are a result, since a report wants to name them.
 *
 * @throws {@link EtcdRbacError} `ERR_DER_INVALID` where it is not one
 */
export function readPublicKey(spki: DerValue): PublicKeyReading {
  const fields = fieldsOf(spki, 'public key')
  const identifier = fieldsOf(fields.take(0x30, 'algorithm'), 'algorithm of a public key')
  const type = oidOf(identifier.take(0x06, 'identifier'))
  const subjectKey = fields.take(0x03, 'bits')
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
    const bits = wholeBits(subjectKey, 'point')
    // Compressed points are legal and Go does not read them.
    if (bits.length !== 1 + 2 * size || bits[0] !== 4) return { ok: false, algorithm, wanted: 'an uncompressed point of the curve' }
    if (!isOnCurve(curve, bits)) return { ok: false, algorithm, wanted: 'a point of the curve' }
    return { ok: true, algorithm, key: { family: 'ecdsa', algorithm, curve, der, bits } }
  }
  if (type === ED25519) {
    identifier.end()
    const algorithm = 'ed25519'
    const bits = wholeBits(subjectKey, 'key')
    if (bits.length !== ED25519_BYTES) return { ok: false, algorithm, wanted: `a key of ${ED25519_BYTES} bytes` }
    const wanted = ed25519Problem(bits)
    return wanted === undefined ? { ok: true, algorithm, key: { family: 'ed25519', algorithm, der, bits } } : { ok: false, algorithm, wanted }
  }
  if (type !== RSA_ENCRYPTION) return { ok: false, algorithm: oidName(type), wanted: ACCEPTED_KEYS }

  identifier.take(0x05, 'NULL')
  identifier.end()
  const bits = wholeBits(subjectKey, 'RSA key')
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

/** Whether an uncompressed point is one of the curve (SEC 1 §3.2.2.1): Go reads no certificate in which it is not. */
function isOnCurve({ size, prime, b }: CurveFacts, bits: Uint8Array): boolean {
  const [x, y] = [bits.subarray(1, 1 + size), bits.subarray(1 + size)].map((octets) => BigInt(`0x${toHex(octets)}`)) as [bigint, bigint]
  return x < prime && y < prime && (y * y - (x * x * x - 3n * x + b)) % prime === 0n
}

/** Bytes of a key of Ed25519, of either half. */
export const ED25519_BYTES = 32

/** What a point of Ed25519 should rather be. That it is on the curve shows when it verifies. */
function ed25519Problem(bits: Uint8Array): string | undefined {
  const y = bits.map((octet, index) => (index === ED25519_BYTES - 1 ? octet & 0x7f : octet))
  // Not below 2^255 - 19 (RFC 8032 §5.1.3): a second spelling of another key.
  if (y.every((octet, index) => (index === 0 ? octet >= 0xed : octet === (index === ED25519_BYTES - 1 ? 0x7f : 0xff)))) return 'a point in its shortest form'
  return smallOrder.has(toHex(y)) ? 'a key by which only its holder can sign' : undefined
}

/** The SubjectPublicKeyInfo of an uncompressed point. */
export function ecPublicKey({ oid }: CurveFacts, point: Uint8Array): Uint8Array {
  return sequence(sequence(objectIdentifier(EC_PUBLIC_KEY), objectIdentifier(oid)), bitString(point))
}

/** The SubjectPublicKeyInfo of RSA, from its two numbers, encoded. */
export function rsaPublicKey(modulus: Uint8Array, exponent: Uint8Array): Uint8Array {
  return sequence(sequence(objectIdentifier(RSA_ENCRYPTION), NULL), bitString(sequence(modulus, exponent)))
}

/** The SubjectPublicKeyInfo of Ed25519. */
export function ed25519PublicKey(point: Uint8Array): Uint8Array {
  return sequence(sequence(objectIdentifier(ED25519)), bitString(point))
}
