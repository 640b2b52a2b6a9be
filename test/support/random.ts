/** Chance that a seed decides. */

/** A whole number from 0 to below the limit. */
export type Random = (below: number) => number

/** The same numbers again for the same seed and purpose (splitmix32). */
export function randomOf(seed: number, purpose: string): Random {
  let state = seed
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  for (const letter of purpose) state = next() ^ letter.charCodeAt(0)
  return (below) => next() % below
}
