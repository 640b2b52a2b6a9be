/** Certificates that members show to each other. */
import type { Policy } from '../policy/policy.js'
import type { Authority } from './authority.js'
import { takeRequest, type Issued } from './issue.js'
import { issueMember, MEMBER_FIELDS, type MemberRequest } from './issue-member.js'
import { profiles } from './profiles.js'
import type { MemberRecord } from './record.js'

/**
 * Issues the certificate that a member shows to other members: empty subject, critical SAN of its hosts, serverAuth and clientAuth. Whoever holds one is
 * root: keep its authority apart from that of clients.
 *
 * @throws {@link EtcdRbacError} as `issueServer`
 * @example
 * ```ts
 * import { days, definePolicy, hostsOf, issuePeer, type Authority } from 'etcd-rbac'
 * declare const peers: Authority<'peer'>, csr: string
 * const policy = definePolicy({ users: { root: 'certificate' }, members: ['etcd-0'], authorities: ['etcd-peers'] })
 * const validity = days(90).from(new Date(), { backdateMinutes: 5 })
 * const issued = await issuePeer(peers, { policy, member: 'etcd-0', hosts: hostsOf('https://10.0.0.10:2380'), csr, validity })
 * ```
 */
export async function issuePeer<P extends Policy>(authority: Authority<'peer'>, request: MemberRequest<P>): Promise<Issued<MemberRecord>> {
  return issueMember(authority, takeRequest(request, MEMBER_FIELDS, 'the options of issuePeer'), 'peer', profiles.peer)
}
