import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/bytes.js'
import { commonNameOnly, EMPTY_NAME } from '../../../src/pki/asn1/name.js'
import { readCertificate, type UnverifiedCertificate } from '../../../src/pki/asn1/read-certificate.js'
import { namedBits, objectIdentifier, octetString, sequence, smallInteger, tagged, taggedPrimitive, tlv, TRUE } from '../../../src/pki/asn1/write.js'
import { days, generateKeyPair, type Signer } from '../../../src/pki/index.js'
import { readPem } from '../../../src/pki/pem.js'
import { subtleOf } from '../../../src/pki/subtle.js'
import { verifyChain, type ChainQuestion } from '../../../src/pki/verify-chain.js'
import { certificateOf, certSign, extension, isCa, keyOf, lanes, NOW } from '../../support/pki.js'

const { crypto } = globalThis
const signers = await Promise.all(['root', 'middle', 'low', 'leaf', 'other'].map(async () => (await generateKeyPair(crypto, 'ecdsa-p256')).signer))
const [rootKey, middleKey, lowKey, leafKey, otherKey] = signers as [Signer, Signer, Signer, Signer, Signer]

type Content = Parameters<typeof certificateOf>[0]
const make = async (content: Content): Promise<UnverifiedCertificate> => readCertificate(readPem('certificate', await certificateOf(content)))
const named = commonNameOnly
const extended = (...oids: string[]) => extension('2.5.29.37', false, sequence(...oids.map(objectIdentifier)))
const [server, client, any] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2', '2.5.29.37.0']
const notCa = extension('2.5.29.19', true, sequence())
const path = (length: number) => extension('2.5.29.19', true, sequence(TRUE, smallInteger(length)))
const usage = (...bits: number[]) => extension('2.5.29.15', true, namedBits(bits))
const hosts = (...names: string[]) => extension('2.5.29.17', false, sequence(...names.map((name) => taggedPrimitive(2, utf8(name)))))
const good = [notCa, usage(0), extended(client)]
const constraints = (suffix: string) => extension('2.5.29.30', true, sequence(tagged(0, sequence(tlv(0x82, utf8(suffix))))))

const rootOf = (content: Partial<Content> = {}) => make({ by: rootKey, subject: named('root ca'), ...content })
const middleOf = (content: Partial<Content> = {}) => make({ by: rootKey, issuer: named('root ca'), subject: named('middle ca'), publicKeyDer: middleKey.publicKey, ...content })
const lowOf = (content: Partial<Content> = {}) => make({ by: middleKey, issuer: named('middle ca'), subject: named('low ca'), publicKeyDer: lowKey.publicKey, ...content })
const leafOf = (content: Partial<Content> = {}) =>
  make({ by: middleKey, issuer: named('middle ca'), subject: named('alice'), publicKeyDer: leafKey.publicKey, validity: days(90).from(NOW), extensions: [notCa, usage(0), extended(client)], ...content })
const [root, middle, low, leaf] = [await rootOf(), await middleOf(), await lowOf(), await leafOf()]
const lowLeaf = await leafOf({ by: lowKey, issuer: named('low ca') })

const ask = (question: Partial<ChainQuestion>, lane = crypto) => verifyChain(subtleOf(lane), { chain: [leaf, middle], trusted: [root], usages: ['clientAuth'], first: 'leaf', now: NOW, ...question })
const problems = async (question: Partial<ChainQuestion>): Promise<readonly string[]> => (await ask(question)).problems.map(({ code, at }) => `${code} ${String(at)}`)
const shift = (days: number): Date => new Date(NOW.getTime() + days * 86_400_000)

test.each(lanes)('a chain to a trusted root is good, and the path is told, with %s', async (_, lane) => {
  expect(await ask({}, lane as typeof crypto)).toEqual({ path: [leaf, middle, root], problems: [] })
  expect(await ask({ chain: [lowLeaf, low, middle] }, lane as typeof crypto)).toEqual({ path: [lowLeaf, low, middle, root], problems: [] })
})

