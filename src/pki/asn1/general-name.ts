/** The names that a certificate is for (RFC 5280 §4.2.1.6), each as Go reads it, or refused. */
import { fromUtf8 } from '../../bytes.js'
import { contents, type DerValue } from './der.js'
import { refuseDer } from './refuse.js'

/** A name as it stands; `other` is one of a kind that TLS does not use. */
export type ReadName =
  | { readonly kind: 'dns' | 'uri'; readonly text: string }
  | { readonly kind: 'ip'; readonly address: Uint8Array }
  | { readonly kind: 'other'; readonly tag: number }

/** Whether it is one of the forms that its definition sets apart, by their tags; there is no other. */
export function isGeneralName({ tag }: DerValue): boolean {
  return [0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88].includes(tag)
}

/** Reads one. */
export function readGeneralName(value: DerValue): ReadName {
  const { tag, start } = value
  if (!isGeneralName(value)) return refuseDer(start, 'a name of an unknown kind')
  const content = contents(value)
  if (tag === 0x87) return content.length === 4 || content.length === 16 ? { kind: 'ip', address: content } : refuseDer(start, `an address of ${content.length} bytes`)
  if (tag !== 0x81 && tag !== 0x82 && tag !== 0x86) return { kind: 'other', tag: tag & 0x1f }
  const text = content.every((octet) => octet < 0x80) ? fromUtf8(content) : undefined
  if (text === undefined) return refuseDer(start, 'a name beyond ASCII')
  if (tag === 0x81) return { kind: 'other', tag: 1 }
  if (tag === 0x86 && !isUri(text)) return refuseDer(start, 'a URI that is none')
  return { kind: tag === 0x82 ? 'dns' : 'uri', text }
}

/**
 * Whether Go reads it as an absolute URI, too (RFC 3986 §3): visible characters, whole percent signs, and a host that may be one, if there is any. Names of
 * hosts may have underscores, but no empty label; a port may be empty.
 */
function isUri(text: string): boolean {
  const parts = /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/(?:([\w.~!$&'()*+,;=:%-]*)@)?(?:\[([^\]/?#@]*)\]|([^/?#@:[\]]*))(?::\d*)?(?![^/?#]))?([\x21-\x7e]*)$/.exec(text)
  if (parts === null || /%(?![0-9A-Fa-f]{2})/.test(text)) return false
  const [, user = '', address, host = '', rest = ''] = parts
  // Two slashes begin a host, and nothing else.
  if (address === undefined && parts[3] === undefined && rest.startsWith('//')) return false
  if (/["<>\\^`{|}[\]]/.test(user + rest)) return false
  return address === undefined ? /^(?:[\w-]+(?:\.[\w-]+)*)?$/.test(host) : isIpv6(address)
}

/** Whether it is an IPv6 address in hex: eight groups, or fewer around one `::`. */
function isIpv6(text: string): boolean {
  const halves = text.split('::')
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  return halves.length <= 2 && groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group)) && (halves.length === 2 ? groups.length < 8 : groups.length === 8)
}
