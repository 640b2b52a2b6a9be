/** The change of an authority: the plan, and where one is in it. `test/interop/etcd-rotation.test.ts` walks it on real clusters. */
import { createHash, X509Certificate as X509 } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  createCa, createCsr, createIntermediateCa, days, generateKeyPair, issueClient, issueGateway, issuePeer, issueServer, rotateCa, rotationProgress, type Authority, type IssuanceRecord, type Purpose, type RotatingAuthority,
  type RotationPhaseName, type RotationPlan, type RotationReport, type RotationRequest,
} from '../../../src/pki/index.js'
import { commonNameOnly } from '../../../src/pki/asn1/name.js'
import { objectIdentifier, sequence } from '../../../src/pki/asn1/write.js'
import { authority, certificateOf, certSign, extension, isCa, keyOf, NOW, policy, rejected, validity } from '../../support/pki.js'
import { hostile, thrown } from '../../support/thrown.js'

const { crypto } = globalThis
const MEMBERS = ['etcd-0', 'etcd-1', 'etcd-2']
const LATER = new Date(NOW.getTime() + 91 * 86_400_000)

let old: Authority<Purpose>
let next: Authority<Purpose>
let records: readonly IssuanceRecord[]
let renewed: readonly IssuanceRecord[]

beforeAll(async () => {
  ;[old, next] = [await authority(crypto, 'etcd-ca', ['client', 'server', 'peer']), await authority(crypto, 'etcd-ca', ['client', 'server', 'peer'])]
  const csr = await createCsr(crypto, { signer: (await keyOf(crypto)).signer })
  const issueAll = async (by: Authority<Purpose>) => {
    const common = { policy, csr, validity } as const
    const all = await Promise.all([
      issueClient(by, { ...common, user: 'alice' }), issueClient(by, { ...common, user: 'alice' }), issueClient(by, { ...common, user: 'calico-node', label: 'node-1' }),
      issueClient(by, { ...common, user: 'calico-node', label: 'node-2' }), issueGateway(by, { ...common, uri: 'urn:example:proxy' }),
      issueServer(by, { ...common, member: 'etcd-0', hosts: ['10.0.0.10'] }), issuePeer(by, { ...common, member: 'etcd-0', hosts: ['10.0.0.10'] }),
    ])
    return all.map(({ record }): IssuanceRecord => record)
  }
  ;[records, renewed] = [await issueAll(old), await issueAll(next)]
})

const planOf = (change: Partial<RotationRequest> = {}): Promise<RotationPlan> => rotateCa(crypto, { purposes: ['client'], old, new: next, members: MEMBERS, records, now: NOW, ...change })
const phase = (plan: RotationPlan, name: RotationPhaseName) => plan.phases.find((one) => one.name === name)!
const ofClients = (all: readonly IssuanceRecord[]) => all.filter(({ purpose }) => purpose === 'client' || purpose === 'gateway')
const everyone = (bundle: string, file?: string): readonly RotationReport[] => MEMBERS.map((holder) => ({ holder, bundle, ...(file === undefined ? {} : { file }) }))
const showing = (all: readonly IssuanceRecord[]): readonly RotationReport[] => all.map((certificate) => ({ holder: 'somebody', certificate }))

