import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { ErrorCode } from '../../../src/errors.js'
import { readDer, type DerValue } from '../../../src/pki/asn1/der.js'
import { oidOf } from '../../../src/pki/asn1/fields.js'
import { commonNameOnly } from '../../../src/pki/asn1/name.js'
import { objectIdentifier, octetString, sequence, setOf, smallInteger, tagged, tlv, TRUE } from '../../../src/pki/asn1/write.js'
import {
  createCa, createCsr, days, hostsOf, inspectCertificate, issueClient, issueGateway, issuePeer, issueServer, openCa, type Authority, type ClientRequest, type Issued,
  type IssueQuestion, type KeyAlgorithm, type Signer,
} from '../../../src/pki/index.js'
import { readPem } from '../../../src/pki/pem.js'
import { authority, certificateOf, commonName, csrOf, keyOf, lanes, NOW, organization, policy, policyV2, rejected, validity } from '../../support/pki.js'

const hosts = hostsOf('https://10.0.0.10:2379', 'https://[fd00::1]:2379', 'https://etcd-0.example:2379')
const SAN = 'IP Address:10.0.0.10, IP Address:FD00:0:0:0:0:0:0:1, DNS:etcd-0.example'
const usages: Readonly<Record<string, string>> = { clientAuth: '1.3.6.1.5.5.7.3.2', serverAuth: '1.3.6.1.5.5.7.3.1' }

/** The extensions of a certificate as they stand: identifier and criticality. */
function extensionsOf(issued: Issued): readonly string[] {
  const tbs = readDer(readPem('certificate', issued.certificate)).children[0]
  const list = tbs?.children.at(-1)?.children[0]?.children ?? []
  return list.map(({ children }: DerValue) => `${oidOf(children[0] as DerValue)}${children.length === 3 ? ' critical' : ''}`)
}

