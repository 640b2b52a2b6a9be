/**
 * The text form of Protocol Buffers, as etcd's log has requests (`raft_internal_stringer.go`): `put:<key:"/a" value_size:1 >`, and with braces
 * since 3.7. Values of keys never stand in it.
 */

import { utf8 } from '../../bytes.js'

/** A message as its fields in order. */
export type Fields = readonly (readonly [name: string, value: Uint8Array | string | Fields])[]

const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92, "'": 39, '"': 34, '?': 63 }


/** The bytes of a quoted text with escapes of C or Go, or `undefined` where it is none. */
export function unquoted(text: string): Uint8Array | undefined {
  const body = /^"((?:[^"\\\n]|\\.)*)"$/.exec(text)?.[1]
  if (body === undefined) return undefined
  const bytes: number[] = []
  for (let at = 0; at < body.length; ) {
    const rest = body.slice(at, at + 12)
    const [whole, octal, hex, unicode, letter] = /^\\(?:([0-7]{3})|x([0-9a-fA-F]{2})|(?:u([0-9a-fA-F]{4}))|(.))/.exec(rest) ?? []
    if (whole === undefined) {
      const character = String.fromCodePoint(body.codePointAt(at) ?? 0)
      bytes.push(...utf8(character))
      at += character.length
      continue
    }
    at += whole.length
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8) & 0xff)
    else if (hex !== undefined) bytes.push(Number.parseInt(hex, 16))
    else if (unicode !== undefined) bytes.push(...utf8(String.fromCharCode(Number.parseInt(unicode, 16))))
    else {
      const byte = ESCAPES[letter ?? '']
      if (byte === undefined) return undefined
      bytes.push(byte)
    }
  }
  return Uint8Array.from(bytes)
}

/** The fields of a message, or `undefined` where the text is anything else, cut short included: half a key would be another key. */
export function parseFields(text: string): Fields | undefined {
  const token = /\s*(?:([A-Za-z_]\w*):?\s*(?:([<{])|("(?:[^"\\\n]|\\.)*")|([-\w.]+))|([>}]))/y
  const open: { readonly fields: [string, Uint8Array | string | Fields][]; readonly close: string | undefined }[] = [{ fields: [], close: undefined }]
  const end = text.trimEnd().length
  while (token.lastIndex < end) {
    const [whole, name, bracket, quotedText, word, close] = token.exec(text) ?? []
    const here = open.at(-1)
    if (whole === undefined || here === undefined) return undefined
    if (close !== undefined) {
      if (here.close !== close) return undefined
      open.pop()
    } else if (name !== undefined && bracket !== undefined) {
      const fields: [string, Uint8Array | string | Fields][] = []
      here.fields.push([name, fields])
      open.push({ fields, close: bracket === '<' ? '>' : '}' })
    } else if (name !== undefined) {
      const value = quotedText === undefined ? word : unquoted(quotedText)
      if (value === undefined) return undefined
      here.fields.push([name, value])
    }
    if (open.length > 200) return undefined
  }
  return open.length === 1 ? open[0]?.fields : undefined
}

/** The messages of one name, in order. */
export function messages(fields: Fields, name: string): readonly Fields[] {
  return fields.flatMap(([field, value]) => (field === name && typeof value !== 'string' && !(value instanceof Uint8Array) ? [value] : []))
}

/** The bytes of one name, empty where there are none. */
export function bytesOf(fields: Fields, name: string): Uint8Array {
  for (const [field, value] of fields) if (field === name && value instanceof Uint8Array) return value
  return new Uint8Array(0)
}
