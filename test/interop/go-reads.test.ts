/** Certificates of odd form, which Go reads or does not: what is read here is read there, and what real authorities write is read in both. */
import { beforeAll, describe, expect, test } from 'vitest'
import { utf8 } from '../../src/bytes.js'
import { isEtcdRbacError } from '../../src/errors.js'
import { readCertificate } from '../../src/pki/asn1/read-certificate.js'
import { objectIdentifier, octetString, sequence, setOf, tagged, taggedPrimitive, tlv } from '../../src/pki/asn1/write.js'
import { readPem } from '../../src/pki/pem.js'
import { buildReader, goReads } from '../support/foreign-readers.js'
import { goVersion } from '../support/go-build.js'
import { certificateOf, commonName, extension, keyOf } from '../support/pki.js'

const go = await goVersion()
if (go === undefined) console.warn('Go reader: did not run, there is no Go here')
const { signer } = await keyOf(globalThis.crypto)

type Content = Partial<Parameters<typeof certificateOf>[0]>
type Row = readonly [what: string, content: Content, read: boolean]

const uri = (text: string): Uint8Array => taggedPrimitive(6, utf8(text))
const alternative = (text: string, read: boolean): Row => [`subjectAltName ${text}`, { extensions: [extension('2.5.29.17', false, sequence(uri(text)))] }, read]
const point = (text: string): Row => [`cRLDistributionPoints ${text}`, { extensions: [extension('2.5.29.31', false, sequence(sequence(tagged(0, tagged(0, uri(text))))))] }, true]
const access = (text: string): Row => [`authorityInfoAccess ${text}`, { extensions: [extension('1.3.6.1.5.5.7.1.1', false, sequence(sequence(objectIdentifier('1.3.6.1.5.5.7.48.1'), uri(text))))] }, true]
const ucs2 = (units: readonly number[], read: boolean): Row => [
  `Common Name of ${units.map((unit) => unit.toString(16)).join(' ')}`, { subject: sequence(setOf(commonName(Uint8Array.from(units.flatMap((unit) => [unit >> 8, unit & 0xff])), 0x1e))) }, read,
]
const places = ['http://pki.corp/My CA.crl', 'file://\\\\SRV\\CertEnroll\\CA.crl', 'http://[fd00::1]/ca.crl', 'ldap:///CN=My CA,DC=corp?certificateRevocationList?base']

/** Identifiers of 1.2 and one more arc, of 2^31 - 1 and one more. */
const arcs = [[Uint8Array.of(0x06, 6, 0x2a, 0x87, 0xff, 0xff, 0xff, 0x7f), true], [Uint8Array.of(0x06, 6, 0x2a, 0x88, 0x80, 0x80, 0x80, 0x00), false]] as const
const identifiers = arcs.flatMap(([oid, read]): readonly Row[] => [
  ['an extension', { extensions: [sequence(oid, octetString(Uint8Array.of(5, 0)))] }, read],
  ['a purpose', { extensions: [extension('2.5.29.37', false, sequence(oid))] }, read],
  ['an attribute of a name', { subject: sequence(setOf(sequence(oid, tlv(0x0c, utf8('x'))))) }, read],
  ['a method of access', { extensions: [extension('1.3.6.1.5.5.7.1.1', false, sequence(sequence(oid, uri('http://a'))))] }, read],
  ['a policy', { extensions: [extension('2.5.29.32', false, sequence(sequence(oid)))] }, true],
]).map(([what, content, read], at): Row => [`${what} with an arc of 2^31${at < 5 ? ' - 1' : ''}`, content, read])

const rows: readonly Row[] = [
  ...identifiers,
  ...['urn:x:y', 'spiffe://cluster.local/ns/a', 'https://etcd_0.example/', 'https://_x/', 'https://user:word@a.example/', 'https://us%20er@a/', 'https://a:/', 'https://[fd00::1]:2379/', 'https://[::1]', 'https://user@/', 'file:///x', 'x://:80/', 'https://-a.example'].map((text) => alternative(text, true)),
  ...['https://a./', 'https://[fd00::1', 'https://a:b/', 'https://us er@a/', 'https://a/%2'].map((text) => alternative(text, false)),
  ...places.flatMap((text) => [point(text), access(text)]),
  ['no access', { extensions: [extension('1.3.6.1.5.5.7.1.1', false, sequence())] }, true],
  ['a point by a name relative to its issuer', { extensions: [extension('2.5.29.31', false, sequence(sequence(tagged(0, tagged(1, commonName('x'))))))] }, false],
  ['one policy twice', { extensions: [extension('2.5.29.32', false, sequence(sequence(objectIdentifier('1.2.3')), sequence(objectIdentifier('1.2.3'))))] }, false],
  ucs2([0x72, 0x6f], true), ucs2([0xfdf0], true), ucs2([0xfffd], true),
  ...[[0xd83d, 0xde00], [0xfdd0], [0xfdef], [0xfffe], [0xffff]].map((units) => ucs2(units, false)),
]

const isRead = (der: Uint8Array): boolean => {
  try {
    readCertificate(der)
    return true
  } catch (error) {
    if (isEtcdRbacError(error)) return false
    throw error
  }
}

test.each(rows)('%s: read here as the table says', async (_, content, read) => {
  expect(isRead(readPem('certificate', await certificateOf({ by: signer, ...content })))).toBe(read)
})

describe.runIf(go !== undefined)('Go', () => {
  let reader: string
  beforeAll(async () => {
    reader = await buildReader(go!)
  }, 600_000)

  test('reads exactly the same', async () => {
    const things = await Promise.all(rows.map(async ([, content]) => ({ kind: 'certificate' as const, der: readPem('certificate', await certificateOf({ by: signer, ...content })) })))
    const reasons = await goReads(reader, things)
    expect(rows.flatMap(([what, , read], at) => ((reasons[at] === '') === read ? [] : [`${what}: ${reasons[at] || 'read'}`]))).toEqual([])
  })
})
