/** Certificates of users: the Common Name is the etcd username (etcd v3 `auth/store.go` AuthInfoFromTLS, v2 `client_auth.go`). */
import type { CertificateUser, Policy } from '../policy/policy.js'
import type { Authority } from './authority.js'
import { certificateUser } from './declared.js'
import { ISSUE_FIELDS, issueLeaf, takeRequest, type Issued, type IssueRequest } from './issue.js'
import { checkLabel, labelUri } from './label.js'
import { profiles } from './profiles.js'
import type { ClientRecord } from './record.js'

/** A request for a user's certificate. */
export interface ClientRequest<P extends Policy, N extends string> extends IssueRequest<P> {
  /** A user that the policy declares with `'certificate'`. */
  readonly user: CertificateUser<P, N>
  /** Which of the user's certificates this is, usually a node's name. In the certificate as a URI, which etcd ignores, and in the record. */
  readonly label?: string
}

/** The fields of a {@link ClientRequest}. */
export const CLIENT_FIELDS: readonly (keyof ClientRequest<Policy, string>)[] = [...ISSUE_FIELDS, 'user', 'label']

/**
 * Issues the certificate of a user: Common Name the user and nothing else, clientAuth only. The CSR's own Common Name is absent or exactly the user.
 *
 * @throws {@link EtcdRbacError} `ERR_NAME_INVALID`, `ERR_USER_UNKNOWN`, `ERR_USER_LOGIN`, `ERR_LABEL_INVALID`, `ERR_PURPOSE_REFUSED`, `ERR_AUTHORITY_UNKNOWN`,
 * `ERR_VALIDITY_INVALID`, `ERR_PEM_INVALID`, `ERR_DER_INVALID`, `ERR_CSR_KEY`, `ERR_CSR_COMMON_NAME`, `ERR_CSR_SIGNATURE`, `ERR_NAME_CONSTRAINTS`, `ERR_ISSUE_REFUSED`,
 * `ERR_CRYPTO_UNUSABLE`, `ERR_SIGNER_INVALID`
 * @example
 * ```ts
 * import { days, definePolicy, issueClient, type Authority } from 'etcd-rbac'
 * declare const clients: Authority<'client'>, csr: string
 * const policy = definePolicy({ users: { root: 'certificate' }, authorities: ['etcd-clients'], v3: { roles: {}, bindings: { root: ['root'] } } })
 * const issued = await issueClient(clients, { policy, user: 'root', csr, validity: days(90).from(new Date(), { backdateMinutes: 5 }) })
 * ```
 */
export async function issueClient<P extends Policy, const N extends string>(authority: Authority<'client'>, request: ClientRequest<P, N>): Promise<Issued<ClientRecord>> {
  const taken = takeRequest(request, CLIENT_FIELDS, 'the options of issueClient')
  const user = certificateUser(taken.policy, taken.user as string)
  const label = taken.label === undefined ? undefined : checkLabel(taken.label)
  return issueLeaf(
    authority,
    taken,
    {
      purpose: 'client',
      profile: profiles.client,
      name: user,
      commonName: user,
      acceptable: [user],
      alternativeNames: label === undefined ? [] : [{ kind: 'uri', uri: labelUri(label) }],
      hosts: [],
      label,
    },
    (common) => ({ purpose: 'client', user, ...(label === undefined ? {} : { label }), ...common }),
  )
}
