/** Reading a DER structure field by field, in the order of its ASN.1 definition, and the values of primitives. */
import { fromUtf8 } from '../../bytes.js'
import { contents, type DerValue } from './der.js'
import { refuseDer } from './refuse.js'
import { readGeneralizedTime, readUtcTime } from './time.js'

/** The fields of a structure, taken in order. `what` names the field in errors, never its content. */
export interface Fields {
  take(tag: number, what: string): DerValue
  /** The next field if it has that tag. */
  optional(tag: number): DerValue | undefined
  /** The next field, whatever it is. */
  any(what: string): DerValue
  end(): void
}

/** The fields of a SEQUENCE, or of another constructed value if its tag is given. */
export function fieldsOf(value: DerValue, what: string, tag = 0x30): Fields {
  if (value.tag !== tag) return refuseDer(value.start, `no ${what} where one should be`)
  let index = 0
  const any = (name: string): DerValue => value.children[index++] ?? refuseDer(value.end, `a ${what} without ${name}`)
  return {
    any,
    take(wanted, name) {
      const field = any(name)
      return field.tag === wanted ? field : refuseDer(field.start, `a ${what} without ${name}`)
    },
    optional(wanted) {
      const field = value.children[index]
      if (field?.tag !== wanted) return undefined
      index++
      return field
    },
    end() {
      const field = value.children[index]
      if (field !== undefined) refuseDer(field.start, `a ${what} with another field behind its last`)
    },
  }
}

/** What an EXPLICIT tag stands around: exactly one value. */
export function onlyChild(value: DerValue): DerValue {
  const [only, second] = value.children
  return only !== undefined && second === undefined ? only : refuseDer(value.start, 'an explicit tag around other than one value')
}

/** The dotted form of an OBJECT IDENTIFIER. Arcs are below 2^31: Go reads no greater ones, nor what they stand in. */
export function oidOf(value: DerValue): string {
  const arcs: number[] = []
  let arc = 0
  for (const octet of contents(value)) {
    arc = arc * 128 + (octet & 0x7f)
    if (arc > 0x7fff_ffff) return refuseDer(value.start, 'an OBJECT IDENTIFIER with a number beyond 31 bits')
    if (octet >= 0x80) continue
    if (arcs.length === 0) {
      const first = arc < 40 ? 0 : arc < 80 ? 1 : 2
      arcs.push(first, arc - first * 40)
    } else arcs.push(arc)
    arc = 0
  }
  return arcs.join('.')
}

/** The magnitude of a positive INTEGER, without leading zero. */
export function positiveInteger(value: DerValue, what: string): Uint8Array {
  const magnitude = naturalInteger(value, what)
  return magnitude[0] === 0 ? refuseDer(value.start, `a ${what} of zero`) : magnitude
}

/** The same of one that may be zero: one byte. */
export function naturalInteger(value: DerValue, what: string): Uint8Array {
  const content = contents(value)
  const [first = 0] = content
  if (first >= 0x80) return refuseDer(value.start, `a negative ${what}`)
  return first === 0 && content.length > 1 ? content.subarray(1) : content
}

/** A date in its only encoding: UTCTime through 2049 (RFC 5280 §4.1.2.5, §5.1.2.4). */
export function dateOf(value: DerValue): Date {
  const date = value.tag === 0x17 ? readUtcTime(contents(value)) : value.tag === 0x18 ? readGeneralizedTime(contents(value)) : undefined
  if (date === undefined) return refuseDer(value.start, 'no date where one should be')
  const year = date.getUTCFullYear()
  return value.tag === 0x18 && year >= 1950 && year < 2050 ? refuseDer(value.start, 'a date before 2050 as GeneralizedTime') : date
}

/** The octets of a BIT STRING that is made of whole octets. */
export function wholeBits(value: DerValue, what: string): Uint8Array {
  const content = contents(value)
  return content[0] === 0 ? content.subarray(1) : refuseDer(value.start, `a ${what} that is not whole octets`)
}

/**
 * The text of a string of any of the types that names use (RFC 5280 §4.1.2.4), or `undefined` where it has no certain meaning:
 * TeletexString beyond ASCII, half a surrogate pair, what a BMPString may not hold, a tag that is no string.
 */
export function textOf(value: DerValue): string | undefined {
  const content = contents(value)
  const units = (width: number): readonly number[] => {
    const found: number[] = []
    for (let at = 0; at < content.length; at += width) found.push(content.subarray(at, at + width).reduce((unit, octet) => unit * 256 + octet, 0))
    return found
  }
  switch (value.tag) {
    case 0x0c:
      return fromUtf8(content)
    case 0x12:
    case 0x13:
    case 0x14:
    case 0x16:
    case 0x1a:
      return content.every((octet) => octet < 0x80) ? fromUtf8(content) : undefined
    case 0x1c: {
      const points = units(4)
      return points.every((point) => point <= 0x10ffff && (point < 0xd800 || point > 0xdfff)) ? points.map((point) => String.fromCodePoint(point)).join('') : undefined
    }
    case 0x1e: {
      // UCS-2: surrogates are not characters there, nor are those that Unicode will never assign. Go takes a zero at the end for no part of the text.
      const found = units(2)
      const none = (unit: number): boolean => (unit >= 0xd800 && unit <= 0xdfff) || (unit >= 0xfdd0 && unit <= 0xfdef) || unit >= 0xfffe
      return found.at(-1) !== 0 && !found.some(none) ? found.map((unit) => String.fromCharCode(unit)).join('') : undefined
    }
    default:
      return undefined
  }
}