describe('the plan', () => {
  test('trusts both, loads both one member at a time, issues again what the old one issued, and drops it', async () => {
    const plan = await planOf()
    expect(plan.phases.map(({ name }) => name)).toEqual(['trust both', 'load both', 'reissue', 'drop old'])
    expect(phase(plan, 'trust both').steps).toMatchObject(MEMBERS.map((at) => ({ do: 'write', at, flags: ['--trusted-ca-file'] })))
    expect(phase(plan, 'load both').steps).toMatchObject(MEMBERS.map((at) => ({ do: 'restart', at })))
    expect(phase(plan, 'load both').steps.map(({ text }) => text)).toEqual([
      expect.stringContaining('SIGHUP ends it'), expect.stringContaining('once "etcd-0" is healthy again'), expect.stringContaining('once "etcd-1" is healthy again'),
    ])
    expect(phase(plan, 'reissue').steps).toMatchObject(ofClients(records).map((replaces) => ({ do: 'issue', replaces })))
    expect(phase(plan, 'drop old').steps.map((step) => step.do)).toEqual(['write', 'write', 'write', 'restart', 'restart', 'restart'])
    expect(plan.phases.map(({ gate }) => gate.of)).toEqual([3, 3, 5, 3])
  })

  test('has the bundle of each phase, and its hash as sha256sum prints it', async () => {
    const plan = await planOf()
    expect(plan.before.pem).toBe(old.certificate)
    expect(plan.phases.map(({ bundle }) => bundle.pem)).toEqual([...Array<string>(3).fill(old.certificate + next.certificate), next.certificate])
    for (const { bundle } of plan.phases) expect(bundle.sha256).toBe(createHash('sha256').update(bundle.pem).digest('hex'))
    expect(phase(plan, 'load both').gate.text).toBe(`3 of 3 report that they trust bundle ${phase(plan, 'load both').bundle.sha256}`)
  })

  test('is data: JSON and back gives the same, and progress the same', async () => {
    const plan = await planOf()
    const kept = JSON.parse(JSON.stringify(plan)) as RotationPlan
    expect(kept).toEqual(plan)
    const reports = everyone(plan.before.sha256, phase(plan, 'trust both').bundle.sha256)
    expect(rotationProgress(kept, reports, NOW)).toEqual(rotationProgress(plan, reports, NOW))
  })

  test("of the servers' authority restarts no member, and has every client read both", async () => {
    const plan = await planOf({ purposes: ['server'], holders: ['alice', 'apiserver'] })
    expect(plan.phases.slice(0, 2).flatMap(({ steps }) => steps)).toMatchObject([{ do: 'write', at: 'alice', flags: [] }, { do: 'write', at: 'apiserver', flags: [] }, { do: 'reload', at: 'alice' }, { do: 'reload', at: 'apiserver' }])
    expect(phase(plan, 'reissue').steps).toMatchObject([{ replaces: { purpose: 'server', member: 'etcd-0' } }])
    expect(plan.phases.map(({ gate }) => gate.of)).toEqual([2, 2, 1, 2])
  })

  test('of one authority for all names both CA files of a member, and every certificate', async () => {
    const plan = await planOf({ purposes: ['client', 'server', 'peer'], holders: ['alice'] })
    expect(phase(plan, 'trust both').steps[0]).toMatchObject({ flags: ['--trusted-ca-file', '--peer-trusted-ca-file'] })
    expect(phase(plan, 'reissue').gate.of).toBe(records.length)
  })

  test('says what breaks where a phase is skipped, of each kind of authority', async () => {
    const says = async (purposes: readonly Purpose[]) => (await planOf({ purposes, holders: ['alice'] })).phases.map(({ ifSkipped }) => ifSkipped)
    expect((await says(['client']))[0]).toContain('members refuse clients')
    expect((await says(['server']))[0]).toContain('clients refuse members')
    expect((await says(['peer']))[1]).toContain('quorum is gone')
    for (const text of await says(['client', 'peer'])) expect(text).not.toBe('')
  })

  test('leaves out what has expired, what another authority issued, and what is for another purpose', async () => {
    expect(phase(await planOf({ now: LATER }), 'reissue').steps).toEqual([])
    expect(phase(await planOf({ records: renewed }), 'reissue').steps).toEqual([])
    expect(phase(await planOf({ purposes: ['peer'] }), 'reissue').gate.of).toBe(1)
    // Another tool may have left the key identifier away.
    expect(phase(await planOf({ records: records.map((record) => ({ ...record, authorityKeyId: '' })) }), 'reissue').gate.of).toBe(5)
  })

  test('warns where a restart stops writing', async () => {
    expect((await planOf({ members: ['etcd-0'] })).warnings.join()).toContain('nobody can write')
    expect((await planOf({ members: ['etcd-0', 'etcd-1'] })).warnings.join()).toContain('nobody can write')
    expect((await planOf()).warnings.join()).not.toContain('nobody can write')
    expect((await planOf({ purposes: ['server'], members: ['etcd-0'], holders: ['alice'], records: [] })).warnings).toEqual([])
  })

  test('warns of the gateway where one authority for all is changed for clients or servers alone: it dials with the server certificate', async () => {
    const holders = ['alice']
    const warned = async (change: Partial<RotationRequest>) => (await planOf({ holders, ...change })).warnings.filter((text) => text.includes('503')).join()
    expect(await warned({ purposes: ['client'] })).toMatch(/"etcd-0" stay with the old authority/)
    expect(await warned({ purposes: ['client', 'peer'] })).toMatch(/stay with the old/)
    expect(await warned({ purposes: ['server'] })).toMatch(/"etcd-0" come to the new authority/)
    expect(await warned({ purposes: ['client', 'server'] })).toBe('')
    // An authority for servers alone, certificates that do not dial, or have expired.
    expect(await warned({ purposes: ['server'], records: records.filter(({ purpose }) => purpose === 'server') })).toBe('')
    expect(await warned({ records: records.map((record) => (record.purpose === 'server' ? { ...record, usages: ['serverAuth'] as const } : record)) })).toBe('')
    expect(await warned({ now: LATER })).toBe('')
  })
})

