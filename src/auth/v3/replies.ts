/** Answers of the Auth RPCs, checked: what sits between the caller and etcd may answer anything, and nothing missing may read as "off" or "none". */
import { EtcdRbacError } from '../../errors.js'
import { fromWire } from '../../keys/interval.js'
import type { PermissionType } from '../../keys/permission.js'
import type { StoredPermission } from '../state.js'
import { visible } from '../visible.js'
import type { Rpc } from './failures.js'
import type { AuthMethod } from './transport.js'

/** Numbers on the wire (auth.proto, Permission.Type). Clients name them each in their own case, and take an unknown name for READ. */
export const WIRE_TYPES: Readonly<Record<PermissionType, number>> = { read: 0, write: 1, readwrite: 2 }
const TYPES: ReadonlyMap<string, PermissionType> = new Map(Object.entries(WIRE_TYPES).flatMap(([type, number]) => [[type, type], [String(number), type]] as [string, PermissionType][]))

function malformed(method: Rpc, message: string): EtcdRbacError<'ERR_SERVER'> {
  return new EtcdRbacError('ERR_SERVER', { found: `an answer to ${method} with ${message}`, wanted: 'what etcd answers', fix: 'check that the client is one of etcd v3, and that nothing in between answers for etcd' }, { method, code: 'OK', message, meaning: 'refused' })
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
export function permissionsIn(role: string, reply: unknown): readonly StoredPermission[] {
  const list = fieldOf(reply, 'perm')
  if (!Array.isArray(list)) throw malformed('roleGet', 'no list of permissions')
  return list.map((permission: unknown): StoredPermission => {
    const [key, rangeEnd, type] = [fieldOf(permission, 'key'), fieldOf(permission, 'range_end'), fieldOf(permission, 'permType')]
    if (!(key instanceof Uint8Array && rangeEnd instanceof Uint8Array)) throw malformed('roleGet', 'a permission without keys')
    const name = String(type).toLowerCase()
    const known = TYPES.get(name)
    const stored = { keys: fromWire({ key, rangeEnd }) }
    if (known !== undefined) return { type: known, ...stored }
    // A number that no release of etcd has a name for. A type that is missing is another matter: it would be READ.
    if (/^\d{1,10}$/.test(name)) return { type: 'unknown', ...stored }
    throw malformed('roleGet', `a permission without type in role ${visible(role)}`)
  })
}
