/** Certificates that members show to clients. */
import type { Policy } from '../policy/policy.js'
import type { Authority } from './authority.js'
import { takeRequest, type Issued } from './issue.js'
import { issueMember, MEMBER_FIELDS, type MemberRequest } from './issue-member.js'
import { serverProfile } from './profiles.js'
import type { MemberRecord } from './record.js'

/** A request for a member's server certificate. */
export interface ServerRequest<P extends Policy> extends MemberRequest<P> {
  /**
   * What the HTTP gateway inside etcd dials the member with. `'server-certificate'`, the default and the only way before etcd 3.5: this one, so it has
   * clientAuth too. `'own-certificate'` (`--client-cert-file`) or `'off'` (`--enable-grpc-gateway=false`): serverAuth only.
   */
  readonly gateway?: 'server-certificate' | 'own-certificate' | 'off'
}

/**
 * Issues the certificate that a member shows to clients: empty subject, critical SAN of its hosts, serverAuth and, for the gateway, clientAuth.
 *
 * @throws {@link EtcdRbacError} `ERR_NAME_INVALID`, `ERR_MEMBER_UNKNOWN`, `ERR_HOST_INVALID`, `ERR_PURPOSE_REFUSED`, `ERR_AUTHORITY_UNKNOWN`, `ERR_VALIDITY_INVALID`,
 * `ERR_PEM_INVALID`, `ERR_DER_INVALID`, `ERR_CSR_KEY`, `ERR_CSR_COMMON_NAME`, `ERR_CSR_SIGNATURE`, `ERR_NAME_CONSTRAINTS`, `ERR_ISSUE_REFUSED`, `ERR_CRYPTO_UNUSABLE`,
 * `ERR_SIGNER_INVALID`
 * @example
 * ```ts
 * import { days, definePolicy, hostsOf, issueServer, type Authority } from 'etcd-rbac'
 * declare const servers: Authority<'server'>, csr: string
 * const policy = definePolicy({ users: { root: 'certificate' }, members: ['etcd-0'], authorities: ['etcd-servers'] })
 * const validity = days(90).from(new Date(), { backdateMinutes: 5 })
 * const issued = await issueServer(servers, { policy, member: 'etcd-0', hosts: hostsOf('https://10.0.0.10:2379'), csr, validity })
 * ```
 */
export async function issueServer<P extends Policy>(authority: Authority<'server'>, request: ServerRequest<P>): Promise<Issued<MemberRecord>> {
  const taken = takeRequest(request, [...MEMBER_FIELDS, 'gateway'], 'the options of issueServer')
  return issueMember(authority, taken, 'server', serverProfile(taken.gateway))
}
