/** Answers of the Auth RPCs, checked: what sits between the caller and etcd may answer anything, and nothing missing may read as "off" or "none". */
import { EtcdRbacError, quoted } from '../../errors.js'
import { fromWire } from '../../keys/interval.js'
import type { Permission, PermissionType } from '../../keys/permission.js'
import type { Rpc } from './failures.js'
import type { AuthMethod } from './transport.js'

/** Numbers on the wire (auth.proto, Permission.Type). Clients name them each in their own case, and take an unknown name for READ. */
export const WIRE_TYPES: Readonly<Record<PermissionType, number>> = { read: 0, write: 1, readwrite: 2 }
const TYPES: ReadonlyMap<string, PermissionType> = new Map(Object.entries(WIRE_TYPES).flatMap(([type, number]) => [[type, type], [String(number), type]] as [string, PermissionType][]))

function malformed(method: Rpc, message: string, fix = 'check that the client is one of etcd v3, and that nothing in between answers for etcd'): EtcdRbacError<'ERR_SERVER'> {
  return new EtcdRbacError('ERR_SERVER', { found: `an answer to ${method} with ${message}`, wanted: 'what etcd answers', fix }, { method, code: 'OK', message, meaning: 'refused' })
}

const fieldOf = (reply: unknown, field: string): unknown => (typeof reply === 'object' && reply !== null ? (reply as Readonly<Record<string, unknown>>)[field] : undefined)

/** A list of names. */
export function namesIn(method: AuthMethod, reply: unknown, field: 'users' | 'roles'): readonly string[] {
  const list = fieldOf(reply, field)
  if (!Array.isArray(list) || !list.every((name) => typeof name === 'string')) throw malformed(method, `no list of ${field}`)
  return list
}

/** Whether auth is on. */
export function enabledIn(reply: unknown): boolean {
  const enabled = fieldOf(reply, 'enabled')
  if (typeof enabled !== 'boolean') throw malformed('authStatus', 'no word whether auth is enabled')
  return enabled
}

/** The version of a member. */
export function versionIn(reply: unknown): string {
  const version = fieldOf(reply, 'version')
  if (typeof version !== 'string' || !/^v?\d+\.\d+/.test(version)) throw malformed('status', 'no version')
  return version
}

/** The permissions of a role in stored order. */
export function permissionsIn(role: string, reply: unknown): readonly Permission[] {
  const list = fieldOf(reply, 'perm')
  if (!Array.isArray(list)) throw malformed('roleGet', 'no list of permissions')
  return list.map((permission: unknown) => {
    const [key, rangeEnd, type] = [fieldOf(permission, 'key'), fieldOf(permission, 'range_end'), fieldOf(permission, 'permType')]
    if (!(key instanceof Uint8Array && rangeEnd instanceof Uint8Array)) throw malformed('roleGet', 'a permission without keys')
    const known = TYPES.get(String(type).toLowerCase())
    if (known === undefined) throw malformed('roleGet', `a permission of type ${quoted(String(type))} in role ${quoted(role)}`, 'revoke that permission by hand: it grants nothing')
    return { type: known, keys: fromWire({ key, rangeEnd }) }
  })
}
