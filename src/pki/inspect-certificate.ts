/** What a certificate from anywhere says: plain data, in the words of the issuance record. Nothing of it is verified. */
import { toHex } from '../bytes.js'
import { EtcdRbacError, quoted } from '../errors.js'
import type { WebCryptoLike } from '../platform.js'
import { signatureAlgorithmOf } from './asn1/algorithms.js'
import type { ExtendedUsage } from './asn1/certificate.js'
import { CLIENT_AUTH, oidName, SERVER_AUTH } from './asn1/oids.js'
import { certificateError, knownExtensions, readCertificate } from './asn1/read-certificate.js'
import { commonNamesOf } from './asn1/name.js'
import { hostOfAddress } from './hosts.js'
import { labelOf } from './label.js'
import { readPem, type PemInput } from './pem.js'
import type { CommonRecord, IssuanceRecord } from './record.js'
import { sha256, subtleOf } from './subtle.js'

/** The facts of a certificate. What has the name of a field of {@link IssuanceRecord} means the same. */
export interface InspectedCertificate {
  readonly serial: string
  /** Every Common Name of the subject. etcd takes the last of several for the user. Unreadable text is the empty string. */
  readonly commonNames: readonly string[]
  /** The Common Name, where there is exactly one. */
  readonly commonName?: string
  /** The Common Name of the issuer, empty where it has not exactly one. */
  readonly authority: string
  /** The key identifier of the issuer, as this certificate gives it. */
  readonly authorityKeyId?: string
  /** Its own key identifier. */
  readonly keyId?: string
  readonly keyHash: string
  readonly keyAlgorithm: string
  /** What is wrong with the key, where it could not be certified here: weak, of an unknown kind, no point of its curve. */
  readonly keyProblem?: string
  readonly signatureAlgorithm: string
  /** Whether it is an authority's: basicConstraints CA:TRUE. */
  readonly isAuthority: boolean
  /** clientAuth and serverAuth, as far as the extended key usage has them; empty also where it has none, which allows everything. */
  readonly usages: readonly ExtendedUsage[]
  /** Every extended key usage by name, absent where the certificate has no such extension. */
  readonly extendedKeyUsage?: readonly string[]
  readonly hosts: readonly string[]
  readonly uris: readonly string[]
  /** The label that `issueClient` put into it. */
  readonly label?: string
  readonly notBefore: string
  readonly notAfter: string
  /** Critical extensions that are not understood here: etcd refuses some of them. */
  readonly unknownCritical: readonly string[]
}

/**
 * Reads a certificate.
 *
 * @throws {@link EtcdRbacError} `ERR_PEM_INVALID`, `ERR_DER_INVALID`, `ERR_CERTIFICATE_INVALID`, `ERR_CRYPTO_UNUSABLE`
 * @example
 * ```ts
 * import { inspectCertificate } from 'etcd-rbac'
 * declare const fileContent: string
 * const { commonNames, notAfter } = await inspectCertificate(crypto, fileContent)
 * ```
 */
export async function inspectCertificate(crypto: WebCryptoLike, pem: PemInput<'certificate'>): Promise<InspectedCertificate> {
  const subtle = subtleOf(crypto)
  const read = readCertificate(readPem('certificate', pem))
  const commonNames = commonNamesOf(read.subject)
  const issuerNames = commonNamesOf(read.issuer)
  const extended = read.extendedKeyUsage
  const uris = read.alternativeNames.flatMap((name) => (name.kind === 'uri' ? [name.text] : []))
  const label = uris.map(labelOf).find((found) => found !== undefined)
  const { publicKey } = read
  const keyProblem = publicKey.ok ? undefined : `wanted ${publicKey.wanted}`
  return {
    serial: toHex(read.serial).replace(/^(?:00)+(?=..)/, ''),
    commonNames,
    ...(commonNames.length === 1 ? { commonName: commonNames[0] ?? '' } : {}),
    authority: issuerNames.length === 1 ? (issuerNames[0] ?? '') : '',
    ...(read.authorityKeyId === undefined ? {} : { authorityKeyId: toHex(read.authorityKeyId) }),
    ...(read.subjectKeyId === undefined ? {} : { keyId: toHex(read.subjectKeyId) }),
    keyHash: toHex(await sha256(subtle, read.publicKeyDer)),
    keyAlgorithm: read.publicKey.algorithm,
    ...(keyProblem === undefined ? {} : { keyProblem }),
    signatureAlgorithm: signatureAlgorithmOf(read.signatureAlgorithm) ?? oidName(read.signatureAlgorithm),
    isAuthority: read.basicConstraints?.ca === true,
    usages: [...(extended?.includes(SERVER_AUTH) === true ? ['serverAuth' as const] : []), ...(extended?.includes(CLIENT_AUTH) === true ? ['clientAuth' as const] : [])],
    ...(extended === undefined ? {} : { extendedKeyUsage: extended.map(oidName) }),
    hosts: read.alternativeNames.flatMap((name) => (name.kind === 'dns' ? [name.text.toLowerCase()] : name.kind === 'ip' ? [hostOfAddress(name.address) ?? toHex(name.address)] : [])),
    uris,
    ...(label === undefined ? {} : { label }),
    notBefore: isoOf(read.notBefore),
    notAfter: isoOf(read.notAfter),
    unknownCritical: read.extensions.filter(({ oid, critical }) => critical && !knownExtensions.includes(oid)).map(({ oid }) => oidName(oid)),
  }
}

