/** What the v2 API answers, and the three shapes of its errors. */

import { CLUSTER_ID } from '../v3/state.js'

/** A request, its path as it stands on the wire (still percent-encoded, with the query). */
export interface HttpRequest {
  readonly method: string
  readonly target: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An answer. Header names are in lower case. */
export interface HttpReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Of a watch that waits: what follows the headers. */
  readonly rest?: Rest
}

/** A body that comes later, if ever. */
export interface Rest {
  /** Waits from now on: the body goes to `give` once, or the reset of the connection. Returns what gives the wait up. */
  wait(give: (end: string | Reset) => void): () => void
}

/** The handler panicked: the connection is reset and no answer is sent. */
export interface Reset {
  readonly reset: true
}

export const RESET: Reset = { reset: true }

/** A refusal of the key space (`v2error`), as it is before it is written. */
export interface TreeError {
  readonly errorCode: number
  readonly cause: string
  readonly index: number
}

/** A refusal of the auth API: `{"message": …}`. */
export interface AuthError {
  readonly status: number
  readonly message: string
}

/** An id of etcd as v2 shows it. */
export const hex = (id: string): string => BigInt(id).toString(16)

/** An answer that names the cluster: any from a handler that has begun, but that the method is wrong. */
export function ofCluster<T extends HttpReply | Reset>(answer: T): T {
  return isReset(answer) || answer.status === 405 ? answer : { ...answer, headers: { 'x-etcd-cluster-id': hex(CLUSTER_ID), ...answer.headers } }
}

export function isReset(value: object): value is Reset {
  return 'reset' in value
}

export function isTreeError(value: object): value is TreeError {
  return 'errorCode' in value
}

export function isAuthError(value: object): value is AuthError {
  return 'status' in value && 'message' in value
}

const MESSAGES: Readonly<Record<number, string>> = {
  100: 'Key not found',
  101: 'Compare failed',
  102: 'Not a file',
  104: 'Not a directory',
  105: 'Key already exists',
  107: 'Root is read only',
  108: 'Directory not empty',
  110: 'The request requires user authentication',
  201: 'PrevValue is Required in POST form',
  202: 'The given TTL in POST form is not a number',
  203: 'The given index in POST form is not a number',
  209: 'Invalid field',
  210: 'Invalid POST form',
  211: 'Value provided on refresh',
  212: 'A TTL must be provided on refresh',
  300: 'Raft Internal Error',
  401: 'The event in requested index is outdated and cleared',
}

const STATUSES: Readonly<Record<number, number>> = { 100: 404, 101: 412, 102: 403, 105: 412, 108: 403, 110: 401, 300: 500 }

/** JSON as Go writes it: `<`, `>` and `&` escaped. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A reply of JSON, one line. */
export function jsonReply(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): HttpReply {
  return { status, headers: { ...headers, 'content-type': 'application/json' }, body: `${toJson(value)}\n` }
}

/** `{"message": …}`, without a line end. */
export function messageReply({ status, message }: AuthError, headers: Readonly<Record<string, string>> = {}): HttpReply {
  return { status, headers: { ...headers, 'content-type': 'application/json' }, body: toJson({ message }) }
}

/** `{"errorCode": …}`. */
export function treeErrorReply({ errorCode, cause, index }: TreeError, headers: Readonly<Record<string, string>> = {}): HttpReply {
  const body = { errorCode, message: MESSAGES[errorCode] ?? '', ...(cause === '' ? {} : { cause }), index }
  return jsonReply(STATUSES[errorCode] ?? 400, body, { ...headers, 'x-etcd-index': String(index) })
}

/** Plain text, as Go's `http.Error` sends it. */
export function textReply(status: number, text: string, headers: Readonly<Record<string, string>> = {}): HttpReply {
  const own = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }
  return { status, headers: { ...headers, ...own }, body: `${text}\n` }
}

/** The path has no handler. */
export const NOT_FOUND: HttpReply = textReply(404, '404 page not found')

/** The path does not know this method. */
export function methodReply(allowed: readonly string[]): HttpReply {
  return textReply(405, 'Method Not Allowed', { allow: allowed.join(',') })
}
