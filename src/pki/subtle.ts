/** WebCrypto as it is used here: checked once at run time, then typed. Nothing is asked of it that `@peculiar/webcrypto` lacks. */
import { EtcdRbacError } from '../errors.js'
import type { WebCryptoLike } from '../platform.js'

/** A `CryptoKey`; only WebCrypto looks inside. */
export interface KeyHandle {
  readonly type: string
}

/** A key in JSON (RFC 7517), as far as it is read here. */
export interface JsonKey {
  readonly kty?: string
  readonly crv?: string
  readonly x?: string
  readonly y?: string
  readonly n?: string
  readonly e?: string
}

/** The part of `SubtleCrypto` that is used. */
export interface Subtle {
  digest(algorithm: string, data: Uint8Array): Promise<ArrayBuffer>
  generateKey(algorithm: object, extractable: boolean, usages: readonly string[]): Promise<{ readonly privateKey: KeyHandle; readonly publicKey: KeyHandle }>
  importKey(format: 'jwk', key: JsonKey, algorithm: object, extractable: boolean, usages: readonly string[]): Promise<KeyHandle>
  importKey(format: 'raw' | 'spki' | 'pkcs8', key: Uint8Array, algorithm: object, extractable: boolean, usages: readonly string[]): Promise<KeyHandle>
  exportKey(format: 'jwk', key: KeyHandle): Promise<JsonKey>
  exportKey(format: 'spki' | 'pkcs8', key: KeyHandle): Promise<ArrayBuffer>
  sign(algorithm: object, key: KeyHandle, data: Uint8Array): Promise<ArrayBuffer>
  verify(algorithm: object, key: KeyHandle, signature: Uint8Array, data: Uint8Array): Promise<boolean>
}

/** What encrypted keys need beside that; asked for only where there is one. */
export interface CipherSubtle extends Subtle {
  importKey(format: 'jwk', key: JsonKey, algorithm: object, extractable: boolean, usages: readonly string[]): Promise<KeyHandle>
  importKey(format: 'raw' | 'spki' | 'pkcs8', key: Uint8Array, algorithm: object | string, extractable: boolean, usages: readonly string[]): Promise<KeyHandle>
  deriveBits(algorithm: object, key: KeyHandle, length: number): Promise<ArrayBuffer>
  encrypt(algorithm: object, key: KeyHandle, data: Uint8Array): Promise<ArrayBuffer>
  decrypt(algorithm: object, key: KeyHandle, data: Uint8Array): Promise<ArrayBuffer>
}

const methods = ['digest', 'generateKey', 'importKey', 'exportKey', 'sign', 'verify'] as const

const cipherMethods = ['deriveBits', 'encrypt', 'decrypt'] as const

/**
 * The caller's WebCrypto, checked.
 *
 * @throws {@link EtcdRbacError} `ERR_CRYPTO_UNUSABLE`
 */
export function subtleOf(crypto: WebCryptoLike): Subtle {
  const given = crypto as Partial<WebCryptoLike> | null | undefined
  if (typeof given?.getRandomValues !== 'function') throw unusableCrypto('getRandomValues')
  // Browsers leave `subtle` out where the page did not come over TLS.
  if (typeof given.subtle !== 'object' || (given.subtle as object | null) === null) throw unusableCrypto('subtle')
  const subtle = given.subtle as Subtle
  for (const method of methods) if (typeof subtle[method] !== 'function') throw unusableCrypto(`subtle.${method}`)
  return subtle
}

/** The same with what encrypted keys need. */
export function cipherSubtleOf(crypto: WebCryptoLike): CipherSubtle {
  const subtle = subtleOf(crypto) as CipherSubtle
  for (const method of cipherMethods) if (typeof subtle[method] !== 'function') throw unusableCrypto(`subtle.${method}`)
  return subtle
}

/** The error of a WebCrypto that lacks something, an algorithm for example. No cause: some implementations quote what they could not read. */
export function unusableCrypto(missing: string): EtcdRbacError<'ERR_CRYPTO_UNUSABLE'> {
  return new EtcdRbacError(
    'ERR_CRYPTO_UNUSABLE',
    { found: `a WebCrypto object without ${missing}`, wanted: 'a complete one', fix: 'pass globalThis.crypto, or createWebCrypto() of etcd-rbac/webcrypto' },
    { missing },
  )
}

/** Whether WebCrypto refused something because it has no such algorithm (Web Cryptography API §18.4.4). */
export function isNotSupported(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'NotSupportedError'
}

/** Fresh random bytes. */
export function randomBytes(crypto: WebCryptoLike, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  crypto.getRandomValues(bytes)
  // All zeros is a stub that did nothing, as far as anything here draws (16 bytes and more).
  if (bytes.every((byte) => byte === 0))
    throw new EtcdRbacError(
      'ERR_CRYPTO_UNUSABLE',
      { found: 'getRandomValues that gives zeros only', wanted: 'random bytes', fix: 'pass a working WebCrypto object' },
      { missing: 'randomness' },
    )
  return bytes
}

/** The SHA-256 hash of bytes. */
export async function sha256(subtle: Subtle, bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await subtle.digest('SHA-256', bytes))
}
