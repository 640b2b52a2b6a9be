/** As whom the caller is connected, and whether that would still open the door once auth is on. */
import { quoted } from '../errors.js'

/** What a certificate says of its holder, as far as auth needs it. What the pki functions issue and inspect fits. */
export interface CertificateFacts {
  readonly commonName: string | undefined
  readonly usages: readonly string[]
  readonly notBefore: Date
  readonly notAfter: Date
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
  if (certificate.commonName !== user) problems.push(`your certificate has the Common Name ${quoted(certificate.commonName ?? '')}, not ${quoted(user)}: connect with the certificate of user ${user}`)
  if (!certificate.usages.includes('clientAuth')) problems.push(`your certificate is not for client authentication: issue one with clientAuth for user ${user}`)
  const [from, to] = [certificate.notBefore.getTime(), certificate.notAfter.getTime()]
  if (Number.isNaN(from) || Number.isNaN(to)) problems.push('the validity of your certificate is no date: inspect the certificate again')
  else if (now.getTime() < from) problems.push(`your certificate is valid only from ${certificate.notBefore.toISOString()}: wait, or issue one that is backdated`)
  else if (now.getTime() > to) problems.push(`your certificate expired on ${certificate.notAfter.toISOString()}: renew it`)
  return problems
}
