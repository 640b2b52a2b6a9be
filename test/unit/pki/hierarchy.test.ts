import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readCertificate } from '../../../src/pki/asn1/read-certificate.js'
import {
  createCa, createCsr, createIntermediateCa, crossSign, days, generateKeyPair, issueClient, issuePeer, issueServer, openCa, type Authority, type CaRequest, type Purpose,
} from '../../../src/pki/index.js'
import { readPem, readPemBlocks } from '../../../src/pki/pem.js'
import { subtleOf } from '../../../src/pki/subtle.js'
import { verifyChain } from '../../../src/pki/verify-chain.js'
import { definePolicy } from '../../../src/policy/index.js'
import { certificateOf, certSign, extension, isCa, keyOf, lanes, NOW, rejected, validity } from '../../support/pki.js'
import { commonNameOnly } from '../../../src/pki/asn1/name.js'
import { objectIdentifier, sequence } from '../../../src/pki/asn1/write.js'

const tenYears = days(3650).from(NOW, { backdateMinutes: 60 })
const oneYear = days(365).from(NOW, { backdateMinutes: 60 })
const policy = definePolicy({
  users: { root: 'certificate', alice: 'certificate' },
  members: ['etcd-0'],
  authorities: ['etcd-root', 'etcd-root-2', 'etcd-middle', 'etcd-clients', 'etcd-servers'],
  v3: { roles: {}, bindings: { root: ['root'] } },
})
const { crypto } = globalThis
const { signer } = await keyOf(crypto)
const csr = await createCsr(crypto, { signer })
const fresh = async () => (await generateKeyPair(crypto, 'ecdsa-p256')).signer

const rootOf = async (change: Partial<CaRequest<Purpose>> = {}, name = 'etcd-root'): Promise<Authority<Purpose>> =>
  createCa(crypto, { name, signer: await fresh(), validity: tenYears, issues: ['client', 'server', 'peer'], pathLength: 2, ...change })
const root = await rootOf()

describe.each(lanes)('with %s', (_, lane) => {
  test('an intermediate is what Node takes for an authority, opens again, and issues chains with the leaf first and without the root', async () => {
    const top = await createCa(lane, { name: 'etcd-root', signer: (await generateKeyPair(lane, 'ecdsa-p384')).signer, validity: tenYears, issues: ['client', 'server'], pathLength: 2 })
    const middle = await createIntermediateCa(top, { name: 'etcd-middle', signer: (await generateKeyPair(lane, 'ecdsa-p256')).signer, validity: tenYears, issues: ['client', 'server'], pathLength: 1 })
    const keys = (await generateKeyPair(lane, 'rsa-2048')).signer
    const low = await createIntermediateCa(middle, { name: 'etcd-clients', signer: keys, validity: oneYear, issues: ['client'] })

    const seen = new X509Certificate(low.certificate)
    expect([seen.ca, seen.subject, seen.issuer, seen.checkIssued(new X509Certificate(middle.certificate))]).toEqual([true, 'CN=etcd-clients', 'CN=etcd-middle', true])
    expect(seen.verify(new X509Certificate(middle.certificate).publicKey)).toBe(true)
    const read = readCertificate(readPem('certificate', low.certificate))
    expect(read.basicConstraints).toEqual({ ca: true, pathLength: 0 })
    expect(read.extendedKeyUsage).toBeUndefined()
    expect(read.serial).toHaveLength(read.serial[0] === 0 ? 17 : 16)

    expect([low.root, low.parents, middle.parents, top.root, top.parents]).toEqual([top.certificate, middle.certificate + top.certificate, top.certificate, top.certificate, ''])
    expect(await openCa(lane, { certificate: low.certificate, parents: low.parents, signer: keys, issues: ['client'] })).toEqual(low)

    const { certificate, chain } = await issueClient(low, { policy, user: 'alice', csr, validity })
    expect(chain).toBe(certificate + low.certificate + middle.certificate)
    const [leaf, ...others] = readPemBlocks('certificate', chain).map(readCertificate)
    const trusted = [readCertificate(readPem('certificate', low.root))]
    expect((await verifyChain(subtleOf(lane), { chain: [leaf!, ...others], trusted, usages: ['clientAuth'], first: 'leaf', now: NOW })).problems).toEqual([])
  })
})

