/**
 * Certificate revocation lists that are read (RFC 5280 §5), ours or others', strictly and in time linear in their length.
 *
 * That a list is partial, indirect or a delta shows in a critical extension, which whoever relies on it must refuse (§5.2.4, §5.2.5, §5.3.3).
 */
import { compareBytes } from '../../bytes.js'
import { readSignatureAlgorithm, type SignatureAlgorithm } from './algorithms.js'
import { crlReasons, EXTENSION_OF_REASON, type CrlEntry, type CrlReason } from './crl.js'
import { contents, CRL_LIMITS, encoded, readDer, type DerValue } from './der.js'
import { readExtensions, type Extension } from './extensions.js'
import { dateOf, fieldsOf, naturalInteger, onlyChild, wholeBits } from './fields.js'
import { readName, type NameAttribute } from './name.js'
import { AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER, INVALIDITY_DATE, oidName, REASON_CODE } from './oids.js'
import { refuseDer } from './refuse.js'

/** What a list says. Nothing of it is verified. */
export interface UnverifiedCrl {
  readonly version: 1 | 2
  readonly issuer: readonly NameAttribute[]
  readonly issuerDer: Uint8Array
  readonly thisUpdate: Date
  readonly nextUpdate: Date | undefined
  readonly entries: readonly CrlEntry[]
  readonly number: bigint | undefined
  readonly authorityKeyId: Uint8Array | undefined
  /** Critical extensions of the list and of its entries that are not understood here, by name. */
  readonly unknownCritical: readonly string[]
  readonly signed: Uint8Array
  readonly signatureAlgorithm: { readonly algorithm: SignatureAlgorithm } | { readonly unsupported: string }
  readonly signature: Uint8Array
}

/**
 * Reads a list.
 *
 * @throws {@link EtcdRbacError} `ERR_DER_INVALID`
 */
export function readCrl(der: Uint8Array): UnverifiedCrl {
  const outer = fieldsOf(readDer(der, CRL_LIMITS), 'revocation list')
  const tbs = outer.take(0x30, 'part that is signed')
  const outerAlgorithm = outer.take(0x30, 'signature algorithm')
  const signature = wholeBits(outer.take(0x03, 'signature'), 'signature')
  outer.end()

  const fields = fieldsOf(tbs, 'revocation list')
  const version = fields.optional(0x02)
  if (version !== undefined && (contents(version).length !== 1 || contents(version)[0] !== 1)) return refuseDer(version.start, 'a revocation list of another version than 2')
  const algorithm = fields.take(0x30, 'signature algorithm')
  // Byte for byte (§5.1.1.2): only the inner one is signed.
  if (compareBytes(encoded(algorithm), encoded(outerAlgorithm)) !== 0) return refuseDer(outerAlgorithm.start, 'a revocation list whose two signature algorithms differ')
  const issuer = fields.take(0x30, 'issuer')
  // A list is somebody's (§5.1.2.3).
  if (issuer.children.length === 0) return refuseDer(issuer.start, 'a revocation list without issuer')
  const thisUpdate = dateOf(fields.any('thisUpdate'))
  const next = fields.optional(0x17) ?? fields.optional(0x18)
  const revoked = fields.optional(0x30)
  if (revoked?.children.length === 0) return refuseDer(revoked.start, 'an empty list of revoked certificates, which must be left out')
  const wrapped = fields.optional(0xa0)
  fields.end()
  if (wrapped !== undefined && version === undefined) return refuseDer(wrapped.start, 'extensions in a revocation list of version 1')

  const unknownCritical = new Set<string>()
  const entries = (revoked?.children ?? []).map((entry) => readEntry(entry, version !== undefined, unknownCritical))
  const extensions = wrapped === undefined ? [] : readExtensions(onlyChild(wrapped))
  for (const { oid, critical, value } of extensions) {
    // Go reads no list in which it is (§5.2.1).
    if (critical && oid === AUTHORITY_KEY_IDENTIFIER) return refuseDer(value.start, 'a critical authorityKeyIdentifier')
    if (critical && oid !== CRL_NUMBER) unknownCritical.add(oidName(oid))
  }
  return {
    version: version === undefined ? 1 : 2,
    issuer: readName(issuer),
    issuerDer: encoded(issuer),
    thisUpdate,
    nextUpdate: next === undefined ? undefined : dateOf(next),
    entries,
    number: numberOf(valueOf(extensions, CRL_NUMBER)),
    authorityKeyId: keyIdOf(valueOf(extensions, AUTHORITY_KEY_IDENTIFIER)),
    unknownCritical: [...unknownCritical],
    signed: encoded(tbs),
    signatureAlgorithm: readSignatureAlgorithm(algorithm),
    signature,
  }
}

