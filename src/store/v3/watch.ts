/** Opening a watch: the one moment at which its rights are checked. Follows `v3rpc/watch.go`. Events are not delivered here. */
import { compareBytes } from '../../bytes.js'
import { failures, isFailure, type Failure } from './failures.js'
import { identify } from './identity.js'
import { keyRefusal } from './range-check.js'
import type { WatchCreateRequest, WatchReply } from './rpc.js'
import { headerOf, type Context } from './state.js'

/** The texts of gRPC's codes where an error is printed into another message. */
const CODES: Readonly<Record<string, string>> = { UNAUTHENTICATED: 'Unauthenticated', INVALID_ARGUMENT: 'InvalidArgument', PERMISSION_DENIED: 'PermissionDenied' }

function watchRefusal(context: Context, { key, range_end }: WatchCreateRequest): Failure | undefined {
  const { quirks } = context
  const identity = identify(context)
  if (isFailure(identity)) return identity
  // Old versions turn "no end" into an empty end before they check, which then asks for one key only: GHSA-xg4h-6gfc-h4m8.
  const open = range_end.length === 1 && range_end[0] === 0
  const checked = open && !quirks.openWatchChecked ? new Uint8Array(0) : range_end
  return keyRefusal(context, identity, 'read', key.length === 0 ? new Uint8Array(1) : key, checked)
}

/** Whether no key can ever lie in it (`mvcc.watchStream.Watch`). */
function isEmpty({ key, range_end }: WatchCreateRequest): boolean {
  const open = range_end.length <= 1 && (range_end[0] ?? 0) === 0
  return !open && compareBytes(key, range_end) >= 0
}

/** A refusal is not a gRPC error but a reply that opens and cancels the watch at once. */
export function watchCreate(context: Context, request: WatchCreateRequest): WatchReply {
  const { state, quirks } = context
  const refusal = watchRefusal(context, request)
  const canceled = (cancel_reason: string): WatchReply => ({ header: headerOf(state), watch_id: '-1', created: true, canceled: true, cancel_reason })
  if (refusal) {
    const { status, message } = quirks.watchRefusalExplained ? refusal : failures.permissionDenied
    return canceled(`rpc error: code = ${CODES[status] ?? status} desc = ${message}`)
  }
  if (isEmpty(request)) return canceled(quirks.emptyWatchExplained ? 'mvcc: watcher range is empty' : '')
  return { header: headerOf(state), watch_id: String(state.watches++), created: true, canceled: false, cancel_reason: '' }
}