describe.each(lanes)('with %s', (_, crypto) => {
  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const)('a client certificate for a key of %s names the user and nothing else', async (algorithm: KeyAlgorithm) => {
    const ca = await authority(crypto, 'etcd-clients', ['client'])
    const { signer } = await keyOf(crypto, algorithm)
    const issued = await issueClient(ca, { policy, user: 'calico-node', csr: await createCsr(crypto, { commonName: 'calico-node', signer }), validity })
    const seen = new X509Certificate(issued.certificate)
    expect(seen.subject).toBe('CN=calico-node')
    expect(seen.issuer).toBe('CN=etcd-clients')
    expect(seen.subjectAltName).toBeUndefined()
    expect(seen.keyUsage).toEqual([usages['clientAuth']])
    expect(seen.ca).toBe(false)
    expect(seen.verify(new X509Certificate(ca.certificate).publicKey)).toBe(true)
    expect(seen.publicKey.export({ format: 'der', type: 'spki' })).toEqual(Buffer.from(signer.publicKey))
    expect([new Date(seen.validFrom), new Date(seen.validTo)]).toEqual([validity.notBefore, validity.notAfter])
    expect(extensionsOf(issued)).toEqual(['2.5.29.19 critical', '2.5.29.15 critical', '2.5.29.37', '2.5.29.35'])
    expect(issued.chain).toBe(issued.certificate)
  })

  test.each([
    ['server', issueServer, 'ecdsa-p256'],
    ['server', issueServer, 'rsa-2048'],
    ['peer', issuePeer, 'ecdsa-p384'],
  ] as const)('a %s certificate has an empty subject and a critical SAN', async (purpose, issue, algorithm) => {
    const ca = await authority(crypto, 'etcd-ca', ['server', 'peer'])
    const { signer } = await keyOf(crypto, algorithm)
    const issued = await issue(ca, { policy, member: 'etcd-0', hosts, csr: await createCsr(crypto, { signer }), validity })
    const seen = new X509Certificate(issued.certificate)
    expect((seen.subject as string | undefined) ?? '').toBe('')
    expect(seen.subjectAltName).toBe(SAN)
    expect(seen.keyUsage).toEqual([usages['serverAuth'], usages['clientAuth']])
    expect(seen.checkIP('fd00::1')).toBe('fd00::1')
    expect(extensionsOf(issued)).toEqual(['2.5.29.19 critical', '2.5.29.15 critical', '2.5.29.37', '2.5.29.35', '2.5.29.17 critical'])
    expect(issued.record).toMatchObject({ purpose, member: 'etcd-0', hosts, keyAlgorithm: algorithm })
    expect(issued.commonName).toBeUndefined()
  })

  test('the record says what the certificate says, survives JSON, and holds no key', async () => {
    const ca = await authority(crypto, 'etcd-clients', ['client'])
    const { signer } = await keyOf(crypto)
    const { record, certificate } = await issueClient(ca, { policy, user: 'alice', label: 'node-1.example', csr: await createCsr(crypto, { signer }), validity })
    const facts = await inspectCertificate(crypto, certificate)
    const { purpose, user, ...rest } = record
    expect([purpose, user]).toEqual(['client', 'alice'])
    expect(facts).toMatchObject({ ...rest, label: 'node-1.example', uris: ['urn:etcd-rbac:label:node-1.example'] })
    expect(JSON.parse(JSON.stringify(record))).toEqual(record)
    expect(record.serial).toBe(new X509Certificate(certificate).serialNumber.toLowerCase())
    expect(record.authorityKeyId).toBe(ca.keyId)
  })

  test('a CSR that could make another user of its sender is refused', async () => {
    const ca = await authority(crypto, 'etcd-clients', ['client'])
    const { signer } = await keyOf(crypto)
    const issue = (csr: string) => issueClient(ca, { policy, user: 'alice', csr, validity })
    const other = await rejected('ERR_CSR_COMMON_NAME', issue(await createCsr(crypto, { commonName: 'root', signer })))
    expect(other.message).toContain('"root"')
    expect(other.message).toContain('"alice"')
    expect(other.detail).toEqual({ found: ['root'], wanted: 'alice' })
    for (const subject of [
      [[commonName('alice')], [commonName('root')]],
      [[commonName('alice')], [commonName('alice')]],
      [[commonName('alice'), commonName('root')]],
      [[commonName('')]],
      [[commonName('Alice')]],
      [[commonName('alice ')]],
      [[commonName('alice\u0000')]],
      [[commonName(Uint8Array.of(0xe9), 0x14)]],
    ])
      await rejected('ERR_CSR_COMMON_NAME', issue(await csrOf(signer, subject)))
    await rejected('ERR_DER_INVALID', issue(await csrOf(signer, [[commonName('alice', 0x04)]])))
    const tampered = (real: Uint8Array) => real.map((byte, i) => (i === real.length - 1 ? byte ^ 1 : byte))
    await rejected('ERR_CSR_SIGNATURE', issue(await csrOf(signer, [[commonName('alice')]], { signature: tampered })))
    const { signer: strange } = await keyOf(crypto, 'ecdsa-p384')
    await rejected('ERR_CSR_SIGNATURE', issue(await csrOf(signer, [[commonName('alice')]], { spki: strange.publicKey })))
  })
})

const { crypto } = globalThis
const clients = await authority(crypto, 'etcd-clients', ['client'])
const servers = await authority(crypto, 'etcd-servers', ['server'])
const peers = await authority(crypto, 'etcd-peers', ['peer'])
const { signer } = await keyOf(crypto)
const csr = await createCsr(crypto, { signer })

test('nothing that a CSR asks for gets into the certificate', async () => {
  const wish = (oid: string, value: Uint8Array) => sequence(objectIdentifier(oid), TRUE, octetString(value))
  const attributes = tagged(
    0,
    sequence(objectIdentifier('1.2.840.113549.1.9.14'), setOf(sequence(wish('2.5.29.19', sequence(TRUE)), wish('2.5.29.17', sequence(tlv(0x82, Buffer.from('evil.example')))), wish('1.2.3.4', smallInteger(1))))),
  )
  const asking = await csrOf(signer, [[commonName('alice')], [organization('system:masters')]], { attributes })
  const seen = new X509Certificate((await issueClient(clients, { policy, user: 'alice', csr: asking, validity })).certificate)
  expect(seen.subject).toBe('CN=alice')
  expect(seen.subjectAltName).toBeUndefined()
  expect(seen.ca).toBe(false)
})

