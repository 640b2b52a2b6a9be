/** What a line of a log tells of the request that was denied: who asked, and what. Nothing is guessed: what is not in the line is left away. */
import { fromUtf8 } from '../../bytes.js'
import { fromWire, isEmptyInterval, toInterval } from '../../keys/interval.js'
import { key, prefix, type KeyRange } from '../../keys/key-range.js'
import { path } from '../../keys/pattern.js'
import { call, del, get, put, txn, watch, type Operation, type TransactionOperation } from '../operations.js'
import { fieldsOf, type Line } from './line.js'
import { bytesOf, messages, parseFields, unquoted, type Fields } from './proto-text.js'

/** What a line tells. */
export interface Asked {
  readonly user?: string
  /** The request, complete enough to judge it. */
  readonly operation?: Operation
  /** A v2 path, where the line does not say whether it was to be read or written. */
  readonly path?: string
  /** It puts a key on a lease, whose other keys the line does not name. */
  readonly leased?: true
  /** What the line leaves open. */
  readonly unknown: readonly string[]
}

/** A quoted or bare value of a field in a line of text, such as `name="value"`. */
function fieldIn(line: string, name: string): string | undefined {
  const found = new RegExp(`\\b${name}=("(?:[^"\\\\\\n]|\\\\.)*"|[^\\s",}]+)(?=[\\s,}]|$)`).exec(line)?.[1]
  if (found === undefined) return undefined
  if (!found.startsWith('"')) return found
  const bytes = unquoted(found)
  return bytes && fromUtf8(bytes)
}

const GUESSED_NOT: Asked = { unknown: ['which keys it asked for: they are not in the text', 'whether it was to be read or written'] }

/** What a line of any log tells of the request. */
export function askedIn(line: string): Asked {
  const fields = fieldsOf(line)
  return applied(line, fields) ?? calico(line) ?? compaction(line) ?? v2(line, fields) ?? named(line, fields) ?? GUESSED_NOT
}

/**
 * etcd's "failed to apply request", which every member logs for a denied write, and "apply request took too long", the only line that a denied read
 * leaves: if it was slow, on the member that was asked, without its user. As text (3.3, 3.4) the latter is known from source alone
 * (`etcdserver/util.go`, warnOfExpensiveGenericRequest).
 */
