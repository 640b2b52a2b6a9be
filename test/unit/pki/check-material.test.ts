import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/bytes.js'
import { commonNameOnly, EMPTY_NAME } from '../../../src/pki/asn1/name.js'
import { namedBits, objectIdentifier, sequence, setOf, smallInteger, tagged, taggedPrimitive, tlv, TRUE } from '../../../src/pki/asn1/write.js'
import {
  checkMaterial, createCa, createCsr, createIntermediateCa, days, generateKeyPair, issueClient, issueGateway, issuePeer, issueServer, type ExportableKeyPair, type MaterialCheck, type MaterialFinding,
} from '../../../src/pki/index.js'
import { coversHost } from '../../../src/pki/material-names.js'
import { readPem, writePem } from '../../../src/pki/pem.js'
import { definePolicy } from '../../../src/policy/index.js'
import type { WebCryptoLike } from '../../../src/platform.js'
import { coverage } from '../../support/host-coverage.js'
import { certificateOf, certSign, commonName, extension, isCa, lanes, NOW } from '../../support/pki.js'

const { crypto } = globalThis
const policy = definePolicy({
  users: { root: 'certificate', alice: 'certificate', auditor: 'password', bob: 'certificate' },
  members: ['etcd-0'],
  authorities: ['etcd-root', 'etcd-clients', 'etcd-servers', 'etcd-peers', 'etcd-ca'],
  v3: { roles: {}, bindings: { root: ['root'] } },
})
const tenYears = days(3650).from(NOW, { backdateMinutes: 60 })
const validity = days(90).from(NOW, { backdateMinutes: 5 })
const pair = (): Promise<ExportableKeyPair> => generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
const [caKeys, middleKeys, leafKeys, otherKeys] = [await pair(), await pair(), await pair(), await pair()]
const [leafPem, otherPem] = [await leafKeys.exportPkcs8(), await otherKeys.exportPkcs8()]

type Check = MaterialCheck<typeof policy, 'alice'>
const codes = (findings: readonly MaterialFinding[]): readonly string[] => findings.map(({ code }) => code)
const check = (question: Check, lane: WebCryptoLike = crypto) => checkMaterial(lane, question)

describe.each(lanes)('with %s', (_, lane) => {
  test('nothing is found in what the library issues, under a root and under intermediates, by key and by its PEM', async () => {
    const csr = await createCsr(lane, { signer: leafKeys.signer })
    const root = await createCa(lane, { name: 'etcd-root', signer: caKeys.signer, validity: tenYears, issues: ['client', 'server', 'peer'], pathLength: 1 })
    const below = await createIntermediateCa(root, { name: 'etcd-ca', signer: middleKeys.signer, validity: tenYears, issues: ['client', 'server', 'peer'] })
    for (const authority of [root, below]) {
      const common = { policy, now: NOW, trusted: root.certificate, fips: true }
      const { chain } = await issueClient(authority, { policy, user: 'alice', csr, validity, label: 'node-1' })
      const hosts = ['10.0.0.10', 'etcd-0.example', '::1']
      const urls = ['https://10.0.0.10:2379', 'https://etcd-0.example:2379', 'https://[::1]:2379']
      const server = await issueServer(authority, { policy, member: 'etcd-0', hosts, csr, validity })
      const serving = await issueServer(authority, { policy, member: 'etcd-0', hosts, csr, validity, gateway: 'off' })
      const peer = await issuePeer(authority, { policy, member: 'etcd-0', hosts, csr, validity, commonName: 'etcd-0' })
      for (const key of [leafPem, leafKeys, undefined]) {
        const more = { ...common, ...(key === undefined ? {} : { key }) }
        expect(await check({ ...more, purpose: 'client', user: 'alice', certificate: chain }, lane)).toEqual([])
        expect(await check({ ...more, purpose: 'server', member: 'etcd-0', urls, certificate: server.chain }, lane)).toEqual([])
        expect(await check({ ...more, purpose: 'server', member: 'etcd-0', gateway: 'off', certificate: serving.chain }, lane)).toEqual([])
        expect(await check({ ...more, purpose: 'peer', member: 'etcd-0', urls, certificate: peer.chain }, lane)).toEqual([])
      }
    }
  })
})

