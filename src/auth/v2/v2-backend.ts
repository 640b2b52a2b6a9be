/**
 * The v2 auth store over HTTP (etcd 3.5 server/etcdserver/api/v2auth). Its writes are read-modify-write without a lock: one writer at a time,
 * and every result is read back.
 */
import { EtcdRbacError, isEtcdRbacError } from '../../errors.js'
import { checkFields } from '../../known-fields.js'
import type { FetchLike, WebCryptoLike } from '../../platform.js'
import { allows, type Permission, type PermissionType } from '../../keys/permission.js'
import type { Backend, CallContext } from '../backend.js'
import { checkStep } from '../check-step.js'
import { refuseEmptyPassword } from '../passwords.js'
import { randomPassword } from '../random-password.js'
import { scopeOf } from '../../keys/scope.js'
import type { Write } from '../step.js'
import { lowestVersion } from '../version.js'
import { visible } from '../visible.js'
import { v2Failure, v2Request, type V2Answer } from './http.js'
import { enabledIn, permissionsIn, roleNamesIn, tableIn, usersIn } from './replies.js'

/** What the v2 backend needs. */
export interface V2BackendOptions {
  readonly fetch: FetchLike
  /** The URL of one member: `https://10.0.0.10:2379`. Always the same one, since writes are not seen everywhere at once. */
  readonly endpoint: string
  /** For the passwords that every v2 user must have: random ones, forgotten at once, where users log in by certificate. */
  readonly crypto: WebCryptoLike
}

interface Lists {
  readonly read: readonly string[]
  readonly write: readonly string[]
}

const EMPTY: Lists = { read: [], write: [] }

/**
 * The v2 auth store behind a fetch-like function, which carries the client certificate. Sends nothing until it is asked. A redirect is an error, never
 * followed (etcd `server/etcdserver/api/v2http/client_auth.go`). Its calls reject with {@link EtcdRbacError}.
 *
 * @throws `TypeError` for options that are missing, misspelt or of the wrong type
 * @example
 * ```ts
 * import { EtcdAuth, v2Backend, type FetchLike } from 'etcd-rbac'
 * declare const fetchWithCertificate: FetchLike
 * const auth = new EtcdAuth(v2Backend({ fetch: fetchWithCertificate, endpoint: 'https://10.0.0.10:2379', crypto }), { identity: { user: 'root' } })
 * ```
 */
