/** Components on one etcd: what they get, and where they collide. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromKey, key, pattern, prefix, read, readwrite } from '../../../src/keys/index.js'
import { call, can, disjoint, get, put } from '../../../src/policy/index.js'
import { backup, calicoV2, calicoV3, composed, healthProbe, kubeApiserver, tenant, type NamedComponent } from '../../../src/presets/index.js'

const etcd = '3.7.3'
const shop = tenant({ name: 'shop', prefix: '/tenants/shop/', etcd })
const kubernetes: NamedComponent = { ...kubeApiserver({ etcd, compaction: 'etcd' }), name: 'kube-apiserver' }
const node: NamedComponent = { ...calicoV3({ calico: '3.30', grants: 'source' }).node, name: 'calico-node' }
const found = (...components: readonly NamedComponent[]) => composed(...components).collisions.map(({ code, severity, components: places }) => [code, severity, ...places].join(' '))

test('components with names and keys of their own are one policy without a finding, in which each has what it had', () => {
  const { policy, collisions } = composed(kubernetes, node, { ...healthProbe(), name: 'health-probe' }, shop)
  expect(collisions).toEqual([])
  expect(can(policy, 'kube-apiserver', put('/registry/x'))).toBe(true)
  expect(can(policy, 'calico-node', get('/calico/resources/v3/projectcalico.org/x'))).toBe(true)
  expect(can(policy, 'health-probe', get('health'))).toBe(true)
  for (const user of ['kube-apiserver', 'calico-node', 'health-probe']) expect(can(policy, user, get('/tenants/shop/x'))).toBe(false)
  expect(can(policy, 'root', call('snapshot'))).toBe(true)
})

test('no component is a policy with root alone', () => {
  expect(composed()).toMatchObject({ policy: { users: { root: 'certificate' } }, collisions: [] })
})

describe('it tells, and does not throw, that', () => {
  test.each<readonly [string, readonly NamedComponent[], readonly string[]]>([
    ['two hold one key space', [kubernetes, shop, tenant({ name: 'b', prefix: '/registry/b/', etcd })], ['keys-shared error 0 2']],
    ['two control planes share the compaction key', [kubernetes, { ...kubeApiserver({ etcd, compaction: 'etcd', keyPrefix: '/b/' }), name: 'b' }], ['keys-shared error 0 1']],
    ['two may both read', [{ ...healthProbe(), name: 'a' }, { ...healthProbe(), name: 'b' }], ['keys-shared info 0 1']],
    ['one reads what another writes', [shop, tenant({ name: 'b', prefix: '/tenants/', etcd, access: 'read' })], ['keys-shared error 0 1']],
    ['one name is there twice', [shop, tenant({ name: 'shop', prefix: '/other/', etcd })], ['name-twice error 0 1']],
    ['one name is there twice, with the same keys', [shop, shop], ['name-twice error 0 1']],
    ['a name is no name', [{ ...shop, name: 'root' }, { ...shop, name: 'a/b' }, { ...shop, name: '' }, { ...shop, name: 'guest' }], [0, 1, 2, 3].map((at) => `name-unusable error ${at}`)],
    ['one holds keys without end', [{ name: 'x', permissions: [read(fromKey('/z'))] }], ['keys-open-ended warning 0']],
    ['one is root', [shop, { ...backup({ etcd }), name: 'backup' }], ['root-held warning 1']],
    ['two share v2 paths', [{ name: 'a', permissions: [readwrite(pattern('/t/*'))] }, { name: 'b', permissions: [read(pattern('/t/b'))] }], ['keys-shared error 0 1']],
  ])('%s', (_, components, codes) => {
    expect(found(...components)).toEqual(codes)
  })
})

test('of two of one name the first stands: nobody gets the rights of both', () => {
  const { policy } = composed(shop, tenant({ name: 'shop', prefix: '/other/', etcd }))
  expect([can(policy, 'shop', put('/tenants/shop/x')), can(policy, 'shop', put('/other/x'))]).toEqual([true, false])
})

test('a component that needs role root holds it', () => {
  const { policy } = composed({ ...backup({ etcd }), name: 'backup' }, { ...kubeApiserver({ etcd, compaction: 'apiserver' }), name: 'kube-apiserver' })
  for (const user of ['backup', 'kube-apiserver']) expect(can(policy, user, call('snapshot'))).toBe(true)
})

test('components of both APIs have a role in each', () => {
  const { policy, collisions } = composed(shop, { ...calicoV2({ calico: '2.6' }).node, name: 'calico-node' })
  expect(collisions).toEqual([])
  expect([policy.v3?.roles['shop']?.length, policy.v2?.roles['calico-node'] !== undefined, policy.v3?.roles['calico-node']]).toEqual([1, true, undefined])
})

test('a name of JavaScript is a name', () => {
  const { policy, collisions } = composed({ name: '__proto__', permissions: [read(key('/a'))] }, { name: 'constructor', permissions: [read(key('/b'))] })
  expect(collisions).toEqual([])
  expect(can(policy, '__proto__', get('/a'))).toBe(true)
})

test('law: tenants are reported to share keys exactly if two of their prefixes meet', () => {
  const path = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 }).map((segments) => `/${segments.join('/')}/`)
  fc.assert(
    fc.property(fc.array(path, { maxLength: 5 }), (prefixes) => {
      const tenants = prefixes.map((one, at) => ({ name: `t${at}`, permissions: [readwrite(prefix(one))] }))
      const meet = tenants.some((a, at) => tenants.slice(at + 1).some((b) => !disjoint(a.permissions, b.permissions).holds))
      expect(composed(...tenants).collisions.length > 0).toBe(meet)
    }),
    { numRuns: 100 },
  )
})

test.each([[undefined], [null], [healthProbe()], [{ name: 7, permissions: [] }], [{ name: 'x' }], [{ name: 'x', permissions: [], needsRoot: 'no' }]])('what is no component with a name is a TypeError: %j', (wrong) => {
  expect(() => composed(wrong as never)).toThrow(TypeError)
})