type Content = Omit<Parameters<typeof certificateOf>[0], 'by'>
const by = caKeys.signer
const notCa = extension('2.5.29.19', true, sequence())
const usage = (...bits: number[]) => extension('2.5.29.15', true, namedBits(bits))
const [server, client] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']
const extended = (...oids: string[]) => extension('2.5.29.37', false, sequence(...oids.map(objectIdentifier)))
const names = (...all: Uint8Array[]) => extension('2.5.29.17', false, sequence(...all))
const dns = (name: string) => taggedPrimitive(2, utf8(name))
const ip = (...octets: number[]) => taggedPrimitive(7, Uint8Array.of(...octets))
const critical = extension('1.2.3.4', true, sequence())
const ofClient = [notCa, usage(0), extended(client)]
const ofServer = [notCa, usage(0), extended(server, client), names(dns('etcd-0.example'), ip(10, 0, 0, 10))]
const caOf = (content: Content = {}) => certificateOf({ by, subject: commonNameOnly('etcd-clients'), ...content })
const clientOf = (content: Content = {}) =>
  certificateOf({ by, issuer: commonNameOnly('etcd-clients'), subject: commonNameOnly('alice'), publicKeyDer: leafKeys.signer.publicKey, validity, extensions: ofClient, ...content })
const serverOf = (extensions: readonly Uint8Array[] = ofServer, content: Content = {}) => clientOf({ subject: EMPTY_NAME, extensions, ...content })
const middleOf = (content: Content = {}) => certificateOf({ by, issuer: commonNameOnly('etcd-clients'), subject: commonNameOnly('etcd-ca'), publicKeyDer: middleKeys.signer.publicKey, ...content })
const low = { by: middleKeys.signer, issuer: commonNameOnly('etcd-ca') }
const trusted = await caOf()
const user = (change: Partial<Check>): Check => ({ policy, now: NOW, purpose: 'client', user: 'alice', key: leafPem, trusted, certificate: '', ...change }) as Check
const member = (change: Partial<Check>): Check => ({ policy, now: NOW, purpose: 'server', member: 'etcd-0', key: leafPem, trusted, certificate: '', ...change }) as Check
const day = (count: number): Date => new Date(NOW.getTime() + count * 86_400_000)
const flipped = (pem: string): string => writePem('certificate', readPem('certificate', pem).map((byte, index, all) => (index === all.length - 1 ? byte ^ 1 : byte)))