function readEntry(value: DerValue, mayExtend: boolean, unknownCritical: Set<string>): CrlEntry {
  // By hand, since this is done for each of many: what `fieldsOf` would say is said where it is wrong.
  const [number, date, list, more] = value.children
  if (value.tag !== 0x30 || number?.tag !== 0x02 || date === undefined || more !== undefined || (list !== undefined && list.tag !== 0x30))
    return refuseDer(value.start, 'a revoked certificate that is not a serial number, a date, and extensions or none')
  const serial = naturalInteger(number, 'serial number')
  const revokedAt = dateOf(date)
  if (list === undefined) return { serial, revokedAt, reason: undefined, der: encoded(value) }
  const alone = reasonAlone(list)
  if (mayExtend && alone !== undefined) return { serial, revokedAt, reason: alone, der: encoded(value) }
  if (!mayExtend) return refuseDer(list.start, 'extensions in a revocation list of version 1')
  const extensions = readExtensions(list)
  for (const { oid, critical } of extensions) if (critical && oid !== REASON_CODE && oid !== INVALIDITY_DATE) unknownCritical.add(oidName(oid))
  return { serial, revokedAt, reason: reasonOf(valueOf(extensions, REASON_CODE)), der: encoded(value) }
}

const valueOf = (extensions: readonly Extension[], oid: string): DerValue | undefined => extensions.find((extension) => extension.oid === oid)?.value

function numberOf(extension: DerValue | undefined): bigint | undefined {
  if (extension === undefined) return undefined
  const value = readDer(contents(extension))
  const digits = contents(value)
  // At most 20 octets (§5.2.3). Zero is a number.
  if (value.tag !== 0x02 || (digits[0] ?? 0x80) >= 0x80 || digits.length > 20) return refuseDer(extension.start, 'a cRLNumber that is none')
  return digits.reduce((number, octet) => (number << 8n) | BigInt(octet), 0n)
}

function keyIdOf(extension: DerValue | undefined): Uint8Array | undefined {
  if (extension === undefined) return undefined
  const fields = fieldsOf(readDer(contents(extension)), 'authorityKeyIdentifier')
  const id = fields.optional(0x80)
  fields.optional(0xa1)
  fields.optional(0x82)
  fields.end()
  return id === undefined ? undefined : contents(id)
}

/** The reason where the extensions are a reason in its usual form, as nearly all are: looking into them would take longer than all the rest. */
function reasonAlone(list: DerValue): CrlReason | undefined {
  const bytes = encoded(list)
  const reason = byCode.get(bytes.at(-1) ?? -1)
  return reason !== undefined && compareBytes(bytes, EXTENSION_OF_REASON[reason]) === 0 ? reason : undefined
}

const byCode: ReadonlyMap<number, CrlReason> = /* @__PURE__ */ new Map(Object.entries(crlReasons).map(([name, code]) => [code, name as CrlReason]))

function reasonOf(extension: DerValue | undefined): CrlReason | undefined {
  if (extension === undefined) return undefined
  const value = readDer(contents(extension))
  const [code = -1] = contents(value)
  const reason = value.tag === 0x0a && contents(value).length === 1 ? byCode.get(code) : undefined
  return reason ?? refuseDer(extension.start, 'a reasonCode that is none')
}
