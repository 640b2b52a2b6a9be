/** What the watches of the double are told. */
import { describe, expect, test } from 'vitest'
import { memoryEtcd, type MemoryEtcd, type MemoryStream, type WatchMessage, type WatchReply } from '../../../src/testing/index.js'
import { bytes, locked, perm, settled, versions, watched } from '../../support/double.js'

const everything = { key: bytes('\0'), range_end: bytes('\0') }
const text = (data: Uint8Array): string => Buffer.from(data).toString('latin1')
/** The events of messages: what and where, with the value, and the one before. */
const told = (replies: readonly WatchReply[]): readonly string[] =>
  replies.map(({ header, events }) => `${header.revision}: ${events.map(({ type, kv, prev_kv }) => `${type} ${text(kv.key)}=${text(kv.value)}${prev_kv ? ` was ${text(prev_kv.value)}` : ''}`).join(', ')}`)

const double = (): MemoryEtcd => memoryEtcd({ version: '3.5.30' })
const put = (etcd: MemoryEtcd, key: string, value = ''): Promise<unknown> => etcd.kv.put({ key: bytes(key), value: bytes(value) })

describe('a watch', () => {
  test('is told of each revision in a message of its own, of its keys only', async () => {
    const etcd = double()
    const replies = await watched(etcd, { key: bytes('b'), range_end: bytes('d') })
    await put(etcd, 'a')
    await put(etcd, 'b', 'x')
    await etcd.kv.txn({ success: [{ request_put: { key: bytes('c'), value: bytes('y') } }, { request_put: { key: bytes('d') } }, { request_delete_range: { key: bytes('b') } }] })
    await settled()
    expect(replies[0]).toMatchObject({ created: true, canceled: false, watch_id: '0', events: [] })
    expect(told(replies.slice(1))).toEqual(['3: Put b=x', '4: Put c=y, Delete b='])
    expect(replies.at(-1)?.events.at(-1)?.kv).toMatchObject({ create_revision: '0', mod_revision: '4', version: '0' })
  })

  test('with prev_kv is told what was there, with filters not of what they name', async () => {
    const etcd = double()
    await put(etcd, 'k', '1')
    const before = await watched(etcd, { key: bytes('k'), prev_kv: true, filters: ['Nodelete'] })
    const deletes = await watched(etcd, { key: bytes('k'), filters: ['Noput'] })
    await put(etcd, 'k', '2')
    await etcd.kv.deleteRange({ key: bytes('k') })
    await put(etcd, 'k', '3')
    await settled()
    expect(told(before.slice(1))).toEqual(['3: Put k=2 was 1', '5: Put k=3'])
    expect(told(deletes.slice(1))).toEqual(['4: Delete k='])
  })

  test('from a revision of the past is told of all since in one message, of the future not before it comes', async () => {
    const etcd = double()
    for (const value of ['1', '2', '3']) await put(etcd, 'k', value)
    const past = await watched(etcd, { key: bytes('k'), start_revision: 3 })
    const future = await watched(etcd, { key: bytes('k'), start_revision: 6 })
    await put(etcd, 'k', '4')
    await put(etcd, 'k', '5')
    await settled()
    expect(told(past.slice(1))).toEqual(['4: Put k=2, Put k=3', '5: Put k=4', '6: Put k=5'])
    expect(told(future.slice(1))).toEqual(['6: Put k=5'])
  })

  test('from a revision that is compacted is cancelled, and told which is the oldest', async () => {
    const etcd = double()
    for (const value of ['1', '2', '3']) await put(etcd, 'k', value)
    await etcd.kv.compact({ revision: 3 })
    const [created, canceled] = await watched(etcd, { key: bytes('k'), start_revision: 2 })
    expect(created).toMatchObject({ created: true, canceled: false })
    expect(canceled).toMatchObject({ watch_id: '0', canceled: true, compact_revision: '3', cancel_reason: '' })
  })

  test.each(versions)('goes on after its role is gone, its user too, and auth is on: etcd %s checks once', async (version) => {
    const etcd = await locked(version, [perm('Read', 'k')])
    const alices = await watched(etcd.as('alice'), { key: bytes('k') })
    await etcd.auth.roleDelete({ role: 'r' })
    await etcd.auth.userDelete({ name: 'alice' })
    await put(etcd, 'k', 'secret')
    await settled()
    expect(told(alices.slice(1))).toEqual(['2: Put k=secret'])
  })
})

describe('a stream of watches', () => {
  const open = async (etcd: MemoryEtcd): Promise<{ readonly stream: MemoryStream<WatchMessage, WatchReply>; readonly replies: WatchReply[]; readonly rest: string[] }> => {
    const [replies, rest]: [WatchReply[], string[]] = [[], []]
    const stream = await etcd.watchClient.watch()
    stream.on('data', (reply) => replies.push(reply)).on('error', ({ message }) => rest.push(message)).on('status', ({ code }) => rest.push(`status ${code}`)).on('end', () => rest.push('end'))
    return { stream, replies, rest }
  }

  test('numbers its watches from 0, and takes ids of the client’s choice that are free', async () => {
    const { stream, replies } = await open(double())
    for (const watch_id of [0, 1, 7, 7, 0]) stream.write({ create_request: { ...everything, watch_id } })
    await settled()
    expect(replies.map(({ watch_id, cancel_reason }) => cancel_reason || watch_id)).toEqual(['0', '1', '7', 'mvcc: duplicate watch ID provided on the WatchStream', '2'])
  })

  test('tells no more of a watch that is cancelled, and nothing of one that is not there', async () => {
    const etcd = double()
    const { stream, replies } = await open(etcd)
    stream.write({ create_request: everything })
    stream.write({ cancel_request: { watch_id: 0 } })
    stream.write({ cancel_request: { watch_id: 5 } })
    await put(etcd, 'k')
    await settled()
    expect(replies.map(({ watch_id, created, canceled }) => [watch_id, created, canceled])).toEqual([['0', true, false], ['0', false, true]])
  })

  test('ends when its client says so, and breaks when it is cancelled', async () => {
    const [ended, broken] = [await open(double()), await open(double())]
    ended.stream.write({ create_request: everything })
    ended.stream.end()
    broken.stream.cancel()
    await settled()
    expect([ended.replies.length, ended.stream.writable, ended.rest, broken.rest]).toEqual([1, false, ['status 0', 'end'], ['1 CANCELLED: Cancelled on client', 'status 1', 'end']])
  })

  test('breaks when a fault loses its message, and when the member dies', async () => {
    const etcd = memoryEtcd({ version: '3.3.25' })
    const [lost, dead] = [await open(etcd), await open(etcd)]
    etcd.faults.failBefore(({ method }) => method === 'watch')
    lost.stream.write({ create_request: everything })
    await etcd.auth.roleAdd({ name: '' }).catch(() => undefined)
    await settled()
    expect([lost.rest[0], dead.rest[0]]).toEqual(['14 UNAVAILABLE: read ECONNRESET', '14 UNAVAILABLE: read ECONNRESET'])
  })
})
