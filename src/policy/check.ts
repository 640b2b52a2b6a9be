/** The rules of a policy at run time. Every problem is collected with its path, so that a file can be mended in one go. */
import { EtcdRbacError, isEtcdRbacError, type ErrorCode, type Problem } from '../errors.js'
import { nameProblem, type NameKind } from '../names.js'
import { allKeys, fromKey, key, prefix, range, type KeyRange } from '../keys/key-range.js'
import { fromBase64, toBase64 } from '../bytes.js'
import { pattern, type PathPattern } from '../keys/pattern.js'
import type { Permission, PermissionType } from '../keys/permission.js'
import type { Bindings, Login, Policy, PolicyV2, PolicyV3, Roles } from './policy.js'

type Table = Readonly<Record<string, unknown>>

const isTable = (value: unknown): value is Table => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A table that no name can escape: without prototype, frozen. */
function table<T>(entries: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  const result = Object.create(null) as Record<string, T>
  for (const [name, value] of entries) Object.defineProperty(result, name, { value, enumerable: true })
  return Object.freeze(result)
}

const step = (name: string): string => (/^[A-Za-z_][\w]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`)

/** Checks a policy of unknown origin. Returns a frozen copy, or every problem. */
export function checkPolicy(value: unknown): { readonly policy: Policy } | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const report = (path: string, message: string, code: ErrorCode = 'ERR_POLICY_INVALID') => void problems.push({ path, code, message })

  const fields = (value: unknown, path: string, known: readonly string[], wanted: string): Table => {
    if (!isTable(value)) {
      report(path, `found ${describe(value)}, wanted ${wanted}`)
      return {}
    }
    for (const name of Object.keys(value)) if (!known.includes(name)) report(path + step(name), `unknown field, wanted one of ${known.join(', ')}`)
    return value
  }
  const list = (value: unknown, path: string, wanted: string): readonly unknown[] => {
    if (Array.isArray(value)) return value
    report(path, `found ${describe(value)}, wanted ${wanted}`)
    return []
  }
  const name = (kind: NameKind, value: unknown, path: string): value is string => {
    if (typeof value !== 'string') {
      report(path, `found ${describe(value)}, wanted the name of a ${kind}`)
      return false
    }
    const problem = nameProblem(kind, value)
    if (problem) report(path, `found ${problem.found}, wanted ${problem.wanted}`, 'ERR_NAME_INVALID')
    return problem === undefined
  }
  const attempt = <T>(path: string, make: () => T): T | undefined => {
    try {
      return make()
    } catch (error) {
      if (isEtcdRbacError(error)) report(path, error.message, error.code)
      else if (error instanceof TypeError) report(path, error.message)
      else throw error
      return undefined
    }
  }

  const root = fields(value, '$', ['users', 'members', 'authorities', 'v3', 'v2'], 'a policy')

  const users = new Map<string, Login>()
  if (isTable(root['users'])) {
    for (const [user, login] of Object.entries(root['users'])) {
      const path = `$.users${step(user)}`
      name('user', user, path)
      if (login === 'certificate' || login === 'password') users.set(user, login)
      else report(path, `found ${describe(login)}, wanted "certificate" or "password"`)
    }
  } else report('$.users', `found ${describe(root['users'])}, wanted a table of users`)

  const names = (kind: 'member' | 'authority', value: unknown, path: string): readonly string[] => {
    const found: string[] = []
    for (const [index, item] of list(value ?? [], path, `a list of ${kind} names`).entries()) {
      const at = `${path}[${index}]`
      if (!name(kind, item, at)) continue
      if (users.has(item)) report(at, `${kind} ${JSON.stringify(item)} is named like a user: whoever holds its certificate would be that user`)
      else if (found.includes(item)) report(at, `${kind} ${JSON.stringify(item)} is listed twice`)
      else found.push(item)
    }
    return Object.freeze(found)
  }
  const members = names('member', root['members'], '$.members')
  const authorities = names('authority', root['authorities'], '$.authorities')
  for (const [index, authority] of authorities.entries())
    if (members.includes(authority)) report(`$.authorities[${index}]`, `authority ${JSON.stringify(authority)} is named like a member`)

  const permissions = <S extends KeyRange | PathPattern>(value: unknown, path: string, keys: (value: unknown) => S): readonly Permission<S>[] => {
    const found: Permission<S>[] = []
    for (const [index, item] of list(value, path, 'a list of permissions').entries()) {
      const at = `${path}[${index}]`
      const permission = fields(item, at, ['type', 'keys'], 'a permission')
      const { type } = permission
      const checked = attempt(`${at}.keys`, () => keys(permission['keys']))
      if (type !== 'read' && type !== 'write' && type !== 'readwrite') report(`${at}.type`, `found ${describe(type)}, wanted "read", "write" or "readwrite"`)
      else if (checked !== undefined) found.push(Object.freeze({ type: type satisfies PermissionType, keys: Object.freeze(checked) }))
    }
    return Object.freeze(found)
  }
  const roles = <S extends KeyRange | PathPattern>(value: unknown, path: string, reserved: readonly string[], keys: (value: unknown) => S): Roles<S> => {
    if (!isTable(value)) {
      report(path, `found ${describe(value)}, wanted a table of roles`)
      return table<readonly Permission<S>[]>([])
    }
    return table(
      Object.entries(value).map(([role, list]) => {
        const at = path + step(role)
        if (role === 'root') report(at, 'role "root" is etcd\'s own and may do everything: its permissions are ignored; bind users to it without declaring it')
        else if (reserved.includes(role)) report(at, `role "${role}" stands in its own field: write ${path.replace(/\.roles$/, '')}.${role}`)
        else name('role', role, at)
        return [role, permissions(list, at, keys)] as const
      }),
    )
  }
  const bindings = (value: unknown, path: string, declared: Roles<KeyRange | PathPattern>): Bindings => {
    if (!isTable(value)) {
      report(path, `found ${describe(value)}, wanted a table of users with their roles`)
      return table<readonly string[]>([])
    }
    return table(
      Object.entries(value).map(([user, bound]) => {
        const at = path + step(user)
        if (!users.has(user)) report(at, `user ${JSON.stringify(user)} is not declared in $.users`, 'ERR_USER_UNKNOWN')
        const held: string[] = []
        for (const [index, role] of list(bound, at, 'a list of role names').entries()) {
          if (typeof role !== 'string' || (role !== 'root' && !Object.hasOwn(declared, role)))
            report(`${at}[${index}]`, `found ${describe(role)}, wanted one of the declared roles or "root"`)
          else if (held.includes(role)) report(`${at}[${index}]`, `role ${JSON.stringify(role)} is listed twice`)
          else held.push(role)
        }
        return [user, Object.freeze(held)] as const
      }),
    )
  }

  let v3: PolicyV3 | undefined
  if (root['v3'] !== undefined) {
    const half = fields(root['v3'], '$.v3', ['roles', 'bindings'], 'the v3 half')
    const declared = roles(half['roles'], '$.v3.roles', [], checkedRange)
    v3 = Object.freeze({ roles: declared, bindings: bindings(half['bindings'], '$.v3.bindings', declared) })
  }
  let v2: PolicyV2 | undefined
  if (root['v2'] !== undefined) {
    const half = fields(root['v2'], '$.v2', ['guest', 'roles', 'bindings'], 'the v2 half')
    const declared = roles(half['roles'], '$.v2.roles', ['guest'], checkedPattern)
    const guest = permissions(half['guest'], '$.v2.guest', checkedPattern)
    const bound = bindings(half['bindings'], '$.v2.bindings', declared)
    for (const user of Object.keys(bound)) {
      const at = `$.v2.bindings${step(user)}`
      if (user.startsWith('_')) report(at, `user ${JSON.stringify(user)} begins with "_": etcd v2 hides it from every list`, 'ERR_NAME_INVALID')
      if (user.includes(':') && users.get(user) === 'password') report(at, `user ${JSON.stringify(user)} holds ":": HTTP basic auth cannot carry it`, 'ERR_NAME_INVALID')
    }
    for (const role of Object.keys(declared))
      if (role.startsWith('_')) report(`$.v2.roles${step(role)}`, `role ${JSON.stringify(role)} begins with "_": etcd v2 hides it from every list`, 'ERR_NAME_INVALID')
    v2 = Object.freeze({ guest, roles: declared, bindings: bound })
  }
  if (problems.length > 0) return { problems }
  return { policy: Object.freeze({ users: table(users), members, authorities, v3, v2 }) }
}

/** A policy of unknown origin, checked; every problem at once otherwise. */
export function checkedPolicy(value: unknown): Policy {
  const result = checkPolicy(value)
  if ('policy' in result) return result.policy
  const { problems } = result
  const shown = problems.slice(0, 20).map(({ path, message }) => `\n  ${path}: ${message}`)
  if (problems.length > shown.length) shown.push(`\n  and ${problems.length - shown.length} more`)
  throw new EtcdRbacError(
    'ERR_POLICY_INVALID',
    { found: `a policy with ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}${shown.join('')}\n`, wanted: 'none', fix: 'correct each at its path' },
    { problems },
  )
}

/** What was found, briefly: never the content of a table or a long text. */
function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a table'
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : `a ${typeof value}`
}

function refuseShape(found: string, wanted: string): never {
  throw new EtcdRbacError('ERR_POLICY_INVALID', { found, wanted, fix: 'correct it' }, { problems: [] })
}

function bytesOrText(value: unknown): string | Uint8Array {
  if (typeof value === 'string') return value
  if (isTable(value) && typeof value['base64'] === 'string' && Object.keys(value).length === 1) {
    const bytes = fromBase64(value['base64'])
    if (bytes !== undefined && toBase64(bytes) === value['base64']) return bytes
    return refuseShape('malformed base64', 'canonical base64 with padding')
  }
  return refuseShape(describe(value), 'a key as text, or { "base64": … }')
}

function known(value: Table, wanted: readonly string[]): void {
  for (const name of Object.keys(value)) if (!wanted.includes(name)) refuseShape(`field ${JSON.stringify(name)}`, `only ${wanted.join(', ')}`)
}

function checkedRange(value: unknown): KeyRange {
  if (!isTable(value) || value['api'] !== 'v3') return refuseShape(isTable(value) ? `api ${describe(value['api'])}` : describe(value), 'v3 keys: key, prefix, range, fromKey or allKeys')
  const text = (field: string): string | Uint8Array => bytesOrText(value[field])
  switch (value['kind']) {
    case 'key':
      known(value, ['api', 'kind', 'key'])
      return key(text('key'))
    case 'prefix':
      known(value, ['api', 'kind', 'prefix', 'siblings'])
      if (value['siblings'] !== undefined && value['siblings'] !== 'include') return refuseShape(`siblings ${describe(value['siblings'])}`, '"include" or nothing')
      return prefix(text('prefix'), value['siblings'] === 'include' ? { siblings: 'include' } : {})
    case 'range':
      known(value, ['api', 'kind', 'start', 'end'])
      return range(text('start'), text('end'))
    case 'fromKey':
      known(value, ['api', 'kind', 'start'])
      return fromKey(text('start'))
    case 'allKeys':
      known(value, ['api', 'kind'])
      return allKeys()
    default:
      return refuseShape(`kind ${describe(value['kind'])}`, '"key", "prefix", "range", "fromKey" or "allKeys"')
  }
}

function checkedPattern(value: unknown): PathPattern {
  if (!isTable(value) || value['api'] !== 'v2' || typeof value['pattern'] !== 'string')
    return refuseShape(isTable(value) ? `api ${describe(value['api'])}` : describe(value), 'a v2 pattern')
  known(value, ['api', 'pattern'])
  return pattern(value['pattern'])
}