describe('a chain is good', () => {
  test('with its root in it, in another order, and with strangers in it', async () => {
    const stranger = await make({ by: otherKey, subject: named('stranger') })
    expect(await problems({ chain: [lowLeaf, root, middle, stranger, low] })).toEqual([])
  })

  test('to any authority that is trusted, as in Go, and to itself where it is trusted', async () => {
    expect((await ask({ trusted: [middle] })).path).toEqual([leaf, middle])
    expect((await ask({ chain: [leaf], trusted: [middle] })).problems).toEqual([])
    expect(await problems({ chain: [leaf], trusted: [leaf] })).toEqual([])
  })

  test('by the one of two authorities of a name that signed it', async () => {
    const impostor = await make({ by: otherKey, subject: named('root ca') })
    expect(await problems({ trusted: [impostor, root] })).toEqual([])
    expect(await problems({ trusted: [impostor] })).toEqual(['signature 1'])
  })

  test('by the way without problem, where there are two: a root that was made anew, and one that another signed', async () => {
    const expired = await rootOf({ validity: { notBefore: shift(-20), notAfter: shift(-1) } })
    expect((await ask({ trusted: [expired, root] })).path).toEqual([leaf, middle, root])
    expect(await problems({ trusted: [expired] })).toEqual(['expired 2'])
    const worse = await rootOf({ validity: { notBefore: shift(-20), notAfter: shift(-1) }, extensions: [path(0), certSign] })
    for (const trusted of [[expired, worse], [worse, expired]]) expect(await problems({ trusted })).toEqual(['expired 2'])
    const other = await make({ by: otherKey, subject: named('other ca') })
    const bridge = await make({ by: otherKey, issuer: named('other ca'), subject: named('root ca'), publicKeyDer: rootKey.publicKey })
    expect((await ask({ chain: [leaf, middle, bridge], trusted: [other] })).path).toEqual([leaf, middle, bridge, other])
    expect((await ask({ chain: [leaf, middle, bridge], trusted: [root] })).path).toEqual([leaf, middle, root])
  })

  test('below constraints that the Common Name of an authority would not fit, were it a host', async () => {
    const trusted = [await rootOf({ extensions: [isCa, certSign, constraints('example')] })]
    const dotted = await middleOf({ subject: named('ca.other') })
    expect(await problems({ chain: [await leafOf({ issuer: named('ca.other') }), dotted], trusted })).toEqual([])
    expect(await problems({ chain: [dotted], trusted, first: 'authority' })).toEqual([])
  })

  test('from its first second to its last', async () => {
    for (const [now, wanted] of [[leaf.notBefore, []], [leaf.notAfter, []], [new Date(leaf.notBefore.getTime() - 1), ['not-yet-valid 0']], [new Date(leaf.notAfter.getTime() + 1), ['expired 0']]] as const)
      expect(await problems({ now })).toEqual(wanted)
  })

  test('by the serial number of its issuer, where that is named', async () => {
    const naming = await leafOf({ extensions: [...good, extension('2.5.29.35', false, sequence(tlv(0xa1, tlv(0xa4, named('root ca'))), taggedPrimitive(2, Uint8Array.of(1))))] })
    expect(await problems({ chain: [naming, middle] })).toEqual([])
  })

  test('for the purposes that are asked for, and for any where none is', async () => {
    expect(await problems({ usages: ['serverAuth'] })).toEqual(['extended-key-usage 0'])
    expect(await problems({ usages: ['clientAuth', 'serverAuth'] })).toEqual(['extended-key-usage 0'])
    expect(await problems({ usages: [] })).toEqual([])
    expect(await problems({ chain: [await leafOf({ extensions: [notCa, usage(0)] }), middle], usages: ['serverAuth'] })).toEqual([])
    expect(await problems({ chain: [await leafOf({ extensions: [notCa, usage(0), extended(any, server)] }), middle], usages: ['serverAuth'] })).toEqual([])
  })

  test('whatever the date where no time is asked about', async () => {
    const { problems: found } = await verifyChain(subtleOf(crypto), { chain: [await leafOf({ validity: { notBefore: shift(-20), notAfter: shift(-1) } }), middle], trusted: [root], usages: [], first: 'leaf' })
    expect(found).toEqual([])
  })
})

const weak = sequence(objectIdentifier('1.2.840.10045.4.1'))
const critical = extension('1.2.3.4', true, sequence())
const flip = (der: Uint8Array) => der.map((byte, index) => (index === der.length - 1 ? byte ^ 1 : byte))
const keyId = (oid: string, byte: number) => extension(oid, false, oid === '2.5.29.14' ? octetString(Uint8Array.of(byte)) : sequence(taggedPrimitive(0, Uint8Array.of(byte))))

