/** What a plan opens and closes, user by user: keys, not requests. */
import { difference, fromInterval } from '../keys/interval.js'
import { showKeys } from '../keys/show.js'
import { openedBy, type Rights } from '../policy/rights.js'
import { GUEST, type Holdings } from './holdings.js'

/** How the rights of one user change, as people read them: `read /calico/*`, `recursive read …` on v2, `everything, by role root`. */
export interface RightsChange {
  /** On v2 `guest` for clients that no user is known for. */
  readonly user: string
  readonly opens: readonly string[]
  readonly closes: readonly string[]
}

interface Held {
  readonly root: boolean
  readonly open: Rights['open']
}

const ROOT = 'everything, by role root'

function heldIn({ roles }: Holdings, names: readonly string[], guest: boolean): Held {
  return { root: names.includes('root'), open: openedBy(names.flatMap((role) => [...(roles.get(role)?.values() ?? [])]), guest) }
}

/** What the second has and the first has not. Behind role root, nothing more is opened. */
function gained(first: Held, second: Held): readonly string[] {
  if (second.root) return first.root ? [] : [ROOT]
  const accesses = Object.keys(second.open) as (keyof Rights['open'])[]
  return accesses.flatMap((access) => difference(second.open[access], first.open[access]).map((interval) => `${access} ${showKeys(fromInterval(interval))}`))
}

/** Whose rights change, and how. Users with the same roles before and after are judged once. */
export function rightsChanges(before: Holdings, after: Holdings): readonly RightsChange[] {
  const known = new Map<string, Omit<RightsChange, 'user'>>()
  const changesOf = (old: readonly string[], next: readonly string[], guest: boolean): Omit<RightsChange, 'user'> => {
    const name = JSON.stringify([old, next, guest])
    const found = known.get(name)
    if (found !== undefined) return found
    const [held, will] = [heldIn(before, old, guest), heldIn(after, next, guest)]
    const changes = { opens: gained(held, will), closes: gained(will, held) }
    known.set(name, changes)
    return changes
  }
  const users = [...new Set([...before.users.keys(), ...after.users.keys()])]
  return users
    .map((user) => ({ user: user === GUEST ? 'guest' : user, ...changesOf(before.users.get(user) ?? [], after.users.get(user) ?? [], user === GUEST) }))
    .filter(({ opens, closes }) => opens.length + closes.length > 0)
}
