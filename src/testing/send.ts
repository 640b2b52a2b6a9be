/** A call of a client on its way: over the wire, by the line to the store, under the client's name. */
import { isFailure, type Caller, type Failure } from '../store/index.js'
import { withoutPasswords, type CallOptions } from './calls.js'
import { DEADLINE_EXCEEDED, notSent, UNAVAILABLE, type GrpcFailure } from './grpc-error.js'
import { callEnd, send, type Credentials, type Line } from './line.js'
import { asMessage, isUnsendable, type Message } from './wire.js'

/** Logs in where the client has a password: before the first call, and again when the token is not known any more. */
export type Login = <T extends object>(run: (caller: Caller) => T | Failure) => T | Failure

export function createLogin({ store, clock }: Line, { caller, password }: Credentials): Login {
  if (!password) return (run) => run(caller)
  let token: string | undefined
  return (run) => {
    for (let attempt = 0; ; attempt++) {
      if (token === undefined) {
        const answer = store.call('authenticate', { name: password.user, password: password.password }, { ...caller, token: undefined }, clock.now())
        if (isFailure(answer)) return answer
        token = answer.token
      }
      const answer = run({ ...caller, token })
      if (attempt > 0 || !isFailure(answer) || answer.status !== 'UNAUTHENTICATED') return answer
      token = undefined
    }
  }
}

/** What is sent. */
export interface Shipment<Request, Reply extends object> {
  /** How the log calls it. */
  readonly method: string
  readonly message: unknown
  /** The name of the message in `rpc.proto`. */
  readonly takes: string
  readonly encode: (message: Message) => Request
  /** What becomes of it at the other end. */
  readonly effect: (request: Request) => Reply | Failure
  readonly options?: CallOptions | undefined
  /** Whether those who watch may hear of it. */
  readonly isNews: boolean
  /** How a failure is thrown. */
  readonly toError: (failure: GrpcFailure) => Error
}

/** Sends a message, and tells everybody who watches what has become of the keys. */
export function ship<Request, Reply extends object>(line: Line, { caller }: Credentials, shipment: Shipment<Request, Reply>): Promise<Reply> {
  const { method, message, takes, encode, effect, options, toError } = shipment
  const encoded = (): Request => {
    try {
      return encode(asMessage(message, takes))
    } catch (error) {
      throw isUnsendable(error) ? toError(notSent(error.message)) : error
    }
  }
  return send(line, {
    call: { api: 'v3', method, request: withoutPasswords(message), commonName: caller.commonName },
    effect: () => {
      const answer = effect(encoded())
      if (shipment.isNews) line.streams.forEach((stream) => stream.pump())
      if (isFailure(answer)) throw toError(answer)
      return answer
    },
    lost: () => toError(UNAVAILABLE),
    whenOver: (end) => callEnd(line, options, () => end(toError(DEADLINE_EXCEEDED))),
  })
}