/** An authority two below its root. */
async function below(name: string) {
  const common = { issues: ['client'], validity: days(900).from(NOW, { backdateMinutes: 5 }) } as const
  const root = await createCa(crypto, { ...common, name: 'etcd-root', signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer, pathLength: 2 })
  const middle = await createIntermediateCa(root, { ...common, name: 'etcd-middle', signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer, pathLength: 1 })
  return createIntermediateCa(middle, { ...common, name, signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer })
}

describe('a certificate of another authority below the root that is dropped', () => {
  const elsewhere = (record: IssuanceRecord): IssuanceRecord => ({ ...record, authority: 'etcd-nodes', authorityKeyId: 'abcd' })
  const warned = async (all: readonly IssuanceRecord[], change: Partial<RotationRequest> = {}) => (await planOf({ records: all, ...change })).warnings.filter((text) => text.includes('neither')).join()

  test('is warned of, by name, in the plan and wherever it is shown: nobody accepts it any more', async () => {
    const nodes = ofClients(records).map(elsewhere)
    expect(await warned([...records, ...nodes])).toMatch(/"etcd-nodes" \(key abcd\).*client "alice", client "calico-node" \("node-1"\).*gateway "urn:example:proxy"/)
    const plan = await planOf()
    expect(rotationProgress(plan, showing(nodes.slice(2, 3)), NOW).warnings.join()).toMatch(/"etcd-nodes".*client "calico-node" \("node-1"\)/)
  })

  test('is not, where it has expired, is for another purpose, or of one of the two', async () => {
    expect(await warned([...records, ...renewed])).toBe('')
    expect(await warned(records.map(elsewhere), { purposes: ['peer'] })).not.toContain('alice')
    expect(await warned(records.map(elsewhere), { now: LATER })).toBe('')
    expect(rotationProgress(await planOf(), showing(records.map(elsewhere)), LATER).warnings).toEqual([])
  })
})

describe('what is trusted for an authority', () => {
  test('may be a root with others between both, which an authority brings along', async () => {
    const made = await below('etcd-new')
    for (const next of [{ ...made, trusted: made.root }, { certificate: made.certificate, parents: made.parents, trusted: made.root }])
      expect(phase(await planOf({ new: next }), 'drop old').bundle.pem).toBe(made.root)
  })

  test('of an old authority that has expired, may not sign, or is named like a user, is replaced all the same', async () => {
    const { signer } = await keyOf(crypto)
    for (const change of [{ validity: days(1).from(new Date('2020-01-01')) }, { extensions: [isCa] }, { subject: commonNameOnly('root') }])
      expect((await planOf({ old: { certificate: await certificateOf({ by: signer, ...change }) } })).phases).toHaveLength(4)
  })
})

