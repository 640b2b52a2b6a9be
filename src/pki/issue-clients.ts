/** Many certificates of users at once, usually one for each node: so many at a time, in order, in memory that does not grow with their number. */
import { EtcdRbacError } from '../errors.js'
import { checkFields, takeFields } from '../known-fields.js'
import type { AbortSignalLike } from '../platform.js'
import type { Policy } from '../policy/policy.js'
import { insideOf, type Authority } from './authority.js'
import { checkPolicy } from './declared.js'
import { inOrder } from './in-order.js'
import type { Issued } from './issue.js'
import { CLIENT_FIELDS, issueClient, type ClientRequest } from './issue-client.js'
import type { ClientRecord } from './record.js'
import { checkValidity } from './validity.js'

/** One of many: what differs from certificate to certificate. */
export type BulkClientRequest<P extends Policy, N extends string> = Omit<ClientRequest<P, N>, 'policy' | 'validity' | 'longLived'>

/** What all have in common, and how they are made. */
export interface BulkOptions<P extends Policy, R> extends Pick<ClientRequest<P, string>, 'policy' | 'validity' | 'longLived'> {
  /** How many are under way at a time, from 1 to 1024; default 16. No more requests than that are taken ahead of who reads the results. */
  readonly concurrency?: number
  /**
   * Begins no other once it is aborted. What is under way is finished and handed out, then comes `ERR_ABORTED`: at once where the signal can call back, as that
   * of an `AbortController` does, otherwise with the next result.
   */
  readonly signal?: AbortSignalLike
  /**
   * Called for each certificate as soon as it is signed, also for one whose turn never comes since an earlier request failed: keep its record here.
   * `count` is how many there are by now. A promise that it returns is waited for. What it throws, or rejects with, ends the iteration.
   */
  readonly onIssued?: (issued: Issued<ClientRecord>, progress: { readonly index: number; readonly count: number }) => unknown
  /**
   * Called for each request that is refused, in its turn; the iteration goes on without it, once a promise that it returns is fulfilled. What it throws, or rejects
   * with, ends the iteration. Default: the first one ends the iteration with its error.
   */
  readonly onRefused?: (error: unknown, request: R, index: number) => unknown
}

/**
 * Issues many certificates of users: the same as `issueClient` for each, in the order of the requests. `requests` may be endless and slow (a queue, a
 * directory): it is read as the results are, and each certificate is handed out as soon as it is its turn, whether another request is there or not.
 *
 * However the iteration ends (a failure, the signal, `break`), it waits for what is under way, not for the source: no certificate is signed after its end, and
 * each that was has gone through `onIssued`.
 *
 * @throws {@link EtcdRbacError} at once: `ERR_PURPOSE_REFUSED`, `ERR_VALIDITY_INVALID`; while it is read: `ERR_ABORTED`, and as `issueClient`
 * @example
 * ```ts
 * import { days, definePolicy, issueClients, type Authority, type ClientRecord } from 'etcd-rbac'
 * declare const clients: Authority<'client'>, nodes: ReadonlyMap<string, string>
 * const policy = definePolicy({ users: { 'calico-node': 'certificate' }, authorities: ['etcd-clients'] })
 * const requests = [...nodes].map(([label, csr]) => ({ user: 'calico-node' as const, label, csr }))
 * const records: ClientRecord[] = []
 * const validity = days(90).from(new Date(), { backdateMinutes: 5 })
 * for await (const { chain, record } of issueClients(clients, requests, { policy, validity, onIssued: ({ record }) => records.push(record) }))
 *   console.log(record.label, chain.length)
 * ```
 */
export function issueClients<P extends Policy, const N extends string>(
  authority: Authority<'client'>,
  requests: Iterable<BulkClientRequest<P, N>> | AsyncIterable<BulkClientRequest<P, N>>,
  options: BulkOptions<P, BulkClientRequest<P, N>>,
): AsyncIterable<Issued<ClientRecord>> {
  checkFields(options, ['policy', 'validity', 'longLived', 'concurrency', 'signal', 'onIssued', 'onRefused'], 'the options of issueClients')
  const { concurrency = 16, signal } = options
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 1024) throw new TypeError('concurrency must be a whole number from 1 to 1024')
  if (signal !== undefined && typeof (signal as AbortSignalLike | null)?.aborted !== 'boolean') throw new TypeError('signal must be an AbortSignal, as the signal of an AbortController is')
  insideOf(authority, 'client')
  checkPolicy(options.policy)
  // Copied: the first certificate and the last one have the same dates, whatever becomes of the caller's.
  const validity = checkValidity(options.validity)
  const given = requests as Partial<Iterable<unknown> & AsyncIterable<unknown>> | null | undefined
  if (typeof requests === 'string' || (typeof given?.[Symbol.iterator] !== 'function' && typeof given?.[Symbol.asyncIterator] !== 'function'))
    throw new TypeError('requests must be a list, or something else to iterate over')
  return issueEach(authority, requests, { ...options, validity }, concurrency)
}

/** What came of one request: settled, so that a failure waits for its turn. */
type Outcome<R> = { readonly issued: Issued<ClientRecord> } | { readonly error: unknown; readonly request: R; readonly index: number }

async function* issueEach<P extends Policy, N extends string>(
  authority: Authority<'client'>,
  requests: Iterable<BulkClientRequest<P, N>> | AsyncIterable<BulkClientRequest<P, N>>,
  { policy, validity, longLived, signal, onIssued, onRefused }: BulkOptions<P, BulkClientRequest<P, N>>,
  concurrency: number,
): AsyncGenerator<Issued<ClientRecord>, void, undefined> {
  // longLived also where it is undefined: what is common is not a request's to say.
  const common = { policy, validity, longLived }
  let count = 0
  let broken: { readonly error: unknown } | undefined
  const run = async (request: BulkClientRequest<P, N>, index: number): Promise<Outcome<BulkClientRequest<P, N>>> => {
    try {
      const own = takeFields(request as ClientRequest<P, N>, CLIENT_FIELDS, 'the requests of issueClients')
      const issued = await issueClient<P, N>(authority, { ...own, ...common } as ClientRequest<P, N>)
      count++
      try {
        await onIssued?.(issued, { index, count })
      } catch (error) {
        broken ??= { error }
      }
      return { issued }
    } catch (error) {
      return { error, request, index }
    }
  }
  const stopped = (): Error =>
    new EtcdRbacError(
      'ERR_ABORTED',
      { found: `the signal to stop, after ${count} certificates`, wanted: 'to go on', fix: 'issue the rest again: what was issued is good' },
      { stepsDone: count },
      signal?.reason,
    )
  for await (const outcome of inOrder(requests, run, { concurrency, signal, stopped })) {
    if (broken !== undefined) throw broken.error
    if ('issued' in outcome) yield outcome.issued
    else if (onRefused === undefined) throw outcome.error
    else await onRefused(outcome.error, outcome.request, outcome.index)
  }
}
