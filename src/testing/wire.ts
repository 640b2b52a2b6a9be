/**
 * Requests as etcd3 puts them on the wire, and replies as it reads them.
 *
 * etcd3 encodes with protobufjs (`fromObject`): unknown fields are dropped without a word, missing ones become empty, an enum's unknown name
 * becomes its first value, and text given for bytes is taken for base64. A test that did not see this would not see the bug.
 */
import { fromLooseBase64 } from './loose-base64.js'

/** A message as a caller writes it. */
export type Message = Readonly<Record<string, unknown>>

/** What a client cannot put on the wire, and so does not send. */
function unsendable(why: string): Error {
  return Object.assign(new Error(why), { name: 'Unsendable' })
}

/** Whether an error says that a request could not be put on the wire. */
export function isUnsendable(error: unknown): error is Error {
  return error instanceof Error && error.name === 'Unsendable'
}

const given = (message: Message, name: string): unknown => message[name] ?? undefined

/** Whether a field goes over the wire, be it as empty as one that does not. */
export function isSent(message: Message, name: string): boolean {
  return given(message, name) !== undefined
}

/** What makes the bytes of replies: Node's `Buffer` fits, and is what etcd3's are. */
export interface BytesMaker {
  /** Bytes of one's own, of these. */
  from(bytes: Uint8Array): Uint8Array
}

/** A reply as it is read from the wire: nobody else's, and its bytes of the caller's kind. */
export function received<T>(value: T, maker: BytesMaker): T {
  const copied = (part: unknown): unknown => {
    if (part instanceof Uint8Array) return maker.from(part)
    if (Array.isArray(part)) return part.map(copied)
    if (typeof part !== 'object' || part === null) return part
    return Object.fromEntries(Object.entries(part).map(([name, field]) => [name, copied(field)]))
  }
  return copied(value) as T
}

/** What was given as a message. `type` is its name in `rpc.proto`, with the field that holds it if it is inside another. */
export function asMessage(value: unknown, type: string): Message {
  if (Array.isArray(value) && !type.includes('.')) throw unsendable(`Failed to serialize message: expected object with ${type} structure, got array instead`)
  if (typeof value !== 'object' || value === null) throw unsendable(`.etcdserverpb.${type}: object expected`)
  return value as Message
}

/** A message inside a message, `undefined` where there is none. */
export function messageField(message: Message, name: string, type: string): Message | undefined {
  return isSent(message, name) ? asMessage(given(message, name), `${type}.${name}`) : undefined
}

export function listField(message: Message, name: string, type: string): readonly Message[] {
  const value = given(message, name) ?? []
  if (!Array.isArray(value)) throw unsendable(`.etcdserverpb.${type}.${name}: array expected`)
  return value.map((item) => asMessage(item, `${type}.${name}`))
}

export function textField(message: Message, name: string): string {
  // Of any value, as protobufjs does.
  // eslint-disable-next-line @typescript-eslint/no-base-to-string
  return String(given(message, name) ?? '')
}

export function flagField(message: Message, name: string): boolean {
  return Boolean(given(message, name))
}

const [LEAST, MOST] = [-(2n ** 63n), 2n ** 63n - 1n]

/** A 64-bit number of a JavaScript one: cut to a whole one, and to what 64 bits hold. */
function fromNumber(value: number): bigint {
  if (Number.isNaN(value)) return 0n
  if (!Number.isFinite(value)) return value > 0 ? MOST : LEAST
  const whole = BigInt(Math.trunc(value))
  return whole > MOST ? MOST : whole < LEAST ? LEAST : whole
}

/** As `long` reads decimal text: eight characters at a time, of which what is no digit ends the eight, and digits beyond 64 bits are lost. */
function fromText(text: string): bigint {
  if (text === '') throw unsendable('empty string')
  if (['NaN', 'Infinity', '+Infinity', '-Infinity'].includes(text)) return 0n
  if (text.indexOf('-') > 0) throw unsendable('interior hyphen')
  if (text.startsWith('-')) return BigInt.asIntN(64, -fromText(text.slice(1)))
  let result = 0n
  for (let at = 0; at < text.length; at += 8) {
    const part = text.slice(at, at + 8)
    result = BigInt.asIntN(64, result * 10n ** BigInt(part.length) + fromNumber(Number.parseInt(part, 10)))
  }
  return result
}

/** A 64-bit number, such as the id of a lease, which need not fit into a JavaScript one: decimal text. */
export function idField(message: Message, name: string): string {
  const value = given(message, name)
  return String(typeof value === 'number' ? fromNumber(value) : typeof value === 'string' ? fromText(value) : 0n)
}

/** A 64-bit number of which the last digits do not matter where it is above 2^53. */
export function numberField(message: Message, name: string): number {
  return Number(idField(message, name))
}

/** Bytes, a list of numbers, or base64. What has no length is dropped. */
export function bytesField(message: Message, name: string): Uint8Array {
  const value = given(message, name)
  if (typeof value === 'string') {
    const bytes = fromLooseBase64(value)
    if (bytes === undefined) throw unsendable('invalid encoding')
    return bytes
  }
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  return Uint8Array.from(Array.isArray(value) ? (value as number[]) : [])
}

/** An enum by name or number. A name that is none of them is the first. */
export function enumField(message: Message, name: string, names: readonly string[]): number {
  return toEnum(given(message, name), names)
}

const toEnum = (value: unknown, names: readonly string[]): number => (typeof value === 'number' ? value : Math.max(0, names.indexOf(String(value))))

/** A list of them. */
export function enumsField(message: Message, name: string, names: readonly string[]): readonly number[] {
  const values = given(message, name)
  return Array.isArray(values) ? values.map((value) => toEnum(value, names)) : []
}

/** The names of permission types in etcd3's `auth.proto`, in the order of their numbers. etcd's own are `READ`, …: etcd3 takes them for Read. */
export const PERMISSION_TYPES: readonly string[] = ['Read', 'Write', 'Readwrite']
