import { describe, expect, test } from 'vitest'
import { allKeys, fromKey, key, prefix, range, type KeyRange } from '../../../src/keys/key-range.js'
import { containsInterval, fromWire, intersectIntervals, isEmptyInterval, prefixEnd, toInterval, toWire, union } from '../../../src/keys/interval.js'
import { toHex, utf8 } from '../../../src/bytes.js'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))

describe('the end of a prefix', () => {
  test.each([
    ['2f612f', '2f6130'],
    ['61', '62'],
    ['00', '01'],
    ['61ff', '62'],
    ['2fff', '30'],
    ['61ffff', '62'],
    ['61ff00', '61ff01'],
    ['fe', 'ff'],
    ['feff', 'ff'],
    ['ff', undefined],
    ['ffff', undefined],
    ['', undefined],
  ])('of %s is %s: the last byte below 0xff is raised and what follows is dropped', (from, to) => {
    const end = prefixEnd(hex(from))
    expect(end && toHex(end)).toBe(to)
  })

  test('leaves the prefix as it was', () => {
    const given = bytes(1, 0xff)
    prefixEnd(given)
    expect(given).toEqual(bytes(1, 0xff))
  })
})

// facts/etcd-v3: the forms of range_end.
const forms: readonly (readonly [KeyRange, string, string])[] = [
  [key('k'), '6b', ''],
  [range('a', 'c'), '61', '63'],
  [prefix('/p/'), '2f702f', '2f7030'],
  [prefix(bytes(0x2f, 0xff), { siblings: 'include' }), '2fff', '30'],
  [prefix(bytes(0xff, 0xff), { siblings: 'include' }), 'ffff', '00'],
  [fromKey('k'), '6b', '00'],
  [allKeys(), '00', '00'],
]

describe('on the wire', () => {
  test.each(forms.map(([keys, from, end]) => [keys.kind, keys, from, end] as const))('%s %j is %s to %j and back', (_, keys, from, end) => {
    const wire = toWire(keys)
    expect([toHex(wire.key), toHex(wire.rangeEnd)]).toEqual([from, end])
    expect(fromWire(wire)).toEqual(keys)
  })

  test.each([
    ['an empty key', '', ''],
    ['an empty key and no end', '', '00'],
    ['an end that is the start', '78', '78'],
    ['an end before the start', '7a', '61'],
  ])('what old servers store and never match is read without failing, and written as it was: %s', (_, from, end) => {
    const keys = fromWire({ key: hex(from), rangeEnd: hex(end) })
    const wire = toWire(keys)
    expect([toHex(wire.key), toHex(wire.rangeEnd)]).toEqual([from, end])
    expect(containsInterval(union([toInterval(keys)]), toInterval(key('x')))).toBe(false)
  })

  test('a prefix that is not terminated comes back as one that was meant', () => {
    expect(fromWire({ key: utf8('/calico'), rangeEnd: utf8('/calicp') })).toEqual(prefix('/calico', { siblings: 'include' }))
  })
})

describe('rights are the union of intervals, and a request needs all of it', () => {
  const allowed = (granted: readonly KeyRange[], wanted: KeyRange): boolean => containsInterval(union(granted.map(toInterval)), toInterval(wanted))
  const p = prefix('/p/')

  // facts/etcd-v3 §1.2, 1.3, 1.4, 1.6: run on 3.3, 3.4 and 3.5.
  test.each<[string, readonly KeyRange[], KeyRange, boolean]>([
    ['adjacent ranges add up', [range('a', 'b'), range('b', 'c')], range('a', 'c'), true],
    ['in any order', [range('b', 'c'), range('a', 'b')], range('a', 'c'), true],
    ['overlapping ranges add up', [range('a', 'm'), range('k', 'z')], range('b', 'y'), true],
    ['a range and everything after it', [range('a', 'm'), fromKey('m')], fromKey('a'), true],
    ['a range inside another does not cut it', [range('a', 'z'), range('b', 'c')], range('a', 'z'), true],
    ['a gap denies the whole', [range('a', 'b'), range('b\0', 'c')], range('a', 'c'), false],
    ['even one that holds no key', [range('a', 'b'), fromKey('c')], fromKey('a'), false],
    ['two adjacent keys', [key('a'), key('a\0')], range('a', 'a\0\0'), true],
    ['one key is the range up to its successor', [key('k')], range('k', 'k\0'), true],
    ['one key is not more', [key('k')], range('k', 'l'), false],
    ['no grants', [], key('a'), false],
    ['a prefix without terminator leaks', [prefix('/ten1', { siblings: 'include' })], key('/ten10/x'), true],
    ['a prefix does not hold the key without its slash', [p], key('/p'), false],
    ['nor a read of that prefix', [p], prefix('/p', { siblings: 'include' }), false],
    ['a prefix holds its own name', [p], key('/p/'), true],
    ['and itself', [p], p, true],
    ['not its end', [p], key('/p0'), false],
    ['nor a range one key too long', [p], range('/p/', '/p0\0'), false],
    ['nor everything after it', [p], fromKey('/p/'), false],
    ['0xff is below the end of its prefix', [prefix(bytes(0x2f, 0xff), { siblings: 'include' })], key(bytes(0x2f, 0xff, 0xff, 0xff)), true],
    ['the end of a carried prefix is not in it', [prefix(bytes(0x2f, 0xff), { siblings: 'include' })], key('0'), false],
    ['all keys hold NUL', [allKeys()], key('\0'), true],
    ['all keys hold everything after any key', [allKeys()], fromKey('a'), true],
    ['everything after NUL is all keys', [fromKey('\0')], allKeys(), true],
    ['everything after a key is not all keys', [fromKey('\0\0')], allKeys(), false],
    ['a prefix of 0xff has no end', [prefix(bytes(0xff), { siblings: 'include' })], fromKey(bytes(0xff)), true],
    ['binary search finds the last', [key('a'), key('c'), key('e'), key('g')], key('g'), true],
    ['the first', [key('a'), key('c'), key('e'), key('g')], key('a'), true],
    ['and none between', [key('a'), key('c'), key('e'), key('g')], key('d'), false],
    ['nor before all', [key('b'), key('c')], key('a'), false],
  ])('%s', (_, granted, wanted, answer) => {
    expect(allowed(granted, wanted)).toBe(answer)
  })

  test('a union is disjoint, without gaps of nothing, and ascending', () => {
    const set = union([range('d', 'e'), range('a', 'b'), range('b', 'c'), range('a', 'a\0')].map(toInterval))
    expect(set.map(({ start, end }) => [toHex(start), end && toHex(end)])).toEqual([['61', '63'], ['64', '65']])
  })

  test('what lies in both', () => {
    const both = (a: KeyRange, b: KeyRange) => intersectIntervals(toInterval(a), toInterval(b))
    expect(isEmptyInterval(both(range('a', 'm'), range('m', 'z')))).toBe(true)
    expect(both(range('a', 'm'), fromKey('c'))).toEqual(toInterval(range('c', 'm')))
    expect(both(allKeys(), prefix('/p/'))).toEqual(toInterval(prefix('/p/')))
    expect(both(fromKey('a'), fromKey('b'))).toEqual(toInterval(fromKey('b')))
  })
})
