/** Several members behind one backend: who is asked, for how long, and who is asked next. A write is sent once, to one member. */
import { isEtcdRbacError } from '../../errors.js'
import type { CallContext } from '../backend.js'
import { withDeadline } from '../clock.js'
import type { AuthMethod, AuthRpcs, V3Transport } from './transport.js'

/**
 * What another member may answer better: nobody there, a learner, no leader, a lost one, a server that stops, a connection that broke, a call that hangs,
 * or an etcd3 client that gives its host a rest (unless etcd3Options made it). A learner says so under different codes, by release.
 */
const ELSEWHERE = /^\d+ (UNAVAILABLE|DEADLINE_EXCEEDED|CANCELLED):|rpc not supported for learner|circuit breaker is open|connect (ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)|getaddrinfo (ENOTFOUND|EAI_AGAIN)|Name resolution failed/

/**
 * What may be asked twice. No failure proves of a write that it was not done: a client that repeats by itself, as etcd3 does, tells of its last attempt
 * alone, and an earlier one may have been done.
 */
const READS: ReadonlySet<AuthMethod> = new Set(['authStatus', 'authenticate', 'userList', 'userGet', 'roleList', 'roleGet'])

/** Asks one member, until the deadline at most. */
export type Ask = <M extends AuthMethod>(method: M, request: AuthRpcs[M]['request'], context: Pick<CallContext, 'clock' | 'deadlineMilliseconds'>) => Promise<AuthRpcs[M]['reply']>

/**
 * Stays with a member as long as that answers. A read that fails there is asked of the others within the same deadline. After any failure of a member, and
 * when it has not answered in time, the next request goes to the next: such as the question whether the write was done.
 */
export function failover(transports: readonly [V3Transport, ...V3Transport[]]): Ask {
  let current = 0
  return async (method, request, { clock, deadlineMilliseconds }) => {
    let at = current
    /** Of several calls that fail at one member, the first moves on. */
    const moveOn = (): void => {
      if (current === at) current++
    }
    try {
      return await withDeadline(clock, deadlineMilliseconds, method, async (deadline) => {
        for (let tried = 1; ; tried++) {
          at = current
          try {
            return await (transports[at % transports.length] ?? transports[0]).call(method, request, { deadline })
          } catch (error) {
            const reason = error instanceof Error ? error.message : String(error)
            if (!ELSEWHERE.test(reason)) throw error
            moveOn()
            // No time is left for anybody else.
            const isOver = /^\d+ DEADLINE_EXCEEDED:/.test(reason) || clock.now() >= deadline
            if (isOver || tried >= transports.length || !READS.has(method)) throw error
          }
        }
      })
    } catch (error) {
      // A transport that hangs says nothing: it is left all the same.
      if (isEtcdRbacError(error, 'ERR_DEADLINE')) moveOn()
      throw error
    }
  }
}
