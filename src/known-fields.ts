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

/**
 * The known fields of a request, as they are now: whatever becomes of the caller's table while something waits changes nothing.
 *
 * @throws `TypeError`
 */
export function takeFields<T extends object>(request: T, known: readonly (keyof T & string)[], what: string): T {
  const given: unknown = request
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new TypeError(`${what} must be a table`)
  checkFields(given, known, what)
  return Object.fromEntries(known.map((name) => [name, request[name]])) as T
}
