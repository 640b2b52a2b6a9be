import { describe, expect, it } from 'vitest'
import { parseVersion } from '../../../src/advisories/index.js'
import { can, definePolicy, del, get, isEtcdRbacError, key, prefix, put, showPermission, txn, watch, type Operation } from '../../../src/policy/index.js'
import { compactionNeedsRoot, kubeApiserver } from '../../../src/presets/index.js'
import { answerOf, bytes, range, versions } from '../../support/double.js'
import { holding } from '../../support/holding.js'

const codeOf = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    return isEtcdRbacError(error) ? error.code : error
  }
}

describe('kube-apiserver', () => {
  it.each([
    ['3.3.25', false, 'nothing'], ['3.4.41', false, 'nothing'], ['3.4.42', true, 'root'], ['3.4.45', true, 'root'], ['3.5.0', false, 'nothing'], ['3.5.27', false, 'nothing'],
    ['3.5.28', true, 'root'], ['3.5.31', true, 'root'], ['3.5.32', true, 'user'], ['3.5.35', true, 'user'], ['3.6.0', false, 'root'], ['3.6.8', false, 'root'],
    ['3.6.9', true, 'root'], ['3.6.11', true, 'root'], ['3.6.12', true, 'user'], ['3.7.0', true, 'user'], ['3.7.3', true, 'user'],
  ] as const)('on etcd %s compaction needs root: %s, and Status needs: %s', (etcd, root, status) => {
    expect(compactionNeedsRoot(etcd)).toBe(root)
    const itself = kubeApiserver({ etcd, compaction: 'apiserver' })
    expect(itself.needsRoot).toBe(root)
    expect(itself.requests.map(({ request, needs }) => [request, needs])).toEqual([['Compact', root ? 'root' : 'nothing'], ['Status', status]])
    expect(kubeApiserver({ etcd, compaction: 'etcd' }).needsRoot).toBe(false)
  })

  it('reads and writes its keys and the compaction key, and nothing beside them', () => {
    const policy = definePolicy({
      users: { kubernetes: 'certificate' },
      v3: { roles: { kubernetes: kubeApiserver({ etcd: '3.5.30', compaction: 'etcd' }).permissions }, bindings: { kubernetes: ['kubernetes'] } },
    })
    const may = (operation: ReturnType<typeof get>) => can(policy, 'kubernetes', operation)
    expect([may(get(prefix('/registry/'))), may(put('/registry/pods/a/b')), may(put('compact_rev_key'))]).toEqual([true, true, true])
    expect([may(get('/registry')), may(put('/registryfoo')), may(put('compact_rev_key2')), may(get(prefix('/calico/')))]).toEqual([false, false, false, false])
  })

  it('takes another prefix', () => {
    const [keys] = kubeApiserver({ etcd: '3.5.30', compaction: 'etcd', keyPrefix: '/clusters/a/' }).permissions
    expect(keys).toEqual({ type: 'readwrite', keys: prefix('/clusters/a/') })
  })

  it.each(['/', '//', '', 'registry/', '/./', '/../', '/a/../', '/a/./b/', '/a//b/', '/registry//', '//registry/', '/a b/', '/a\n/', '/é/', '/$x/'])(
    'refuses the prefix %j, which is not where kube-apiserver would look', (keyPrefix) => {
      expect(codeOf(() => kubeApiserver({ etcd: '3.5.30', compaction: 'etcd', keyPrefix }))).toBe('ERR_KEY_INVALID')
    },
  )
  it('refuses a prefix without its slash, naming a sibling that it would open', () => {
    expect(codeOf(() => kubeApiserver({ etcd: '3.5.30', compaction: 'etcd', keyPrefix: '/registry' }))).toBe('ERR_PREFIX_UNTERMINATED')
  })
  it('is a TypeError with a prefix that is no string', () => {
    expect(() => kubeApiserver({ etcd: '3.5.30', compaction: 'etcd', keyPrefix: 7 } as never)).toThrow(TypeError)
  })

  it.each(['3.5', '3.2.32', '3.8.0', '4.0.0', '2.3.8', '', 'latest', '3.5.30\n', '3.5.-1', '3.5.30 ', '99999.1.1', 'v3.7.3', '3.6.0-rc.1'])('does not know etcd %j, as the rest of the library does not', (etcd) => {
    for (const run of [() => parseVersion(etcd), () => compactionNeedsRoot(etcd), () => kubeApiserver({ etcd, compaction: 'etcd' })]) expect(codeOf(run)).toBe('ERR_VERSION_UNSUPPORTED')
  })

  it('says what must go with compaction by etcd, and which etcd hides Status', () => {
    expect(kubeApiserver({ etcd: '3.5.35', compaction: 'etcd' }).notes.join()).toContain('--auto-compaction-retention')
    expect(kubeApiserver({ etcd: '3.5.30', compaction: 'etcd' }).notes.join()).toContain('Status')
    expect(kubeApiserver({ etcd: '3.5.35', compaction: 'etcd' }).notes.join()).not.toContain('Status')
    expect(kubeApiserver({ etcd: '3.5.35', compaction: 'apiserver' }).notes.join()).toContain('role root')
  })

  it('has no default for who compacts', () => {
    expect(() => kubeApiserver({ etcd: '3.5.30' } as never)).toThrow(TypeError)
  })

  it('refuses resources that are neither all nor events', () => {
    expect(() => kubeApiserver({ etcd: '3.5.30', compaction: 'etcd', resources: 'pods' } as never)).toThrow(TypeError)
  })
})

