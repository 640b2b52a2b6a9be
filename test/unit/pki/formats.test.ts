/** PEM, DER and bundles: what goes in comes out, and nothing is labelled as what it is not. */
import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes, concatBytes } from '../../../src/bytes.js'
import type { ErrorCode } from '../../../src/errors.js'
import { commonNameOnly } from '../../../src/pki/asn1/name.js'
import { algorithmIdentifier } from '../../../src/pki/asn1/algorithms.js'
import { encodeTime } from '../../../src/pki/asn1/time.js'
import { bitString, sequence, smallInteger } from '../../../src/pki/asn1/write.js'
import { createCsr, generateKeyPair, joinBundle, splitBundle, toDer, toPem, type PemKind } from '../../../src/pki/index.js'
import { writePem } from '../../../src/pki/pem.js'
import { certificateOf, NOW } from '../../support/pki.js'
import { hostile, thrown } from '../../support/thrown.js'

const { crypto } = globalThis
const { signer } = await generateKeyPair(crypto, 'ecdsa-p256')
const other = await generateKeyPair(crypto, 'ecdsa-p256')
const named = (subject: string, issuer: string, by = signer) => certificateOf({ by, subject: commonNameOnly(subject), issuer: commonNameOnly(issuer) })
const root = await named('root', 'root')
const middle = await named('middle', 'root')
const leaf = await named('leaf', 'middle')
const stranger = await named('stranger', 'stranger', other.signer)
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const keyDer = (options: object = {}): Uint8Array => Uint8Array.from(privateKey.export({ format: 'der', type: 'pkcs8', ...options }))
/** A list that revokes nothing (RFC 5280 §5.1). */
const crl = sequence(sequence(smallInteger(1), algorithmIdentifier('ecdsa-sha256'), commonNameOnly('x'), encodeTime(NOW), encodeTime(NOW)), algorithmIdentifier('ecdsa-sha256'), bitString(new Uint8Array(70)))

const samples: Readonly<Record<PemKind, Uint8Array>> = {
  certificate: toDer(root),
  csr: toDer(await createCsr(crypto, { signer })),
  'private key': keyDer(),
  'encrypted private key': keyDer({ cipher: 'aes-256-cbc', passphrase: 'x' }),
  crl,
}
const kinds = Object.keys(samples) as readonly PemKind[]

test.each(kinds)('DER of a %s becomes PEM of its label and the same DER again, and is no other kind', (kind) => {
  const pem = toPem(kind, samples[kind])
  expect(toDer(pem)).toEqual(samples[kind])
  for (const wrong of kinds) if (wrong !== kind) expect(thrown('ERR_DER_INVALID', () => toPem(wrong, samples[kind])).message).toContain(`not of a ${wrong}`)
  for (const wrong of kinds) if (wrong !== kind) thrown('ERR_DER_INVALID', () => toDer(pem.replaceAll(/(BEGIN|END) .*?-/g, `$1 ${/BEGIN (.*?)-/.exec(toPem(wrong, samples[wrong]))![1]!}-`)))
})

test.each<[string, ErrorCode, () => unknown]>([
  ['trailing bytes', 'ERR_DER_INVALID', () => toPem('certificate', concatBytes(samples.certificate, Uint8Array.of(0)))],
  ['no bytes', 'ERR_DER_INVALID', () => toPem('certificate', new Uint8Array())],
  ['a key in the form of SEC 1', 'ERR_DER_INVALID', () => toPem('private key', Uint8Array.from(privateKey.export({ format: 'der', type: 'sec1' })))],
  ['an empty text', 'ERR_PEM_INVALID', () => toDer('')],
  ['two blocks', 'ERR_PEM_INVALID', () => toDer(toPem('csr', samples.csr) + toPem('csr', samples.csr))],
  ['a label that nobody knows', 'ERR_PEM_INVALID', () => toDer(toPem('csr', samples.csr).replaceAll('CERTIFICATE REQUEST', 'PKCS7'))],
])('%s is refused', (_, code, run) => {
  thrown(code, run)
})

test.each(hostile)('%s is a TypeError', (_, value) => {
  expect(() => toPem('certificate', value as never)).toThrow(TypeError)
  expect(() => toPem(value as never, samples.certificate)).toThrow(TypeError)
  expect(() => toDer(value as never)).toThrow(TypeError)
  expect(() => splitBundle(value as never)).toThrow(TypeError)
})

test('a list of revoked certificates may be longer than a chain may, and of version 1, which does not say so', () => {
  const long = sequence(sequence(algorithmIdentifier('ecdsa-sha256'), commonNameOnly('x'), encodeTime(NOW)), algorithmIdentifier('ecdsa-sha256'), bitString(new Uint8Array(500_000)))
  expect(compareBytes(toDer(toPem('crl', long)), long)).toBe(0)
  expect(() => toDer(writePem('certificate', long))).toThrow('longer than')
})

describe('bundles', () => {
  test('a file is taken apart into certificates of one form each, in their order', () => {
    expect(splitBundle(root + leaf.replaceAll('\n', '\r\n') + middle)).toEqual([root, leaf, middle])
    expect(splitBundle('\n')).toEqual([])
  })

  test.each<[string, string]>([
    ['text between', `${root}# the old one\n${leaf}`],
    ['a key', root + writePem('private key', samples['private key'])],
    ['a request', root + writePem('csr', samples.csr)],
    ['half a block', root + leaf.slice(0, 60)],
  ])('a file with %s is refused', (_, text) => {
    thrown('ERR_PEM_INVALID', () => splitBundle(text))
    thrown('ERR_PEM_INVALID', () => joinBundle([text]))
  })

  test('a chain is put together leaf first, however it comes, each certificate once', () => {
    expect(joinBundle([root, middle, leaf])).toBe(leaf + middle + root)
    expect(joinBundle([root + leaf, middle, leaf])).toBe(leaf + middle + root)
    expect(joinBundle([])).toBe('')
  })

  test('what is not related stays in its order, and a circle of authorities ends', async () => {
    expect(joinBundle([stranger, root])).toBe(stranger + root)
    expect(joinBundle([root, stranger])).toBe(root + stranger)
    const [one, two] = [await named('one', 'two'), await named('two', 'one')]
    expect(splitBundle(joinBundle([one, two])).toSorted()).toEqual([one, two].toSorted())
  })

  test('in whatever order, the same certificates are in it, each before its issuer', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(leaf, middle, root, stranger), { maxLength: 12 }), (given) => {
      const joined = splitBundle(joinBundle(given))
      expect(joined.toSorted()).toEqual([...new Set(given)].toSorted())
      for (const [below, above] of [[leaf, middle], [middle, root]] as const)
        if (joined.includes(below) && joined.includes(above)) expect(joined.indexOf(below)).toBeLessThan(joined.indexOf(above))
    }))
  })

  test.each([['a string', root], ['nothing', undefined], ['bytes in the list', [samples.certificate]]])('%s is a TypeError', (_, value) => {
    expect(() => joinBundle(value as never)).toThrow(TypeError)
  })

  test('certificates that cannot be read are refused', () => {
    thrown('ERR_DER_INVALID', () => joinBundle([writePem('certificate', Uint8Array.of(0x30, 0))]))
  })
})
