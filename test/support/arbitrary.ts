/** Generators of keys, permissions and policies for laws. Small alphabets, so that collisions and neighbours are frequent. */
import fc from 'fast-check'
import { compareBytes, concatBytes, utf8 } from '../../src/bytes.js'
import { allKeys, fromKey, key, pattern, prefix, range, read, readwrite, write, type KeyRange, type PathPattern, type Permission } from '../../src/keys/index.js'

/** The bytes at which carrying and open ends change. */
const alphabet: readonly number[] = [0, 1, 0xfe, 0xff]

/** All keys of that alphabet up to a length. */
export function keysUpTo(longest: number): readonly Uint8Array[] {
  const longer = (keys: readonly (readonly number[])[]): readonly (readonly number[])[] => keys.flatMap((key) => alphabet.map((byte) => [...key, byte]))
  const byLength: (readonly (readonly number[])[])[] = [longer([[]])]
  while (byLength.length < longest) byLength.push(longer(byLength.at(-1) ?? []))
  return byLength.flat().map((key) => Uint8Array.from(key))
}

/** A key of at most three bytes of that alphabet. */
export const smallKey: fc.Arbitrary<Uint8Array> = fc.array(fc.constantFrom(...alphabet), { minLength: 1, maxLength: 3 }).map((values) => Uint8Array.from(values))

/** A key of any bytes or text. */
export const anyKey: fc.Arbitrary<Uint8Array | string> = fc.oneof(
  smallKey,
  fc.uint8Array({ minLength: 1, maxLength: 12 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }),
  fc.constantFrom('/calico/', '/calico', '/registry/', '/', 'compact_rev_key'),
)

const bytesOf = (value: Uint8Array | string): Uint8Array => (typeof value === 'string' ? utf8(value) : value)

/** Any v3 key range whose bounds are made of these keys. */
export function keyRange(keys: fc.Arbitrary<Uint8Array | string>): fc.Arbitrary<KeyRange> {
  return fc.oneof(
    keys.map((one) => key(one)),
    keys.map((one) => prefix(one, { siblings: 'include' })),
    fc
      .tuple(keys, keys)
      .filter(([a, b]) => compareBytes(bytesOf(a), bytesOf(b)) !== 0)
      .map(([a, b]) => (compareBytes(bytesOf(a), bytesOf(b)) < 0 ? range(a, b) : range(b, a))),
    keys.map((one) => fromKey(one)),
    fc.constant(allKeys()),
  )
}

/** Any v3 key range that a policy may hold. */
export const anyRange: fc.Arbitrary<KeyRange> = fc.oneof(
  keyRange(anyKey),
  anyKey.map((one) => prefix(concatBytes(bytesOf(one), utf8('/')))),
)

/** A v2 path over a small alphabet, clean as etcd wants it. */
export const smallPath: fc.Arbitrary<string> = fc
  .array(fc.constantFrom('/', 'c', 'd'), { maxLength: 5 })
  .map((parts) => `/${parts.join('')}`)
  .filter((text) => !text.includes('//'))

/** A v2 pattern over the same alphabet. */
export const anyPattern: fc.Arbitrary<PathPattern> = fc
  .oneof(
    fc.constant('*'),
    smallPath,
    smallPath.map((text) => `${text}*`),
  )
  .map((text) => pattern(text))

/** A permission of any type on these keys. */
export function permission<S extends KeyRange | PathPattern>(keys: fc.Arbitrary<S>): fc.Arbitrary<Permission<S>> {
  return fc.tuple(fc.constantFrom(read<S>, write<S>, readwrite<S>), keys).map(([make, one]) => make(one))
}