describe.each(versions)('kube-apiserver on an etcd %s of its own for events', (etcd) => {
  const user = 'kube-apiserver'
  const policy = definePolicy({
    users: { root: 'certificate', [user]: 'certificate' },
    v3: { roles: { events: kubeApiserver({ etcd, compaction: 'etcd', resources: 'events' }).permissions }, bindings: { root: ['root'], [user]: ['events'] } },
  })
  const event = '/registry/events/default/pod.17'
  /** A create, an update and a list, the compactor's round and the health check: k8s.io/apiserver `storage/etcd3/store.go`, `compact.go`. */
  const sent: readonly (readonly [string, Operation])[] = [
    ['creates', txn({ compare: [key(event)], success: [put(event)] })],
    ['updates', txn({ compare: [key(event)], success: [put(event)], failure: [get(event)] })],
    ['deletes', txn({ compare: [key(event)], success: [del(event)], failure: [get(event)] })],
    ['lists', get(prefix('/registry/events/'))],
    ['watches', watch(prefix('/registry/events/'))],
    ['agrees on compaction', txn({ compare: [key('compact_rev_key')], success: [put('compact_rev_key')], failure: [get('compact_rev_key')] })],
    ['is healthy', get('/registry/health')],
  ]
  it.each(sent)('%s', (_, operation) => {
    expect(can(policy, user, operation, { etcd })).toBe(true)
  })
  it.each([get('/registry/secrets/default/x'), put('/registry/health'), get('/registry/events'), put('/registry/eventsfoo'), get(prefix('/registry/')), watch(prefix('/')), put('compact_rev_key2'), del(prefix('/registry/'))])(
    'is refused outside: %j', (operation) => {
      expect(can(policy, user, operation, { etcd })).toBe(false)
    },
  )
  it('is answered so by an etcd that holds these rights', async () => {
    const double = await holding(etcd, kubeApiserver({ etcd, compaction: 'etcd', resources: 'events' }).permissions)
    const alice = double.as('alice')
    const value = bytes('v')
    const ask = [
      alice.kv.put({ key: bytes(event), value }), alice.kv.range(range('/registry/events/', '/registry/events0')), alice.kv.range(range('/registry/health')), alice.kv.put({ key: bytes('compact_rev_key'), value }),
      alice.kv.put({ key: bytes('/registry/health'), value }), alice.kv.range(range('/registry/', '/registry0')), alice.kv.range(range('/registry/secrets/default/x')),
    ]
    expect((await Promise.all(ask.map(answerOf))).map((answer) => answer === 'ok')).toEqual([true, true, true, true, false, false, false])
  })
})

it('moves events below another prefix, and says what must go with them', () => {
  const { permissions, notes } = kubeApiserver({ etcd: '3.5.35', compaction: 'etcd', keyPrefix: '/clusters/a/', resources: 'events' })
  expect(permissions.map(showPermission)).toEqual(['readwrite /clusters/a/events/*', 'read /clusters/a/health', 'readwrite compact_rev_key'])
  expect(notes.join()).toContain('--etcd-servers-overrides=/events#')
  expect(codeOf(() => kubeApiserver({ etcd: '3.5.30', compaction: 'etcd', keyPrefix: '/registry', resources: 'events' }))).toBe('ERR_PREFIX_UNTERMINATED')
})
