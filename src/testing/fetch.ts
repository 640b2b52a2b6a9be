/** HTTP to the double, in the shape of `fetch`. */
import { toBase64, utf8 } from '../bytes.js'
import type { FetchLike } from '../platform.js'
import { isReset, type HttpReply } from '../store/index.js'
import { loggedBody } from './calls.js'
import { send, type Credentials, type Line } from './line.js'
import type { MemoryResponse } from './types.js'

/** An error of the transport, as `node:https` has it. */
function socketError(code: 'ECONNRESET' | 'ECONNREFUSED'): Error {
  const message = code === 'ECONNRESET' ? 'socket hang up' : 'connect ECONNREFUSED 127.0.0.1:2379'
  return Object.assign(new Error(message), { code })
}

function toResponse({ status, headers, body }: HttpReply): MemoryResponse {
  return {
    status,
    ok: status >= 200 && status < 300,
    headers: { get: (name) => headers[name.toLowerCase()] ?? null },
    text: () => Promise.resolve(body),
    json: () => Promise.resolve().then(() => JSON.parse(body) as unknown),
  }
}

interface SignalLike {
  readonly aborted: boolean
  readonly reason?: unknown
  addEventListener?(type: 'abort', listener: () => void): void
}

const abortError = (signal: SignalLike): Error =>
  signal.reason instanceof Error ? signal.reason : Object.assign(new Error('This operation was aborted'), { name: 'AbortError' })

/** The fetch-like function of a client. */
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
        return toResponse(reply)
      },
      lost: () => socketError('ECONNRESET'),
      whenOver: (end) => {
        if (!abortable) return false
        if (abortable.aborted) end(abortError(abortable))
        else abortable.addEventListener?.('abort', () => end(abortError(abortable)))
        return abortable.aborted
      },
    })
  }
}
