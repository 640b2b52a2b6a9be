import { describe, expect, test } from 'vitest'
import {
  anonymous, definePolicy, disjoint, equivalent, fromKey, implies, key, noNewAccess, notGranted, pattern, prefix, range, read, readwrite, write, type ClientExample, type Policy,
} from '../../../src/policy/index.js'
import { thrown } from '../../support/thrown.js'

const users = { root: 'certificate', node: 'certificate' } as const
const v3 = (...permissions: Parameters<typeof implies>[0]) => ({ roles: { node: permissions }, bindings: { root: ['root'], node: ['node'] } }) as NonNullable<Policy['v3']>
const v2 = (guest: Parameters<typeof implies>[0], ...permissions: Parameters<typeof implies>[0]) =>
  ({ guest, roles: { node: permissions }, bindings: { root: ['root'], node: ['node'] } }) as NonNullable<Policy['v2']>

describe('a change gives new access', () => {
  const before = definePolicy({ users, v3: v3(read(prefix('/a/'))), v2: v2([read(pattern('/pub'))], read(pattern('/a/*'))) })
  test.each<[string, Partial<Policy>, ClientExample]>([
    ['on v3, where a permission writes', { v3: v3(readwrite(prefix('/a/'))) }, { user: 'node', api: 'v3', gained: { access: 'write', key: '/a/' } }],
    ['on v3, where one reaches farther', { v3: v3(read(range('/a', '/b'))) }, { user: 'node', api: 'v3', gained: { access: 'read', key: '/a' } }],
    ['on v2, where a permission writes', { v2: v2([read(pattern('/pub'))], readwrite(pattern('/a/*'))) }, { user: 'node', api: 'v2', gained: { access: 'write', key: '/a/' } }],
    // /a/* below /a/ says the same of single paths and more of recursive requests.
    ['on v2, by recursion alone', { v2: v2([read(pattern('/pub'))], read(pattern('/a/*')), read(pattern('/a/')), read(pattern('/a*'))) }, { user: 'node', api: 'v2', gained: { access: 'read', key: '/a' } }],
    ['to the v2 guest', { v2: v2([readwrite(pattern('/pub'))], read(pattern('/a/*'))) }, { user: anonymous, api: 'v2', gained: { access: 'write', key: '/pub' } }],
    ['with role root', { v3: { ...v3(read(prefix('/a/'))), bindings: { root: ['root'], node: ['node', 'root'] } } }, { user: 'node', api: 'v3', gained: 'root' }],
    ['to a new user', { users: { ...users, late: 'password' }, v3: { ...v3(read(prefix('/a/'))), bindings: { late: ['node'] } } }, { user: 'late', api: 'v3', gained: { access: 'read', key: '/a/' } }],
  ])('%s', (_, changed, counterexample) => {
    expect(noNewAccess(before, { ...before, ...changed })).toEqual({ holds: false, counterexample })
  })

  test('on v2 to a user that is taken out of the policy, since it is the guest then', () => {
    const [guest, without] = [[read(pattern('/pub'))], { root: 'certificate' } as const]
    const left = definePolicy({ users: without, v2: { guest, roles: {}, bindings: {} } })
    expect(noNewAccess(definePolicy({ users, v2: v2(guest) }), left)).toEqual({ holds: false, counterexample: { user: 'node', api: 'v2', gained: { access: 'read', key: '/pub' } } })
    // An exact pattern of the guest counts for recursive requests, that of a user does not.
    expect(noNewAccess(definePolicy({ users, v2: v2(guest, ...guest) }), left)).toEqual({ holds: false, counterexample: { user: 'node', api: 'v2', gained: { access: 'recursive read', key: '/pub' } } })
  })
})

