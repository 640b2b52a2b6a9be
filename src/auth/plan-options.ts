/** What a plan must be told, and what plain JavaScript may have told it wrongly. */
import { isWellFormed } from '../bytes.js'
import { quoted } from '../errors.js'
import { checkFields } from '../known-fields.js'
import type { Permission } from '../keys/permission.js'
import { checkedPattern, checkedRange } from '../policy/checked-keys.js'

/** What happens to users and roles that the policy does not name. */
export type Unmanaged = 'keep' | 'report' | 'remove'

/**
 * Which of the names that a policy does not know are ours to remove: those that begin so, and users who hold the marker role. Either is a promise of the
 * caller's about its own names; etcd keeps no owner. The marker role is one that the policy declares and binds its users to, else a plan would take it from
 * them, and is blocked. Any plan but one that removes by it takes it from users whom the policy no longer names: remove in the plan that drops them.
 */
export interface Ours {
  readonly prefixes?: readonly string[]
  readonly markerRole?: string
}

/** What a plan must be told. Who gets in has no default; what may be left away acknowledges nothing then. */
export interface PlanOptions {
  /**
   * Users and roles that the policy does not name: left alone, left alone but listed, or removed. Root and the caller never go. In every mode such users
   * are unbound from the roles that the policy declares: who holds those is the policy's to say. On v2 also from roles that do not exist, before one is made
   * that these may hide.
   */
  readonly unmanaged: Unmanaged
  /** With `unmanaged: 'remove'`: remove only what is ours. Default: all. What is left is listed in {@link Plan.unmanaged} all the same. */
  readonly ours?: Ours
  /** Whether auth is to be on afterwards. `false` leaves it as it is. */
  readonly enable: boolean
  /** Users outside the policy that hold role root and are known to: anyone could have made them while auth was off, user `root` too where you connect as another. */
  readonly acknowledgeRoot?: readonly string[]
  /** Whether passwords may stand in clear in the raft log of members older than 3.5, and in its copies: those hash them only when they apply the entry. */
  readonly acknowledgePasswordsInLog?: boolean
  /** That the v2 API of the same server stays open to everybody while auth is turned on over v3: its keys are others, its users and its switch too. */
  readonly acknowledgeOpenV2?: boolean
  /**
   * What users need, by name: a component of a preset, or what `requires` says of one. A plan after which auth is on and one of them would lack some of it
   * is blocked.
   */
  readonly needs?: Readonly<Record<string, Needed>>
  /**
   * Users of the policy to delete and make anew: whom somebody else may have given a password, and who is to log in by password from now on after having
   * logged in by certificate alone, which etcd v3 never forgets. For a moment such a user has no rights at all; the plan lists that as a gap. On v2 they only
   * get another password, and there is none.
   */
  readonly recreate?: readonly string[]
  /** On v2: users whose names begin with `_`, which etcd lists nowhere, to look for by name and to judge like the others. */
  readonly hiddenUsers?: readonly string[]
}

/** What a user needs: a preset's component, or what `requires` says of it for one release of etcd. */
export interface Needed {
  readonly permissions: readonly Permission[]
  /** Calls beside keys, and whom etcd opens them to. */
  readonly operations?: readonly { readonly openTo: string }[]
}

const TYPES: readonly unknown[] = ['read', 'write', 'readwrite']

/**
 * Refuses options of the wrong JavaScript type. `more`: what may be said beside them, of reading the store.
 *
 * @throws `TypeError`, and what {@link checkNeeds} throws
 */
