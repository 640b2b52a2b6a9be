/** Laws of what is issued: it is what was asked, it is read as it was written, and chance alone makes two runs differ. */
import fc from 'fast-check'
import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import type { WebCryptoLike } from '../../src/platform.js'
import { encoded, readDer, type DerValue } from '../../src/pki/asn1/der.js'
import { octetString, sequence, setOf, smallInteger, tagged, tlv, unsignedInteger, objectIdentifier } from '../../src/pki/asn1/write.js'
import {
  createCa, createCrl, createCsr, days, generateKeyPair, hostsOf, inspectCertificate, inspectCrl, issueClient, issueClients, issuePeer, issueServer, recordOf, type Authority, type KeyAlgorithm, type KeyPair, type Purpose,
} from '../../src/pki/index.js'
import { definePolicy } from '../../src/policy/index.js'
import { nameProblem } from '../../src/names.js'
import { randomOf } from '../support/random.js'

const { crypto } = globalThis
const NOW = new Date('2026-11-24T12:00:00.000Z')
const algorithms = ['ecdsa-p256', 'ecdsa-p384', 'ed25519'] as const
const keys = new Map<KeyAlgorithm, KeyPair>(await Promise.all(algorithms.map(async (one) => [one, await generateKeyPair(crypto, one)] as const)))
const authorities = new Map<KeyAlgorithm, Authority<Purpose>>(
  await Promise.all(algorithms.map(async (one) => [one, await createCa(crypto, { name: 'etcd-ca', signer: keys.get(one)!.signer, validity: days(4000).from(NOW, { backdateMinutes: 60 }), issues: ['client', 'server', 'peer'] })] as const)),
)

/** Any name that a user may have. */
const userName = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((name) => nameProblem('user', name) === undefined && name !== 'etcd-0' && name !== 'etcd-ca')
const label = fc.stringMatching(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,20}[A-Za-z0-9])?$/)
const lifetime = fc.tuple(fc.integer({ min: 60, max: 397 * 86_400 }), fc.integer({ min: 0, max: 60 }))
const host = fc.oneof(
  fc.ipV4().filter((one) => one !== '0.0.0.0').map((one) => `https://${one}:2379`),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).filter((bytes) => bytes[0] === 0xfd).map((bytes) => `https://[${Buffer.from(bytes).toString('hex').match(/.{4}/g)!.join(':')}]:2379`),
  fc.domain().filter((one) => !/^\d+$/.test(one.split('.').at(-1)!)).map((one) => `https://${one}:2379`),
)
const kind = fc.constantFrom(...algorithms)

test('every certificate of a user is read as what was asked, by us and by Node', async () => {
  await fc.assert(
    fc.asyncProperty(userName, fc.option(label, { nil: undefined }), lifetime, kind, kind, async (user, label, [seconds, backdateMinutes], by, key) => {
      const policy = definePolicy({ users: { [user]: 'certificate' }, authorities: ['etcd-ca'] })
      const { signer } = keys.get(key)!
      const csr = await createCsr(crypto, { signer, commonName: user })
      const validity = days(seconds / 86_400).from(NOW, { backdateMinutes })
      const { certificate, record } = await issueClient(authorities.get(by)!, { policy, user, csr, validity, ...(label === undefined ? {} : { label }) })
      const facts = await inspectCertificate(crypto, certificate)
      expect(facts).toMatchObject({ commonName: user, usages: ['clientAuth'], hosts: [], keyAlgorithm: key, authority: 'etcd-ca', isAuthority: false, ...(label === undefined ? {} : { label }) })
      expect([facts.notBefore, facts.notAfter]).toEqual([validity.notBefore, validity.notAfter].map((date) => date.toISOString()))
      expect(recordOf(facts, { purpose: 'client', user })).toEqual(record)
      const node = new X509Certificate(certificate)
      expect(node.toLegacyObject().subject.CN).toBe(user)
      expect(node.verify(new X509Certificate(authorities.get(by)!.certificate).publicKey)).toBe(true)
    }),
  )
}, 120_000)

test("every member's certificate is for its hosts and no other, by us and by Node", async () => {
  const policy = definePolicy({ users: { root: 'certificate' }, members: ['etcd-0'], authorities: ['etcd-ca'] })
  await fc.assert(
    fc.asyncProperty(fc.array(host, { minLength: 1, maxLength: 8 }), fc.boolean(), kind, async (urls, isPeer, key) => {
      const hosts = hostsOf(...urls)
      const csr = await createCsr(crypto, { signer: keys.get(key)!.signer })
      const request = { policy, member: 'etcd-0', hosts, csr, validity: days(90).from(NOW) } as const
      const { certificate, record } = isPeer ? await issuePeer(authorities.get('ecdsa-p256')!, request) : await issueServer(authorities.get('ecdsa-p256')!, request)
      const facts = await inspectCertificate(crypto, certificate)
      expect(facts.commonNames).toEqual([])
      expect(facts.hosts).toEqual(hosts)
      expect(recordOf(facts, { purpose: isPeer ? 'peer' : 'server', member: 'etcd-0' })).toEqual(record)
      const node = new X509Certificate(certificate)
      for (const one of hosts) expect(/^[\d.]+$|:/.test(one) ? node.checkIP(one) : node.checkHost(one), one).toBe(one)
      expect(node.checkIP('192.0.2.1')).toBe(hosts.includes('192.0.2.1') ? '192.0.2.1' : undefined)
    }),
  )
}, 120_000)

