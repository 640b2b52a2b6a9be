/** Several components on one etcd: one policy, and where they get in each other's way. */
import { quoted } from '../errors.js'
import type { KeyRange, KeyText } from '../keys/key-range.js'
import type { PathPattern } from '../keys/pattern.js'
import type { Permission } from '../keys/permission.js'
import { showKeys } from '../keys/show.js'
import { nameProblem } from '../names.js'
import { definePolicy } from '../policy/define.js'
import { isolation, type Overlap } from '../policy/isolation.js'
import type { Login, Policy } from '../policy/policy.js'
import type { Component } from './component.js'

/** A component that has a name: `tenant(…)`, or what another preset made with one: `{ ...healthProbe(), name: 'health-probe' }`. */
export interface NamedComponent extends Pick<Component, 'permissions'> {
  /** The name of its user and of its role. */
  readonly name: string
  /** Whether its user holds role root too, as `kubeApiserver` and `backup` say it. Default: no. */
  readonly needsRoot?: boolean
}

/** What two components on one etcd, or one, do to the others. */
export interface Collision {
  readonly code: 'keys-shared' | 'name-twice' | 'name-unusable' | 'keys-open-ended' | 'root-held'
  /** `error`: it is not in the policy, or one of two may write what the other has. `warning`: one has more than its own. `info`: both may only read. */
  readonly severity: 'error' | 'warning' | 'info'
  /** Places in the list of components, from 0. */
  readonly components: readonly number[]
  readonly why: string
  readonly fix: string
}

/** Components as one policy. */
export interface Composed {
  /** Every component as a user and a role of its name, by certificate, and root. Without what is not in it by reason of `collisions`. */
  readonly policy: Policy
  /** Empty where every component has a name and keys of its own. */
  readonly collisions: readonly Collision[]
}

function isOn<A extends 'v2' | 'v3'>(api: A): (permission: Permission) => permission is Permission<Extract<KeyRange | PathPattern, { api: A }>> {
  return (permission): permission is Permission<Extract<KeyRange | PathPattern, { api: A }>> => permission.keys.api === api
}

function checkNamed(component: unknown): asserts component is NamedComponent {
  const { name, permissions, needsRoot = false } = (component ?? {}) as { name?: unknown; permissions?: unknown; needsRoot?: unknown }
  if (typeof name !== 'string' || !Array.isArray(permissions) || typeof needsRoot !== 'boolean') throw new TypeError('a component must be one that a preset made, with a name: { ...healthProbe(), name }')
}

/** The superuser, and v2's role for whoever is nobody. */
const OWN_NAMES: readonly string[] = ['root', 'guest']

function nameCollisions(components: readonly NamedComponent[]): readonly Collision[] {
  const first = new Map<string, number>()
  return components.flatMap(({ name }, at): Collision[] => {
    const problem = nameProblem('user', name)
    if (OWN_NAMES.includes(name) || problem)
      return [{ code: 'name-unusable', severity: 'error', components: [at], why: problem?.found ?? `${quoted(name)} is a name of etcd's own`, fix: `name it otherwise: ${problem?.wanted ?? 'a user of its own'}` }]
    const before = first.get(name)
    if (before !== undefined) return [{ code: 'name-twice', severity: 'error', components: [before, at], why: `two components are named ${quoted(name)}: they would be one user, with the rights of both; the second one is left out`, fix: 'give each a name of its own' }]
    first.set(name, at)
    return []
  })
}

function sharedText(shared: KeyRange | KeyText): string {
  if (typeof shared === 'string') return quoted(shared)
  return 'api' in shared ? showKeys(shared) : 'a key that is no text'
}

