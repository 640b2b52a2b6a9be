import { describe, expect, test } from 'vitest'
import { compareBytes, concatBytes, fromBase64, fromUtf8, isWellFormed, toBase64, toHex, utf8 } from '../../../src/bytes.js'

const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(values)

describe('base64', () => {
  // RFC 4648 §10
  test.each([['', ''], ['f', 'Zg=='], ['fo', 'Zm8='], ['foo', 'Zm9v'], ['foob', 'Zm9vYg=='], ['fooba', 'Zm9vYmE='], ['foobar', 'Zm9vYmFy']])('%j is %j', (text, encoded) => {
    expect(toBase64(utf8(text))).toBe(encoded)
    expect(fromBase64(encoded)).toEqual(utf8(text))
  })

  test.each([
    ['unpadded', 'Zg'],
    ['padded too much', 'Zg==='],
    ['padding alone', '===='],
    ['padding inside', 'Zg==Zg=='],
    ['spare bits that are not zero, two digits', 'Zh=='],
    ['spare bits that are not zero, three digits', 'Zm9='],
    ['the URL alphabet', '-_-_'],
    ['a line break inside', 'Zm9v\nYmFy'],
    ['a line break at the end', 'Zm9v\n'],
    ['a space', 'Zm9v '],
    ['another alphabet', 'Zm9é'],
  ])('refuses what is not canonical: %s', (_, text) => {
    expect(fromBase64(text)).toBeUndefined()
  })

  test('takes megabytes', () => {
    const long = new Uint8Array(3_000_000).fill(0xa5)
    const text = toBase64(long)
    expect(text).toHaveLength(4_000_000)
    const back = fromBase64(text)
    expect(back?.length).toBe(long.length)
    expect(back?.every((byte) => byte === 0xa5)).toBe(true)
    expect(fromBase64(`${text}!`)).toBeUndefined()
  })
})

describe('UTF-8', () => {
  test.each([
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a lone continuation', [0x80]],
    ['a cut sequence', [0xe2, 0x82]],
    ['0xff', [0xff]],
    ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ])('has no text for %s', (_, values) => {
    expect(fromUtf8(bytes(...values))).toBeUndefined()
  })

  test('keeps a byte order mark and NUL: both are bytes of a key', () => {
    expect(fromUtf8(bytes(0xef, 0xbb, 0xbf, 0))).toBe('\uFEFF\0')
  })

  test.each([
    ['é€😀', true],
    ['', true],
    ['\uD83D\uDE00', true],
    ['\uD83D', false],
    ['\uDE00', false],
    ['\uDE00\uD83D', false],
    ['a\uD83Db', false],
    ['\uD83D\uD83D\uDE00', false],
  ])('%j is well-formed: %s', (text, wellFormed) => {
    expect(isWellFormed(text)).toBe(wellFormed)
  })
})

describe('order and form', () => {
  test('bytes are ordered as etcd orders keys: unsigned, the shorter first', () => {
    const ascending = [bytes(), bytes(0), bytes(0, 0), bytes(0, 255), bytes(1), bytes(127), bytes(128), bytes(255), bytes(255, 0), bytes(255, 255)]
    for (const [i, a] of ascending.entries()) for (const [j, b] of ascending.entries()) expect(Math.sign(compareBytes(a, b))).toBe(Math.sign(i - j))
  })

  test('hex has two lower-case digits a byte', () => {
    expect(toHex(bytes(0, 10, 171, 255))).toBe('000aabff')
    expect(toHex(bytes())).toBe('')
  })

  test('concatenation copies, in order', () => {
    const first = bytes(1, 2)
    const joined = concatBytes(first, bytes(), bytes(3))
    expect([...joined]).toEqual([1, 2, 3])
    first[0] = 9
    expect(joined[0]).toBe(1)
    expect(concatBytes()).toHaveLength(0)
  })
})

test.each([0, 1, 63, 64, 65, 200])('the UTF-8 of %i characters is the same, whoever makes it, wherever the first that is not ASCII stands', (length) => {
  for (const odd of ['', 'é', '\u{1f600}', '\ud800'])
    for (const at of new Set([0, length >> 1, length])) {
      const text = 'x'.repeat(at) + odd + 'x'.repeat(length - at)
      expect(utf8(text)).toEqual(new TextEncoder().encode(text))
    }
})
