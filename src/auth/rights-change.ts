/** What a plan opens and closes, user by user: keys, not requests. */
import { difference, fromInterval } from '../keys/interval.js'
import { showKeys } from '../keys/show.js'
import { openedBy, type Rights } from '../policy/rights.js'
import { GUEST, heldBy, namesIn, type Held, type Holdings } from './holdings.js'

/** How the rights of one user change, as people read them: `read /calico/*`, `recursive read …` on v2, `everything, by role root`. */
export interface RightsChange {
  /** On v2 `guest` for clients that no user is known for. */
  readonly user: string
  readonly opens: readonly string[]
  readonly closes: readonly string[]
}

type Open = Pick<Rights, 'root' | 'open'>

const ROOT = 'everything, by role root'

function openIn({ roles: tables }: Holdings, { roles, asGuest }: Held): Open {
  return { root: roles.includes('root'), open: openedBy(roles.flatMap((role) => [...(tables.get(role)?.values() ?? [])]), asGuest) }
}

/** What the second has and the first has not. Behind role root, nothing more is opened. */
function gained(first: Open, second: Open): readonly string[] {
  if (second.root) return first.root ? [] : [ROOT]
  const accesses = Object.keys(second.open) as (keyof Rights['open'])[]
  return accesses.flatMap((access) => difference(second.open[access], first.open[access]).map((interval) => `${access} ${showKeys(fromInterval(interval))}`))
}

/** Whose rights change, and how, of all who may come under a name. Users with the same roles before and after are judged once. */
export function rightsChanges(before: Holdings, after: Holdings): readonly RightsChange[] {
  const known = new Map<string, Omit<RightsChange, 'user'>>()
  const changesOf = (old: Held, next: Held): Omit<RightsChange, 'user'> => {
    const name = JSON.stringify([old, next])
    const found = known.get(name)
    if (found !== undefined) return found
    const [held, will] = [openIn(before, old), openIn(after, next)]
    const changes = { opens: gained(held, will), closes: gained(will, held) }
    known.set(name, changes)
    return changes
  }
  return namesIn(before, after)
    .map((user) => ({ user: user === GUEST ? 'guest' : user, ...changesOf(heldBy(before, user), heldBy(after, user)) }))
    .filter(({ opens, closes }) => opens.length + closes.length > 0)
}
