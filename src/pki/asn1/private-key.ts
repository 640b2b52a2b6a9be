/**
 * Private keys: PKCS#8 of both versions (RFC 5208 §5, RFC 5958 §2), of EC in SEC 1 (RFC 5915 §3), of RSA in PKCS#1 (RFC 8017 §A.1.2), of Ed25519 in RFC
 * 8410 §7. Read strictly, and given back in one form: PKCS#8 of version 1, which every WebCrypto imports and every openssl reads.
 *
 * What is said twice must be the same: the curve outside and inside, the public half in each place that has one, the numbers of RSA.
 */
import { compareBytes, toHex } from '../../bytes.js'
import { curves, type CurveFacts } from './algorithms.js'
import { contents, encoded, readDer, type DerValue } from './der.js'
import { fieldsOf, oidOf, positiveInteger, wholeBits } from './fields.js'
import { EC_PUBLIC_KEY, ED25519, oidName, RSA_ENCRYPTION } from './oids.js'
import { ACCEPTED_KEYS, ecPublicKey, ED25519_BYTES, ed25519PublicKey, readPublicKey, rsaPublicKey, type PublicKey } from './public-key.js'
import { refuseDer } from './refuse.js'
import { bitString, NULL, objectIdentifier, octetString, sequence, smallInteger, tagged } from './write.js'

/** How a private key may be written. */
export type PrivateKeyForm = 'PKCS#8' | 'SEC 1' | 'PKCS#1'

/** A private key that may be used. */
export interface PrivateKey {
  /** PKCS#8, of version 1, as it is written here. */
  readonly pkcs8: Uint8Array
  readonly family: PublicKey['family']
  readonly curve?: CurveFacts
  /** The public half, where the key says it. That it is the right one shows when it verifies. */
  readonly publicKey: PublicKey | undefined
}

/** A private key, or what is wrong with it: its kind is not accepted, or its parts do not belong together. */
export type PrivateKeyReading =
  | { readonly ok: true; readonly key: PrivateKey }
  | { readonly ok: false; readonly algorithm: string; readonly wanted: string }
  | { readonly ok: false; readonly fault: string }

/**
 * Reads a private key.
 *
 * @throws {@link EtcdRbacError} `ERR_DER_INVALID` where it is none of that form
 */
export function readPrivateKey(form: PrivateKeyForm, der: Uint8Array): PrivateKeyReading {
  const value = readDer(der)
  if (form === 'PKCS#1') return rsaKey(value, undefined)
  return form === 'SEC 1' ? ecKey(value, undefined, undefined) : pkcs8Key(value)
}

function pkcs8Key(value: DerValue): PrivateKeyReading {
  const fields = fieldsOf(value, 'private key')
  const version = fields.take(0x02, 'version')
  const identifier = fieldsOf(fields.take(0x30, 'algorithm'), 'algorithm of a private key')
  const inner = contents(fields.take(0x04, 'key'))
  // What somebody wrote beside the key; nothing here reads it.
  fields.optional(0xa0)
  const half = fields.optional(0x81)
  fields.end()
  const number = smallNumber(version)
  // RFC 5958 §2: version 2 is what has the public half beside the private one.
  if (number !== (half === undefined ? 0 : 1)) return refuseDer(version.start, 'a private key of another version than its fields')
  const publicBits = half === undefined ? undefined : wholeBits(half, 'public half')

  const type = oidOf(identifier.take(0x06, 'identifier'))
  if (type === ED25519) {
    identifier.end()
    return ed25519Key(readDer(inner), publicBits)
  }
  if (type === RSA_ENCRYPTION) {
    identifier.take(0x05, 'NULL')
    identifier.end()
    return rsaKey(readDer(inner), publicBits)
  }
  if (type !== EC_PUBLIC_KEY) return { ok: false, algorithm: oidName(type), wanted: ACCEPTED_KEYS }
  const parameters = identifier.optional(0x06)
  if (parameters === undefined) return { ok: false, algorithm: 'ecdsa without a named curve', wanted: ACCEPTED_KEYS }
  identifier.end()
  return ecKey(readDer(inner), parameters, publicBits)
}

/** `outside`: the curve that PKCS#8 names. */
function ecKey(value: DerValue, outside: DerValue | undefined, publicBits: Uint8Array | undefined): PrivateKeyReading {
  const fields = fieldsOf(value, 'EC private key')
  const version = fields.take(0x02, 'version')
  if (smallNumber(version) !== 1) return refuseDer(version.start, 'an EC private key of another version than 1')
  const octets = fields.take(0x04, 'key')
  const parameters = fields.optional(0xa0)
  const half = fields.optional(0xa1)
  fields.end()
  const inside = parameters === undefined ? undefined : only(parameters, 'curve')
  if (inside !== undefined && inside.tag !== 0x06) return { ok: false, algorithm: 'ecdsa without a named curve', wanted: ACCEPTED_KEYS }
  const named = outside ?? inside
  if (named === undefined) return refuseDer(value.start, 'an EC private key without its curve')
  const oid = oidOf(named)
  if (inside !== undefined && oidOf(inside) !== oid) return { ok: false, fault: 'one curve outside and another inside' }
  const curve = curves.find((one) => one.oid === oid)
  if (curve === undefined) return { ok: false, algorithm: `ecdsa-${oidName(oid)}`, wanted: ACCEPTED_KEYS }

  const secret = contents(octets)
  // RFC 5915 §3: as long as the order of the curve, leading zeros included.
  if (secret.length !== curve.size) return refuseDer(octets.start, `an EC private key of other than ${curve.size} bytes`)
  const number = toHex(secret)
  if (number >= curve.order || /^0*$/.test(number)) return { ok: false, fault: 'a number that is not below the order of its curve, or zero' }
  const point = half === undefined ? undefined : wholeBits(ofTag(only(half, 'public half'), 0x03), 'public half')
  if (point !== undefined && publicBits !== undefined && compareBytes(point, publicBits) !== 0) return { ok: false, fault: 'two different public halves' }
  const bits = point ?? publicBits
  const reading = bits === undefined ? undefined : readPublicKey(readDer(ecPublicKey(curve, bits)))
  if (reading?.ok === false) return reading
  return { ok: true, key: { pkcs8: ecPkcs8(curve, secret, bits), family: 'ecdsa', curve, publicKey: reading?.key } }
}

