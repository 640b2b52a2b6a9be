/** What is asked of a member rather than of its keys: Maintenance, and the list of members. Follows `v3rpc/maintenance.go`, `v3rpc/member.go`. */
import { failures, isFailure, type Failure } from './failures.js'
import { adminOnly, adminRefusal, identify, userOnly } from './identity.js'
import type { Calls, StatusReply } from './rpc.js'
import { headerOf, MEMBER_ID, type Context } from './state.js'

function statusRefusal(context: Context): Failure | undefined {
  const { state, quirks } = context
  if (!quirks.statusNeedsUser) return undefined
  if (quirks.statusOpenToUsers || !state.enabled) return userOnly(context)
  const identity = identify(context)
  return isFailure(identity) ? identity : adminRefusal(state, identity)
}

export function status(context: Context): StatusReply | Failure {
  const { state, quirks } = context
  const index = String(state.authRevision + state.revision + state.logins + 4)
  const reply = { version: quirks.version, dbSize: '20480', leader: MEMBER_ID, raftIndex: index, raftTerm: '2' }
  const more = quirks.longStatus ? { raftAppliedIndex: index, dbSizeInUse: '20480' } : { raftAppliedIndex: '0', dbSizeInUse: '0' }
  return statusRefusal(context) ?? { header: headerOf(state), ...reply, ...more, errors: [], isLearner: false }
}

/** The words of the auth store itself, as they get out where nobody gives them a code. */
const UNCODED: Partial<Record<string, Failure>> = {
  [failures.permissionDenied.message]: failures.uncodedPermissionDenied,
  [failures.userEmpty.message]: failures.uncodedUserEmpty,
  [failures.userNotFound.message]: failures.uncodedUserNotFound,
  [failures.invalidToken.message]: failures.uncodedInvalidToken,
}

function maintainerOnly(context: Context): Failure | undefined {
  const refusal = adminOnly(context)
  return refusal && !context.quirks.maintenanceCoded ? (UNCODED[refusal.message] ?? refusal) : refusal
}

export function defragment(context: Context): { readonly header: null } | Failure {
  return maintainerOnly(context) ?? { header: null }
}

/** Of what is stored, only that something is: the number is etcd's own affair. */
export function hash(context: Context): Calls['hash'][1] | Failure {
  return maintainerOnly(context) ?? { header: headerOf(context.state), hash: 1 }
}

/** Nothing ever goes wrong here: there are no alarms to list, and none to end. */
export function alarm(context: Context, { action }: Calls['alarm'][0]): Calls['alarm'][1] | Failure {
  const refusal = context.quirks.callsGuarded ? (action === 0 ? userOnly(context) : adminOnly(context)) : undefined
  return refusal ?? { header: context.quirks.alarmHeader ? headerOf(context.state) : null, alarms: [] }
}

export function memberList(context: Context): Calls['memberList'][1] | Failure {
  const refusal = context.quirks.callsGuarded ? userOnly(context) : undefined
  const only = { ID: MEMBER_ID, name: 'default', peerURLs: ['http://localhost:2380'], clientURLs: ['http://localhost:2379'], isLearner: false }
  // The cluster does not know how far the keys have come.
  return refusal ?? { header: { ...headerOf(context.state), revision: '0' }, members: [only] }
}
