/** Reading an auth store: all of it, or whether one step's effect is there. */
import { EtcdRbacError, isEtcdRbacError } from '../errors.js'
import { allows } from '../keys/permission.js'
import { scopeOf } from '../keys/scope.js'
import { eachAtOnce } from './at-once.js'
import type { Backend, CallContext } from './backend.js'
import { isDangling } from './dangling.js'
import { compareNames, tableOf, type AuthState } from './state.js'
import type { Write } from './step.js'
import { byScope } from './wanted.js'

/** Reads in flight at once: etcd answers that many about three times as fast as one by one, and more gain nothing. */
const READS_AT_ONCE = 16

/** What is read beside what a store lists. */
export interface ReadOptions {
  /** Users to look for by name, since the store may hide them. */
  readonly hiddenUsers?: readonly string[]
  /** Whether to try the empty password of every user: about 65 ms of a core of the server each. */
  readonly probeEmptyPasswords?: boolean
}

/** Reads all of a store. Every read is an entry in etcd's raft log, so callers read once and keep the result. */
export async function readState(backend: Backend, { sent, ...rest }: CallContext, { hiddenUsers = [], probeEmptyPasswords = false, looksAtV2 = true }: ReadOptions & { readonly looksAtV2?: boolean } = {}): Promise<AuthState> {
  let reads = 0
  const context: CallContext = { ...rest, sent: (method) => (reads++, sent?.(method)) }
  const next = <T>(read: () => Promise<T>): Promise<T> => {
    refuseAborted(context)
    return read()
  }
  const enabled = await next(() => backend.readEnabled(context))
  const version = await next(() => backend.readVersion(context))
  const listUsers = (): Promise<readonly string[]> => next(() => backend.listUsers(context))
  const listRoles = (): Promise<readonly string[]> => next(() => backend.listRoles(context))
  const { found: users, listed, unreadable: lostUsers } = await readListed(listUsers, hiddenUsers, (user) => backend.readUser(user, context), context)
  // A role may be held without being listed: what etcd v2 hides, it tells by name. Role root is etcd's own.
  const heldRoles = users.flatMap(([, held]) => held.filter((role) => !['root', '.', '..'].includes(role)))
  const { found: roles, unreadable: lostRoles } = await readListed(listRoles, heldRoles, (role) => backend.readRole(role, context), context)
  // A role that a user holds may have such a name, too: it is in no list where it does not exist.
  const stored = { api: backend.api, users: tableOf(users), roles: tableOf(roles) }
  // Of a user whom it does not list, etcd v2 tells nothing beside a role that does not exist.
  const veiled = users.flatMap(([user, held]) => (!listed.has(user) && held.some((role) => isDangling(stored, role)) ? [user] : []))
  const unreadable = { users: [...lostUsers, ...veiled].sort(compareNames), roles: [...new Set([...lostRoles, ...users.flatMap(([, held]) => held.filter(isMangled))])].sort(compareNames) }
  // No entry of the log of v3, so not counted; asked only while v3 is still to be locked.
  const v2 = enabled || !looksAtV2 ? undefined : await next(async () => backend.readV2?.(rest))
  const accepts = (user: string): Promise<true | undefined> => Promise.resolve(backend.acceptsEmptyPassword?.(user, context)).then((does) => (does === true ? true : undefined))
  const emptyPasswords = probeEmptyPasswords && enabled ? (await readEach(users.map(([user]) => user), accepts, context)).map(([user]) => user).sort(compareNames) : undefined
  return { ...stored, version, ...(backend.versionOf && { versionOf: backend.versionOf }), enabled, ...v2, ...(unreadable.users.length + unreadable.roles.length > 0 && { unreadable }), ...(emptyPasswords && { emptyPasswords }), reads }
}

function refuseAborted({ signal }: CallContext): void {
  if (signal?.aborted !== true) return
  throw new EtcdRbacError('ERR_ABORTED', { found: 'the signal to stop while the store was read', wanted: 'to go on', fix: 'read or plan again: nothing was written' }, { stepsDone: 0 }, signal.reason)
}

/** Where bytes were no UTF-8, a decoder has put this: another name may read the same. */
const isMangled = (name: string): boolean => name.includes('\ufffd')

/** Reads what is listed and what is asked for beside it. What has gone meanwhile is left out; what is still listed, or was never text, is told. */
async function readListed<T>(
  list: () => Promise<readonly string[]>,
  more: readonly string[],
  read: (name: string) => Promise<T | undefined>,
  context: CallContext,
): Promise<{ readonly found: readonly (readonly [string, T])[]; readonly listed: ReadonlySet<string>; readonly unreadable: readonly string[] }> {
  const listed = await list()
  const names = [...new Set([...listed, ...more])].filter((name) => !isMangled(name))
  const broken: string[] = []
  const readOrTell = async (name: string): Promise<T | undefined> =>
    read(name).catch((error: unknown) => {
      if (!isEtcdRbacError(error, 'ERR_UNREADABLE')) throw error
      broken.push(name)
      return undefined
    })
  const found = await readEach(names, readOrTell, context)
  const known = new Set(found.map(([name]) => name))
  const absent = listed.filter((name) => !isMangled(name) && !known.has(name) && !broken.includes(name))
  const still = absent.length === 0 ? new Set<string>() : new Set(await list())
  return { found, listed: new Set(listed), unreadable: [...new Set([...broken, ...listed.filter(isMangled), ...absent.filter((name) => still.has(name))])].sort(compareNames) }
}

/** Reads one by one name, several at a time. What has gone since it was listed is left out. */
async function readEach<T>(names: readonly string[], read: (name: string) => Promise<T | undefined>, context: CallContext): Promise<readonly (readonly [string, T])[]> {
  const found: (readonly [string, T])[] = []
  await eachAtOnce(names, READS_AT_ONCE, async (name) => {
    refuseAborted(context)
    const value = await read(name)
    if (value !== undefined) found.push([name, value])
  })
  return found
}

/** Whether the effect of a write is there, as far as the store tells. */
export async function holds(backend: Backend, step: Write, context: CallContext): Promise<boolean> {
  switch (step.do) {
    case 'enable':
      return backend.readEnabled(context)
    case 'disable':
      return !(await backend.readEnabled(context))
    case 'setPassword':
    case 'dropPassword':
      // No store tells a password.
      return false
    case 'addUser':
      return (await backend.readUser(step.user, context)) !== undefined
    case 'deleteUser':
      return (await backend.readUser(step.user, context)) === undefined
    case 'addRole':
      return (await backend.readRole(step.role, context)) !== undefined
    case 'deleteRole':
      return (await backend.readRole(step.role, context)) === undefined
    case 'bindRole':
      return (await backend.readUser(step.user, context))?.includes(step.role) === true
    case 'unbindRole':
      return (await backend.readUser(step.user, context))?.includes(step.role) !== true
    case 'grantPermission':
    case 'revokePermission': {
      const { type, keys } = step.permission
      const stored = ((await backend.readRole(step.role, context)) ?? []).filter((permission) => scopeOf(permission.keys) === scopeOf(keys))
      if (step.do === 'grantPermission') return byScope(stored).get(scopeOf(keys))?.type === type
      return !stored.some((left) => left.type === 'unknown' || type === 'unknown' || (['read', 'write'] as const).some((access) => allows(left.type, access) && allows(type, access)))
    }
  }
}
