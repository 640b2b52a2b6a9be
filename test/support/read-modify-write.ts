/**
 * The v2 auth API as it is under several writers: a change of a role or a user is read-modify-write without a lock (server/etcdserver/api/v2auth/auth.go,
 * `UpdateRole` and `UpdateUser`), so that what another has written in between is lost, with 200 for both.
 *
 * The double does each request at once. Here it is asked twice for a change: for the record that is changed, and, after another turn, to hold what that
 * one comes to. What makes or deletes a record is one write in etcd too.
 */
import type { FetchLike, ResponseLike } from '../../src/platform.js'
import { gatedFetch } from './gated.js'
import type { Turn } from './interleaving.js'

type Lists = Readonly<Record<string, readonly string[]>>
type Change = { readonly [sort in 'grant' | 'revoke']?: unknown }

interface Kind {
  /** The lists of a record, by what a change calls them. */
  readonly lists: (record: unknown) => Lists
  /** The lists that a change names. */
  readonly named: (change: unknown) => Lists
  /** What a change names, of lists. */
  readonly change: (lists: Lists) => unknown
}

type Permissions = { readonly kv: { readonly read?: readonly string[] | null; readonly write?: readonly string[] | null } }

const kinds: Readonly<Record<string, Kind>> = {
  roles: {
    lists: (record) => permissionLists((record as { readonly permissions: Permissions }).permissions),
    named: (change) => permissionLists(change as Permissions | undefined),
    change: ({ read = [], write = [] }) => ({ kv: { read, write } }),
  },
  users: {
    lists: (record) => ({ roles: ((record as { readonly roles?: readonly { readonly role: string }[] | null }).roles ?? []).map(({ role }) => role) }),
    named: (change) => ({ roles: (change as readonly string[] | undefined) ?? [] }),
    change: ({ roles = [] }) => roles,
  },
}

function permissionLists(permissions: Permissions | undefined): Lists {
  return { read: permissions?.kv.read ?? [], write: permissions?.kv.write ?? [] }
}

const without = (list: readonly string[], gone: readonly string[] = []): readonly string[] => list.filter((one) => !gone.includes(one))
const isEmpty = (lists: Lists): boolean => Object.values(lists).every((list) => list.length === 0)
const each = (lists: Lists, to: (list: readonly string[], name: string) => readonly string[]): Lists => Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, to(list, name)]))

/** A fetch of the double whose changes of roles and users take two turns, and what they have lost of what others wrote. */
export function readModifyWrite(fetch: FetchLike, turn: Turn, lost: (what: string) => void): FetchLike {
  const whole = gatedFetch(fetch, turn)
  return async (url, init) => {
    const [, collection = '', name = ''] = /^\/v2\/auth\/(users|roles)\/(.*)$/.exec(new URL(url).pathname) ?? []
    const kind = kinds[collection]
    const body = JSON.parse(init.body ?? '{}') as Change & { readonly password?: unknown }
    if (init.method !== 'PUT' || kind === undefined || (body.grant === undefined && body.revoke === undefined)) return whole(url, init)
    const [granted, revoked] = [kind.named(body.grant), kind.named(body.revoke)]
    const read = async (): Promise<Lists | ResponseLike> => {
      const response = await fetch(url, { method: 'GET', redirect: 'manual' })
      // Where it is not there, or a user holds a role that is not, the answer names no record.
      return response.status === 200 ? kind.lists(JSON.parse(await response.text())) : response
    }
    const isLists = (found: Lists | ResponseLike): found is Lists => !('status' in found)
    const write = (change: Change): Promise<ResponseLike> => fetch(url, { ...init, body: JSON.stringify({ [collection.slice(0, -1)]: decodeURIComponent(name), ...change }) })

    /** What the record comes to, unless etcd refuses that by what it read. */
    const changed = (before: Lists): Lists | undefined => {
      const goal = each(before, (list, at) => [...without(list, revoked[at]), ...(granted[at] ?? [])])
      const isDoubled = Object.entries(granted).some(([at, list]) => list.some((one) => before[at]?.includes(one)))
      return isDoubled || Object.entries(goal).every(([at, list]) => list.length === before[at]?.length) ? undefined : goal
    }
    const begun = await turn(`read for PUT /v2/auth/${collection}/${name}`, 'read', async () => {
      const before = await read()
      if (!isLists(before)) return undefined
      const goal = changed(before)
      return goal === undefined ? { refusal: await fetch(url, init) } : { before, goal }
    })
    if (begun?.refusal !== undefined) return begun.refusal
    return turn(`${init.method} /v2/auth/${collection}/${name}`, 'write', async () => {
      const now = await read()
      if (!isLists(now) || begun === undefined) return fetch(url, init)
      const { before, goal } = begun
      const [missing, surplus] = [each(goal, (list, at) => without(list, now[at])), each(now, (list, at) => without(list, goal[at]))]
      // What is there now and was not when the record was read, or the other way round, is somebody else's.
      const others = [...Object.entries(surplus).flatMap(([at, list]) => without(list, before[at])), ...Object.entries(missing).flatMap(([at, list]) => without(list, granted[at]))]
      if (others.length > 0) lost(`${collection} ${name}: ${others.join(', ')}`)
      if (isEmpty(missing) && isEmpty(surplus)) return fetch(url, { method: 'GET', redirect: 'manual' })
      return write({ ...(isEmpty(missing) ? {} : { grant: kind.change(missing) }), ...(isEmpty(surplus) ? {} : { revoke: kind.change(surplus) }) })
    })
  }
}
