/** The present and its timers: the only place in `src/` that knows them. Everything else takes a `Date` or a {@link Clock}. */
import { EtcdRbacError } from '../errors.js'

/** What tells the time and wakes up later. Tests pass a manual one. */
export interface Clock {
  /** The present. */
  now(): Date
  /** Runs a function once, after so many milliseconds; the returned function cancels it. */
  after(milliseconds: number, run: () => void): () => void
}

declare function setTimeout(run: () => void, milliseconds: number): unknown
declare function clearTimeout(timer: unknown): void

/** Timers of the platforms wait no longer: beyond, they fire at once. */
const LONGEST = 2 ** 31 - 1

/** The clock of the platform. */
export const platformClock: Clock = {
  now: () => new Date(),
  after: (milliseconds, run) => {
    let timer: unknown
    const wait = (left: number): void => {
      timer = setTimeout(() => (left > LONGEST ? wait(left - LONGEST) : run()), Math.min(left, LONGEST))
    }
    wait(milliseconds)
    return () => clearTimeout(timer)
  },
}

/**
 * Ends a call that does not answer: rejects when its time is over, whatever the call does.
 *
 * @throws {@link EtcdRbacError} `ERR_DEADLINE`
 */
export async function withDeadline<T>(clock: Clock, milliseconds: number, method: string, call: (deadline: Date) => Promise<T>): Promise<T> {
  const deadline = new Date(clock.now().getTime() + milliseconds)
  let cancel = (): void => undefined
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(milliseconds, () => {
      reject(deadlineError(method, milliseconds))
    })
  })
  try {
    return await Promise.race([call(deadline), late])
  } finally {
    cancel()
  }
}

/** The error of a call that did not answer in time. */
export function deadlineError(method: string, milliseconds: number, cause?: unknown): EtcdRbacError<'ERR_DEADLINE'> {
  return new EtcdRbacError(
    'ERR_DEADLINE',
    {
      found: `no answer to ${method} within ${milliseconds} ms`,
      wanted: 'an answer before the deadline',
      fix: 'check that the member is reachable and has a leader, then plan and apply again: what was done is kept',
    },
    { milliseconds, method },
    cause,
  )
}
