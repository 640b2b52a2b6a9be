/**
 * What every kind of issuing has in common: checks first, then one signature.
 *
 * Of a CSR only the public key is taken, after the proof that its sender has the private key; every name, usage and flag is ours. A requester that
 * could choose any of them could become another user: etcd takes the Common Name for the username, and the last one where there are two.
 */
import { toHex } from '../bytes.js'
import { EtcdRbacError, quoted } from '../errors.js'
import { takeFields } from '../known-fields.js'
import type { Policy } from '../policy/policy.js'
import { alternativeNames, tbsCertificate, type AlternativeName, type ExtendedUsage } from './asn1/certificate.js'
import { readCsr, signedObject, type UnverifiedCsr } from './asn1/csr.js'
import { commonNameOnly, commonNamesOf, EMPTY_NAME } from './asn1/name.js'
import type { PublicKey } from './asn1/public-key.js'
import { insideOf, type Authority, type AuthorityInside } from './authority.js'
import { checkLimits } from './authority-limits.js'
import { csrDifferences, type CsrDifference } from './csr-differences.js'
import { checkPolicy } from './declared.js'
import { SERIAL_BYTES } from './sign-authority.js'
import { readPem, writePem, type CertificatePem, type PemInput } from './pem.js'
import type { Profile } from './profiles.js'
import type { CommonRecord, IssuanceRecord } from './record.js'
import { signWith } from './signer.js'
import { randomBytes, sha256 } from './subtle.js'
import { checkAskedValidity, checkLeafValidity, type Validity } from './validity.js'
import { verifyCsrSignature } from './verify-csr.js'

/** What the `authorize` hook is asked about: everything that is about to be certified, verified. */
export interface IssueQuestion {
  readonly purpose: IssuanceRecord['purpose']
  /** The user or member; of a gateway its URI. */
  readonly name: string
  /** SHA-256 of the requester's SubjectPublicKeyInfo, lower-case hex. */
  readonly keyHash: string
  readonly keyAlgorithm: string
  readonly label: string | undefined
  readonly hosts: readonly string[]
}

/** What every request to issue has. */
export interface IssueRequest<P extends Policy> {
  readonly policy: P
  /** The CSR of whoever holds the private key. */
  readonly csr: PemInput<'csr'>
  /** Stated, never defaulted: `days(90).from(now, { backdateMinutes: 5 })`. Refused, not shortened, where the authority ends earlier or begins later. */
  readonly validity: Validity
  /** What the requester asked for: less than `validity`, and then that is issued. Refused where it begins earlier or ends later. Default: all of it. */
  readonly asked?: Validity
  /** A lifetime above 397 days must be asked for in these words. */
  readonly longLived?: 'longer than 397 days'
  /**
   * Whether this requester may have this name: that it has a key is proved, not who it is. Asked last, before signing. Anything but `true` refuses; what it
   * throws reaches the caller. Default: the caller has decided.
   */
  readonly authorize?: (question: IssueQuestion) => boolean | Promise<boolean>
}

/** The fields of an {@link IssueRequest}. */
export const ISSUE_FIELDS: readonly (keyof IssueRequest<Policy>)[] = ['policy', 'csr', 'validity', 'asked', 'longLived', 'authorize']

/** A request of plain JavaScript: an `authorize` that is misspelt, or could not be asked, must not pass for none. Its fields as they are now. */
export function takeRequest<R extends IssueRequest<Policy>>(request: R, fields: readonly (keyof R & string)[], what: string): R {
  const taken = takeFields(request, fields, what)
  const authorize: unknown = taken.authorize
  if (authorize !== undefined && typeof authorize !== 'function') throw new TypeError('authorize must be a function, or left away')
  checkPolicy(taken.policy)
  return taken
}

/** A certificate that was issued. */
export interface Issued<R extends IssuanceRecord = IssuanceRecord> {
  /** The leaf. */
  readonly certificate: CertificatePem
  /** The leaf and the intermediates behind it, for the certificate file of etcd or of a client. The root is not in it. */
  readonly chain: string
  readonly commonName: string | undefined
  readonly usages: readonly ExtendedUsage[]
  readonly notBefore: Date
  readonly notAfter: Date
  readonly record: R
  /** What the CSR asked for and did not get, in its order. Of a CSR only the key is taken, so whatever else stands in it and is there as asked is so by policy. */
  readonly differences: readonly CsrDifference[]
}

/** What a kind of issuing decided: the rest is the same for all. */
export interface IssueDecision {
  readonly purpose: IssuanceRecord['purpose']
  readonly profile: Profile
  /** The user or member, for messages and the hook. */
  readonly name: string
  /** The one Common Name, or none. */
  readonly commonName: string | undefined
  /** The Common Names that the CSR may have, if it has one. */
  readonly acceptable: readonly string[]
  readonly alternativeNames: readonly AlternativeName[]
  readonly hosts: readonly string[]
  readonly label: string | undefined
}

