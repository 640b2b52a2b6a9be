/** The v3 auth store over the raw Auth RPCs (etcd server/auth/store.go). */
import { EtcdRbacError, isEtcdRbacError } from '../../errors.js'
import { checkFields } from '../../known-fields.js'
import type { WebCryptoLike } from '../../platform.js'
import { toWire } from '../../keys/interval.js'
import type { Permission } from '../../keys/permission.js'
import { passwordWayProblems, type Backend, type CallContext } from '../backend.js'
import { checkStep } from '../check-step.js'
import type { MaintenanceClient } from '../observe.js'
import { refuseEmptyPassword } from '../passwords.js'
import { randomPassword } from '../random-password.js'
import type { Write } from '../step.js'
import { isAtLeast, lowestVersion, olderThan, refuseContradicted, type Release } from '../version.js'
import { askedVersions } from './asked-versions.js'
import { failover, type Ask } from './failover.js'
import { v3Failure } from './failures.js'
import { enabledIn, namesIn, permissionsIn, WIRE_TYPES } from './replies.js'
import { seeV2, type V2Door } from './see-v2.js'
import { etcd3Transport, type AuthMethod, type AuthRpcs, type Etcd3AuthClient, type V3Transport, type WirePermission } from './transport.js'
import { visible } from '../visible.js'

/** etcd takes them one after the other all the same, but writes several of them to disk at once; more than so many gain nothing. */
const WRITES_AT_ONCE = 16

/** What the v3 backend may be told beside its client. */
export interface V3BackendOptions {
  /** The versions of all members, where the caller knows them. A server that answers as an older one than all of them is refused: they are relied on. */
  readonly versions?: readonly string[]
  /**
   * `etcd.maintenance`, to ask the member that answers for its version, or a list of them: then the lowest version of those that answer counts. Without
   * either, only "3.5 or newer" can be told. What some members answer proves no more of the others than the minor release before: while etcd is upgraded
   * member by member, they differ by one. To rely on more, ask all of them ({@link observe}) and pass `versions`. Newer releases of etcd want a user who
   * asks, and some of them role root.
   */
  readonly maintenance?: MaintenanceClient | readonly MaintenanceClient[]
  /** For the random passwords that certificate users get where a member may be older than 3.4 and would leave the password empty. */
  readonly crypto?: WebCryptoLike
  /**
   * Where the v2 API of the same server would be, to see whether it is open while v3 is being locked. Without it, a plan that turns auth on warns of v2 on
   * 3.4 and 3.5, and is blocked on 3.3, which serves it unless told otherwise. A member that does not answer there may be open: it blocks such a plan, and
   * nothing else.
   */
  readonly v2?: V2Door
}

/** etcd3's `auth` client, or any other way to the Auth RPCs. */
export type V3Client = Etcd3AuthClient | V3Transport

/**
 * The v3 auth store behind etcd3's `auth` client, or behind any {@link V3Transport}; of several, one for each member, another is asked where one is a
 * learner, has no leader or does not answer. Sends nothing until it is asked, each write once and to one member, and no request that could kill a server
 * (etcd `server/auth/store.go`). Its calls reject with {@link EtcdRbacError}.
 *
 * @throws `TypeError` for what is no client, and for options that nobody reads
 * @example
 * ```ts
 * import { Etcd3 } from 'etcd3'
 * import { EtcdAuth, etcd3Options, v3Backend } from 'etcd-rbac'
 * declare const pem: { ca: string; certificate: string; key: string }
 * const etcd = new Etcd3(etcd3Options({ hosts: ['https://10.0.0.10:2379'], ...pem }))
 * const auth = new EtcdAuth(v3Backend(etcd.auth, { maintenance: etcd.maintenance }), { identity: { user: 'root' } })
 * ```
 */
export function v3Backend(client: V3Client | readonly V3Client[], options: V3BackendOptions = {}): Backend {
  const [first, ...others] = listOf(client).map((one) => {
    if (isTransport(one)) return one
    if (!has(one, 'userList')) throw new TypeError("v3Backend wants a client: etcd3's `auth`, or a transport with `call`")
    return etcd3Transport(one)
  })
  if (first === undefined) throw new TypeError('v3Backend wants a client, or a list of at least one')
  checkOptions(options)
  return backendOver(failover([first, ...others]), options, [first, ...others].find(({ byPassword }) => byPassword !== undefined)?.byPassword)
}

