import { describe, expect, test } from 'vitest'
import { anonymous, call, can, definePolicy, explain, fromKey, get, indexPolicy, lease, path, pattern, prefix, put, range, read, readwrite, txn, watch, type ServerCall } from '../../../src/policy/index.js'

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
    expect(explain(policy, 'node', watch(fromKey('/calico/felix/v1/x'))).differs).toMatchObject([{ change: 'openWatchChecked', advisory: 'GHSA-xg4h-6gfc-h4m8', before: true }])
    expect(explain(policy, 'node', txn({ success: [txn({ success: [get('/z')] })] })).differs).toMatchObject([{ change: 'nestedTransactionChecked', before: true }])
    expect(explain(policy, 'node', call('status')).differs).toMatchObject([{ change: 'statusOpenToUsers', advisory: undefined, before: false }])
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

  test('of an index is that of its policy', () => {
    const index = indexPolicy(policy)
    for (const user of ['root', 'node', 'auditor'] as const)
      for (const operation of [get('/calico/b'), put('/calico/felix/v1/x'), get(path('/calico/v1/x')), call('compact')]) expect(explain(index, user, operation)).toEqual(explain(policy, user, operation))
  })
})
