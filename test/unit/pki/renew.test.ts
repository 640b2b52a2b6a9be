import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { ErrorCode } from '../../../src/errors.js'
import { commonNameOnly } from '../../../src/pki/asn1/name.js'
import { objectIdentifier, octetString, sequence, tlv } from '../../../src/pki/asn1/write.js'
import {
  createCa, createCrl, createCsr, days, generateKeyPair, hostsOf, inspectCertificate, inspectCrl, issueClient, issueGateway, issuePeer, issueServer, proveOldKey, renew, verifyCsr, type Authority, type IssueQuestion,
  type OldKeyProof, type RenewalRequest, type Signer,
} from '../../../src/pki/index.js'
import { authority, certificateOf, isCa, keyOf, lanes, NOW, policy, policyV2, rejected } from '../../support/pki.js'
import { hostile } from '../../support/thrown.js'

const { crypto } = globalThis
const day = (count: number): Date => new Date(NOW.getTime() + count * 86_400_000)
const first = days(90).from(NOW, { backdateMinutes: 5 })
const LATER = day(60)
const next = days(90).from(LATER)
const signerOf = async (): Promise<Signer> => (await generateKeyPair(crypto, 'ecdsa-p256')).signer
const [old, fresh, thief] = await Promise.all([signerOf(), signerOf(), signerOf()])
const [oldCsr, csr, thiefs] = await Promise.all([createCsr(crypto, { signer: old }), createCsr(crypto, { signer: fresh }), createCsr(crypto, { signer: thief })])
const clients = await authority(crypto, 'etcd-clients', ['client'])
const rivals = await authority(crypto, 'etcd-clients', ['client'])
const all = await authority(crypto, 'etcd-ca', ['client', 'server', 'peer'])
const proof = await proveOldKey(old, csr)
const hosts = hostsOf('https://10.0.0.10:2379', 'https://etcd-0.example:2379')
const issued = await issueClient(clients, { policy, user: 'alice', label: 'node-7', csr: oldCsr, validity: first })

type Change = { readonly [K in keyof RenewalRequest<typeof policy>]?: unknown }
const base = { policy, previous: issued.certificate, csr, key: 'new', proof, now: LATER, validity: next }
const renewed = (change: Change = {}, by: Authority = clients) => renew(by, { ...base, ...change } as RenewalRequest<typeof policy>)

describe.each(lanes)('with %s', (_, lane) => {
  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const)('a certificate over a key of %s is renewed with a new key, whose old one asks for it', async (algorithm) => {
    const by = await authority(lane, 'etcd-clients', ['client'])
    const { signer } = await keyOf(lane, algorithm)
    const previous = (await issueClient(by, { policy, user: 'alice', csr: await createCsr(lane, { signer }), validity: first })).certificate
    const again = await createCsr(lane, { signer: fresh })
    const { record, certificate, differences } = await renew(by, { policy, previous, csr: again, key: 'new', proof: await proveOldKey(signer, again), now: LATER, validity: next })
    expect(record).toMatchObject({ purpose: 'client', user: 'alice', notAfter: next.notAfter.toISOString(), authorityKeyId: by.keyId, keyAlgorithm: 'ecdsa-p256' })
    expect(new X509Certificate(certificate).publicKey.export({ format: 'der', type: 'spki' })).toEqual(Buffer.from(fresh.publicKey))
    expect(differences).toEqual([])
  })
})

