import { describe, expect, test } from 'vitest'
import { allKeys, call, can, definePolicy, del, fromKey, get, key, lease, path, prefix, put, range, read, readwrite, txn, watch, write, anonymous, pattern, type Operation, type ServerCall } from '../../../src/policy/index.js'

const policy = definePolicy({
  users: { root: 'certificate', reader: 'certificate', writer: 'certificate', both: 'password', nobody: 'certificate' },
  v3: {
    roles: { r: [read(prefix('/a/'))], w: [write(prefix('/a/'))], rw: [readwrite(prefix('/a/')), readwrite(key('/lock'))] },
    bindings: { root: ['root'], reader: ['r'], writer: ['w'], both: ['rw'] },
  },
  v2: { guest: [read(pattern('/pub'))], roles: { r: [read(pattern('/a/*'))] }, bindings: { reader: ['r'] } },
})
type Name = 'root' | 'reader' | 'writer' | 'both' | 'nobody'
const names: readonly (Name | typeof anonymous)[] = ['root', 'reader', 'writer', 'both', 'nobody', anonymous]

/** Who may, as one letter each in the order root, reader, writer, both, nobody, anonymous. */
const who = (operation: Operation, etcd?: string): string => names.map((name, at) => (can(policy, name, operation, etcd === undefined ? {} : { etcd }) ? 'Rrwbna'[at] : '-')).join('')

const nested = txn({ success: [txn({ success: [get('/z'), put('/z')] })] })

describe('a whole request is allowed to', () => {
  test.each<[string, Operation, string]>([
    ['a get: readers', get('/a/x'), 'Rr-b--'],
    ['a get of a range with a gap: nobody but root', get(range('/a/', '/b')), 'R-----'],
    ['a put: writers', put('/a/x'), 'R-wb--'],
    ['a put with prevKv: those who read and write', put('/a/x', { prevKv: true }), 'R--b--'],
    ['a put on a lease: those who write every key on it', put('/a/x', { attached: ['/z'] }), 'R-----'],
    ['a put on a lease of their own keys', put('/a/x', { attached: ['/lock'] }), 'R--b--'],
    ['a delete: writers', del(prefix('/a/')), 'R-wb--'],
    ['a delete with prevKv: those who read and write', del(prefix('/a/'), { prevKv: true }), 'R--b--'],
    ['a watch: readers of all of it', watch(prefix('/a/')), 'Rr-b--'],
    ['a watch without end: none but root', watch(fromKey('/a/x')), 'R-----'],
    ['compare and put: those who read and write', txn({ compare: ['/lock'], success: [put('/lock')] }), 'R--b--'],
    ['a branch that may never be taken is asked for too', txn({ success: [get('/a/x')], failure: [put('/z')] }), 'R-----'],
    ['a transaction in a transaction is looked into', nested, 'R-----'],
    ['an empty transaction: everybody', txn({}), 'Rrwbna'],
    ['a lease grant: everybody with a name', lease('leaseGrant'), 'Rrwbna'],
    ['the revocation of a lease: those who write its keys', lease('leaseRevoke', ['/a/x']), 'R-wb--'],
    ['the revocation of an empty lease: everybody', lease('leaseRevoke'), 'Rrwbna'],
    ['keeping a lease alive: those who write its keys', lease('leaseKeepAlive', ['/a/x']), 'R-wb--'],
    ['the time to live: everybody', lease('leaseTimeToLive', ['/z']), 'Rrwbna'],
    ['the time to live with keys: those who read them', lease('leaseKeys', ['/a/x']), 'Rr-b--'],
    ['the list of leases: those who read all keys on leases', lease('leaseLeases', ['/a/x', '/a/y']), 'Rr-b--'],
    ['compaction: root', call('compact'), 'R-----'],
    ['Status: every user', call('status'), 'Rrwbna'],
    ['AuthStatus: everybody', call('authStatus'), 'Rrwbna'],
    ['logging in: everybody', call('authenticate'), 'Rrwbna'],
    ['a user about itself', call('userGet', 'reader'), 'Rr----'],
    ['a user about nobody in particular', call('userGet'), 'R-----'],
    ['a holder about its role', call('roleGet', 'w'), 'R-w---'],
    ['every key is not role root', call('snapshot'), 'R-----'],
    ['a v2 get below a pattern', get(path('/a/x')), 'Rr----'],
    ['a recursive v2 get for the guest, whose exact patterns count', get(path('/pub', { recursive: true })), 'R----a'],
    ['the v2 members, which nothing guards', call('GET /v2/members'), 'Rrwbna'],
    ['v2 users', call('GET /v2/auth/users'), 'R-----'],
  ])('%s', (_, operation, wanted) => {
    expect(who(operation)).toBe(wanted)
  })

  test.each<ServerCall>(['memberAdd', 'memberRemove', 'memberUpdate', 'memberPromote', 'defragment', 'hash', 'hashKv', 'alarmDeactivate', 'moveLeader', 'downgrade', 'authEnable', 'authDisable', 'userAdd', 'userList', 'userDelete', 'userChangePassword', 'userGrantRole', 'userRevokeRole', 'roleAdd', 'roleList', 'roleDelete', 'roleGrantPermission', 'roleRevokePermission', 'PUT /v2/auth/enable', 'DELETE /v2/auth/enable', 'POST /v2/members'])(
    '%s: root alone',
    (name) => {
      expect(who(call(name))).toBe('R-----')
    },
  )
})