describe('refused is', () => {
  const cases: readonly (readonly [string, string, () => Promise<Partial<RotationRequest>> | Partial<RotationRequest>])[] = [
    ['one authority twice', 'one key', () => ({ new: old })],
    ['a new certificate of the same key', 'one key', async () => ({ old: { certificate: await certificateOf({ by: (await keyOf(crypto)).signer }) }, new: { certificate: await certificateOf({ by: (await keyOf(crypto)).signer, validity: days(30).from(NOW) }) } })],
    ['a leaf', "no authority's", async () => ({ new: { certificate: await certificateOf({ by: (await keyOf(crypto)).signer, extensions: [] }) } })],
    ['a leaf that is trusted', "no authority's", async () => ({ new: { ...next, trusted: await certificateOf({ by: (await keyOf(crypto)).signer, extensions: [] }) } })],
    ['an intermediate without its root', 'not a root', async () => ({ new: { certificate: await certificateOf({ by: (await keyOf(crypto)).signer, issuer: commonNameOnly('root-of-it') }) } })],
    ['nothing that is trusted', 'nothing is trusted', () => ({ new: { ...next, trusted: '' } })],
    ['one root above both', 'one root', async () => {
      const root = await certificateOf({ by: (await keyOf(crypto)).signer })
      return { old: { ...old, trusted: root }, new: { ...next, trusted: root } }
    }],
    ['a new authority that has expired', 'expired', () => ({ now: new Date('2040-01-01') })],
    ['a new authority without Common Name', 'Common Names', async () => ({ new: { certificate: await certificateOf({ by: (await keyOf(crypto)).signer, subject: Uint8Array.of(0x30, 0) }) } })],
    ["another's root as what is trusted for the new one", 'not among what is trusted', async () => ({ new: { ...(await below('etcd-new')), trusted: (await authority(crypto, 'etcd-other', ['client'])).certificate } })],
    ["another's root as what is trusted for the old one", 'the old authority "etcd-ca", with a fault', async () => ({ old: { ...old, trusted: (await authority(crypto, 'etcd-other', ['client'])).certificate } })],
    ['a new authority below another, without that', 'did not come with it', async () => ({ new: { certificate: (await below('etcd-new')).certificate, trusted: (await authority(crypto, 'etcd-root', ['client'])).certificate } })],
    ['a new authority that is not signed by its root', 'is not by its issuer', async () => ({ new: { certificate: await certificateOf({ by: (await keyOf(crypto)).signer, issuer: commonNameOnly('etcd-root') }), trusted: (await authority(crypto, 'etcd-root', ['client'])).certificate } })],
    ['a new authority that may not sign', 'may not sign', async () => ({ new: { certificate: await certificateOf({ by: (await keyOf(crypto)).signer, extensions: [isCa] }) } })],
    ['a new authority whose extended key usage allows less', 'clientAuth', async () => ({ new: { certificate: await certificateOf({ by: (await keyOf(crypto)).signer, extensions: [isCa, certSign, extension('2.5.29.37', false, sequence(objectIdentifier('1.3.6.1.5.5.7.3.1')))] }) } })],
    ['a new authority that issues for another purpose', 'does not issue for client', async () => ({ new: await authority(crypto, 'etcd-peers', ['peer']) })],
    ['a new authority that is not valid yet', 'not valid before', async () => ({ new: { certificate: await certificateOf({ by: (await keyOf(crypto)).signer, validity: days(30).from(LATER) }) } })],
    ["a new authority named like etcd's superuser", 'superuser', async () => ({ new: { certificate: await certificateOf({ by: (await keyOf(crypto)).signer, subject: commonNameOnly('root') }) } })],
    ['a new authority whose name is a path', 'slash', async () => ({ new: { certificate: await certificateOf({ by: (await keyOf(crypto)).signer, subject: commonNameOnly('x/../root') }) } })],
    ['no member', 'no member', () => ({ members: [] })],
    ['a member twice', 'twice', () => ({ members: ['etcd-0', 'etcd-0'] })],
    ['a holder named like a member', 'twice', () => ({ holders: ['etcd-1'] })],
    ["the servers' authority without clients", 'without holders', () => ({ purposes: ['server'] })],
    ['a cross-signed certificate of another', 'of another authority', async () => ({ crossSigned: (await authority(crypto, 'etcd-other', ['client'])).certificate })],
    ['a cross-signed certificate that the old one did not sign', 'did not sign', () => ({ crossSigned: next.certificate })],
  ]
  test.each(cases)('%s', async (_, says, change) => {
    const { message, detail } = await rejected('ERR_ROTATION_INVALID', planOf(await change()))
    expect(message).toContain(says)
    expect(message).toContain(detail.reason)
    expect(message).not.toContain('BEGIN')
  })

  test.each(hostile)('%s for any of its fields, as a TypeError', async (_, value) => {
    for (const field of ['members', 'records', 'now', 'old', 'new', 'purposes', 'holders'] as const) {
      // A list of names, no list at all, and a date are what some of them are.
      if ((field === 'holders' && (value === undefined || Array.isArray(value))) || (field === 'now' && value instanceof Date)) continue
      const error: unknown = await planOf({ [field]: value }).catch((reason: unknown) => reason)
      expect(error, field).toBeInstanceOf(Error)
      if (!Array.isArray(value)) expect(error, field).toBeInstanceOf(TypeError)
    }
  })

  test('a misspelt option, a bad name, a record that is none', async () => {
    await expect(planOf({ holder: ['x'] } as never)).rejects.toThrow('holder')
    await rejected('ERR_NAME_INVALID', planOf({ members: ['root'] }))
    await rejected('ERR_RECORD_INVALID', planOf({ records: [{}] as never }))
    await rejected('ERR_PURPOSE_REFUSED', planOf({ purposes: [] }))
  })
})

