/**
 * How a denial reads, as data: in etcd's log, as an error of gRPC in Go and Node, as an answer over HTTP, as an error of TLS.
 *
 * etcd's lines were written by 3.3.25, 3.4.23 (both loggers), 3.5.30 and 3.7.3, Node's by Node 20 and etcd3; where a sign is from source alone, it
 * says so.
 */

/** Why something was denied. */
export type DenialCause =
  // etcd knew who asked, or that it did not.
  | 'permission' | 'root only' | 'unknown user' | 'no name' | 'name ignored by the gateway' | 'wrong password' | 'invalid token' | 'rights changed meanwhile' | 'auth is off' | 'v2 credentials or permission'
  // It never came so far.
  | 'client certificate of another authority' | 'client certificate not for clients' | 'client certificate expired' | 'client certificate revoked' | 'client certificate missing' | 'client certificate refused'
  | 'server certificate of another authority' | 'server certificate names another host' | 'server certificate expired' | 'server certificate not for servers' | 'server certificate refused'
  | 'plain request to a TLS port' | 'TLS request to a plain port' | 'connection reset' | 'file permission'
  | 'unrecognized'

/** One way to read. */
export interface Sign {
  readonly cause: DenialCause
  /** Stands in the line too, before or behind. */
  readonly within?: string
  readonly match: RegExp
  /** What cannot be known from it. */
  readonly unknown: readonly string[]
  readonly fix: string
}

const WHOSE = 'whose certificate it was: etcd logs the address alone'
const TIME = 'whether the certificate has expired, is not valid yet, or a clock is wrong'

