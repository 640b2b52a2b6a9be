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

const target = (keys: Target): KeyRange | Path => (typeof keys === 'string' ? key(keys) : keys)

/** Read: v3 Range, v2 GET. */
export function get(keys: Target): Operation {
  return { op: 'get', keys: target(keys) }
}

/** Write: v3 Put of one key, v2 PUT or POST. */
export function put(key: string | Extract<KeyRange, { kind: 'key' }> | Path): Operation {
  return { op: 'put', keys: target(key) }
}

/** Delete: v3 DeleteRange, v2 DELETE. */
export function del(keys: Target): Operation {
  return { op: 'del', keys: target(keys) }
}

/** Watch: v3 Watch, v2 GET with `wait=true`. */
export function watch(keys: Target): Operation {
  return { op: 'watch', keys: target(keys) }
}
