/**
 * Encrypted private keys (RFC 5958 §3) by PBES2 with PBKDF2 (RFC 8018 §6.2, §A.2, §A.4): which way, with which numbers. Nothing is decrypted here.
 *
 * Read: PBKDF2 with HMAC over SHA-1, SHA-256, SHA-384 or SHA-512, and AES-128, 192 or 256 in CBC. Written: HMAC-SHA-256 and AES-256.
 */
import { contents, readDer, type DerValue } from './der.js'
import { fieldsOf, oidOf, positiveInteger, type Fields } from './fields.js'
import { oidName, PBES2, PBKDF2 } from './oids.js'
import { refuseDer } from './refuse.js'
import { NULL, objectIdentifier, octetString, sequence, smallInteger } from './write.js'

/** The hash of the HMAC, by its name in WebCrypto. */
export type Pbkdf2Hash = 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512'

/** How a key is encrypted, and the result. */
export interface EncryptedKey {
  readonly hash: Pbkdf2Hash
  readonly salt: Uint8Array
  readonly iterations: number
  /** Bytes of the key of AES. */
  readonly keyBytes: 16 | 24 | 32
  readonly iv: Uint8Array
  readonly ciphertext: Uint8Array
}

/** Whoever sends a file may not decide how long it keeps us busy: at this bound some seconds. */
export const MAX_ITERATIONS = 10_000_000

const BLOCK = 16
const HMAC_SHA256 = '1.2.840.113549.2.9'
const AES_256_CBC = '2.16.840.1.101.3.4.1.42'

const hashes: ReadonlyMap<string, Pbkdf2Hash> = new Map<string, Pbkdf2Hash>([
  ['1.2.840.113549.2.7', 'SHA-1'],
  [HMAC_SHA256, 'SHA-256'],
  ['1.2.840.113549.2.10', 'SHA-384'],
  ['1.2.840.113549.2.11', 'SHA-512'],
])
const ciphers: ReadonlyMap<string, EncryptedKey['keyBytes']> = new Map<string, EncryptedKey['keyBytes']>([
  ['2.16.840.1.101.3.4.1.2', 16],
  ['2.16.840.1.101.3.4.1.22', 24],
  [AES_256_CBC, 32],
])

/**
 * Reads how a private key is encrypted; only the name of the way where it is another.
 *
 * @throws {@link EtcdRbacError} `ERR_DER_INVALID`
 */
export function readEncryptedKey(der: Uint8Array): EncryptedKey | { readonly unsupported: string } {
  const outer = fieldsOf(readDer(der), 'encrypted private key')
  const identifier = fieldsOf(outer.take(0x30, 'algorithm'), 'algorithm of an encrypted private key')
  const encryptedData = outer.take(0x04, 'content')
  outer.end()
  const scheme = oidOf(identifier.take(0x06, 'identifier'))
  if (scheme !== PBES2) return { unsupported: oidName(scheme) }
  const parameters = fieldsOf(identifier.take(0x30, 'parameters'), 'PBES2')
  identifier.end()
  const [derivation, encryption] = [algorithm(parameters, 'key derivation'), algorithm(parameters, 'encryption')]
  parameters.end()

  if (derivation.oid !== PBKDF2) return { unsupported: `PBES2 with ${oidName(derivation.oid)}` }
  const keyBytes = ciphers.get(encryption.oid)
  if (keyBytes === undefined) return { unsupported: `PBES2 with ${oidName(encryption.oid)}` }
  const iv = octets(encryption.fields.take(0x04, 'initialization vector'), BLOCK, BLOCK)
  encryption.fields.end()

  const numbers = fieldsOf(derivation.fields.take(0x30, 'parameters'), 'PBKDF2')
  derivation.fields.end()
  const salt = octets(numbers.take(0x04, 'salt'), 1, 1024)
  const iterations = numberOf(numbers.take(0x02, 'iteration count'))
  const length = numbers.optional(0x02)
  if (length !== undefined && numberOf(length) !== keyBytes) return refuseDer(length.start, 'PBKDF2 with a key of another length than that of its cipher')
  const prf = numbers.optional(0x30)
  numbers.end()
  const hash = prf === undefined ? 'SHA-1' : hashOf(prf)
  if (typeof hash !== 'string') return hash
  if (iterations > MAX_ITERATIONS) return { unsupported: `PBKDF2 with more than ${MAX_ITERATIONS} iterations` }
  const ciphertext = contents(encryptedData)
  if (ciphertext.length === 0 || ciphertext.length % BLOCK !== 0) return refuseDer(encryptedData.start, 'a content that is not whole blocks of its cipher')
  return { hash, salt, iterations, keyBytes, iv, ciphertext }
}

/** The encoding of a key that was encrypted with AES-256 by a key from PBKDF2 with HMAC-SHA-256. */
export function writeEncryptedKey({ salt, iterations, iv, ciphertext }: Pick<EncryptedKey, 'salt' | 'iterations' | 'iv' | 'ciphertext'>): Uint8Array {
  const derivation = sequence(octetString(salt), smallInteger(iterations), sequence(objectIdentifier(HMAC_SHA256), NULL))
  const scheme = sequence(sequence(objectIdentifier(PBKDF2), derivation), sequence(objectIdentifier(AES_256_CBC), octetString(iv)))
  return sequence(sequence(objectIdentifier(PBES2), scheme), octetString(ciphertext))
}

function algorithm(parameters: Fields, what: string): { readonly oid: string; readonly fields: Fields } {
  const fields = fieldsOf(parameters.take(0x30, what), what)
  return { oid: oidOf(fields.take(0x06, 'identifier')), fields }
}

/** An absent one is HMAC-SHA-1; some write that one too, which DER forbids and nobody reads otherwise. */
function hashOf(prf: DerValue): Pbkdf2Hash | { readonly unsupported: string } {
  const fields = fieldsOf(prf, 'PRF')
  const oid = oidOf(fields.take(0x06, 'identifier'))
  const hash = hashes.get(oid)
  if (hash === undefined) return { unsupported: `PBKDF2 with ${oidName(oid)}` }
  fields.take(0x05, 'NULL')
  fields.end()
  return hash
}

function octets(value: DerValue, least: number, most: number): Uint8Array {
  const content = contents(value)
  return content.length < least || content.length > most ? refuseDer(value.start, `${content.length} bytes where there should be ${least === most ? least : `${least} to ${most}`}`) : content
}

function numberOf(value: DerValue): number {
  const bytes = positiveInteger(value, 'number')
  return bytes.length > 6 ? Infinity : bytes.reduce((sum, octet) => sum * 256 + octet, 0)
}