describe('an intermediate', async () => {
  const request = { name: 'etcd-clients', signer, validity: oneYear, issues: ['client'] } as const
  const servers = await rootOf({ issues: ['server'] })

  test('issues what its parent issues, or less, and never more', async () => {
    expect((await createIntermediateCa(root, request)).issues).toEqual({ client: true })
    const { detail } = await rejected('ERR_PURPOSE_REFUSED', createIntermediateCa(servers, request))
    expect(detail).toEqual({ wanted: 'client', issues: ['server'] })
    await rejected('ERR_PURPOSE_REFUSED', createIntermediateCa(root, { ...request, issues: [] as never }))
    const clients = await createIntermediateCa(root, request)
    await rejected('ERR_PURPOSE_REFUSED', issuePeer(clients as unknown as Authority<'peer'>, { policy, member: 'etcd-0', hosts: ['10.0.0.1'], csr, validity }))
  })

  test('finds room below its parent, also for what is to stand below itself', async () => {
    await createIntermediateCa(root, { ...request, pathLength: 1 })
    expect((await rejected('ERR_ISSUE_REFUSED', createIntermediateCa(root, { ...request, pathLength: 2 }))).detail.reason).toBe('path length')
    await rejected('ERR_ISSUE_REFUSED', createIntermediateCa(await rootOf({ pathLength: 0 }), request))
    const middle = await createIntermediateCa(root, { ...request, name: 'etcd-middle', pathLength: 1 })
    const low = await createIntermediateCa(middle, request)
    await rejected('ERR_ISSUE_REFUSED', createIntermediateCa(low, { ...request, name: 'etcd-servers' }))
  })

  test('finds as much room below a parent that was opened as the whole chain above leaves', async () => {
    const [topKey, middleKey] = [await fresh(), await fresh()]
    const top = await createCa(crypto, { name: 'etcd-root', signer: topKey, validity: tenYears, issues: ['client'], pathLength: 1 })
    // A middle that says more than the root allows.
    const boasting = await certificateOf({ by: topKey, issuer: commonNameOnly('etcd-root'), subject: commonNameOnly('etcd-middle'), publicKeyDer: middleKey.publicKey })
    const middle = await openCa(crypto, { certificate: boasting, parents: top.certificate, signer: middleKey, issues: ['client'] })
    await rejected('ERR_ISSUE_REFUSED', createIntermediateCa(middle, request))
    const free = await openCa(crypto, { certificate: await certificateOf({ by: topKey, subject: commonNameOnly('etcd-root') }), signer: topKey, issues: ['client'] })
    await createIntermediateCa(free, { ...request, pathLength: 8 })
  })

  test('does not outlive its parent, nor begin before it, and neither does a leaf outlive any of them', async () => {
    await rejected('ERR_VALIDITY_INVALID', createIntermediateCa(root, { ...request, validity: days(3651).from(NOW) }))
    await rejected('ERR_VALIDITY_INVALID', createIntermediateCa(root, { ...request, validity: { notBefore: new Date(tenYears.notBefore.getTime() - 1000), notAfter: oneYear.notAfter } }))
    const short = await createIntermediateCa(root, { ...request, validity: days(30).from(NOW) })
    await rejected('ERR_VALIDITY_INVALID', issueClient(short, { policy, user: 'alice', csr, validity: days(31).from(NOW) }))
    await issueClient(short, { policy, user: 'alice', csr, validity: days(30).from(NOW) })
  })

  test('is not named like an authority above it: it would look like a root', async () => {
    expect((await rejected('ERR_ISSUE_REFUSED', createIntermediateCa(root, { ...request, name: 'etcd-root' }))).detail.name).toBe('etcd-root')
  })

  test('is not made for a signer that has another key', async () => {
    const other = await fresh()
    expect((await rejected('ERR_KEY_MISMATCH', createIntermediateCa(root, { ...request, signer: { ...other, publicKey: signer.publicKey } }))).detail.commonName).toBe('etcd-clients')
  })

  test('needs every name of its chain in the policy', async () => {
    const middle = await createIntermediateCa(root, { ...request, name: 'nobody-knows', pathLength: 1 })
    const low = await createIntermediateCa(middle, request)
    expect((await rejected('ERR_AUTHORITY_UNKNOWN', issueClient(low, { policy, user: 'alice', csr, validity }))).detail.authority).toBe('nobody-knows')
  })

  test('is made of an authority and of known options only', async () => {
    await expect(createIntermediateCa({} as Authority<'client'>, request)).rejects.toThrow(TypeError)
    await expect(createIntermediateCa(root, { ...request, pathlength: 1 } as typeof request)).rejects.toThrow('pathlength')
  })
})

