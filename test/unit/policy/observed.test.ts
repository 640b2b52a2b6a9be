import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { difference, toInterval, union } from '../../../src/keys/interval.js'
import {
  call, can, del, fromObserved, get, key, lease, lint, parsePolicy, path, pattern, prefix, put, range, showPermission, txn, watch, type Observation, type Observed, type Operation, type Policy,
} from '../../../src/policy/index.js'
import { needsOf } from '../../../src/policy/needs.js'
import { openedBy } from '../../../src/policy/rights.js'
import { smallPath } from '../../support/arbitrary.js'
import { smallOperation } from '../../support/operations.js'
import { hostile, thrown } from '../../support/thrown.js'

const by = (user: string, ...operations: readonly Operation[]): readonly Observation[] => operations.map((operation) => ({ user, operation }))
const permissionsIn = ({ v3, v2 }: Observed): Record<string, readonly string[]> =>
  Object.fromEntries([...Object.entries(v3?.roles ?? {}), ...Object.entries(v2?.roles ?? {})].map(([role, permissions]) => [role, permissions.map(showPermission)]))
const policyOf = ({ v3, v2 }: Observed, users: readonly string[]): Policy => parsePolicy({ users: Object.fromEntries(users.map((user) => [user, 'certificate'])), v3: v3 ?? { roles: {}, bindings: {} }, ...(v2 === undefined ? {} : { v2 }) })

describe('exactly what was seen is granted', () => {
  test.each<[string, readonly Operation[], readonly string[]]>([
    ['a key that is read', [get('/a/1')], ['read /a/1']],
    ['the same key twice, once', [get('/a/1'), get('/a/1')], ['read /a/1']],
    ['reading and writing one key, in one', [get('/a/1'), put('/a/1')], ['readwrite /a/1']],
    ['writing within what is read', [get(prefix('/a/')), put('/a/1')], ['read /a/*', 'readwrite /a/1']],
    ['writing beside what is read', [get('/a/1'), put('/a/2')], ['read /a/1', 'write /a/2']],
    ['ranges that touch, as one', [get(range('/a', '/b')), get(range('/b', '/c\0'))], ['read [/a, /c\\u0000)']],
    ['keys within a range, by the range', [watch(prefix('/a/')), get('/a/1'), get('/a/2')], ['read /a/*']],
    ['what a transaction compares and both its branches', [txn({ compare: ['/l'], success: [put('/l')], failure: [get('/x')] })], ['read /x', 'readwrite /l']],
    ['the old value of a put', [put('/a', { prevKv: true })], ['readwrite /a']],
    ['the old values of a deletion', [del(prefix('/a/'), { prevKv: true })], ['readwrite /a/*']],
    ['the other keys of a lease', [put('/a', { attached: ['/b'] })], ['write /a', 'write /b']],
    ['the keys of a lease that is revoked', [lease('leaseRevoke', ['/a'])], ['write /a']],
    ['paths of v2', [get(path('/c')), put(path('/c/d')), get(path('/e/', { recursive: true }))], ['read /c', 'read /e/*', 'write /c/d']],
    ['a v2 path within what is read recursively', [get(path('/c', { recursive: true })), put(path('/c/d')), get(path('/c/d'))], ['read /c*', 'readwrite /c/d']],
    ['the whole of v2', [get(path('', { recursive: true }))], ['read *']],
    ['a v2 path with a star in it', [get(path('/a*b'))], ['read /a*']],
  ])('%s', (_, operations, wanted) => {
    expect(permissionsIn(fromObserved(by('u', ...operations)))).toEqual({ u: wanted })
  })

  test('by one role for each user, and none for who needs no key', () => {
    const made = fromObserved([...by('a', get('/1')), ...by('b', put('/2')), ...by('a', get('/3')), ...by('c', lease('leaseGrant'))])
    expect(permissionsIn(made)).toEqual({ a: ['read /1', 'read /3'], b: ['write /2'] })
    expect({ ...made.v3?.bindings }).toEqual({ a: ['a'], b: ['b'] })
    expect(made.v2).toBeUndefined()
  })

  test.each(['root', 'guest'])('also for a user named %s, whose name no role may have', (name) => {
    const made = fromObserved([...by(name, get('/1'), get(path('/1'))), ...by(`${name}-observed`, get('/2'))])
    expect({ ...made.v3?.bindings }[name]).toEqual([`${name}-observed-`])
    const policy = policyOf(made, [name, `${name}-observed`])
    expect([can<Policy>(policy, name, get('/1')), can<Policy>(policy, name, get('/2'))]).toEqual([true, false])
  })

  test.each(['__proto__', 'constructor', '10'])('also for a user named %s', (name) => {
    expect(can<Policy>(policyOf(fromObserved(by(name, get('/1'))), [name]), name, get('/1'))).toBe(true)
  })
})

