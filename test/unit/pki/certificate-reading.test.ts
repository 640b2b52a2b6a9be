/** What a certificate must be for its extensions and dates to be read: what Go and OpenSSL do not read is not read here. */
import { describe, expect, test } from 'vitest'
import { concatBytes, utf8 } from '../../../src/bytes.js'
import { readCertificate } from '../../../src/pki/asn1/read-certificate.js'
import { bitString, namedBits, NULL, objectIdentifier, octetString, sequence, setOf, smallInteger, tagged, taggedPrimitive, tlv, TRUE } from '../../../src/pki/asn1/write.js'
import { isEtcdRbacError } from '../../../src/errors.js'
import { readPem } from '../../../src/pki/pem.js'
import { certificateOf, commonName, extension, keyOf } from '../../support/pki.js'

const { signer } = await keyOf(globalThis.crypto)
const oid = objectIdentifier('1.2.3.4')
const uri = (text: string): Uint8Array => taggedPrimitive(6, utf8(text))
const dns = taggedPrimitive(2, utf8('a.example.com'))

const read = async (content: Partial<Parameters<typeof certificateOf>[0]>) => readCertificate(readPem('certificate', await certificateOf({ by: signer, ...content })))
/** The code with which it is refused, or nothing. */
const refusal = async (content: Partial<Parameters<typeof certificateOf>[0]>): Promise<string> => {
  try {
    await read(content)
    return ''
  } catch (error) {
    if (isEtcdRbacError(error)) return error.code
    throw error
  }
}
const forms: readonly (readonly [name: string, oid: string, good: readonly Uint8Array[], bad: Readonly<Record<string, Uint8Array>>])[] = [
  ['basicConstraints', '2.5.29.19', [sequence(), sequence(TRUE), sequence(TRUE, smallInteger(0))], {
    'FALSE written out': sequence(tlv(0x01, Uint8Array.of(0))), 'a length without TRUE': sequence(smallInteger(0)), 'a negative length': sequence(TRUE, tlv(0x02, Uint8Array.of(0xff))), 'no sequence': NULL, 'one field more': sequence(TRUE, smallInteger(0), NULL),
  }],
  ['keyUsage', '2.5.29.15', [namedBits([0]), namedBits([8])], { 'no bits': namedBits([]), 'no BIT STRING': octetString(Uint8Array.of(0, 0x80)) }],
  ['extKeyUsage', '2.5.29.37', [sequence(oid)], { 'no purpose': sequence(), 'a purpose that is no identifier': sequence(oid, NULL) }],
  ['subjectKeyIdentifier', '2.5.29.14', [octetString(Uint8Array.of(1))], { 'a BIT STRING': bitString(Uint8Array.of(1)) }],
  ['authorityKeyIdentifier', '2.5.29.35', [sequence(), sequence(taggedPrimitive(0, Uint8Array.of(1))), sequence(tagged(1, tagged(4, sequence())), taggedPrimitive(2, Uint8Array.of(1)))], {
    'a serial number without issuer': sequence(taggedPrimitive(2, Uint8Array.of(1))), 'the wrong order': sequence(taggedPrimitive(2, Uint8Array.of(1)), tagged(1)),
  }],
  ['subjectAltName', '2.5.29.17', [sequence(dns), sequence(taggedPrimitive(7, new Uint8Array(4)), taggedPrimitive(7, new Uint8Array(16))), ...['urn:x:y', 'spiffe://cluster.local/ns/a', 'https://a.example:8443/x?y=%20#z', 'https://etcd_0.example/', 'https://user:word@a.example:/', 'https://[fd00::1]:2379/', 'https://[1:2:3:4:5:6:7:8]', 'file:///x', 'https://-a.example'].map((text) => sequence(uri(text)))], {
    'no name': sequence(), 'an address of three bytes': sequence(taggedPrimitive(7, new Uint8Array(3))), 'a name beyond ASCII': sequence(taggedPrimitive(2, utf8('ä.example'))), 'a mailbox beyond ASCII': sequence(taggedPrimitive(1, utf8('ä@x'))),
    'a name of an unknown kind': sequence(taggedPrimitive(9, Uint8Array.of(1))), 'a URI without scheme': sequence(uri('a/b')), 'a URI with a space': sequence(uri('urn:a b')), 'a URI with half a percent sign': sequence(uri('urn:%2')), 'a URI with an impossible host': sequence(uri('https://-a..b/')), 'a URI with half an address': sequence(uri('https://[fd00::1')), 'a URI with an address of nine groups': sequence(uri('https://[1:2:3:4:5:6:7:8:9]/')),
    'a URI with a port that is none': sequence(uri('https://a:b/')), 'a URI with a host that ends in a dot': sequence(uri('https://a./')), 'a URI with brackets in its path': sequence(uri('urn:a[b]')), 'a URI with two users': sequence(uri('https://a@b@c/')),
  }],
  ['cRLDistributionPoints', '2.5.29.31', [...['http://a/b', 'http://pki.corp/My CA.crl', 'file://\\\\SRV\\CertEnroll\\CA.crl', 'http://[fd00::1]/ca.crl', 'ldap:///CN=My CA,DC=corp?certificateRevocationList?base'].map((text) => sequence(sequence(tagged(0, tagged(0, uri(text)))))), sequence(sequence(tagged(2, dns)))], {
    'a name relative to the issuer': sequence(sequence(tagged(0, tagged(1, sequence(oid, NULL))))), 'no point': sequence(), 'a point of another form': sequence(sequence(NULL)), 'a name that is none': sequence(sequence(tagged(0, tagged(0, taggedPrimitive(6, utf8('ä')))))), 'an empty name': sequence(sequence(tagged(0))) }],
  ['certificatePolicies', '2.5.29.32', [sequence(sequence(oid)), sequence(sequence(oid, sequence(sequence(oid, NULL))))], { 'one policy twice': sequence(sequence(oid), sequence(oid)), 'no policy': sequence(), 'a policy that is no identifier': sequence(sequence(NULL)), 'three fields': sequence(sequence(oid, sequence(NULL), NULL)) }],
  ['policyMappings', '2.5.29.33', [sequence(sequence(oid, oid))], { 'half a mapping': sequence(sequence(oid)) }],
  ['policyConstraints', '2.5.29.36', [sequence(taggedPrimitive(0, Uint8Array.of(0)))], { 'none': sequence(), 'another field': sequence(NULL), 'a negative count': sequence(taggedPrimitive(0, Uint8Array.of(0x80))), 'a count with a zero too many': sequence(taggedPrimitive(0, Uint8Array.of(0, 1))) }],
  ['inhibitAnyPolicy', '2.5.29.54', [smallInteger(0)], { 'no number': NULL, 'a negative number': tlv(0x02, Uint8Array.of(0xff)) }],
  ['authorityInfoAccess', '1.3.6.1.5.5.7.1.1', [sequence(), ...['http://a/b', 'http://pki.corp/My CA.crt', 'http://[fd00::1]:80/ca.crt'].map((text) => sequence(sequence(oid, uri(text))))], { 'a place beyond ASCII': sequence(sequence(oid, uri('http://ä'))), 'a place that is none': sequence(sequence(oid, NULL)) }],
]

