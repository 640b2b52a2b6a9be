/** Answers of the v2 auth API, checked: a proxy may answer anything, and nothing missing may read as "off" or "none". */
import { EtcdRbacError } from '../../errors.js'
import { isWellFormed } from '../../bytes.js'
import type { Permission } from '../../keys/permission.js'
import { byScope } from '../../keys/scope.js'
import { visible } from '../visible.js'
import { v2Failure, type V2Answer } from './http.js'

type Table = Readonly<Record<string, unknown>>

const isTable = (value: unknown): value is Table => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What a successful answer holds. */
export function tableIn(method: string, answer: V2Answer): Table {
  if (answer.status !== 200) throw v2Failure(method, answer)
  try {
    const body: unknown = JSON.parse(answer.text)
    if (isTable(body)) return body
  } catch {
    // Falls through: not JSON is as wrong as JSON of another shape.
  }
  throw malformed(method, 'no JSON object')
}

function malformed(request: string, message: string): EtcdRbacError<'ERR_SERVER'> {
  const method = visible(request)
  return new EtcdRbacError('ERR_SERVER', { found: `an answer to ${method} with ${message}`, wanted: 'what etcd answers', fix: 'check that the endpoint is one of etcd, and that nothing in between answers for etcd' }, { method, code: '200', message, meaning: 'refused' })
}

/** Whether auth is on. */
export function enabledIn(method: string, answer: V2Answer): boolean {
  const { enabled } = tableIn(method, answer)
  if (typeof enabled !== 'boolean') throw malformed(method, 'no word whether auth is enabled')
  return enabled
}

/** A list of objects; etcd has `null`, or nothing, for an empty one. */
function objectsIn(method: string, table: Table, field: 'users' | 'roles'): readonly Table[] {
  const list = table[field] ?? []
  if (!Array.isArray(list) || !list.every(isTable)) throw malformed(method, `no list of ${field}`)
  return list
}

const nameIn = (method: string, table: Table, field: 'user' | 'role'): string => {
  const name = table[field]
  if (typeof name !== 'string') throw malformed(method, `a ${field} without name`)
  // No URL could ask for it, and etcd never sends it.
  if (!isWellFormed(name)) throw malformed(method, `the ${field} ${visible(name)}, half of a surrogate pair in its name`)
  return name
}

/** Users with the names of their roles, in etcd's order. Roles that do not exist are left away by etcd. */
export function usersIn(method: string, answer: V2Answer): readonly { readonly user: string; readonly roles: readonly string[] }[] {
  return objectsIn(method, tableIn(method, answer), 'users').map((one) => ({ user: nameIn(method, one, 'user'), roles: objectsIn(method, one, 'roles').map((role) => nameIn(method, role, 'role')) }))
}

/** The names of roles, of a list of all or of a user's. */
export function roleNamesIn(method: string, answer: V2Answer): readonly string[] {
  return objectsIn(method, tableIn(method, answer), 'roles').map((role) => nameIn(method, role, 'role'))
}

/** The permissions of a role. */
export function permissionsIn(method: string, answer: V2Answer): readonly Permission[] {
  const { permissions } = tableIn(method, answer)
  const kv = isTable(permissions) ? permissions['kv'] : undefined
  if (!isTable(kv)) throw malformed(method, 'no permissions')
  const list = (type: 'read' | 'write'): readonly Permission[] => {
    const patterns = kv[type] ?? []
    if (!Array.isArray(patterns) || !patterns.every((pattern) => typeof pattern === 'string')) throw malformed(method, `no list of what may be ${type === 'read' ? 'read' : 'written'}`)
    return patterns.map((pattern) => ({ type, keys: { api: 'v2', pattern } }))
  }
  return [...byScope([...list('read'), ...list('write')]).values()]
}
