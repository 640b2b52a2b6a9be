import { expect, test } from 'vitest'
import { anonymous, call, definePolicy, expectAccess, fromKey, get, prefix, put, read, watch, type Policy } from '../../../../src/policy/index.js'
import { thrown } from '../../../support/thrown.js'

const policy = definePolicy({ users: { root: 'certificate', auditor: 'password' }, v3: { roles: { audit: [read(prefix('/calico/'))] }, bindings: { root: ['root'], auditor: ['audit'] } } })

test('a table that holds gives nothing', () => {
  expect(
    expectAccess(policy, [
      { user: 'auditor', operation: get(prefix('/calico/')), allowed: true },
      { user: 'auditor', operation: put('/calico/x'), allowed: false },
      { user: 'auditor', operation: watch(fromKey('/calico/')), allowed: false },
      { user: 'auditor', operation: watch(fromKey('/calico/')), allowed: true, circumstances: { etcd: '3.5.30' } },
      { user: anonymous, operation: call('compact'), allowed: true, circumstances: { etcd: '3.5.16' } },
    ]),
  ).toEqual([])
})

test('each line that does not is given with its place, and why', () => {
  const rows = [
    { user: 'auditor', operation: get('/calico/x'), allowed: true },
    { user: 'auditor', operation: put('/calico/x'), allowed: true },
    { user: anonymous, operation: get('/calico/x'), allowed: true },
    { user: 'root', operation: get('/calico/x'), allowed: false },
  ] as const
  const differences = expectAccess(policy, rows)
  expect(differences.map(({ row, place }) => [row, place])).toEqual([[rows[1], 1], [rows[2], 2], [rows[3], 3]])
  expect(differences[0]?.text).toBe('row 1: user "auditor" should be allowed, but is refused\n  lacks write /calico/x, since it writes them: nothing covers /calico/x\n  would do: write /calico/x')
  expect(differences[1]?.text).toContain('row 2: clients whom no user names should be allowed, but is refused')
  expect(differences[2]?.text).toContain('row 3: user "root" should be refused, but is allowed')
})

test('a line that asks nothing fails, instead of passing for held', () => {
  thrown('ERR_USER_UNKNOWN', () => expectAccess(policy as Policy, [{ user: 'auditr', operation: get('/a'), allowed: false }]))
  thrown('ERR_POLICY_HALF_MISSING', () => expectAccess(policy, [{ user: 'auditor', operation: call('GET /v2/members'), allowed: true }]))
  expect(() => expectAccess(policy, [{ user: 'auditor', operation: get('/a'), allowed: undefined as never }])).toThrow(TypeError)
  expect(() => expectAccess(policy, [{ user: 'auditor', operation: {} as never, allowed: false }])).toThrow(TypeError)
})

test('nor does what is no policy, no table or no line', () => {
  for (const value of [undefined, null, 'policy']) expect(() => expectAccess(value as never, [])).toThrow(new TypeError('policy must be a policy, or an index of one'))
  expect(() => expectAccess(policy, undefined as never)).toThrow(new TypeError('rows must be a list'))
  expect(() => expectAccess(policy, [null as never])).toThrow(new TypeError('row 0 must be an object'))
})
