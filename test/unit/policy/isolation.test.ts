import { describe, expect, test } from 'vitest'
import { fromInterval, toInterval } from '../../../src/keys/interval.js'
import { allKeys, anonymous, definePolicy, fromKey, indexPolicy, isolation, key, pattern, prefix, range, read, readwrite, write, type KeyRange, type PathPattern, type Permission, type Policy } from '../../../src/policy/index.js'
import { thrown } from '../../support/thrown.js'

const users = { root: 'certificate', a: 'certificate', b: 'certificate', c: 'password' } as const
/** Each user holds the role of its name. */
const tenants = (roles: Readonly<Record<'a' | 'b' | 'c', readonly Permission<KeyRange>[]>>): Policy =>
  definePolicy({ users, v3: { roles, bindings: { root: ['root'], a: ['a'], b: ['b'], c: ['c'] } } })
/** The one name of a range that has several. */
const same = (keys: KeyRange): KeyRange => fromInterval(toInterval(keys))
const overlapsOf = (policy: Policy, options?: Partial<Parameters<typeof isolation>[1]>): readonly unknown[] =>
  isolation(policy, { api: 'v3', ...options }).overlaps.map(({ holdings, shared, openEnded }) => [holdings.map(({ user, role }) => `${String(user)} by ${role}`).join(', '), shared, openEnded.map(({ user }) => user)])

describe('tenants', () => {
  test('with keys of their own are isolated; who holds role root is an admin and is not compared', () => {
    const policy = tenants({ a: [readwrite(prefix('/1/')), read(key('/x'))], b: [readwrite(prefix('/10/')), write(prefix('/2/'))], c: [] })
    expect(isolation(policy, { api: 'v3' })).toEqual({ isolated: true, overlaps: [], openEnded: [], admins: ['root'] })
    expect(isolation(indexPolicy(policy), { api: 'v3' })).toEqual({ isolated: true, overlaps: [], openEnded: [], admins: ['root'] })
  })

  test('share what both hold, whatever they may do with it', () => {
    const policy = tenants({ a: [read(range('/a', '/m'))], b: [write(range('/k', '/z'))], c: [] })
    expect(overlapsOf(policy)).toEqual([['a by a, b by b', range('/k', '/m'), []]])
    expect(isolation(policy, { api: 'v3' }).overlaps[0]?.holdings).toEqual([
      { user: 'a', role: 'a', permission: read(range('/a', '/m')) },
      { user: 'b', role: 'b', permission: write(range('/k', '/z')) },
    ])
  })

  test('that touch share nothing', () => {
    expect(overlapsOf(tenants({ a: [read(range('/a', '/b'))], b: [read(range('/b', '/c'))], c: [read(key('/c'))] }))).toEqual([])
  })

  test('may hold the same keys twice themselves', () => {
    expect(overlapsOf(tenants({ a: [read(prefix('/a/')), write(key('/a/1')), read(range('/a/', '/b'))], b: [read(key('/b'))], c: [] }))).toEqual([])
  })

  test('without end are in the keys of whoever comes later, and named so', () => {
    expect(overlapsOf(tenants({ a: [read(fromKey('/m'))], b: [write(prefix('/n/'))], c: [write(fromKey('/x'))] }))).toEqual([
      ['a by a, b by b', prefix('/n/'), ['a']],
      ['a by a, c by c', fromKey('/x'), ['a', 'c']],
    ])
    expect(overlapsOf(tenants({ a: [read(allKeys())], b: [], c: [read(fromKey(Uint8Array.of(0xff)))] }))).toEqual([['a by a, c by c', same(fromKey(Uint8Array.of(0xff))), ['a', 'c']]])
  })

  // Ends differ by one, the least that bytes can.
  test.each<[string, Readonly<Record<'a' | 'b' | 'c', readonly Permission<KeyRange>[]>>, readonly unknown[]]>([
    ['the farther one was first', { a: [read(range('/a', '/d'))], b: [read(range('/b', '/c'))], c: [read(range('/c', '/e'))] }, [['a by a, b by b', same(range('/b', '/c')), []], ['a by a, c by c', same(range('/c', '/d')), []]]],
    ['the farther one came later', { a: [read(range('/a', '/c'))], b: [read(range('/b', '/d'))], c: [read(range('/c', '/e'))] }, [['a by a, b by b', same(range('/b', '/c')), []], ['b by b, c by c', same(range('/c', '/d')), []]]],
    [
      'the farthest is of the same user, so that another counts',
      { a: [read(range('/a', '/d')), read(range('/c', '/z'))], b: [read(range('/b', '/f'))], c: [] },
      [['a by a, b by b', range('/b', '/d'), []], ['b by b, a by a', range('/c', '/f'), []]],
    ],
    [
      'the farthest was another before',
      { a: [read(range('/a', '/d'))], b: [read(range('/b', '/f')), write(range('/c', '/g'))], c: [] },
      [['a by a, b by b', range('/b', '/d'), []], ['a by a, b by b', same(range('/c', '/d')), []]],
    ],
    [
      'another, of those that are not the farthest',
      { a: [read(range('/a', '/z')), read(range('/k', '/z'))], b: [read(range('/b', '/m'))], c: [read(range('/c', '/d'))] },
      [['a by a, b by b', range('/b', '/m'), []], ['a by a, c by c', same(range('/c', '/d')), []], ['b by b, a by a', range('/k', '/m'), []]],
    ],
  ])('are compared with the one that reaches farthest: %s', (_, roles, wanted) => {
    expect(overlapsOf(tenants(roles))).toEqual(wanted)
  })

  test('may share what is excepted, and nothing beside it', () => {
    const policy = tenants({ a: [read(prefix('/shared/')), read(prefix('/a/'))], b: [readwrite(prefix('/shared/'))], c: [] })
    expect(overlapsOf(policy)).toEqual([['a by a, b by b', prefix('/shared/'), []]])
    expect(overlapsOf(policy, { except: [prefix('/shared/')] })).toEqual([])
    expect(overlapsOf(policy, { except: [range('/shared/', '/shared/m')] })).toEqual([['a by a, b by b', range('/shared/m', '/shared0'), []]])
  })

  test('are those that are asked about', () => {
    const policy = tenants({ a: [read(prefix('/s/'))], b: [read(prefix('/s/'))], c: [] })
    expect(overlapsOf(policy, { users: ['a', 'c'] })).toEqual([])
    expect(isolation(policy, { api: 'v3', users: ['a', 'root'] }).admins).toEqual(['root'])
  })
})