const wrong: readonly (readonly [title: string, question: () => Promise<Check>, found: readonly string[]])[] = [
  // the key
  ['the key of another', async () => user({ certificate: await clientOf(), key: otherPem }), ['key-mismatch']],
  ['another key pair', async () => user({ certificate: await clientOf(), key: otherKeys }), ['key-mismatch']],
  ['a key pair whose signer has another key', async () => user({ certificate: await clientOf(), key: { ...otherKeys, signer: { ...otherKeys.signer, publicKey: leafKeys.signer.publicKey } } }), ['key-unusable']],
  ['a key file that holds none', async () => user({ certificate: await clientOf(), key: 'x' }), ['key-unusable']],
  ['a certificate for a key', async () => user({ certificate: await clientOf(), key: trusted as string }), ['key-unusable']],
  ['a key of garbage', async () => user({ certificate: await clientOf(), key: leafPem.replace(/[A-Z]{4}/, 'AAAA') }), ['key-unusable']],
  ['an encrypted key without passphrase', async () => user({ certificate: await clientOf(), key: await leafKeys.exportPkcs8({ passphrase: 'only for this test' }) }), ['key-unusable']],
  ['a passphrase for a key that is not encrypted', async () => user({ certificate: await clientOf(), passphrase: 'only for this test' }), ['key-unusable']],
  // the files
  ['no certificate', async () => user({ certificate: '' }), ['certificate-unreadable']],
  ['a certificate of garbage', async () => user({ certificate: (await clientOf()).replace(/\n[^\n]{64}\n/, '\n') }), ['certificate-unreadable']],
  ['trailing bytes', async () => user({ certificate: writePem('certificate', Uint8Array.of(...readPem('certificate', await clientOf()), 0)) }), ['certificate-unreadable']],
  ['a key behind the certificate', async () => user({ certificate: (await clientOf()) + leafPem }), ['certificate-unreadable']],
  ['no root', async () => user({ certificate: await clientOf(), trusted: '' }), ['trusted-unreadable']],
  ['a key for a root', async () => user({ certificate: await clientOf(), trusted: leafPem as string }), ['trusted-unreadable']],
  // the chain
  ['another root', async () => user({ certificate: await clientOf(), trusted: await certificateOf({ by: otherKeys.signer, subject: commonNameOnly('etcd-root') }) }), ['issuer-missing']],
  ['another root of the same name', async () => user({ certificate: await clientOf(), trusted: await certificateOf({ by: otherKeys.signer, subject: commonNameOnly('etcd-clients') }) }), ['signature']],
  ['a missing intermediate', async () => user({ certificate: await certificateOf({ ...low, subject: commonNameOnly('alice'), publicKeyDer: leafKeys.signer.publicKey, extensions: ofClient, validity }) }), ['issuer-missing']],
  ['a changed certificate', async () => user({ certificate: flipped(await clientOf()) }), ['signature']],
  ['a signature over SHA-1', async () => user({ certificate: await clientOf({ inner: sequence(objectIdentifier('1.2.840.10045.4.1')) }) }), ['algorithm']],
  ['a root that allows none below it, over an intermediate', async () => user({ certificate: (await certificateOf({ ...low, subject: commonNameOnly('alice'), publicKeyDer: leafKeys.signer.publicKey, extensions: ofClient, validity })) + (await middleOf()), trusted: await caOf({ extensions: [extension('2.5.29.19', true, sequence(TRUE, smallInteger(0))), certSign] }) }), ['path-length']],
  ['an intermediate with an extended key usage', async () => user({ certificate: (await certificateOf({ ...low, subject: commonNameOnly('alice'), publicKeyDer: leafKeys.signer.publicKey, extensions: ofClient, validity })) + (await middleOf({ extensions: [isCa, certSign, extended(server)] })) }), ['extended-key-usage']],
  ['a trusted intermediate instead of a root', async () => user({ certificate: await certificateOf({ ...low, subject: commonNameOnly('alice'), publicKeyDer: leafKeys.signer.publicKey, extensions: ofClient, validity }), trusted: await middleOf() }), ['trusted-not-root']],
  ['a critical extension of unknown meaning', async () => user({ certificate: await clientOf({ extensions: [...ofClient, critical] }) }), ['unknown-critical']],
  ['a host that the root does not permit', async () => member({ certificate: await serverOf(), trusted: await caOf({ extensions: [isCa, certSign, extension('2.5.29.30', true, sequence(tagged(0, sequence(tlv(0x82, utf8('other'))))))] }) }), ['name-constraints']],
  ['intermediates out of order', async () => {
    const bottom = { by: otherKeys.signer, issuer: commonNameOnly('etcd-peers') }
    const under = await certificateOf({ ...low, subject: commonNameOnly('etcd-peers'), publicKeyDer: otherKeys.signer.publicKey })
    return user({ certificate: (await certificateOf({ ...bottom, subject: commonNameOnly('alice'), publicKeyDer: leafKeys.signer.publicKey, extensions: ofClient, validity })) + (await middleOf()) + under })
  }, ['bundle-order']],
  ['an authority for a leaf', async () => user({ certificate: await clientOf({ extensions: [isCa, certSign, extended(client)] }) }), ['authority-as-leaf']],
  // dates
  ['an expired certificate', async () => user({ certificate: await clientOf(), now: day(91) }), ['expired']],
  ['a certificate of tomorrow', async () => user({ certificate: await clientOf(), now: day(-0.03) }), ['not-yet-valid']],
  ['an expired root', async () => user({ certificate: await clientOf(), trusted: await caOf({ validity: { notBefore: day(-9), notAfter: day(-1) } }) }), ['expired']],
  // purposes
  ['a server for a client', async () => user({ certificate: await clientOf({ extensions: [notCa, usage(0), extended(server)] }) }), ['extended-key-usage', 'usage-too-wide']],
  ['a client that may serve', async () => user({ certificate: await clientOf({ extensions: [notCa, usage(0), extended(client, server)] }) }), ['usage-too-wide']],
  ['a client for any purpose', async () => user({ certificate: await clientOf({ extensions: [notCa, usage(0), extended(client, '2.5.29.37.0')] }) }), ['usage-too-wide']],
  ['a client without extended key usage', async () => user({ certificate: await clientOf({ extensions: [notCa, usage(0)] }) }), ['usage-too-wide']],
  ['a server that the gateway cannot dial with', async () => member({ certificate: await serverOf([notCa, usage(0), extended(server), names(dns('etcd-0.example'))]) }), ['extended-key-usage']],
  ['a peer that may only serve', async () => member({ purpose: 'peer', certificate: await serverOf([notCa, usage(0), extended(server), names(dns('etcd-0.example'))]) }), ['extended-key-usage']],
  // names
  ['another user', async () => user({ certificate: await clientOf({ subject: commonNameOnly('bob') }) }), ['common-name']],
  ['two Common Names', async () => user({ certificate: await clientOf({ subject: sequence(setOf(commonName('root')), setOf(commonName('alice'))) }) }), ['common-name']],
  ['no Common Name', async () => user({ certificate: await clientOf({ subject: EMPTY_NAME }) }), ['common-name']],
  ['a user that the policy does not have', async () => user({ user: 'carol' as 'alice', certificate: await clientOf({ subject: commonNameOnly('carol') }) }), ['user-unknown']],
  ['a user that logs in by password', async () => user({ user: 'auditor' as 'alice', certificate: await clientOf({ subject: commonNameOnly('auditor') }) }), ['user-unknown']],
  ['a member that the policy does not have', async () => member({ member: 'etcd-9' as 'etcd-0', certificate: await serverOf() }), ['member-unknown']],
  ['a member with the name of a user', async () => member({ certificate: await serverOf(ofServer, { subject: commonNameOnly('root') }) }), ['common-name-is-user']],
  ['a member with a path to a user', async () => member({ certificate: await serverOf(ofServer, { subject: commonNameOnly('x/../root') }) }), ['common-name-is-user']],
  ['a member with a Common Name without certain meaning', async () => member({ certificate: await serverOf(ofServer, { subject: sequence(setOf(commonName(Uint8Array.of(0x6a, 0xe9), 0x14))) }) }), ['common-name']],
  ['a member with an empty Common Name', async () => member({ certificate: await serverOf(ofServer, { subject: commonNameOnly('') }) }), ['common-name']],
  ['a member with a zero behind the name of a user', async () => member({ certificate: await serverOf(ofServer, { subject: commonNameOnly('root\0') }) }), ['common-name']],
  ['a member with a name that etcd v2 takes for a path', async () => member({ certificate: await serverOf(ofServer, { subject: commonNameOnly('x/y') }) }), ['common-name']],
  ...(['alice', 'x/../alice', './alice/'] as const).map((name) => [`an authority called ${name}`, async () => user({ certificate: await clientOf({ issuer: commonNameOnly(name) }), trusted: await caOf({ subject: commonNameOnly(name) }) }), ['authority-is-user']] as const),
  ['an authority whose name is a path', async () => user({ certificate: await clientOf({ issuer: commonNameOnly('x/y') }), trusted: await caOf({ subject: commonNameOnly('x/y') }) }), ['authority-name']],
  ['an authority that the policy does not have', async () => user({ certificate: await clientOf({ issuer: commonNameOnly('etcd-others') }), trusted: await caOf({ subject: commonNameOnly('etcd-others') }) }), ['authority-undeclared']],
  ['a stranger in the bundle that is named like a user', async () => user({ certificate: (await clientOf()) + (await certificateOf({ by: otherKeys.signer, subject: commonNameOnly('bob') })) }), ['authority-is-user']],
  // hosts
  ['a URL for another address', async () => member({ certificate: await serverOf(), urls: ['https://10.0.0.10:2379', 'https://10.0.0.11:2379'] }), ['hosts-missing']],
  ['a URL for another name', async () => member({ certificate: await serverOf(), urls: ['https://etcd-1.example:2379'] }), ['hosts-missing']],
  ['a URL for a name below a wildcard', async () => member({ certificate: await serverOf([notCa, usage(0), extended(server, client), names(dns('*.example'))]), urls: ['https://a.b.example:2379'] }), ['hosts-missing']],
  ['an address as a DNS name', async () => member({ certificate: await serverOf([notCa, usage(0), extended(server, client), names(dns('10.0.0.10'))]), urls: ['https://10.0.0.10:2379'] }), ['hosts-missing']],
  ['a host in the Common Name only', async () => member({ certificate: await serverOf([notCa, usage(0), extended(server, client)], { subject: commonNameOnly('etcd-0.example') }), urls: ['https://etcd-0.example:2379'] }), ['hosts-missing']],
  ['no host at all', async () => member({ certificate: await serverOf([notCa, usage(0), extended(server, client)]) }), ['hosts-missing']],
  ['a URL that nobody can dial', async () => member({ certificate: await serverOf(), urls: ['https://0.0.0.0:2379'] }), ['url-invalid']],
  ['a URL without TLS', async () => member({ certificate: await serverOf(), urls: ['http://10.0.0.10:2379'] }), ['url-invalid']],
  // fips
  ['a key that fips does not take', async () => {
    const rsa = await generateKeyPair(crypto, 'rsa-2048')
    return user({ certificate: await clientOf({ publicKeyDer: rsa.signer.publicKey }), key: rsa, fips: true })
  }, ['fips']],
  // several
  ['five things at once', async () => member({ certificate: await serverOf([notCa, usage(0), extended(server), critical, names(dns('etcd-1.example'))], { subject: commonNameOnly('alice'), validity: { notBefore: day(-9), notAfter: day(-1) } }), key: otherPem, urls: ['https://etcd-0.example:2379'] }),
    ['key-mismatch', 'expired', 'unknown-critical', 'extended-key-usage', 'common-name-is-user', 'hosts-missing']],
  ['what can be seen without a certificate', async () => user({ certificate: 'x', trusted: 'y', key: 'z', user: 'carol' as 'alice' }), ['certificate-unreadable', 'trusted-unreadable', 'key-unusable', 'user-unknown']],
]

