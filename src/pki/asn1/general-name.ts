/** The names that a certificate is for (RFC 5280 §4.2.1.6), each as Go reads it, or refused. */
import { fromUtf8 } from '../../bytes.js'
import { contents, type DerValue } from './der.js'
import { refuseDer } from './refuse.js'

/** A name as it stands; `other` is one of a kind that TLS does not use. */
export type ReadName =
  | { readonly kind: 'dns' | 'uri'; readonly text: string }
  | { readonly kind: 'ip'; readonly address: Uint8Array }
  | { readonly kind: 'other'; readonly tag: number }

/** Reads one. The forms that stand apart in its definition have these tags; there is no other. */
export function readGeneralName(value: DerValue): ReadName {
  const { tag, start } = value
  if (![0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88].includes(tag)) return refuseDer(start, 'a name of an unknown kind')
  const content = contents(value)
  if (tag === 0x87) return content.length === 4 || content.length === 16 ? { kind: 'ip', address: content } : refuseDer(start, `an address of ${content.length} bytes`)
  if (tag !== 0x81 && tag !== 0x82 && tag !== 0x86) return { kind: 'other', tag: tag & 0x1f }
  const text = content.every((octet) => octet < 0x80) ? fromUtf8(content) : undefined
  if (text === undefined) return refuseDer(start, 'a name beyond ASCII')
  if (tag === 0x81) return { kind: 'other', tag: 1 }
  if (tag === 0x86 && !isUri(text)) return refuseDer(start, 'a URI that is none')
  return { kind: tag === 0x82 ? 'dns' : 'uri', text }
}

/** Whether Go reads it as an absolute URI, too: visible characters, whole percent signs, and a host that may be one (RFC 3986 §3). */
function isUri(text: string): boolean {
  const parts = /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/([^/?#]*))?[\x21-\x7e]*$/.exec(text)
  if (parts === null || /%(?![0-9A-Fa-f]{2})/.test(text) || /["<>\\^`{|}[\] ]/.test(text)) return false
  const [, host] = parts
  return host === undefined || host === '' || /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::\d{1,5})?$/.test(host)
}