describe('a directory is granted where that is asked for', () => {
  test.each<[string, readonly Operation[], readonly string[]]>([
    ['two keys of one', [put('/a/1'), put('/a/2')], ['write /a/*']],
    ['not a key alone', [put('/a/1'), put('/b/1')], ['write /a/1', 'write /b/1']],
    ['not the same key twice', [put('/a/1'), put('/a/1')], ['write /a/1']],
    ['not the directory above directories', [put('/a/b/1'), put('/a/c/1')], ['write /a/b/1', 'write /a/c/1']],
    ['not the root', [put('/1'), put('/2')], ['write /1', 'write /2']],
    ['not keys without a slash', [put('compact_rev_key'), put('other')], ['write compact_rev_key', 'write other']],
    ['only for the access that was seen', [put('/a/1'), put('/a/2'), get('/a/1')], ['read /a/1', 'write /a/*']],
    ['one key of bytes that are no text', [put(key(Uint8Array.of(0x2f, 0x61, 0x2f, 0xff))), put('/a/b')], ['write /a/*']],
    ['of v2', [get(path('/c/1')), get(path('/c/2'))], ['read /c/*']],
  ])('%s', (_, operations, wanted) => {
    expect(permissionsIn(fromObserved(by('u', ...operations), { widen: 'directory' }))).toEqual({ u: wanted })
  })

  test('and said to be looser than what was seen, with the keys', () => {
    const { looseness } = fromObserved(by('u', get('/a/1'), get('/a/3')), { widen: 'directory' })
    expect(looseness.map(({ permission, beyond }) => [showPermission(permission), beyond.map(({ access, keys }) => showPermission({ type: access, keys }))])).toEqual([
      ['read /a/*', ['read [/a/, /a/1)', 'read [/a/1\\u0000, /a/3)', 'read [/a/3\\u0000, /a0)']],
    ])
  })
})

test('a recursive request of v2 is said to open siblings, by an example', () => {
  const { looseness } = fromObserved(by('u', get(path('/c', { recursive: true })), get(path('/d/', { recursive: true })), get(path('/e'))))
  expect(looseness.map(({ permission: { keys }, beyond }) => ['pattern' in keys ? keys.pattern : '', beyond.map(({ example }) => example)])).toEqual([['/c*', ['/cfoo']], ['/d/*', []], ['/e', []]])
})

describe('what no permission grants is reported', () => {
  test.each<[string, Operation, string, string]>([
    ['role root', call('compact'), 'root', 'only role root'],
    ['role root, on v2', call('PUT /v2/auth/users'), 'root', 'only role root'],
    ['the user', call('userGet', 'u'), 'holder', 'open to the user that it asks about, and to role root'],
    ['a holder of the role', call('roleGet', 'r'), 'holder', 'open to the holders of the role that it asks about, and to role root'],
    ['any user', call('memberList'), 'user', 'open to every user'],
    ['any user, for a lease', lease('leaseGrant'), 'user', 'open to every user'],
    ['nobody, for a transaction of nothing', txn({}), 'nobody', 'open to whoever passes TLS'],
    ['nobody', call('GET /version'), 'nobody', 'open to whoever passes TLS'],
  ])('where it takes %s', (_, operation, needs, text) => {
    const made = fromObserved(by('u', operation))
    expect(made.notGranted).toMatchObject([{ user: 'u', operation, needs, text: expect.stringContaining(text) as string }])
    expect([made.v3, made.v2]).toEqual([undefined, undefined])
  })
})

