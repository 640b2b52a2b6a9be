import { describe, expect, test } from 'vitest'
import { fromInterval, toInterval } from '../../../src/keys/interval.js'
import { allKeys, definePolicy, fromKey, indexPolicy, isolation, key, pattern, prefix, range, read, readwrite, write, type KeyRange, type Permission, type Policy } from '../../../src/policy/index.js'

const users = { root: 'certificate', a: 'certificate', b: 'certificate', c: 'password' } as const
/** Each user holds the role of its name. */
const tenants = (roles: Readonly<Record<'a' | 'b' | 'c', readonly Permission<KeyRange>[]>>): Policy =>
  definePolicy({ users, v3: { roles, bindings: { root: ['root'], a: ['a'], b: ['b'], c: ['c'] } } })
/** The one name of a range that has several. */
const same = (keys: KeyRange): KeyRange => fromInterval(toInterval(keys))
const overlapsOf = (policy: Policy, options?: Partial<Parameters<typeof isolation>[1]>): readonly unknown[] =>
  isolation(policy, { api: 'v3', ...options }).overlaps.map(({ holdings, shared, openEnded }) => [holdings.map(({ user, role }) => `${user} by ${role}`).join(', '), shared, openEnded.map(({ user }) => user)])

describe('tenants', () => {
  test('with keys of their own are isolated; who holds role root is an admin and is not compared', () => {
    const policy = tenants({ a: [readwrite(prefix('/1/')), read(key('/x'))], b: [readwrite(prefix('/10/')), write(prefix('/2/'))], c: [] })
    expect(isolation(policy, { api: 'v3' })).toEqual({ isolated: true, overlaps: [], admins: ['root'] })
    expect(isolation(indexPolicy(policy), { api: 'v3' })).toEqual({ isolated: true, overlaps: [], admins: ['root'] })
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

test('on v2, patterns are compared, and user root is an admin by its name', () => {
  const onV2 = (bindings: { readonly a: readonly ('a' | 'all')[]; readonly b: readonly ('b' | 'all')[] }): Policy =>
    definePolicy({ users, v2: { guest: [], roles: { a: [readwrite(pattern('/a/*'))], b: [read(pattern('/a/b')), read(pattern('/a'))], all: [read(pattern('*'))] }, bindings } })
  const apart = onV2({ a: ['a'], b: ['b'] })
  expect(isolation(apart, { api: 'v2' }).admins).toEqual(['root'])
  expect(overlapsOf(apart, { api: 'v2' })).toEqual([['a by a, b by b', '/a/b', []]])
  expect(overlapsOf(apart, { api: 'v2', except: [pattern('/a/*')] })).toEqual([])
  expect(overlapsOf(onV2({ a: ['all'], b: ['all'] }), { api: 'v2' })).toEqual([['a by all, b by all', '\0', ['a', 'b']]])
})
