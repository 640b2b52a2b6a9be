/** Dates of certificates (RFC 5280 §4.1.2.5): UTCTime through 2049, GeneralizedTime from 2050, whole seconds, always `Z`. */
import { utf8 } from '../../bytes.js'
import { tlv } from './write.js'

/** The encoding of a date. Fractions of a second are not representable: callers pass whole seconds. */
export function encodeTime(date: Date): Uint8Array {
  const text = `${date.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`
  const year = date.getUTCFullYear()
  return year >= 1950 && year < 2050 ? tlv(0x17, utf8(text.slice(2))) : tlv(0x18, utf8(text))
}

/** The date of the content of a UTCTime, or `undefined`. Two-digit years are 1950 to 2049. */
export function readUtcTime(content: Uint8Array): Date | undefined {
  const year = pair(content, 0)
  return content.length === 13 ? dateOf((year < 50 ? 2000 : 1900) + year, content, 2) : undefined
}

/** The date of the content of a GeneralizedTime without fraction, or `undefined`. */
export function readGeneralizedTime(content: Uint8Array): Date | undefined {
  return content.length === 15 ? dateOf(pair(content, 0) * 100 + pair(content, 2), content, 4) : undefined
}

/** The number of two digits; NaN where they are none. */
function pair(content: Uint8Array, at: number): number {
  const tens = (content[at] ?? 0) - 0x30
  const ones = (content[at + 1] ?? 0) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN
}

/** Month to second from `at` on, then `Z`. Without text in between: revocation lists hold dates by the hundred thousand. */
function dateOf(year: number, content: Uint8Array, at: number): Date | undefined {
  const [month, day, hour, minute, second] = [pair(content, at), pair(content, at + 2), pair(content, at + 4), pair(content, at + 6), pair(content, at + 8)]
  if (content[at + 10] !== 0x5a || !(hour < 24 && minute < 60 && second < 60)) return undefined
  const date = new Date(0)
  // Not Date.UTC, to which the year 50 is 1950.
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  // Read back, since 30 February rolls over to March; NaN is no date at all.
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date : undefined
}
