/** The line between clients and the store: logs each call, and lets the faults have their way with it. */
import type { Caller, Store } from '../store/index.js'
import type { Call } from './calls.js'
import type { Clock } from './clock.js'
import type { Fate } from './faults.js'
import type { ErrorClasses } from './grpc-error.js'
import type { BytesMaker } from './wire.js'

/** What all clients of a double share. */
export interface Line {
  readonly store: Store
  readonly clock: Clock
  readonly classes: ErrorClasses
  readonly bytes: BytesMaker
  readonly calls: Call[]
  readonly judge: (call: Call) => Fate
  /** The open streams, each of which says what is new when it is pumped. */
  readonly streams: Set<{ pump(): void }>
  /** Cancels what wakes the streams when a lease ends. */
  leaseAlarm?: (() => void) | undefined
  /** Cancels what wakes the store when a v2 key expires that a watch may wait for. */
  alarm?: (() => void) | undefined
}

/** Who a client is. */
export interface Credentials {
  readonly caller: Caller
  readonly password?: { readonly user: string; readonly password: string }
}

/** A call on its way. */
export interface Attempt<T> {
  readonly call: Omit<Call, 'index'>
  /** Does it, and throws what the store refuses it with. */
  readonly effect: () => T
  /** The error of a lost connection. */
  readonly lost: () => Error
  /** Calls back when the call's time is over, with its error: at once where it is over already. Gives what takes that back. */
  readonly whenOver: (end: (error: Error) => void) => { readonly cancel: () => void }
}

/** Calls back when the deadline of a call has passed, by the line's clock: at once where it has already. */
export function callEnd({ clock }: Line, options: { readonly deadline?: number | Date } | undefined, over: () => void): { readonly cancel: () => void } {
  const nothing = { cancel: () => undefined }
  if (options?.deadline === undefined) return nothing
  const left = Number(options.deadline) - clock.now().getTime()
  if (left > 0) return { cancel: clock.after(left, over) }
  over()
  return nothing
}

/** Makes a call. Its effect comes at once, unless a rule has something come before. */
export async function send<T>(line: Line, attempt: Attempt<T>): Promise<T> {
  const call: Call = { index: line.calls.length + 1, ...attempt.call }
  line.calls.push(call)
  const fate = line.judge(call)
  for (const run of fate.before) await run()
  let over: Error | undefined
  attempt.whenOver((error) => (over = error)).cancel()
  if (over) throw over
  if (fate.failsBefore) throw fate.failsBefore.error ?? attempt.lost()
  if (fate.silent) return silence(attempt, fate.silent.applied)
  if (!fate.failsAfter) return attempt.effect()
  runBlind(attempt.effect)
  throw fate.failsAfter.error ?? attempt.lost()
}

/** Runs an effect whose answer nobody will hear, a refusal included. */
function runBlind(effect: () => unknown): void {
  try {
    effect()
  } catch {
    // The answer is lost.
  }
}

function silence<T>(attempt: Attempt<T>, applied: boolean): Promise<T> {
  if (applied) runBlind(attempt.effect)
  return new Promise((_, reject) => {
    attempt.whenOver(reject)
  })
}
