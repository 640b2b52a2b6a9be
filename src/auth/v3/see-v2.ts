/** What the v3 backend can see of the v2 API of the same server: one question that etcd answers to anybody. */
import { isEtcdRbacError } from '../../errors.js'
import type { FetchLike } from '../../platform.js'
import type { CallContext } from '../backend.js'
import type { V2Seen } from '../state.js'
import { v2Request } from '../v2/http.js'
import { enabledIn } from '../v2/replies.js'

/** Where to look. */
export interface V2Door {
  readonly fetch: FetchLike
  /** The URLs of the members, or of one: each has its own `--enable-v2`, and all of them one store of v2. */
  readonly endpoints: readonly string[]
}

/** Open if any member serves it without auth. */
export async function seeV2({ fetch, endpoints }: V2Door, context: CallContext): Promise<V2Seen> {
  const seen = new Set<V2Seen>()
  for (const endpoint of endpoints) {
    try {
      seen.add(enabledIn('GET /v2/auth/enable', await v2Request(fetch, endpoint)('GET', '/v2/auth/enable', context)) ? 'locked' : 'open')
    } catch (error) {
      if (!isEtcdRbacError(error, 'ERR_V2_DISABLED')) throw error
      seen.add('absent')
    }
  }
  return seen.has('open') ? 'open' : seen.has('locked') ? 'locked' : 'absent'
}