/** What a certificate that was inspected is for: data that is not written in it. */
export type CertificateRole =
  | { readonly purpose: 'client'; readonly user: string }
  | { readonly purpose: 'server' | 'peer'; readonly member: string }
  | { readonly purpose: 'gateway'; readonly uri: string }

/**
 * The record of a certificate that has none, such as one that another tool made: for `planMaterial`.
 *
 * @throws {@link EtcdRbacError} `ERR_CERTIFICATE_INVALID` where the certificate cannot be what the role says: another Common Name, several, any for a gateway, another
 * URI, an authority
 * @example
 * ```ts
 * import { inspectCertificate, recordOf } from 'etcd-rbac'
 * declare const fileContent: string
 * const record = recordOf(await inspectCertificate(crypto, fileContent), { purpose: 'client', user: 'calico-node' })
 * ```
 */
export function recordOf(facts: InspectedCertificate, role: CertificateRole): IssuanceRecord {
  const wrong = (reason: string, found: string, wanted: string): EtcdRbacError<'ERR_CERTIFICATE_INVALID'> =>
    new EtcdRbacError('ERR_CERTIFICATE_INVALID', { found, wanted, fix: 'see whether the right file was passed' }, { reason })
  checkRole(facts, role)
  if (facts.isAuthority) throw certificateError('it is an authority', 'a leaf certificate')
  const { commonNames } = facts
  if (role.purpose === 'gateway' && commonNames.length > 0)
    throw wrong('another Common Name', `a certificate with Common Name ${commonNames.slice(0, 4).map(quoted).join(' and ')}`, 'none: etcd takes it for the user, and a gateway is nobody')
  if (commonNames.length > 1 || (role.purpose === 'client' && facts.commonName !== role.user))
    throw wrong(
      'another Common Name',
      `a certificate with Common Name ${commonNames.slice(0, 4).map(quoted).join(' and ') || '(none)'}`,
      role.purpose === 'client' ? `exactly ${quoted(role.user)}` : 'at most one: etcd takes the last of several for the user',
    )
  if (role.purpose === 'gateway' && !facts.uris.includes(role.uri))
    throw wrong('another URI', `a certificate with the URIs ${facts.uris.slice(0, 4).map(quoted).join(' and ') || '(none)'}`, `${quoted(role.uri)} among them`)
  const { serial, keyHash, keyAlgorithm, authority, authorityKeyId = '', usages, extendedKeyUsage = [], commonName, notBefore, notAfter, label } = facts
  const otherUsages = extendedKeyUsage.filter((usage) => !(usages as readonly string[]).includes(usage))
  const common: CommonRecord = {
    serial, keyHash, keyAlgorithm, authority, authorityKeyId, usages, ...(otherUsages.length === 0 ? {} : { otherUsages }), ...(commonName === undefined ? {} : { commonName }), notBefore, notAfter,
  }
  // A client's or gateway's certificate of ours is for no host.
  const hosts = facts.hosts.length === 0 ? {} : { hosts: facts.hosts }
  if (role.purpose === 'client') return { purpose: 'client', user: role.user, ...(label === undefined ? {} : { label }), ...hosts, ...common }
  if (role.purpose === 'gateway') return { purpose: 'gateway', uri: role.uri, ...hosts, ...common }
  return { purpose: role.purpose, member: role.member, hosts: facts.hosts, ...common }
}

/** Which field of a role says who it is. */
const namedBy = { client: 'user', server: 'member', peer: 'member', gateway: 'uri' } as const

function checkRole(facts: InspectedCertificate, role: CertificateRole): void {
  const given = facts as Partial<InspectedCertificate> | null | undefined
  if (!Array.isArray(given?.commonNames) || !Array.isArray(given.uris) || !Array.isArray(given.hosts)) throw new TypeError('the facts of a certificate must be those that inspectCertificate gives')
  const { purpose, ...names } = (role as Readonly<Record<string, unknown>> | null | undefined) ?? {}
  const field = typeof purpose === 'string' && Object.hasOwn(namedBy, purpose) ? namedBy[purpose as CertificateRole['purpose']] : undefined
  if (field === undefined || typeof names[field] !== 'string') throw new TypeError('a role must be { purpose, user } of a client, { purpose, member } of a server or peer, or { purpose, uri } of a gateway')
}

function isoOf(date: Date): string {
  if (Number.isNaN(date.getTime())) throw certificateError('an unreadable date')
  return date.toISOString()
}
