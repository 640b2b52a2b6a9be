import { isDeepStrictEqual } from 'node:util'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { EtcdRbacError } from '../../../src/errors.js'
import { allKeys, definePolicy, fromKey, key, parsePolicy, pattern, prefix, range, read, readwrite, write } from '../../../src/policy/index.js'
import { hostile, thrown } from '../../support/thrown.js'

const users = { root: 'certificate', alice: 'certificate', auditor: 'password' } as const

const whole = () =>
  definePolicy({
    users,
    members: ['etcd-0', 'etcd-1'],
    authorities: ['etcd-clients'],
    v3: {
      roles: {
        node: [readwrite(prefix('/calico/')), read(range('/a', '/b')), write(key('/x')), read(key(Uint8Array.of(0xff)))],
        wide: [read(allKeys()), write(fromKey('/z')), read(prefix('/calico', { siblings: 'include' }))],
        empty: [],
      },
      bindings: { root: ['root'], alice: ['node', 'wide'], auditor: [] },
    },
    v2: { guest: [read(pattern('/public/*'))], roles: { node: [readwrite(pattern('/calico/v1*'))] }, bindings: { root: ['root'], alice: ['node'] } },
  })

class Instance {
  readonly type = 'read'
}

/** The paths of the problems that a value has as a policy. */
const paths = (value: unknown): readonly string[] => thrown('ERR_POLICY_INVALID', () => parsePolicy(value)).detail.problems.map(({ path }) => path)

const frozenThroughout = (value: unknown): boolean => typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozenThroughout))

describe('a policy', () => {
  test('holds what it was made of, in tables that no name escapes', () => {
    const policy = whole()
    expect({ ...policy.users }).toEqual(users)
    expect(policy.members).toEqual(['etcd-0', 'etcd-1'])
    expect(policy.v3?.bindings['alice']).toEqual(['node', 'wide'])
    expect(policy.v2?.guest).toEqual([{ type: 'read', keys: { api: 'v2', pattern: '/public/*' } }])
    for (const table of [policy.users, policy.v3?.roles, policy.v3?.bindings, policy.v2?.roles, policy.v2?.bindings]) expect(Object.getPrototypeOf(table)).toBeNull()
  })

  test('is frozen throughout, and its parts are copies', () => {
    const keys = prefix('/calico/')
    const node = [read(keys)]
    const policy = definePolicy({ users, v3: { roles: { node }, bindings: {} } })
    node.push(read(prefix('/registry/')))
    expect(policy.v3?.roles['node']).toEqual([read(keys)])
    expect(frozenThroughout(policy)).toBe(true)
    expect(frozenThroughout(whole())).toBe(true)
    expect(Object.isFrozen(keys)).toBe(false)
  })

  test('is the same after JSON', () => {
    const policy = whole()
    expect(parsePolicy(JSON.parse(JSON.stringify(policy)))).toStrictEqual(policy)
  })

  test('may have no half, one, or both', () => {
    expect(definePolicy({ users })).toMatchObject({ v2: undefined, v3: undefined, members: [], authorities: [] })
    expect(definePolicy({ users, v2: { guest: [], roles: {}, bindings: {} } }).v3).toBeUndefined()
  })

  test('takes base64 for text and makes text of it, so that one key has one form', () => {
    const v3 = { roles: { node: [{ type: 'read', keys: { api: 'v3', kind: 'key', key: { base64: 'L2E=' } } }] }, bindings: {} }
    expect(parsePolicy({ users: {}, v3 }).v3?.roles['node']).toEqual([read(key('/a'))])
  })
})

