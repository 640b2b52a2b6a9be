import { describe, expect, test } from 'vitest'
import type { ErrorCode } from '../../../src/errors.js'
import { commonNameOnly } from '../../../src/pki/asn1/name.js'
import { objectIdentifier, sequence, taggedPrimitive, tlv } from '../../../src/pki/asn1/write.js'
import {
  createCsr, days, hostsOf, inspectCertificate, issueClient, issueGateway, issuePeer, issueServer, planMaterial, recordOf, type IssuanceRecord, type MaterialOptions, type MaterialPlan,
} from '../../../src/pki/index.js'
import { definePolicy, type Policy } from '../../../src/policy/index.js'
import { authority, certificateOf, extension, keyOf, NOW } from '../../support/pki.js'
import { hostile, thrown } from '../../support/thrown.js'

const { crypto } = globalThis
const policy = definePolicy({
  users: { root: 'certificate', alice: 'certificate', auditor: 'password' },
  members: ['etcd-0', 'etcd-peer'],
  authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
})
const client = await authority(crypto, 'etcd-clients', ['client'])
const server = await authority(crypto, 'etcd-servers', ['server'])
const peer = await authority(crypto, 'etcd-peers', ['peer'])
const { signer } = await keyOf(crypto)
const csr = await createCsr(crypto, { signer })
const validity = days(90).from(NOW)
const memberHosts = { server: hostsOf('https://10.0.0.10:2379'), peer: hostsOf('https://10.0.0.10:2380', 'https://etcd-0:2380') }
const options: MaterialOptions<typeof policy> = { hosts: { 'etcd-0': memberHosts, 'etcd-peer': 'none' }, authorities: { client, server, peer } }

const issued: readonly IssuanceRecord[] = await Promise.all([
  issueClient(client, { policy, user: 'root', csr, validity }),
  issueClient(client, { policy, user: 'alice', csr, validity }),
  issueServer(server, { policy, member: 'etcd-0', hosts: memberHosts.server, csr, validity }),
  issuePeer(peer, { policy, member: 'etcd-0', hosts: memberHosts.peer, csr, validity }),
]).then((all) => all.map(({ record }) => record))

/** Action and reasons of each certificate, by name. */
const told = (plan: MaterialPlan): Readonly<Record<string, string>> =>
  Object.fromEntries(
    plan.certificates.map(({ action, wanted, reasons }) => {
      const name = wanted.purpose === 'client' ? [wanted.user, wanted.label].filter(Boolean).join('@') : wanted.purpose === 'gateway' ? wanted.uri : `${wanted.member} ${wanted.purpose}`
      return [name, [action, ...reasons.map(({ code }) => code)].join(' ')]
    }),
  )
const after = (count: number): Date => new Date(NOW.getTime() + count * 86_400_000)
const record = (index: number, change: Partial<IssuanceRecord>): readonly IssuanceRecord[] => issued.map((one, i) => (i === index ? ({ ...one, ...change } as IssuanceRecord) : one))

test('on an empty site everything is issued', () => {
  const plan = planMaterial(policy, [], NOW, options)
  expect(told(plan)).toEqual({ root: 'issue missing', alice: 'issue missing', 'etcd-0 server': 'issue missing', 'etcd-0 peer': 'issue missing' })
  expect(plan.certificates[2]?.wanted).toEqual({ purpose: 'server', member: 'etcd-0', hosts: ['10.0.0.10'] })
})

test('what was issued is kept, also when its records come back from a file', () => {
  const plan = planMaterial(policy, JSON.parse(JSON.stringify(issued)) as IssuanceRecord[], NOW, options)
  expect(told(plan)).toEqual({ root: 'keep valid', alice: 'keep valid', 'etcd-0 server': 'keep valid', 'etcd-0 peer': 'keep valid' })
  expect(plan).toMatchObject({ orphans: [], superseded: [] })
})

test('planning changes nothing that it was given', () => {
  const frozen = issued.map((one) => Object.freeze({ ...one }))
  expect(planMaterial(policy, Object.freeze(frozen) as typeof frozen, NOW, options)).toEqual(planMaterial(policy, issued, NOW, options))
})

