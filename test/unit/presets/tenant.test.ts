/** Tenants: any prefix, and nothing beside it. */
import { describe, expect, test } from 'vitest'
import { showPermission } from '../../../src/keys/index.js'
import { disjoint } from '../../../src/policy/index.js'
import { tenant } from '../../../src/presets/index.js'
import { answerOf, bytes, range, since, versions } from '../../support/double.js'
import { holding } from '../../support/holding.js'

describe.each(versions)('on etcd %s', (etcd) => {
  test('a tenant reads, lists, writes and deletes below its prefix, and is refused beside it', async () => {
    const alice = (await holding(etcd, tenant({ name: 'shop', prefix: '/t/1/', etcd }).permissions)).as('alice')
    const value = bytes('v')
    const inside = [alice.kv.put({ key: bytes('/t/1/x'), value }), alice.kv.range(range('/t/1/x')), alice.kv.range(range('/t/1/', '/t/10')), alice.kv.deleteRange(range('/t/1/', '/t/10'))].map(answerOf)
    const outside = [alice.kv.put({ key: bytes('/t/10'), value }), alice.kv.range(range('/t/1')), alice.kv.range(range('/t/1/', '/t/2')), alice.kv.range(range('/t/10/x')), alice.kv.deleteRange(range('\0', '\0'))].map(answerOf)
    expect(await Promise.all(inside)).toEqual(inside.map(() => 'ok'))
    for (const answer of await Promise.all(outside)) expect(answer).toContain('permission denied')
  })

  test('a tenant who may read writes nothing', async () => {
    const alice = (await holding(etcd, tenant({ name: 'shop', prefix: '/t/1/', etcd, access: 'read' }).permissions)).as('alice')
    expect(await answerOf(alice.kv.range(range('/t/1/', '/t/10')))).toBe('ok')
    expect(await answerOf(alice.kv.put({ key: bytes('/t/1/x'), value: bytes('v') }))).toContain('permission denied')
  })
})

test('tenants whose names are alike share no key', () => {
  const [one, ten] = ['/tenants/1/', '/tenants/10/'].map((prefix) => tenant({ name: 'x', prefix, etcd: '3.7.3' }).permissions)
  expect(disjoint(one ?? [], ten ?? [])).toEqual({ holds: true })
  expect((one ?? []).map(showPermission)).toEqual(['readwrite /tenants/1/*'])
})

test('holes are those of the release: all on 3.3, none on the newest', () => {
  const holes = (etcd: string) => tenant({ name: 'x', prefix: '/x/', etcd }).holes
  expect(holes('3.3.25').length).toBe(5)
  for (const etcd of since('3.5.35').from) expect(holes(etcd)).toEqual([])
})

test.each([
  [{ name: 'root' }, 'ERR_NAME_INVALID'], [{ name: 'a/b' }, 'ERR_NAME_INVALID'], [{ prefix: '/' }, 'ERR_KEY_INVALID'], [{ prefix: '' }, 'ERR_KEY_INVALID'], [{ prefix: '/x' }, 'ERR_PREFIX_UNTERMINATED'], [{ etcd: '3.5' }, 'ERR_VERSION_UNSUPPORTED'],
])('%j is refused with %s', (wrong, code) => {
  expect(() => tenant({ name: 'x', prefix: '/x/', etcd: '3.5.30', ...wrong })).toThrow(expect.objectContaining({ code }))
})
test.each([{ name: 7 }, { prefix: 7 }, { access: 'rw' }, { etcd: 3 }])('%j is a TypeError', (wrong) => {
  expect(() => tenant({ name: 'x', prefix: '/x/', etcd: '3.5.30', ...wrong } as never)).toThrow(TypeError)
})
