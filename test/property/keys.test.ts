import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes, fromBase64, fromUtf8, toBase64, toHex, utf8 } from '../../src/bytes.js'
import { isEtcdRbacError } from '../../src/errors.js'
import { containsInterval, fromWire, intersectIntervals, isEmptyInterval, prefixEnd, toInterval, toWire, union, type Interval } from '../../src/keys/interval.js'
import { coversPattern, path, pattern } from '../../src/keys/pattern.js'
import { matches } from '../support/matches.js'
import { fromKey, key, keyBytes, keyText, prefix, range } from '../../src/keys/key-range.js'
import { complementOf, covers, differenceOf, intersectionOf, showKeys, unionOf } from '../../src/keys/index.js'
import { isOpenEnded } from '../../src/keys/open-ended.js'
import { anyKey, anyPattern, anyRange, keyRange, keysUpTo, smallKey, smallPath } from '../support/arbitrary.js'

// All keys of up to four bytes of a small alphabet: where two sets over keys of up to three bytes differ, one of these tells them apart.
const universe = keysUpTo(4)
const holds = ({ start, end }: Interval, one: Uint8Array): boolean => compareBytes(start, one) <= 0 && (end === undefined || compareBytes(one, end) < 0)
const startsWith = (one: Uint8Array, begin: Uint8Array): boolean => begin.every((byte, index) => one[index] === byte)
const wireHex = (wire: { key: Uint8Array; rangeEnd: Uint8Array }): readonly string[] => [toHex(wire.key), toHex(wire.rangeEnd)]

describe('bytes', () => {
  test('base64 is what the platform makes of it, and comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
        expect(fromBase64(toBase64(bytes))).toEqual(Uint8Array.from(bytes))
        expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
      }),
    )
  })

  test('text that is read as base64 is the only text for its bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('A', 'B', 'g', '/', '+', '=', '\n', '-'), { maxLength: 8 }), (letters) => {
        const text = letters.join('')
        const bytes = fromBase64(text)
        if (bytes !== undefined) expect(toBase64(bytes)).toBe(text)
        else expect(Buffer.from(text, 'base64').toString('base64')).not.toBe(text)
      }),
    )
  })

  test('order is the one of the platform', () => {
    fc.assert(fc.property(smallKey, smallKey, (a, b) => Math.sign(compareBytes(a, b)) === Buffer.compare(a, b)))
  })

  test('text and bytes of a key are the same key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 8 }), (bytes) => {
        expect(keyBytes(keyText(bytes))).toEqual(Uint8Array.from(bytes))
        expect(typeof keyText(bytes) === 'string').toBe(fromUtf8(bytes) !== undefined)
      }),
    )
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => fromUtf8(utf8(text)) === text))
  })
})

