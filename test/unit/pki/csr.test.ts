import { describe, expect, test } from 'vitest'
import { algorithmIdentifier } from '../../../src/pki/asn1/algorithms.js'
import { NULL, objectIdentifier, sequence, setOf, tagged, tlv } from '../../../src/pki/asn1/write.js'
import { createCsr, verifyCsr } from '../../../src/pki/index.js'
import { readPem } from '../../../src/pki/pem.js'
import { utf8 } from '../../../src/bytes.js'
import { commonName, csrOf, keyOf, lanes, organization, rejected } from '../../support/pki.js'
import { hostile } from '../../support/thrown.js'

describe.each(lanes)('with %s', (_, crypto) => {
  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const)('a CSR of %s is reported as it was made', async (algorithm) => {
    const { signer } = await keyOf(crypto, algorithm)
    const report = await verifyCsr(crypto, await createCsr(crypto, { commonName: 'naïve ✓', signer }))
    expect(report).toEqual({
      commonNames: ['naïve ✓'], keyAlgorithm: algorithm, keyProblem: undefined, keyHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string, signature: 'valid', ignored: [],
    })
  })

  test('a CSR without Common Name has an empty subject, and always its attributes field', async () => {
    const { signer } = await keyOf(crypto)
    const csr = await createCsr(crypto, { signer })
    expect((await verifyCsr(crypto, csr)).commonNames).toEqual([])
    expect(Buffer.from(readPem('csr', csr)).indexOf(Buffer.from([0xa0, 0x00]))).toBeGreaterThan(0)
  })

  test('a bad signature is reported, not thrown', async () => {
    const { signer } = await keyOf(crypto)
    const other = await keyOf(crypto, 'ecdsa-p384')
    const flipped = (real: Uint8Array) => real.map((byte, i) => (i === real.length - 1 ? byte ^ 1 : byte))
    for (const csr of [
      await csrOf(signer, [[commonName('alice')]], { signature: flipped }),
      await csrOf(signer, [[commonName('alice')]], { signature: () => new Uint8Array(0) }),
      await csrOf(signer, [[commonName('alice')]], { signature: () => utf8('junk') }),
      await csrOf(signer, [[commonName('alice')]], { algorithm: algorithmIdentifier('ecdsa-sha512') }),
      await csrOf(signer, [[commonName('alice')]], { algorithm: algorithmIdentifier('rsa-sha256') }),
      await csrOf(other.signer, [[commonName('alice')]], { spki: signer.publicKey }),
    ])
      expect((await verifyCsr(crypto, csr)).signature).toBe('invalid')
  })
})

const { crypto } = globalThis
const { signer } = await keyOf(crypto)

test('everything that a CSR asks for is reported as ignored', async () => {
  const wish = (oid: string, value = sequence()) => sequence(objectIdentifier(oid), tlv(0x04, value))
  const attributes = tagged(
    0,
    sequence(objectIdentifier('1.2.840.113549.1.9.7'), setOf(tlv(0x0c, utf8('secret')))),
    sequence(objectIdentifier('1.2.840.113549.1.9.14'), setOf(sequence(wish('2.5.29.19'), wish('2.5.29.17', sequence(tlv(0x82, utf8('evil.example')))), wish('1.2.3.4')))),
  )
  const report = await verifyCsr(crypto, await csrOf(signer, [[commonName('alice'), organization('system:masters')]], { attributes }))
  expect(report.ignored).toEqual(['subject organizationName', 'attribute challengePassword', 'extension basicConstraints', 'extension subjectAltName', 'extension 1.2.3.4'])
  expect(JSON.stringify(report)).not.toContain('secret')
})

test.each([
  ['two names', [[commonName('alice')], [commonName('root')]], ['alice', 'root']],
  ['two in one part', [[commonName('alice'), commonName('root')]], ['root', 'alice']],
  ['an empty one', [[commonName('')]], ['']],
  ['a BMPString', [[commonName(Uint8Array.of(0, 0x61, 0, 0x62), 0x1e)]], ['ab']],
  ['a TeletexString beyond ASCII', [[commonName(Uint8Array.of(0xe9), 0x14)]], ['']],
] as const)('every Common Name is found: %s', async (_, subject, found) => {
  expect((await verifyCsr(crypto, await csrOf(signer, subject))).commonNames.toSorted()).toEqual([...found].toSorted())
})

test('SHA-1 and unknown signatures are not verified', async () => {
  const sha1 = sequence(objectIdentifier('1.2.840.10045.4.1'))
  expect((await verifyCsr(crypto, await csrOf(signer, [], { algorithm: sha1 }))).signature).toBe('unsupported')
})

test('an RSA signature algorithm is read with and without its NULL, an ECDSA one only without', async () => {
  const rsa = await keyOf(crypto, 'rsa-2048')
  const bare = sequence(objectIdentifier('1.2.840.113549.1.1.11'))
  expect((await verifyCsr(crypto, await csrOf(rsa.signer, [], { algorithm: bare }))).signature).toBe('valid')
  await rejected('ERR_DER_INVALID', verifyCsr(crypto, await csrOf(signer, [], { algorithm: sequence(objectIdentifier('1.2.840.10045.4.3.2'), NULL) })))
})

describe('a CSR that cannot be read is an error', () => {
  test.each([
    ['another version', { version: 1 }],
    ['no attributes field', { attributes: new Uint8Array() }],
    ['something else in its place', { attributes: NULL }],
    ['attributes out of order', { attributes: tagged(0, sequence(objectIdentifier('1.2.4'), setOf()), sequence(objectIdentifier('1.2.3'), setOf())) }],
    ['a key that is no key', { spki: sequence(NULL) }],
  ])('%s', async (_, change) => {
    await rejected('ERR_DER_INVALID', verifyCsr(crypto, await csrOf(signer, [[commonName('alice')]], change)))
  })

  test('a subject with an empty part', async () => {
    await rejected('ERR_DER_INVALID', verifyCsr(crypto, await csrOf(signer, [[]])))
  })

  test.each(hostile)('%s is a TypeError', async (_, value) => {
    await expect(verifyCsr(crypto, value as string)).rejects.toThrow(TypeError)
  })
})

test('a Common Name that could be no user is refused when the CSR is made', async () => {
  for (const name of ['', ' alice', 'x/../root', 'a'.repeat(65), 'a\u0000b']) await rejected('ERR_NAME_INVALID', createCsr(crypto, { commonName: name, signer }))
})
