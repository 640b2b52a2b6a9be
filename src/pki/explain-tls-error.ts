/** What an error of TLS means, and what to do about it: neither Node's nor Go's says so. */
import { checkFields } from '../known-fields.js'
import { TLS_FAULTS, TLS_SIGNS, type TlsFault } from './tls-faults.js'

/** What is known beside the error. */
export interface TlsErrorContext {
  /** Whose words they are. Default: a client's, unless it is a line of etcd's log that says "rejected connection". */
  readonly by?: 'client' | 'member'
  /** The HTTP status, where the text is the body of an answer of etcd's gateway. */
  readonly status?: number
}

/** What an error means. */
export interface TlsExplanation {
  readonly code: TlsFault
  readonly cause: string
  readonly fix: string
}

export type { TlsFault }

/**
 * Explains an error of TLS: one of Node's `tls` and `https`, of grpc-js and etcd3, of Go, a line of etcd's log, or the body of an answer of its gateway. Looks into
 * `cause` and into the errors of an `AggregateError`. Nothing of it is quoted in the answer.
 *
 * @param error An error, or its text.
 * @returns `undefined` for what it does not know: nothing is guessed, least of all from a connection that was merely reset
 * @throws `TypeError` for a context that is none
 * @example
 * ```ts
 * import { explainTlsError } from 'etcd-rbac'
 * const { code, fix } = explainTlsError(new Error('14 UNAVAILABLE: No connection established. Last error: Error: unable to verify the first certificate')) ?? {}
 * console.log(code) // server-authority
 * console.log(explainTlsError(new Error('connect ECONNREFUSED 10.0.0.10:2379'))) // undefined
 * ```
 */
export function explainTlsError(error: unknown, context: TlsErrorContext = {}): TlsExplanation | undefined {
  checkFields(context, ['by', 'status'], 'the context of an error')
  if (context.by !== undefined && !['client', 'member'].includes(context.by)) throw new TypeError("by must be 'client' or 'member'")
  const text = textsOf(error, new Set()).join('\n').slice(0, MOST_CHARACTERS)
  const by = context.by ?? (/rejected connection/.test(text) ? 'member' : 'client')
  const found = TLS_SIGNS.find((sign) => (sign.by ?? by) === by && (sign.status === undefined || sign.status === context.status) && sign.match.test(text))
  return found === undefined ? undefined : { code: found.code, ...TLS_FAULTS[found.code] }
}

/** More than any chain of errors has to say. */
const MOST_CHARACTERS = 20_000

/** Every text of an error and of what it comes from. */
function textsOf(error: unknown, seen: Set<unknown>): readonly string[] {
  if (typeof error === 'string') return [error]
  if (typeof error !== 'object' || error === null || seen.has(error) || seen.size > 20) return []
  seen.add(error)
  const own = ['code', 'message', 'details', 'reason'].map((name) => fieldOf(error, name)).filter((each): each is string => typeof each === 'string')
  const errors = fieldOf(error, 'errors')
  const listed = typeof errors === 'object' ? Array.from({ length: 20 }, (_, at) => fieldOf(errors, String(at))) : []
  return [...own, ...[fieldOf(error, 'cause'), ...listed].flatMap((each) => textsOf(each, seen))]
}

/** A field, if there is one; of some errors they are calculated, and that may fail. */
function fieldOf(table: unknown, name: string): unknown {
  try {
    return (table as Readonly<Record<string, unknown>> | null | undefined)?.[name]
  } catch {
    return undefined
  }
}
