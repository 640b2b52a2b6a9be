/** The revocation list after another (RFC 5280 §5): what was revoked stays revoked, and the number goes up. */
import { toHex } from '../bytes.js'
import { quoted } from '../errors.js'
import { checkFields } from '../known-fields.js'
import type { CrlEntry } from './asn1/crl.js'
import { commonNamesOf } from './asn1/name.js'
import { readCrl } from './asn1/read-crl.js'
import { insideOfAny, type Authority } from './authority.js'
import { checkedRecords } from './checked-records.js'
import { checkCrlRequest, signCrl, type CrlRequest, type IssuedCrl } from './create-crl.js'
import { crlBytes, crlSignature } from './inspect-crl.js'
import type { PemInput } from './pem.js'
import type { IssuanceRecord } from './record.js'
import { crlError, mergeEntries, serialBytes, type Revocation } from './revocations.js'
import { isOf } from './rotation-plan.js'

/** What the next list holds more. */
export interface CrlUpdate extends Pick<CrlRequest, 'validity' | 'otherAuthorities'> {
  /** Certificates to revoke as well. One that is on the list already keeps its reason, and the earlier of its dates. */
  readonly revoked?: readonly Revocation[]
  /**
   * Records by which entries are dropped: those whose certificate had expired when the previous list was made, so that each was on a list beyond its end
   * (§3.3). Default: nothing is dropped.
   */
  readonly dropExpired?: readonly IssuanceRecord[]
}

/**
 * Makes the next list from the previous one: its entries, and more. The previous one must be this authority's own, by name and signature, complete, and
 * not younger than the new one; its number is counted up (a list without number is followed by number 1). Keep the last list that you made, or read it
 * from the file that etcd reads: whoever could change that file could not make this go on from it.
 *
 * @throws {@link EtcdRbacError} `ERR_CRL_INVALID` for a previous list of another issuer, with a false signature, with critical extensions, younger than
 * the new one, with an entry that takes another back, or with the last number that there is; `ERR_PEM_INVALID`; otherwise as `createCrl`
 * @example
 * ```ts
 * import { days, updateCrl, type Authority, type IssuanceRecord } from 'etcd-rbac'
 * declare const clients: Authority<'client'>, fileContent: Uint8Array, records: readonly IssuanceRecord[], stolen: IssuanceRecord
 * const now = new Date()
 * const { der, number } = await updateCrl(clients, fileContent, {
 *   revoked: [{ certificate: stolen, revokedAt: now, reason: 'keyCompromise' }],
 *   dropExpired: records,
 *   validity: days(7).from(now),
 * })
 * ```
 */
export async function updateCrl(authority: Authority, previous: PemInput<'crl'> | Uint8Array, update: CrlUpdate): Promise<IssuedCrl> {
  checkFields(update, ['revoked', 'validity', 'dropExpired', 'otherAuthorities'], 'the options of updateCrl')
  const hidden = insideOfAny(authority)
  const { name, nameDer, subtle, signer } = hidden
  const { revoked = [] } = update
  const { validity, entries: added } = checkCrlRequest(hidden, { ...update, revoked })
  const ends = endsOf(update.dropExpired ?? [], update.otherAuthorities === undefined ? { name, keyId: toHex(hidden.keyId) } : undefined)

  const before = readCrl(crlBytes(previous))
  const wrong = (reason: string, wanted: string) => crlError(`a previous list of ${quoted(name)}: ${reason}`, wanted, 'pass the last list that this authority made', reason)
  const issuer = commonNamesOf(before.issuer).slice(0, 4).map(quoted).join(' and ') || 'nobody'
  const signature = await crlSignature(subtle, before, { nameDer, key: signer.key })
  if (signature !== 'valid') throw wrong(`issued by ${issuer}, its signature ${signature === 'invalid' ? 'not by the key of this authority' : 'of an algorithm that is not accepted'}`, 'its own')
  const [critical] = before.unknownCritical
  if (critical !== undefined) throw wrong(`critical extension ${critical}`, 'a complete list of its own certificates')
  if (before.entries.some(({ reason }) => reason === 'removeFromCRL')) throw wrong('an entry of reason removeFromCRL', 'a complete list: only a delta takes entries back')
  if (before.thisUpdate > validity.notBefore) throw wrong(`made at ${before.thisUpdate.toISOString()}, after the new one`, `one made until ${validity.notBefore.toISOString()}`)

  const kept = before.entries
    .filter(({ serial }) => !((ends.get(toHex(serial)) ?? Infinity) < before.thisUpdate.getTime()))
    // Left out rather than said (§5.3.1).
    .map((entry): CrlEntry => (entry.reason === 'unspecified' ? { serial: entry.serial, revokedAt: entry.revokedAt, reason: undefined } : entry))
  return signCrl(hidden, validity, mergeEntries([...kept, ...added]), (before.number ?? 0n) + 1n)
}

/**
 * When the certificate of each serial number ends; an unreadable date is no end. Other tools count from one under each authority, so records of another
 * say nothing of this one's numbers, and of two with the same number the later end counts.
 */
function endsOf(records: readonly IssuanceRecord[], authority: Parameters<typeof isOf>[1] | undefined): ReadonlyMap<string, number> {
  if (!Array.isArray(records)) throw new TypeError('dropExpired must be a list of issuance records')
  const ends = new Map<string, number>()
  for (const record of checkedRecords(records)) {
    if (authority !== undefined && !isOf(record, authority)) continue
    const key = toHex(serialBytes(record.serial))
    ends.set(key, Math.max(ends.get(key) ?? -Infinity, Date.parse(record.notAfter)))
  }
  return ends
}
