/** What a store as found and a policy give a user: one or the other, and both. Users with the same roles before and after are judged once. */
import { heldBy, type Held, type Holdings } from './holdings.js'
import { rightsOf, type Access, type Regions, type Rights } from './rights.js'

export interface Given<R> {
  readonly either: Rights<R>
  readonly both: Rights<R>
}

/** `kindOf` is equal for users of whom the same is to be said. */
export function givenBy<R>(regions: Regions<R>, before: Holdings, after: Holdings): { readonly given: (user: string) => Given<R>; readonly kindOf: (user: string) => string } {
  const rightsIn = ({ roles: tables }: Holdings): ((held: Held) => Rights<R>) => {
    const known = memo((name: string) => {
      const { roles, asGuest } = JSON.parse(name) as Held
      return rightsOf(regions, roles.flatMap((role) => [...(tables.get(role)?.values() ?? [])]), { root: roles.includes('root'), asGuest })
    })
    return (held) => known(JSON.stringify(held))
  }
  const [rightsBefore, rightsAfter] = [rightsIn(before), rightsIn(after)]
  const kindOf = (user: string): string => JSON.stringify([heldBy(before, user), heldBy(after, user)])
  const known = memo((kind: string): Given<R> => {
    const [held, wanted] = JSON.parse(kind) as readonly [Held, Held]
    const [old, next] = [rightsBefore(held), rightsAfter(wanted)]
    const either = (access: Access): readonly R[] => regions.together([...old[access], ...next[access]])
    const both = (access: Access): readonly R[] => regions.together(old[access].flatMap((region) => regions.common(next[access], region)))
    return {
      either: { root: old.root || next.root, read: either('read'), write: either('write') },
      both: { root: old.root && next.root, read: both('read'), write: both('write') },
    }
  })
  return { given: (user) => known(kindOf(user)), kindOf }
}

function memo<T>(compute: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    const value = compute(key)
    known.set(key, value)
    return value
  }
}
