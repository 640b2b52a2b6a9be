/**
 * Request bodies as Go's `encoding/json` decodes them into a struct: the first value of the body, whatever follows it; field names in any case;
 * unknown fields skipped; `null` leaves a field as it is; a wrong type refuses the whole.
 */

/** The end of the JSON value that a text begins with, or -1. */
function valueEnd(text: string): number {
  let depth = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i)
    if (quoted) {
      if (char === '\\') i++
      else if (char === '"') quoted = false
      continue
    }
    if (char === '"') quoted = true
    else if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') {
      if (--depth === 0) return i + 1
      if (depth < 0) return -1
    }
  }
  return -1
}

/** A decoded struct's fields, by their lower-case name; `undefined` where the body is not an object. `null` decodes to no field at all. */
function decodeObject(body: string): ReadonlyMap<string, unknown> | undefined {
  const text = body.replace(/^[ \t\r\n]+/, '')
  if (/^null/.test(text)) return new Map()
  if (!text.startsWith('{')) return undefined
  try {
    return fieldsOf(JSON.parse(text.slice(0, valueEnd(text))))
  } catch {
    return undefined
  }
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return new Map(Object.entries(value).map(([name, field]) => [name.toLowerCase(), field]))
}

/** Reads the fields of a struct, and remembers whether one has another type than it should. */
export interface Fields {
  /** A string; absent and `null` are the empty one. */
  string(name: string): string
  /** A list of strings, `undefined` where absent or `null`. A `null` inside is the empty string. */
  list(name: string): readonly string[] | undefined
  /** A struct inside, `undefined` where absent or `null`. */
  object(name: string): Fields | undefined
}

/** What `decode` makes of a body, or `undefined` where the body is not an object or a field has the wrong type. */
export function decodeBody<T>(body: string, decode: (fields: Fields) => T): T | undefined {
  const root = decodeObject(body)
  let wrong = root === undefined
  const check = <T>(value: T, fits: boolean): T => {
    wrong ||= !fits
    return value
  }
  const reader = (fields: ReadonlyMap<string, unknown>): Fields => ({
    string: (name) => {
      const value = fields.get(name) ?? ''
      return typeof value === 'string' ? value : check('', false)
    },
    list: (name) => {
      const value = fields.get(name) ?? undefined
      const items: readonly unknown[] = Array.isArray(value) ? value.map((item: unknown) => item ?? '') : []
      const texts = items.filter((item) => typeof item === 'string')
      return check(value === undefined ? undefined : texts, value === undefined || (Array.isArray(value) && texts.length === items.length))
    },
    object: (name) => {
      const value = fields.get(name) ?? undefined
      const inner = fieldsOf(value)
      return check(inner && reader(inner), inner !== undefined || value === undefined)
    },
  })
  const decoded = decode(reader(root ?? new Map()))
  return wrong ? undefined : decoded
}
