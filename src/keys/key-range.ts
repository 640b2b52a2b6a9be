/**
 * v3 key ranges as data: a single key, a prefix, a half-open range, everything from a key on, or all keys.
 *
 * etcd orders keys as bytes; a range includes its start and excludes its end. On the wire (rpc.proto, `key` and `range_end`) an empty
 * end means one key and an end of one zero byte means "no end".
 */
import { EtcdRbacError, quoted } from '../errors.js'
import { compareBytes, concatBytes, fromBase64, fromUtf8, isWellFormed, toBase64, utf8 } from '../bytes.js'
import type { Because } from '../because.js'

/** A key as data: its text, or base64 where its bytes are not UTF-8. */
export type KeyText = string | { readonly base64: string }

/** One key. */
export interface Key {
  readonly api: 'v3'
  readonly kind: 'key'
  readonly key: KeyText
}

/** All keys that begin with `prefix`. `siblings: 'include'` says that a prefix without terminator is meant. */
export interface Prefix {
  readonly api: 'v3'
  readonly kind: 'prefix'
  readonly prefix: KeyText
  readonly siblings?: 'include'
}

/** All keys from `start` up to, but not including, `end`. */
export interface Range {
  readonly api: 'v3'
  readonly kind: 'range'
  readonly start: KeyText
  readonly end: KeyText
}

/** All keys from `start` on, without end: every later tenant's included. */
export interface FromKey {
  readonly api: 'v3'
  readonly kind: 'fromKey'
  readonly start: KeyText
}

/** Every key. Not the same as role root: compaction, membership and the auth RPCs stay closed. */
export interface AllKeys {
  readonly api: 'v3'
  readonly kind: 'allKeys'
}

/** Any v3 key range. */
export type KeyRange = Key | Prefix | Range | FromKey | AllKeys

/**
 * `P` where it ends with `/`; otherwise a type that says what the prefix would open. A text that is not known when compiling is left to run time.
 */
// Such a text (`string`, or a template with `string` in it) makes a table type that may be empty.
export type Terminated<P> = P extends string
  ? P extends `${string}/`
    ? P
    : Record<never, never> extends Record<P, 1>
      ? P
      : Because<`prefix '${P}' has no terminator and would open '${P}foo' too: write '${P}/', or pass { siblings: 'include' } if that is meant`>
  : P

function refuseKey(found: string, wanted: string, fix: string, key: string): never {
  throw new EtcdRbacError('ERR_KEY_INVALID', { found, wanted, fix }, { key })
}

/** The bytes of a key as data. */
export function keyBytes(text: KeyText): Uint8Array {
  if (typeof text === 'string') return utf8(text)
  return fromBase64(text.base64) ?? refuseKey('a key in malformed base64', 'canonical base64 with padding', 'encode it again', text.base64)
}

/** A key's bytes as data. */
export function keyText(bytes: Uint8Array): KeyText {
  const text = fromUtf8(bytes)
  return text === undefined ? Object.freeze({ base64: toBase64(bytes) }) : text
}

/** A key as one string, for people: bytes that are no text as `base64:…`. */
function plainKey(text: KeyText): string {
  return typeof text === 'string' ? text : `base64:${text.base64}`
}

function checkedKey(key: string | Uint8Array): KeyText {
  if (key instanceof Uint8Array) {
    if (key.length === 0) refuseKey('an empty key', 'at least one byte', 'use allKeys() if every key is meant', '')
    return keyText(key)
  }
  if (typeof key !== 'string') throw new TypeError('a key must be a string or a Uint8Array')
  if (key === '') refuseKey('an empty key', 'at least one byte', 'use allKeys() if every key is meant', key)
  if (!isWellFormed(key)) refuseKey('a key with half of a surrogate pair', 'well-formed Unicode', 'pass bytes instead', key)
  return key
}

/**
 * One key: on the wire the key alone, without `range_end`.
 *
 * @throws {@link EtcdRbacError} `ERR_KEY_INVALID` for an empty key, or for half of a surrogate pair: pass bytes where a key is no text
 * @example
 * ```ts
 * import { key } from 'etcd-rbac'
 * key('compact_rev_key')
 * key(Uint8Array.of(0xff, 0x01))
 * ```
 */