test.each(wrong)('%s: it is found, and nothing else', async (_, question, found) => {
  const findings = await check(await question())
  expect(codes(findings)).toEqual(found)
  for (const { message, fix } of findings) {
    expect(message).toMatch(/wanted/)
    expect(fix).not.toBe('')
    for (const pem of [leafPem, otherPem]) expect(message + fix).not.toContain(pem.split('\n')[1])
  }
})

test('a key is taken in any form: encrypted with its passphrase, and as DER', async () => {
  const passphrase = 'only for this test'
  expect(await check(user({ certificate: await clientOf(), key: await leafKeys.exportPkcs8({ passphrase, iterations: 100_000 }), passphrase }))).toEqual([])
  expect(await check(user({ certificate: await clientOf(), key: readPem('private key', leafPem) }))).toEqual([])
})

test('for fips, a key that is encrypted by what fips does not take is not opened', async () => {
  const passphrase = 'only for this test'
  const der = readPem('encrypted private key', await leafKeys.exportPkcs8({ passphrase, iterations: 100_000 }))
  // The number of HMAC-SHA-512 in place of that of HMAC-SHA-256: refused before it is tried.
  const at = Buffer.from(der).indexOf(Buffer.from('2a864886f70d0209', 'hex'))
  const key = writePem('encrypted private key', der.map((byte, index) => (index === at + 7 ? 11 : byte)))
  const [finding] = await check(user({ certificate: await clientOf(), key, passphrase, fips: true }))
  expect(finding).toMatchObject({ code: 'key-unusable', message: expect.stringContaining('PBKDF2 over HMAC-SHA-512, which fips does not take') as string })
})

