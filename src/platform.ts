/**
 * What the caller passes in from the outside world, by structure.
 *
 * The platforms' own declarations of these (DOM, Node, `@peculiar/webcrypto`) are not assignable to one another, and naming any of them
 * would force `lib: dom` on every consumer. These are loose on purpose, and are checked at run time where they are used.
 */

/** A WebCrypto object: `globalThis.crypto`, `node:crypto`'s `webcrypto`, or one of `@peculiar/webcrypto`. */
export interface WebCryptoLike {
  /** Its `SubtleCrypto`. */
  readonly subtle: object
  /** Fills a typed array with random values. */
  // The platforms type the array differently; only `any` accepts them all.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  getRandomValues(array: any): unknown
}

/** An `AbortSignal`, as far as it is read here. */
export interface AbortSignalLike {
  readonly aborted: boolean
  readonly reason?: unknown
}

/** The headers of an answer: `Headers` fits. */
export interface HeadersLike {
  /** The value of a header, by its name in any case; `null` where it is missing. */
  get(name: string): string | null
}

/** The answer of a {@link FetchLike}: a `Response` fits. */
export interface ResponseLike {
  readonly status: number
  readonly headers: HeadersLike
  /** The whole body as text. */
  text(): Promise<string>
}

/**
 * A fetch-like function: `fetch` fits, and so does a function of ten lines over `node:https` that carries a client certificate.
 *
 * It must reject on a transport error, resolve on every HTTP status, and must not follow redirects (a redirected PUT becomes a GET).
 * `signal` aborts when the call's deadline has passed; a function that ignores it only keeps its socket longer.
 */
export type FetchLike = (
  url: string,
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  init: { method: string; headers?: Record<string, string>; body?: string; redirect: 'manual'; signal?: any },
) => Promise<ResponseLike>
