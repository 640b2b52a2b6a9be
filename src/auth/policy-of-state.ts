/** From a live server to a policy: a draft of what an auth store holds, and what a policy cannot say of it. */
import { EtcdRbacError, quoted } from '../errors.js'
import { nameProblem } from '../names.js'
import { isEmptyInterval, toInterval, toWire } from '../keys/interval.js'
import type { KeyRange } from '../keys/key-range.js'
import { pattern, type PathPattern } from '../keys/pattern.js'
import type { Permission } from '../keys/permission.js'
import { byScope, scopeOf } from '../keys/scope.js'
import { showKeys, showPermission } from '../keys/show.js'
import { parsePolicy } from '../policy/define.js'
import type { Login, Policy } from '../policy/policy.js'
import { checkState } from './check-state.js'
import { isDangling, veilOf } from './dangling.js'
import { standInFor } from './stand-in.js'
import { tableOf, type AuthState, type StoredPermission } from './state.js'
import { visible } from './visible.js'

/** What a policy cannot say of a store. */
export type AdoptCode =
  /** A user other than root holds role root: found first, since nothing that the policy says keeps it from anything. */
  | 'administrator'
  /** A name that the store lists and that cannot be asked for, or a hidden user of v2 with a role that does not exist: not all is known of it, and a policy cannot name it. */
  | 'unreadable'
  /** The same keys are granted twice in one role: as etcd v3 does when a type is changed by hand, which a plan puts in order, or alike, by a client that repeats itself, which does no harm. */
  | 'duplicate-grant'
  /** A range that holds no key, or a pattern that matches nothing or crashes etcd: it grants nothing, and a plan takes it away. */
  | 'empty-grant'
  /** A pattern with a star before its end, on v2: it opens the key that is called so, and no policy can say it. The right is lost. */
  | 'pattern-left-out'
  /** A permission of a type that etcd does not know, and by which it grants nothing: a plan takes it away. */
  | 'unknown-type'
  /** Permissions of role root, which do nothing: left as they are. */
  | 'grant-on-root'
  /** A user holds a role that does not exist: a plan takes it away. */
  | 'dangling-role'
  /**
   * Users of the draft hold a role that no policy may name, or guest on v2, which a policy gives nobody by name: the draft has another one in its place, with
   * the same permissions. A plan makes it, binds them to it, and unbinds them from the one that they had.
   */
  | 'role-renamed'
  /** Users hold role root, and there is none: a plan makes it, for it to be seen. */
  | 'root-role-missing'
  /** There is no role guest on v2: enabling auth would make one that may do everything. A plan makes an empty one. */
  | 'guest-missing'
  /** A user whose name no policy may use: left out. A plan leaves it and its roles alone, but for those of the policy: it loses them and what they grant. */
  | 'user-left-out'
  /** A role whose name no policy may use, and which no user of the draft holds: left out. A plan with `unmanaged: 'keep'` leaves it alone. */
  | 'role-left-out'

/** One thing that the draft says otherwise than the store. */
export interface AdoptFinding {
  readonly code: AdoptCode
  /** The user or role that it is about. */
  readonly name: string
  readonly text: string
  /** Whether planning the draft against the state writes something on its account. */
  readonly planned: boolean
}

/** A draft, and where it differs from what was read. */
export interface AdoptedPolicy {
  readonly policy: Policy
  readonly findings: readonly AdoptFinding[]
}

/** What etcd does not tell. */
export interface AdoptOptions {
  /** How users log in: all alike, or each by name. etcd tells nobody, and a wrong guess would let somebody in or lock somebody out. */
  readonly logins: Login | Readonly<Record<string, Login>>
}

/**
 * A policy that says what an auth store holds, on the API of that store. Planning it against the same state writes nothing but what the findings
 * say: no right is won by adopting a server, and none is lost but by users whose names no policy may use, who lose what the finding `user-left-out` says.
 *
 * @throws {@link EtcdRbacError} `ERR_POLICY_INVALID` where the login of a user is not given
 * @example
 * ```ts
 * import { EtcdAuth, policyOfState, v3Backend } from 'etcd-rbac'
 * import { memoryEtcd } from 'etcd-rbac/testing'
 * const auth = new EtcdAuth(v3Backend(memoryEtcd({ version: '3.5.30' }).auth), { identity: { user: 'root' } })
 * const { policy, findings } = policyOfState(await auth.state(), { logins: 'certificate' })
 * console.log(JSON.stringify(policy), findings.map(({ text }) => text))
 * ```
 */
