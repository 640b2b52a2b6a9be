/** Go judges what we issue: crypto/x509, with which etcd itself reads certificates, and zlint, which holds them against the RFCs sentence by sentence. */
import { isIP } from 'node:net'
import { beforeAll, describe, expect, test } from 'vitest'
import { authorityExtensions, alternativeNames, leafExtensions, signedBy, tbsCertificate } from '../../src/pki/asn1/certificate.js'
import { signedObject } from '../../src/pki/asn1/csr.js'
import { commonNameOnly, EMPTY_NAME } from '../../src/pki/asn1/name.js'
import { generateKeyPair, type KeyAlgorithm } from '../../src/pki/index.js'
import { writePem } from '../../src/pki/pem.js'
import { caValidity, combinations, everyOption, hosts, keyAlgorithms, largeCombinations, makers, validity, type Kind } from '../support/certificates.js'
import { coverage } from '../support/host-coverage.js'
import { goVersion } from '../support/go-build.js'
import { buildJudge, judge, type Finding, type Verdict } from '../support/go-judge.js'
import { lanes } from '../support/pki.js'

/** Lints that are not ours to satisfy, with the reason. */
const excluded: Readonly<Record<string, string>> = {
  // A SHOULD of RFC 5280 §4.2.1.2 for leaves. It serves to find an issuer among several, and a leaf issues nothing; who renews goes by the hash of the key.
  w_ext_subject_key_identifier_missing_sub_cert: 'leaves have no key identifier of their own',
}

/** A host of another member, and one that is close to a host of this one. */
const others = ['10.0.0.11', 'etcd-1.example.com', 'etcd-0', 'x.localhost']

const go = await goVersion()
if (go === undefined) console.warn('Go judge: did not run, there is no Go here')
else console.info(`judged by ${go}`)

test('the judge in Go is built where Go is, and said to be absent elsewhere', async () => {
  if (go !== undefined) expect(await buildJudge(go)).toMatch(/judge\/[0-9a-f]{16}\/judge$/)
})

const objections = ({ findings }: Verdict): readonly Finding[] => findings.filter(({ lint }) => !Object.hasOwn(excluded, lint))
const signatures: Readonly<Record<KeyAlgorithm, string>> = {
  'ecdsa-p256': 'ECDSA-SHA256', 'ecdsa-p384': 'ECDSA-SHA384', 'ecdsa-p521': 'ECDSA-SHA512', 'rsa-2048': 'SHA256-RSA', 'rsa-3072': 'SHA256-RSA', 'rsa-4096': 'SHA256-RSA', ed25519: 'Ed25519',
}
const refused = expect.stringMatching(/^x509: /) as string

/** What Go should see of a leaf. */
function leaf(kind: Kind, by: KeyAlgorithm, key: KeyAlgorithm): Partial<Verdict> {
  const rsa = key.startsWith('rsa')
  return {
    unreadable: '',
    chain: { clientAuth: kind.usages.includes('clientAuth') ? '' : refused, serverAuth: kind.usages.includes('serverAuth') ? '' : refused },
    hosts: Object.fromEntries([...hosts, ...others].map((host) => [host, kind.hosts.includes(host) ? '' : refused])),
    version: 3,
    commonName: kind.commonName ?? '',
    commonNames: kind.commonName === undefined ? [] : [kind.commonName],
    subjectParts: kind.commonName === undefined ? 0 : 1,
    serialSign: 1,
    dns: kind.hosts.filter((host) => isIP(host) === 0),
    ips: kind.hosts.filter((host) => isIP(host) !== 0),
    uris: kind.uris,
    sanCritical: kind.commonName === undefined,
    keyUsage: rsa && kind.serves ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'],
    extKeyUsage: kind.usages,
    authority: false,
    keyIdOfAuthority: true,
    unhandledCritical: 0,
    publicKey: rsa ? 'RSA' : key === 'ed25519' ? 'Ed25519' : 'ECDSA',
    signature: signatures[by],
  }
}

