/** Whether users would still have what they need. */
import { allows } from '../keys/permission.js'
import { showPermission } from '../keys/show.js'
import type { Holdings } from './holdings.js'
import type { Needed } from './plan-options.js'
import { ACCESSES, rightsOf, v2Regions, v3Regions, type Regions } from './rights.js'
import type { Api } from './state.js'
import { visible } from './visible.js'

/** What users would lack, of what is said to be needed on that API: one line each. */
export function needProblems(api: Api, { users, roles }: Holdings, needs: Readonly<Record<string, Needed>>): readonly string[] {
  return Object.entries(needs).flatMap(([user, needed]) => {
    const held = users.get(user)
    const shown = visible(user)
    if (held === undefined) return [`there would be no user ${shown}, of whom you say what it needs: declare it, or correct its name`]
    if (held.includes('root')) return []
    const permissions = held.flatMap((role) => [...(roles.get(role)?.values() ?? [])])
    const lacks = <R>(regions: Regions<R>): readonly string[] => {
      const rights = rightsOf(regions, permissions, { root: false, asGuest: false })
      return needed.permissions
        .filter(({ type, keys }) => keys.api === api && ACCESSES.some((access) => allows(type, access) && !regions.contains(rights[access], regions.of(keys, false))))
        .map((permission) => `user ${shown} would lack some of ${visible(showPermission(permission))}, which you say it needs: grant it to a role of that user`)
    }
    const needsRoot = api === 'v3' && (needed.operations ?? []).some(({ openTo }) => openTo === 'root')
    return [...(api === 'v3' ? lacks(v3Regions) : lacks(v2Regions)), ...(needsRoot ? [`user ${shown} makes calls that etcd leaves to role root, which it would not hold: bind it to "root", or let the component do without them`] : [])]
  })
}