describe('bad input is refused', () => {
  test.each(hostile.filter(([name]) => name !== 'undefined'))('%s for widen', (_, widen) => {
    expect(() => fromObserved([], { widen: widen as never })).toThrow(TypeError)
  })
  test('a user whom no policy may name, and what is no operation', () => {
    thrown('ERR_NAME_INVALID', () => fromObserved(by('a/b', get('/1'))))
    expect(() => fromObserved(by('a', { op: 'patch' } as never))).toThrow(TypeError)
    for (const observation of [null, undefined, 'a', {}, { user: 'a' }, { user: 7, operation: get('/a') }]) expect(() => fromObserved([observation as never])).toThrow(new TypeError('an observation is a user and an operation'))
    for (const list of [null, {}, 'a']) expect(() => fromObserved(list as never)).toThrow(new TypeError('observations must be a list'))
  })
})

const operations = fc.array(fc.tuple(fc.constantFrom('alice', 'bob', 'root'), fc.oneof(smallOperation, fc.tuple(smallPath, fc.boolean(), fc.constantFrom(get, del, watch)).map(([text, recursive, make]) => make(path(text, { recursive }))))), { maxLength: 12 })

describe('for any operations', () => {
  test.each(['exact', 'directory'] as const)('each that is not reported is allowed by the policy that is made of them (%s)', (widen) => {
    fc.assert(
      fc.property(operations, (seen) => {
        const observed = seen.map(([user, operation]) => ({ user, operation }))
        const made = fromObserved(observed, { widen })
        const policy = policyOf(made, ['alice', 'bob', 'root'])
        const refused = new Set(made.notGranted.filter(({ needs }) => needs === 'root' || needs === 'holder').map(({ operation }) => operation))
        for (const { user, operation } of observed) if (!refused.has(operation)) expect(can<Policy>(policy, user, operation)).toBe(true)
      }),
    )
  })

  test('with "exact", on v3 nothing else is: what is open is the union of what was needed', () => {
    fc.assert(
      fc.property(operations, (seen) => {
        const made = fromObserved(seen.map(([user, operation]) => ({ user, operation })))
        for (const { api, beyond } of made.looseness) if (api === 'v3') expect(beyond).toEqual([])
        for (const user of ['alice', 'bob', 'root'])
          for (const access of ['read', 'write'] as const) {
            const needed = union(seen.flatMap(([who, operation]) => (who === user ? needsOf(operation, () => true) : [])).flatMap((need) => (need.need === access && need.keys.api === 'v3' ? [toInterval(need.keys)] : [])))
            const open = openedBy((made.v3?.bindings[user] ?? []).flatMap((role) => made.v3?.roles[role] ?? []))[access]
            expect([difference(open, needed), difference(needed, open)]).toEqual([[], []])
          }
      }),
    )
  })

  test('no permission may be left out', () => {
    fc.assert(
      fc.property(operations, (seen) => {
        const made = fromObserved(seen.map(([user, operation]) => ({ user, operation })))
        expect(lint(policyOf(made, ['alice', 'bob', 'root'])).filter(({ code }) => code === 'redundant-permission' || code === 'split-read-write')).toEqual([])
      }),
    )
  })

  test('what looseness does not name was needed: on v2, a pattern without it opens seen paths alone', () => {
    const tight = fromObserved(by('u', get(path('/c')), put(path('/c'))))
    expect(tight.looseness).toEqual([{ api: 'v2', role: 'u', permission: { type: 'readwrite', keys: pattern('/c') }, beyond: [] }])
  })
})
