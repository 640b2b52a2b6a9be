/**
 * What an etcd member must be told: mutual TLS for clients and peers, and the guard of the peer port.
 *
 * Follows etcd `server/embed/config.go` (URLs, initial cluster) and `server/etcdmain/config.go` (flags).
 */
import { parseVersion, type EtcdVersion } from '../advisories/version.js'
import { checkName } from '../names.js'
import type { PemInput } from '../pki/pem.js'
import { oneOf } from '../presets/one-of.js'
import { checkPath, checkReachable, checkUrls, checkWord, isWildcard, isWithin, refuseRender, shown, type Address } from './check.js'
import { distinctPaths } from './distinct-paths.js'
import { knowsFlag, shownVersion } from './flags.js'
import { renderHttpGateway, type HttpGateway } from './http-gateway.js'
import { materialFiles, publicFile, readCertificates, readMaterial, refuseUnnamed, unnamedHosts, type KeyedCertificate } from './material.js'
import { guardPeers, type PeerGuard } from './peer-guard.js'
import { toEnvironment, type Argument, type Environment, type Rendered } from './rendered.js'

/** Where a listener binds, and where others are told to find it. All https, host and port. */
export interface MemberUrls {
  /** IP addresses or `localhost`; `0.0.0.0` or `[::]` only if that is meant. */
  readonly listen: readonly string[]
  /** Each must be named by the certificate: DNS names by DNS names, addresses by addresses. */
  readonly advertise: readonly string[]
}

/** An etcd member. */
export interface MemberOptions {
  /** Version of its etcd, with patch number: it decides which flags exist. */
  readonly version: string
  readonly name: string
  readonly clientUrls: MemberUrls
  readonly peerUrls: MemberUrls
  readonly cluster: {
    /** Every member with its peer URLs, this one included. */
    readonly members: Readonly<Record<string, readonly string[]>>
    readonly state: 'new' | 'existing'
    /** Different for every cluster, so that members of two never talk. */
    readonly token: string
  }
  /** Absolute; created with mode 0700. */
  readonly dataDirectory: string
  /** Absolute; created with mode 0700, and not within the data. */
  readonly certificatesDirectory: string
  readonly server: KeyedCertificate
  readonly peer: KeyedCertificate
  readonly trust: {
    /** The authority over user names; two during a rotation. */
    readonly clients: PemInput<'certificate'>
    /** The authority over membership. Where clients have the same one, `guard` must keep them out. */
    readonly peers: PemInput<'certificate'>
    readonly guard?: PeerGuard
  }
  /** Whether the v2 API is served, which has users and rights of its own. Gone in etcd 3.6. */
  readonly v2: boolean
  readonly gateway: HttpGateway
  /** Where no client compacts. `retention`: a duration (`'8h'`) or a number of revisions. */
  readonly autoCompaction?: { readonly mode: 'periodic' | 'revision'; readonly retention: string }
  /** etcd 3.5.8 and newer. Default etcd's own, which is TLS 1.2 on every version here. */
  readonly minimumTls?: 'TLS1.2' | 'TLS1.3'
}

/** A member's arguments, the same as environment, and its files. */
export interface RenderedMember extends Rendered {
  /** `ETCD_…`: instead of the arguments, never beside them. */
  readonly environment: Environment
}

/**
 * The arguments, environment and files of an etcd member.
 *
 * @throws {@link EtcdRbacError} `ERR_RENDER_REFUSED` for what would be open, contradicts itself or does not start; `ERR_VERSION_UNSUPPORTED`,
 *   `ERR_NAME_INVALID`, `ERR_PEM_INVALID`, `ERR_DER_INVALID`
 * @example
 * ```ts
 * import { renderMember, toCommand, type MemberOptions } from 'etcd-rbac/render'
 * export const start = (options: MemberOptions): readonly string[] => ['etcd', ...toCommand(renderMember(options).arguments)]
 * ```
 */
