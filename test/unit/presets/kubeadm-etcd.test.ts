/** Who is who on an etcd of kubeadm's: which of its certificates is which user, and which needs role root. */
import { describe, expect, test } from 'vitest'
import { call, can, definePolicy, get, put } from '../../../src/policy/index.js'
import { kubeadmEtcd } from '../../../src/presets/index.js'
import { lackingOf, requires } from '../../../src/review/index.js'
import { answerOf, locked, since, versions } from '../../support/double.js'

const [healthcheck, apiserver] = ['kube-etcd-healthcheck-client', 'kube-apiserver-etcd-client'] as const
const sent = ['memberList', 'status', 'memberAdd', 'memberPromote', 'memberRemove'] as const

describe.each(versions)('on etcd %s', (etcd) => {
  const kubeadm = kubeadmEtcd({ etcd, compaction: 'etcd', nodes: ['cp-1', 'cp-2'] })
  const policy = (joining: boolean) =>
    definePolicy({
      users: { root: 'certificate', [healthcheck]: 'certificate', [apiserver]: 'certificate' },
      members: ['cp-1', 'cp-2'],
      v3: { roles: { kubernetes: kubeadm.apiserver.rights.permissions }, bindings: { root: ['root'], [apiserver]: ['kubernetes'], ...(joining ? { [healthcheck]: ['root'] } : {}) } },
    })

  test('kubeadm makes all its calls while it holds role root', () => {
    expect(kubeadm.healthcheck.root).toBe('to join and leave')
    for (const name of sent) expect(can(policy(true), healthcheck, call(name), { etcd })).toBe(true)
    expect(lackingOf(policy(true), healthcheck, requires(kubeadm.healthcheck.rights, { etcd }))).toEqual([])
  })

  test('without role root it neither adds nor removes members, nor reads a key', () => {
    for (const name of ['memberAdd', 'memberPromote', 'memberRemove'] as const) expect(can(policy(false), healthcheck, call(name), { etcd })).toBe(false)
    for (const operation of [get('/registry/x'), put('/registry/x'), get('health')]) expect(can(policy(false), healthcheck, operation, { etcd })).toBe(false)
    const needs = Object.fromEntries(kubeadm.healthcheck.rights.requests.map(({ request, needs: who }) => [request, who]))
    expect([needs['MemberAdd'], needs['MemberPromote'], needs['MemberRemove']]).toEqual(['root', 'root', 'root'])
  })

  test('between joins the double answers it what the data says: members always, Status by release', async () => {
    const needs = Object.fromEntries(kubeadm.healthcheck.rights.requests.map(({ request, needs: who }) => [request, who]))
    const alice = (await locked(etcd)).as('alice')
    const answers = await Promise.all([answerOf(alice.cluster.memberList({})), answerOf(alice.maintenance.status())])
    expect(answers.map((answer) => answer === 'ok')).toEqual([needs['MemberList'] !== 'root', needs['Status'] !== 'root'])
  })

  test('kube-apiserver works by its own name, and that is not root where etcd compacts', () => {
    expect([kubeadm.apiserver.commonName, kubeadm.apiserver.root]).toEqual([apiserver, 'never'])
    expect([can(policy(false), apiserver, put('/registry/x'), { etcd }), can(policy(false), apiserver, get('/other'), { etcd }), can(policy(false), apiserver, call('memberAdd'), { etcd })]).toEqual([true, false, false])
  })

  test('members are named like nodes, and are no users', () => {
    expect(kubeadm.members.map(({ commonName, isUser, root, rights }) => [commonName, isUser, root, rights])).toEqual([['cp-1', false, 'never', undefined], ['cp-2', false, 'never', undefined]])
    expect(() => definePolicy({ users: { 'cp-1': 'certificate' }, members: ['cp-1'] } as never)).toThrow(expect.objectContaining({ code: 'ERR_POLICY_INVALID' }))
  })
})

test('a kube-apiserver that compacts needs role root always, where compaction is guarded', () => {
  const rootOn = (etcd: string) => kubeadmEtcd({ etcd, compaction: 'apiserver', nodes: [] }).apiserver.root
  for (const etcd of since('3.5.30').from) expect(rootOn(etcd)).toBe('always')
  for (const etcd of since('3.5.30').before) expect(rootOn(etcd)).toBe('never')
})

test('every identity says how it is known', () => {
  const { healthcheck: one, apiserver: two, members } = kubeadmEtcd({ etcd: '3.6.16', compaction: 'etcd', nodes: ['a'] })
  for (const { evidence } of [one, two, ...members, ...one.rights.requests.map((request) => ({ evidence: [request.evidence] }))]) expect(evidence.map(({ kind }) => kind)).toEqual(['source'])
})

test('wrong options are refused', () => {
  expect(() => kubeadmEtcd({ etcd: '3.5.30', compaction: 'etcd', nodes: ['root'] })).toThrow(expect.objectContaining({ code: 'ERR_NAME_INVALID' }))
  expect(() => kubeadmEtcd({ etcd: '3.5.30', compaction: 'etcd', nodes: 'a' } as never)).toThrow(TypeError)
  expect(() => kubeadmEtcd({ etcd: '3.5.30', nodes: [] } as never)).toThrow(TypeError)
})
