/**
 * An authority is changed on clusters of three, by the steps of the plan and nothing else, while a client writes. Members are killed rather than stopped: it
 * is the harder case.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { Etcd3 } from 'etcd3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { httpsFetch } from '../../examples/support/https-fetch.js'
import { etcd3Options } from '../../src/auth/index.js'
import { commonNameOnly } from '../../src/pki/asn1/name.js'
import {
  createCa, createCsr, days, explainTlsError, generateKeyPair, hostsOf, inspectCertificate, issueClient, issuePeer, issueServer, recordOf, rotateCa, rotationProgress, type Authority, type CertificateRole,
  type IssuanceRecord, type Purpose, type RotationPhaseName, type RotationPlan, type RotationReport, type RotationStep, type Signer,
} from '../../src/pki/index.js'
import { definePolicy } from '../../src/policy/index.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'
import type { Keyed } from '../support/material.js'
import { startMember, type OneMember } from '../support/one-member.js'
import { certificateOf } from '../support/pki.js'
import { startWriter, type SteadyWriter } from '../support/steady-writer.js'

const { crypto } = globalThis
const LANES: readonly string[] = ['3.4.23', '3.5.16', '3.5.35', '3.6.16']
const MEMBERS = ['etcd-0', 'etcd-1', 'etcd-2'] as const
type MemberName = (typeof MEMBERS)[number]
const policy = definePolicy({
  users: { root: 'certificate', writer: 'certificate' },
  members: [...MEMBERS],
  authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers', 'etcd-old'],
  v3: { roles: {}, bindings: { root: ['root'] } },
})
/** The file of each authority in the folder of a member. */
const FILES: Readonly<Record<string, string>> = { '--trusted-ca-file': 'clients-ca.crt', '--peer-trusted-ca-file': 'peers-ca.crt' }
const flagOf: Readonly<Record<Purpose, string>> = { client: '--trusted-ca-file', peer: '--peer-trusted-ca-file', server: '' }

const lanes = (await testLanes()).filter(({ name }) => LANES.includes(name))
test('there is at least one etcd to change authorities on', () => {
  expect(lanes.length).toBeGreaterThan(0)
})