describe('a renewal', () => {
  test('is an issue: user, label, record, another serial number, and nothing of the old dates', async () => {
    const { record, chain } = await renewed()
    expect(record).toMatchObject({ user: 'alice', label: 'node-7', commonName: 'alice', notBefore: next.notBefore.toISOString() })
    expect(record.serial).not.toBe(issued.record.serial)
    expect((await inspectCertificate(crypto, chain)).label).toBe('node-7')
    expect((await renewed({ record: issued.record })).record).toEqual({ ...record, serial: expect.any(String) as string })
    expect((await renewed({ as: { purpose: 'client', user: 'alice' } })).record).toMatchObject({ user: 'alice', label: 'node-7' })
  })

  test('is of the same key where that is asked for, and then the CSR is the proof', async () => {
    const { record } = await renewed({ csr: oldCsr, key: 'same', proof: undefined })
    expect(record.keyHash).toBe(issued.record.keyHash)
  })

  test('needs no proof where none is demanded, in so many words', async () => {
    expect((await renewed({ proof: 'not demanded' })).record).toMatchObject({ user: 'alice' })
  })

  test('asks the hook as any issue does, and takes less where less is asked for', async () => {
    const questions: IssueQuestion[] = []
    const asked = days(1).from(LATER)
    const { notAfter } = await renewed({ asked, authorize: (question: IssueQuestion) => questions.push(question) === 1 })
    expect(notAfter).toEqual(asked.notAfter)
    expect(questions).toMatchObject([{ purpose: 'client', name: 'alice', label: 'node-7' }])
  })

  test('goes on from a predecessor that is named, such as the old authority of a rotation', async () => {
    const previous = (await issueClient(rivals, { policy, user: 'alice', csr: oldCsr, validity: first })).certificate
    expect((await renewed({ previous, predecessor: rivals.certificate })).record.authorityKeyId).toBe(clients.keyId)
    expect((await rejected('ERR_RENEWAL_REFUSED', renewed({ previous }))).detail.reason).toBe('signature')
  })

  test('of what has expired is refused, unless it is asked for in words; then too the rest must be right', async () => {
    const late = { now: day(91), validity: days(30).from(day(91)) }
    expect((await rejected('ERR_RENEWAL_REFUSED', renewed(late))).detail.reason).toBe('expired')
    const accepting = { ...late, expired: 'accept an expired certificate' }
    expect((await renewed(accepting)).record).toMatchObject({ user: 'alice' })
    await rejected('ERR_RENEWAL_REFUSED', renewed({ ...accepting, proof: undefined }))
    const forged = (await issueClient(rivals, { policy, user: 'alice', csr: oldCsr, validity: first })).certificate
    await rejected('ERR_RENEWAL_REFUSED', renewed({ ...accepting, previous: forged }))
  })

  test.each(['server', 'server-only', 'peer', 'named peer'] as const)('of a %s keeps its member and takes the hosts of today', async (kind) => {
    const asked = { policy, member: 'etcd-0', hosts, csr: oldCsr, validity: first } as const
    const before = kind.startsWith('server')
      ? await issueServer(all, { ...asked, gateway: kind === 'server' ? 'server-certificate' : 'off' })
      : await issuePeer(all, { ...asked, ...(kind === 'named peer' ? { commonName: 'etcd-peer' } : {}) })
    const more = [...hosts, 'etcd-0.new.example']
    const { record, usages } = await renewed({ previous: before.certificate, record: before.record, hosts: more }, all)
    expect(record).toEqual({ ...before.record, hosts: more, serial: record.serial, keyHash: record.keyHash, notBefore: next.notBefore.toISOString(), notAfter: next.notAfter.toISOString() })
    expect(usages).toEqual(before.usages)
    const role = { purpose: before.record.purpose, member: 'etcd-0' }
    expect((await renewed({ previous: before.certificate, as: role, hosts: more }, all)).record).toMatchObject(role)
    expect((await rejected('ERR_RENEWAL_REFUSED', renewed({ previous: before.certificate, record: before.record, hosts: more.slice(1) }, all))).message).toContain('10.0.0.10')
    await expect(renewed({ previous: before.certificate, record: before.record }, all)).rejects.toThrow(TypeError)
  })

  test('of a gateway keeps its URI', async () => {
    const before = await issueGateway(clients, { policy, uri: 'urn:example:gateway', csr: oldCsr, validity: first })
    expect((await renewed({ previous: before.certificate, record: before.record })).record).toMatchObject({ purpose: 'gateway', uri: 'urn:example:gateway' })
    await rejected('ERR_ISSUE_REFUSED', renewed({ previous: before.certificate, record: before.record, policy: { ...policyV2, authorities: policy.authorities } }))
    await rejected('ERR_CERTIFICATE_INVALID', renewed({ previous: before.certificate, as: { purpose: 'gateway', uri: 'urn:example:other' } }))
  })

  test('of a certificate with hosts, as other tools write them for users, has none of them', async () => {
    const san = sequence(objectIdentifier('2.5.29.17'), octetString(sequence(tlv(0x82, Buffer.from('node-7.example')))))
    const usage = sequence(objectIdentifier('2.5.29.37'), octetString(sequence(objectIdentifier('1.3.6.1.5.5.7.3.2'))))
    const shared = await signerOf()
    const by = await createCa(crypto, { name: 'etcd-clients', signer: shared, issues: ['client'], validity: days(3650).from(NOW, { backdateMinutes: 60 }) })
    const previous = await certificateOf({ by: shared, issuer: commonNameOnly('etcd-clients'), subject: commonNameOnly('alice'), publicKeyDer: old.publicKey, extensions: [usage, san], validity: first })
    const { certificate } = await renewed({ previous }, by)
    expect(new X509Certificate(certificate).subjectAltName).toBeUndefined()
  })
})

