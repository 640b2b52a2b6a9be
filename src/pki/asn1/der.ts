/**
 * A strict DER reader (ITU-T X.690 §8, §10, §11), for what X.509 uses of it. One value, completely checked, or `ERR_DER_INVALID` with the offset.
 *
 * Strict, since two readers of one certificate must see the same one: what is not the only encoding of its value is refused. Definite
 * minimal lengths, no trailing bytes, canonical primitives ({@link checkPrimitive}), sorted SETs, and bounds on size and depth, so that
 * hostile input costs no more than its length.
 */
import { compareBytes } from '../../bytes.js'
import { checkPrimitive } from './primitive.js'
import { refuseDer } from './refuse.js'

/** One encoded value, as offsets into its source. `tag` is the identifier octet: class, constructed bit and number. */
export interface DerValue {
  readonly source: Uint8Array
  readonly tag: number
  /** Offset of the identifier octet. */
  readonly start: number
  /** Offset of the first content octet. */
  readonly content: number
  /** Offset after the last content octet. */
  readonly end: number
  /** The values inside, where constructed. */
  readonly children: readonly DerValue[]
}

/** Bounds of {@link readDer}. */
export interface DerLimits {
  readonly bytes: number
  readonly depth: number
}

/** Room for a certificate with some hundred names; etcd's own are below 2 KiB. */
export const DER_LIMITS: DerLimits = { bytes: 65_536, depth: 16 }

/** The same for revocation lists, which grow with what they revoke: as far as three octets of length reach, some 300,000 entries. */
export const CRL_LIMITS: DerLimits = { bytes: 16_777_215, depth: 16 }

/** Shared: most values have none. */
const NO_CHILDREN: readonly DerValue[] = []
const CONSTRUCTED = 0x20
const SEQUENCE = 0x30
const SET = 0x31

/**
 * The one DER value that `bytes` are.
 *
 * @throws {@link EtcdRbacError} `ERR_DER_INVALID` with the offset of the fault
 */
export function readDer(bytes: Uint8Array, limits: DerLimits = DER_LIMITS): DerValue {
  if (bytes.length > limits.bytes) return refuseDer(limits.bytes, `it is longer than ${limits.bytes} bytes`)
  const value = readValue(bytes, 0, bytes.length, limits.depth)
  if (value.end !== bytes.length) return refuseDer(value.end, `${bytes.length - value.end} trailing bytes`)
  return value
}

/** The encoding of a value, header included. */
export function encoded(value: DerValue): Uint8Array {
  return value.source.subarray(value.start, value.end)
}

/** The content octets of a value. */
export function contents(value: DerValue): Uint8Array {
  return value.source.subarray(value.content, value.end)
}

function readValue(source: Uint8Array, start: number, limit: number, depth: number): DerValue {
  if (depth === 0) return refuseDer(start, 'it is nested too deeply')
  const tag = source[start]
  if (tag === undefined || start >= limit) return refuseDer(start, 'it is cut off where a tag should be')
  if ((tag & 0x1f) === 0x1f) return refuseDer(start, 'a tag number above 30, which X.509 does not use')
  const kind = tag & 0xc0
  if (kind !== 0 && kind !== 0x80) return refuseDer(start, 'an application or private tag, which X.509 does not use')
  const { length, content } = readLength(source, start + 1, limit)
  const end = content + length
  if (end > limit) return refuseDer(start, `its length ${length} reaches ${end - limit} bytes past the end`)

  if ((tag & CONSTRUCTED) === 0) {
    if (kind === 0) checkPrimitive(tag, source.subarray(content, end), start)
    return { source, tag, start, content, end, children: NO_CHILDREN }
  }
  if (kind === 0 && tag !== SEQUENCE && tag !== SET) return refuseDer(start, `a constructed form of tag 0x${(tag & 0x1f).toString(16)}`)
  const children: DerValue[] = []
  for (let at = content; at < end; ) {
    const child = readValue(source, at, end, depth - 1)
    children.push(child)
    at = child.end
  }
  if (tag === SET) checkSetOrder(children)
  return { source, tag, start, content, end, children }
}

function readLength(source: Uint8Array, at: number, limit: number): { readonly length: number; readonly content: number } {
  const first = source[at]
  if (first === undefined || at >= limit) return refuseDer(at, 'it is cut off where a length should be')
  if (first < 0x80) return { length: first, content: at + 1 }
  const octets = first & 0x7f
  if (octets === 0) return refuseDer(at, 'an indefinite length')
  // Three octets hold 16 MiB, far above every bound here; more would only serve to overflow.
  if (octets > 3) return refuseDer(at, `a length of ${octets} octets`)
  let length = 0
  for (let i = 1; i <= octets; i++) {
    const octet = source[at + i]
    if (octet === undefined || at + i >= limit) return refuseDer(at + i, 'it is cut off within a length')
    length = length * 256 + octet
  }
  if (length < 0x80 || length < 256 ** (octets - 1)) return refuseDer(at, 'a length that is not in its shortest form')
  return { length, content: at + 1 + octets }
}

/** Refuses the elements of a SET OF that are not in ascending order of their encodings (X.690 §11.6). */
export function checkSetOrder(children: readonly DerValue[]): void {
  for (const [index, child] of children.entries()) {
    const before = children[index - 1]
    if (before !== undefined && compareBytes(encoded(before), encoded(child)) > 0) refuseDer(child.start, 'a SET that is not in order')
  }
}