describe('a release with a hole answers otherwise', () => {
  test.each<[string, Operation, string, string, string]>([
    ['a watch without end asks for its first key only', watch(fromKey('/a/x')), '3.5.32', '3.5.33', 'Rr-b--'],
    ['a watch of a prefix of 0xff, which has no end, asks for its first key only', watch(prefix(Uint8Array.of(0xff), { siblings: 'include' })), '3.5.30', '3.5.33', 'R-----'],
    ['a watch of all keys asks for the first key only', watch(allKeys()), '3.6.13', '3.6.14', 'R-----'],
    ['a transaction in a transaction is not looked into', nested, '3.5.16', '3.5.28', 'Rrwbna'],
    ['a put in a transaction needs no read for prevKv', txn({ success: [put('/a/x', { prevKv: true })] }), '3.5.29', '3.5.30', 'R-wb--'],
    ['a put in a transaction may take a lease', txn({ success: [put('/a/x', { attached: ['/z'] })] }), '3.4.43', '3.4.44', 'R-wb--'],
    ['compaction asks for nobody', call('compact'), '3.4.23', '3.4.42', 'Rrwbna'],
    ['the keys of a lease are told to all', lease('leaseKeys', ['/a/x']), '3.4.23', '3.4.26', 'Rrwbna'],
    ['any lease is kept alive by all', lease('leaseKeepAlive', ['/a/x']), '3.5.16', '3.5.28', 'Rrwbna'],
  ])('%s', (_, operation, vulnerable, fixed, wanted) => {
    expect(who(operation, vulnerable)).toBe(wanted)
    expect(who(operation, fixed)).toBe(who(operation))
  })

  test('Status asked for role root for a while', () => {
    const answers = (...releases: readonly string[]): readonly string[] => releases.map((etcd) => who(call('status'), etcd))
    expect(answers('3.5.27', '3.5.28', '3.5.31', '3.5.32')).toEqual(['Rrwbna', 'R-----', 'R-----', 'Rrwbna'])
    expect(answers('3.6.0', '3.6.8', '3.6.11', '3.6.12')).toEqual(['R-----', 'R-----', 'R-----', 'Rrwbna'])
  })
})

describe('where no Common Name arrives', () => {
  test.each(['gateway', 'grpc-proxy'] as const)('a certificate user is nobody through the %s, a password user is itself', (via) => {
    expect(can(policy, 'root', get('/a/x'), { via })).toBe(false)
    expect(can(policy, 'reader', lease('leaseGrant'), { via })).toBe(false)
    expect(can(policy, 'both', get('/a/x'), { via })).toBe(true)
    expect(can(policy, 'both', get('/z'), { via })).toBe(false)
  })

  test('the gateway refuses a Common Name whatever it asks, since 3.4', () => {
    expect(can(policy, 'reader', call('authenticate'), { via: 'gateway' })).toBe(false)
    expect(can(policy, 'reader', call('authenticate'), { via: 'gateway', etcd: '3.3.25' })).toBe(true)
    expect(can(policy, anonymous, call('authenticate'), { via: 'gateway' })).toBe(true)
  })

  test('the cache of the gRPC proxy answers serializable reads of whomever', () => {
    expect(can(policy, 'nobody', get('/a/x', { serializable: true }), { via: 'grpc-proxy' })).toBe(true)
    expect(can(policy, 'nobody', get('/a/x'), { via: 'grpc-proxy' })).toBe(false)
    expect(can(policy, 'nobody', get('/a/x', { serializable: true }))).toBe(false)
  })

  test('v2 knows neither way', () => {
    expect(() => can(policy, 'reader', get(path('/a/x')), { via: 'gateway' })).toThrow(TypeError)
    expect(() => can(policy, 'reader', get('/a/x'), { via: 'proxy' as never })).toThrow(TypeError)
  })
})

test.each<[string, unknown]>([
  ['no operation', { op: 'range', keys: key('/a') }],
  ['a range that holds no key', { op: 'get', keys: { api: 'v3', kind: 'range', start: '/x/z', end: '/a' } }],
  ['no call', { op: 'call', call: 'constructor' }],
  ['a transaction without branches', { op: 'txn', compare: [] }],
  ['a watch in a transaction', { op: 'txn', compare: [], success: [watch('/a')], failure: [] }],
  ['a v2 path in a transaction', { op: 'txn', compare: [], success: [get(path('/a'))], failure: [] }],
  ['a v2 path in a comparison', { op: 'txn', compare: [path('/a')], success: [], failure: [] }],
  ['a lease without its keys', { op: 'leaseRevoke' }],
  ['a path on a lease', { op: 'put', keys: key('/a'), attached: [path('/a')] }],
  ['a subject that is no name', { op: 'call', call: 'userGet', subject: 1 }],
])('%s is a TypeError, and no answer', (_, operation) => {
  expect(() => can(policy, 'root', operation as Operation)).toThrow(TypeError)
})

test('a transaction nested beyond reason is refused, whatever its size', () => {
  let deep = txn({})
  const build = (): void => {
    for (let depth = 0; depth < 1_000; depth++) deep = { op: 'txn', compare: [], success: [deep], failure: [] }
  }
  build()
  expect(() => can(policy, 'root', deep)).toThrow(/nest/)
})
