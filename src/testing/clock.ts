/** The time of a double, and of code under test: it stands still until it is moved. */

/** What tells the time and wakes up later: the shape of the clocks that the backends take. */
export interface Clock {
  /** The present, as the clock has it. */
  now(): Date
  /** Runs a function once, after so many milliseconds; the returned function cancels it. */
  after(milliseconds: number, run: () => void): () => void
}

/** A clock that its owner moves. */
export interface ManualClock extends Clock {
  /** Moves on by so many milliseconds, running what falls due on the way, at its time and in its order. */
  advance(milliseconds: number): void
}

/**
 * A clock that stands at `start` until it is moved. Keeps no timers of the platform. Throws a `TypeError` for an invalid date, and a `RangeError` where
 * it is to go back.
 *
 * @example
 * ```ts
 * import { manualClock } from 'etcd-rbac/testing'
 * const clock = manualClock(new Date('2026-01-01T00:00:00Z'))
 * clock.after(1000, () => console.log('a second later')) // a second later
 * clock.advance(1000)
 * ```
 */
export function manualClock(start: Date): ManualClock {
  if (!(start instanceof Date) || Number.isNaN(start.getTime())) throw new TypeError('a clock must start at a valid Date')
  let now = start.getTime()
  let due: readonly { readonly at: number; readonly run: () => void }[] = []
  return {
    now: () => new Date(now),
    after: (milliseconds, run) => {
      const timer = { at: now + Math.max(0, milliseconds), run }
      due = [...due, timer].sort((a, b) => a.at - b.at)
      return () => {
        due = due.filter((other) => other !== timer)
      }
    },
    advance: (milliseconds) => {
      if (!(milliseconds >= 0)) throw new RangeError('time does not go back: advance by 0 or more milliseconds')
      const until = now + milliseconds
      for (let next = due[0]; next !== undefined && next.at <= until; next = due[0]) {
        due = due.slice(1)
        now = Math.max(now, next.at)
        next.run()
      }
      // What fell due may have moved it further.
      now = Math.max(now, until)
    },
  }
}