test('a name below a wildcard is covered, and a key of another certificate of the bundle is told where it is', async () => {
  const wild = await serverOf([notCa, usage(0), extended(server, client), names(dns('*.etcd.example'))])
  expect(await check(member({ certificate: wild, urls: ['https://etcd-0.etcd.example:2379'] }))).toEqual([])
  const [finding] = await check(user({ certificate: (await clientOf()) + (await middleOf()), key: middleKeys }))
  expect(finding).toMatchObject({ code: 'key-mismatch', fix: 'it is that of certificate 2 of the bundle: put that one first' })
})

test.each<[string, object]>([
  ['an unknown purpose', { purpose: 'proxy' }],
  ['a purpose of every table', { purpose: 'constructor' }],
  ['an unknown option', { Urls: [] }],
  ['URLs of a user', { urls: [] }],
  ['no date', { now: 'now' }],
  ['no policy', { policy: undefined }],
  ['a policy that is none', { policy: {} }],
  ['no user', { user: undefined }],
  ['no PEM', { certificate: 5 }],
  ['no trusted file', { trusted: undefined }],
  ['null for a key', { key: null }],
  ['a table for a key', { key: {} }],
  ['a passphrase that is a number', { passphrase: 5 }],
])('%s is a TypeError that says what', async (_, change) => {
  const error: unknown = await check({ ...user({ certificate: trusted }), ...change }).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(TypeError)
  expect((error as TypeError).message).toMatch(/ must be | have no field /)
})

