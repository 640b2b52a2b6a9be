import { describe, expect, test } from 'vitest'
import { anonymous, call, can, definePolicy, del, explain, fromKey, get, indexPolicy, key, lease, path, pattern, prefix, put, range, read, readwrite, txn, watch, write, type Circumstances, type Operation, type ServerCall } from '../../../src/policy/index.js'

const policy = definePolicy({
  users: { root: 'certificate', node: 'certificate', auditor: 'password' },
  v3: {
    roles: { node: [readwrite(prefix('/calico/felix/v1/'))], audit: [read(range('/calico/a', '/calico/c')), read(range('/calico/c', '/calico/f')), read(range('/calico/m', '/calico/p'))] },
    bindings: { root: ['root'], node: ['node'], auditor: ['audit', 'node'] },
  },
  v2: { guest: [read(pattern('/pub'))], roles: { node: [readwrite(pattern('/calico/v1/*'))] }, bindings: { node: ['node'] } },
})

describe('an explanation', () => {
  test('names the roles and permissions that allow, several where they add up', () => {
    const { allowed, needs, grants } = explain(policy, 'auditor', get(range('/calico/b', '/calico/d')))
    expect(allowed).toBe(true)
    expect(grants).toEqual([])
    expect(needs.flatMap(({ by }) => by)).toEqual([
      { role: 'audit', permission: read(range('/calico/a', '/calico/c')) },
      { role: 'audit', permission: read(range('/calico/c', '/calico/f')) },
    ])
  })

  test('names exactly what is missing, and the smallest grants that would do', () => {
    const operation = get(range('/calico/e', '/calico/z'))
    const { allowed, needs, grants } = explain(policy, 'auditor', operation)
    expect(allowed).toBe(false)
    expect(needs[0]?.missing).toEqual([range('/calico/f', '/calico/felix/v1/'), range('/calico/felix/v10', '/calico/m'), range('/calico/p', '/calico/z')])
    const wider = definePolicy({ users: { x: 'certificate' }, v3: { roles: { r: [...policy.v3!.roles['audit']!, ...policy.v3!.roles['node']!, ...grants] as never }, bindings: { x: ['r'] } } })
    expect(can(wider, 'x', operation)).toBe(true)
  })

  test('of a put with prevKv says which half is missing', () => {
    const { needs, grants } = explain(policy, 'auditor', put('/calico/a1', { prevKv: true }))
    expect(needs.map(({ met }) => met)).toEqual([false, true])
    expect(grants).toEqual([{ type: 'write', keys: { api: 'v3', kind: 'key', key: '/calico/a1' } }])
  })

  test('offers no grant where only role root helps', () => {
    expect(explain(policy, 'node', call('compact'))).toMatchObject({ allowed: false, grants: [], needs: [{ need: { need: 'root' }, met: false }] })
  })

  test.each<[string, readonly string[], readonly ServerCall[]]>([
    ['nothing', [], ['authenticate', 'authStatus', 'GET /v2/auth/enable', 'GET /v2/members', 'GET /v2/machines', 'GET /v2/stats', 'GET /version', 'GET /health', 'GET /metrics']],
    ['a name', ['user'], ['status', 'alarmList', 'memberList']],
    ['to be or to hold what is asked about', ['holder'], ['userGet', 'roleGet']],
    [
      'role root',
      ['root'],
      [
        'compact', 'alarmDeactivate', 'moveLeader', 'downgrade', 'memberAdd', 'memberRemove', 'memberUpdate', 'memberPromote', 'defragment', 'hash', 'hashKv', 'snapshot', 'authEnable', 'authDisable',
        'userAdd', 'userList', 'userDelete', 'userChangePassword', 'userGrantRole', 'userRevokeRole', 'roleAdd', 'roleList', 'roleDelete', 'roleGrantPermission', 'roleRevokePermission',
        'PUT /v2/auth/enable', 'DELETE /v2/auth/enable', 'GET /v2/auth/users', 'PUT /v2/auth/users', 'DELETE /v2/auth/users', 'GET /v2/auth/roles', 'PUT /v2/auth/roles', 'DELETE /v2/auth/roles',
        'POST /v2/members', 'PUT /v2/members', 'DELETE /v2/members',
      ],
    ],
  ])('says which calls take %s, and no more', (_, wanted, calls) => {
    for (const name of calls) expect([name, explain(policy, 'node', call(name)).needs.map(({ need }) => need.need)]).toEqual([name, wanted])
  })

  test('says in which releases the answer is another, with the advisory', () => {
    expect(explain(policy, 'node', watch(fromKey('/calico/felix/v1/x'))).differs).toEqual([
      {
        releases: [{ from: '3.3.0', to: undefined }, { from: '3.4.0', to: undefined }, { from: '3.5.0', to: '3.5.32' }, { from: '3.6.0', to: '3.6.13' }, { from: '3.7.0', to: '3.7.0' }],
        allowed: true,
        changes: ['openWatchChecked'],
        advisories: ['GHSA-xg4h-6gfc-h4m8'],
        because: 'a reader of one key receives the events of all keys behind it through a watch without end',
      },
    ])
    expect(explain(policy, 'node', txn({ success: [txn({ success: [get('/z')] })] })).differs).toMatchObject([{ changes: ['nestedTransactionChecked'], allowed: true }])
    expect(explain(policy, 'node', call('status')).differs).toMatchObject([
      { changes: ['statusOpenToUsers'], advisories: [], allowed: false, releases: [{ from: '3.4.42', to: undefined }, { from: '3.5.28', to: '3.5.31' }, { from: '3.6.0', to: '3.6.11' }] },
    ])
    // Seen from a release, what is different there is what newer ones have.
    expect(explain(policy, 'node', call('compact'), { etcd: '3.5.16' }).differs).toMatchObject([
      { changes: ['callsGuarded'], allowed: false, releases: [{ from: '3.4.42', to: undefined }, { from: '3.5.28', to: undefined }, { from: '3.6.9', to: undefined }, { from: '3.7.0', to: undefined }], because: expect.stringMatching(/^no longer so: whoever passes TLS/) as string },
    ])
    expect(explain(policy, 'node', get('/calico/felix/v1/x')).differs).toEqual([])
  })

  test('says what the way in changes', () => {
    expect(explain(policy, 'node', get('/calico/felix/v1/x'), { via: 'gateway' })).toMatchObject({ allowed: false, notes: [expect.stringContaining('gateway refuses'), expect.stringContaining('no Common Name')] })
    expect(explain(policy, 'node', get('/z', { serializable: true }), { via: 'grpc-proxy' }).notes.join()).toContain('cache')
  })

  test('on v2 offers the narrowest pattern that would do', () => {
    expect(explain(policy, 'node', get(path('/calico/bgp'))).grants).toEqual([read(pattern('/calico/bgp'))])
    expect(explain(policy, 'node', get(path('/calico/bgp/', { recursive: true }))).grants).toEqual([read(pattern('/calico/bgp/*'))])
    expect(explain(policy, 'node', get(path(''))).grants).toEqual([read(pattern('*'))])
  })

  test('merges what is missing, and replaces what is held on the same keys', () => {
    const grantsOf = (operation: Operation) => explain(policy, 'auditor', operation).grants
    expect(grantsOf(txn({ compare: ['/x/1'], success: [get(prefix('/x/')), get('/x/2'), get('/x/2')] }))).toEqual([read(prefix('/x/'))])
    expect(grantsOf(put('/x', { prevKv: true }))).toEqual([readwrite(key('/x'))])
    expect(grantsOf(txn({ success: [get(prefix('/x/')), del(prefix('/x/'))] }))).toEqual([readwrite(prefix('/x/'))])
    expect(grantsOf(txn({ success: [get(prefix('/x/')), put('/x/1')] }))).toEqual([read(prefix('/x/')), write(key('/x/1'))])
    // The role that reads just this range keeps one type for it.
    expect(grantsOf(del(range('/calico/m', '/calico/p')))).toEqual([readwrite(range('/calico/m', '/calico/p'))])
    expect(explain(policy, anonymous, put(path('/pub'))).grants).toEqual([readwrite(pattern('/pub'))])
  })

  test.each<[string, Parameters<typeof explain<typeof policy>>[1], Operation, Circumstances]>([
    ['who is nobody on v3', anonymous, get('/x'), {}],
    ['a client without any name', anonymous, get('/x'), { via: 'grpc-proxy' }],
    ['a certificate user whose name the gRPC proxy loses', 'node', get('/x'), { via: 'grpc-proxy' }],
    ['a certificate user whose name the gateway loses', 'node', get('/calico/felix/v1/x'), { via: 'gateway' }],
    ['a root who loses its name on the way', 'root', get('/x'), { via: 'grpc-proxy' }],
    ['who lacks a name as well as keys', anonymous, lease('leaseRevoke', ['/x']), { via: 'grpc-proxy' }],
    ['an API that is not there', 'node', get(path('/x')), { etcd: '3.7.1' }],
  ])('offers no grant to %s: none would help', (_, user, operation, circumstances) => {
    const { allowed, grants, text } = explain(policy, user, operation, circumstances)
    expect([allowed, grants]).toEqual([false, []])
    expect(text).not.toContain('would do')
  })

  test('offers the guest of v2 the path alone: for it, recursion does not count', () => {
    expect(explain(policy, anonymous, get(path('/h', { recursive: true }))).grants).toEqual([read(pattern('/h'))])
    expect(explain(policy, 'node', get(path('/h', { recursive: true }))).grants).toEqual([read(pattern('/h*'))])
  })

  test('of a request on v2 says where there is no v2 API', () => {
    for (const operation of [get(path('/calico/v1/x')), call('GET /v2/members')]) {
      expect(can(policy, 'node', operation, { etcd: '3.7.1' })).toBe(false)
      expect(explain(policy, 'node', operation, { etcd: '3.7.1' }).text).toContain('etcd 3.7.1 has no v2 API')
      expect(explain(policy, 'node', operation).differs).toMatchObject([{ allowed: false, because: 'etcd has no v2 API since 3.6' }])
    }
  })

  test.each<ServerCall>(['GET /version', 'GET /health', 'GET /metrics'])('of %s asks for no half of a policy, and for no release', (name) => {
    for (const half of [definePolicy({ users: { a: 'certificate' } }), definePolicy({ users: { a: 'certificate' }, v3: { roles: {}, bindings: {} } })])
      for (const etcd of ['3.3.25', '3.7.3']) for (const user of ['a', anonymous] as const) expect(explain(half, user, call(name), { etcd })).toMatchObject({ allowed: true, differs: [], notes: [] })
  })

  test('on v2 says that writing tells the old value, and that a guest pattern reaches below', () => {
    expect(explain(policy, 'node', put(path('/calico/v1/x'))).notes.join()).toContain('old value')
    expect(explain(policy, anonymous, get(path('/pub', { recursive: true }))).notes.join()).toContain('whole subtree')
  })

  test('is text that a person can read', () => {
    expect(explain(policy, 'node', put('/registry/x')).text).toBe(
      ['refused', '  lacks write /registry/x, since it writes them: nothing covers /registry/x', '  would do: write /registry/x'].join('\n'),
    )
    expect(explain(policy, 'node', lease('leaseGrant')).text).toContain('has any client with a name')
  })

  const [refusing, nameless, cache, watching, old, subtree] = ['gateway refuses', 'etcd hears no Common Name', 'from its cache', 'outlives a revocation', 'returns the old value', 'the whole subtree'] as const
  test.each<[string, Parameters<typeof explain<typeof policy>>[1], Operation, Circumstances, readonly string[]]>([
    ['a request that comes straight', 'node', get('/calico/felix/v1/x'), {}, []],
    ['a write on v3', 'node', put('/calico/felix/v1/x'), {}, []],
    ['a watch', 'node', watch('/calico/felix/v1/x'), {}, [watching]],
    ['a certificate user at the gateway', 'node', get('/z'), { via: 'gateway' }, [refusing, `through the gateway ${nameless}`]],
    ['a certificate user at the gateway of 3.3', 'node', get('/z'), { via: 'gateway', etcd: '3.3.25' }, [`through the gateway ${nameless}`]],
    ['a certificate user at the gRPC proxy', 'node', get('/z'), { via: 'grpc-proxy' }, [`through the gRPC proxy ${nameless}`]],
    ['a password user at the gateway', 'auditor', get('/z'), { via: 'gateway' }, []],
    ['nobody at the gateway', anonymous, get('/z'), { via: 'gateway' }, [`through the gateway ${nameless}`]],
    ['a serializable read at the gRPC proxy', 'auditor', get('/z', { serializable: true }), { via: 'grpc-proxy' }, [cache]],
    ['a serializable read at the gateway', 'auditor', get('/z', { serializable: true }), { via: 'gateway' }, []],
    ['a read at the gRPC proxy', 'auditor', get('/z'), { via: 'grpc-proxy' }, []],
    ['a read on v2', 'node', get(path('/x', { recursive: true })), {}, []],
    ['a put on v2', 'node', put(path('/x')), {}, [old]],
    ['a deletion on v2', 'node', del(path('/x')), {}, [old]],
    ['the guest, recursively', anonymous, get(path('/x', { recursive: true })), {}, [subtree]],
    ['the guest', anonymous, get(path('/x')), {}, []],
    ['nobody on v3', anonymous, get('/z'), {}, ['it must log in as a user']],
    ['a request on v2 where there is no v2', 'node', get(path('/calico/v1/x')), { etcd: '3.6.16' }, ['etcd 3.6.16 has no v2 API']],
  ])('has the notes that concern %s, and no others, and repeats them in its text', (_, user, operation, circumstances, wanted) => {
    const { notes, text } = explain(policy, user, operation, circumstances)
    expect(notes).toEqual(wanted.map((part) => expect.stringContaining(part) as string))
    for (const note of notes) expect(text.split('\n')).toContain(note)
  })

  test('says nothing of guest patterns where there are none', () => {
    const closed = definePolicy({ users: { a: 'password' }, v2: { guest: [], roles: {}, bindings: {} } })
    expect(explain(closed, anonymous, get(path('/x', { recursive: true }))).notes).toEqual([])
  })

  test('names the guest for a recursive request by its exact pattern, and no user for one', () => {
    expect(explain(policy, anonymous, get(path('/pub', { recursive: true }))).needs).toMatchObject([{ met: true, by: [{ role: 'guest', permission: read(pattern('/pub')) }], missing: [] }])
    const exact = definePolicy({ users: { a: 'password' }, v2: { guest: [], roles: { r: [read(pattern('/pub'))] }, bindings: { a: ['r'] } } })
    expect(explain(exact, 'a', get(path('/pub', { recursive: true }))).needs).toMatchObject([{ met: false, by: [], missing: [path('/pub', { recursive: true })] }])
  })

  test('in text names who gives what is had, whom a call is open to, and in which releases that is not so', () => {
    expect(explain(policy, 'auditor', get(range('/calico/b', '/calico/d'))).text.split('\n')).toEqual([
      'allowed',
      '  has read [/calico/b, /calico/d), since it reads them by role audit (read [/calico/a, /calico/c)) and role audit (read [/calico/c, /calico/f))',
    ])
    const lineOf = (name: ServerCall, subject?: string): string | undefined => explain(policy, 'node', call(name, subject)).text.split('\n')[1]
    expect(lineOf('userGet', 'node')).toBe('  has being user node, or role root')
    expect(lineOf('userGet', 'auditor')).toBe('  lacks being user auditor, or role root')
    expect(lineOf('roleGet', 'node')).toBe('  has holding role node, or role root')
    expect(lineOf('compact')).toBe('  lacks role root')
    expect(explain(policy, 'node', call('compact')).text.split('\n').at(-1)).toBe(
      '  allowed on etcd 3.3, 3.4 up to 3.4.41, 3.5 up to 3.5.27, 3.6 up to 3.6.8: whoever passes TLS compacts the history, lists members and grants leases (GHSA-q8m4-xhhv-38mg)',
    )
    expect(explain(policy, 'node', call('status')).text.split('\n').at(-1)).toBe('  refused on etcd 3.4 from 3.4.42 on, 3.5.28 to 3.5.31, 3.6 up to 3.6.11: Status asks for role root')
  })

  test('of an index is that of its policy', () => {
    const index = indexPolicy(policy)
    for (const user of ['root', 'node', 'auditor'] as const)
      for (const operation of [get('/calico/b'), put('/calico/felix/v1/x'), get(path('/calico/v1/x')), call('compact')]) expect(explain(index, user, operation)).toEqual(explain(policy, user, operation))
  })
})
