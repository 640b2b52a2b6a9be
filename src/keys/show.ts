/** Key ranges and patterns as text, for people. */
import type { KeyRange, KeyText } from './key-range.js'
import type { Path, PathPattern } from './pattern.js'
import type { Permission } from './permission.js'

/** A key as it stands in a text, in quotes where it could be read as something else. */
function showKey(key: KeyText, ambiguous?: RegExp): string {
  if (typeof key !== 'string') return `base64:${key.base64}`
  const inQuotes = JSON.stringify(key)
  return key.startsWith('base64:') || ambiguous?.test(key) === true ? inQuotes : inQuotes.slice(1, -1)
}

/** A key that would be read as a prefix, a range or all keys; an end of a range that would be read as two, or as none. */
const LIKE_OTHERS = /\*$|^\[|^all keys$/
const LIKE_ENDS = /, |,$|^end of all keys$/

/**
 * A key range, pattern or path as people read it. Bytes that are no text stand as `base64:…`; a key whose text could be read as anything but that
 * key stands in quotes: no two ranges have one text.
 *
 * @example
 * ```ts
 * import { key, prefix, range, showKeys } from 'etcd-rbac'
 * console.log(showKeys(prefix('/calico/'))) // /calico/*
 * console.log(showKeys(range('/a', '/b'))) // [/a, /b)
 * console.log(showKeys(key('/calico/*'))) // "/calico/*"
 * ```
 */
export function showKeys(keys: KeyRange | PathPattern | Path): string {
  if (keys.api === 'v2') return 'pattern' in keys ? keys.pattern : `${/\*$| \(recursive\)$/.test(keys.path) ? JSON.stringify(keys.path) : keys.path}${keys.recursive ? ' (recursive)' : ''}`
  switch (keys.kind) {
    case 'key':
      return showKey(keys.key, LIKE_OTHERS)
    case 'prefix':
      return `${showKey(keys.prefix)}*`
    case 'range':
      return `[${showKey(keys.start, LIKE_ENDS)}, ${showKey(keys.end, LIKE_ENDS)})`
    case 'fromKey':
      return `[${showKey(keys.start, LIKE_ENDS)}, end of all keys)`
    case 'allKeys':
      return 'all keys'
  }
}

/**
 * A permission as people read it.
 *
 * @example
 * ```ts
 * import { prefix, readwrite, showPermission } from 'etcd-rbac'
 * console.log(showPermission(readwrite(prefix('/calico/')))) // readwrite /calico/*
 * ```
 */
export function showPermission({ type, keys }: Permission): string {
  return `${type} ${showKeys(keys)}`
}