describe('a change gives no new access', () => {
  test.each<[string, Policy, Policy]>([
    ['to whom had role root', definePolicy({ users, v3: v3() }), definePolicy({ users, v3: { roles: { all: [readwrite(fromKey('\0'))] }, bindings: { root: ['all'] } } })],
    ['where users and roles go', definePolicy({ users, v3: v3(read(key('/a'))) }), definePolicy({ users: { root: 'certificate' }, v3: { roles: {}, bindings: {} } })],
    ['where roles are split', definePolicy({ users, v3: v3(read(range('/a', '/c'))) }), definePolicy({ users, v3: v3(read(range('/a', '/b')), read(range('/b', '/c'))) })],
    ['on an API that neither policy has, by the name of user root', definePolicy({ users: { node: 'certificate' }, v3: { roles: {}, bindings: {} } }), definePolicy({ users, v3: { roles: {}, bindings: {} } })],
  ])('%s', (_, before, after) => {
    expect(noNewAccess(before, after)).toEqual({ holds: true })
  })

  test.each(['v3', 'v2'] as const)('is not said where only one policy has a %s half', (api) => {
    const half = { v3: v3(), v2: v2([]) }
    const [both, one] = [definePolicy({ users, ...half }), definePolicy({ users, ...(api === 'v3' ? { v2: half.v2 } : { v3: half.v3 }) })]
    for (const [before, after] of [[both, one], [one, both]] as const) expect(thrown('ERR_POLICY_HALF_MISSING', () => noNewAccess(before, after)).detail).toEqual({ api })
  })
})

describe('whether keys are granted is answered', () => {
  const policy = definePolicy({ users: { ...users, idle: 'password' }, v3: v3(write(prefix('/a/'))), v2: v2([read(pattern('/pub'))], read(pattern('/a'))) })
  test('for v3 and v2, for nobody and for root', () => {
    expect(notGranted(policy, 'node', prefix('/b/'))).toEqual({ holds: true })
    expect(notGranted(policy, 'node', fromKey('/'))).toEqual({ holds: false, counterexample: { access: 'write', key: '/a/' } })
    expect(notGranted(policy, 'node', pattern('/a*'))).toEqual({ holds: false, counterexample: { access: 'read', key: '/a' } })
    expect(notGranted(policy, 'node', pattern('/a/*'))).toEqual({ holds: true })
    expect(notGranted(policy, anonymous, prefix('/'))).toEqual({ holds: true })
    expect(notGranted(policy, anonymous, pattern('/*'))).toEqual({ holds: false, counterexample: { access: 'read', key: '/pub' } })
    for (const keys of [key('/x'), pattern('/x')]) expect(notGranted(policy, 'root', keys)).toEqual({ holds: false, counterexample: 'root' })
    for (const keys of [key('/a/'), pattern('/a')]) expect(notGranted(policy, 'idle', keys)).toEqual({ holds: true })
  })

  test('about users of the policy alone', () => {
    thrown('ERR_USER_UNKNOWN', () => notGranted(policy as Policy, 'other', key('/a')))
  })
})

describe('lists of permissions', () => {
  test('on v2, recursion is an access of its own', () => {
    expect(implies([read(pattern('/a/*'))], [read(pattern('/a/b'))]).holds).toBe(true)
    expect(implies([read(pattern('/a'))], [read(pattern('/a*'))])).toEqual({ holds: false, counterexample: { access: 'read', key: '/a\0' } })
    expect(equivalent([write(pattern('/a*'))], [write(pattern('/a*')), write(pattern('/a/b'))]).holds).toBe(true)
    expect(equivalent([read(pattern('/a'))], [read(pattern('/a')), read(pattern('/b'))])).toEqual({ holds: false, counterexample: { access: 'read', key: '/b' } })
    expect(disjoint([read(pattern('/a/*'))], [write(pattern('/a'))]).holds).toBe(true)
    expect(disjoint([read(pattern('/a*'))], [write(pattern('/a/b'))])).toEqual({ holds: false, counterexample: '/a/b' })
  })

  test('of the two APIs are not compared', () => {
    for (const compare of [implies, equivalent, disjoint]) expect(() => compare([read(key('/a'))], [read(pattern('/a'))])).toThrow(TypeError)
  })
})
