/** Keys of unknown origin, as JSON holds them. Each is made anew, so that what the constructors refuse is refused here too. */
import { EtcdRbacError, quoted } from '../errors.js'
import { fromBase64 } from '../bytes.js'
import { allKeys, fromKey, key, prefix, range, type KeyRange } from '../keys/key-range.js'
import { pattern, type PathPattern } from '../keys/pattern.js'
import { describe, isTable, ownFields, type Table } from './found.js'

function refuseShape(found: string, wanted: string): never {
  throw new EtcdRbacError('ERR_POLICY_INVALID', { found, wanted, fix: 'correct it' }, { problems: [] })
}

function bytesOrText(value: unknown): string | Uint8Array {
  if (typeof value === 'string') return value
  const { base64 } = isTable(value) ? ownFields(value) : {}
  if (typeof base64 === 'string' && Object.keys(value as Table).length === 1) {
    const bytes = fromBase64(base64)
    if (bytes !== undefined) return bytes
    return refuseShape('malformed base64', 'canonical base64 with padding')
  }
  return refuseShape(describe(value), 'a key as text, or { "base64": … }')
}

function known(value: Table, wanted: readonly string[]): void {
  for (const name of Object.keys(value)) if (!wanted.includes(name)) refuseShape(`field ${quoted(name)}`, `only ${wanted.join(', ')}`)
}

/** A v3 key range of unknown origin, made anew by the constructor that its kind names. */
export function checkedRange(given: unknown): KeyRange {
  const value = tableOf(given, 'v3', 'v3 keys: key, prefix, range, fromKey or allKeys')
  const text = (field: string): string | Uint8Array => bytesOrText(value[field])
  switch (value['kind']) {
    case 'key':
      known(value, ['api', 'kind', 'key'])
      return key(text('key'))
    case 'prefix':
      known(value, ['api', 'kind', 'prefix', 'siblings'])
      if (value['siblings'] !== undefined && value['siblings'] !== 'include') return refuseShape(`siblings ${describe(value['siblings'])}`, '"include" or nothing')
      return prefix(text('prefix'), value['siblings'] === 'include' ? { siblings: 'include' } : undefined)
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
export function checkedPattern(given: unknown): PathPattern {
  const value = tableOf(given, 'v2', 'a v2 pattern')
  if (typeof value['pattern'] !== 'string') return refuseShape(`pattern ${describe(value['pattern'])}`, 'a v2 pattern')
  known(value, ['api', 'pattern'])
  return pattern(value['pattern'])
}

/** The fields of keys for that API. */
function tableOf(value: unknown, api: 'v2' | 'v3', wanted: string): Table {
  if (!isTable(value)) return refuseShape(describe(value), wanted)
  const table = ownFields(value)
  return table['api'] === api ? table : refuseShape(`api ${describe(table['api'])}`, wanted)
}