/** A value and all that is in it, written again from what was read. */
const again = (value: DerValue): Uint8Array => (value.children.length === 0 ? tlv(value.tag, value.source.subarray(value.content, value.end)) : tlv(value.tag, ...value.children.map(again)))
const der = fc.letrec<{ value: Uint8Array }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.uint8Array({ maxLength: 200 }).map((bytes) => octetString(bytes)),
    fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => unsignedInteger(bytes)),
    fc.integer({ min: 0, max: 2 ** 30 }).map((number) => smallInteger(number)),
    fc.array(fc.integer({ min: 0, max: 2 ** 30 }), { maxLength: 5 }).map((arcs) => objectIdentifier(['1', '3', ...arcs.map(String)].join('.'))),
    fc.array(tie('value'), { maxLength: 4 }).map((values) => sequence(...values)),
    fc.array(tie('value'), { maxLength: 4 }).map((values) => setOf(...values)),
    fc.tuple(fc.integer({ min: 0, max: 30 }), fc.array(tie('value'), { maxLength: 3 })).map(([number, values]) => tagged(number, ...values)),
  ),
})).value

test('what is written is read, and what is read is written again to the same bytes', () => {
  fc.assert(
    fc.property(der, (bytes) => {
      const value = readDer(bytes)
      expect(encoded(value)).toEqual(bytes)
      expect(again(value)).toEqual(bytes)
    }),
  )
})

/** A WebCrypto whose chance a seed decides. */
function seeded(seed: number): WebCryptoLike {
  const random = randomOf(seed, 'chance')
  return {
    subtle: crypto.subtle,
    getRandomValues: (array: Uint8Array) => {
      array.set(Uint8Array.from({ length: array.length }, () => random(256)))
      return array
    },
  }
}

test('two runs with the same inputs and the same randomness give the same bytes; with other randomness only numbers differ', async () => {
  const rsa = await generateKeyPair(crypto, 'rsa-2048')
  const policy = definePolicy({ users: { alice: 'certificate' }, members: ['etcd-0'], authorities: ['etcd-ca'] })
  const run = async (seed: number, { signer }: KeyPair): Promise<readonly string[]> => {
    const chance = seeded(seed)
    const authority = await createCa(chance, { name: 'etcd-ca', signer, validity: days(4000).from(NOW), issues: ['client', 'server'] })
    const csr = await createCsr(chance, { signer })
    const client = await issueClient(authority, { policy, user: 'alice', label: 'node-17', csr, validity: days(90).from(NOW) })
    const server = await issueServer(authority, { policy, member: 'etcd-0', hosts: ['10.0.0.1', 'etcd-0.example'], csr, validity: days(90).from(NOW) })
    const { pem } = await createCrl(authority, { revoked: [{ certificate: client.record, revokedAt: NOW, reason: 'superseded' }], validity: days(7).from(NOW) })
    expect((await inspectCrl(crypto, pem)).revoked.map(({ serial }) => serial)).toEqual([client.record.serial])
    return [authority.certificate, csr, client.chain, server.chain, pem, JSON.stringify([client.record, server.record])]
  }
  // ECDSA signs with chance of its own.
  for (const key of [rsa, keys.get('ed25519')!]) {
    const [one, same, other] = [await run(1, key), await run(1, key), await run(2, key)]
    expect(same).toEqual(one)
    expect(other.map((text, index) => text === one[index])).toEqual([false, true, false, false, false, false])
  }
})

test('many at once are the same bytes in each run, whichever CSR is verified first', async () => {
  const policy = definePolicy({ users: { alice: 'certificate' }, authorities: ['etcd-ca'] })
  const { signer } = keys.get('ed25519')!
  // Of slow and fast verification in turn, so that they end in another order than they began.
  const kinds = [await generateKeyPair(crypto, 'rsa-4096'), keys.get('ed25519')!, await generateKeyPair(crypto, 'ecdsa-p521'), keys.get('ecdsa-p256')!]
  const csrs = await Promise.all(kinds.map((key) => createCsr(crypto, { signer: key.signer })))
  const requests = Array.from({ length: 50 }, (_, index) => ({ user: 'alice', label: `node-${String(index)}`, csr: csrs[index % csrs.length]! }) as const)
  const run = async (concurrency: number): Promise<readonly string[]> => {
    const authority = await createCa(seeded(1), { name: 'etcd-ca', signer, validity: days(4000).from(NOW), issues: ['client'] })
    const found: string[] = []
    for await (const { certificate } of issueClients(authority, requests, { policy, validity: days(90).from(NOW), concurrency })) found.push(certificate)
    return found
  }
  const one = await run(1)
  expect(new Set(one).size).toBe(50)
  for (const concurrency of [2, 16, 16, 16, 64]) expect(await run(concurrency)).toEqual(one)
})
