/** What identifies the keys of a permission in a role of etcd, and several permissions on the same keys as the one that they add up to. */
import { toHex } from '../bytes.js'
import { toWire } from './interval.js'
import type { KeyRange } from './key-range.js'
import type { PathPattern } from './pattern.js'
import { mergeTypes, type Permission } from './permission.js'

/** What identifies a permission's keys in a role: etcd v3 matches `key` and `range_end` byte by byte, etcd v2 the pattern. */
export function scopeOf(keys: KeyRange | PathPattern): string {
  if (keys.api === 'v2') return keys.pattern
  const { key, rangeEnd } = toWire(keys)
  return `${toHex(key)}-${toHex(rangeEnd)}`
}

/** Permissions by scope; of several on the same keys, what they allow together: etcd would keep the last. */
export function byScope<S extends KeyRange | PathPattern>(permissions: readonly Permission<S>[]): ReadonlyMap<string, Permission<S>> {
  const merged = new Map<string, Permission<S>>()
  for (const permission of permissions) {
    const scope = scopeOf(permission.keys)
    const before = merged.get(scope)
    merged.set(scope, before === undefined ? permission : { keys: permission.keys, type: mergeTypes(before.type, permission.type) })
  }
  return merged
}
