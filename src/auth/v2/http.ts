/**
 * Requests to etcd's v2 HTTP API and what its answers mean (etcd 3.5 server/etcdserver/api/v2http/client_auth.go). It has three shapes of
 * error: `{message}`, the key store's `{errorCode, message, cause, index}`, and plain text.
 */
import { EtcdRbacError, isEtcdRbacError } from '../../errors.js'
import { withDeadline } from '../clock.js'
import { transportFault } from '../transport-fault.js'
import { MESSAGE_MAX, visible, visibleReason } from '../visible.js'
import type { CallContext } from '../backend.js'
import type { FetchLike, ResponseLike } from '../../platform.js'

/** An answer that is not an error of transport. */
export interface V2Answer {
  readonly status: number
  readonly text: string
  /** What an error says, however it is shaped, as it came: long, and not fit to be shown. */
  readonly message: string
}

/** A request to the v2 API; `body` is sent as JSON. */
export type V2Request = (method: 'GET' | 'PUT' | 'DELETE', path: string, context: CallContext, body?: object) => Promise<V2Answer>

/** The platform's, where it has one: it only frees the socket of a call that is given up. */
declare const AbortController: (new () => { readonly signal: object; abort(): void }) | undefined

/** Sends requests to one endpoint, each with a deadline, never following a redirect. */
export function v2Request(fetch: FetchLike, endpoint: string): V2Request {
  const base = endpoint.replace(/\/+$/, '')
  return async (method, path, context, body) => {
    const aborter = typeof AbortController === 'function' ? new AbortController() : undefined
    const name = `${method} ${visible(path)}`
    context.sent?.(name)
    try {
      return await withDeadline(context.clock, context.deadlineMilliseconds, name, async () => {
        const response = await fetch(base + path, {
          method,
          redirect: 'manual',
          ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
          ...(aborter === undefined ? {} : { signal: aborter.signal }),
        })
        return await judged(response, name, endpoint, context)
      })
    } catch (error) {
      aborter?.abort()
      throw isEtcdRbacError(error) ? error : transportFailure(error, name)
    }
  }
}

async function judged(response: ResponseLike, method: string, endpoint: string, { user }: CallContext): Promise<V2Answer> {
  const { status } = response
  const text = await response.text()
  if (status === 401) {
    throw new EtcdRbacError('ERR_NOT_ROOT', { found: `${method} denied: auth is on, and etcd v2 takes the client for a user without role root or for a guest`, wanted: `user ${visible(user)} with role root, as whom the client says to be connected`, fix: 'connect with the certificate of a user who holds role root; a certificate whose Common Name is no user counts as guest' }, { user })
  }
  if (status === 404 && !text.startsWith('{')) {
    const shown = visibleReason(endpoint)
    throw new EtcdRbacError('ERR_V2_DISABLED', { found: `no v2 API at ${shown}`, wanted: 'an etcd that serves it', fix: 'start etcd 3.4 or 3.5 with --enable-v2=true, or drop the v2 half: etcd 3.6 and newer have none' }, { endpoint: shown })
  }
  return { status, text, message: messageOf(text) }
}

function messageOf(text: string): string {
  try {
    const body = JSON.parse(text) as { message?: unknown; cause?: unknown } | null
    if (typeof body?.message === 'string') return typeof body.cause === 'string' ? `${body.message} (${body.cause})` : body.message
  } catch {
    // Plain text is its own message.
  }
  return text
}

function transportFailure(error: unknown, method: string): EtcdRbacError {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const reason = inner instanceof Error ? `${inner.message}${'code' in inner ? ` (${String(inner.code)})` : ''}` : String(inner)
  if (/ECONNRESET|socket hang up|other side closed/i.test(reason)) {
    const shown = visibleReason(reason)
    return new EtcdRbacError('ERR_UNREACHABLE', { found: `etcd v2 cut the connection during ${method}: ${shown}`, wanted: 'an answer', fix: 'check that the client certificate has a Common Name: etcd v2 resets connections of certificates without one' }, { reason: shown }, error)
  }
  return transportFault(method, reason, error)
}

/** The error of an answer that was not the one hoped for. */
export function v2Failure(request: string, { status, message }: V2Answer): EtcdRbacError<'ERR_SERVER'> {
  const conflict = /already exists|does not exist|doesn't exist|Granting duplicate|Revoking ungranted|Role not updated|already enabled|Key not found/.test(message)
  const meaning = conflict ? 'conflict' : status >= 500 ? 'unclear' : 'refused'
  const [method, said] = [visible(request), visible(message, MESSAGE_MAX)]
  return new EtcdRbacError('ERR_SERVER', { found: `${method} was answered ${status}: ${said}`, wanted: 'success', fix: 'correct what etcd names, then plan and apply again: what was done is kept' }, { method, code: String(status), message: said, meaning })
}
