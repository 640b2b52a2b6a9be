/** An advisory lock around an apply. */
import { Etcd3 } from 'etcd3'
import { expect, test } from 'vitest'
import { double, locked, passwords, policy, rejected, secret } from './doubles.js'

test('whoever does not get the lock writes nothing; it is free again afterwards', async () => {
  const { auth, etcd, writes } = double('v3')
  const client = new Etcd3()
  client.mock(etcd.callable as never)
  const other = await client.lock('/lock').acquire()
  const plan = await auth().plan(policy, locked)
  const error = await rejected('ERR_LOCK_HELD', auth().apply(plan, { passwords, lock: client.lock('/lock') }))
  expect(error.message).not.toContain(secret)
  expect(writes()).toEqual([])
  await other.release()
  await auth().apply(plan, { passwords, lock: client.lock('/lock') })
  await auth().apply(await auth().plan(policy, locked), { passwords, lock: client.lock('/lock') })
})

test('the lock is freed when the work fails, and a lock that cannot be freed changes nothing of what came of it', async () => {
  const { auth, etcd } = double('v3')
  const told: string[] = []
  const lock = { acquire: () => Promise.resolve(told.push('acquired')), release: () => (told.push('released'), Promise.reject(new Error('lease expired'))) }
  const plan = await auth().plan(policy, locked)
  const remove = etcd.faults.failBefore(({ method }) => method === 'userAdd')
  await rejected('ERR_UNREACHABLE', auth().apply(plan, { passwords, lock }))
  expect(told).toEqual(['acquired', 'released'])
  remove()
  const { state } = await auth().apply(await auth().plan(policy, locked), { passwords, lock })
  expect(state.enabled).toBe(true)
})
