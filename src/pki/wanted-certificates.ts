/** Which certificates a policy needs, and what else must be said for that. What could not be issued is refused here. */
import type { Because } from '../because.js'
import { EtcdRbacError, quoted } from '../errors.js'
import { checkFields, takeFields } from '../known-fields.js'
import type { MemberName, Policy, UserName } from '../policy/policy.js'
import type { PublicKeyAlgorithm } from './asn1/public-key.js'
import { certificateUser, checkPolicy, declaredMember } from './declared.js'
import { checkGateway } from './gateway-uri.js'
import { checkHosts, type Wildcard } from './hosts.js'
import { checkLabel } from './label.js'
import { serverProfile } from './profiles.js'

/** Where a member is dialled, by clients and by other members. */
export interface MemberHosts {
  readonly server: readonly string[]
  readonly peer: readonly string[]
}

/** The authority that is to have issued a certificate: an `Authority` fits. */
export interface WantedAuthority {
  readonly name: string
  readonly keyId: string
}

/** What the policy does not say. */
export interface MaterialOptions<P extends Policy> {
  /** Of every member its hosts; `'none'` for a name that is reserved only, such as the shared Common Name of peers. */
  readonly hosts: { readonly [M in MemberName<P>]: MemberHosts | 'none' }
  readonly authorities: { readonly client: WantedAuthority; readonly server: WantedAuthority; readonly peer: WantedAuthority }
  /**
   * When to renew: so many days before the end, or when so much of the whole life is left. Default: `{ fractionLeft: 1 / 3 }`, which also holds for a
   * certificate that does not live longer than `daysLeft`: it would be renewed at once, and again at each run.
   */
  readonly renew?: { readonly daysLeft: number } | { readonly fractionLeft: number }
  /** Users that have a certificate per label, usually per node. Default: one without label. */
  readonly labels?: {
    readonly [N in UserName<P>]?: 'certificate' extends P['users'][N] ? readonly string[] : Because<`user '${N}' logs in by password: no certificate, and no label`>
  }
  /** URIs of gateways and proxies that have a certificate without user. Default: none. */
  readonly gateways?: readonly string[]
  /** The kinds of key that may stay in use. Default: any. */
  readonly keyAlgorithms?: readonly PublicKeyAlgorithm[]
  /** As in `issueServer`. */
  readonly gateway?: 'server-certificate' | 'own-certificate' | 'off'
  /** As in `issueServer`. */
  readonly wildcard?: Wildcard
  /** The Common Names that members' certificates have. Default: none. */
  readonly commonNames?: { readonly server?: MemberName<P>; readonly peer?: MemberName<P> }
}

/** A certificate that the policy needs. */
export type WantedCertificate =
  | { readonly purpose: 'client'; readonly user: string; readonly label?: string }
  | { readonly purpose: 'server' | 'peer'; readonly member: string; readonly hosts: readonly string[]; readonly commonName?: string }
  | { readonly purpose: 'gateway'; readonly uri: string }

const FIELDS = ['hosts', 'authorities', 'renew', 'labels', 'gateways', 'keyAlgorithms', 'gateway', 'wildcard', 'commonNames'] as const

/**
 * One entry for each certificate that the policy needs.
 *
 * @throws {@link EtcdRbacError} as `planMaterial`
 */
export function wantedCertificates(policy: Policy, options: MaterialOptions<Policy>): readonly WantedCertificate[] {
  checkPolicy(policy)
  const { gateway, authorities, commonNames = {} } = takeFields(options, FIELDS, 'the options of planMaterial')
  serverProfile(gateway)
  const { client, server, peer } = takeFields(authorities, ['client', 'server', 'peer'], 'authorities')
  for (const authority of [client, server, peer] as readonly (Partial<WantedAuthority> | null | undefined)[])
    if (typeof authority?.name !== 'string' || typeof authority.keyId !== 'string') throw new TypeError('authorities must be a table of client, server and peer, each with name and keyId')
  checkFields(commonNames, ['server', 'peer'], 'commonNames')
  return [...clients(policy, options), ...members(policy, options), ...gateways(policy, options)]
}

function clients(policy: Policy, { labels = {} }: MaterialOptions<Policy>): readonly WantedCertificate[] {
  const given: unknown = labels
  if (typeof given !== 'object' || given === null || given instanceof Map) throw new TypeError('labels must be a table of users with their labels')
  for (const user of Object.keys(labels)) certificateUser(policy, user)
  const users = Object.keys(policy.users).filter((user) => policy.users[user] === 'certificate')
  return users.flatMap((user): WantedCertificate[] => {
    const wanted = Object.hasOwn(labels, user) ? labels[user] : undefined
    if (wanted === undefined) return [{ purpose: 'client', user }]
    return each(wanted, `the labels of ${quoted(user)}`).map((label) => ({ purpose: 'client', user, label: checkLabel(label) }))
  })
}

function members(policy: Policy, { hosts, wildcard, commonNames = {} }: MaterialOptions<Policy>): readonly WantedCertificate[] {
  const given: unknown = hosts
  if (typeof given !== 'object' || given === null) throw new TypeError('hosts must be a table of members with their hosts')
  for (const name of [commonNames.server, commonNames.peer]) if (name !== undefined) declaredMember(policy, name)
  return policy.members.flatMap((member): WantedCertificate[] => {
    const entry = Object.hasOwn(hosts, member) ? hosts[member] : undefined
    if (entry === undefined)
      throw new EtcdRbacError(
        'ERR_MEMBER_UNKNOWN',
        { found: `member ${quoted(member)} without hosts`, wanted: "its server and peer hosts, or 'none'", fix: 'say where it is dialled' },
        { member, known: Object.keys(hosts) },
      )
    if (entry === 'none') return []
    checkFields(entry, ['server', 'peer'], `the hosts of ${quoted(member)}`)
    return (['server', 'peer'] as const).map((purpose) => {
      const commonName = commonNames[purpose]
      return { purpose, member, hosts: checkHosts(entry[purpose], wildcard), ...(commonName === undefined ? {} : { commonName }) }
    })
  })
}

function gateways(policy: Policy, { gateways: uris = [] }: MaterialOptions<Policy>): readonly WantedCertificate[] {
  return each(uris, 'gateways').map((uri) => ({ purpose: 'gateway', uri: checkGateway(policy, uri) }))
}

/** Each text of a list once. */
function each(list: readonly string[], what: string): readonly string[] {
  if (!Array.isArray(list)) throw new TypeError(`${what} must be a list of strings`)
  return [...new Set(list as readonly string[])]
}
