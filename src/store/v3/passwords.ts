/**
 * Passwords as bcrypt treats them, without its cost: bytes behind the 72nd do not count (`golang.org/x/crypto/bcrypt`).
 *
 * They are kept as they come: this store forgets everything with its process, and must never be given a password that protects something.
 */
import { compareBytes, utf8 } from '../../bytes.js'
import type { Password } from './state.js'

/** How many bytes of a password bcrypt reads. */
export const PASSWORD_BYTES = 72

/** Whether bcrypt of Go 1.20 and later refuses to hash it. */
export function isTooLong(password: string): boolean {
  return utf8(password).length > PASSWORD_BYTES
}

/** A password as it is kept. */
export function keep(password: string): Password {
  return { kind: 'password', bytes: utf8(password).slice(0, PASSWORD_BYTES) }
}

/** Whether an attempt is the password. */
export function matches(password: Password, attempt: string): boolean {
  return password.kind === 'password' && compareBytes(password.bytes, utf8(attempt).slice(0, PASSWORD_BYTES)) === 0
}
