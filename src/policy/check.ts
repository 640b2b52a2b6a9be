/** The rules of a policy at run time. Every problem is collected with its path, so that a file can be mended in one go. */
import { EtcdRbacError, isEtcdRbacError, quoted, type ErrorCode, type Problem } from '../errors.js'
import { nameProblem, type NameKind } from '../names.js'
import type { KeyRange } from '../keys/key-range.js'
import type { PathPattern } from '../keys/pattern.js'
import type { Permission, PermissionType } from '../keys/permission.js'
import { checkedPattern, checkedRange } from './checked-keys.js'
import { describe, isTable, ownFields, step, type Table } from './found.js'
import type { Bindings, Login, Policy, PolicyV2, PolicyV3, Roles } from './policy.js'

/** What is wrong beyond a code of errors: so that whoever mends it can tell one from another. */
export type ProblemKind =
  | 'wrong-shape' | 'permissions-on-root' | 'guest-among-roles' | 'named-like-user' | 'named-like-member' | 'listed-twice' | 'role-unknown'

/** A problem, with its kind where its code is that of policies as a whole. */
export interface FoundProblem extends Problem {
  readonly kind: ProblemKind | undefined
}

/** A table that no name can escape: without prototype, frozen. */
function table<T>(entries: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  const result = Object.create(null) as Record<string, T>
  for (const [name, value] of entries) Object.defineProperty(result, name, { value, enumerable: true })
  return Object.freeze(result)
}

