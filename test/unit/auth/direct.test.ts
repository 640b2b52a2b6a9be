/** Single writes on a store that nobody has set up yet, and by callers in plain JavaScript. */
import { describe, expect, test } from 'vitest'
import type { EtcdAuth } from '../../../src/auth/index.js'
import { pattern, read, write } from '../../../src/keys/index.js'
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

describe('single writes that meet on v2, where etcd loses one of two', () => {
  test('each look at what the one before has left: the last grant of the same keys stands, and nothing beside it', async () => {
    const made = double('v2')
    const auth = made.auth()
    await auth.addRole('r')
    const keys = pattern('/a')
    expect(await Promise.all([auth.grantPermission('r', read(keys)), auth.grantPermission('r', write(keys))])).toEqual([{ outcome: 'changed' }, { outcome: 'changed', sever: { holdersOf: 'r' } }])
    expect((await auth.state()).roles['r']).toEqual([write(keys)])
    expect((await Promise.all([auth.revokePermission('r', keys), auth.revokePermission('r', keys)])).map(({ outcome }) => outcome)).toEqual(['changed', 'unchanged'])
  })

  test.each<readonly [what: string, twice: (auth: EtcdAuth) => Promise<{ readonly outcome: string }>]>([
    ['a user is made', (auth) => auth.addUser('app', { login: 'certificate' })],
    ['a user is bound', (auth) => auth.grantRole('ann', 'r')],
    ['a user is unbound', (auth) => auth.revokeRole('bob', 'r')],
    ['a user is deleted', (auth) => auth.deleteUser('bob')],
    ['a role is made', (auth) => auth.addRole('new')],
    ['a role is deleted', (auth) => auth.deleteRole('r')],
    ['a permission is granted', (auth) => auth.grantPermission('r', read(pattern('/a')))],
  ])('do once what is asked for twice: %s', async (_, twice) => {
    const { auth: make, writes } = double('v2')
    const auth = make()
    await auth.addRole('r')
    for (const user of ['ann', 'bob']) await auth.addUser(user, { login: 'certificate' })
    await auth.grantRole('bob', 'r')
    const before = writes().length
    const [first, second] = await Promise.all([twice(auth), twice(auth)])
    expect([first.outcome === 'unchanged', second.outcome]).toEqual([false, 'unchanged'])
    expect(writes().length).toBe(before + 1)
  })

  test('go on after one that was refused', async () => {
    const auth = double('v2').auth()
    const outcomes = await Promise.allSettled([auth.grantRole('nobody', 'r'), auth.addRole('r')])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  })
})

test('on v2, role guest is not deleted: etcd would make one that may do everything when auth is next turned on', async () => {
  const { auth, writes } = double('v2')
  await auth().addRole('guest')
  const before = writes().length
  expect((await rejected('ERR_WRITE_REFUSED', auth().deleteRole('guest'))).message).toContain('role guest')
  expect(writes()).toHaveLength(before)
})

test('on v3, guest is a role like any other', async () => {
  const { auth } = double('v3')
  await auth().addRole('guest')
  expect((await auth().deleteRole('guest')).outcome).toBe('deleted')
})
