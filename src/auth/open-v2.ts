/** The other door of the same server: the v2 API has keys, users and a switch of its own, and locking v3 does not lock it. */
import type { PlanOptions } from './plan-options.js'
import type { AuthState, StoredPermission } from './state.js'
import { isAtLeast, olderThan } from './version.js'
import { few } from './visible.js'

/** Whether a permission of v2 lets write every key. */
export function opensAll({ type, keys }: StoredPermission): boolean {
  return keys.api === 'v2' && (keys.pattern === '*' || keys.pattern === '/*') && (type === 'write' || type === 'readwrite')
}

const FIX = 'turn auth on over v2 first (its half of a policy, v2Backend), start every member with --enable-v2=false, or acknowledge it (acknowledgeOpenV2)'

/** Why auth must not be turned on over v3 yet. */
export function openV2Problems({ api, v2, v2Unasked = [], ...release }: AuthState, { acknowledgeOpenV2 = false }: Pick<PlanOptions, 'acknowledgeOpenV2'>): readonly string[] {
  if (api === 'v2' || acknowledgeOpenV2) return []
  if (v2 === 'open') return [`the v2 API of this server is open to everybody: ${FIX}`]
  if (v2 === 'unknown') return [`whether the v2 API of this server is open is not known, since not all of it could be asked (${few(v2Unasked)}): let it answer, or ${FIX}`]
  // Only there it is served unless it is switched off.
  return v2 === undefined && !isAtLeast(release, 4) ? [`${olderThan(release, 4)} serves the v2 API by itself, and whether it is open is not known: let v3Backend look ({ v2: { fetch, endpoints } }); ${FIX}`] : []
}

/** What is worth a warning where nobody looked, and the server may serve v2. */
export function unknownV2({ api, v2, ...release }: AuthState, { acknowledgeOpenV2 = false }: Pick<PlanOptions, 'acknowledgeOpenV2'>): readonly string[] {
  if (api === 'v2' || acknowledgeOpenV2 || v2 !== undefined || isAtLeast(release, 6) || !isAtLeast(release, 4)) return []
  return ['whether the v2 API of this server is on (--enable-v2) and open is not known: it has keys and users of its own, and auth on v3 does not lock it; let v3Backend look ({ v2: { fetch, endpoints } })']
}
