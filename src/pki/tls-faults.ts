/**
 * How a TLS connection to etcd fails, as data: in Node's words and OpenSSL's alerts (RFC 8446 §6), in Go's `crypto/tls` and `crypto/x509`, in etcd's log
 * ("rejected connection") and in the answers of its HTTP gateway.
 *
 * Which alert stands for what is Go's choice (`crypto/tls` `processCertsFromClient`): "certificate expired" also where it has not begun yet, "bad certificate" for
 * all but time and authority, and before Go 1.20 (etcd 3.3 and 3.4) for those too.
 */

/** What is wrong. `server-…` is about the certificate of a member, `client-…` about that of whoever dials it. */
export type TlsFault =
  | 'server-name' | 'server-authority' | 'server-expired' | 'server-not-yet-valid' | 'server-purpose' | 'server-refused' | 'server-files'
  | 'client-missing' | 'client-authority' | 'client-expired' | 'client-not-yet-valid' | 'client-time' | 'client-purpose' | 'client-revoked' | 'client-refused'
  | 'gateway-unreachable' | 'gateway-common-name' | 'proxy-common-name'
  | 'plain-to-tls' | 'tls-to-plain' | 'protocol-version' | 'key-mismatch' | 'not-pem'

/** One way to read. */
export interface TlsSign {
  readonly code: TlsFault
  readonly match: RegExp
  /** Whose words they are, where the same mean something else in the other's. */
  readonly by?: 'client' | 'member'
  /** The HTTP status of the answer that says so. */
  readonly status?: number
}