test.each([
  ['another string type', 0x13],
  ['UTF-16', 0x1e],
])('a Common Name in %s may be the user, and is written as UTF8String', async (_, tag) => {
  const value = tag === 0x1e ? Buffer.from('alice', 'utf16le').swap16() : 'alice'
  const { certificate } = await issueClient(clients, { policy, user: 'alice', csr: await csrOf(signer, [[commonName(value, tag)]]), validity })
  expect(Buffer.from(readPem('certificate', certificate)).includes(Buffer.from('0c05616c696365', 'hex'))).toBe(true)
})

test('a name beyond ASCII is its bytes', async () => {
  const { certificate } = await issueClient(clients, { policy, user: 'naïve ✓', csr: await createCsr(crypto, { commonName: 'naïve ✓', signer }), validity })
  expect((await inspectCertificate(crypto, certificate)).commonName).toBe('naïve ✓')
})

describe('weak and unknown keys are refused by name', () => {
  test.each([
    ['rsa-1024', generateKeyPairSync('rsa', { modulusLength: 1024 })],
    ['ecdsa-p224', generateKeyPairSync('ec', { namedCurve: 'secp224r1' })],
    ['ecdsa-secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
    ['ed448', generateKeyPairSync('ed448')],
    ['dsa', generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 })],
  ] as const)('%s', async (algorithm, { publicKey }) => {
    const weak = await csrOf(signer, [[commonName('alice')]], { spki: publicKey.export({ format: 'der', type: 'spki' }) })
    const { detail } = await rejected('ERR_CSR_KEY', issueClient(clients, { policy, user: 'alice', csr: weak, validity }))
    expect(detail.algorithm).toBe(algorithm)
  })

  test('a SHA-1 signature', async () => {
    const sha1 = await csrOf(signer, [[commonName('alice')]], { algorithm: sequence(objectIdentifier('1.2.840.10045.4.1')) })
    expect((await rejected('ERR_CSR_SIGNATURE', issueClient(clients, { policy, user: 'alice', csr: sha1, validity }))).message).toContain('ecdsa-with-SHA1')
  })
})