export function policyOfState(state: AuthState, options: AdoptOptions): AdoptedPolicy {
  checkState(state)
  const asked: unknown = options
  const found: unknown = typeof asked === 'object' && asked !== null && 'logins' in asked ? asked.logins : undefined
  if (typeof found !== 'string' && (typeof found !== 'object' || found === null)) throw new TypeError("options must hold logins: 'certificate', 'password', or a table of users with theirs; etcd tells nobody how they log in")
  const { logins } = options
  const { api } = state
  const findings: AdoptFinding[] = []
  const find = (code: AdoptCode, name: string, text: string, planned: boolean): void => void findings.push({ code, name, text, planned })

  for (const [kind, names] of Object.entries(state.unreadable ?? {}) as (readonly ['users' | 'roles', readonly string[]])[])
    for (const name of names) {
      const veil = kind === 'users' ? veilOf(state, name) : undefined
      const why = veil === undefined ? 'is listed, and cannot be asked for: it may hold role root, and no plan reaches it' : `holds role ${visible(quoted(veil))}, which does not exist, and etcd tells no more of it: it may hold role root; unbind it from that role, which brings the next to light`
      find('unreadable', name, `${kind === 'users' ? 'user' : 'role'} ${visible(quoted(name))} ${why}`, false)
    }
  for (const [user, held] of Object.entries(state.users)) {
    if (user === 'root' || !held.includes('root')) continue
    find('administrator', user, `user ${visible(quoted(user))} holds role root and may do everything${state.enabled ? '' : '; while auth is off, anyone may have made it'}`, false)
  }

  const roles = new Map<string, readonly Permission[]>()
  /** Roles that no user of a policy may hold, and why. */
  const unnamed = new Map<string, string>()
  for (const [role, permissions] of Object.entries(state.roles)) {
    if (role === 'root') {
      if (permissions.length > 0) find('grant-on-root', role, 'role root has permissions of its own, which do nothing: it may do everything', false)
      continue
    }
    const problem = nameProblem('role', role)?.found ?? (api === 'v2' && role.startsWith('_') ? `role ${quoted(role)} begins with "_"` : undefined)
    if (problem === undefined) roles.set(role, grantsOf(role, permissions, find))
    else unnamed.set(role, visible(problem))
  }
  if (api === 'v2' && roles.has('guest')) unnamed.set('guest', 'role "guest" is of those whom nobody knows, and given to nobody by name')
  const taken = new Set([...Object.keys(state.roles), ...Object.values(state.users).flat(), 'root', 'guest'])
  /** By the role in whose place it is: made for the first user who holds that. */
  const standIns = new Map<string, string>()
  const standIn = (role: string): string => {
    const known = standIns.get(role) ?? standInFor(role, taken)
    standIns.set(role, known)
    taken.add(known)
    // What the role itself holds twice or for nothing stays there.
    roles.set(known, grantsOf(role, state.roles[role] ?? [], () => undefined))
    return known
  }
  if (api === 'v2' && !roles.has('guest')) find('guest-missing', 'guest', 'there is no role guest: enabling auth would make one that may do everything', true)

  const bindings = new Map<string, readonly string[]>()
  const users = new Map<string, Login>()
  const unknown: string[] = []
  const leftOut: (readonly [user: string, problem: string])[] = []
  for (const [user, held] of Object.entries(state.users)) {
    const login = typeof logins === 'string' ? logins : Object.hasOwn(logins, user) ? logins[user] : undefined
    const problem = userProblem(user, login, api)
    if (problem !== undefined) {
      leftOut.push([user, visible(problem)])
      continue
    }
    if (login === undefined) {
      unknown.push(user)
      continue
    }
    users.set(user, login)
    for (const role of new Set(held)) if (role !== 'root' && !Object.hasOwn(state.roles, role)) find('dangling-role', user, `user ${visible(quoted(user))} holds role ${visible(quoted(role))}, which does not exist`, true)
    bindings.set(user, [...new Set(held)].flatMap((role) => (unnamed.has(role) ? standIn(role) : role === 'root' || roles.has(role) ? role : [])))
  }
  for (const [role, problem] of unnamed) {
    const known = standIns.get(role)
    if (known !== undefined) find('role-renamed', role, `${problem}: the policy has role ${quoted(known)} in its place, with the same permissions, for the users whom it names`, true)
    else if (role !== 'guest') find('role-left-out', role, `${problem}: the policy does not name it`, false)
  }
  for (const [user, problem] of leftOut) {
    const held = [...new Set(state.users[user])]
    const lost = held.filter((role) => roles.has(role))
    // Then a plan makes role guest, and before that unbinds what may hide it.
    const isBare = !roles.has('guest') && held.some((role) => isDangling(state, role))
    find('user-left-out', user, `${problem}: the policy does not name it${lost.length > 0 ? `, and whoever it does not name loses its roles, here ${lost.map((role) => visible(quoted(role))).join(', ')}, and what they grant` : isBare ? ', and it holds a role that does not exist' : ''}`, lost.length > 0 || isBare)
  }
  if (unknown.length > 0) {
    const problems = unknown.map((user) => ({ path: `$.logins[${JSON.stringify(user)}]`, code: 'ERR_USER_LOGIN', message: 'found nothing, wanted "certificate" or "password"' }) as const)
    throw new EtcdRbacError('ERR_POLICY_INVALID', { found: `no login for ${unknown.slice(0, 10).map(quoted).join(', ')}${unknown.length > 10 ? ` and ${unknown.length - 10} more` : ''}`, wanted: 'to know how each user logs in, which etcd does not tell', fix: 'name the login of each, or one for all' }, { problems })
  }
  if (api === 'v3' && !Object.hasOwn(state.roles, 'root') && [...bindings.values()].some((held) => held.includes('root')))
    find('root-role-missing', 'root', 'users hold role root, and there is no such role: etcd lets them do everything all the same', true)

  const guest = roles.get('guest') ?? []
  if (api === 'v2') roles.delete('guest')
  const half = { roles: tableOf(roles), bindings: tableOf(bindings) }
  return { policy: parsePolicy({ users: tableOf(users), [api]: api === 'v2' ? { guest, ...half } : half }), findings }
}

