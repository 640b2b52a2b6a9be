/** The passphrase of an encrypted key, and what comes of it: the key of a cipher (RFC 8018 §5.2, §6.2). */
import { isWellFormed, utf8 } from '../bytes.js'
import { EtcdRbacError, type ErrorDetails, type ErrorText } from '../errors.js'
import type { EncryptedKey } from './asn1/pbes2.js'
import { isNotSupported, unusableCrypto, type CipherSubtle, type KeyHandle } from './subtle.js'

const texts: Readonly<Record<ErrorDetails['ERR_PASSPHRASE']['reason'], ErrorText>> = {
  missing: { found: 'an encrypted private key without a passphrase', wanted: 'a passphrase of at least one character', fix: 'pass { passphrase }' },
  wrong: { found: 'an encrypted private key that this passphrase does not open', wanted: 'the passphrase that it was encrypted with', fix: 'see whether the right file and passphrase were passed' },
  'not encrypted': { found: 'a passphrase with a private key that is not encrypted', wanted: 'an encrypted one, or no passphrase', fix: 'see whether the right file was passed, or leave the passphrase out' },
  'too short': { found: 'a passphrase of fewer than 8 characters', wanted: 'at least 8', fix: 'choose a longer one' },
  'not ASCII': { found: 'a passphrase beyond visible ASCII', wanted: 'ASCII: Java takes no other for PKCS#12', fix: 'choose another' },
}

/** The error about a passphrase, which never quotes it. */
export function passphraseError(reason: ErrorDetails['ERR_PASSPHRASE']['reason']): EtcdRbacError<'ERR_PASSPHRASE'> {
  return new EtcdRbacError('ERR_PASSPHRASE', texts[reason], { reason })
}

/** The bytes of a passphrase: its UTF-8 form, as openssl has it on a terminal of UTF-8. */
export function passphraseBytes(passphrase: string | undefined): Uint8Array {
  const given: unknown = passphrase
  if (given === undefined || given === '') throw passphraseError('missing')
  if (typeof given !== 'string' || !isWellFormed(given)) throw new TypeError('a passphrase must be a string of whole characters')
  return utf8(given)
}

/** The key of AES in CBC that a passphrase gives with these numbers, for one use. */
export async function cipherKey(
  subtle: CipherSubtle,
  passphrase: Uint8Array,
  { hash, salt, iterations, keyBytes }: Pick<EncryptedKey, 'hash' | 'salt' | 'iterations' | 'keyBytes'>,
  use: 'encrypt' | 'decrypt',
): Promise<KeyHandle> {
  try {
    const secret = await subtle.importKey('raw', passphrase, 'PBKDF2', false, ['deriveBits'])
    const bits = await subtle.deriveBits({ name: 'PBKDF2', hash, salt, iterations }, secret, keyBytes * 8)
    return await subtle.importKey('raw', new Uint8Array(bits), { name: 'AES-CBC' }, false, [use])
  } catch (error) {
    // Chromium has no AES of 192 bits.
    throw unusableCrypto(isNotSupported(error) ? `PBKDF2 over ${hash} or AES-CBC of ${keyBytes * 8} bits` : 'a working PBKDF2 and AES-CBC')
  }
}
