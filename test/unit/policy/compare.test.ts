import { describe, expect, test } from 'vitest'
import {
  anonymous, call, can, definePolicy, disjoint, equivalent, fromKey, implies, indexPolicy, key, noNewAccess, notGranted, pattern, prefix, range, read, readwrite, write,
  type ClientExample, type Example, type PathPattern, type Permission, type Policy,
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
    expect(notGranted(policy, 'node', pattern('/a*'))).toEqual({ holds: false, counterexample: { access: 'read', key: '/a', by: 'GET /a' } })
    expect(notGranted(policy, 'node', pattern('/b/*'))).toEqual({ holds: true })
    expect(notGranted(policy, anonymous, prefix('/'))).toEqual({ holds: true })
    expect(notGranted(policy, anonymous, pattern('/*'))).toEqual({ holds: false, counterexample: { access: 'read', key: '/pub', by: 'GET /pub' } })
    for (const keys of [key('/x'), pattern('/x')]) expect(notGranted(policy, 'root', keys)).toEqual({ holds: false, counterexample: 'root' })
    for (const keys of [key('/a/'), pattern('/a')]) expect(notGranted(policy, 'idle', keys)).toEqual({ holds: true })
  })

  test('about users of the policy alone', () => {
    thrown('ERR_USER_UNKNOWN', () => notGranted(policy as Policy, 'other', key('/a')))
  })

  test('about an API that the policy speaks of alone', () => {
    const half = definePolicy({ users, v3: v3(read(key('/a'))) })
    for (const user of ['node', 'root', anonymous] as const) expect(thrown('ERR_POLICY_HALF_MISSING', () => notGranted(half, user, pattern('/a'))).detail).toEqual({ api: 'v2' })
  })

  test.each<[string, unknown, unknown]>([
    ['keys that nothing made', policy, '/x'],
    ['no keys', policy, undefined],
    ['a path', policy, { api: 'v2', path: '/x', recursive: false }],
    ['a range of nothing', policy, { api: 'v3', kind: 'range', start: '/b', end: '/a' }],
    ['no policy', {}, key('/x')],
  ])('about nothing else: %s', (_, asked, keys) => {
    expect(() => notGranted(asked as typeof policy, 'node', keys as PathPattern)).toThrow(TypeError)
  })

  // As etcd answers: its tree is in the replies, whatever the patterns say of the paths in them.
  test.each<[string, Permission<PathPattern>, string, Example | undefined]>([
    ['a child, which a listing shows with its value', read(pattern('/t')), '/t/*', { access: 'read', key: '/t/x', by: 'GET /t lists it with its value' }],
    ['a child by its name', read(pattern('/t/')), '/t/secret', { access: 'read', key: '/t/secret', by: 'GET /t/ lists it with its value' }],
    ['a child of the root', read(pattern('/')), '/t', { access: 'read', key: '/t', by: 'GET / lists it with its value' }],
    ['a hidden child, which no listing shows', read(pattern('/t')), '/t/_x*', undefined],
    ['what is deeper', read(pattern('/t')), '/t/x/y*', undefined],
    ['the directory itself, by a final slash', read(pattern('/t/*')), '/t', { access: 'read', key: '/t', by: 'GET /t/' }],
    ['a child that POST creates', write(pattern('/t')), '/t/00000000000000000022', { access: 'write', key: '/t/00000000000000000022', by: 'POST /t creates such a child' }],
    ['what lies in a directory that expires', write(pattern('/t')), '/t/x/*', { access: 'write', key: '/t/x/x', by: 'PUT /t?dir=true&ttl=1 deletes it, when that directory expires' }],
    ['a child of the root that POST creates', write(pattern('/')), '/*', { access: 'write', key: '/00000000000000000001', by: 'POST / creates such a child' }],
    ['what lies in a directory that POST creates in the root', write(pattern('/')), '/00000000000000000022/a', { access: 'write', key: '/00000000000000000022/a', by: 'POST /?dir=true&ttl=1 deletes it, when the directory that it creates expires' }],
    ['the root itself, which is no key', write(pattern('/')), '/', { access: 'write', key: '/' }],
    ['what else lies in the root', write(pattern('/')), '/t*', undefined],
    ['beside the directory', readwrite(pattern('/t')), '/tt*', undefined],
  ])('on v2, for what a user reaches from another path: %s', (_, held, keys, counterexample) => {
    const found = notGranted(definePolicy({ users, v2: v2([], held) }), 'node', pattern(keys))
    expect(found).toEqual(counterexample === undefined ? { holds: true } : { holds: false, counterexample })
  })

  test.each<[string, Permission<PathPattern>, string, Example | undefined]>([
    ['all that is below', read(pattern('/g')), '/g/*', { access: 'read', key: '/g/x', by: 'GET /g?recursive=true shows it' }],
    ['what is deeper', read(pattern('/g')), '/g/x/y', { access: 'read', key: '/g/x/y', by: 'GET /g?recursive=true shows it' }],
    ['what is hidden, in the past', read(pattern('/g')), '/g/_x', { access: 'read', key: '/g/_x', by: 'GET /g?wait=true&recursive=true&waitIndex=… tells of its past' }],
    ['what it may delete', write(pattern('/g')), '/g/x/y', { access: 'write', key: '/g/x/y', by: 'DELETE /g?recursive=true deletes it' }],
    ['what is beside', readwrite(pattern('/g')), '/gg*', undefined],
  ])('on v2, for what the guest reaches from another path: %s', (_, held, keys, counterexample) => {
    const found = notGranted(definePolicy({ users, v2: v2([held]) }), anonymous, pattern(keys))
    expect(found).toEqual(counterexample === undefined ? { holds: true } : { holds: false, counterexample })
  })
})

