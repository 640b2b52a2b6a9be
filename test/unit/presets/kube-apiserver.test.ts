import { describe, expect, it } from 'vitest'
import { parseVersion } from '../../../src/advisories/index.js'
import { can, definePolicy, get, isEtcdRbacError, prefix, put } from '../../../src/policy/index.js'
import { compactionNeedsRoot, kubeApiserver } from '../../../src/presets/index.js'

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
})
