/** What clients say of a connection that never was: Node's and OpenSSL's words, in whatever wraps them. */

/** No connection at all. It may name a host such as `etcd-tls`, and must not pass for a fault of TLS. */
export function isUnreached(reason: string): boolean {
  return /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNABORTED|Name resolution failed/.test(reason)
}

/** A handshake that one side refused. */
export const TLS_FAULT: RegExp = /certificate|altname|\balert\b|\bSSL|\bTLS|EPROTO|self.signed|issuer/i