describe('lists of permissions', () => {
  test('on v2, recursion is an access of its own', () => {
    expect(implies([read(pattern('/a/*'))], [read(pattern('/a/b'))]).holds).toBe(true)
    expect(implies([read(pattern('/a'))], [read(pattern('/a*'))])).toEqual({ holds: false, counterexample: { access: 'read', key: '/a\0' } })
    expect(equivalent([write(pattern('/a*'))], [write(pattern('/a*')), write(pattern('/a/b'))]).holds).toBe(true)
    expect(equivalent([read(pattern('/a'))], [read(pattern('/a')), read(pattern('/b'))])).toEqual({ holds: false, counterexample: { access: 'read', key: '/b' } })
    expect(implies([read(pattern('/a'))], [read(pattern('/a/*'))]).holds).toBe(false)
  })

  test('on v2 are disjoint where no request reaches a key of the other, whatever their patterns match', () => {
    expect(disjoint([read(pattern('/a/*'))], [write(pattern('/b'))])).toEqual({ holds: true })
    expect(disjoint([read(pattern('/a'))], [read(pattern('/a/b/c'))])).toEqual({ holds: true })
    expect(disjoint([read(pattern('/a/*'))], [write(pattern('/a'))])).toEqual({ holds: false, counterexample: '/a/x' })
    expect(disjoint([read(pattern('/t'))], [write(pattern('/t/*'))])).toEqual({ holds: false, counterexample: '/t' })
    expect(disjoint([read(pattern('/a*'))], [write(pattern('/a/b'))])).toEqual({ holds: false, counterexample: '/a/b' })
  })

  test('of the two APIs are not compared', () => {
    for (const compare of [implies, equivalent, disjoint]) expect(() => compare([read(key('/a'))], [read(pattern('/a'))])).toThrow(TypeError)
  })

  test('are lists of permissions, or a TypeError', () => {
    const bad: readonly (readonly unknown[] | undefined)[] = [['x'], [null], [{ type: 'rw', keys: key('/a') }], [{ type: 'read', keys: '/a' }], [{ type: 'read' }], undefined]
    for (const compare of [implies, equivalent, disjoint])
      for (const list of bad) {
        expect(() => compare([], list as Permission[])).toThrow(TypeError)
        expect(() => compare(list as Permission[], [])).toThrow(TypeError)
      }
  })
})

describe('policies are compared', () => {
  const [before, after] = [definePolicy({ users, v3: v3(read(key('/a'))) }), definePolicy({ users, v3: v3(readwrite(key('/a'))) })]
  test('as they are, or indexed', () => {
    expect(noNewAccess(indexPolicy(before), after).holds).toBe(false)
    expect(noNewAccess(after, indexPolicy(before)).holds).toBe(true)
  })

  test('only where they say something', () => {
    const silent = definePolicy({ users })
    expect(thrown('ERR_POLICY_HALF_MISSING', () => noNewAccess(silent, silent)).detail).toEqual({ api: 'v3' })
    for (const bad of [{}, null, undefined, 'x']) for (const pair of [[bad, bad], [before, bad], [bad, before]]) expect(() => noNewAccess(pair[0] as Policy, pair[1] as Policy)).toThrow(TypeError)
  })

  test('by what they allow with keys: who holds a role may read its definition, and that is not counted', () => {
    const bound = definePolicy({ users, v3: { roles: { node: [read(key('/a'))], copy: [read(key('/a'))] }, bindings: { node: ['node', 'copy'] } } })
    expect([can(before as Policy, 'node', call('roleGet', 'copy')), can(bound, 'node', call('roleGet', 'copy'))]).toEqual([false, true])
    expect(noNewAccess(before, bound)).toEqual({ holds: true })
  })
})
