/** What plain JavaScript passes by mistake is refused, and never taken for something else. */
import { describe, expect, test } from 'vitest'
import { can, definePolicy, del, explainDenied, get, isolation, key, lint, prefix, put, readwrite, txn, write, type Operation } from '../../../src/policy/index.js'
import { kubeApiserver } from '../../../src/presets/index.js'

const policy = definePolicy({ users: { u: 'certificate' }, v3: { roles: { r: [write(prefix('/a/'))] }, bindings: { u: ['r'] } } })
const asked = (operation: unknown, circumstances: unknown = {}): (() => boolean) => () => can(policy, 'u', operation as Operation, circumstances as object)

describe('a TypeError is', () => {
  test.each<[what: string, run: () => unknown]>([
    ['a prevKv that is neither true nor false', asked({ op: 'del', keys: key('/a/x'), prevKv: 1 })],
    ['the same inside a transaction', asked({ op: 'txn', compare: [], success: [{ op: 'put', keys: key('/a/x'), prevKv: 'yes' }], failure: [] })],
    ['keys of a lease inside a transaction that are no list', asked({ op: 'txn', compare: [], success: [{ op: 'put', keys: key('/a/x'), attached: '/b' }], failure: [] })],
    ['keys of a lease inside a transaction that are texts', asked({ op: 'txn', compare: [], success: [{ op: 'put', keys: key('/a/x'), attached: ['/b'] }], failure: [] })],
    ['a misspelt way', asked(get('/a/x'), { Via: 'gateway' })],
    ['a misspelt option of a put', () => put('/a/x', { prev_kv: true } as never)],
    ['a misspelt option of a delete', () => del('/a/x', { prevKV: true } as never)],
    ['a misspelt part of a transaction', () => txn({ compares: ['/b'], success: [] } as never)],
    ['a misspelt option of isolation', () => isolation(policy, { api: 'v3', excpt: [] } as never)],
  ])('%s', (_, run) => {
    expect(run).toThrow(TypeError)
  })
})

test('a component that needs role root is found to lack it', () => {
  const apiserver = kubeApiserver({ etcd: '3.5.35', compaction: 'apiserver' })
  const own = definePolicy({ users: { root: 'certificate', api: 'certificate' }, v3: { roles: { kubernetes: apiserver.permissions }, bindings: { root: ['root'], api: ['kubernetes'] } } })
  const found = (components: readonly object[]): readonly string[] => lint(own, { components } as never).filter(({ code }) => code === 'component-lacks-right').map(({ why }) => why)
  expect(found([{ ...apiserver, name: 'kube-apiserver', user: 'api' }])).toEqual(['kube-apiserver makes calls that only role root may make, and user "api" does not hold it'])
  expect(found([{ ...apiserver, name: 'kube-apiserver', user: 'root' }])).toEqual([])
  expect(found([{ ...kubeApiserver({ etcd: '3.5.35', compaction: 'etcd' }), name: 'kube-apiserver', user: 'api' }])).toEqual([])
})

test('a denied put under a lease inside a transaction leaves its other keys unknown', () => {
  const line = '{"level":"warn","msg":"failed to apply request","request":"header:<ID:1 username:\\"u\\" auth_revision:8 > txn:<success:<request_put:<key:\\"/c/x\\" value_size:1 lease:77 > > >","error":"auth: permission denied"}'
  const allowing = definePolicy({ users: { u: 'certificate' }, v3: { roles: { r: [readwrite(prefix('/c/'))] }, bindings: { u: ['r'] } } })
  expect(explainDenied(line, { policy: allowing }).unknown.join()).toContain('which other keys are on its lease')
  expect(explainDenied(line.replace(' lease:77', ''), { policy: allowing }).unknown.join()).not.toContain('lease')
})
