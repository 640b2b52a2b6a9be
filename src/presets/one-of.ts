/**
 * One of some words, for callers whose compiler did not look.
 *
 * @throws `TypeError`
 */
export function oneOf<T extends string>(what: string, value: unknown, words: readonly T[]): T {
  const found = words.find((word) => word === value)
  if (found === undefined) throw new TypeError(`${what} must be ${words.map((word) => JSON.stringify(word)).join(' or ')}`)
  return found
}
