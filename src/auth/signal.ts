/** The caller's signal to stop, by structure: an `AbortSignal` calls back, anything simpler is looked at again and again. */
import type { AbortSignalLike } from '../platform.js'
import type { Clock } from './clock.js'

/** Milliseconds between two looks at a signal that cannot call back. */
const LOOK_AGAIN = 1000

/**
 * Refuses what is no signal: an `AbortController` in its place would never stop anything.
 *
 * @throws `TypeError`
 */
export function checkSignal(signal: unknown): void {
  if (signal === undefined) return
  const { aborted } = (signal ?? {}) as Partial<AbortSignalLike>
  if (typeof aborted !== 'boolean') throw new TypeError('signal must be an AbortSignal, as the signal of an AbortController is, not the controller')
}

/** Runs a function soon after a signal that is not aborted yet is; the returned function ends the waiting for it. */
export function onAbort(clock: Clock, signal: AbortSignalLike | undefined, run: () => void): () => void {
  if (signal === undefined) return () => undefined
  const { addEventListener, removeEventListener } = signal as { readonly addEventListener?: unknown; readonly removeEventListener?: unknown }
  if (typeof addEventListener === 'function' && typeof removeEventListener === 'function') {
    addEventListener.call(signal, 'abort', run)
    return () => void removeEventListener.call(signal, 'abort', run)
  }
  let cancel = (): void => undefined
  const look = (): void => {
    cancel = clock.after(LOOK_AGAIN, () => {
      if (signal.aborted) run()
      else look()
    })
  }
  look()
  return () => {
    cancel()
  }
}