describe('an authority that another one signs', async () => {
  const [oldRoot, newRoot] = [await rootOf({ pathLength: 1 }), await rootOf({ pathLength: 0 }, 'etcd-root-2')]
  const bridge = await crossSign(oldRoot, newRoot, { validity: oneYear })

  test('has its name, key and key identifier in that certificate, and the other for its issuer', async () => {
    const [seen, own] = [new X509Certificate(bridge), new X509Certificate(newRoot.certificate)]
    expect([seen.subject, seen.issuer, seen.ca]).toEqual(['CN=etcd-root-2', 'CN=etcd-root', true])
    expect(seen.publicKey.equals(own.publicKey)).toBe(true)
    expect(seen.verify(new X509Certificate(oldRoot.certificate).publicKey)).toBe(true)
    const [crossed, ours] = [readCertificate(readPem('certificate', bridge)), readCertificate(readPem('certificate', newRoot.certificate))]
    expect(crossed.subjectKeyId).toEqual(ours.subjectKeyId)
    expect(crossed.authorityKeyId).toEqual(readCertificate(readPem('certificate', oldRoot.certificate)).subjectKeyId)
    expect(crossed.basicConstraints).toEqual({ ca: true, pathLength: 0 })
  })

  test('is followed by those who trust only the other, and passed over by those who trust it', async () => {
    const { certificate } = await issueClient(newRoot, { policy, user: 'alice', csr, validity })
    const [leaf, crossed, old, successor] = [certificate, bridge, oldRoot.certificate, newRoot.certificate].map((pem) => readCertificate(readPem('certificate', pem))) as unknown as [never, never, never, never]
    const ask = (trusted: never) => verifyChain(subtleOf(crypto), { chain: [leaf, crossed], trusted: [trusted], usages: ['clientAuth'], first: 'leaf', now: NOW })
    expect(await ask(old)).toEqual({ path: [leaf, crossed, old], problems: [] })
    expect(await ask(successor)).toEqual({ path: [leaf, successor], problems: [] })
  })

  test('keeps its name constraints on the new way, and is refused where those of another would be left behind', async () => {
    const constrained = await rootOf({ nameConstraints: { permitted: ['example'] } }, 'etcd-root-2')
    const crossed = readCertificate(readPem('certificate', await crossSign(oldRoot, constrained, { validity: oneYear })))
    expect(crossed.nameConstraints).toEqual({ permitted: [{ kind: 'dns', suffix: 'example' }], excluded: [] })
    const below = await createIntermediateCa(constrained, { name: 'etcd-clients', signer, validity: oneYear, issues: ['client'] })
    expect((await rejected('ERR_ISSUE_REFUSED', crossSign(oldRoot, below, { validity: oneYear }))).detail.reason).toBe('restricted from above')
  })

  test('is not promised more room than either has', async () => {
    const pathOf = async (by: Authority<Purpose>, of: Authority<Purpose>) => (readCertificate(readPem('certificate', await crossSign(by, of, { validity: oneYear })))).basicConstraints?.pathLength
    expect(await pathOf(await rootOf({ pathLength: 3 }), await rootOf({ pathLength: 1 }, 'etcd-root-2'))).toBe(1)
    expect(await pathOf(await rootOf({ pathLength: 2 }), await rootOf({ pathLength: 5 }, 'etcd-root-2'))).toBe(1)
    const openRoot = async (name: string) => {
      const keys = await fresh()
      return openCa(crypto, { certificate: await certificateOf({ by: keys, subject: commonNameOnly(name) }), signer: keys, issues: ['client', 'server', 'peer'] })
    }
    expect(await pathOf(await openRoot('etcd-root'), await openRoot('etcd-root-2'))).toBeUndefined()
    expect(await pathOf(await openRoot('etcd-root'), newRoot)).toBe(0)
  })

  test.each<[string, () => Promise<unknown>, 'ERR_ISSUE_REFUSED' | 'ERR_PURPOSE_REFUSED' | 'ERR_VALIDITY_INVALID', string]>([
    ['by itself', () => crossSign(oldRoot, oldRoot, { validity: oneYear }), 'ERR_ISSUE_REFUSED', 'itself'],
    ['by one that may have none below it', () => crossSign(newRoot, oldRoot, { validity: oneYear }), 'ERR_ISSUE_REFUSED', 'may have 0 authorities'],
    ['by one that issues less', async () => crossSign((await rootOf({ issues: ['client'] })) as Authority, newRoot as Authority, { validity: oneYear }), 'ERR_PURPOSE_REFUSED', 'server'],
    ['for longer than the one that signs lives', async () => crossSign(await rootOf({ validity: oneYear }), newRoot, { validity: days(366).from(NOW) }), 'ERR_VALIDITY_INVALID', 'outlive'],
    ['for longer than it lives itself', async () => crossSign(oldRoot, await rootOf({ validity: oneYear }, 'etcd-root-2'), { validity: days(366).from(NOW) }), 'ERR_VALIDITY_INVALID', 'outlive'],
  ])('is refused %s', async (_, sign, code, reason) => {
    expect((await rejected(code, sign())).message).toContain(reason)
  })

  test('by an authority of fips is for keys that fips takes, of authorities that hold to it, and for no others', async () => {
    const fips = await rootOf({ fips: true })
    const of = async (change: Partial<CaRequest<Purpose>>) => crossSign(fips, await rootOf({ pathLength: 0, ...change }, 'etcd-root-2'), { validity: oneYear })
    for (const algorithm of ['rsa-2048', 'ed25519', 'ecdsa-p521'] as const)
      expect((await rejected('ERR_ALGORITHM_UNSUPPORTED', of({ signer: (await generateKeyPair(crypto, algorithm)).signer }))).detail.algorithm).toBe(algorithm)
    // Its key would do, and those of its leaves need not.
    expect((await rejected('ERR_ISSUE_REFUSED', of({}))).detail.reason).toBe('not of the option fips')
    expect(readCertificate(readPem('certificate', await of({ fips: true }))).publicKey).toMatchObject({ key: { algorithm: 'ecdsa-p256' } })
  })
})

