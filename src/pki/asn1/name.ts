/** Distinguished names (RFC 5280 §4.1.2.4): a list of SETs of attributes. */
import { utf8 } from '../../bytes.js'
import type { DerValue } from './der.js'
import { fieldsOf, oidOf, textOf } from './fields.js'
import { COMMON_NAME } from './oids.js'
import { refuseDer } from './refuse.js'
import { objectIdentifier, sequence, setOf, tlv } from './write.js'

/** One attribute: its type, and its value where it is text of certain meaning. */
export interface NameAttribute {
  readonly type: string
  readonly value: string | undefined
}

const COMMON_NAME_TYPE: Uint8Array = /* @__PURE__ */ objectIdentifier(COMMON_NAME)

/** The name of exactly one Common Name, a UTF8String, and nothing else. */
export function commonNameOnly(commonName: string): Uint8Array {
  return sequence(setOf(sequence(COMMON_NAME_TYPE, tlv(0x0c, utf8(commonName)))))
}

/** The strings that Go reads in names (`crypto/x509/parser.go`): NumericString, PrintableString, T61String, IA5String, UTF8String, BMPString. */
const STRINGS: readonly number[] = [0x12, 0x13, 0x14, 0x16, 0x0c, 0x1e]

const BMP_STRING = 0x1e

/** The name of nobody. */
export const EMPTY_NAME: Uint8Array = /* @__PURE__ */ sequence()

/** Every attribute of a name, however they are spread over its SETs. */
export function readName(value: DerValue): readonly NameAttribute[] {
  if (value.tag !== 0x30) return refuseDer(value.start, 'no name where one should be')
  return value.children.flatMap((set) => {
    if (set.tag !== 0x31 || set.children.length === 0) return refuseDer(set.start, 'a name with an empty or misplaced part')
    return set.children.map((attribute) => {
      const fields = fieldsOf(attribute, 'attribute of a name')
      const type = oidOf(fields.take(0x06, 'type'))
      const value = fields.any('value')
      fields.end()
      if (!STRINGS.includes(value.tag)) return refuseDer(value.start, 'an attribute of a name that is no string')
      const text = textOf(value)
      // Go reads no name with such characters, and leaves a zero at the end out: to etcd `root` and a zero would be root.
      if (value.tag === BMP_STRING && text === undefined) return refuseDer(value.start, 'a BMPString with a zero at its end, or what is no character')
      return { type, value: text }
    })
  })
}

/** Every Common Name, wherever in the name it stands. Text without certain meaning becomes the empty string, which nobody is called. */
export function commonNamesOf(attributes: readonly NameAttribute[]): readonly string[] {
  return attributes.filter(({ type }) => type === COMMON_NAME).map(({ value }) => value ?? '')
}
