/** Renewals: an issue through the policy for whoever holds a certificate already, never a copy of what that certificate says. */
import { EtcdRbacError, quoted } from '../errors.js'
import { someOf } from '../names.js'
import type { Policy } from '../policy/policy.js'
import { toHex } from '../bytes.js'
import type { ExtendedUsage } from './asn1/certificate.js'
import { readCsr } from './asn1/csr.js'
import { readCertificate, type UnverifiedCertificate } from './asn1/read-certificate.js'
import { insideOfAny, type Authority } from './authority.js'
import { checkedRecords } from './checked-records.js'
import { checkHosts, type Wildcard } from './hosts.js'
import { inspectCertificate, recordOf, type CertificateRole, type InspectedCertificate } from './inspect-certificate.js'
import { ISSUE_FIELDS, takeRequest, type Issued, type IssueRequest } from './issue.js'
import { issueClient } from './issue-client.js'
import { issueGateway } from './issue-gateway.js'
import { issuePeer } from './issue-peer.js'
import { issueServer, type ServerRequest } from './issue-server.js'
import { checkNow } from './life.js'
import { verifyOldKey, type OldKeyProof } from './prove-old-key.js'
import { readPem, readPemBlocks, writePem, type PemInput } from './pem.js'
import type { IssuanceRecord } from './record.js'
import { serialBytes } from './revocations.js'
import { sha256, type Subtle } from './subtle.js'
import { checkValidity } from './validity.js'
import { verifyChain } from './verify-chain.js'

/** What is common to renewals with a new key and with the same. */
export interface RenewalBase<P extends Policy> extends IssueRequest<P> {
  /** The certificate that is to be renewed; behind it, intermediates up to its authority. */
  readonly previous: PemInput<'certificate'>
  /** When this is asked: the previous certificate must be valid then. */
  readonly now: Date
  /** Its record, which says what it is for. Without one, `as` does; a client's certificate says it itself. */
  readonly record?: IssuanceRecord
  /** What it is for, where it has no record. */
  readonly as?: CertificateRole
  /** For a member's: all of its hosts today. Those of the previous certificate must be among them. */
  readonly hosts?: readonly string[]
  /** For a member's, as in `issueServer`: wildcards among its hosts must be asked for in these words each time. */
  readonly wildcard?: Wildcard
  /** For a server's, as in `issueServer`. Default: as the previous certificate has it. */
  readonly gateway?: ServerRequest<P>['gateway']
  /** The certificate of the authority that issued the previous one, where that is another, such as the old one of a rotation. Default: none. */
  readonly predecessor?: PemInput<'certificate'>
  /** Serial numbers of which none may be renewed: `inspectCrl(…).revoked.map(({ serial }) => serial)`. Default: none. */
  readonly revoked?: readonly string[]
  /** A certificate that has expired proves nothing any more; these words let it be renewed all the same. */
  readonly expired?: 'accept an expired certificate'
}

/** A renewal. */
export type RenewalRequest<P extends Policy> = RenewalBase<P> &
  (
    | {
        /** A new key. */
        readonly key: 'new'
        /** The proof by the old key (`proveOldKey`), which a missing one refuses; or the words that none is wanted. */
        readonly proof: OldKeyProof | 'not demanded'
      }
    | {
        /** The same key, whose proof the CSR itself is. */
        readonly key: 'same'
        readonly proof?: never
      }
  )

const FIELDS: readonly (keyof RenewalRequest<Policy>)[] = [
  ...ISSUE_FIELDS, 'previous', 'now', 'record', 'as', 'hosts', 'wildcard', 'gateway', 'predecessor', 'revoked', 'expired', 'key', 'proof',
]

/**
 * Renews a certificate: judges the previous one, then issues through the policy as if it were the first time. Refused unless
 *
 * - the previous certificate chains to this authority, or to the predecessor that is named and is one, and is valid (`now`);
 * - its serial number is not among `revoked`;
 * - it is what its record or `as` says, by Common Name, URI, serial number and key;
 * - its user still logs in by certificate, its member is still declared, and its hosts are still the member's;
 * - the key of the CSR is new, or the same, as `key` says, and, where it is new, the old key's holder asks for it (`proof`).
 *
 * The label of a client's certificate stays; hosts in it, which only other tools write, do not. Revokes nothing: the previous certificate is good until it expires, so renew early and let it run out, or
 * revoke its record.
 *
 * @throws {@link EtcdRbacError} `ERR_RENEWAL_REFUSED` with what was found; `ERR_CERTIFICATE_INVALID`, `ERR_RECORD_INVALID`, `ERR_CRL_INVALID` for what is no serial
 * number; otherwise as `issueClient`, `issueServer`, `issuePeer` and `issueGateway`
 * @example
 * ```ts
 * import { days, definePolicy, renew, type Authority, type OldKeyProof } from 'etcd-rbac'
 * declare const clients: Authority<'client'>, previous: string, csr: string, proof: OldKeyProof
 * const policy = definePolicy({ users: { 'calico-node': 'certificate' }, authorities: ['etcd-clients'] })
 * const now = new Date()
 * const { chain, record } = await renew(clients, { policy, previous, csr, key: 'new', proof, now, validity: days(90).from(now, { backdateMinutes: 5 }) })
 * ```
 */