export function v2Backend(options: V2BackendOptions): Backend {
  checkOptions(options)
  const { fetch, endpoint, crypto } = options
  const request = v2Request(fetch, endpoint)
  const url = (kind: 'users' | 'roles', name: string): string => {
    // Every client would ask for another path instead.
    if (name === '.' || name === '..') throw new EtcdRbacError('ERR_NAME_INVALID', { found: `a name that is ${name}`, wanted: 'one that a URL can hold', fix: 'correct it: no user or role of v2 has that name' }, { kind: kind === 'users' ? 'user' : 'role', name })
    return `/v2/auth/${kind}/${encodeURIComponent(name)}`
  }
  const read = async (path: string, context: CallContext): Promise<V2Answer> => {
    const answer = await request('GET', path, context)
    if (answer.status !== 200 && answer.status !== 404) throw v2Failure(`GET ${path}`, answer)
    return answer
  }
  const write = async (method: 'PUT' | 'DELETE', path: string, context: CallContext, body?: object): Promise<V2Answer> => {
    const answer = await request(method, path, context, body)
    if (answer.status !== 200 && answer.status !== 201) throw v2Failure(`${method} ${path}`, answer)
    return answer
  }
  const changeRole = (role: string, from: PermissionType | undefined, to: PermissionType | undefined, { keys }: Permission, context: CallContext): Promise<unknown> => {
    const lists = (has: PermissionType | undefined, hasNot: PermissionType | undefined): Lists | undefined => {
      const [read = [], write = []] = (['read', 'write'] as const).map((access) =>
        has !== undefined && allows(has, access) && !(hasNot !== undefined && allows(hasNot, access)) ? [scopeOf(keys)] : [],
      )
      return read.length + write.length === 0 ? undefined : { read, write }
    }
    const [grant, revoke] = [lists(to, from), lists(from, to)]
    return write('PUT', url('roles', role), context, { role, ...(grant && { grant: { kv: grant } }), ...(revoke && { revoke: { kv: revoke } }) })
  }
  const setPassword = async (user: string, password: string | undefined, context: CallContext): Promise<unknown> => {
    // PUT would make a user that is not there.
    const answer = await read(url('users', user), context)
    if (isGone(answer, 'User')) throw v2Failure(`PUT ${url('users', user)}`, answer)
    return write('PUT', url('users', user), context, { user, password })
  }

  const send = async (step: Write, password: string | undefined, context: CallContext): Promise<unknown> => {
    switch (step.do) {
      case 'enable':
        return write('PUT', '/v2/auth/enable', context)
      case 'disable':
        return write('DELETE', '/v2/auth/enable', context)
      case 'setPassword':
        return setPassword(step.user, password, context)
      case 'dropPassword':
        return setPassword(step.user, randomPassword(crypto), context)
      case 'addUser': {
        // With roles PUT makes a user, or refuses.
        if (step.roles !== undefined) return write('PUT', url('users', step.user), context, { user: step.user, password: password ?? randomPassword(crypto), roles: step.roles })
        // Without, it makes one or silently replaces its password: only the user's absence tells which.
        const answer = await read(url('users', step.user), context)
        const absent = answer.status === 404 && answer.message.startsWith('auth: User ')
        const exists = v2Failure(`PUT ${url('users', step.user)}`, { status: 409, text: '', message: `auth: User ${step.user} already exists.` })
        if (!absent) throw exists
        // Made by somebody else in between, who is not told either: 201 is for what is new.
        const made = await write('PUT', url('users', step.user), context, { user: step.user, password: password ?? randomPassword(crypto) })
        if (made.status !== 201) throw exists
        return made
      }
      case 'deleteUser':
        return write('DELETE', url('users', step.user), context)
      case 'bindRole':
        return write('PUT', url('users', step.user), context, { user: step.user, grant: [step.role] })
      case 'unbindRole':
        return write('PUT', url('users', step.user), context, { user: step.user, revoke: [step.role] })
      case 'addRole':
        return write('PUT', url('roles', step.role), context, { role: step.role, permissions: { kv: EMPTY } })
      case 'deleteRole':
        return write('DELETE', url('roles', step.role), context)
      case 'grantPermission':
        return changeRole(step.role, step.replaces, step.permission.type, step.permission, context)
      case 'revokePermission':
        if (step.permission.type === 'unknown') throw new TypeError('etcd v2 has no permissions of an unknown type')
        return changeRole(step.role, step.permission.type, undefined, step.permission, context)
    }
  }

  /**
   * etcd breaks off where a user holds a role whose name no URL can carry ("", ".", ".."). That it does so again, and answers otherwise, tells it from a
   * connection that was cut.
   */
  const readUserTwice = (user: string, context: CallContext): Promise<V2Answer> => {
    const ask = (): Promise<V2Answer> => read(url('users', user), context)
    return ask().catch(async (error: unknown) => {
      if (!isEtcdRbacError(error, 'ERR_UNREACHABLE')) throw error
      return ask().catch(async (again: unknown) => {
        if (!isEtcdRbacError(again, 'ERR_UNREACHABLE')) throw again
        await read('/v2/auth/users', context).catch(() => {
          throw error
        })
        throw new EtcdRbacError('ERR_UNREADABLE', { found: `user ${visible(user)}, over whom etcd breaks off: it holds a role whose name is "", "." or ".."`, wanted: 'a user that can be asked for', fix: 'delete it, and make it again' }, { kind: 'user', name: user }, again)
      })
    })
  }

  /** Whether this is an etcd that serves v2 itself has been seen. */
  let isGenuine = false
  const readVersion: Backend['readVersion'] = async (context) => {
    const table = tableIn('GET /version', await read('/version', context).catch(refuseEmulation))
    const [etcdserver, etcdcluster] = [table['etcdserver'], table['etcdcluster']].map((found) => (typeof found === 'string' && /^\d+\.\d+/.test(found) ? found : undefined))
    // The cluster version is the lowest minor among the members; the server's own patch number is only worth more within that minor.
    const sameMinor = etcdserver !== undefined && etcdcluster !== undefined && etcdserver.startsWith(etcdcluster.replace(/\d+$/, ''))
    isGenuine = true
    return sameMinor ? lowestVersion([etcdserver]) : lowestVersion([etcdserver, etcdcluster].filter((known) => known !== undefined))
  }

  return {
    api: 'v2',
    writesAtOnce: 1,
    readVersion,
    readEnabled: async (context) => enabledIn('GET /v2/auth/enable', await read('/v2/auth/enable', context)),
    listUsers: async (context) => usersIn('GET /v2/auth/users', await read('/v2/auth/users', context)).map(({ user }) => user),
    // etcd lists its virtual role root, which cannot be changed.
    listRoles: async (context) => roleNamesIn('GET /v2/auth/roles', await read('/v2/auth/roles', context)).filter((role) => role !== 'root'),
    readUser: async (user, context) => {
      const answer = await readUserTwice(user, context)
      if (isGone(answer, 'User')) return undefined
      // The user is there, but holds a role that is not: etcd names the first such role instead of answering, and those that exist in its list.
      const [, dangling] = /^auth: Role (.*) does not exist\.$/s.exec(answer.message) ?? []
      if (answer.status !== 404 || dangling === undefined) return roleNamesIn(`GET ${url('users', user)}`, answer)
      const users = usersIn('GET /v2/auth/users', await read('/v2/auth/users', context))
      return [...(users.find((found) => found.user === user)?.roles ?? []), dangling]
    },
    readRole: async (role, context) => {
      // A user may hold such a name, and no role has it.
      if (role === '' || role.includes('/')) return undefined
      const answer = await read(url('roles', role), context)
      return isGone(answer, 'Role') ? undefined : permissionsIn(`GET ${url('roles', role)}`, answer)
    },
    blockers: () => [],
    perform: async (step, { password }, context) => {
      checkStep('v2', step)
      refuseEmptyPassword(step, password)
      if (!isGenuine) await readVersion(context)
      await send(step, password, context)
    },
  }
}

