/** `/v2/keys/…` over HTTP. Follows `v2http/client.go` and `etcdserver/apply_v2.go`. */
import { mayUseKey, type Claim } from './access.js'
import { compareAndDelete, compareAndSwap, create, remove, set, update } from './changes.js'
import { parseKeyParameters, type KeyParameters } from './form.js'
import { joinPath } from './path.js'
import { isTreeError, jsonReply, methodReply, ofCluster, RESET, treeErrorReply, type HttpReply, type Reset, type Rest, type TreeError } from './reply.js'
import { nodeAt, view, type NodeView, type Tree, type TreeEvent } from './tree.js'
import { pastEvent } from './watches.js'

/** One request to the key space. */
export interface KeyRequest extends Claim {
  readonly method: string
  /** Behind `/v2/keys`, decoded, not cleaned: rights are asked for this very text. */
  readonly path: string
  readonly query: string
  /** Empty where it is not a form. */
  readonly form: string
  readonly now: number
  readonly directoryUpdateFails: boolean
}

/** Where keys lie in the tree; the auth records lie beside, out of reach. */
const KEYS = '/1'

const METHODS: readonly string[] = ['HEAD', 'GET', 'PUT', 'POST', 'DELETE']

const trim = (text: string): string => (text.startsWith(KEYS) ? text.slice(KEYS.length) : text)

function trimmedView({ key, nodes, ...rest }: NodeView): NodeView {
  const { value, dir, expiration, ttl, modifiedIndex, createdIndex } = rest
  const name = trim(key ?? '')
  // Listed anew, since Go writes its fields in this order.
  return {
    ...(name === '' ? {} : { key: name }),
    ...(value === undefined ? {} : { value }),
    ...(dir ? { dir } : {}),
    ...(expiration === undefined ? {} : { expiration }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(nodes ? { nodes: nodes.map(trimmedView) } : {}),
    ...(modifiedIndex ? { modifiedIndex } : {}),
    ...(createdIndex ? { createdIndex } : {}),
  }
}

function read(tree: Tree, path: string, { recursive, sorted }: KeyParameters, now: number): TreeEvent | TreeError {
  const node = nodeAt(tree, path)
  if (isTreeError(node)) return node
  return { action: 'get', node: view(node, now, recursive ? 'all' : 'children', sorted ? 'sorted' : 'any'), index: tree.index }
}

/** When a time ends that begins now, in 64 bits of nanoseconds as etcd counts it: too long a time ends in the past. */
function endOf(ttl: bigint | undefined, now: number): number | undefined {
  return ttl === undefined ? undefined : Number(BigInt.asIntN(64, BigInt(now) * 1_000_000n + ttl * 1_000_000_000n) / 1_000_000n)
}

function put(tree: Tree, path: string, parameters: KeyParameters, { now, directoryUpdateFails }: KeyRequest): TreeEvent | TreeError {
  const { prevExist, prevIndex: index, prevValue: value, ttl, dir, refresh } = parameters
  const write = { path, value: parameters.value, dir, refresh, expires: endOf(ttl, now) }
  if (prevExist === false) return create(tree, write, now)
  if (index > 0 || value !== '') return compareAndSwap(tree, write, { index, value }, now)
  return prevExist ? update(tree, write, now, directoryUpdateFails) : set(tree, write, now)
}

function execute(tree: Tree, path: string, parameters: KeyParameters, request: KeyRequest): TreeEvent | TreeError {
  const { prevIndex: index, prevValue: value, dir, recursive, ttl } = parameters
  const { now } = request
  switch (request.method) {
    case 'PUT':
      return put(tree, path, parameters, request)
    case 'POST':
      return create(tree, { path, value: parameters.value, dir, refresh: false, expires: endOf(ttl, now) }, now, true)
    case 'DELETE':
      return index > 0 || value !== '' ? compareAndDelete(tree, path, { index, value }, now) : remove(tree, path, { dir, recursive }, now)
    default:
      return read(tree, path, parameters, now)
  }
}

function eventReply({ index, ...event }: TreeEvent, quiet: boolean): HttpReply {
  const created = event.action === 'create' || (event.action === 'set' && event.prevNode === undefined)
  const silent = quiet && ['set', 'compareAndSwap', 'create', 'update'].includes(event.action)
  const shown = silent
    ? { action: event.action }
    : { action: event.action, node: trimmedView(event.node), ...(event.prevNode ? { prevNode: trimmedView(event.prevNode) } : {}) }
  return jsonReply(created ? 201 : 200, shown, indexHeaders(index))
}

const indexHeaders = (index: number): Readonly<Record<string, string>> => ({
  'x-etcd-index': String(index),
  'x-raft-index': String(index + 4),
  'x-raft-term': '2',
})

/** A watch: the first event since an index if there is one; else the headers, and the event when it comes. */
function watch(tree: Tree, path: string, { waitIndex, recursive, stream }: KeyParameters): HttpReply {
  const wanted = { path, recursive, stream, since: waitIndex || tree.index + 1 }
  const found = pastEvent(tree, wanted)
  if (found && isTreeError(found)) return treeErrorReply(found)
  const head = { status: 200, headers: { ...indexHeaders(tree.index), 'content-type': 'application/json' } }
  if (found && !stream) return { ...head, body: eventReply(found, false).body }
  const wait: Rest['wait'] = (give) => {
    const waiting = { ...wanted, tell: (event: TreeEvent) => give(eventReply(event, false).body), cut: () => give(RESET) }
    tree.watches.add(waiting)
    return () => void tree.watches.delete(waiting)
  }
  return { ...head, body: '', rest: { wait } }
}

/** Answers a request to `/v2/keys/…`. */
export function answerKeys(tree: Tree, request: KeyRequest): HttpReply | Reset {
  return METHODS.includes(request.method) ? ofCluster(answerAllowed(tree, request)) : methodReply(METHODS)
}

function answerAllowed(tree: Tree, request: KeyRequest): HttpReply | Reset {
  const { method } = request
  const parameters = parseKeyParameters(method, request.query, request.form)
  if (isTreeError(parameters)) return treeErrorReply(parameters)
  const allowed = mayUseKey(tree, { ...request, write: method !== 'GET' && method !== 'HEAD', recursive: parameters.recursive })
  if (typeof allowed === 'object') return allowed
  if (!allowed) return treeErrorReply({ errorCode: 110, cause: 'Insufficient credentials', index: 0 })
  const path = joinPath(KEYS, request.path)
  // A read by quorum goes another way, where nobody looks at `wait`.
  if (parameters.wait && !parameters.quorum) return watch(tree, path, parameters)
  const event = execute(tree, path, parameters, request)
  return isTreeError(event) ? treeErrorReply({ ...event, cause: trim(event.cause) }) : eventReply(event, parameters.noValueOnSuccess)
}
