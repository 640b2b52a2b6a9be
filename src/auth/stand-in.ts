/** A name that a policy may use, for a role whose own it may not. */
import { COMMON_NAME_MAX, nameProblem } from '../names.js'

/** What a stand-in is called where nothing of the name is left. */
const UNNAMED = 'role'

/** The nearest name that nobody has yet: `team/app` gives `team-app`, or `team-app-2` where that is taken. */
export function standInFor(role: string, taken: ReadonlySet<string>): string {
  const readable = [...role.replace(/[\p{C}\p{Zl}\p{Zp}/]/gu, '-').replace(/^_+/, '')].slice(0, COMMON_NAME_MAX - 8).join('').trim()
  const name = nameProblem('role', readable) === undefined ? readable : UNNAMED
  for (let count = 1; ; count++) {
    const found = count === 1 ? name : `${name}-${count}`
    if (!taken.has(found)) return found
  }
}
