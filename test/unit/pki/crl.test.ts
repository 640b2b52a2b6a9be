import { X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { joinBytes, toHex } from '../../../src/bytes.js'
import type { ErrorCode } from '../../../src/errors.js'
import { algorithmIdentifier } from '../../../src/pki/asn1/algorithms.js'
import { crlReasons, tbsCrl, type CrlEntry } from '../../../src/pki/asn1/crl.js'
import { signedBy } from '../../../src/pki/asn1/certificate.js'
import { signedObject } from '../../../src/pki/asn1/csr.js'
import { readDer } from '../../../src/pki/asn1/der.js'
import { commonNameOnly } from '../../../src/pki/asn1/name.js'
import { readCrl } from '../../../src/pki/asn1/read-crl.js'
import { encodeTime } from '../../../src/pki/asn1/time.js'
import { namedBits, objectIdentifier, octetString, sequence, setOf, smallInteger, tagged, tlv, unsignedInteger } from '../../../src/pki/asn1/write.js'
import {
  createCa, createCrl, createCsr, days, generateKeyPair, inspectCrl, issueClient, openCa, updateCrl, type ClientRecord, type CrlRequest, type CrlUpdate, type InspectedCrl, type IssuanceRecord, type Signer,
} from '../../../src/pki/index.js'
import { readPem } from '../../../src/pki/pem.js'
import { authority, certificateOf, extension, isCa, keyOf, lanes, NOW, policy, rejected, validity } from '../../support/pki.js'
import { hostile, thrown } from '../../support/thrown.js'

const { crypto } = globalThis
const { signer } = await keyOf(crypto)
const shared = (await generateKeyPair(crypto, 'ecdsa-p256')).signer
const ca = await createCa(crypto, { name: 'etcd-clients', signer: shared, issues: ['client'], validity: days(3650).from(NOW, { backdateMinutes: 60 }) })
const other = await authority(crypto, 'etcd-clients', ['client'])
const csr = await createCsr(crypto, { signer })
const week = days(7).from(NOW)
const at = (day: number): Date => new Date(NOW.getTime() + day * 86_400_000)
const weekFrom = (day: number) => days(7).from(at(day))
const newRecord = async (label: string, by = ca, life = validity): Promise<ClientRecord> => (await issueClient(by, { policy, user: 'calico-node', label, csr, validity: life })).record
const [first, second, foreign] = await Promise.all([newRecord('node-1'), newRecord('node-2'), newRecord('node-1', other)])
const revoke = (certificate: IssuanceRecord | { serial: string }, day = -1, reason?: 'keyCompromise' | 'superseded') => ({ certificate, revokedAt: at(day), ...(reason === undefined ? {} : { reason }) })
/** What stands on a list: serial number, day, reason. */
const told = ({ revoked }: Pick<InspectedCrl, 'revoked'>) => revoked.map((one) => [one.serial, (Date.parse(one.revokedAt) - NOW.getTime()) / 86_400_000, one.reason])

describe.each(lanes)('with %s', (_, lane) => {
  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const)('a list by an authority of %s says what was asked for, in DER and in PEM', async (algorithm) => {
    const by = await authority(lane, 'etcd-clients', ['client'], algorithm)
    const mine = await newRecord('node-1', by)
    const made = await createCrl(by, { revoked: [revoke(mine, -2, 'keyCompromise'), revoke({ serial: '0a' })], validity: week, number: 7 })
    const read = await inspectCrl(lane, made.der, { issuer: by.certificate })
    expect(read).toEqual({
      version: 2, authority: 'etcd-clients', authorityKeyId: by.keyId, number: '7', signatureAlgorithm: algorithm === 'rsa-2048' ? 'rsa-sha256' : algorithm === 'ecdsa-p384' ? 'ecdsa-sha384' : 'ecdsa-sha256',
      thisUpdate: NOW.toISOString(), nextUpdate: at(7).toISOString(), unknownCritical: [], signature: 'valid',
      revoked: [{ serial: mine.serial, revokedAt: at(-2).toISOString(), reason: 'keyCompromise' }, { serial: '0a', revokedAt: at(-1).toISOString() }],
    })
    expect(await inspectCrl(lane, made.pem, { issuer: by.certificate })).toEqual(read)
    expect(made).toMatchObject({ number: '7', thisUpdate: NOW, nextUpdate: at(7), revoked: read.revoked })
    const next = await updateCrl(by, made.der, { validity: weekFrom(1) })
    expect(await inspectCrl(lane, next.der, { issuer: by.certificate })).toMatchObject({ number: '8', revoked: read.revoked, signature: 'valid' })
  })
})

