/** A gRPC server that calls every token invalid. */
import { Server, ServerCredentials, status, type UntypedServiceImplementation, type ServiceDefinition } from '@grpc/grpc-js'

export interface RefusingServer {
  readonly url: string
  /** How often it was asked so far. */
  calls(): number
  /** Resolves when it has not been asked for a tenth of a second. */
  isQuiet(): Promise<void>
  stop(): Promise<void>
}

/** Serves `AuthStatus` alone, on loopback. */
export async function startRefusingServer(): Promise<RefusingServer> {
  let calls = 0
  const same = (bytes: Buffer): Buffer => bytes
  const service: ServiceDefinition = {
    authStatus: { path: '/etcdserverpb.Auth/AuthStatus', requestStream: false, responseStream: false, requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same },
  }
  const answers: UntypedServiceImplementation = {
    authStatus: (_call: unknown, done: (error: object) => void) => {
      calls++
      done({ code: status.UNAUTHENTICATED, details: 'etcdserver: invalid auth token' })
    },
  }
  const server = new Server()
  server.addService(service, answers)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)))
  })
  return {
    url: `http://127.0.0.1:${String(port)}`,
    calls: () => calls,
    isQuiet: async () => {
      for (let before = -1; before !== calls; ) {
        before = calls
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    },
    stop: () => new Promise((resolve) => server.tryShutdown(() => resolve())),
  }
}
