/**
 * A store so simple that it is right by looking: rights are sets of sample points. Written anew, without code of src/, from etcd's sources
 * (server/auth/store.go; server/etcdserver/api/v2auth/auth.go). The laws play a plan's steps on it one by one.
 */
import type { KeyRange, PathPattern, Permission } from '../../../src/keys/index.js'
import type { Api, AuthState, Step, StoredPermission } from '../../../src/auth/index.js'
import type { Policy } from '../../../src/policy/index.js'

/** By an unknown type etcd v3 grants nothing. */
type Type = 'read' | 'write' | 'readwrite' | 'unknown'

interface Stored {
  type: Type
  /** Key and range end, or the pattern: ASCII only, so that JavaScript's order is etcd's. */
  readonly id: string
  readonly start: string
  readonly keys: KeyRange | PathPattern
}

export interface NaiveStore {
  readonly api: Api
  readonly users: Map<string, string[]>
  readonly roles: Map<string, Stored[]>
  enabled: boolean
}

const text = (key: unknown): string => {
  if (typeof key !== 'string') throw new Error('samples are text')
  return key
}
const after = (prefix: string): string => prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
const END = '\uffff'

/** Start, end (excluded) and range_end of a key range. */
function bounds(keys: KeyRange): readonly [start: string, end: string, wire: string] {
  switch (keys.kind) {
    case 'key':
      return [text(keys.key), `${text(keys.key)}\0`, '']
    case 'prefix':
      return [text(keys.prefix), after(text(keys.prefix)), after(text(keys.prefix))]
    case 'range':
      return [text(keys.start), text(keys.end), text(keys.end)]
    case 'fromKey':
      return [text(keys.start), END, '\0']
    case 'allKeys':
      return ['\0', END, '\0']
  }
}

const idOf = (keys: KeyRange | PathPattern): string => (keys.api === 'v2' ? keys.pattern : `${bounds(keys)[0]}→${bounds(keys)[2]}`)
const startOf = (keys: KeyRange | PathPattern): string => (keys.api === 'v2' ? keys.pattern : bounds(keys)[0])
const stored = ({ type, keys }: StoredPermission): Stored => ({ type, keys, id: idOf(keys), start: startOf(keys) })

/** One thing that somebody may do: a v3 key, or a v2 path asked for alone or recursively. */
export type Sample = `${'read' | 'write'} ${string}` | 'administer'

function opens({ type, keys }: Stored, sample: Sample, asGuest = false): boolean {
  const [access = '', what = ''] = sample.split(/ (.*)/s)
  if (type !== access && type !== 'readwrite') return false
  if (keys.api === 'v3') {
    const [start, end] = bounds(keys)
    return start <= what && what < end
  }
  const [path = '', recursive] = what.split(' ')
  if (keys.pattern.endsWith('*')) return path.startsWith(keys.pattern.slice(0, -1))
  // Whether a request recurses is not asked of the guest (`hasGuestAccess`).
  return path === keys.pattern && (recursive === undefined || asGuest)
}

/** All who may come to either of two stores: on v2 also those whom neither has a name for. */
export function namesOf(...stores: readonly NaiveStore[]): readonly string[] {
  return [...new Set(stores.flatMap(({ api, users }) => [...users.keys(), ...(api === 'v2' ? [''] : [])]))]
}

/** Every point at which an answer can change, of all that two stores grant. */
export function samplesOf(...stores: readonly NaiveStore[]): readonly Sample[] {
  const points = new Set<string>(['a'])
  for (const { roles } of stores) {
    for (const { keys } of [...roles.values()].flat()) {
      if (keys.api === 'v3') for (const point of bounds(keys).slice(0, 2)) points.add(point === END ? '~' : point)
      else {
        const path = keys.pattern.replace('*', '')
        for (const suffix of ['', 'x', '/', '/x']) for (const how of ['', ' recursive']) points.add(`${path}${suffix}${how}`)
      }
    }
  }
  return ['administer', ...[...points].flatMap((point): readonly Sample[] => [`read ${point}`, `write ${point}`])]
}

/** Whether whoever comes under that name may do it. On v2 a name that is no user is the guest, like the name of nobody. */
export function may({ api, users, roles }: NaiveStore, user: string, sample: Sample): boolean {
  const held = users.get(user)
  if (held === undefined) return api === 'v2' && sample !== 'administer' && roles.get('guest')?.some((permission) => opens(permission, sample, true)) === true
  if (held.includes('root')) return true
  return sample !== 'administer' && held.some((role) => roles.get(role)?.some((permission) => opens(permission, sample)))
}

/** A store from a state as data. */
export function fromState({ api, users, roles, enabled }: AuthState): NaiveStore {
  return {
    api,
    enabled,
    users: new Map(Object.entries(users).map(([user, held]) => [user, [...held]])),
    roles: new Map(Object.entries(roles).map(([role, permissions]) => [role, permissions.map(stored)])),
  }
}

