/** How users log in, and how that changes: passwords set and dropped, users made anew, empty passwords and hidden users found. */
import { describe, expect, test } from 'vitest'
import { EtcdAuth, showStep, v3Backend } from '../../../src/auth/index.js'
import { definePolicy, get, prefix, readwrite, type Policy } from '../../../src/policy/index.js'
import { memoryEtcd } from '../../../src/testing/index.js'
import { attemptV2, attemptV3, memoryV3Client } from '../../../examples/support/attempt.js'
import { path, pattern } from '../../../src/policy/index.js'
import { double, passwords, policy, rejected, secret } from './doubles.js'

const half = (keys: 'v3' | 'v2') => ({ roles: { app: [keys === 'v3' ? readwrite(prefix('/app/')) : readwrite(pattern('/app/*'))] }, bindings: { root: ['root'] as const, app: ['app'] as const } })
const policyBy = (login: 'certificate' | 'password'): Policy => definePolicy({ users: { root: 'certificate', app: login }, v3: half('v3'), v2: { guest: [], ...half('v2') } } as never)
const options = { unmanaged: 'report', enable: true, acknowledgePasswordsInLog: true, acknowledgeOpenV2: true } as const

describe.each(['v3', 'v2'] as const)('on %s', (api) => {
  const prepared = async (login: 'certificate' | 'password') => {
    const made = double(api)
    await made.auth().apply(await made.auth().plan(policyBy(login), options), { passwords: login === 'password' ? { app: secret } : {} })
    const reads = async (how: 'certificate' | 'password', password = secret): Promise<boolean> => {
      const client = how === 'certificate' ? made.etcd.as('app') : made.etcd.anonymous().withPassword('app', password)
      const operation = api === 'v3' ? get('/app/x') : get(path('/app/x'))
      return operation.keys.api === 'v3' ? attemptV3(memoryV3Client(client), operation, operation.keys).catch(() => false) : attemptV2(client.fetch, 'https://127.0.0.1:2379', operation, operation.keys)
    }
    return { ...made, reads }
  }

  test('a user with a password that drops it is let in by its certificate all the while, and by the password no more', async () => {
    const { auth, reads } = await prepared('password')
    expect([await reads('certificate'), await reads('password')]).toEqual([true, true])
    expect(await auth().dropPassword('app')).toEqual({ outcome: 'changed', sever: { user: 'app' } })
    expect([await reads('certificate'), await reads('password')]).toEqual([true, false])
    expect((await auth().plan(policyBy('certificate'), options)).outcome).toBe('in sync')
    await rejected('ERR_NOT_FOUND', auth().dropPassword('nobody-at-all'))
    await rejected('ERR_NAME_INVALID', auth().dropPassword(''))
  })

  test('a password is rotated, and the old one lets nobody in', async () => {
    const { auth, reads } = await prepared('password')
    expect(await auth().setPassword('app', 'another password')).toEqual({ outcome: 'changed', sever: { user: 'app' } })
    expect([await reads('password'), await reads('password', 'another password')]).toEqual([false, true])
  })

  test(`a certificate user who is to log in by password is made anew: ${api === 'v3' ? 'a gap that the plan lists' : 'no gap, since a new password is all that it takes'}, and its rights are the same afterwards`, async () => {
    const { auth, reads } = await prepared('certificate')
    expect(await reads('password')).toBe(false)
    const plan = await auth().plan(policyBy('password'), { ...options, recreate: ['app'] })
    expect(plan.steps.map(showStep)).toEqual(api === 'v3' ? ['delete user app', 'add user app, who logs in by password', 'bind user app to role app'] : ['set the password of user app'])
    expect(plan.gaps.map(({ user, permission }) => `${user}: ${permission}`)).toEqual(api === 'v3' ? ['app: read and write of all that it holds'] : [])
    expect([plan.needsPassword, plan.rights, plan.sever]).toEqual([['app'], [], ['app']])
    await rejected('ERR_PASSWORD_MISSING', auth().apply(plan))
    const { state } = await auth().apply(plan, { passwords: { app: secret } })
    expect(state.users['app']).toEqual(['app'])
    expect([await reads('certificate'), await reads('password')]).toEqual([true, true])
    expect((await auth().drift(plan)).outcome).toBe('in sync')
  })

  const parts = api === 'v3' ? ['the delete', 'the making', 'the binding'] : ['the new password']
  test.each(parts)('making a user anew that is interrupted before %s is finished by the next run', async (where) => {
    const { auth, etcd, reads } = await prepared('certificate')
    const plan = await auth().plan(policyBy('password'), { ...options, recreate: ['app'] })
    const at = parts.indexOf(where) + 1
    let writes = 0
    etcd.faults.failBefore(({ method }) => /^(PUT|DELETE) |^user(Add|Delete|GrantRole)$/.test(method) && ++writes === at)
    await rejected('ERR_UNREACHABLE', auth().apply(plan, { passwords: { app: secret } }))
    const again = await auth().plan(policyBy('password'), { ...options, recreate: ['app'] })
    await auth().apply(again, { passwords: { app: secret } })
    expect(await reads('password')).toBe(true)
  })

  test('while auth is off, root is made anew as well: whoever planted it is out', async () => {
    const { auth, etcd } = double(api)
    await auth().addUser('root', { login: 'password', password: 'planted' })
    const plan = await auth().plan(policyBy('certificate'), { ...options, recreate: ['root'] })
    expect(plan.blockers).toEqual([])
    await auth().apply(plan)
    await expect(etcd.anonymous().withPassword('root', 'planted').auth.userList()).rejects.toThrow()
    expect((await auth().drift(plan)).outcome).toBe('in sync')
  })

  test('while auth is on, root, the caller and strangers to the policy are not made anew', async () => {
    const { auth, writes } = await prepared('certificate')
    const before = writes().length
    const plan = await auth().plan(policyBy('certificate'), { ...options, recreate: ['root', 'zed'] })
    expect(plan.blockers.join()).toMatch(/user root cannot be made anew.*user zed, who is to be made anew, is not in the policy/)
    await rejected('ERR_PLAN_BLOCKED', auth().apply(plan))
    expect(writes()).toHaveLength(before)
    await auth().grantRole('app', 'root')
    const asApp = await auth({ identity: { user: 'app' } }, undefined).plan(policyBy('certificate'), { ...options, recreate: ['app'] })
    expect(asApp.blockers.join()).toContain('user app cannot be made anew')
    await expect(auth().plan(policy, { ...options, recreate: 'app' as never })).rejects.toBeInstanceOf(TypeError)
  })
})

