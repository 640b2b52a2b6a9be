/** The parts of a certificate as its form has them (RFC 5280 §4.1). Nothing is verified, and no extension is looked into. */
import type { DerValue } from './der.js'
import { fieldsOf } from './fields.js'

/** The parts. */
export interface CertificateParts {
  /** What is signed. */
  readonly tbs: DerValue
  /** The algorithm beside the signature, which nobody signed. */
  readonly outerAlgorithm: DerValue
  readonly signature: DerValue
  readonly algorithm: DerValue
  readonly issuer: DerValue
  readonly subject: DerValue
  readonly publicKey: DerValue
  readonly extensions: readonly DerValue[]
}

/** @throws {@link EtcdRbacError} `ERR_DER_INVALID` for any other form */
export function certificateParts(value: DerValue): CertificateParts {
  const outer = fieldsOf(value, 'certificate')
  const tbs = outer.take(0x30, 'part that is signed')
  const outerAlgorithm = outer.take(0x30, 'signature algorithm')
  const signature = outer.take(0x03, 'signature')
  outer.end()
  const inner = fieldsOf(tbs, 'certificate')
  inner.optional(0xa0)
  inner.take(0x02, 'serial number')
  const algorithm = inner.take(0x30, 'signature algorithm')
  const issuer = inner.take(0x30, 'issuer')
  inner.take(0x30, 'validity')
  const subject = inner.take(0x30, 'subject')
  const publicKey = inner.take(0x30, 'public key')
  // The unique identifiers of version 2 are obsolete, and allowed.
  inner.optional(0x81)
  inner.optional(0x82)
  const extensions = inner.optional(0xa3)?.children[0]?.children ?? []
  inner.end()
  return { tbs, outerAlgorithm, signature, algorithm, issuer, subject, publicKey, extensions }
}
