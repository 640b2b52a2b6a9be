/** A right on v3 keys or v2 paths. There are no denials in etcd: what no role grants is refused. */
import type { KeyRange } from './key-range.js'
import type { PathPattern } from './pattern.js'

/** What may be done. Writing does not include reading; on v2 it leaks the old value all the same. */
export type PermissionType = 'read' | 'write' | 'readwrite'

/** A right on keys (v3) or paths (v2). */
export interface Permission<S extends KeyRange | PathPattern = KeyRange | PathPattern> {
  readonly type: PermissionType
  readonly keys: S
}

function permission<S extends KeyRange | PathPattern>(type: PermissionType, keys: S): Permission<S> {
  const { api } = Object(keys) as { readonly api?: unknown }
  if (api !== 'v3' && api !== 'v2') throw new TypeError('a permission is for keys made by key, prefix, range, fromKey, allKeys or pattern')
  return { type, keys }
}

/**
 * The right to read: v3 Range and Watch, v2 GET. Throws a `TypeError` for keys that no constructor made.
 *
 * @example
 * ```ts
 * import { prefix, read } from 'etcd-rbac'
 * read(prefix('/calico/'))
 * ```
 */
export function read<S extends KeyRange | PathPattern>(keys: S): Permission<S> {
  return permission('read', keys)
}

/**
 * The right to write, without reading: v3 Put and DeleteRange, v2 PUT, POST and DELETE. Compare-and-put and `prevKv` are refused then; {@link readwrite}
 * is nearly always meant. Throws a `TypeError` for keys that no constructor made.
 *
 * @example
 * ```ts
 * import { prefix, write } from 'etcd-rbac'
 * write(prefix('/reports/'))
 * ```
 */
export function write<S extends KeyRange | PathPattern>(keys: S): Permission<S> {
  return permission('write', keys)
}

/**
 * The right to read and write. Throws a `TypeError` for keys that no constructor made.
 *
 * @example
 * ```ts
 * import { prefix, readwrite } from 'etcd-rbac'
 * readwrite(prefix('/registry/'))
 * ```
 */
export function readwrite<S extends KeyRange | PathPattern>(keys: S): Permission<S> {
  return permission('readwrite', keys)
}

/** Whether a permission's type includes reading, or writing. */
export function allows(type: PermissionType, access: 'read' | 'write'): boolean {
  return type === access || type === 'readwrite'
}

/** Reading and writing of both together. */
export function mergeTypes(a: PermissionType, b: PermissionType): PermissionType {
  return a === b ? a : 'readwrite'
}
