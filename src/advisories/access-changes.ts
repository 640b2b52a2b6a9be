/** In what releases of etcd differ as to who may do what, so that an answer can be given for one of them. */
import { leaseKeys, nestedTransaction, transactionPut, unguardedCalls, watchLeak, type Advisory } from './advisories.js'
import { isSince, KNOWN_MINORS, parseVersion, type Since } from './version.js'

/** The name of a change. Each is what newer servers do; a server without it has the advisory, where there is one. */
export type AccessChange = 'openWatchChecked' | 'nestedTransactionChecked' | 'transactionPutChecked' | 'callsGuarded' | 'leaseKeysChecked' | 'statusGuarded' | 'statusOpenToUsers' | 'authStatusOpen'

/** A change. */
export interface AccessChangeFacts {
  readonly since: Since
  readonly advisory?: Advisory
  /** What servers without it do. */
  readonly before: string
}

const fixes = (advisory: Advisory): AccessChangeFacts => ({ since: advisory.fixed, advisory, before: advisory.impact })

/** All of them. */
export const accessChanges: Readonly<Record<AccessChange, AccessChangeFacts>> = {
  openWatchChecked: fixes(watchLeak),
  nestedTransactionChecked: fixes(nestedTransaction),
  transactionPutChecked: fixes(transactionPut),
  callsGuarded: fixes(unguardedCalls),
  leaseKeysChecked: fixes(leaseKeys),
  /** 3.6 never had an open Status (`v3rpc/maintenance.go`, `isPermitted`). */
  statusGuarded: { since: { ...unguardedCalls.fixed, '3.6': 0 }, before: 'Status asks for nobody' },
  /** Whoever guarded it first asked for role root; later releases take any user (`requireAuthInfo`). Read in 3.5.31 to 3.5.35, and 3.6.0 to 3.6.16. */
  statusOpenToUsers: { since: { '3.5': 32, '3.6': 12, '3.7': 0 }, before: 'Status asks for role root' },
  /** Measured on 3.6.16 and 3.7.3. */
  authStatusOpen: { since: { '3.7': 0 }, before: 'AuthStatus asks for role root' },
}

/** The names of all changes. */
export const ACCESS_CHANGES: readonly AccessChange[] = Object.keys(accessChanges) as AccessChange[]

/** Whether a version has a change; without a version, every change: etcd's intended rules. */
export function accessOf(version: string | undefined): (change: AccessChange) => boolean {
  if (version === undefined) return () => true
  const parsed = parseVersion(version)
  return (change) => isSince(parsed, accessChanges[change].since)
}

/** Since which releases etcd has no v2 API. CHANGELOG-3.6; tried on 3.6.16 and 3.7.3. */
export const V2_REMOVED: Since = { '3.6': 0 }

/** Releases of one minor version, both ends included. */
export interface Releases {
  readonly from: string
  /** The last one; `undefined` where it is the newest that there will be. */
  readonly to: string | undefined
}

/** All releases, in the longest runs in which etcd never changes who may do what. */
export const RELEASES: readonly Releases[] = KNOWN_MINORS.flatMap((minor) => {
  const release = `3.${minor}`
  const patches = [{ [release]: 0 }, V2_REMOVED, ...Object.values(accessChanges).map(({ since }) => since)].flatMap((since: Since) => since[release] ?? [])
  const starts = [...new Set(patches)].sort((a, b) => a - b)
  return starts.map((patch, at): Releases => {
    const next = starts[at + 1]
    return { from: `${release}.${patch}`, to: next === undefined ? undefined : `${release}.${next - 1}` }
  })
})
