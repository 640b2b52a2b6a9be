/**
 * Requests as etcd3 puts them on the wire, and replies as it reads them.
 *
 * etcd3 encodes with protobufjs (`fromObject`): unknown fields are dropped without a word, missing ones become empty, an enum's unknown name
 * becomes its first value, and text given for bytes is taken for base64. A test that did not see this would not see the bug.
 */
import type { Calls } from '../store/index.js'
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

/** A 64-bit number. Above 2^53 it would lose digits; nothing here is that large. */
export function numberField(message: Message, name: string): number {
  const value = Number(given(message, name) ?? 0)
  return Number.isSafeInteger(value) ? value : 0
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
  const value = given(message, name)
  if (typeof value === 'number') return value
  return Math.max(0, names.indexOf(String(value)))
}

/** The names of permission types in etcd3's `auth.proto`, in the order of their numbers. etcd's own are `READ`, …: etcd3 takes them for Read. */
export const PERMISSION_TYPES: readonly string[] = ['Read', 'Write', 'Readwrite']

type Encoders = { readonly [M in keyof Calls]?: (message: Message) => Calls[M][0] }

const named = (message: Message): { readonly name: string } => ({ name: textField(message, 'name') })
const login = (message: Message): { readonly name: string; readonly password: string } => ({ ...named(message), password: textField(message, 'password') })
const role = (message: Message): { readonly role: string } => ({ role: textField(message, 'role') })
const keys = (message: Message): { readonly key: Uint8Array; readonly range_end: Uint8Array } => ({
  key: bytesField(message, 'key'),
  range_end: bytesField(message, 'range_end'),
})

/** What the Auth requests become. */
export const authEncoders: Encoders = {
  authenticate: login,
  userAdd: (message) => ({ ...login(message), no_password: flagField(messageField(message, 'options', 'AuthUserAddRequest') ?? {}, 'no_password') }),
  userGet: named,
  userDelete: named,
  userChangePassword: login,
  userGrantRole: (message) => ({ user: textField(message, 'user'), ...role(message) }),
  userRevokeRole: (message) => ({ ...named(message), ...role(message) }),
  roleAdd: named,
  roleGet: role,
  roleDelete: role,
  roleGrantPermission: (message) => {
    const perm = messageField(message, 'perm', 'AuthRoleGrantPermissionRequest')
    return { ...named(message), perm: perm && { permType: enumField(perm, 'permType', PERMISSION_TYPES), ...keys(perm) } }
  },
  roleRevokePermission: (message) => ({ ...role(message), ...keys(message) }),
}
