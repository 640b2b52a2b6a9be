/** What a CSR asked for and did not get: the rule "only the key is taken" in the open, for whoever wonders why. */
import type { AlternativeName, ExtendedUsage, KeyUsageBit } from './asn1/certificate.js'
import type { UnverifiedCsr } from './asn1/csr.js'
import { BASIC_CONSTRAINTS, COMMON_NAME, EXTENDED_KEY_USAGE, KEY_USAGE, oidName, SUBJECT_ALTERNATIVE_NAME } from './asn1/oids.js'
import { readRequestedExtension, type RequestedName } from './asn1/requested-extension.js'
import { hostOfAddress } from './hosts.js'

/** One difference between what a CSR asks for and what was issued. Never the content of an attribute: one of them is a password. */
export interface CsrDifference {
  /** `subject organizationName`, `extension subjectAltName`, `attribute challengePassword`: named as in `CsrReport.ignored`. */
  readonly field: string
  /** What was asked for, in words; control characters and quotes escaped. */
  readonly asked: string
  /** What the certificate has in its place. */
  readonly issued: string | undefined
}

/** What the certificate has, as far as a CSR can ask for it. */
export interface Granted {
  readonly commonName: string | undefined
  readonly keyUsage: readonly KeyUsageBit[]
  readonly usages: readonly ExtendedUsage[]
  readonly alternativeNames: readonly AlternativeName[]
}

/** One for each part of a CSR that is not in the certificate as it was asked for, in the order of the CSR. */
export function csrDifferences({ subject, requested }: UnverifiedCsr, granted: Granted): readonly CsrDifference[] {
  const names = subject.flatMap(({ type, value }): readonly CsrDifference[] => {
    const issued = type === COMMON_NAME ? granted.commonName : undefined
    if (value !== undefined && value === issued) return []
    return [{ field: `subject ${oidName(type)}`, asked: value === undefined ? 'unreadable text' : escaped(value), issued: issued === undefined ? undefined : escaped(issued) }]
  })
  const parts = requested.flatMap(({ kind, oid, critical, value }): readonly CsrDifference[] => {
    const field = `${kind} ${oidName(oid)}`
    if (value === undefined) return [{ field, asked: 'present', issued: undefined }]
    const extension = readRequestedExtension(oid, value)
    const asked = 'names' in extension ? extension.names.map(requestedName) : extension.words
    const issued = issuedAs(oid, granted)
    if (issued !== undefined && sameSet(asked, issued)) return []
    const text = asked.join(', ') || 'nothing'
    return [{ field, asked: critical && issued === undefined ? `${text}, critical` : text, issued: issued?.join(', ') }]
  })
  return [...names, ...parts]
}

function issuedAs(oid: string, { keyUsage, usages, alternativeNames }: Granted): readonly string[] | undefined {
  switch (oid) {
    case BASIC_CONSTRAINTS:
      return ['CA:FALSE']
    case KEY_USAGE:
      return keyUsage
    case EXTENDED_KEY_USAGE:
      return usages
    case SUBJECT_ALTERNATIVE_NAME:
      return alternativeNames.length === 0 ? undefined : alternativeNames.map(issuedName)
    default:
      return undefined
  }
}

function requestedName(name: RequestedName): string {
  if (name.kind === 'IP') return addressText(name.address)
  if (name.kind === 'name') return `a name of kind ${name.tag}`
  // DNS names are the same in any case.
  return `${name.kind}:${escaped(name.kind === 'DNS' ? name.text.toLowerCase() : name.text)}`
}

function issuedName(name: AlternativeName): string {
  if (name.kind === 'ip') return addressText(name.address)
  return name.kind === 'dns' ? `DNS:${name.name}` : `URI:${name.uri}`
}

const addressText = (address: Uint8Array): string => `IP:${hostOfAddress(address) ?? 'unreadable'}`

/** A text from outside, so that it stays on its line and cannot pass for another. */
const escaped = (text: string): string => JSON.stringify(text.length > 120 ? `${text.slice(0, 100)}…` : text).slice(1, -1)

const sameSet = (a: readonly string[], b: readonly string[]): boolean => new Set(a).size === new Set(b).size && a.every((one) => b.includes(one))