/** Why no policy may name that user. */
function userProblem(user: string, login: Login | undefined, api: AuthState['api']): string | undefined {
  const problem = nameProblem('user', user)?.found
  if (problem !== undefined || api === 'v3') return problem
  if (user.startsWith('_')) return `user ${quoted(user)} begins with "_"`
  return user.includes(':') && login === 'password' ? `user ${quoted(user)} holds ":" and logs in by password, which HTTP cannot carry` : undefined
}

/** The permissions of a role that grant something, one for each scope. */
function grantsOf(role: string, permissions: readonly StoredPermission[], find: (code: AdoptCode, name: string, text: string, planned: boolean) => void): readonly Permission[] {
  const sound = permissions.filter((permission): permission is Permission => {
    if (permission.type === 'unknown') find('unknown-type', role, `role ${quoted(role)} has a permission on ${visible(showKeys(permission.keys))} of a type that etcd does not know`, true)
    else if (grantsSomething(permission.keys)) return true
    else if (isLiteral(permission.keys)) find('pattern-left-out', role, `role ${quoted(role)} grants ${visible(showPermission(permission))}: etcd takes "*" before the end for itself, and no policy has such a pattern; the right to that one key is lost`, true)
    else find('empty-grant', role, `role ${quoted(role)} grants ${visible(showPermission(permission))}, which opens nothing`, true)
    return false
  })
  const scopes = new Map<string, Permission['type'][]>()
  for (const { type, keys } of sound) scopes.set(scopeOf(keys), [...(scopes.get(scopeOf(keys)) ?? []), type])
  const kept = byScope(sound)
  for (const [scope, types] of scopes) {
    const permission = kept.get(scope)
    if (types.length > 1 && permission !== undefined) find('duplicate-grant', role, `role ${quoted(role)} has ${types.length} permissions on the same keys, which add up to ${visible(showPermission(permission))}`, permission.keys.api === 'v3' && new Set(types).size > 1)
  }
  return [...kept.values()]
}

/** Whether a pattern of v2 has a star that is none: it opens the key that is called so. */
const isLiteral = (keys: KeyRange | PathPattern): boolean => keys.api === 'v2' && keys.pattern.startsWith('/') && keys.pattern.slice(0, -1).includes('*')

function grantsSomething(keys: KeyRange | PathPattern): boolean {
  if (keys.api === 'v3') return toWire(keys).key.length > 0 && !isEmptyInterval(toInterval(keys))
  try {
    pattern(keys.pattern)
    return true
  } catch {
    return false
  }
}
