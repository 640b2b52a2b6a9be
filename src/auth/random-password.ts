/** Passwords for users who never log in by one: drawn, sent once, and forgotten. */
import { toBase64 } from '../bytes.js'
import type { WebCryptoLike } from '../platform.js'

/** 256 random bits as 44 characters: within bcrypt's 72 bytes, beyond any guess. */
export function randomPassword(crypto: WebCryptoLike): string {
  const bytes = new Uint8Array(32)
  crypto.getRandomValues(bytes)
  return toBase64(bytes)
}
