import { describe, expect, test } from 'vitest'
import { concatBytes, toHex } from '../../../../src/bytes.js'
import { contents, encoded, readDer } from '../../../../src/pki/asn1/der.js'
import { ecdsaFromDer, ecdsaToDer } from '../../../../src/pki/asn1/ecdsa.js'
import { fieldsOf, oidOf, positiveInteger, textOf, wholeBits } from '../../../../src/pki/asn1/fields.js'
import { encodeTime, readGeneralizedTime, readUtcTime } from '../../../../src/pki/asn1/time.js'
import { bitString, namedBits, objectIdentifier, sequence, setOf, smallInteger, tlv, unsignedInteger } from '../../../../src/pki/asn1/write.js'
import { thrown } from '../../../support/thrown.js'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))

describe('the reader refuses what is not the only encoding of its value', () => {
  test.each([
    ['nothing', '', 0, 'cut off'],
    ['a tag without length', '30', 1, 'cut off'],
    ['a value shorter than its length', '30 02 05', 0, 'reaches 1 bytes past the end'],
    ['a trailing byte', '05 00 00', 2, '1 trailing bytes'],
    ['a second value', '05 00 05 00', 2, '2 trailing bytes'],
    ['an indefinite length', '30 80 05 00 00 00', 1, 'indefinite'],
    ['an indefinite length inside', '30 04 30 80 00 00', 3, 'indefinite'],
    ['a long length for a short value', '04 81 01 00', 1, 'shortest'],
    ['a length with a leading zero', `04 82 00 80 ${'00'.repeat(128)}`, 1, 'shortest'],
    ['a length of four octets', '04 84 00 00 00 01 00', 1, '4 octets'],
    ['a length of 127 octets', '04 ff', 1, '127 octets'],
    ['a length cut off', '04 82 01', 3, 'cut off'],
    ['a length that reaches out of its parent', '30 03 04 02 00', 2, 'past the end'],
    ['a high tag number', '1f 81 00 00', 0, 'tag number'],
    ['an application tag', '41 00', 0, 'application'],
    ['a private tag', 'c1 00', 0, 'private'],
    ['a primitive SEQUENCE', '10 00', 0, 'primitive SEQUENCE'],
    ['a constructed OCTET STRING', '24 03 04 01 00', 0, 'constructed'],
    ['the end-of-contents tag', '00 00', 0, 'tag 0x0'],
    ['a REAL', '09 01 00', 0, 'tag 0x9'],
    ['BOOLEAN 01', '01 01 01', 0, 'BOOLEAN'],
    ['BOOLEAN of two octets', '01 02 ff ff', 0, 'BOOLEAN'],
    ['an empty INTEGER', '02 00', 0, 'INTEGER'],
    ['a positive INTEGER with a superfluous zero', '02 02 00 7f', 0, 'INTEGER'],
    ['a negative INTEGER with superfluous ones', '02 02 ff 80', 0, 'INTEGER'],
    ['an ENUMERATED with a superfluous zero', '0a 02 00 01', 0, 'INTEGER'],
    ['a BIT STRING without count', '03 00', 0, 'BIT STRING'],
    ['a BIT STRING with eight unused bits', '03 02 08 00', 0, 'BIT STRING'],
    ['an empty BIT STRING with unused bits', '03 01 01', 0, 'BIT STRING'],
    ['a BIT STRING with an unused bit set', '03 02 01 01', 0, 'BIT STRING'],
    ['a NULL with content', '05 01 00', 0, 'NULL'],
    ['an empty OBJECT IDENTIFIER', '06 00', 0, 'OBJECT IDENTIFIER'],
    ['an OBJECT IDENTIFIER cut off', '06 02 2a 86', 0, 'OBJECT IDENTIFIER'],
    ['an OBJECT IDENTIFIER with a padded arc', '06 03 2a 80 01', 0, 'OBJECT IDENTIFIER'],
    ['an OBJECT IDENTIFIER that begins padded', '06 02 80 01', 0, 'OBJECT IDENTIFIER'],
    ['a UTF8String that is not UTF-8', '0c 02 c3 28', 0, 'UTF8String'],
    ['a UTF8String with a surrogate', '0c 03 ed a0 80', 0, 'UTF8String'],
    ['a UTF8String with an overlong slash', '0c 02 c0 af', 0, 'UTF8String'],
    ['a PrintableString with an underscore', '13 01 5f', 0, 'PrintableString'],
    ['a NumericString with a letter', '12 01 41', 0, 'NumericString'],
    ['an IA5String beyond ASCII', '16 01 80', 0, 'IA5String'],
    ['a VisibleString with a control', '1a 01 07', 0, 'VisibleString'],
    ['half a BMPString', '1e 01 41', 0, 'BMPString'],
    ['half a UniversalString', '1c 02 00 41', 0, 'UniversalString'],
    ['a SET out of order', '31 06 02 01 02 02 01 01', 5, 'SET'],
  ])('%s', (_, hex, offset, reason) => {
    const { detail, message } = thrown('ERR_DER_INVALID', () => readDer(bytes(hex)))
    expect(detail.offset).toBe(offset)
    expect(detail.reason).toContain(reason)
    expect(message).toContain(`byte ${offset}`)
  })

  test.each([
    ['a UTCTime without seconds', 0x17, '2601010000Z'],
    ['a UTCTime with an offset', 0x17, '260101000000+0100'],
    ['a UTCTime on 30 February', 0x17, '260230000000Z'],
    ['a UTCTime on 29 February of a common year', 0x17, '260229000000Z'],
    ['a UTCTime at 24 hours', 0x17, '260101240000Z'],
    ['a UTCTime with a leap second', 0x17, '261231235960Z'],
    ['a UTCTime with a space', 0x17, '2601010000 0Z'],
    ['a GeneralizedTime with milliseconds', 0x18, '20550101000000.123Z'],
    ['a GeneralizedTime in month 13', 0x18, '20551301000000Z'],
    ['a GeneralizedTime in local time', 0x18, '20550101000000'],
  ])('%s', (_, tag, text) => {
    thrown('ERR_DER_INVALID', () => readDer(tlv(tag, ascii(text))))
  })
})

