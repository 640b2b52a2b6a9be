/**
 * The guard of the peer port. Whoever holds a certificate that it accepts is root: raft messages are not authenticated further, and etcd
 * does not tell a client's certificate from a member's (tried on 3.3.25, 3.4.23 and 3.5.30).
 *
 * Follows etcd `client/pkg/transport/listener.go`: `AllowedCN` and `AllowedHostname` are checked on the leaf of each accepted chain, and
 * only one of them may be set.
 */
import type { EtcdVersion } from '../advisories/version.js'
import { checkName } from '../names.js'
import type { Policy } from '../policy/policy.js'
import { dnsNames, leadsTo, reaches } from './certificates.js'
import { checkWord, isDnsName, refuseRender, shown } from './check.js'
import { knowsFlag, shownVersion } from './flags.js'
import type { Certificates, Material } from './material.js'
import type { Argument } from './rendered.js'

/** What every peer certificate has and no client's: a DNS name (etcd 3.4 and newer), or a Common Name (all), which the policy keeps for members. */
export type PeerGuard =
  | { readonly hostname: string }
  | { readonly commonName: string; readonly policy: Pick<Policy, 'users' | 'members'> }

/** Who is accepted at the peer port, and the argument that guards it. */
export interface PeerTrust {
  readonly clients: Certificates
  readonly peers: Certificates
  readonly peer: Material
  readonly guard: PeerGuard | undefined
  readonly version: EtcdVersion
}

/** @throws {@link EtcdRbacError} `ERR_RENDER_REFUSED` where a client's certificate could open the peer port, or a member's own could not */
export function guardPeers({ clients, peers, peer, guard, version }: PeerTrust): readonly Argument[] {
  const chain = peer.certificate.facts
  if (!leadsTo(chain, peers.facts))
    refuseRender('a peer certificate that none of the authorities of peers issued', 'one that the other members accept', 'issue it under that authority, or add its intermediates')
  if (guard === undefined) {
    if (reaches(clients.facts, peers.facts)) {
      refuseRender(
        'clients and peers under one authority without a guard: every client certificate would open the peer port, which is to be root',
        'an authority for peers that has issued nothing else, or a guard',
        'create an authority for peers, or give trust.guard',
      )
    }
    return []
  }
  const leaf = chain[0]
  if ('hostname' in guard && 'commonName' in guard) throw new TypeError('the guard is a host name or a Common Name: etcd takes one of them')
  if ('hostname' in guard) {
    const { hostname } = guard
    if (typeof hostname !== 'string') throw new TypeError('the host name of the guard must be a string')
    if (!isDnsName(hostname) || hostname.toLowerCase() === 'localhost')
      refuseRender(`a guard with host name ${shown(hostname)}`, 'a DNS name that only peer certificates have, such as "etcd-peers.internal"', 'choose one: no wildcard, no address, not localhost')
    if (!knowsFlag(version, '--peer-cert-allowed-hostname'))
      refuseRender(`a guard by host name on etcd ${shownVersion(version)}`, 'etcd 3.4 or newer', 'guard by { commonName, policy }, or use an authority for peers')
    if (leaf === undefined || !dnsNames(leaf).includes(hostname))
      refuseRender(`a peer certificate that does not name ${shown(hostname)}`, 'the host name of the guard among its DNS names', 'issue it with that host name: the other members would refuse it')
    return [{ flag: '--peer-cert-allowed-hostname', value: hostname, why: 'only certificates with this name are members: whoever passes the peer port is root' }]
  }
  const { commonName, policy } = guard
  checkName('member', commonName)
  checkWord('the Common Name of the guard', commonName)
  if (Object.hasOwn(policy.users, commonName) || !policy.members.includes(commonName))
    refuseRender(`a guard with Common Name ${shown(commonName)}, which the policy does not keep for members`, 'a name that no user can have', 'declare it under members of the policy')
  if (leaf?.commonNames.length !== 1 || leaf.commonNames[0] !== commonName)
    refuseRender(`a peer certificate without Common Name ${shown(commonName)}`, 'the one of the guard', 'issue it with that Common Name: the other members would refuse it')
  return [{ flag: '--peer-cert-allowed-cn', value: commonName, why: 'only certificates with this Common Name are members: whoever passes the peer port is root' }]
}
