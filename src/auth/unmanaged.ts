/** What a policy does not name and a store holds all the same: small enough to stand in a plan, and how it has changed since. */
import { showPermission } from '../keys/show.js'
import type { Holdings } from './holdings.js'
import { compareNames, tableOf, type StoreNames } from './state.js'
import type { Step } from './step.js'

/** Users with the names of their roles, and roles with what they grant, as people read it: `readwrite /calico/*`. Each in one order, and each once. */
export interface Others {
  readonly users: Readonly<Record<string, readonly string[]>>
  readonly roles: Readonly<Record<string, readonly string[]>>
}

/** What a user or role has come to hold, or holds no more. */
export interface Alteration {
  readonly name: string
  readonly gained: readonly string[]
  readonly lost: readonly string[]
}

/** What has become of the others. */
export interface OthersSince {
  readonly appeared: StoreNames
  readonly disappeared: StoreNames
  readonly altered: { readonly users: readonly Alteration[]; readonly roles: readonly Alteration[] }
}

/** Those of the names that the steps leave. */
export function withoutDeleted({ users, roles }: StoreNames, steps: readonly Step[]): StoreNames {
  const gone = new Set(steps.map((step) => (step.do === 'deleteUser' ? `user ${step.user}` : step.do === 'deleteRole' ? `role ${step.role}` : '')))
  return { users: users.filter((user) => !gone.has(`user ${user}`)), roles: roles.filter((role) => !gone.has(`role ${role}`)) }
}

/** What those hold. */
export function othersIn({ users, roles }: Holdings, names: StoreNames): Others {
  const sorted = (texts: Iterable<string>): readonly string[] => [...new Set(texts)].sort(compareNames)
  return {
    users: tableOf(names.users.map((user) => [user, sorted(users.get(user) ?? [])])),
    roles: tableOf(names.roles.map((role) => [role, sorted([...(roles.get(role)?.values() ?? [])].map(showPermission))])),
  }
}

/** What differs between then and now. */
export function sinceThen(then: Others, now: Others): OthersSince {
  const [users, roles] = [compared(then.users, now.users), compared(then.roles, now.roles)]
  return {
    appeared: { users: users.appeared, roles: roles.appeared },
    disappeared: { users: users.disappeared, roles: roles.disappeared },
    altered: { users: users.altered, roles: roles.altered },
  }
}

/** Where nothing is compared. */
export const NOTHING_SINCE: OthersSince = sinceThen({ users: {}, roles: {} }, { users: {}, roles: {} })

function compared(then: Others['users'], now: Others['users']) {
  const missing = (from: Others['users'], names: Others['users']): readonly string[] => Object.keys(names).filter((name) => !Object.hasOwn(from, name))
  const altered = Object.entries(now).flatMap(([name, held]): readonly Alteration[] => {
    if (!Object.hasOwn(then, name)) return []
    const [before, after] = [new Set(then[name]), new Set(held)]
    const change = { name, gained: [...after].filter((one) => !before.has(one)), lost: [...before].filter((one) => !after.has(one)) }
    return change.gained.length + change.lost.length > 0 ? [change] : []
  })
  return { appeared: missing(then, now), disappeared: missing(now, then), altered }
}
