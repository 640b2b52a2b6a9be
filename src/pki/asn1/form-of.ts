/**
 * What kind of file DER is, by its form alone: the tags of its outermost fields tell the structures of X.509 and of private keys apart. Nothing inside is
 * looked at.
 */
import type { DerValue } from './der.js'

/** A structure that stands in a file of its own. */
export type DerForm = 'certificate' | 'csr' | 'crl' | 'PKCS#8' | 'encrypted PKCS#8' | 'SEC 1' | 'PKCS#1'

const SEQUENCE = '30'
const INTEGER = '02'
const BIT_STRING = '03'
const OCTET_STRING = '04'

const tags = (value: DerValue | undefined): string => (value?.children ?? []).map(({ tag }) => tag.toString(16).padStart(2, '0')).join(' ')

/** The tags of the outermost fields, or of those of the part that is signed (RFC 5280 §4.1, §5.1; RFC 2986 §4.1). */
const keys: readonly (readonly [DerForm, RegExp])[] = [
  ['encrypted PKCS#8', new RegExp(`^${SEQUENCE} ${OCTET_STRING}$`)],
  ['PKCS#8', new RegExp(`^${INTEGER} ${SEQUENCE} ${OCTET_STRING}( |$)`)],
  ['SEC 1', new RegExp(`^${INTEGER} ${OCTET_STRING}( |$)`)],
  ['PKCS#1', new RegExp(`^${INTEGER}( ${INTEGER}){8}( |$)`)],
]
const signed: readonly (readonly [DerForm, RegExp])[] = [
  ['csr', new RegExp(`^${INTEGER} ${SEQUENCE} ${SEQUENCE} a0$`)],
  ['crl', new RegExp(`^(${INTEGER} )?${SEQUENCE} ${SEQUENCE} 1[78]( |$)`)],
  ['certificate', new RegExp(`^(a0 )?${INTEGER}( ${SEQUENCE}){5}( |$)`)],
]

/** The form of a value, or `undefined` where it is none of these. */
export function formOf(value: DerValue): DerForm | undefined {
  if (value.tag !== 0x30) return undefined
  const outer = tags(value)
  if (outer !== `${SEQUENCE} ${SEQUENCE} ${BIT_STRING}`) return keys.find(([, pattern]) => pattern.test(outer))?.[0]
  const inner = tags(value.children[0])
  return signed.find(([, pattern]) => pattern.test(inner))?.[0]
}
