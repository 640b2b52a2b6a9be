import { createPrivateKey, createPublicKey, generateKeyPairSync, verify, X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/bytes.js'
import type { WebCryptoLike } from '../../../src/platform.js'
import { readDer } from '../../../src/pki/asn1/der.js'
import { readPublicKey } from '../../../src/pki/asn1/public-key.js'
import { bitString, NULL, objectIdentifier, sequence, unsignedInteger } from '../../../src/pki/asn1/write.js'
import { createCa, createCsr, days, generateKeyPair, openPrivateKey, verifyCsr, type KeyAlgorithm, type Signer } from '../../../src/pki/index.js'
import { ecdsaFromDer } from '../../../src/pki/asn1/ecdsa.js'
import { csrOf, keyOf, lanes, NOW, rejected } from '../../support/pki.js'

const algorithms: readonly KeyAlgorithm[] = ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'ed25519']

describe.each(lanes)('with %s', (_, crypto) => {
  test.each(algorithms)('a key pair of %s signs what Node verifies', async (algorithm) => {
    const { signer, algorithm: made } = await keyOf(crypto, algorithm)
    expect(made).toBe(algorithm)
    const publicKey = createPublicKey({ key: Buffer.from(signer.publicKey), format: 'der', type: 'spki' })
    const signature = await signer.sign(utf8('text'))
    const hash = algorithm === 'ed25519' ? null : `sha${signer.algorithm.slice(-3)}`
    expect(verify(hash, utf8('text'), publicKey, signature)).toBe(true)
    expect(verify(hash, utf8('other'), publicKey, signature)).toBe(false)
  })

  test('a key is not extractable, and has no export, unless it was asked for', async () => {
    const closed = await generateKeyPair(crypto, 'ecdsa-p256')
    expect(Object.keys(closed)).toEqual(['algorithm', 'signer'])
    const open = await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
    expect(createPrivateKey(await open.exportPkcs8()).asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
    // @ts-expect-error the export exists in the type only where it was asked for
    expect(closed.exportPkcs8).toBeUndefined()
  })

  test('an unknown algorithm is refused', async () => {
    for (const none of [undefined, null, 7, ['rsa-2048']]) await expect(generateKeyPair(crypto, none as never)).rejects.toThrow('an algorithm must be a string')
    for (const none of ['rsa-1024', 'ecdsa-p224', 'ecdsa-secp256k1', 'ed448', 'rsa-pss', 'constructor', ''])
      expect((await rejected('ERR_ALGORITHM_UNSUPPORTED', generateKeyPair(crypto, none as KeyAlgorithm))).detail).toEqual({ algorithm: none })
  })

  describe('a signer that misbehaves shows itself before anything is issued', () => {
    const ca = (signer: Signer) => createCa(crypto, { name: 'etcd-ca', signer, validity: days(1).from(NOW), issues: ['client'] })

    test.each([
      ['signs with Ed25519 by a key of a curve', 'ERR_SIGNER_INVALID', (real: Signer) => ({ ...real, algorithm: 'ed25519' as const })],
      ['gives r and s instead of DER', 'ERR_SIGNER_INVALID', (real: Signer) => ({ ...real, sign: async (bytes: Uint8Array) => ecdsaFromDer(await real.sign(bytes), 32) ?? bytes })],
      ['signs something else', 'ERR_KEY_MISMATCH', (real: Signer) => ({ ...real, sign: () => real.sign(utf8('something else')) })],
      ['says another algorithm', 'ERR_KEY_MISMATCH', (real: Signer) => ({ ...real, algorithm: 'ecdsa-sha512' as const })],
      ['says an algorithm of another kind of key', 'ERR_SIGNER_INVALID', (real: Signer) => ({ ...real, algorithm: 'rsa-sha256' as const })],
      ['says SHA-1', 'ERR_ALGORITHM_UNSUPPORTED', (real: Signer) => ({ ...real, algorithm: 'ecdsa-sha1' as never })],
      ['has a public key with trailing bytes', 'ERR_DER_INVALID', (real: Signer) => ({ ...real, publicKey: Uint8Array.from([...real.publicKey, 0]) })],
    ] as const)('%s', async (__, code, break_) => {
      await rejected(code, ca(break_((await keyOf(crypto)).signer)))
    })

    test('and one of Ed25519 likewise', async () => {
      const { signer } = await keyOf(crypto, 'ed25519')
      const error = await rejected('ERR_SIGNER_INVALID', ca({ ...signer, sign: async (bytes) => (await signer.sign(bytes)).subarray(1) }))
      expect(error.detail.reason).toBe('a signature of 63 bytes')
      await rejected('ERR_KEY_MISMATCH', ca({ ...signer, sign: () => signer.sign(utf8('something else')) }))
      await rejected('ERR_SIGNER_INVALID', ca({ ...signer, algorithm: 'ecdsa-sha256' }))
    })

    test('fails: what it rejects with reaches the caller', async () => {
      const { signer } = await keyOf(crypto)
      const failure = new Error('the module is locked')
      await expect(ca({ ...signer, sign: () => Promise.reject(failure) })).rejects.toBe(failure)
    })

    test('is none: a TypeError', async () => {
      for (const none of [undefined, null, {}, { algorithm: 'ecdsa-sha256', sign: () => Promise.resolve(new Uint8Array()), publicKey: 'x' }])
        await expect(ca(none as never)).rejects.toThrow(TypeError)
      const { signer } = await keyOf(crypto)
      await expect(ca({ ...signer, sign: () => Promise.resolve('signature' as never) })).rejects.toThrow(TypeError)
    })
  })
})

test.each([
  ['no object', undefined, 'getRandomValues'],
  ['no subtle', { getRandomValues: () => 0, subtle: undefined }, 'subtle'],
  ['half a subtle', { getRandomValues: () => 0, subtle: { digest: () => 0, generateKey: () => 0 } }, 'subtle.importKey'],
])('a WebCrypto with %s is refused, and what is missing named', async (_, crypto, missing) => {
  const { detail } = await rejected('ERR_CRYPTO_UNUSABLE', generateKeyPair(crypto as WebCryptoLike, 'ecdsa-p256'))
  expect(detail.missing).toBe(missing)
})

/** The platform's WebCrypto, but for the keys that it has not, as a browser may lack some. */
const without = (name: string): WebCryptoLike => {
  const { subtle } = globalThis.crypto
  const refuse = (given: unknown): void => {
    const { name: asked, namedCurve } = given as { readonly name: string; readonly namedCurve?: string }
    if (name === (namedCurve ?? asked)) throw new DOMException('Unrecognized name.', 'NotSupportedError')
  }
  return {
    getRandomValues: (array: Uint8Array<ArrayBuffer>) => globalThis.crypto.getRandomValues(array),
    subtle: {
      digest: subtle.digest.bind(subtle), exportKey: subtle.exportKey.bind(subtle), sign: subtle.sign.bind(subtle), verify: subtle.verify.bind(subtle),
      generateKey: async (...args: Parameters<typeof subtle.generateKey>) => { refuse(args[0]); return subtle.generateKey(...args) },
      importKey: async (...args: Parameters<typeof subtle.importKey>) => { refuse(args[2]); return subtle.importKey(...args) },
    },
  }
}

test.each([['ed25519', 'Ed25519'], ['ecdsa-p521', 'P-521']] as const)('a WebCrypto without %s says so, at making and at opening', async (algorithm, name) => {
  const crypto = without(name)
  expect((await rejected('ERR_CRYPTO_UNUSABLE', generateKeyPair(crypto, algorithm))).detail.missing).toBe(`keys of ${algorithm}`)
  const pem = await (await generateKeyPair(globalThis.crypto, algorithm, { extractable: true })).exportPkcs8()
  expect((await rejected('ERR_CRYPTO_UNUSABLE', openPrivateKey(crypto, pem))).detail.missing).toBe(`keys of ${algorithm}`)
  expect((await generateKeyPair(crypto, 'ecdsa-p256')).algorithm).toBe('ecdsa-p256')
})

test.each([
  ['a field that nobody reads', { extractible: true }],
  ['no table', true],
  ['an extractable that is no boolean', { extractable: 'yes' }],
  ['a fips that is no boolean', { fips: 'yes' }],
])('options with %s are a TypeError, not the default', async (_, options) => {
  await expect(generateKeyPair(globalThis.crypto, 'ecdsa-p256', options as never)).rejects.toThrow(TypeError)
})

test('a WebCrypto that gives zeros for random numbers makes no authority', async () => {
  const { signer } = await keyOf(globalThis.crypto)
  const zeros: WebCryptoLike = { subtle: globalThis.crypto.subtle, getRandomValues: (array: unknown) => array }
  await rejected('ERR_CRYPTO_UNUSABLE', createCa(zeros, { name: 'etcd-ca', signer, validity: days(1).from(NOW), issues: ['client'] }))
})

test('serial numbers are positive, of at most 16 bytes, and never twice the same', async () => {
  const { signer } = await keyOf(globalThis.crypto)
  const certificates = await Promise.all(
    Array.from({ length: 40 }, () => createCa(globalThis.crypto, { name: 'etcd-ca', signer, validity: days(1).from(NOW), issues: ['client'] })),
  )
  const serials = certificates.map(({ certificate }) => new X509Certificate(certificate).serialNumber)
  expect(new Set(serials).size).toBe(40)
  for (const serial of serials) expect(serial).toMatch(/^[0-9A-F]{20,32}$/)
})

describe('public keys', () => {
  const spki = (hex: string) => readPublicKey(readDer(Uint8Array.from(Buffer.from(hex, 'hex'))))
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'der', type: 'spki' }).toString('hex')

  test('a compressed point is refused', () => {
    const compressed = p256.replace(/^3059301306072a8648ce3d020106082a8648ce3d030107034200 ?04/, '3039301306072a8648ce3d020106082a8648ce3d03010703220002').slice(0, 118)
    expect(spki(compressed)).toMatchObject({ ok: false, algorithm: 'ecdsa-p256', wanted: 'an uncompressed point of the curve' })
  })

  test.each([
    ['an exponent of 3', 3, 'exponent'],
    ['an exponent of 17', 17, 'exponent'],
  ])('RSA with %s is refused', (_, publicExponent, wanted) => {
    const key = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent }).publicKey.export({ format: 'der', type: 'spki' })
    const reading = readPublicKey(readDer(key))
    expect(reading).toMatchObject({ ok: false, algorithm: 'rsa-2048' })
    expect(!reading.ok && reading.wanted).toContain(wanted)
  })

  const rsa = (bits: number, exponent: readonly number[]) => {
    const modulus = new Uint8Array(bits / 8).fill(0xff)
    const key = sequence(unsignedInteger(modulus), unsignedInteger(Uint8Array.from(exponent)))
    return readPublicKey(readDer(sequence(sequence(objectIdentifier('1.2.840.113549.1.1.1'), NULL), bitString(key))))
  }

  test.each([
    ['of 1', [1]],
    ['of 65535, below the least', [0xff, 0xff]],
    ['of 65538, which is even', [1, 0, 2]],
    ['of 2^31, above what Go reads', [0x80, 0, 0, 0]],
    ['of 2^31 + 1, above what Go reads', [0x80, 0, 0, 1]],
    ['of 2^32 + 1', [1, 0, 0, 0, 1]],
  ])('RSA with an exponent %s is refused', (_, exponent) => {
    expect(rsa(2048, exponent)).toMatchObject({ ok: false, algorithm: 'rsa-2048', wanted: expect.stringContaining('exponent') as string })
  })

  test.each([[[1, 0, 1]], [[0x7f, 0xff, 0xff, 0xff]]])('RSA with exponent %j is taken', (exponent) => {
    expect(rsa(2048, exponent)).toMatchObject({ ok: true })
  })

  test('RSA is taken from 2048 to 8192 bits: above, a verification costs whoever asks nothing and us seconds', () => {
    expect([2040, 2048, 8192, 8200, 16_384].map((bits) => rsa(bits, [1, 0, 1]).ok)).toEqual([false, true, true, false, false])
  })

  test('RSA with an even modulus is refused', () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'der', type: 'spki' })
    // The exponent's five bytes follow the modulus.
    key[key.length - 6] = (key[key.length - 6] ?? 0) & 0xfe
    expect(readPublicKey(readDer(key))).toMatchObject({ ok: false, wanted: 'an odd modulus' })
  })

  const ed25519 = (hex: string) => spki(`302a300506032b6570032100${hex}`)

  test.each([
    ['zero, of order 4', '00'.repeat(32)],
    ['the neutral point', `01${'00'.repeat(31)}`],
    ['the neutral point with a sign', `01${'00'.repeat(30)}80`],
    ['a point of order 2', `ec${'ff'.repeat(30)}7f`],
    ['a point of order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['the other of order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
  ])('a key of Ed25519 by which everyone can sign is refused: %s', (_, hex) => {
    expect(ed25519(hex)).toEqual({ ok: false, algorithm: 'ed25519', wanted: 'a key by which only its holder can sign' })
  })

  test('and Node would take the signature of nobody for that of such a key', () => {
    const neutral = Buffer.from(`302a300506032b657003210001${'00'.repeat(31)}`, 'hex')
    const nobodys = Buffer.from(`01${'00'.repeat(63)}`, 'hex')
    expect(verify(null, utf8('anything'), createPublicKey({ key: neutral, format: 'der', type: 'spki' }), nobodys)).toBe(true)
  })

  test.each([
    ['2^255 - 19', `ed${'ff'.repeat(30)}7f`, 'a point in its shortest form'],
    ['2^255 - 1', `ff${'ff'.repeat(30)}ff`, 'a point in its shortest form'],
    ['31 bytes', '7a'.repeat(31), undefined],
  ])('a key of Ed25519 that is not canonical is refused: %s', (_, hex, wanted) => {
    if (wanted !== undefined) expect(ed25519(hex)).toEqual({ ok: false, algorithm: 'ed25519', wanted })
    else expect(spki(`3029300506032b6570032000${hex}`)).toEqual({ ok: false, algorithm: 'ed25519', wanted: 'a key of 32 bytes' })
  })

  test('a key of Ed25519 with parameters is refused', () => {
    expect(() => spki(`302c300706032b65700500032100${'7a'.repeat(32)}`)).toThrow('another field behind its last')
  })

  test('sizes are counted in bits', () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 2056 }).publicKey.export({ format: 'der', type: 'spki' })
    expect(readPublicKey(readDer(key))).toMatchObject({ ok: true, algorithm: 'rsa-2056' })
  })

  test('a key whose point is not on the curve is none', async () => {
    const bad = Buffer.from(p256, 'hex')
    bad[bad.length - 1] = (bad[bad.length - 1] ?? 0) ^ 1
    for (const [, crypto] of lanes) {
      const real = await generateKeyPair(crypto, 'ecdsa-p256')
      const signer = { ...real.signer, publicKey: Uint8Array.from(bad) }
      expect((await rejected('ERR_ALGORITHM_UNSUPPORTED', createCsr(crypto, { signer }))).message).toContain('a point of the curve')
      expect(await verifyCsr(crypto, await csrOf(signer, []))).toMatchObject({ signature: 'unsupported', keyProblem: 'wanted a point of the curve' })
    }
  })
})