describe('no client certificate', () => {
  const good = { policy, user: 'alice', csr, validity } as const
  const later = new Date(NOW.getTime() + 5000 * 86_400_000)
  const cases: readonly (readonly [string, ErrorCode, Partial<Record<keyof ClientRequest<typeof policy, 'alice'>, unknown>>])[] = [
    ['for an unknown user', 'ERR_USER_UNKNOWN', { user: 'bob' }],
    ['for a user that only a prototype has', 'ERR_USER_UNKNOWN', { user: 'constructor' }],
    ['for a user that logs in by password', 'ERR_USER_LOGIN', { user: 'auditor' }],
    ['for a name that is a path', 'ERR_NAME_INVALID', { user: 'x/../root' }],
    ['under a policy that does not know the authority', 'ERR_AUTHORITY_UNKNOWN', { policy: { ...policy, authorities: ['etcd-ca'] } }],
    ['under a policy with a user named like the authority', 'ERR_ISSUE_REFUSED', { policy: { ...policy, users: { ...policy.users, 'etcd-clients': 'password' } } }],
    ['that begins before its authority', 'ERR_VALIDITY_INVALID', { validity: { notBefore: new Date(NOW.getTime() - 2 * 3_600_000), notAfter: validity.notAfter } }],
    ['that outlives its authority', 'ERR_VALIDITY_INVALID', { validity: { notBefore: NOW, notAfter: later }, longLived: 'longer than 397 days' }],
    ['of 398 days', 'ERR_VALIDITY_INVALID', { validity: days(398).from(NOW) }],
    ['with a label that is no URI part', 'ERR_LABEL_INVALID', { label: 'node 1' }],
    ['with an empty label', 'ERR_LABEL_INVALID', { label: '' }],
    ['from a certificate instead of a CSR', 'ERR_PEM_INVALID', { csr: clients.certificate }],
    ['that its hook refuses', 'ERR_ISSUE_REFUSED', { authorize: () => false }],
    ['that its hook does not plainly allow', 'ERR_ISSUE_REFUSED', { authorize: () => Promise.resolve('yes') }],
  ]
  test.each(cases)('%s', async (_, code, change) => {
    await rejected(code, issueClient(clients, { ...good, ...change } as never))
  })

  test('for anybody, when its signer was not asked: refusals come before signing', async () => {
    let asked = 0
    const counting = { ...signer, sign: (bytes: Uint8Array) => ((asked += 1), signer.sign(bytes)) }
    const ca = await createCa(crypto, { name: 'etcd-clients', signer: counting, issues: ['client'], validity: days(3650).from(NOW, { backdateMinutes: 60 }) })
    asked = 0
    for (const [, code, change] of cases) await rejected(code, issueClient(ca, { ...good, ...change } as never))
    expect(asked).toBe(0)
    await issueClient(ca, good)
    expect(asked).toBe(1)
  })

  test('from an authority for another purpose, or from what is no authority', async () => {
    const refused = await rejected('ERR_PURPOSE_REFUSED', issueClient(peers as unknown as Authority<'client'>, good))
    expect(refused.detail).toEqual({ wanted: 'client', issues: ['peer'] })
    for (const none of [undefined, {}, { ...clients }]) await expect(issueClient(none as never, good)).rejects.toThrow(TypeError)
  })

  test('from an authority of which anything that shows was changed', async () => {
    const issues = { issues: { value: { client: true, peer: true } } }
    await rejected('ERR_PURPOSE_REFUSED', issuePeer(Object.create(clients, issues) as unknown as Authority<'peer'>, { policy, member: 'etcd-0', hosts, csr, validity }))
    await rejected('ERR_AUTHORITY_UNKNOWN', issueClient(Object.create(clients, { name: { value: 'etcd-ca' } }) as typeof clients, { ...good, policy: { ...policy, authorities: ['etcd-ca'] } as never }))
    const ca = await authority(crypto, 'etcd-clients', ['client'])
    ca.notAfter.setUTCFullYear(2090)
    ca.notBefore.setUTCFullYear(2000)
    await rejected('ERR_VALIDITY_INVALID', issueClient(ca, { ...good, validity: { notBefore: NOW, notAfter: later }, longLived: 'longer than 397 days' }))
    await rejected('ERR_VALIDITY_INVALID', issueClient(ca, { ...good, validity: { notBefore: new Date('2026-01-01'), notAfter: validity.notAfter } }))
  })

  test('is long-lived by accident: the words must be the right ones', async () => {
    const long = days(1000).from(NOW)
    await expect(issueClient(clients, { ...good, validity: long, longLived: true as never })).rejects.toThrow(TypeError)
    expect((await issueClient(clients, { ...good, validity: long, longLived: 'longer than 397 days' })).notAfter).toEqual(long.notAfter)
  })
})

test('a signer is taken as it was when it was checked: what it says later about itself changes nothing', async () => {
  const publicKey = Uint8Array.from(signer.publicKey)
  const changing = { ...signer, publicKey, sign: (bytes: Uint8Array) => signer.sign(bytes) }
  const making = createCa(crypto, { name: 'etcd-clients', signer: changing, issues: ['client'], validity: days(3650).from(NOW, { backdateMinutes: 60 }) })
  const asking = createCsr(crypto, { commonName: 'alice', signer: changing })
  Object.assign(changing, { algorithm: 'ecdsa-sha512', sign: () => Promise.reject(new Error('another')) })
  publicKey.fill(0)
  const ca = await making
  const issued = await issueClient(ca, { policy, user: 'alice', csr: await asking, validity })
  expect((await inspectCertificate(crypto, issued.certificate)).signatureAlgorithm).toBe('ecdsa-sha256')
  expect(new X509Certificate(issued.certificate).verify(new X509Certificate(ca.certificate).publicKey)).toBe(true)
})

test('a signer whose algorithm is another at each look is asked once', async () => {
  let looks = 0
  const turning: Signer = { publicKey: signer.publicKey, sign: (bytes) => signer.sign(bytes), get algorithm() { return looks++ === 0 ? 'ecdsa-sha256' as const : 'ecdsa-sha512' as const } }
  await createCa(crypto, { name: 'etcd-clients', signer: turning, issues: ['client'], validity: days(3650).from(NOW) })
  expect(looks).toBe(1)
})

