/**
 * Calico's components on etcd v3 (Calico 3.19 to 3.32).
 *
 * Two tables side by side: what Calico documents, and what its source does. The documented one is too narrow for every release that it is
 * printed in: with it, `calico-node` 3.29 does not start.
 */
import { prefix, type Prefix } from '../keys/key-range.js'
import { CONDITIONS, CORRECTIONS, DOCUMENTED, NEXT, NOTES, type CalicoCondition, type CalicoV3Name } from './calico-v3-tables.js'
import { component, type Component } from './component.js'
import { oneOf } from './one-of.js'
import { refusePreset } from './refuse.js'

const FIRST = 19
const KNOWN: readonly string[] = [...Array.from({ length: NEXT - FIRST }, (_, index) => `3.${FIRST + index}`), 'next']

/** Which table: Calico's documentation as it stands. */
export interface CalicoDocumented {
  /** Release of Calico: `'3.30'`, `'3.30.1'`, or `'next'` for its main branch. */
  readonly calico: string
  readonly grants: 'docs'
}

/** Which table: the documented one with what the source needs beside it. */
export interface CalicoFromSource {
  /** Release of Calico: `'3.30'`, `'3.30.1'`, or `'next'` for its main branch. */
  readonly calico: string
  readonly grants: 'source'
  /** Ways to run Calico that need more: WireGuard, nodes with Windows, the CNI plugin without policy type, a migration from flannel. None unless named. */
  readonly with?: readonly CalicoCondition[]
}

/** Components of the documented table. */
export interface CalicoV3 {
  readonly node: Component<Prefix>
  /** Felix on its own, without `calico-node`. */
  readonly felix: Component<Prefix>
  readonly cniPlugin: Component<Prefix>
  readonly kubeControllers: Component<Prefix>
  /** OpenStack's Neutron driver. */
  readonly neutronDriver: Component<Prefix>
  /** OpenStack's DHCP agent. */
  readonly dhcpAgent: Component<Prefix>
}

/** Components as read in the source: Typha too, for which the documentation has no row. */
export interface CalicoV3FromSource extends CalicoV3 {
  readonly typha: Component<Prefix>
}

/** What support staff may do with `calicoctl`. */
export interface CalicoctlLevels<S extends Component = Component<Prefix>> {
  readonly readOnly: S
  readonly policyEditor: S
  readonly full: S
}

/**
 * The rights of Calico's components on etcd v3.
 *
 * @throws {@link EtcdRbacError} `ERR_PRESET_UNKNOWN` for a release that is not in the tables
 * @example
 * ```ts
 * import { calicoV3, definePolicy } from 'etcd-rbac'
 * const { node, cniPlugin } = calicoV3({ calico: '3.30', grants: 'source' })
 * definePolicy({
 *   users: { root: 'certificate', 'calico-node': 'certificate', 'calico-cni': 'certificate' },
 *   v3: {
 *     roles: { calicoNode: node.permissions, calicoCni: cniPlugin.permissions },
 *     bindings: { root: ['root'], 'calico-node': ['calicoNode'], 'calico-cni': ['calicoCni'] },
 *   },
 * })
 * ```
 */
export function calicoV3(options: CalicoDocumented): CalicoV3
export function calicoV3(options: CalicoFromSource): CalicoV3FromSource
export function calicoV3(options: CalicoDocumented | CalicoFromSource): CalicoV3 | CalicoV3FromSource {
  const make = maker(options)
  const documented: CalicoV3 = {
    node: make('node'), felix: make('felix'), cniPlugin: make('cniPlugin'), kubeControllers: make('kubeControllers'),
    neutronDriver: make('neutronDriver'), dhcpAgent: make('dhcpAgent'),
  }
  return options.grants === 'source' ? { ...documented, typha: make('typha') } : documented
}

/**
 * The rights of people who use `calicoctl` on etcd v3: look, edit policies, or everything that is Calico's.
 *
 * @throws {@link EtcdRbacError} `ERR_PRESET_UNKNOWN` for a release that is not in the tables
 * @example
 * ```ts
 * import { calicoctlV3 } from 'etcd-rbac'
 * const { readOnly, policyEditor } = calicoctlV3({ calico: '3.30', grants: 'source' })
 * console.log(readOnly.permissions.length < policyEditor.permissions.length) // true
 * ```
 */
export function calicoctlV3(options: CalicoDocumented | CalicoFromSource): CalicoctlLevels {
  const make = maker(options)
  return { readOnly: make('calicoctlReadOnly'), policyEditor: make('calicoctlPolicyEditor'), full: make('calicoctlFull') }
}

function maker(options: CalicoDocumented | CalicoFromSource): (name: CalicoV3Name) => Component<Prefix> {
  const minor = minorOf(options.calico)
  oneOf('grants', options.grants, ['docs', 'source'])
  const conditions = conditionsOf(options)
  const corrections = options.grants === 'docs' ? [] : CORRECTIONS.filter(({ since, when }) => since <= minor && (when === undefined || conditions.includes(when)))
  return (name) => {
    const documented = name === 'typha' ? [] : DOCUMENTED[name]
    return component([...documented, ...corrections.filter((row) => row.component === name)], (path) => prefix(path), NOTES[name] ?? [])
  }
}

/** A way that is misspelt, or named where no table knows it, would be rights that are silently missing. */
function conditionsOf(options: CalicoDocumented | CalicoFromSource): readonly CalicoCondition[] {
  const given: unknown = 'with' in options ? options.with : undefined
  if (given === undefined) return []
  if (options.grants === 'docs') throw new TypeError('with goes with grants: "source" only: the documented table knows no ways to run Calico')
  if (!Array.isArray(given)) throw new TypeError('with must be a list of ways to run Calico')
  return given.map((condition) => oneOf('each of with', condition, CONDITIONS))
}

function minorOf(calico: string): number {
  if (typeof calico !== 'string') throw new TypeError('a Calico release must be a string')
  if (calico === 'next') return NEXT
  const [, minor] = /^v?3\.(\d{1,3})(?:\.\d{1,3})?$/.exec(calico) ?? []
  const number = Number(minor)
  if (number >= FIRST && number < NEXT) return number
  return refusePreset(`Calico ${JSON.stringify(calico.slice(0, 40))} on etcd v3`, KNOWN, 'name the release that runs, or write the permissions by hand for one that is not listed')
}
