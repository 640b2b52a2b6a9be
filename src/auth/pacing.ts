/** How fast to write: the less the auth store moves, the less etcd refuses of what others have under way. */
import { checkFields } from '../known-fields.js'
import type { AbortSignalLike } from '../platform.js'
import type { CallContext } from './backend.js'
import type { Clock } from './clock.js'
import { onAbort } from './signal.js'

/** Either or both. */
export interface Pacing {
  /** Writes a second at most. */
  readonly mutationsPerSecond?: number
  /** Milliseconds between the end of a write and the next at least. */
  readonly pauseMs?: number
}

/**
 * Waits before each write but the first, by the clock of the calls; no longer, once the signal is aborted: whoever waited looks at it.
 *
 * @throws `TypeError` for what is no rate or no pause
 */
export function createPace({ clock }: Pick<CallContext, 'clock'>, pacing: Pacing, signal?: AbortSignalLike): () => Promise<void> {
  checkFields(pacing, ['mutationsPerSecond', 'pauseMs'], 'pacing')
  const { mutationsPerSecond = Number.POSITIVE_INFINITY, pauseMs = 0 } = pacing
  if (!(mutationsPerSecond > 0)) throw new TypeError('pacing.mutationsPerSecond must be a number above 0')
  if (!(Number.isFinite(pauseMs) && pauseMs >= 0)) throw new TypeError('pacing.pauseMs must be a number of milliseconds')
  let next: number | undefined
  return async () => {
    const now = clock.now().getTime()
    const wait = next === undefined ? 0 : Math.max(next - now, pauseMs)
    if (wait > 0 && signal?.aborted !== true) await passed(clock, wait, signal)
    next = now + wait + 1000 / mutationsPerSecond
  }
}

/** Resolves when the time is over, or soon after the signal is aborted. */
function passed(clock: Clock, milliseconds: number, signal: AbortSignalLike | undefined): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      cancel()
      stop()
      resolve()
    }
    const cancel = clock.after(milliseconds, over)
    const stop = onAbort(clock, signal, over)
  })
}
