/**
 * Whether a user's permissions cover what a request names.
 *
 * Follows `auth/range_perm_cache.go`: a request for one key needs an interval that contains it; a request for a range needs the union of all
 * intervals to contain it. Written apart from `keys/interval.ts`, which judges policies: a double that shared the code that it is used to
 * test would prove nothing.
 */
import type { Quirks } from '../quirks.js'
import { failures, type Failure } from './failures.js'
import { isRoot, type Identity } from './identity.js'
import { intervalTree, type Interval, type IntervalTree } from './interval-tree.js'
import type { WirePermission } from './rpc.js'
import type { Context } from './state.js'

export type Access = 'read' | 'write'

/** An end of one zero byte is none, which the tree has as an empty one. */
function interval(key: Uint8Array, rangeEnd: Uint8Array): Interval {
  if (rangeEnd.length === 0) return { begin: key, end: keyAfter(key) }
  return { begin: key, end: rangeEnd.length === 1 && rangeEnd[0] === 0 ? new Uint8Array(0) : rangeEnd }
}

/** The key right behind a key: that with a zero byte appended. */
function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1)
  after.set(key)
  return after
}

/** In etcd's order: by role, then by key. Of a type that etcd does not know, nothing comes in. */
function treeOf(permissions: readonly WirePermission[], access: Access, { endsSplitTree }: Quirks): IntervalTree {
  const wanted = access === 'read' ? 0 : 1
  const held = permissions.filter(({ permType }) => permType === wanted || permType === 2)
  return intervalTree(
    held.map(({ key, range_end }) => interval(key, range_end)),
    endsSplitTree,
  )
}

/** Tells why an identity may not read or write `key` or `[key, rangeEnd)`, or `undefined` (`authStore.isOpPermitted`). */
export function keyJudge({ state, quirks }: Context, { user }: Identity, access: Access): (key: Uint8Array, rangeEnd: Uint8Array) => Failure | undefined {
  if (!state.enabled) return () => undefined
  if (user === undefined) return () => failures.userEmpty
  const record = state.users.get(user)
  if (record === undefined) return () => failures.permissionDenied
  if (isRoot(state, user)) return () => undefined
  const tree = treeOf(record.roles.flatMap((role) => state.roles.get(role) ?? []), access, quirks)
  return (key, rangeEnd) => {
    const wanted = interval(key, rangeEnd)
    const covered = rangeEnd.length === 0 ? tree.intersects(wanted) : tree.contains(wanted)
    return covered ? undefined : failures.permissionDenied
  }
}

/** The same for one request. */
export function keyRefusal(context: Context, identity: Identity, access: Access, key: Uint8Array, rangeEnd: Uint8Array): Failure | undefined {
  return keyJudge(context, identity, access)(key, rangeEnd)
}
