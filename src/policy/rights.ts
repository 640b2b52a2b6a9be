/**
 * What one user holds, in the form in which questions are answered: intervals, merged and sorted, by kind of access.
 *
 * v3 keys and v2 paths are both bytes in order, and a v2 pattern is an interval of paths. What v2 adds is recursion: a recursive request
 * counts patterns with a final `*` only (`prefixMatch`), so it is an access of its own. Not for the guest, whose exact patterns count for
 * recursive requests too (`hasGuestAccess`).
 */
import { containsInterval, patternInterval, toInterval, union, type Interval, type IntervalSet } from '../keys/interval.js'
import type { KeyRange } from '../keys/key-range.js'
import { packedContains, packSet, type PackedSet } from '../keys/packed-set.js'
import type { PathPattern } from '../keys/pattern.js'
import { allows, type Permission } from '../keys/permission.js'
import type { Bindings, Policy, Roles } from './policy.js'

/** Kinds of access. The recursive ones exist on v2 only. */
export type Access = 'read' | 'write' | 'recursive read' | 'recursive write'

/** A permission, and the role that gives it. */
export interface Granted<S extends KeyRange | PathPattern = KeyRange | PathPattern> {
  readonly role: string
  readonly permission: Permission<S>
}

/** What a client holds on one API. */
export interface Rights {
  /** Role root: more than every key. */
  readonly root: boolean
  readonly roles: readonly string[]
  readonly granted: readonly Granted[]
  readonly open: Readonly<Record<Access, IntervalSet>>
  /** Whether all of an interval is open for an access. Role root apart. */
  readonly covers: (access: Access, interval: Interval) => boolean
}

/** The roles that a user holds, by name. */
export function rolesOf(bindings: Bindings, user: string): readonly string[] {
  return Object.hasOwn(bindings, user) ? (bindings[user] ?? []) : []
}

/** What one permission opens for one access, or `undefined` for nothing. `guest`: it is the v2 guest's. */
export function opened({ type, keys }: Permission, access: Access, guest: boolean): Interval | undefined {
  if (!allows(type, access === 'read' || access === 'recursive read' ? 'read' : 'write')) return undefined
  const recursive = access === 'recursive read' || access === 'recursive write'
  if (keys.api === 'v3') return recursive ? undefined : toInterval(keys)
  return recursive && !guest && !keys.pattern.endsWith('*') ? undefined : patternInterval(keys)
}

/** What permissions open together. */
export function openedBy(permissions: readonly Permission[], guest = false): Rights['open'] {
  const set = (access: Access): IntervalSet => union(permissions.flatMap((permission) => opened(permission, access, guest) ?? []))
  return { read: set('read'), write: set('write'), 'recursive read': set('recursive read'), 'recursive write': set('recursive write') }
}

function grantsOf(declared: Roles<KeyRange | PathPattern>, roles: readonly string[]): readonly Granted[] {
  return roles.flatMap((role) => (Object.hasOwn(declared, role) ? (declared[role] ?? []).map((permission) => ({ role, permission })) : []))
}

/** The same rights, made ready for many questions. */
export function readyRights(rights: Rights): Rights {
  const packed = Object.fromEntries(Object.entries(rights.open).map(([access, set]) => [access, packSet(set)])) as Record<Access, PackedSet>
  return { ...rights, covers: (access, interval) => packedContains(packed[access], interval) }
}

function made(root: boolean, roles: readonly string[], granted: readonly Granted[], open: Rights['open']): Rights {
  return { root, roles, granted, open, covers: (access, interval) => containsInterval(open[access], interval) }
}

const permissionsOf = (granted: readonly Granted[]): readonly Permission[] => granted.map(({ permission }) => permission)

/** What a user holds on one API, by a policy that has that half. `undefined` is a client that no user names: nobody on v3, the guest on v2. */
export function rightsOf(policy: Policy, api: 'v2' | 'v3', user: string | undefined): Rights {
  if (user === undefined) {
    const granted = api === 'v2' ? (policy.v2?.guest ?? []).map((permission) => ({ role: 'guest', permission })) : []
    return made(false, [], granted, openedBy(permissionsOf(granted), true))
  }
  const { roles: declared, bindings } = policy[api] ?? { roles: {}, bindings: {} }
  const roles = rolesOf(bindings, user)
  const granted = grantsOf(declared, roles)
  // On v2 the user named root has role root whatever its bindings say: etcd attaches it at every read.
  return made(roles.includes('root') || (api === 'v2' && user === 'root'), roles, granted, openedBy(permissionsOf(granted)))
}
