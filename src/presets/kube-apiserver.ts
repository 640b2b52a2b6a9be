/**
 * kube-apiserver on etcd v3: its keys, and the two requests beside keys whose right depends on etcd's version.
 *
 * Keys: k8s.io/apiserver `storage/etcd3` and `compact.go` (03e32bd). Requests: etcd's `v3rpc` at the release tags, and tried on 3.4.23,
 * 3.5.16 and 3.5.30.
 */
import { unguardedCalls } from '../advisories/advisories.js'
import { isSince, parseVersion } from '../advisories/version.js'
import { EtcdRbacError, quoted } from '../errors.js'
import { key, prefix, type Key, type Prefix } from '../keys/key-range.js'
import { read, readwrite } from '../keys/permission.js'
import type { Component, Grant } from './component.js'
import { isKeyPrefix, KEY_PREFIX_WANTED } from './key-prefix.js'
import { oneOf } from './one-of.js'
import { requestNeed, type RequestNeed } from './request-need.js'

/** The rights of kube-apiserver. */
export interface KubeApiserver extends Component<Prefix | Key> {
  /** Whether its user must be bound to role `root`: with that, it reads and writes every other component's keys too. */
  readonly needsRoot: boolean
  readonly requests: readonly RequestNeed[]
  /** Who compacts; `renderKubeApiserver` takes it. */
  readonly compaction: 'apiserver' | 'etcd'
}

/** Where kube-apiserver runs, and who compacts. */
export interface KubeApiserverOptions {
  /** The lowest version of the members, with patch number: `'3.5.30'`. */
  readonly etcd: string
  /**
   * `'etcd'`: kube-apiserver runs with `--etcd-compaction-interval=0` and etcd with `--auto-compaction-retention`, so that no role root is
   * needed on any version. `'apiserver'`: as it comes, which needs role root from etcd 3.4.42, 3.5.28 and 3.6.9 on.
   */
  readonly compaction: 'apiserver' | 'etcd'
  /** Where its keys are, with the slash at the end: `--etcd-prefix`. Default `'/registry/'`. */
  readonly keyPrefix?: string
  /**
   * What this etcd holds of it. `'events'`: Kubernetes events alone, for the etcd that `--etcd-servers-overrides=/events#https://…` names; `etcd` is then
   * the version of that one. Default: `'all'`.
   */
  readonly resources?: 'all' | 'events'
}

/**
 * Whether etcd lets nobody but role root compact. Before, any client that passes TLS may. That is so from 3.4.42,
 * 3.5.28 and 3.6.9 on (CVE-2026-33413).
 *
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED`
 * @example
 * ```ts
 * import { compactionNeedsRoot } from 'etcd-rbac'
 * console.log(compactionNeedsRoot('3.5.16'), compactionNeedsRoot('3.5.30')) // false true
 * ```
 */
export function compactionNeedsRoot(etcd: string): boolean {
  return isSince(parseVersion(etcd), unguardedCalls.fixed)
}

function requestsOf(etcd: string): readonly RequestNeed[] {
  return [
    requestNeed('Compact', etcd, { kind: 'tried', text: 'open on 3.4.23 and 3.5.16, root only on 3.5.30; guarded since 3.4.42, 3.5.28, 3.6.9 (CVE-2026-33413)' }),
    requestNeed('Status', etcd, {
      kind: 'source',
      text: 'etcdserver/api/v3rpc/maintenance.go, authMaintenanceServer.Status, read at 3.5.27, 3.5.31 to 3.5.33, 3.6.0, 3.6.7 to 3.6.14 and 3.7.0: root only on 3.4.42 to 3.4.45, 3.5.28 to 3.5.31 and 3.6.0 to 3.6.11, any user after that (etcd#21466, etcd#21663, kubernetes#139220); tried on 3.5.16 and 3.5.30',
    }),
  ]
}