describe('names that JavaScript has uses for', () => {
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', '10', '2', 'valueOf']
  const json = `{ "users": { ${names.map((name) => `"${name}": "certificate"`).join(', ')} },
    "v3": { "roles": { ${names.map((name) => `"${name}": [{ "type": "read", "keys": { "api": "v3", "kind": "prefix", "prefix": "/${name}/" } }]`).join(', ')} },
            "bindings": { ${names.map((name) => `"${name}": ["${name}"]`).join(', ')} } } }`

  test.each(names)('%s is a user, a role and a binding of its own', (name) => {
    const policy = parsePolicy(JSON.parse(json))
    expect(Object.keys(policy.users).sort()).toEqual([...names].sort())
    expect(policy.users[name]).toBe('certificate')
    expect(policy.v3?.roles[name]).toEqual([{ type: 'read', keys: { api: 'v3', kind: 'prefix', prefix: `/${name}/` } }])
    expect(policy.v3?.bindings[name]).toEqual([name])
    // Not `toStrictEqual`, which asks a value for its constructor.
    expect(isDeepStrictEqual(parsePolicy(JSON.parse(JSON.stringify(policy))), policy)).toBe(true)
  })

  test.each(names)('%s is not found where it was not declared', (name) => {
    expect(paths(JSON.parse(`{ "users": { "a": "certificate" }, "v3": { "roles": {}, "bindings": { "a": ["${name}"] } } }`))).toEqual(['$.v3.bindings.a[0]'])
    const found = thrown('ERR_POLICY_INVALID', () => parsePolicy(JSON.parse(`{ "users": {}, "v3": { "roles": {}, "bindings": { "${name}": [] } } }`))).detail.problems
    expect(found.map(({ code }) => code)).toEqual(['ERR_USER_UNKNOWN'])
    expect(Object.hasOwn(whole().users, name)).toBe(false)
    expect(whole().users[name as 'root']).toBeUndefined()
  })
})