test('the hook is asked about what was verified, and what it throws reaches the caller', async () => {
  const questions: IssueQuestion[] = []
  const issued = await issueClient(clients, { policy, user: 'alice', label: 'node-1', csr, validity, authorize: (question) => questions.push(question) === 1 })
  expect(questions).toEqual([{ purpose: 'client', name: 'alice', keyHash: issued.record.keyHash, keyAlgorithm: 'ecdsa-p256', label: 'node-1', hosts: [] }])
  const failure = new Error('directory down')
  await expect(issueClient(clients, { policy, user: 'alice', csr, validity, authorize: () => Promise.reject(failure) })).rejects.toBe(failure)
  // Not asked about a requester without proof.
  const flipped = await csrOf(signer, [], { signature: () => new Uint8Array(8) })
  await rejected('ERR_CSR_SIGNATURE', issueClient(clients, { policy, user: 'alice', csr: flipped, validity, authorize: () => { throw failure } }))
})

describe('what leaves is a copy:', () => {
  test('a hook that changes its question changes neither certificate nor record', async () => {
    const ca = await authority(crypto, 'etcd-servers', ['server'])
    const authorize = (question: IssueQuestion): boolean => {
      ;(question.hosts as string[])[0] = 'evil.example'
      ;(question.hosts as string[]).push('evil.example')
      return true
    }
    const issued = await issueServer(ca, { policy, member: 'etcd-0', hosts: ['etcd-0.example'], csr, validity, authorize })
    expect(issued.record.hosts).toEqual(['etcd-0.example'])
    expect((await inspectCertificate(crypto, issued.certificate)).hosts).toEqual(['etcd-0.example'])
  })

  test.each<[string, (bytes: Uint8Array) => unknown]>([
    ['zeroes', (bytes) => bytes.fill(0)],
    ['transfers', (bytes) => structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] })],
  ])('a signer that %s what it was given has signed the certificate all the same', async (_, spoil) => {
    const spoiling: Signer = {
      ...signer,
      sign: async (bytes) => {
        const signature = await signer.sign(bytes)
        spoil(bytes)
        return signature
      },
    }
    const ca = await createCa(crypto, { name: 'etcd-clients', signer: spoiling, issues: ['client'], validity: days(3650).from(NOW, { backdateMinutes: 60 }) })
    const { certificate } = await issueClient(ca, { policy, user: 'alice', csr: await createCsr(crypto, { signer: spoiling }), validity })
    expect((await inspectCertificate(crypto, certificate)).commonName).toBe('alice')
    expect(new X509Certificate(certificate).verify(new X509Certificate(ca.certificate).publicKey)).toBe(true)
  })

  test('a signer that takes its signature back has signed the certificate all the same', async () => {
    const fleeting: Signer = {
      ...signer,
      sign: async (bytes) => {
        const signature = await signer.sign(bytes)
        // After it was looked at, before it is used.
        queueMicrotask(() => { queueMicrotask(() => signature.fill(0)) })
        return signature
      },
    }
    const ca = await createCa(crypto, { name: 'etcd-clients', signer: fleeting, issues: ['client'], validity: days(3650).from(NOW, { backdateMinutes: 60 }) })
    const { certificate } = await issueClient(ca, { policy, user: 'alice', csr, validity })
    expect(new X509Certificate(certificate).verify(new X509Certificate(ca.certificate).publicKey)).toBe(true)
  })

  test('whoever changes what was issued changes nothing of what is issued next', async () => {
    const first = await issueClient(clients, { policy, user: 'alice', csr, validity })
    for (const usages of [first.usages, first.record.usages] as string[][]) usages.push('serverAuth')
    const second = await issueClient(clients, { policy, user: 'alice', csr, validity })
    expect(second.usages).toEqual(['clientAuth'])
    expect((await inspectCertificate(crypto, second.certificate)).usages).toEqual(['clientAuth'])
  })
})

