import { describe, expect, test } from 'vitest'
import { allKeys, complementOf, covers, differenceOf, fromKey, intersectionOf, key, pattern, prefix, range, unionOf, type KeyRange } from '../../../src/keys/index.js'
import { isOpenEnded } from '../../../src/keys/open-ended.js'
import { hostile } from '../../support/thrown.js'

describe('sets of key ranges', () => {
  test('come out in one form: in order, apart, by the narrowest name', () => {
    expect(unionOf([range('/b', '/c'), key('/x'), prefix('/a/'), range('/a0', '/b')])).toEqual([range('/a/', '/c'), key('/x')])
    expect(unionOf([range('/a/', '/a0')])).toEqual([prefix('/a/')])
    expect(unionOf([range('/a', '/a\0')])).toEqual([key('/a')])
    expect(unionOf([])).toEqual([])
  })

  test('are cut, taken out and turned round', () => {
    expect(intersectionOf([prefix('/a/'), prefix('/b/')], [key('/a/1'), key('/c')])).toEqual([key('/a/1')])
    expect(differenceOf([prefix('/a/')], [key('/a/1')])).toEqual([range('/a/', '/a/1'), range('/a/1\0', '/a0')])
    expect(differenceOf([allKeys()], [allKeys()])).toEqual([])
    expect(complementOf([range('/a', '/b')])).toEqual([range('\0', '/a'), fromKey('/b')])
    expect(complementOf([])).toEqual([allKeys()])
  })

  test('cover what several ranges hold together, and always nothing', () => {
    expect(covers([range('/a', '/b'), range('/b', '/c')], [range('/a', '/c')])).toBe(true)
    expect(covers([prefix('/a/')], [key('/a')])).toBe(false)
    expect(covers([], [])).toBe(true)
    expect(covers([], [key('/a')])).toBe(false)
  })

  const wrong: readonly (readonly [string, unknown])[] = [...hostile, ['a pattern', pattern('/a')], ['a misspelt kind', { api: 'v3', kind: 'keys', key: '/a' }], ['no key', { api: 'v3', kind: 'key' }], ['a range of nothing', { api: 'v3', kind: 'range', start: '/b', end: '/a' }]]
  test.each(wrong)('are not made of %s', (_, one) => {
    for (const run of [() => unionOf([one as KeyRange]), () => complementOf([one as KeyRange]), () => covers([], [one as KeyRange]), () => differenceOf([one as KeyRange], []), () => intersectionOf([], [one as KeyRange])])
      expect(run).toThrow(TypeError)
  })

  test.each(hostile.filter(([, value]) => !Array.isArray(value)))('are not %s', (_, list) => {
    expect(() => unionOf(list as readonly KeyRange[])).toThrow(TypeError)
  })
})

describe('keys', () => {
  const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values)
  test.each<[string, KeyRange, boolean]>([
    ['from a key on', fromKey('/a'), true],
    ['all of them', allKeys(), true],
    ['up to 0xff', range('/a', bytes(0xff)), true],
    ['up to U+10FFFF', range('/tenants/5/', '\u{10ffff}'), true],
    ['up to a byte that no text begins with', range('/a', bytes(0xf5)), true],
    ['behind all bytes', prefix(bytes(0xff), { siblings: 'include' }), true],
    ['up to the last but one character', range('/a', '\u{10fffe}'), false],
    ['up to a tilde', range('/a', '~'), false],
    ['of bytes that are no text, with an end', range(bytes(0xfe), bytes(0xff)), false],
    ['a prefix', prefix('/a/'), false],
    ['one', key(bytes(0xff)), false],
  ])('are open-ended or not: %s', (_, keys, wanted) => {
    expect(isOpenEnded(keys)).toBe(wanted)
  })

  test.each([['*', true], ['/*', true], ['/', false], ['/a*', false], ['/\u{10ffff}*', false]])('that pattern %s matches are open-ended: %s', (text, wanted) => {
    expect(isOpenEnded(pattern(text))).toBe(wanted)
  })
})
