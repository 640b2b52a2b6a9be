/** Faults at the n-th write of a real client, counted as it is sent: several may be under way at once. */
import { platformClock, type AuthMethod, type Clock, type FetchLike, type V3Transport } from '../../src/auth/index.js'

/** What becomes of a write: `send` sends it, `late` lets its deadline pass. */
export type Fault = <T>(send: () => Promise<T>, late: () => void) => Promise<T>

/** A fault at one write, which leaves the others alone. */
export interface Placed {
  /** For the client whose writes these are: deadlines need not be waited for. */
  readonly clock: Clock
  readonly send: <T>(send: () => Promise<T>) => Promise<T>
  readonly isReached: () => boolean
}

/** Places a fault at a write, counted from 1. */
export function atWrite(number: number, fault: Fault): Placed {
  let sent = 0
  let expire = (): void => undefined
  return {
    clock: {
      now: () => platformClock.now(),
      after: (milliseconds, run) => {
        expire = run
        return platformClock.after(milliseconds, run)
      },
    },
    // The timer that was set last is that of the call which is being sent.
    send: (send) => (++sent === number ? fault(send, expire) : send()),
    isReached: () => sent >= number,
  }
}

const READS: ReadonlySet<AuthMethod> = new Set(['authenticate', 'authStatus', 'userGet', 'userList', 'roleGet', 'roleList'])

/** A transport whose writes meet the fault. */
export function faultyTransport(inner: V3Transport, { send }: Placed): V3Transport {
  return { call: (method, request, options) => (READS.has(method) ? inner.call(method, request, options) : send(() => inner.call(method, request, options))) }
}

/** A fetch whose writes meet the fault. */
export function faultyFetch(inner: FetchLike, { send }: Placed): FetchLike {
  const whole: FetchLike = async (url, request) => {
    const { status, headers, ...answer } = await inner(url, request)
    const text = await answer.text()
    return { status, headers, text: async () => text }
  }
  return (url, request) => (request.method === 'GET' ? inner(url, request) : send(() => whole(url, request)))
}

const lost = (): Error => new Error('14 UNAVAILABLE: socket hang up')
const never = <T>(): Promise<T> => new Promise<T>(() => undefined)

export const failsBefore: Fault = () => Promise.reject(lost())

export const losesAnswer: Fault = async (send) => {
  await send()
  throw lost()
}

export const neverSent: Fault = (_, late) => {
  late()
  return never()
}

export const neverAnswered: Fault = async (send, late) => {
  await send()
  late()
  return never()
}