describe('a cross-signed certificate', () => {
  const build = async (pathLength: number): Promise<{ old: RotatingAuthority; crossSigned: string }> => {
    const { signer } = await keyOf(crypto, 'ecdsa-p384')
    const above = await createCa(crypto, { name: 'etcd-old', signer, issues: ['client'], validity: days(3650).from(NOW, { backdateMinutes: 60 }), pathLength })
    return { old: above, crossSigned: await certificateOf({ by: signer, issuer: commonNameOnly('etcd-old'), subject: commonNameOnly('etcd-ca'), publicKeyDer: keyDer() }) }
  }
  const keyDer = (): Uint8Array => spkiOf(next)

  test('is refused where it has another name, or is no authority', async () => {
    const { signer } = await keyOf(crypto, 'ecdsa-p384')
    const { old: above } = await build(1)
    const cross = (change: object) => certificateOf({ by: signer, issuer: commonNameOnly('etcd-old'), subject: commonNameOnly('etcd-ca'), publicKeyDer: keyDer(), ...change })
    const of = async (change: object) => (await rejected('ERR_ROTATION_INVALID', planOf({ old: above, crossSigned: await cross(change) }))).message
    expect(await of({ subject: commonNameOnly('etcd-ca-2') })).toContain('of another authority')
    expect(await of({ extensions: [] })).toContain("no authority's")
    expect(await of({ issuer: commonNameOnly('etcd-older') })).toContain('did not sign')
  })

  test('goes behind each new leaf, if the old authority may have one below it', async () => {
    const plan = await planOf(await build(1))
    expect(plan.crossSigned).toContain('BEGIN CERTIFICATE')
    expect(phase(plan, 'drop old').bundle.pem).toBe(next.certificate)
    expect((await rejected('ERR_ROTATION_INVALID', planOf(await build(0)))).message).toContain('path length 0')
  })

  test('makes certificates of the new authority no problem for those who were not told yet', async () => {
    const [plain, crossed] = [await planOf(), await planOf(await build(1))]
    const early = (plan: RotationPlan) => rotationProgress(plan, [...everyone(plan.before.sha256), ...showing(renewed.slice(0, 1))], NOW).warnings
    expect(early(plain).join()).toContain('client "alice" of the new authority')
    expect(early(plain).join()).toContain('"etcd-0", "etcd-1", "etcd-2" did not report to trust')
    expect(early(crossed)).toEqual([])
  })
})

describe('a cross-signed certificate of an hour', () => {
  const hour = days(1).from(NOW)
  const build = async (): Promise<Partial<RotationRequest>> => {
    const { signer } = await keyOf(crypto, 'ecdsa-p384')
    const above = await createCa(crypto, { name: 'etcd-old', signer, issues: ['client'], validity: days(3650).from(NOW, { backdateMinutes: 60 }), pathLength: 1 })
    return { old: above, crossSigned: await certificateOf({ by: signer, issuer: commonNameOnly('etcd-old'), subject: commonNameOnly('etcd-ca'), publicKeyDer: spkiOf(next), validity: hour }) }
  }
  const after = new Date(hour.notAfter.getTime() + 1000)

  test('is refused once it has expired', async () => {
    const request = await build()
    expect((await planOf({ ...request, now: hour.notAfter })).crossSigned).toBe(request.crossSigned)
    expect((await rejected('ERR_ROTATION_INVALID', planOf({ ...request, now: after }))).message).toContain('has expired')
  })

  test('leads nobody to the new authority before or after its dates', async () => {
    const plan = await planOf(await build())
    const warned = (now: Date) => rotationProgress(plan, [...everyone(plan.before.sha256), ...showing(renewed.slice(0, 1))], now).warnings.join()
    expect(warned(NOW)).toBe('')
    for (const now of [after, new Date(hour.notBefore.getTime() - 1000)]) expect(warned(now)).toContain('refused there until then')
  })
})

/** The public key that stands in an authority's certificate. */
function spkiOf({ certificate }: Authority<Purpose>): Uint8Array {
  const { publicKey } = new X509(certificate)
  return new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
}

