/**
 * The identity of health probes: `etcdctl endpoint health` and what does the same.
 *
 * Requests: etcdctl `ctlv3/command/ep_command.go` (v3.5.35, v3.6.16): the key `health` is read, and the alarms are listed.
 */
import { key, type Key } from '../keys/key-range.js'
import { component, type Component } from './component.js'

/**
 * What a probe needs that reads the key `health`, which need not be there. Let it log in by a certificate of its own: one that serves every node, or is
 * root, is worth stealing.
 *
 * @example
 * ```ts
 * import { can, definePolicy, get, healthProbe } from 'etcd-rbac'
 * const policy = definePolicy({
 *   users: { root: 'certificate', 'health-probe': 'certificate' },
 *   v3: { roles: { health: healthProbe().permissions }, bindings: { root: ['root'], 'health-probe': ['health'] } },
 * })
 * console.log(can(policy, 'health-probe', get('health')), can(policy, 'health-probe', get('/registry/x'))) // true false
 * ```
 */
export function healthProbe(): Component<Key> {
  return component(
    [{ path: 'health', type: 'read', evidence: { kind: 'source', text: 'etcdctl ep_command.go: cli.Get(ctx, "health"), a read that goes through consensus' } }],
    (path) => key(path),
    [
      'etcdctl takes "permission denied" for healthy too, so that a refused probe looks like a good one; others do not.',
      'It lists the alarms too, which any user may: no right is needed for it.',
      'A probe over HTTP needs no user: /health, and on newer releases /livez and /readyz, on the URL of --listen-metrics-urls.',
    ],
  )
}
