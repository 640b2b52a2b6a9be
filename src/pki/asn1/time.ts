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
  if (content.length !== 13) return undefined
  const text = String.fromCharCode(...content)
  return dateOf((text < '50' ? '20' : '19') + text)
}

/** The date of the content of a GeneralizedTime without fraction, or `undefined`. */
export function readGeneralizedTime(content: Uint8Array): Date | undefined {
  return content.length === 15 ? dateOf(String.fromCharCode(...content)) : undefined
}

function dateOf(text: string): Date | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  if (parts === null) return undefined
  const [, year, month, day, hour, minute, second] = parts
  const iso = `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}.000Z`
  const date = new Date(iso)
  // Read back, since `new Date` rolls 30 February over to March.
  return !Number.isNaN(date.getTime()) && date.toISOString() === iso ? date : undefined
}