/**
 * Components on one etcd as one policy, and where they collide: two that hold the same keys, two of one name. No collision throws: whoever composes
 * decides. A component without needs of its own in an API is a user without a role there.
 *
 * Of components that hold the same keys every one is named that meets an earlier one, not all pairs: see `isolation`. A `TypeError` for what is no component
 * with a name.
 *
 * @throws {@link EtcdRbacError} `ERR_POLICY_INVALID` for permissions that no preset makes
 * @example
 * ```ts
 * import { composed, healthProbe, kubeApiserver, tenant } from 'etcd-rbac'
 * const etcd = '3.7.3'
 * const { policy, collisions } = composed(
 *   { ...kubeApiserver({ etcd, compaction: 'etcd' }), name: 'kube-apiserver' },
 *   { ...healthProbe(), name: 'health-probe' },
 *   tenant({ name: 'shop', prefix: '/registry/shop/', etcd }),
 * )
 * console.log(Object.keys(policy.users).length, collisions.map(({ code, components }) => [code, ...components].join(' ')).join()) // 4 keys-shared 0 2
 * ```
 */
export function composed(...components: readonly NamedComponent[]): Composed {
  components.forEach((component) => checkNamed(component))
  const unnamed = nameCollisions(components)
  const left = new Set(unnamed.map(({ components: involved }) => involved.at(-1)))
  const placed = new Map(components.flatMap((component, at) => (left.has(at) ? [] : [[component.name, { ...component, at }] as const])))
  const kept = [...placed.values()]

  const rolesOf = <A extends 'v2' | 'v3'>(api: A) => kept.flatMap(({ name, permissions }) => {
    const own = (permissions).filter(isOn(api))
    return own.length === 0 ? [] : [[name, own] as const]
  })
  const [v3, v2] = [rolesOf('v3'), rolesOf('v2')]
  const bindings = (roles: readonly (readonly [string, unknown])[]): Readonly<Record<string, readonly string[]>> => {
    const own = new Set(roles.map(([name]) => name))
    return Object.fromEntries([['root', ['root']], ...kept.map(({ name, needsRoot }) => [name, [...(own.has(name) ? [name] : []), ...(needsRoot === true ? ['root'] : [])]] as const)])
  }
  const users: Readonly<Record<string, Login>> = Object.fromEntries(['root', ...placed.keys()].map((name) => [name, 'certificate']))
  const policy: Policy = definePolicy({
    users,
    v3: { roles: Object.fromEntries(v3), bindings: bindings(v3) },
    ...(v2.length === 0 ? {} : { v2: { guest: [], roles: Object.fromEntries(v2), bindings: bindings(v2) } }),
  })

  const at = (user: unknown): number => placed.get(user as string)?.at ?? -1
  const shared = ({ holdings: [a, b], shared: keys }: Overlap): Collision => {
    const reads = [a, b].every(({ permission: { type } }) => type === 'read')
    const places = [at(a.user), at(b.user)].sort((x, y) => x - y)
    return {
      code: 'keys-shared', severity: reads ? 'info' : 'error', components: places, why: `${places.map((place) => quoted(components[place]?.name ?? '')).join(' and ')} both hold ${sharedText(keys)}`,
      fix: reads ? 'see that both are meant to read it' : 'give each a prefix of its own, or an etcd, if that is not meant',
    }
  }
  const apart = (['v3', 'v2'] as const).flatMap((api) => {
    if (kept.length === 0 || policy[api] === undefined) return []
    const { overlaps, openEnded } = isolation(policy, { api, users: kept.map(({ name }) => name) })
    const open = new Set(openEnded.map(({ user }) => at(user)))
    return [
      ...overlaps.map(shared),
      ...[...open].map((place): Collision => ({ code: 'keys-open-ended', severity: 'warning', components: [place], why: `${quoted(components[place]?.name ?? '')} holds keys without end on ${api}: those of every later component too`, fix: 'give it a prefix' })),
    ]
  })
  const roots = kept.filter(({ needsRoot }) => needsRoot === true).map(
    ({ name, at: place }): Collision => ({ code: 'root-held', severity: 'warning', components: [place], why: `${quoted(name)} holds role root: it has the keys of every other component, and may change their rights`, fix: 'run it so that it needs none, if it can; otherwise guard its certificate like root\'s' }),
  )
  return { policy, collisions: [...unnamed, ...apart, ...roots] }
}
