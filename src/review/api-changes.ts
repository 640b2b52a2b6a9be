/**
 * What releases of etcd serve at all, as far as policies depend on it.
 *
 * CHANGELOG-3.4 (`--enable-v2` off by default, `no_password`), CHANGELOG-3.6 (no v2 API); tried on 3.3.25, 3.4.23, 3.5.30, 3.6.16 and 3.7.3.
 */
import { V2_REMOVED } from '../advisories/access-changes.js'
import { isSince, parseVersion, type Since } from '../advisories/version.js'
import { anonymous } from '../policy/anonymous.js'
import type { Policy } from '../policy/policy.js'
import { rightsOf } from '../policy/rights.js'
import { listed, type Affected, type ApiChange, type UpgradeEffect } from './effect.js'

const changes: Readonly<Record<ApiChange, Since>> = {
  v2Gone: V2_REMOVED,
  v2OffByDefault: { '3.4': 0 },
  usersWithoutPassword: { '3.4': 0 },
}

const affected = (user: Affected['user']): Affected => ({ user, operation: undefined, circumstances: {} })

/** What an upgrade changes in what is served. */
export function apiEffects(policy: Policy, from: string, to: string): readonly UpgradeEffect[] {
  const [old, next] = [parseVersion(from), parseVersion(to)]
  const turned = (change: ApiChange): 'on' | 'off' | undefined => {
    const [was, is] = [isSince(old, changes[change]), isSince(next, changes[change])]
    return was === is ? undefined : is ? 'on' : 'off'
  }
  const found: UpgradeEffect[] = []
  const add = (change: ApiChange, kind: UpgradeEffect['kind'], effect: UpgradeEffect['effect'], who: readonly Affected[], why: string): void => {
    if (who.length > 0) found.push({ change, kind, effect, who, advisory: undefined, text: `${kind}: ${effect === 'loses' ? 'no more for ' : effect === 'gains' ? 'from now on for ' : ''}${listed(who)}${why}` })
  }

  const [gone, off] = [turned('v2Gone'), turned('v2OffByDefault')]
  // Up to 3.3, etcd serves v2 to whoever passes TLS where nothing guards it.
  const open = policy.v2 === undefined && !isSince(old, changes.v2OffByDefault)
  const v2 = open ? [affected(anonymous)] : v2Clients(policy)
  if (gone === 'on') add('v2Gone', 'v2 API', 'loses', v2, ' (etcd has no v2 API since 3.6: move its keys first, and leave no v2 data in the log)')
  else if (gone === 'off') add('v2Gone', 'v2 API', 'gains', v2, ' (etcd before 3.6 serves it with --enable-v2)')
  else if (off === 'on') add('v2OffByDefault', 'v2 API', 'loses', v2, open ? ' (before 3.4 etcd serves it, and no v2 half of this policy guards it)' : ' (since 3.4 etcd serves it only with --enable-v2=true)')
  else if (off === 'off') add('v2OffByDefault', 'v2 API', 'gains', v2, ' (before 3.4 etcd serves it unless told otherwise)')

  if (turned('usersWithoutPassword') === 'on')
    add(
      'usersWithoutPassword',
      'password of a certificate user',
      'check',
      policy.v3 === undefined ? [] : Object.keys(policy.users).filter((user) => policy.users[user] === 'certificate').map(affected),
      ' (made before 3.4, it keeps the password of its creation, which is empty where somebody asked for none: delete it and make it again)',
    )
  return found
}

/** Who may do anything on v2. */
function v2Clients(policy: Policy): readonly Affected[] {
  if (policy.v2 === undefined) return []
  const users = Object.keys(policy.users).filter((user) => {
    const { root, granted } = rightsOf(policy, 'v2', user)
    return root || granted.length > 0
  })
  return [...users.map(affected), ...(policy.v2.guest.length > 0 ? [affected(anonymous)] : [])]
}
