/** Really asks an etcd for an operation, to see whether it lets it pass. */
import type { Etcd3 } from 'etcd3'
import type { FetchLike, KeyOperation, KeyRange, Path } from 'etcd-rbac'
import type { MemoryClient } from 'etcd-rbac/testing'

interface RangeRequest {
  readonly key: Buffer
  /** Left away for one key. */
  readonly range_end?: Buffer
}

/** What is asked of a v3 client: the raw calls of etcd3's `kv`, and a watch that is opened and closed. */
export interface V3Client {
  range(request: RangeRequest): Promise<unknown>
  put(request: { readonly key: Buffer; readonly value: Buffer }): Promise<unknown>
  deleteRange(request: RangeRequest): Promise<unknown>
  watch(request: RangeRequest): Promise<unknown>
}

/** The calls of an etcd3 client, each with a deadline: etcd3 has none by itself. */
export function v3Client(etcd: Etcd3): V3Client {
  return callsOf(etcd as unknown as Clients, () => ({ deadline: Date.now() + 10_000 }))
}

/** The same calls of the double, whose clock knows no deadlines. */
export function memoryV3Client(client: MemoryClient): V3Client {
  return callsOf(client, () => ({}))
}

/** What etcd3 and the double have alike. */
type Clients = Pick<MemoryClient, 'kv' | 'watchClient'>

function callsOf({ kv, watchClient }: Clients, options: () => { deadline?: number }): V3Client {
  return {
    range: (request) => kv.range(request, options()),
    put: (request) => kv.put(request, options()),
    deleteRange: (request) => kv.deleteRange(request, options()),
    watch: (request) => openWatch(watchClient, request, options()),
  }
}

/**
 * Opens a watch and closes it. Not by etcd3's own watcher, which never hears of a watch that was refused at its creation. It is ended before it
 * is cancelled: etcd3 takes a stream that fails while it can still be written to for a broken member, and closes the channel under the next call.
 */
export async function openWatch(watchClient: Clients['watchClient'], request: RangeRequest, options: { deadline?: number }): Promise<void> {
  const stream = await watchClient.watch(options)
  const ended = new Promise<void>((resolve) => stream.on('status', () => resolve()))
  try {
    await new Promise<void>((resolve, reject) => {
      stream.on('error', reject)
      stream.on('data', ({ created, canceled, cancel_reason }) => {
        if (canceled) reject(new Error(cancel_reason))
        else if (created) resolve()
      })
      stream.write({ create_request: request })
    })
  } finally {
    stream.end()
    stream.cancel()
    await ended
  }
}

/** Whether etcd lets a v3 operation pass. Any failure that is not a refusal is thrown: it answers nothing. */
export async function attemptV3(client: V3Client, { op }: KeyOperation, keys: KeyRange): Promise<boolean> {
  const request = wireRange(keys)
  try {
    if (op === 'get') await client.range(request)
    else if (op === 'put') await client.put({ key: request.key, value: Buffer.from('value') })
    else if (op === 'del') await client.deleteRange(request)
    else await client.watch(request)
    return true
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (/permission denied|PermissionDenied|user name is empty|user name not found/.test(message)) return false
    throw error
  }
}

/** Whether etcd lets a v2 operation pass: 401 says no. */
export async function attemptV2(fetch: FetchLike, endpoint: string, { op }: KeyOperation, keys: Path): Promise<boolean> {
  // A watch from the first event on is answered at once where something has been written.
  const query = [...(keys.recursive ? ['recursive=true'] : []), ...(op === 'watch' ? ['wait=true', 'waitIndex=1'] : [])].join('&')
  const url = `${endpoint}/v2/keys${keys.path.split('/').map(encodeURIComponent).join('/')}${query === '' ? '' : `?${query}`}`
  const method = op === 'put' ? 'PUT' : op === 'del' ? 'DELETE' : 'GET'
  const form = op === 'put' ? { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'value=x' } : {}
  const response = await fetch(url, { method, redirect: 'manual', ...form })
  const text = await response.text()
  if (response.status === 301 || response.status >= 500) throw new Error(`${method} ${url} was answered ${String(response.status)}: ${text}`)
  return response.status !== 401
}

/**
 * `key` and `range_end` of etcd's RPCs (rpc.proto): without an end it is one key, an end of a zero byte is "no end". An empty end is left away, never
 * sent: etcd before 3.7 checks the right to one key then, and reads all that follow.
 */
function wireRange(keys: KeyRange): RangeRequest {
  const open = Buffer.alloc(1)
  const bytes = (key: string | { readonly base64: string }): Buffer => (typeof key === 'string' ? Buffer.from(key) : Buffer.from(key.base64, 'base64'))
  switch (keys.kind) {
    case 'key':
      return { key: bytes(keys.key) }
    case 'range':
      return { key: bytes(keys.start), range_end: bytes(keys.end) }
    case 'fromKey':
      return { key: bytes(keys.start), range_end: open }
    case 'allKeys':
      return { key: open, range_end: open }
    case 'prefix': {
      const end = Buffer.from(bytes(keys.prefix))
      const last = end.length - 1
      end.writeUInt8(end.readUInt8(last) + 1, last)
      return { key: bytes(keys.prefix), range_end: end }
    }
  }
}
