/** States from JSON, and plans made of them where there is no server. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseState, planAuth, type AuthState } from '../../../src/auth/index.js'
import { isEtcdRbacError } from '../../../src/errors.js'
import { fromWire } from '../../../src/keys/interval.js'
import { memoryEtcd } from '../../../src/testing/index.js'
import { double, locked, passwords, policy } from './doubles.js'

const roundTrip = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe.each(['v3', 'v2'] as const)('a state of %s', (api) => {
  test('that was kept as JSON gives the plan that the server gives, without root and without the server', async () => {
    const { auth, clock } = double(api)
    await auth().apply(await auth().plan(policy, locked), { passwords })
    await auth().addUser('zed', { login: 'password', password: 'x' })
    const state = await auth().state()
    expect(parseState(roundTrip(state))).toEqual(state)
    const other = { ...policy, users: { ...policy.users, more: 'certificate' as const } }
    const planned = await auth().plan(other, locked)
    const offline = planAuth(parseState(roundTrip(state)), other, locked, { user: 'root' }, clock.now())
    expect(offline.fingerprint).toBe(planned.fingerprint)
    expect(offline.steps.length).toBeGreaterThan(0)
  })
})

test('whatever ranges a server holds come back as they were, empty ones too', () => {
  const bytes = fc.uint8Array({ maxLength: 3 })
  fc.assert(
    fc.property(fc.array(fc.record({ key: bytes, rangeEnd: bytes }), { maxLength: 4 }), (ranges) => {
      const state: AuthState = { api: 'v3', version: '3.4.23', enabled: true, users: { a: ['r'] }, roles: { r: ranges.map((range) => ({ type: 'unknown', keys: fromWire(range) })) } }
      expect(JSON.stringify(parseState(roundTrip(state)))).toBe(JSON.stringify(state))
    }),
  )
})

test('names of JavaScript are names like others', async () => {
  const etcd = memoryEtcd({ version: '3.5.35' })
  for (const name of ['constructor', '__proto__', '10']) await etcd.auth.userAdd({ name, password: 'x' })
  const { users } = parseState(JSON.parse('{"api":"v3","enabled":false,"users":{"__proto__":[],"constructor":[],"10":["root"]},"roles":{}}'))
  expect(Object.keys(users).sort()).toEqual(['10', '__proto__', 'constructor'])
})

test.each([
  ['nothing', null],
  ['a list', []],
  ['another API', { api: 'v4', enabled: true, users: {}, roles: {} }],
  ['no word on auth', { api: 'v3', users: {}, roles: {} }],
  ['no users', { api: 'v3', enabled: true, roles: {} }],
  ['roles as a list', { api: 'v3', enabled: true, users: {}, roles: [] }],
  ['roles of a user that are no list', { api: 'v3', enabled: true, users: { a: 'root' }, roles: {} }],
  ['an empty name', { api: 'v3', enabled: true, users: { '': [] }, roles: {} }],
  ['a type that there is not', { api: 'v3', enabled: true, users: {}, roles: { r: [{ type: 'all', keys: { api: 'v3', kind: 'allKeys' } }] } }],
  ['an unknown type on v2', { api: 'v2', enabled: true, users: {}, roles: { r: [{ type: 'unknown', keys: { api: 'v2', pattern: '/a' } }] } }],
  ['keys of the other API', { api: 'v3', enabled: true, users: {}, roles: { r: [{ type: 'read', keys: { api: 'v2', pattern: '/a' } }] } }],
  ['a pattern of the other API', { api: 'v2', enabled: true, users: {}, roles: { r: [{ type: 'read', keys: { api: 'v3', kind: 'allKeys' } }] } }],
  ['bad base64', { api: 'v3', enabled: true, users: {}, roles: { r: [{ type: 'read', keys: { api: 'v3', kind: 'key', key: { base64: '*' } } }] } }],
  ['a key that is no text', { api: 'v3', enabled: true, users: {}, roles: { r: [{ type: 'read', keys: { api: 'v3', kind: 'key', key: 5 } }] } }],
  ['a list of what cannot be asked for', { api: 'v3', enabled: true, users: {}, roles: {}, unreadable: ['x'] }],
  ['another word on v2', { api: 'v3', enabled: true, users: {}, roles: {}, v2: 'ajar' }],
])('what has %s is no state, and the error says so', (_, json) => {
  try {
    parseState(json)
    expect.unreachable()
  } catch (error) {
    expect(isEtcdRbacError(error, 'ERR_STATE_INVALID'), String(error)).toBe(true)
  }
})
