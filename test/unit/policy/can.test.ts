import { describe, expect, test } from 'vitest'
import {
  allKeys, anonymous, can, definePolicy, del, explain, fromKey, get, indexPolicy, key, lease, parsePolicy, path, pattern, prefix, put, range, read, readwrite, txn, watch, write, type KeyOperation, type Policy,
} from '../../../src/policy/index.js'
import { hostile, thrown } from '../../support/thrown.js'

const policy = definePolicy({
  users: { root: 'certificate', admin: 'certificate', node: 'certificate', auditor: 'password', writer: 'password', nobody: 'password' },
  v3: {
    roles: {
      felix: [readwrite(prefix('/calico/felix/v1/'))],
      low: [read(range('/a', '/m'))],
      high: [read(range('/m', '/z')), write(key('/m'))],
      drop: [write(prefix('/inbox/'))],
      everything: [readwrite(allKeys())],
    },
    bindings: { root: ['root'], admin: ['root'], node: ['felix'], auditor: ['low', 'high'], writer: ['drop'], nobody: [] },
  },
  v2: {
    guest: [read(pattern('/public')), readwrite(pattern('/drop/*'))],
    roles: { felix: [readwrite(pattern('/calico/felix/v1*'))], list: [read(pattern('/calico'))], down: [read(pattern('/calico/*'))], drop: [write(pattern('/inbox/*'))] },
    bindings: { node: ['felix'], auditor: ['list', 'down'], writer: ['drop'], admin: ['root'] },
  },
})
/** What engines say of code that went wrong, in place of a message. */
const ENGINE = /undefined or null|of undefined|of null|is not a function|not iterable|destructure/
type Name = 'root' | 'admin' | 'node' | 'auditor' | 'writer' | 'nobody' | typeof anonymous

describe('on v3', () => {
  test.each<[Name, string, KeyOperation, boolean]>([
    // How the issue is judged.
    ['node', 'reads under its prefix', get('/calico/felix/v1/x'), true],
    ['node', 'writes under its prefix', put('/calico/felix/v1/x'), true],
    ['node', 'reads its whole prefix', get(prefix('/calico/felix/v1/')), true],
    ['node', 'watches its whole prefix', watch(prefix('/calico/felix/v1/')), true],
    ['node', 'deletes its whole prefix', del(prefix('/calico/felix/v1/')), true],
    ['node', 'is denied beside it', put('/calico/felix/v10'), false],
    ['node', 'is denied at its name without slash', get('/calico/felix/v1'), false],
    ['node', 'is denied elsewhere', get(prefix('/registry/')), false],
    ['node', 'is denied above', get(prefix('/calico/')), false],
    ['node', 'is denied everything after', get(fromKey('/calico/felix/v1/')), false],
    // Union of roles, reading and writing apart.
    ['auditor', 'reads across two roles that touch', get(range('/b', '/y')), true],
    ['auditor', 'does not read beyond them', get(range('/b', '/z\0')), false],
    ['auditor', 'writes where one role says so', put('/m'), true],
    ['auditor', 'does not write where it reads', put('/b'), false],
    ['auditor', 'deletes what it may write', del('/m'), true],
    ['auditor', 'does not delete a range of which it may write one key', del(range('/m', '/n')), false],
    ['writer', 'writes', put('/inbox/1'), true],
    ['writer', 'does not read what it writes', get('/inbox/1'), false],
    ['writer', 'does not watch what it writes', watch('/inbox/1'), false],
    ['nobody', 'may nothing', get('/a'), false],
    ['root', 'may everything', del(allKeys()), true],
    ['admin', 'holds role root and may everything', del(allKeys()), true],
    [anonymous, 'may nothing', get('/a'), false],
  ])('%s %s', (user, _, operation, answer) => {
    expect(can(policy, user, operation)).toBe(answer)
  })

  test('the name root is nothing without role root', () => {
    const unbound = definePolicy({ users: { root: 'certificate' }, v3: { roles: {}, bindings: {} } })
    expect(can(unbound, 'root', get('/a'))).toBe(false)
  })
})