describe('members', () => {
  const good = { policy, member: 'etcd-0', hosts, csr, validity } as const

  test.each([
    ['the gateway dials with it', {}, ['serverAuth', 'clientAuth']],
    ['the gateway has its own', { gateway: 'own-certificate' }, ['serverAuth']],
    ['the gateway is off', { gateway: 'off' }, ['serverAuth']],
  ] as const)('a server certificate where %s', async (_, change, wanted) => {
    const issued = await issueServer(servers, { ...good, ...change })
    expect(issued.usages).toEqual(wanted)
    expect(new X509Certificate(issued.certificate).keyUsage).toEqual(wanted.map((one) => usages[one]))
  })

  test('a Common Name is one of the members, asked for in so many words', async () => {
    const issued = await issuePeer(peers, { ...good, commonName: 'etcd-peer' })
    expect(new X509Certificate(issued.certificate).subject).toBe('CN=etcd-peer')
    expect(issued.record.commonName).toBe('etcd-peer')
    expect(extensionsOf(issued)).toContain('2.5.29.17')
    await rejected('ERR_ISSUE_REFUSED', issuePeer(peers, { ...good, commonName: 'alice' as never }))
    await rejected('ERR_NAME_INVALID', issuePeer(peers, { ...good, commonName: 'root' as never }))
    await rejected('ERR_MEMBER_UNKNOWN', issuePeer(peers, { ...good, commonName: 'other' as never }))
    await rejected('ERR_NAME_INVALID', issuePeer(peers, { ...good, commonName: '' as never }))
  })

  test('a CSR may carry the name of the member or the Common Name asked for, and no other', async () => {
    await issueServer(servers, { ...good, csr: await createCsr(crypto, { commonName: 'etcd-0', signer }) })
    await issuePeer(peers, { ...good, commonName: 'etcd-peer', csr: await createCsr(crypto, { commonName: 'etcd-peer', signer }) })
    await rejected('ERR_CSR_COMMON_NAME', issueServer(servers, { ...good, csr: await createCsr(crypto, { commonName: 'root', signer }) }))
    await rejected('ERR_CSR_COMMON_NAME', issueServer(servers, { ...good, csr: await createCsr(crypto, { commonName: 'etcd-1', signer }) }))
  })

  test.each([
    ['an unknown member', { member: 'etcd-9' }, 'ERR_MEMBER_UNKNOWN'],
    ['a member named like a user', { member: 'alice' }, 'ERR_ISSUE_REFUSED'],
    ['a member named root', { member: 'root' }, 'ERR_NAME_INVALID'],
    ['no hosts', { hosts: [] }, 'ERR_HOST_INVALID'],
    ['a wildcard', { hosts: ['*.example'] }, 'ERR_HOST_INVALID'],
  ] as const)('are refused for %s', async (_, change, code) => {
    // As a JavaScript caller could write it.
    const asked = { ...good, ...change } as unknown as typeof good
    await rejected(code, issueServer(servers, asked))
    await rejected(code, issuePeer(peers, asked))
  })

  test('have as many hosts as can be read again, and no more', async () => {
    const names = (count: number) => Array.from({ length: count }, (_, i) => `host-${String(i).padStart(3, '0')}.${'a'.repeat(58)}.example.com`)
    const refused = await rejected('ERR_HOST_INVALID', issueServer(servers, { ...good, hosts: names(900) }))
    expect(refused.message).toContain('900 hosts')
    const { certificate } = await issueServer(servers, { ...good, hosts: names(600) })
    expect((await inspectCertificate(crypto, certificate)).hosts).toHaveLength(600)
    const long = Array.from({ length: 1000 }, (_, i) => `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.e${i}`)
    let most = 0
    for (let step = 512; step >= 1; step /= 2) if (await issueServer(servers, { ...good, hosts: long.slice(0, most + step) }).then(() => true, () => false)) most += step
    expect((await inspectCertificate(crypto, (await issueServer(servers, { ...good, hosts: long.slice(0, most) })).certificate)).hosts).toHaveLength(most)
  })

  test('never come from the authority of clients, or of each other', async () => {
    for (const ca of [clients, peers]) await rejected('ERR_PURPOSE_REFUSED', issueServer(ca as unknown as Authority<'server'>, good))
    for (const ca of [clients, servers]) await rejected('ERR_PURPOSE_REFUSED', issuePeer(ca as unknown as Authority<'peer'>, good))
    await expect(issueServer(servers, { ...good, gateway: 'none' as never })).rejects.toThrow(TypeError)
  })
})