describe('a list that is made', () => {
  test('without a certificate has no list of them, and number 1', async () => {
    const { der } = await createCrl(ca, { revoked: [], validity: week })
    expect(await inspectCrl(crypto, der)).toMatchObject({ revoked: [], number: '1' })
    const [tbs] = readDer(der).children
    expect(tbs?.children.map(({ tag }) => tag)).toEqual([0x02, 0x30, 0x30, 0x17, 0x17, 0xa0])
  })

  test('never says unspecified, and writes no extension where there is no reason', async () => {
    const { der } = await createCrl(ca, { revoked: [revoke(first)], validity: week })
    expect(Buffer.from(der).includes(Buffer.from('551d15', 'hex'))).toBe(false)
    await rejected('ERR_CRL_INVALID', createCrl(ca, { revoked: [{ ...revoke(first), reason: 'unspecified' as never }], validity: week }))
  })

  test('takes serial number zero, which some tools give, in any spelling, and so does the next one', async () => {
    const made = await createCrl(ca, { revoked: [revoke({ serial: '0' }, -1, 'superseded'), revoke({ serial: '0000' })], validity: week })
    expect(told(made)).toEqual([['00', -1, 'superseded']])
    expect(told(await inspectCrl(crypto, made.der))).toEqual([['00', -1, 'superseded']])
    expect(told(await updateCrl(ca, made.der, { revoked: [revoke({ serial: '00' }, -1)], validity: week }))).toEqual([['00', -1, 'superseded']])
  })

  test('has one entry for a serial number that stands twice: the earlier date, and the reason that was given first', async () => {
    const made = await createCrl(ca, { revoked: [revoke(first, -1), revoke(first, -3, 'superseded'), revoke({ serial: `00${first.serial}` }, -2, 'keyCompromise')], validity: week })
    expect(told(made)).toEqual([[first.serial, -3, 'superseded']])
  })

  test('writes UTCTime through 2049 and GeneralizedTime after', async () => {
    const long = await authority(crypto, 'etcd-clients', ['client'])
    const until = { notBefore: NOW, notAfter: long.notAfter }
    expect(Buffer.from((await createCrl(long, { revoked: [], validity: until })).der).includes(Buffer.from(encodeTime(long.notAfter)))).toBe(true)
    expect(readCrl(signedObject(tbsCrl({ signedBy: signedBy('ecdsa-sha256', commonNameOnly('x')), thisUpdate: NOW, nextUpdate: new Date('2050-01-01T00:00:00Z'), entries: [], keyId: new Uint8Array(20), number: 1n }), 'ecdsa-sha256', new Uint8Array(8))).nextUpdate).toEqual(new Date('2050-01-01T00:00:00Z'))
  })

  test('may revoke in the very millisecond in which it is made', async () => {
    const now = new Date(NOW.getTime() + 999)
    expect(told(await createCrl(ca, { revoked: [{ certificate: first, revokedAt: now }], validity: days(7).from(now) }))).toEqual([[first.serial, 0, undefined]])
  })

  const good: CrlRequest = { revoked: [revoke(first)], validity: week }
  test.each<[string, ErrorCode, Partial<Record<keyof CrlRequest, unknown>>]>([
    ['a certificate of another authority of the same name', 'ERR_CRL_INVALID', { revoked: [revoke(foreign)] }],
    ['a date to come', 'ERR_CRL_INVALID', { revoked: [revoke(first, 1)] }],
    ['an unknown reason', 'ERR_CRL_INVALID', { revoked: [{ ...revoke(first), reason: 'boredom' }] }],
    ['an entry that is taken back', 'ERR_CRL_INVALID', { revoked: [{ ...revoke(first), reason: 'removeFromCRL' }] }],
    ['an entry that is put on hold', 'ERR_CRL_INVALID', { revoked: [{ ...revoke(first), reason: 'certificateHold' }] }],
    ['a serial number of 21 octets', 'ERR_CRL_INVALID', { revoked: [revoke({ serial: '11'.repeat(21) })] }],
    ['a serial number with colons', 'ERR_CRL_INVALID', { revoked: [revoke({ serial: '0a:0b' })] }],
    ['a record that is none', 'ERR_RECORD_INVALID', { revoked: [revoke({ ...first, notAfter: 7 } as never)] }],
    ['a beginning before its authority', 'ERR_VALIDITY_INVALID', { validity: weekFrom(-2) }],
    ['an end beyond its authority', 'ERR_VALIDITY_INVALID', { validity: days(4000).from(NOW) }],
  ])('is refused with %s', async (_, code, change) => {
    await rejected(code, createCrl(ca, { ...good, ...change } as CrlRequest))
  })

  test.each<[string, object]>([
    ['an unknown field', { reason: 'x' }], ['no list', { revoked: undefined }], ['no date', { revoked: [{ certificate: first, revokedAt: '2026-01-01' }] }], ['an unreadable date', { revoked: [{ certificate: first, revokedAt: new Date(NaN) }] }],
    ['a misspelt field of an entry', { revoked: [{ ...revoke(first), reasons: 'superseded' }] }], ['a negative number', { number: -1 }], ['a number with a fraction', { number: 1.5 }], ['other words', { otherAuthorities: true }],
    ['a serial number that is a number', { revoked: [{ certificate: { serial: 7 }, revokedAt: NOW }] }],
  ])('takes no %s', async (_, change) => {
    await expect(createCrl(ca, { ...good, ...change })).rejects.toThrow(TypeError)
  })

  test('holds certificates of other authorities where those words ask for it: etcd has one file for all', async () => {
    const made = await createCrl(ca, { ...good, revoked: [revoke(first), revoke(foreign)], otherAuthorities: 'etcd compares serial numbers only' })
    expect(made.revoked.map(({ serial }) => serial)).toEqual([first.serial, foreign.serial])
  })

  test('holds certificates of its authority whose record names no key, by its name alone', async () => {
    const nameless = { ...first, authorityKeyId: '' }
    expect(told(await createCrl(ca, { ...good, revoked: [revoke(nameless)] }))).toEqual([[first.serial, -1, undefined]])
    await rejected('ERR_CRL_INVALID', createCrl(ca, { ...good, revoked: [revoke({ ...nameless, authority: 'etcd-others' })] }))
  })

  test('is not signed by an authority without cRLSign, nor by what is no authority', async () => {
    const certificate = await certificateOf({ by: signer, extensions: [isCa, extension('2.5.29.15', true, namedBits([5]))] })
    const unfit = await openCa(crypto, { certificate, signer, issues: ['client'] })
    expect((await rejected('ERR_CRL_INVALID', createCrl(unfit, { revoked: [], validity: week }))).detail.reason).toBe('no cRLSign')
    await expect(createCrl({ ...ca }, good)).rejects.toThrow(TypeError)
  })
})