test.each([[undefined], [null], ['x'], [7], [[]], [{}]])('%j for all of it is a TypeError that says what', async (given) => {
  const error: unknown = await check(given as never).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(TypeError)
  expect((error as TypeError).message).toMatch(/ must be /)
  await expect(check({ ...member({ certificate: trusted }), urls: 'https://etcd-0.example:2379' } as never)).rejects.toThrow('urls must be a list of strings')
})

describe('the key of a member, which etcd reads', async () => {
  const passphrase = 'only for this test'
  const encrypted = await leafKeys.exportPkcs8({ passphrase, iterations: 100_000 })
  test.each<[string, Partial<Check>, readonly string[]]>([
    ['is plain PEM', { key: leafPem }, []],
    ['is not encrypted, whoever knows the passphrase', { key: encrypted, passphrase }, ['key-form']],
    ['is judged further with the passphrase', { key: await otherKeys.exportPkcs8({ passphrase, iterations: 100_000 }), passphrase }, ['key-form', 'key-mismatch']],
    ['is not encrypted by an unknown passphrase', { key: encrypted }, ['key-form', 'key-unusable']],
    ['is not in DER', { key: readPem('private key', leafPem) }, ['key-form']],
    ['may not have been written yet', { key: leafKeys }, []],
  ])('%s', async (_, change, found) => {
    const findings = await check(member({ certificate: await serverOf(), ...change }))
    expect(codes(findings)).toEqual(found)
    if (found.includes('key-form')) expect(findings[0]).toMatchObject({ fix: expect.stringContaining('exportPkcs8') as string })
  })
})

