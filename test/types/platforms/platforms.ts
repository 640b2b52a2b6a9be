/** What the caller passes in from the outside world fits as it is: the platform's, Node's and @peculiar's, with `dom` and Node's declarations loaded. */
import { webcrypto } from 'node:crypto'
import { Crypto as PeculiarCrypto } from '@peculiar/webcrypto'
import type { AbortSignalLike, FetchLike, ResponseLike, WebCryptoLike } from '../../../src/platform.js'
import { createWebCrypto } from '../../../src/webcrypto.js'

export const cryptos: readonly WebCryptoLike[] = [globalThis.crypto, webcrypto, new PeculiarCrypto(), createWebCrypto()]
export const signals: readonly AbortSignalLike[] = [new AbortController().signal, AbortSignal.timeout(1)]
export const fetches: readonly FetchLike[] = [fetch, (url, init) => fetch(url, init)]
export const responses: readonly ResponseLike[] = [new Response('')]

// @ts-expect-error no WebCrypto: it has no subtle
export const noCrypto: WebCryptoLike = { getRandomValues: () => undefined }
// @ts-expect-error no WebCrypto, but a part of one
export const subtle: WebCryptoLike = globalThis.crypto.subtle
// @ts-expect-error no fetch: it answers at once
export const noFetch: FetchLike = () => new Response('')
// @ts-expect-error no signal
export const noSignal: AbortSignalLike = new AbortController()
