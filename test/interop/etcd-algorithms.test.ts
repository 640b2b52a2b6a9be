/**
 * etcd judges every kind of key in every place. A cluster of seven members, each with its own kind for its server and its peer certificate, each issued by
 * an authority of another kind: that they find each other proves each kind as authority, as server and as client to the TLS of Go on both sides. Then
 * clients of every kind under authorities of every kind, over both versions of TLS.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { freePorts, startEtcd, type RunningEtcd } from '../../examples/support/etcd.js'
import { writeRendered } from '../../examples/support/output.js'
import {
  createCa, createCsr, days, generateKeyPair, hostsOf, issueClient, issuePeer, issueServer, joinBundle, type Authority, type ExportableKeyPair, type KeyAlgorithm, type Purpose,
} from '../../src/pki/index.js'
import { parsePolicy } from '../../src/policy/index.js'
import { renderMember, toCommand } from '../../src/render/index.js'
import { keyAlgorithms } from '../support/certificates.js'
import { testLanes } from '../support/cluster.js'
import type { Keyed } from '../support/material.js'

const { crypto } = globalThis
const algorithms = keyAlgorithms
const names = algorithms.map((_, index) => `etcd-${index}`)
const nameOf = (purpose: Purpose, algorithm: KeyAlgorithm): string => `etcd-${purpose}s-${algorithm}`
const policy = parsePolicy({
  users: { root: 'certificate', alice: 'certificate' },
  members: names,
  authorities: (['client', 'server', 'peer'] as const).flatMap((purpose) => algorithms.map((algorithm) => nameOf(purpose, algorithm))),
  v3: { roles: {}, bindings: { root: ['root'] } },
})
const now = new Date()
const validity = days(2).from(now, { backdateMinutes: 5 })

type Authorities<D extends Purpose> = Readonly<Record<KeyAlgorithm, Authority<D>>>
const byAlgorithm = async <T>(make: (algorithm: KeyAlgorithm) => Promise<T>): Promise<Readonly<Record<KeyAlgorithm, T>>> =>
  Object.fromEntries(await Promise.all(algorithms.map(async (algorithm) => [algorithm, await make(algorithm)] as const))) as Record<KeyAlgorithm, T>
const authoritiesFor = <const D extends Purpose>(purpose: D): Promise<Authorities<D>> =>
  byAlgorithm(async (algorithm) => {
    const { signer } = await generateKeyPair(crypto, algorithm)
    return createCa(crypto, { name: nameOf(purpose, algorithm), signer, validity: days(30).from(now, { backdateMinutes: 10 }), issues: [purpose] })
  })

/** Another kind for the authority than for the key. */
const issuerOf = (algorithm: KeyAlgorithm): KeyAlgorithm => algorithms[(algorithms.indexOf(algorithm) + 3) % algorithms.length] ?? algorithm

/** To how many members one has a stream that it opened, and one that it was asked for (etcd `rafthttp/stream.go`): each end verified the other first. */
function streamsOf(log: string): { readonly dialling: number; readonly dialled: number } {
  const peers = (end: 'reader' | 'writer'): number => {
    const plain = new RegExp(`established a TCP streaming connection with peer ([0-9a-f]+) \\(stream \\S+(?: v2)? ${end}\\)`, 'g')
    const json = new RegExp(`established TCP streaming connection with remote peer","stream-${end}-type":.*?"remote-peer-id":"([0-9a-f]+)"`, 'g')
    return new Set([...log.matchAll(plain), ...log.matchAll(json)].map(([, id]) => id)).size
  }
  return { dialling: peers('reader'), dialled: peers('writer') }
}

const lanes = await testLanes()

test('there is at least one etcd to judge by', () => {
  expect(lanes.length).toBeGreaterThan(0)
})

