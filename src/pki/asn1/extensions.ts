/** Lists of extensions as their form has them (RFC 5280 §4.1, §5.1): in certificates asked for, and in revocation lists. */
import { contents, type DerValue } from './der.js'
import { fieldsOf, oidOf } from './fields.js'
import { oidName } from './oids.js'
import { refuseDer } from './refuse.js'

/** One extension. Its value is the OCTET STRING, not looked into. */
export interface Extension {
  readonly oid: string
  readonly critical: boolean
  readonly value: DerValue
}

/**
 * The extensions of a list: at least one, none twice.
 *
 * @throws {@link EtcdRbacError} `ERR_DER_INVALID`
 */
export function readExtensions(list: DerValue): readonly Extension[] {
  if (list.tag !== 0x30 || list.children.length === 0) return refuseDer(list.start, 'no extensions where some should be')
  const seen = new Set<string>()
  return list.children.map((child) => {
    const fields = fieldsOf(child, 'extension')
    const oid = oidOf(fields.take(0x06, 'identifier'))
    const flag = fields.optional(0x01)
    // FALSE is the default, which DER leaves out (X.690 §11.5).
    if (flag !== undefined && contents(flag)[0] !== 0xff) return refuseDer(flag.start, 'an extension that says that it is not critical')
    const value = fields.take(0x04, 'value')
    fields.end()
    if (seen.has(oid)) return refuseDer(child.start, `extension ${oidName(oid)} twice`)
    seen.add(oid)
    return { oid, critical: flag !== undefined, value }
  })
}