describe('what becomes of the request while a renewal waits changes nothing:', () => {
  const dated = () => ({ notBefore: new Date(next.notBefore), notAfter: new Date(next.notAfter) })
  const keyHashOf = async (request: string) => (await verifyCsr(crypto, request)).keyHash

  test.each<[string, (request: Record<string, unknown>) => void]>([
    ['the CSR is another', (request) => (request['csr'] = thiefs)],
    ['the previous certificate is another', (request) => (request['previous'] = 'x')],
    ['no proof is demanded', (request) => Object.assign(request, { csr: thiefs, proof: 'not demanded' })],
    ['the policy is another', (request) => (request['policy'] = { ...policy, users: {} })],
    ['the hook is another', (request) => (request['authorize'] = () => false)],
    ['the dates are others', (request) => (request['validity'] as { notAfter: Date }).notAfter.setTime(0)],
    ['the present is another', (request) => (request['now'] as Date).setTime(0)],
    ['the role is another', (request) => ((request['as'] as { user: string }).user = 'root')],
  ])('%s', async (_, change) => {
    // At every point where it may wait: after none, after one, after many turns.
    for (let turns = 0; turns < 12; turns++) {
      const request = { ...base, now: new Date(LATER), validity: dated(), as: { purpose: 'client', user: 'alice' } }
      const renewing = renew(clients, request as never)
      for (let turn = 0; turn < turns; turn++) await (turn % 2 === 0 ? Promise.resolve() : new Promise(setImmediate))
      change(request)
      const { record } = await renewing
      expect(record).toMatchObject({ user: 'alice', keyHash: await keyHashOf(csr), notAfter: next.notAfter.toISOString() })
    }
  })
})

describe('wildcards', async () => {
  const wildcard = 'every name of that domain'
  const wild = ['*.etcd.example', 'etcd-0.example']
  const before = await issueServer(all, { policy, member: 'etcd-0', hosts: wild, wildcard, csr: oldCsr, validity: first })

  test('are renewed where they are asked for again, and only then', async () => {
    const change = { previous: before.certificate, record: before.record, hosts: wild }
    expect((await renewed({ ...change, wildcard }, all)).record).toMatchObject({ hosts: wild })
    await rejected('ERR_HOST_INVALID', renewed(change, all))
    await expect(renewed({ ...change, wildcard: true }, all)).rejects.toThrow(TypeError)
    await expect(renewed({ wildcard })).rejects.toThrow(TypeError)
  })
})

