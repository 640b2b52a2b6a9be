/** From use to policy: the smallest roles by which what was seen would have been allowed. */
import type { KeyRange, KeyText } from '../keys/key-range.js'
import type { PathPattern } from '../keys/pattern.js'
import { allows, type Permission } from '../keys/permission.js'
import { checkName } from '../names.js'
import { needsOf, type Need } from './needs.js'
import { v2Seen, v3Seen, type KeyNeed, type Seen } from './observed-keys.js'
import { checkedOperation, type Operation } from './operations.js'
import type { PolicyV2, PolicyV3 } from './policy.js'

/** Something that a user was seen to do. */
export interface Observation {
  readonly user: string
  readonly operation: Operation
}

/** How far permissions may reach beyond what was seen. */
export interface ObservedOptions {
  /**
   * `'exact'`: not at all, as far as the API can say it. `'directory'`: two or more single keys of one directory become the directory, that is
   * the prefix up to their last `/`; a key that is alone in its directory, or has none but `/`, stays one key. Default `'exact'`.
   */
  readonly widen?: 'exact' | 'directory'
}

/** What a permission opens that nobody was seen to use. */
export interface Looseness {
  readonly api: 'v2' | 'v3'
  readonly role: string
  readonly permission: Permission
  /** On v3 the exact ranges; on v2 the pattern, with a path as example. */
  readonly beyond: readonly { readonly access: 'read' | 'write'; readonly keys: KeyRange | PathPattern; readonly example: KeyText }[]
}

/** An operation that got no permission, since none would help or none is needed. */
export interface NotGranted extends Observation {
  /** `root`: only role root may. `holder`: only who is, or holds, what it asks about. `user`, `nobody`: it is open to any user, or to all. */
  readonly needs: 'root' | 'holder' | 'user' | 'nobody'
  readonly text: string
}

/** Roles for what was observed: the halves of a policy, as far as there were operations on their API. */
export interface Observed {
  readonly v3: PolicyV3 | undefined
  readonly v2: PolicyV2 | undefined
  /** One entry for each permission, those that open nothing beyond included. */
  readonly looseness: readonly Looseness[]
  readonly notGranted: readonly NotGranted[]
}

/**
 * The smallest roles, one for each user, by which everything that was observed is allowed by etcd's intended rules; and nothing else, with
 * `widen: 'exact'` on v3. On v2 a recursive request takes a pattern that opens siblings too: `looseness` says which.
 *
 * What only role root may do is reported and never granted.
 *
 * @throws {@link EtcdRbacError} `ERR_NAME_INVALID` for a user that no policy may name; `TypeError` for what is no operation
 * @example
 * ```ts
 * import { fromObserved, get, parsePolicy, prefix, put } from 'etcd-rbac'
 * const { v3, looseness } = fromObserved([
 *   { user: 'node', operation: get(prefix('/calico/ipam/')) },
 *   { user: 'node', operation: put('/calico/felix/host-1') },
 *   { user: 'node', operation: put('/calico/felix/host-2') },
 * ], { widen: 'directory' })
 * parsePolicy({ users: { node: 'certificate' }, v3 })
 * console.log(looseness.filter(({ beyond }) => beyond.length > 0).length) // 1
 * ```
 */
export function fromObserved(observations: readonly Observation[], { widen = 'exact' }: ObservedOptions = {}): Observed {
  // What plain JavaScript may have passed.
  if (!Array.isArray(observations)) throw new TypeError('observations must be a list')
  if (!['exact', 'directory'].includes(widen)) throw new TypeError("widen must be 'exact' or 'directory'")
  const notGranted: NotGranted[] = []
  const needs = new Map<string, KeyNeed[]>()
  for (const observation of observations) {
    const { user, operation } = Object(observation) as Partial<Observation>
    if (typeof user !== 'string' || operation === undefined) throw new TypeError('an observation is a user and an operation')
    checkName('user', user)
    const asked = needsOf(checkedOperation(operation), () => true)
    const report = reportOf(asked)
    if (report !== undefined) notGranted.push({ user, operation, ...report })
    const keys = needs.get(user) ?? []
    for (const need of asked) if (need.need === 'read' || need.need === 'write') keys.push(need)
    needs.set(user, keys)
  }
  const names = new Set(needs.keys())
  const roleOf = (user: string): string => roleFor(user, names)
  const [v3, v2] = [halfOf(v3Seen, needs, widen, roleOf), halfOf(v2Seen, needs, widen, roleOf)]
  return {
    v3: v3 && { roles: v3.roles, bindings: v3.bindings },
    v2: v2 && { guest: [], roles: v2.roles, bindings: v2.bindings },
    looseness: [...(v3?.looseness ?? []), ...(v2?.looseness ?? [])],
    notGranted,
  }
}

