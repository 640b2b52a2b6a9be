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

const methods = ['digest', 'generateKey', 'importKey', 'exportKey', 'sign', 'verify'] as const

/**
 * The caller's WebCrypto, checked.
 *
 * @throws {@link EtcdRbacError} `ERR_CRYPTO_UNUSABLE`
 */
export function subtleOf(crypto: WebCryptoLike): Subtle {
  const unusable = (missing: string): never => {
    throw new EtcdRbacError(
      'ERR_CRYPTO_UNUSABLE',
      { found: `a WebCrypto object without ${missing}`, wanted: 'a complete one', fix: 'pass globalThis.crypto, or createWebCrypto() of etcd-rbac/webcrypto' },
      { missing },
    )
  }
  const given = crypto as Partial<WebCryptoLike> | null | undefined
  if (typeof given?.getRandomValues !== 'function') return unusable('getRandomValues')
  // Browsers leave `subtle` out where the page did not come over TLS.
  if (typeof given.subtle !== 'object' || (given.subtle as object | null) === null) return unusable('subtle')
  const subtle = given.subtle as Subtle
  for (const method of methods) if (typeof subtle[method] !== 'function') return unusable(`subtle.${method}`)
  return subtle
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