export function renderMember(options: MemberOptions): RenderedMember {
  const { name, cluster, dataDirectory, certificatesDirectory, trust } = options
  const version = parseVersion(options.version)
  checkWord('the name of the member', checkName('member', name))
  checkPath('the data directory', dataDirectory)
  checkPath('the directory of certificates', certificatesDirectory)
  if (isWithin(dataDirectory, certificatesDirectory))
    refuseRender('certificates within the data directory', 'a directory beside it', 'move them: data is wiped and restored as a whole')
  const listening = checkListen('URLs for clients to listen on', options.clientUrls.listen)
  checkListen('URLs for peers to listen on', options.peerUrls.listen)
  const toClients = checkReachable('URLs to advertise to clients', options.clientUrls.advertise)
  const toPeers = checkReachable('URLs to advertise to peers', options.peerUrls.advertise)

  const clients = readCertificates('the authority of clients', trust.clients)
  const peers = readCertificates('the authority of peers', trust.peers)
  const server = readMaterial('the server certificate', options.server, options.gateway === 'server certificate' ? ['serverAuth', 'clientAuth'] : ['serverAuth'])
  const peer = readMaterial('the peer certificate', options.peer, ['serverAuth', 'clientAuth'])
  refuseUnnamed('the server certificate', server, toClients)
  refuseUnnamed('the peer certificate', peer, toPeers)
  const elsewhere = unnamedHosts(server, listening.filter((address) => !isWildcard(address)))
  const guard = guardPeers({ clients, peers, peer, guard: trust.guard, version })
  const gateway = renderHttpGateway(options.gateway, { version, server, clients, path: `${certificatesDirectory}/gateway` })
  const at = (file: string): string => `${certificatesDirectory}/${file}`

  const args: readonly Argument[] = [
    { flag: '--name', value: name, why: 'its name in the cluster' },
    { flag: '--data-dir', value: dataDirectory, why: 'where its data is' },
    { flag: '--listen-client-urls', value: options.clientUrls.listen.join(','), why: 'where clients connect; https only' },
    { flag: '--advertise-client-urls', value: options.clientUrls.advertise.join(','), why: 'what clients are told; named by the server certificate' },
    { flag: '--listen-peer-urls', value: options.peerUrls.listen.join(','), why: 'where other members connect; https only' },
    { flag: '--initial-advertise-peer-urls', value: options.peerUrls.advertise.join(','), why: 'what other members are told; named by the peer certificate' },
    { flag: '--initial-cluster', value: initialCluster(name, cluster.members, options.peerUrls.advertise), why: 'the members that start the cluster' },
    { flag: '--initial-cluster-state', value: oneOf('the state of the cluster', cluster.state, ['new', 'existing']), why: cluster.state === 'new' ? 'the cluster is made now' : 'it joins a cluster that is there' },
    { flag: '--initial-cluster-token', value: checkWord('the token of the cluster', cluster.token), why: 'keeps members of two clusters apart' },
    { flag: '--cert-file', value: at('server.crt'), why: 'how clients know the member' },
    { flag: '--key-file', value: at('server.key'), why: 'the key of that certificate' },
    { flag: '--client-cert-auth', value: 'true', why: 'without it, a Common Name is not looked at' },
    { flag: '--trusted-ca-file', value: at('clients-ca.crt'), why: 'the authority over user names; without it, the system\'s authorities would be' },
    { flag: '--peer-cert-file', value: at('peer.crt'), why: 'how members know each other' },
    { flag: '--peer-key-file', value: at('peer.key'), why: 'the key of that certificate' },
    { flag: '--peer-client-cert-auth', value: 'true', why: 'without it, anybody could pass the peer port' },
    { flag: '--peer-trusted-ca-file', value: at('peers-ca.crt'), why: 'the authority over membership' },
    ...guard,
    ...gateway.arguments,
    ...v2Arguments(version, options.v2),
    ...compactionArguments(options.autoCompaction),
    ...tlsArguments(version, options.minimumTls),
  ]
  return distinctPaths({
    arguments: args,
    environment: toEnvironment(args),
    directories: [{ path: dataDirectory, mode: 0o700 }, { path: certificatesDirectory, mode: 0o700 }],
    files: [
      ...materialFiles(at('server'), server), ...materialFiles(at('peer'), peer),
      publicFile(at('clients-ca.crt'), clients.pem), publicFile(at('peers-ca.crt'), peers.pem),
      ...gateway.files,
    ],
    notes: [
      'etcd reads renewed certificates and keys at the next handshake, but authorities only when it starts; replace files by renaming, the certificate and its key together',
      ...elsewhere.map((host) => `clients cannot dial the member as ${host}, where it listens: the server certificate does not name it`),
      ...gateway.notes,
    ],
  })
}

