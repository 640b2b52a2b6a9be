/**
 * What Calico's components do in etcd v3, as tables.
 *
 * `DOCUMENTED`: Calico's page "etcd RBAC", its table of paths, as it stands. The text has been the same since v3.19 (2021-03;
 * projectcalico/calico 78d21d496c), whatever the code needs since then. Read in tigera/docs f2a2762 (3.29 to 3.32 and next), its history for
 * 3.25 to 3.28, and projectcalico/calico's tags before.
 *
 * `CORRECTIONS`: what the source does beside that, read in projectcalico/calico 87c1590, with the release from which it does.
 */
import type { Evidence, Row } from './component.js'

/** Components of Calico, and the three levels of its command-line tool. */
export type CalicoV3Name =
  | 'node' | 'felix' | 'cniPlugin' | 'kubeControllers' | 'typha' | 'neutronDriver' | 'dhcpAgent' | 'calicoctlReadOnly' | 'calicoctlPolicyEditor' | 'calicoctlFull'

/** A way to run Calico for which a component needs more. */
export type CalicoCondition = 'windows' | 'wireguard' | 'cniProfiles' | 'flannelMigration'

/** All of them. */
export const CONDITIONS: readonly CalicoCondition[] = ['windows', 'wireguard', 'cniProfiles', 'flannelMigration']

/** A row of {@link CORRECTIONS}. */
export interface Correction extends Row {
  readonly component: CalicoV3Name
  /** The minor number of the first 3.x release that needs it. */
  readonly since: number
  readonly when?: CalicoCondition
}

const RESOURCES = '/calico/resources/v3/projectcalico.org/'
const table: Evidence = { kind: 'documented', text: 'Calico documentation, "etcd RBAC", table of etcdv3 paths, unchanged since v3.19' }
const R = (path: string): Row => ({ path, type: 'read', evidence: table })
const RW = (path: string): Row => ({ path, type: 'readwrite', evidence: table })
const resource = (plural: string): string => `${RESOURCES}${plural}/`

/** The documented table, in its order. There is no row for Typha. */
export const DOCUMENTED: Readonly<Record<Exclude<CalicoV3Name, 'typha'>, readonly Row[]>> = {
  node: [
    RW('/calico/felix/v1/'), RW('/calico/felix/v2/'), RW('/calico/ipam/v2/'), RW(resource('felixconfigurations')), RW(resource('nodes')),
    RW(resource('workloadendpoints')), RW(resource('clusterinformations')), RW(resource('ippools')), R(RESOURCES),
  ],
  felix: [RW('/calico/felix/v1/'), RW('/calico/felix/v2/'), R(RESOURCES)],
  cniPlugin: [RW('/calico/ipam/v2/'), RW(resource('workloadendpoints')), R(resource('ippools')), R(resource('clusterinformations')), R(resource('nodes'))],
  kubeControllers: [
    RW('/calico/ipam/v2/'), RW(resource('profiles')), RW(resource('networkpolicies')), RW(resource('nodes')), RW(resource('clusterinformations')),
    RW(resource('hostendpoints')), RW(resource('kubecontrollersconfigurations')), R(RESOURCES),
  ],
  neutronDriver: [
    RW(RESOURCES), RW('/calico/dhcp/v1/'), RW('/calico/dhcp/v2/'), RW('/calico/compaction/v1/'), RW('/calico/openstack/v1/'), RW('/calico/openstack/v2/'),
    R('/calico/felix/v1/'), R('/calico/felix/v2/'),
  ],
  dhcpAgent: [R(RESOURCES), R('/calico/dhcp/v1/'), R('/calico/dhcp/v2/')],
  calicoctlReadOnly: [R('/calico/ipam/v2/'), R(RESOURCES)],
  calicoctlPolicyEditor: [
    R('/calico/ipam/v2/'), R(RESOURCES), RW(resource('globalnetworkpolicies')), RW(resource('globalnetworksets')), RW(resource('networkpolicies')),
    RW(resource('networksets')), RW(resource('profiles')),
  ],
  calicoctlFull: [RW('/calico/ipam/v2/'), RW(RESOURCES)],
}

const source = (text: string): Evidence => ({ kind: 'source', text })
const tried = (text: string): Evidence => ({ kind: 'tried', text })

/** The first minor after the newest release here: what only Calico's main branch needs. */
export const NEXT = 33

const tiers =
  'EnsureInitialized creates the default tier without looking whether it is there (libcalico-go clientv3, ensureTierExists), and etcd refuses a transaction for a Put that it would not run'
const staged = 'the policy kinds that calicoctl knows (libcalico-go resource.go)'

