/** Values of unknown origin: which of them are tables, and how messages call what was found. */
import { quoted } from '../errors.js'

/** Names and what they stand for. */
export type Table = Readonly<Record<string, unknown>>

/**
 * Whether a value is a table as literals and `JSON.parse` make them, in this realm or another. A `Map`, a `Set` or an instance of a class
 * is none: read by its property names it would be an empty table, and nobody would notice. Neither is what inherits its fields from another table.
 */
export function isTable(value: unknown): value is Table {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null) return true
  // Of every realm's `Object.prototype`, and of no table: a literal's fields are enumerable.
  return Object.getPrototypeOf(prototype) === null && Object.getOwnPropertyDescriptor(prototype, 'isPrototypeOf')?.enumerable === false
}

/** The fields of a table without those that it inherits, each read once. */
export function ownFields(table: Table): Table {
  return Object.assign(Object.create(null) as Table, table)
}

/** What was found, briefly: never the content of a table or a long text. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return isTable(value) ? 'a table' : 'an object that is no plain table'
  if (typeof value === 'string') return quoted(value)
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : `a ${typeof value}`
}

/** A field as it stands in a path: `.users`, `["calico-node"]`. */
export function step(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
}