/** In the order in which they are tried: the first that fits is it. */
export const TLS_SIGNS: readonly TlsSign[] = [
  { code: 'gateway-common-name', match: /CommonName of client sending a request against gateway will be ignored/ },
  // client/pkg/transport/listener.go, ClientConfig with EmptyCN.
  { code: 'proxy-common-name', match: /has non[- ]empty Common Name/ },
  // The gateway dials its own member: what it says of that is not about whoever asked.
  { code: 'gateway-unreachable', status: 503, match: /handshake failed|connection error|transport|remote error|tls:|\bTLS\b|Unavailable|"code":\s*14\b/ },
  { code: 'gateway-unreachable', match: /^\s*\{.*"code":\s*14\b.*(?:handshake failed|connection error|remote error|tls:)|^\s*\{.*(?:handshake failed|connection error|remote error|tls:).*"code":\s*14\b/s },

  { code: 'client-revoked', match: /certificate serial [0-9a-f]+ revoked|alert certificate revoked|CERTIFICATE_REVOKED\b|tls: revoked certificate/ },
  { code: 'key-mismatch', match: /key values mismatch|KEY_VALUES_MISMATCH|private key does not match public key|private key type does not match/ },
  { code: 'not-pem', match: /PEM routines|ERR_OSSL_PEM|failed to find any PEM data|failed to find PEM block|failed to find certificate PEM|failed to parse (?:certificate|private key)/ },

  // Node, OpenSSL and Go as clients, of the server's certificate.
  { code: 'server-name', match: /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate's altnames|x509: certificate is (?:valid for|not valid for any)|x509: cannot validate certificate for|relies on legacy Common Name field|HOSTNAME_MISMATCH|IP_ADDRESS_MISMATCH/ },
  { code: 'client-authority', by: 'member', match: /x509: certificate signed by unknown authority/ },
  { code: 'client-purpose', by: 'member', match: /incompatible key usage/ },
  { code: 'client-expired', by: 'member', match: /x509: certificate has expired or is not yet valid: current time \S+ is after/ },
  { code: 'client-not-yet-valid', by: 'member', match: /x509: certificate has expired or is not yet valid: current time \S+ is before/ },
  { code: 'client-time', by: 'member', match: /x509: certificate has expired or is not yet valid/ },
  { code: 'client-missing', match: /client didn't provide a certificate/ },
  { code: 'server-authority', by: 'member', match: /remote error: tls: (?:unknown certificate authority|unknown certificate\b)/ },
  { code: 'server-expired', by: 'member', match: /remote error: tls: expired certificate/ },
  { code: 'server-refused', by: 'member', match: /remote error: tls: / },
  { code: 'plain-to-tls', by: 'member', match: /first record does not look like a TLS handshake/ },
  { code: 'server-authority', match: /UNABLE_TO_VERIFY_LEAF_SIGNATURE|unable to verify the first certificate|UNABLE_TO_GET_ISSUER_CERT|unable to get (?:local )?issuer certificate|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|self[- ]signed certificate|CERT_SIGNATURE_FAILURE|x509: certificate signed by unknown authority/ },
  { code: 'server-purpose', match: /INVALID_PURPOSE|unsupported certificate purpose|unsuitable certificate purpose|x509: certificate specifies an incompatible key usage/ },
  { code: 'server-not-yet-valid', match: /CERT_NOT_YET_VALID|certificate is not yet valid|x509: certificate has expired or is not yet valid: current time \S+ is before/ },
  { code: 'server-expired', match: /CERT_HAS_EXPIRED|x509: certificate has expired or is not yet valid|(?<!alert )\bcertificate has expired\b/ },

  // Alerts that the member sends about the client's certificate.
  { code: 'client-missing', match: /alert certificate required|CERTIFICATE_REQUIRED|tls: certificate required/ },
  { code: 'client-authority', match: /alert unknown ca\b|ALERT_UNKNOWN_CA|tls: unknown certificate authority/ },
  { code: 'client-time', match: /alert certificate expired|ALERT_CERTIFICATE_EXPIRED|tls: expired certificate/ },
  { code: 'client-refused', match: /alert (?:bad|unsupported) certificate|alert certificate unknown|ALERT_(?:BAD|UNSUPPORTED)_CERTIFICATE|ALERT_CERTIFICATE_UNKNOWN|tls: (?:bad|unsupported|unknown) certificate/ },
  { code: 'server-files', match: /alert internal error|ALERT_INTERNAL_ERROR|remote error: tls: internal error/ },

  { code: 'plain-to-tls', match: /HTTP request to an HTTPS server/ },
  { code: 'tls-to-plain', match: /wrong version number|WRONG_VERSION_NUMBER|packet length too long|PACKET_LENGTH_TOO_LONG|server gave HTTP response to HTTPS client|first record does not look like a TLS handshake/ },
  // Node's HTTP parser on the alert that a TLS port answers with, and etcd's own words where it cannot tell what came.
  { code: 'plain-to-tls', match: /HPE_INVALID_CONSTANT|Expected HTTP\// },
  { code: 'protocol-version', match: /alert protocol version|ALERT_PROTOCOL_VERSION|unsupported protocol\b|UNSUPPORTED_PROTOCOL|tls: protocol version not supported|alert handshake failure|ALERT_HANDSHAKE_FAILURE|tls: handshake failure|no shared cipher|NO_SHARED_CIPHER|no cipher suite supported/ },
]

const LOG = 'etcd\'s log says which at that time: "rejected connection"'

/** What each means, and what to do about it. */
export const TLS_FAULTS: Readonly<Record<TlsFault, { readonly cause: string; readonly fix: string }>> = {
  'server-name': {
    cause: "the member's certificate does not name the address or name that was dialled; its Common Name does not count, and an address must be among the IP addresses",
    fix: "issue it again with every host by which it is dialled (memberHosts), or dial one that it names; etcd reads the new file at the next handshake",
  },
  'server-authority': {
    cause: "the client does not trust the authority of the member's certificate, or the member sends no intermediates behind it",
    fix: "give the client the CA of the servers as its CA file, and the member its chain, leaf first; while an authority is changed, both authorities",
  },
  'server-expired': { cause: "the member's certificate has expired, or the client's clock is ahead", fix: "renew it and write it in place: etcd reads it at the next handshake; then compare the clocks" },
  'server-not-yet-valid': { cause: "the member's certificate is not valid yet by the client's clock", fix: 'compare the clocks, and backdate certificates by some minutes: { backdateMinutes: 5 }' },
  'server-purpose': { cause: "the member shows a certificate that is not for servers: its extended key usage lacks serverAuth", fix: 'issue it with issueServer; see whether --cert-file is the certificate of a client' },
  'server-refused': { cause: "whoever dialled the member refused its certificate, and did not say why", fix: "look at that client's own error: its CA file, the host that it dials, the clocks" },
  'server-files': { cause: 'the member could not load its certificate and key at that moment: they do not belong together, as while they are being copied', fix: 'write key and certificate and put both in place by renaming; the next handshake reads them again' },
  'client-missing': { cause: 'the member wants a certificate of the client (--client-cert-auth), and none came', fix: 'give the client its certificate and key; for probes of health, use --listen-metrics-urls' },
  'client-authority': {
    cause: "the member does not trust the authority of the client's certificate: it is another one than at the member's start, or the client sends no intermediates behind it",
    fix: 'issue it under an authority of --trusted-ca-file, or add its authority there and restart the members one at a time: etcd reads that file at its start only',
  },
  'client-expired': { cause: "the client's certificate has expired by the member's clock", fix: "renew it; if it is valid by the client's clock, set the member's" },
  'client-not-yet-valid': { cause: "the client's certificate is not valid yet by the member's clock", fix: 'compare the clocks, and backdate certificates by some minutes: { backdateMinutes: 5 }' },
  'client-time': {
    cause: "the client's certificate has expired, or is not valid yet by the member's clock: a fresh certificate meets a clock that is behind, and the alert is the same",
    fix: 'look at its dates: renew it, or compare the clocks and backdate certificates by some minutes ({ backdateMinutes: 5 })',
  },
  'client-purpose': {
    cause: "a certificate without clientAuth was shown as a client's. From the member's own address it is the HTTP gateway inside etcd, which dials with the server certificate",
    fix: 'issue clients by issueClient; for the gateway, server certificates with clientAuth too, a certificate of its own (issueGateway, --client-cert-file, etcd 3.5 and newer), or --enable-grpc-gateway=false',
  },
  'client-revoked': { cause: "the client's certificate is in the list of --client-crl-file", fix: 'issue a new one, if it was not meant' },
  'client-refused': {
    cause: "the member refused the client's certificate, and did not say why: not for clients (no clientAuth), and on etcd 3.3 and 3.4 also none at all, another authority, or its dates",
    fix: `look there: ${LOG}; checkMaterial finds the same before it is used`,
  },
  'gateway-unreachable': {
    cause: "the HTTP gateway inside etcd cannot dial its own member: it shows the server certificate, which lacks clientAuth or comes from an authority outside --trusted-ca-file. Native gRPC works all the same",
    fix: 'from etcd 3.5, give it a certificate without Common Name (issueGateway, --client-cert-file); before, a server certificate with clientAuth of an authority in --trusted-ca-file; or --enable-grpc-gateway=false',
  },
  'gateway-common-name': { cause: 'the HTTP gateway takes no Common Name for a user, and refuses a certificate that has one', fix: 'show it a certificate without Common Name (issueGateway) and log in by password; or speak gRPC' },
  'proxy-common-name': { cause: "the gRPC proxy does not start with a certificate that has a Common Name: every client behind it would be that user", fix: 'give it one without (issueGateway); users behind it log in by password, or use the TCP gateway, which leaves certificates alone' },
  'plain-to-tls': { cause: 'a request without TLS came to a port that speaks TLS', fix: 'write https:// in the endpoints of that client' },
  'tls-to-plain': { cause: 'TLS was spoken to a port that does not, or to something else than etcd', fix: 'look at port and scheme; give etcd a certificate for that port (--cert-file) rather than writing http://' },
  'protocol-version': { cause: 'the two sides share no version of TLS or no cipher', fix: 'etcd 3.3 speaks TLS 1.2 at most, 3.4 and newer TLS 1.2 and 1.3, none anything older: compare --tls-min-version, --cipher-suites and the kinds of key' },
  'key-mismatch': { cause: 'the private key is not that of the certificate', fix: 'pass the two that were made together, the leaf first in its file' },
  'not-pem': { cause: 'a file is no PEM of what it should be', fix: 'see whether paths were exchanged; certificates and keys are PEM here, and keys PKCS#8, SEC1 or PKCS#1' },
}