test('v3 draws no password without crypto', async () => {
  const auth = new EtcdAuth(v3Backend(memoryEtcd({ version: '3.5.35' }).auth, { versions: ['3.5.35'] }), { identity: { user: 'root' } })
  await auth.addUser('app', { login: 'password', password: secret })
  await rejected('ERR_CRYPTO_UNUSABLE', auth.dropPassword('app'))
})

describe('users whom the empty password lets in', () => {
  const world = async () => {
    const made = double('v3', '3.3.25')
    // As etcd 3.3 makes them of a request that newer releases know.
    await made.etcd.auth.userAdd({ name: 'open', options: { no_password: true } })
    await made.auth().apply(await made.auth().plan(policy, options), { passwords })
    return made
  }

  test('are found where that is asked for, and a store that has one is not in sync', async () => {
    const { auth, etcd } = await world()
    const asked = etcd.calls.length
    const quiet = await auth().drift(policy, options)
    expect([quiet.outcome, quiet.emptyPasswords]).toEqual(['in sync', []])
    expect(etcd.calls.slice(asked).filter(({ request }) => (request as { name?: string } | undefined)?.name === 'open' && 'password' in (request as object))).toEqual([])
    const plan = await auth().drift(policy, { ...options, probeEmptyPasswords: true })
    expect([plan.outcome, plan.emptyPasswords, plan.steps]).toEqual(['drift', ['open'], []])
    expect(plan.warnings.join()).toContain('the empty password lets in: open')
    expect((await auth().state({ probeEmptyPasswords: true })).emptyPasswords).toEqual(['open'])
    await rejected('ERR_WRITE_REFUSED', auth().dropPassword('open'))
    await auth().dropPassword('open', { acknowledgePasswordsInLog: true })
    expect((await auth().drift(policy, { ...options, probeEmptyPasswords: true })).outcome).toBe('in sync')
  })

  test('are not looked for while auth is off: nobody logs in then', async () => {
    const { etcd, auth } = double('v3')
    await etcd.auth.userAdd({ name: 'open', password: '' })
    expect('emptyPasswords' in (await auth().state({ probeEmptyPasswords: true }))).toBe(false)
    expect((await auth().plan(policy, { ...options, probeEmptyPasswords: true })).warnings.join()).toContain('the empty password was not tried')
  })

  test('do not exist on v2, where no request is spent on them', async () => {
    const { auth, etcd } = double('v2')
    await auth().apply(await auth().plan(policy, options), { passwords })
    const asked = etcd.calls.length
    expect((await auth().drift(policy, { probeEmptyPasswords: true })).emptyPasswords).toEqual([])
    expect(etcd.calls.slice(asked).every(({ method }) => method.startsWith('GET '))).toBe(true)
  })
})