describe('on v2', () => {
  test.each<[Name, string, KeyOperation, boolean]>([
    ['node', 'reads and writes by prefix', put(path('/calico/felix/v1/x')), true],
    ['node', 'opens the sibling that its pattern opens', put(path('/calico/felix/v10')), true],
    ['node', 'reads recursively by a star', get(path('/calico/felix/v1', { recursive: true })), true],
    ['node', 'is denied above', get(path('/calico/felix')), false],
    ['auditor', 'lists the directory itself', get(path('/calico')), true],
    ['auditor', 'does not read it recursively: two patterns never add up', get(path('/calico', { recursive: true })), false],
    ['auditor', 'reads it recursively with a slash', get(path('/calico/', { recursive: true })), true],
    ['auditor', 'watches below', watch(path('/calico/x', { recursive: true })), true],
    ['auditor', 'does not write', put(path('/calico/x')), false],
    ['writer', 'writes', put(path('/inbox/1')), true],
    ['writer', 'does not read what it writes', get(path('/inbox/1')), false],
    ['writer', 'deletes recursively by a star', del(path('/inbox/', { recursive: true })), true],
    ['nobody', 'may nothing, not even what guest may: it is known', get(path('/public')), false],
    ['admin', 'holds role root and may everything', del(path('/', { recursive: true })), true],
    ['root', 'may everything without being bound: etcd v2 gives that name the role at every read', del(path('/', { recursive: true })), true],
    [anonymous, 'is guest', get(path('/public')), true],
    [anonymous, 'is guest, who ignores recursive', get(path('/public', { recursive: true })), true],
    [anonymous, 'is guest, who ignores recursive when deleting', del(path('/drop/a', { recursive: true })), true],
    [anonymous, 'is guest, and does not write what guest reads', put(path('/public')), false],
    [anonymous, 'is guest, and reads nothing else', get(path('/calico')), false],
  ])('%s %s', (user, _, operation, answer) => {
    expect(can(policy, user, operation)).toBe(answer)
  })

  // facts/etcd-v2 §2.4
  test.each([
    ['/gdel', del(path('/gdel', { recursive: true })), true],
    ['/c', get(path('/c', { recursive: true })), true],
    ['/c', get(path('/c/', { recursive: true })), false],
    ['/c/*', get(path('/c', { recursive: true })), false],
  ])('guest with %j ignores recursive, and nothing else', (text, operation, answer) => {
    const made = definePolicy({ users: { known: 'certificate' }, v2: { guest: [readwrite(pattern(text))], roles: { same: [readwrite(pattern(text))] }, bindings: { known: ['same'] } } })
    expect(can(made, anonymous, operation)).toBe(answer)
    expect(can(made, 'known', operation)).toBe(false)
  })
})

describe('a question that has no answer', () => {
  test('about a user that the policy does not declare', () => {
    const error = thrown('ERR_USER_UNKNOWN', () => can(policy as Policy, 'nodes', get('/a')))
    expect(error.detail).toEqual({ user: 'nodes', known: ['root', 'admin', 'node', 'auditor', 'writer', 'nobody'] })
    expect(error.message).toContain('"nodes"')
    expect(error.message).toContain('auditor')
  })

  test.each(['constructor', '__proto__', 'toString', '10'])('about %s, whom only JavaScript knows', (name) => {
    thrown('ERR_USER_UNKNOWN', () => can(policy as Policy, name, get('/a')))
    const plain = { users: { a: 'certificate' }, members: [], authorities: [], v3: { roles: {}, bindings: { a: [name] } }, v2: { guest: [], roles: {}, bindings: { a: [name] } } } as const
    expect(can<Policy>(plain, 'a', get('/a'))).toBe(false)
    expect(can<Policy>(plain, 'a', get(path('/a')))).toBe(false)
  })

  test.each(['constructor', 'toString', 'valueOf'])('and user %s holds nothing by what a plain table of bindings inherits', (name) => {
    const plain = { users: { [name]: 'certificate' }, members: [], authorities: [], v3: { roles: {}, bindings: {} }, v2: { guest: [], roles: {}, bindings: {} } } as const
    expect(can<Policy>(plain, name, get('/a'))).toBe(false)
    expect(can<Policy>(plain, name, get(path('/a')))).toBe(false)
  })

  test.each(['constructor', '__proto__', 'toString', '10'])('but %s is a user where a policy declares it', (name) => {
    const made = parsePolicy(
      JSON.parse(`{ "users": { "${name}": "password" }, "v3": { "roles": { "${name}": [{ "type": "read", "keys": { "api": "v3", "kind": "key", "key": "k" } }] }, "bindings": { "${name}": ["${name}"] } } }`),
    )
    expect(can(made, name, get('k'))).toBe(true)
    expect(can(made, name, put('k'))).toBe(false)
  })

  test.each([
    ['v3', get('/a')],
    ['v2', get(path('/a'))],
  ] as const)('about %s in a policy without that half', (api, operation) => {
    const half = api === 'v3' ? definePolicy({ users: { a: 'password' }, v2: { guest: [], roles: {}, bindings: {} } }) : definePolicy({ users: { a: 'password' }, v3: { roles: {}, bindings: {} } })
    expect(thrown('ERR_POLICY_HALF_MISSING', () => can(half, 'a', operation)).detail).toEqual({ api })
    expect(thrown('ERR_POLICY_HALF_MISSING', () => can(half, anonymous, operation)).detail).toEqual({ api })
  })

  test.each<readonly [string, unknown]>([
    ['a misspelt operation, which must not pass for a read', { op: 'delete', keys: key('/m') }],
    ['an operation named by JavaScript', { op: 'constructor', keys: key('/m') }],
    ['no operation', { keys: key('/m') }],
    ['no keys', { op: 'get' }],
    ['keys of no api', { op: 'get', keys: { api: 'users' } }],
    ['keys of an unknown kind', { op: 'get', keys: { api: 'v3', kind: 'star' } }],
    ['a put of a range', { op: 'put', keys: prefix('/calico/felix/v1/') }],
    ['a key without its name', { op: 'get', keys: { api: 'v3', kind: 'key' } }],
    ['a key whose name is null', { op: 'get', keys: { api: 'v3', kind: 'key', key: null } }],
    ['a prefix without its start', { op: 'get', keys: { api: 'v3', kind: 'prefix' } }],
    ['a range without its end', { op: 'get', keys: { api: 'v3', kind: 'range', start: 'a' } }],
    ['a start that is a number', { op: 'get', keys: { api: 'v3', kind: 'fromKey', start: 7 } }],
    ['a put on v2 with keys on a lease', { op: 'put', keys: path('/inbox/1'), attached: [key('/m')] }],
    ['a pattern in place of a path', { op: 'get', keys: pattern('/calico/*') }],
    ...hostile,
  ])('about %s', (_, operation) => {
    for (const user of ['auditor', 'admin'] as const) {
      expect(() => can(policy, user, operation as KeyOperation)).toThrow(TypeError)
      expect(() => can(policy, user, operation as KeyOperation)).not.toThrow(ENGINE)
    }
  })

  test.each(hostile)('by %s in place of a user', (_, user) => {
    expect(() => can(policy, user as 'root', get('/a'))).toThrow(TypeError)
  })

  test.each(hostile.filter(([, value]) => value !== undefined))('of %s in place of a policy', (_, value) => {
    expect(() => can(value as typeof policy, 'root', get('/a'))).toThrow(/^a policy must be/)
    expect(() => indexPolicy(value as typeof policy)).toThrow(/^a policy must be/)
  })

  test.each<readonly [string, object]>([
    ['nothing', {}],
    ['a half without roles', { users: { root: 'certificate' }, v3: { bindings: {} } }],
    ['a half without bindings', { users: { root: 'certificate' }, v3: { roles: {} } }],
    ['a v2 half without guest', { users: { root: 'certificate' }, v3: { roles: {}, bindings: {} }, v2: { roles: {}, bindings: {} } }],
  ])('of a table with %s in place of a policy', (_, value) => {
    for (const ask of [can, explain]) expect(() => ask(value as typeof policy, 'root', get('/a'))).toThrow(new TypeError('a policy must be one that definePolicy or parsePolicy made, or its index'))
  })

  test.each(hostile.filter(([, value]) => value !== undefined && (typeof value !== 'object' || value === null)))('under %s in place of circumstances', (_, value) => {
    for (const ask of [can, explain]) expect(() => ask(policy, 'root', get('/a'), value as object)).toThrow(/^circumstances must be/)
  })

  test.each<readonly [string, unknown]>([['null', null], ['a number', 7]])('to etcd %s', (_, etcd) => {
    expect(() => can(policy, 'root', get('/a'), { etcd: etcd as string })).toThrow(new TypeError('an etcd version must be a string'))
  })
})

