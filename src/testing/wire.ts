/**
 * Requests as etcd3 puts them on the wire, and replies as it reads them.
 *
 * etcd3 encodes with protobufjs (`fromObject`): unknown fields are dropped without a word, missing ones become empty, an enum's unknown name
 * becomes its first value, and text given for bytes is taken for base64. A test that did not see this would not see the bug.
 */
import { fromBase64 } from '../bytes.js'
import type { Calls } from '../store/index.js'

/** A message as a caller writes it. */
export type Message = Readonly<Record<string, unknown>>

const own = (message: Message, name: string): unknown => (Object.hasOwn(message, name) ? message[name] : undefined)

/** Whether a field goes over the wire, be it as empty as one that does not. */
export function isSent(message: Message, name: string): boolean {
  return (own(message, name) ?? undefined) !== undefined
}

/** A message inside a message, `undefined` where there is none. */
export function messageField(message: Message, name: string): Message | undefined {
  const value = own(message, name) ?? undefined
  if (value !== undefined && typeof value !== 'object') throw new TypeError(`${name}: object expected`)
  return value as Message | undefined
}

export function textField(message: Message, name: string): string {
  // Of any value, as protobufjs does.
  // eslint-disable-next-line @typescript-eslint/no-base-to-string
  return String(own(message, name) ?? '')
}

export function flagField(message: Message, name: string): boolean {
  return Boolean(own(message, name))
}

/** A 64-bit number. Above 2^53 it would lose digits; nothing here is that large. */
export function numberField(message: Message, name: string): number {
  const value = Number(own(message, name) ?? 0)
  return Number.isSafeInteger(value) ? value : 0
}

export function bytesField(message: Message, name: string): Uint8Array {
  const value = own(message, name) ?? undefined
  if (value === undefined) return new Uint8Array(0)
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  if (Array.isArray(value)) return Uint8Array.from(value as number[])
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined
  if (bytes === undefined) throw new Error('invalid encoding')
  return bytes
}

/** An enum by name or number. A name that is none of them is the first. */
export function enumField(message: Message, name: string, names: readonly string[]): number {
  const value = own(message, name)
  if (typeof value === 'number') return value
  return Math.max(0, names.indexOf(String(value)))
}

export function listField(message: Message, name: string): readonly Message[] {
  const value = own(message, name) ?? []
  if (!Array.isArray(value)) throw new TypeError(`${name}: array expected`)
  return value as readonly Message[]
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
  userAdd: (message) => ({ ...login(message), no_password: flagField(messageField(message, 'options') ?? {}, 'no_password') }),
  userGet: named,
  userDelete: named,
  userChangePassword: login,
  userGrantRole: (message) => ({ user: textField(message, 'user'), ...role(message) }),
  userRevokeRole: (message) => ({ ...named(message), ...role(message) }),
  roleAdd: named,
  roleGet: role,
  roleDelete: role,
  roleGrantPermission: (message) => {
    const perm = messageField(message, 'perm')
    return { ...named(message), perm: perm && { permType: enumField(perm, 'permType', PERMISSION_TYPES), ...keys(perm) } }
  },
  roleRevokePermission: (message) => ({ ...role(message), ...keys(message) }),
}