describe.each(forms)('%s', (_, identifier, good, bad) => {
  test('is read in each of its forms', async () => {
    for (const value of good) expect(await refusal({ extensions: [extension(identifier, false, value)] })).toBe('')
  })

  test.each(Object.entries(bad))('is refused: %s', async (__, value) => {
    expect(await refusal({ extensions: [extension(identifier, false, value)] })).toBe('ERR_CERTIFICATE_INVALID')
  })
})

test.each(['2.5.29.14', '2.5.29.35', '1.3.6.1.5.5.7.1.1'])('extension %s is refused where it is critical', async (identifier) => {
  const [, , [value]] = forms.find(([, one]) => one === identifier)!
  expect(await refusal({ extensions: [extension(identifier, true, value!)] })).toBe('ERR_CERTIFICATE_INVALID')
})

test.each<[string, readonly number[], string]>([
  ['a name', [0x72, 0x6f], ''],
  ['a zero within', [0x72, 0, 0x6f], ''],
  ['a zero at its end', [0x72, 0], 'ERR_DER_INVALID'],
  ['nothing but a zero', [0], 'ERR_DER_INVALID'],
  ['a surrogate', [0xd83d, 0xde00], 'ERR_DER_INVALID'],
  ['U+FDD0', [0xfdd0], 'ERR_DER_INVALID'],
  ['U+FDEF', [0xfdef], 'ERR_DER_INVALID'],
  ['U+FDF0', [0xfdf0], ''],
  ['U+FFFD', [0xfffd], ''],
  ['U+FFFE', [0xfffe], 'ERR_DER_INVALID'],
  ['U+FFFF', [0xffff], 'ERR_DER_INVALID'],
])('a Common Name in UCS-2 with %s is read as Go reads it, or not at all', async (_, units, wanted) => {
  const text = Uint8Array.from(units.flatMap((unit) => [unit >> 8, unit & 0xff]))
  expect(await refusal({ subject: sequence(setOf(commonName(text, 0x1e))) })).toBe(wanted)
})

test('a path length beyond every path is read as no limit', async () => {
  const { basicConstraints } = await read({ extensions: [extension('2.5.29.19', true, sequence(TRUE, tlv(0x02, Uint8Array.of(0x7f, 0xff, 0xff, 0xff))))] })
  expect(basicConstraints).toEqual({ ca: true, pathLength: 0xff_ffff })
})

const replaced = (from: string, to: string) => (tbs: Uint8Array): Uint8Array => {
  const hex = Buffer.from(tbs).toString('hex')
  expect(hex.split(from)).toHaveLength(2)
  const inside = Buffer.from(hex.replace(from, to), 'hex').subarray(4)
  return sequence(concatBytes(inside))
}
test.each([
  ['a version above 3', 'a003020102', 'a003020103'],
  ['the default version written out', 'a003020102', 'a003020100'],
  ['extensions in version 2', 'a003020102', 'a003020101'],
  ['two versions', 'a003020102', 'a006020102020102'],
  ['a negative serial number', 'a003020102020101', 'a003020102020180'],
])('%s is refused', async (_, from, to) => {
  expect(await refusal({ body: replaced(from, to) })).toBe('ERR_DER_INVALID')
})
