/** Stores as they may be found, and policies that they are to hold next: what the laws of plans are asked about. */
import fc from 'fast-check'
import type { Api, AuthState, StoredPermission, Unmanaged } from '../../src/auth/index.js'
import { toWire } from '../../src/keys/interval.js'
import { allKeys, fromKey, key, pattern, prefix, range, read, readwrite, write, type KeyRange, type PathPattern, type Permission } from '../../src/keys/index.js'
import { parsePolicy, type Policy } from '../../src/policy/index.js'

export const names = ['u0', 'u1', 'u2', 'u3'] as const
const roleNames = ['r0', 'r1', 'r2', 'r3'] as const

const point = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const v3Keys: fc.Arbitrary<KeyRange> = fc.oneof(
  { weight: 2, arbitrary: point.map((name) => key(name)) },
  { weight: 2, arbitrary: point.map((name) => prefix(name, { siblings: 'include' })) },
  { weight: 4, arbitrary: fc.tuple(point, point).filter(([a, b]) => a !== b).map(([a, b]) => (a < b ? range(a, b) : range(b, a))) },
  { weight: 1, arbitrary: point.map((name) => fromKey(name)) },
  { weight: 1, arbitrary: fc.constant(allKeys()) },
)
const v2Keys: fc.Arbitrary<PathPattern> = fc.constantFrom('/a', '/a*', '/a/*', '/a/b', '/a/b*', '/b*', '/*', '*').map((text) => pattern(text))
const permissionOf = (keys: fc.Arbitrary<KeyRange | PathPattern>): fc.Arbitrary<Permission> =>
  fc.tuple(fc.constantFrom(read<KeyRange | PathPattern>, write<KeyRange | PathPattern>, readwrite<KeyRange | PathPattern>), keys).map(([make, one]) => make(one))

/** A store, and the policy that it is to hold next. */
export interface World {
  readonly state: AuthState
  readonly policy: Policy
  readonly unmanaged: Unmanaged
  /** Users to be made anew. */
  readonly recreate: readonly string[]
}

export function worldOf(api: Api): fc.Arbitrary<World> {
  const permissions = fc.array(permissionOf(api === 'v3' ? v3Keys : v2Keys), { maxLength: 4 })
  const held = fc.uniqueArray(fc.constantFrom(...roleNames, ...(['root'] as const)), { maxLength: 3 })
  const some = <T>(list: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...list])
  const side = fc.record({ roles: fc.tuple(permissions, permissions, permissions, permissions), bound: fc.tuple(held, held, held, held), guest: permissions })
  /** In some worlds the next policy has the names, bindings and keys of the old, with other types: twins with the same start key must then make gaps. */
  const sides = fc.tuple(side, side, fc.boolean(), fc.nat()).map(([old, other, alike, seed]) => {
    const retyped = old.roles.map((list, role) => list.map(({ keys }, index): Permission => ({ keys, type: (['read', 'write', 'readwrite'] as const)[(seed >> ((role + index) % 8)) % 3] ?? 'read' })))
    return { alike, old, next: alike ? { roles: retyped, bound: old.bound, guest: other.guest } : other }
  })
  return fc
    .record({ sides, oldRoles: some(roleNames), nextRoles: some(roleNames), oldUsers: some(names), nextUsers: some(names), enabled: fc.boolean(), oddities: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(fc.boolean(), { maxLength: 4 }) }), unmanaged: fc.constantFrom('keep', 'report', 'remove'), anew: fc.oneof({ weight: 3, arbitrary: fc.constant<string[]>([]) }, { weight: 1, arbitrary: some<string>(names) }) })
    .map(({ sides: { alike, old, next }, oldRoles, oldUsers, enabled, oddities, unmanaged, anew, ...others }): World => {
      const [nextRoles, nextUsers] = alike ? [oldRoles, oldUsers] : [others.nextRoles, others.nextUsers]
      const index = (role: string): number => Number(role.slice(1))
      const exists = (roles: readonly string[]) => (role: string): boolean => role === 'root' || roles.includes(role)
      // A v3 store may hold types that etcd has no name for.
      const strange = (list: readonly Permission[]): readonly StoredPermission[] => (api === 'v2' ? list : list.map(({ type, keys }, at) => (oddities[at] === true ? { type: 'unknown', keys } : { type, keys })))
      const roles: [string, readonly StoredPermission[]][] = oldRoles.map((role) => [role, strange(sorted(old.roles[index(role)] ?? [], api))])
      if (api === 'v2') roles.unshift(['guest', sorted(old.guest, api)])
      // On v2 a user may hold a role that is not there: any name is taken.
      const held = (roles: readonly string[]): readonly string[] => (api === 'v2' ? roles : roles.filter(exists(oldRoles)))
      const state: AuthState = {
        api,
        version: '3.5.30',
        enabled,
        users: Object.fromEntries([['root', ['root']], ...oldUsers.map((user) => [user, held(old.bound[index(user)] ?? [])])] as [string, string[]][]),
        roles: Object.fromEntries(roles),
      }
      const policy = parsePolicy({
        users: Object.fromEntries(['root', ...nextUsers].map((user) => [user, 'certificate'])),
        [api]: {
          ...(api === 'v2' ? { guest: unique(next.guest) } : {}),
          roles: Object.fromEntries(nextRoles.map((role) => [role, unique(next.roles[index(role)] ?? [])])),
          bindings: Object.fromEntries([['root', ['root']], ...nextUsers.map((user) => [user, (next.bound[index(user)] ?? []).filter(exists(nextRoles))])] as [string, string[]][]),
        },
      })
      return { state, policy, unmanaged, recreate: anew.filter((user) => nextUsers.some((next) => next === user)) }
    })
}

const nameOf = ({ keys }: Permission): string => JSON.stringify(keys)
/** One permission for each range: what a policy says of the same keys twice is one permission in etcd. */
const unique = (permissions: readonly Permission[]): readonly Permission[] => [...new Map(permissions.map((permission) => [nameOf(permission), permission])).values()]
/** v3 keeps permissions by start key, duplicates included; v2 one type for a pattern. */
function sorted(permissions: readonly Permission[], api: Api): readonly Permission[] {
  if (api === 'v2') return unique(permissions)
  const start = ({ keys }: Permission): string => (keys.api === 'v2' ? '' : Buffer.from(toWire(keys).key).toString('hex'))
  return [...permissions].sort((a, b) => (start(a) < start(b) ? -1 : start(a) > start(b) ? 1 : 0))
}