test('comments of a trusted file are passed over, as etcd does; those of a certificate file, and other blocks, are not', async () => {
  const certificate = await clientOf()
  for (const file of [`# our CA\n${trusted}`, `${trusted}# the end`, `Certificate:\n    Data:\n${trusted}`]) expect(await check(user({ certificate, trusted: file }))).toEqual([])
  for (const file of [`${trusted}${leafPem}`, '# none', `# half\n${trusted.slice(0, 100)}`]) expect(codes(await check(user({ certificate, trusted: file })))).toEqual(['trusted-unreadable'])
  expect(codes(await check(user({ certificate: `# alice\n${certificate}` })))).toEqual(['certificate-unreadable'])
})

describe('of many authorities with one name', async () => {
  const certificate = (await issueClient(await createCa(crypto, { name: 'etcd-clients', signer: caKeys.signer, validity: tenYears, issues: ['client'] }), { policy, user: 'alice', csr: await createCsr(crypto, { signer: leafKeys.signer }), validity })).certificate
  const right = (await createCa(crypto, { name: 'etcd-clients', signer: caKeys.signer, validity: tenYears, issues: ['client'] })).certificate
  const make = async () => (await createCa(crypto, { name: 'etcd-clients', signer: (await pair()).signer, validity: tenYears, issues: ['client'] })).certificate
  const each = await Promise.all(Array.from({ length: 70 }, make))
  const others = each.join('')
  test('the one whose key the certificate names is found, wherever it stands', async () => {
    expect(await check(user({ certificate, trusted: others + right }))).toEqual([])
  })
  test('too many are said to be too many, not a false signature', async () => {
    expect(codes(await check(user({ certificate: await clientOf(), trusted: others + right })))).toEqual(['too-many-issuers'])
    expect(codes(await check(user({ certificate: await clientOf(), trusted: each.slice(0, 35).join('') })))).toEqual(['signature'])
  })
})

describe('the certificate of a gateway', async () => {
  const uri = 'urn:example:gateway'
  const authority = await createCa(crypto, { name: 'etcd-clients', signer: caKeys.signer, validity: tenYears, issues: ['client'] })
  const csr = await createCsr(crypto, { signer: leafKeys.signer })
  const good = (await issueGateway(authority, { policy, uri, csr, validity })).chain
  const gateway = (change: object): Check => ({ policy, now: NOW, purpose: 'gateway', uri, key: leafPem, trusted: authority.root, certificate: good, ...change })
  const v2 = definePolicy({ users: { root: 'certificate' }, authorities: ['etcd-clients'], v2: { guest: [], roles: {}, bindings: { root: ['root'] } } })
  test.each<[string, object, readonly string[]]>([
    ['as it is issued is good', {}, []],
    ['of another is not', { uri: 'urn:example:other' }, ['uri-missing']],
    ['has a URI that may be one', { uri: 'https://x/' }, ['uri-invalid', 'uri-missing']],
    ['has no Common Name: that would be a user', { certificate: (await issueClient(authority, { policy, user: 'alice', csr, validity })).chain }, ['common-name', 'uri-missing']],
    ['may not serve', { certificate: await serverOf(), trusted }, ['usage-too-wide', 'uri-missing']],
    ['does not go with v2, which wants a Common Name', { policy: v2 }, ['uri-invalid']],
    ['has a key in plain PEM', { key: readPem('private key', leafPem) }, ['key-form']],
  ])('%s', async (_, change, found) => {
    expect(codes(await check(gateway(change)))).toEqual(found)
  })
  test('takes no host and no member', async () => {
    for (const change of [{ urls: [] }, { member: 'etcd-0' }, { user: 'alice' }]) await expect(check(gateway(change))).rejects.toThrow(TypeError)
  })
})

test('a DNS name covers a host where both Node and Go say so', () => {
  for (const { name, host, go } of coverage) {
    const node = checkServerIdentity(host, { subjectaltname: `DNS:${name}`, subject: {} } as PeerCertificate) === undefined
    expect([name, host, coversHost(name, host)]).toEqual([name, host, node && go])
  }
})