describe('is refused:', async () => {
  const fromRival = await issueClient(rivals, { policy, user: 'alice', label: 'node-7', csr: oldCsr, validity: first })
  const selfMade = await certificateOf({ by: old, issuer: commonNameOnly('etcd-clients'), subject: commonNameOnly('alice'), extensions: [], validity: first })
  const selfSigned = await certificateOf({ by: old, subject: commonNameOnly('alice'), extensions: [], validity: first })
  const unsigning = await certificateOf({ by: thief, subject: commonNameOnly('etcd-clients'), extensions: [isCa] })
  const flipped = issued.certificate.replace(/(.{20})(.)(.{4}\n-----END)/s, (_, before: string, one: string, after: string) => `${before}${one === 'A' ? 'B' : 'A'}${after}`)
  const bob = await issueClient(clients, { policy: { ...policy, users: { ...policy.users, bob: 'certificate' } } as never, user: 'bob' as never, csr: oldCsr, validity: first })
  const server = await issueServer(all, { policy, member: 'etcd-0', hosts, csr: oldCsr, validity: first })
  const peer = await issuePeer(all, { policy, member: 'etcd-0', hosts, csr: oldCsr, validity: first })
  const client = await issueClient(all, { policy, user: 'alice', csr: oldCsr, validity: first })
  const overThief = await createCsr(crypto, { commonName: 'root', signer: thief })
  const crl = await inspectCrl(crypto, (await createCrl(clients, { revoked: [{ certificate: issued.record, revokedAt: LATER }], validity: days(7).from(LATER) })).der)
  const flip = ({ signature, ...rest }: OldKeyProof): OldKeyProof => ({ ...rest, signature: `${signature.slice(0, 10)}${signature[10] === 'A' ? 'B' : 'A'}${signature.slice(11)}` })

  test.each<[string, ErrorCode, string, Change, Authority?]>([
    ['a certificate of another authority of the same name', 'ERR_RENEWAL_REFUSED', 'signature', { previous: fromRival.certificate }],
    ['a copy that its holder signed itself, in the name of the authority', 'ERR_RENEWAL_REFUSED', 'signature', { previous: selfMade, as: { purpose: 'client', user: 'alice' } }],
    ['a self-signed copy with the same names', 'ERR_RENEWAL_REFUSED', 'issuer-missing', { previous: selfSigned, as: { purpose: 'client', user: 'alice' } }],
    ['a self-signed copy that brings itself as an authority', 'ERR_RENEWAL_REFUSED', 'issuer-missing', { previous: selfSigned + selfSigned, as: { purpose: 'client', user: 'alice' } }],
    ['a certificate that is named as its own predecessor', 'ERR_RENEWAL_REFUSED', 'not-an-authority', { previous: fromRival.certificate, predecessor: fromRival.certificate }],
    ['a self-signed certificate that is named as its own predecessor', 'ERR_RENEWAL_REFUSED', 'not-an-authority', { previous: selfSigned, predecessor: selfSigned }],
    ['a predecessor that may not sign certificates', 'ERR_RENEWAL_REFUSED', 'key-usage', { previous: fromRival.certificate, predecessor: unsigning }],
    ['a predecessor that is itself to be renewed', 'ERR_CERTIFICATE_INVALID', '', { previous: rivals.certificate, predecessor: rivals.certificate, as: { purpose: 'client', user: 'etcd-clients' } }],
    ["a user's labelled certificate as a gateway's", 'ERR_CERTIFICATE_INVALID', '', { as: { purpose: 'gateway', uri: 'urn:etcd-rbac:label:node-7' } }],
    ['a certificate with its own root behind it', 'ERR_RENEWAL_REFUSED', 'signature', { previous: fromRival.certificate + rivals.certificate }],
    ['the certificate of an authority', 'ERR_CERTIFICATE_INVALID', '', { previous: clients.certificate, as: { purpose: 'client', user: 'etcd-clients' } }],
    ['a certificate of which a bit was changed', 'ERR_RENEWAL_REFUSED', 'signature', { previous: flipped }],
    ['a certificate that is not valid yet', 'ERR_RENEWAL_REFUSED', 'not-yet-valid', { now: day(-1) }],
    ['the certificate of another user, by as', 'ERR_CERTIFICATE_INVALID', '', { as: { purpose: 'client', user: 'root' } }],
    ['the certificate of another user, by record', 'ERR_CERTIFICATE_INVALID', '', { record: { ...issued.record, user: 'root' } }],
    ['the record of another certificate', 'ERR_RENEWAL_REFUSED', 'another record', { record: { ...issued.record, serial: '01' } }],
    ['the record of another key', 'ERR_RENEWAL_REFUSED', 'another record', { record: { ...issued.record, keyHash: '01' } }],
    ['the record of another label', 'ERR_RENEWAL_REFUSED', 'another record', { record: { ...issued.record, label: 'node-8' } }],
    ['a user who has gone from the policy', 'ERR_USER_UNKNOWN', '', { previous: bob.certificate }],
    ['a user who logs in by password now', 'ERR_USER_LOGIN', '', { policy: { ...policy, users: { ...policy.users, alice: 'password' } } }],
    ['a member who has gone from the policy', 'ERR_MEMBER_UNKNOWN', '', { previous: server.certificate, record: server.record, hosts, policy: { ...policy, members: ['etcd-1'] } }, all],
    ['an authority that the policy does not know', 'ERR_AUTHORITY_UNKNOWN', '', { policy: { ...policy, authorities: ['etcd-ca'] } }],
    ['a revoked serial number', 'ERR_RENEWAL_REFUSED', 'revoked', { revoked: ['00', '01', issued.record.serial] }],
    ['a revoked serial number, as a list has it', 'ERR_RENEWAL_REFUSED', 'revoked', { revoked: crl.revoked.map(({ serial }) => serial) }],
    ['a revoked serial number with zeros before it', 'ERR_RENEWAL_REFUSED', 'revoked', { revoked: [`00${issued.record.serial}`] }],
    ['another key where the same is asked for', 'ERR_RENEWAL_REFUSED', 'another key', { key: 'same', proof: undefined }],
    ['the same key where a new one is asked for', 'ERR_RENEWAL_REFUSED', 'the same key', { csr: oldCsr, proof: 'not demanded' }],
    ['no proof by the old key', 'ERR_RENEWAL_REFUSED', 'no proof', { proof: undefined }],
    ['a proof by the new key', 'ERR_RENEWAL_REFUSED', 'false proof', { proof: await proveOldKey(fresh, csr) }],
    ['a proof by the old key over another request', 'ERR_RENEWAL_REFUSED', 'false proof', { csr: thiefs }],
    ['a proof of which a bit was changed', 'ERR_RENEWAL_REFUSED', 'false proof', { proof: flip(proof) }],
    ['a proof of another algorithm', 'ERR_RENEWAL_REFUSED', 'false proof', { proof: { ...proof, algorithm: 'rsa-sha256' } }],
    ['a proof of no algorithm', 'ERR_RENEWAL_REFUSED', 'false proof', { proof: { ...proof, algorithm: 'none' } }],
    ['a proof that is no base64', 'ERR_RENEWAL_REFUSED', 'false proof', { proof: { ...proof, signature: '!' } }],
    ['an empty proof', 'ERR_RENEWAL_REFUSED', 'false proof', { proof: {} }],
    ['a signature over the bare request, which the old key may have made for another purpose', 'ERR_RENEWAL_REFUSED', 'false proof', { proof: { algorithm: 'ecdsa-sha256', signature: Buffer.from(await old.sign(Buffer.from(csr.split('\n').slice(1, -2).join(''), 'base64'))).toString('base64') } }],
    ['a CSR for another user', 'ERR_CSR_COMMON_NAME', '', { csr: overThief, proof: await proveOldKey(old, overThief) }],
    ['a member without saying which', 'ERR_RENEWAL_REFUSED', 'no role', { previous: server.certificate }, all],
    ["a client's certificate as a peer's", 'ERR_RENEWAL_REFUSED', 'extended-key-usage', { previous: client.certificate, as: { purpose: 'peer', member: 'etcd-0' }, hosts }, all],
    ["a peer's certificate as a client's", 'ERR_CERTIFICATE_INVALID', '', { previous: peer.certificate, as: { purpose: 'client', user: 'alice' } }, all],
    ["a server's certificate by the authority of clients", 'ERR_RENEWAL_REFUSED', 'issuer-missing', { previous: server.certificate, record: server.record, hosts }],
    ['a validity beyond that of the authority', 'ERR_VALIDITY_INVALID', '', { validity: days(4000).from(LATER), longLived: 'longer than 397 days' }],
    ['what its hook refuses', 'ERR_ISSUE_REFUSED', '', { authorize: () => false }],
  ])('%s', async (_, code, reason, change, by = clients) => {
    const { detail } = await rejected(code, renewed(change, by))
    if (reason !== '') expect(detail).toMatchObject({ reason })
  })

  test.each<[string, Change]>([
    ['an unknown field', { previos: 'x' } as never], ['no key', { key: undefined }], ['no present', { now: undefined }], ['a present that is none', { now: new Date(NaN) }], ['a record and a role', { record: issued.record, as: { purpose: 'client', user: 'alice' } }],
    ['other words', { expired: true }], ['hosts for a client', { hosts }], ['a gateway for a client', { gateway: 'off' }], ['revoked that is one text', { revoked: issued.record.serial }],
  ])('%s, as a TypeError', async (_, change) => {
    await expect(renewed(change)).rejects.toThrow(TypeError)
  })

  test.each(hostile)('a previous certificate that is %s, as a TypeError', async (_, previous) => {
    await expect(renewed({ previous })).rejects.toThrow(TypeError)
  })

  test('no message says what a CSR or a proof holds', async () => {
    for (const change of [{ proof: flip(proof) }, { csr: thiefs }, { csr: overThief, proof: undefined }] as const) {
      const { message } = await rejected('ERR_RENEWAL_REFUSED', renewed(change))
      expect(message).not.toContain(proof.signature.slice(12, 24))
      expect(message).not.toContain('BEGIN')
    }
  })
})
