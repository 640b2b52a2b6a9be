/**
 * What a client would notice of an etcd upgrade: for each kind of operation that some release answers differently, one that shows the difference
 * if any does.
 *
 * A kind is complete when this holds: if some operation of it changes for a client, then its probe does. Each makes the hardest demand that the
 * older server does not check, chosen from what the client holds and does not hold.
 */
import { complement, difference, EVERY_KEY, fromInterval, type Interval, type IntervalSet } from '../keys/interval.js'
import { key, type Key, type KeyRange } from '../keys/key-range.js'
import { call, del, get, lease, put, txn, watch, type Operation } from '../policy/operations.js'
import type { Rights } from '../policy/rights.js'
import type { ServerCall } from '../policy/server-calls.js'

/** The kinds of operations that upgrades of etcd give or take. */
export type OperationClass =
  | 'open-ended watch' | 'transaction inside a transaction' | 'previous value from a put in a transaction' | 'lease of others in a transaction'
  | 'lease calls' | 'keep a lease alive' | 'keys of a lease' | 'list of leases'
  | 'Compact' | 'Status' | 'AuthStatus' | 'MemberList' | 'alarms' | 'clear alarms' | 'MoveLeader' | 'Downgrade'

/** One operation of a kind. */
export interface Probe {
  readonly kind: OperationClass
  readonly operation: Operation
}

/** The first key of a set, or `undefined` where it is empty. */
function keyIn([first]: IntervalSet): Key | undefined {
  if (first === undefined) return undefined
  return key(first.start.length === 0 ? new Uint8Array(1) : first.start)
}

/** Everything from the start of an interval on. */
function fromStart({ start }: Interval): KeyRange {
  return fromInterval({ start: start.length === 0 ? new Uint8Array(1) : start, end: undefined })
}

const calls: readonly (readonly [OperationClass, ServerCall])[] = [
  ['Compact', 'compact'], ['Status', 'status'], ['AuthStatus', 'authStatus'], ['MemberList', 'memberList'], ['alarms', 'alarmList'],
  ['clear alarms', 'alarmDeactivate'], ['MoveLeader', 'moveLeader'], ['Downgrade', 'downgrade'],
]

/** The probes for a client with these rights on v3. */
export function probesOf({ root, open: { read, write } }: Rights): readonly Probe[] {
  const nothing: Probe[] = calls.map(([kind, name]) => ({ kind, operation: call(name) }))
  nothing.push({ kind: 'lease calls', operation: lease('leaseGrant') })
  if (root) return nothing

  const probes: (Probe | undefined)[] = [...nothing]
  // Checked at its start alone, where the server has the hole: a reader of any key that does not read to the end.
  const ended = read.find(({ end }) => end !== undefined)
  probes.push(ended && { kind: 'open-ended watch', operation: watch(fromStart(ended)) })
  const everything = fromInterval(EVERY_KEY)
  probes.push({ kind: 'transaction inside a transaction', operation: txn({ success: [txn({ success: [get(everything), del(everything)] })] }) })

  const blind = keyIn(difference(write, read))
  probes.push(blind && { kind: 'previous value from a put in a transaction', operation: txn({ success: [put(blind, { prevKv: true })] }) })
  const [own, foreign, unread] = [keyIn(write), keyIn(complement(write)), keyIn(complement(read))]
  probes.push(own && foreign && { kind: 'lease of others in a transaction', operation: txn({ success: [put(own, { attached: [foreign] })] }) })
  probes.push(foreign && { kind: 'keep a lease alive', operation: lease('leaseKeepAlive', [foreign]) })
  probes.push(unread && { kind: 'keys of a lease', operation: lease('leaseKeys', [unread]) })
  probes.push(unread && { kind: 'list of leases', operation: lease('leaseLeases', [unread]) })
  return probes.filter((probe) => probe !== undefined)
}
