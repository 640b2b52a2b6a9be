/** HTTP to the double, in the shape of `fetch`. */
import { toBase64, utf8 } from '../bytes.js'
import type { FetchLike } from '../platform.js'
import { isReset, type HttpReply, type Rest } from '../store/index.js'
import { loggedBody } from './calls.js'
import { send, type Credentials, type Line } from './line.js'
import type { MemoryResponse } from './types.js'

/** An error of the transport, as `node:https` has it. */
function socketError(code: 'ECONNRESET' | 'ECONNREFUSED'): Error {
  const message = code === 'ECONNRESET' ? 'socket hang up' : 'connect ECONNREFUSED 127.0.0.1:2379'
  return Object.assign(new Error(message), { code })
}

interface SignalLike {
  readonly aborted: boolean
  readonly reason?: unknown
  addEventListener?(type: 'abort', listener: () => void): void
  removeEventListener?(type: 'abort', listener: () => void): void
}

const abortError = (signal: SignalLike): Error =>
  signal.reason instanceof Error ? signal.reason : Object.assign(new Error('This operation was aborted'), { name: 'AbortError' })

/** Calls back when a signal aborts, at once where it has; gives what takes that back. */
function whenAborted(signal: SignalLike | undefined, over: (error: Error) => void): { readonly cancel: () => void } {
  const aborted = (): void => over(abortError(signal as SignalLike))
  if (signal?.aborted === true) aborted()
  else signal?.addEventListener?.('abort', aborted)
  return { cancel: () => signal?.removeEventListener?.('abort', aborted) }
}

/** The longest that the timers of the platforms, which a clock may be made of, can wait: beyond, they fire at once. */
const LONGEST = 2 ** 31 - 1

/** Has the clock wake the store when a key expires that a watch may wait for. */
function setAlarm(line: Line): void {
  const { store, clock } = line
  line.alarm?.()
  const at = store.nextExpiry()
  const wake = (): void => {
    store.expire(clock.now())
    setAlarm(line)
  }
  line.alarm = at && clock.after(Math.min(at.getTime() - clock.now().getTime(), LONGEST), wake)
}

/** The body of a watch, when it comes. An abort gives it up. */
function bodyOf(line: Line, rest: Rest, signal: SignalLike | undefined): Promise<string> {
  let forget: () => void = () => undefined
  const body = new Promise<string>((resolve, reject) => {
    const giveUp = rest.wait((end) => {
      if (typeof end === 'string') resolve(end)
      else reject(socketError('ECONNRESET'))
    })
    const { cancel } = whenAborted(signal, (error) => {
      giveUp()
      setAlarm(line)
      reject(error)
    })
    forget = cancel
  })
  void body.then(forget, forget)
  // Nobody need ask for it.
  body.catch(() => undefined)
  return body
}

function toResponse({ status, headers }: HttpReply, body: Promise<string>): MemoryResponse {
  return {
    status,
    ok: status >= 200 && status < 300,
    headers: { get: (name) => headers[name.toLowerCase()] ?? null },
    text: () => body,
    json: () => body.then((text) => JSON.parse(text) as unknown),
  }
}

/**
 * The fetch-like function of a client. It resolves when the headers are there, which is at once. The body of a v2 watch (`wait=true`) comes with its
 * event, whichever client of the double makes it, or the clock; it rejects when the request's signal aborts, as the platform's does. That of a
 * watch of every event (`stream=true`) has no end: as with the platform's `text()`, an abort is all that it ever comes to.
 *
 * @example
 * ```ts
 * import { manualClock, memoryEtcd } from 'etcd-rbac/testing'
 * const clock = manualClock(new Date('2026-01-01T00:00:00Z'))
 * const etcd = memoryEtcd({ version: '3.5.30', v2: true, clock })
 * const leader = 'https://etcd.invalid:2379/v2/keys/leader'
 * const headers = { 'content-type': 'application/x-www-form-urlencoded' }
 * await etcd.fetch(leader, { method: 'PUT', redirect: 'manual', headers, body: 'value=a&ttl=10' })
 * const watch = await etcd.fetch(`${leader}?wait=true`, { method: 'GET', redirect: 'manual' })
 * clock.advance(10_000)
 * console.log(((await watch.json()) as { action: string }).action) // expire
 * ```
 */
export function createFetch(line: Line, { caller, password }: Credentials): (...args: Parameters<FetchLike>) => Promise<MemoryResponse> {
  const login = password && `Basic ${toBase64(utf8(`${password.user}:${password.password}`))}`
  return async (address, { method, headers: given = {}, body = '', signal }) => {
    const url = new URL(address)
    const own = Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]))
    const headers = login === undefined ? own : { authorization: login, ...own }
    const abortable = signal as SignalLike | undefined
    return send(line, {
      call: { api: 'v2', method: `${method} ${url.pathname}`, request: loggedBody(url.pathname, body), commonName: caller.commonName },
      effect: () => {
        const { store, clock } = line
        if (store.isDead()) throw socketError('ECONNREFUSED')
        const reply = store.http({ method, target: url.pathname + url.search, headers, body }, caller, clock.now())
        if (isReset(reply)) throw socketError('ECONNRESET')
        const response = toResponse(reply, reply.rest ? bodyOf(line, reply.rest, abortable) : Promise.resolve(reply.body))
        setAlarm(line)
        return response
      },
      lost: () => socketError('ECONNRESET'),
      whenOver: (end) => whenAborted(abortable, end),
    })
  }
}
