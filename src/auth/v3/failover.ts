/** Several members behind one transport: a request goes to another one where the first cannot take it, and never twice where it may have been done. */
import type { AuthMethod, V3Transport } from './transport.js'

/** What never began: nobody there, an etcd3 client that gives its host a rest (unless etcd3Options made it), or a member that takes no part in votes (server/etcdserver/api/v3rpc/interceptor.go). */
const NOT_BEGUN = /rpc not supported for learner|circuit breaker is open|connect (ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)|getaddrinfo (ENOTFOUND|EAI_AGAIN)|Name resolution failed/

/** What another member may answer better: no leader, a lost one, a server that stops, a connection that broke, a call that hangs. */
const ELSEWHERE = /^\d+ (UNAVAILABLE|DEADLINE_EXCEEDED|CANCELLED):/

const READS: ReadonlySet<AuthMethod> = new Set(['authStatus', 'userList', 'userGet', 'roleList', 'roleGet'])

/**
 * One transport of many. It stays with a member as long as that answers. A read that fails there is asked of the others; a write only if it cannot have
 * begun. After any other failure of a member the next request, such as the question whether the write was done, goes to the next.
 */
export function failover(transports: readonly V3Transport[]): V3Transport {
  let current = 0
  return {
    call: async (method, request, options) => {
      for (let tried = 1; ; tried++) {
        const at = current
        const transport = transports[at % transports.length]
        if (transport === undefined) throw new TypeError('v3Backend wants a client, or a list of at least one')
        try {
          return await transport.call(method, request, options)
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error)
          const notBegun = NOT_BEGUN.test(reason)
          if (!notBegun && !ELSEWHERE.test(reason)) throw error
          // Of several calls that fail at one member, the first moves on.
          if (current === at) current++
          // No time is left for anybody else.
          const isOver = /^\d+ DEADLINE_EXCEEDED:/.test(reason)
          if (isOver || tried >= transports.length || !(notBegun || READS.has(method))) throw error
        }
      }
    },
  }
}
