import { describe, expect, it } from 'vitest'
import { showPermission } from '../../../src/keys/show.js'
import { calicoctlV2, calicoctlV3, calicoV2, calicoV3, type Component } from '../../../src/presets/index.js'
import { can, definePolicy, get, isEtcdRbacError, prefix, put } from '../../../src/policy/index.js'
import { documentedV2, documentedV3, replayedNext } from './calico-tables.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org/'

const lines = ({ permissions }: Component): readonly string[] =>
  permissions.map(({ type, keys }) => {
    const access = type === 'read' ? 'R' : type === 'write' ? 'W' : 'RW'
    return `${access} ${keys.api === 'v2' ? keys.pattern : keys.kind === 'prefix' && typeof keys.prefix === 'string' ? keys.prefix : showPermission({ type, keys })}`
  })
const all = (components: object): Record<string, readonly string[]> =>
  Object.fromEntries(Object.entries(components).map(([name, component]) => [name, lines(component as Component)]))
const codeOf = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    return isEtcdRbacError(error) ? error.code : error
  }
}

describe('Calico on etcd v3', () => {
  const releases = [...Array.from({ length: 14 }, (_, index) => `3.${19 + index}`), '3.30.1', 'v3.30.1', 'next']

  it.each(releases)('has the documented table as it stands for %s', (calico) => {
    const options = { calico, grants: 'docs' } as const
    expect({ ...all(calicoV3(options)), ...all(calicoctlV3(options)) }).toEqual(documentedV3)
  })

  it('has, for the newest source, what was replayed against real servers', () => {
    const sorted = (table: Readonly<Record<string, readonly string[]>>) => Object.fromEntries(Object.entries(table).map(([name, rows]) => [name, rows.toSorted()]))
    const found = sorted(all(calicoV3({ calico: 'next', grants: 'source' })))
    for (const [name, rows] of Object.entries(sorted(replayedNext))) expect({ [name]: found[name] }).toEqual({ [name]: rows })
  })

  it.each([
    ['3.28', 'node', 'tiers', false], ['3.29', 'node', 'tiers', true], ['3.31', 'node', 'bgpconfigurations', false], ['3.32', 'node', 'bgpconfigurations', true],
    ['3.32', 'node', 'ipamconfigurations', false], ['next', 'node', 'ipamconfigurations', true], ['3.20', 'node', 'caliconodestatuses', false], ['3.21', 'node', 'caliconodestatuses', true],
    ['3.28', 'typha', 'tiers', false], ['3.29', 'typha', 'tiers', true], ['3.28', 'kubeControllers', 'tiers', false], ['3.19', 'kubeControllers', 'workloadendpoints', true],
  ] as const)('in %s, %s may write %s: %s', (calico, name, plural, expected) => {
    const component = calicoV3({ calico, grants: 'source' })[name]
    const policy = definePolicy({ users: { it: 'certificate' }, v3: { roles: { it: component.permissions }, bindings: { it: ['it'] } } })
    expect(can(policy, 'it', put(`${RESOURCES}${plural}/x`))).toBe(expected)
  })

  it('lets the CNI plugin read address reservations from 3.21 on, and never write them', () => {
    const reads = (calico: string) => {
      const policy = definePolicy({ users: { cni: 'certificate' }, v3: { roles: { cni: calicoV3({ calico, grants: 'source' }).cniPlugin.permissions }, bindings: { cni: ['cni'] } } })
      return [can(policy, 'cni', get(prefix(`${RESOURCES}ipreservations/`))), can(policy, 'cni', put(`${RESOURCES}ipreservations/x`))]
    }
    expect([reads('3.20'), reads('3.21')]).toEqual([[false, false], [true, false]])
  })

  it('gives a policy editor the staged kinds from 3.30 on', () => {
    const staged = (calico: string) => lines(calicoctlV3({ calico, grants: 'source' }).policyEditor).filter((line) => line.includes('/staged')).length
    expect([staged('3.29'), staged('3.30')]).toEqual([0, 3])
  })

  it('gives the documented rights in every table of the source too', () => {
    for (const calico of releases) {
      const [docs, source] = [all(calicoV3({ calico, grants: 'docs' })), all(calicoV3({ calico, grants: 'source' }))]
      for (const [name, rows] of Object.entries(docs)) expect(source[name]).toEqual(expect.arrayContaining([...rows]))
    }
  })

  it('gives more only for the ways to run that are named, and one permission per range', () => {
    const plain = calicoV3({ calico: '3.30', grants: 'source' })
    const rich = calicoV3({ calico: '3.30', grants: 'source', with: ['windows', 'wireguard', 'cniProfiles', 'flannelMigration'] })
    const nodes = (component: Component) => lines(component).filter((line) => line.endsWith('/nodes/'))
    expect(nodes(plain.cniPlugin)).toEqual([`R ${RESOURCES}nodes/`])
    expect(nodes(rich.cniPlugin)).toEqual([`RW ${RESOURCES}nodes/`])
    expect(rich.cniPlugin.grants.find(({ permission }) => permission.keys.prefix === `${RESOURCES}nodes/`)?.evidence.map(({ kind }) => kind)).toEqual(['documented', 'source'])
    expect(nodes(rich.felix)).toEqual([`RW ${RESOURCES}nodes/`])
    expect(lines(rich.cniPlugin)).toContain(`RW ${RESOURCES}profiles/`)
    expect(lines(rich.kubeControllers)).toContain(`RW ${RESOURCES}ippools/`)
    expect(lines(plain.kubeControllers)).not.toContain(`RW ${RESOURCES}ippools/`)
  })

  it.each(['source', 'docs'] as const)('says for each grant of %s where it is known from', (grants) => {
    for (const component of Object.values(calicoV3({ calico: '3.30', grants } as { calico: string; grants: 'source' })) as Component[]) {
      expect(component.permissions).toEqual(component.grants.map(({ permission }) => permission))
      expect(component.grants.length).toBeGreaterThan(0)
      for (const { evidence } of component.grants) {
        expect(evidence.length).toBeGreaterThan(0)
        for (const { text } of evidence) expect(text).not.toBe('')
      }
    }
  })

  it.each(['3.18', '3.33', '3.9', '2.6', '4.0', '', '3', '3.', '3.30.x', '3.30\n', 'next ', '3.0030', '__proto__'])('does not know release %j', (calico) => {
    expect(codeOf(() => calicoV3({ calico, grants: 'source' }))).toBe('ERR_PRESET_UNKNOWN')
    expect(codeOf(() => calicoctlV3({ calico, grants: 'docs' }))).toBe('ERR_PRESET_UNKNOWN')
  })

  it('names the releases that it knows', () => {
    expect(() => calicoV3({ calico: '3.18', grants: 'docs' })).toThrow(/3\.19, .*3\.32, next/)
  })

  it.each([undefined, null, 3.3, {}])('is a TypeError for a release of %j', (calico) => {
    expect(() => calicoV3({ calico: calico as never, grants: 'docs' })).toThrow(TypeError)
  })

  it.each([
    ['a misspelt way', { grants: 'source', with: ['wiregaurd'] }], ['one way among others', { grants: 'source', with: ['windows', 'x'] }], ['a way that is no list', { grants: 'source', with: 'wireguard' }],
    ['no list', { grants: 'source', with: null }], ['ways in the documented table, which knows none', { grants: 'docs', with: ['wireguard'] }],
  ])('is a TypeError with %s, which would be rights that are silently missing', (_, options) => {
    expect(() => calicoV3({ calico: '3.30', ...options } as never)).toThrow(TypeError)
    expect(() => calicoctlV3({ calico: '3.30', ...options } as never)).toThrow(TypeError)
  })

  it('has no default table', () => {
    expect(() => calicoV3({ calico: '3.30' } as never)).toThrow(TypeError)
    expect(() => calicoctlV3({ calico: '3.30', grants: 'all' } as never)).toThrow(TypeError)
  })
})

describe('Calico on etcd v2', () => {
  it.each(['2.5', '2.6'] as const)('has the documented table as it stands for %s', (calico) => {
    expect({ ...all(calicoV2({ calico })), ...all(calicoctlV2({ calico })) }).toEqual(documentedV2)
  })

  it.each(['2.4', '3.0', '', 'v2.6'])('does not know release %j', (calico) => {
    expect(codeOf(() => calicoV2({ calico: calico as '2.6' }))).toBe('ERR_PRESET_UNKNOWN')
    expect(codeOf(() => calicoctlV2({ calico: calico as '2.6' }))).toBe('ERR_PRESET_UNKNOWN')
  })
})
