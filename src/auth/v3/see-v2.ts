/** What the v3 backend can see of the v2 API of the same server. */
import { EtcdRbacError, isEtcdRbacError } from '../../errors.js'
import type { FetchLike } from '../../platform.js'
import type { CallContext } from '../backend.js'
import { opensAll } from '../open-v2.js'
import type { AuthState, V2Seen } from '../state.js'
import { v2Request } from '../v2/http.js'
import { enabledIn, permissionsIn, tableIn } from '../v2/replies.js'
import { visibleReason } from '../visible.js'

/** Where to look. */
export interface V2Door {
  readonly fetch: FetchLike
  /** The URLs of the members, or of one: each has its own `--enable-v2`, and all of them one store of v2. */
  readonly endpoints: readonly string[]
}

/** The first of what any member shows: one that could not be asked may be open, and is not taken for closed. */
const WORST: readonly V2Seen[] = ['open', 'unknown', 'locked', 'absent']

/** Open if any member serves it without auth, or with a guest who may write everything. What went wrong at a member is told, not thrown: the others answer all the same. */
export async function seeV2(door: V2Door, context: CallContext): Promise<Pick<AuthState, 'v2' | 'v2Unasked'>> {
  const seen = await Promise.all(
    door.endpoints.map((endpoint): Promise<{ readonly v2: V2Seen; readonly unasked?: string }> =>
      seeAt(door.fetch, endpoint, context).then(
        (v2) => ({ v2 }),
        (error: unknown) => {
          if (!isEtcdRbacError(error)) throw error
          return { v2: 'unknown', unasked: `${visibleReason(endpoint)}: ${visibleReason(error.message)}` }
        },
      ),
    ),
  )
  const v2 = WORST.find((one) => seen.some((at) => at.v2 === one)) ?? 'unknown'
  const v2Unasked = seen.flatMap(({ unasked }) => unasked ?? [])
  return { v2, ...(v2Unasked.length > 0 && { v2Unasked }) }
}

async function seeAt(fetch: FetchLike, endpoint: string, context: CallContext): Promise<V2Seen> {
  const ask = v2Request(fetch, endpoint)
  try {
    if (!enabledIn('GET /v2/auth/enable', await ask('GET', '/v2/auth/enable', context))) return 'open'
  } catch (error) {
    if (!isEtcdRbacError(error, 'ERR_V2_DISABLED')) throw error
    await proveEtcd(ask, endpoint, context)
    return 'absent'
  }
  return (await guestOpensAll(ask, context)) ? 'open' : 'locked'
}

/** A "not found" says that there is no v2 only where an etcd says it. */
async function proveEtcd(ask: ReturnType<typeof v2Request>, endpoint: string, context: CallContext): Promise<void> {
  const isEtcd = await ask('GET', '/version', context).then(
    (answer) => typeof tableIn('GET /version', answer)['etcdserver'] === 'string',
    (error: unknown) => {
      if (isEtcdRbacError(error, 'ERR_V2_DISABLED')) return false
      throw error
    },
  )
  if (isEtcd) return
  const shown = visibleReason(endpoint)
  throw new EtcdRbacError('ERR_UNREACHABLE', { found: `no etcd at ${shown}: neither /v2/auth/enable nor /version is there`, wanted: 'the client URL of a member', fix: 'correct endpoints in { v2 }' }, { reason: `no etcd at ${shown}` })
}

/** Only role root of v2 may see that; where the fetch is not, a guest is taken for what a plan makes of it. */
async function guestOpensAll(ask: ReturnType<typeof v2Request>, context: CallContext): Promise<boolean> {
  try {
    const answer = await ask('GET', '/v2/auth/roles/guest', context)
    return answer.status === 200 && permissionsIn('GET /v2/auth/roles/guest', answer).some(opensAll)
  } catch (error) {
    if (isEtcdRbacError(error, 'ERR_NOT_ROOT')) return false
    throw error
  }
}