/** In the order in which they are tried: the first that matches a line is it. */
export const SIGNS: readonly Sign[] = [
  // Before all others: it quotes keys, which may read like any of them.
  { cause: 'permission', within: 'apply request', match: /(?:"error": ?"|\berr is )auth: permission denied(?:"\})?\s*$/, unknown: [], fix: 'grant the permission to a role of the user' },

  // Not etcd at all: the text is the operating system's.
  { cause: 'file permission', within: 'permission denied', match: /\b(?:open|openat|stat|lstat|mkdir|unlink|chmod|exec|fork\/exec|connect|bind|(?:ba|da|k|z|a)?sh(?:: line \d+)?:) [^\s:]+: permission denied|\b(?:dial|listen) unix [^\s:]+: (?:connect|bind): permission denied|\bEACCES\b/, unknown: [], fix: 'let the process read the file: etcd was not asked (Calico kube-controllers want mode 0440 for their secret)' },
  { cause: 'name ignored by the gateway', match: /CommonName of client sending a request against gateway will be ignored/, unknown: [], fix: 'over the HTTP gateway, log in by password with a certificate that has no Common Name; or speak gRPC' },

  // etcd's log of TLS. "rejected connection", on client and peer ports alike.
  { cause: 'client certificate of another authority', within: 'rejected connection', match: /x509: certificate signed by unknown authority/, unknown: [WHOSE], fix: "issue the client's certificate under an authority of --trusted-ca-file, or add its authority there and restart the members one at a time: etcd reads that file at its start" },
  { cause: 'client certificate not for clients', within: 'rejected connection', match: /x509: certificate specifies an incompatible key usage/, unknown: [WHOSE, "whether it was etcd's own HTTP gateway, which dials with the server certificate"], fix: 'issue the certificate for client authentication; a server certificate too, or turn the gateway off (--enable-grpc-gateway=false)' },
  { cause: 'client certificate expired', within: 'rejected connection', match: /x509: certificate has expired or is not yet valid/, unknown: [WHOSE, TIME], fix: 'renew it, or compare the clocks; backdate certificates by some minutes' },
  // client/pkg/transport/listener_tls.go, checkCRL.
  { cause: 'client certificate revoked', match: /certificate serial [0-9a-f]+ revoked/, unknown: [WHOSE], fix: 'issue a new certificate if it was not meant; the serial number is in the line' },
  { cause: 'client certificate missing', within: 'rejected connection', match: /client didn't provide a certificate/, unknown: ['who it was: etcd logs the address alone'], fix: 'give the client a certificate; probes of health may use --listen-metrics-urls instead' },
  { cause: 'plain request to a TLS port', match: /first record does not look like a TLS handshake|HTTP request to an HTTPS server/, unknown: ['who it was: etcd logs the address alone'], fix: 'write https:// in the endpoints of that client' },
  { cause: 'server certificate refused', within: 'rejected connection', match: /remote error: tls: |\bEOF\b/, unknown: ["why the client hung up: its own log says whether it refused etcd's certificate"], fix: "compare the client's CA file and the host names in the server certificate" },

  // Node and Go as clients.
  { cause: 'server certificate names another host', match: /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate's altnames|x509: certificate is (?:valid for|not valid for any)|x509: cannot validate certificate for/, unknown: [], fix: 'dial a name or address that the server certificate holds, or issue it with that one as subject alternative name: the Common Name does not count' },
  { cause: 'server certificate of another authority', match: /UNABLE_TO_VERIFY_LEAF_SIGNATURE|unable to verify the first certificate|UNABLE_TO_GET_ISSUER_CERT|unable to get (?:local )?issuer certificate|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|self[- ]signed certificate|x509: certificate signed by unknown authority/, unknown: ['whether the client has the wrong CA file, or the server sends no intermediate certificate'], fix: "give the client the CA file of etcd's servers" },
  { cause: 'server certificate not for servers', match: /x509: certificate specifies an incompatible key usage|unsuitable certificate purpose/, unknown: [], fix: 'issue the server certificate for server authentication' },
  { cause: 'server certificate expired', match: /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|x509: certificate has expired or is not yet valid|\bcertificate has expired\b/, unknown: [TIME], fix: 'renew the server certificate: etcd reads its files again at every handshake' },
  { cause: 'client certificate of another authority', match: /alert unknown ca\b|UNKNOWN_CA|tls: unknown certificate authority/, unknown: [], fix: "issue the client's certificate under an authority of etcd's --trusted-ca-file" },
  { cause: 'client certificate expired', match: /alert certificate expired|CERTIFICATE_EXPIRED|tls: expired certificate/, unknown: [TIME], fix: 'renew it, or compare the clocks; backdate certificates by some minutes' },
  { cause: 'client certificate missing', match: /alert certificate required|CERTIFICATE_REQUIRED|tls: certificate required/, unknown: [], fix: 'give the client a certificate and its key' },
  { cause: 'client certificate refused', match: /alert bad certificate|ALERT_BAD_CERTIFICATE|tls: bad certificate|alert handshake failure/, unknown: ["why: etcd's log alone says so, as \"rejected connection\" (no certificate at all, another authority, an expired one, or one that is not for clients)"], fix: "look for \"rejected connection\" in etcd's log at that time" },
  { cause: 'TLS request to a plain port', match: /wrong version number|WRONG_VERSION_NUMBER|server gave HTTP response to HTTPS client/, unknown: [], fix: 'write http:// in the endpoints, or better give etcd a certificate for that port' },

  // etcd's answers and log, auth.
  { cause: 'rights changed meanwhile', match: /revision of auth store is old|revision in header is old/, unknown: [], fix: 'send it again: users or roles were changed while it was under way, and it was not done. With JSON web tokens, log in again after every change' },
  { cause: 'auth is off', match: /authentication is not enabled/, unknown: [], fix: 'log in without a password, or enable auth: everybody past TLS may do everything now' },
  { cause: 'wrong password', match: /authentication failed, (?:invalid|password was given)|invalid authentication (?:request to user|was requested)|incorrect password/, unknown: ['whether the password is wrong or there is no such user'], fix: 'correct the name or the password; a user made without a password logs in by certificate only' },
  { cause: 'invalid token', match: /invalid auth token/, unknown: ['whether the token has expired, a member was restarted, or its user was changed'], fix: 'log in again; on etcd 3.3 and 3.4, send no old token with that request' },
  { cause: 'no name', match: /invalid user name {2}for permission checking|"user-name":""|user name is empty/, unknown: ['whether the certificate has no Common Name, --client-cert-auth is not set, or the request came through the gateway or the gRPC proxy, where none arrives', 'what it asked for'], fix: 'give the certificate the name of a user, set --client-cert-auth and --trusted-ca-file, and speak gRPC to a member' },
  { cause: 'unknown user', match: /cannot find a user for permission check|invalid user name \S/, unknown: ['what it asked for: etcd logs the name alone'], fix: 'declare the user, or issue the certificate for one that is declared: names are compared byte by byte' },
  { cause: 'unknown user', match: /user name not found/, unknown: ['whether the caller is no user of etcd, or the user whom the request names'], fix: 'declare the user, or issue the certificate for one that is declared' },
  { cause: 'v2 credentials or permission', match: /Insufficient credentials|"errorCode":\s*110\b|The request requires user authentication|invalid access for (?:user|unauthenticated user|a guest role)/, unknown: [], fix: 'grant the user a pattern that matches the path as it stands in the URL, with its trailing slash; a recursive request needs one that ends in "*"' },
  // Snapshot, Hash and Defragment are refused by another layer, whose error has no code of its own.
  { cause: 'root only', within: 'permission denied', match: /UNKNOWN: auth: permission denied|code = Unknown desc = auth: permission denied|compact failed: |\/etcdserverpb\.(?:Auth|Cluster|Maintenance)\//, unknown: [], fix: 'no permission grants this: do it as a user with role root; compaction can be left to etcd (--auto-compaction-retention)' },
  { cause: 'permission', match: /\b(?:auth|etcdserver): permission denied|PermissionDenied|PERMISSION_DENIED/, unknown: [], fix: 'grant the permission to a role of the user' },
  { cause: 'connection reset', match: /ECONNRESET|socket hang up|other side closed/, unknown: ['who closed it, and why'], fix: 'on the v2 API, etcd resets every connection of a client certificate that has no Common Name; otherwise look whether the port speaks TLS' },
]
