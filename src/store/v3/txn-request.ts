/** What is wrong with a transaction, whoever asks: its size, its requests, keys that it writes twice. Follows `v3rpc/key.go`. */
import { toHex } from '../../bytes.js'
import { failures, firstOf, type Failure } from './failures.js'
import { deleteProblem, putProblem, rangeProblem } from './kv.js'
import type { DeleteRangeRequest, RequestOp, TxnRequest } from './rpc.js'
import type { Context } from './state.js'

/** `--max-txn-ops`. */
const MAX_OPERATIONS = 128

/** What is wrong with a transaction. */
export function txnProblem(context: Pick<Context, 'quirks'>, request: TxnRequest): Failure | undefined {
  const problem = requestProblem(context, request, MAX_OPERATIONS)
  return problem ?? (writesOf(request.success) && writesOf(request.failure) ? undefined : failures.duplicateKey)
}

function requestProblem(context: Pick<Context, 'quirks'>, { compare, success, failure }: TxnRequest, allowed: number): Failure | undefined {
  const size = Math.max(compare.length, success.length, failure.length)
  if (size > allowed) return failures.tooManyOperations
  if (compare.some(({ key }) => key.length === 0)) return failures.keyEmpty
  return firstOf([...success, ...failure], (op) => {
    switch (op.op) {
      case 'range':
        return rangeProblem(context, op.request)
      case 'put':
        return putProblem(op.request)
      case 'deleteRange':
        return deleteProblem(op.request)
      case 'none':
        return failures.keyNotFound
      case 'txn':
        return requestProblem(context, op.request, allowed - size)
    }
  })
}

interface Writes {
  /** Hexadecimal. */
  readonly puts: ReadonlySet<string>
  readonly deletes: readonly DeleteRangeRequest[]
}

/** Whether a delete takes a key, as the check of doubled keys sees it: an end of one zero byte is no "no end" to it, and takes nothing. */
function takes({ key, range_end: end }: DeleteRangeRequest, put: string): boolean {
  const [from, to] = [toHex(key), toHex(end)]
  return to === '' ? put === from : from <= put && put < to
}

/** What a branch may put and delete, or `undefined` where it puts a key twice, or puts and deletes it (`checkIntervals`). */
function writesOf(ops: readonly RequestOp[]): Writes | undefined {
  const puts = new Set<string>()
  const deletes = ops.flatMap((op) => (op.op === 'deleteRange' ? [op.request] : []))
  const add = (key: string, unless: ReadonlySet<string>): boolean => {
    if ((puts.has(key) && !unless.has(key)) || deletes.some((request) => takes(request, key))) return false
    puts.add(key)
    return true
  }
  const none = new Set<string>()
  for (const op of ops) {
    if (op.op !== 'txn') continue
    const [then, otherwise] = [writesOf(op.request.success), writesOf(op.request.failure)]
    if (!then || !otherwise) return undefined
    // Only one of the two branches will be taken, so both may put the same key.
    for (const key of then.puts) if (!add(key, none)) return undefined
    for (const key of otherwise.puts) if (!add(key, then.puts)) return undefined
    deletes.push(...then.deletes, ...otherwise.deletes)
  }
  for (const op of ops) if (op.op === 'put' && !add(toHex(op.request.key), none)) return undefined
  return { puts, deletes }
}
