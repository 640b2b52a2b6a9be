/** What errors of TLS mean, by their texts. `test/interop/tls-errors.test.ts` produces them on real servers. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { explainTlsError, type TlsErrorContext, type TlsFault } from '../../../src/pki/index.js'
import { transportFault } from '../../../src/auth/transport-fault.js'
import { TLS_FAULTS, TLS_SIGNS } from '../../../src/pki/tls-faults.js'
import { explainDenied, type DenialCause } from '../../../src/policy/index.js'

const zap = (error: string, msg = 'rejected connection on client endpoint'): string => JSON.stringify({ level: 'warn', msg, 'remote-addr': '127.0.0.1:38212', 'server-name': '', error })
const alert = (name: string, number: number): string => `80FC89B7557F0000:error:0A000418:SSL routines:ssl3_read_bytes:${name}:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1601:SSL alert number ${String(number)}\n`
const grpc = (last: string): string => `14 UNAVAILABLE: No connection established. Last error: ${last} (2026-11-25T10:39:24.215Z). Resolution note: `
const EXPIRED = 'x509: certificate has expired or is not yet valid: current time 2026-11-25T10:39:22Z is after 2026-01-01T00:00:00Z'
const EARLY = 'x509: certificate has expired or is not yet valid: current time 2026-11-25T10:39:22Z is before 2026-12-01T00:00:00Z'

const cases: readonly (readonly [name: string, text: string, code: TlsFault, context?: TlsErrorContext])[] = [
  // Node, of the server's certificate.
  ['Node, another name', "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: Cert does not contain a DNS name", 'server-name'],
  ['Node, another address', "Hostname/IP does not match certificate's altnames: IP: 127.0.0.1 is not in the cert's list: 127.0.0.2", 'server-name'],
  ['grpc-js, another address', grpc("Error: Hostname/IP does not match certificate's altnames: IP: 127.0.0.1 is not in the cert's list: "), 'server-name'],
  ['Node, another authority', 'unable to verify the first certificate', 'server-authority'],
  ['Node, another authority, by code', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'server-authority'],
  ['Node, a self-signed server', 'self-signed certificate', 'server-authority'],
  ['grpc-js, another authority', grpc('Error: unable to verify the first certificate'), 'server-authority'],
  ['Node, expired', 'certificate has expired', 'server-expired'],
  ['Node, expired, by code', 'CERT_HAS_EXPIRED', 'server-expired'],
  ['Node, not yet valid', 'certificate is not yet valid', 'server-not-yet-valid'],
  ['Node, a client as server', 'unsupported certificate purpose', 'server-purpose'],
  ['Node, a client as server, by code', 'INVALID_PURPOSE', 'server-purpose'],
  // Go as a client.
  ['Go, another authority', 'transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority', 'server-authority'],
  ['Go, another address', "x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs", 'server-name'],
  ['Go, another host', 'x509: certificate is valid for etcd-0, not etcd-1', 'server-name'],
  ['Go, a Common Name in place of a host', 'x509: certificate relies on legacy Common Name field, use SANs instead', 'server-name'],
  ['Go, expired', EXPIRED, 'server-expired'],
  ['Go, not yet valid', EARLY, 'server-not-yet-valid'],
  ['Go, a client as server', 'x509: certificate specifies an incompatible key usage', 'server-purpose'],
  ['Go, refused', 'transport: authentication handshake failed: remote error: tls: bad certificate', 'client-refused'],
  ['Go, https on a plain port', 'http: server gave HTTP response to HTTPS client', 'tls-to-plain'],
  ['grpc-go on a plain port', 'transport: authentication handshake failed: tls: first record does not look like a TLS handshake', 'tls-to-plain'],
  // Alerts.
  ['an alert, no certificate', alert('tlsv13 alert certificate required', 116), 'client-missing'],
  ['an alert, another authority', alert('tlsv1 alert unknown ca', 48), 'client-authority'],
  ['grpc-js, an alert, another authority', grpc(alert('tlsv1 alert unknown ca', 48)), 'client-authority'],
  ['an alert, expired or too fresh', alert('sslv3 alert certificate expired', 45), 'client-time'],
  ['an alert by code', 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'client-time'],
  ['an alert that does not say why', alert('sslv3 alert bad certificate', 42), 'client-refused'],
  ['the same by code', 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'client-refused'],
  ['an alert, the pair on disk', alert('tlsv1 alert internal error', 80), 'server-files'],
  ['an alert, versions', alert('tlsv1 alert protocol version', 70), 'protocol-version'],
  ['Go, an alert, another authority', 'remote error: tls: unknown certificate authority', 'client-authority'],
  ['Go, an alert, expired', 'remote error: tls: expired certificate', 'client-time'],
  ['Go, an alert, no certificate', 'remote error: tls: certificate required', 'client-missing'],
  // etcd's log.
  ['the log of 3.3, another authority', '2026-11-25 10:38:49.431116 I | embed: rejected connection from "127.0.0.1:56110" (error "tls: failed to verify client certificate: x509: certificate signed by unknown authority", ServerName "")', 'client-authority'],
  ['the log of 3.3, not for clients', '2026-11-25 10:38:49.764777 I | embed: rejected connection from "127.0.0.1:56134" (error "tls: failed to verify client certificate: x509: certificate specifies an incompatible key usage", ServerName "")', 'client-purpose'],
  ['the log, another authority', zap('tls: failed to verify certificate: x509: certificate signed by unknown authority'), 'client-authority'],
  ['the log, not for clients', zap('tls: failed to verify certificate: x509: certificate specifies an incompatible key usage'), 'client-purpose'],
  ['the log, expired', zap(`tls: failed to verify certificate: ${EXPIRED}`), 'client-expired'],
  ['the log, a clock that is behind', zap(`tls: failed to verify certificate: ${EARLY}`), 'client-not-yet-valid'],
  ['the log, dates in the words of old Go', zap('tls: failed to verify client certificate: x509: certificate has expired or is not yet valid'), 'client-time'],
  ['the log, no certificate', zap("tls: client didn't provide a certificate"), 'client-missing'],
  ['the log, revoked', zap('transport: certificate serial 5fa1 revoked'), 'client-revoked'],
  ['the log, plain HTTP', zap('tls: first record does not look like a TLS handshake'), 'plain-to-tls'],
  ['the log, a client that refused', zap('remote error: tls: bad certificate'), 'server-refused'],
  ['the log, a client with another CA', zap('remote error: tls: unknown certificate authority'), 'server-authority'],
  ['the log, a member that refused', zap('remote error: tls: bad certificate', 'rejected connection on peer endpoint'), 'server-refused'],
  ['a part of the log, said to be one', 'tls: failed to verify certificate: x509: certificate signed by unknown authority', 'client-authority', { by: 'member' }],
  // Gateway and proxies.
  ['the gateway, with a Common Name', '{"error":"CommonName of client sending a request against gateway will be ignored and not used as expected"}', 'gateway-common-name', { status: 400 }],
  ['the gateway, that cannot dial', '{"error":"connection error: desc = \\"transport: authentication handshake failed: remote error: tls: bad certificate\\"","code":14,"message":"connection error"}', 'gateway-unreachable'],
  ['the gateway, by its status', 'all SubConns are in TransientFailure, latest connection error: remote error', 'gateway-unreachable', { status: 503 }],
  ['the proxy, with a Common Name', 'cert has non empty Common Name (alice): /etc/etcd/proxy.crt', 'proxy-common-name'],
  // Ports and files.
  ['plain HTTP to TLS, by the answer', 'Client sent an HTTP request to an HTTPS server.\n', 'plain-to-tls', { status: 400 }],
  ['TLS to plain', 'write EPROTO 809C0412AE7F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/openssl/ssl/record/ssl3_record.c:350:\n', 'tls-to-plain'],
  ['TLS to plain, newer OpenSSL', 'error:0A0000C6:SSL routines:tls_get_more_records:packet length too long', 'tls-to-plain'],
  ['key and certificate of two pairs', 'error:05800074:x509 certificate routines::key values mismatch', 'key-mismatch'],
  ['the same in Go', 'tls: private key does not match public key', 'key-mismatch'],
  ['no PEM', 'error:0480006C:PEM routines::no start line', 'not-pem'],
  ['no PEM in Go', 'tls: failed to find any PEM data in certificate input', 'not-pem'],
]

describe('explained is', () => {
  test.each(cases.map(([name, ...rest]) => ({ name, rest })))('$name', ({ rest: [text, code, context] }) => {
    const found = explainTlsError(new Error(text), context)
    expect(found).toEqual({ code, ...TLS_FAULTS[code] })
    expect(explainTlsError(text, context)).toEqual(found)
  })

  test('every fault by at least one text, and each with a cause and a fix', () => {
    const told = new Set(cases.map(([, , code]) => code))
    expect(Object.keys(TLS_FAULTS).filter((code) => !told.has(code as TlsFault))).toEqual([])
    expect(TLS_SIGNS.filter(({ code }) => !Object.hasOwn(TLS_FAULTS, code))).toEqual([])
    for (const { cause, fix } of Object.values(TLS_FAULTS)) expect([cause, fix].every((text) => text.length > 20 && !text.endsWith('.'))).toBe(true)
  })

  test('an error by what it was caused by, by its code, and by the errors of an AggregateError', () => {
    const inner = Object.assign(new Error('nothing to see'), { code: 'CERT_HAS_EXPIRED' })
    expect(explainTlsError(new Error('fetch failed', { cause: inner }))?.code).toBe('server-expired')
    expect(explainTlsError(new AggregateError([new Error('x'), inner]))?.code).toBe('server-expired')
    expect(explainTlsError({ details: 'unable to verify the first certificate' })?.code).toBe('server-authority')
    const circle: { cause?: unknown; message: string } = { message: 'x' }
    circle.cause = circle
    expect(explainTlsError(circle)).toBeUndefined()
  })
})

test('an error of the auth room is explained by what it comes from, and not by its own advice', () => {
  const fault = (reason: string) => explainTlsError(transportFault('AuthStatus', reason, new Error(reason)))?.code
  expect(fault('No connection established. Last error: unable to verify the first certificate')).toBe('server-authority')
  expect(fault('some TLS handshake that failed')).toBeUndefined()
})

describe('not explained is', () => {
  test.each([
    'connect ECONNREFUSED 127.0.0.1:2379', 'read ECONNRESET', 'socket hang up', '7 PERMISSION_DENIED: etcdserver: permission denied', '4 DEADLINE_EXCEEDED: Deadline exceeded', 'getaddrinfo ENOTFOUND etcd-tls',
    '14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED 127.0.0.1:2379', 'etcdserver: user name is empty', '', '{"error":"etcdserver: permission denied","code":7}',
  ])('%j', (text) => {
    expect(explainTlsError(new Error(text))).toBeUndefined()
  })

  test.each([[undefined], [null], [7], [true], [Symbol('x')], [() => 'x'], [[]], [{}]])('%s', (value) => {
    expect(explainTlsError(value)).toBeUndefined()
  })

  test('what is no context, by a TypeError', () => {
    for (const context of [{ from: 'client' }, { by: 'server' }, 'client', null]) expect(() => explainTlsError('x', context as never)).toThrow(TypeError)
  })
})

test('law: whatever is passed, it answers or does not, and quotes nothing of it', () => {
  const texts = Object.values(TLS_FAULTS).flatMap(({ cause, fix }) => [cause, fix])
  fc.assert(fc.property(fc.anything(), fc.constantFrom(...cases.map(([, text]) => text)), (thing, text) => {
    expect(() => explainTlsError(thing)).not.toThrow()
    const found = explainTlsError({ message: text, cause: thing })
    for (const said of found === undefined ? [] : [found.cause, found.fix]) expect(texts).toContain(said)
  }))
})

test('explainDenied, which knows denials by etcd too, says no other of the same text', () => {
  const agreed: Readonly<Record<TlsFault, readonly DenialCause[]>> = {
    'server-name': ['server certificate names another host'],
    'server-authority': ['server certificate of another authority', 'server certificate refused'],
    'server-expired': ['server certificate expired', 'server certificate refused'],
    'server-not-yet-valid': ['server certificate expired'],
    'server-purpose': ['server certificate not for servers'],
    'server-refused': ['server certificate refused'],
    'server-files': [],
    'client-missing': ['client certificate missing'],
    'client-authority': ['client certificate of another authority'],
    'client-expired': ['client certificate expired'],
    'client-not-yet-valid': ['client certificate expired'],
    'client-time': ['client certificate expired'],
    'client-purpose': ['client certificate not for clients'],
    'client-revoked': ['client certificate revoked'],
    'client-refused': ['client certificate refused'],
    'gateway-unreachable': ['client certificate refused'],
    'gateway-common-name': ['name ignored by the gateway'],
    'proxy-common-name': [],
    'plain-to-tls': ['plain request to a TLS port'],
    'tls-to-plain': ['TLS request to a plain port'],
    'protocol-version': [],
    'key-mismatch': [],
    'not-pem': [],
  }
  const apart = cases
    // A context that it does not take, and a client of Go on a plain port, whose words are those of a member.
    .filter(([name, , , context]) => context?.by === undefined && name !== 'grpc-go on a plain port')
    .filter(([, text, code]) => !['unrecognized', ...agreed[code]].includes(explainDenied(text).cause))
  expect(apart.map(([name, text]) => [name, explainDenied(text).cause])).toEqual([])
})

test('an error whose fields cannot be read is explained by the others, and throws nothing', () => {
  const unreadable = (): never => {
    throw new Error('not now')
  }
  const failing = (...names: readonly string[]): object =>
    Object.defineProperties({ ...(names.includes('message') ? {} : { message: 'certificate has expired' }) }, Object.fromEntries(names.map((name) => [name, { get: unreadable }])))
  expect(explainTlsError(failing('code', 'cause', 'errors', 'details', 'reason'))?.code).toBe('server-expired')
  expect(explainTlsError({ cause: failing('stack', 'code') })?.code).toBe('server-expired')
  expect(explainTlsError({ errors: Object.defineProperty([0, 'certificate has expired'], 0, { get: unreadable }) })?.code).toBe('server-expired')
  const gone = Proxy.revocable({}, {})
  gone.revoke()
  for (const thing of [gone.proxy, { cause: gone.proxy }, { errors: gone.proxy }, { errors: [gone.proxy] }, failing('message')]) expect(explainTlsError(thing)).toBeUndefined()
})