/** What a store holds, as a backend would read it. */
export function toState({ api, users, roles, enabled }: NaiveStore): AuthState {
  const sorted = <T>(entries: Iterable<[string, T]>): Record<string, T> => Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
  return {
    api,
    version: '3.5.30',
    enabled,
    users: sorted(users),
    roles: sorted([...roles].map(([role, permissions]): [string, readonly StoredPermission[]] => [role, permissions.map(({ type, keys }): StoredPermission => ({ type, keys }))])),
  }
}

/** The store as the policy wants it: what it does not name is as it was, or gone. */
export function asWanted(before: AuthState, policy: Policy, unmanaged: 'keep' | 'report' | 'remove', kept: readonly string[]): NaiveStore {
  const wanted = fromState(before)
  const half = policy[before.api]
  if (half === undefined) throw new Error('no such half')
  const declared = Object.entries<readonly Permission[]>(half.roles)
  if (before.api === 'v2') declared.push(['guest', policy.v2?.guest ?? []])
  if (unmanaged === 'remove') {
    for (const user of wanted.users.keys()) if (user !== 'root' && !kept.includes(user) && !(user in policy.users)) wanted.users.delete(user)
    for (const role of wanted.roles.keys()) if (role !== 'root' && !declared.some(([name]) => name === role)) wanted.roles.delete(role)
  }
  // Who holds the roles of a policy is the policy's to say, whatever happens to others.
  for (const [user, held] of wanted.users) if (!(user in policy.users)) wanted.users.set(user, held.filter((role) => !declared.some(([name]) => name === role)))
  for (const [role, permissions] of declared) wanted.roles.set(role, permissions.map(stored))
  for (const user of Object.keys(policy.users)) wanted.users.set(user, [...(half.bindings[user] ?? [])])
  return wanted
}

function there<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} is not there`)
  return value
}
function absent(value: unknown, what: string): void {
  if (value !== undefined) throw new Error(`${what} is there already`)
}

/** Plays one step as etcd does. Throws where etcd would refuse. */
export function play(store: NaiveStore, step: Step): void {
  const { users, roles, api } = store
  switch (step.do) {
    case 'enable':
      store.enabled = true
      return
    case 'addRole':
      absent(roles.get(step.role), `role ${step.role}`)
      roles.set(step.role, [])
      return
    case 'deleteRole':
      there(roles.get(step.role), `role ${step.role}`)
      roles.delete(step.role)
      if (api === 'v3') for (const [user, held] of users) users.set(user, held.filter((role) => role !== step.role))
      return
    case 'addUser':
      absent(users.get(step.user), `user ${step.user}`)
      for (const role of step.roles ?? []) if (role !== 'root') there(roles.get(role), `role ${role}`)
      users.set(step.user, [...(step.roles ?? []), ...(api === 'v2' && step.user === 'root' ? ['root'] : [])])
      return
    case 'setPassword':
    case 'dropPassword':
      there(users.get(step.user), `user ${step.user}`)
      return
    case 'deleteUser':
      there(users.get(step.user), `user ${step.user}`)
      users.delete(step.user)
      return
    case 'bindRole': {
      const held = there(users.get(step.user), `user ${step.user}`)
      if (step.role !== 'root') there(roles.get(step.role), `role ${step.role}`)
      absent(held.find((role) => role === step.role), `binding of ${step.user} to ${step.role}`)
      users.set(step.user, [...new Set([...held, step.role])])
      return
    }
    case 'unbindRole': {
      const held = there(users.get(step.user), `user ${step.user}`)
      there(held.find((role) => role === step.role), `binding of ${step.user} to ${step.role}`)
      users.set(step.user, held.filter((role) => role !== step.role))
      return
    }
    case 'grantPermission': {
      const permissions = there(roles.get(step.role), `role ${step.role}`)
      const permission = stored(step.permission)
      const first = permissions.find(({ start }) => start === permission.start)
      if (api === 'v2') {
        const same = permissions.find(({ id }) => id === permission.id)
        if (same?.type !== step.replaces) throw new Error(`${permission.id} is ${same?.type ?? 'not there'}, not ${step.replaces ?? 'absent'}`)
        roles.set(step.role, [...permissions.filter(({ id }) => id !== permission.id), permission])
      } else if (first?.id === permission.id) first.type = permission.type
      else {
        // Where etcd's sort leaves a new one among those of the same key is not promised: here the worst, before them.
        const index = permissions.findIndex(({ start }) => start >= permission.start)
        permissions.splice(index === -1 ? permissions.length : index, 0, permission)
      }
      return
    }
    case 'revokePermission': {
      const permissions = there(roles.get(step.role), `role ${step.role}`)
      const { id } = stored(step.permission)
      there(permissions.find((permission) => permission.id === id), `permission ${id}`)
      roles.set(step.role, permissions.filter((permission) => permission.id !== id))
    }
  }
}