describe('progress', () => {
  let plan: RotationPlan
  let [before, both, after] = ['', '', '']
  beforeAll(async () => {
    plan = await planOf()
    ;[before, both, after] = [plan.before.sha256, phase(plan, 'trust both').bundle.sha256, phase(plan, 'drop old').bundle.sha256]
  })
  const at = (...reports: readonly (readonly RotationReport[])[]) => rotationProgress(plan, reports.flat(), NOW)

  test('walks from phase to phase as the reports come in', () => {
    expect(at()).toMatchObject({ phase: 'trust both', missing: MEMBERS })
    expect(at(everyone(before, both).slice(0, 2))).toMatchObject({ phase: 'trust both', missing: ['etcd-2'], next: [{ do: 'write', at: 'etcd-2' }] })
    expect(at(everyone(before, both).slice(0, 2)).phases[0]).toMatchObject({ done: 2, of: 3, open: false, text: `2 of 3 report bundle ${both} in their CA file` })
    expect(at(everyone(before, both))).toMatchObject({ phase: 'load both', missing: MEMBERS })
    expect(at(everyone(before, both), [{ holder: 'etcd-1', bundle: both }])).toMatchObject({ phase: 'load both', missing: ['etcd-0', 'etcd-2'], next: [{ do: 'restart', at: 'etcd-0' }, { do: 'restart', at: 'etcd-2' }] })
    expect(at(everyone(both))).toMatchObject({ phase: 'reissue', phases: [{ open: true }, { open: true }, { done: 0, of: 5, open: false }, { open: false }] })
    const clients = ofClients(renewed)
    expect(at(everyone(both), showing(clients.slice(1)))).toMatchObject({ phase: 'reissue', missing: ['client "alice"'] })
    expect(at(everyone(both), showing(clients))).toMatchObject({ phase: 'drop old', missing: MEMBERS })
    expect(at(everyone(both, after), showing(clients))).toMatchObject({ phase: 'drop old', next: MEMBERS.map((name) => ({ do: 'restart', at: name })) })
    expect(at(everyone(after), showing(clients))).toMatchObject({ phase: 'done', missing: [], next: [], warnings: [] })
  })

  test('takes PEM as well as its hash, in any order and spelling, and beside other authorities', async () => {
    const other = (await authority(crypto, 'etcd-other', ['client'])).certificate
    for (const pem of [phase(plan, 'trust both').bundle.pem, next.certificate + other + old.certificate, `${old.certificate}\n${next.certificate.replaceAll('\n', '\r\n')}`, both.toUpperCase()])
      expect(at(everyone(pem)).phase).toBe('reissue')
    expect(at(everyone(other + old.certificate)).phase).toBe('trust both')
  })

  test('takes a bundle with comments, and the line that sha256sum prints', () => {
    const { pem } = phase(plan, 'trust both').bundle
    for (const text of [`# Authorities\n${pem.replaceAll('-----BEGIN', 'etcd-ca\n=======\n-----BEGIN')}\n# end`, `${both}  /etc/etcd/ca.crt\n`, `${both} *ca.crt`, `${both}  -\r\n`, `${both}\n`])
      expect(at(everyone(text)).phase).toBe('reissue')
    for (const text of [`${both} `.repeat(2), `${both.slice(1)}  ca.crt`, `# none`]) thrown('ERR_PEM_INVALID', () => at(everyone(text)))
  })

  test('takes an authority for dropped only when nothing of what was trusted for it is left', async () => {
    const other = (await authority(crypto, 'etcd-other', ['client'])).certificate
    const two = await planOf({ old: { ...old, trusted: old.certificate + other }, new: { ...next, trusted: next.certificate + next.certificate }, records: [] })
    expect(two.phases.map(({ bundle }) => bundle.pem)).toEqual([...Array<string>(3).fill(old.certificate + other + next.certificate), next.certificate])
    expect(rotationProgress(two, everyone(other + next.certificate), NOW)).toMatchObject({ phase: 'drop old', missing: MEMBERS })
    expect(rotationProgress(two, everyone(next.certificate), NOW).phase).toBe('done')
  })

  test('does not take the certificate of one label for that of another', () => {
    const clients = ofClients(renewed)
    const twice = { ...clients[2]!, serial: 'abc' } as IssuanceRecord
    expect(at(everyone(both), showing([...clients.slice(0, 3), twice, clients[4]!])).missing).toEqual(['client "calico-node" ("node-2")'])
  })

  test('counts nobody by a hash that it does not know', () => {
    expect(at(everyone('0'.repeat(64)))).toMatchObject({ phase: 'trust both', missing: MEMBERS })
  })

  test('wants each of several certificates for the same replaced by one of its own', () => {
    const [alice, another] = ofClients(renewed)
    const rest = ofClients(renewed).slice(2)
    expect(at(everyone(both), showing([...rest, alice!, alice!])).missing).toEqual(['client "alice"'])
    expect(at(everyone(both), showing([...rest, alice!, another!])).phase).toBe('drop old')
    expect(at(everyone(both), showing([...rest, alice!])).next).toHaveLength(1)
  })

  test('sees a certificate of the old authority that is still shown, or that the plan never knew', async () => {
    const clients = ofClients(renewed)
    expect(at(everyone(both), showing([...clients, records[2]!])).missing).toEqual(['client "calico-node" ("node-1")'])
    const unknown = { ...records[2]!, label: 'node-9', serial: 'abc' } as IssuanceRecord
    expect(at(everyone(both), showing([...clients, unknown]))).toMatchObject({ phase: 'reissue', missing: ['client "calico-node" ("node-9")'], phases: [{}, {}, { done: 5, of: 6 }, {}] })
  })

  test('waits for no certificate that has expired', () => {
    expect(rotationProgress(plan, everyone(both), LATER).phase).toBe('drop old')
    expect(rotationProgress(plan, [...everyone(after), ...showing(records)], LATER).phase).toBe('done')
  })

  test('counts no certificate of the new authority that has expired: who shows it is refused', () => {
    const brief = ofClients(renewed).map((record) => ({ ...record, notAfter: new Date(NOW.getTime() + 3_600_000).toISOString() }))
    const found = (now: Date) => rotationProgress(plan, [...everyone(both), ...showing(brief)], now)
    expect(found(NOW).phase).toBe('drop old')
    expect(found(new Date(NOW.getTime() + 86_400_000))).toMatchObject({ phase: 'reissue', phases: [{}, {}, { done: 0, of: 5 }, {}] })
  })

  test.each<[string, () => readonly RotationReport[]]>([
    ['trusts the new one alone', () => [...everyone(both).slice(1), { holder: 'etcd-0', bundle: after }]],
    ['has the new one alone in its file, so that the next restart drops the old', () => [...everyone(both).slice(1), { holder: 'etcd-0', bundle: both, file: after }]],
    ['trusts neither', () => [...everyone(both).slice(1), { holder: 'etcd-0', bundle: '' }]],
    ['trusts the new one alone before the first phase is over', () => [{ holder: 'etcd-0', bundle: next.certificate }]],
    ['has dropped it while one certificate is still shown', () => [...everyone(after), ...showing([...ofClients(renewed), records[3]!])]],
  ])('is refused where a member %s, and certificates of the old are in use', (_, reports) => {
    const { detail, message } = thrown('ERR_ROTATION_ORDER', () => rotationProgress(plan, reports(), NOW))
    expect(detail.dropped).toContain('etcd-0')
    expect(detail.inUse.length).toBeGreaterThan(0)
    expect(message).toContain('put the bundle of both back')
    expect(message).not.toContain('BEGIN')
  })

  test('does not count the bundle of somebody whom the plan does not ask, and says so', () => {
    const found = at(everyone(both), [{ holder: 'etcd-9', bundle: after }])
    expect(found).toMatchObject({ phase: 'reissue', warnings: [expect.stringContaining('"etcd-9"')] })
  })

  test('law: it depends on no order of the reports of different holders', () => {
    const reports = [...everyone(before, both).slice(0, 1), ...everyone(both).slice(1), ...showing(ofClients(renewed).slice(0, 3))]
    const wanted = at(reports)
    fc.assert(fc.property(fc.shuffledSubarray([...reports], { minLength: reports.length }), (shuffled) => {
      expect({ ...at(shuffled), warnings: [] }).toEqual({ ...wanted, warnings: [] })
    }))
  })

  test('law: each gate that is open stays open when more is done, and phases open in order', () => {
    const steps: readonly (readonly RotationReport[])[] = [
      ...MEMBERS.map((holder) => [{ holder, bundle: before, file: both }]), ...MEMBERS.map((holder) => [{ holder, bundle: both }]),
      ...ofClients(renewed).map((record) => showing([record])), ...MEMBERS.map((holder) => [{ holder, bundle: after }]),
    ]
    let opened = 0
    for (let done = 0; done <= steps.length; done++) {
      const { phases } = at(...steps.slice(0, done))
      const open = phases.filter((one) => one.open).length
      expect(phases.map((one) => one.open)).toEqual(phases.map((_, index) => index < open))
      expect(open).toBeGreaterThanOrEqual(opened)
      opened = open
    }
    expect(opened).toBe(4)
  })

  test('counts each of ten thousand clients', async () => {
    const holders = Array.from({ length: 10_000 }, (_, at) => `node-${String(at)}`)
    const [one] = records
    const many = holders.map((label, at) => ({ ...one!, label, serial: at.toString(16) }) as IssuanceRecord)
    const large = await planOf({ purposes: ['client', 'server'], holders, records: many })
    const found = rotationProgress(large, [...holders, ...MEMBERS].map((holder, at) => ({ holder, bundle: phase(large, 'trust both').bundle.sha256, ...(at < 9_000 ? { certificate: { ...many[at]!, authorityKeyId: next.keyId, serial: `f${String(at)}` } } : {}) })), NOW)
    expect(found).toMatchObject({ phase: 'reissue', phases: [{ open: true }, { open: true }, { done: 9_000, of: 10_000 }, {}] })
    expect(found.next).toHaveLength(1_000)
  })

  test('refuses what is no plan, no report and no time', () => {
    for (const no of [undefined, null, {}, [], { ...plan, kind: 'x' }, { ...plan, phases: plan.phases.slice(1) }, { ...plan, before: undefined }]) thrown('ERR_ROTATION_INVALID', () => rotationProgress(no as never, [], NOW))
    for (const no of [undefined, 7, {}, [7], [{ holder: 7 }], [{ holder: 'etcd-0', bundle: 7 }], [{ holder: 'etcd-0', bundel: both }]]) expect(() => rotationProgress(plan, no as never, NOW)).toThrow(TypeError)
    expect(() => rotationProgress(plan, [], new Date('x'))).toThrow(TypeError)
    thrown('ERR_RECORD_INVALID', () => rotationProgress(plan, [{ holder: 'x', certificate: {} as never }], NOW))
    thrown('ERR_PEM_INVALID', () => rotationProgress(plan, [{ holder: 'etcd-0', bundle: 'abc' }], NOW))
  })
  /** A copy of the plan with another value at that place, `undefined` for none. */
  const damaged = (place: string, value: unknown): unknown => {
    const copy: unknown = JSON.parse(JSON.stringify(plan))
    const path = place.split('.')
    const table = path.slice(0, -1).reduce((at, name) => (at as Record<string, unknown>)[name], copy)
    ;(table as Record<string, unknown>)[path.at(-1)!] = value
    return copy
  }
  const fields = ['kind', 'purposes', 'old', 'new', 'members', 'holders', 'before', 'phases', 'warnings']
  const parts = ['name', 'bundle', 'steps', 'gate', 'ifSkipped'].map((part) => `phases.3.${part}`)
  type Damage = readonly [place: string, what: string, value: (whole: RotationPlan) => unknown]
  const damage: readonly Damage[] = [
    ...[...fields, ...parts].flatMap((place): readonly Damage[] => [[place, 'nothing', () => undefined], [place, 'null', () => null], [place, 'an empty table', () => ({})]]),
    ['phases', 'nulls', () => [null, null, null, null]],
    ['purposes', 'the name of a method', () => ['constructor']],
    ['purposes', 'one twice', () => ['client', 'client']],
    ['purposes', 'none', () => []],
    ['purposes', 'others than the steps have', () => ['peer']],
    ['members', 'fewer than the phases have', () => ['etcd-0']],
    ['members', 'one twice', () => ['etcd-0', 'etcd-0', 'etcd-1']],
    ['holders', 'more than the phases have', () => ['x']],
    ['phases.0.gate.of', 'fewer', () => 1],
    ['phases.2.gate.of', 'none', () => 0],
    ['phases.2.steps', 'fewer than the gate has', ({ phases }) => phases[2]!.steps.slice(1)],
    ['phases.1.steps', 'one less', ({ phases }) => phases[1]!.steps.slice(1)],
    ['phases.1.steps.0', 'null', () => null],
    ['phases.1.steps.0.do', 'the name of a method', () => 'constructor'],
    ['phases.2.steps.0.replaces', 'no record', () => ({})],
    ['phases.2.steps.0.replaces.authorityKeyId', 'another authority', () => 'abcd'],
    ['phases.3.bundle.pem', 'both authorities', ({ phases }) => phases[0]!.bundle.pem],
    ['phases.1.bundle', 'the new authority alone', ({ phases }) => phases[3]!.bundle],
    ['before.pem', 'the new authority', ({ phases }) => phases[3]!.bundle.pem],
    ['before.pem', 'no PEM', () => 'x'],
    ['before.sha256', 'no hash', () => 'x'],
    ['before.sha256', 'the hash of another', ({ phases }) => phases[3]!.bundle.sha256],
    ['new.keyId', 'the key of the old one', (whole) => whole.old.keyId],
    ['new.notAfter', 'no date', () => 'soon'],
    ['crossSigned', 'no certificate', () => 'x'],
    ['phases', 'another order', ({ phases }) => phases.toReversed()],
  ]
  test.each(damage)('refuses a plan whose %s is %s', (place, _, value) => {
    const { message } = thrown('ERR_ROTATION_INVALID', () => rotationProgress(damaged(place, value(plan)) as RotationPlan, [], NOW))
    expect(message).toContain('a plan that is none')
  })

  test('takes a plan whose fields stand in another order, and in the words of another release', () => {
    const turned = (value: unknown): unknown =>
      Array.isArray(value) ? value.map(turned)
      : typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).reverse().map(([name, part]) => [name, name === 'ifSkipped' ? 'other words' : turned(part)]))
      : value
    expect(rotationProgress(turned(plan) as RotationPlan, everyone(both), NOW)).toEqual(rotationProgress(plan, everyone(both), NOW))
  })
})
