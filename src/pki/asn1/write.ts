/** The DER writer (X.690 §8, §10, §11): functions from content to encoding, each canonical by construction. */
import { compareBytes } from '../../bytes.js'

/** A value of any tag: identifier octet, shortest length, content (below 16 MiB). */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const octets = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x1_0000 ? 2 : 3
  const value = new Uint8Array(2 + octets + length)
  value[0] = tag
  value[1] = octets === 0 ? length : 0x80 | octets
  for (let i = 0; i < octets; i++) value[2 + i] = (length >> (8 * (octets - 1 - i))) & 0xff
  let at = 2 + octets
  for (const part of parts) {
    value.set(part, at)
    at += part.length
  }
  return value
}

/** A SEQUENCE of encoded values. */
export function sequence(...values: readonly Uint8Array[]): Uint8Array {
  return tlv(0x30, ...values)
}

/** A SET OF, its encoded values in DER order. */
export function setOf(...values: readonly Uint8Array[]): Uint8Array {
  return tlv(0x31, ...values.toSorted(compareBytes))
}

/** `[number]` around encoded values: an EXPLICIT tag, or the IMPLICIT one of a constructed type. */
export function tagged(number: number, ...values: readonly Uint8Array[]): Uint8Array {
  return tlv(0xa0 | number, ...values)
}

/** `[number] IMPLICIT` of a primitive type: its content. */
export function taggedPrimitive(number: number, content: Uint8Array): Uint8Array {
  return tlv(0x80 | number, content)
}

/** A non-negative INTEGER from its big-endian bytes. */
export function unsignedInteger(magnitude: Uint8Array): Uint8Array {
  let zeros = 0
  while (zeros < magnitude.length - 1 && magnitude[zeros] === 0) zeros++
  const [first = 0] = magnitude.subarray(zeros)
  // The first bit is the sign: a byte of zeros keeps the value positive, and stands for zero itself.
  return first >= 0x80 || magnitude.length === 0 ? tlv(0x02, Uint8Array.of(0), magnitude.subarray(zeros)) : tlv(0x02, magnitude.subarray(zeros))
}

/** A small non-negative INTEGER. */
export function smallInteger(value: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return unsignedInteger(Uint8Array.from(bytes))
}

/** A BIT STRING of whole octets. */
export function bitString(bytes: Uint8Array): Uint8Array {
  return tlv(0x03, Uint8Array.of(0), bytes)
}

/** A BIT STRING of named bits, trailing zero bits removed (X.690 §11.2.2). */
export function namedBits(bits: readonly number[]): Uint8Array {
  const last = Math.max(-1, ...bits)
  if (last < 0) return tlv(0x03, Uint8Array.of(0))
  const content = new Uint8Array(Math.floor(last / 8) + 1)
  for (const bit of bits) content[bit >> 3] = (content[bit >> 3] ?? 0) | (0x80 >> (bit & 7))
  return tlv(0x03, Uint8Array.of(7 - (last & 7)), content)
}

/** An OCTET STRING. */
export function octetString(bytes: Uint8Array): Uint8Array {
  return tlv(0x04, bytes)
}

/** The BOOLEAN true; false is what DEFAULT FALSE leaves out. */
export const TRUE: Uint8Array = Uint8Array.of(0x01, 0x01, 0xff)

/** The NULL. */
export const NULL: Uint8Array = Uint8Array.of(0x05, 0x00)

/** An OBJECT IDENTIFIER from its dotted form. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const content: number[] = []
  for (const arc of [first * 40 + second, ...rest]) {
    const septets = [arc % 128]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) septets.unshift(0x80 | left % 128)
    content.push(...septets)
  }
  return tlv(0x06, Uint8Array.from(content))
}
