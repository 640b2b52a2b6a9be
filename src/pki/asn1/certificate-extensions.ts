/**
 * The extensions of certificates that are read here (RFC 5280 §4.2.1), as strictly as Go reads them (`crypto/x509/parser.go`), or more so: what is read
 * must be what etcd sees, and what etcd cannot read is not read here either.
 */
import { isEtcdRbacError } from '../../errors.js'
import { contents, readDer, type DerValue } from './der.js'
import { readExtensions, type Extension } from './extensions.js'
import { fieldsOf, oidOf } from './fields.js'
import { readGeneralName, type ReadName } from './general-name.js'
import { readNameConstraints, type Subtrees } from './name-constraints.js'
import {
  AUTHORITY_KEY_IDENTIFIER, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, KEY_USAGE, NAME_CONSTRAINTS, oidName, SUBJECT_ALTERNATIVE_NAME, SUBJECT_KEY_IDENTIFIER,
} from './oids.js'
import { checkPolicyForm, hasPolicyForm } from './policy-extensions.js'
import { refuseDer } from './refuse.js'

/** What the extensions say. */
export interface CertificateExtensions {
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength: number | undefined } | undefined
  /** The first octet of keyUsage, from bit 0 (digitalSignature) downwards. */
  readonly keyUsage: number | undefined
  readonly extendedKeyUsage: readonly string[] | undefined
  readonly subjectKeyId: Uint8Array | undefined
  readonly authorityKeyId: Uint8Array | undefined
  /** The content of the serial number of the issuer's certificate, where the authority key identifier names that as well. */
  readonly authoritySerial: Uint8Array | undefined
  readonly alternativeNames: readonly ReadName[]
  readonly nameConstraints: Subtrees | undefined
  readonly extensions: readonly { readonly oid: string; readonly critical: boolean }[]
}

/** What must not be critical (§4.2.1.1, §4.2.1.2, §4.2.2.1), and is not read by Go where it is. */
const NEVER_CRITICAL: readonly string[] = [AUTHORITY_KEY_IDENTIFIER, SUBJECT_KEY_IDENTIFIER, '1.3.6.1.5.5.7.1.1']

/**
 * Reads them; `list` is absent where there is none. Of extensions that are not known here only the identifier is read, and the form where Go reads it.
 *
 * @throws {@link EtcdRbacError} `ERR_DER_INVALID`
 */
export function readCertificateExtensions(list: DerValue | undefined): CertificateExtensions {
  const extensions = list === undefined ? [] : readExtensions(list)
  const read = <T>(oid: string, reader: (value: DerValue) => T): T | undefined => {
    const found = extensions.find((extension) => extension.oid === oid)
    return found === undefined ? undefined : within(found, reader)
  }
  for (const extension of extensions) {
    const { oid, critical, value } = extension
    if (critical && NEVER_CRITICAL.includes(oid)) return refuseDer(value.start, `extension ${oidName(oid)} marked critical`)
    if (hasPolicyForm(oid)) within(extension, (inside) => checkPolicyForm(oid, inside))
  }
  const authority = read(AUTHORITY_KEY_IDENTIFIER, readAuthorityKeyId)
  return {
    basicConstraints: read(BASIC_CONSTRAINTS, readBasicConstraints),
    keyUsage: read(KEY_USAGE, readKeyUsage),
    extendedKeyUsage: read(EXTENDED_KEY_USAGE, readExtendedKeyUsage),
    subjectKeyId: read(SUBJECT_KEY_IDENTIFIER, (value) => (value.tag === 0x04 ? contents(value) : refuseDer(value.start, 'no OCTET STRING'))),
    authorityKeyId: authority?.keyId,
    authoritySerial: authority?.serial,
    alternativeNames: read(SUBJECT_ALTERNATIVE_NAME, readNames) ?? [],
    nameConstraints: read(NAME_CONSTRAINTS, readNameConstraints),
    extensions: extensions.map(({ oid, critical }) => ({ oid, critical })),
  }
}

/** Reads the DER inside an extension; what is wrong in it is told of at its place in the whole. */
function within<T>({ oid, value }: Extension, reader: (value: DerValue) => T): T {
  try {
    return reader(readDer(contents(value)))
  } catch (error) {
    if (isEtcdRbacError(error, 'ERR_DER_INVALID')) return refuseDer(value.start, `extension ${oidName(oid)}: ${error.detail.reason}`)
    throw error
  }
}

function readBasicConstraints(value: DerValue): { readonly ca: boolean; readonly pathLength: number | undefined } {
  const fields = fieldsOf(value, 'constraint')
  const flag = fields.optional(0x01)
  // FALSE is the default, which DER leaves out.
  if (flag !== undefined && contents(flag)[0] !== 0xff) return refuseDer(flag.start, 'CA:FALSE written out')
  const length = fields.optional(0x02)
  fields.end()
  if (length === undefined) return { ca: flag !== undefined, pathLength: undefined }
  if (flag === undefined) return refuseDer(length.start, 'a path length of what is no authority')
  const digits = contents(length)
  if ((digits[0] ?? 0x80) >= 0x80) return refuseDer(length.start, 'a negative path length')
  // Above this it is no limit any more.
  return { ca: true, pathLength: digits.length > 3 ? 0xff_ffff : digits.reduce((number, octet) => number * 256 + octet, 0) }
}

function readKeyUsage(value: DerValue): number {
  if (value.tag !== 0x03) return refuseDer(value.start, 'no BIT STRING')
  // The count of unused bits stands before them. With none it may be used for nothing, which RFC 5280 forbids to say.
  const bits = contents(value)[1]
  return bits ?? refuseDer(value.start, 'no bit at all')
}

function readExtendedKeyUsage(value: DerValue): readonly string[] {
  if (value.tag !== 0x30 || value.children.length === 0) return refuseDer(value.start, 'no list of purposes')
  return value.children.map((child) => (child.tag === 0x06 ? oidOf(child) : refuseDer(child.start, 'a purpose that is no identifier')))
}

function readAuthorityKeyId(value: DerValue): { readonly keyId: Uint8Array | undefined; readonly serial: Uint8Array | undefined } {
  const fields = fieldsOf(value, 'key identifier')
  const keyId = fields.optional(0x80)
  const issuer = fields.optional(0xa1)
  const serial = fields.optional(0x82)
  fields.end()
  if ((issuer === undefined) !== (serial === undefined)) return refuseDer(value.start, 'an issuer without serial number, or the other way round')
  return { keyId: keyId === undefined ? undefined : contents(keyId), serial: serial === undefined ? undefined : contents(serial) }
}

function readNames(value: DerValue): readonly ReadName[] {
  if (value.tag !== 0x30 || value.children.length === 0) return refuseDer(value.start, 'no names')
  return value.children.map(readGeneralName)
}
