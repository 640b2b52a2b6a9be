/** As whom the caller is connected, and whether that would still open the door once auth is on. */
import { quoted } from '../errors.js'
import { checkFields } from '../known-fields.js'
import { visible } from './visible.js'

/** What a certificate says of its holder, as far as auth needs it. What the pki functions issue and inspect fits. */
export interface CertificateFacts {
  readonly commonName?: string | undefined
  readonly usages: readonly string[]
  /** A date, or one as `toISOString` writes it. */
  readonly notBefore: Date | string
  readonly notAfter: Date | string
}

/** The user as whom the backend's client is connected, and its certificate if it logs in by one. */
export interface Identity {
  readonly user: string
  readonly certificate?: CertificateFacts
}

/** Why the identity's certificate would not log in as its user. */
export function identityProblems({ user, certificate }: Identity, now: Date): readonly string[] {
  if (certificate === undefined) return []
  const problems: string[] = []
  if (certificate.commonName !== user) problems.push(`your certificate has the Common Name ${quoted(certificate.commonName ?? '')}, not ${quoted(user)}: connect with the certificate of user ${visible(user)}`)
  if (!certificate.usages.includes('clientAuth')) problems.push(`your certificate is not for client authentication: issue one with clientAuth for user ${visible(user)}`)
  const [from, to] = [new Date(certificate.notBefore), new Date(certificate.notAfter)]
  if (Number.isNaN(from.getTime()) || Number.isNaN(to.getTime())) problems.push('the validity of your certificate is no date: inspect the certificate again')
  else if (now.getTime() < from.getTime()) problems.push(`your certificate is valid only from ${from.toISOString()}: wait, or issue one that is backdated`)
  else if (now.getTime() > to.getTime()) problems.push(`your certificate expired on ${to.toISOString()}: renew it`)
  return problems
}

/**
 * Refuses what names nobody, and a certificate of which nothing is known: its text, say.
 *
 * @throws `TypeError`
 */
export function checkIdentity(identity: unknown): void {
  const { user, certificate } = (identity ?? {}) as Partial<Record<keyof Identity, unknown>>
  if (typeof user !== 'string' || user === '') throw new TypeError('identity.user must name the user as whom the client is connected')
  checkFields(identity, ['user', 'certificate'], 'the fields of identity')
  if (certificate !== undefined && !isCertificate(certificate)) throw new TypeError('identity.certificate must be what issueClient or inspectCertificate gave: commonName, usages, notBefore and notAfter')
}

function isCertificate(given: unknown): given is CertificateFacts {
  const { commonName, usages, notBefore, notAfter } = (given ?? {}) as Partial<Record<keyof CertificateFacts, unknown>>
  const isNamed = commonName === undefined || typeof commonName === 'string'
  return isNamed && Array.isArray(usages) && usages.every((usage) => typeof usage === 'string') && isDate(notBefore) && isDate(notAfter)
}

/** Of any realm, or as JSON has it. */
function isDate(given: unknown): boolean {
  if (typeof given === 'string') return !Number.isNaN(Date.parse(given))
  return typeof given === 'object' && given !== null && 'toISOString' in given
}
