import { describe, expect, test } from 'vitest'
import { allKeys, fromKey, key, keyBytes, keyText, prefix, range } from '../../../src/keys/key-range.js'
import { utf8 } from '../../../src/bytes.js'
import { hostile, thrown } from '../../support/thrown.js'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

describe('a key as data', () => {
  test.each([
    ['text', '/calico/x', '/calico/x'],
    ['text without leading slash', 'compact_rev_key', 'compact_rev_key'],
    ['bytes that are UTF-8', utf8('/é'), '/é'],
    ['bytes that are not UTF-8', bytes(0x2f, 0xff), { base64: 'L/8=' }],
    ['NUL, which etcd keeps apart from the empty key', '\0', '\0'],
    ['a byte order mark, which is three bytes of the key', '\uFEFFa', '\uFEFFa'],
  ])('is %s', (_, given, wanted) => {
    expect(key(given)).toEqual({ api: 'v3', kind: 'key', key: wanted })
    expect(fromKey(given)).toEqual({ api: 'v3', kind: 'fromKey', start: wanted })
  })

  test('survives JSON', () => {
    for (const made of [key(bytes(0xff)), prefix('/a/'), prefix('a', { siblings: 'include' }), range('a', bytes(0xff)), fromKey('a'), allKeys()])
      expect(JSON.parse(JSON.stringify(made))).toEqual(made)
  })

  test('does not follow the bytes that it was made of', () => {
    const source = bytes(0xff, 1)
    const made = key(source)
    source[1] = 2
    expect(keyBytes(made.key)).toEqual(bytes(0xff, 1))
  })

  test('base64 is for what has no text, and malformed base64 is refused', () => {
    expect(keyText(bytes(0xc3))).toEqual({ base64: 'ww==' })
    expect(keyBytes({ base64: 'ww==' })).toEqual(bytes(0xc3))
    expect(thrown('ERR_KEY_INVALID', () => keyBytes({ base64: 'ww=' })).message).toContain('base64')
  })
})

describe('refused as a key', () => {
  const makers = {
    key,
    fromKey,
    'prefix with siblings': (text: string | Uint8Array) => prefix(text, { siblings: 'include' }),
    'start of a range': (text: string | Uint8Array) => range(text, 'z'),
    'end of a range': (text: string | Uint8Array) => range('a', text),
  }
  describe.each(Object.entries(makers))('by %s', (_, make) => {
    test('the empty text, which some etcd versions crash on and others never match', () => {
      expect(thrown('ERR_KEY_INVALID', () => make('')).message).toContain('allKeys()')
    })
    test('no bytes', () => {
      expect(thrown('ERR_KEY_INVALID', () => make(bytes())).detail).toEqual({ key: '' })
    })
    test('half of a surrogate pair: it has no bytes', () => {
      expect(thrown('ERR_KEY_INVALID', () => make('/a\ud800/')).message).toContain('surrogate')
    })
    test.each(hostile)('%s', (_, value) => {
      expect(() => make(value as string)).toThrow(TypeError)
    })
  })
})

describe('a prefix', () => {
  test.each([['/calico/'], ['/'], ['a/'], ['//'], ['/é/']])('%j is terminated', (text) => {
    expect(prefix(text)).toEqual({ api: 'v3', kind: 'prefix', prefix: text })
  })

  test.each<[string, string, string]>([
    ['/calico', '/calicofoo', '/calico/'],
    ['/calico/felix/v1', '/calico/felix/v1foo', '/calico/felix/v1/'],
    ['tenant:', 'tenant:foo', 'tenant:/'],
  ])('%j is refused, and the error names a key that it would open and what to write', (text, sibling, fixed) => {
    const error = thrown('ERR_PREFIX_UNTERMINATED', () => prefix(text))
    expect(error.detail).toEqual({ prefix: text, sibling })
    for (const said of [JSON.stringify(text), JSON.stringify(sibling), JSON.stringify(fixed), `{ siblings: 'include' }`]) expect(error.message).toContain(said)
  })

  test('is refused without terminator in bytes too, with a sibling in bytes, and no text to write in their place', () => {
    const { detail, message } = thrown('ERR_PREFIX_UNTERMINATED', () => prefix(bytes(0xff, 0x61)))
    const base64 = (...of: number[]): string => `base64:${Buffer.from(bytes(0xff, 0x61, ...of)).toString('base64')}`
    expect(detail).toEqual({ prefix: base64(), sibling: base64(0x66, 0x6f, 0x6f) })
    expect(message).toContain('append the byte 0x2f ("/")')
    expect(message).not.toMatch(/base64:[^"]*(?:foo|\/)"|write "/)
    expect(thrown('ERR_PREFIX_UNTERMINATED', () => prefix(utf8('/é'))).message).toContain('write "/é/"')
    expect(prefix(bytes(0xff, 0x2f))).toEqual({ api: 'v3', kind: 'prefix', prefix: { base64: '/y8=' } })
  })

  test('may be without terminator if the caller says so, and the data says so too', () => {
    expect(prefix('/calico', { siblings: 'include' })).toEqual({ api: 'v3', kind: 'prefix', prefix: '/calico', siblings: 'include' })
  })

  test.each([[true], ['yes'], [1], [null], ['exclude']])('is not meant without terminator by siblings: %j', (siblings) => {
    expect(() => prefix('/calico', { siblings } as unknown as { siblings: 'include' })).toThrow()
  })
})

describe('a range', () => {
  test.each([
    ['a', 'b'],
    ['/calico/', '/calico0'],
    ['a', 'a\0'],
    ['Z', 'a'],
    ['z', 'é'],
    ['\uFFFF', '\u{10000}'],
  ])('from %j to %j is ordered in bytes', (start, end) => {
    expect(range(start, end)).toEqual({ api: 'v3', kind: 'range', start, end })
  })

  test.each([
    ['b', 'a'],
    ['a', 'a'],
    ['a', 'Z'],
    ['a\0', 'a'],
    ['a', '\0'],
    ['\u{10000}', '\uFFFF'],
  ])('from %j to %j holds no key and is refused: etcd would store a grant that grants nothing', (start, end) => {
    const { detail, message } = thrown('ERR_RANGE_EMPTY', () => range(start, end))
    expect(detail).toEqual({ start, end })
    expect(message).toContain(JSON.stringify(start))
  })
})