export async function renew<P extends Policy>(authority: Authority, request: RenewalRequest<P>): Promise<Issued> {
  const taken = takeRenewal(request)
  const { subtle, crypto, certificateDer } = insideOfAny(authority)
  const { previous, predecessor, now, expired } = taken
  const revoked = new Set((taken.revoked ?? []).map((serial) => toHex(serialBytes(serial))))
  const [leaf, ...others] = readPemBlocks('certificate', previous).map(readCertificate)
  if (leaf === undefined) throw new TypeError('previous must hold a certificate')
  const before = predecessor === undefined ? [] : [readCertificate(readPem('certificate', predecessor))]

  const facts = await inspectCertificate(crypto, writePem('certificate', leaf.der))
  const name = facts.commonName ?? facts.uris[0] ?? facts.hosts[0] ?? `serial ${facts.serial}`
  // One that is trusted is not asked by whom it was issued: the previous certificate, named as its own predecessor, would be good. So each must be an authority's.
  for (const one of before) {
    const [problem] = (await verifyChain(subtle, { chain: [one], trusted: [one], usages: [], first: 'authority' })).problems
    if (problem !== undefined) throw refused(name, `a predecessor that is not good: ${problem.found}`, problem.wanted, problem.fix, problem.code)
  }
  const role = roleOf(facts, taken, name)
  const { problems } = await verifyChain(subtle, { chain: [leaf, ...others], trusted: [readCertificate(certificateDer), ...before], usages: usagesOf[role.purpose], first: 'leaf', now })
  const [problem] = problems.filter(({ code, at }) => !(expired !== undefined && code === 'expired' && at === 0))
  if (problem !== undefined) throw refused(name, `a certificate to renew that is not good: ${problem.found}`, problem.wanted, problem.fix, problem.code)
  if (revoked.has(facts.serial)) throw refused(name, `a certificate to renew with serial number ${facts.serial}, which is revoked`, 'one that is not', 'let its holder prove who it is, and issue another', 'revoked')

  await checkKeys(subtle, leaf, facts, taken, name)
  return issueAs(authority, taken, role, facts, name)
}

/** A request, checked for its form and copied down to its dates: what was judged before a wait is what is issued after it. */
function takeRenewal(request: RenewalRequest<Policy>): RenewalRequest<Policy> {
  const taken = takeRequest(request, FIELDS, 'the options of renew')
  const { now, key, proof, record, as, hosts, wildcard, asked, revoked } = taken as RenewalBase<Policy> & { readonly key: unknown; readonly proof: unknown }
  checkNow(now)
  if (key !== 'new' && key !== 'same') throw new TypeError("key must be 'new' or 'same'")
  if (record !== undefined && as !== undefined) throw new TypeError('a renewal takes a record, or as, not both')
  const words: string | undefined = taken.expired
  if (words !== undefined && words !== 'accept an expired certificate') throw new TypeError("expired must be 'accept an expired certificate'")
  if (revoked !== undefined && !Array.isArray(revoked)) throw new TypeError('revoked must be a list of serial numbers')
  if (record !== undefined) checkedRecords([record])
  return {
    ...taken,
    now: new Date(now),
    validity: checkValidity(taken.validity),
    ...(asked === undefined ? {} : { asked: checkValidity(asked) }),
    ...(record === undefined ? {} : { record: { ...record } }),
    ...(as === undefined ? {} : { as: { ...as } }),
    ...(hosts === undefined ? {} : { hosts: checkHosts(hosts, wildcard) }),
    ...(typeof proof === 'object' && proof !== null ? { proof: { ...proof } } : {}),
  } as RenewalRequest<Policy>
}

/** What a certificate must be good for to be renewed as one of its kind. */
const usagesOf: Readonly<Record<IssuanceRecord['purpose'], readonly ExtendedUsage[]>> = { client: ['clientAuth'], gateway: ['clientAuth'], server: ['serverAuth'], peer: ['serverAuth', 'clientAuth'] }

