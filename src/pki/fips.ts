/**
 * The one judge of the option `fips`: what it takes of keys and signatures. P-256, P-384 and RSA from 3072 bits, SHA-2 (FIPS 186-5, SP 800-131A),
 * narrower than the standards, which also have P-521, Ed25519 and RSA of 2048 bits.
 *
 * An option of minds, not a validation: whether the arithmetic runs in a validated module is for whoever passes the WebCrypto.
 */
import { signatureAlgorithms, type SignatureAlgorithm } from './asn1/algorithms.js'
import type { PublicKey } from './asn1/public-key.js'

/** The keys that the option takes, as messages say it. */
export const FIPS_KEYS = 'for fips ECDSA on P-256 or P-384, or RSA of 3072 to 8192 bits'

const LEAST_RSA_BITS = 3072

/** What the option has against a key, or against a signature by it; `undefined` if nothing. */
export function fipsProblem(key: PublicKey, algorithm?: SignatureAlgorithm): string | undefined {
  const taken = key.family === 'rsa' ? Number(key.algorithm.slice('rsa-'.length)) >= LEAST_RSA_BITS : key.algorithm === 'ecdsa-p256' || key.algorithm === 'ecdsa-p384'
  if (!taken) return `a key of ${key.algorithm}, which fips does not take`
  // Every hash here is SHA-2; only a signature of another family than the key's is left to refuse.
  return algorithm === undefined || signatureAlgorithms[algorithm].family === key.family ? undefined : `a signature of ${algorithm}, which fips does not take of ${key.algorithm}`
}

/** The option as it was given. Anything but a boolean is refused: `'yes'` must not pass for no. */
export function checkFips(fips: boolean | undefined): boolean {
  const given: unknown = fips
  if (given !== undefined && typeof given !== 'boolean') throw new TypeError('fips must be true or false')
  return given === true
}
