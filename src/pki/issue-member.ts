/** What the certificates of members have in common: a declared member, its hosts, and an empty subject unless a Common Name is asked for. */
import type { MemberName, Policy } from '../policy/policy.js'
import type { Authority } from './authority.js'
import { declaredMember } from './declared.js'
import { alternativeNameOf, checkHosts, type Wildcard } from './hosts.js'
import { ISSUE_FIELDS, issueLeaf, type Issued, type IssueRequest } from './issue.js'
import type { Profile } from './profiles.js'
import type { MemberRecord } from './record.js'

/** A request for a certificate of a member. */
export interface MemberRequest<P extends Policy> extends IssueRequest<P> {
  /** A member that the policy declares. */
  readonly member: MemberName<P>
  /** Everything by which it is dialled, and for peers what it dials from: `hostsOf('https://10.0.0.10:2379')`. */
  readonly hosts: readonly string[]
  /** Wildcards such as `*.etcd.example` among the hosts must be asked for in these words. Default: refused. */
  readonly wildcard?: Wildcard
  /**
   * A Common Name, from the policy's members, so that it is nobody's username. Default: none, and a critical SAN. `--peer-cert-allowed-cn` needs one that all
   * peers share.
   */
  readonly commonName?: MemberName<P>
}

/** The fields of a {@link MemberRequest}. */
export const MEMBER_FIELDS: readonly (keyof MemberRequest<Policy>)[] = [...ISSUE_FIELDS, 'member', 'hosts', 'wildcard', 'commonName']

/** Issues a member's certificate of a profile, for a request that was taken. */
export async function issueMember(authority: Authority, request: MemberRequest<Policy>, purpose: 'server' | 'peer', profile: Profile): Promise<Issued<MemberRecord>> {
  const { policy } = request
  const member = declaredMember(policy, request.member)
  const commonName = request.commonName === undefined ? undefined : declaredMember(policy, request.commonName)
  const hosts = checkHosts(request.hosts, request.wildcard)
  return issueLeaf(
    authority,
    request,
    {
      purpose,
      profile,
      name: member,
      commonName,
      acceptable: commonName === undefined || commonName === member ? [member] : [member, commonName],
      alternativeNames: hosts.map(alternativeNameOf),
      hosts,
      label: undefined,
    },
    (common) => ({ purpose, member, hosts, ...common }),
  )
}
