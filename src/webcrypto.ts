/** A WebCrypto for runtimes whose own is missing or incomplete: `@peculiar/webcrypto`, an optional peer dependency. The platform's is faster. */
import { Crypto as PeculiarCrypto } from '@peculiar/webcrypto'
import type { WebCryptoLike } from './platform.js'

/**
 * A new WebCrypto object over `@peculiar/webcrypto`, to pass wherever this library asks for one. It computes in the calling thread: an RSA key
 * pair blocks it for a tenth of a second or more. Where `globalThis.crypto.subtle` exists, pass `globalThis.crypto` instead.
 *
 * @example
 * ```ts
 * import { generateKeyPair } from 'etcd-rbac'
 * import { createWebCrypto } from 'etcd-rbac/webcrypto'
 * const keys = await generateKeyPair(createWebCrypto(), 'ecdsa-p256')
 * ```
 */
export function createWebCrypto(): WebCryptoLike {
  return new PeculiarCrypto()
}
