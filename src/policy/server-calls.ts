/**
 * Calls that name no key, and what each asks of its caller, as data.
 *
 * v3: `etcdserver/api/v3rpc/*.go` and `etcdserver/v3_server.go`; v2: `v2http/client.go` and `client_auth.go`. Measured on 3.3.25, 3.4.23, 3.5.16
 * and 3.5.30.
 */
import type { AccessChange } from '../advisories/access-changes.js'

/** Whom a call is open to: whoever passes TLS, any client that names itself, the holder of what it asks about, role root alone. */
export type Openness = 'anybody' | 'users' | 'holder' | 'root'

/** What a call asks, where a release changed it: `openness` is the intended rule, `before` what servers without `change` ask. */
export interface CallRule {
  /** `undefined`: neither, but what every release answers over HTTP. */
  readonly api: 'v2' | 'v3' | undefined
  readonly openness: Openness
  readonly change?: AccessChange
  readonly before?: Openness
  /** A second change, where a release had taken more than it gave back. */
  readonly strict?: { readonly change: AccessChange; readonly before: Openness }
}

/** The name of a call: an RPC of v3, or method and path of one over HTTP. */
export type ServerCall =
  | 'compact' | 'status' | 'alarmList' | 'alarmDeactivate' | 'moveLeader' | 'downgrade' | 'memberList' | 'memberAdd'
  | 'memberRemove' | 'memberUpdate' | 'memberPromote' | 'defragment' | 'hash' | 'hashKv' | 'snapshot' | 'authenticate'
  | 'authStatus' | 'authEnable' | 'authDisable' | 'userAdd' | 'userGet' | 'userList' | 'userDelete' | 'userChangePassword'
  | 'userGrantRole' | 'userRevokeRole' | 'roleAdd' | 'roleGet' | 'roleList' | 'roleDelete' | 'roleGrantPermission'
  | 'roleRevokePermission'
  | 'GET /v2/auth/enable' | 'PUT /v2/auth/enable' | 'DELETE /v2/auth/enable' | 'GET /v2/auth/users' | 'PUT /v2/auth/users'
  | 'DELETE /v2/auth/users' | 'GET /v2/auth/roles' | 'PUT /v2/auth/roles' | 'DELETE /v2/auth/roles' | 'GET /v2/members'
  | 'POST /v2/members' | 'PUT /v2/members' | 'DELETE /v2/members' | 'GET /v2/machines' | 'GET /v2/stats' | 'GET /version'
  | 'GET /health' | 'GET /metrics'

const root: CallRule = { api: 'v3', openness: 'root' }
const guarded = (openness: Openness): CallRule => ({ api: 'v3', openness, change: 'callsGuarded', before: 'anybody' })
const v2 = (openness: Openness): CallRule => ({ api: 'v2', openness })
const everywhere: CallRule = { api: undefined, openness: 'anybody' }

const rules: Readonly<Record<ServerCall, CallRule>> = {
  compact: guarded('root'),
  status: { api: 'v3', openness: 'users', change: 'statusGuarded', before: 'anybody', strict: { change: 'statusOpenToUsers', before: 'root' } },
  alarmList: guarded('users'),
  alarmDeactivate: guarded('root'),
  moveLeader: guarded('root'),
  downgrade: guarded('root'),
  memberList: guarded('users'),
  memberAdd: root,
  memberRemove: root,
  memberUpdate: root,
  memberPromote: root,
  defragment: root,
  hash: root,
  hashKv: root,
  snapshot: root,
  authenticate: { api: 'v3', openness: 'anybody' },
  authStatus: { api: 'v3', openness: 'anybody', change: 'authStatusOpen', before: 'root' },
  authEnable: root,
  authDisable: root,
  userAdd: root,
  userGet: { api: 'v3', openness: 'holder' },
  userList: root,
  userDelete: root,
  userChangePassword: root,
  userGrantRole: root,
  userRevokeRole: root,
  roleAdd: root,
  roleGet: { api: 'v3', openness: 'holder' },
  roleList: root,
  roleDelete: root,
  roleGrantPermission: root,
  roleRevokePermission: root,
  'GET /v2/auth/enable': v2('anybody'),
  'PUT /v2/auth/enable': v2('root'),
  'DELETE /v2/auth/enable': v2('root'),
  'GET /v2/auth/users': v2('root'),
  'PUT /v2/auth/users': v2('root'),
  'DELETE /v2/auth/users': v2('root'),
  'GET /v2/auth/roles': v2('root'),
  'PUT /v2/auth/roles': v2('root'),
  'DELETE /v2/auth/roles': v2('root'),
  'GET /v2/members': v2('anybody'),
  'POST /v2/members': v2('root'),
  'PUT /v2/members': v2('root'),
  'DELETE /v2/members': v2('root'),
  'GET /v2/machines': v2('anybody'),
  'GET /v2/stats': v2('anybody'),
  'GET /version': everywhere,
  'GET /health': everywhere,
  'GET /metrics': everywhere,
}

/** Whether that is the name of a call. */
export function isServerCall(name: unknown): name is ServerCall {
  return typeof name === 'string' && Object.hasOwn(rules, name)
}

/** What a call asks of its caller. */
export function ruleOf(name: ServerCall): CallRule {
  return rules[name]
}

/** Whom a call is open to on a server that has some of the changes. */
export function opennessOf({ openness, change, before, strict }: CallRule, has: (change: AccessChange) => boolean): Openness {
  if (change !== undefined && before !== undefined && !has(change)) return before
  return strict !== undefined && !has(strict.change) ? strict.before : openness
}