describe('hidden users of v2', () => {
  const planted = async () => {
    const made = double('v2')
    await made.etcd.fetch('https://127.0.0.1:2379/v2/auth/users/_back', { method: 'PUT', redirect: 'manual', body: JSON.stringify({ user: '_back', password: 'planted', roles: ['root'] }) })
    return made
  }

  test('are not seen, and warned of', async () => {
    const plan = await (await planted()).auth().plan(policy, options)
    expect(plan.blockers).toEqual([])
    expect(plan.warnings.join()).toContain('hiddenUsers')
  })

  test('are judged like the others where they are named: as root, a blocker; gone, where what is unmanaged is removed', async () => {
    const { auth } = await planted()
    const found = await auth().plan(policy, { ...options, hiddenUsers: ['_back', '_none'] })
    expect(found.blockers.join()).toContain('user _back, whom the policy does not name, holds role root')
    const plan = await auth().plan(policy, { ...options, unmanaged: 'remove', hiddenUsers: ['_back'] })
    expect(plan.steps.map(showStep)).toContain('delete user _back')
    await auth().apply(plan, { passwords })
    expect((await auth().state({ hiddenUsers: ['_back'] })).users).not.toHaveProperty('_back')
    expect((await auth().drift(policy, { hiddenUsers: ['_back'] })).outcome).toBe('in sync')
  })

  test('are looked for by a single write that turns auth on, too, where they are named', async () => {
    const { auth } = await planted()
    await auth().addRole('guest')
    await auth().addUser('root', { login: 'certificate' })
    expect((await rejected('ERR_WRITE_REFUSED', auth().enable({ hiddenUsers: ['_back', '_none'] }))).message).toContain('user _back holds role root')
    expect((await auth().state()).enabled).toBe(false)
    expect((await auth().enable({ hiddenUsers: ['_back'], acknowledgeRoot: ['_back'] })).outcome).toBe('changed')
    await expect(auth().enable({ hiddenUsers: '_back' as never })).rejects.toBeInstanceOf(TypeError)
  })

  test.each([['_back'], [['']], [[1]]])('that %j names nobody of is a TypeError', async (hiddenUsers) => {
    await expect(double('v2').auth().state({ hiddenUsers: hiddenUsers as never })).rejects.toBeInstanceOf(TypeError)
    await expect(double('v2').auth().plan(policy, { ...options, hiddenUsers: hiddenUsers as never })).rejects.toBeInstanceOf(TypeError)
  })
})
