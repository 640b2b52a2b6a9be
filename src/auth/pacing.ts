/** How fast to write: the less the auth store moves, the less etcd refuses of what others have under way. */
import { checkFields } from '../known-fields.js'
import type { CallContext } from './backend.js'

/** Either or both. */
export interface Pacing {
  /** Writes a second at most. */
  readonly mutationsPerSecond?: number
  /** Milliseconds between the end of a write and the next at least. */
  readonly pauseMs?: number
}

/**
 * Waits before each write but the first, by the clock of the calls.
 *
 * @throws `TypeError` for what is no rate or no pause
 */
export function createPace({ clock }: CallContext, pacing: Pacing): () => Promise<void> {
  checkFields(pacing, ['mutationsPerSecond', 'pauseMs'], 'pacing')
  const { mutationsPerSecond = Number.POSITIVE_INFINITY, pauseMs = 0 } = pacing
  if (!(mutationsPerSecond > 0)) throw new TypeError('pacing.mutationsPerSecond must be a number above 0')
  if (!(Number.isFinite(pauseMs) && pauseMs >= 0)) throw new TypeError('pacing.pauseMs must be a number of milliseconds')
  let next: number | undefined
  return async () => {
    const now = clock.now().getTime()
    const wait = next === undefined ? 0 : Math.max(next - now, pauseMs)
    if (wait > 0) await new Promise<void>((resolve) => void clock.after(wait, resolve))
    next = now + wait + 1000 / mutationsPerSecond
  }
}
