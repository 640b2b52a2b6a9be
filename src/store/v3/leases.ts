/** The Lease RPCs, with their rights. Follows `lease/lessor.go`, `v3rpc/lease.go` and the checks of `v3_server.go` and `apply_auth.go`. */
import { compareBytes } from '../../bytes.js'
import { failures, firstOf, isFailure, type Failure } from './failures.js'
import { identify, userOnly, type Identity } from './identity.js'
import { deleteKeys } from './keys.js'
import { keyJudge, type Access } from './range-check.js'
import type { Calls, HeaderReply } from './rpc.js'
import { headerOf, NO_LEASE, type Context, type State, type StoredKey } from './state.js'

const ONE_KEY: Uint8Array = new Uint8Array(0)

/** Seconds. The shortest is one and a half times `--election-timeout`, rounded up; the longest is `MaxLeaseTTL`. */
const MIN_TTL = 2
const MAX_TTL = 9_000_000_000

/** Ids that the store draws count up from here: like etcd's own, they do not fit into a JavaScript number. */
const FIRST_ID = 7_587_893_120_467_000_001n

const keysOn = (state: State, lease: string): Iterable<StoredKey> => state.attached.get(lease)?.values() ?? []

/** Why an identity may not read or write all keys on a lease, or `undefined`: one that does not exist has none. */
export function leaseRefusal(context: Context, identity: Identity, access: Access, lease: string): Failure | undefined {
  if (lease === NO_LEASE) return undefined
  const refusalOf = keyJudge(context, identity, access)
  return firstOf(keysOn(context.state, lease), ({ key }) => refusalOf(key, ONE_KEY))
}

/** Why a caller, who must be somebody, may not read or write all keys on some leases, or `undefined`. */
function keysRefusal(context: Context, access: Access, leases: readonly string[]): Failure | undefined {
  const refusal = userOnly(context)
  if (refusal || !context.state.enabled) return refusal
  const identity = identify(context)
  return isFailure(identity) ? identity : firstOf(leases, (lease) => leaseRefusal(context, identity, access, lease))
}

/** Since the guard, every call wants somebody to make it. */
const guard = (context: Context): Failure | undefined => (context.quirks.callsGuarded ? userOnly(context) : undefined)

/** The lease ends, and its keys with it, at a revision of their own. */
function end(state: State, lease: string): void {
  const keys = [...keysOn(state, lease)].sort((a, b) => compareBytes(a.key, b.key))
  for (const { key } of keys) deleteKeys(state, { key, range_end: ONE_KEY }, state.revision + 1)
  if (keys.length > 0) state.revision++
  state.leases.delete(lease)
  state.attached.delete(lease)
  if (state.leases.size === 0) state.leasesLast = Number.POSITIVE_INFINITY
}

/** Ends the leases whose time is over, in its order. */
export function endLeases(state: State, now: Date): void {
  if (now.getTime() < state.leasesLast) return
  const over = [...state.leases].filter(([, { expires }]) => expires <= now.getTime())
  for (const [id] of over.sort(([, a], [, b]) => a.expires - b.expires)) end(state, id)
  state.leasesLast = [...state.leases.values()].reduce((least, { expires }) => Math.min(least, expires), Number.POSITIVE_INFINITY)
}

/** From now on, a lease lasts so long. */
function last(state: State, id: string, ttl: number, now: Date): void {
  const expires = now.getTime() + ttl * 1000
  state.leases.set(id, { ttl, expires })
  state.leasesLast = Math.min(state.leasesLast, expires)
}

function drawId(state: State): string {
  const id = String(FIRST_ID + BigInt(state.leaseIds++))
  return state.leases.has(id) ? drawId(state) : id
}

export function leaseGrant(context: Context, { ID, TTL }: Calls['leaseGrant'][0]): Calls['leaseGrant'][1] | Failure {
  const { state, now } = context
  const identity = identify(context)
  const refusal = isFailure(identity) ? identity : guard(context)
  if (refusal) return refusal
  if (TTL > MAX_TTL) return failures.leaseTooLong
  if (state.leases.has(ID)) return failures.leaseExists
  const id = ID === NO_LEASE ? drawId(state) : ID
  const ttl = Math.max(TTL, MIN_TTL)
  last(state, id, ttl, now)
  return { header: headerOf(state), ID: id, TTL: String(ttl), error: '' }
}

export function leaseRevoke(context: Context, { ID }: Calls['leaseRevoke'][0]): HeaderReply | Failure {
  const { state } = context
  const identity = identify(context)
  const refusal = isFailure(identity) ? identity : (guard(context) ?? leaseRefusal(context, identity, 'write', ID))
  if (refusal) return refusal
  if (!state.leases.has(ID)) return failures.leaseNotFound
  end(state, ID)
  return { header: headerOf(state) }
}

/** One message of the stream. A lease that is not there has 0 seconds left. Without the guard, not even a bad token is seen. */
export function leaseKeepAlive(context: Context, { ID }: Calls['leaseKeepAlive'][0]): Calls['leaseKeepAlive'][1] | Failure {
  const { state, quirks, now } = context
  const refusal = quirks.callsGuarded ? keysRefusal(context, 'write', [ID]) : undefined
  if (refusal) return refusal
  const lease = state.leases.get(ID)
  if (lease) last(state, ID, lease.ttl, now)
  return { header: headerOf(state), ID, TTL: String(lease?.ttl ?? 0) }
}

/** What is left of a lease; -1 where there is none. */
export function leaseTimeToLive(context: Context, { ID, keys }: Calls['leaseTimeToLive'][0]): Calls['leaseTimeToLive'][1] | Failure {
  const { state, quirks, now } = context
  const refusal = keys && quirks.leaseKeysChecked ? keysRefusal(context, 'read', [ID]) : guard(context)
  if (refusal) return refusal
  const lease = state.leases.get(ID)
  const left = lease === undefined ? -1 : Math.trunc((lease.expires - now.getTime()) / 1000)
  const told = lease && keys ? [...keysOn(state, ID)].map(({ key }) => key) : []
  return { header: headerOf(state), ID, TTL: String(left), grantedTTL: String(lease?.ttl ?? 0), keys: told }
}

/** All leases, those that end first in front. */
export function leaseLeases(context: Context): Calls['leaseLeases'][1] | Failure {
  const { state, quirks } = context
  const refusal = quirks.callsGuarded ? keysRefusal(context, 'read', [...state.leases.keys()]) : undefined
  if (refusal) return refusal
  const leases = [...state.leases].sort(([, a], [, b]) => a.expires - b.expires)
  return { header: headerOf(state), leases: leases.map(([ID]) => ({ ID })) }
}
