/**
 * Known holes of etcd's access control, with the releases that close them.
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
  /** The first releases that have the hole, where it came with something that older ones lack. Default: every release until it is fixed. */
  readonly introduced?: Since
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
  impact: 'whoever passes TLS, without a name even, reads and writes every key through a transaction inside a transaction',
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

/** A revoked client certificate goes on opening the gRPC port where HTTP has a port of its own. */
export const revocationBypass: Advisory = {
  id: 'GHSA-3wh4-j44w-pg92',
  impact: 'a revoked client certificate is accepted on the gRPC port where --listen-client-http-urls gives HTTP a port of its own',
  fixed: { '3.5': 32, '3.6': 13, '3.7': 0 },
  introduced: { '3.5': 0 },
  evidence: 'fix read in CHANGELOG-3.5 and CHANGELOG-3.6; the flag is unknown to 3.3.25 and 3.4.23 and known to 3.5.16, by their --help',
}

/** The gateway answers whoever passes TLS with the rights of the user that the server certificate is named like. */
export const gatewayServerName: Advisory = {
  id: 'GHSA-h6xx-pmxh-3wgp',
  cve: 'CVE-2018-16886',
  impact: 'whoever passes TLS acts through the HTTP gateway as the user that the Common Name of the server certificate names',
  fixed: { '3.3': 11 },
  evidence: 'the check of the header is absent from 3.3.10 and present in 3.3.11, by source; tried on 3.3.25 and later, where it holds',
}

/** Passwords of Authenticate calls stand in the log at debug level. */
export const passwordInLog: Advisory = {
  id: 'GHSA-gmph-wf7j-9gcm',
  cve: 'CVE-2021-28235',
  impact: 'whoever reads the log of a member that runs at debug level learns the passwords with which users log in',
  fixed: { '3.4': 25, '3.5': 8 },
  evidence: 'CHANGELOG-3.4, CHANGELOG-3.5 and etcd#15648; not tried',
}

/** All of them. */
export const advisories: readonly Advisory[] = [watchLeak, nestedTransaction, unguardedCalls, transactionPut, leaseKeys, revocationBypass, gatewayServerName, passwordInLog]

/**
 * The holes that a version of etcd has.
 *
 * @param version A release with its patch number, `3.3.0` to `3.7.x`.
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED`
 * @example
 * ```ts
 * import { advisoriesOf } from 'etcd-rbac'
 * for (const { id, impact } of advisoriesOf('3.5.30')) console.log(id, impact)
 * ```
 */
export function advisoriesOf(version: string): readonly Advisory[] {
  const parsed = parseVersion(version)
  return advisories.filter(({ fixed, introduced }) => !isSince(parsed, fixed) && (introduced === undefined || isSince(parsed, introduced)))
}
