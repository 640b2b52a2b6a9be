/** What is wrong with who holds which roles in one half. */
import { quoted } from '../../errors.js'
import { patternInterval, toInterval } from '../../keys/interval.js'
import type { Permission } from '../../keys/permission.js'
import { showPermission } from '../../keys/show.js'
import { someOf } from '../../names.js'
import type { Policy, PolicyV2, PolicyV3 } from '../policy.js'
import { rightsOf, rolesOf, type Granted, type Rights } from '../rights.js'
import { at, type Finding } from './finding.js'
import { redundantPermissions } from './redundant.js'
import { roleFindings } from './roles.js'

function addTo<T>(lists: Map<string, T[]>, name: string, item: T): void {
  const list = lists.get(name)
  if (list === undefined) lists.set(name, [item])
  else list.push(item)
}

/** Permissions whose every access other roles of a user give it too. Users who hold the same roles are told of together. */
function shadowFindings(rights: ReadonlyMap<string, Rights>, declared: Readonly<Record<string, readonly Permission[]>>, path: string): readonly Finding[] {
  const alike = new Map<string, { readonly rights: Rights; readonly users: string[] }>()
  for (const [user, held] of rights) {
    if (held.root || held.roles.length < 2) continue
    const roles = JSON.stringify([...held.roles].sort())
    const same = alike.get(roles)
    if (same === undefined) alike.set(roles, { rights: held, users: [user] })
    else same.users.push(user)
  }
  // What is redundant within its role is found there.
  const needed = new Map<string, readonly Granted[]>()
  const neededOf = (role: string): readonly Granted[] => {
    const known = needed.get(role)
    if (known !== undefined) return known
    const permissions = Object.hasOwn(declared, role) ? (declared[role] ?? []) : []
    const redundant = redundantPermissions(permissions)
    const found = permissions.filter((_, place) => !redundant.has(place)).map((permission) => ({ role, permission }))
    needed.set(role, found)
    return found
  }
  return [...alike.values()].flatMap(({ rights: { roles }, users }) => {
    const alone = roles.flatMap(neededOf)
    const shadowed = new Map<string, string[]>()
    for (const place of [...redundantPermissions(alone.map(({ permission }) => permission))].sort((a, b) => a - b)) {
      const { role, permission } = alone[place] ?? {}
      if (role !== undefined && permission !== undefined) addTo(shadowed, role, showPermission(permission))
    }
    return [...shadowed].map(([role, permissions]): Finding => ({
      code: 'shadowed-permission',
      severity: 'info',
      where: at(`${path}.bindings`, users[0] ?? ''),
      why: `other roles of ${users.length === 1 ? 'user' : 'users'} ${someOf(users)} give all that role ${quoted(role)} gives by ${permissions.slice(0, 10).join(', ')}${permissions.length > 10 ? `, ${permissions.length - 10} more` : ''}`,
      fix: 'take it out of one of the roles, if nobody holds that role alone',
    }))
  })
}

/** Whether something at a path, or below it unless `all` of it is meant, was refused: what was left out for it is not missing. */
export type IsRefused = (where: string, all?: 'all') => boolean

/** One half. @param isRefused Whether what stands at that path was left out of the policy, all of it or a part. */
export function halfFindings(policy: Policy, api: 'v2' | 'v3', half: PolicyV2 | PolicyV3, isRefused: IsRefused): readonly Finding[] {
  const path = `$.${api}`
  const bindings = `${path}.bindings`
  const found: Finding[] = []
  const users = Object.keys(policy.users)
  const rights = new Map(users.map((user) => [user, rightsOf(policy, api, user)]))
  const holders = new Map<string, Rights[]>()
  for (const held of rights.values()) for (const role of held.roles) addTo(holders, role, held)
  for (const [role, permissions] of Object.entries<readonly Permission[]>(half.roles)) {
    // Refused already: it is etcd's own.
    if (role === 'root') continue
    const where = at(`${path}.roles`, role)
    if (permissions.length === 0 && !isRefused(where)) found.push({ code: 'role-without-permission', severity: 'warning', where, why: `role ${quoted(role)} opens nothing`, fix: 'grant it something, or leave it out' })
    if (!holders.has(role) && !isRefused(bindings) && !isRefused('$.users')) found.push({ code: 'role-without-user', severity: 'warning', where, why: `no user holds role ${quoted(role)}`, fix: 'bind a user to it, or leave it out' })
    const held = holders.get(role) ?? []
    found.push(...roleFindings(permissions, where, ({ keys }) => held.length > 0 && held.every(({ root, covers }) => root || covers('read', keys.api === 'v3' ? toInterval(keys) : patternInterval(keys)))))
  }
  const roots = users.filter((user) => rights.get(user)?.root === true)
  if (roots.length === 0 && ![bindings, '$.users'].some((table) => isRefused(table, 'all') || isRefused(at(table, 'root'))))
    found.push({ code: 'no-root', severity: 'warning', where: bindings, why: 'no user holds role root: auth cannot be enabled', fix: "bind user root to role root" })
  if (roots.length > 1)
    found.push({
      code: 'several-roots',
      severity: 'warning',
      where: bindings,
      why: `${roots.length} users hold role root and may do everything: ${roots.slice(0, 10).map(quoted).join(', ')}`,
      fix: 'give all but one the keys that they need',
    })
  found.push(...shadowFindings(rights, half.roles, path))
  for (const user of users)
    if (rolesOf(half.bindings, user).length === 0 && !(api === 'v2' && user === 'root') && !isRefused(bindings, 'all') && !isRefused(at(bindings, user)))
      found.push({ code: 'user-without-role', severity: 'info', where: at('$.users', user), why: `user ${quoted(user)} may do nothing on ${api}`, fix: 'bind it to a role there, unless that is meant' })
  return found
}

/** The v2 guest: whoever has no user, and any certificate whose Common Name is none. */
export function guestFindings({ guest }: PolicyV2): readonly Finding[] {
  const where = '$.v2.guest'
  return [
    ...roleFindings(guest, where),
    ...guest.map((permission, place): Finding => ({
      code: 'open-guest',
      severity: permission.type === 'read' ? 'warning' : 'error',
      where: at(where, place),
      why: `everybody who reaches the server may ${permission.type} ${permission.keys.pattern}, with everything below it: for the guest an exact pattern counts for recursive requests too`,
      fix: 'leave guest empty',
    })),
  ]
}