test('size and depth have bounds, and no input is worse than linear', () => {
  let nested: Uint8Array = sequence()
  for (let i = 0; i < 15; i++) nested = sequence(nested)
  expect(readDer(nested).children).toHaveLength(1)
  expect(thrown('ERR_DER_INVALID', () => readDer(sequence(nested))).detail.reason).toContain('deep')
  expect(thrown('ERR_DER_INVALID', () => readDer(tlv(0x04, new Uint8Array(65_536)))).detail.reason).toContain('65536')
  expect(readDer(tlv(0x04, new Uint8Array(65_000))).end).toBe(65_004)
  expect(thrown('ERR_DER_INVALID', () => readDer(Uint8Array.from({ length: 60_000 }, (_, i) => (i % 2 === 0 ? 0x30 : 0x7e)))).detail.offset).toBeLessThan(40)
})

test('an object identifier is read up to 64 octets: its text costs the square of its length', () => {
  const identifier = (octets: number): Uint8Array => tlv(0x06, Uint8Array.from({ length: octets }, (_, i) => (i === octets - 1 ? 1 : 0x81)))
  expect(readDer(identifier(64)).end).toBe(66)
  expect(thrown('ERR_DER_INVALID', () => readDer(identifier(65))).detail.reason).toContain('OBJECT IDENTIFIER')
})

test('a value gives its encoding, its content and its place', () => {
  const value = readDer(sequence(smallInteger(5), tlv(0x04, bytes('aabb'))))
  expect(value.children.map((child) => [child.start, child.content, child.end])).toEqual([[2, 4, 5], [5, 7, 9]])
  expect(value.children.map((child) => toHex(encoded(child)))).toEqual(['020105', '0402aabb'])
  expect(value.children.map((child) => toHex(contents(child)))).toEqual(['05', 'aabb'])
})

test('fields are taken in order, and what is missing or left over is named', () => {
  const value = readDer(sequence(smallInteger(5), tlv(0x05)))
  const fields = fieldsOf(value, 'thing')
  expect(fields.optional(0x05)).toBeUndefined()
  expect(fields.take(0x02, 'number').start).toBe(2)
  expect(thrown('ERR_DER_INVALID', () => { fields.end() }).detail.reason).toContain('thing')
  expect(fields.optional(0x05)).toBeDefined()
  fields.end()
  expect(thrown('ERR_DER_INVALID', () => fields.any('rest')).detail.reason).toBe('a thing without rest')
  expect(thrown('ERR_DER_INVALID', () => fieldsOf(value, 'thing').take(0x04, 'octets')).detail.reason).toBe('a thing without octets')
  expect(thrown('ERR_DER_INVALID', () => fieldsOf(value, 'set', 0x31)).detail.reason).toContain('no set')
})

test.each([
  ['0.39', '060127'],
  ['1.2.840.113549.1.1.11', '06092a864886f70d01010b'],
  ['2.5.4.3', '0603550403'],
  ['2.999.3', '0603883703'],
  ['1.3.6.1.4.1.2147483647', '060a2b0601040187ffffff7f'],
])('object identifier %s is written and read', (dotted, hex) => {
  expect(toHex(objectIdentifier(dotted))).toBe(hex)
  expect(oidOf(readDer(bytes(hex)))).toBe(dotted)
})