describe('near its end a certificate is renewed', () => {
  test.each([
    ['with two thirds of its life gone, by default', undefined, 60],
    ['so many days before its end', { daysLeft: 10 }, 80],
    ['when half is left', { fractionLeft: 0.5 }, 45],
    ['on its last second', { daysLeft: 0 }, 90],
  ] as const)('%s', (_, renew, day) => {
    const all = { ...options, ...(renew === undefined ? {} : { renew }) }
    const second = 1000 / 86_400_000
    expect(told(planMaterial(policy, issued, after(day - second), all))['root']).toBe('keep valid')
    expect(told(planMaterial(policy, issued, after(day), all))['root']).toBe('renew expires')
  })

  test.each([
    ['as long as its life', { daysLeft: 90 }],
    ['as long as its life but for what it was backdated by', { daysLeft: 90 - 1 / 48 }],
    ['longer than its life', { daysLeft: 1000 }],
  ])('by the default where the window is %s: it would be renewed at each run', (_, renew) => {
    const all = { ...options, renew }
    expect(told(planMaterial(policy, issued, NOW, all))['root']).toBe('keep valid')
    expect(told(planMaterial(policy, issued, after(59), all))['root']).toBe('keep valid')
    expect(told(planMaterial(policy, issued, after(60), all))['root']).toBe('renew expires')
  })

  test('and after it, and before its beginning', () => {
    expect(told(planMaterial(policy, issued, after(91), options))['root']).toBe('renew expired')
    expect(told(planMaterial(policy, issued, after(-1), options))['root']).toBe('renew not-yet-valid')
  })

  test.each([{ daysLeft: -1 }, { daysLeft: Number.NaN }, { fractionLeft: 1 }, { fractionLeft: -0.1 }, {} as never])('an impossible window %j is refused', (renew) => {
    thrown('ERR_VALIDITY_INVALID', () => planMaterial(policy, issued, NOW, { ...options, renew }))
  })

  test.each([null, 30, 'always', [30]])('and %j is no window', (renew) => {
    expect(() => planMaterial(policy, issued, NOW, { ...options, renew: renew as never })).toThrow(TypeError)
  })
})

describe('what is not what is needed is replaced', () => {
  test.each([
    ['by another key of the authority', 0, { authorityKeyId: '00' }, 'replace authority-changed'],
    ['by an authority of another name', 0, { authority: 'old-ca' }, 'replace authority-changed'],
    ['for another Common Name', 0, { commonName: 'admin' }, 'replace common-name-differs'],
    ['for more than a client', 0, { usages: ['clientAuth', 'serverAuth'] as const }, 'replace usages-differ'],
    ['of an unreadable end', 0, { notAfter: 'soon' }, 'renew expired'],
    ['of an unreadable beginning', 0, { notBefore: 'now' }, 'renew not-yet-valid'],
  ] as const)('a certificate %s', (_, index, change, wanted) => {
    expect(told(planMaterial(policy, record(index, change), NOW, options))['root']).toBe(wanted)
  })

  test('a member whose hosts changed, in either direction, but not in order', () => {
    const hosts = (...list: readonly string[]) => told(planMaterial(policy, issued, NOW, { ...options, hosts: { ...options.hosts, 'etcd-0': { ...memberHosts, peer: list } } }))['etcd-0 peer']
    expect(hosts('etcd-0', '10.0.0.10')).toBe('keep valid')
    expect(hosts('10.0.0.10')).toBe('replace hosts-differ')
    expect(hosts('10.0.0.10', 'etcd-0', '10.0.0.11')).toBe('replace hosts-differ')
  })

  test('a server certificate when the gateway gets its own, and a peer when it gets a Common Name', () => {
    expect(told(planMaterial(policy, issued, NOW, { ...options, gateway: 'own-certificate' }))['etcd-0 server']).toBe('replace usages-differ')
    expect(told(planMaterial(policy, issued, NOW, { ...options, commonNames: { peer: 'etcd-peer' } }))['etcd-0 peer']).toBe('replace common-name-differs')
  })

  test('a key of a kind that is no longer accepted', () => {
    expect(told(planMaterial(policy, issued, NOW, { ...options, keyAlgorithms: ['ecdsa-p384'] }))['alice']).toBe('replace key-algorithm-refused')
    expect(told(planMaterial(policy, issued, NOW, { ...options, keyAlgorithms: ['ecdsa-p256'] }))['alice']).toBe('keep valid')
  })

  test('all reasons are told at once, the time among them', () => {
    expect(told(planMaterial(policy, record(0, { authority: 'old', usages: [] }), after(70), options))['root']).toBe('replace authority-changed usages-differ expires')
  })
})

test('of several for the same the best is kept and the others are superseded', () => {
  const old = { ...issued[0], serial: '01', notAfter: after(40).toISOString() } as IssuanceRecord
  const foreign = { ...issued[0], serial: '02', authority: 'old', notAfter: after(80).toISOString() } as IssuanceRecord
  const plan = planMaterial(policy, [foreign, old, ...issued], NOW, options)
  expect(plan.certificates[0]).toMatchObject({ action: 'keep', existing: { serial: issued[0]?.serial } })
  expect(plan.superseded.map(({ serial }) => serial)).toEqual(['01', '02'])
})

