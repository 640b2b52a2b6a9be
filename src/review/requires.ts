/** What a component needs of an etcd, and what a policy lacks of it: key permissions, and the calls that no permission grants. */
import { accessOf } from '../advisories/access-changes.js'
import { difference, fromInterval, type Interval } from '../keys/interval.js'
import { mergeTypes, type Permission } from '../keys/permission.js'
import { showPermission } from '../keys/show.js'
import type { Anonymous } from '../policy/anonymous.js'
import { explain, type Explanation } from '../policy/explain.js'
import { indexPolicy, lookUp, type Asked } from '../policy/index-policy.js'
import { questionOf } from '../policy/judge.js'
import { path } from '../keys/pattern.js'
import { call, get, type Operation } from '../policy/operations.js'
import type { Policy } from '../policy/policy.js'
import { openedBy, type Access } from '../policy/rights.js'
import { opennessOf, ruleOf, type Openness } from '../policy/server-calls.js'
import type { Component, Evidence } from '../presets/component.js'
import type { KubeApiserver } from '../presets/kube-apiserver.js'
import { REQUEST_CALLS, type RequestNeed } from '../presets/request-need.js'

/** A call that a component makes beside its keys. `can` answers for its operation. */
export interface RequiredCall {
  readonly operation: Operation
  /** Whom etcd opens it to, on the release that the requirement is for: only role root helps where it says so. */
  readonly openTo: Openness
  readonly evidence: Evidence
}

/** What a component needs. */
export interface Requirement {
  /** The etcd that it is for: the lowest version of the members. */
  readonly etcd: string
  readonly permissions: readonly Permission[]
  readonly operations: readonly RequiredCall[]
  /** Settings that must go with the rights, as the preset says them. */
  readonly notes: readonly string[]
}

/** Something that a policy does not give to a user who needs it. */
export type Lacking =
  /** A part of a permission, as the smallest permissions that would do. */
  | { readonly lacks: 'permission'; readonly needed: Permission; readonly missing: readonly Permission[]; readonly text: string }
  /** A call. */
  | { readonly lacks: 'operation'; readonly needed: Operation; readonly explanation: Explanation; readonly text: string }

/**
 * What a component needs on an etcd, beside the keys that its preset names.
 *
 * The answer is for the etcd that is asked about, also where the preset was made for another. A kube-apiserver that leaves compaction to etcd
 * needs no Compact.
 *
 * @param component What a preset made: `kubeApiserver(…)`, `backup(…)`, `defragmentation(…)`, or a component of `calicoV3(…)`, `calicoV2(…)`.
 * @throws {@link EtcdRbacError} `ERR_VERSION_UNSUPPORTED`
 * @example
 * ```ts
 * import { definePolicy, kubeApiserver, lackingOf, requires } from 'etcd-rbac'
 * const apiserver = kubeApiserver({ etcd: '3.5.30', compaction: 'apiserver' })
 * const policy = definePolicy({
 *   users: { root: 'certificate', 'kube-apiserver': 'certificate' },
 *   v3: { roles: { kubernetes: apiserver.permissions }, bindings: { root: ['root'], 'kube-apiserver': ['kubernetes'] } },
 * })
 * const lacking = lackingOf(policy, 'kube-apiserver', requires(apiserver, { etcd: '3.5.30' }))
 * console.log(lacking.length) // 2
 * ```
 */
export function requires(component: Component | KubeApiserver | (Component & { readonly requests: readonly RequestNeed[] }), options: { readonly etcd: string }): Requirement {
  checkLists(component, ['permissions', 'notes'], 'a component must be one that a preset made')
  if (typeof options !== 'object' || (options as unknown) === null) throw new TypeError('requires takes the etcd that it is for: { etcd }')
  const { etcd } = options
  const has = accessOf(etcd)
  const requests = 'requests' in component ? component.requests.filter(({ request }) => request !== 'Compact' || !('compaction' in component) || component.compaction === 'apiserver') : []
  const operations = requests.map(({ request, evidence }): RequiredCall => {
    const name = REQUEST_CALLS[request]
    return { operation: call(name), openTo: opennessOf(ruleOf(name), has), evidence }
  })
  return { etcd, permissions: component.permissions, operations, notes: component.notes }
}

