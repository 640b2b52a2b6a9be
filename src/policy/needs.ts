/**
 * What etcd asks of whoever sends a request: the rights that it takes, one by one.
 *
 * v3: `server/etcdserver/apply_auth.go` (Range, Put, DeleteRange, Txn, leases), `v3rpc/watch.go`, `v3_server.go`. v2: `v2http/client_auth.go`.
 * Where releases differ, the needs are those of a server that has the changes which `has` tells of.
 */
import type { AccessChange } from '../advisories/access-changes.js'
import { toInterval } from '../keys/interval.js'
import { keyText, type KeyRange } from '../keys/key-range.js'
import type { Path } from '../keys/pattern.js'
import { opennessOf, ruleOf } from './server-calls.js'
import type { KeyOperation, LeaseOperation, Operation, Transaction } from './operations.js'

/**
 * A right that a request takes. `user`: any client with a name will do, even one that no user has. A request that takes no right at all is open to
 * clients without any name too.
 */
export type Need =
  | { readonly need: 'user' }
  | { readonly need: 'root' }
  | { readonly need: 'holder'; readonly of: 'user' | 'role'; readonly name: string | undefined }
  | { readonly need: 'read' | 'write'; readonly keys: KeyRange | Path; readonly because: string }

const USER: Need = { need: 'user' }
const reads = (keys: KeyRange | Path, because: string): Need => ({ need: 'read', keys, because })
const writes = (keys: KeyRange | Path, because: string): Need => ({ need: 'write', keys, because })

type Has = (change: AccessChange) => boolean

/** The one key at which a range without end starts, or `undefined` where it has an end. A prefix of nothing but 0xff has none. */
function startOfOpen(keys: KeyRange | Path): KeyRange | undefined {
  if (keys.api === 'v2') return undefined
  const { start, end } = toInterval(keys)
  return end === undefined ? { api: 'v3', kind: 'key', key: keyText(start) } : undefined
}

function keyNeeds({ op, keys, prevKv: wanted, attached = [] }: KeyOperation, has: Has): readonly Need[] {
  // On v2 the old value comes back, asked for or not.
  const prevKv = wanted === true && keys.api === 'v3'
  switch (op) {
    case 'get':
      return [reads(keys, 'it reads them')]
    case 'watch':
      // Without the fix, the missing end is taken for "this one key" when rights are checked.
      return [reads(has('openWatchChecked') ? keys : (startOfOpen(keys) ?? keys), 'it watches them')]
    case 'put':
      return [writes(keys, 'it writes them'), ...(prevKv ? [reads(keys, 'prev_kv returns the old value')] : []), ...attached.map((one) => writes(one, 'they are on the same lease'))]
    case 'del':
      return [writes(keys, 'it deletes them'), ...(prevKv ? [reads(keys, 'prev_kv returns the old values')] : [])]
  }
}

function transactionNeeds({ compare, success, failure }: Transaction, has: Has): readonly Need[] {
  return [
    ...compare.map((keys) => reads(keys, 'it compares them')),
    ...[...success, ...failure].flatMap((inner): readonly Need[] => {
      if (inner.op === 'txn') return has('nestedTransactionChecked') ? transactionNeeds(inner, has) : []
      // Without the fix, only the right to write is asked of a put: not what its options take.
      if (inner.op === 'put' && !has('transactionPutChecked')) return keyNeeds({ op: 'put', keys: inner.keys }, has)
      return keyNeeds(inner, has)
    }),
  ]
}

function leaseNeeds({ op, attached }: LeaseOperation, has: Has): readonly Need[] {
  const guarded = has('callsGuarded') ? [USER] : []
  switch (op) {
    case 'leaseGrant':
    case 'leaseTimeToLive':
      return guarded
    case 'leaseRevoke':
      return [...guarded, ...attached.map((keys) => writes(keys, 'they are deleted with the lease'))]
    case 'leaseKeepAlive':
      return has('callsGuarded') ? [USER, ...attached.map((keys) => writes(keys, 'they live on with the lease'))] : []
    case 'leaseKeys':
      // With the check, somebody must ask, before any key is looked at (`checkLeaseTimeToLive` in v3_server.go).
      return has('leaseKeysChecked') ? [USER, ...attached.map((keys) => reads(keys, 'their names are told'))] : guarded
    case 'leaseLeases':
      return has('callsGuarded') ? [USER, ...attached.map((keys) => reads(keys, 'they are on a lease that is listed'))] : []
  }
}

/** Everything that a request takes. With auth on; without, etcd asks nothing. */
export function needsOf(operation: Operation, has: Has): readonly Need[] {
  switch (operation.op) {
    case 'txn':
      // One without checked keys takes nothing: etcd never asks who sends it (`checkTxnAuth` in txn.go).
      return transactionNeeds(operation, has)
    case 'call': {
      const rule = ruleOf(operation.call)
      switch (opennessOf(rule, has)) {
        case 'anybody':
          return []
        case 'users':
          return [USER]
        case 'holder':
          return [{ need: 'holder', of: operation.call === 'roleGet' ? 'role' : 'user', name: operation.subject }]
        case 'root':
          return [{ need: 'root' }]
      }
      break
    }
    case 'get':
    case 'put':
    case 'del':
    case 'watch':
      return keyNeeds(operation, has)
    case 'leaseGrant':
    case 'leaseRevoke':
    case 'leaseKeepAlive':
    case 'leaseTimeToLive':
    case 'leaseKeys':
    case 'leaseLeases':
      return leaseNeeds(operation, has)
  }
}

/** The API that an operation asks: v2 for paths and for calls below `/v2`, neither for what is beside it over HTTP. */
export function apiOf(operation: Operation): 'v2' | 'v3' | undefined {
  if (operation.op === 'call') return ruleOf(operation.call).api
  return 'keys' in operation ? operation.keys.api : 'v3'
}
