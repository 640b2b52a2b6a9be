/** What the certificates of members have in common: a declared member, its hosts, and an empty subject unless a Common Name is asked for. */
import { EtcdRbacError } from '../errors.js'
import { checkName } from '../names.js'
import type { MemberName, Policy } from '../policy/policy.js'
import type { Authority } from './authority.js'
import { alternativeNameOf, checkHosts } from './hosts.js'
import { issueLeaf, type Issued, type IssueRequest } from './issue.js'
import type { Profile } from './profiles.js'
import type { MemberRecord } from './record.js'

/** A request for a certificate of a member. */
export interface MemberRequest<P extends Policy> extends IssueRequest<P> {
  /** A member that the policy declares. */
  readonly member: MemberName<P>
  /** Everything by which it is dialled, and for peers what it dials from: `hostsOf('https://10.0.0.10:2379')`. */
  readonly hosts: readonly string[]
  /**
   * A Common Name, from the policy's members, so that it is nobody's username. Default: none, and a critical SAN. `--peer-cert-allowed-cn` needs one that all
   * peers share.
   */
  readonly commonName?: MemberName<P>
}

/** Issues a member's certificate of a profile. */
export async function issueMember(authority: Authority, request: MemberRequest<Policy>, purpose: 'server' | 'peer', profile: Profile): Promise<Issued<MemberRecord>> {
  const { policy } = request
  const member = declared(policy, request.member)
  const commonName = request.commonName === undefined ? undefined : declared(policy, request.commonName)
  const hosts = checkHosts(request.hosts)
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

function declared(policy: Policy, member: string): string {
  checkName('member', member)
  if (Object.hasOwn(policy.users, member))
    throw new EtcdRbacError(
      'ERR_ISSUE_REFUSED',
      { found: `member ${JSON.stringify(member)}, named like a user`, wanted: 'a name that no user has', fix: 'rename the member: whoever holds its certificate would be that user' },
      { name: member, reason: 'member named like a user' },
    )
  if (policy.members.includes(member)) return member
  throw new EtcdRbacError(
    'ERR_MEMBER_UNKNOWN',
    { found: `member ${JSON.stringify(member)}`, wanted: `one of the policy's members (${policy.members.slice(0, 20).join(', ')})`, fix: 'declare it in the policy' },
    { member, known: policy.members },
  )
}
