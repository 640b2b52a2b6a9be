/** Keys that are encrypted by a passphrase: Node, whose openssl is another implementation, opens ours, and we open its. */
import { createPrivateKey, createCipheriv, generateKeyPairSync, pbkdf2Sync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes, toBase64 } from '../../../src/bytes.js'
import type { ErrorCode } from '../../../src/errors.js'
import type { WebCryptoLike } from '../../../src/platform.js'
import { readEncryptedKey, writeEncryptedKey } from '../../../src/pki/asn1/pbes2.js'
import { NULL, objectIdentifier, octetString, sequence, smallInteger } from '../../../src/pki/asn1/write.js'
import { generateKeyPair, openPrivateKey, type EncryptOptions } from '../../../src/pki/index.js'
import { readPem } from '../../../src/pki/pem.js'
import { lanes, rejected } from '../../support/pki.js'

const { crypto } = globalThis
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const plain = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
const pkcs8 = Uint8Array.from(privateKey.export({ format: 'der', type: 'pkcs8' }))
const iterations = 100_000

const block = (bytes: Uint8Array): string => `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${(toBase64(bytes).match(/.{1,64}/g) ?? []).join('\n')}\n-----END ENCRYPTED PRIVATE KEY-----\n`

/** What may be chosen, and what may be wrong, in an encrypted key. */
interface Parts {
  readonly content?: Uint8Array
  readonly prf?: Uint8Array | undefined
  readonly digest?: string
  readonly cipher?: readonly [name: string, oid: string, bytes: number]
  readonly salt?: Uint8Array
  readonly count?: Uint8Array
  readonly times?: number
  readonly length?: Uint8Array | undefined
  readonly iv?: Uint8Array
  readonly ivParameter?: Uint8Array
  readonly scheme?: string
  readonly derivation?: string
  readonly ciphertext?: (real: Uint8Array) => Uint8Array
  readonly more?: readonly Uint8Array[]
  /** Where there is one field too many. */
  readonly extra?: 'algorithm' | 'PBES2' | 'key derivation' | 'PBKDF2' | 'encryption' | undefined
}
const prfOf = (number: number, ...parameters: readonly Uint8Array[]): Uint8Array => sequence(objectIdentifier(`1.2.840.113549.2.${number}`), ...parameters)
const aes: Readonly<Record<128 | 192 | 256, readonly [string, string, number]>> = {
  128: ['aes-128-cbc', '2.16.840.1.101.3.4.1.2', 16],
  192: ['aes-192-cbc', '2.16.840.1.101.3.4.1.22', 24],
  256: ['aes-256-cbc', '2.16.840.1.101.3.4.1.42', 32],
}

/** An encrypted key by Node's arithmetic and the rules of RFC 8018, by default one that is fine. */
function encryptedBy({ content = pkcs8, prf = prfOf(9, NULL), digest = 'sha256', cipher = aes[256], salt = new Uint8Array(16).fill(7), times = 2048, count = smallInteger(times), length, iv = new Uint8Array(16).fill(9), ivParameter = octetString(iv), scheme = '1.2.840.113549.1.5.13', derivation = '1.2.840.113549.1.5.12', ciphertext = (real) => real, more = [], extra }: Parts = {}): Uint8Array {
  const [name, oid, bytes] = cipher
  const by = createCipheriv(name, pbkdf2Sync('secret', salt, times, bytes, digest), iv)
  const encrypted = Uint8Array.from(Buffer.concat([by.update(content), by.final()]))
  const list = (name: Parts['extra'], ...fields: readonly Uint8Array[]): Uint8Array => sequence(...fields, ...(extra === name ? [NULL] : []))
  const numbers = list('PBKDF2', octetString(salt), count, ...(length === undefined ? [] : [length]), ...(prf.length === 0 ? [] : [prf]))
  const parameters = list('PBES2', list('key derivation', objectIdentifier(derivation), numbers), list('encryption', objectIdentifier(oid), ivParameter))
  return sequence(list('algorithm', objectIdentifier(scheme), parameters), octetString(ciphertext(encrypted)), ...more)
}
const NONE = new Uint8Array()