describe('openCa', () => {
  const open = (certificate: string, more: { readonly now?: Date; readonly parents?: string; readonly fips?: boolean } = {}) => openCa(crypto, { certificate, signer, issues: ['client'], ...more })
  const at = (day: number) => new Date(NOW.getTime() + day * 86_400_000)

  test('looks at the time where it is told it, of every authority of the chain', async () => {
    const short = await certificateOf({ by: signer, validity: { notBefore: at(1), notAfter: at(2) } })
    await open(short)
    await open(short, { now: at(1.5) })
    expect((await rejected('ERR_CERTIFICATE_INVALID', open(short, { now: at(0) }))).message).toContain('not valid before')
    expect((await rejected('ERR_CERTIFICATE_INVALID', open(short, { now: at(3) }))).message).toContain('expired at')
    const topKey = await fresh()
    const top = await certificateOf({ by: topKey, subject: commonNameOnly('etcd-root'), validity: { notBefore: at(-1), notAfter: at(1) } })
    const under = await certificateOf({ by: topKey, issuer: commonNameOnly('etcd-root'), publicKeyDer: signer.publicKey })
    await open(under, { parents: top, now: at(0) })
    expect((await rejected('ERR_CERTIFICATE_INVALID', open(under, { parents: top, now: at(2) }))).message).toContain('"etcd-root": expired')
    await expect(open(short, { now: new Date(Number.NaN) })).rejects.toThrow(TypeError)
  })

  test('says everything that is wrong with a chain at once', async () => {
    const serving = extension('2.5.29.37', false, sequence(objectIdentifier('1.3.6.1.5.5.7.3.1')))
    const { message } = await rejected('ERR_CERTIFICATE_INVALID', open(await certificateOf({ by: signer, extensions: [isCa, serving, extension('1.2.3.4', true, sequence())], validity: { notBefore: at(-2), notAfter: at(-1) } }), { now: at(0) }))
    for (const part of ['expired', '1.2.3.4', 'clientAuth', 'may not sign']) expect(message).toContain(part)
    expect(message).not.toContain(certSign.toString())
  })

  test('takes no option that nobody reads', async () => {
    await expect(open(await certificateOf({ by: signer }), { Now: NOW } as never)).rejects.toThrow('Now')
  })
})