function checkOptions(options: unknown): void {
  const given = (options ?? {}) as { readonly [Field in keyof V2BackendOptions]?: unknown }
  checkFields(given, ['fetch', 'endpoint', 'crypto'], 'the options of v2Backend')
  const { fetch, endpoint, crypto } = given
  if (typeof fetch !== 'function') throw new TypeError('fetch must be a function like fetch, which carries the client certificate')
  if (typeof endpoint !== 'string' || !/^https?:\/\/./.test(endpoint)) throw new TypeError('endpoint must be the URL of one member: https://host:port')
  if (typeof crypto !== 'object' || crypto === null || !('getRandomValues' in crypto) || typeof crypto.getRandomValues !== 'function') throw new TypeError('crypto must be a WebCrypto object, for random passwords')
}

/** A server that answered before and cuts `/version` off keeps v2 data in its v3 store, where anybody who may read that reads and changes users. */
function refuseEmulation(error: unknown): never {
  if (!isEtcdRbacError(error, 'ERR_UNREACHABLE')) throw error
  const { reason } = error.detail
  throw new EtcdRbacError('ERR_UNREACHABLE', { found: `GET /version was cut off by a server that answers /v2/auth/enable (${reason}), as one does that emulates v2 on v3`, wanted: 'an etcd that serves v2 itself', fix: 'start etcd without --experimental-enable-v2v3: its v2 users ignore certificates and lie open in the v3 keys; if it does not have that flag, check the connection' }, { reason }, error)
}

/** Whether etcd itself says that it is not there. Any other 404 is somebody else's, and must not read as "no such user". */
function isGone({ status, message }: V2Answer, what: 'User' | 'Role'): boolean {
  return status === 404 && ((message.startsWith(`auth: ${what} `) && /does not exist\.$/.test(message)) || message.startsWith('Key not found'))
}