/**
 * What a policy does not give to the user as whom a component logs in. Empty where nothing is missing.
 *
 * @throws {@link EtcdRbacError} `ERR_USER_UNKNOWN`, `ERR_POLICY_HALF_MISSING`, `ERR_VERSION_UNSUPPORTED`
 * @example
 * ```ts
 * import { definePolicy, kubeApiserver, lackingOf, requires } from 'etcd-rbac'
 * const apiserver = kubeApiserver({ etcd: '3.5.35', compaction: 'etcd' })
 * const policy = definePolicy({
 *   users: { 'kube-apiserver': 'certificate' },
 *   v3: { roles: { kubernetes: apiserver.permissions }, bindings: { 'kube-apiserver': ['kubernetes'] } },
 * })
 * console.log(lackingOf(policy, 'kube-apiserver', requires(apiserver, { etcd: '3.5.35' })).length) // 0
 * ```
 */
export function lackingOf<P extends Policy>(policy: Asked<P>, user: (keyof P['users'] & string) | Anonymous, requirement: Requirement): readonly Lacking[] {
  checkLists(requirement, ['permissions', 'operations'], 'a requirement must be one that requires made')
  const { etcd, permissions, operations } = requirement
  const index = indexPolicy(lookUp(policy).policy as Policy)
  const lacking: Lacking[] = []
  for (const needed of permissions) {
    // Asked for its errors: a user or a half that is not there.
    const { rights } = questionOf(index, user, needed.keys.api === 'v3' ? get(needed.keys) : get(path('')), {})
    const missing = rights.root ? [] : missingOf(needed, rights.open)
    if (missing.length > 0) lacking.push({ lacks: 'permission', needed, missing, text: `needs ${showPermission(needed)}; missing: ${missing.map(showPermission).join(', ')}` })
  }
  for (const { operation, openTo } of operations) {
    const explanation = explain(index, user, operation, { etcd })
    if (explanation.allowed) continue
    const name = operation.op === 'call' ? operation.call : operation.op
    const fix = openTo === 'root' ? 'etcd leaves it to role root, and no permission grants it' : 'etcd wants to know who asks'
    lacking.push({ lacks: 'operation', needed: operation, explanation, text: `needs ${name} on etcd ${etcd}: ${fix}` })
  }
  return lacking
}

/** What plain JavaScript may have passed. */
function checkLists(value: unknown, lists: readonly string[], message: string): void {
  const found = Object(value) as Readonly<Record<string, unknown>>
  if (!lists.every((name) => Array.isArray(found[name]))) throw new TypeError(message)
}

/** What of a permission is not open: on v3 the exact ranges, on v2 the pattern as far as its type is missing. */
function missingOf({ type, keys }: Permission, open: Readonly<Record<Access, readonly Interval[]>>): readonly Permission[] {
  const asked = openedBy([{ type, keys }])
  const gaps = (access: Access): readonly Interval[] => difference(asked[access], open[access])
  if (keys.api === 'v2') {
    const types = (['read', 'write'] as const).filter((access) => gaps(access).length > 0 || gaps(`recursive ${access}`).length > 0)
    const [first, second] = types
    return first === undefined ? [] : [{ type: second === undefined ? first : mergeTypes(first, second), keys }]
  }
  const merged = new Map<string, Permission>()
  for (const access of ['read', 'write'] as const)
    for (const interval of gaps(access)) {
      const range = fromInterval(interval)
      const name = JSON.stringify(range)
      const before = merged.get(name)
      merged.set(name, { type: before === undefined ? access : mergeTypes(before.type, access), keys: range })
    }
  return [...merged.values()]
}
