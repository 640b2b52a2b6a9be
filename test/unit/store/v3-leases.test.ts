/** Leases of the double: their time, their keys, and who may touch them. */
import { describe, expect, test } from 'vitest'
import { manualClock, memoryEtcd, type MemoryEtcd } from '../../../src/testing/index.js'
import { answerOf, bytes, locked, perm, settled, since, versions, watched } from '../../support/double.js'

const denied = '7 PERMISSION_DENIED: etcdserver: permission denied'
const noName = '3 INVALID_ARGUMENT: etcdserver: user name is empty'
const ids = { own: '1', foreign: '2', empty: '3' } as const

/** Alice writes `/a/…`, reads `/a/…` and holds a lease with a key of hers; another has a key of root's, a third none. */
async function leased(version: string): Promise<MemoryEtcd> {
  const etcd = await locked(version, [perm('Readwrite', '/a/', '/a0')])
  for (const ID of Object.values(ids)) await etcd.leaseClient.leaseGrant({ ID, TTL: 60 })
  await etcd.kv.put({ key: bytes('/a/1'), lease: ids.own })
  await etcd.kv.put({ key: bytes('/b/1'), lease: ids.foreign })
  return etcd
}

const keysOf = async (etcd: MemoryEtcd): Promise<string> => (await etcd.kv.range({ key: bytes('\0'), range_end: bytes('\0') })).kvs.map(({ key }) => Buffer.from(key).toString()).join(' ')

describe('a lease', () => {
  test('ends after its time, and its keys with it, at one revision', async () => {
    const clock = manualClock(new Date(0))
    const etcd = memoryEtcd({ version: '3.5.30', clock })
    const { ID, TTL } = await etcd.leaseClient.leaseGrant({ TTL: 10 })
    expect(TTL).toBe('10')
    for (const key of ['b', 'a', 'c']) await etcd.kv.put({ key: bytes(key), lease: ID })
    await etcd.kv.put({ key: bytes('c') })
    const told = await watched(etcd, { key: bytes('\0'), range_end: bytes('\0') })
    clock.advance(9_999)
    expect(await keysOf(etcd)).toBe('a b c')
    clock.advance(1)
    await settled()
    expect(told.slice(1).map(({ header, events }) => [header.revision, events.map(({ type, kv }) => `${type} ${Buffer.from(kv.key).toString()}`).join()])).toEqual([['6', 'Delete a,Delete b']])
    expect(await keysOf(etcd)).toBe('c')
    expect((await etcd.leaseClient.leaseTimeToLive({ ID })).TTL).toBe('-1')
  })

  test('that is kept alive begins anew, one that is over has no time', async () => {
    const clock = manualClock(new Date(0))
    const { leaseClient } = memoryEtcd({ version: '3.5.30', clock })
    const { ID } = await leaseClient.leaseGrant({ TTL: 10 })
    const left: string[] = []
    const stream = (await leaseClient.leaseKeepAlive()).on('data', ({ TTL }) => left.push(TTL))
    clock.advance(9_000)
    stream.write({ ID })
    await settled()
    clock.advance(9_500)
    expect(await leaseClient.leaseTimeToLive({ ID })).toMatchObject({ ID, TTL: '0', grantedTTL: '10' })
    clock.advance(500)
    stream.write({ ID })
    await settled()
    expect(left).toEqual(['10', '0'])
  })

  test('lives two seconds at least, has an id of its own, and one that no JavaScript number holds', async () => {
    const { leaseClient } = memoryEtcd({ version: '3.5.30' })
    const { ID, TTL } = await leaseClient.leaseGrant({ TTL: 1 })
    expect(TTL).toBe('2')
    expect(BigInt(ID) > BigInt(Number.MAX_SAFE_INTEGER)).toBe(true)
    expect(await answerOf(leaseClient.leaseGrant({ ID, TTL: 1 }))).toBe('9 FAILED_PRECONDITION: etcdserver: lease already exists')
    expect(await answerOf(leaseClient.leaseGrant({ TTL: 9_000_000_001 }))).toBe('11 OUT_OF_RANGE: etcdserver: too large lease TTL')
    expect((await leaseClient.leaseLeases()).leases).toEqual([{ ID }])
  })

  test('that is revoked takes its keys with it, and is not there a second time', async () => {
    const etcd = memoryEtcd({ version: '3.5.30' })
    const { ID } = await etcd.leaseClient.leaseGrant({ TTL: 10 })
    await etcd.kv.put({ key: bytes('a'), lease: ID })
    expect((await etcd.leaseClient.leaseTimeToLive({ ID, keys: true })).keys.map((key) => Buffer.from(key).toString())).toEqual(['a'])
    expect((await etcd.leaseClient.leaseRevoke({ ID })).header.revision).toBe('3')
    expect(await keysOf(etcd)).toBe('')
    expect(await answerOf(etcd.leaseClient.leaseRevoke({ ID }))).toContain('NOT_FOUND: etcdserver: requested lease not found')
  })

  test('is left by a key that is put without it, kept by one that is put with ignore_lease, and compared in transactions', async () => {
    const { kv, leaseClient } = memoryEtcd({ version: '3.5.30' })
    const { ID } = await leaseClient.leaseGrant({ TTL: 10 })
    const leaseOf = async (): Promise<string | undefined> => (await kv.range({ key: bytes('k') })).kvs[0]?.lease
    await kv.put({ key: bytes('k'), lease: ID })
    await kv.put({ key: bytes('k'), ignore_lease: true })
    expect(await leaseOf()).toBe(ID)
    expect((await kv.txn({ compare: [{ key: bytes('k'), target: 'Lease', result: 'Equal', lease: ID }] })).succeeded).toBe(true)
    expect((await kv.txn({ compare: [{ key: bytes('k'), target: 'Lease', result: 'Equal', lease: String(BigInt(ID) + 1n) }] })).succeeded).toBe(false)
    await kv.put({ key: bytes('k') })
    expect(await leaseOf()).toBe('0')
  })
})