describe('with the option fips', async () => {
  const weak = (await generateKeyPair(crypto, 'rsa-2048')).signer
  const weakCsr = await createCsr(crypto, { signer: weak })
  const request = { name: 'etcd-root', validity: tenYears, issues: ['server', 'client'], pathLength: 1, fips: true } as const
  const strict = await createCa(crypto, { ...request, signer })

  test('no authority is made or opened with another key, in itself or above it', async () => {
    await rejected('ERR_ALGORITHM_UNSUPPORTED', createCa(crypto, { ...request, signer: weak }))
    await rejected('ERR_ALGORITHM_UNSUPPORTED', createIntermediateCa(strict, { name: 'etcd-servers', validity: oneYear, issues: ['server'], signer: weak }))
    const lax = await createCa(crypto, { ...request, fips: false, signer: weak })
    const below = await createIntermediateCa(lax, { name: 'etcd-servers', validity: oneYear, issues: ['server'], signer })
    await openCa(crypto, { certificate: below.certificate, parents: below.parents, signer, issues: ['server'] })
    await rejected('ERR_ALGORITHM_UNSUPPORTED', openCa(crypto, { certificate: below.certificate, parents: below.parents, signer, issues: ['server'], fips: true }))
    await rejected('ERR_ALGORITHM_UNSUPPORTED', openCa(crypto, { certificate: lax.certificate, signer: weak, issues: ['server'], fips: true }))
    await expect(createCa(crypto, { ...request, signer, fips: 'yes' as never })).rejects.toThrow(TypeError)
  })

  test('no other key is certified, by it or by an intermediate of it, which has the option too', async () => {
    const below = await createIntermediateCa(strict, { name: 'etcd-servers', validity: oneYear, issues: ['server'], signer })
    const opened = await openCa(crypto, { certificate: strict.certificate, signer, issues: ['server'], fips: true })
    for (const authority of [strict, below, opened]) {
      const issue = (asked: typeof csr) => issueServer(authority, { policy, member: 'etcd-0', hosts: ['10.0.0.1'], csr: asked, validity })
      await issue(csr)
      expect((await rejected('ERR_CSR_KEY', issue(weakCsr))).detail.algorithm).toBe('rsa-2048')
    }
  })
})
