/** The seams of both backends, each of whose calls waits for its turn. */
import type { FetchLike, ResponseLike } from '../../src/platform.js'
import { etcd3Transport, type Etcd3AuthClient, type V3Transport } from '../../src/auth/v3/transport.js'
import type { Turn } from './interleaving.js'

const READS = /^(authStatus|authenticate|userGet|userList|roleGet|roleList)$/

/** A v3 client. A call is named `roleGet app`. */
export function gatedV3(client: Etcd3AuthClient, turn: Turn): V3Transport {
  const transport = etcd3Transport(client)
  return {
    call: (method, request, options) => {
      const { name, role, user } = request as { readonly name?: string; readonly role?: string; readonly user?: string }
      const named = method === 'authenticate' ? [] : [user, name, role].filter((one) => one !== undefined)
      return turn([method, ...named].join(' '), READS.test(method) ? 'read' : 'write', () => transport.call(method, request, options))
    },
  }
}

/** A fetch. A call is named `GET /v2/auth/roles/app`, and ends when its body is there. */
export function gatedFetch(fetch: FetchLike, turn: Turn): FetchLike {
  return (url, init) => turn(`${init.method} ${new URL(url).pathname}`, init.method === 'GET' ? 'read' : 'write', async () => whole(await fetch(url, init)))
}

async function whole(response: ResponseLike): Promise<ResponseLike> {
  const text = await response.text()
  return { status: response.status, headers: response.headers, text: async () => text }
}
