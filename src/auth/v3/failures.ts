/**
 * etcd's v3 errors by code and message (api/v3rpc/rpctypes/error.go). Codes alone are not unique, and some errors arrive as UNKNOWN with
 * the text of the auth store ("auth: …").
 */
import { EtcdRbacError } from '../../errors.js'
import { deadlineError } from '../clock.js'
import type { CallContext } from '../backend.js'
import { transportFault } from '../transport-fault.js'
import { MESSAGE_MAX, visible, visibleReason } from '../visible.js'
import type { AuthMethod } from './transport.js'

/** The RPCs that are used: those of the service Auth, and Status of the service Maintenance. */
export type Rpc = AuthMethod | 'status'

const CONFLICTS: readonly string[] = [
  'user name already exists',
  'role name already exists',
  'user name not found',
  'role name not found',
  'role is not granted to the user',
  'permission is not granted to the role',
]

/** Requests that name no user which could be missing: there, "user name not found" is said of the caller. */
const CALLER_ONLY: ReadonlySet<Rpc> = new Set(['authEnable', 'authDisable', 'authStatus', 'status', 'userAdd', 'userList', 'roleAdd', 'roleList', 'roleGet', 'roleDelete'])

/** gRPC's codes after which a request may or may not have been done. */
const UNCLEAR: ReadonlySet<string> = new Set(['CANCELLED', 'UNKNOWN', 'DEADLINE_EXCEEDED', 'ABORTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'RESOURCE_EXHAUSTED'])

/** The error for people, of whatever a v3 client rejected with. */
export function v3Failure(error: unknown, method: Rpc, { user, deadlineMilliseconds }: CallContext): EtcdRbacError {
  const text = error instanceof Error ? error.message : String(error)
  const [, code = '', message = text] = /^\d+ ([A-Z_]+): (.*)$/s.exec(text) ?? []
  const said = visible(message, MESSAGE_MAX)
  const says = (part: string): boolean => message.includes(part)
  if (says('CommonName of client sending a request against gateway'))
    return new EtcdRbacError('ERR_NOT_AUTHENTICATED', { found: `${method} was refused by the gateway, which takes no certificate with a Common Name`, wanted: `user ${visible(user)} by password, and a certificate without Common Name`, fix: 'issue one by issueGateway for this client, and log in by password (gatewayTransport, login)' }, { user }, error)
  const notRoot = says('permission denied')
  const notKnown = says('user name is empty') || says('invalid auth token') || says('authentication failed') || (says('user name not found') && CALLER_ONLY.has(method))
  if (notRoot || notKnown) {
    const wanted = `user ${visible(user)} with role root, as whom the client says to be connected`
    if (notRoot) return new EtcdRbacError('ERR_NOT_ROOT', { found: `${method} denied: auth is on and the client's user lacks role root`, wanted, fix: 'connect with a certificate or password of a user who holds role root' }, { user }, error)
    return new EtcdRbacError('ERR_NOT_AUTHENTICATED', { found: `${method} denied: auth is on and etcd knows no user for this client (${said})`, wanted, fix: 'connect with a certificate whose Common Name is that user, and start etcd with --client-cert-auth' }, { user }, error)
  }
  if (code === 'DEADLINE_EXCEEDED') return deadlineError(method, deadlineMilliseconds, error)
  if (code === 'UNAVAILABLE' && !says('etcdserver:')) return transportFault(method, message, error)
  if (code === '') {
    const reason = visibleReason(text)
    return new EtcdRbacError('ERR_UNREACHABLE', { found: `${method} failed in the client: ${reason}`, wanted: 'an answer of etcd', fix: 'check the endpoints, and make the client with etcd3Options, so that it neither retries nor breaks the circuit' }, { reason }, error)
  }
  const meaning = CONFLICTS.some(says) ? 'conflict' : UNCLEAR.has(code) ? 'unclear' : 'refused'
  return new EtcdRbacError('ERR_SERVER', { found: `${method} was answered ${code}: ${said}`, wanted: 'success', fix: 'correct what etcd names, then plan and apply again: what was done is kept' }, { method, code, message: said, meaning }, error)
}
