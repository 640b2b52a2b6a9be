/** etcd's refusals of auth calls: code and text, by version. */
import { describe, expect, test } from 'vitest'
import { memoryEtcd, type MemoryEtcd } from '../../../src/testing/index.js'
import { answerOf, locked, perm, since, versions } from '../../support/double.js'

type Case = readonly [what: string, answer: string, call: (etcd: MemoryEtcd) => Promise<unknown>]

const exists = '9 FAILED_PRECONDITION: etcdserver: user name already exists'
const noUser = '9 FAILED_PRECONDITION: etcdserver: user name not found'
const noRole = '9 FAILED_PRECONDITION: etcdserver: role name not found'
const notGranted = '9 FAILED_PRECONDITION: etcdserver: role is not granted to the user'
const noPermission = '9 FAILED_PRECONDITION: etcdserver: permission is not granted to the role'
const failed = '3 INVALID_ARGUMENT: etcdserver: authentication failed, invalid user ID or password'
const invalid = '3 INVALID_ARGUMENT: etcdserver: invalid auth management'
const denied = '7 PERMISSION_DENIED: etcdserver: permission denied'
const anonymousRefused = '3 INVALID_ARGUMENT: etcdserver: user name is empty'

/** Of root, with auth on. */
const cases: readonly Case[] = [
  ['a user that exists', exists, ({ auth }) => auth.userAdd({ name: 'alice', password: 'x' })],
  ['a user without a name', '3 INVALID_ARGUMENT: etcdserver: user name is empty', ({ auth }) => auth.userAdd({ name: '', password: 'x' })],
  ['reading a user that does not exist', noUser, ({ auth }) => auth.userGet({ name: 'nobody' })],
  ['deleting a user that does not exist', noUser, ({ auth }) => auth.userDelete({ name: 'nobody' })],
  ['deleting a user without a name', noUser, ({ auth }) => auth.userDelete({ name: '' })],
  ['a password for a user that does not exist', noUser, ({ auth }) => auth.userChangePassword({ name: 'nobody', password: 'x' })],
  ['a role for a user that does not exist', noUser, ({ auth }) => auth.userGrantRole({ user: 'nobody', role: 'r' })],
  ['taking a role from a user that does not exist', noUser, ({ auth }) => auth.userRevokeRole({ name: 'nobody', role: 'r' })],
  ['a role that exists', '9 FAILED_PRECONDITION: etcdserver: role name already exists', ({ auth }) => auth.roleAdd({ name: 'r' })],
  ['reading a role that does not exist', noRole, ({ auth }) => auth.roleGet({ role: 'none' })],
  ['deleting a role that does not exist', noRole, ({ auth }) => auth.roleDelete({ role: 'none' })],
  ['a permission for a role that does not exist', noRole, ({ auth }) => auth.roleGrantPermission({ name: 'none', perm: perm('Read', 'k') })],
  ['taking a permission from a role that does not exist', noRole, ({ auth }) => auth.roleRevokePermission({ role: 'none', key: Buffer.from('k') })],
  ['granting a role that does not exist', noRole, ({ auth }) => auth.userGrantRole({ user: 'alice', role: 'none' })],
  ['granting a role again', 'ok', ({ auth }) => auth.userGrantRole({ user: 'alice', role: 'r' })],
  ['taking a role that is not held', notGranted, ({ auth }) => auth.userRevokeRole({ name: 'root', role: 'r' })],
  ['taking a role that does not exist', notGranted, ({ auth }) => auth.userRevokeRole({ name: 'alice', role: 'none' })],
  ['taking a permission with another end', noPermission, ({ auth }) => auth.roleRevokePermission({ role: 'r', key: Buffer.from('k'), range_end: Buffer.from('m') })],
  ['taking a permission of a key inside a range', noPermission, ({ auth }) => auth.roleRevokePermission({ role: 'r', key: Buffer.from('kk') })],
  ['granting a permission again', 'ok', ({ auth }) => auth.roleGrantPermission({ name: 'r', perm: perm('Read', 'k', 'l') })],
  ['deleting root', invalid, ({ auth }) => auth.userDelete({ name: 'root' })],
  ['deleting role root', invalid, ({ auth }) => auth.roleDelete({ role: 'root' })],
  ['taking role root from root', invalid, ({ auth }) => auth.userRevokeRole({ name: 'root', role: 'root' })],
  ['enabling again', 'ok', ({ auth }) => auth.authEnable()],
  ['a wrong password', failed, ({ auth }) => auth.authenticate({ name: 'alice', password: 'wrong' })],
  ['a login of nobody', failed, ({ auth }) => auth.authenticate({ name: 'nobody', password: 'x' })],
  ['a token that is none', '16 UNAUTHENTICATED: etcdserver: invalid auth token', (etcd) => etcd.withToken('none').auth.userList()],
  ['administration by a user without role root', denied, (etcd) => etcd.as('alice').auth.roleAdd({ name: 'x' })],
  ['reading oneself', 'ok', (etcd) => etcd.as('alice').auth.userGet({ name: 'alice' })],
  ['reading a role that one holds', 'ok', (etcd) => etcd.as('alice').auth.roleGet({ role: 'r' })],
  ['reading another user', denied, (etcd) => etcd.as('alice').auth.userGet({ name: 'root' })],
  ['reading a user that does not exist, without role root', denied, (etcd) => etcd.as('alice').auth.userGet({ name: 'nobody' })],
  ['changing the own password', denied, (etcd) => etcd.as('alice').auth.userChangePassword({ name: 'alice', password: 'x' })],
  ['administration by a certificate that names no user', noUser, (etcd) => etcd.as('stranger').auth.userList()],
  ['administration by a certificate without a name', anonymousRefused, (etcd) => etcd.as(undefined).auth.userList()],
  ['administration without a certificate', anonymousRefused, (etcd) => etcd.anonymous().auth.userList()],
]