describe('intervals', () => {
  test('the end of a prefix is the first key after all that begin with it', () => {
    fc.assert(
      fc.property(smallKey, (begin) => {
        const end = prefixEnd(begin)
        for (const one of universe) expect(holds({ start: begin, end }, one)).toBe(startsWith(one, begin))
      }),
    )
  })

  test('a key range holds the keys that its name says', () => {
    fc.assert(
      fc.property(smallKey, smallKey, (a, b) => {
        const single = toInterval(key(a))
        const from = toInterval(fromKey(a))
        for (const one of universe) {
          expect(holds(single, one)).toBe(compareBytes(one, a) === 0)
          expect(holds(from, one)).toBe(compareBytes(one, a) >= 0)
        }
        if (compareBytes(a, b) >= 0) return
        const between = toInterval(range(a, b))
        for (const one of universe) expect(holds(between, one)).toBe(compareBytes(one, a) >= 0 && compareBytes(one, b) < 0)
      }),
    )
  })

  test('every key range comes back from the wire as one that means the same, and is then stable', () => {
    fc.assert(
      fc.property(anyRange, (keys) => {
        const back = fromWire(toWire(keys))
        expect(toInterval(back)).toEqual(toInterval(keys))
        expect(wireHex(toWire(back))).toEqual(wireHex(toWire(keys)))
        expect(fromWire(toWire(back))).toEqual(back)
      }),
    )
  })

  test('whatever a server answers is read, and written as it was', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (from, end) => {
        const wire = { key: from, rangeEnd: end }
        expect(wireHex(toWire(fromWire(wire)))).toEqual(wireHex(wire))
      }),
    )
    fc.assert(
      fc.property(fc.option(smallKey, { nil: new Uint8Array() }), fc.option(smallKey, { nil: new Uint8Array() }), (from, end) => {
        const wire = { key: from, rangeEnd: end }
        expect(wireHex(toWire(fromWire(wire)))).toEqual(wireHex(wire))
      }),
    )
  })

  test('a union holds a key exactly if one of its parts does', () => {
    fc.assert(
      fc.property(fc.array(keyRange(smallKey), { maxLength: 6 }), (parts) => {
        const intervals = parts.map(toInterval)
        const set = union(intervals)
        for (const one of universe) expect(set.some((part) => holds(part, one))).toBe(intervals.some((part) => holds(part, one)))
      }),
    )
  })

  test('a union is ascending, and its parts neither touch nor are empty', () => {
    fc.assert(
      fc.property(fc.array(keyRange(smallKey), { maxLength: 6 }), (parts) => {
        const set = union(parts.map(toInterval))
        for (const [index, part] of set.entries()) {
          expect(isEmptyInterval(part)).toBe(false)
          const next = set[index + 1]
          if (next === undefined) continue
          expect(part.end !== undefined && compareBytes(part.end, next.start) < 0).toBe(true)
        }
      }),
    )
  })

  test('a union contains a range exactly if no key of it is outside', () => {
    fc.assert(
      fc.property(fc.array(keyRange(smallKey), { maxLength: 6 }), keyRange(smallKey), (parts, wanted) => {
        const interval = toInterval(wanted)
        // A gap begins where the range does, or where a part ends; that end need not be in the universe.
        const points = [...universe, interval.start, ...parts.flatMap((part) => toInterval(part).end ?? [])]
        const outside = points.some((one) => holds(interval, one) && !parts.some((part) => holds(toInterval(part), one)))
        expect(containsInterval(union(parts.map(toInterval)), interval)).toBe(!outside)
      }),
      { numRuns: 300, examples: [[[prefix(Uint8Array.of(1), { siblings: 'include' })], range(Uint8Array.of(1), Uint8Array.of(0xfe))]] },
    )
  })

  test('what lies in both lies in each', () => {
    fc.assert(
      fc.property(keyRange(smallKey), keyRange(smallKey), (a, b) => {
        const both = intersectIntervals(toInterval(a), toInterval(b))
        for (const one of universe) expect(holds(both, one)).toBe(holds(toInterval(a), one) && holds(toInterval(b), one))
      }),
    )
  })
})

describe('prefixes', () => {
  test('are taken exactly if they end with a slash, and the refusal names a key that they would open', () => {
    fc.assert(
      fc.property(anyKey, (begin) => {
        const terminated = (typeof begin === 'string' ? utf8(begin) : begin).at(-1) === 0x2f
        try {
          const made = prefix(begin as string)
          expect(terminated).toBe(true)
          expect(made).not.toHaveProperty('siblings')
        } catch (error) {
          expect(terminated).toBe(false)
          if (!isEtcdRbacError(error, 'ERR_PREFIX_UNTERMINATED')) throw error
          const { sibling } = error.detail
          const opened = toInterval(prefix(begin, { siblings: 'include' }))
          if (!sibling.startsWith('base64:')) expect(containsInterval([opened], toInterval(key(sibling)))).toBe(true)
        }
      }),
    )
  })
})