/** Checks, verifies, asks, signs, all of a request that was taken; `recordOf` adds what is particular to the kind. */
export async function issueLeaf<R extends IssuanceRecord>(
  authority: Authority,
  request: IssueRequest<Policy>,
  decision: IssueDecision,
  recordOf: (common: CommonRecord) => R,
): Promise<Issued<R>> {
  const { purpose, profile, name, commonName } = decision
  const hidden = insideOf(authority, profile.purpose)
  checkAuthority(hidden, request.policy)
  const { longLived }: { readonly longLived?: string } = request
  if (longLived !== undefined && longLived !== 'longer than 397 days') throw new TypeError("longLived must be 'longer than 397 days'")
  const most = checkLeafValidity(request.validity, { name: hidden.name, ...hidden.validity }, longLived !== undefined)
  const validity = request.asked === undefined ? most : checkAskedValidity(request.asked, most)
  // Before anything is waited for: of many at once each draws in its turn, so that the same chance makes the same certificates.
  const serial = randomBytes(hidden.crypto, SERIAL_BYTES)
  const { key, keyHash, unverified } = await verifiedKey(hidden, request.csr, decision)
  checkLimits(hidden, decision, key)
  if (request.authorize !== undefined) {
    const { hosts, label } = decision
    const allowed: unknown = await request.authorize({ purpose, name, keyHash, keyAlgorithm: key.algorithm, label, hosts: [...hosts] })
    if (allowed !== true)
      throw new EtcdRbacError(
        'ERR_ISSUE_REFUSED',
        { found: `a request for ${purpose} ${quoted(name)} that the authorize hook did not allow`, wanted: 'true from it', fix: 'let the requester prove who it is' },
        { name, reason: 'authorize' },
      )
  }

  const extensions = [hidden.leafExtensions(profile.keyUsage[key.family], profile.usages)]
  if (decision.alternativeNames.length > 0) extensions.push(alternativeNames(decision.alternativeNames, commonName === undefined))
  const tbs = tbsCertificate({
    serial,
    signedBy: hidden.signedBy,
    ...validity,
    subject: commonName === undefined ? EMPTY_NAME : commonNameOnly(commonName),
    publicKeyDer: key.der,
    extensions,
  })
  const certificate = writePem('certificate', signedObject(tbs, hidden.signer.signer.algorithm, await signWith(hidden.signer, tbs)))
  const record = recordOf({
    serial: toHex(serial).replace(/^(?:00)+/, ''),
    keyHash,
    keyAlgorithm: key.algorithm,
    authority: hidden.name,
    authorityKeyId: toHex(hidden.keyId),
    usages: [...profile.usages],
    ...(commonName === undefined ? {} : { commonName }),
    notBefore: validity.notBefore.toISOString(),
    notAfter: validity.notAfter.toISOString(),
  })
  const differences = csrDifferences(unverified, { commonName, keyUsage: profile.keyUsage[key.family], usages: profile.usages, alternativeNames: decision.alternativeNames })
  return { certificate, chain: certificate + hidden.intermediates, commonName, usages: [...profile.usages], ...validity, record, differences }
}

/**
 * No certificate of the chain is named like a user: etcd v2 takes each one's Common Name for a username, the root's included. And the policy keeps
 * each name from users, so that none can be declared under a certificate that is still valid.
 */
function checkAuthority({ chainNames }: AuthorityInside, { users, authorities }: Policy): void {
  for (const name of chainNames)
    if (Object.hasOwn(users, name))
      throw new EtcdRbacError(
        'ERR_ISSUE_REFUSED',
        {
          found: `authority ${quoted(name)}, named like a user of the policy`,
          wanted: 'an authority that no user is called like: on etcd v2 everyone it certifies would be that user',
          fix: 'rename the user, or make another authority',
        },
        { name, reason: 'authority named like a user' },
      )
  const missing = chainNames.filter((name) => !authorities.includes(name))
  const [first] = missing
  if (first !== undefined)
    throw new EtcdRbacError(
      'ERR_AUTHORITY_UNKNOWN',
      {
        found: `authority ${missing.map(quoted).join(' under ')}, which the policy does not know`,
        wanted: `every authority of the chain among the policy's (${authorities.map(quoted).join(', ') || 'it has none'})`,
        fix: `declare ${missing.map(quoted).join(', ')} under authorities, which keeps users from such a name`,
      },
      { authority: first, known: authorities },
    )
}

interface VerifiedKey {
  readonly key: PublicKey
  readonly keyHash: string
  /** The CSR whose key it is. Nothing else of it is verified. */
  readonly unverified: UnverifiedCsr
}

/** The public key of a CSR whose sender has the private key and hopes for no other name. */
async function verifiedKey(hidden: AuthorityInside, csr: PemInput<'csr'>, { name, acceptable }: IssueDecision): Promise<VerifiedKey> {
  const unverified = readCsr(readPem('csr', csr))
  const { publicKey, signatureAlgorithm } = unverified
  if (!publicKey.ok)
    throw new EtcdRbacError(
      'ERR_CSR_KEY',
      { found: `a CSR for ${quoted(name)} with a key of ${publicKey.algorithm}`, wanted: publicKey.wanted, fix: 'have a new key made' },
      { algorithm: publicKey.algorithm, wanted: publicKey.wanted },
    )
  const found = commonNamesOf(unverified.subject)
  const [only] = found
  if (found.length > 1 || (only !== undefined && !acceptable.includes(only)))
    throw new EtcdRbacError(
      'ERR_CSR_COMMON_NAME',
      {
        found: `a CSR with Common Name ${found.slice(0, 4).map(quoted).join(' and ')}`,
        wanted: ['none', ...acceptable.map((one) => `exactly ${quoted(one)}`)].join(', or '),
        fix: 'see whether the right CSR was sent, and have it made again for this name',
      },
      { found, wanted: acceptable[0] ?? name },
    )
  const [signature, keyHash] = await Promise.all([verifyCsrSignature(hidden.subtle, unverified), sha256(hidden.subtle, unverified.publicKeyDer)])
  if (signature !== 'valid') {
    const reason = 'unsupported' in signatureAlgorithm ? `algorithm ${signatureAlgorithm.unsupported}` : 'not by its own key'
    throw new EtcdRbacError(
      'ERR_CSR_SIGNATURE',
      { found: `a CSR for ${quoted(name)} whose signature is ${reason}`, wanted: 'a SHA-2 signature by the key that it holds', fix: 'have it made again' },
      { reason },
    )
  }
  return { key: publicKey.key, keyHash: toHex(keyHash), unverified }
}
