/** Hosts of a member from all of its URLs, and wildcards, which nothing derives. */
import { describe, expect, test } from 'vitest'
import { checkHosts } from '../../../src/pki/hosts.js'
import { createCsr, inspectCertificate, issueServer, memberHosts, planMaterial, type MemberHostsRequest } from '../../../src/pki/index.js'
import { thrown } from '../../support/thrown.js'
import { authority, keyOf, NOW, policy, rejected, validity } from '../../support/pki.js'

const { crypto } = globalThis
const LOOPBACK = ['localhost', '127.0.0.1', '::1']

test.each<[string, MemberHostsRequest, readonly string[]]>([
  ['advertised and listened-on ones, each once', { listen: ['https://10.0.0.10:2379', 'https://10.1.0.10:2379'], advertise: ['https://ETCD-0.example:2379', 'https://10.0.0.10:2379'] }, ['etcd-0.example', '10.0.0.10', '10.1.0.10']],
  ['of an IPv6 member in one spelling', { listen: ['https://[FD00:0::1]:2379'], advertise: ['https://[fd00::1]:2379'] }, ['fd00::1']],
  ['of a member on all addresses: the advertised ones, and loopback', { listen: ['https://0.0.0.0:2379'], advertise: ['https://10.0.0.10:2379'] }, ['10.0.0.10', ...LOOPBACK]],
  ['of a member on all addresses of both families', { listen: ['https://[::]:2379'], advertise: ['https://etcd-0:2379'] }, ['etcd-0', ...LOOPBACK]],
  ['of a member on :: in another spelling', { listen: ['https://[0:0::0]:2379'], advertise: ['https://etcd-0:2379'] }, ['etcd-0', ...LOOPBACK]],
  ['with loopback where it listens there too', { listen: ['https://127.0.0.1:2379', 'https://10.0.0.10:2379'], advertise: ['https://10.0.0.10:2379'] }, ['10.0.0.10', '127.0.0.1', 'localhost', '::1']],
  ['without loopback where told so', { listen: ['https://0.0.0.0:2380'], advertise: ['https://10.0.0.10:2380'], loopback: false }, ['10.0.0.10']],
  ['with loopback where told so', { listen: ['https://10.0.0.10:2379'], advertise: ['https://10.0.0.10:2379'], loopback: true }, ['10.0.0.10', ...LOOPBACK]],
  ['of a member that only listens', { listen: ['https://10.0.0.10:2379'], advertise: [] }, ['10.0.0.10']],
  ['of a member on loopback alone', { listen: ['https://127.0.0.2:2379'], advertise: [] }, ['127.0.0.2', ...LOOPBACK]],
  ['with a wildcard that is asked for', { listen: [], advertise: ['https://etcd-0.etcd.example:2379'], wildcard: ['*.ETCD.example'] }, ['etcd-0.etcd.example', '*.etcd.example']],
  ['of an international name in its xn-- form', { listen: [], advertise: ['https://xn--tcd-9la.example:2379'] }, ['xn--tcd-9la.example']],
])('hosts %s', (_, request, wanted) => {
  expect(memberHosts(request)).toEqual(wanted)
})

describe('refused is', () => {
  test.each<[string, MemberHostsRequest]>([
    ['a member that listens on all addresses and advertises nothing', { listen: ['https://0.0.0.0:2379', 'https://[::]:2379'], advertise: [] }],
    ['the same with a wildcard, which names nobody', { listen: ['https://0.0.0.0:2379'], advertise: [], wildcard: ['*.etcd.example'], loopback: true }],
    ['no URL at all', { listen: [], advertise: [] }],
    ['an advertised address that stands for all', { listen: ['https://10.0.0.10:2379'], advertise: ['https://0.0.0.0:2379'] }],
    ['an international name', { listen: [], advertise: ['https://étcd.example:2379'] }],
    ['an international name among those listened on', { listen: ['https://étcd.example:2379'], advertise: ['https://10.0.0.10:2379'] }],
    ['a plain URL', { listen: ['http://127.0.0.1:2379'], advertise: ['https://10.0.0.10:2379'] }],
    ['a wildcard in a URL', { listen: [], advertise: ['https://*.etcd.example:2379'] }],
    ...['*', '*.', '*.example', 'etcd-*.example.com', '*.*.example.com', 'example.com', '*.10.0.0.1', '*.étcd.example', 'x.*.example.com'].map(
      (one): [string, MemberHostsRequest] => [`the wildcard ${one}`, { listen: [], advertise: ['https://10.0.0.10:2379'], wildcard: [one] }]),
  ])('%s', (_, request) => {
    thrown('ERR_HOST_INVALID', () => memberHosts(request))
  })

  test.each([
    ['a misspelt option', { listen: [], advertise: ['https://10.0.0.10:2379'], loopbacks: true }, 'loopbacks'],
    ['no list', { listen: 'https://10.0.0.10:2379', advertise: [] }, 'listen'],
    ['no wildcard list', { listen: [], advertise: ['https://10.0.0.10:2379'], wildcard: '*.etcd.example' }, 'wildcard'],
    ['loopback that is no boolean', { listen: [], advertise: ['https://10.0.0.10:2379'], loopback: 'no' }, 'loopback'],
    ['nothing', undefined, "member's hosts"],
  ])('%s, as a TypeError that says which', (_, request, says) => {
    expect(() => memberHosts(request as never)).toThrow(TypeError)
    expect(() => memberHosts(request as never)).toThrow(says)
  })
})

test('a wildcard is certified only where it is asked for in words, and then planned for too', async () => {
  const { signer } = await keyOf(crypto)
  const servers = await authority(crypto, 'etcd-servers', ['server'])
  const hosts = memberHosts({ listen: [], advertise: ['https://etcd-0.etcd.example:2379'], wildcard: ['*.etcd.example'] })
  const request = { policy, member: 'etcd-0', hosts, csr: await createCsr(crypto, { signer }), validity } as const
  expect((await rejected('ERR_HOST_INVALID', issueServer(servers, request))).message).toContain("wildcard: 'every name of that domain'")
  await expect(issueServer(servers, { ...request, wildcard: true as never })).rejects.toThrow(TypeError)
  const wildcard = 'every name of that domain'
  const { certificate, record } = await issueServer(servers, { ...request, wildcard })
  expect((await inspectCertificate(crypto, certificate)).hosts).toEqual(hosts)

  const options = { hosts: { 'etcd-0': { server: hosts, peer: ['10.0.0.10'] }, 'etcd-1': 'none', 'etcd-peer': 'none' }, authorities: { client: servers, server: servers, peer: servers } } as const
  thrown('ERR_HOST_INVALID', () => planMaterial(policy, [record], NOW, options))
  const planned = planMaterial(policy, [record], NOW, { ...options, wildcard }).certificates.find(({ wanted }) => wanted.purpose === 'server')
  expect(planned?.action).toBe('keep')
})

test('a wildcard that is asked for obeys the same rules when written by hand', () => {
  const asked = (host: string) => checkHosts([host], 'every name of that domain')
  expect(asked('*.ETCD.example')).toEqual(['*.etcd.example'])
  for (const host of ['*', '*.example', 'a*.etcd.example', '*.*.example.com']) thrown('ERR_HOST_INVALID', () => asked(host))
})
