/** Certificates of gateways and proxies that connect to etcd as nobody: without Common Name, so that etcd takes it for no user. */
import type { Policy } from '../policy/policy.js'
import type { Authority } from './authority.js'
import { checkGateway } from './gateway-uri.js'
import { ISSUE_FIELDS, issueLeaf, takeRequest, type Issued, type IssueRequest } from './issue.js'
import { profiles } from './profiles.js'
import type { GatewayRecord } from './record.js'

/** A request for a certificate without user. */
export interface GatewayRequest<P extends Policy> extends IssueRequest<P> {
  /** What it is called, since it has no Common Name: an absolute URI, such as `urn:example:etcd-gateway`. Critical SAN. */
  readonly uri: string
}

/**
 * Issues a client certificate without Common Name: for the HTTP gateway inside etcd (`--client-cert-file`, from 3.5), which answers 503 with a server certificate that
 * the member does not trust for clients; for whoever uses that gateway, which refuses a Common Name; and for the gRPC proxy, which from 3.4 does not start with one. Refused where the policy has a v2 half: there etcd resets the connection of a certificate without Common Name.
 *
 * @throws {@link EtcdRbacError} `ERR_ISSUE_REFUSED` for a policy with a v2 half, `ERR_HOST_INVALID` for another URI; otherwise as `issueClient`
 * @example
 * ```ts
 * import { days, definePolicy, issueGateway, type Authority } from 'etcd-rbac'
 * declare const clients: Authority<'client'>, csr: string
 * const policy = definePolicy({ users: { root: 'certificate' }, authorities: ['etcd-clients'] })
 * const validity = days(90).from(new Date(), { backdateMinutes: 5 })
 * const issued = await issueGateway(clients, { policy, uri: 'urn:example:etcd-gateway', csr, validity })
 * ```
 */
export async function issueGateway<P extends Policy>(authority: Authority<'client'>, request: GatewayRequest<P>): Promise<Issued<GatewayRecord>> {
  const taken = takeRequest(request, [...ISSUE_FIELDS, 'uri'], 'the options of issueGateway')
  const uri = checkGateway(taken.policy, taken.uri)
  return issueLeaf(
    authority,
    taken,
    { purpose: 'gateway', profile: profiles.client, name: uri, commonName: undefined, acceptable: [], alternativeNames: [{ kind: 'uri', uri }], hosts: [], label: undefined },
    (common) => ({ purpose: 'gateway', uri, ...common }),
  )
}
