import { describe, expect, test } from 'vitest'
import { allKeys, can, definePolicy, key, pattern, prefix, range, read, readwrite, write, type KeyRange, type Permission, type Policy } from '../../../src/policy/index.js'
import { calicoV3, kubeApiserver } from '../../../src/presets/index.js'
import { lackingOf, requires } from '../../../src/review/index.js'
import { thrown } from '../../support/thrown.js'

const apiserver = kubeApiserver({ etcd: '3.5.30', compaction: 'apiserver' })
const granting = (...permissions: readonly Permission<KeyRange>[]): Policy =>
  definePolicy({ users: { root: 'certificate', app: 'certificate' }, v3: { roles: { app: permissions }, bindings: { root: ['root'], app: ['app'] } } })
const texts = (policy: Policy, user: string, requirement: ReturnType<typeof requires>): readonly string[] => lackingOf(policy, user, requirement).map(({ text }) => text)

describe('kube-apiserver', () => {
  test.each([
    ['3.4.23', ['anybody', 'anybody'], []],
    ['3.5.16', ['anybody', 'anybody'], []],
    ['3.5.30', ['root', 'root'], ['compact', 'status']],
    ['3.5.33', ['root', 'users'], ['compact']],
    ['3.7.3', ['root', 'users'], ['compact']],
  ])('on etcd %s needs calls that are open to %j; with its keys alone it lacks %j', (etcd, openTo, lacks) => {
    const requirement = requires(apiserver, { etcd })
    expect(requirement.operations.map((one) => one.openTo)).toEqual(openTo)
    const lacking = lackingOf(granting(...apiserver.permissions), 'app', requirement)
    expect(lacking.map(({ needed }) => ('call' in needed ? needed.call : needed))).toEqual(lacks)
    expect(lacking.map(({ text }) => text)).toEqual(lacks.map((name) => `needs ${name} on etcd ${etcd}: etcd leaves it to role root, and no permission grants it`))
    for (const { operation } of requirement.operations) expect(can<Policy>(granting(...apiserver.permissions), 'app', operation, { etcd })).toBe(!lacking.some(({ needed }) => needed === operation))
  })

  test('needs no Compact where etcd compacts by itself', () => {
    const left = kubeApiserver({ etcd: '3.5.30', compaction: 'etcd' })
    expect(requires(left, { etcd: '3.5.33' }).operations.map(({ operation }) => ('call' in operation ? operation.call : ''))).toEqual(['status'])
    expect(lackingOf(granting(...left.permissions), 'app', requires(left, { etcd: '3.5.33' }))).toEqual([])
    expect(requires(left, { etcd: '3.5.33' }).notes.join()).toContain('--etcd-compaction-interval=0')
  })

  test('lacks nothing with role root, and everything without a role', () => {
    const policy = definePolicy({ users: { root: 'certificate', app: 'certificate' }, v3: { roles: {}, bindings: { root: ['root'] } } })
    expect(lackingOf(policy, 'root', requires(apiserver, { etcd: '3.5.30' }))).toEqual([])
    expect(lackingOf(policy, 'app', requires(apiserver, { etcd: '3.5.30' })).map(({ lacks }) => lacks)).toEqual(['permission', 'permission', 'operation', 'operation'])
  })
})

describe('what is missing of a permission is exact', () => {
  const needing = (...permissions: readonly Permission[]) => ({ etcd: '3.5.33', permissions, operations: [], notes: [] })

  test.each<[string, Policy, Permission, readonly string[]]>([
    ['the middle', granting(readwrite(range('/a', '/c')), readwrite(range('/d', '/f'))), readwrite(range('/a', '/f')), ['needs readwrite [/a, /f); missing: readwrite /c*']],
    ['one access', granting(read(prefix('/a/'))), readwrite(prefix('/a/')), ['needs readwrite /a/*; missing: write /a/*']],
    ['the two accesses apart', granting(read(range('/a', '/b')), write(range('/b', '/c'))), readwrite(range('/a', '/c')), ['needs readwrite [/a, /c); missing: read /b*, write /a*']],
    ['nothing, by a union', granting(read(range('/a', '/b')), read(range('/b', '/c'))), read(range('/a', '/c')), []],
    ['the end', granting(read(prefix('/'))), read(allKeys()), ['needs read all keys; missing: read [\\u0000, /), read [0, end of all keys)']],
    ['a key', granting(), readwrite(key('compact_rev_key')), ['needs readwrite compact_rev_key; missing: readwrite compact_rev_key']],
  ])('%s', (_, policy, permission, wanted) => {
    expect(texts(policy, 'app', needing(permission))).toEqual(wanted)
  })

  test('on v2 by pattern and type, recursion included', () => {
    const policy = definePolicy({ users: { app: 'certificate' }, v2: { guest: [], roles: { app: [read(pattern('/c*')), readwrite(pattern('/d'))] }, bindings: { app: ['app'] } } })
    expect(texts(policy, 'app', needing(readwrite(pattern('/c/*'))))).toEqual(['needs readwrite /c/*; missing: write /c/*'])
    expect(texts(policy, 'app', needing(read(pattern('/d*'))))).toEqual(['needs read /d*; missing: read /d*'])
    expect(texts(policy, 'app', needing(read(pattern('/d')), read(pattern('/c/x*'))))).toEqual([])
  })
})

describe('Calico', () => {
  test('lacks with its documented table what its source needs', () => {
    const [docs, source] = [calicoV3({ calico: '3.30', grants: 'docs' }).node, calicoV3({ calico: '3.30', grants: 'source' }).node]
    expect(lackingOf(granting(...docs.permissions), 'app', requires(docs, { etcd: '3.5.33' }))).toEqual([])
    expect(lackingOf(granting(...docs.permissions), 'app', requires(source, { etcd: '3.5.33' })).length).toBeGreaterThan(0)
    expect(lackingOf(granting(...source.permissions), 'app', requires(source, { etcd: '3.5.33' }))).toEqual([])
  })
})

test('who or what is not in the policy has no answer', () => {
  const v3 = requires(apiserver, { etcd: '3.5.30' })
  thrown('ERR_USER_UNKNOWN', () => lackingOf(granting(), 'nobody', v3))
  thrown('ERR_POLICY_HALF_MISSING', () => lackingOf(definePolicy({ users: { a: 'password' }, v2: { guest: [], roles: {}, bindings: {} } }), 'a', v3))
  thrown('ERR_VERSION_UNSUPPORTED', () => requires(apiserver, { etcd: '3.5' }))
})

test.each<readonly [string, () => unknown]>([
  ['no component', () => requires(null as never, { etcd: '3.5.30' })],
  ['a component without permissions', () => requires({} as never, { etcd: '3.5.30' })],
  ['a component for no etcd', () => requires(apiserver, null as never)],
  ['no requirement', () => lackingOf(granting(), 'app', null as never)],
  ['a requirement without operations', () => lackingOf(granting(), 'app', { etcd: '3.5.30', permissions: [] } as never)],
])('%s is refused in words of our own', (_, ask) => {
  expect(ask).toThrow(/^(a component|a requirement|requires) /)
  expect(ask).toThrow(TypeError)
})