describe('every problem at once, each with its path', () => {
  test('in one policy', () => {
    const error = thrown('ERR_POLICY_INVALID', () =>
      parsePolicy({
        users: { alice: 'certificate', bob: 'pasword', 'x/../root': 'certificate' },
        members: ['alice', 'etcd-0', 'etcd-0', 7],
        authorities: ['etcd-0', ''],
        extra: true,
        v3: {
          roles: {
            root: [],
            node: [
              { type: 'read', keys: { api: 'v3', kind: 'prefix', prefix: '/calico' } },
              { type: 'readwrite', keys: { api: 'v3', kind: 'range', start: 'b', end: 'a' } },
              { type: 'admin', keys: { api: 'v3', kind: 'key', key: '' } },
              { type: 'read', keys: { api: 'v2', pattern: '/x*' } },
              { type: 'read', keys: { api: 'v3', kind: 'key', key: '/x', range_end: '/y' } },
              { type: 'read', keys: { api: 'v3', kind: 'key', key: '/x' }, deny: true },
            ],
            'my role': 'all',
          },
          bindings: { alice: ['node', 'node', 'nod'], carol: ['node'] },
        },
        v2: { roles: { guest: [], node: [{ type: 'read', keys: { api: 'v2', pattern: '/a*b' } }] }, bindings: [] },
      }),
    )
    const { problems } = error.detail
    expect(problems.map(({ path, code }) => [path, code])).toEqual([
      ['$.extra', 'ERR_POLICY_INVALID'],
      ['$.users.bob', 'ERR_POLICY_INVALID'],
      ['$.users["x/../root"]', 'ERR_NAME_INVALID'],
      ['$.members[0]', 'ERR_POLICY_INVALID'],
      ['$.members[2]', 'ERR_POLICY_INVALID'],
      ['$.members[3]', 'ERR_POLICY_INVALID'],
      ['$.authorities[0]', 'ERR_POLICY_INVALID'],
      ['$.authorities[1]', 'ERR_NAME_INVALID'],
      ['$.v3.roles.root', 'ERR_POLICY_INVALID'],
      ['$.v3.roles.node[0].keys', 'ERR_PREFIX_UNTERMINATED'],
      ['$.v3.roles.node[1].keys', 'ERR_RANGE_EMPTY'],
      ['$.v3.roles.node[2].keys', 'ERR_KEY_INVALID'],
      ['$.v3.roles.node[2].type', 'ERR_POLICY_INVALID'],
      ['$.v3.roles.node[3].keys', 'ERR_POLICY_INVALID'],
      ['$.v3.roles.node[4].keys', 'ERR_POLICY_INVALID'],
      ['$.v3.roles.node[5].deny', 'ERR_POLICY_INVALID'],
      ['$.v3.roles["my role"]', 'ERR_POLICY_INVALID'],
      ['$.v3.bindings.alice[1]', 'ERR_POLICY_INVALID'],
      ['$.v3.bindings.alice[2]', 'ERR_POLICY_INVALID'],
      ['$.v3.bindings.carol', 'ERR_USER_UNKNOWN'],
      ['$.v2.roles.guest', 'ERR_POLICY_INVALID'],
      ['$.v2.roles.node[0].keys', 'ERR_PATTERN_INVALID'],
      ['$.v2.guest', 'ERR_POLICY_INVALID'],
      ['$.v2.bindings', 'ERR_POLICY_INVALID'],
    ])
    for (const { message } of problems) expect(message.length).toBeGreaterThan(20)
    expect(error.message).toContain('24 problems')
    expect(error.message).toContain('$.v3.roles.node[0].keys: prefix "/calico", which would open "/calicofoo" too')
    expect(error.message).toContain('and 4 more')
  })

  test('of a mistyped login is one problem: the bindings of that user are right', () => {
    expect(paths({ users: { bob: 'pasword' }, members: ['bob'], v3: { roles: {}, bindings: { bob: ['root'] } } })).toEqual(['$.users.bob', '$.members[0]'])
  })

  test.each<[string, unknown, readonly string[]]>([
    ['no users', {}, ['$.users']],
    ['a half that is null', { users: {}, v3: null, v2: null }, ['$.v3', '$.v2']],
    ['lists that are null', { users: {}, members: null, authorities: null }, ['$.members', '$.authorities']],
    ['users in a map', { users: new Map([['a', 'certificate']]) }, ['$.users']],
    ['users in a list', { users: ['alice'] }, ['$.users']],
    ['roles in a map', { users: {}, v3: { roles: new Map(), bindings: {} } }, ['$.v3.roles']],
    ['bindings in a set', { users: {}, v3: { roles: {}, bindings: new Set() } }, ['$.v3.bindings']],
    ['roles of a user in a set', { users: { a: 'password' }, v3: { roles: {}, bindings: { a: new Set(['root']) } } }, ['$.v3.bindings.a']],
    ['a role of a user that is a table', { users: { a: 'password' }, v3: { roles: {}, bindings: { a: [{ toString: () => 'root' }] } } }, ['$.v3.bindings.a[0]']],
    ['a hole in a list', { users: { a: 'password' }, v3: { roles: {}, bindings: { a: Array(1) } } }, ['$.v3.bindings.a[0]']],
    ['a half that is a list', { users: {}, v3: [] }, ['$.v3']],
    ['a permission that is text', { users: {}, v3: { roles: { r: ['read /x'] }, bindings: {} } }, ['$.v3.roles.r[0]']],
    ['a member named root, whom etcd v2 would take for root', { users: {}, members: ['root'] }, ['$.members[0]']],
    ['an authority named root, whom etcd v2 would take for root', { users: { alice: 'certificate' }, authorities: ['root'] }, ['$.authorities[0]']],
    ['v2 users that every list hides', { users: { _a: 'certificate' }, v2: { guest: [], roles: { _r: [] }, bindings: {} } }, ['$.users._a', '$.v2.roles._r']],
    ['v2 users that basic auth cannot carry', { users: { 'a:b': 'password', 'c:d': 'certificate' }, v2: { guest: [], roles: {}, bindings: {} } }, ['$.users["a:b"]']],
    ['keys without api', { users: {}, v3: { roles: { r: [{ type: 'read', keys: { kind: 'allKeys' } }] }, bindings: {} } }, ['$.v3.roles.r[0].keys']],
    ['keys of an unknown kind', { users: {}, v3: { roles: { r: [{ type: 'read', keys: { api: 'v3', kind: 'constructor' } }] }, bindings: {} } }, ['$.v3.roles.r[0].keys']],
    ['siblings that mean nothing', { users: {}, v3: { roles: { r: [{ type: 'read', keys: { api: 'v3', kind: 'prefix', prefix: '/a', siblings: true } }] }, bindings: {} } }, ['$.v3.roles.r[0].keys']],
    ['base64 beside text', { users: {}, v3: { roles: { r: [{ type: 'read', keys: { api: 'v3', kind: 'key', key: { base64: 'YQ==', text: 'a' } } }] }, bindings: {} } }, ['$.v3.roles.r[0].keys']],
    ['malformed base64', { users: {}, v3: { roles: { r: [{ type: 'read', keys: { api: 'v3', kind: 'key', key: { base64: 'YQ=' } } }] }, bindings: {} } }, ['$.v3.roles.r[0].keys']],
    ['a request in place of a pattern', { users: {}, v2: { guest: [{ type: 'read', keys: { api: 'v2', path: '/c', recursive: true } }], roles: {}, bindings: {} } }, ['$.v2.guest[0].keys']],
  ])('%s', (_, value, wanted) => {
    expect(paths(value)).toEqual(wanted)
  })

  describe('inherited fields are none', () => {
    const table = Object.assign(Object.create(null), { users: { a: 'certificate' }, v3: { roles: {}, bindings: {} } }) as object
    test('of a table without prototype that is a prototype itself', () => {
      expect(paths(Object.create(table))).toEqual(['$'])
      expect(paths({ users: Object.create(table) as unknown })).toEqual(['$.users'])
      expect(paths({ users: {}, v3: Object.create(table) as unknown })).toEqual(['$.v3'])
      const named = Object.assign(Object.create(null), { isPrototypeOf: 1, constructor: 2, hasOwnProperty: 3, users: {} }) as object
      expect(paths(Object.create(named))).toEqual(['$'])
    })

    test('of what somebody put onto the prototype of every object', () => {
      const [shared, added] = [Object.prototype as Record<string, unknown>, { guest: [], v3: { roles: {}, bindings: {} }, type: 'readwrite', siblings: 'include' }]
      Object.assign(shared, added)
      try {
        expect(parsePolicy({ users: { a: 'password' } })).toMatchObject({ v3: undefined })
        expect(paths({ users: {}, v2: { roles: {}, bindings: {} } })).toEqual(['$.v2.guest'])
        expect(paths({ users: {}, v3: { roles: { r: [{ keys: { api: 'v3', kind: 'allKeys' } }] }, bindings: {} } })).toEqual(['$.v3.roles.r[0].type'])
        expect(paths({ users: {}, v3: { roles: { r: [{ type: 'read', keys: { api: 'v3', kind: 'prefix', prefix: '/a' } }] }, bindings: {} } })).toEqual(['$.v3.roles.r[0].keys'])
      } finally {
        for (const name of Object.keys(added)) Reflect.deleteProperty(shared, name)
      }
    })

    test('while tables of another realm are tables', () => {
      expect(parsePolicy(runInNewContext(`({ users: { a: 'certificate' }, v3: { roles: { r: [{ type: 'read', keys: { api: 'v3', kind: 'key', key: 'k' } }] }, bindings: { a: ['r'] } } })`)).v3?.bindings['a']).toEqual(['r'])
    })
  })

  test('a policy as text is refused with what to do', () => {
    expect(thrown('ERR_POLICY_INVALID', () => parsePolicy('{"users":{}}')).message).toContain('JSON.parse')
  })
})

