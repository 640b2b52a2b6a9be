/** What etcd3 takes for its connections: `new Etcd3().mock(double.callable)`. */
import { rpcs, type Rpc } from './rpcs.js'
import type { CallOptions } from './calls.js'
import type { MemoryCallable } from './types.js'

/** Makes a call. */
export type Exec = (rpc: Rpc, message: unknown, options?: CallOptions) => Promise<object>

/** What etcd3 marks as failed where a stream breaks: here, nothing is the matter with it. */
const resource = { resetAllServices: () => undefined, faultHandling: { execute: (run: () => unknown) => Promise.resolve().then(run) } }

/** Calls by name, and streams. A call that is missing is a gap of the double and no answer of etcd: it is told as one. */
export function createCallable(exec: Exec, streams: object): MemoryCallable {
  const named = async (service: string, method: string, message: unknown, options?: CallOptions): Promise<object> => {
    const rpc = rpcs[service]?.[method]
    if (rpc === undefined) throw new TypeError(`the double does not answer ${service}.${method}: it answers ${Object.entries(rpcs).flatMap(([name, methods]) => Object.keys(methods).map((one) => `${name}.${one}`)).join(', ')}`)
    return exec(rpc, message, options)
  }
  return {
    exec: named as MemoryCallable['exec'],
    withConnection: async (_, run) => run({ resource, client: streams, metadata: {} }),
    markFailed: () => undefined,
    callOptionsFactory: undefined,
  }
}
