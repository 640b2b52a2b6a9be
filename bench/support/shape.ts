/** Many users on one etcd, as a policy, and as the single calls that make them. */
import { definePolicy, prefix, readwrite, type Policy } from 'etcd-rbac/policy'

export const shapeNames = ['shared', 'own'] as const
export type ShapeName = (typeof shapeNames)[number]

/** One write, whoever sends it. Every permission is `readwrite` of a prefix. */
export type Call =
  | { readonly do: 'role add'; readonly role: string }
  | { readonly do: 'grant'; readonly role: string; readonly prefix: string }
  | { readonly do: 'user add'; readonly user: string }
  | { readonly do: 'bind'; readonly user: string; readonly role: string }

/** A user, and the role that it is bound to. */
export interface Tenant {
  readonly user: string
  readonly role: string
}

export interface Shape {
  readonly name: ShapeName
  readonly title: string
  readonly tenants: readonly Tenant[]
  /** By role, what makes it: itself and its permissions. */
  readonly roles: ReadonlyMap<string, readonly Call[]>
  readonly policy: Policy
}

/** Only root: what a store holds before. */
export const onlyRoot: Policy = definePolicy({
  users: { root: 'certificate' },
  members: ['etcd-0'],
  authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
  v3: { roles: {}, bindings: { root: ['root'] } },
})

const SIZES: Readonly<Record<ShapeName, { readonly permissions: number; readonly roles: (users: number) => number }>> = {
  shared: { permissions: 6, roles: () => 5 },
  own: { permissions: 5, roles: (users) => users },
}

/** `shared`: five roles of six permissions for all. `own`: for each user a role of five. */
export function shapeOf(name: ShapeName, users: number): Shape {
  const { permissions, roles: count } = SIZES[name]
  const padded = (place: number): string => String(place).padStart(5, '0')
  const roleNames = Array.from({ length: count(users) }, (_, place) => `role-${padded(place)}`)
  const prefixes = (role: string): readonly string[] => Array.from({ length: permissions }, (_, at) => `/${role}/${at}/`)
  const tenants = Array.from({ length: users }, (_, place) => ({ user: `user-${padded(place)}`, role: roleNames[place % roleNames.length]! }))
  return {
    name,
    title: `${users.toLocaleString('en')} users, ${name === 'shared' ? `${roleNames.length} shared roles` : 'own roles'}`,
    tenants,
    roles: new Map(roleNames.map((role) => [role, [{ do: 'role add', role }, ...prefixes(role).map((each): Call => ({ do: 'grant', role, prefix: each }))]])),
    policy: definePolicy({
      users: Object.fromEntries(['root', ...tenants.map(({ user }) => user)].map((user) => [user, 'certificate' as const])),
      v3: {
        roles: Object.fromEntries(roleNames.map((role) => [role, prefixes(role).map((each) => readwrite(prefix(each)))])),
        bindings: Object.fromEntries([['root', ['root']], ...tenants.map(({ user, role }) => [user, [role]])]) as Record<string, string[]>,
      },
    }),
  }
}

/** What makes a user, once its role is there. */
export const callsOf = ({ user, role }: Tenant): readonly Call[] => [{ do: 'user add', user }, { do: 'bind', user, role }]

/** Every call of a shape. */
export function allCalls({ roles, tenants }: Shape): readonly Call[] {
  return [...[...roles.values()].flat(), ...tenants.flatMap(callsOf)]
}