export function checkPlanOptions(options: PlanOptions, more: readonly string[] = []): void {
  // What plain JavaScript may have left away.
  const given = (options as Partial<PlanOptions> | undefined) ?? {}
  checkFields(given, ['unmanaged', 'ours', 'enable', 'acknowledgeRoot', 'acknowledgePasswordsInLog', 'acknowledgeOpenV2', 'needs', 'recreate', 'hiddenUsers', ...more], 'the options of a plan')
  const { unmanaged, ours, enable, needs, ...rest } = given
  if (unmanaged !== 'keep' && unmanaged !== 'report' && unmanaged !== 'remove') throw new TypeError("unmanaged must be 'keep', 'report' or 'remove'")
  if (ours !== undefined) checkOurs(unmanaged, ours)
  if (typeof enable !== 'boolean') throw new TypeError('enable must be true or false')
  for (const name of ['acknowledgeRoot', 'recreate', 'hiddenUsers'] as const) checkNames(rest[name], name)
  for (const name of ['acknowledgePasswordsInLog', 'acknowledgeOpenV2'] as const) if (rest[name] !== undefined && typeof rest[name] !== 'boolean') throw new TypeError(`${name} must be true or false`)
  if (needs !== undefined) checkNeeds(needs)
}

/**
 * Refuses what is no list of names; nothing at all is one.
 *
 * @throws `TypeError`
 */
export function checkNames(names: unknown, what: string): void {
  if (names !== undefined && !(Array.isArray(names) && names.every((name) => typeof name === 'string' && name !== '' && isWellFormed(name)))) throw new TypeError(`${what} must be a list of user names`)
}

/**
 * Refuses what says of nobody what it needs.
 *
 * @throws `TypeError`; {@link EtcdRbacError} `ERR_POLICY_INVALID`, `ERR_KEY_INVALID`, `ERR_RANGE_EMPTY`, `ERR_PREFIX_UNTERMINATED` or `ERR_PATTERN_INVALID` for
 * keys that no policy may hold
 */
export function checkNeeds(needs: unknown): void {
  if (typeof needs !== 'object' || needs === null || Array.isArray(needs)) throw new TypeError('needs must be a table of users with what each needs')
  for (const [user, needed] of Object.entries(needs as Record<string, unknown>)) {
    const whose = `needs of ${quoted(user)}`
    const { permissions, operations = [] } = (needed ?? {}) as { readonly [Field in keyof Needed]?: unknown }
    if (!Array.isArray(permissions) || !Array.isArray(operations)) throw new TypeError(`${whose} must be a component that a preset made, or what requires says of it`)
    for (const permission of permissions as readonly unknown[]) checkNeeded(permission, whose)
    if (!operations.every((operation: unknown) => typeof operation === 'object' && operation !== null && 'openTo' in operation && typeof operation.openTo === 'string')) throw new TypeError(`operations in ${whose} must each say whom they are openTo`)
  }
}

function checkNeeded(permission: unknown, whose: string): void {
  const { type, keys } = (permission ?? {}) as { readonly [Field in keyof Permission]?: unknown }
  const api = typeof keys === 'object' && keys !== null && 'api' in keys ? keys.api : undefined
  if (!TYPES.includes(type) || (api !== 'v2' && api !== 'v3')) throw new TypeError(`permissions in ${whose} must be made by read, write or readwrite`)
  if (api === 'v3') checkedRange(keys)
  else checkedPattern(keys)
}

/** A rule that would take everything for ours, or that nothing comes of, is a mistake. */
function checkOurs(unmanaged: Unmanaged, ours: Ours): void {
  checkFields(ours, ['prefixes', 'markerRole'], 'ours')
  const { prefixes = [], markerRole } = (ours as Partial<Ours> | null) ?? {}
  const fits = Array.isArray(prefixes) && prefixes.every((prefix) => typeof prefix === 'string' && prefix !== '') && (markerRole === undefined || (typeof markerRole === 'string' && markerRole !== '' && markerRole !== 'root'))
  if (!fits || (prefixes.length === 0 && markerRole === undefined)) throw new TypeError('ours must name prefixes, none of them empty, or a markerRole other than root')
  if (unmanaged !== 'remove') throw new TypeError("ours says what is removed: it goes with unmanaged: 'remove' only")
}
