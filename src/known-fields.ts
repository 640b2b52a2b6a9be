/** Options of plain JavaScript: a misspelt one must not pass for one that was left away. */
import { quoted } from './errors.js'

/**
 * Refuses what is no table, and fields that nobody reads.
 *
 * @throws `TypeError`
 */
export function checkFields(options: unknown, known: readonly string[], what: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) throw new TypeError(`${what} must be a table, or left away`)
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined) throw new TypeError(`${what} have no field ${quoted(unknown)}${known.length === 0 ? '' : `, only ${known.join(', ')}`}`)
}