const listOf = <T>(given: T | readonly T[]): readonly T[] => (Array.isArray(given) ? (given as readonly T[]) : [given as T])
const has = (value: unknown, method: string): boolean => typeof value === 'object' && value !== null && typeof (value as Readonly<Record<string, unknown>>)[method] === 'function'
const isTransport = (client: V3Client): client is V3Transport => has(client, 'call')

function checkOptions(options: V3BackendOptions): void {
  checkFields(options, ['versions', 'maintenance', 'crypto', 'v2'], 'the options of v3Backend')
  const { versions = [], maintenance = [], v2 } = options
  if (!Array.isArray(versions)) throw new TypeError('versions must be a list, of those of all members')
  if (!listOf(maintenance).every((one) => has(one, 'status'))) throw new TypeError('maintenance must have a method status, as etcd.maintenance has, or be a list of such')
  if (v2 === undefined) return
  checkFields(v2, ['fetch', 'endpoints'], 'the options v2')
  if (typeof v2.fetch !== 'function') throw new TypeError('v2.fetch must be a function like fetch')
  const { endpoints } = v2
  if (!Array.isArray(endpoints) || endpoints.length === 0 || !endpoints.every((url) => typeof url === 'string' && /^https?:\/\/./i.test(url))) throw new TypeError('v2.endpoints must be a list of at least one URL: https://10.0.0.10:2379')
}

function backendOver(ask: Ask, options: V3BackendOptions, byPassword: V3Transport['byPassword']): Backend {
  const { v2, versions: stated = [] } = options
  /** What some members answer proves no more of the others than the minor release before. */
  const whose: Pick<Release, 'versionOf'> = stated.length > 0 ? {} : { versionOf: 'some' }
  /** That a member answered as 3.5 or newer. */
  let isModern = false
  const call = async <M extends AuthMethod>(method: M, request: AuthRpcs[M]['request'], context: CallContext): Promise<AuthRpcs[M]['reply']> => {
    context.sent?.(method)
    try {
      return await ask(method, request, context)
    } catch (error) {
      throw isEtcdRbacError(error) ? error : v3Failure(error, method, context)
    }
  }
  const isMissing = (error: unknown, text: string): boolean => isEtcdRbacError(error, 'ERR_SERVER') && error.detail.message.includes(text)

  /** Whether every member is 3.4 or newer: each applies a write by itself, and an older one ignores `no_password`. */
  const knowsNoPassword = (version: string | undefined): boolean => isAtLeast({ version, ...whose }, 4)
  const emptyFor = (version: string | undefined, users: string): string => `${olderThan({ version, ...whose }, 4)} gives ${users} an empty password`

  /** Whether auth is on, and whether the server is new enough (3.5) to say so directly. */
  const status = async (context: CallContext): Promise<{ readonly enabled: boolean; readonly direct: boolean }> => {
    try {
      const enabled = enabledIn(await call('authStatus', {}, context))
      isModern = true
      return { enabled, direct: true }
    } catch (error) {
      if (!(isEtcdRbacError(error, 'ERR_SERVER') && error.detail.code === 'UNIMPLEMENTED')) throw error
    }
    refuseContradicted(stated, { olderThan: 5 })
    try {
      // Older servers tell by refusing to log anyone in. This user does not exist, so that no password is computed.
      await call('authenticate', { name: 'etcd-rbac-probe', password: 'etcd-rbac-probe' }, context)
      return { enabled: true, direct: false }
    } catch (error) {
      if (isMissing(error, 'authentication is not enabled')) return { enabled: false, direct: false }
      if (isEtcdRbacError(error, 'ERR_NOT_AUTHENTICATED')) return { enabled: true, direct: false }
      throw error
    }
  }

  return {
    api: 'v3',
    ...whose,
    writesAtOnce: WRITES_AT_ONCE,
    readEnabled: async (context) => (await status(context)).enabled,
    readVersion: async (context) => {
      const asked = lowestVersion(await askedVersions(listOf(options.maintenance ?? []), context))
      if (asked !== undefined) refuseContradicted(stated, asked)
      const lowest = lowestVersion([...stated, ...(asked === undefined ? [] : [asked])])
      if (lowest === undefined) return (await status(context)).direct ? '3.5' : undefined
      // Of 3.5 and newer each says so itself: whoever does not is older, whatever was stated.
      if (stated.length > 0 && !isModern && isAtLeast({ version: lowest }, 5)) await status(context)
      return lowest
    },
    listUsers: async (context) => namesIn('userList', await call('userList', {}, context), 'users'),
    listRoles: async (context) => namesIn('roleList', await call('roleList', {}, context), 'roles'),
    readUser: async (user, context) => {
      try {
        return namesIn('userGet', await call('userGet', { name: user }, context), 'roles')
      } catch (error) {
        if (!isMissing(error, 'user name not found')) throw error
        // etcd says the same of a caller whom it does not know. Only a request that names nobody tells one from the other.
        await call('userList', {}, context)
        return undefined
      }
    },
    readRole: async (role, context) => {
      try {
        return permissionsIn(role, await call('roleGet', { role }, context))
      } catch (error) {
        if (isMissing(error, 'role name not found')) return undefined
        throw error
      }
    },
    ...(v2 === undefined ? {} : { readV2: (context: CallContext) => seeV2(v2, context) }),
    acceptsEmptyPassword: async (user, context) => {
      try {
        await call('authenticate', { name: user, password: '' }, context)
        return true
      } catch (error) {
        // Refused, also because the user has no password to log in by.
        if (isEtcdRbacError(error, 'ERR_NOT_AUTHENTICATED')) return false
        throw error
      }
    },
    ...(byPassword === undefined ? {} : { byPassword }),
    blockers: ({ version }, steps) => {
      const withoutPassword = steps.flatMap((step) => (step.do === 'addUser' && step.login === 'certificate' ? [step.user] : []))
      const problems = passwordWayProblems({ ...(byPassword && { byPassword }) }, { enabling: steps.some((step) => step.do === 'enable'), withoutPassword })
      if (withoutPassword.length === 0 || options.crypto !== undefined || knowsNoPassword(version)) return problems
      return [...problems, `${emptyFor(version, 'certificate users')}: pass { crypto } to v3Backend for random ones, or the { versions } of all members if each is 3.4 or newer`]
    },
    perform: async (step, { password, version }, context) => {
      checkStep('v3', step)
      refuseEmptyPassword(step, password)
      if (step.do === 'dropPassword' && options.crypto === undefined)
        throw new EtcdRbacError('ERR_CRYPTO_UNUSABLE', { found: 'no crypto to draw a random password from', wanted: 'a WebCrypto', fix: 'pass { crypto } to v3Backend' }, { missing: 'crypto' })
      const drawn = step.do === 'dropPassword' || (step.do === 'addUser' && !knowsNoPassword(version))
      const random = drawn && options.crypto !== undefined ? randomPassword(options.crypto) : undefined
      if (step.do === 'addUser' && password === undefined && random === undefined && !knowsNoPassword(version)) {
        const wanted = 'etcd 3.4 or newer on every member, or crypto for a random password'
        throw new EtcdRbacError('ERR_VERSION_UNKNOWN', { found: emptyFor(version, `user ${visible(step.user)}`), wanted, fix: 'pass { crypto }, or the { versions } of all members, to v3Backend' }, { wanted })
      }
      await performV3(step, password ?? random, (method, request) => call(method, request, context))
    },
  }
}

