/** etcd3 itself on the double: its builders, watchers, leases, locks and transactions, with no server. */
import * as etcd3 from 'etcd3'
import { afterEach, describe, expect, test } from 'vitest'
import { EtcdAuth, v3Backend } from '../../../src/auth/index.js'
import { manualClock, memoryEtcd, type MemoryEtcd } from '../../../src/testing/index.js'
import { locked, perm, settled } from '../../support/double.js'

const clients: etcd3.Etcd3[] = []
/** etcd3 over a client of a double. */
function over({ callable }: Pick<MemoryEtcd, 'callable'>): etcd3.Etcd3 {
  const client = new etcd3.Etcd3()
  client.mock(callable)
  clients.push(client)
  return client
}
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})
const double = (): MemoryEtcd => memoryEtcd({ version: '3.5.30', errors: etcd3, Buffer })

describe('etcd3 on the double', () => {
  test('puts, gets, lists and deletes', async () => {
    const etcd = over(double())
    await etcd.put('/a/1').value('one')
    await etcd.put('/a/2').value('two')
    expect(await etcd.get('/a/1').string()).toBe('one')
    expect(await etcd.getAll().prefix('/a/').strings()).toEqual({ '/a/1': 'one', '/a/2': 'two' })
    expect((await etcd.delete().prefix('/a/')).deleted).toBe('2')
    expect(await etcd.get('/a/1').string()).toBeNull()
  })

  test('writes if a key is not there yet', async () => {
    const etcd = over(double())
    const once = () => etcd.if('k', 'Create', '==', 0).then(etcd.put('k').value('v')).commit()
    expect([(await once()).succeeded, (await once()).succeeded]).toEqual([true, false])
  })

  test('watches: what is put and deleted, until it is cancelled', async () => {
    const etcd = over(double())
    const watcher = await etcd.watch().prefix('/a/').create()
    const told: string[] = []
    watcher.on('put', ({ key, value }) => told.push(`put ${key.toString()} ${value.toString()}`)).on('delete', ({ key }) => told.push(`delete ${key.toString()}`))
    await etcd.put('/a/1').value('one')
    await etcd.put('/b/1').value('one')
    await etcd.delete().key('/a/1')
    await settled()
    await watcher.cancel()
    await etcd.put('/a/2').value('two')
    await settled()
    expect(told).toEqual(['put /a/1 one', 'delete /a/1'])
  })

  test('is told of a watch that is refused', async () => {
    const etcd = over((await locked('3.5.30', [perm('Read', 'k')])).as('alice'))
    const watcher = etcd.watch().key('secret').watcher()
    const error = await new Promise<Error>((resolve) => watcher.on('error', resolve))
    expect(error).toBeInstanceOf(etcd3.EtcdPermissionDeniedError)
  })

  test('holds keys by a lease, which it keeps alive, and loses them when it is over', async () => {
    const clock = manualClock(new Date(0))
    const etcd = over(memoryEtcd({ version: '3.5.30', clock, errors: etcd3, Buffer }))
    const lease = etcd.lease(10)
    await lease.put('k').value('v')
    clock.advance(9_000)
    await lease.keepaliveOnce()
    clock.advance(9_000)
    expect(await etcd.get('k').string()).toBe('v')
    lease.release()
    clock.advance(1_000)
    expect(await etcd.get('k').string()).toBeNull()
    await expect(etcd.put('k').value('v').lease(await lease.grant())).rejects.toThrow(etcd3.EtcdLeaseInvalidError)
  })

  test('locks, one at a time', async () => {
    const etcd = over(double())
    const held = await etcd.lock('l').acquire()
    await expect(etcd.lock('l').acquire()).rejects.toThrow(etcd3.EtcdLockFailedError)
    await held.release()
    await (await etcd.lock('l').acquire()).release()
  })

  test('elects, and hands over when the leader resigns', async () => {
    const etcd = over(double())
    const [first, second] = [etcd.election('e'), etcd.election('e')]
    const elected: string[] = []
    const campaign = first.campaign('one')
    await new Promise<void>((resolve) => campaign.on('elected', () => resolve()))
    const other = second.campaign('two').on('elected', () => elected.push('two'))
    expect(await first.leader()).toBe('one')
    await settled()
    expect(elected).toEqual([])
    await campaign.resign()
    for (let turn = 0; turn < 20 && elected.length === 0; turn++) await settled()
    expect(await second.leader()).toBe('two')
    await other.resign()
  })

  test('runs transactions over what it has read', async () => {
    const etcd = over(double())
    await etcd.put('n').value(1)
    await etcd.stm().transact(async (tx) => tx.put('n').value(Number(await tx.get('n').string()) + 1))
    expect(await etcd.get('n').number()).toBe(2)
  })

  test('administers, and may do no more than its user', async () => {
    const store = await locked('3.5.30', [perm('Read', '/a/', '/a0')])
    const root = over(store)
    await root.role('s').create()
    await root.role('s').grant({ permission: 'Read', range: root.range({ prefix: '/s/' }) })
    await root.user('alice').addRole('s')
    expect((await root.getRoles()).map(({ name }) => name)).toEqual(['r', 's'])
    const alice = over(store.as('alice'))
    expect(await alice.getAll().prefix('/s/').strings()).toEqual({})
    await expect(alice.put('/s/1').value('x')).rejects.toThrow('etcdserver: permission denied')
  })

  test('gives EtcdAuth the client that it takes', async () => {
    const store = await locked('3.5.30', [perm('Read', 'k')])
    const auth = new EtcdAuth(v3Backend(over(store).auth), { identity: { user: 'root' } })
    const state = await auth.state()
    expect(Object.keys(state.roles)).toEqual(['r'])
  })

  test('is told where the double has no answer', async () => {
    const etcd = over(double())
    await expect(etcd.maintenance.moveLeader({ targetID: '1' })).rejects.toThrow(/^the double does not answer Maintenance.moveLeader: it answers Auth.authEnable, /)
    expect((await etcd.cluster.memberList({})).members).toHaveLength(1)
    expect(await etcd.maintenance.defragment()).toEqual({ header: null })
  })
})
