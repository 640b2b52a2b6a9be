import { createPrivateKey, createPublicKey, generateKeyPairSync, verify, X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/bytes.js'
import type { WebCryptoLike } from '../../../src/platform.js'
import { readDer } from '../../../src/pki/asn1/der.js'
import { readPublicKey } from '../../../src/pki/asn1/public-key.js'
import { bitString, NULL, objectIdentifier, sequence, unsignedInteger } from '../../../src/pki/asn1/write.js'
import { createCa, createCsr, days, generateKeyPair, openPrivateKey, verifyCsr, type KeyAlgorithm, type Signer } from '../../../src/pki/index.js'
import { readPem, writePem } from '../../../src/pki/pem.js'
import { ecdsaFromDer } from '../../../src/pki/asn1/ecdsa.js'
import { keyOf, lanes, NOW, rejected } from '../../support/pki.js'

const algorithms: readonly KeyAlgorithm[] = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048']

describe.each(lanes)('with %s', (_, crypto) => {
  test.each(algorithms)('a key pair of %s signs what Node verifies', async (algorithm) => {
    const { signer, algorithm: made } = await keyOf(crypto, algorithm)
    expect(made).toBe(algorithm)
    const publicKey = createPublicKey({ key: Buffer.from(signer.publicKey), format: 'der', type: 'spki' })
    const signature = await signer.sign(utf8('text'))
    expect(verify(`sha${signer.algorithm.slice(-3)}`, utf8('text'), publicKey, signature)).toBe(true)
    expect(verify(`sha${signer.algorithm.slice(-3)}`, utf8('other'), publicKey, signature)).toBe(false)
  })

  test('a key is not extractable, and has no export, unless it was asked for', async () => {
    const closed = await generateKeyPair(crypto, 'ecdsa-p256')
    expect(Object.keys(closed)).toEqual(['algorithm', 'signer'])
    const open = await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
    expect(createPrivateKey(await open.exportPkcs8()).asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
    // @ts-expect-error the export exists in the type only where it was asked for
    expect(closed.exportPkcs8).toBeUndefined()
  })

  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const)('a %s key that was exported opens again as the same key', async (algorithm) => {
    const made = await generateKeyPair(crypto, algorithm, { extractable: true })
    const opened = await openPrivateKey(crypto, await made.exportPkcs8())
    expect(opened.algorithm).toBe(algorithm)
    expect(opened.signer.publicKey).toEqual(made.signer.publicKey)
    expect(await opened.exportPkcs8()).toBe(await made.exportPkcs8())
    expect((await verifyCsr(crypto, await createCsr(crypto, { signer: opened.signer }))).signature).toBe('valid')
  })

  test.each([
    ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'ecdsa-p256'],
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'ecdsa-p384'],
    ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' }), 'ecdsa-p521'],
    ['RSA 2048', generateKeyPairSync('rsa', { modulusLength: 2048 }), 'rsa-2048'],
  ] as const)('a %s key that Node made opens', async (__, { privateKey, publicKey }, algorithm) => {
    const opened = await openPrivateKey(crypto, privateKey.export({ format: 'pem', type: 'pkcs8' }) as string)
    expect(opened.algorithm).toBe(algorithm)
    expect(Buffer.from(opened.signer.publicKey)).toEqual(publicKey.export({ format: 'der', type: 'spki' }))
  })

  test.each([
    ['P-224', generateKeyPairSync('ec', { namedCurve: 'secp224r1' }), 'ecdsa-p224'],
    ['secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' }), 'ecdsa-secp256k1'],
    ['RSA 1024', generateKeyPairSync('rsa', { modulusLength: 1024 }), 'rsa-1024'],
    ['Ed25519', generateKeyPairSync('ed25519'), 'ed25519'],
    ['RSA-PSS', generateKeyPairSync('rsa-pss', { modulusLength: 2048 }), 'rsa-pss'],
  ] as const)('a %s key is refused by name', async (__, { privateKey }, algorithm) => {
    const { detail } = await rejected('ERR_ALGORITHM_UNSUPPORTED', openPrivateKey(crypto, privateKey.export({ format: 'pem', type: 'pkcs8' }) as string))
    expect(detail.algorithm).toBe(algorithm)
  })

  test('a key whose public half is that of another is refused, and no error quotes it', async () => {
    const der = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey.export({ format: 'der', type: 'pkcs8' })
    const [one, other] = [der('P-256'), der('P-256')]
    const mixed = Buffer.concat([one.subarray(0, one.length - 64), other.subarray(other.length - 64)])
    const error = await rejected('ERR_KEY_MISMATCH', openPrivateKey(crypto, writePem('private key', mixed)))
    for (const secret of [one.subarray(40, 60), other.subarray(40, 60)]) expect(JSON.stringify([error.message, error.detail])).not.toContain(secret.toString('base64').slice(0, 16))
    expect(error.cause).toBeUndefined()
  })

  test('an unknown algorithm is refused', async () => {
    for (const none of [undefined, null, 7, ['rsa-2048']]) await expect(generateKeyPair(crypto, none as never)).rejects.toThrow('an algorithm must be a string')
    await rejected('ERR_ALGORITHM_UNSUPPORTED', generateKeyPair(crypto, 'ed25519' as KeyAlgorithm))
    await rejected('ERR_ALGORITHM_UNSUPPORTED', generateKeyPair(crypto, 'constructor' as KeyAlgorithm))
  })

  describe('a signer that misbehaves shows itself before anything is issued', () => {
    const ca = (signer: Signer) => createCa(crypto, { name: 'etcd-ca', signer, validity: days(1).from(NOW), issues: ['client'] })

    test.each([
      ['gives r and s instead of DER', 'ERR_SIGNER_INVALID', (real: Signer) => ({ ...real, sign: async (bytes: Uint8Array) => ecdsaFromDer(await real.sign(bytes), 32) ?? bytes })],
      ['signs something else', 'ERR_KEY_MISMATCH', (real: Signer) => ({ ...real, sign: () => real.sign(utf8('something else')) })],
      ['says another algorithm', 'ERR_KEY_MISMATCH', (real: Signer) => ({ ...real, algorithm: 'ecdsa-sha512' as const })],
      ['says an algorithm of another kind of key', 'ERR_SIGNER_INVALID', (real: Signer) => ({ ...real, algorithm: 'rsa-sha256' as const })],
      ['says SHA-1', 'ERR_ALGORITHM_UNSUPPORTED', (real: Signer) => ({ ...real, algorithm: 'ecdsa-sha1' as never })],
      ['has a public key with trailing bytes', 'ERR_DER_INVALID', (real: Signer) => ({ ...real, publicKey: Uint8Array.from([...real.publicKey, 0]) })],
    ] as const)('%s', async (__, code, break_) => {
      await rejected(code, ca(break_((await keyOf(crypto)).signer)))
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

  test('sizes are counted in bits', () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 2056 }).publicKey.export({ format: 'der', type: 'spki' })
    expect(readPublicKey(readDer(key))).toMatchObject({ ok: true, algorithm: 'rsa-2056' })
  })

  test('a key whose point is not on the curve verifies nothing', async () => {
    const bad = Buffer.from(p256, 'hex')
    bad[bad.length - 1] = (bad[bad.length - 1] ?? 0) ^ 1
    for (const [, crypto] of lanes) {
      const real = await generateKeyPair(crypto, 'ecdsa-p256')
      const csr = await createCsr(crypto, { signer: { ...real.signer, publicKey: Uint8Array.from(bad) } })
      expect((await verifyCsr(crypto, csr)).signature).toBe('invalid')
      expect(readPem('csr', csr).length).toBeGreaterThan(100)
    }
  })
})