describe.each(lanes)('with %s', (_, crypto) => {
  const open = (input: string | Uint8Array, passphrase = 'secret') => openPrivateKey(crypto, input, { passphrase, extractable: true })

  test.each(['ecdsa-p256', 'ecdsa-p521', 'rsa-2048', 'ed25519'] as const)('a key of %s that was exported encrypted opens with its passphrase, here and in Node', async (algorithm) => {
    const made = await generateKeyPair(crypto, algorithm, { extractable: true })
    const pem = await made.exportPkcs8({ passphrase: 'naïve ✓', iterations })
    expect(pem).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/)
    const opened = await open(pem, 'naïve ✓')
    expect(opened.signer.publicKey).toEqual(made.signer.publicKey)
    expect(await opened.exportPkcs8()).toBe(await made.exportPkcs8())
    expect(createPrivateKey({ key: pem, passphrase: 'naïve ✓' }).equals(createPrivateKey(await made.exportPkcs8()))).toBe(true)
    expect(() => createPrivateKey({ key: pem, passphrase: 'naive' })).toThrow()
  })

  test.each(['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc'])('a key that Node encrypted by %s opens, from PEM and from DER', async (cipher) => {
    const options = { type: 'pkcs8', cipher, passphrase: 'secret' } as const
    for (const input of [privateKey.export({ format: 'pem', ...options }) as string, Uint8Array.from(privateKey.export({ format: 'der', ...options }))])
      expect(await (await open(input)).exportPkcs8()).toBe(plain)
  })

  test.each<[string, Parts]>([
    ['HMAC-SHA-1, by leaving it out', { prf: NONE, digest: 'sha1' }],
    ['HMAC-SHA-1, written out', { prf: prfOf(7, NULL), digest: 'sha1' }],
    ['HMAC-SHA-256', {}],
    ['HMAC-SHA-384', { prf: prfOf(10, NULL), digest: 'sha384' }],
    ['HMAC-SHA-512', { prf: prfOf(11, NULL), digest: 'sha512' }],
    ['AES-128', { cipher: aes[128] }],
    ['AES-192', { cipher: aes[192] }],
    ['the length of the key', { length: smallInteger(32) }],
    ['a salt of 8 bytes', { salt: new Uint8Array(8).fill(1) }],
    ['one iteration', { times: 1 }],
  ])('PBES2 with %s is read', async (__, parts) => {
    const bytes = encryptedBy(parts)
    expect(createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8', passphrase: 'secret' }).equals(privateKey)).toBe(true)
    expect(await (await open(block(bytes))).exportPkcs8()).toBe(plain)
  })

  test('a wrong passphrase is always said to be wrong, also where the padding happens to fit', async () => {
    const bytes = encryptedBy({ times: 1 })
    for (let i = 0; i < 600; i++) expect((await rejected('ERR_PASSPHRASE', open(bytes, `wrong ${i}`))).detail.reason).toBe('wrong')
  })
})

const open = (input: string | Uint8Array, passphrase = 'secret') => openPrivateKey(crypto, input, { passphrase })