describe('on a lease with a key that is not hers, alice', () => {
  const ask = async (version: string, run: (client: ReturnType<MemoryEtcd['as']>) => Promise<unknown>): Promise<string> => answerOf(run((await leased(version)).as('alice')))
  const keptAlive = (client: ReturnType<MemoryEtcd['as']>, ID: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      void client.leaseClient.leaseKeepAlive().then((stream) => stream.on('data', resolve).on('error', reject).write({ ID }))
    })
  const put = (lease: string) => (client: ReturnType<MemoryEtcd['as']>) => client.kv.put({ key: bytes('/a/2'), lease })
  const inTxn = (lease: string) => (client: ReturnType<MemoryEtcd['as']>) => client.kv.txn({ success: [{ request_put: { key: bytes('/a/2'), lease } }] })

  test.each(versions)('puts nothing, and revokes it not, on etcd %s', async (version) => {
    expect([await ask(version, put(ids.own)), await ask(version, put(ids.foreign))]).toEqual(['ok', denied])
    expect([await ask(version, ({ leaseClient }) => leaseClient.leaseRevoke({ ID: ids.own })), await ask(version, ({ leaseClient }) => leaseClient.leaseRevoke({ ID: ids.foreign }))]).toEqual(['ok', denied])
  })

  test.each(['3.3.25', '3.4.23', '3.5.16', '3.5.29'])('puts all the same in a transaction, on etcd %s', async (version) => {
    expect(await ask(version, inTxn(ids.foreign))).toBe('ok')
  })

  test.each(['3.5.30', '3.6.16', '3.7.3'])('puts nothing in a transaction, on etcd %s', async (version) => {
    expect(await ask(version, inTxn(ids.foreign))).toBe(denied)
  })

  test.each(versions)('keeps it alive and lists it only before the guard, on etcd %s', async (version) => {
    const answer = since('3.5.28').from.includes(version) ? denied : 'ok'
    expect(await ask(version, (client) => keptAlive(client, ids.foreign))).toBe(answer)
    expect(await ask(version, (client) => keptAlive(client, ids.own))).toBe('ok')
    expect(await ask(version, ({ leaseClient }) => leaseClient.leaseLeases())).toBe(answer)
  })

  test.each([['3.3.25', 'ok'], ['3.4.23', 'ok'], ['3.5.8', 'ok'], ['3.5.9', denied], ['3.5.30', denied], ['3.7.3', denied]])('is told its keys: on etcd %s, %s', async (version, answer) => {
    expect(await ask(version, ({ leaseClient }) => leaseClient.leaseTimeToLive({ ID: ids.foreign, keys: true }))).toBe(answer)
    expect(await ask(version, ({ leaseClient }) => leaseClient.leaseTimeToLive({ ID: ids.foreign }))).toBe('ok')
  })
})

test('to keep a lease alive takes the right to write its keys, not to read them', async () => {
  for (const [type, answer] of [['Read', denied], ['Write', 'ok']] as const) {
    const etcd = await locked('3.5.30', [perm(type, '/b/', '/b0')])
    await etcd.leaseClient.leaseGrant({ ID: '1', TTL: 60 })
    await etcd.kv.put({ key: bytes('/b/1'), lease: '1' })
    const asked = new Promise((resolve, reject) => {
      void etcd.as('alice').leaseClient.leaseKeepAlive().then((stream) => stream.on('data', resolve).on('error', reject).write({ ID: '1' }))
    })
    expect(await answerOf(asked)).toBe(answer)
  }
})

test('a wrong password is refused where the stream is opened, as an error of etcd3', async () => {
  const wrong = (await locked('3.5.30')).anonymous().withPassword('alice', 'wrong')
  expect(await answerOf(wrong.leaseClient.leaseKeepAlive())).toBe('3 INVALID_ARGUMENT: etcdserver: authentication failed, invalid user ID or password')
  expect(await answerOf(wrong.watchClient.watch())).toBe('3 INVALID_ARGUMENT: etcdserver: authentication failed, invalid user ID or password')
})

test.each([['3.4.23', 'ok', 'ok', noName], ['3.5.16', 'ok', 'ok', noName], ['3.5.30', noName, noName, noName]])(
  'without a certificate, on etcd %s: granting a lease %s, listing %s, putting %s',
  async (version, grant, list, put) => {
    const anonymous = (await locked(version)).anonymous()
    const lease = await answerOf(anonymous.leaseClient.leaseGrant({ TTL: 10, ID: 7 }))
    expect([lease, await answerOf(anonymous.leaseClient.leaseLeases()), await answerOf(anonymous.kv.put({ key: bytes('k'), lease: 7 }))]).toEqual([grant, list, put])
  },
)
