/** Encrypted private keys, opened (RFC 8018 §6.2.2). */
import { EtcdRbacError } from '../errors.js'
import type { WebCryptoLike } from '../platform.js'
import { MAX_ITERATIONS, readEncryptedKey } from './asn1/pbes2.js'
import { FIPS_PBES2, fipsHashProblem } from './fips.js'
import { cipherKey, passphraseBytes, passphraseError } from './passphrase.js'
import { cipherSubtleOf } from './subtle.js'

const CONVERT = 'convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000'

/** PKCS#8 of an encrypted key, as far as its first fields are those of one. */
export async function decryptKey(crypto: WebCryptoLike, der: Uint8Array, passphrase: string | undefined, fips: boolean): Promise<Uint8Array> {
  const encrypted = readEncryptedKey(der)
  if ('unsupported' in encrypted)
    throw unsupported(encrypted.unsupported, `PBES2 with PBKDF2 (HMAC-SHA-1, 256, 384 or 512, at most ${MAX_ITERATIONS} iterations) and AES-128, 192 or 256 in CBC`)
  const problem = fips ? fipsHashProblem(encrypted.hash) : undefined
  if (problem !== undefined) throw unsupported(problem, FIPS_PBES2)
  const subtle = cipherSubtleOf(crypto)
  const key = await cipherKey(subtle, passphraseBytes(passphrase), encrypted, 'decrypt')
  const { iv, ciphertext } = encrypted
  // Whatever it is about, the padding or a cause that quotes what came out: it does not get out.
  const plain = await subtle.decrypt({ name: 'AES-CBC', iv }, key, ciphertext).then((bytes) => new Uint8Array(bytes), () => undefined)
  // One wrong passphrase in 256 leaves a padding that looks right.
  if (plain === undefined || !beginsLikeKey(plain)) throw passphraseError('wrong')
  return plain
}

/** SEQUENCE, version 0 or 1, SEQUENCE: five bytes at fixed places, and two ranges. What follows is for the reader to judge. */
function beginsLikeKey(bytes: Uint8Array): boolean {
  const [tag, length = 0] = bytes
  const at = length < 0x80 ? 2 : 2 + (length & 0x7f)
  return tag === 0x30 && bytes[at] === 0x02 && bytes[at + 1] === 1 && (bytes[at + 2] ?? 2) < 2 && bytes[at + 3] === 0x30
}

function unsupported(algorithm: string, wanted: string): EtcdRbacError<'ERR_ALGORITHM_UNSUPPORTED'> {
  return new EtcdRbacError('ERR_ALGORITHM_UNSUPPORTED', { found: `a private key encrypted by ${algorithm}`, wanted, fix: CONVERT }, { algorithm })
}
