/** Keys of unknown origin, as JSON holds them. Each is made anew, so that what the constructors refuse is refused here too. */
import { EtcdRbacError, quoted } from '../errors.js'
import { fromBase64 } from '../bytes.js'
import { allKeys, fromKey, key, prefix, range, type KeyRange } from '../keys/key-range.js'
import { pattern, type PathPattern } from '../keys/pattern.js'
import { describe, isTable, type Table } from './found.js'

function refuseShape(found: string, wanted: string): never {
  throw new EtcdRbacError('ERR_POLICY_INVALID', { found, wanted, fix: 'correct it' }, { problems: [] })
}

function bytesOrText(value: unknown): string | Uint8Array {
  if (typeof value === 'string') return value
  if (isTable(value) && typeof value['base64'] === 'string' && Object.keys(value).length === 1) {
    const bytes = fromBase64(value['base64'])
    if (bytes !== undefined) return bytes
    return refuseShape('malformed base64', 'canonical base64 with padding')
  }
  return refuseShape(describe(value), 'a key as text, or { "base64": … }')
}

function known(value: Table, wanted: readonly string[]): void {
  for (const name of Object.keys(value)) if (!wanted.includes(name)) refuseShape(`field ${quoted(name)}`, `only ${wanted.join(', ')}`)
}

/** A v3 key range of unknown origin, made anew by the constructor that its kind names. */
export function checkedRange(value: unknown): KeyRange {
  if (!isTable(value) || value['api'] !== 'v3') return refuseShape(isTable(value) ? `api ${describe(value['api'])}` : describe(value), 'v3 keys: key, prefix, range, fromKey or allKeys')
  const text = (field: string): string | Uint8Array => bytesOrText(value[field])
  switch (value['kind']) {
    case 'key':
      known(value, ['api', 'kind', 'key'])
      return key(text('key'))
    case 'prefix':
      known(value, ['api', 'kind', 'prefix', 'siblings'])
      if (value['siblings'] !== undefined && value['siblings'] !== 'include') return refuseShape(`siblings ${describe(value['siblings'])}`, '"include" or nothing')
      return prefix(text('prefix'), value['siblings'] === 'include' ? { siblings: 'include' } : {})
    case 'range':
      known(value, ['api', 'kind', 'start', 'end'])
      return range(text('start'), text('end'))
    case 'fromKey':
      known(value, ['api', 'kind', 'start'])
      return fromKey(text('start'))
    case 'allKeys':
      known(value, ['api', 'kind'])
      return allKeys()
    default:
      return refuseShape(`kind ${describe(value['kind'])}`, '"key", "prefix", "range", "fromKey" or "allKeys"')
  }
}

/** A v2 pattern of unknown origin, made anew. */
export function checkedPattern(value: unknown): PathPattern {
  if (!isTable(value) || value['api'] !== 'v2' || typeof value['pattern'] !== 'string')
    return refuseShape(isTable(value) ? `api ${describe(value['api'])}` : describe(value), 'a v2 pattern')
  known(value, ['api', 'pattern'])
  return pattern(value['pattern'])
}

