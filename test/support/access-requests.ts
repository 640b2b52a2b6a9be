/** Operations as data, random and over few keys, and the raw v3 requests that they stand for. */
import fc from 'fast-check'
import { toWire } from '../../src/keys/interval.js'
import type { KeyRange } from '../../src/keys/index.js'
import { call, del, get, key, lease, put, txn, watch, type KeyOperation, type Operation, type ServerCall, type Transaction, type TransactionOperation } from '../../src/policy/index.js'
import { keyRange, smallKey } from './arbitrary.js'
import type { Outcome, V3Request } from './differential.js'

const keys = keyRange(smallKey)
const flag = fc.constantFrom({ prevKv: true } as const, {}, {})
/** The other keys of a lease: mostly there is none. */
const others = fc.oneof({ weight: 3, arbitrary: fc.constant<readonly KeyRange[]>([]) }, fc.uniqueArray(smallKey, { minLength: 1, maxLength: 2 }).map((list) => list.map(key)))
const attached = others.map((list) => (list.length === 0 ? {} : { attached: list }))
const gets = keys.map((one) => get(one))
const puts = fc.tuple(smallKey, flag, attached).map(([one, options, on]) => put(key(one), { ...options, ...on }))
const dels = fc.tuple(keys, flag).map(([one, options]) => del(one, options))
const leases = fc
  .tuple(fc.constantFrom('leaseRevoke', 'leaseKeepAlive', 'leaseTimeToLive', 'leaseKeys', 'leaseLeases'), others)
  .map(([op, on]) => lease(op, op === 'leaseTimeToLive' ? [] : on))

const inTransaction: fc.Arbitrary<TransactionOperation> = fc.letrec<{ op: TransactionOperation; txn: Transaction }>((tie) => ({
  op: fc.oneof({ depthSize: 'small', maxDepth: 2 }, gets, puts, dels, tie('txn')),
  txn: fc
    .tuple(fc.array(keys, { maxLength: 1 }), fc.array(tie('op'), { maxLength: 2 }), fc.array(tie('op'), { maxLength: 1 }))
    .map(([compare, success, failure]) => txn({ compare, success, failure })),
})).op
const transactions = fc
  .tuple(fc.array(keys, { maxLength: 2 }), fc.array(inTransaction, { maxLength: 2 }), fc.array(inTransaction, { maxLength: 1 }))
  .map(([compare, success, failure]) => txn({ compare, success, failure }))

/** A transaction whose puts are on one lease, if any is. */
function onOneLease(transaction: Transaction): Transaction {
  const on = attachedTo(transaction)
  const same = (inner: TransactionOperation): TransactionOperation =>
    inner.op === 'txn' ? { ...inner, success: inner.success.map(same), failure: inner.failure.map(same) } : inner.op === 'put' && inner.attached !== undefined && on !== undefined ? { ...inner, attached: on } : inner
  return same(transaction) as Transaction
}

/** Calls without a key, by the request that each is. */
const calls: Partial<Record<ServerCall, Omit<V3Request, 'as'>>> = {
  compact: { service: 'kv', method: 'compact', message: { revision: 1 } },
  status: { service: 'maintenance', method: 'status' },
  alarmList: { service: 'maintenance', method: 'alarm', message: { action: 'Get' } },
  alarmDeactivate: { service: 'maintenance', method: 'alarm', message: { action: 'Deactivate' } },
  defragment: { service: 'maintenance', method: 'defragment' },
  hash: { service: 'maintenance', method: 'hash' },
  memberList: { service: 'cluster', method: 'memberList', message: {} },
  userList: { service: 'auth', method: 'userList' },
  roleList: { service: 'auth', method: 'roleList' },
}

/** Any operation that both etcd3 and the double can be asked for. */
export function operations(users: readonly string[], roles: readonly string[]): fc.Arbitrary<Operation> {
  return fc.oneof(
    { weight: 8, arbitrary: gets },
    { weight: 8, arbitrary: puts },
    { weight: 5, arbitrary: dels },
    { weight: 8, arbitrary: transactions.map(onOneLease) },
    { weight: 4, arbitrary: keys.map((one) => watch(one)) },
    { weight: 5, arbitrary: fc.oneof({ weight: 9, arbitrary: leases }, fc.constant(lease('leaseGrant'))) },
    { weight: 2, arbitrary: fc.constantFrom<ServerCall>(...Object.keys(calls) as ServerCall[]).map((name) => call(name)) },
    { weight: 1, arbitrary: fc.constantFrom(...users).map((name) => call('userGet', name)) },
    { weight: 1, arbitrary: fc.constantFrom(...roles).map((name) => call('roleGet', name)) },
  )
}

/** Any operation, and more often one that etcd lets pass without rights: transactions that hold transactions only, if anything, and leases. */
export function rightless(users: readonly string[], roles: readonly string[]): fc.Arbitrary<Operation> {
  const hollow = fc.letrec<{ outer: Transaction; inner: Transaction }>((tie) => ({
    outer: fc.tuple(fc.array(tie('inner'), { maxLength: 2 }), fc.array(tie('inner'), { maxLength: 1 })).map(([success, failure]) => txn({ success, failure })),
    inner: fc.oneof({ maxDepth: 2 }, transactions.map(onOneLease), tie('outer')),
  })).outer.map(onOneLease)
  const onLeases = fc
    .tuple(fc.constantFrom('leaseGrant', 'leaseRevoke', 'leaseKeepAlive', 'leaseTimeToLive', 'leaseKeys', 'leaseLeases'), others)
    .map(([op, on]) => lease(op, op === 'leaseGrant' || op === 'leaseTimeToLive' ? [] : on))
  return fc.oneof({ weight: 3, arbitrary: operations(users, roles) }, hollow, onLeases)
}

