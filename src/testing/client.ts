/** One client of a double: etcd3's clients over one way to the store. */
import { isFailure, type Caller, type WatchRequest } from '../store/index.js'
import { createCallable, type Exec } from './callable.js'
import { createFetch } from './fetch.js'
import { toGrpcError, toStreamError, UNAVAILABLE } from './grpc-error.js'
import type { Credentials, Line } from './line.js'
import { leaseKeepAlive, rpcs, type Rpc } from './rpcs.js'
import { createLogin, ship, type Login } from './send.js'
import { openStream, type MemoryStream } from './stream.js'
import type { CallOptions } from './services.js'
import type { MemoryClient } from './types.js'
import { received } from './wire.js'
import { toWatch } from './wire-keys.js'

/** Sends a message of an RPC. What it is refused with is thrown as etcd3's unary calls have it, or as its streams do. */
type Ask = (rpc: Rpc, message: unknown, options?: CallOptions, toError?: typeof toStreamError) => Promise<object>

/** Lets the streams say what is new, not before a moment: real timers may be a little early. */
function pumpAt(line: Line, moment: number): void {
  const left = moment - line.clock.now().getTime()
  // No timer of a platform is longer.
  if (left > 0) line.clock.after(Math.min(left, 2 ** 31 - 1), () => pumpAt(line, moment))
  else line.streams.forEach((stream) => stream.pump())
}

function createAsk(line: Line, credentials: Credentials, login: Login): Ask {
  const { store, clock, classes } = line
  return async (rpc, message, options, toError = (failure) => toGrpcError(failure, classes)) => {
    const { call, takes = '', encode, decode } = rpc
    const effect = (request: object): object => login((caller) => store.call(call, request, caller, clock.now()))
    const reply = await ship(line, credentials, { method: call, message, takes, encode, effect, options, toError })
    // A lease ends by itself, which may be news to those who watch its keys.
    if (call === 'leaseGrant' || call === 'leaseKeepAlive') pumpAt(line, clock.now().getTime() + Number((reply as { TTL: string }).TTL) * 1000)
    return received(decode(reply), line.bytes)
  }
}

/** The client of a service, as etcd3 has it: methods that take a message, and methods that take options only. */
function serviceClient(exec: Exec, service: string): object {
  const methods = Object.entries(rpcs[service] ?? {}).map(([name, rpc]) => {
    const bare = (options?: CallOptions): Promise<object> => exec(rpc, {}, options)
    const given = (message: unknown, options?: CallOptions): Promise<object> => exec(rpc, message, options)
    return [name, rpc.takes === undefined ? bare : given]
  })
  return Object.fromEntries(methods) as object
}

/** The streams of a client, by etcd's names. */
function streamsOf(line: Line, credentials: Credentials, login: Login, ask: Ask): Readonly<Record<'watch' | 'leaseKeepAlive', () => MemoryStream<never, unknown>>> {
  const { store, clock, classes } = line
  const broken = (): Error | undefined => (store.isDead() ? toStreamError(UNAVAILABLE) : undefined)
  return {
    watch: () => {
      const stream = login((caller) => store.watch(caller))
      if (isFailure(stream)) throw toGrpcError(stream, classes)
      const effect = (request: WatchRequest): object => {
        stream.send(request, clock.now())
        return []
      }
      const take = (message: unknown): Promise<readonly unknown[]> =>
        ship(line, credentials, { method: 'watch', message, takes: 'WatchRequest', encode: toWatch, effect, toError: toStreamError }) as Promise<readonly unknown[]>
      return openStream(line, { take, news: () => stream.take(clock.now()).map((reply) => received(reply, line.bytes)), broken })
    },
    leaseKeepAlive: () => openStream(line, { take: async (message: unknown) => [await ask(leaseKeepAlive, message, undefined, toStreamError)], news: () => [], broken }),
  }
}

/** A client. Those that it gives rise to share its line. */
export function createClient(line: Line, credentials: Credentials): MemoryClient {
  const { caller } = credentials
  const login = createLogin(line, credentials)
  const ask = createAsk(line, credentials, login)
  const { watch, leaseKeepAlive: keepAlive } = streamsOf(line, credentials, login, ask)
  const derived = (change: Caller): MemoryClient => createClient(line, { caller: { ...caller, token: undefined, ...change } })
  const services = {
    auth: serviceClient(ask, 'Auth'),
    kv: serviceClient(ask, 'KV'),
    leaseClient: { ...serviceClient(ask, 'Lease'), leaseKeepAlive: () => Promise.resolve(keepAlive()) },
    watchClient: { watch: () => Promise.resolve().then(watch) },
    cluster: serviceClient(ask, 'Cluster'),
    maintenance: serviceClient(ask, 'Maintenance'),
  } as Pick<MemoryClient, 'auth' | 'kv' | 'leaseClient' | 'watchClient' | 'cluster' | 'maintenance'>
  return {
    ...services,
    callable: createCallable(ask, { watch, leaseKeepAlive: keepAlive }),
    fetch: createFetch(line, credentials),
    as: (commonName) => derived({ commonName: commonName ?? '' }),
    anonymous: () => derived({ commonName: undefined }),
    withToken: (token) => derived({ token }),
    withPassword: (user, password) => createClient(line, { caller: { ...caller, token: undefined }, password: { user, password } }),
  }
}
