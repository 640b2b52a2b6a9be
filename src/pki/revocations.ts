/** What a revocation list is asked to hold, checked and merged: one entry for each serial number. */
import { toHex } from '../bytes.js'
import { EtcdRbacError, quoted } from '../errors.js'
import { checkFields } from '../known-fields.js'
import { crlReasons, MOST_ENTRIES, type CrlEntry, type CrlReason } from './asn1/crl.js'
import { checkedRecords } from './checked-records.js'
import type { IssuanceRecord } from './record.js'
import { isOf } from './rotation-plan.js'

/**
 * Why a certificate is revoked (RFC 5280 §5.3.1). Leave it away rather than say `unspecified`; a certificate is not put on hold here, and none is taken
 * off a list again before it has expired.
 */
export type RevocationReason = Exclude<CrlReason, 'unspecified' | 'certificateHold' | 'removeFromCRL'>

/** A certificate to revoke. */
export interface Revocation {
  /** Its record; where there is none, its serial number in hex, as `inspectCertificate` gives it. */
  readonly certificate: IssuanceRecord | { readonly serial: string }
  /** Since when it is not to be trusted. Not in the future: etcd refuses whatever is on the list, whatever date stands there. */
  readonly revokedAt: Date
  readonly reason?: RevocationReason
}

/** A certificate on a list. */
export interface RevokedCertificate {
  /** The serial number, lower-case hex without leading zero bytes, as in a record. */
  readonly serial: string
  /** ISO 8601 in UTC. */
  readonly revokedAt: string
  readonly reason?: CrlReason
}

/** Whose certificates a list is about. */
export interface RevocationScope {
  readonly name: string
  readonly keyId: string
  readonly thisUpdate: Date
  /** Whether records of other authorities may be on it. */
  readonly others: boolean
}

const reasons: readonly string[] = Object.keys(crlReasons).filter((reason) => !['unspecified', 'certificateHold', 'removeFromCRL'].includes(reason))

/**
 * The entries of revocations.
 *
 * @throws {@link EtcdRbacError} `ERR_RECORD_INVALID`, `ERR_CRL_INVALID`
 */
export function revocationEntries(revoked: readonly Revocation[], scope: RevocationScope): readonly CrlEntry[] {
  if (!Array.isArray(revoked)) throw new TypeError('revoked must be a list of { certificate, revokedAt, reason }')
  const list = revoked as readonly Revocation[]
  for (const one of list) checkFields(one, ['certificate', 'revokedAt', 'reason'], 'revocations')
  checkedRecords(list.map(({ certificate }) => certificate).filter((certificate: unknown) => !isSerialOnly(certificate)))
  return list.map(({ certificate, revokedAt, reason }) => {
    const serial = serialBytes(certificate.serial)
    if (!(revokedAt instanceof Date) || Number.isNaN(revokedAt.getTime())) throw new TypeError('revokedAt must be a valid Date')
    if (reason !== undefined && typeof reason !== 'string') throw new TypeError('a reason must be a string, or left away')
    if (reason !== undefined && !reasons.includes(reason))
      throw crlError(`reason ${quoted(reason)}`, `one of ${reasons.join(', ')}, or none`, 'choose one of these', 'an unknown reason')
    // Whole seconds, as the list's own date has them: what is revoked now is not revoked later than that.
    const since = new Date(Math.floor(revokedAt.getTime() / 1000) * 1000)
    if (since > scope.thisUpdate)
      throw crlError(`a certificate revoked at ${revokedAt.toISOString()}, after the list itself`, 'a date that has come', 'revoke it when it is to be refused: etcd looks at no date', 'a future revocation')
    if (!scope.others && 'authorityKeyId' in certificate && !isOf(certificate, scope))
      throw crlError(
        `the certificate of ${quoted(certificate.authority)} (key ${certificate.authorityKeyId || 'unknown'}) with serial ${certificate.serial}`,
        `certificates of ${quoted(scope.name)} (key ${scope.keyId})`,
        "make a list with that authority, or pass otherAuthorities: 'etcd compares serial numbers only'",
        'a certificate of another authority',
      )
    return { serial, revokedAt: since, reason }
  })
}

/** One entry for each serial number: since the earlier date, for the reason that was given first; being on hold is none. */
export function mergeEntries(entries: readonly CrlEntry[]): readonly CrlEntry[] {
  const merged = new Map<string, CrlEntry>()
  for (const entry of entries) {
    const key = toHex(entry.serial)
    const known = merged.get(key)
    merged.set(key, known === undefined ? entry : merge(known, entry))
  }
  if (merged.size > MOST_ENTRIES) throw crlError(`${merged.size} revoked certificates`, `at most ${MOST_ENTRIES}`, 'drop what has expired, or begin anew with another authority', 'too many entries')
  return [...merged.values()]
}

function merge(first: CrlEntry, second: CrlEntry): CrlEntry {
  const revokedAt = second.revokedAt < first.revokedAt ? second.revokedAt : first.revokedAt
  const reason = first.reason === undefined || (first.reason === 'certificateHold' && second.reason !== undefined) ? second.reason : first.reason
  // As it stood, where nothing changes: it may say more than is read here.
  return revokedAt === first.revokedAt && reason === first.reason ? first : { serial: first.serial, revokedAt, reason }
}

/** How an entry is shown. */
export function revokedOf({ serial, revokedAt, reason }: CrlEntry): RevokedCertificate {
  return { serial: toHex(serial), revokedAt: revokedAt.toISOString(), ...(reason === undefined ? {} : { reason }) }
}

/** The magnitude of a serial number in hex. */
export function serialBytes(serial: string): Uint8Array {
  if (typeof serial !== 'string') throw new TypeError('a serial number must be a string of hex digits')
  const digits = serial.replace(/^0+(?=.)/, '')
  // RFC 5280 §4.1.2.2: at most 20 octets; zero is not ours to give, and to be dealt with.
  if (!/^[0-9a-f]{1,40}$/.test(digits))
    throw crlError(`serial number ${quoted(serial)}`, 'a number of at most 40 lower-case hex digits', 'take it from a record or from inspectCertificate', 'no serial number')
  const even = digits.length % 2 === 0 ? digits : `0${digits}`
  return Uint8Array.from({ length: even.length / 2 }, (_, at) => Number.parseInt(even.slice(2 * at, 2 * at + 2), 16))
}

/** The error of a list that cannot be made or gone on with. */
export function crlError(found: string, wanted: string, fix: string, reason: string = found): EtcdRbacError<'ERR_CRL_INVALID'> {
  return new EtcdRbacError('ERR_CRL_INVALID', { found, wanted, fix }, { reason })
}

/** A table of a serial number and nothing else is no record, and says so. */
function isSerialOnly(certificate: unknown): boolean {
  return typeof certificate === 'object' && certificate !== null && Object.keys(certificate).join() === 'serial'
}
