/** Maintenance.Status. Follows `v3rpc/maintenance.go`. */
import { failures, isFailure, type Failure } from './failures.js'
import { adminRefusal, identify } from './identity.js'
import type { StatusReply } from './rpc.js'
import { headerOf, MEMBER_ID, type Context } from './state.js'

function statusRefusal(context: Context): Failure | undefined {
  const { state, quirks } = context
  if (!quirks.statusNeedsUser || !state.enabled) return undefined
  const identity = identify(context)
  if (isFailure(identity)) return identity
  if (!quirks.statusOpenToUsers) return adminRefusal(state, identity)
  // Any certificate will do, even one that names no user.
  return identity.user === undefined ? failures.userEmpty : undefined
}

export function status(context: Context): StatusReply | Failure {
  const { state, quirks } = context
  const index = String(state.authRevision + state.revision + state.logins + 4)
  const reply = { version: quirks.version, dbSize: '20480', leader: MEMBER_ID, raftIndex: index, raftTerm: '2' }
  const more = quirks.longStatus ? { raftAppliedIndex: index, dbSizeInUse: '20480' } : { raftAppliedIndex: '0', dbSizeInUse: '0' }
  return statusRefusal(context) ?? { header: headerOf(state), ...reply, ...more, errors: [], isLearner: false }
}