describe('operations', () => {
  test('are data', () => {
    expect(get('/a')).toEqual({ op: 'get', keys: { api: 'v3', kind: 'key', key: '/a' } })
    expect(put('/a').op).toBe('put')
    expect(del(prefix('/a/')).keys).toEqual(prefix('/a/'))
    expect(watch(path('/a', { recursive: true }))).toEqual({ op: 'watch', keys: { api: 'v2', path: '/a', recursive: true } })
  })

  test.each(Object.entries({ get, put, del, watch }))('%s refuses an empty key', (_, make) => {
    thrown('ERR_KEY_INVALID', () => make(''))
  })

  test.each<readonly [string, () => unknown]>([
    ['get', () => get('/a', null as never)],
    ['put', () => put('/a', null as never)],
    ['put, of attached keys', () => put('/a', { attached: null as never })],
    ['del', () => del('/a', 7 as never)],
    ['txn', () => txn(null as never)],
    ['txn, of compared keys', () => txn({ compare: null as never })],
    ['txn, of operations', () => txn({ success: 7 as never })],
    ['lease', () => lease('leaseKeys', null as never)],
  ])('%s refuses options that are none', (_, make) => {
    expect(make).toThrow(TypeError)
    expect(make).not.toThrow(ENGINE)
  })

  test('a put on v2 is on no lease, and returns the old value whoever asks', () => {
    // @ts-expect-error leases are v3
    expect(() => put(path('/inbox/1'), { attached: ['/m'] })).toThrow(new TypeError('attached keys are on a lease of v3: the v2 API has none'))
    expect(can(policy, 'writer', put(path('/inbox/1'), { prevKv: true }))).toBe(true)
    expect(can(policy, 'writer', del(path('/inbox/1'), { prevKv: true }))).toBe(true)
  })

  test('put is for one key', () => {
    for (const keys of [prefix('/a/'), allKeys(), range('a', 'b'), fromKey('a')]) expect(() => put(keys as unknown as string)).toThrow(TypeError)
  })

  describe.each(Object.entries({ get, put, del, watch }))('%s is not made of', (_, make) => {
    test.each(hostile)('%s', (_, value) => {
      expect(() => make(value as string)).toThrow(TypeError)
    })
    test('a pattern', () => {
      expect(() => make(pattern('/a') as unknown as string)).toThrow(TypeError)
    })
  })
})