function wire(range: KeyRange): { readonly key: Buffer; readonly range_end?: Buffer } {
  const { key: start, rangeEnd } = toWire(range)
  return { key: Buffer.from(start), ...(rangeEnd.length === 0 ? {} : { range_end: Buffer.from(rangeEnd) }) }
}

/** The lease of whatever is put under one: its other keys are put before. */
const LEASE = '7587862094561091846'

function keyMessage({ op, keys: asked, prevKv, attached: on }: KeyOperation): object {
  const named = wire(asked as KeyRange)
  if (op === 'put') return { key: named.key, value: Buffer.from('v'), prev_kv: prevKv === true, lease: on === undefined ? 0 : LEASE }
  return op === 'del' ? { ...named, prev_kv: prevKv === true } : named
}

const FIELDS = { get: 'request_range', put: 'request_put', del: 'request_delete_range' } as const

function txnMessage({ compare, success, failure }: Transaction): object {
  const branch = (list: readonly TransactionOperation[]): readonly object[] =>
    list.map((inner) => (inner.op === 'txn' ? { request_txn: txnMessage(inner) } : { [FIELDS[inner.op as 'get']]: keyMessage(inner) }))
  return { compare: compare.map((one) => ({ ...wire(one), result: 'Equal', target: 'Version', version: 0 })), success: branch(success), failure: branch(failure) }
}

/** The request that an operation stands for. */
export function requestOf(as: string, operation: Operation): V3Request {
  const leased = (method: string, more: object = {}): V3Request => ({ as, service: 'leaseClient', method, message: { ID: LEASE, ...more } })
  switch (operation.op) {
    case 'get':
      return { as, service: 'kv', method: 'range', message: keyMessage(operation) }
    case 'put':
      return { as, service: 'kv', method: 'put', message: keyMessage(operation) }
    case 'del':
      return { as, service: 'kv', method: 'deleteRange', message: keyMessage(operation) }
    case 'watch':
      return { as, service: 'watchClient', method: 'openWatch', message: keyMessage(operation) }
    case 'txn':
      return { as, service: 'kv', method: 'txn', message: txnMessage(operation) }
    case 'call':
      if (operation.call === 'userGet') return { as, service: 'auth', method: 'userGet', message: { name: operation.subject } }
      if (operation.call === 'roleGet') return { as, service: 'auth', method: 'roleGet', message: { role: operation.subject } }
      return { as, ...calls[operation.call]! }
    case 'leaseGrant':
      return { as, service: 'leaseClient', method: 'leaseGrant', message: { ID: '5', TTL: 600 } }
    case 'leaseRevoke':
    case 'leaseKeepAlive':
      return leased(operation.op)
    case 'leaseTimeToLive':
    case 'leaseKeys':
      return leased('leaseTimeToLive', { keys: operation.op === 'leaseKeys' })
    case 'leaseLeases':
      return { as, service: 'leaseClient', method: 'leaseLeases' }
  }
}

/** The keys that an operation finds on its lease. */
function attachedTo(operation: Operation): readonly KeyRange[] | undefined {
  if (operation.op === 'txn') return [...operation.success, ...operation.failure].map(attachedTo).find((found) => found !== undefined)
  if (operation.op === 'put') return operation.attached
  return 'attached' in operation ? operation.attached : undefined
}

/** What root does before an operation and behind it, so that there is the lease that it is about. */
export function aroundLease(operation: Operation): { readonly before: readonly V3Request[]; readonly after: readonly V3Request[] } {
  const asRoot = (service: 'kv' | 'leaseClient', method: string, message: object): V3Request => ({ as: 'root', service, method, message })
  const on = attachedTo(operation)
  const revoke = (ID: string): V3Request => asRoot('leaseClient', 'leaseRevoke', { ID })
  if (operation.op === 'leaseGrant') return { before: [], after: [revoke('5')] }
  if (on === undefined) return { before: [], after: [] }
  const puts = on.map((one) => asRoot('kv', 'put', { key: wire(one).key, lease: LEASE }))
  return { before: [asRoot('leaseClient', 'leaseGrant', { ID: LEASE, TTL: 600 }), ...puts], after: [revoke(LEASE)] }
}

/** Whether etcd let it pass; `undefined` where it refused the request itself, before it looked at who sent it. */
export function passed(outcome: Outcome): boolean | undefined {
  if ('reply' in outcome) return true
  if (/permission denied|PermissionDenied|user name is empty|user name not found|auth: user not found/.test(outcome.message)) return false
  if (/role name not found|duplicate key|too many operations/.test(outcome.message)) return undefined
  // Whoever is told that it has been done may do it.
  if (/required revision has been compacted/.test(outcome.message)) return true
  throw new Error(`nobody expected: ${outcome.error}: ${outcome.message}`)
}
