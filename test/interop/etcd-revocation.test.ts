/** etcd judges revocation lists (`--client-crl-file`): whom it refuses, from when on, what it looks at and what not. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Etcd3 } from 'etcd3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { etcd3Options } from '../../src/auth/index.js'
import {
  createCa, createCrl, createCsr, days, generateKeyPair, issueClient, selectRecords, updateCrl, type Authority, type ClientRecord, type Revocation, type Validity,
} from '../../src/pki/index.js'
import { definePolicy } from '../../src/policy/index.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'
import type { Keyed } from '../support/material.js'

const { crypto } = globalThis
const policy = definePolicy({
  users: { root: 'certificate', 'calico-node': 'certificate' },
  members: ['etcd-0'],
  authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
  v3: { roles: {}, bindings: { root: ['root'] } },
})

const lanes = await testLanes()
console.info(`revocation lists judged by etcd ${lanes.map(({ name }) => name).join(', ')}`)

test('there is at least one etcd to judge by', () => {
  expect(lanes.length).toBeGreaterThan(0)
})

describe.each(lanes.map((lane) => ({ lane, name: lane.name })))('etcd $name', ({ lane }) => {
  let directory: string
  let cluster: Cluster
  let clients: Authority<'client'>
  /** Of the same name, with another key. etcd does not trust it. */
  let rivals: Authority<'client'>
  const nodes = new Map<string, Keyed & { readonly record: ClientRecord }>()
  const opened: Etcd3[] = []
  const now = new Date()
  const week = days(7).from(now)

  /** In one step, as an installer should: half a file refuses everybody. */
  const publish = async (contents: Uint8Array | string): Promise<void> => {
    await writeFile(join(directory, 'crl.next'), contents)
    await rename(join(directory, 'crl.next'), join(directory, 'crl'))
  }
  const list = async (revoked: readonly Revocation[], by = clients, validity: Validity = week) => createCrl(by, { revoked, validity })
  const revoke = (label: string): readonly Revocation[] =>
    selectRecords([...nodes.values()].map(({ record }) => record), { label }).map((certificate) => ({ certificate, revokedAt: now, reason: 'keyCompromise' }))
  const connect = (label: string): Etcd3 => {
    const { certificate = '', key = '' } = nodes.get(label) ?? {}
    const etcd = new Etcd3(etcd3Options({ hosts: cluster.clientUrls, ca: cluster.serverCa, certificate, key }))
    opened.push(etcd)
    return etcd
  }
  /** Whether a new connection with the certificate of this node is let in. */
  const isIn = async (label: string): Promise<boolean> => {
    const etcd = connect(label)
    try {
      await etcd.get('some').string()
      return true
    } catch (error) {
      expect(String(error)).toMatch(/UNAVAILABLE/)
      return false
    } finally {
      etcd.close()
    }
  }
  const areIn = async (): Promise<Record<string, boolean>> => ({ 'node-17': await isIn('node-17'), 'node-18': await isIn('node-18') })

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'etcd-rbac-crl-'))
    rivals = await createCa(crypto, { name: 'etcd-clients', signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer, validity: days(30).from(now, { backdateMinutes: 60 }), issues: ['client'] })
    // There from the beginning: without the file etcd lets nobody in.
    await publish((await createCrl(rivals, { revoked: [], validity: week })).der)
    cluster = await startCluster({ lane, members: 1, policy, moreArguments: ['--client-crl-file', join(directory, 'crl')] })
    clients = cluster.material.clients
    for (const label of ['node-17', 'node-18']) {
      const keys = await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
      const { chain, record } = await issueClient(clients, { policy, user: 'calico-node', label, csr: await createCsr(crypto, { signer: keys.signer }), validity: cluster.material.validity })
      nodes.set(label, { certificate: chain, key: await keys.exportPkcs8(), record })
    }
  })
  afterAll(async () => {
    for (const etcd of opened) etcd.close()
    await cluster.stop()
    await rm(directory, { recursive: true, force: true })
  })

  test('refuses a revoked node from the next handshake on, and the other node of the same user not; what is open goes on', async () => {
    await publish((await list([])).der)
    expect(await areIn()).toEqual({ 'node-17': true, 'node-18': true })
    const live = connect('node-17')
    const watcher = await live.watch().key('watched').create()
    const event = new Promise<string>((settle) => watcher.once('put', ({ value }: { readonly value: Buffer }) => settle(value.toString())))

    await publish((await list(revoke('node-17'))).der)
    expect(await areIn()).toEqual({ 'node-17': false, 'node-18': true })
    // Not a promise of safety: revoking does not cut what is open.
    await live.put('by').value('revoked')
    expect(await live.get('by').string()).toBe('revoked')
    await connect('node-18').put('watched').value('seen')
    expect(await event).toBe('seen')
  })

  test('refuses them still by the next list, and lets them in again only when a list has them no more', async () => {
    const before = await list(revoke('node-17'))
    const next = await updateCrl(clients, before.der, { validity: days(7).from(now), revoked: revoke('node-18') })
    await publish(next.der)
    expect(await areIn()).toEqual({ 'node-17': false, 'node-18': false })
    await publish((await list([])).der)
    expect(await areIn()).toEqual({ 'node-17': true, 'node-18': true })
  })

  const [, minor] = lane.version.split('.').map(Number)
  const readsPem = (minor ?? 0) < 6
  test(readsPem ? 'reads PEM too, before 3.6' : 'reads no PEM, from 3.6 on, and then refuses everybody', async () => {
    await publish((await list(revoke('node-17'))).pem)
    expect(await areIn()).toEqual({ 'node-17': false, 'node-18': readsPem })
  })

  test.each<[string, () => Promise<Uint8Array>]>([
    ['who signed the list: one of another authority counts as much', async () => (await createCrl(rivals, { revoked: revoke('node-17').map((one) => ({ ...one, certificate: { serial: one.certificate.serial } })), validity: week })).der],
    ['whether the signature is whole', async () => (await list(revoke('node-17'))).der.map((byte, index, all) => (index === all.length - 1 ? byte ^ 1 : byte))],
    ['whether the list is outdated', async () => (await list(revoke('node-17').map((one) => ({ ...one, revokedAt: new Date(now.getTime() - 480_000) })), clients, { notBefore: new Date(now.getTime() - 400_000), notAfter: new Date(now.getTime() - 300_000) })).der],
  ])('does not look at %s', async (_, make) => {
    await publish(await make())
    expect(await areIn()).toEqual({ 'node-17': false, 'node-18': true })
  })

  test.each<[string, () => Promise<unknown>]>([
    ['missing', () => rm(join(directory, 'crl'))],
    ['empty', () => publish('')],
    ['half written', async () => publish((await list(revoke('node-17'))).der.subarray(0, 100))],
  ])('refuses everybody while the file is %s, and nobody for that any more when it is right', async (_, spoil) => {
    await spoil()
    expect(await areIn()).toEqual({ 'node-17': false, 'node-18': false })
    await publish((await list([])).der)
    expect(await areIn()).toEqual({ 'node-17': true, 'node-18': true })
  })
})
