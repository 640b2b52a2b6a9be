/** Certificates of gateways and proxies that connect to etcd as nobody: without Common Name, so that etcd takes it for no user. */
import { EtcdRbacError } from '../errors.js'
import type { Policy } from '../policy/policy.js'
import type { Authority } from './authority.js'
import { issueLeaf, type Issued, type IssueRequest } from './issue.js'
import { profiles } from './profiles.js'
import type { GatewayRecord } from './record.js'

/** A request for a certificate without user. */
export interface GatewayRequest<P extends Policy> extends IssueRequest<P> {
  /** What it is called, since it has no Common Name: an absolute URI, such as `urn:example:etcd-gateway`. Critical SAN. */
  readonly uri: string
}

/**
 * Issues a client certificate without Common Name: for the HTTP gateway inside etcd (`--client-cert-file`, from 3.5) and for the gRPC proxy, which
 * refuses to start with one. Refused where the policy has a v2 half: there etcd resets the connection of a certificate without Common Name.
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
  const { uri, policy } = request
  if (typeof uri !== 'string') throw new TypeError('a uri must be a string')
  // No authority part: Go reads one as a host and refuses certificates for hosts that it does not like.
  if (!/^[a-z][a-z0-9+.-]{0,30}:[A-Za-z0-9][A-Za-z0-9._~:-]{0,200}$/.test(uri))
    throw new EtcdRbacError(
      'ERR_HOST_INVALID',
      { found: `URI ${JSON.stringify(uri.slice(0, 100))}`, wanted: 'scheme:name of letters, digits and ".", "_", "~", ":", "-"', fix: 'name it urn:…' },
      { host: uri.slice(0, 100) },
    )
  if (policy.v2 !== undefined)
    throw new EtcdRbacError(
      'ERR_ISSUE_REFUSED',
      { found: 'a certificate without Common Name under a policy with a v2 half', wanted: 'a Common Name: etcd v2 resets connections without one', fix: 'leave gateway and proxy out while v2 is in use' },
      { name: uri, reason: 'no Common Name on v2' },
    )
  return issueLeaf(
    authority,
    request,
    { purpose: 'gateway', profile: profiles.client, name: uri, commonName: undefined, acceptable: [], alternativeNames: [{ kind: 'uri', uri }], hosts: [], label: undefined },
    (common) => ({ purpose: 'gateway', uri, ...common }),
  )
}
