/**
 * Calico's components on etcd v2 (Calico 2.5 and 2.6), as Calico documented them: `v2.6/reference/advanced/etcd-rbac/calico-etcdv2-paths.md`
 * in projectcalico/calico 02a5cb6, of which 2.5 has the same text.
 *
 * The patterns have no slash before their `*`, so `/calico/v1*` opens `/calico/v1foo` too. They stand here as documented.
 */
import { pattern, type PathPattern } from '../keys/pattern.js'
import type { CalicoctlLevels } from './calico-v3.js'
import { component, type Component, type Evidence, type Row } from './component.js'
import { refusePreset } from './refuse.js'

type CalicoV2Name =
  'node' | 'felix' | 'cniPlugin' | 'kubeControllers' | 'neutronDriver' | 'dhcpAgent' | 'calicoctlReadOnly' | 'calicoctlPolicyEditor' | 'calicoctlFull'

const table: Evidence = { kind: 'documented', text: 'Calico 2.6 documentation, calico-etcdv2-paths.md' }
const R = (path: string): Row => ({ path, type: 'read', evidence: table })
const RW = (path: string): Row => ({ path, type: 'readwrite', evidence: table })

const DOCUMENTED: Readonly<Record<CalicoV2Name, readonly Row[]>> = {
  node: [R('/calico/*'), RW('/calico'), RW('/calico/v1*'), RW('/calico/felix/v1*'), RW('/calico/ipam/v2*'), RW('/calico/bgp/v1*')],
  felix: [R('/calico/v1*'), RW('/calico/felix/v1*')],
  cniPlugin: [RW('/calico/v1/host*'), RW('/calico/v1/policy*'), R('/calico/v1/ipam*'), RW('/calico/ipam/v2*')],
  kubeControllers: [RW('/calico/v1/host*'), RW('/calico/v1/policy*')],
  neutronDriver: [
    RW('/calico/v1/host*'), RW('/calico/v1/policy*'), R('/calico/v1/ipam*'), RW('/calico/ipam/v2*'), RW('/calico/dhcp/v1/subnet*'), RW('/calico/v1/config*'),
    RW('/calico/v1/Ready'),
  ],
  dhcpAgent: [R('/calico/v1/host*'), R('/calico/dhcp/v1/subnet*')],
  calicoctlReadOnly: [R('/calico/v1*'), R('/calico/v1/ipam*'), R('/calico/ipam/v2*'), R('/calico/bgp/v1*')],
  calicoctlPolicyEditor: [R('/calico/v1*'), RW('/calico/v1/policy*'), R('/calico/v1/ipam*'), R('/calico/ipam/v2*'), R('/calico/bgp/v1*')],
  calicoctlFull: [RW('/calico/v1*'), RW('/calico/v1/ipam*'), RW('/calico/ipam/v2*'), RW('/calico/bgp/v1*')],
}

const NOTES: Readonly<Partial<Record<CalicoV2Name, readonly string[]>>> = {
  node: ['"/calico" is opened for itself only: a recursive read of /calico, without slash at its end, is refused; of /calico/ it is allowed'],
}

/** Releases with an etcd v2 data store whose paths are documented. */
export interface CalicoV2Options {
  readonly calico: '2.5' | '2.6'
}

/** Components of Calico 2.x. */
export interface CalicoV2 {
  readonly node: Component<PathPattern>
  /** Felix on its own, without `calico/node`. */
  readonly felix: Component<PathPattern>
  readonly cniPlugin: Component<PathPattern>
  readonly kubeControllers: Component<PathPattern>
  /** OpenStack's Neutron driver. */
  readonly neutronDriver: Component<PathPattern>
  /** OpenStack's DHCP agent. */
  readonly dhcpAgent: Component<PathPattern>
}

/**
 * The rights of Calico's components on etcd v2.
 *
 * @throws {@link EtcdRbacError} `ERR_PRESET_UNKNOWN` for a release without a documented table
 * @example
 * ```ts
 * import { calicoV2, definePolicy } from 'etcd-rbac'
 * const { node } = calicoV2({ calico: '2.6' })
 * definePolicy({
 *   users: { root: 'certificate', 'calico-node': 'certificate' },
 *   v2: { guest: [], roles: { calicoNode: node.permissions }, bindings: { root: ['root'], 'calico-node': ['calicoNode'] } },
 * })
 * ```
 */
export function calicoV2(options: CalicoV2Options): CalicoV2 {
  const make = maker(options)
  return {
    node: make('node'), felix: make('felix'), cniPlugin: make('cniPlugin'), kubeControllers: make('kubeControllers'),
    neutronDriver: make('neutronDriver'), dhcpAgent: make('dhcpAgent'),
  }
}

/**
 * The rights of people who use `calicoctl` on etcd v2.
 *
 * @throws {@link EtcdRbacError} `ERR_PRESET_UNKNOWN` for a release without a documented table
 * @example
 * ```ts
 * import { calicoctlV2 } from 'etcd-rbac'
 * console.log(calicoctlV2({ calico: '2.6' }).readOnly.permissions)
 * ```
 */
export function calicoctlV2(options: CalicoV2Options): CalicoctlLevels<Component<PathPattern>> {
  const make = maker(options)
  return { readOnly: make('calicoctlReadOnly'), policyEditor: make('calicoctlPolicyEditor'), full: make('calicoctlFull') }
}

function maker({ calico }: CalicoV2Options): (name: CalicoV2Name) => Component<PathPattern> {
  if (typeof calico !== 'string') throw new TypeError('a Calico release must be a string')
  const known = ['2.5', '2.6']
  if (!known.includes(calico)) refusePreset(`Calico ${JSON.stringify(calico.slice(0, 40))} on etcd v2`, known, 'Calico 3 keeps its data in etcd v3: use calicoV3')
  return (name) => component(DOCUMENTED[name], pattern, NOTES[name] ?? [])
}