describe('on v2', () => {
  type Lists = Readonly<Partial<Record<'guest' | 'a' | 'b' | 'c', readonly Permission<PathPattern>[]>>>
  const onV2 = ({ guest = [], a = [], b = [], c = [] }: Lists): Policy => definePolicy({ users, v2: { guest, roles: { a, b, c }, bindings: { a: ['a'], b: ['b'], c: ['c'] } } })
  const met = (lists: Lists, except: readonly PathPattern[] = []): readonly unknown[] => isolation(onV2(lists), { api: 'v2', except }).overlaps.map(({ holdings, shared, by }) => [...holdings.map(({ user }) => user), shared, ...by!])

  test('user root is an admin by its name, and who shares no key is isolated', () => {
    expect(isolation(onV2({ a: [readwrite(pattern('/a/*')), readwrite(pattern('/a'))], b: [read(pattern('/b'))] }), { api: 'v2' })).toEqual({ isolated: true, overlaps: [], openEnded: [], admins: ['root'] })
  })

  test.each<[string, Lists, readonly unknown[]]>([
    ['matched by both', { a: [read(pattern('/a/*'))], b: [write(pattern('/a/b'))] }, [['a', 'b', '/a/b', 'GET /a/b', 'PUT /a/b']]],
    ['asked for with a final slash', { a: [read(pattern('/a/'))], b: [write(pattern('/a'))] }, [['a', 'b', '/a', 'GET /a/', 'PUT /a']]],
    ['asked for with a final slash by the pattern for all below', { a: [readwrite(pattern('/a/*'))], b: [read(pattern('/'))] }, [['b', 'a', '/a', 'GET / lists it with its value', 'GET /a/']]],
    ['listed with the directory', { a: [read(pattern('/t'))], b: [write(pattern('/t/x'))] }, [['a', 'b', '/t/x', 'GET /t lists it with its value', 'PUT /t/x']]],
    ['that POST creates in the root', { a: [write(pattern('/'))], b: [read(pattern('/0*'))] }, [['a', 'b', '/00000000000000000001', 'POST / creates such a child', 'GET /00000000000000000001']]],
    ['that expire with their directory', { a: [write(pattern('/t'))], b: [read(pattern('/t/x/y'))] }, [['a', 'b', '/t/x/y', 'PUT /t?dir=true&ttl=1 deletes it, when that directory expires', 'GET /t/x/y']]],
    ['that two list', { a: [read(pattern('/'))], b: [read(pattern('/'))] }, [['a', 'b', '/x', 'GET / lists it with its value', 'GET / lists it with its value']]],
    ['that the guest sees, all below', { guest: [read(pattern('/g'))], b: [write(pattern('/g/x/y'))] }, [[anonymous, 'b', '/g/x/y', 'GET /g?recursive=true shows it', 'PUT /g/x/y']]],
  ])('keys are shared that are %s', (_, lists, wanted) => {
    expect(met(lists)).toEqual(wanted)
  })

  test.each<[string, Lists]>([
    ['that a listing hides', { a: [read(pattern('/t'))], b: [write(pattern('/t/_x')), write(pattern('/t/_y*'))] }],
    ['deeper than a listing goes', { a: [read(pattern('/t'))], b: [write(pattern('/t/x/y'))] }],
    ['that POST does not name', { a: [write(pattern('/'))], b: [write(pattern('/x')), read(pattern('/2*')), read(pattern('/00000000000000000001x'))] }],
  ])('keys are not shared that are %s', (_, lists) => {
    expect(met(lists)).toEqual([])
  })

  test('the keys that a pattern names may be shared, the directory included', () => {
    const lists = { a: [readwrite(pattern('/a/*'))], b: [read(pattern('/a/b')), read(pattern('/a'))] }
    expect(met(lists).length).toBe(2)
    expect(met(lists, [pattern('/a/*')])).toEqual([])
    expect(met(lists, [pattern('/a')])).toEqual([['a', 'b', '/a/b', 'GET /a/b', 'GET /a/b'], ['b', 'a', '/a/x', 'GET /a lists it with its value', 'GET /a/x']])
  })

  test('patterns for all paths have no end', () => {
    const { isolated, openEnded } = isolation(onV2({ a: [read(pattern('/*'))], b: [] }), { api: 'v2' })
    expect([isolated, openEnded.map(({ user }) => user)]).toEqual([false, ['a']])
  })
})

