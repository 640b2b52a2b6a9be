/** Operations as data, random and over few keys, and the raw v3 requests that they stand for. */
import fc from 'fast-check'
import { toWire } from '../../src/keys/interval.js'
import type { KeyRange } from '../../src/keys/index.js'
import { call, del, get, key, put, txn, watch, type KeyOperation, type Operation, type Transaction, type TransactionOperation } from '../../src/policy/index.js'
import { keyRange, smallKey } from './arbitrary.js'
import type { V3Request } from './differential.js'

const keys = keyRange(smallKey)
const flag = fc.constantFrom({ prevKv: true } as const, {}, {})
const gets = keys.map((one) => get(one))
const puts = fc.tuple(smallKey, flag).map(([one, options]) => put(key(one), options))
const dels = fc.tuple(keys, flag).map(([one, options]) => del(one, options))

const inTransaction: fc.Arbitrary<TransactionOperation> = fc.letrec<{ op: TransactionOperation; txn: Transaction }>((tie) => ({
  op: fc.oneof({ depthSize: 'small', maxDepth: 2 }, gets, puts, dels, tie('txn')),
  txn: fc
    .tuple(fc.array(keys, { maxLength: 1 }), fc.array(tie('op'), { maxLength: 2 }), fc.array(tie('op'), { maxLength: 1 }))
    .map(([compare, success, failure]) => txn({ compare, success, failure })),
})).op
const transactions = fc
  .tuple(fc.array(keys, { maxLength: 2 }), fc.array(inTransaction, { maxLength: 2 }), fc.array(inTransaction, { maxLength: 1 }))
  .map(([compare, success, failure]) => txn({ compare, success, failure }))

/** Any operation that both etcd3 and the double can be asked for. */
export function operations(users: readonly string[], roles: readonly string[]): fc.Arbitrary<Operation> {
  return fc.oneof(
    { weight: 8, arbitrary: gets },
    { weight: 8, arbitrary: puts },
    { weight: 5, arbitrary: dels },
    { weight: 8, arbitrary: transactions },
    { weight: 4, arbitrary: keys.map((one) => watch(one)) },
    { weight: 1, arbitrary: fc.constantFrom(call('status'), call('userList'), call('roleList')) },
    { weight: 1, arbitrary: fc.constantFrom(...users).map((name) => call('userGet', name)) },
    { weight: 1, arbitrary: fc.constantFrom(...roles).map((name) => call('roleGet', name)) },
  )
}

function wire(range: KeyRange): { readonly key: Buffer; readonly range_end?: Buffer } {
  const { key: start, rangeEnd } = toWire(range)
  return { key: Buffer.from(start), ...(rangeEnd.length === 0 ? {} : { range_end: Buffer.from(rangeEnd) }) }
}

function keyMessage({ op, keys: asked, prevKv }: KeyOperation): object {
  const named = wire(asked as KeyRange)
  return op === 'put' ? { key: named.key, value: Buffer.from('v'), prev_kv: prevKv === true } : op === 'del' ? { ...named, prev_kv: prevKv === true } : named
}

const FIELDS = { get: 'request_range', put: 'request_put', del: 'request_delete_range' } as const

function txnMessage({ compare, success, failure }: Transaction): object {
  const branch = (list: readonly TransactionOperation[]): readonly object[] =>
    list.map((inner) => (inner.op === 'txn' ? { request_txn: txnMessage(inner) } : { [FIELDS[inner.op as 'get']]: keyMessage(inner) }))
  return { compare: compare.map((one) => ({ ...wire(one), result: 'Equal', target: 'Version', version: 0 })), success: branch(success), failure: branch(failure) }
}

/** The request that an operation stands for. */
export function requestOf(as: string, operation: Operation): V3Request {
  switch (operation.op) {
    case 'get':
      return { as, service: 'kv', method: 'range', message: keyMessage(operation) }
    case 'put':
      return { as, service: 'kv', method: 'put', message: keyMessage(operation) }
    case 'del':
      return { as, service: 'kv', method: 'deleteRange', message: keyMessage(operation) }
    case 'watch':
      return { as, service: 'watch', method: 'create', message: keyMessage(operation) }
    case 'txn':
      return { as, service: 'kv', method: 'txn', message: txnMessage(operation) }
    case 'call':
      if (operation.call === 'userGet') return { as, service: 'auth', method: 'userGet', message: { name: operation.subject } }
      if (operation.call === 'roleGet') return { as, service: 'auth', method: 'roleGet', message: { role: operation.subject } }
      return { as, service: operation.call === 'status' ? 'maintenance' : 'auth', method: operation.call }
    case 'leaseGrant':
    case 'leaseRevoke':
    case 'leaseKeepAlive':
    case 'leaseTimeToLive':
    case 'leaseKeys':
    case 'leaseLeases':
      throw new Error(`no ${operation.op} is generated`)
  }
}