/** What the source needs beyond {@link DOCUMENTED}. */
export const CORRECTIONS: readonly Correction[] = [
  { component: 'node', path: resource('tiers'), type: 'readwrite', since: 29, evidence: tried(`startup fails without it: ${tiers}; node startup.go:1262`) },
  { component: 'node', path: resource('caliconodestatuses'), type: 'readwrite', since: 21, evidence: tried('node/pkg/status/reporter.go:226 writes the status (0e1face792)') },
  { component: 'node', path: resource('bgpconfigurations'), type: 'readwrite', since: 32, evidence: tried('startup.go, ensureDefaultBGPConfigExists (0dcf161466; in v3.32.1, not in v3.31.7)') },
  { component: 'node', path: resource('ipamconfigurations'), type: 'readwrite', since: NEXT, evidence: tried('startup.go, ensureDefaultIPAMConfigExists (6f2da80ac7; after v3.32.1)') },

  { component: 'cniPlugin', path: resource('ipreservations'), type: 'read', since: 21, evidence: tried('pods get no address without it: libcalico-go/lib/ipam/ipam.go:714 (894e896c5c; in v3.21.6, not in v3.20.6)') },
  {
    component: 'cniPlugin', path: resource('ipamconfigurations'), type: 'read', since: 19,
    evidence: source('cni-plugin/pkg/ipamplugin/ipam_plugin.go:624 falls back silently when refused; the first release with it is not established, so it is granted in all'),
  },
  { component: 'cniPlugin', path: resource('profiles'), type: 'readwrite', since: 19, when: 'cniProfiles', evidence: source('cni-plugin plugin.go:546 and :583, where conf.policy.type is empty') },
  { component: 'cniPlugin', path: resource('nodes'), type: 'readwrite', since: 19, when: 'windows', evidence: source('cni-plugin dataplane_windows.go:505') },

  { component: 'kubeControllers', path: resource('workloadendpoints'), type: 'readwrite', since: 19, evidence: tried('labels of pods are written to their endpoints: kube-controllers pod_controller.go:323') },
  { component: 'kubeControllers', path: resource('tiers'), type: 'readwrite', since: 29, evidence: tried(`initialisation loops without it: ${tiers}; run.go:139 and :245`) },
  { component: 'kubeControllers', path: resource('felixconfigurations'), type: 'readwrite', since: 19, when: 'flannelMigration', evidence: source('flannelmigration/ipam_migrator.go:353 and :429') },
  { component: 'kubeControllers', path: resource('ippools'), type: 'readwrite', since: 19, when: 'flannelMigration', evidence: source('flannelmigration/ipam_migrator.go:353 and :429') },

  { component: 'felix', path: '/calico/ipam/v2/assignment/', type: 'read', since: 19, evidence: tried('felixsyncerv1.go lists address blocks, and is never in sync without them (4b130733ce, since v3.7)') },
  { component: 'felix', path: resource('nodes'), type: 'readwrite', since: 19, when: 'wireguard', evidence: source('felix/daemon/daemon.go publishes the public key of the node') },

  { component: 'typha', path: RESOURCES, type: 'read', since: 19, evidence: source('Typha feeds Felix from all resources; the documented table has no row for it') },
  { component: 'typha', path: resource('clusterinformations'), type: 'readwrite', since: 19, evidence: source('typha/pkg/daemon/daemon.go:248 initialises until it succeeds') },
  { component: 'typha', path: resource('tiers'), type: 'readwrite', since: 29, evidence: source(`typha/pkg/daemon/daemon.go:248 initialises until it succeeds: ${tiers}`) },
  { component: 'typha', path: '/calico/ipam/v2/', type: 'read', since: 19, evidence: source('address blocks and their affinities for its syncers (felixsyncerv1.go and the one for BGP)') },

  { component: 'calicoctlPolicyEditor', path: resource('tiers'), type: 'readwrite', since: 29, evidence: source(`${staged}: tiers since v3.29`) },
  { component: 'calicoctlPolicyEditor', path: resource('stagednetworkpolicies'), type: 'readwrite', since: 30, evidence: source(`${staged}: staged ones since v3.30`) },
  { component: 'calicoctlPolicyEditor', path: resource('stagedglobalnetworkpolicies'), type: 'readwrite', since: 30, evidence: source(`${staged}: staged ones since v3.30`) },
  { component: 'calicoctlPolicyEditor', path: resource('stagedkubernetesnetworkpolicies'), type: 'readwrite', since: 30, evidence: source(`${staged}: staged ones since v3.30`) },
]

const compaction = 'it compacts etcd unless COMPACTION_PERIOD=0, with the key "compact_rev_key" of Kubernetes and, from etcd 3.4.42, 3.5.28 and 3.6.9 on, with role root: set COMPACTION_PERIOD=0'

/** What no grant says. */
export const NOTES: Readonly<Partial<Record<CalicoV3Name, readonly string[]>>> = {
  node: [
    'a node can rewrite the endpoints and the address blocks of every other node: endpoints are sorted by namespace before node, so a role per node would need a range per namespace',
    'felixconfigurations and ippools are written at startup only: a user for startup beside one for running would leave the second without',
  ],
  felix: ['/calico/felix/v1/ holds nothing but the status of host endpoints'],
  kubeControllers: [compaction],
  neutronDriver: ['it compacts etcd every etcd_compaction_period_mins (60), which needs role root from etcd 3.4.42, 3.5.28 and 3.6.9 on: set 0 and let etcd compact itself'],
}
