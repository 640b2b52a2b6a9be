/** Where a server keeps passwords that nobody should read. */
import type { Api } from './state.js'
import { isAtLeast, olderThan, type Release } from './version.js'

/** Whether a new password would stand in clear in the raft log: before 3.5, a v3 password is hashed only where the entry is applied; v2 hashes it before. */
export function logsPasswords(api: Api, release: Release): boolean {
  return api === 'v3' && !isAtLeast(release, 5)
}

/** Whether a user with a certificate gets a random password there, since the release, or one that it may be, knows no user without. */
export function drawsPasswords(api: Api, release: Release): boolean {
  return api === 'v3' && !isAtLeast(release, 4)
}

/** How that is said. */
export function passwordsInLog(release: Release): string {
  return `${olderThan(release, 5)} keeps new passwords in clear in its log and in every copy of it`
}
