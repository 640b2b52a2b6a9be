/** What an upgrade of etcd does to whom, as data. */
import type { AccessChange } from '../advisories/access-changes.js'
import { quoted } from '../errors.js'
import { anonymous, type Anonymous } from '../policy/anonymous.js'
import type { Circumstances } from '../policy/judge.js'
import type { Operation } from '../policy/operations.js'
import type { OperationClass } from './probes.js'

/** The name of a change in what releases of etcd serve at all. `can` does not know of it: it judges requests that are served. */
export type ApiChange = 'v2Gone' | 'v2OffByDefault' | 'usersWithoutPassword'

/** What such a change concerns. */
export type ApiClass = 'v2 API' | 'password of a certificate user'

/** A client whom an upgrade concerns. */
export interface Affected {
  readonly user: string | Anonymous
  /** An operation that shows it: `can` answers it differently on the two releases. Where `can` knows nothing of the matter, `undefined`. */
  readonly operation: Operation | undefined
  /** How it comes in, where that matters: a client that sends etcd no name at all is asked about as through the gRPC proxy. */
  readonly circumstances: Pick<Circumstances, 'via'>
}

/** One thing that an upgrade gives or takes. */
export interface UpgradeEffect {
  /** What etcd changed: a change of access, or of what is served at all. */
  readonly change: AccessChange | ApiChange
  readonly kind: OperationClass | ApiClass
  /** `check`: nothing is given or taken, but something is worth a look. */
  readonly effect: 'loses' | 'gains' | 'check'
  readonly who: readonly Affected[]
  /** The hole that is closed, or opened again by going back. */
  readonly advisory: string | undefined
  readonly text: string
}

/** How messages call a client. */
function called({ user, circumstances }: Affected): string {
  if (user !== anonymous) return quoted(user)
  return circumstances.via === undefined ? 'clients whom no user names' : 'clients without any name'
}

/** Clients by name, for a message: the first ten. */
export function listed(who: readonly Affected[]): string {
  const names = who.slice(0, 10).map(called)
  return names.join(', ') + (who.length > names.length ? ` and ${who.length - names.length} more` : '')
}
