/** Keys, revisions and transactions as the servers answer them: the regressions that comparing with them has left. */
import { describe, expect, test } from 'vitest'
import { memoryEtcd, type MemoryEtcd } from '../../../src/testing/index.js'
import { answerOf, bytes, range, since, versions } from '../../support/double.js'

const compacted = '11 OUT_OF_RANGE: etcdserver: mvcc: required revision has been compacted'
const future = '11 OUT_OF_RANGE: etcdserver: mvcc: required revision is a future revision'
const keyNotFound = '3 INVALID_ARGUMENT: etcdserver: key not found'

async function written(version: string, ...keys: readonly string[]): Promise<MemoryEtcd> {
  const etcd = memoryEtcd({ version })
  for (const key of keys) await etcd.kv.put({ key: bytes(key), value: bytes(`of ${key}`) })
  return etcd
}

type Case = readonly [what: string, answer: string, call: (etcd: MemoryEtcd) => Promise<unknown>]
const put = (key: string, more: object = {}): object => ({ request_put: { key: bytes(key), ...more } })
const compare = (key: string, more: object): object => ({ key: bytes(key), ...more })

/** On a store of one key `k`, written twice, compacted at 2: revision 3. */
const refusals: readonly Case[] = [
  ['a range without a key', '3 INVALID_ARGUMENT: etcdserver: key is not provided', ({ kv }) => kv.range({})],
  ['a put without a key', '3 INVALID_ARGUMENT: etcdserver: key is not provided', ({ kv }) => kv.put({})],
  ['a delete without a key', '3 INVALID_ARGUMENT: etcdserver: key is not provided', ({ kv }) => kv.deleteRange({ range_end: bytes('z') })],
  ['a value beside ignore_value', '3 INVALID_ARGUMENT: etcdserver: value is provided', ({ kv }) => kv.put({ key: bytes('k'), value: bytes('v'), ignore_value: true })],
  ['a lease beside ignore_lease', '3 INVALID_ARGUMENT: etcdserver: lease is provided', ({ kv }) => kv.put({ key: bytes('k'), lease: 1, ignore_lease: true })],
  ['ignore_value of a key that is not there', keyNotFound, ({ kv }) => kv.put({ key: bytes('none'), ignore_value: true })],
  ['reading before the compaction', compacted, ({ kv }) => kv.range({ key: bytes('k'), revision: 1 })],
  ['reading after the present', future, ({ kv }) => kv.range({ key: bytes('k'), revision: 9 })],
  ['reading at -1 is reading now', 'ok', ({ kv }) => kv.range({ key: bytes('k'), revision: -1 })],
  ['reading at -1 inside a transaction is not', compacted, ({ kv }) => kv.txn({ success: [{ request_range: { key: bytes('k'), revision: -1 } }] })],
  ['compacting again', compacted, ({ kv }) => kv.compact({ revision: 2 })],
  ['compacting after the present', future, ({ kv }) => kv.compact({ revision: 9 })],
  ['a key put twice', '3 INVALID_ARGUMENT: etcdserver: duplicate key given in txn request', ({ kv }) => kv.txn({ success: [put('a'), put('a')] })],
  ['a key put and deleted', '3 INVALID_ARGUMENT: etcdserver: duplicate key given in txn request', ({ kv }) => kv.txn({ failure: [put('b'), { request_delete_range: range('a', 'c') }] })],
  ['129 operations', '3 INVALID_ARGUMENT: etcdserver: too many operations in txn request', ({ kv }) => kv.txn({ success: Array.from({ length: 129 }, (_, i) => put(`k${i}`)) })],
  ['a missing key in the branch that is not taken', 'ok', ({ kv }) => kv.txn({ success: [], failure: [put('none', { ignore_value: true })] })],
]

