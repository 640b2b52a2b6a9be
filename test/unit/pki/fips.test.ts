/** What the option fips takes: P-256, P-384, RSA from 3072 bits, SHA-2, PBES2 with HMAC-SHA-256. Everything else is refused by name. */
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readDer } from '../../../src/pki/asn1/der.js'
import { readPublicKey } from '../../../src/pki/asn1/public-key.js'
import { bitString, NULL, objectIdentifier, sequence, unsignedInteger } from '../../../src/pki/asn1/write.js'
import { checkFips, fipsHashProblem, fipsProblem } from '../../../src/pki/fips.js'
import { generateKeyPair, openPrivateKey, type KeyAlgorithm } from '../../../src/pki/index.js'
import { lanes, rejected } from '../../support/pki.js'

const { crypto } = globalThis
const fips = true

/** Whether fips takes each. */
const keys: Readonly<Record<KeyAlgorithm, boolean>> = {
  'ecdsa-p256': true, 'ecdsa-p384': true, 'ecdsa-p521': false, 'rsa-2048': false, 'rsa-3072': true, 'rsa-4096': true, ed25519: false,
}
const taken = (Object.keys(keys) as KeyAlgorithm[]).filter((algorithm) => keys[algorithm])
const refused = (Object.keys(keys) as KeyAlgorithm[]).filter((algorithm) => !keys[algorithm])

const rsa = (bits: number) => {
  const key = sequence(unsignedInteger(new Uint8Array(bits / 8).fill(0xff)), unsignedInteger(Uint8Array.of(1, 0, 1)))
  const reading = readPublicKey(readDer(sequence(sequence(objectIdentifier('1.2.840.113549.1.1.1'), NULL), bitString(key))))
  if (!reading.ok) throw new Error(reading.wanted)
  return reading.key
}

test('of public keys it takes P-256, P-384 and RSA from 3072 bits', () => {
  expect((Object.keys(keys) as KeyAlgorithm[]).filter((algorithm) => fipsProblem({ algorithm }) === undefined)).toEqual(taken)
  expect([2048, 3064, 3072, 3080, 8192].map((bits) => fipsProblem(rsa(bits)) === undefined)).toEqual([false, false, true, true, true])
  for (const algorithm of refused) expect(fipsProblem({ algorithm })).toContain(algorithm)
})

test('of signatures it takes those of the family of the key', () => {
  const problem = (algorithm: KeyAlgorithm, signature: Parameters<typeof fipsProblem>[1]) => fipsProblem({ algorithm }, signature)
  expect(problem('ecdsa-p256', 'ecdsa-sha256')).toBeUndefined()
  expect(problem('ecdsa-p384', 'ecdsa-sha512')).toBeUndefined()
  expect(problem('rsa-3072', 'rsa-sha256')).toBeUndefined()
  expect(problem('ecdsa-p256', 'rsa-sha256')).toContain('rsa-sha256')
  expect(problem('rsa-3072', 'ed25519')).toContain('ed25519')
  expect(problem('ed25519', 'ed25519')).toContain('ed25519')
})

test('of encryption it takes HMAC-SHA-256 alone', () => {
  expect((['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'] as const).filter((hash) => fipsHashProblem(hash) === undefined)).toEqual(['SHA-256'])
})

test.each([['yes'], [1], [null], [{}]])('the option itself is a boolean, or a TypeError: %j', (option) => {
  expect([checkFips(true), checkFips(false), checkFips(undefined)]).toEqual([true, false, false])
  expect(() => checkFips(option as never)).toThrow(TypeError)
})

describe.each(lanes)('with %s', (_, crypto) => {
  test.each(refused)('no key of %s is made', async (algorithm) => {
    const { detail, message } = await rejected('ERR_ALGORITHM_UNSUPPORTED', generateKeyPair(crypto, algorithm, { fips }))
    expect(detail.algorithm).toBe(algorithm)
    expect(message).toContain(taken.join(', '))
  })

  test.each(['ecdsa-p256', 'ecdsa-p384'] as const)('a key of %s is made and opened', async (algorithm) => {
    const made = await generateKeyPair(crypto, algorithm, { fips, extractable: true })
    expect((await openPrivateKey(crypto, await made.exportPkcs8(), { fips })).algorithm).toBe(algorithm)
    const encrypted = await made.exportPkcs8({ passphrase: 'secret', iterations: 100_000 })
    expect((await openPrivateKey(crypto, encrypted, { fips, passphrase: 'secret' })).algorithm).toBe(algorithm)
  })
})

test.each([
  ['ecdsa-p521', generateKeyPairSync('ec', { namedCurve: 'P-521' })],
  ['rsa-2048', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['ed25519', generateKeyPairSync('ed25519')],
] as const)('no key of %s is opened', async (algorithm, { privateKey }) => {
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
  expect((await rejected('ERR_ALGORITHM_UNSUPPORTED', openPrivateKey(crypto, pem, { fips }))).detail.algorithm).toBe(algorithm)
  expect((await openPrivateKey(crypto, pem)).algorithm).toBe(algorithm)
})
