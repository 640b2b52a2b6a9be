/** Every v3 call, by name. */
import { failures, type Failure } from './failures.js'
import { compact, deleteRange, put, range } from './kv.js'
import { endLeases, leaseGrant, leaseKeepAlive, leaseLeases, leaseRevoke, leaseTimeToLive } from './leases.js'
import { alarm, defragment, hash, memberList, status } from './maintenance.js'
import { roleAdd, roleDelete, roleGet, roleGrantPermission, roleList, roleRevokePermission } from './roles.js'
import type { Calls, Method } from './rpc.js'
import type { Context } from './state.js'
import { authDisable, authEnable, authenticate, authStatus } from './switch.js'
import { txn } from './txn.js'
import { userAdd, userChangePassword, userDelete, userGet, userGrantRole, userList, userRevokeRole } from './users.js'

type Handlers = { readonly [M in Method]: (context: Context, request: Calls[M][0]) => Calls[M][1] | Failure }

const handlers: Handlers = {
  authEnable,
  authDisable,
  authStatus,
  authenticate,
  userAdd,
  userGet,
  userList,
  userDelete,
  userChangePassword,
  userGrantRole,
  userRevokeRole,
  roleAdd,
  roleGet,
  roleList,
  roleDelete,
  roleGrantPermission,
  roleRevokePermission,
  range,
  put,
  deleteRange,
  txn,
  compact,
  leaseGrant,
  leaseRevoke,
  leaseKeepAlive,
  leaseTimeToLive,
  leaseLeases,
  alarm,
  defragment,
  hash,
  memberList,
  status,
}

/** Answers a v3 call. */
export function answer<M extends Method>(context: Context, method: M, request: Calls[M][0]): Calls[M][1] | Failure {
  if (context.state.dead) return failures.dead
  endLeases(context.state, context.now)
  return handlers[method](context, request)
}