describe.each(versions)('etcd %s', (version) => {
  test.each(refusals)('%s: %s', async (_, answer, call) => {
    const etcd = await written(version, 'k', 'k')
    await etcd.kv.compact({ revision: 2 })
    expect(await answerOf(call(etcd))).toBe(answer)
  })

  test('the compares of an inner transaction are judged before anything is written', async () => {
    const etcd = await written(version)
    const inner = { compare: [compare('a', { target: 'Version', result: 'Greater', version: 0 })], success: [], failure: [put('b')] }
    const { responses } = await etcd.kv.txn({ success: [put('a'), { request_txn: inner }] })
    expect(responses[1]).toMatchObject({ response_txn: { succeeded: false } })
    expect((await etcd.kv.range(range('a', 'z'))).count).toBe('2')
  })

  test('inside a transaction, responses carry the revision and no ids, inner transactions not even that', async () => {
    const etcd = await written(version)
    const { header, responses } = await etcd.kv.txn({ success: [{ request_range: range('a') }, put('a'), { request_txn: {} }] })
    const empty = { cluster_id: '0', member_id: '0', raft_term: '0' }
    expect(header.revision).toBe('2')
    expect(responses).toMatchObject([{ response_range: { header: { ...empty, revision: '1' } } }, { response_put: { header: { ...empty, revision: '2' } } }, { response_txn: { header: { ...empty, revision: '0' } } }])
    expect(header.cluster_id).not.toBe('0')
  })

  test.each([
    ['a missing key has version 0', { target: 'Version', result: 'Equal', version: 0 }, true],
    ['a missing key has no value', { target: 'Value', result: 'NotEqual', value: bytes('x') }, false],
    ['a result that etcd does not know holds', { target: 'Version', result: 9, version: 5 }, true],
    ['a missing key has no lease', { target: 'Lease', result: 'Equal', lease: 0 }, true],
  ])('%s', async (_, condition, succeeded) => {
    const { kv } = await written(version)
    expect((await kv.txn({ compare: [compare('none', condition)] })).succeeded).toBe(succeeded)
  })

  test('a delete of nothing leaves the revision, one of many raises it by one', async () => {
    const { kv } = await written(version, 'a', 'b')
    expect(await kv.deleteRange(range('x', 'z'))).toMatchObject({ deleted: '0', header: { revision: '3' } })
    expect(await kv.deleteRange({ ...range('a', 'c'), prev_kv: true })).toMatchObject({ deleted: '2', header: { revision: '4' }, prev_kvs: [{ version: '1' }, { version: '1' }] })
  })

  test('without a direction, what the limit left is sorted, not all', async () => {
    const { kv } = await written(version, 'b', 'c', 'a')
    const names = async (more: object): Promise<string> => (await kv.range({ ...range('a', 'z'), limit: 1, ...more })).kvs.map(({ key }) => Buffer.from(key).toString()).join()
    expect(await names({ sort_target: 'Create' })).toBe('b')
    expect(await names({ sort_target: 'Create', sort_order: 'Descend' })).toBe('a')
    expect(await names({ sort_target: 'Create', sort_order: 'ASCEND' })).toBe('b')
  })
})

describe('which is missing first, lease or key, put or range', () => {
  const lease = 'Lease 5 NOT_FOUND: etcdserver: requested lease not found is expired or revoked'
  const both = { ignore_value: true, lease: 5 }

  test.each(versions)('a put alone asks for the lease, on etcd %s', async (version) => {
    expect(await answerOf(memoryEtcd({ version }).kv.put({ key: bytes('none'), ...both }))).toBe(lease)
  })

  test.each([...since('3.7.0').before.map((version) => [version, keyNotFound]), ...since('3.7.0').from.map((version) => [version, lease])])(
    'a put in a transaction of etcd %s: %s',
    async (version, answer) => {
      expect(await answerOf(memoryEtcd({ version }).kv.txn({ success: [put('none', both)] }))).toBe(answer)
    },
  )

  test.each([...since('3.6.0').before.map((version) => [version, keyNotFound]), ...since('3.6.0').from.map((version) => [version, future])])(
    'a range before a put, in a transaction of etcd %s: %s',
    async (version, answer) => {
      const ops = [{ request_range: { key: bytes('a'), revision: 99 } }, put('none', { ignore_value: true })]
      expect(await answerOf(memoryEtcd({ version }).kv.txn({ success: ops }))).toBe(answer)
    },
  )
})

test('Status of 3.3 has no applied index and no size in use, later ones have', async () => {
  expect(await memoryEtcd({ version: '3.3.25' }).maintenance.status()).toMatchObject({ version: '3.3.25', raftAppliedIndex: '0', dbSizeInUse: '0' })
  const { raftAppliedIndex, dbSizeInUse } = await memoryEtcd({ version: '3.4.23' }).maintenance.status()
  expect([raftAppliedIndex, dbSizeInUse]).not.toContain('0')
})
