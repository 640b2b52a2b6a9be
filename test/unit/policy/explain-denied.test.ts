import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { can, definePolicy, explainDenied, key, parsePolicy, pattern, prefix, read, readwrite, showPermission, write, type DenialCause, type Policy } from '../../../src/policy/index.js'
import { parseFields, unquoted } from '../../../src/policy/denial/proto-text.js'
import { hostile, thrown } from '../../support/thrown.js'

const zap = (fields: object): string => JSON.stringify({ level: 'warn', ts: '2026-11-25T10:39:22.000Z', caller: 'txn/util.go:93', ...fields })
const applied = (request: string): string => zap({ msg: 'failed to apply request', took: '22.884µs', request, response: '', error: 'auth: permission denied' })
const shown = (text: string, context: Parameters<typeof explainDenied>[1] = {}): readonly string[] => explainDenied(text, context).proposals.map(showPermission)

describe('the cause is read from', () => {
  test.each<[string, string, DenialCause]>([
    // etcd, 3.3.25
    ['a denied write in the log of 3.3', '2026-11-25 10:38:47.289026 W | etcdserver: failed to apply request,took 28.502µs,request header:<ID:9671658399201316877 username:"bob" auth_revision:8 > put:<key:"/b/x" value_size:1 >,resp ,err is auth: permission denied', 'permission'],
    ['an unknown user in the log of 3.3', '2026-11-25 10:38:48.408213 E | auth: invalid user name stranger for permission checking', 'unknown user'],
    ['a missing name in the log of 3.3', '2026-11-25 10:38:48.729507 E | auth: invalid user name  for permission checking', 'no name'],
    ['a wrong password in the log of 3.3', '2026-11-25 10:38:48.956432 N | auth: authentication failed, invalid password for user bob', 'wrong password'],
    ['a wrong password in its second line', '2026-11-25 10:38:48.957017 E | etcdserver: invalid authentication request to user bob was issued', 'wrong password'],
    ['a certificate in the log of 3.3', '2026-11-25 10:38:49.431116 I | embed: rejected connection from "127.0.0.1:56110" (error "tls: failed to verify client certificate: x509: certificate signed by unknown authority", ServerName "")', 'client certificate of another authority'],
    ['a usage in the log of 3.3', '2026-11-25 10:38:49.764777 I | embed: rejected connection from "127.0.0.1:56134" (error "tls: failed to verify client certificate: x509: certificate specifies an incompatible key usage", ServerName "")', 'client certificate not for clients'],
    ['no certificate in the log of 3.3', '2026-11-25 10:38:50.427754 I | embed: rejected connection from "127.0.0.1:56182" (error "tls: client didn\'t provide a certificate", ServerName "")', 'client certificate missing'],
    ['plain HTTP in the log of 3.3', '2026-11-25 10:38:51.125897 I | embed: rejected connection from "127.0.0.1:56286" (error "tls: first record does not look like a TLS handshake", ServerName "")', 'plain request to a TLS port'],
    ['a client that hung up', '2026-11-25 10:38:59.045822 I | embed: rejected connection from "127.0.0.1:42316" (error "EOF", ServerName "127.0.0.1")', 'server certificate refused'],
    ['v2 in the log of 3.3', '2026-11-25 10:38:51.756639 W | etcdserver/api/v2http: auth: invalid access for user bob on key /a.', 'v2 credentials or permission'],
    ['the guest of v2 in the log of 3.3', '2026-11-25 10:38:51.918793 W | etcdserver/api/v2http: auth: invalid access for unauthenticated user on resource /a.', 'v2 credentials or permission'],
    ['a password of v2 in the log of 3.3', '2026-11-25 10:38:52.307779 W | etcdserver/api/v2http: auth: incorrect password for user: bob', 'wrong password'],
    // etcd, 3.4 to 3.7
    ['a denied write in a JSON log', applied('header:<ID:1 username:"bob" auth_revision:8 > put:<key:"/b/x" value_size:1 >'), 'permission'],
    ['an unknown user in a JSON log', zap({ msg: 'cannot find a user for permission check', 'user-name': 'stranger' }), 'unknown user'],
    ['a missing name in a JSON log', zap({ msg: 'cannot find a user for permission check', 'user-name': '' }), 'no name'],
    ['a wrong password in a JSON log', zap({ msg: 'invalid authentication was requested', user: 'bob', error: 'auth: authentication failed, invalid user ID or password' }), 'wrong password'],
    ['a certificate in the log of 3.4', zap({ msg: 'rejected connection', 'remote-addr': '127.0.0.1:39296', 'server-name': '', error: 'tls: failed to verify client certificate: x509: certificate signed by unknown authority' }), 'client certificate of another authority'],
    ['a certificate in the log of 3.5 and later', zap({ msg: 'rejected connection on client endpoint', 'remote-addr': '127.0.0.1:38212', 'server-name': '', error: 'tls: failed to verify certificate: x509: certificate signed by unknown authority' }), 'client certificate of another authority'],
    ['an expired certificate in the log', zap({ msg: 'rejected connection on client endpoint', error: 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-25T10:39:22Z is after 2026-01-01T00:00:00Z' }), 'client certificate expired'],
    ['a revoked certificate in the log', zap({ msg: 'rejected connection on client endpoint', error: 'transport: certificate serial 5fa1 revoked' }), 'client certificate revoked'],
    ['a peer that refuses a certificate', zap({ msg: 'rejected connection on peer endpoint', error: 'remote error: tls: bad certificate' }), 'server certificate refused'],
    ['v2 in a JSON log', zap({ msg: 'invalid access for user on key', 'user-name': 'bob', key: '/a' }), 'v2 credentials or permission'],
    ['the guest of v2 in a JSON log', zap({ msg: 'invalid access for a guest role on key', 'role-name': 'guest', key: '/a' }), 'v2 credentials or permission'],
    // Clients.
    ['an error of etcd3', 'EtcdPermissionDeniedError: 7 PERMISSION_DENIED: etcdserver: permission denied', 'permission'],
    ['an error of Go', 'rpc error: code = PermissionDenied desc = etcdserver: permission denied', 'permission'],
    ['the gateway', '{"error":"etcdserver: permission denied","message":"etcdserver: permission denied","code":7}', 'permission'],
    ['a snapshot in Go', 'rpc error: code = Unknown desc = auth: permission denied', 'root only'],
    ['a snapshot in Node', '2 UNKNOWN: auth: permission denied', 'root only'],
    ['a call in a log of calls', 'finished unary call with code PermissionDenied: permission denied grpc.method=/etcdserverpb.Auth/RoleAdd', 'root only'],
    ['an empty name', '3 INVALID_ARGUMENT: etcdserver: user name is empty', 'no name'],
    ['a name that is no user', 'etcdserver: user name not found', 'unknown user'],
    ['a token', 'rpc error: code = Unauthenticated desc = etcdserver: invalid auth token', 'invalid token'],
    ['an old revision', '3 INVALID_ARGUMENT: etcdserver: revision of auth store is old', 'rights changed meanwhile'],
    ['an old revision on 3.3', '2 UNKNOWN: auth: revision in header is old', 'rights changed meanwhile'],
    ['auth that is off', '9 FAILED_PRECONDITION: etcdserver: authentication is not enabled', 'auth is off'],
    ['a wrong password', '3 INVALID_ARGUMENT: etcdserver: authentication failed, invalid user ID or password', 'wrong password'],
    ['a password that is none', '2 UNKNOWN: auth: authentication failed, password was given for no password user', 'wrong password'],
    ['the gateway of 3.4 and later', '400 CommonName of client sending a request against gateway will be ignored and not used as expected', 'name ignored by the gateway'],
    ['v2 over HTTP', '{"errorCode":110,"message":"The request requires user authentication","cause":"Insufficient credentials","index":0}', 'v2 credentials or permission'],
    ['v2 without a Common Name', 'Error: socket hang up', 'connection reset'],
    // TLS, in Node and Go.
    ['Node on 3.3', 'Error: write EPROTO 809C0412AE7F0000:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1601:SSL alert number 42\n', 'client certificate refused'],
    ['Node on 3.5, another authority', '14 UNAVAILABLE: No connection established. Last error: 80FC89B7557F0000:error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1601:SSL alert number 48\n (2026-11-25T10:39:24.215Z). Resolution note: ', 'client certificate of another authority'],
    ['Node on 3.5, no certificate', '80FC89B7557F0000:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1601:SSL alert number 116', 'client certificate missing'],
    ['Node with another CA', 'Error: unable to verify the first certificate', 'server certificate of another authority'],
    ["Node with another CA, by code", 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'server certificate of another authority'],
    ['Node with another name', "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: Cert does not contain a DNS name", 'server certificate names another host'],
    ['Node with https on a plain port', 'Error: write EPROTO 809C0412AE7F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/openssl/ssl/record/ssl3_record.c:350:\n', 'TLS request to a plain port'],
    ['Node with an expired server', 'Error: certificate has expired code CERT_HAS_EXPIRED', 'server certificate expired'],
    ['Go with another CA', 'transport: authentication handshake failed: x509: certificate signed by unknown authority', 'server certificate of another authority'],
    ['Go with another address', "x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs", 'server certificate names another host'],
    ['Go with another host', 'x509: certificate is valid for etcd-0, not etcd-1', 'server certificate names another host'],
    ['Go as a client that is refused', 'transport: authentication handshake failed: remote error: tls: bad certificate', 'client certificate refused'],
    // Components.
    ['Calico that cannot open its files', 'main.go 101: Failed to start error=failed to build Calico client: could not initialize etcdv3 client: open /calico-secrets/etcd-cert: permission denied', 'file permission'],
    ['kube-apiserver that compacts', 'E1125 10:39:22.000000       1 compact.go:124] etcd: endpoint ([https://127.0.0.1:2379]) compact failed: etcdserver: permission denied', 'root only'],
    ['kube-apiserver that lists', 'E1125 10:39:22.000000       1 reflector.go:147] storage/cacher.go:/secrets: Failed to watch *core.Secret: failed to list *core.Secret: etcdserver: permission denied', 'permission'],
    ['etcdctl', 'https://127.0.0.1:2379 is unhealthy: failed to commit proposal: etcdserver: permission denied', 'permission'],
    ['anything else', 'request timed out', 'unrecognized'],
    ['nothing', '', 'unrecognized'],
  ])('%s', (_, text, cause) => {
    const denial = explainDenied(text)
    expect(denial.cause).toBe(cause)
    expect(denial.fix).not.toBe('')
    // Whatever follows, or comes before without being a denial, changes nothing.
    expect(explainDenied(`{"level":"info","msg":"ready"}\n${text}`).cause).toBe(cause)
  })
})

describe('the smallest permission is read from a denied request', () => {
  const nasty = '/b/sec"ret\\ é'
  test.each<[string, string, readonly string[]]>([
    ['in the log of 3.3', '2026-11-25 10:38:47.289026 W | etcdserver: failed to apply request,took 28.502µs,request header:<ID:9671658399201316877 username:"bob" auth_revision:8 > put:<key:"/b/sec\\"ret\\\\ \\303\\251" value_size:1 >,resp ,err is auth: permission denied', [showPermission(write(key(nasty)))]],
    ['in the log of 3.4', '2026-11-25 10:38:55.488547 W | etcdserver: failed to apply request "header:<ID:9671658399203428621 username:\\"bob\\" auth_revision:8 > put:<key:\\"/b/sec\\\\\\"ret\\\\\\\\ \\\\303\\\\251\\" value_size:1 >" with response "" took (17.195µs) to execute, err is auth: permission denied', [showPermission(write(key(nasty)))]],
    ['in a JSON log', applied('header:<ID:1 username:"bob" auth_revision:8 > put:<key:"/b/sec\\"ret\\\\ \\303\\251" value_size:1 >'), [showPermission(write(key(nasty)))]],
    ['that wants the old value', applied('header:<ID:1 username:"bob" > put:<key:"/b/x" value_size:1 prev_kv:true >'), ['readwrite /b/x']],
    ['that deletes to the end, up to 3.6', applied('header:<ID:1 username:"bob" auth_revision:8 > delete_range:<key:"/b/" range_end:"\\000" > '), ['write [/b/, end of all keys)']],
    ['that deletes to the end, from 3.7', applied('header:{ID:9 username:"bob" auth_revision:8} delete_range:{key:"/b/" range_end:"\\x00"}'), ['write [/b/, end of all keys)']],
    ['that deletes a prefix', applied('header:<ID:1 username:"bob" > delete_range:<key:"/b/" range_end:"/b0" > '), ['write /b/*']],
    ['of bytes', applied('header:<ID:1 username:"bob" > put:<key:"\\377\\000\\n" value_size:1 >'), ['write base64:/wAK']],
    ['of a transaction', applied('header:<ID:1 username:"bob" auth_revision:8 > txn:<compare:<key:"/b/k" version:0 > success:<request_put:<key:"/b/k" value_size:1 >> failure:<request_range:<key:"/b/k" > >>'), ['readwrite /b/k']],
    ['of a transaction from 3.7 on', applied('header:<ID:1 username:"bob" auth_revision:8> txn:<compare:<key:"/b/k" version:0> success:<request_put:<key:"/b/k" value_size:1 >> failure:<request_range:{key:"/b/k"}>>'), ['readwrite /b/k']],
    ['of a transaction in a transaction', applied('header:<ID:1 username:"bob" > txn:<success:<request_txn:<success:<request_delete_range:<key:"/c" prev_kv:true > >>>>'), ['readwrite /c']],
  ])('%s', (_, line, wanted) => {
    const denial = explainDenied(line)
    expect(denial.proposals.map(showPermission)).toEqual(wanted)
    expect([denial.user, denial.unknown]).toEqual(['bob', []])
  })

  test.each<[string, string, readonly string[]]>([
    ['creates', '2026-11-25 10:39:22.000 [WARNING][1] felix/etcdv3.go 123: Create failed error=etcdserver: permission denied etcdv3-etcdKey="/calico/felix/v1/host/n1/x" model-etcdKey=HostStatus(n1) rev="" ttl=0', ['readwrite /calico/felix/v1/host/n1/x']],
    ['updates', 'Update failed error=etcdserver: permission denied etcdv3-etcdKey="/calico/a" model-etcdKey=Node(n1) rev="7"', ['readwrite /calico/a']],
    ['deletes', 'Delete failed error=etcdserver: permission denied etcdv3-etcdKey=/calico/a model-etcdKey=Node(n1) rev=""', ['readwrite /calico/a']],
    ['reads', 'Error returned from etcdv3 client error=etcdserver: permission denied etcdv3-etcdKey="/calico/a" rev=""', ['read /calico/a']],
    ['lists', 'Error returned from etcdv3 client error=etcdserver: permission denied etcdv3-etcdKey="/calico/a/" list-interface={} rev=""', ['read /calico/a/*']],
    ['lists to keep in step', '2026-11-25 10:39:22.000 [INFO][9] typha/watchercache.go 186: Failed to perform list of current data during resync ListRoot="/calico/resources/v3/projectcalico.org/nodes" error=etcdserver: permission denied', ['read /calico/resources/v3/projectcalico.org/nodes/*']],
    ['watches', 'Failed to create watcher; will retry. ListRoot="/calico/ipam/v2/host" error=etcdserver: permission denied performFullResync=false', ['read /calico/ipam/v2/host/*']],
  ])('when Calico %s', (_, line, wanted) => {
    expect(shown(line)).toEqual(wanted)
  })
})

describe('around a line may stand', () => {
  const line = applied('header:<ID:1 username:"bob" auth_revision:8 > put:<key:"/b/x" value_size:1 >')
  const old = '2026-11-25 10:38:47.289026 W | etcdserver: failed to apply request,took 28.502µs,request header:<ID:1 username:"bob" auth_revision:8 > put:<key:"/b/x" value_size:1 >,resp ,err is auth: permission denied'
  const unauthorized = zap({ msg: 'invalid access for user on key', 'user-name': 'bob', key: '/a' })
  const around: readonly (readonly [string, (line: string) => string])[] = [
    ['journald', (line) => `Nov 25 10:39:22 host-1 etcd[812]: ${line}`],
    ['journald, as JSON', (line) => JSON.stringify({ _PID: '812', MESSAGE: line })],
    ['the CRI', (line) => `2026-11-25T10:39:22.123456789Z stderr F ${line}`],
    ['Docker', (line) => JSON.stringify({ log: `${line}\n`, stream: 'stderr', time: '2026-11-25T10:39:22.123456789Z' })],
    ['docker compose', (line) => `etcd-1  | ${line}`],
    ['a name in braces', (line) => `{etcd} ${line}`],
  ]
  test.each(around)('what %s writes', (_, wrapped) => {
    for (const one of [line, old]) {
      const { user, cause, proposals } = explainDenied(wrapped(one))
      expect([user, cause, ...proposals.map(showPermission)]).toEqual(['bob', 'permission', 'write /b/x'])
    }
    const { user, cause } = explainDenied(wrapped(unauthorized))
    expect([user, cause]).toEqual(['bob', 'v2 credentials or permission'])
  })
})

// 3.5.30, 3.6.16 and 3.7.3 with a threshold of 1 ns, and 3.6.16 with --log-format=console.
describe('a line of a slow request is read,', () => {
  const odd = Uint8Array.of(0x2f, 0x61, 0x20, 0x22, 0x71, 0x5c, 0xc3, 0xa9, 0xff)
  test.each<[string, string, string | undefined, readonly string[]]>([
    ['of a range in 3.5', '{"level":"warn","ts":"2026-11-25T15:24:15.979386Z","caller":"etcdserver/util.go:183","msg":"apply request took too long","took":"77.245µs","expected-duration":"1ns","prefix":"read-only range ","request":"key:\\"/secret/\\" range_end:\\"/secret0\\" ","response":"","error":"auth: permission denied"}', undefined, ['read /secret/*']],
    ['of a range in 3.7', '{"level":"warn","ts":"2026-11-25T15:19:33.283236Z","caller":"txn/util.go:93","msg":"apply request took too long","took":"84.806µs","expected-duration":"1ns","prefix":"read-only range ","request":"key:\\"/secret/\\" range_end:\\"/secret0\\"","response":"","error":"auth: permission denied"}', undefined, ['read /secret/*']],
    ['of an odd key in 3.5', String.raw`{"level":"warn","caller":"etcdserver/util.go:183","msg":"apply request took too long","prefix":"read-only range ","request":"key:\"/a \\\"q\\\\\\303\\251\\377\" ","response":"","error":"auth: permission denied"}`, undefined, [showPermission(read(key(odd)))]],
    ['of an odd key in 3.7', String.raw`{"level":"warn","caller":"txn/util.go:93","msg":"apply request took too long","prefix":"read-only range ","request":"key:\"/a \\\"q\\\\é\\xff\"","response":"","error":"auth: permission denied"}`, undefined, [showPermission(read(key(odd)))]],
    ['of a write', '{"level":"warn","caller":"etcdserver/util.go:183","msg":"apply request took too long","took":"52.929µs","expected-duration":"1ns","prefix":"","request":"header:<ID:16169226765975417355 username:\\"bob\\" auth_revision:5 > put:<key:\\"/secret/x\\" value_size:1 >","response":"","error":"auth: permission denied"}', 'bob', ['write /secret/x']],
    ['of a transaction', '{"level":"warn","caller":"txn/util.go:93","msg":"apply request took too long","prefix":"read-only txn ","request":"compare:<key:\\"/t\\" version:0> success:<request_range:{key:\\"/t1\\"}> failure:<>","response":"","error":"auth: permission denied"}', undefined, ['read /t', 'read /t1']],
    ['of a range as text', 'W | etcdserver: read-only range request "key:\\"/secret/\\" range_end:\\"/secret0\\" " with result "error:auth: permission denied" took too long (123.4ms) to execute', undefined, ['read /secret/*']],
    ['of a range on the console', '2026-11-25T15:19:20.756925Z\twarn\ttxn/util.go:93\tapply request took too long\t{"took": "42.273µs", "expected-duration": "1ns", "prefix": "read-only range ", "request": "key:\\"/secret/\\" range_end:\\"/secret0\\" ", "response": "", "error": "auth: permission denied"}', undefined, ['read /secret/*']],
    ['of a range on the console, by rsyslog', 'Nov 25 10:39:22 host-1 etcd[812]: 2026-11-25T15:19:20.756925Z#011warn#011txn/util.go:93#011apply request took too long#011{"prefix": "read-only range ", "request": "key:\\"/secret/\\" range_end:\\"/secret0\\" ", "response": "", "error": "auth: permission denied"}', undefined, ['read /secret/*']],
    ['of a denied write on the console', '2026-11-25T15:19:20.798605Z\twarn\ttxn/util.go:46\tfailed to apply request\t{"took": "121.591µs", "request": "header:<ID:16169226765899873808 username:\\"bob\\" auth_revision:5 > delete_range:<key:\\"/secret/\\" range_end:\\"/secret0\\" > ", "response": "", "error": "auth: permission denied"}', 'bob', ['write /secret/*']],
  ])('%s', (_, line, user, wanted) => {
    const denial = explainDenied(line)
    expect([denial.cause, denial.user, ...denial.proposals.map(showPermission)]).toEqual(['permission', user, ...wanted])
    expect(denial.unknown).toEqual(user === undefined ? ['who was denied'] : [])
  })

  test('but not that of one that was allowed', () => {
    expect(explainDenied('{"level":"warn","msg":"apply request took too long","prefix":"read-only range ","request":"key:\\"/secret/\\" ","response":"range_response_count:0 size:4"}').cause).toBe('unrecognized')
  })

  test('and a wrong password on the console', () => {
    const { user, cause } = explainDenied('2026-11-25T15:19:20.888520Z\twarn\tetcdserver/v3_server.go:630\tinvalid authentication was requested\t{"user": "bob", "error": "auth: authentication failed, invalid user ID or password"}')
    expect([user, cause]).toEqual(['bob', 'wrong password'])
  })
})

describe('what is not denied by etcd is not read as such:', () => {
  test.each<[string, DenialCause]>([
    ['bash: /etc/x: permission denied', 'file permission'],
    ['/bin/sh: line 3: /usr/bin/etcd: permission denied', 'file permission'],
    ['dial unix /var/run/docker.sock: connect: permission denied', 'file permission'],
    ['ERROR: permission denied for table users', 'unrecognized'],
    ['cat: /etc/x: permission denied', 'unrecognized'],
  ])('%s', (line, cause) => {
    const denial = explainDenied(line)
    expect([denial.cause, denial.proposals]).toEqual([cause, []])
  })
})

test.each(['/EACCES', 'sh: /x: permission denied', 'open /x: permission denied', 'certificate serial ab revoked', 'authentication is not enabled', 'HTTP request to an HTTPS server'])('a key that reads like another denial is a key: %s', (name) => {
  for (const line of [applied(`header:<ID:1 username:"bob" > put:<key:"${name}" value_size:1 >`), `W | etcdserver: failed to apply request,took 2µs,request header:<ID:1 username:"bob" > put:<key:"${name}" value_size:1 >,resp ,err is auth: permission denied`]) {
    const denial = explainDenied(line)
    expect([denial.cause, denial.user, denial.proposals]).toEqual(['permission', 'bob', [write(key(name))]])
  }
})

test('where a line of v2 can be split into user and key in two ways, it is not split', () => {
  const policy = definePolicy({ users: { root: 'certificate', node: 'certificate' }, v2: { guest: [], roles: { r: [read(pattern('/c'))] }, bindings: { node: ['r'] } } })
  const denial = explainDenied('2026-11-25 10:38:47.289026 N | auth: invalid access for user node on key /calico/ on key /b.', { policy })
  expect([denial.cause, denial.user, denial.operation, denial.proposals]).toEqual(['v2 credentials or permission', undefined, undefined, []])
  expect(denial.unknown.join()).toContain('where the name of the user ends')
  expect(explainDenied('auth: invalid access for user a on key b on key /c.').user).toBe('a on key b')
})

describe('no key is guessed', () => {
  test.each<[string, string]>([
    ['from an error without one', '7 PERMISSION_DENIED: etcdserver: permission denied'],
    ["from Calico's own name of a resource", 'Apply failed error=etcdserver: permission denied etcdKey=Node(n1) ttl=0'],
    ["from Calico's model key", 'Processing failed error=etcdserver: permission denied model-etcdKey="/calico/a"'],
    ["from kube-apiserver's trace, whose key lacks the prefix", 'Trace[1]: "GuaranteedUpdate etcd3" audit-id:1,key:/leases/kube-system/x,type:*coordination.Lease: etcdserver: permission denied'],
    ['from the kind that kube-apiserver lists', 'Failed to list *core.Secret: etcdserver: permission denied'],
    ['from a line that is cut short', '{"msg":"failed to apply request","request":"header:<ID:1 username:\\"bob\\" > put:<key:\\"/calico/x'],
    ['from a line cut short in its key', '2026 W | etcdserver: failed to apply request,took 2µs,request header:<ID:1 username:"bob" > put:<key:"/b/x,resp ,err is auth: permission denied'],
    ['from half a transaction', applied('header:<ID:1 username:"bob" > txn:<compare:<key:"/b/k" > success:<request_put:<value_size:1 >> >')],
    ['from an empty range', applied('header:<ID:1 username:"bob" > delete_range:<key:"/b" range_end:"/a" > ')],
    ['from a request that names none', applied('header:<ID:1 username:"bob" > lease_revoke:<ID:7 >')],
    ['from a path in passing', 'permission denied while reading /etc/passwd or /calico/x'],
  ])('%s', (_, line) => {
    const denial = explainDenied(line)
    expect(denial.proposals).toEqual([])
    if (denial.cause !== 'unrecognized') expect(denial.unknown.join()).toContain('keys')
  })

  test('nor whether v2 was read or written', () => {
    const denial = explainDenied(zap({ msg: 'invalid access for user on key', 'user-name': 'bob', key: '/a' }))
    expect([denial.user, denial.proposals]).toEqual(['bob', []])
    expect(denial.unknown.join()).toContain('read or written')
  })
})

describe('with a policy', () => {
  const policy = definePolicy({
    users: { root: 'certificate', bob: 'certificate', eve: 'certificate' },
    v3: { roles: { r: [read(prefix('/b/')), readwrite(prefix('/own/'))] }, bindings: { root: ['root'], bob: ['r'] } },
    v2: { guest: [], roles: { r: [read(pattern('/a*'))] }, bindings: { bob: ['r'] } },
  })
  const txn = applied('header:<ID:1 username:"bob" > txn:<compare:<key:"/b/k" > success:<request_put:<key:"/b/k" value_size:1 >> >')

  test('only what it does not give is proposed', () => {
    expect(shown(txn)).toEqual(['readwrite /b/k'])
    expect(shown(txn, { policy })).toEqual(['write /b/k'])
  })

  test('what it gives already is no matter of permissions', () => {
    const denial = explainDenied(applied('header:<ID:1 username:"bob" > put:<key:"/own/x" value_size:1 >'), { policy })
    expect(denial.proposals).toEqual([])
    expect(denial.fix).toContain('the policy allows this')
  })

  test('a put on a lease takes the right to write its other keys too, which the line does not name', () => {
    const line = (lease: string): string => applied(`header:<ID:1 username:"bob" auth_revision:5 > put:<key:"/own/x" value_size:1 ${lease}>`)
    const leased = explainDenied(line('lease:7587862 '), { policy })
    expect(leased.proposals).toEqual([])
    expect(leased.unknown.join()).toContain('other keys are on its lease')
    expect(leased.fix).toContain('right to write every key that is on it')
    expect(explainDenied(line('lease:7587862 ')).unknown.join()).toContain('other keys are on its lease')
    expect(explainDenied(line('lease:0 '), { policy }).fix).toContain('the policy allows this')
  })

  test('a user whom it does not know is to be declared', () => {
    const denial = explainDenied(applied('header:<ID:1 username:"mallory" > put:<key:"/x" value_size:1 >'), { policy })
    expect(denial.fix).toContain('declare user "mallory"')
    expect(denial.proposals.map(showPermission)).toEqual(['write /x'])
  })

  test('the user may come from outside where the text has none, and the text wins where it has', () => {
    const line = 'Create failed error=etcdserver: permission denied etcdv3-etcdKey="/b/x"'
    expect(explainDenied(line).unknown).toEqual(['who was denied'])
    expect([explainDenied(line, { policy, user: 'bob' }).user, shown(line, { policy, user: 'bob' })]).toEqual(['bob', ['write /b/x']])
    expect(explainDenied(txn, { policy, user: 'eve' }).user).toBe('bob')
  })

  test('v2 is proposed what the user lacks there, if that is one thing', () => {
    const line = (key: string): string => zap({ msg: 'invalid access for user on key', 'user-name': 'bob', key })
    expect(shown(line('/a/x'), { policy })).toEqual(['write /a/x'])
    expect(shown(line('/c'), { policy })).toEqual([])
    expect(explainDenied(line('/a/x'), { policy }).unknown.join()).not.toContain('read or written')
  })

  test('a user of the context that it does not declare has no answer', () => {
    thrown('ERR_USER_UNKNOWN', () => explainDenied(txn, { policy: policy as Policy, user: 'mallory' }))
  })
})

test('for any key, the proposal is for that key: quoted as Go quotes it, once and twice', () => {
  const octal = (bytes: Uint8Array): string => [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.boolean(), (bytes, twice) => {
      const request = `header:<ID:1 username:"bob" auth_revision:8 > put:<key:"${octal(bytes)}" value_size:1 >`
      const line = twice ? `failed to apply request "${request.replace(/["\\]/g, '\\$&')}" with response "" took (1µs) to execute, err is auth: permission denied` : applied(request)
      expect(explainDenied(line).proposals).toEqual([write(key(bytes))])
    }),
  )
})

test('a proposal that is granted lets the request pass', () => {
  const requests = ['put:<key:"/x" prev_kv:true >', 'delete_range:<key:"/x" range_end:"/z" >', 'txn:<compare:<key:"/c" > success:<request_put:<key:"/p" >> failure:<request_range:<key:"/g" range_end:"/h" > >>']
  for (const request of requests) {
    const { operation, proposals } = explainDenied(applied(`header:<ID:1 username:"bob" > ${request}`))
    const policy = parsePolicy({ users: { bob: 'certificate' }, v3: { roles: { r: proposals }, bindings: { bob: ['r'] } } })
    expect(can<Policy>(policy, 'bob', operation!)).toBe(true)
    for (const left of proposals.keys()) {
      const less = parsePolicy({ users: { bob: 'certificate' }, v3: { roles: { r: proposals.toSpliced(left, 1) }, bindings: { bob: ['r'] } } })
      expect(can<Policy>(less, 'bob', operation!)).toBe(false)
    }
  }
})

describe('any text', () => {
  test('is read without an error, and in time', () => {
    const pieces = fc.constantFrom('failed to apply request', '"', '\\', '{', '}', '<', '>', 'key:', 'put:<', ',request header:', ',resp ', 'permission denied', 'invalid access for user ', ' on key /', 'ListRoot=', 'etcdv3-etcdKey=', '\n', '{"msg":', 'compact failed: ', '/a//b')
    fc.assert(fc.property(fc.array(fc.oneof(pieces, fc.string({ unit: 'binary' })), { maxLength: 30 }), (parts) => void explainDenied(parts.join(''))))
    for (const piece of ['"\\', 'rejected connection ', 'permission denied ', '<', 'a:<', 'key:"', 'open ', '\\"']) void explainDenied(`permission denied failed to apply request ${piece.repeat(100_000)}`)
  })

  test.each(hostile)('%s, is none', (_, value) => {
    expect(() => explainDenied(value as string)).toThrow(TypeError)
  })
})

describe('the text form of protocol buffers', () => {
  test.each(['a:<', 'a:<b:1}', 'a:1>', '"x"', 'a:"x', 'a:"\\q"', 'a', ':1', 'a:<'.repeat(300) + '>'.repeat(300)])('is not %j', (text) => {
    expect(parseFields(text)).toBeUndefined()
  })
  test.each([['"a"', [97]], ['"\\x00\\377"', [0, 255]], ['"\\u00e9"', [0xc3, 0xa9]], ['"é"', [0xc3, 0xa9]], ['"\\\\\\"\\n\\a"', [92, 34, 10, 7]]])('reads %s', (text, bytes) => {
    expect([...unquoted(text)!]).toEqual(bytes)
  })
})