const wrong: readonly (readonly [title: string, question: () => Promise<Partial<ChainQuestion>>, problems: readonly string[]])[] = [
  ['no intermediate', async () => ({ chain: [leaf] }), ['issuer-missing 0']],
  ['nothing trusted', async () => ({ trusted: [] }), ['issuer-missing 1']],
  ['a root of its own that nobody trusts', async () => ({ chain: [leaf, middle, root], trusted: [await make({ by: otherKey, subject: named('other ca') })] }), ['issuer-missing 2']],
  ['a changed leaf', async () => ({ chain: [await leafOf({ change: flip }), middle] }), ['signature 0']],
  ['a changed intermediate', async () => ({ chain: [leaf, await middleOf({ change: flip })] }), ['signature 1']],
  ['a changed root', async () => ({ trusted: [await rootOf({ change: flip })] }), ['signature 2']],
  ['a leaf by another key', async () => ({ chain: [await leafOf({ by: otherKey }), middle] }), ['signature 0']],
  ['SHA-1 in the leaf', async () => ({ chain: [await leafOf({ inner: weak }), middle] }), ['algorithm 0']],
  ['SHA-1 in an intermediate', async () => ({ chain: [leaf, await middleOf({ inner: weak })] }), ['algorithm 1']],
  ['SHA-1 in the root', async () => ({ trusted: [await rootOf({ inner: weak })] }), ['algorithm 2']],
  ['an expired leaf', async () => ({ chain: [await leafOf({ validity: { notBefore: shift(-20), notAfter: shift(-1) } }), middle] }), ['expired 0']],
  ['a leaf of tomorrow', async () => ({ chain: [await leafOf({ validity: { notBefore: shift(1), notAfter: shift(9) } }), middle] }), ['not-yet-valid 0']],
  ['an expired intermediate', async () => ({ chain: [leaf, await middleOf({ validity: { notBefore: shift(-20), notAfter: shift(-1) } })] }), ['expired 1']],
  ['an expired root', async () => ({ trusted: [await rootOf({ validity: { notBefore: shift(-20), notAfter: shift(-1) } })] }), ['expired 2']],
  ['an end before the beginning', async () => ({ chain: [await leafOf({ validity: { notBefore: shift(1), notAfter: shift(-1) } }), middle] }), ['dates 0']],
  ['an authority for a leaf', async () => ({ chain: [middle] }), ['authority-as-leaf 0']],
  ['a leaf that issues', async () => ({ chain: [await leafOf({ by: leafKey, issuer: named('bob') }), await leafOf({ subject: named('bob') }), middle] }), ['not-an-authority 1', 'key-usage 1']],
  ['an intermediate without basicConstraints', async () => ({ chain: [leaf, await middleOf({ extensions: [certSign] })] }), ['not-an-authority 1']],
  ['an intermediate that may not sign', async () => ({ chain: [leaf, await middleOf({ extensions: [isCa, usage(6)] })] }), ['key-usage 1']],
  ['a root without keyUsage', async () => ({ trusted: [await rootOf({ extensions: [isCa] })] }), ['key-usage 2']],
  ['a leaf that may not sign its handshake', async () => ({ chain: [await leafOf({ extensions: [notCa, usage(2), extended(client)] }), middle] }), ['key-usage 0']],
  ['a root for leaves only', async () => ({ trusted: [await rootOf({ extensions: [path(0), certSign] })] }), ['path-length 2']],
  ['an intermediate for leaves only, above another', async () => ({ chain: [lowLeaf, low, await middleOf({ extensions: [path(0), certSign] })] }), ['path-length 2']],
  ['a root for one authority, above two', async () => ({ chain: [lowLeaf, low, middle], trusted: [await rootOf({ extensions: [path(1), certSign] })] }), ['path-length 3']],
  ['an intermediate for servers', async () => ({ chain: [leaf, await middleOf({ extensions: [isCa, certSign, extended(server)] })] }), ['extended-key-usage 1']],
  ['a root for servers', async () => ({ trusted: [await rootOf({ extensions: [isCa, certSign, extended(server)] })] }), ['extended-key-usage 2']],
  ['a leaf for any purpose, which OpenSSL takes for none of TLS', async () => ({ chain: [await leafOf({ extensions: [notCa, usage(0), extended(any)] }), middle] }), ['extended-key-usage 0']],
  ['an intermediate for any purpose', async () => ({ chain: [leaf, await middleOf({ extensions: [isCa, certSign, extended(any)] })] }), ['extended-key-usage 1']],
  ['an unknown critical extension of the leaf', async () => ({ chain: [await leafOf({ extensions: [...good, critical] }), middle] }), ['unknown-critical 0']],
  ['an unknown critical extension of an intermediate', async () => ({ chain: [leaf, await middleOf({ extensions: [isCa, certSign, critical] })] }), ['unknown-critical 1']],
  ['an unknown critical extension of the root', async () => ({ trusted: [await rootOf({ extensions: [isCa, certSign, critical] })] }), ['unknown-critical 2']],
  ['the key identifier of another issuer', async () => ({ chain: [await leafOf({ extensions: [...good, keyId('2.5.29.35', 1)] }), await middleOf({ extensions: [isCa, certSign, keyId('2.5.29.14', 2)] })] }), ['key-identifier 0']],
  ['a root that names another key for its issuer', async () => ({ trusted: [await rootOf({ extensions: [isCa, certSign, keyId('2.5.29.14', 1), keyId('2.5.29.35', 2)] })] }), ['key-identifier 2']],
  ['the serial number of another issuer', async () => ({ chain: [await leafOf({ extensions: [...good, extension('2.5.29.35', false, sequence(tlv(0xa1, tlv(0xa4, named('root ca'))), taggedPrimitive(2, Uint8Array.of(9))))] }), middle] }), ['key-identifier 0']],
  ['a host outside an intermediate\'s constraints', async () => ({ chain: [await leafOf({ extensions: [...good, hosts('a.other')] }), await middleOf({ extensions: [isCa, certSign, constraints('example')] })] }), ['name-constraints 1']],
  ['a host outside the root\'s constraints', async () => ({ chain: [await leafOf({ extensions: [...good, hosts('a.example', 'a.other')] }), middle], trusted: [await rootOf({ extensions: [isCa, certSign, constraints('example')] })] }), ['name-constraints 2']],
  ['a Common Name that OpenSSL takes for a host', async () => ({ chain: [await leafOf({ subject: named('a.other') }), await middleOf({ extensions: [isCa, certSign, constraints('example')] })] }), ['name-constraints 1']],
  ['a host of an intermediate outside the constraints above it', async () => ({ chain: [leaf, await middleOf({ extensions: [isCa, certSign, hosts('ca.other')] })], trusted: [await rootOf({ extensions: [isCa, certSign, constraints('example')] })] }), ['name-constraints 2']],
  ['constraints of another kind', async () => ({ chain: [leaf, await middleOf({ extensions: [isCa, certSign, extension('2.5.29.30', true, sequence(tagged(1, sequence(tlv(0xa4, EMPTY_NAME)))))] })] }), ['name-constraints 1']],
  ['several things at once', async () => ({
    chain: [await leafOf({ validity: { notBefore: shift(-20), notAfter: shift(-1) }, extensions: [notCa, usage(2), extended(server), critical] }), await middleOf({ inner: weak })],
    trusted: [await rootOf({ extensions: [path(0), certSign] })],
  }), ['expired 0', 'unknown-critical 0', 'extended-key-usage 0', 'key-usage 0', 'algorithm 1', 'path-length 2']],
]

