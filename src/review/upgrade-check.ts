/** Who loses or gains what by an upgrade of etcd, before it is done. */
import { accessChanges, accessOf, type AccessChange } from '../advisories/access-changes.js'
import { advisoriesOf, type Advisory } from '../advisories/advisories.js'
import { anonymous, type Anonymous } from '../policy/anonymous.js'
import { causesOf } from '../policy/causes.js'
import { indexPolicy, lookUp, type Asked } from '../policy/index-policy.js'
import { isAllowed, questionOf, type Circumstances } from '../policy/judge.js'
import type { Policy } from '../policy/policy.js'
import { apiEffects } from './api-changes.js'
import { listed, type Affected, type UpgradeEffect } from './effect.js'
import { probesOf, type OperationClass } from './probes.js'

/** What an upgrade changes for the users of a policy. */
export interface UpgradeCheck {
  readonly from: string
  readonly to: string
  readonly effects: readonly UpgradeEffect[]
  /** Holes that the upgrade closes, and those that the new release has still or again. */
  readonly closes: readonly Advisory[]
  readonly leaves: readonly Advisory[]
  /** All of it for people, a line each. */
  readonly text: string
}

/**
 * Names the users that lose or gain rights when etcd goes from one release to another, by what etcd changed and by kind of operation; and
 * `anonymous`, for clients whom no user names and for those that send no name at all.
 *
 * Every effect with an operation is one that `can` answers differently on the two releases, and every operation that it answers differently
 * is of a kind that is listed for its user.
 *
 * @param from The release that runs, such as `'3.5.16'`.
 * @param to The release that is to run. An older one is a downgrade, and answered as well.
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED`
 * @example
 * ```ts
 * import { definePolicy, prefix, readwrite, upgradeCheck } from 'etcd-rbac'
 * const policy = definePolicy({
 *   users: { root: 'certificate', 'kube-apiserver': 'certificate' },
 *   v3: { roles: { kubernetes: [readwrite(prefix('/registry/'))] }, bindings: { root: ['root'], 'kube-apiserver': ['kubernetes'] } },
 * })
 * const { effects } = upgradeCheck(policy, '3.5.16', '3.5.30')
 * console.log(effects.find(({ kind }) => kind === 'Compact')?.text)
 * ```
 */
export function upgradeCheck<P extends Policy>(policy: Asked<P>, from: string, to: string): UpgradeCheck {
  const [before, after] = [advisoriesOf(from), advisoriesOf(to)]
  const asked = lookUp(policy).policy
  const effects = [...(asked.v3 === undefined ? [] : accessEffects(asked, from, to)), ...apiEffects(asked, from, to)]
  const closes = before.filter((one) => !after.includes(one))
  return {
    from,
    to,
    effects,
    closes,
    leaves: after,
    text: [
      `etcd ${from} to ${to}: ${effects.length === 0 ? 'nobody loses or gains a right' : `${effects.length} ${effects.length === 1 ? 'change' : 'changes'}`}`,
      ...effects.map(({ text }) => `  ${text}`),
      ...closes.map(({ id, impact }) => `  closes ${id}: ${impact}`),
      ...after.map(({ id, impact }) => `  leaves ${id}: ${impact}`),
    ].join('\n'),
  }
}

/** What changes of access do, by probing: one group for each change, kind and direction. */
function accessEffects(policy: Policy, from: string, to: string): readonly UpgradeEffect[] {
  const index = indexPolicy(policy)
  const { rights } = lookUp(index)
  const [old, next] = [accessOf(from), accessOf(to)]
  const groups = new Map<string, { readonly change: AccessChange; readonly kind: OperationClass; readonly effect: 'loses' | 'gains'; readonly who: Affected[] }>()
  const clients: readonly (readonly [string | Anonymous, Pick<Circumstances, 'via'>])[] = [
    ...Object.keys(policy.users).map((user) => [user, {}] as const),
    [anonymous, {}],
    [anonymous, { via: 'grpc-proxy' }],
  ]
  for (const [user, circumstances] of clients) {
    for (const { kind, operation } of probesOf(rights('v3', user === anonymous ? undefined : user))) {
      const question = questionOf(index, user, operation, circumstances)
      const [was, is] = [isAllowed(question, old), isAllowed(question, next)]
      if (was === is) continue
      const effect = was ? 'loses' : 'gains'
      for (const change of causesOf((has) => isAllowed(question, has), old, next)) {
        const name = JSON.stringify([change, kind, effect])
        const group = groups.get(name) ?? { change, kind, effect, who: [] }
        group.who.push({ user, operation, circumstances })
        groups.set(name, group)
      }
    }
  }
  return [...groups.values()].map(({ change, kind, effect, who }) => {
    const { advisory, before } = accessChanges[change]
    const why = next(change) ? `until then ${before}` : `from then on ${before}`
    return { change, kind, effect, who, advisory: advisory?.id, text: `${kind}: ${effect === 'loses' ? 'no more' : 'from now on'} for ${listed(who)} (${why}${advisory === undefined ? '' : `, ${advisory.id}`})` }
  })
}
