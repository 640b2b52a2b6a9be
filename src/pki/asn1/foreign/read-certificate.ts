/**
 * Certificates that others made (RFC 5280), read by pkijs, which is loaded when the first one is. The only folder that knows pkijs and asn1js.
 *
 * Speaks plain objects and bytes. Expects one DER value whose form has been checked already (`../read-certificate.ts`, which also reads the names and
 * the key, and compares the two signature algorithms): pkijs reads BER, accepts trailing bytes, and takes several Common Names for one.
 */
import type { GeneralName } from 'pkijs'

/** What a certificate says. Nothing of it is verified. */
export interface ForeignCertificate {
  readonly version: number
  /** The content of the serial number's INTEGER. */
  readonly serial: Uint8Array
  /** The identifier of the signature algorithm, inside; the outer one is equal. */
  readonly signatureAlgorithm: string
  readonly notBefore: Date
  readonly notAfter: Date
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength: number | undefined } | undefined
  /** The first octet of keyUsage, from bit 0 (digitalSignature) downwards. */
  readonly keyUsage: number | undefined
  readonly extendedKeyUsage: readonly string[] | undefined
  readonly subjectKeyId: Uint8Array | undefined
  readonly authorityKeyId: Uint8Array | undefined
  /** The serial number of the issuer's certificate, where the authority key identifier names that as well. */
  readonly authoritySerial: Uint8Array | undefined
  readonly alternativeNames: readonly ForeignName[]
  readonly extensions: readonly { readonly oid: string; readonly critical: boolean }[]
}

/** A subject alternative name; `other` is one of a kind that TLS does not use. */
export type ForeignName =
  | { readonly kind: 'dns' | 'uri'; readonly text: string }
  | { readonly kind: 'ip'; readonly address: Uint8Array }
  | { readonly kind: 'other'; readonly tag: number }

/** What was read, or why not. */
export type ForeignReading = { readonly certificate: ForeignCertificate } | { readonly problem: string }

/** Reads one certificate. Does not throw for anything in `der`. */
export async function readForeignCertificate(der: Uint8Array): Promise<ForeignReading> {
  const pkijs = await import('pkijs')
  try {
    return read(pkijs, Uint8Array.from(der))
  } catch (error) {
    return { problem: `not a certificate: ${error instanceof Error ? error.message : String(error)}`.slice(0, 200) }
  }
}

function read(pkijs: typeof import('pkijs'), der: Uint8Array<ArrayBuffer>): ForeignReading {
  const certificate = pkijs.Certificate.fromBER(der)
  if (certificate.version < 2 && (certificate.extensions?.length ?? 0) > 0) return { problem: 'extensions in a certificate of an old version' }

  const extensions = certificate.extensions ?? []
  const seen = new Set<string>()
  for (const { extnID, parsedValue } of extensions as readonly { readonly extnID: string; readonly parsedValue: unknown }[]) {
    if (seen.has(extnID)) return { problem: `extension ${extnID} twice` }
    seen.add(extnID)
    const failed: unknown = parsedValue !== null && typeof parsedValue === 'object' && 'parsingError' in parsedValue ? parsedValue.parsingError : undefined
    if (typeof failed === 'string' && failed !== '') return { problem: `extension ${extnID} cannot be read` }
  }
  const parsed = (oid: string): unknown => extensions.find(({ extnID }) => extnID === oid)?.parsedValue
  const present = (oid: string): boolean => seen.has(oid)

  const constraints = parsed('2.5.29.19')
  if (present('2.5.29.19') && !(constraints instanceof pkijs.BasicConstraints)) return { problem: 'basicConstraints cannot be read' }
  const extended = parsed('2.5.29.37')
  if (present('2.5.29.37') && !(extended instanceof pkijs.ExtKeyUsage)) return { problem: 'extKeyUsage cannot be read' }
  const names = parsed('2.5.29.17')
  if (present('2.5.29.17') && !(names instanceof pkijs.AltName)) return { problem: 'subjectAltName cannot be read' }
  const authorityKey = parsed('2.5.29.35')
  if (present('2.5.29.35') && !(authorityKey instanceof pkijs.AuthorityKeyIdentifier)) return { problem: 'authorityKeyIdentifier cannot be read' }
  const keyUsage = octets(parsed('2.5.29.15'))
  if (present('2.5.29.15') && keyUsage === undefined) return { problem: 'keyUsage cannot be read' }
  const subjectKeyId = octets(parsed('2.5.29.14'))
  if (present('2.5.29.14') && subjectKeyId === undefined) return { problem: 'subjectKeyIdentifier cannot be read' }

  const pathLength: unknown = constraints instanceof pkijs.BasicConstraints ? constraints.pathLenConstraint : undefined
  return {
    certificate: {
      version: certificate.version + 1,
      serial: certificate.serialNumber.valueBlock.valueHexView.slice(),
      signatureAlgorithm: certificate.signatureAlgorithm.algorithmId,
      notBefore: certificate.notBefore.value,
      notAfter: certificate.notAfter.value,
      basicConstraints: constraints instanceof pkijs.BasicConstraints ? { ca: constraints.cA, pathLength: typeof pathLength === 'number' ? pathLength : undefined } : undefined,
      keyUsage: keyUsage === undefined ? undefined : (keyUsage[0] ?? 0),
      extendedKeyUsage: extended instanceof pkijs.ExtKeyUsage ? extended.keyPurposes : undefined,
      subjectKeyId,
      authorityKeyId: authorityKey instanceof pkijs.AuthorityKeyIdentifier ? authorityKey.keyIdentifier?.valueBlock.valueHexView.slice() : undefined,
      authoritySerial: authorityKey instanceof pkijs.AuthorityKeyIdentifier ? authorityKey.authorityCertSerialNumber?.valueBlock.valueHexView.slice() : undefined,
      alternativeNames: names instanceof pkijs.AltName ? names.altNames.map(foreignName) : [],
      extensions: extensions.map(({ extnID, critical }) => ({ oid: extnID, critical })),
    },
  }
}

/** The octets of an extension that is an OCTET STRING or BIT STRING. */
function octets(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'object' || value === null || !('valueBlock' in value)) return undefined
  const { valueBlock } = value
  if (typeof valueBlock !== 'object' || valueBlock === null || !('valueHexView' in valueBlock)) return undefined
  return valueBlock.valueHexView instanceof Uint8Array ? valueBlock.valueHexView.slice() : undefined
}

function foreignName(name: GeneralName): ForeignName {
  const value: unknown = name.value
  if ((name.type === 2 || name.type === 6) && typeof value === 'string') return { kind: name.type === 2 ? 'dns' : 'uri', text: value }
  const address = name.type === 7 ? octets(value) : undefined
  return address === undefined ? { kind: 'other', tag: name.type } : { kind: 'ip', address }
}
