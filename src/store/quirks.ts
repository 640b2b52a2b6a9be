/**
 * In what etcd's releases differ, as data: the rules of this folder ask here and nowhere else.
 *
 * "measured" below: tried on 3.3.25, 3.4.23, 3.5.16, 3.5.30, 3.5.35, 3.6.16 and 3.7.3. Where only the two sides of a change have been
 * measured, the release in between that brought it is named as etcd's changelog has it, or as the first of its minor version.
 */
import { leaseKeys, nestedTransaction, transactionPut, unguardedCalls, watchLeak } from '../advisories/advisories.js'
import { isSince, parseVersion, type EtcdVersion, type Since } from '../advisories/version.js'

/** The name of a change. */
export type Change =
  | 'noPasswordUsers'
  | 'authStatus'
  | 'openAuthStatus'
  | 'hashedBeforeProposal'
  | 'tokensIgnoredWhenOff'
  | 'emptyRoleRefused'
  | 'missingPermissionRefused'
  | 'permissionRangeChecked'
  | 'rootRoleShown'
  | 'endsSplitTree'
  | 'openWatchChecked'
  | 'watchRefusalExplained'
  | 'emptyWatchExplained'
  | 'watchIdChosen'
  | 'negativeWatchRefused'
  | 'tombstonesKept'
  | 'progressWantsWatches'
  | 'progressWaits'
  | 'nestedTransactionChecked'
  | 'transactionPutChecked'
  | 'emptyEndIgnored'
  | 'leaseCheckedFirst'
  | 'sortChecked'
  | 'checkedInOrder'
  | 'callsGuarded'
  | 'leaseKeysChecked'
  | 'statusNeedsUser'
  | 'statusOpenToUsers'
  | 'longStatus'
  | 'maintenanceCoded'
  | 'alarmHeader'
  | 'v2Off'
  | 'v2Gone'
  | 'directoryUpdateFails'
  | 'corsOpen'
  | 'healthReason'

const changes: Readonly<Record<Change, Since>> = {
  // ---- v3 auth
  /** `no_password` is known; before, it is ignored and makes a user whose password is empty. CHANGELOG-3.4. */
  noPasswordUsers: { '3.4': 0 },
  /** AuthStatus exists. CHANGELOG-3.5. */
  authStatus: { '3.5': 0 },
  /** AuthStatus asks for no right (`needAdminPermission` in 3.7). Measured. */
  openAuthStatus: { '3.7': 0 },
  /** Passwords are hashed before they are proposed: too long a password is refused, an empty new one locks the password login. Measured. */
  hashedBeforeProposal: { '3.5': 0 },
  /** A token is not looked at while auth is off, nor by Authenticate. Measured. */
  tokensIgnoredWhenOff: { '3.5': 0 },
  /** RoleAdd without a name is refused; before, it kills the member for good. Measured on 3.3.25 and 3.4.23. */
  emptyRoleRefused: { '3.4': 0 },
  /** RoleGrantPermission without `perm` is refused; before, it kills the member for good. */
  missingPermissionRefused: { '3.4': 25, '3.5': 0 },
  /** Empty keys and empty ranges are refused; before, they are stored and grant nothing. */
  permissionRangeChecked: { '3.4': 25, '3.5': 8 },
  /** RoleGet of role root answers with everything, whatever it was granted. Measured. */
  rootRoleShown: { '3.6': 0 },
  /** Intervals of an equal begin are ordered by their end in the tree of permissions. `pkg/adt/interval_tree.go`. */
  endsSplitTree: { '3.7': 0 },

  // ---- v3 keys
  openWatchChecked: watchLeak.fixed,
  /** A refused watch says why; before, always "permission denied". Measured on 3.3.25 and 3.4.23. */
  watchRefusalExplained: { '3.4': 0 },
  /** The watch of an empty range says why it is cancelled. Measured. */
  emptyWatchExplained: { '3.4': 0 },
  /** A watch from a revision below 0 is refused at once. Absent from 3.5.23 and 3.6.5, by source; in 3.4 by the date of the change. */
  negativeWatchRefused: { '3.4': 39, '3.5': 24, '3.6': 6, '3.7': 0 },
  /** What was deleted at the compacted revision is still told to a watch from there. `mvcc/hash.go` names the last releases without. */
  tombstonesKept: { '3.4': 34, '3.5': 16, '3.6': 0 },
  /** A client may choose the id of a watch. CHANGELOG-3.4. */
  watchIdChosen: { '3.4': 0 },
  /** Who asks how far its watches have come, and has none, hears nothing. Measured on 3.4.23 and 3.5.16; first in 3.5.8, by source. */
  progressWantsWatches: { '3.4': 25, '3.5': 8 },
  /** Nor who has one that begins in the future. Absent from 3.5.21 and 3.6.1, by source. */
  progressWaits: { '3.5': 22, '3.6': 2, '3.7': 0 },
  nestedTransactionChecked: nestedTransaction.fixed,
  transactionPutChecked: transactionPut.fixed,
  /**
   * An empty `range_end` on the wire is the same as none. Before, a read that does not go through raft (Range, and a transaction that only reads)
   * took it for "no end", while the check of rights saw one key: whoever may read one key read everything behind it. Measured.
   */
  emptyEndIgnored: { '3.7': 0 },
  /** Unknown orders and targets to sort by are refused; before, an unknown target makes the member fall over. Measured. */
  sortChecked: { '3.6': 0 },
  /** A put in a transaction is first asked for its lease, then for its key. Measured. */
  leaseCheckedFirst: { '3.7': 0 },
  /** What the operations of a transaction rely on is looked for one by one; before, first for all puts, then for all ranges. `txn.go`. */
  checkedInOrder: { '3.6': 0 },
  /** Compact asks for role root, MemberList and calls about leases for somebody. */
  callsGuarded: unguardedCalls.fixed,
  leaseKeysChecked: leaseKeys.fixed,
  /** Status asks for role root: in 3.6 from its first release (`v3rpc/maintenance.go`, `isPermitted`), in 3.5 since the guard of 3.5.28. */
  statusNeedsUser: { ...unguardedCalls.fixed, '3.6': 0 },
  /** Status asks for a user only, no longer for role root (`requireAuthInfo`). */
  statusOpenToUsers: { '3.5': 32, '3.6': 12, '3.7': 0 },
  /** Status tells the applied index and the size in use. Measured. */
  longStatus: { '3.4': 0 },
  /** Refusals of Defragment and Hash have a code, and the usual text. Measured. */
  maintenanceCoded: { '3.6': 0 },
  /** Alarms are listed under a header. Measured. */
  alarmHeader: { '3.5': 0 },

  // ---- v2
  /** `--enable-v2` is off unless asked for. */
  v2Off: { '3.4': 0 },
  /** There is no v2 API any more. */
  v2Gone: { '3.6': 0 },
  /** Updating a directory fails: `nodePath /1/s : Not a file ()`. */
  directoryUpdateFails: { '3.5': 0 },
  /** `Access-Control-Allow-Origin: *` on every answer. */
  corsOpen: { '3.4': 0 },
  /** `/health` carries a `reason`. */
  healthReason: { '3.4': 0 },
}

/** Which changes a version has. */
export type Quirks = Readonly<Record<Change, boolean>> & { readonly version: string; readonly parsed: EtcdVersion }

/**
 * Which changes a version has.
 *
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED`
 */
export function quirksOf(version: string): Quirks {
  const parsed = parseVersion(version)
  const has = Object.fromEntries(Object.entries(changes).map(([name, since]) => [name, isSince(parsed, since)]))
  return { ...(has as Record<Change, boolean>), version, parsed }
}