describe('holdings without end are named though nobody holds what lies behind', () => {
  test.each<[string, KeyRange, readonly string[]]>([
    ['from a key on', fromKey('/tenants/9/'), ['b']],
    ['up to the last character', range('/tenants/9/', '\u{10ffff}'), ['b']],
    ['up to bytes that are no text', range('/tenants/9/', Uint8Array.of(0xff)), ['b']],
    ['up to a tilde, which is an end like any', range('/tenants/9/', '~'), []],
  ])('%s', (_, keys, wanted) => {
    const found = isolation(tenants({ a: [read(prefix('/tenants/1/'))], b: [read(keys)], c: [] }), { api: 'v3' })
    expect([found.isolated, found.overlaps, found.openEnded.map(({ user }) => user)]).toEqual([wanted.length === 0, [], wanted])
  })

  test('and in the overlaps, but not where the end may be shared', () => {
    const policy = tenants({ a: [read(range('/tenants/5/', '\u{10ffff}'))], b: [read(prefix('/tenants/7/'))], c: [] })
    expect(overlapsOf(policy)).toEqual([['a by a, b by b', prefix('/tenants/7/'), ['a']]])
    expect(isolation(policy, { api: 'v3', except: [fromKey('/tenants/6/')] })).toEqual({ isolated: true, overlaps: [], openEnded: [], admins: ['root'] })
  })
})

describe('nothing is said', () => {
  const policy = tenants({ a: [], b: [], c: [] })
  test('of an API that the policy does not speak of', () => {
    expect(thrown('ERR_POLICY_HALF_MISSING', () => isolation(policy, { api: 'v2' })).detail).toEqual({ api: 'v2' })
  })

  test('of users that it does not declare', () => {
    expect(thrown('ERR_USER_UNKNOWN', () => isolation(policy, { api: 'v3', users: ['a', 'z'] })).detail.user).toBe('z')
  })

  test.each<[string, unknown, unknown]>([
    ['an API that is none', policy, { api: 'v4' }],
    ['no API', policy, {}],
    ['no options', policy, undefined],
    ['no users', policy, { api: 'v3', users: [] }],
    ['users that are no list', policy, { api: 'v3', users: 'a' }],
    ['a user that is no name', policy, { api: 'v3', users: [7] }],
    ['exceptions for the other API', policy, { api: 'v3', except: [pattern('/a')] }],
    ['exceptions that are no keys', policy, { api: 'v3', except: ['/a'] }],
    ['exceptions that are no list', policy, { api: 'v3', except: prefix('/a/') }],
    ['no policy', {}, { api: 'v3' }],
    ['null for a policy', null, { api: 'v3' }],
  ])('of %s', (_, asked, options) => {
    expect(() => isolation(asked as Policy, options as { readonly api: 'v3' })).toThrow(TypeError)
  })
})
