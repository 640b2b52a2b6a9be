/** Generators of operations, over the same small alphabet as the keys of policies. */
import fc from 'fast-check'
import { call, del, get, lease, put, txn, watch, type KeyRange, type Operation, type ServerCall, type TransactionOperation } from '../../src/policy/index.js'
import { keyRange, smallKey } from './arbitrary.js'
import { key } from '../../src/keys/index.js'

const ranges: fc.Arbitrary<KeyRange> = keyRange(smallKey)
const attached = fc.array(ranges, { maxLength: 2 })
const prevKv = fc.constantFrom({}, { prevKv: true } as const)

const simple: fc.Arbitrary<Exclude<TransactionOperation, { op: 'txn' }>> = fc.oneof(
  ranges.map((keys) => get(keys)),
  fc.tuple(smallKey, prevKv, fc.option(attached, { nil: undefined })).map(([name, options, on]) => put(key(name), { ...options, ...(on === undefined ? {} : { attached: on }) })),
  fc.tuple(ranges, prevKv).map(([keys, options]) => del(keys, options)),
)

const { transaction } = fc.letrec<{ transaction: ReturnType<typeof txn>; inner: TransactionOperation }>((tie) => ({
  transaction: fc.record({ compare: fc.array(ranges, { maxLength: 1 }), success: fc.array(tie('inner'), { maxLength: 2 }), failure: fc.array(tie('inner'), { maxLength: 1 }) }).map((parts) => txn(parts)),
  inner: fc.oneof({ maxDepth: 2 }, simple, tie('transaction')),
}))

const names: readonly ServerCall[] = [
  'compact', 'status', 'alarmList', 'alarmDeactivate', 'moveLeader', 'downgrade', 'memberList', 'memberAdd', 'defragment', 'snapshot', 'authStatus', 'userAdd', 'userGet', 'roleGet',
]

/** Any v3 operation on small keys. */
export const smallOperation: fc.Arbitrary<Operation> = fc.oneof(
  simple,
  ranges.map((keys) => watch(keys)),
  transaction,
  fc.tuple(fc.constantFrom('leaseGrant' as const, 'leaseRevoke' as const, 'leaseKeepAlive' as const, 'leaseTimeToLive' as const, 'leaseKeys' as const, 'leaseLeases' as const), attached).map(([op, keys]) => lease(op, keys)),
  fc.tuple(fc.constantFrom(...names), fc.option(fc.constantFrom('alice', 'node'), { nil: undefined })).map(([name, subject]) => call(name, subject)),
)
