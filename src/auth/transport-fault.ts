/** What clients say of a connection that never was, in Node's and OpenSSL's words, whatever wraps them; and the errors that come of it. */
import { EtcdRbacError } from '../errors.js'
import { visibleReason } from './visible.js'

/** No connection at all. It may name a host such as `etcd-tls`, and must not pass for a fault of TLS. */
const UNREACHED = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNABORTED|Name resolution failed/

/** A handshake that one side refused. */
const TLS_FAULT = /certificate|altname|\balert\b|\bSSL|\bTLS|EPROTO|self.signed|issuer/i

/** The error of a call that met no server, by what the client says: a handshake that failed, or nobody there. */
export function transportFault(method: string, reason: string, cause: unknown): EtcdRbacError<'ERR_TLS' | 'ERR_UNREACHABLE'> {
  const shown = visibleReason(reason)
  if (!UNREACHED.test(reason) && TLS_FAULT.test(reason)) {
    return new EtcdRbacError('ERR_TLS', { found: `${method} failed in the TLS handshake: ${shown}`, wanted: 'a server certificate of the CA that the client trusts, naming the address dialled, and a client certificate of the CA that etcd trusts', fix: 'compare the CA files of both sides, the host names in the server certificate, and the log of etcd, which alone says why it refused' }, { reason: shown }, cause)
  }
  return new EtcdRbacError('ERR_UNREACHABLE', { found: `${method} got no answer: ${shown}`, wanted: 'a reachable etcd member', fix: 'check the endpoint, that etcd runs there, and that the scheme (https) is right' }, { reason: shown }, cause)
}
