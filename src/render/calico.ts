/**
 * What Calico on Kubernetes must be told, when its data is in etcd: the keys of its ConfigMap, its Secrets, and how they are mounted.
 *
 * Follows the manifest `calico-etcd.yaml` of projectcalico/calico. Its one Secret gives every component the identity of the node; here
 * each component may have its own.
 */
import { toBase64, utf8 } from '../bytes.js'
import type { PemInput } from '../pki/pem.js'
import { readClient } from './client-material.js'
import { refuseRender } from './check.js'
import type { KeyedCertificate } from './material.js'
import type { Environment } from './rendered.js'

/** Components of Calico on Kubernetes that connect to etcd. */
export type CalicoComponent = 'node' | 'kubeControllers' | 'cniPlugin'

/** Calico on Kubernetes. */
export interface CalicoOptions {
  /** Client URLs of the members. */
  readonly endpoints: readonly string[]
  /** Who issued the members' server certificates. */
  readonly serverAuthority: PemInput<'certificate'>
  /** A component without its own uses the node's, and so has the node's rights. */
  readonly clients: { readonly node: KeyedCertificate; readonly kubeControllers?: KeyedCertificate; readonly cniPlugin?: KeyedCertificate }
  /** Whether others use this etcd: then Calico must not compact it. */
  readonly sharedEtcd: boolean
}

/** A Kubernetes ConfigMap, as data. */
export interface ConfigMap {
  readonly apiVersion: 'v1'
  readonly kind: 'ConfigMap'
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly data: Readonly<Record<string, string>>
}

/** A Kubernetes Secret, as data; secret itself. */
export interface Secret {
  readonly apiVersion: 'v1'
  readonly kind: 'Secret'
  readonly type: 'Opaque'
  readonly metadata: { readonly name: string; readonly namespace: string }
  /** Base64 of PEM. */
  readonly data: { readonly 'etcd-ca': string; readonly 'etcd-cert': string; readonly 'etcd-key': string }
}

/** The volume of a pod that holds a Secret. */
export interface SecretVolume {
  readonly name: 'etcd-certs'
  readonly secret: { readonly secretName: string; readonly defaultMode: 0o400 | 0o440 }
}

/** What goes into the manifest of Calico. */
export interface RenderedCalico {
  /** The keys about etcd only. Merge them into the ConfigMap of the manifest: applied alone they would remove its others. */
  readonly configMap: ConfigMap
  readonly secrets: readonly Secret[]
  /** By component, mounted at `/calico-secrets`. */
  readonly volumes: Readonly<Record<CalicoComponent, SecretVolume>>
  /** To be added to `calico-kube-controllers`. */
  readonly kubeControllersEnvironment: Environment
  readonly notes: readonly string[]
}

const NAMESPACE = 'kube-system'
const MOUNT = '/calico-secrets'

/** `calico-etcd-secrets` is the manifest's name. kube-controllers is not root, and reads by group (calico#4313). */
const COMPONENTS: Readonly<Record<CalicoComponent, { readonly secret: string; readonly mode: 0o400 | 0o440 }>> = {
  node: { secret: 'calico-etcd-secrets', mode: 0o400 },
  kubeControllers: { secret: 'calico-kube-controllers-etcd-secrets', mode: 0o440 },
  cniPlugin: { secret: 'calico-cni-etcd-secrets', mode: 0o400 },
}

/**
 * The ConfigMap keys, Secrets and volumes of Calico on Kubernetes. For Calico on a host there is `renderClient`.
 *
 * @throws {@link EtcdRbacError} `ERR_RENDER_REFUSED`, `ERR_PEM_INVALID`, `ERR_DER_INVALID`
 * @example
 * ```ts
 * import { renderCalico, toJson, type CalicoOptions } from 'etcd-rbac/render'
 * export const manifests = (options: CalicoOptions): readonly string[] => renderCalico(options).secrets.map(toJson)
 * ```
 */
export function renderCalico({ endpoints, serverAuthority, clients, sharedEtcd }: CalicoOptions): RenderedCalico {
  if (typeof sharedEtcd !== 'boolean') throw new TypeError('sharedEtcd must be true or false')
  const names = Object.keys(COMPONENTS) as readonly CalicoComponent[]
  for (const name of Object.keys(clients)) if (!Object.hasOwn(COMPONENTS, name)) refuseRender(`a certificate for ${JSON.stringify(name)}`, `one of ${names.join(', ')}`, 'correct it')
  const own = (name: CalicoComponent): CalicoComponent => (clients[name] === undefined ? 'node' : name)
  const list = readClient({ endpoints, serverAuthority, client: clients.node }).endpoints
  const secrets = names.flatMap((name): readonly Secret[] => {
    const client = clients[name]
    if (client === undefined) return []
    const { authority, client: material } = readClient({ endpoints, serverAuthority, client })
    const encode = (pem: string): string => toBase64(utf8(pem))
    const data = { 'etcd-ca': encode(authority), 'etcd-cert': encode(material.certificate.pem), 'etcd-key': encode(material.key) }
    return [{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: { name: COMPONENTS[name].secret, namespace: NAMESPACE }, data }]
  })
  const volume = (name: CalicoComponent): SecretVolume => ({ name: 'etcd-certs', secret: { secretName: COMPONENTS[own(name)].secret, defaultMode: COMPONENTS[name].mode } })
  const borrowed = names.filter((name) => own(name) !== name)
  return {
    configMap: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'calico-config', namespace: NAMESPACE },
      data: { etcd_endpoints: list, etcd_ca: `${MOUNT}/etcd-ca`, etcd_cert: `${MOUNT}/etcd-cert`, etcd_key: `${MOUNT}/etcd-key` },
    },
    secrets,
    volumes: { node: volume('node'), kubeControllers: volume('kubeControllers'), cniPlugin: volume('cniPlugin') },
    kubeControllersEnvironment: sharedEtcd ? { COMPACTION_PERIOD: '0' } : {},
    notes: [
      'merge the ConfigMap: kubectl patch configmap calico-config --namespace kube-system --type merge --patch-file <file>',
      'the manifest mounts calico-etcd-secrets everywhere: give each pod and the container install-cni the volume of its component',
      ...borrowed.map((name) => `${name} uses the certificate of node, and so has its rights`),
    ],
  }
}
