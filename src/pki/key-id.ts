/** Key identifiers (RFC 7093 §2, method 1): the leftmost 160 bits of the SHA-256 hash of the key's BIT STRING. */
import { sha256, type Subtle } from './subtle.js'
import type { PublicKey } from './asn1/public-key.js'

/** The identifier of a public key: 20 bytes. */
export async function keyIdOf(subtle: Subtle, key: PublicKey): Promise<Uint8Array> {
  return (await sha256(subtle, key.bits)).subarray(0, 20)
}