describe('each kind of key in each place', () => {
  let keys: Readonly<Record<KeyAlgorithm, ExportableKeyPair>>
  let clients: Authorities<'client'>
  let servers: Authorities<'server'>
  let peers: Authorities<'peer'>
  const alice = new Map<string, Keyed>()
  let stranger: Keyed

  const keyed = async (algorithm: KeyAlgorithm, issue: (csr: string) => Promise<{ readonly chain: string }>): Promise<Keyed> => ({
    certificate: (await issue(await createCsr(crypto, { signer: keys[algorithm].signer }))).chain,
    key: await keys[algorithm].exportPkcs8(),
  })

  beforeAll(async () => {
    keys = await byAlgorithm((algorithm) => generateKeyPair(crypto, algorithm, { extractable: true }))
    ;[clients, servers, peers] = await Promise.all([authoritiesFor('client'), authoritiesFor('server'), authoritiesFor('peer')])
    for (const by of algorithms)
      for (const algorithm of algorithms) alice.set(`${by} ${algorithm}`, await keyed(algorithm, (csr) => issueClient(clients[by], { policy, user: 'alice', csr, validity })))
    const { signer } = await generateKeyPair(crypto, 'ecdsa-p256')
    const rival = await createCa(crypto, { name: nameOf('client', 'ecdsa-p256'), signer, validity: clients['ecdsa-p256'], issues: ['client'] })
    stranger = await keyed('ecdsa-p256', (csr) => issueClient(rival, { policy, user: 'alice', csr, validity }))
  })

  describe.each(lanes.map((lane) => ({ lane, name: lane.name })))('on etcd $name', ({ lane }) => {
    let directory: string
    let urls: readonly string[]
    const running: RunningEtcd[] = []

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'etcd-rbac-algorithms-'))
      const ports = await freePorts(2 * names.length)
      const url = (index: number): string => `https://127.0.0.1:${String(ports[index])}`
      urls = names.map((_, index) => url(index))
      const peerUrls = names.map((_, index) => url(names.length + index))
      const members = Object.fromEntries(names.map((name, index) => [name, [peerUrls[index] ?? '']]))
      running.push(...(await Promise.all(
        algorithms.map(async (algorithm, index) => {
          const [name, client, peer] = [names[index] ?? '', urls[index] ?? '', peerUrls[index] ?? '']
          const of = (at: string) => ({ policy, member: name, hosts: hostsOf(at), validity })
          const rendered = renderMember({
            version: lane.version,
            name,
            clientUrls: { listen: [client], advertise: [client] },
            peerUrls: { listen: [peer], advertise: [peer] },
            cluster: { members, state: 'new', token: `algorithms-${String(ports[0])}` },
            dataDirectory: `${directory}/${name}/data`,
            certificatesDirectory: `${directory}/${name}/certificates`,
            server: await keyed(algorithm, (csr) => issueServer(servers[issuerOf(algorithm)], { ...of(client), csr })),
            peer: await keyed(algorithm, (csr) => issuePeer(peers[issuerOf(algorithm)], { ...of(peer), csr })),
            trust: { clients: joinBundle(Object.values(clients).map(({ certificate }) => certificate)), peers: joinBundle(Object.values(peers).map(({ certificate }) => certificate)) },
            v2: lane.v2 !== 'none',
            gateway: 'off',
          })
          await writeRendered(rendered)
          const { certificate: cert, key } = alice.get(`ecdsa-p256 ecdsa-p256`) ?? stranger
          const tls = { ca: servers[issuerOf(algorithm)].certificate, cert, key }
          return startEtcd({ binary: lane.binary, args: toCommand(rendered.arguments), directory: `${directory}/${name}`, ready: { url: client, tls } })
        }),
      )))
    })
    afterAll(async () => {
      await Promise.all(running.map((each) => each.stop()))
      await rm(directory, { recursive: true, force: true })
    })

    /** The state that a member says it is in, or how it refused. A connection of its own each time: what an earlier handshake proved counts once. */
    const health = (index: number, { certificate: cert, key }: Keyed, version?: 'TLSv1.2' | 'TLSv1.3'): Promise<string> =>
      new Promise((settle) => {
        const ca = servers[issuerOf(algorithms[index]!)].certificate
        const asked = request(`${urls[index]!}/health`, { ca, cert, key, agent: false, ...(version === undefined ? {} : { minVersion: version, maxVersion: version }) }, (response) => {
          let body = ''
          response.setEncoding('utf8').on('data', (text: string) => (body += text)).on('end', () => { settle(body) })
        })
        asked.on('error', (error: Error & { readonly code?: string }) => { settle(error.code ?? error.message) }).end()
      })
    const HEALTHY = expect.stringContaining('"health":"true"') as string

    test('seven members of seven kinds of key, under authorities of other kinds, all speak to each other, both dialling and dialled', async () => {
      const all = Object.fromEntries(algorithms.map((algorithm) => [algorithm, { dialled: names.length - 1, dialling: names.length - 1 }]))
      // Every pair finds each other some time after there is a leader. What did not work by then would be tried again for ever.
      await vi.waitFor(async () => {
        const logs = await Promise.all(names.map((name) => readFile(`${directory}/${name}/etcd.log`, 'utf8')))
        expect(Object.fromEntries(algorithms.map((algorithm, index) => [algorithm, streamsOf(logs[index] ?? '')]))).toEqual(all)
      }, { timeout: 60_000, interval: 100 })
    })

    test.each(algorithms.flatMap((by) => algorithms.map((algorithm) => [algorithm, by] as const)))('a client with a key of %s under an authority of %s is let in by a server of every kind', async (algorithm, by) => {
      const index = (algorithms.indexOf(by) + algorithms.indexOf(algorithm)) % algorithms.length
      expect(await health(index, alice.get(`${by} ${algorithm}`)!)).toEqual(HEALTHY)
    })

    // etcd 3.3 has TLS 1.2 at most.
    test.each(lane.version.startsWith('3.3.') ? (['TLSv1.2'] as const) : (['TLSv1.2', 'TLSv1.3'] as const))('clients and servers of every kind meet over %s', async (version) => {
      for (const [index, algorithm] of algorithms.entries())
        expect(await health(index, alice.get(`${issuerOf(algorithm)} ${algorithm}`)!, version), algorithm).toEqual(HEALTHY)
    })

    test('a client of an authority that only has the name of a trusted one is refused by a server of every kind', async () => {
      for (const index of algorithms.keys()) expect(await health(index, stranger), algorithms[index]).toMatch(/^(?:ECONNRESET|EPIPE|EPROTO|ERR_SSL_\w+)$/)
    })
  })
})
