/** Snapshots and defragmentation: role root, and what that is on each release. */
import { describe, expect, test } from 'vitest'
import { allKeys, readwrite } from '../../../src/keys/index.js'
import { call, can, definePolicy } from '../../../src/policy/index.js'
import { backup, defragmentation } from '../../../src/presets/index.js'
import { lackingOf, requires } from '../../../src/review/index.js'
import { answerOf, locked, perm, since, versions } from '../../support/double.js'

const needsOf = ({ requests }: ReturnType<typeof backup>): readonly (readonly string[])[] => requests.map(({ request, needs }) => [request, needs])

describe.each(versions)('on etcd %s', (etcd) => {
  test('both need role root, and no key', () => {
    for (const one of [backup({ etcd }), defragmentation({ etcd })]) expect([one.needsRoot, one.permissions, one.grants]).toEqual([true, [], []])
    expect(needsOf(backup({ etcd }))).toEqual([['Snapshot', 'root']])
  })

  test('all keys do not make up for it, and `requires` says what is lacking', () => {
    const policy = definePolicy({ users: { backup: 'certificate', all: 'certificate' }, v3: { roles: { all: [readwrite(allKeys())] }, bindings: { backup: ['root'], all: ['all'] } } })
    for (const one of [backup({ etcd }), defragmentation({ etcd })]) {
      expect(lackingOf(policy, 'backup', requires(one, { etcd }))).toEqual([])
      expect(lackingOf(policy, 'all', requires(one, { etcd })).map(({ lacks }) => lacks)).toEqual(['operation'])
    }
    expect(can(policy, 'all', call('snapshot'), { etcd })).toBe(false)
  })

  test('a member is defragmented for role root, and for nobody else', async () => {
    const double = await locked(etcd, [perm('Readwrite', '\0', '\0')])
    expect(await answerOf(double.maintenance.defragment())).toBe('ok')
    for (const user of ['alice', 'nobody']) expect(await answerOf(double.as(user).maintenance.defragment())).not.toBe('ok')
  })

  test('members are listed for any user, who need not be root', async () => {
    const [, [, needs] = []] = needsOf(defragmentation({ etcd, cluster: true }))
    expect(needs).not.toBe('root')
    const double = await locked(etcd)
    for (const client of [double.as('alice'), double]) expect(await answerOf(client.cluster.memberList({}))).toBe('ok')
  })
})

test('members are listed for whoever passes TLS until calls are guarded', () => {
  const needs = (etcd: string) => needsOf(defragmentation({ etcd, cluster: true }))[1]
  for (const etcd of since('3.5.30').from) expect(needs(etcd)).toEqual(['MemberList', 'user'])
  for (const etcd of since('3.5.30').before) expect(needs(etcd)).toEqual(['MemberList', 'nothing'])
})

test('wrong options are refused', () => {
  expect(() => backup({ etcd: '3.8.0' })).toThrow(expect.objectContaining({ code: 'ERR_VERSION_UNSUPPORTED' }))
  expect(() => defragmentation({ etcd: '2.3.8' })).toThrow(expect.objectContaining({ code: 'ERR_VERSION_UNSUPPORTED' }))
  expect(() => defragmentation({ etcd: '3.5.30', cluster: 'yes' } as never)).toThrow(TypeError)
})