/** Checks a policy of unknown origin: every problem, and a frozen copy of what has none. */
export function checkPolicy(value: unknown): { readonly problems: readonly FoundProblem[]; readonly policy: Policy } {
  const problems: FoundProblem[] = []
  const report = (path: string, message: string, code: ErrorCode = 'ERR_POLICY_INVALID', kind: ProblemKind = 'wrong-shape') =>
    void problems.push({ path, code, message, kind: code === 'ERR_POLICY_INVALID' ? kind : undefined })

  const fields = (value: unknown, path: string, known: readonly string[], wanted: string): Table | undefined => {
    if (!isTable(value)) {
      report(path, `found ${describe(value)}, wanted ${wanted}`)
      return undefined
    }
    for (const name of Object.keys(value)) if (!known.includes(name)) report(path + step(name), `unknown field, wanted one of ${known.join(', ')}`)
    return ownFields(value)
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

  const wanted = typeof value === 'string' ? 'a policy, not its text: pass what JSON.parse makes of it' : 'a policy'
  const root = fields(value, '$', ['users', 'members', 'authorities', 'v3', 'v2'], wanted)
  if (root === undefined) return { problems, policy: Object.freeze({ users: table<Login>([]), members: [], authorities: [], v3: undefined, v2: undefined }) }

  const users = new Map<string, Login>()
  // Also those whose login is wrong, so that one mistake is one problem.
  const declaredUsers = new Set<string>()
  if (isTable(root['users'])) {
    for (const [user, login] of Object.entries(root['users'])) {
      const path = `$.users${step(user)}`
      declaredUsers.add(user)
      name('user', user, path)
      if (login === 'certificate' || login === 'password') users.set(user, login)
      else report(path, `found ${describe(login)}, wanted "certificate" or "password"`)
    }
  } else report('$.users', `found ${describe(root['users'])}, wanted a table of users`)

  const names = (kind: 'member' | 'authority', value: unknown, path: string, taken: ReadonlySet<string>): readonly string[] => {
    const found = new Set<string>()
    for (const [index, item] of list(value === undefined ? [] : value, path, `a list of ${kind} names`).entries()) {
      const at = `${path}[${index}]`
      if (!name(kind, item, at)) continue
      if (declaredUsers.has(item)) report(at, `${kind} ${quoted(item)} is named like a user: whoever holds its certificate would be that user`, 'ERR_POLICY_INVALID', 'named-like-user')
      else if (taken.has(item)) report(at, `${kind} ${quoted(item)} is named like a member`, 'ERR_POLICY_INVALID', 'named-like-member')
      else if (found.has(item)) report(at, `${kind} ${quoted(item)} is listed twice`, 'ERR_POLICY_INVALID', 'listed-twice')
      else found.add(item)
    }
    return Object.freeze([...found])
  }
  const members = names('member', root['members'], '$.members', new Set())
  const authorities = names('authority', root['authorities'], '$.authorities', new Set(members))

  const permissions = <S extends KeyRange | PathPattern>(value: unknown, path: string, keys: (value: unknown) => S): readonly Permission<S>[] => {
    const found: Permission<S>[] = []
    for (const [index, item] of list(value, path, 'a list of permissions').entries()) {
      const at = `${path}[${index}]`
      const permission = fields(item, at, ['type', 'keys'], 'a permission')
      if (permission === undefined) continue
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
        if (role === 'root') report(at, 'role "root" is etcd\'s own and may do everything: its permissions are ignored; bind users to it without declaring it', 'ERR_POLICY_INVALID', 'permissions-on-root')
        else if (reserved.includes(role)) report(at, `role "${role}" stands in its own field: write ${path.replace(/\.roles$/, '')}.${role}`, 'ERR_POLICY_INVALID', 'guest-among-roles')
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
        if (!declaredUsers.has(user)) report(at, `user ${quoted(user)} is not declared in $.users`, 'ERR_USER_UNKNOWN')
        const held = new Set<string>()
        for (const [index, role] of list(bound, at, 'a list of role names').entries()) {
          if (typeof role !== 'string' || (role !== 'root' && !Object.hasOwn(declared, role)))
            report(`${at}[${index}]`, `found ${describe(role)}, wanted one of the declared roles or "root"`, 'ERR_POLICY_INVALID', 'role-unknown')
          else if (held.has(role)) report(`${at}[${index}]`, `role ${quoted(role)} is listed twice`, 'ERR_POLICY_INVALID', 'listed-twice')
          else held.add(role)
        }
        return [user, Object.freeze([...held])] as const
      }),
    )
  }

  let v3: PolicyV3 | undefined
  if (root['v3'] !== undefined) {
    const half = fields(root['v3'], '$.v3', ['roles', 'bindings'], 'the v3 half')
    if (half !== undefined) {
      const declared = roles(half['roles'], '$.v3.roles', [], checkedRange)
      v3 = Object.freeze({ roles: declared, bindings: bindings(half['bindings'], '$.v3.bindings', declared) })
    }
  }
  let v2: PolicyV2 | undefined
  if (root['v2'] !== undefined) {
    const half = fields(root['v2'], '$.v2', ['guest', 'roles', 'bindings'], 'the v2 half')
    if (half !== undefined) {
      const declared = roles(half['roles'], '$.v2.roles', ['guest'], checkedPattern)
      const guest = permissions(half['guest'], '$.v2.guest', checkedPattern)
      const bound = bindings(half['bindings'], '$.v2.bindings', declared)
      // Users are shared: each of them is made on v2 too, bound or not.
      for (const user of declaredUsers) {
        const at = `$.users${step(user)}`
        if (user.startsWith('_')) report(at, `user ${quoted(user)} begins with "_": etcd v2 hides it from every list`, 'ERR_NAME_INVALID')
        if (user.includes(':') && users.get(user) === 'password') report(at, `user ${quoted(user)} holds ":": HTTP basic auth cannot carry it`, 'ERR_NAME_INVALID')
      }
      for (const role of Object.keys(declared))
        if (role.startsWith('_')) report(`$.v2.roles${step(role)}`, `role ${quoted(role)} begins with "_": etcd v2 hides it from every list`, 'ERR_NAME_INVALID')
      v2 = Object.freeze({ guest, roles: declared, bindings: bound })
    }
  }
  return { problems, policy: Object.freeze({ users: table(users), members, authorities, v3, v2 }) }
}

/** A policy of unknown origin, checked; every problem at once otherwise. */
export function checkedPolicy(value: unknown): Policy {
  const { problems: found, policy } = checkPolicy(value)
  if (found.length === 0) return policy
  const problems = found.map(({ path, code, message }): Problem => ({ path, code, message }))
  const shown = problems.slice(0, 20).map(({ path, message }) => `\n  ${path.length > 200 ? `${path.slice(0, 200)}…` : path}: ${message}`)
  if (problems.length > shown.length) shown.push(`\n  and ${problems.length - shown.length} more`)
  throw new EtcdRbacError(
    'ERR_POLICY_INVALID',
    { found: `a policy with ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}${shown.join('')}\n`, wanted: 'none', fix: 'correct each at its path' },
    { problems },
  )
}
