/** Which releases of etcd answer a question otherwise. */
import { accessChanges, RELEASES, type AccessChange, type Releases } from '../advisories/access-changes.js'
import { causesOf } from './causes.js'
import { askedOf, isAllowed, type Question } from './judge.js'

/** Releases whose answer is another. */
export interface VersionDifference {
  /** All of them, run by run. `can` gives that answer for each. */
  readonly releases: readonly Releases[]
  /** Their answer. */
  readonly allowed: boolean
  /** The changes between them and the release that was asked about, or etcd's intended rules. Empty where it is not the rules that differ. */
  readonly changes: readonly AccessChange[]
  /** The advisories on these changes. */
  readonly advisories: readonly string[]
  /** What is so there. */
  readonly because: string
}

/** Asks every release that may answer differently, so that what is said of one is what `can` says of it. */
export function differencesOf(question: Question, allowed: boolean): readonly VersionDifference[] {
  const found = new Map<string, VersionDifference>()
  for (const releases of RELEASES) {
    const there = askedOf(question, releases.from)
    if (isAllowed(there) === allowed) continue
    const [has, differ] = [there.server.has, isAllowed(question, there.server.has) !== allowed]
    const changes = differ ? causesOf((some) => isAllowed(question, some), question.server.has, has) : []
    const because = changes.length > 0 ? changes.map((change) => `${has(change) ? 'no longer so: ' : ''}${accessChanges[change].before}`).join(', and ') : otherwise(there)
    const before = found.get(because)
    const advisories = [...new Set(changes.flatMap((change) => accessChanges[change].advisory?.id ?? []))]
    found.set(because, { releases: joined(before?.releases ?? [], releases), allowed: !allowed, changes, advisories, because })
  }
  return [...found.values()]
}

/** Why a release answers differently by the same rules. */
function otherwise({ api, server }: Question): string {
  if (api === 'v2') return server.unserved ? 'etcd has no v2 API since 3.6' : 'etcd before 3.6 has the v2 API'
  return server.turnedAway ? 'the gateway refuses who comes with a Common Name' : 'the gateway lets who comes with a Common Name pass as nobody'
}

/** Runs of releases and one that comes after them, as few as they are. */
function joined(before: readonly Releases[], { from, to }: Releases): readonly Releases[] {
  const last = before.at(-1)
  const [lastPatch, patch] = [last?.to, from].map((version) => version?.split('.'))
  const adjacent = last !== undefined && lastPatch !== undefined && patch !== undefined && lastPatch[1] === patch[1] && Number(lastPatch[2]) + 1 === Number(patch[2])
  return adjacent ? [...before.slice(0, -1), { from: last.from, to }] : [...before, { from, to }]
}

function showReleases({ from, to }: Releases): string {
  const [minor, first] = [from.slice(0, from.lastIndexOf('.')), from.endsWith('.0')]
  if (to === undefined) return first ? minor : `${minor} from ${from} on`
  return first ? `${minor} up to ${to}` : from === to ? from : `${from} to ${to}`
}

/** A difference for people, in a line. */
export function showDifference({ releases, allowed, because, advisories }: VersionDifference): string {
  const shown = advisories.length === 0 ? '' : ` (${advisories.join(', ')})`
  return `  ${allowed ? 'allowed' : 'refused'} on etcd ${releases.map(showReleases).join(', ')}: ${because}${shown}`
}