type Send = <M extends AuthMethod>(method: M, request: AuthRpcs[M]['request']) => Promise<object>

/** Sends one step. A certificate user without a password is one who cannot log in by any. */
function performV3(step: Write, password: string | undefined, send: Send): Promise<object> {
  switch (step.do) {
    case 'enable':
      return send('authEnable', {})
    case 'disable':
      return send('authDisable', {})
    case 'setPassword':
    case 'dropPassword':
      return send('userChangePassword', { name: step.user, password: password ?? '' })
    case 'addUser':
      return send('userAdd', password === undefined ? { name: step.user, password: '', options: { no_password: true } } : { name: step.user, password })
    case 'deleteUser':
      return send('userDelete', { name: step.user })
    case 'bindRole':
      return send('userGrantRole', { user: step.user, role: step.role })
    case 'unbindRole':
      return send('userRevokeRole', { name: step.user, role: step.role })
    case 'addRole':
      return send('roleAdd', { name: step.role })
    case 'deleteRole':
      return send('roleDelete', { role: step.role })
    case 'grantPermission':
      return send('roleGrantPermission', { name: step.role, perm: toWirePermission(step.permission) })
    case 'revokePermission':
      return send('roleRevokePermission', { role: step.role, ...toWireKeys(step.permission.keys) })
  }
}

function toWirePermission({ type, keys }: Permission): WirePermission {
  return { permType: WIRE_TYPES[type], ...toWireKeys(keys) }
}

function toWireKeys(keys: Permission['keys']): Pick<WirePermission, 'key' | 'range_end'> {
  if (keys.api !== 'v3') throw new TypeError('a v2 pattern cannot be granted on the v3 API')
  const { key, rangeEnd } = toWire(keys)
  return { key, range_end: rangeEnd }
}