/** The roles of all users on one API, or `undefined` where nobody needs a key there. */
function halfOf<S extends KeyRange | PathPattern>(seen: Seen<S>, needs: ReadonlyMap<string, readonly KeyNeed[]>, widen: 'exact' | 'directory', roleOf: (user: string) => string) {
  const roles: [string, readonly Permission<S>[]][] = []
  const bindings: [string, readonly string[]][] = []
  const looseness: Looseness[] = []
  for (const [user, asked] of needs) {
    const own = asked.filter(({ keys }) => keys.api === seen.api)
    if (own.length === 0) continue
    const role = roleOf(user)
    const given = permissionsFor(seen, own, widen === 'directory')
    roles.push([role, given.map(({ permission }) => permission)])
    bindings.push([user, [role]])
    looseness.push(...given.map((one) => ({ api: seen.api, role, ...one })))
  }
  return roles.length === 0 ? undefined : { roles: tableOf(roles), bindings: tableOf(bindings), looseness }
}

/** The permissions for needs on one API, each with what it opens beyond them. What is written and may be read anyway is one permission. */
function permissionsFor<S extends KeyRange | PathPattern>(seen: Seen<S>, needs: readonly KeyNeed[], directories: boolean): readonly (Pick<Looseness, 'beyond'> & { readonly permission: Permission<S> })[] {
  const [reads, writes] = [needs.filter(({ need }) => need === 'read'), needs.filter(({ need }) => need === 'write')]
  const [readable, writable] = [seen.cover(reads, directories), seen.cover(writes, directories)]
  const isReadable = seen.within(readable)
  const written = new Set(writable.map((keys) => JSON.stringify(keys)))
  const permissions: readonly Permission<S>[] = [
    ...readable.filter((keys) => !written.has(JSON.stringify(keys))).map((keys) => ({ type: 'read', keys }) as const),
    ...writable.map((keys) => ({ type: isReadable(keys) ? 'readwrite' : 'write', keys }) as const),
  ]
  const beyond = { read: seen.beyond(reads), write: seen.beyond(writes) }
  return permissions.map((permission) => ({
    permission,
    beyond: (['read', 'write'] as const).flatMap((access) => (allows(permission.type, access) ? beyond[access](permission.keys).map((one) => ({ access, ...one })) : [])),
  }))
}

/** A role's name: its user's, where that is no name of etcd's own. */
function roleFor(user: string, users: ReadonlySet<string>): string {
  if (user !== 'root' && user !== 'guest') return user
  let name = `${user}-observed`
  while (users.has(name)) name += '-'
  return name
}

function tableOf<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  const table = Object.create(null) as Record<string, T>
  for (const [name, value] of entries) table[name] = value
  return table
}

/** Why an operation gets no permission, if it gets none. */
function reportOf(needs: readonly Need[]): Pick<NotGranted, 'needs' | 'text'> | undefined {
  const beside = needs.find(({ need }) => need !== 'read' && need !== 'write')
  if (needs.length === 0) return { needs: 'nobody', text: 'open to whoever passes TLS' }
  if (beside === undefined) return undefined
  switch (beside.need) {
    case 'root':
      return { needs: 'root', text: 'only role root may do this, and no permission grants it: bind the user to role root only if it may do everything else too' }
    case 'holder':
      return { needs: 'holder', text: `open to ${beside.of === 'user' ? 'the user' : 'the holders of the role'} that it asks about, and to role root` }
    case 'user':
      return needs.length > 1 ? undefined : { needs: 'user', text: 'open to every user' }
    case 'read':
    case 'write':
      return undefined
  }
}