describe('what nothing needs is reported', () => {
  test('names that left the policy, users that lost their certificate, labels and gateways that nobody asks for', async () => {
    const gateway = (await issueGateway(client, { policy, uri: 'urn:example:gw', csr, validity })).record
    const as = (change: object): IssuanceRecord => ({ ...issued[0], ...change }) as IssuanceRecord
    const extra = [as({ user: 'bob' }), as({ user: 'auditor' }), as({ label: 'node-1' }), gateway, { ...issued[2], member: 'etcd-7' } as IssuanceRecord, { ...issued[2], member: 'etcd-peer' } as IssuanceRecord]
    const plan = planMaterial(policy, [...extra, ...issued], NOW, options)
    expect(plan.orphans.map(({ existing, reason }) => [extra.indexOf(existing), reason])).toEqual([
      [0, 'user "bob" is not in the policy'],
      [1, 'user "auditor" logs in by password'],
      [2, 'label "node-1" of user "root" is not asked for'],
      [3, 'no gateway "urn:example:gw" is asked for'],
      [4, 'member "etcd-7" is not in the policy'],
      [5, 'member "etcd-peer" has no hosts'],
    ])
    expect(told(planMaterial(policy, [gateway], NOW, { ...options, gateways: ['urn:example:gw'] }))['urn:example:gw']).toBe('keep valid')
  })

  test('a user with labels has one certificate for each, and none without', async () => {
    const labelled = (await issueClient(client, { policy, user: 'alice', label: 'node-1', csr, validity })).record
    const plan = planMaterial(policy, [...issued, labelled], NOW, { ...options, labels: { alice: ['node-1', 'node-2', 'node-2'] } })
    expect(told(plan)).toMatchObject({ 'alice@node-1': 'keep valid', 'alice@node-2': 'issue missing' })
    expect(told(plan)['alice']).toBeUndefined()
    expect(plan.orphans).toEqual([{ existing: issued[1], reason: 'user "alice" has certificates by label only' }])
  })
})

describe('records from a file', () => {
  const problems = (existing: readonly unknown[]) => thrown('ERR_RECORD_INVALID', () => planMaterial(policy, existing as IssuanceRecord[], NOW, options))
  const without = (index: number, field: string): unknown => Object.fromEntries(Object.entries(issued[index] ?? {}).filter(([name]) => name !== field))

  test('a member of which no hosts are recorded is replaced: what its certificate is for is not known', () => {
    const existing = [...issued.slice(0, 2), without(2, 'hosts'), without(3, 'hosts')] as IssuanceRecord[]
    expect(told(planMaterial(policy, existing, NOW, options))).toEqual({ root: 'keep valid', alice: 'keep valid', 'etcd-0 server': 'replace hosts-differ', 'etcd-0 peer': 'replace hosts-differ' })
  })

  test('every record that is none is named with its place, and all of them at once', () => {
    const { detail, message } = problems([
      issued[0], null, { ...issued[0], usages: undefined, user: 7 }, { ...issued[2], purpose: 'crl' }, { ...issued[2], hosts: '10.0.0.10', member: null }, { ...issued[1], label: 3, usages: ['clientAuth', 1] }, [],
    ])
    expect(detail.problems.map(({ path, code }) => [path, code])).toEqual(
      ['$[1]', '$[2].usages', '$[2].user', '$[3].purpose', '$[4].member', '$[4].hosts', '$[5].usages', '$[5].label', '$[6]'].map((path) => [path, 'ERR_RECORD_INVALID']),
    )
    for (const said of ['9 problems', '$[1]: found null, wanted an issuance record', '$[3].purpose: found "crl", wanted "client", "server", "peer" or "gateway"', '$[4].hosts']) expect(message).toContain(said)
  })

  test.each(['serial', 'keyHash', 'keyAlgorithm', 'authority', 'authorityKeyId', 'usages', 'notBefore', 'notAfter', 'user', 'purpose'])('one without %s is none', (field) => {
    expect(problems([without(0, field)]).detail.problems.map(({ path }) => path)).toEqual([`$[0].${field}`])
  })

  test.each(hostile)('%s is none, and fits none of the fields', (_, value) => {
    expect(problems([value]).detail.problems.length).toBeGreaterThan(0)
    for (const field of ['purpose', 'authority', 'user', 'notAfter']) expect(problems([{ ...issued[0], [field]: value }]).detail.problems.map(({ path }) => path)).toEqual([`$[0].${field}`])
  })

  test('ten thousand bad ones make a short message', () => {
    expect(problems(Array.from({ length: 10_000 }, () => ({ ...issued[0], purpose: 'x'.repeat(1000) }))).message.length).toBeLessThan(5000)
  })
})

