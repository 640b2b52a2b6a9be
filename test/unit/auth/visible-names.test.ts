/** Names in messages: whatever a caller, a certificate or a store has for a name, no message writes over the lines of a terminal with it. */
import { describe, expect, test } from 'vitest'
import { planAuth, parseState, type Identity } from '../../../src/auth/index.js'
import { key, read } from '../../../src/keys/index.js'
import { memoryEtcd } from '../../../src/testing/index.js'
import { double, locked, passwords, policy } from './doubles.js'

/** Clears the screen, in 7 and in 8 bits, and turns the line around. */
const evil = 'a\u001b[2J\u009b2J\u202e'
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/

/** All that is said to people, where something is refused; with the blockers and warnings of what is not. */
async function said(work: () => unknown): Promise<string> {
  try {
    const result = await work()
    const { blockers = [], warnings = [] } = result as { blockers?: readonly string[]; warnings?: readonly string[] }
    return [...blockers, ...warnings].join('\n')
  } catch (error) {
    return String(error)
  }
}

describe.each(['v3', 'v2'] as const)('on %s, a name that clears the screen is shown as it is spelt', (api) => {
  const identity: Identity = { user: evil }
  const as = (made = double(api)) => made.auth({ identity })

  test.each<[string, () => unknown]>([
    ['an empty password', () => double(api).auth().setPassword(evil, '')],
    ['a password that is too long', () => double(api).auth().setPassword(evil, 'x'.repeat(100))],
    ['a password that is none', () => double(api).auth().setPassword(evil, 7 as never)],
    ['a password for somebody else', async () => double(api).auth().apply(await double(api).auth().plan(policy, locked), { passwords: { ...passwords, [evil]: 'x' } })],
    ['passwords of the wrong type', async () => double(api).auth().apply(await double(api).auth().plan(policy, locked), { passwords: { ...passwords, [evil]: 7 as never } })],
    ['a user who is not there', () => double(api).auth().grantRole(evil, 'root')],
    ['a user who may not be made', () => double(api).auth().addUser(evil, { login: 'certificate' })],
    ['a caller who is not root', () => as().plan(policy, locked)],
    ['a caller who is not root, and turns auth on', () => as().enable()],
    ['a caller who may not do without', () => as().deleteUser(evil)],
    ['a caller whom the store does not let in', async () => {
      const made = double(api)
      await made.auth().apply(await made.auth().plan(policy, locked), { passwords })
      return made.auth({ identity }, made.etcd.as('node')).state()
    }],
    ['a caller whose certificate is another', () => double(api).auth({ identity: { user: evil, certificate: { commonName: `${evil}2`, usages: [], notBefore: '2020-01-01T00:00:00Z', notAfter: '2020-01-02T00:00:00Z' } } }).plan(policy, locked)],
    ['needs of nobody', () => double(api).auth().plan(policy, { ...locked, needs: { [evil]: { permissions: [] } } })],
    ['needs of keys', () => double('v3').auth().plan(policy, { ...locked, needs: { node: { permissions: [read(key(evil))] } } })],
    ['needs that are none', () => double(api).auth().plan(policy, { ...locked, needs: { [evil]: 7 as never } })],
    ['a misspelt option', () => double(api).auth().plan(policy, { ...locked, [evil]: 7 } as never)],
    ['a user to be made anew', () => double(api).auth().plan(policy, { ...locked, recreate: [evil] })],
    ['a state of names', () => planAuth(parseState({ api, enabled: false, users: { [evil]: ['root', evil] }, roles: { [evil]: [] } }), policy, locked, { user: 'root' }, new Date())],
    ['a state with a role that is none', () => parseState({ api, enabled: false, users: {}, roles: { [evil]: 7 } })],
    ['a state with a role of keys that are none', () => parseState({ api, enabled: false, users: {}, roles: { [evil]: [{ type: 'read', keys: 7 }] } })],
  ])('%s', async (_, work) => {
    const text = await said(work)
    expect(text).not.toBe('')
    expect(text).not.toMatch(RAW)
  })
})

test('whoever is locked out by such a name is told so by its spelling', async () => {
  const etcd = memoryEtcd({ version: '3.5.35' })
  for (const name of ['root', evil]) {
    await etcd.auth.userAdd({ name, options: { no_password: true } })
    await etcd.auth.userGrantRole({ user: name, role: 'root' })
  }
  const made = double('v3')
  const text = await said(() => made.auth({ identity: { user: evil } }, etcd.as('stranger')).enable({ acknowledgeRoot: ['root'] }))
  expect(text).toContain('auth is on, and this client is not user a')
  expect(text).not.toMatch(RAW)
})
