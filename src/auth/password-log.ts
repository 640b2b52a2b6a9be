/** Where a server keeps passwords that nobody should read. */
import type { Api } from './state.js'
import { isAtLeast } from './version.js'
import { visible } from './visible.js'

/** Whether a new password would stand in clear in the raft log: before 3.5, a v3 password is hashed only where the entry is applied; v2 hashes it before. */
export function logsPasswords(api: Api, version: string | undefined): boolean {
  return api === 'v3' && !isAtLeast(version, 5)
}

/** Whether a user with a certificate gets a random password there, since the release, or one that it may be, knows no user without. */
export function drawsPasswords(api: Api, version: string | undefined): boolean {
  return api === 'v3' && !isAtLeast(version, 4)
}

/** How that is said. */
export function passwordsInLog(version: string | undefined): string {
  return `etcd ${visible(version ?? 'of unknown version')}, unless it is 3.5 or newer, keeps new passwords in clear in its log and in every copy of it`
}