/** What the certificate is for, held against the certificate. */
function roleOf(facts: InspectedCertificate, { record, as, policy }: RenewalBase<Policy>, name: string): IssuanceRecord {
  if (record !== undefined) {
    const known = recordOf(facts, record)
    const differs = (['serial', 'keyHash', 'authorityKeyId', 'notAfter'] as const).find((field) => known[field] !== record[field])
    const label = record.purpose === 'client' && known.purpose === 'client' && record.label !== known.label
    if (differs !== undefined || label) throw refused(name, `the record of another certificate: another ${differs ?? 'label'}`, 'the record that was returned with the previous one', 'pass the right one', 'another record')
    return known
  }
  if (as !== undefined) return recordOf(facts, as)
  const { commonName, usages } = facts
  // A member's certificate may have a Common Name too, and is for servers as well.
  if (commonName !== undefined && usages.join() === 'clientAuth' && facts.extendedKeyUsage?.length === 1) return recordOf(facts, { purpose: 'client', user: commonName })
  const users = Object.keys(policy.users)
  throw refused(name, "a certificate that does not say that it is a user's", `a Common Name (${someOf(users) || 'the policy has no user'}) and clientAuth alone`, 'pass its record, or say with as what it is for', 'no role')
}

/** The key of the CSR is the old one or another, and its sender has the old one. That it has the one in the CSR is proved where it is issued. */
async function checkKeys(subtle: Subtle, leaf: UnverifiedCertificate, facts: InspectedCertificate, request: RenewalRequest<Policy>, name: string): Promise<void> {
  const asked = toHex(await sha256(subtle, readCsr(readPem('csr', request.csr)).publicKeyDer))
  const same = asked === facts.keyHash
  if (request.key === 'same') {
    if (!same) throw refused(name, 'a CSR with another key than the certificate has', 'the same key', "send a CSR over the old key, or ask for key: 'new'", 'another key')
    return
  }
  if (same) throw refused(name, 'a CSR with the key that the certificate has', 'a new key', "have one made, or ask for key: 'same'", 'the same key')
  // As a JavaScript caller, or a message without it, would have it.
  const proof: unknown = request.proof
  if (proof === 'not demanded') return
  const fix = "have it made with proveOldKey by whoever holds the certificate, or say that it is 'not demanded'"
  if (typeof proof !== 'object' || proof === null) throw refused(name, 'a renewal without proof by the old key', 'a signature by it over this CSR', fix, 'no proof')
  if (!leaf.publicKey.ok || !(await verifyOldKey(subtle, leaf.publicKey.key, request.csr, proof as OldKeyProof)))
    throw refused(name, 'a proof that is not by the old key over this CSR', 'a signature by it', fix, 'false proof')
}

/** Issues it, as if for the first time: what may be certified today is the policy's to say. */
async function issueAs(authority: Authority, request: RenewalBase<Policy>, role: IssuanceRecord, facts: InspectedCertificate, name: string): Promise<Issued> {
  const { policy, csr, validity, asked, longLived, authorize, hosts, wildcard, gateway } = request
  const common = { policy, csr, validity, ...(asked === undefined ? {} : { asked }), ...(longLived === undefined ? {} : { longLived }), ...(authorize === undefined ? {} : { authorize }) }
  if (role.purpose === 'client' || role.purpose === 'gateway') {
    if (hosts !== undefined || wildcard !== undefined || gateway !== undefined) throw new TypeError('hosts, wildcard and gateway are for the certificates of members')
    if (role.purpose === 'gateway') return issueGateway(authority as Authority<'client'>, { ...common, uri: role.uri })
    return issueClient<Policy, string>(authority as Authority<'client'>, { ...common, user: role.user, ...(role.label === undefined ? {} : { label: role.label }) })
  }
  if (hosts === undefined) throw new TypeError('the renewal of a member needs its hosts: a renewal copies none')
  const gone = facts.hosts.filter((host) => !hosts.includes(host))
  if (gone.length > 0 || facts.hosts.length === 0)
    throw refused(name, `a certificate to renew that is for ${someOf(gone) || 'no host'}`, `hosts that are those of ${quoted(role.member)} today: ${someOf(hosts)}`, 'correct the hosts, or issue another certificate and revoke this one', 'other hosts')
  const member = { ...common, member: role.member, hosts, ...(wildcard === undefined ? {} : { wildcard }), ...(role.commonName === undefined ? {} : { commonName: role.commonName }) }
  if (role.purpose === 'peer') return issuePeer(authority as Authority<'peer'>, member)
  return issueServer(authority as Authority<'server'>, { ...member, gateway: gateway ?? (facts.usages.includes('clientAuth') ? 'server-certificate' : 'own-certificate') })
}

function refused(name: string, found: string, wanted: string, fix: string, reason: string): EtcdRbacError<'ERR_RENEWAL_REFUSED'> {
  return new EtcdRbacError('ERR_RENEWAL_REFUSED', { found: `${found} (${quoted(name)})`, wanted, fix }, { name, reason })
}