describe('the next list', async () => {
  const previous = await createCrl(ca, { revoked: [revoke(first, -1, 'superseded')], validity: week, number: 41 })
  const update = (change: Partial<CrlUpdate> = {}, before: Uint8Array | string = previous.der) => updateCrl(ca, before, { validity: weekFrom(1), ...change })

  test('keeps what was revoked, adds to it, and counts up; PEM or DER', async () => {
    const next = await update({ revoked: [revoke(second, 0, 'keyCompromise')] })
    expect(next.number).toBe('42')
    expect(told(next)).toEqual([[first.serial, -1, 'superseded'], [second.serial, 0, 'keyCompromise']])
    expect(await update({}, previous.pem)).toMatchObject({ number: '42', revoked: previous.revoked })
  })

  test('keeps the reason, and the earlier date, of what is revoked again', async () => {
    expect(told(await update({ revoked: [revoke(first, 0, 'keyCompromise')] }))).toEqual([[first.serial, -1, 'superseded']])
    expect(told(await update({ revoked: [revoke(first, -5, 'keyCompromise')] }))).toEqual([[first.serial, -5, 'superseded']])
  })

  test('drops what had expired when the previous list was made, on request, and nothing else', async () => {
    const brief = await newRecord('node-3', ca, days(2).from(NOW))
    const lasting = await newRecord('node-4')
    const dropExpired = [brief, lasting, { ...lasting, authorityKeyId: 'another', notAfter: NOW.toISOString() }]
    const all = [brief.serial, lasting.serial]
    const one = await createCrl(ca, { revoked: [revoke(brief), revoke(lasting)], validity: week })
    // Expired by now, but on no list yet that was made after its end.
    const two = await updateCrl(ca, one.der, { validity: weekFrom(3), dropExpired })
    expect(two.revoked.map(({ serial }) => serial)).toEqual(all)
    expect((await updateCrl(ca, two.der, { validity: weekFrom(4) })).revoked.map(({ serial }) => serial)).toEqual(all)
    expect((await updateCrl(ca, two.der, { validity: weekFrom(4), dropExpired })).revoked.map(({ serial }) => serial)).toEqual([lasting.serial])
  })

  test('drops by records that name no key, if they name its authority', async () => {
    const brief = { ...(await newRecord('node-5', ca, days(2).from(NOW))), authorityKeyId: '' }
    const one = await createCrl(ca, { revoked: [revoke(brief)], validity: weekFrom(3) })
    expect((await updateCrl(ca, one.der, { validity: weekFrom(4), dropExpired: [{ ...brief, authority: 'etcd-others' }] })).revoked).toHaveLength(1)
    expect((await updateCrl(ca, one.der, { validity: weekFrom(4), dropExpired: [brief] })).revoked).toEqual([])
  })

  test('revokes nothing more where that is left undefined', async () => {
    expect(await update({ revoked: undefined } as never)).toMatchObject({ number: '42', revoked: previous.revoked })
    await expect(update({ revoked: null } as never)).rejects.toThrow('revoked must be a list')
  })

  test('has a number that can be read again, or is not signed', async () => {
    const numbered = (octets: string) => listOf({ extensions: [extension('2.5.29.20', false, tlv(0x02, Buffer.from(octets, 'hex')))] })
    const last = await update({}, await numbered(`7f${'ff'.repeat(18)}fe`))
    expect((await inspectCrl(crypto, last.der)).number).toBe((2n ** 159n - 1n).toString())
    expect((await rejected('ERR_CRL_INVALID', update({}, last.der))).detail.reason).toBe('no number left')
  })

  test('goes on from a list by openssl or an old tool without number with number 1', async () => {
    expect((await update({}, await listOf({ version: 1 }))).number).toBe('1')
  })

  test('keeps an entry as it stood, with what is not read here, and says no unspecified', async () => {
    const invalidity = sequence(objectIdentifier('2.5.29.24'), octetString(tlv(0x18, Buffer.from('20260101000000Z'))))
    const entry = (serial: number, ...extensions: readonly Uint8Array[]) => sequence(smallInteger(serial), encodeTime(at(-1)), sequence(...extensions))
    const kept = entry(5, reasonCode(1), invalidity)
    const next = await update({ revoked: [revoke({ serial: '08' }, -1, 'keyCompromise')] }, await listOf({ entries: [kept, entry(6, reasonCode(0)), entry(7, reasonCode(6)), entry(8, reasonCode(6))] }))
    expect(Buffer.from(next.der).includes(Buffer.from(kept))).toBe(true)
    expect(told(next)).toEqual([['05', -1, 'keyCompromise'], ['06', -1, undefined], ['07', -1, 'certificateHold'], ['08', -1, 'keyCompromise']])
  })

  test.each<[string, () => Uint8Array | Promise<Uint8Array>]>([
    ['by another authority of the same name', async () => (await createCrl(other, { revoked: [], validity: week })).der],
    ['under another name', () => listOf({ name: 'etcd-peers' })],
    ['of which a byte was changed', () => previous.der.map((byte, i) => (i === Buffer.from(previous.der).indexOf(Buffer.from(first.serial, 'hex')) + 3 ? byte ^ 1 : byte))],
    ['that is younger than the new one', async () => (await createCrl(ca, { revoked: [], validity: weekFrom(2) })).der],
    ['that is a delta', () => listOf({ extensions: [extension('2.5.29.27', true, smallInteger(1))] })],
    ['that is partial or indirect', () => listOf({ extensions: [extension('2.5.29.28', true, sequence(tlv(0x84, Uint8Array.of(0xff))))] })],
    ['with an entry of another issuer', () => listOf({ entries: [sequence(smallInteger(5), encodeTime(NOW), sequence(extension('2.5.29.29', true, sequence())))] })],
    ['with an entry that takes another back', () => listOf({ entries: [sequence(smallInteger(5), encodeTime(NOW), sequence(reasonCode(8)))] })],
  ])('does not go on from one %s', async (_, make) => {
    await rejected('ERR_CRL_INVALID', update({}, await make()))
  })

  test.each(hostile.filter(([, value]) => value !== undefined))('takes no previous list that is %s', async (_, value) => {
    await expect(updateCrl(ca, value as string, { validity: weekFrom(1) })).rejects.toThrow(TypeError)
  })
})

