/**
 * Operating etcd itself: snapshots and defragmentation. They name no key, and role root is what they need on every release.
 *
 * Requests: `client/v3/snapshot/v3_snapshot.go` (3.5.35, 3.6.16, 3.7.3) and etcdctl `defrag_command.go`, `ep_command.go` (3.5.35, 3.6.16). Rights: etcd
 * `v3rpc/maintenance.go` at the same tags, and tried on 3.3.25, 3.4.23, 3.5.16, 3.5.30, 3.5.35, 3.6.16 and 3.7.3.
 */
import { parseVersion } from '../advisories/version.js'
import type { Component } from './component.js'
import { requestNeed, type RequestNeed } from './request-need.js'

/** What an operation of etcd needs: requests, and no key. */
export interface EtcdOperation extends Component<never> {
  /** Whether its user must be bound to role `root`: with that it may do everything, and change the rights of everybody. */
  readonly needsRoot: boolean
  readonly requests: readonly RequestNeed[]
}

/** The etcd that is operated. */
export interface EtcdOperationOptions {
  /** The lowest version of the members, with patch number: `'3.5.30'`. */
  readonly etcd: string
}

/** What {@link defragmentation} is to reach. */
export interface DefragmentationOptions extends EtcdOperationOptions {
  /** Whether it asks etcd for the members, as `etcdctl defrag --cluster` does. Default: no, they are named one by one. */
  readonly cluster?: boolean
}

function operation(requests: readonly RequestNeed[], notes: readonly string[]): EtcdOperation {
  return { permissions: [], grants: [], notes, needsRoot: requests.some(({ needs }) => needs === 'root'), requests }
}

/** An identity that is root: what keeps the damage small where no right can. */
const ROOT_NOTE = 'no permission stands for it, not even one for all keys: give it a certificate of its own that lives for a short time, on the one host that does this'

/**
 * What a backup needs that takes snapshots: role root, on every release.
 *
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED`
 * @example
 * ```ts
 * import { backup, call, can, definePolicy } from 'etcd-rbac'
 * console.log(backup({ etcd: '3.5.30' }).needsRoot) // true
 * const policy = definePolicy({ users: { root: 'certificate', backup: 'certificate' }, v3: { roles: {}, bindings: { root: ['root'], backup: ['root'] } } })
 * console.log(can(policy, 'backup', call('snapshot'))) // true
 * ```
 */
export function backup({ etcd }: EtcdOperationOptions): EtcdOperation {
  return operation(
    [requestNeed('Snapshot', etcd, { kind: 'tried', text: 'role root only on 3.3.25, 3.4.23, 3.5.16, 3.5.30, 3.5.35, 3.6.16 and 3.7.3, where read and write on all keys did not do (authMaintenanceServer.Snapshot)' })],
    [
      ROOT_NOTE,
      'A snapshot holds every key and the auth store: whoever reads the file has read all of it.',
      'Restoring one that was taken before authentication was enabled restores an etcd that is open to whoever passes TLS.',
      'Name one member: etcdctl refuses to take a snapshot of several endpoints.',
    ],
  )
}

/**
 * What defragmentation needs: role root, on every release.
 *
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED`
 * @example
 * ```ts
 * import { defragmentation } from 'etcd-rbac'
 * const { requests } = defragmentation({ etcd: '3.5.30', cluster: true })
 * console.log(requests.map(({ request, needs }) => `${request} ${needs}`).join()) // Defragment root,MemberList user
 * ```
 */
export function defragmentation({ etcd, cluster = false }: DefragmentationOptions): EtcdOperation {
  if (typeof cluster !== 'boolean') throw new TypeError('cluster must be true or false')
  const requests = [requestNeed('Defragment', etcd, { kind: 'tried', text: 'role root only on 3.3.25, 3.4.23, 3.5.16, 3.5.30, 3.5.35, 3.6.16 and 3.7.3, where read and write on all keys did not do (authMaintenanceServer.Defragment)' })]
  if (cluster) requests.push(requestNeed('MemberList', etcd, { kind: 'source', text: 'etcdctl ep_command.go, endpointsFromCluster: the members are listed first' }))
  const offline = 'A member that is stopped can be defragmented from its own disk, by etcdutl defrag --data-dir, with no user of etcd.'
  return operation(requests, parseVersion(etcd).minor >= 5 ? [ROOT_NOTE, offline] : [ROOT_NOTE])
}
