/**
 * The form of extensions whose meaning is nobody's here, and which Go reads all the same (RFC 5280 §4.2, `crypto/x509/parser.go`): etcd cannot read a
 * certificate in which one of them is malformed.
 */
import { toHex } from '../../bytes.js'
import { contents, type DerValue } from './der.js'
import { oidOf } from './fields.js'
import { isGeneralName } from './general-name.js'
import { refuseDer } from './refuse.js'

type Form = (value: DerValue) => boolean

const listOf = (form: Form): Form => ({ tag, children }) => tag === 0x30 && children.length > 0 && children.every(form)
const isOid: Form = ({ tag }) => tag === 0x06
/** Fields of these tags, in this order, each there or not. */
const optionals = (value: DerValue, tags: readonly number[]): boolean => {
  const places = value.children.map(({ tag }) => tags.indexOf(tag))
  return value.tag === 0x30 && places.every((place, index) => place >= 0 && place > (places[index - 1] ?? -1))
}
const isCount: Form = (value) => {
  const digits = contents(value)
  return digits.length > 0 && digits.length <= 4 && (digits[0] ?? 0x80) < 0x80 && (digits.length === 1 || digits[0] !== 0 || (digits[1] ?? 0) >= 0x80)
}
/** Where something is to be found. Go takes it as it stands, whatever real authorities write there. */
const isPlace: Form = (value) => isGeneralName(value) && (value.tag !== 0x86 || contents(value).every((octet) => octet < 0x80))
/** A fullName: Go reads no other. */
const isPointName: Form = ({ children: [form, more] }) => form?.tag === 0xa0 && more === undefined && form.children.length > 0 && form.children.every(isPlace)
const isPoint: Form = (value) => optionals(value, [0xa0, 0x81, 0xa2]) && value.children.every((child) => child.tag !== 0xa0 || isPointName(child))
const isAccess: Form = ({ tag, children: [method, location, more] }) => {
  if (tag !== 0x30 || method?.tag !== 0x06 || location === undefined || more !== undefined) return false
  oidOf(method)
  return isPlace(location)
}
const isPolicy: Form = ({ tag, children: [policy, qualifiers, more] }) =>
  tag === 0x30 && policy?.tag === 0x06 && more === undefined && (qualifiers === undefined || (qualifiers.tag === 0x30 && qualifiers.children.length > 0))
const isOnce = ({ children }: DerValue): boolean => new Set(children.map(({ children: [policy] }) => policy === undefined ? '' : toHex(contents(policy)))).size === children.length

const forms: Readonly<Record<string, Form>> = {
  // cRLDistributionPoints
  '2.5.29.31': listOf(isPoint),
  // certificatePolicies
  '2.5.29.32': (value) => listOf(isPolicy)(value) && isOnce(value),
  // policyMappings
  '2.5.29.33': listOf(({ tag, children }) => tag === 0x30 && children.length === 2 && children.every(isOid)),
  // policyConstraints
  '2.5.29.36': (value) => value.children.length > 0 && optionals(value, [0x80, 0x81]) && value.children.every(isCount),
  // inhibitAnyPolicy
  '2.5.29.54': (value) => value.tag === 0x02 && isCount(value),
  // authorityInfoAccess: Go reads an empty one.
  '1.3.6.1.5.5.7.1.1': ({ tag, children }) => tag === 0x30 && children.every(isAccess),
}

/** Whether the form of an extension is looked at here. */
export const hasPolicyForm = (oid: string): boolean => Object.hasOwn(forms, oid)

/** Refuses what has not the form of that extension. */
export function checkPolicyForm(oid: string, value: DerValue): void {
  if (forms[oid]?.(value) !== true) refuseDer(value.start, 'not of its form')
}
