/** What a client asks of etcd, as data. A string is one v3 key; `path(…)` asks the v2 API. */
import { key, type KeyRange } from '../keys/key-range.js'
import type { Path } from '../keys/pattern.js'

/** One request for keys: on v3 for a range, on v2 for a path. */
export interface Operation {
  readonly op: 'get' | 'put' | 'del' | 'watch'
  readonly keys: KeyRange | Path
}

/** What an operation may be asked for: a v3 key by name, a v3 range, or a v2 path. */
export type Target = string | KeyRange | Path

const OPS: readonly unknown[] = ['get', 'put', 'del', 'watch'] satisfies readonly Operation['op'][]
const KINDS: readonly unknown[] = ['key', 'prefix', 'range', 'fromKey', 'allKeys'] satisfies readonly KeyRange['kind'][]

/** The operation, if it is one: a misspelt `op` must not be answered as if it were another. Its keys were checked where they were made. */
export function checkedOperation(operation: Operation): Operation {
  const { op, keys } = Object(operation) as { readonly op?: unknown; readonly keys?: unknown }
  if (!OPS.includes(op)) throw new TypeError('an operation is one of get, put, del and watch')
  const { api, kind, path, recursive } = Object(keys) as { readonly api?: unknown; readonly kind?: unknown; readonly path?: unknown; readonly recursive?: unknown }
  const v3 = api === 'v3' && KINDS.includes(kind)
  if (!v3 && !(api === 'v2' && typeof path === 'string' && typeof recursive === 'boolean')) throw new TypeError('an operation asks for a v3 key, a v3 range, or a v2 path made by path')
  if (v3 && op === 'put' && kind !== 'key') throw new TypeError('a put is for one key')
  return operation
}

const operation = (op: Operation['op'], keys: Target): Operation => checkedOperation({ op, keys: typeof keys === 'string' ? key(keys) : keys })

/**
 * Read: v3 Range, v2 GET.
 *
 * @throws {@link EtcdRbacError} `ERR_KEY_INVALID` for a key that is empty or no text
 * @example
 * ```ts
 * import { get, prefix } from 'etcd-rbac'
 * get('/calico/x')
 * get(prefix('/calico/'))
 * ```
 */
export function get(keys: Target): Operation {
  return operation('get', keys)
}

/**
 * Write: v3 Put of one key, v2 PUT or POST.
 *
 * @throws {@link EtcdRbacError} `ERR_KEY_INVALID` for a key that is empty or no text
 * @example
 * ```ts
 * import { path, put } from 'etcd-rbac'
 * put('/calico/x')
 * put(path('/calico/v1/x'))
 * ```
 */
export function put(key: string | Extract<KeyRange, { kind: 'key' }> | Path): Operation {
  return operation('put', key)
}

/**
 * Delete: v3 DeleteRange, v2 DELETE.
 *
 * @throws {@link EtcdRbacError} `ERR_KEY_INVALID` for a key that is empty or no text
 * @example
 * ```ts
 * import { del, prefix } from 'etcd-rbac'
 * del(prefix('/calico/'))
 * ```
 */
export function del(keys: Target): Operation {
  return operation('del', keys)
}

/**
 * Watch: v3 Watch, v2 GET with `wait=true`. Rights are asked for when it is opened, and never again.
 *
 * @throws {@link EtcdRbacError} `ERR_KEY_INVALID` for a key that is empty or no text
 * @example
 * ```ts
 * import { prefix, watch } from 'etcd-rbac'
 * watch(prefix('/calico/'))
 * ```
 */
export function watch(keys: Target): Operation {
  return operation('watch', keys)
}
