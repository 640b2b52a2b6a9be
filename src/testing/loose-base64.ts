/** Base64 as protobufjs reads it (`@protobufjs/base64`): without padding too. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The bytes, or `undefined` where a character is none of base64's, or the last stands alone. */
export function fromLooseBase64(text: string): Uint8Array | undefined {
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const char of text) {
    // The padding ends it, where a byte has begun.
    if (char === '=' && held > 0 && held < 6) break
    const value = ALPHABET.indexOf(char)
    if (value < 0) return undefined
    bits = ((bits << 6) | value) & 0xfff
    held += 6
    if (held < 8) continue
    held -= 8
    bytes.push((bits >> held) & 0xff)
  }
  return held === 6 ? undefined : Uint8Array.from(bytes)
}