export function key(name: string | Uint8Array): Key {
  return { api: 'v3', kind: 'key', key: checkedKey(name) }
}

/**
 * All keys that begin with a prefix, which must end with `/`: without it, a sibling is opened too (`/calico` opens `/calicofoo`). The key `/calico`
 * itself is not in `prefix('/calico/')`.
 *
 * Follows etcd's `client/v3/op.go`, getPrefix: `range_end` is the prefix with its last byte incremented, `0xff` bytes at its end dropped.
 *
 * @param options Its `siblings: 'include'` says that keys beside the prefix are meant, or that another character ends it.
 * @throws {@link EtcdRbacError} `ERR_PREFIX_UNTERMINATED`, `ERR_KEY_INVALID`
 * @example
 * ```ts
 * import { prefix } from 'etcd-rbac'
 * prefix('/calico/')
 * prefix('/tenant-1:', { siblings: 'include' })
 * ```
 */
export function prefix<const P extends string | Uint8Array, const O extends { readonly siblings?: 'include' } = Record<never, never>>(
  name: O extends { readonly siblings: 'include' } ? P : Terminated<P>,
  options?: O,
): Prefix {
  const text = checkedKey(name)
  const bytes = keyBytes(text)
  if (options?.siblings === 'include') return { api: 'v3', kind: 'prefix', prefix: text, siblings: 'include' }
  if (bytes.at(-1) !== 0x2f) {
    const shown = plainKey(text)
    const sibling = plainKey(keyText(concatBytes(bytes, utf8('foo'))))
    // Bytes that are no text are shown as base64, which is nothing to write in their place.
    const ended = typeof text === 'string' ? `write ${quoted(`${shown}/`)}` : 'append the byte 0x2f ("/")'
    throw new EtcdRbacError(
      'ERR_PREFIX_UNTERMINATED',
      {
        found: `prefix ${quoted(shown)}, which would open ${quoted(sibling)} too`,
        wanted: `a prefix that ends with "/"`,
        fix: `${ended}, or pass { siblings: 'include' } if that is meant`,
      },
      { prefix: shown, sibling },
    )
  }
  return { api: 'v3', kind: 'prefix', prefix: text }
}

/**
 * All keys from `start` (included) to `end` (excluded), in byte order.
 *
 * @throws {@link EtcdRbacError} `ERR_RANGE_EMPTY` if no key lies between, `ERR_KEY_INVALID`
 * @example
 * ```ts
 * import { range } from 'etcd-rbac'
 * range('/tenants/a/', '/tenants/m/') // tenants a to l
 * ```
 */
export function range(start: string | Uint8Array, end: string | Uint8Array): Range {
  const [from, to] = [checkedKey(start), checkedKey(end)]
  if (compareBytes(keyBytes(from), keyBytes(to)) >= 0) {
    const shown = { start: plainKey(from), end: plainKey(to) }
    throw new EtcdRbacError(
      'ERR_RANGE_EMPTY',
      { found: `range from ${quoted(shown.start)} to ${quoted(shown.end)}, which holds no key`, wanted: 'an end after the start, in byte order', fix: 'swap or correct them' },
      shown,
    )
  }
  return { api: 'v3', kind: 'range', start: from, end: to }
}

/**
 * Every key from `start` on, without end. It opens whatever is added behind it later; {@link prefix} or {@link range} is nearly always meant.
 * On the wire `range_end` is one zero byte.
 *
 * @throws {@link EtcdRbacError} `ERR_KEY_INVALID`
 * @example
 * ```ts
 * import { fromKey, read } from 'etcd-rbac'
 * read(fromKey('/calico/'))
 * ```
 */
export function fromKey(start: string | Uint8Array): FromKey {
  return { api: 'v3', kind: 'fromKey', start: checkedKey(start) }
}

/**
 * Every key. Less than role root: whoever may read and write all keys may still not compact (from 3.4.42, 3.5.28 and 3.6.9 on), change members or call
 * the auth RPCs. On the wire key and `range_end` are one zero byte each.
 *
 * @example
 * ```ts
 * import { allKeys, read } from 'etcd-rbac'
 * read(allKeys())
 * ```
 */
export function allKeys(): AllKeys {
  return { api: 'v3', kind: 'allKeys' }
}