describe('a gateway', () => {
  const good = { policy, uri: 'urn:example:etcd-gateway', csr, validity } as const

  test('has no Common Name, a critical URI, and clientAuth only', async () => {
    const issued = await issueGateway(clients, good)
    const seen = new X509Certificate(issued.certificate)
    expect((seen.subject as string | undefined) ?? '').toBe('')
    expect(seen.subjectAltName).toBe('URI:urn:example:etcd-gateway')
    expect(seen.keyUsage).toEqual([usages['clientAuth']])
    expect(extensionsOf(issued)).toContain('2.5.29.17 critical')
    expect(issued.record).toMatchObject({ purpose: 'gateway', uri: 'urn:example:etcd-gateway' })
  })

  test('is refused on v2, with a Common Name in its CSR, and with a URI that Go would read as a host', async () => {
    await rejected('ERR_ISSUE_REFUSED', issueGateway(clients, { ...good, policy: policyV2 }))
    await rejected('ERR_CSR_COMMON_NAME', issueGateway(clients, { ...good, csr: await createCsr(crypto, { commonName: 'alice', signer }) }))
    const labelled = await rejected('ERR_HOST_INVALID', issueGateway(clients, { ...good, uri: 'urn:etcd-rbac:label:n1' }))
    expect(labelled.message).toContain('label')
    for (const uri of ['', 'gateway', 'https://gateway', 'urn:', 'urn:a b', 'URN:x', '//x', 'urn:ä']) await rejected('ERR_HOST_INVALID', issueGateway(clients, { ...good, uri }))
  })
})

describe('under an intermediate', async () => {
  const root = await keyOf(crypto, 'ecdsa-p384')
  const mine = await keyOf(crypto)
  /** An authority under others: its own name first, the root's last. */
  const under = async (names: readonly string[], ends: readonly number[] = []) => {
    const made = names.map((name, i) =>
      certificateOf({
        by: root.signer,
        subject: commonNameOnly(name),
        issuer: commonNameOnly(names[i + 1] ?? name),
        publicKeyDer: (i === 0 ? mine : root).signer.publicKey,
        validity: { notBefore: NOW, notAfter: days(ends[i] ?? 3000).from(NOW).notAfter },
      }),
    )
    const [certificate = '', ...parents] = await Promise.all(made)
    return openCa(crypto, { certificate, parents: parents.join(''), signer: mine.signer, issues: ['client'] })
  }
  const short = { notBefore: NOW, notAfter: days(30).from(NOW).notAfter }

  test('the chain is the leaf and the intermediate, issued by its name and key', async () => {
    const ca = await under(['etcd-clients', 'etcd-ca'])
    const { chain, certificate, record } = await issueClient(ca, { policy, user: 'alice', csr, validity: short })
    expect(chain).toBe(certificate + ca.certificate)
    expect(record).toMatchObject({ authority: 'etcd-clients', authorityKeyId: ca.keyId })
    const [leaf, intermediate] = [certificate, ca.certificate].map((pem) => new X509Certificate(pem))
    expect(leaf?.issuer).toBe('CN=etcd-clients')
    expect(leaf?.verify((intermediate as X509Certificate).publicKey)).toBe(true)
  })

  test('nothing is issued where one above it is named like a user', async () => {
    const ca = await under(['etcd-clients', 'etcd-servers', 'corp-root'])
    const named = { ...policy, users: { ...policy.users, 'corp-root': 'password' } } as unknown as typeof policy
    const refused = await rejected('ERR_ISSUE_REFUSED', issueClient(ca, { policy: named, user: 'alice', csr, validity: short }))
    expect(refused.detail.name).toBe('corp-root')
  })

  test('nothing is issued unless the policy keeps every name of the chain from users: one could be declared later', async () => {
    const ca = await under(['etcd-clients', 'corp-issuing', 'corp-root'])
    const refused = await rejected('ERR_AUTHORITY_UNKNOWN', issueClient(ca, { policy, user: 'alice', csr, validity: short }))
    expect(refused.detail).toEqual({ authority: 'corp-issuing', known: policy.authorities })
    expect(refused.message).toContain('declare "corp-issuing", "corp-root"')
    const reserving = { ...policy, authorities: [...policy.authorities, 'corp-issuing', 'corp-root'] } as unknown as typeof policy
    expect((await issueClient(ca, { policy: reserving, user: 'alice', csr, validity: short })).commonName).toBe('alice')
  })

  test('nothing is issued that outlives it, or one above it', async () => {
    for (const ends of [[10, 3000], [3000, 10]])
      await rejected('ERR_VALIDITY_INVALID', issueClient(await under(['etcd-clients', 'etcd-ca'], ends), { policy, user: 'alice', csr, validity: short }))
  })
})
