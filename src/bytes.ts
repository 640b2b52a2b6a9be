/** Bytes and their text forms: UTF-8, base64 (RFC 4648), hex; order and concatenation. No dependency on the platform's `Buffer`. */

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Nearly all names and keys are ASCII and no longer: a few bytes are made far faster by hand, and leave less behind than an encoder does. */
const SHORT = 64

/** The UTF-8 bytes of a string. A lone surrogate has none: callers refuse it with {@link isWellFormed} first. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  if (text.length > SHORT) return encoder.encode(text)
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit > 0x7f) return encoder.encode(text)
    bytes[at] = unit
  }
  return bytes
}

/** Whether a string has no lone surrogate, so that its UTF-8 form says the same. */
export function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text)
}

/** The string of UTF-8 bytes, or `undefined` where they are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The characters of base64 by their value, as bytes, and what fills the last four. */
const CODES: Uint8Array = /* @__PURE__ */ encoder.encode(ALPHABET)
const PADDING = 0x3d

/** The value of each character of base64 by its code; 64 for what is none. */
const VALUES: Uint8Array = /* @__PURE__ */ Uint8Array.from({ length: 128 }, (_, code) => (ALPHABET.indexOf(String.fromCharCode(code)) + 65) % 65)

/** Base64 with padding, without line breaks (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  // Characters as bytes, made a string at once: of megabytes, one string for each would cost more than all else.
  const text = new Uint8Array(4 * Math.ceil(bytes.length / 3)).fill(PADDING)
  let at = 0
  for (let i = 0; i < bytes.length; i += 3, at += 4) {
    const left = bytes.length - i
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text[at] = CODES[word >> 18] ?? PADDING
    text[at + 1] = CODES[(word >> 12) & 63] ?? PADDING
    if (left > 1) text[at + 2] = CODES[(word >> 6) & 63] ?? PADDING
    if (left > 2) text[at + 3] = CODES[word & 63] ?? PADDING
  }
  return decoder.decode(text)
}

/** The bytes of canonical base64 (RFC 4648 §4: padded, no line breaks, spare bits zero), or `undefined` where it is anything else. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const end = text.length - padding
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  let at = 0
  for (let i = 0; i < end; i += 4) {
    let word = 0
    for (let j = i; j < i + 4; j++) {
      const value = j < end ? (VALUES[text.charCodeAt(j)] ?? 64) : 0
      if (value === 64) return undefined
      word = (word << 6) | value
    }
    for (let shift = 16; shift >= 0 && at < bytes.length; shift -= 8) bytes[at++] = (word >> shift) & 0xff
    // What the padding leaves over has one spelling only: zero.
    if (i + 4 > end && (word & ((1 << (8 * padding)) - 1)) !== 0) return undefined
  }
  return bytes
}

const HEX: readonly string[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lower-case hex, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte] ?? ''
  return text
}

/** Order of two byte strings as etcd orders keys: byte by byte, the shorter first (Go's `bytes.Compare`). */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** One byte string after the other. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return joinBytes(parts)
}

/** The same of a list of any length: engines take only so many arguments. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
