/** Looking at every member of a cluster before it is changed: its release, and whether it votes. */
import { isEtcdRbacError, type EtcdRbacError } from '../errors.js'
import { checkFields } from '../known-fields.js'
import type { AbortSignalLike } from '../platform.js'
import { eachAtOnce } from './at-once.js'
import { platformClock, withDeadline, type Clock } from './clock.js'
import { v3Failure } from './v3/failures.js'
import type { Etcd3CallOptions } from './v3/transport.js'
import { versionIn } from './v3/replies.js'
import { lowestVersion } from './version.js'
import { visible } from './visible.js'

/** One member: `etcd.maintenance` of an etcd3 client whose only host it is. */
export interface MaintenanceClient {
  /** The Maintenance RPC Status, which a learner answers too. Newer releases of etcd want a user who asks, and some of them role root. */
  status(options?: Etcd3CallOptions): Promise<object>
}

/** What a member said of itself, or why it said nothing. */
export interface ObservedMember {
  readonly endpoint: string
  /** As it said, also where this library knows nothing of such a release: `error` is `ERR_VERSION_UNSUPPORTED` then. */
  readonly version: string | undefined
  /** It takes no part in votes, and refuses the Auth RPCs: "rpc not supported for learner". `undefined` where it did not answer. */
  readonly learner: boolean | undefined
  /** Whether it takes itself for the leader. */
  readonly leader: boolean | undefined
  /** What is wrong with it by its own account, such as an alarm. */
  readonly alarms: readonly string[]
  readonly error: EtcdRbacError | undefined
}

/** All members that were asked. */
export interface ObservedCluster {
  readonly members: readonly ObservedMember[]
  /** The release that all of them have at least: what may be relied on. `undefined` unless each has answered, with a release that is known. */
  readonly lowestVersion: string | undefined
  /** The versions for {@link V3BackendOptions}: of all members, or empty where `lowestVersion` is unknown, which is then not relied on. */
  readonly versions: readonly string[]
}

/** How to ask. */
export interface ObserveOptions {
  /** Milliseconds for each member. Default 10,000. */
  readonly deadlineMilliseconds?: number
  /** Default: the platform's. */
  readonly clock?: Clock
  /** Asks no further member once it is aborted. */
  readonly signal?: AbortSignalLike
}

/**
 * Asks every member of a cluster for its release and its part in it. A member that does not answer, or runs a release that this library does not know, is
 * listed with its error, and makes `lowestVersion` unknown: what a release brings may be relied on only where every member has it, since each applies a write
 * by itself.
 *
 * Never rejects for what members answer.
 *
 * @throws `TypeError` for what is no table of clients, and for options that nobody reads
 * @example
 * ```ts
 * import { observe } from 'etcd-rbac'
 * import { memoryEtcd } from 'etcd-rbac/testing'
 * const { lowestVersion, members } = await observe({ 'https://10.0.0.10:2379': memoryEtcd({ version: '3.5.30' }).maintenance, 'https://10.0.0.11:2379': memoryEtcd({ version: '3.4.23' }).maintenance })
 * console.log(lowestVersion) // 3.4.23
 * console.log(members.filter(({ learner }) => learner).length) // 0
 * ```
 */
export async function observe(endpoints: Readonly<Record<string, MaintenanceClient>>, options: ObserveOptions = {}): Promise<ObservedCluster> {
  if (typeof endpoints !== 'object' || (endpoints as unknown) === null || Array.isArray(endpoints)) throw new TypeError('observe wants a table: of each endpoint, the client to ask there')
  for (const [endpoint, client] of Object.entries(endpoints as Readonly<Record<string, Partial<MaintenanceClient> | null>>)) {
    if (typeof client?.status !== 'function') throw new TypeError(`the client of ${visible(endpoint)} must have a method status, as etcd.maintenance has`)
  }
  checkFields(options, ['deadlineMilliseconds', 'clock', 'signal'], 'the options of observe')
  const { deadlineMilliseconds = 10_000, clock = platformClock, signal } = options
  const context = { clock, deadlineMilliseconds, user: 'root', signal }
  const found = new Map<string, ObservedMember>()
  await eachAtOnce(Object.entries(endpoints), 16, async ([endpoint, client]) => {
    let facts: ReturnType<typeof factsIn> = { version: undefined, learner: undefined, leader: undefined, alarms: [] }
    let known: EtcdRbacError | undefined
    try {
      if (signal?.aborted === true) throw new Error('not asked: the signal was aborted')
      facts = factsIn(await withDeadline(clock, deadlineMilliseconds, 'status', (deadline) => client.status({ deadline })))
      lowestVersion(facts.version === undefined ? [] : [facts.version])
    } catch (error) {
      known = isEtcdRbacError(error) ? error : v3Failure(error, 'status', context)
    }
    found.set(endpoint, { endpoint, ...facts, error: known })
  })
  const members = Object.keys(endpoints).flatMap((endpoint) => found.get(endpoint) ?? [])
  const versions = members.some(({ error }) => error !== undefined) ? [] : members.flatMap(({ version }) => version ?? [])
  return { members, lowestVersion: lowestVersion(versions), versions }
}

/** Members before 3.4 say nothing of learners: there are none. */
function factsIn(reply: object): Pick<ObservedMember, 'version' | 'learner' | 'leader' | 'alarms'> {
  const { leader, header, isLearner, errors } = reply as { leader?: unknown; header?: { member_id?: unknown }; isLearner?: unknown; errors?: unknown }
  // Text from etcd3; other clients have numbers.
  const [id, leading] = [header?.member_id, leader].map((value) => (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : undefined))
  return {
    version: versionIn(reply),
    learner: isLearner === true,
    leader: id !== undefined && leading === id,
    alarms: Array.isArray(errors) ? errors.map(String) : [],
  }
}