/** What it reads and writes where only events are: by Kubernetes' own source, nobody documents rights for this. */
function eventGrants(keyPrefix: string): readonly Grant<Prefix | Key>[] {
  return [
    {
      permission: readwrite(prefix(`${keyPrefix}events/`)),
      evidence: [{ kind: 'source', text: 'pkg/kubeapiserver/default_storage_factory_builder.go (008b365): an override moves one resource, events of both API groups are stored as one, and they have no prefix of their own among SpecialDefaultResourcePrefixes' }],
    },
    {
      permission: read(key(`${keyPrefix}health`)),
      evidence: [{ kind: 'source', text: 'k8s.io/apiserver storagebackend/factory/etcd3.go (01aa0f3): the health check reads path.Join("/", prefix, "health"), a key that is not there does for it, a refusal does not; an overriding etcd is checked too, "etcd-override-0" (TestHealthHandler)' }],
    },
  ]
}

/**
 * The rights of kube-apiserver.
 *
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED`; `ERR_PREFIX_UNTERMINATED` or `ERR_KEY_INVALID` for a key prefix that is no clean path of its own
 * @example
 * ```ts
 * import { definePolicy, kubeApiserver } from 'etcd-rbac'
 * const apiserver = kubeApiserver({ etcd: '3.5.30', compaction: 'etcd' })
 * console.log(apiserver.needsRoot) // false
 * definePolicy({
 *   users: { root: 'certificate', 'kube-apiserver': 'certificate' },
 *   v3: { roles: { kubernetes: apiserver.permissions }, bindings: { root: ['root'], 'kube-apiserver': ['kubernetes'] } },
 * })
 * ```
 */
export function kubeApiserver({ etcd, compaction, keyPrefix = '/registry/', resources = 'all' }: KubeApiserverOptions): KubeApiserver {
  oneOf('compaction', compaction, ['apiserver', 'etcd'])
  oneOf('resources', resources, ['all', 'events'])
  const requests = requestsOf(etcd)
  // A slash that is only missing at the end is the affair of `prefix`, whose error names what would be open.
  if (!isKeyPrefix(keyPrefix) && !isKeyPrefix(`${keyPrefix}/`))
    throw new EtcdRbacError('ERR_KEY_INVALID', { found: `key prefix ${quoted(keyPrefix)}`, wanted: KEY_PREFIX_WANTED, fix: 'name the prefix that is its own' }, { key: keyPrefix })
  const whole = prefix(keyPrefix)
  const grants: readonly Grant<Prefix | Key>[] = [
    ...(resources === 'events' ? eventGrants(keyPrefix) : [{ permission: readwrite(whole), evidence: [{ kind: 'documented', text: 'Kubernetes, --etcd-prefix (default /registry); Calico documents the same right' } as const] }]),
    {
      permission: readwrite(key('compact_rev_key')),
      evidence: [
        { kind: 'source', text: 'k8s.io/apiserver storage/etcd3/compact.go: the compactors agree by this key, which has no prefix' },
        ...(compaction === 'etcd' ? [{ kind: 'assumed', text: 'newer kube-apiservers watch it even so (kubernetes#132876); what they do with an interval of 0 is not established' } as const] : []),
      ],
    },
  ]
  const root = (request: RequestNeed['request']): boolean => requests.some((need) => need.request === request && need.needs === 'root')
  const needsRoot = compaction === 'apiserver' && root('Compact')
  const notes: string[] = []
  if (needsRoot) notes.push('bound to role root it reads and writes the keys of every other component; compaction: "etcd" avoids it')
  if (compaction === 'etcd')
    notes.push('run kube-apiserver with --etcd-compaction-interval=0 and every member with --auto-compaction-mode and --auto-compaction-retention: without, the history grows for ever')
  if (!needsRoot && root('Status'))
    notes.push(`etcd ${etcd} answers Status to role root only, and kube-apiserver asks for it: take 3.5.32, 3.6.12 or newer`)
  if (resources === 'events')
    notes.push(
      '--etcd-servers-overrides=/events#URL;URL names servers only: kube-apiserver shows them the client certificate of --etcd-certfile, and checks theirs by --etcd-cafile, as it does on its main etcd',
      'kube-apiserver compacts each etcd that it knows: --etcd-compaction-interval goes for this one too',
    )
  return { permissions: grants.map(({ permission }) => permission), grants, notes, needsRoot, requests, compaction }
}