describe.each(lanes)('on three members of etcd $name', (lane) => {
  let cluster: Cluster
  let writer: SteadyWriter
  /** What clients trust, in their file and in their memory, and what each shows. */
  const trust = { file: '', loaded: '' }
  const shown = new Map<string, Keyed>()
  const authorities = {} as Record<Purpose, Authority<Purpose>>
  /** What a member's CA files held when it was started. */
  const loaded = new Map<string, string>()

  const folder = (member: string): string => `${cluster.directory}/${member}/certificates`
  const urlOf = (member: string, urls: readonly string[]): string => urls[MEMBERS.indexOf(member as MemberName)] ?? ''
  const keyedOf = (user: string): Keyed => shown.get(user)!
  const asRoot = () => ({ ca: trust.loaded, cert: keyedOf('root').certificate, key: keyedOf('root').key })

  beforeAll(async () => {
    cluster = await startCluster({ lane, members: 3, policy })
    Object.assign(authorities, { client: cluster.material.clients, server: cluster.material.servers, peer: cluster.material.peers })
    trust.file = trust.loaded = cluster.serverCa
    for (const user of ['root', 'writer']) shown.set(user, await cluster.material.client(user))
    for (const member of MEMBERS) for (const flag of Object.keys(FILES)) loaded.set(`${member} ${flag}`, await readFile(`${folder(member)}/${FILES[flag]!}`, 'utf8'))
    writer = startWriter(cluster.clientUrls, '/rotation/', () => ({ ca: trust.loaded, ...keyedOf('writer') }))
    await writer.progress()
  })
  afterAll(async () => {
    await writer.end()
    await cluster.stop()
  })

  /** Whether somebody gets an answer there; or the error. */
  async function ask(url: string, tls: { readonly ca: string; readonly cert: string; readonly key: string }): Promise<unknown> {
    const fetch = httpsFetch(tls)
    try {
      return (await fetch(url)).status
    } catch (error) {
      return error
    } finally {
      fetch.close()
    }
  }

  /** Everything of a purpose that is in use, read from where it is in use. */
  async function inUse(purpose: Purpose): Promise<readonly { readonly holder: string; readonly certificate: IssuanceRecord }[]> {
    const read = async (holder: string, pem: string, role: CertificateRole) => ({ holder, certificate: recordOf(await inspectCertificate(crypto, pem), role) })
    if (purpose === 'client') return Promise.all([...shown].map(([user, { certificate }]) => read(user, certificate, { purpose, user })))
    return Promise.all(MEMBERS.map(async (member) => read(member, await readFile(`${folder(member)}/${purpose}.crt`, 'utf8'), { purpose, member })))
  }

  async function reportsOf(purpose: Purpose): Promise<readonly RotationReport[]> {
    const bundles =
      purpose === 'server'
        ? [{ holder: 'clients', bundle: trust.loaded, file: trust.file }]
        : await Promise.all(MEMBERS.map(async (holder) => ({ holder, bundle: loaded.get(`${holder} ${flagOf[purpose]}`)!, file: await readFile(`${folder(holder)}/${FILES[flagOf[purpose]]!}`, 'utf8') })))
    return [...bundles, ...(await inUse(purpose))]
  }

  async function issueBy(authority: Authority<Purpose>, { purpose, ...record }: IssuanceRecord): Promise<Keyed> {
    const keys = await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
    const common = { policy, csr: await createCsr(crypto, { signer: keys.signer }), validity: cluster.material.validity } as const
    const member = 'member' in record ? (record.member as MemberName) : 'etcd-0'
    const issued =
      purpose === 'client'
        ? await issueClient(authority, { ...common, user: (record as { readonly user: 'root' }).user })
        : await (purpose === 'peer' ? issuePeer : issueServer)(authority as Authority<'peer' | 'server'>, { ...common, member, hosts: hostsOf(urlOf(member, purpose === 'peer' ? cluster.peerUrls : cluster.clientUrls)) })
    return { certificate: issued.chain, key: await keys.exportPkcs8() }
  }

  /** Puts a pair where a member reads it. */
  async function install(member: string, purpose: 'server' | 'peer', { certificate, key }: Keyed): Promise<void> {
    await writeFile(`${folder(member)}/${purpose}.crt`, certificate)
    await writeFile(`${folder(member)}/${purpose}.key`, key)
  }

  async function perform(step: RotationStep, plan: RotationPlan, phase: RotationPhaseName, next: Authority<Purpose>): Promise<void> {
    const { pem } = plan.phases.find(({ name }) => name === phase)!.bundle
    if (step.do === 'write' && step.at === 'clients') trust.file = pem
    else if (step.do === 'write') for (const flag of step.flags) await writeFile(`${folder(step.at)}/${FILES[flag]!}`, pem)
    else if (step.do === 'reload') {
      trust.loaded = trust.file
      writer.reconnect()
    } else if (step.do === 'restart') {
      const member = cluster.members[MEMBERS.indexOf(step.at as MemberName)]!
      await member.kill()
      for (const flag of Object.keys(FILES)) loaded.set(`${step.at} ${flag}`, await readFile(`${folder(step.at)}/${FILES[flag]!}`, 'utf8'))
      await member.start({ as: asRoot() })
    } else {
      const keyed = await issueBy(next, step.replaces)
      if (step.replaces.purpose === 'client') shown.set(step.replaces.user, keyed)
      else if (step.replaces.purpose !== 'gateway') await install(step.replaces.member, step.replaces.purpose, keyed)
      writer.reconnect()
    }
  }

  const rival = async (purpose: Purpose): Promise<Authority<Purpose>> => {
    const { name, notBefore, notAfter } = authorities[purpose]
    return createCa(crypto, { name, signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer, validity: { notBefore, notAfter }, issues: [purpose] })
  }

  /** Does what is next until nothing is, each time from the plan and the reports alone, as after an interruption; looks in at the beginning of each phase. */
  async function walk(purpose: Purpose, next: Authority<Purpose>, look: (phase: RotationPhaseName | 'done') => Promise<void>): Promise<readonly string[]> {
    const old = authorities[purpose]
    const records = (await inUse(purpose)).map(({ certificate }) => certificate)
    const kept = JSON.stringify(await rotateCa(crypto, { purposes: [purpose], old, new: next, members: MEMBERS, ...(purpose === 'server' ? { holders: ['clients'] } : {}), records, now: new Date() }))
    const order: string[] = []
    for (;;) {
      const plan = JSON.parse(kept) as RotationPlan
      const { phase, next: steps } = rotationProgress(plan, await reportsOf(purpose), new Date())
      if (order.at(-1) !== phase) {
        order.push(phase)
        await look(phase)
      }
      const [step] = steps
      if (phase === 'done' || step === undefined) break
      await perform(step, plan, phase, next)
      // Somebody gets through at each step.
      await writer.progress()
    }
    authorities[purpose] = next
    return order
  }
  const ALL = ['trust both', 'load both', 'reissue', 'drop old', 'done']

  test("the clients' authority is changed, and a client of the new one is refused as long as members have not loaded it", { timeout: 240_000 }, async () => {
    const next = await rival('client')
    const ofOld = keyedOf('root')
    const [{ certificate: record }] = (await inUse('client')) as unknown as readonly [{ readonly certificate: IssuanceRecord }]
    const ofNew = await issueBy(next, record)
    const everywhere = (keyed: Keyed) => Promise.all(cluster.clientUrls.map((url) => ask(`${url}/health`, { ca: trust.loaded, cert: keyed.certificate, key: keyed.key })))
    const accepted: Record<string, boolean[]> = {}
    const order = await walk('client', next, async (phase) => {
      accepted[phase] = [...(await everywhere(ofOld)), ...(await everywhere(ofNew))].map((answer) => answer === 200)
    })
    expect(order).toEqual(ALL)
    const three = (one: boolean): boolean[] => [one, one, one]
    expect(accepted).toEqual({
      'trust both': [...three(true), ...three(false)],
      // Written, and yet not trusted: this is what skipping the restarts would be.
      'load both': [...three(true), ...three(false)],
      'reissue': [...three(true), ...three(true)],
      'drop old': [...three(true), ...three(true)],
      'done': [...three(false), ...three(true)],
    })
  })

  test("the peers' authority is changed, and a member of the new one is refused as long as the others have not loaded it", { timeout: 240_000 }, async () => {
    const next = await rival('peer')
    const [{ certificate: record }] = (await inUse('peer')) as unknown as readonly [{ readonly certificate: IssuanceRecord }]
    const { certificate: cert, key } = await issueBy(next, record)
    const accepted: Record<string, readonly boolean[]> = {}
    const order = await walk('peer', next, async (phase) => {
      const ca = authorities.peer.certificate + next.certificate
      accepted[phase] = await Promise.all(cluster.peerUrls.map(async (url) => (await ask(`${url}/members`, { ca, cert, key })) === 200))
    })
    expect(order).toEqual(ALL)
    expect(accepted).toEqual({ 'trust both': [false, false, false], 'load both': [false, false, false], 'reissue': [true, true, true], 'drop old': [true, true, true], 'done': [true, true, true] })
  })

  test("the servers' authority is changed without restart, and a client that was not told refuses a server of the new one", { timeout: 240_000 }, async () => {
    const next = await rival('server')
    // Skipping the first phase: one member shows a certificate of the new authority to clients that trust the old one.
    const at = urlOf('etcd-1', cluster.clientUrls)
    const [, { certificate: record }] = (await inUse('server')) as unknown as readonly [unknown, { readonly certificate: IssuanceRecord }]
    const before = { certificate: await readFile(`${folder('etcd-1')}/server.crt`, 'utf8'), key: await readFile(`${folder('etcd-1')}/server.key`, 'utf8') }
    await install('etcd-1', 'server', await issueBy(next, record))
    expect(explainTlsError(await ask(`${at}/health`, asRoot()))?.code).toBe('server-authority')
    await install('etcd-1', 'server', before)
    expect(await ask(`${at}/health`, asRoot())).toBe(200)

    const order = await walk('server', next, async () => {
      expect(await Promise.all(cluster.clientUrls.map((url) => ask(`${url}/health`, asRoot())))).toEqual([200, 200, 200])
    })
    expect(order).toEqual(ALL)
    expect(trust.loaded).toBe(next.certificate)
  })

  test('no write that was acknowledged meanwhile is lost', async () => {
    await writer.progress()
    await writer.end()
    console.info(`etcd ${lane.name}: ${String(writer.acknowledged.length)} writes acknowledged while three authorities were changed, ${String(writer.sentAgain)} sent again`)
    const etcd = new Etcd3(etcd3Options({ hosts: cluster.clientUrls, ca: trust.loaded, ...keyedOf('root') }))
    try {
      const there = await etcd.getAll().prefix('/rotation/').strings()
      expect(writer.acknowledged.filter((key) => there[key] !== key)).toEqual([])
      expect(writer.acknowledged.length).toBeGreaterThan(50)
    } finally {
      etcd.close()
    }
  })
})

