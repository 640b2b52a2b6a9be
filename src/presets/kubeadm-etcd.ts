/**
 * The etcd that kubeadm sets up: the names that its certificates have already, and which of them are users, and of what.
 *
 * kubeadm: `phases/certs/certlist.go` (03a145d), `constants`, `phases/etcd/local.go` (0009808), `util/etcd/etcd.go` (004a61a).
 */
import { checkName } from '../names.js'
import type { Component, Evidence } from './component.js'
import { kubeApiserver, type KubeApiserver, type KubeApiserverOptions } from './kube-apiserver.js'
import { requestNeed, type RequestNeed } from './request-need.js'

/** A certificate that kubeadm has issued, and who it is for etcd. */
export interface KubeadmIdentity<R extends Component | undefined = Component | undefined> {
  readonly commonName: string
  /** Files below `certificatesDir` (`/etc/kubernetes/pki`), without `.crt` and `.key`. */
  readonly files: readonly string[]
  /** Whether the Common Name is to be a user. No user may be called like a member. */
  readonly isUser: boolean
  /** When its user must hold role root: never, always, or while control planes join or leave, and not in between. */
  readonly root: 'never' | 'to join and leave' | 'always'
  /** What its user needs; `undefined` for what is no user. */
  readonly rights: R
  readonly evidence: readonly Evidence[]
}

/** What kubeadm itself asks of etcd. It names no key. */
export interface KubeadmRights extends Component<never> {
  readonly requests: readonly RequestNeed[]
}

/** The identities of an etcd of kubeadm's. */
export interface KubeadmEtcd {
  /** By which kubeadm itself acts. Named for probes, which no longer use it. */
  readonly healthcheck: KubeadmIdentity<KubeadmRights>
  readonly apiserver: KubeadmIdentity<KubeApiserver>
  /** One for each node of the control plane. */
  readonly members: readonly KubeadmIdentity<undefined>[]
  readonly notes: readonly string[]
}

/** The cluster. */
export interface KubeadmEtcdOptions extends Pick<KubeApiserverOptions, 'etcd' | 'compaction'> {
  /** The names of the nodes of the control plane, which are its members' names. */
  readonly nodes: readonly string[]
}

const CERTLIST = 'kubeadm phases/certs/certlist.go'

function kubeadmRights(etcd: string): KubeadmRights {
  const source = (text: string): Evidence => ({ kind: 'source', text: `kubeadm ${text}` })
  return {
    permissions: [],
    grants: [],
    requests: [
      requestNeed('MemberList', etcd, source('util/etcd/etcd.go, NewFromCluster and GetMemberID: whatever it does, it lists the members first')),
      requestNeed('Status', etcd, source('util/etcd/etcd.go, getClusterStatus: before a node joins, and after it has')),
      requestNeed('MemberAdd', etcd, source('phases/etcd/local.go, CreateStackedEtcdStaticPodManifestFile: AddMemberAsLearner, when a node joins')),
      requestNeed('MemberPromote', etcd, source('phases/etcd/local.go, CreateStackedEtcdStaticPodManifestFile: MemberPromote, when a node joins')),
      requestNeed('MemberRemove', etcd, source('phases/etcd/local.go, RemoveStackedEtcdMemberFromCluster: when a node is reset')),
    ],
    notes: ['Bind it to role root before kubeadm join or kubeadm reset of a control plane, and take the role away after: every node of the control plane has the key.'],
  }
}

/**
 * Who is who on an etcd of kubeadm's, by the certificates that are there before authentication is enabled.
 *
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED`, `ERR_NAME_INVALID`
 * @example
 * ```ts
 * import { kubeadmEtcd } from 'etcd-rbac'
 * const { healthcheck, apiserver, members } = kubeadmEtcd({ etcd: '3.5.35', compaction: 'etcd', nodes: ['cp-1'] })
 * console.log(healthcheck.commonName, healthcheck.root) // kube-etcd-healthcheck-client to join and leave
 * console.log(apiserver.commonName, apiserver.root) // kube-apiserver-etcd-client never
 * console.log(members.map(({ isUser }) => isUser).join()) // false
 * ```
 */
export function kubeadmEtcd({ etcd, compaction, nodes }: KubeadmEtcdOptions): KubeadmEtcd {
  const given: unknown = nodes
  if (!Array.isArray(given)) throw new TypeError('nodes must be a list of names')
  const rights = kubeApiserver({ etcd, compaction })
  const source = (text: string): readonly Evidence[] => [{ kind: 'source', text }]
  return {
    healthcheck: {
      commonName: 'kube-etcd-healthcheck-client',
      files: ['etcd/healthcheck-client'],
      isUser: true,
      root: 'to join and leave',
      rights: kubeadmRights(etcd),
      evidence: source(`${CERTLIST}, KubeadmCertEtcdHealthcheck; util/etcd/etcd.go, NewFromCluster: the client of every call; phases/etcd/local.go: the probes ask /livez and /readyz of --listen-metrics-urls, which asks for no certificate`),
    },
    apiserver: {
      commonName: 'kube-apiserver-etcd-client',
      files: ['apiserver-etcd-client'],
      isUser: true,
      root: rights.needsRoot ? 'always' : 'never',
      rights,
      evidence: source(`${CERTLIST}, KubeadmCertEtcdAPIClient`),
    },
    members: nodes.map((node) => ({
      commonName: checkName('member', node),
      files: ['etcd/server', 'etcd/peer'],
      isUser: false,
      root: 'never',
      rights: undefined,
      evidence: source(`${CERTLIST}, setCommonNameToNodeName: the server's and the peer's certificate are named like the node, and both serve clients too (ExtKeyUsageClientAuth)`),
    })),
    notes: [
      'One authority, etcd-ca, signs for clients and peers: whoever holds a client certificate opens the peer port, and is root from there. Give peers an authority of their own, or name the hosts that peers may have (--peer-cert-allowed-hostname).',
      'system:masters in these certificates is nothing to etcd: it reads the Common Name only.',
    ],
  }
}
