/** One client of a double: etcd3's clients over one way to the store. */
import { isFailure, type Caller, type Method, type WatchRequest } from '../store/index.js'
import { createCallable, type Exec } from './callable.js'
import { createFetch } from './fetch.js'
import { toGrpcError, toStreamError, UNAVAILABLE } from './grpc-error.js'
import type { Credentials, Line } from './line.js'
import { leaseKeepAlive, rpcs, type Rpc } from './rpcs.js'
import { createLogin, ship, type Login } from './send.js'
import { openStream, type MemoryStream } from './stream.js'
import type { CallOptions } from './calls.js'
import type { MemoryClient } from './types.js'
import { received } from './wire.js'
import { toWatch } from './wire-keys.js'

/** Sends a message of an RPC. What it is refused with is thrown as etcd3's unary calls have it, or as its streams do. */
type Ask = (rpc: Rpc, message: unknown, options?: CallOptions, toError?: typeof toStreamError) => Promise<object>

/** The longest that the timers of the platforms, which a clock may be made of, can wait: beyond, they fire at once. */
const LONGEST = 2 ** 31 - 1

/** Has the clock wake the streams when the next lease ends, which may be news to those who watch its keys: while there are streams. */
function awaitLeases(line: Line): void {
  const { store, clock, streams } = line
  line.leaseAlarm?.()
  line.leaseAlarm = undefined
  const at = streams.size === 0 ? undefined : store.nextLeaseEnd(clock.now())
  if (at === undefined) return
  const wake = (): void => {
    streams.forEach((stream) => stream.pump())
    awaitLeases(line)
  }
  // Real timers may be a little early.
  line.leaseAlarm = clock.after(Math.min(Math.max(at.getTime() - clock.now().getTime(), 1), LONGEST), wake)
}

/** After these, another lease may be the next to end. */
const LEASE_CALLS: readonly Method[] = ['leaseGrant', 'leaseRevoke', 'leaseKeepAlive']

function createAsk(line: Line, credentials: Credentials, login: Login): Ask {
  const { store, clock, classes } = line
  return async (rpc, message, options, toError = (failure) => toGrpcError(failure, classes)) => {
    const { call, takes = '', encode, decode } = rpc
    const effect = (request: object): object => login((caller) => store.call(call, request, caller, clock.now()))
    const reply = await ship(line, credentials, { method: call, message, takes, encode, effect, options, isNews: true, toError })
    if (LEASE_CALLS.includes(call)) awaitLeases(line)
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

/** The streams of a client, by etcd's names. Opening one logs in, where the client has a password: what that is refused with is thrown. */
function streamsOf(line: Line, credentials: Credentials, login: Login, ask: Ask): Readonly<Record<'watch' | 'leaseKeepAlive', (options?: CallOptions) => MemoryStream<never, unknown>>> {
  const { store, clock, classes } = line
  const broken = (): Error | undefined => (store.isDead() ? toStreamError(UNAVAILABLE) : undefined)
  const closed = (): void => awaitLeases(line)
  const opened = <T extends object>(open: (caller: Caller) => T): T => {
    const stream = login(open)
    if (isFailure(stream)) throw toGrpcError(stream, classes)
    return stream
  }
  return {
    watch: (options) => {
      const stream = opened((caller) => store.watch(caller))
      const news = (): readonly unknown[] => stream.take(clock.now()).map((reply) => received(reply, line.bytes))
      const effect = (request: WatchRequest): object => {
        stream.send(request, clock.now())
        return {}
      }
      const take = async (message: unknown): Promise<readonly unknown[]> => {
        await ship(line, credentials, { method: 'watch', message, takes: 'WatchRequest', encode: toWatch, effect, isNews: false, toError: toStreamError })
        return news()
      }
      const made = openStream(line, { take, news, broken, closed, endsWithClient: false }, options)
      awaitLeases(line)
      return made
    },
    leaseKeepAlive: (options) => {
      opened((caller) => caller)
      return openStream(line, { take: async (message: unknown) => [await ask(leaseKeepAlive, message, undefined, toStreamError)], news: () => [], broken, closed, endsWithClient: true }, options)
    },
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
    leaseClient: { ...serviceClient(ask, 'Lease'), leaseKeepAlive: (options?: CallOptions) => Promise.resolve().then(() => keepAlive(options)) },
    watchClient: { watch: (options?: CallOptions) => Promise.resolve().then(() => watch(options)) },
    cluster: serviceClient(ask, 'Cluster'),
    maintenance: serviceClient(ask, 'Maintenance'),
  } as Pick<MemoryClient, 'auth' | 'kv' | 'leaseClient' | 'watchClient' | 'cluster' | 'maintenance'>
  return {
    ...services,
    callable: createCallable(ask, { watch: (_: unknown, options?: CallOptions) => watch(options), leaseKeepAlive: (_: unknown, options?: CallOptions) => keepAlive(options) }),
    fetch: createFetch(line, credentials),
    as: (commonName) => derived({ commonName: commonName ?? '' }),
    anonymous: () => derived({ commonName: undefined }),
    withToken: (token) => derived({ token }),
    withPassword: (user, password) => createClient(line, { caller: { ...caller, token: undefined }, password: { user, password } }),
  }
}
