/**
 * Known holes of etcd's RBAC, with the releases that close them.
 *
 * Evidence: each was tried on 3.3.25, 3.4.23, 3.5.16 and 3.5.30, and the fixing releases read from etcd's tags and changelogs, unless
 * `evidence` says otherwise.
 */
import { isSince, parseVersion, type Since } from './version.js'

/** A hole in what etcd enforces. */
export interface Advisory {
  readonly id: string
  readonly cve?: string
  /** What a client can do that its permissions do not say. */
  readonly impact: string
  readonly fixed: Since
  readonly evidence?: string
}

/** A user who may read the first key of an open-ended watch receives every later event behind it. */
export const watchLeak: Advisory = {
  id: 'GHSA-xg4h-6gfc-h4m8',
  impact: 'a reader of one key receives the events of all keys behind it through a watch without end',
  fixed: { '3.5': 33, '3.6': 14, '3.7': 1 },
}

/** Operations of a transaction inside a transaction are not checked. */
export const nestedTransaction: Advisory = {
  id: 'GHSA-rfx7-8w68-q57q',
  cve: 'CVE-2026-33343',
  impact: 'any user reads and writes every key through a transaction inside a transaction',
  fixed: { '3.4': 42, '3.5': 28, '3.6': 9 },
}

/** Compaction and other calls that need no user. */
export const unguardedCalls: Advisory = {
  id: 'GHSA-q8m4-xhhv-38mg',
  cve: 'CVE-2026-33413',
  impact: 'whoever passes TLS compacts the history, lists members and grants leases',
  fixed: { '3.4': 42, '3.5': 28, '3.6': 9 },
}

/** A put inside a transaction returns the previous value without a read permission. */
export const transactionPut: Advisory = {
  id: 'GHSA-x35m-3gp4-4fh5',
  cve: 'CVE-2026-44283',
  impact: 'a writer reads values through prev_kv of a put inside a transaction',
  fixed: { '3.4': 44, '3.5': 30, '3.6': 11 },
}

/** The keys of a lease are told to whoever asks for its time to live. */
export const leaseKeys: Advisory = {
  id: 'GHSA-3p4g-rcw5-8298',
  cve: 'CVE-2023-32082',
  impact: 'whoever passes TLS learns the names of the keys on a lease',
  fixed: { '3.4': 26, '3.5': 9 },
  evidence: 'the hole was tried on 3.3.25 and 3.4.23, the fix on 3.5.16 and 3.5.30',
}

/** All of them. */
export const advisories: readonly Advisory[] = [watchLeak, nestedTransaction, unguardedCalls, transactionPut, leaseKeys]

/**
 * The holes that a version of etcd has.
 *
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED`
 * @example
 * ```ts
 * import { advisoriesOf } from 'etcd-rbac'
 * console.log(advisoriesOf('3.5.30').map(({ id }) => id).join()) // GHSA-xg4h-6gfc-h4m8
 * console.log(advisoriesOf('3.5.33').length) // 0
 * ```
 */
export function advisoriesOf(version: string): readonly Advisory[] {
  const parsed = parseVersion(version)
  return advisories.filter(({ fixed }) => !isSince(parsed, fixed))
}
