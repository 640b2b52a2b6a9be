/** The records of certain certificates, by what is known of them: "revoke what node 17 holds" is this, and a list of what it finds. */
import { checkFields } from '../known-fields.js'
import { checkedRecords } from './checked-records.js'
import type { IssuanceRecord } from './record.js'

/** What the records must have in common: all that is said here, and at least one thing. */
export interface RecordSelection {
  readonly purpose?: IssuanceRecord['purpose']
  /** Certificates of this user. */
  readonly user?: string
  /** Certificates of this member, for clients and for other members. */
  readonly member?: string
  /** Certificates with this label: usually those of a node, of whatever users. */
  readonly label?: string
  /** Certificates of this gateway. */
  readonly uri?: string
  /** The serial number, lower-case hex without leading zero bytes. */
  readonly serial?: string
  /** Certificates over this key: SHA-256 of the SubjectPublicKeyInfo, lower-case hex. A stolen key may be in several. */
  readonly keyHash?: string
  /** Certificates by the authority with this key: `Authority.keyId`. */
  readonly authorityKeyId?: string
  /** Certificates that are not over at this time, those that begin later included: the rest needs no revoking. */
  readonly aliveAt?: Date
}

const texts = ['purpose', 'user', 'member', 'label', 'uri', 'serial', 'keyHash', 'authorityKeyId'] as const

/**
 * The records that a selection fits, in their order. One without any criterion is refused, and so is a criterion that is `undefined`: a name that was
 * misspelt or is missing would otherwise select, and revoke, everything.
 *
 * @throws {@link EtcdRbacError} `ERR_RECORD_INVALID`; `TypeError` for a selection that says nothing
 * @example
 * ```ts
 * import { selectRecords, type IssuanceRecord } from 'etcd-rbac'
 * declare const records: readonly IssuanceRecord[]
 * const lost = selectRecords(records, { label: 'node-17', aliveAt: new Date() })
 * ```
 */
export function selectRecords<R extends IssuanceRecord>(records: readonly R[], selection: RecordSelection): readonly R[] {
  if (!Array.isArray(records)) throw new TypeError('records must be a list of issuance records')
  checkFields(selection, [...texts, 'aliveAt'], 'selections')
  const given = Object.entries(selection) as readonly (readonly [string, unknown])[]
  if (given.length === 0) throw new TypeError('a selection must say something: without a criterion it would be all records')
  for (const [name, value] of given) {
    if (name === 'aliveAt' ? !(value instanceof Date) || Number.isNaN(value.getTime()) : typeof value !== 'string' || value === '')
      throw new TypeError(`${name} of a selection must be ${name === 'aliveAt' ? 'a valid Date' : 'a string that says something'}`)
  }
  const { aliveAt, ...criteria } = selection
  checkedRecords(records)
  return (records as readonly R[]).filter((record) => {
    const fields = record as unknown as Readonly<Record<string, unknown>>
    if (!Object.entries(criteria).every(([name, value]) => fields[name] === value)) return false
    // An unreadable date is not known to be over.
    return aliveAt === undefined || !(Date.parse(record.notAfter) < aliveAt.getTime())
  })
}