/** What Go should see of an authority. */
const authorityOf = (by: KeyAlgorithm): Partial<Verdict> => ({
  unreadable: '',
  chain: { clientAuth: '', serverAuth: '' },
  version: 3,
  commonNames: ['etcd-ca'],
  subjectParts: 1,
  serialSign: 1,
  dns: [],
  ips: [],
  uris: [],
  keyUsage: ['keyCertSign', 'cRLSign'],
  extKeyUsage: [],
  authority: true,
  pathLength: 0,
  keyIdOfAuthority: true,
  unhandledCritical: 0,
  signature: signatures[by],
})

if (go !== undefined) {
  let binary: string
  /** How many certificates were judged, by kind of authority and of key. */
  const judged = { all: 0, options: 0, authorities: new Set<KeyAlgorithm>(), keys: new Set<KeyAlgorithm>() }
  beforeAll(async () => {
    binary = await buildJudge(go)
  })

  describe.each(lanes)('of what is made with %s', (_, crypto) => {
    const made = makers(crypto)
    const all = crypto === globalThis.crypto ? [...combinations, ...largeCombinations] : combinations

    test.each(all)('Go sees in an authority of %s and in each kind of certificate over a key of %s what was meant, and no RFC objects', async (by, key) => {
      const { certificate: authority } = await made.authority(by)
      const issued = await made.everyKind(by, key)
      const ask = (certificate: string) => ({ certificate, authority, intermediates: '', hosts: [...hosts, ...others] })
      const verdicts = await judge(binary, [authority, ...issued.map(({ certificate }) => certificate)].map(ask))
      judged.all += verdicts.length
      judged.authorities.add(by)
      judged.keys.add(key)
      const named = Object.fromEntries(verdicts.map((verdict, index) => [issued[index - 1]?.name ?? 'authority', verdict]))
      expect(named).toMatchObject({ authority: authorityOf(by), ...Object.fromEntries(issued.map(({ name, kind }) => [name, leaf(kind, by, key)])) })
      expect(Object.entries(named).flatMap(([name, verdict]) => objections(verdict).map((found) => ({ name, ...found })))).toEqual([])
      for (const { serialBits, lintsApplied } of verdicts) {
        // 128 random bits: one in 2^64 begins with as many zeros as this would need.
        expect(serialBits).toBeGreaterThan(64)
        expect(serialBits).toBeLessThanOrEqual(128)
        expect(lintsApplied).toBeGreaterThan(25)
      }
      // What is excluded and never found is excluded in vain.
      expect(new Set(verdicts.flatMap(({ findings }) => findings.map(({ lint }) => lint)))).toEqual(new Set(Object.keys(excluded)))
    })
  })

  test.each(lanes)('Go takes certificates of every option made with %s for what they are, and no RFC objects', async (_, crypto) => {
    const made = await everyOption(crypto)
    const verdicts = await judge(binary, made.map(({ certificate, authority, intermediates, hosts: asked }) => ({ certificate, authority, intermediates, hosts: Object.keys(asked) })))
    judged.all += verdicts.length
    judged.options += verdicts.length
    const wanted = made.map(({ option, usages, hosts: asked }) => ({
      option,
      unreadable: '',
      chain: { clientAuth: usages.includes('clientAuth') ? '' : refused, serverAuth: usages.includes('serverAuth') ? '' : refused },
      hosts: Object.fromEntries(Object.entries(asked).map(([host, covered]) => [host, covered ? '' : refused])),
      unhandledCritical: 0,
      objections: [],
    }))
    expect(verdicts.map((verdict, at) => ({ option: made[at]?.option, ...verdict, objections: objections(verdict) }))).toMatchObject(wanted)
    for (const { lintsApplied } of verdicts) expect(lintsApplied).toBeGreaterThan(25)
  })

  test('Go covers hosts by DNS names as the preflight has it', async () => {
    const { signer } = await generateKeyPair(globalThis.crypto, 'ecdsa-p256')
    const keyId = new Uint8Array(32).fill(7)
    const questions = await Promise.all(coverage.map(async ({ name, host }) => {
      const extensions = [leafExtensions(['digitalSignature'], ['serverAuth'], keyId), alternativeNames([{ kind: 'dns', name }], true)]
      const tbs = tbsCertificate({ serial: new Uint8Array(16).fill(9), signedBy: signedBy('ecdsa-sha256', commonNameOnly('etcd-ca')), ...validity, subject: EMPTY_NAME, publicKeyDer: signer.publicKey, extensions })
      const certificate = writePem('certificate', signedObject(tbs, 'ecdsa-sha256', await signer.sign(tbs)))
      return { certificate, authority: certificate, intermediates: '', hosts: [host] }
    }))
    const verdicts = await judge(binary, questions)
    expect(verdicts.map(({ hosts: said }, at) => ({ ...coverage[at], go: said[coverage[at]!.host] === '' }))).toEqual(coverage)
  })

  test('Go has judged at least 300 certificates, with every kind of key as authority and as leaf', () => {
    console.info(`Go and zlint judged ${judged.all} certificates`)
    expect(judged.all).toBeGreaterThanOrEqual(300)
    expect(judged.options).toBe(14 * lanes.length)
    expect([...judged.authorities].toSorted()).toEqual(keyAlgorithms.toSorted())
    expect([...judged.keys].toSorted()).toEqual(keyAlgorithms.toSorted())
  })

  describe('the judge finds', () => {
    const keyId = new Uint8Array(32).fill(7)
    const serial = new Uint8Array(16).fill(9)
    const client = leafExtensions(['digitalSignature'], ['clientAuth'], keyId)
    const san = (critical: boolean) => alternativeNames([{ kind: 'uri', uri: 'urn:example:gateway' }], critical)
    type Parts = Partial<Parameters<typeof tbsCertificate>[0]>
    const cases: readonly (readonly [title: string, parts: Parts, found: (verdict: Verdict) => unknown])[] = [
      ['nothing, in a certificate as we issue it', {}, (verdict) => objections(verdict).length === 0 && verdict.chain.clientAuth === ''],
      ['an empty subject beside a SAN that is not critical', { subject: EMPTY_NAME, extensions: [client, san(false)] }, (verdict) => objections(verdict).length > 0],
      ['a critical SAN beside a subject', { extensions: [client, san(true)] }, ({ sanCritical }) => sanCritical],
      ['a leaf that may sign certificates', { extensions: [leafExtensions(['keyCertSign'], ['clientAuth'], keyId)] }, (verdict) => objections(verdict).length > 0],
      ['a leaf that is an authority', { extensions: [authorityExtensions(keyId, 0)] }, ({ authority }) => authority],
      ['an issuer of another key', { extensions: [leafExtensions(['digitalSignature'], ['clientAuth'], keyId.map((byte) => byte + 1))] }, ({ keyIdOfAuthority }) => !keyIdOfAuthority],
      ['an issuer of another name', { signedBy: signedBy('ecdsa-sha256', commonNameOnly('other')) }, ({ chain }) => chain.clientAuth !== ''],
      ['the same extension twice', { extensions: [client, client] }, ({ unreadable }) => unreadable !== ''],
      ['a serial number of zero', { serial: new Uint8Array(1) }, ({ serialSign }) => serialSign === 0],
      ['a name of more than 64 characters', { subject: commonNameOnly('✓'.repeat(65)) }, (verdict) => objections(verdict).length > 0],
      ['an expired certificate', { notBefore: new Date('2020-01-01'), notAfter: new Date('2020-02-01') }, ({ chain }) => /expired/.test(chain.clientAuth)],
    ]
    test.each(cases)('%s', async (_, parts, found) => {
      const { signer } = await generateKeyPair(globalThis.crypto, 'ecdsa-p256')
      const make = async (change: Parts): Promise<string> => {
        const by = signedBy('ecdsa-sha256', commonNameOnly('etcd-ca'))
        const tbs = tbsCertificate({ serial, signedBy: by, ...validity, subject: commonNameOnly('alice'), publicKeyDer: signer.publicKey, extensions: [client], ...change })
        return writePem('certificate', signedObject(tbs, 'ecdsa-sha256', await signer.sign(tbs)))
      }
      const authority = await make({ ...caValidity, subject: commonNameOnly('etcd-ca'), extensions: [authorityExtensions(keyId, 0)] })
      const [verdict] = await judge(binary, [{ certificate: await make(parts), authority, intermediates: '', hosts: [] }])
      expect(found(verdict!), JSON.stringify(verdict)).toBe(true)
    })
  })
}
