/**
 * What is asked of a server to see whether it gives each user what a policy says: what the user was granted, what lies just beside it, and what
 * others were granted. No server lists what it would refuse, so that a grant which nobody thought of is found only where one of these meets it.
 */
import { toInterval } from '../keys/interval.js'
import { key, type KeyRange } from '../keys/key-range.js'
import { path, type Path, type PathPattern } from '../keys/pattern.js'
import type { Permission } from '../keys/permission.js'
import { showKeys } from '../keys/show.js'
import { anonymous, type Anonymous } from '../policy/anonymous.js'
import { can } from '../policy/can.js'
import { indexPolicy } from '../policy/index-policy.js'
import { del, get, put, type KeyOperation } from '../policy/operations.js'
import type { Policy } from '../policy/policy.js'
import { rightsOf } from '../policy/rights.js'
import type { Api } from './state.js'

/** One question for the server, and what the policy answers. */
export interface AccessProbe {
  readonly user: string | Anonymous
  readonly api: Api
  readonly operation: KeyOperation
  readonly expected: 'allowed' | 'refused'
}

/** What to ask. */
export interface AccessQuestions {
  readonly users: readonly (string | Anonymous)[]
  readonly apis: readonly Api[]
  readonly keys: readonly (KeyRange | Path)[]
  readonly readOnly: boolean
  readonly etcd: string | undefined
}

/** A name that no component gives a key. */
export const SCRATCH = 'etcd-rbac-access-probe'

/** The questions for each user, in the order of the users. */
export function accessProbes(policy: Policy, { users, apis, keys, readOnly, etcd }: AccessQuestions): readonly (readonly AccessProbe[])[] {
  const index = indexPolicy(policy)
  const every = new Map(apis.map((api) => [api, everyGrant(policy, api)]))
  return users.map((user) =>
    apis.flatMap((api) => {
      const own = rightsOf(policy, api, user === anonymous ? undefined : user).granted.map(({ permission }) => permission)
      const asked = [...own.flatMap(inside), ...own.flatMap(beside), ...(every.get(api) ?? []).flatMap(inside), ...keys.filter((one) => one.api === api)]
      const once = new Map(asked.map((one) => [showKeys(one), one]))
      const operations = [...once.values()].flatMap((one) => [get(one), ...(readOnly ? [] : writeOf(one))])
      return operations.map((operation): AccessProbe => ({ user, api, operation, expected: can(index, user, operation, etcd === undefined ? {} : { etcd }) ? 'allowed' : 'refused' }))
    }),
  )
}

/** What is granted to anybody, by roles that nobody holds too. */
function everyGrant({ v3, v2 }: Policy, api: Api): readonly Permission[] {
  return api === 'v3' ? Object.values(v3?.roles ?? {}).flat() : [...Object.values(v2?.roles ?? {}).flat(), ...(v2?.guest ?? [])]
}

/** On v2 a PUT alone: its right is the one to delete, too. */
function writeOf(keys: KeyRange | Path): readonly KeyOperation[] {
  if (keys.api === 'v2') return keys.recursive ? [] : [put(keys)]
  return [keys.kind === 'key' ? put(keys) : del(keys)]
}

/** All of what a permission opens, and on v3 its first key, which may be all that was granted. */
function inside({ keys }: Permission): readonly (KeyRange | Path)[] {
  if (keys.api === 'v3') return [keys, keyAt(toInterval(keys).start)]
  if (!keys.pattern.endsWith('*')) return [path(keys.pattern)]
  // A name of its own, that no directory is listed.
  const scratch = `${rooted(stemOf(keys))}${SCRATCH}`
  return [path(scratch), path(scratch, { recursive: true })]
}

/** The keys next to what a permission opens: where a prefix ends too late, or has lost its slash. */
function beside({ keys }: Permission): readonly (KeyRange | Path)[] {
  if (keys.api === 'v2') {
    const sibling = stemOf(keys).replace(/\/$/, '')
    return sibling === '' ? [] : [path(`${sibling}-${SCRATCH}`)]
  }
  const { start, end } = toInterval(keys)
  const last = start.at(-1) ?? 0
  const before = last === 0 ? [] : [keyAt(Uint8Array.from([...start.subarray(0, -1), last - 1]))]
  return end === undefined ? before : [...before, keyAt(end)]
}

const stemOf = ({ pattern }: PathPattern): string => pattern.replace(/\*$/, '')
const rooted = (stem: string): string => (stem === '' ? '/' : stem)

const keyAt = (bytes: Uint8Array): KeyRange => key(bytes)
