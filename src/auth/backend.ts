/**
 * The seam between deciding and doing: one etcd auth store, v3 or v2, as single requests.
 *
 * An implementation sends each write at most once and never a request that can hurt a server, keeps its API's quirks to itself, and rejects
 * with an `EtcdRbacError` whose meaning {@link meaningOf} tells.
 */
import { isEtcdRbacError } from '../errors.js'
import type { AbortSignalLike } from '../platform.js'
import type { Clock } from './clock.js'
import type { Api, AuthState, StoredPermission } from './state.js'
import type { Step, Write } from './step.js'
import type { Release } from './version.js'
import { visible } from './visible.js'

/** What every call of a backend is given. */
export interface CallContext {
  readonly clock: Clock
  /** Milliseconds that each single request may take. */
  readonly deadlineMilliseconds: number
  /** The user as whom the client is connected, for messages. */
  readonly user: string
  readonly signal: AbortSignalLike | undefined
  /** Is told of each request when it is sent, to count it. */
  readonly sent?: (method: string) => void
}

/** One auth store. */
export interface Backend {
  readonly api: Api
  /** How many writes may be under way at once: 1 where the server loses one of two that meet. */
  readonly writesAtOnce: number
  /** Whose versions `readVersion` tells: see {@link Release}. */
  readonly versionOf?: Release['versionOf']
  /** The lowest version among the members, as far as it can be known. */
  readVersion(context: CallContext): Promise<string | undefined>
  /** Where no certificate is anybody: who logs in by password, if anyone does. */
  readonly byPassword?: { readonly user: string | undefined }
  /** Whether auth is on. */
  readEnabled(context: CallContext): Promise<boolean>
  /** The names of all users. Only role root may do this once auth is on. */
  listUsers(context: CallContext): Promise<readonly string[]>
  /** The names of all roles that a policy may judge: v2's virtual `root` is left out. Only role root may do this once auth is on. */
  listRoles(context: CallContext): Promise<readonly string[]>
  /** The roles of a user, `undefined` if there is none. */
  readUser(user: string, context: CallContext): Promise<readonly string[] | undefined>
  /** The permissions of a role in stored order, `undefined` if there is none. */
  readRole(role: string, context: CallContext): Promise<readonly StoredPermission[] | undefined>
  /** On v3: what can be seen of the v2 API of the same server, whoever of it answers. Left away where the backend was not told how to look. */
  readV2?(context: CallContext): Promise<Pick<AuthState, 'v2' | 'v2Unasked'>>
  /** Whether the empty password lets a user in, which etcd tells only by letting it in. Left away where no user can have one. Auth must be on. */
  acceptsEmptyPassword?(user: string, context: CallContext): Promise<boolean>
  /** Why the steps cannot be done on a server like this; empty if they can. */
  blockers(state: AuthState, steps: readonly Step[]): readonly string[]
  /** Does one write, with the password if it gives a user one. Refuses names, types and keys that must not be sent before it asks anything. */
  perform(step: Write, options: { readonly password: string | undefined; readonly version: string | undefined }, context: CallContext): Promise<void>
}

/**
 * What a rejected call means: `denied`: the caller is not root; `refused`: nothing changed; `conflict`: by the server's account it is
 * already so, or no longer so; `unclear`: it may or may not have been done.
 */
export type Meaning = 'denied' | 'refused' | 'conflict' | 'unclear'

/** What a rejected call means. */
export function meaningOf(error: unknown): Meaning {
  if (isEtcdRbacError(error, 'ERR_SERVER')) return error.detail.meaning
  if (isEtcdRbacError(error, 'ERR_NOT_ROOT') || isEtcdRbacError(error, 'ERR_NOT_AUTHENTICATED')) return 'denied'
  if (isEtcdRbacError(error, 'ERR_UNREACHABLE') || isEtcdRbacError(error, 'ERR_TLS') || isEtcdRbacError(error, 'ERR_DEADLINE')) return 'unclear'
  return 'refused'
}

/** Why a caller who can only log in by password would not be let in afterwards: with auth on and no login, or made anew as a user without a password. */
export function passwordWayProblems({ byPassword }: Pick<Backend, 'byPassword'>, { enabling, withoutPassword = [] }: { readonly enabling: boolean; readonly withoutPassword?: readonly string[] }): readonly string[] {
  if (byPassword === undefined) return []
  const { user } = byPassword
  if (user === undefined) return enabling ? ['nobody logs in over this way, where no certificate is anybody: pass login to gatewayTransport'] : []
  return withoutPassword.includes(user) ? [`user ${visible(user)}, by whose password you log in, would be one without: let it log in by password in the policy, or connect with its certificate over gRPC`] : []
}