describe.each(versions)('etcd %s, auth on', (version) => {
  test.each(cases)('%s: %s', async (_, answer, call) => {
    expect(await answerOf(call(await locked(version, [perm('Read', 'k', 'l')])))).toBe(answer)
  })
})

describe.each(versions)('etcd %s, auth off', (version) => {
  test('enabling needs a user root, then its role root, but not that the role exists', async () => {
    const { auth } = memoryEtcd({ version })
    expect(await answerOf(auth.authEnable())).toBe('9 FAILED_PRECONDITION: etcdserver: root user does not exist')
    await auth.userAdd({ name: 'root', password: 'x' })
    expect(await answerOf(auth.authEnable())).toBe('9 FAILED_PRECONDITION: etcdserver: root user does not have root role')
    expect(await answerOf(auth.userGrantRole({ user: 'root', role: 'root' }))).toBe('ok')
    expect(await answerOf(auth.authEnable())).toBe('ok')
    expect((await auth.roleList()).roles).toEqual([])
    expect(await answerOf(auth.roleGet({ role: 'root' }))).toBe(noRole)
  })

  test('everybody may do everything, even delete root', async () => {
    const etcd = await locked(version)
    await etcd.auth.authDisable()
    expect(await answerOf(etcd.anonymous().auth.userRevokeRole({ name: 'root', role: 'root' }))).toBe('ok')
    expect(await answerOf(etcd.anonymous().auth.userDelete({ name: 'root' }))).toBe('ok')
    expect(await answerOf(etcd.anonymous().kv.put({ key: Buffer.from('k') }))).toBe('ok')
  })

  test('nobody can log in', async () => {
    expect(await answerOf(memoryEtcd({ version }).auth.authenticate({ name: 'root', password: 'x' }))).toBe('9 FAILED_PRECONDITION: etcdserver: authentication is not enabled')
  })
})

describe('by version', () => {
  const table = (release: string, answers: { from: string; before: string }): (readonly [string, string])[] => {
    const { from, before } = since(release)
    return [...before.map((version) => [version, answers.before] as const), ...from.map((version) => [version, answers.from] as const)]
  }

  test.each(table('3.5.0', { from: 'ok', before: '12 UNIMPLEMENTED: unknown method AuthStatus for service etcdserverpb.Auth' }))('AuthStatus of etcd %s for root: %s', async (version, answer) => {
    expect(await answerOf((await locked(version)).auth.authStatus())).toBe(answer)
  })

  test.each(table('3.7.0', { from: 'ok', before: denied }).slice(2))('AuthStatus of etcd %s for others: %s', async (version, answer) => {
    expect(await answerOf((await locked(version)).as('alice').auth.authStatus())).toBe(answer)
  })

  test.each(table('3.4.0', { from: '2 UNKNOWN: auth: authentication failed, password was given for no password user', before: 'ok' }))(
    'the login with an empty password, made with no_password, on etcd %s: %s',
    async (version, answer) => {
      const { auth } = await locked(version)
      await auth.userAdd({ name: 'bob', options: { no_password: true } })
      expect(await answerOf(auth.authenticate({ name: 'bob', password: '' }))).toBe(answer)
    },
  )

  test.each(table('3.5.0', { from: '2 UNKNOWN: bcrypt: password length exceeds 72 bytes', before: 'ok' }))('a password of 73 bytes on etcd %s: %s', async (version, answer) => {
    const { auth } = await locked(version)
    expect(await answerOf(auth.userAdd({ name: 'bob', password: 'x'.repeat(73) }))).toBe(answer)
  })

  test.each(table('3.5.0', { from: invalid, before: 'ok' }))('a permission without a key on etcd %s: %s', async (version, answer) => {
    const { auth } = await locked(version)
    expect(await answerOf(auth.roleGrantPermission({ name: 'r', perm: perm('Read', '', '\0') }))).toBe(answer)
    expect(await answerOf(auth.roleGrantPermission({ name: 'r', perm: perm('Read', 'z', 'a') }))).toBe(answer)
  })

  test.each(table('3.4.0', { from: '3 INVALID_ARGUMENT: etcdserver: role name is empty', before: 'dead' }))('a role without a name on etcd %s: %s', async (version, answer) => {
    const etcd = await locked(version)
    const found = await answerOf(etcd.auth.roleAdd({ name: '' }))
    expect(etcd.isDead()).toBe(answer === 'dead')
    expect(found).toMatch(answer === 'dead' ? /^14 UNAVAILABLE: / : answer)
  })

  test.each(table('3.5.0', { from: '3 INVALID_ARGUMENT: etcdserver: permission not given', before: 'dead' }))('a grant without a permission on etcd %s: %s', async (version, answer) => {
    const etcd = await locked(version)
    const found = await answerOf(etcd.auth.roleGrantPermission({ name: 'r' }))
    expect(etcd.isDead()).toBe(answer === 'dead')
    expect(found).toMatch(answer === 'dead' ? /^14 UNAVAILABLE: / : answer)
  })

  test('a member that a request has killed answers nobody any more, on either API', async () => {
    const etcd = await locked('3.3.25')
    await answerOf(etcd.auth.roleAdd({ name: '' }))
    expect(await answerOf(etcd.kv.range({ key: Buffer.from('k') }))).toMatch(/^14 UNAVAILABLE: /)
    await expect(etcd.fetch('https://etcd.invalid/v2/keys/', { method: 'GET', redirect: 'manual' })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
