/** What the watches of the double are told. */
import { describe, expect, test } from 'vitest'
import { manualClock, memoryEtcd, type MemoryEtcd, type MemoryStream, type WatchMessage, type WatchReply } from '../../../src/testing/index.js'
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

  test('from the compacted revision itself is told of it, and shows nothing from before', async () => {
    const etcd = double()
    for (const value of ['1', '2', '3']) await put(etcd, 'k', value)
    await etcd.kv.compact({ revision: 3 })
    expect(told((await watched(etcd, { key: bytes('k'), start_revision: 3, prev_kv: true })).slice(1))).toEqual(['4: Put k=2, Put k=3 was 2'])
    expect((await etcd.kv.range({ key: bytes('k'), revision: 3 })).kvs.map(({ value }) => text(value))).toEqual(['2'])
  })

  test.each([['3.4.23', ['3: Put k=2']], ['3.5.16', ['3: Delete k=, Put k=2']]])('from the compacted revision, on etcd %s, is told of a deletion there: %j', async (version, events) => {
    const etcd = memoryEtcd({ version })
    await put(etcd, 'k', '1')
    await etcd.kv.deleteRange({ key: bytes('k') })
    await put(etcd, 'k', '2')
    await etcd.kv.compact({ revision: 3 })
    expect(told((await watched(etcd, { key: bytes('k'), start_revision: 3 })).slice(1))).toEqual(events.map((line) => line.replace('3:', '4:')))
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
    await settled()
    await put(etcd, 'k')
    await settled()
    expect(replies.map(({ watch_id, created, canceled }) => [watch_id, created, canceled])).toEqual([['0', true, false], ['0', false, true]])
  })

  test('goes on when its client sends no more, refuses what is written then, and breaks when it is cancelled', async () => {
    const etcd = double()
    const { stream, replies, rest } = await open(etcd)
    stream.write({ create_request: everything })
    stream.end()
    await put(etcd, 'k')
    await settled()
    expect([told(replies.slice(1)), stream.writable, rest]).toEqual([['2: Put k='], false, []])
    stream.write({ create_request: everything })
    await settled()
    expect(rest).toEqual(['write after end'])
    stream.cancel()
    stream.cancel()
    await settled()
    expect(rest.slice(1)).toEqual(['1 CANCELLED: Cancelled on client', 'status 1', 'end'])
  })

  test('of leases ends when its client sends no more', async () => {
    const rest: string[] = []
    const stream = await double().leaseClient.leaseKeepAlive()
    stream.on('status', ({ code }) => rest.push(`status ${code}`)).on('end', () => rest.push('end'))
    stream.end()
    await settled()
    expect(rest).toEqual(['status 0', 'end'])
  })

  test('breaks at its deadline, by the clock of the double', async () => {
    const clock = manualClock(new Date(0))
    const rest: string[] = []
    const stream = await memoryEtcd({ version: '3.5.30', clock }).watchClient.watch({ deadline: 400 })
    stream.on('error', ({ message }) => rest.push(message))
    clock.advance(399)
    await settled()
    expect(rest).toEqual([])
    clock.advance(1)
    await settled()
    expect(rest).toEqual(['4 DEADLINE_EXCEEDED: Deadline exceeded'])
  })

  test('takes its messages one after the other, whatever comes before one of them', async () => {
    const etcd = double()
    const { stream, replies } = await open(etcd)
    etcd.faults.beforeCall(1, () => settled())
    for (const watch_id of [5, 6]) stream.write({ create_request: { ...everything, watch_id } })
    for (let turn = 0; turn < 3; turn++) await settled()
    expect(replies.map(({ watch_id }) => watch_id)).toEqual(['5', '6'])
  })

  test('says nothing of what a fault has lost, though it is done', async () => {
    const etcd = double()
    const { stream, replies, rest } = await open(etcd)
    etcd.faults.failAfter(1)
    stream.write({ create_request: everything })
    await settled()
    expect([replies, rest[0]]).toEqual([[], '14 UNAVAILABLE: read ECONNRESET'])
  })

  test('goes on when a listener throws, whose error is nobody’s to catch', async () => {
    const etcd = double()
    const { stream, replies } = await open(etcd)
    const thrown: unknown[] = []
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', (error) => thrown.push(error))
    try {
      stream.on('data', ({ created }) => {
        if (created) throw new Error('of the listener')
      })
      stream.write({ create_request: everything })
      await settled()
      await put(etcd, 'k')
      await settled()
      await settled()
      expect([replies.length, thrown.map(String)]).toEqual([2, ['Error: of the listener']])
    } finally {
      process.removeAllListeners('unhandledRejection')
      for (const other of others) process.on('unhandledRejection', other as () => void)
    }
  })

  test.each([
    ['3.3.25', [1, 1, 1]],
    ['3.4.23', [1, 1, 1]],
    ['3.5.16', [0, 1, 1]],
    ['3.5.30', [0, 1, 0]],
    ['3.7.3', [0, 1, 0]],
  ])('tells how far it has come, on etcd %s: without a watch, with one, with one of the future: %j', async (version, answers) => {
    const asked = async (...watches: readonly object[]): Promise<number> => {
      const { stream, replies } = await open(memoryEtcd({ version }))
      for (const watch of watches) stream.write({ create_request: { ...everything, ...watch } })
      stream.write({ progress_request: {} })
      for (let turn = 0; turn < 3; turn++) await settled()
      return replies.filter(({ created }) => !created).length
    }
    expect([await asked(), await asked({}), await asked({ start_revision: 9 })]).toEqual(answers)
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
