/** Key ranges and patterns as text, for people. */
import type { KeyRange, KeyText } from './key-range.js'
import type { Path, PathPattern } from './pattern.js'
import type { Permission } from './permission.js'

function showKey(key: KeyText): string {
  return typeof key === 'string' ? JSON.stringify(key).slice(1, -1) : `base64:${key.base64}`
}

/**
 * A key range, pattern or path as people read it. Bytes that are no text stand as `base64:…`.
 *
 * @example
 * ```ts
 * import { prefix, range, showKeys } from 'etcd-rbac'
 * console.log(showKeys(prefix('/calico/'))) // /calico/*
 * console.log(showKeys(range('/a', '/b'))) // [/a, /b)
 * ```
 */
export function showKeys(keys: KeyRange | PathPattern | Path): string {
  if (keys.api === 'v2') return 'pattern' in keys ? keys.pattern : `${keys.path}${keys.recursive ? ' (recursive)' : ''}`
  switch (keys.kind) {
    case 'key':
      return showKey(keys.key)
    case 'prefix':
      return `${showKey(keys.prefix)}*`
    case 'range':
      return `[${showKey(keys.start)}, ${showKey(keys.end)})`
    case 'fromKey':
      return `[${showKey(keys.start)}, end of all keys)`
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
