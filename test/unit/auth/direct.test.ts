/** Single writes on a store that nobody has set up yet, and by callers in plain JavaScript. */
import { describe, expect, test } from 'vitest'
import { double, rejected } from './doubles.js'

test('on v2, auth is not turned on without a role guest: etcd would make one that may do everything', async () => {
  const { auth, etcd, writes } = double('v2')
  await auth().addUser('root', { login: 'certificate' })
  const before = writes().length
  const error = await rejected('ERR_WRITE_REFUSED', auth().enable())
  expect(error.message).toContain('there is no role guest')
  expect(writes()).toHaveLength(before)
  await auth().addRole('guest')
  expect((await auth().enable()).outcome).toBe('changed')
  const read = await etcd.anonymous().fetch('https://etcd.invalid:2379/v2/keys/', { method: 'GET', redirect: 'manual' })
  expect(read.status).toBe(401)
})

test('on v3, a store is set up and locked by single writes alone', async () => {
  const { auth } = double('v3')
  await rejected('ERR_WRITE_REFUSED', auth().enable())
  await auth().addUser('root', { login: 'certificate' })
  await rejected('ERR_NOT_FOUND', auth().grantRole('root', 'root'))
  await auth().addRole('root')
  await auth().grantRole('root', 'root')
  expect(await auth().enable()).toEqual({ outcome: 'changed', sever: 'everyone' })
})

describe.each(['v3', 'v2'] as const)('on %s, nothing is sent and a TypeError says what is wanted', (api) => {
  test.each([undefined, null, 'read /a', 7])('for a permission or keys that are %j', async (given) => {
    const { auth, etcd } = double(api)
    await expect(auth().grantPermission('r', given as never)).rejects.toThrow(/^a permission is made by/)
    await expect(auth().revokePermission('r', given as never)).rejects.toThrow(/^keys are made by/)
    expect(etcd.calls).toEqual([])
  })

  test.each([null, 'mallory', [7]])('for acknowledged users that are %j', async (acknowledgeRoot) => {
    const { auth, etcd } = double(api)
    await expect(auth().enable({ acknowledgeRoot: acknowledgeRoot as never })).rejects.toThrow('acknowledgeRoot must be a list of user names')
    expect(etcd.calls).toEqual([])
  })
})

test('a user is not made by options that are none or misspelt', async () => {
  const { auth, writes } = double('v3')
  for (const options of [undefined, null, {}, { login: 'ticket' }, { login: 'certificate', acknowledge: true }]) await expect(auth().addUser('app', options as never)).rejects.toBeInstanceOf(TypeError)
  expect(writes()).toEqual([])
})

test.each(['.', '..'])('on v2 nobody is asked about under the name %s, which would be another path', async (name) => {
  const { auth, etcd } = double('v2')
  for (const asking of [auth().deleteUser(name), auth().deleteRole(name), auth().setPassword(name, 'x')]) await expect(asking).rejects.toMatchObject({ code: 'ERR_NAME_INVALID' })
  expect(etcd.calls).toEqual([])
})
