/**
 * The one judge of the option `fips`: what it takes of keys and signatures. P-256, P-384 and RSA from 3072 bits, SHA-2 (FIPS 186-5, SP 800-131A),
 * narrower than the standards, which also have P-521, Ed25519 and RSA of 2048 bits.
 *
 * An option of minds, not a validation: whether the arithmetic runs in a validated module is for whoever passes the WebCrypto.
 */
import { signatureAlgorithms, type SignatureAlgorithm } from './asn1/algorithms.js'
import type { Pbkdf2Hash } from './asn1/pbes2.js'
import type { PublicKey } from './asn1/public-key.js'

/** The keys that the option takes, as messages say it. */
export const FIPS_KEYS = 'for fips ECDSA on P-256 or P-384, or RSA of 3072 to 8192 bits'

/** How a key may be encrypted, as messages say it. */
export const FIPS_PBES2 = 'for fips PBES2 with PBKDF2 over HMAC-SHA-256 and AES in CBC'

const LEAST_RSA_BITS = 3072

/** What the option has against a key, known by its algorithm at least, or against a signature by it; `undefined` if nothing. */
export function fipsProblem(key: Pick<PublicKey, 'algorithm'>, algorithm?: SignatureAlgorithm): string | undefined {
  const { algorithm: kind } = key
  const taken = kind.startsWith('rsa-') ? Number(kind.slice('rsa-'.length)) >= LEAST_RSA_BITS : kind === 'ecdsa-p256' || kind === 'ecdsa-p384'
  if (!taken) return `a key of ${kind}, which fips does not take`
  // Every hash here is SHA-2; only a signature of another family than the key's is left to refuse.
  return algorithm === undefined || kind.startsWith(signatureAlgorithms[algorithm].family) ? undefined : `a signature of ${algorithm}, which fips does not take of ${kind}`
}

/** What the option has against the way in which a key is encrypted; `undefined` if nothing. The cipher is AES in any case. */
export function fipsHashProblem(hash: Pbkdf2Hash): string | undefined {
  return hash === 'SHA-256' ? undefined : `PBKDF2 over HMAC-${hash}, which fips does not take`
}

/** The option as it was given. Anything but a boolean is refused: `'yes'` must not pass for no. */
export function checkFips(fips: boolean | undefined): boolean {
  const given: unknown = fips
  if (given !== undefined && typeof given !== 'boolean') throw new TypeError('fips must be true or false')
  return given === true
}