function applied(line: string, fields: Line): Asked | undefined {
  const slow = fields['msg'] === 'apply request took too long' || /with result "error:auth: permission denied" took too long/.test(line)
  if (!slow && !line.includes('failed to apply request')) return undefined
  const inQuotes = /(?:failed to apply request|(?:^|: |read-only (?:range|txn) )request) ("(?:[^"\\\n]|\\.)*")/.exec(line)
  const bytes = inQuotes?.[1] === undefined ? undefined : unquoted(inQuotes[1])
  const text = typeof fields['request'] === 'string' ? fields['request'] : ((bytes && fromUtf8(bytes)) ?? /,request (header:.*),resp /s.exec(line)?.[1])
  const request = text === undefined ? undefined : parseFields(text)
  if (request === undefined) return undefined
  const readOnly = /^read-only (range|txn) /.exec(typeof fields['prefix'] === 'string' ? fields['prefix'] : (/read-only (?:range|txn) (?=request ")/.exec(line)?.[0] ?? ''))?.[1]
  const [header = []] = messages(request, 'header')
  const user = fromUtf8(bytesOf(header, 'username'))
  const operation = readOnly === 'range' ? rangeOperation(request, get) : readOnly === 'txn' ? transactionOf(request) : requestOf(request)
  const leased = operation !== undefined && / lease:[1-9]/.test(text?.replace(/"(?:[^"\\\n]|\\.)*"/g, '') ?? '') && (operation.op === 'put' || operation.op === 'txn')
  const unknown = operation === undefined ? ['which keys it asked for: they are not in the text'] : leased ? ['which other keys are on its lease: each of them takes the right to write too'] : []
  return { ...(user ? { user } : {}), ...(operation ? { operation } : {}), ...(leased ? { leased } : {}), unknown }
}

/** The keys of a request, or `undefined` where no key lies between. */
function rangeOf(fields: Fields): KeyRange | undefined {
  const [start, end] = [bytesOf(fields, 'key'), bytesOf(fields, 'range_end')]
  if (start.length === 0) return undefined
  const keys = fromWire({ key: start, rangeEnd: end })
  return isEmptyInterval(toInterval(keys)) ? undefined : keys
}

function rangeOperation(fields: Fields, make: (keys: KeyRange) => TransactionOperation): TransactionOperation | undefined {
  const keys = rangeOf(fields)
  return keys && make(keys)
}

const prevKv = (fields: Fields): { readonly prevKv?: true } => (fields.some(([name, value]) => name === 'prev_kv' && value === 'true') ? { prevKv: true } : {})

function putOf(fields: Fields): TransactionOperation | undefined {
  const keys = rangeOf(fields)
  return keys?.kind === 'key' ? put(keys, prevKv(fields)) : undefined
}

function transactionOf(fields: Fields): Operation | undefined {
  const compare = messages(fields, 'compare').map(rangeOf)
  const branch = (name: string): readonly (TransactionOperation | undefined)[] =>
    messages(fields, name).flatMap((one) =>
      one.map(([kind, value]): TransactionOperation | undefined => {
        if (typeof value === 'string' || value instanceof Uint8Array) return undefined
        if (kind === 'request_range') return rangeOperation(value, get)
        if (kind === 'request_put') return putOf(value)
        if (kind === 'request_delete_range') return rangeOperation(value, (keys) => del(keys, prevKv(value)))
        const inner = kind === 'request_txn' ? transactionOf(value) : undefined
        return inner?.op === 'txn' ? inner : undefined
      }),
    )
  const [success, failure] = [branch('success'), branch('failure')]
  const whole = <T>(list: readonly (T | undefined)[]): list is readonly T[] => !list.includes(undefined)
  return whole(compare) && whole(success) && whole(failure) ? txn({ compare, success, failure }) : undefined
}

function requestOf(request: Fields): Operation | undefined {
  for (const fields of messages(request, 'put')) return putOf(fields)
  for (const fields of messages(request, 'range')) return rangeOperation(fields, get)
  for (const fields of messages(request, 'delete_range')) return rangeOperation(fields, (keys) => del(keys, prevKv(fields)))
  for (const fields of messages(request, 'txn')) return transactionOf(fields)
  return messages(request, 'compaction').length > 0 ? call('compact') : undefined
}

/**
 * Calico's datastore client and its watchers (libcalico-go `backend/etcdv3/etcdv3.go`, `watchersyncer/watchercache.go`): `etcdv3-etcdKey` is a key
 * of etcd, `ListRoot` one without the slash that a list adds; `model-etcdKey` and `etcdKey` are names of Calico's own.
 */
function calico(line: string): Asked | undefined {
  const root = fieldIn(line, 'ListRoot')
  if (root !== undefined && root !== '') {
    const keys = prefix(root.endsWith('/') ? root : `${root}/`)
    const unknown = ['whether it listed that directory, as nearly always, or one object of that name: Calico logs both alike']
    if (/Failed to create watcher|watch error/i.test(line)) return { operation: watch(keys), unknown }
    if (/Failed to perform list/i.test(line)) return { operation: get(keys), unknown }
    return undefined
  }
  const name = fieldIn(line, 'etcdv3-etcdKey')
  if (name === undefined || name === '') return undefined
  if (/\b(?:Create|Update) failed/.test(line)) return { operation: txn({ compare: [name], success: [put(name)], failure: [get(name)] }), unknown: [] }
  if (/\bDelete failed/.test(line)) return { operation: txn({ compare: [name], success: [del(name, { prevKv: true })], failure: [get(name)] }), unknown: [] }
  if (!/Error returned from etcdv3 client/.test(line)) return undefined
  return name.endsWith('/') ? { operation: get(prefix(name)), unknown: [] } : { operation: get(key(name)), unknown: ['whether it read that key alone, or listed everything that begins with it'] }
}

/** kube-apiserver's compactor (k8s.io/apiserver `storage/etcd3/compact.go`). */
function compaction(line: string): Asked | undefined {
  return /compact failed: /.test(line) ? { operation: call('compact'), unknown: [] } : undefined
}

/** etcd's log of v2 (`v2http/client_auth.go`), before 3.4 as text that ends in a full stop. */
function v2(line: string, fields: Line): Asked | undefined {
  const plain = /auth: invalid access for (?:user (.{1,255}?) on key|unauthenticated user on resource) (\/.*)\.$/.exec(line.trimEnd())
  const inFields = /^invalid access for (?:user|a guest role) on key$/.test(String(fields['msg']))
  const found = plain?.[2] ?? (inFields && typeof fields['key'] === 'string' ? fields['key'] : undefined)
  if (found === undefined) return undefined
  // Names and keys may hold these words themselves.
  if (plain?.[1] !== undefined && found.includes(' on key /')) return { unknown: ['where the name of the user ends and the key begins: both can hold " on key /", and neither keys nor user are read', 'whether it was to be read or written'] }
  const user = plain?.[1] ?? (typeof fields['user-name'] === 'string' ? fields['user-name'] : undefined)
  try {
    path(found)
  } catch {
    return undefined
  }
  return { ...(user === undefined ? {} : { user }), path: found, unknown: ['whether it was to be read or written, and whether recursively: etcd v2 logs neither', 'whether the request had a slash at the end'] }
}

/** Lines that name a user and nothing else. */
function named(line: string, fields: Line): Asked | undefined {
  const text = /invalid user name (\S.{0,255}) for permission checking/.exec(line)?.[1] ?? /invalid (?:password for user|authentication request to user) (\S+)/.exec(line)?.[1] ?? /incorrect password for user: (\S+)/.exec(line)?.[1]
  const user = text ?? ['user-name', 'user'].map((name) => fields[name]).find((value) => typeof value === 'string' && value !== '')
  return typeof user === 'string' ? { user, unknown: [] } : undefined
}