const reasonCode = (code: number): Uint8Array => extension('2.5.29.21', false, tlv(0x0a, Uint8Array.of(code)))

/** A list of any content, signed by the key of the authority. */
async function listOf({ name = 'etcd-clients', version = 2, entries = [], extensions = version === 2 ? [extension('2.5.29.20', false, smallInteger(3))] : [], by, change }: {
  readonly name?: string
  readonly version?: number
  readonly entries?: readonly Uint8Array[]
  readonly extensions?: readonly Uint8Array[]
  readonly by?: Signer
  readonly change?: (parts: Uint8Array[]) => Uint8Array[]
} = {}): Promise<Uint8Array> {
  const parts = [
    ...(version === 1 ? [] : [smallInteger(version - 1)]), algorithmIdentifier('ecdsa-sha256'), commonNameOnly(name), encodeTime(NOW), encodeTime(at(7)),
    ...(entries.length === 0 ? [] : [sequence(...entries)]), ...(extensions.length === 0 ? [] : [tagged(0, sequence(...extensions))]),
  ]
  const tbs = sequence(...(change?.(parts) ?? parts))
  return signedObject(tbs, 'ecdsa-sha256', await (by ?? shared).sign(tbs))
}

describe('a list that is read', () => {
  const entry = (...parts: readonly Uint8Array[]): Uint8Array => sequence(smallInteger(5), encodeTime(NOW), ...parts)
  test.each<[string, Parameters<typeof listOf>[0]]>([
    ['version 3', { version: 3 }],
    ['version 1 written out', { change: (parts) => [smallInteger(0), ...parts.slice(1)] }],
    ['extensions in version 1', { version: 1, extensions: [extension('2.5.29.20', false, smallInteger(1))] }],
    ['extensions of an entry in version 1', { version: 1, entries: [entry(sequence(reasonCode(1)))] }],
    ['no issuer', { change: (parts) => [...parts.slice(0, 2), sequence(), ...parts.slice(3)] }],
    ['an issuer whose name is octets', { change: (parts) => [...parts.slice(0, 2), sequence(setOf(sequence(objectIdentifier('2.5.4.3'), octetString(Buffer.from('x'))))), ...parts.slice(3)] }],
    ['an issuer in UniversalString, which Go does not read', { change: (parts) => [...parts.slice(0, 2), sequence(setOf(sequence(objectIdentifier('2.5.4.3'), tlv(0x1c, Uint8Array.of(0, 0, 0, 0x78))))), ...parts.slice(3)] }],
    ['no date', { change: (parts) => parts.filter((_, i) => i !== 3 && i !== 4) }],
    ['another algorithm inside', { change: (parts) => [parts[0]!, algorithmIdentifier('ecdsa-sha384'), ...parts.slice(2)] }],
    ['an empty list of certificates', { change: (parts) => [...parts.slice(0, 5), sequence(), ...parts.slice(5)] }],
    ['a field behind its last', { change: (parts) => [...parts, tagged(1)] }],
    ['a date before 2050 as GeneralizedTime', { change: (parts) => [...parts.slice(0, 3), tlv(0x18, Buffer.from('20260101000000Z')), ...parts.slice(4)] }],
    ['no extension where some should be', { change: (parts) => [...parts.slice(0, 5), tagged(0, sequence())] }],
    ['an extension twice', { extensions: [extension('2.5.29.20', false, smallInteger(1)), extension('2.5.29.20', false, smallInteger(2))] }],
    ['an extension that says that it is not critical', { extensions: [sequence(objectIdentifier('2.5.29.20'), Uint8Array.of(1, 1, 0), octetString(smallInteger(1)))] }],
    ['a negative number', { extensions: [extension('2.5.29.20', false, Uint8Array.of(2, 1, 0xff))] }],
    ['a number of 21 octets', { extensions: [extension('2.5.29.20', false, unsignedInteger(new Uint8Array(21).fill(1)))] }],
    ['a number that is a text', { extensions: [extension('2.5.29.20', false, tlv(0x0c, Buffer.from('1')))] }],
    ['a number with something behind', { extensions: [extension('2.5.29.20', false, joinBytes([smallInteger(1), smallInteger(1)]))] }],
    ['an entry without date', { entries: [sequence(smallInteger(5))] }],
    ['an entry of a negative serial number', { entries: [sequence(Uint8Array.of(2, 1, 0x80), encodeTime(NOW))] }],
    ['an entry with a second field behind', { entries: [entry(sequence(reasonCode(1)), smallInteger(1))] }],
    ['a reason that is none', { entries: [entry(sequence(reasonCode(7)))] }],
    ['a reason as INTEGER', { entries: [entry(sequence(extension('2.5.29.21', false, smallInteger(1))))] }],
    ['a reason twice', { entries: [entry(sequence(reasonCode(1), reasonCode(2)))] }],
  ])('is refused for %s', async (_, change) => {
    await rejected('ERR_DER_INVALID', inspectCrl(crypto, await listOf(change)))
  })

  test.each<[string, (der: Uint8Array) => Uint8Array]>([
    ['a byte behind it', (der) => joinBytes([der, Uint8Array.of(0)])],
    ['its last byte missing', (der) => der.subarray(0, -1)],
    ['nothing', () => new Uint8Array()],
    ['a certificate', () => readPem('certificate', ca.certificate)],
  ])('is refused for %s', async (_, change) => {
    await rejected('ERR_DER_INVALID', inspectCrl(crypto, change((await createCrl(ca, { revoked: [revoke(first)], validity: week })).der)))
  })

  test('may be of version 1, without number and end, with unknown extensions, and says so', async () => {
    expect(await inspectCrl(crypto, await listOf({ version: 1, entries: [sequence(smallInteger(5), encodeTime(NOW))], change: (parts) => parts.filter((_, i) => i !== 2) }), { issuer: ca.certificate })).toEqual({
      version: 1, authority: 'etcd-clients', signatureAlgorithm: 'ecdsa-sha256', thisUpdate: at(7).toISOString(), unknownCritical: [], revoked: [{ serial: '05', revokedAt: NOW.toISOString() }], signature: 'valid',
    })
    const odd = await listOf({ extensions: [extension('1.2.3', false, sequence()), extension('2.5.29.28', true, sequence())], entries: [sequence(smallInteger(5), encodeTime(NOW), sequence(extension('1.2.4', true, sequence())))] })
    expect((await inspectCrl(crypto, odd)).unknownCritical).toEqual(['1.2.4', 'issuingDistributionPoint'])
  })

  test('is valid for the key and the name of its issuer alone', async () => {
    const { der } = await createCrl(ca, { revoked: [], validity: week })
    const renamed = await certificateOf({ by: shared, subject: commonNameOnly('etcd-ca') })
    for (const [issuer, signature] of [[ca.certificate, 'valid'], [other.certificate, 'invalid'], [renamed, 'invalid']] as const) expect((await inspectCrl(crypto, der, { issuer })).signature).toBe(signature)
    expect(await inspectCrl(crypto, der)).not.toHaveProperty('signature')
    const sha1 = sequence(objectIdentifier('1.2.840.10045.4.1'))
    const tbs = sequence(smallInteger(1), sha1, commonNameOnly('etcd-clients'), encodeTime(NOW), encodeTime(at(7)))
    expect(await inspectCrl(crypto, sequence(tbs, sha1, tlv(0x03, Uint8Array.of(0, 1))), { issuer: ca.certificate })).toMatchObject({ signature: 'unsupported', signatureAlgorithm: 'ecdsa-with-SHA1' })
  })

  test('in PEM is one block of its own label', async () => {
    const { pem } = await createCrl(ca, { revoked: [], validity: week })
    expect(pem).toMatch(/^-----BEGIN X509 CRL-----\n/)
    await rejected('ERR_PEM_INVALID', inspectCrl(crypto, pem + pem))
    await rejected('ERR_PEM_INVALID', inspectCrl(crypto, ca.certificate as string))
  })

  test('what is written is read again: entries, dates, reasons and numbers', () => {
    const second = fc.integer({ min: Date.UTC(1950, 0) / 1000, max: Date.UTC(9999, 11) / 1000 }).map((seconds) => new Date(seconds * 1000))
    const entry = fc.record<CrlEntry>({
      serial: fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Uint8Array.from([(bytes[0] ?? 0) || 1, ...bytes.subarray(1)])),
      revokedAt: second,
      reason: fc.constantFrom(undefined, ...(Object.keys(crlReasons) as (keyof typeof crlReasons)[])),
    })
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), second, second, fc.bigInt({ min: 0n, max: 2n ** 159n - 1n }), fc.uint8Array({ minLength: 20, maxLength: 20 }), (entries, thisUpdate, nextUpdate, number, keyId) => {
        const tbs = tbsCrl({ signedBy: signedBy('ecdsa-sha256', commonNameOnly('x')), thisUpdate, nextUpdate, entries, keyId, number })
        const read = readCrl(signedObject(tbs, 'ecdsa-sha256', Uint8Array.of(1)))
        expect(read).toMatchObject({ thisUpdate, nextUpdate, number, unknownCritical: [], signed: tbs })
        expect(toHex(read.authorityKeyId ?? new Uint8Array())).toBe(toHex(keyId))
        expect(read.entries.map(({ serial, revokedAt, reason }) => [toHex(serial), revokedAt, reason])).toEqual(entries.map(({ serial, revokedAt, reason }) => [toHex(serial), revokedAt, reason]))
      }),
    )
  })

  test('may have 250,000 entries, and no more are written', { timeout: 120_000 }, async () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => ({ certificate: { serial: `7f${i.toString(16).padStart(38, '0')}` }, revokedAt: NOW, reason: 'superseded' as const }))
    const made = await createCrl(ca, { revoked: many(250_000), validity: week })
    expect(made.der.length).toBeGreaterThan(13_000_000)
    const read = await inspectCrl(crypto, made.pem, { issuer: ca.certificate })
    expect([read.revoked.length, read.signature, read.revoked.at(-1)]).toEqual([250_000, 'valid', made.revoked.at(-1)])
    await rejected('ERR_CRL_INVALID', createCrl(ca, { revoked: many(250_001), validity: week }))
    expect(thrown('ERR_DER_INVALID', () => readCrl(new Uint8Array(16_777_216))).detail.reason).toContain('longer than')
  })
})

test('no serial number stands twice, over authorities of any kind: etcd looks at nothing else', async () => {
  const records = await Promise.all(Array.from({ length: 200 }, (_, i) => newRecord(`node-${String(i)}`, i % 2 === 0 ? ca : other)))
  const roots = [ca, other].map(({ certificate }) => new X509Certificate(certificate).serialNumber.toLowerCase())
  expect(new Set([...roots, ...records.map(({ serial }) => serial)]).size).toBe(202)
  for (const { serial } of records) expect(serial.length).toBeGreaterThan(24)
})
