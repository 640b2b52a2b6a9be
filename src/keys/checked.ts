/** Keys that plain JavaScript may have passed in place of what the constructors make: a misspelt kind must not be answered as if it were another. */
import { isEmptyInterval, toInterval } from './interval.js'
import type { KeyRange } from './key-range.js'
import type { PathPattern } from './pattern.js'
import type { Permission } from './permission.js'

type Fields<N extends string> = Readonly<Partial<Record<N, unknown>>>

const isText = (value: unknown): boolean =>
  typeof value === 'string' ? value !== '' : typeof (Object(value) as Fields<'base64'>).base64 === 'string' && (value as Fields<'base64'>).base64 !== ''

/** Whether something has the shape of v3 keys. */
function isRange(value: unknown): value is KeyRange {
  const { api, kind, ...found } = Object(value) as Fields<'api' | 'kind' | 'key' | 'prefix' | 'start' | 'end'>
  if (api !== 'v3') return false
  switch (kind) {
    case 'key':
      return isText(found.key)
    case 'prefix':
      return isText(found.prefix)
    case 'range':
      return isText(found.start) && isText(found.end)
    case 'fromKey':
      return isText(found.start)
    default:
      return kind === 'allKeys'
  }
}

/** v3 keys, if they are some and hold any: of no key at all, everything is true. */
export function checkedRange(keys: unknown, what: string): KeyRange {
  if (!isRange(keys)) throw new TypeError(`${what} must be v3 keys, made by key, prefix, range, fromKey or allKeys`)
  if (keys.kind === 'range' && isEmptyInterval(toInterval(keys))) throw new TypeError(`${what} must hold a key: the end of a range is after its start`)
  return keys
}

/** v3 keys, or a v2 pattern. */
export function checkedKeys(keys: unknown, what: string): KeyRange | PathPattern {
  const { api, pattern } = Object(keys) as Fields<'api' | 'pattern'>
  if (api === 'v3') return checkedRange(keys, what)
  if (api !== 'v2' || typeof pattern !== 'string' || pattern === '') throw new TypeError(`${what} must be made by key, prefix, range, fromKey, allKeys or pattern`)
  return keys as PathPattern
}

const TYPES: readonly unknown[] = ['read', 'write', 'readwrite'] satisfies readonly Permission['type'][]

/** Permissions, if the list holds nothing else. Stored ranges that hold no key are some: etcd keeps them, and matches nothing by them. */
export function checkedPermissions(list: readonly Permission[]): readonly Permission[] {
  const given: unknown = list
  if (!Array.isArray(given)) throw new TypeError('permissions must be a list')
  for (const permission of given as readonly unknown[]) {
    const { type, keys } = Object(permission) as Fields<'type' | 'keys'>
    if (!TYPES.includes(type)) throw new TypeError('a permission must be made by read, write or readwrite')
    if (!isRange(keys)) checkedKeys(keys, 'the keys of a permission')
  }
  return list
}