describe.each(lanes)('one member of etcd $name', (lane) => {
  let member: OneMember
  let old: { readonly certificate: string; readonly signer: Signer }
  beforeAll(async () => {
    // An old authority that may have one below it.
    const { signer } = await generateKeyPair(crypto, 'ecdsa-p256')
    const validity = days(30).from(new Date(), { backdateMinutes: 10 })
    old = { signer, certificate: (await createCa(crypto, { name: 'etcd-old', signer, validity, issues: ['client'], pathLength: 1 })).certificate }
    member = await startMember({ lane, policy, user: 'root', trusted: ({ clients }) => clients.certificate + old.certificate })
  })
  afterAll(async () => {
    await member.stop()
  })

  test('that trusts the old authority alone accepts a client of the new one with the cross-signed certificate behind it, and refuses it without', async () => {
    const { signer } = await generateKeyPair(crypto, 'ecdsa-p256')
    const validity = days(30).from(new Date(), { backdateMinutes: 10 })
    const next = await createCa(crypto, { name: 'etcd-clients', signer, validity, issues: ['client'] })
    const crossSigned = await certificateOf({ by: old.signer, issuer: commonNameOnly('etcd-old'), subject: commonNameOnly('etcd-clients'), publicKeyDer: signer.publicKey, validity })
    const keys = await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
    const { chain } = await issueClient(next, { policy, user: 'writer', csr: await createCsr(crypto, { signer: keys.signer }), validity: member.material.validity })
    const plan = await rotateCa(crypto, { purposes: ['client'], old: { certificate: old.certificate }, new: next, members: ['etcd-0'], records: [], crossSigned, now: new Date() })
    const answers = await Promise.all(
      [chain, chain + plan.crossSigned!].map(async (cert) => {
        const fetch = httpsFetch({ ca: member.tls.ca, cert, key: await keys.exportPkcs8() })
        return fetch(`${member.client}/health`).then(({ status }) => status, () => 'refused').finally(() => fetch.close())
      }),
    )
    expect(answers).toEqual(['refused', 200])
  })

  test('is ended by SIGHUP, as the plan says', async () => {
    process.kill(member.etcd.pid, 'SIGHUP')
    expect(await member.etcd.exited).toEqual({ code: null, signal: 'SIGHUP' })
  })
})
