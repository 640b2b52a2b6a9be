/** Clients, servers and peers under intermediates on real etcd: chain files with the leaf first, the roots trusted. And what a preflight finds, etcd refuses. */
import { Etcd3 } from 'etcd3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EtcdAuth, etcd3Options } from '../../src/auth/index.js'
import { checkMaterial, createCa, createCsr, createIntermediateCa, generateKeyPair, hostsOf, issueClient, type Authority, type Validity } from '../../src/pki/index.js'
import { readPemBlocks } from '../../src/pki/pem.js'
import { anonymous, definePolicy, get, prefix, put, readwrite } from '../../src/policy/index.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'
import type { Keyed } from '../support/material.js'

const { crypto } = globalThis
const authorities = ['clients', 'servers', 'peers'].flatMap((name) => [`etcd-${name}`, `etcd-${name}-root`])
const policy = definePolicy({
  users: { root: 'certificate', alice: 'certificate' },
  members: ['etcd-0', 'etcd-1', 'etcd-2'],
  authorities,
  v3: { roles: { own: [readwrite(prefix('/a/'))] }, bindings: { root: ['root'], alice: ['own'] } },
})

const lanes = await testLanes()
// The oldest and the newest: Go's verifier was rewritten more than once between them.
const chosen = lanes.filter((_, index) => index === 0 || index === lanes.length - 1)
console.info(`intermediates judged by etcd ${chosen.map(({ name }) => name).join(', ')}`)

test('there is at least one etcd to judge intermediates by', () => {
  expect(chosen.length).toBeGreaterThan(0)
})

describe.each(chosen.map((lane) => ({ lane, name: lane.name })))('etcd $name with three members under intermediates', ({ lane }) => {
  let cluster: Cluster
  const opened: Etcd3[] = []
  beforeAll(async () => {
    cluster = await startCluster({ lane, members: 3, policy, trust: 'three intermediates' })
    const auth = new EtcdAuth(cluster.backend('v3', 'root'), { identity: { user: 'root' } })
    await auth.apply(await auth.plan(policy, { unmanaged: 'report', enable: true, acknowledgeOpenV2: true, acknowledgePasswordsInLog: true }))
  })
  afterAll(async () => {
    for (const one of opened) one.close()
    await cluster.stop()
  })

  /** Whether somebody with this certificate may write alice's key. */
  const writes = async ({ certificate, key }: Keyed): Promise<void> => {
    const etcd = new Etcd3(etcd3Options({ hosts: cluster.clientUrls[0]!, ca: cluster.serverCa, certificate, key }))
    opened.push(etcd)
    await etcd.put('/a/x').value('y').options({ deadline: Date.now() + 20_000 })
  }

  test('a user is who its leaf says, through the intermediate, and no more', async () => {
    expect(await cluster.attempt('alice', put('/a/x'))).toBe(true)
    expect(await cluster.attempt('alice', get('/b/x'))).toBe(false)
    expect(await cluster.attempt(anonymous, get('/a/x'))).toBe(false)
    expect(await cluster.attempt('root', get('/b/x'))).toBe(true)
  })

  test('what these members and users work with, a preflight finds nothing wrong with', async () => {
    const { material } = cluster
    const common = { policy, now: new Date() }
    for (const [index, member] of policy.members.entries()) {
      const [client, peer] = [cluster.clientUrls[index]!, cluster.peerUrls[index]!]
      const [serving, dialling] = [await material.server(member, [client]), await material.peer(member, [peer])]
      expect(readPemBlocks('certificate', serving.certificate)).toHaveLength(2)
      expect(await checkMaterial(crypto, { ...common, purpose: 'server', member, urls: [client], certificate: serving.certificate, key: serving.key, trusted: material.servers.root })).toEqual([])
      expect(await checkMaterial(crypto, { ...common, purpose: 'peer', member, urls: [peer], certificate: dialling.certificate, key: dialling.key, trusted: cluster.peerCa })).toEqual([])
    }
    const alice = await cluster.credentials('alice')
    expect(await checkMaterial(crypto, { ...common, purpose: 'client', user: 'alice', certificate: alice.certificate, key: alice.key, trusted: material.clients.root })).toEqual([])
    await writes(alice)
  })

  const minute = 60_000
  const shift = (from: number, until: number): Validity => ({ notBefore: new Date(Date.now() + from * minute), notAfter: new Date(Date.now() + until * minute) })
  const client = async (by: Authority<'client'>, validity: Validity = cluster.material.validity): Promise<Keyed> => {
    const keys = await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
    const csr = await createCsr(crypto, { signer: keys.signer })
    return { certificate: (await issueClient(by, { policy, user: 'alice', csr, validity })).chain, key: await keys.exportPkcs8() }
  }
  const wrong: readonly (readonly [title: string, code: string, make: () => Promise<Keyed>])[] = [
    ['without its intermediate', 'issuer-missing', async () => {
      const { certificate, key } = await client(cluster.material.clients)
      return { certificate: /-----BEGIN [^]+?-----END CERTIFICATE-----\n/.exec(certificate)![0], key }
    }],
    ['under another intermediate and root of the same names', 'signature', async () => {
      const validity = { notBefore: cluster.material.clients.notBefore, notAfter: cluster.material.clients.notAfter }
      const root = await createCa(crypto, { name: 'etcd-clients-root', signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer, validity, issues: ['client'], pathLength: 1 })
      return client(await createIntermediateCa(root, { name: 'etcd-clients', signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer, validity, issues: ['client'] }))
    }],
    ['that has expired', 'expired', () => client(cluster.material.clients, shift(-8, -1))],
    ['that is not valid yet', 'not-yet-valid', () => client(cluster.material.clients, shift(60, 120))],
    ['of a member, from the authority of servers', 'issuer-missing', () => cluster.material.server('etcd-0', [cluster.clientUrls[0]!])],
  ]
  test.each(wrong)('a certificate %s is found (%s) by a preflight, and refused by etcd', async (_, code, make) => {
    const keyed = await make()
    const findings = await checkMaterial(crypto, { policy, now: new Date(), purpose: 'client', user: 'alice', certificate: keyed.certificate, key: keyed.key, trusted: cluster.material.clients.root })
    expect(findings.map((finding) => finding.code)).toContain(code)
    await expect(writes(keyed)).rejects.toThrow()
    // The same, as it should be, is let in.
    await writes(await client(cluster.material.clients))
  })

  test('a key of another certificate is found, and a client cannot even be made of it', async () => {
    const [alice, other] = [await client(cluster.material.clients), await client(cluster.material.clients)]
    const mixed = { certificate: alice.certificate, key: other.key }
    const findings = await checkMaterial(crypto, { policy, now: new Date(), purpose: 'client', user: 'alice', ...mixed, trusted: cluster.material.clients.root })
    expect(findings.map((finding) => finding.code)).toEqual(['key-mismatch'])
    await expect(writes(mixed)).rejects.toThrow(/mismatch/)
  })

  test('a server certificate for another address is found, and refused by clients', async () => {
    const keyed = await cluster.material.server('etcd-0', ['https://10.9.8.7:2379'])
    const [url] = cluster.clientUrls
    const findings = await checkMaterial(crypto, { policy, now: new Date(), purpose: 'server', member: 'etcd-0', urls: [url!], ...keyed, trusted: cluster.serverCa })
    expect(findings.map((finding) => finding.code)).toEqual(['hosts-missing'])
    expect(findings[0]!.message).toContain(hostsOf(url!)[0])
  })
})
