/** The certificate revocation list that we write (RFC 5280 §5): complete, of version 2, by the issuer of the certificates itself. */
import { joinBytes } from '../../bytes.js'
import { AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER, REASON_CODE } from './oids.js'
import { encodeTime } from './time.js'
import { objectIdentifier, octetString, sequence, smallInteger, tagged, taggedPrimitive, tlv, unsignedInteger } from './write.js'

/** Why a certificate was revoked, as a list may say. */
export type CrlReason =
  | 'unspecified' | 'keyCompromise' | 'cACompromise' | 'affiliationChanged' | 'superseded' | 'cessationOfOperation' | 'certificateHold' | 'removeFromCRL' | 'privilegeWithdrawn' | 'aACompromise'

/** Reasons by their code (§5.3.1). Seven is unused. */
export const crlReasons: Readonly<Record<CrlReason, number>> = {
  unspecified: 0, keyCompromise: 1, cACompromise: 2, affiliationChanged: 3, superseded: 4, cessationOfOperation: 5, certificateHold: 6, removeFromCRL: 8, privilegeWithdrawn: 9, aACompromise: 10,
}

/** One revoked certificate. */
export interface CrlEntry {
  /** The magnitude of the serial number, without leading zero. */
  readonly serial: Uint8Array
  readonly revokedAt: Date
  readonly reason: CrlReason | undefined
  /** The entry as it stands in the list that was read, which is how it goes into the next. */
  readonly der?: Uint8Array
}

/** What certainly fits: an entry of the longest serial number, with a reason, takes 56 bytes. */
export const MOST_ENTRIES = 250_000

/** The list of extensions of an entry with a reason and nothing else. */
export const EXTENSION_OF_REASON: Readonly<Record<CrlReason, Uint8Array>> = /* @__PURE__ */ (() => {
  const encode = (code: number): Uint8Array => sequence(sequence(objectIdentifier(REASON_CODE), octetString(tlv(0x0a, Uint8Array.of(code)))))
  return Object.fromEntries(Object.entries(crlReasons).map(([name, code]) => [name, encode(code)])) as Record<CrlReason, Uint8Array>
})()

/** Entries; `unspecified` is said by leaving the reason out (§5.3.1). */
function encodeEntries(entries: readonly CrlEntry[]): readonly Uint8Array[] {
  // Many are revoked at once.
  const times = new Map<number, Uint8Array>()
  const timeOf = (date: Date): Uint8Array => {
    const time = times.get(date.getTime()) ?? encodeTime(date)
    times.set(date.getTime(), time)
    return time
  }
  return entries.map(({ serial, revokedAt, reason, der }) => {
    if (der !== undefined) return der
    return reason === undefined ? sequence(unsignedInteger(serial), timeOf(revokedAt)) : sequence(unsignedInteger(serial), timeOf(revokedAt), EXTENSION_OF_REASON[reason])
  })
}

/** The part of a list that is signed. `signedBy` is the algorithm and the issuer's name, encoded beforehand. */
export function tbsCrl(parts: {
  readonly signedBy: Uint8Array
  readonly thisUpdate: Date
  readonly nextUpdate: Date
  readonly entries: readonly CrlEntry[]
  readonly keyId: Uint8Array
  readonly number: bigint
}): Uint8Array {
  const list = parts.entries.length === 0 ? [] : [sequence(joinBytes(encodeEntries(parts.entries)))]
  const digits = parts.number.toString(16)
  const number = unsignedInteger(Uint8Array.from((digits.length % 2 === 0 ? digits : `0${digits}`).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)))
  return sequence(
    smallInteger(1),
    parts.signedBy,
    encodeTime(parts.thisUpdate),
    encodeTime(parts.nextUpdate),
    // With no entry it must be absent, not empty (§5.1.2.6).
    ...list,
    tagged(0, sequence(
      sequence(objectIdentifier(AUTHORITY_KEY_IDENTIFIER), octetString(sequence(taggedPrimitive(0, parts.keyId)))),
      sequence(objectIdentifier(CRL_NUMBER), octetString(number)),
    )),
  )
}
