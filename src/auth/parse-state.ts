/** What an auth store held, from JSON: to plan for it where nobody may or can ask the server. */
import { EtcdRbacError, quoted } from '../errors.js'
import { isWellFormed } from '../bytes.js'
import { fromWire, toWire } from '../keys/interval.js'
import type { KeyRange } from '../keys/key-range.js'
import { tableOf, type Api, type AuthState, type StoredPermission, type V2Seen } from './state.js'

const TYPES: readonly unknown[] = ['read', 'write', 'readwrite', 'unknown']

/**
 * The state of an auth store that was kept as JSON, checked. With {@link planAuth}, whoever may read that file sees what a policy would change, without
 * being root and without a server. Nothing in it is secret but who may do what.
 *
 * @param json What `JSON.parse` gave of `JSON.stringify(await auth.state())`.
 * @throws {@link EtcdRbacError} `ERR_STATE_INVALID`
 * @example
 * ```ts
 * import { definePolicy, EtcdAuth, parseState, planAuth, v3Backend } from 'etcd-rbac'
 * import { memoryEtcd } from 'etcd-rbac/testing'
 * const auth = new EtcdAuth(v3Backend(memoryEtcd({ version: '3.5.35' }).auth), { identity: { user: 'root' } })
 * const exported = JSON.stringify(await auth.state())
 *
 * const policy = definePolicy({ users: { root: 'certificate' }, v3: { roles: {}, bindings: { root: ['root'] } } })
 * const plan = planAuth(parseState(JSON.parse(exported)), policy, { unmanaged: 'report', enable: true }, { user: 'root' }, new Date())
 * console.log(plan.outcome) // drift
 * ```
 */
export function parseState(json: unknown): AuthState {
  const { api, version, versionOf, enabled, users, roles, v2, v2Unasked, unreadable, emptyPasswords, reads } = fieldsOf(json, 'no object')
  if (api !== 'v2' && api !== 'v3') throw invalid('no api: "v2" or "v3"')
  if (versionOf !== undefined && versionOf !== 'some') throw invalid('a word on whose version it is that is not "some"')
  if (typeof enabled !== 'boolean') throw invalid('no word whether auth is enabled')
  if (version !== undefined && typeof version !== 'string') throw invalid('a version that is no text')
  if (!isSeen(v2)) throw invalid(`a word on v2 that is none of ${SEEN.join(', ')}`)
  return {
    api,
    version,
    ...(versionOf === undefined ? {} : { versionOf }),
    enabled,
    users: tableOf(Object.entries(fieldsOf(users, 'no table of users')).map(([user, held]) => [nameOf(user), namesOf(held, `roles of user ${quoted(user)}`)] as const)),
    roles: tableOf(Object.entries(fieldsOf(roles, 'no table of roles')).map(([role, permissions]) => [nameOf(role), permissionsOf(api, role, permissions)] as const)),
    ...(v2 === undefined ? {} : { v2 }),
    ...(v2Unasked === undefined ? {} : { v2Unasked: namesOf(v2Unasked, 'endpoints of v2 that could not be asked') }),
    ...(unreadable === undefined ? {} : { unreadable: unreadableOf(unreadable) }),
    ...(emptyPasswords === undefined ? {} : { emptyPasswords: namesOf(emptyPasswords, 'users with an empty password') }),
    ...(typeof reads === 'number' ? { reads } : {}),
  }
}

const SEEN: readonly unknown[] = ['open', 'locked', 'absent', 'unknown'] satisfies readonly V2Seen[]
const isSeen = (v2: unknown): v2 is V2Seen | undefined => v2 === undefined || SEEN.includes(v2)

function fieldsOf(value: unknown, reason: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(reason)
  return value as Readonly<Record<string, unknown>>
}

function nameOf(name: unknown): string {
  if (typeof name !== 'string' || name === '' || !isWellFormed(name)) throw invalid(`the name ${quoted(String(name))}, which etcd cannot hold`)
  return name
}

function namesOf(value: unknown, what: string): readonly string[] {
  if (!Array.isArray(value)) throw invalid(`no list of ${what}`)
  return value.map(nameOf)
}

function unreadableOf(value: unknown): NonNullable<AuthState['unreadable']> {
  const { users, roles } = fieldsOf(value, 'names that cannot be asked for, of neither users nor roles')
  return { users: namesOf(users, 'users that cannot be asked for'), roles: namesOf(roles, 'roles that cannot be asked for') }
}

function permissionsOf(api: Api, role: string, value: unknown): readonly StoredPermission[] {
  if (!Array.isArray(value)) throw invalid(`no list of permissions of role ${quoted(role)}`)
  return value.map((given: unknown) => {
    const { type, keys } = fieldsOf(given, `a permission of role ${quoted(role)} that is none`)
    if (!TYPES.includes(type) || (api === 'v2' && type === 'unknown')) throw invalid(`a permission of role ${quoted(role)} of a type that there is not`)
    return { type, keys: api === 'v3' ? storedRange(role, keys) : storedPattern(role, keys) } as StoredPermission
  })
}

/** Total, as reading a server is: a store may hold ranges that no policy may. */
function storedRange(role: string, given: unknown): StoredPermission['keys'] {
  try {
    return fromWire(toWire(given as KeyRange))
  } catch {
    throw invalid(`keys of role ${quoted(role)} that are none`)
  }
}

function storedPattern(role: string, given: unknown): StoredPermission['keys'] {
  const { api, pattern } = fieldsOf(given, `a permission of role ${quoted(role)} without pattern`)
  if (api !== 'v2' || typeof pattern !== 'string') throw invalid(`a permission of role ${quoted(role)} without pattern`)
  return { api, pattern }
}

function invalid(reason: string): EtcdRbacError<'ERR_STATE_INVALID'> {
  return new EtcdRbacError('ERR_STATE_INVALID', { found: `the state of an auth store with ${reason}`, wanted: "what EtcdAuth's state() returned, as JSON", fix: 'export it again' }, { reason })
}