/** As openssl writes it: the curve outside alone, the public half inside. */
function ecPkcs8({ oid }: CurveFacts, secret: Uint8Array, bits: Uint8Array | undefined): Uint8Array {
  const inner = sequence(smallInteger(1), octetString(secret), ...(bits === undefined ? [] : [tagged(1, bitString(bits))]))
  return pkcs8Of(sequence(objectIdentifier(EC_PUBLIC_KEY), objectIdentifier(oid)), inner)
}

/** The key with the public half that was calculated for it: EC keys are written with theirs, since not everybody calculates it. */
export function withPublicHalf(key: PrivateKey, publicKey: PublicKey): PrivateKey {
  if (key.curve === undefined) return { ...key, publicKey }
  const [, , inner] = readDer(key.pkcs8).children
  const secret = inner && readDer(contents(inner)).children[1]
  return secret === undefined ? key : { ...key, publicKey, pkcs8: ecPkcs8(key.curve, contents(secret), publicKey.bits) }
}

function ed25519Key(value: DerValue, publicBits: Uint8Array | undefined): PrivateKeyReading {
  const secret = contents(ofTag(value, 0x04))
  if (secret.length !== ED25519_BYTES) return refuseDer(value.start, `a private key of Ed25519 of other than ${ED25519_BYTES} bytes`)
  const reading = publicBits === undefined ? undefined : readPublicKey(readDer(ed25519PublicKey(publicBits)))
  if (reading?.ok === false) return reading
  return { ok: true, key: { pkcs8: pkcs8Of(sequence(objectIdentifier(ED25519)), octetString(secret)), family: 'ed25519', publicKey: reading?.key } }
}

function rsaKey(value: DerValue, publicBits: Uint8Array | undefined): PrivateKeyReading {
  const fields = fieldsOf(value, 'RSA private key')
  const version = fields.take(0x02, 'version')
  const numbers = ['modulus', 'public exponent', 'private exponent', 'first prime', 'second prime', 'first exponent', 'second exponent', 'coefficient'].map((name) => {
    const field = fields.take(0x02, name)
    positiveInteger(field, name)
    return field
  })
  if (smallNumber(version) === 1) return { ok: false, algorithm: 'rsa of more than two primes', wanted: ACCEPTED_KEYS }
  if (smallNumber(version) !== 0) return refuseDer(version.start, 'an RSA private key of an unknown version')
  fields.end()
  const [modulus, exponent] = numbers.map(encoded)
  const publicDer = rsaPublicKey(modulus ?? NULL, exponent ?? NULL)
  // Before the arithmetic, since this bounds how long its numbers are.
  const reading = readPublicKey(readDer(publicDer))
  if (!reading.ok) return reading
  if (publicBits !== undefined && compareBytes(publicBits, reading.key.bits) !== 0) return { ok: false, fault: 'two different public halves' }
  if (!belongTogether(numbers.map((field) => BigInt(`0x${toHex(contents(field))}`)))) return { ok: false, fault: 'numbers of RSA that do not belong together' }
  return { ok: true, key: { pkcs8: pkcs8Of(sequence(objectIdentifier(RSA_ENCRYPTION), NULL), encoded(value)), family: 'rsa', publicKey: reading.key } }
}

/** RFC 8017 §3.2. Which of them are primes is not looked at: a signature by composite ones does not verify. */
function belongTogether([n = 0n, e = 0n, d = 0n, p = 0n, q = 0n, dp = 0n, dq = 0n, inverse = 0n]: readonly bigint[]): boolean {
  if (p <= 1n || q <= 1n || p * q !== n || d >= n) return false
  const [p1, q1] = [p - 1n, q - 1n]
  return (e * d) % p1 === 1n && (e * d) % q1 === 1n && dp === d % p1 && dq === d % q1 && inverse < p && (inverse * q) % p === 1n
}

function pkcs8Of(identifier: Uint8Array, key: Uint8Array): Uint8Array {
  return sequence(smallInteger(0), identifier, octetString(key))
}

/** The value of a version; `undefined` above what fits in one byte. */
function smallNumber(value: DerValue): number | undefined {
  const content = contents(value)
  return content.length === 1 ? content[0] : undefined
}

/** What an explicit tag holds. */
function only(value: DerValue, what: string): DerValue {
  const [child, more] = value.children
  return child === undefined || more !== undefined ? refuseDer(value.start, `a private key with an odd ${what}`) : child
}

function ofTag(value: DerValue, tag: number): DerValue {
  return value.tag === tag ? value : refuseDer(value.start, 'a private key with a part of another type')
}
