/** Where the demo goes on: a real etcd, or the double, behind the same three functions. */
import { join } from 'node:path'
import { Etcd3 } from 'etcd3'
import { etcd3Options, toCommand, v2Backend, v3Backend, type Backend, type KeyOperation, type RenderedMember } from 'etcd-rbac'
import { memoryEtcd } from 'etcd-rbac/testing'
import { attemptV2, attemptV3, memoryV3Client, v3Client } from './attempt.js'
import { startEtcd } from './etcd.js'
import { httpsFetch } from './https-fetch.js'

/** An etcd that is up. */
export interface Reached {
  /** A backend that is connected as root. */
  backend(api: 'v2' | 'v3'): Backend
  /** Asks for an operation with that user's certificate. Whether etcd let it pass. */
  attempt(user: string, operation: KeyOperation): Promise<boolean>
  stop(): Promise<void>
}

export interface RealServer {
  readonly binary: string
  readonly version: string
  readonly member: RenderedMember
  readonly folder: string
  readonly url: string
  /** Who issued the server's certificate, PEM. */
  readonly ca: string
  /** By user. */
  readonly credentials: ReadonlyMap<string, { readonly certificate: string; readonly key: string }>
}

/** Starts etcd with what was rendered. Every user connects with its own certificate, in connections of its own. */
export async function realServer({ binary, version, member, folder, url, ca, credentials }: RealServer): Promise<Reached> {
  const of = (user: string) => credentials.get(user) ?? missing(user)
  const tls = (user: string) => ({ ca, cert: of(user).certificate, key: of(user).key })
  const process = await startEtcd({ binary, args: toCommand(member.arguments), directory: join(folder, 'run'), ready: { url, tls: tls('root') } })
  const clients = new Map([...credentials].map(([user, keyed]) => [user, new Etcd3(etcd3Options({ hosts: url, ca, ...keyed }))]))
  const fetches = new Map([...credentials.keys()].map((user) => [user, httpsFetch(tls(user))]))
  const client = (user: string) => clients.get(user) ?? missing(user)
  const fetchAs = (user: string) => fetches.get(user) ?? missing(user)
  return {
    backend: (api) =>
      api === 'v3'
        ? v3Backend(client('root').auth, { versions: [version], crypto: globalThis.crypto, v2: { fetch: fetchAs('root'), endpoints: [url] } })
        : v2Backend({ fetch: fetchAs('root'), endpoint: url, crypto: globalThis.crypto }),
    attempt: (user, operation) =>
      operation.keys.api === 'v3' ? attemptV3(v3Client(client(user)), operation, operation.keys) : attemptV2(fetchAs(user), url, operation, operation.keys),
    stop: async () => {
      for (const each of clients.values()) each.close()
      for (const each of fetches.values()) each.close()
      await process.stop()
    },
  }
}

/** The in-memory double, which answers as that version does. */
export function inMemory({ version, v2 }: { readonly version: string; readonly v2: boolean }): Reached {
  const etcd = memoryEtcd({ version, v2 })
  const endpoint = 'https://etcd.invalid:2379'
  return {
    backend: (api) =>
      api === 'v3'
        ? v3Backend(etcd.as('root').auth, { versions: [version], crypto: globalThis.crypto, v2: { fetch: etcd.as('root').fetch, endpoints: [endpoint] } })
        : v2Backend({ fetch: etcd.as('root').fetch, endpoint, crypto: globalThis.crypto }),
    attempt: (user, operation) => {
      const client = etcd.as(user)
      const { keys } = operation
      return keys.api === 'v3' ? attemptV3(memoryV3Client(client), operation, keys) : attemptV2(client.fetch, endpoint, operation, keys)
    },
    stop: () => Promise.resolve(),
  }
}

function missing(user: string): never {
  throw new Error(`no certificate for ${user}`)
}