describe('what is refused', () => {
  const cases: readonly (readonly [title: string, code: ErrorCode, said: string, parts: Parts])[] = [
    ['another scheme', 'ERR_ALGORITHM_UNSUPPORTED', 'pbeWithSHA1And3-KeyTripleDES-CBC', { scheme: '1.2.840.113549.1.12.1.3' }],
    ['scrypt', 'ERR_ALGORITHM_UNSUPPORTED', 'PBES2 with scrypt', { derivation: '1.3.6.1.4.1.11591.4.11' }],
    ['triple DES', 'ERR_ALGORITHM_UNSUPPORTED', 'PBES2 with des-ede3-cbc', { cipher: ['aes-256-cbc', '1.2.840.113549.3.7', 32] }],
    ['HMAC-SHA-224', 'ERR_ALGORITHM_UNSUPPORTED', 'PBKDF2 with hmacWithSHA224', { prf: prfOf(8, NULL) }],
    ['too many iterations', 'ERR_ALGORITHM_UNSUPPORTED', 'PBKDF2 with more than 10000000 iterations', { count: smallInteger(10_000_001) }],
    ['iterations beyond all numbers', 'ERR_ALGORITHM_UNSUPPORTED', 'iterations', { count: Uint8Array.from([2, 16, 1, ...new Uint8Array(15)]) }],
    ['no iterations', 'ERR_DER_INVALID', 'zero', { count: smallInteger(0) }],
    ['negative iterations', 'ERR_DER_INVALID', 'negative', { count: Uint8Array.of(2, 1, 0xff) }],
    ['an empty salt', 'ERR_DER_INVALID', '0 bytes', { salt: NONE }],
    ['an endless salt', 'ERR_DER_INVALID', '1025 bytes', { salt: new Uint8Array(1025) }],
    ['an IV of 15 bytes', 'ERR_DER_INVALID', '15 bytes', { ivParameter: octetString(new Uint8Array(15)) }],
    ['no IV', 'ERR_DER_INVALID', 'initialization vector', { ivParameter: NULL }],
    ['the length of another key', 'ERR_DER_INVALID', 'another length', { length: smallInteger(16) }],
    ['a PRF without NULL', 'ERR_DER_INVALID', 'NULL', { prf: prfOf(9) }],
    ['no content', 'ERR_DER_INVALID', 'whole blocks', { ciphertext: () => NONE }],
    ['half a block', 'ERR_DER_INVALID', 'whole blocks', { ciphertext: (real) => real.subarray(1) }],
    ['a field behind its last', 'ERR_DER_INVALID', 'behind its last', { more: [NULL] }],
    ['a PRF with a field behind its last', 'ERR_DER_INVALID', 'behind its last', { prf: prfOf(9, NULL, NULL) }],
    ...(['algorithm', 'PBES2', 'key derivation', 'PBKDF2', 'encryption'] as const).map((extra) => [`${extra} with a field behind its last`, 'ERR_DER_INVALID', 'behind its last', { extra }] as const),
    ['trailing bytes inside', 'ERR_DER_INVALID', 'trailing', { content: concatBytes(pkcs8, Uint8Array.of(0)) }],
    ['another version inside', 'ERR_DER_INVALID', 'version', { content: pkcs8.map((byte, at) => (at === 5 - (pkcs8[1]! < 0x80 ? 1 : 0) ? 1 : byte)) }],
  ]
  test.each(cases)('%s: %s', async (_, code, said, parts) => {
    const { message } = await rejected(code, open(block(encryptedBy(parts))))
    expect(message).toContain(said)
    if (code === 'ERR_ALGORITHM_UNSUPPORTED') expect(message).toContain('openssl pkcs8 -topk8 -v2 aes-256-cbc')
  })

  test('a key that is encrypted in SEC 1 or PKCS#1 form inside, by its passphrase', async () => {
    const sec1 = Uint8Array.from(privateKey.export({ format: 'der', type: 'sec1' }))
    expect((await rejected('ERR_PASSPHRASE', open(block(encryptedBy({ content: sec1 }))))).detail.reason).toBe('wrong')
  })
})

test.each<[string, Parts]>([
  ['HMAC-SHA-1', { prf: NONE, digest: 'sha1' }],
  ['HMAC-SHA-384', { prf: prfOf(10, NULL), digest: 'sha384' }],
  ['HMAC-SHA-512', { prf: prfOf(11, NULL), digest: 'sha512' }],
])('for fips, a key encrypted over %s is refused by name, and one over HMAC-SHA-256 is not', async (name, parts) => {
  const { detail, message } = await rejected('ERR_ALGORITHM_UNSUPPORTED', openPrivateKey(crypto, encryptedBy(parts), { passphrase: 'secret', fips: true }))
  expect(detail.algorithm).toContain(name)
  expect(message).toContain('openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256')
  expect((await openPrivateKey(crypto, encryptedBy({ cipher: aes[128] }), { passphrase: 'secret', fips: true })).algorithm).toBe('ecdsa-p256')
})