test.each(wrong)('%s is found', async (_, question, codes) => {
  const { problems: found } = await ask(await question())
  expect(found.map(({ code, at }) => `${code} ${String(at)}`)).toEqual(codes)
  for (const { found: text, wanted, fix } of found) for (const part of [text, wanted, fix]) expect(part).not.toBe('')
})

test('an authority is judged as one that is to issue', async () => {
  expect(await problems({ chain: [middle], first: 'authority' })).toEqual([])
  expect(await problems({ chain: [leaf, middle], first: 'authority' })).toEqual(['not-an-authority 0', 'key-usage 0'])
  expect(await problems({ chain: [low, middle], first: 'authority', trusted: [await rootOf({ extensions: [path(1), certSign] })] })).toEqual(['path-length 2'])
  expect(await problems({ chain: [middle], first: 'authority', trusted: [await rootOf({ extensions: [path(1), certSign] })] })).toEqual([])
})

test('authorities that all issue each other cost no more than a few signatures', async () => {
  const keys = await Promise.all(Array.from({ length: 8 }, async () => (await keyOf(crypto)).signer))
  const ring = (await Promise.all(keys.flatMap((by, i) => keys.map((_, j) => (i === j ? [] : [make({ by, issuer: named(`ca ${String(i)}`), subject: named(`ca ${String(j)}`), publicKeyDer: by.publicKey })])).flat()))).flat()
  let verified = 0
  const subtle = subtleOf(crypto)
  const counting = { ...Object.fromEntries(['digest', 'importKey', 'exportKey', 'sign', 'generateKey'].map((name) => [name, (...args: never[]) => (subtle[name as 'digest'] as (...all: never[]) => unknown).apply(subtle, args)])), verify: (...args: Parameters<typeof subtle.verify>) => (verified++, subtle.verify(...args)) } as typeof subtle
  const { problems: found } = await verifyChain(counting, { chain: [await leafOf({ by: keys[0]!, issuer: named('ca 0') }), ...ring], trusted: [root], usages: [], first: 'leaf' })
  expect(found).toHaveLength(1)
  expect(verified).toBeLessThanOrEqual(64)
})