test('an object identifier with a number beyond 31 bits is refused, as Go refuses it', () => {
  for (const hex of ['060a2b060104018880808000', '060a2b060104019080808000', '06058880808000'])
    expect(thrown('ERR_DER_INVALID', () => oidOf(readDer(bytes(hex)))).detail.reason).toContain('beyond 31 bits')
})

test.each([
  ['00', '020100'], ['', '020100'], ['7f', '02017f'], ['80', '02020080'], ['0000ff', '020200ff'], ['0100', '02020100'],
])('unsigned %s is written minimally and positive', (hex, encoding) => {
  expect(toHex(unsignedInteger(bytes(hex)))).toBe(encoding)
})

test('negative and zero numbers and half octets are refused where a positive whole is meant', () => {
  thrown('ERR_DER_INVALID', () => positiveInteger(readDer(bytes('020180')), 'serial'))
  thrown('ERR_DER_INVALID', () => positiveInteger(readDer(bytes('020100')), 'serial'))
  expect(toHex(positiveInteger(readDer(bytes('02020080')), 'serial'))).toBe('80')
  thrown('ERR_DER_INVALID', () => wholeBits(readDer(bytes('03020780')), 'key'))
})

test.each([
  [[], '030100'],
  [[0], '03020780'],
  [[0, 2], '030205a0'],
  [[5, 6], '03020106'],
  [[8], '0303070080'],
])('named bits %j lose their trailing zeros', (bits, hex) => {
  expect(toHex(namedBits(bits))).toBe(hex)
  expect(readDer(namedBits(bits)).end).toBe(hex.length / 2)
})

test('lengths take the shortest form on both sides of each border', () => {
  for (const [length, header] of [[127, '047f'], [128, '048180'], [255, '0481ff'], [256, '04820100'], [65_535, '0482ffff'], [65_536, '0483010000']] as const) {
    const value = tlv(0x04, new Uint8Array(length))
    expect(toHex(value.subarray(0, header.length / 2))).toBe(header)
    expect(readDer(value, { bytes: 100_000, depth: 1 }).end).toBe(value.length)
  }
})

test('a set is written in order of its encodings', () => {
  expect(toHex(setOf(smallInteger(300), smallInteger(2), smallInteger(1)))).toBe('310a0201010201020202012c')
})

test.each([
  ['1950-01-01T00:00:00Z', '170d3530303130313030303030305a'],
  ['2026-11-24T12:00:05Z', '170d3236313132343132303030355a'],
  ['2049-12-31T23:59:59Z', '170d3439313233313233353935395a'],
  ['2050-01-01T00:00:00Z', '180f32303530303130313030303030305a'],
  ['9999-12-31T23:59:59Z', '180f39393939313233313233353935395a'],
])('%s is UTCTime through 2049 and GeneralizedTime after', (iso, hex) => {
  const date = new Date(iso)
  expect(toHex(encodeTime(date))).toBe(hex)
  const value = readDer(bytes(hex))
  expect((value.tag === 0x17 ? readUtcTime : readGeneralizedTime)(contents(value))).toEqual(date)
})

test('text is read by its type, and what has no certain meaning is not read', () => {
  const text = (tag: number, hex: string): string | undefined => textOf(readDer(tlv(tag, bytes(hex))))
  expect(text(0x0c, 'c3a9')).toBe('é')
  expect(text(0x13, '41')).toBe('A')
  expect(text(0x14, '41')).toBe('A')
  expect(text(0x14, 'e9')).toBeUndefined()
  expect(text(0x1e, '00e92713')).toBe('é✓')
  expect(text(0x1e, 'd83dde00')).toBeUndefined()
  expect(text(0x1c, '0001f600')).toBe('😀')
  expect(text(0x1c, '00110000')).toBeUndefined()
  expect(text(0x04, '41')).toBeUndefined()
})

test('an ECDSA signature goes from r and s to DER and back, and other forms are none', () => {
  const joined = concatBytes(bytes('80'.padEnd(64, '0')), bytes('1'.padStart(64, '0')))
  const der = ecdsaToDer(joined)
  expect(toHex(der)).toBe(`302602210080${'00'.repeat(31)}020101`)
  expect(ecdsaFromDer(der, 32)).toEqual(joined)
  expect(ecdsaFromDer(der, 31)).toBeUndefined()
  expect(ecdsaFromDer(joined, 32)).toBeUndefined()
  expect(ecdsaFromDer(sequence(smallInteger(1)), 32)).toBeUndefined()
  expect(ecdsaFromDer(sequence(smallInteger(0), smallInteger(1)), 32)).toBeUndefined()
  expect(ecdsaFromDer(sequence(bytes('0201ff'), smallInteger(1)), 32)).toBeUndefined()
  expect(ecdsaFromDer(sequence(smallInteger(1), smallInteger(1), smallInteger(1)), 32)).toBeUndefined()
  expect(ecdsaFromDer(bitString(der), 32)).toBeUndefined()
})