describe('hostile input gives a typed error', () => {
  const document = { users: { a: 'certificate' }, members: ['m'], authorities: ['c'], v3: { roles: { r: [read(key('k'))] }, bindings: { a: ['r'] } }, v2: { guest: [], roles: { r: [read(pattern('/k'))] }, bindings: { a: ['r'] } } }
  const places = [
    [],
    ['users'],
    ['users', 'a'],
    ['members'],
    ['members', '0'],
    ['authorities', '0'],
    ['v3'],
    ['v3', 'roles'],
    ['v3', 'roles', 'r'],
    ['v3', 'roles', 'r', '0'],
    ['v3', 'roles', 'r', '0', 'type'],
    ['v3', 'roles', 'r', '0', 'keys'],
    ['v3', 'roles', 'r', '0', 'keys', 'kind'],
    ['v3', 'roles', 'r', '0', 'keys', 'key'],
    ['v3', 'bindings'],
    ['v3', 'bindings', 'a'],
    ['v3', 'bindings', 'a', '0'],
    ['v2', 'guest'],
    ['v2', 'roles', 'r', '0', 'keys'],
    ['v2', 'roles', 'r', '0', 'keys', 'pattern'],
  ]
  const placed = (place: readonly string[], value: unknown): unknown => {
    if (place.length === 0) return value
    const copy = structuredClone(document) as unknown as Record<string, unknown>
    let at = copy
    for (const name of place.slice(0, -1)) at = at[name] as Record<string, unknown>
    at[place.at(-1)!] = value
    return copy
  }

  test('and the document that it is put into is right', () => {
    expect(parsePolicy(document).v3?.bindings['a']).toEqual(['r'])
  })

  // What is absent, or an empty table, is right in some places.
  const right = (place: string, value: unknown): boolean =>
    (value === undefined && ['members', 'v3', 'v2'].includes(place)) || (place === 'v3.bindings' && typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null)

  describe.each(places.map((place) => [place.join('.'), place] as const))('at $.%s', (name, place) => {
    test.each([...hostile, ['a class', Instance], ['an instance', new Instance()], ['bytes', Uint8Array.of(1)]] as const)('%s', (_, value) => {
      const given = placed(place, value)
      if (right(name, value)) expect(parsePolicy(given).users).toBeDefined()
      else expect(paths(given).length).toBeGreaterThan(0)
    })
  })

  test('nested a hundred thousand deep', () => {
    let deep: unknown = []
    for (let depth = 0; depth < 100_000; depth++) deep = [deep]
    expect(paths({ users: { a: deep }, members: deep, v3: { roles: deep, bindings: deep } })).toContain('$.users.a')
    expect(paths(deep)).toContain('$')
  })

  test('lists of a hundred thousand names are checked, not compared each with each', () => {
    const many = Array.from({ length: 100_000 }, (_, index) => `n${index}`)
    const policy = parsePolicy({ users: { a: 'certificate' }, members: many, authorities: many.map((name) => `c${name}`) })
    expect(policy.members).toHaveLength(100_000)
    const roles = Object.fromEntries(many.map((name) => [name, []]))
    expect(parsePolicy({ users: { a: 'certificate' }, v3: { roles, bindings: { a: many } } }).v3?.bindings['a']).toHaveLength(100_000)
    const refused = thrown('ERR_POLICY_INVALID', () => parsePolicy({ users: {}, members: many, authorities: many }))
    expect(refused.detail.problems).toHaveLength(100_000)
    expect(refused.message.length).toBeLessThan(5_000)
  })

  test('long texts do not fill the message', () => {
    const long = 'x'.repeat(1_000_000)
    const values = [long, { users: { [long]: long } }, { users: {}, v3: { roles: { r: [{ type: long, keys: { api: 'v3', kind: 'prefix', prefix: long } }] }, bindings: { [long]: [long] } } }]
    for (const value of values) expect(thrown('ERR_POLICY_INVALID', () => parsePolicy(value)).message.length).toBeLessThan(5_000)
  })

  test('a getter that throws is the caller\'s own error', () => {
    const own = new EtcdRbacError('ERR_NOT_ROOT', { found: 'a', wanted: 'b', fix: 'c' }, { user: 'x' })
    const value = { users: {}, get v3(): never { throw own } }
    expect(() => parsePolicy(value)).toThrow(own)
  })
})
