/** What tells data apart: the hash, the canonical text that it is of, and the order of names. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { digestOf, hashOf } from '../../../src/auth/digest.js'
import { compareNames } from '../../../src/auth/state.js'

test('the hash is FNV-1a of 64 bits', () => {
  const byBigInt = (given: string): string => {
    let hash = 0xcbf29ce484222325n
    for (const byte of Buffer.from(given)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn
    return hash.toString(16).padStart(16, '0')
  }
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (given) => {
      expect(hashOf(given)).toBe(byBigInt(given))
    }),
  )
  expect(hashOf('')).toBe('cbf29ce484222325')
})

/** The text that the digest is of, all at once. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{${fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join()}}`
}

const turned = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(turned) : typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).toReversed().map(([name, field]) => [name, turned(field)])) : value

test('the digest of data is the hash of its canonical text, however its fields are turned, shared or left without a value', () => {
  const data = fc.jsonValue({ depthSize: 'small', stringUnit: 'binary' })
  fc.assert(
    fc.property(data, data, (one, other) => {
      const shared = { one, list: [one, other, one, ['a', 'b']], other: { ...{ other }, gone: undefined } }
      expect(digestOf(shared)).toBe(hashOf(canonical(shared)))
      expect(digestOf(turned(shared))).toBe(digestOf(shared))
    }),
  )
})

test('the digest of more than is hashed at a time is the same', () => {
  const list = ['é', '\u{1f600}', 'x'.repeat(1000)]
  const much = Array.from({ length: 300 }, (_, at) => ({ at, list, own: [...list] }))
  expect(digestOf(much)).toBe(hashOf(canonical(much)))
})

test('names are in the order of their UTF-8, where UTF-16 has another one too', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '\u007f', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{1f600}'), maxLength: 4 })
  fc.assert(
    fc.property(name, name, (a, b) => {
      expect(Math.sign(compareNames(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))))
    }),
    { numRuns: 1000 },
  )
})
