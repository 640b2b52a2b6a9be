/**
 * What a client on a host is told, by environment: `etcdctl`, and the programs of Calico, each of which has its own names for the same.
 *
 * Names: etcd `etcdctl/README.md` and, for v2, `READMEv2.md`; Calico's reference of `calicoctl`, Felix and Typha. A client has one
 * identity: a user name and password beside a certificate would take turns (etcd#14850), so none is rendered.
 */
import { clientMaterial, type ClientMaterialOptions } from './client-material.js'
import { checkWord } from './check.js'
import type { Environment, Rendered } from './rendered.js'

/** A program. `etcdctl` is that of 3.4 and newer; `calico` is `calico/node`, `kube-controllers`, `calicoctl` and the installer of the CNI plugin. */
export type ClientProgram = 'etcdctl' | 'etcdctl 3.3' | 'etcdctl v2' | 'calico' | 'felix' | 'typha'

interface Names {
  readonly endpoints: string
  readonly authority: string
  readonly certificate: string
  readonly key: string
  /** Variables that are the same for all. */
  readonly fixed: Environment
}

const PROGRAMS: Readonly<Record<ClientProgram, Names>> = {
  etcdctl: { endpoints: 'ETCDCTL_ENDPOINTS', authority: 'ETCDCTL_CACERT', certificate: 'ETCDCTL_CERT', key: 'ETCDCTL_KEY', fixed: {} },
  // Before 3.4 etcdctl speaks v2 unless told otherwise.
  'etcdctl 3.3': { endpoints: 'ETCDCTL_ENDPOINTS', authority: 'ETCDCTL_CACERT', certificate: 'ETCDCTL_CERT', key: 'ETCDCTL_KEY', fixed: { ETCDCTL_API: '3' } },
  'etcdctl v2': { endpoints: 'ETCDCTL_ENDPOINTS', authority: 'ETCDCTL_CA_FILE', certificate: 'ETCDCTL_CERT_FILE', key: 'ETCDCTL_KEY_FILE', fixed: { ETCDCTL_API: '2' } },
  calico: { endpoints: 'ETCD_ENDPOINTS', authority: 'ETCD_CA_CERT_FILE', certificate: 'ETCD_CERT_FILE', key: 'ETCD_KEY_FILE', fixed: { DATASTORE_TYPE: 'etcdv3' } },
  felix: { endpoints: 'FELIX_ETCDENDPOINTS', authority: 'FELIX_ETCDCAFILE', certificate: 'FELIX_ETCDCERTFILE', key: 'FELIX_ETCDKEYFILE', fixed: { FELIX_DATASTORETYPE: 'etcdv3' } },
  typha: { endpoints: 'TYPHA_ETCDENDPOINTS', authority: 'TYPHA_ETCDCAFILE', certificate: 'TYPHA_ETCDCERTFILE', key: 'TYPHA_ETCDKEYFILE', fixed: { TYPHA_DATASTORETYPE: 'etcdv3' } },
}

/** A client on a host. */
export interface ClientOptions extends ClientMaterialOptions {
  readonly program: ClientProgram
  /** The name of its files: `'calico-node'` makes `calico-node.crt` and `calico-node.key`. */
  readonly name: string
}

/** Environment and files of a client. */
export interface RenderedClient extends Omit<Rendered, 'arguments'> {
  readonly environment: Environment
}

/**
 * The environment and files of a client.
 *
 * @throws {@link EtcdRbacError} `ERR_RENDER_REFUSED`, `ERR_PEM_INVALID`, `ERR_DER_INVALID`
 * @example
 * ```ts
 * import { renderClient, type ClientOptions } from 'etcd-rbac/render'
 * export const forSupport = (options: Omit<ClientOptions, 'program' | 'name'>) => renderClient({ ...options, program: 'calico', name: 'calicoctl' })
 * ```
 */
export function renderClient(options: ClientOptions): RenderedClient {
  if (!Object.hasOwn(PROGRAMS, options.program)) throw new TypeError(`program must be one of ${Object.keys(PROGRAMS).join(', ')}`)
  const names = PROGRAMS[options.program]
  const { endpoints, authorityFile, certificateFile, keyFile, directories, files } = clientMaterial(options, checkWord('the name of the client', options.name))
  return {
    environment: { ...names.fixed, [names.endpoints]: endpoints, [names.authority]: authorityFile, [names.certificate]: certificateFile, [names.key]: keyFile },
    directories,
    files,
    notes: [],
  }
}
