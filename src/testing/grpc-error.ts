/**
 * Errors as etcd3 throws them: the message is gRPC's (`9 FAILED_PRECONDITION: etcdserver: …`), the class is found by text, then by code.
 *
 * Follows etcd3's `lib/errors.js`. Its classes set no `name`, so `error.name` is `Error` and `error.constructor.name` says which it is.
 */
import type { Failure } from '../store/index.js'

const NUMBERS: Readonly<Record<string, number>> = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  FAILED_PRECONDITION: 9,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
}

const CLASS_BY_TEXT: readonly (readonly [text: string, className: string])[] = [
  ['etcdserver: role name already exists', 'EtcdRoleExistsError'],
  ['etcdserver: user name already exists', 'EtcdUserExistsError'],
  ['etcdserver: role is not granted to the user', 'EtcdRoleNotGrantedError'],
  ['etcdserver: role name not found', 'EtcdRoleNotFoundError'],
  ['etcdserver: user name not found', 'EtcdUserNotFoundError'],
  ['etcdserver: authentication failed, invalid user ID or password', 'EtcdAuthenticationFailedError'],
  ['etcdserver: permission denied', 'EtcdPermissionDeniedError'],
  ['etcdserver: invalid auth token', 'EtcdInvalidAuthTokenError'],
  ['etcdserver: requested lease not found', 'EtcdLeaseInvalidError'],
]

const CLASS_BY_STATUS: Readonly<Record<string, string>> = {
  UNKNOWN: 'GRPCUnknownError',
  INVALID_ARGUMENT: 'GRPCInvalidArgumentError',
  DEADLINE_EXCEEDED: 'GRPCDeadlineExceededError',
  NOT_FOUND: 'GRPCNotFoundError',
  PERMISSION_DENIED: 'EtcdPermissionDeniedError',
  FAILED_PRECONDITION: 'GRPCFailedPreconditionError',
  OUT_OF_RANGE: 'GRPCOutOfRangeError',
  UNIMPLEMENTED: 'GRPCNotImplementedError',
  INTERNAL: 'GRPCInternalError',
  UNAVAILABLE: 'GRPCUnavailableError',
  UNAUTHENTICATED: 'GRPCUnauthenticatedError',
}

/** Classes by name, such as the module `etcd3` itself: then `instanceof` holds too. */
export type ErrorClasses = Readonly<Record<string, unknown>>

/** What a call may be refused with. */
export interface GrpcFailure extends Omit<Failure, 'status' | 'failure'> {
  readonly status: Failure['status'] | 'CANCELLED' | 'DEADLINE_EXCEEDED' | 'INTERNAL'
}

/** No connection: what a call to a dead or unreachable member ends in. */
export const UNAVAILABLE: GrpcFailure = { status: 'UNAVAILABLE', message: 'read ECONNRESET' }

/** The deadline has passed. */
export const DEADLINE_EXCEEDED: GrpcFailure = { status: 'DEADLINE_EXCEEDED', message: 'Deadline exceeded' }

/** The client has broken it off. */
export const CANCELLED: GrpcFailure = { status: 'CANCELLED', message: 'Cancelled on client' }

/** What cannot be put on the wire. It fails at the client, as a call does. */
export function notSent(why: string): GrpcFailure {
  return { status: 'INTERNAL', message: `Request message serialization failure: ${why}` }
}

const textOf = ({ status, message }: GrpcFailure): string => `${NUMBERS[status] ?? 2} ${status}: ${message}`

/** The error of a stream: gRPC's own, which etcd3 has not dressed up. */
export function toStreamError(failure: GrpcFailure): Error {
  return Object.assign(new Error(textOf(failure)), { code: NUMBERS[failure.status] ?? 2, details: failure.message })
}

/** The error that etcd3 would reject with. */
export function toGrpcError({ status, message }: GrpcFailure, classes: ErrorClasses = {}): Error {
  const name = CLASS_BY_TEXT.find(([text]) => message.includes(text))?.[1] ?? CLASS_BY_STATUS[status] ?? 'GRPCGenericError'
  const text = textOf({ status, message })
  const given = Object.hasOwn(classes, name) ? classes[name] : undefined
  const error: Error = typeof given === 'function' ? new (given as new (message: string) => Error)(text) : new Error(text)
  // etcd3's lease error words its own message around what it takes for an id.
  if (name === 'EtcdLeaseInvalidError' && typeof given !== 'function') error.message = `Lease ${text} is expired or revoked`
  if (typeof given !== 'function') Object.setPrototypeOf(error, prototypeNamed(name))
  return error
}

/** The prototype of a class of that name, without a class: nobody but etcd3 could be `instanceof` it. */
function prototypeNamed(name: string): object {
  const constructor = Object.defineProperty(() => undefined, 'name', { value: name })
  return Object.create(Error.prototype, { constructor: { value: constructor } }) as object
}
