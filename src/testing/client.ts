/** One client of a double: requests in etcd3's shape, through the line, to the store, and back. */
import { isFailure, type Calls, type Caller, type Failure, type Method } from '../store/index.js'
import { withoutPasswords } from './calls.js'
import { createFetch } from './fetch.js'
import { DEADLINE_EXCEEDED, notSent, toGrpcError, UNAVAILABLE } from './grpc-error.js'
import { send, type Credentials, type Line } from './line.js'
import type { CallOptions, MemoryAuth, MemoryClient, MemoryKv, PermissionReply } from './types.js'
import { asMessage, authEncoders, bytesField, isUnsendable, numberField, PERMISSION_TYPES, type Message } from './wire.js'
import { fromTxn, toDeleteRange, toPut, toRange, toTxn } from './wire-keys.js'

type Send = <M extends Method>(method: M, message: unknown, encode: (message: Message) => Calls[M][0], options?: CallOptions) => Promise<Calls[M][1]>

/** The names of the messages that are not called after their method. */
const MESSAGES: Partial<Record<Method, string>> = { range: 'RangeRequest', put: 'PutRequest', deleteRange: 'DeleteRangeRequest', txn: 'TxnRequest', compact: 'CompactionRequest', watchCreate: 'WatchRequest', authenticate: 'AuthenticateRequest' }

const messageOf = (method: Method): string => MESSAGES[method] ?? `Auth${method.charAt(0).toUpperCase()}${method.slice(1)}Request`

/** Logs in where the client has a password: before the first call, and again when the token is not known any more. */
function createLogin({ store, clock }: Line, { caller, password }: Credentials): <T extends object>(run: (caller: Caller) => T | Failure) => T | Failure {
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

function createSend(line: Line, credentials: Credentials): Send {
  const { store, clock, classes } = line
  const login = createLogin(line, credentials)
  const encoded = <T>(encode: () => T): T => {
    try {
      return encode()
    } catch (error) {
      throw isUnsendable(error) ? toGrpcError(notSent(error.message), classes) : error
    }
  }
  return (method, message, encode, options) =>
    send(line, {
      call: { api: 'v3', method, request: withoutPasswords(message), commonName: credentials.caller.commonName },
      effect: () => {
        const request = encoded(() => encode(asMessage(message, messageOf(method))))
        const answer = login((caller) => store.call(method, request, caller, clock.now()))
        if (isFailure(answer)) throw toGrpcError(answer, classes)
        return answer
      },
      lost: () => toGrpcError(UNAVAILABLE, classes),
      whenOver: (end) => {
        const left = options?.deadline === undefined ? undefined : Number(options.deadline) - clock.now().getTime()
        if (left === undefined) return false
        const over = (): void => end(toGrpcError(DEADLINE_EXCEEDED, classes))
        if (left <= 0) over()
        else clock.after(left, over)
        return left <= 0
      },
    })
}

function shownPermission({ permType, key, range_end }: Calls['roleGet'][1]['perm'][number]): PermissionReply {
  // Of a type without name, etcd3 shows the number.
  return { permType: PERMISSION_TYPES[permType] ?? (permType as unknown as string), key: key.slice(), range_end: range_end.slice() }
}

function authClient(run: Send): MemoryAuth {
  const plain = <M extends Method>(method: M, options?: CallOptions): Promise<Calls[M][1]> => run(method, {}, () => ({}), options)
  const given = <M extends Method>(method: M, message: Message | undefined, options?: CallOptions): Promise<Calls[M][1]> => {
    const encode = authEncoders[method] as (message: Message) => Calls[M][0]
    return run(method, message, encode, options)
  }
  return {
    authEnable: (options) => plain('authEnable', options),
    authDisable: (options) => plain('authDisable', options),
    authStatus: (options) => plain('authStatus', options),
    authenticate: (request, options) => given('authenticate', request, options),
    userAdd: (request, options) => given('userAdd', request, options),
    userGet: async (request, options) => {
      const { header, roles } = await given('userGet', request, options)
      return { header, roles: [...roles] }
    },
    userList: async (options) => {
      const { header, users } = await plain('userList', options)
      return { header, users: [...users] }
    },
    userDelete: (request, options) => given('userDelete', request, options),
    userChangePassword: (request, options) => given('userChangePassword', request, options),
    userGrantRole: (request, options) => given('userGrantRole', request, options),
    userRevokeRole: (request, options) => given('userRevokeRole', request, options),
    roleAdd: (request, options) => given('roleAdd', request, options),
    roleGet: async (request, options) => {
      const { header, perm } = await given('roleGet', request, options)
      return { header, perm: perm.map(shownPermission) }
    },
    roleList: async (options) => {
      const { header, roles } = await plain('roleList', options)
      return { header, roles: [...roles] }
    },
    roleDelete: (request, options) => given('roleDelete', request, options),
    roleGrantPermission: (request, options) => given('roleGrantPermission', request as Message, options),
    roleRevokePermission: (request, options) => given('roleRevokePermission', request as Message, options),
  }
}

function kvClient(run: Send): MemoryKv {
  return {
    range: (request, options) => run('range', request as Message, toRange, options),
    put: (request, options) => run('put', request as Message, toPut, options),
    deleteRange: (request, options) => run('deleteRange', request as Message, toDeleteRange, options),
    txn: async (request, options) => fromTxn(await run('txn', request as Message, toTxn, options)) as unknown as Awaited<ReturnType<MemoryKv['txn']>>,
    compact: (request, options) => run('compact', request as Message, (message) => ({ revision: numberField(message, 'revision') }), options),
  }
}

/** A client. Those that it gives rise to share its line. */
export function createClient(line: Line, credentials: Credentials): MemoryClient {
  const run = createSend(line, credentials)
  const { caller } = credentials
  const derived = (change: Caller): MemoryClient => createClient(line, { caller: { ...caller, token: undefined, ...change } })
  return {
    auth: authClient(run),
    kv: kvClient(run),
    maintenance: { status: (options) => run('status', {}, () => ({}), options) },
    watch: (request, options) => {
      const encode = (message: Message): Calls['watchCreate'][0] => ({ key: bytesField(message, 'key'), range_end: bytesField(message, 'range_end') })
      return run('watchCreate', request as Message, encode, options)
    },
    fetch: createFetch(line, credentials),
    as: (commonName) => derived({ commonName: commonName ?? '' }),
    anonymous: () => derived({ commonName: undefined }),
    withToken: (token) => derived({ token }),
    withPassword: (user, password) => createClient(line, { caller: { ...caller, token: undefined }, password: { user, password } }),
  }
}
