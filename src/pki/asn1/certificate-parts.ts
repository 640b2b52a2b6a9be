/** The parts of a certificate as its form has them (RFC 5280 §4.1). Nothing is verified, and no extension is looked into. */
import { contents, type DerValue } from './der.js'
import { dateOf, fieldsOf, onlyChild } from './fields.js'
import { checkPrimitive } from './primitive.js'
import { refuseDer } from './refuse.js'

/** The parts. */
export interface CertificateParts {
  /** What is signed. */
  readonly tbs: DerValue
  /** The algorithm beside the signature, which nobody signed. */
  readonly outerAlgorithm: DerValue
  readonly signature: DerValue
  readonly version: 1 | 2 | 3
  /** The content of the serial number. */
  readonly serial: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
  readonly algorithm: DerValue
  readonly issuer: DerValue
  readonly subject: DerValue
  readonly publicKey: DerValue
  /** The list of extensions, where there is one. */
  readonly extensions: DerValue | undefined
}

/** @throws {@link EtcdRbacError} `ERR_DER_INVALID` for any other form */
export function certificateParts(value: DerValue): CertificateParts {
  const outer = fieldsOf(value, 'certificate')
  const tbs = outer.take(0x30, 'part that is signed')
  const outerAlgorithm = outer.take(0x30, 'signature algorithm')
  const signature = outer.take(0x03, 'signature')
  outer.end()
  const inner = fieldsOf(tbs, 'certificate')
  const version = versionOf(inner.optional(0xa0))
  const serial = inner.take(0x02, 'serial number')
  // Go reads no certificate with a negative one.
  if ((contents(serial)[0] ?? 0x80) >= 0x80) return refuseDer(serial.start, 'a negative serial number')
  const algorithm = inner.take(0x30, 'signature algorithm')
  const issuer = inner.take(0x30, 'issuer')
  const validity = fieldsOf(inner.take(0x30, 'validity'), 'validity')
  const [notBefore, notAfter] = [dateOf(validity.any('beginning')), dateOf(validity.any('end'))]
  validity.end()
  const subject = inner.take(0x30, 'subject')
  const publicKey = inner.take(0x30, 'public key')
  // The unique identifiers of version 2 are obsolete, and allowed; nothing looks at them.
  for (const unique of [inner.optional(0x81), inner.optional(0x82)]) {
    if (unique === undefined) continue
    if (version === 1) return refuseDer(unique.start, 'a unique identifier in a certificate of version 1')
    checkPrimitive(0x03, contents(unique), unique.start)
  }
  const wrapped = inner.optional(0xa3)
  inner.end()
  if (wrapped !== undefined && version !== 3) return refuseDer(wrapped.start, 'extensions in a certificate of an old version')
  const extensions = wrapped === undefined ? undefined : onlyChild(wrapped)
  return { tbs, outerAlgorithm, signature, version, serial: contents(serial), notBefore, notAfter, algorithm, issuer, subject, publicKey, extensions }
}

/** Version 1 is the default, which DER leaves out. */
function versionOf(wrapped: DerValue | undefined): 1 | 2 | 3 {
  if (wrapped === undefined) return 1
  const number = onlyChild(wrapped)
  const [digit, more] = contents(number)
  if (number.tag !== 0x02 || more !== undefined || (digit !== 1 && digit !== 2)) return refuseDer(number.start, 'a certificate of another version than 1, 2 or 3')
  return digit === 1 ? 2 : 3
}