test.each<[string, () => Promise<unknown>, string]>([
  ['no passphrase for an encrypted key', () => openPrivateKey(crypto, block(encryptedBy())), 'missing'],
  ['an empty one', () => open(block(encryptedBy()), ''), 'missing'],
  ['a wrong one', () => open(block(encryptedBy()), 'Secret'), 'wrong'],
  ['one for a key that is not encrypted', () => open(plain), 'not encrypted'],
  ['an empty one for a key that is not encrypted', () => open(plain, ''), 'not encrypted'],
])('%s is refused', async (_, run, reason) => {
  const error = await rejected('ERR_PASSPHRASE', run())
  expect(error.detail).toEqual({ reason })
  expect(error.message).not.toMatch(/secret/i)
  expect(error.cause).toBeUndefined()
})

describe('an export is encrypted whenever options are passed, never plain by mistake', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['no passphrase', {}], ['a passphrase that is undefined', { passphrase: undefined }], ['an empty passphrase', { passphrase: '' }], ['null', null], ['a string', 'secret'],
    ['a passphrase that is no string', { passphrase: 7 }], ['half a character', { passphrase: '\ud800' }], ['another field', { password: 'secret' }],
    ['few iterations', { passphrase: 'secret', iterations: 99_999 }], ['many iterations', { passphrase: 'secret', iterations: 10_000_001 }],
    ['half an iteration', { passphrase: 'secret', iterations: 100_000.5 }], ['iterations as text', { passphrase: 'secret', iterations: '600000' }],
  ]
  test.each(cases)('%s is refused', async (_, options) => {
    const { exportPkcs8 } = await openPrivateKey(crypto, plain, { extractable: true })
    await expect(exportPkcs8(options as EncryptOptions)).rejects.toThrow(/passphrase|options|iterations/)
  })
})

test('600,000 iterations are written unless it is said otherwise, with a fresh salt and vector of 16 bytes each', async () => {
  const { exportPkcs8 } = await openPrivateKey(crypto, plain, { extractable: true })
  const written = await Promise.all([exportPkcs8({ passphrase: 'secret' }), exportPkcs8({ passphrase: 'secret' })])
  const [one, other] = written.map((pem) => readEncryptedKey(readPem('encrypted private key', pem)))
  if (one === undefined || other === undefined || 'unsupported' in one || 'unsupported' in other) throw new Error('unreadable')
  expect(one).toMatchObject({ hash: 'SHA-256', iterations: 600_000, keyBytes: 32 })
  expect([one.salt.length, one.iv.length]).toEqual([16, 16])
  expect(one.salt).not.toEqual(other.salt)
  expect(one.iv).not.toEqual(other.iv)
})

test('what is written of an encrypted key is what is read of it', () => {
  const bytes = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength })
  const parts = fc.record({ salt: bytes(1, 1024), iterations: fc.integer({ min: 1, max: 10_000_000 }), iv: bytes(16), ciphertext: fc.integer({ min: 1, max: 40 }).chain((blocks) => bytes(blocks * 16)) })
  fc.assert(fc.property(parts, (one) => {
    expect(readEncryptedKey(writeEncryptedKey(one))).toEqual({ ...one, hash: 'SHA-256', keyBytes: 32 })
  }))
})

test('a WebCrypto that cannot encrypt is no obstacle to keys that are not encrypted, and named for those that are', async () => {
  const { subtle } = crypto
  const plainOnly: WebCryptoLike = {
    getRandomValues: (array: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(array),
    subtle: Object.fromEntries((['digest', 'generateKey', 'importKey', 'exportKey', 'sign', 'verify'] as const).map((name) => [name, (subtle[name] as (...args: never[]) => unknown).bind(subtle)])),
  }
  const opened = await openPrivateKey(plainOnly, plain, { extractable: true })
  expect((await rejected('ERR_CRYPTO_UNUSABLE', opened.exportPkcs8({ passphrase: 'secret' }))).detail.missing).toBe('subtle.deriveBits')
  expect((await rejected('ERR_CRYPTO_UNUSABLE', openPrivateKey(plainOnly, encryptedBy(), { passphrase: 'secret' }))).detail.missing).toBe('subtle.deriveBits')
})