function checkListen(what: string, urls: readonly string[]): readonly Address[] {
  const addresses = checkUrls(what, urls)
  for (const { host, kind } of addresses) {
    if (kind === 'name' && host !== 'localhost')
      refuseRender(`${what} with host name ${shown(host)}`, 'an IP address or localhost', 'name the address of the interface: etcd binds to no host name')
  }
  return addresses
}

function initialCluster(name: string, members: MemberOptions['cluster']['members'], advertised: readonly string[]): string {
  const own = Object.hasOwn(members, name) ? members[name] : undefined
  if (own === undefined) return refuseRender(`a cluster without member ${shown(name)}`, 'every member, this one included', 'add it with its peer URLs')
  const entries = Object.entries(members).flatMap(([member, urls]) => {
    checkWord('the name of a member', checkName('member', member))
    checkReachable(`peer URLs of member ${member}`, urls)
    return urls.map((url) => ({ member, url }))
  })
  if (new Set(entries.map(({ url }) => url)).size !== entries.length) refuseRender('two members with one peer URL', 'each its own', 'correct the cluster')
  if (own.toSorted().join() !== advertised.toSorted().join())
    refuseRender(`peer URLs of member ${name} in the cluster that differ from those that it advertises`, 'the same', 'make them equal: etcd does not start otherwise')
  return entries.map(({ member, url }) => `${member}=${url}`).join(',')
}

function v2Arguments(version: EtcdVersion, v2: boolean): readonly Argument[] {
  if (typeof v2 !== 'boolean') throw new TypeError('v2 must be true or false')
  if (knowsFlag(version, '--enable-v2')) {
    const why = v2 ? 'the v2 API is asked for: its users and rights are apart from those of v3' : 'rights on v3 do not protect v2'
    return [{ flag: '--enable-v2', value: String(v2), why }]
  }
  return v2 ? refuseRender(`the v2 API on etcd ${shownVersion(version)}`, 'etcd 3.5 or older', 'move to v3: etcd 3.6 has no v2 API') : []
}

function compactionArguments(compaction: MemberOptions['autoCompaction']): readonly Argument[] {
  if (compaction === undefined) return []
  const { retention } = compaction
  const mode = oneOf('the mode of compaction', compaction.mode, ['periodic', 'revision'])
  const pattern = mode === 'periodic' ? /^[1-9]\d{0,8}[hms]$/ : /^[1-9]\d{0,17}$/
  if (typeof retention !== 'string') throw new TypeError('the retention must be a string')
  if (!pattern.test(retention)) refuseRender(`a retention of ${shown(retention)}`, mode === 'periodic' ? 'a duration such as "8h" or "30m"' : 'a number of revisions', 'correct it')
  return [
    { flag: '--auto-compaction-mode', value: mode, why: 'no client needs role root to compact' },
    { flag: '--auto-compaction-retention', value: retention, why: 'how much history is kept' },
  ]
}

function tlsArguments(version: EtcdVersion, minimum: MemberOptions['minimumTls']): readonly Argument[] {
  if (minimum === undefined) return []
  oneOf('minimumTls', minimum, ['TLS1.2', 'TLS1.3'])
  if (!knowsFlag(version, '--tls-min-version')) refuseRender(`minimumTls on etcd ${shownVersion(version)}`, 'etcd 3.5.8 or newer', 'leave it out: TLS 1.0 and 1.1 are refused all the same')
  return [{ flag: '--tls-min-version', value: minimum, why: 'the oldest TLS that is spoken' }]
}