describe('a certificate that another tool made is not kept where it is good for more than ours', () => {
  const usagesOf = (...oids: readonly string[]) => extension('2.5.29.37', false, sequence(...oids.map(objectIdentifier)))
  const keyId = extension('2.5.29.35', false, sequence(taggedPrimitive(0, Uint8Array.from(Buffer.from(client.keyId, 'hex')))))
  const clientAuth = '1.3.6.1.5.5.7.3.2'
  const dns = extension('2.5.29.17', false, sequence(tlv(0x82, Buffer.from('etcd-peers.internal'))))
  test.each([
    ['the same as ours', [usagesOf(clientAuth)], 'keep valid'],
    ['every usage', [usagesOf(clientAuth, '2.5.29.37.0')], 'replace usages-differ'],
    ['another usage', [usagesOf(clientAuth, '1.3.6.1.5.5.7.3.4')], 'replace usages-differ'],
    ['serving too', [usagesOf(clientAuth, '1.3.6.1.5.5.7.3.1')], 'replace usages-differ'],
    ['no usage in particular', [], 'replace usages-differ'],
    ['a host too, by which members may know each other', [usagesOf(clientAuth), dns], 'replace hosts-differ'],
  ] as const)('%s', async (_, extensions, wanted) => {
    const pem = await certificateOf({ by: signer, subject: commonNameOnly('root'), issuer: commonNameOnly('etcd-clients'), validity, extensions: [keyId, ...extensions] })
    const adopted = recordOf(await inspectCertificate(crypto, pem), { purpose: 'client', user: 'root' })
    expect(told(planMaterial(policy, JSON.parse(JSON.stringify([adopted])) as IssuanceRecord[], NOW, options))['root']).toBe(wanted)
  })
})

describe('nothing is planned that could not be issued, and no option is passed over', () => {
  const v2 = definePolicy({ users: policy.users, members: policy.members, v2: { guest: [], roles: {}, bindings: {} } })
  test.each<[string, ErrorCode, object, Policy?]>([
    ['a label that is none', 'ERR_LABEL_INVALID', { labels: { alice: ['node-1', 'bad label!'] } }],
    ['labels of a user who logs in by password', 'ERR_USER_LOGIN', { labels: { auditor: ['node-1'] } }],
    ['labels of a misspelt user', 'ERR_USER_UNKNOWN', { labels: { alcie: ['node-1'] } }],
    ['a gateway by a URI that Go would read as a host', 'ERR_HOST_INVALID', { gateways: ['https://x/y'] }],
    ['a gateway of a policy with a v2 half', 'ERR_ISSUE_REFUSED', { gateways: ['urn:example:gw'] }, v2],
    ['an undeclared Common Name', 'ERR_MEMBER_UNKNOWN', { commonNames: { peer: 'etcd-9' } }],
    ['the Common Name of a user', 'ERR_ISSUE_REFUSED', { commonNames: { server: 'alice' } }],
    ['the Common Name root', 'ERR_NAME_INVALID', { commonNames: { peer: 'root' } }],
  ])('%s', (_, code, change, of = policy) => {
    thrown(code, () => planMaterial(of, [], NOW, { ...options, ...change } as unknown as MaterialOptions<Policy>))
  })

  test.each([
    ['an unknown way of the gateway', { gateway: 'of' }],
    ['a label outside a list', { labels: { alice: 'node-1' } }],
    ['gateways outside a list', { gateways: 'urn:example:gw' }],
    ['labels in a map', { labels: new Map([['alice', ['node-1']]]) }],
  ])('%s is a TypeError', (_, change) => {
    expect(() => planMaterial(policy, [], NOW, { ...options, ...change } as never)).toThrow(TypeError)
  })
})

test('members without hosts, bad hosts and wrong types are refused', () => {
  expect(thrown('ERR_MEMBER_UNKNOWN', () => planMaterial(policy, [], NOW, { ...options, hosts: { 'etcd-peer': 'none' } as never })).detail.member).toBe('etcd-0')
  thrown('ERR_HOST_INVALID', () => planMaterial(policy, [], NOW, { ...options, hosts: { ...options.hosts, 'etcd-0': { server: [], peer: ['x'] } } }))
  expect(() => planMaterial(policy, [], new Date(Number.NaN), options)).toThrow(TypeError)
  expect(() => planMaterial(policy, undefined as never, NOW, options)).toThrow(TypeError)
})

test('names from the prototype of tables mean nothing', () => {
  const odd = definePolicy({ users: { constructor: 'certificate', toString: 'certificate' } })
  const plan = planMaterial(odd, [], NOW, { hosts: {}, authorities: { client, server, peer }, labels: {} })
  expect(plan.certificates.map(({ action }) => action)).toEqual(['issue', 'issue'])
})
