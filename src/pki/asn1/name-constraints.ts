/** Name constraints as bytes (RFC 5280 §4.2.1.10). What they mean is said in `../name-constraints.ts`. */
import { fromUtf8, utf8 } from '../../bytes.js'
import { contents, type DerValue } from './der.js'
import { fieldsOf } from './fields.js'
import { refuseDer } from './refuse.js'
import { sequence, tagged, taggedPrimitive } from './write.js'

/** A set of names. `other`: of a kind that is not judged here (directory names, URIs, mailboxes), or of none that can be read. */
export type Subtree =
  | { readonly kind: 'dns'; readonly suffix: string }
  | { readonly kind: 'ip'; readonly address: Uint8Array; readonly mask: Uint8Array }
  | { readonly kind: 'other'; readonly name: string }

/** What one authority's certificate restricts. */
export interface Subtrees {
  readonly permitted: readonly Subtree[]
  readonly excluded: readonly Subtree[]
}

/** The value of the extension. Subtrees of other kinds are never written. */
export function nameConstraintsValue({ permitted, excluded }: Subtrees): Uint8Array {
  const list = (number: number, subtrees: readonly Subtree[]): readonly Uint8Array[] => (subtrees.length === 0 ? [] : [tagged(number, ...subtrees.map(subtreeDer))])
  return sequence(...list(0, permitted), ...list(1, excluded))
}

/** `minimum` is its default, which DER leaves out, and `maximum` absent. */
function subtreeDer(subtree: Subtree): Uint8Array {
  if (subtree.kind === 'dns') return sequence(taggedPrimitive(2, utf8(subtree.suffix)))
  if (subtree.kind === 'other') return refuseDer(0, `a name constraint of ${subtree.name}`)
  const content = new Uint8Array(2 * subtree.address.length)
  content.set(subtree.address)
  content.set(subtree.mask, subtree.address.length)
  return sequence(taggedPrimitive(7, content))
}

/** Reads the value of the extension. Neither list, or an empty one, is refused, as RFC 5280 and Go refuse it. */
export function readNameConstraints(value: DerValue): Subtrees {
  const fields = fieldsOf(value, 'name constraints')
  const lists = [fields.optional(0xa0), fields.optional(0xa1)]
  fields.end()
  if (lists.every((list) => list === undefined) || lists.some((list) => list?.children.length === 0)) return refuseDer(value.start, 'name constraints without names')
  const [permitted = [], excluded = []] = lists.map((list) => list?.children.map(readSubtree))
  return { permitted, excluded }
}

const kinds: Readonly<Record<number, string>> = { 0xa0: 'other names', 0x81: 'mailboxes', 0xa3: 'X.400 addresses', 0xa4: 'directory names', 0xa5: 'EDI parties', 0x86: 'URIs', 0x88: 'registered identifiers' }

function readSubtree(value: DerValue): Subtree {
  const fields = fieldsOf(value, 'subtree')
  const base = fields.any('base')
  // No minimum and no maximum: other values than the defaults are forbidden, and DER leaves the default of minimum out.
  fields.end()
  const content = contents(base)
  if (base.tag === 0x82) {
    const suffix = fromUtf8(content) ?? '*'
    // Empty: every name. With a dot in front: only what is below, as Go and OpenSSL take it; RFC 5280 has no such form.
    return /^(?:\.?[\w-]+(?:\.[\w-]+)*)?$/.test(suffix) ? { kind: 'dns', suffix } : { kind: 'other', name: 'DNS names that cannot be read' }
  }
  if (base.tag !== 0x87) return { kind: 'other', name: kinds[base.tag] ?? 'names of an unknown kind' }
  const half = content.length / 2
  const [address, mask] = [content.slice(0, half), content.slice(half)]
  return (half === 4 || half === 16) && isPrefix(mask) ? { kind: 'ip', address, mask } : { kind: 'other', name: 'addresses with a mask that is no prefix' }
}

/** Ones, then zeros: Go reads no certificate with another mask. */
function isPrefix(mask: Uint8Array): boolean {
  const bits = [...mask].map((octet) => octet.toString(2).padStart(8, '0')).join('')
  return /^1*0*$/.test(bits)
}
