/**
 * Whether a user's permissions cover what a request names.
 *
 * Follows `range_perm_cache.go` and the interval tree of `pkg/adt`: a request for one key needs an interval that contains it; a request for
 * a range needs the union of all intervals to contain it. Written apart from `keys/interval.ts`, which judges policies: a double that
 * shared the code that it is used to test would prove nothing. It walks: from the start of the wanted range, it moves to the farthest end
 * of any interval that contains the point reached, until it has passed the wanted end or stands in a gap.
 */
import { compareBytes } from '../../bytes.js'
import { failures, type Failure } from './failures.js'
import { isRoot, type Identity } from './identity.js'
import type { WirePermission } from './rpc.js'
import type { State } from './state.js'

export type Access = 'read' | 'write'

/** `end` of an interval without end. No key is empty, so it cannot be meant otherwise (`BytesAffineComparable`). */
const INFINITE = 'infinite'
type End = Uint8Array | typeof INFINITE

const isZero = (bytes: Uint8Array): boolean => bytes.length === 1 && bytes[0] === 0
const endOf = (rangeEnd: Uint8Array): End => (isZero(rangeEnd) ? INFINITE : rangeEnd)

function isBefore(point: Uint8Array, end: End): boolean {
  return end === INFINITE || compareBytes(point, end) < 0
}

interface Stretch {
  readonly start: Uint8Array
  readonly end: End
}

function stretches(permissions: readonly WirePermission[], access: Access): readonly Stretch[] {
  const wanted = access === 'read' ? 0 : 1
  return permissions
    .filter(({ permType }) => permType === wanted || permType === 2)
    .map(({ key, range_end }) => ({ start: key, end: range_end.length === 0 ? keyAfter(key) : endOf(range_end) }))
    .filter(({ start, end }) => start.length > 0 && isBefore(start, end))
}

/** The key right behind a key: that with a zero byte appended. */
function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1)
  after.set(key)
  return after
}

/** Whether permissions cover `key` alone (empty `rangeEnd`) or all of `[key, rangeEnd)`. */
export function covers(permissions: readonly WirePermission[], access: Access, key: Uint8Array, rangeEnd: Uint8Array): boolean {
  const open = stretches(permissions, access)
  const at = (point: Uint8Array) => open.filter(({ start, end }) => compareBytes(start, point) <= 0 && isBefore(point, end))
  if (rangeEnd.length === 0) return at(key).length > 0
  const wanted = endOf(rangeEnd)
  let reached: Uint8Array = key
  for (;;) {
    const ends = at(reached).map(({ end }) => end)
    if (ends.length === 0) return false
    const farthest = ends.reduce((a, b) => (a !== INFINITE && (b === INFINITE || compareBytes(a, b) < 0) ? b : a))
    if (farthest === INFINITE) return true
    if (wanted !== INFINITE && compareBytes(farthest, wanted) >= 0) return true
    reached = farthest
  }
}

/** Why an identity may not read or write `key` or `[key, rangeEnd)`, or `undefined` (`authStore.isOpPermitted`). */
export function keyRefusal(state: State, { user }: Identity, access: Access, key: Uint8Array, rangeEnd: Uint8Array): Failure | undefined {
  if (!state.enabled) return undefined
  if (user === undefined) return failures.userEmpty
  const record = state.users.get(user)
  if (record === undefined) return failures.permissionDenied
  if (isRoot(state, user)) return undefined
  const permissions = record.roles.flatMap((role) => state.roles.get(role) ?? [])
  return covers(permissions, access, key, rangeEnd) ? undefined : failures.permissionDenied
}