describe('v2 patterns', () => {
  const requests = fc.tuple(fc.oneof(fc.constant(''), smallPath), fc.boolean()).map(([text, recursive]) => path(text, { recursive }))

  test('match as etcd matches: a final star by prefix, anything else itself, recursive only by a star', () => {
    fc.assert(
      fc.property(anyPattern, requests, (one, request) => {
        const star = one.pattern.endsWith('*')
        const wanted = star ? request.path.indexOf(one.pattern.slice(0, -1)) === 0 : one.pattern === request.path && !request.recursive
        expect(matches(one, request)).toBe(wanted)
      }),
    )
  })

  test('cover one another exactly if no request tells them apart', () => {
    // The shortest request that an inner pattern allows is the one that an outer pattern is most likely to refuse.
    const witnesses = (text: string) => (text.endsWith('*') ? [text.slice(0, -1), `${text.slice(0, -1)}x`].flatMap((p) => [{ p, r: false }, { p, r: true }]) : [{ p: text, r: false }])
    fc.assert(
      fc.property(anyPattern, anyPattern, (outer, inner) => {
        const all = witnesses(inner.pattern).every(({ p, r }) => matches(outer, { api: 'v2', path: p, recursive: r }))
        expect(coversPattern(outer, inner)).toBe(all)
      }),
    )
  })

  test('of any text are made or refused with a typed error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.constantFrom('/', '.', '*', 'a', '\ud800')).map((parts) => parts.join(''))), (text) => {
        try {
          expect(pattern(text)).toEqual({ api: 'v2', pattern: text })
          expect(text === '*' || text.startsWith('/')).toBe(true)
          expect(text.slice(0, -1)).not.toContain('*')
          for (const segment of text.split('/').slice(1, -1)) expect(['', '.', '..']).not.toContain(segment)
        } catch (error) {
          if (!isEtcdRbacError(error, 'ERR_PATTERN_INVALID')) throw error
        }
      }),
    )
  })
})

describe('the algebra of key ranges', () => {
  const lists = fc.array(keyRange(smallKey), { maxLength: 4 })
  const has = (list: readonly Parameters<typeof toInterval>[0][], one: Uint8Array): boolean => list.some((keys) => holds(toInterval(keys), one))

  test('says of every key what the names say', () => {
    fc.assert(
      fc.property(lists, lists, (a, b) => {
        const [either, both, left, none] = [unionOf([...a, ...b]), intersectionOf(a, b), differenceOf(a, b), complementOf(a)]
        for (const one of universe) {
          expect(has(either, one)).toBe(has(a, one) || has(b, one))
          expect(has(both, one)).toBe(has(a, one) && has(b, one))
          expect(has(left, one)).toBe(has(a, one) && !has(b, one))
          expect(has(none, one)).toBe(!has(a, one))
        }
        // Both sets begin and end at keys of the universe.
        expect(covers(a, b)).toBe(universe.every((one) => !has(b, one) || has(a, one)))
      }),
      { numRuns: 50 },
    )
  })

  test('is associative, commutative and idempotent, and each set has one form', () => {
    fc.assert(
      fc.property(lists, lists, lists, (a, b, c) => {
        const join = (x: typeof a, y: typeof a): readonly (typeof a)[number][] => unionOf([...x, ...y])
        expect(join(join(a, b) as typeof a, c)).toEqual(join(a, join(b, c) as typeof a))
        expect(intersectionOf(intersectionOf(a, b), c)).toEqual(intersectionOf(a, intersectionOf(b, c)))
        expect(join(a, b)).toEqual(join(b, a))
        expect(intersectionOf(a, b)).toEqual(intersectionOf(b, a))
        for (const same of [join(a, a), intersectionOf(a, a), complementOf(complementOf(a)), unionOf(unionOf(a))]) expect(same).toEqual(unionOf(a))
        expect(differenceOf(a, b)).toEqual(intersectionOf(a, complementOf(b)))
        expect(complementOf([...a, ...b])).toEqual(intersectionOf(complementOf(a), complementOf(b)))
        expect(covers(a, b) && covers(b, a)).toBe(JSON.stringify(unionOf(a)) === JSON.stringify(unionOf(b)))
      }),
    )
  })

  test('takes keys as the constructors make them, texts and bytes', () => {
    fc.assert(fc.property(anyRange, (keys) => unionOf([keys, ...intersectionOf([keys], [keys])]).map(showKeys).length === 1 && covers([keys], unionOf([keys]))))
  })
})

test('keys are open-ended exactly if no key of text lies behind those of them that are text', () => {
  const texts = fc.string({ unit: 'binary', minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(anyRange, texts, (keys, behind) => {
      const { start, end } = toInterval(keys)
      if (isOpenEnded(keys) && compareBytes(utf8(behind), start) >= 0 && !behind.startsWith('\u{10ffff}')) expect(holds({ start, end }, utf8(behind))).toBe(true)
      if (!isOpenEnded(keys)) expect(holds({ start, end }, utf8(`\u{10ffff}${behind}`)) && compareBytes(start, utf8('\u{10ffff}')) < 0).toBe(false)
    }),
  )
})
