/** The rules for CSRs in the open: what is taken, what must match, what is ignored, what is refused, and the report of it. */
import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/bytes.js'
import { readCertificate } from '../../../src/pki/asn1/read-certificate.js'
import { namedBits, objectIdentifier, octetString, sequence, setOf, smallInteger, tagged, taggedPrimitive, tlv, TRUE } from '../../../src/pki/asn1/write.js'
import { createCsr, days, hostsOf, issueClient, issueServer, verifyCsr, type CsrDifference } from '../../../src/pki/index.js'
import { readPem } from '../../../src/pki/pem.js'
import { authority, commonName, csrOf, extension, keyOf, NOW, organization, policy, rejected, validity } from '../../support/pki.js'

const { crypto } = globalThis
const clients = await authority(crypto, 'etcd-clients', ['client'])
const servers = await authority(crypto, 'etcd-servers', ['server'])
const { signer } = await keyOf(crypto)

const attribute = (oid: string, ...values: readonly Uint8Array[]): Uint8Array => sequence(objectIdentifier(oid), setOf(...values))
const asking = (...extensions: readonly Uint8Array[]): Uint8Array => attribute('1.2.840.113549.1.9.14', sequence(...extensions))
const csrAsking = (attributes: readonly Uint8Array[], subject: readonly (readonly Uint8Array[])[] = [[commonName('alice')]]): Promise<string> => csrOf(signer, subject, { attributes: tagged(0, ...attributes) })
const san = (...names: readonly Uint8Array[]): Uint8Array => extension('2.5.29.17', false, sequence(...names))
const dns = (name: string): Uint8Array => taggedPrimitive(2, utf8(name))
const uri = (text: string): Uint8Array => taggedPrimitive(6, utf8(text))
const usages = (...oids: readonly string[]): Uint8Array => extension('2.5.29.37', false, sequence(...oids.map(objectIdentifier)))
const CLIENT = '1.3.6.1.5.5.7.3.2'
const SERVER = '1.3.6.1.5.5.7.3.1'

const issue = async (csr: string | Promise<string>) => issueClient(clients, { policy, user: 'alice', csr: await csr, validity })

describe('of what a CSR asks for beside its key, none gets into the certificate, and the report says what', () => {
  test.each<[string, Promise<string>, readonly CsrDifference[]]>([
    ['an authority', csrAsking([asking(extension('2.5.29.19', true, sequence(TRUE, smallInteger(3))))]), [{ field: 'extension basicConstraints', asked: 'CA:TRUE, a path length', issued: 'CA:FALSE' }]],
    ['an unknown critical extension', csrAsking([asking(extension('1.2.3.4', true, sequence()))]), [{ field: 'extension 1.2.3.4', asked: 'present, critical', issued: undefined }]],
    ['an unknown extension', csrAsking([asking(extension('1.2.3.4', false, Uint8Array.of(0xff)))]), [{ field: 'extension 1.2.3.4', asked: 'present', issued: undefined }]],
    ["other people's hosts", csrAsking([asking(san(dns('ETCD-0.example.com'), taggedPrimitive(7, Uint8Array.of(10, 0, 0, 10))))]), [{ field: 'extension subjectAltName', asked: 'DNS:etcd-0.example.com, IP:10.0.0.10', issued: undefined }]],
    ["another node's label", csrAsking([asking(san(uri('urn:etcd-rbac:label:node-9')))]), [{ field: 'extension subjectAltName', asked: 'URI:urn:etcd-rbac:label:node-9', issued: undefined }]],
    ['an e-mail address and other names', csrAsking([asking(san(taggedPrimitive(1, utf8('root@example.com')), taggedPrimitive(8, Uint8Array.of(42))))]), [{ field: 'extension subjectAltName', asked: 'email:root@example.com, a name of kind 8', issued: undefined }]],
    ['the use of a server', csrAsking([asking(usages(CLIENT, SERVER))]), [{ field: 'extension extKeyUsage', asked: 'clientAuth, serverAuth', issued: 'clientAuth' }]],
    ['the use of an authority', csrAsking([asking(extension('2.5.29.15', true, namedBits([0, 5, 6])))]), [{ field: 'extension keyUsage', asked: 'digitalSignature, keyCertSign, cRLSign', issued: 'digitalSignature' }]],
    ['another part of the subject', csrAsking([], [[commonName('alice')], [organization('system:masters')]]), [{ field: 'subject organizationName', asked: 'system:masters', issued: undefined }]],
    ['a part in one with the Common Name', csrAsking([], [[commonName('alice'), organization('system:masters')]]), [{ field: 'subject organizationName', asked: 'system:masters', issued: undefined }]],
    ['a text that would begin another line', csrAsking([], [[organization('x\nadmin"')]]), [{ field: 'subject organizationName', asked: 'x\\nadmin\\"', issued: undefined }]],
    ['a text of no certain meaning', csrAsking([], [[sequence(objectIdentifier('2.5.4.10'), tlv(0x14, Uint8Array.of(0xe9)))]]), [{ field: 'subject organizationName', asked: 'unreadable text', issued: undefined }]],
    ['a password to be revoked with', csrAsking([attribute('1.2.840.113549.1.9.7', tlv(0x0c, utf8('secret')))]), [{ field: 'attribute challengePassword', asked: 'present', issued: undefined }]],
  ])('%s', async (_, csr, wanted) => {
    const { certificate, differences } = await issue(csr)
    expect(differences).toEqual(wanted)
    const seen = new X509Certificate(certificate)
    expect([seen.subject, seen.subjectAltName, seen.ca, seen.keyUsage]).toEqual(['CN=alice', undefined, false, [CLIENT]])
    const { extensions, keyUsage, basicConstraints } = readCertificate(readPem('certificate', certificate))
    expect(extensions.map(({ oid }) => oid)).toEqual(['2.5.29.19', '2.5.29.15', '2.5.29.37', '2.5.29.35'])
    expect([keyUsage, basicConstraints]).toEqual([0x80, { ca: false, pathLength: undefined }])
    expect(JSON.stringify(differences)).not.toContain('secret')
    expect(differences.map(({ field }) => field)).toEqual((await verifyCsr(crypto, await csr)).ignored)
  })

  test('all at once, in the order of the CSR', async () => {
    const attributes = [asking(extension('2.5.29.19', false, sequence(TRUE)), san(dns('evil.example'))), attribute('1.2.840.113549.1.9.7', tlv(0x0c, utf8('secret')))].toSorted((a, b) => a.length - b.length)
    expect((await issue(csrAsking(attributes, [[organization('x')], [commonName('alice')]]))).differences.map(({ field }) => field)).toEqual([
      'subject organizationName', 'attribute challengePassword', 'extension basicConstraints', 'extension subjectAltName',
    ])
  })
})

describe('what is there as asked for is no difference', () => {
  test.each<[string, Promise<string>]>([
    ['nothing', createCsr(crypto, { signer })],
    ['the user', createCsr(crypto, { commonName: 'alice', signer })],
    ['a leaf', csrAsking([asking(extension('2.5.29.19', true, sequence()))])],
    ['the uses of a client', csrAsking([asking(usages(CLIENT), extension('2.5.29.15', true, namedBits([0])))])],
  ])('%s', async (_, csr) => {
    expect((await issue(csr)).differences).toEqual([])
  })

  test('the hosts of a member, in any order; and one more or less is told', async () => {
    const hosts = hostsOf('https://10.0.0.10:2379', 'https://[fd00::10]:2379', 'https://etcd-0.example.com:2379')
    const names = [dns('etcd-0.EXAMPLE.com'), taggedPrimitive(7, Uint8Array.from([0xfd, ...new Uint8Array(14), 0x10])), taggedPrimitive(7, Uint8Array.of(10, 0, 0, 10))]
    const ask = async (...asked: readonly Uint8Array[]) => (await issueServer(servers, { policy, member: 'etcd-0', hosts, csr: await csrAsking([asking(san(...asked))], [[commonName('etcd-0')]]), validity })).differences
    const nameless: CsrDifference = { field: 'subject commonName', asked: 'etcd-0', issued: undefined }
    expect(await ask(...names)).toEqual([nameless])
    const issued = 'IP:10.0.0.10, IP:fd00::10, DNS:etcd-0.example.com'
    expect(await ask(...names.slice(1))).toEqual([nameless, { field: 'extension subjectAltName', asked: 'IP:fd00::10, IP:10.0.0.10', issued }])
    expect(await ask(...names, dns('etcd-1'))).toEqual([nameless, { field: 'extension subjectAltName', asked: 'DNS:etcd-0.example.com, IP:fd00::10, IP:10.0.0.10, DNS:etcd-1', issued }])
  })
})

describe('a Common Name is one, and the right one, wherever it stands', () => {
  test.each<[string, readonly (readonly Uint8Array[])[]]>([
    ['two of them, the right one last, which is the one that etcd takes', [[commonName('root')], [commonName('alice')]]],
    ['two of them, the right one first', [[commonName('alice')], [commonName('root')]]],
    ['the right one twice', [[commonName('alice')], [commonName('alice')]]],
    ['two in one part', [[commonName('alice'), commonName('root')]]],
    ['another one in one part with something else', [[organization('alice'), commonName('root')]]],
    ['an empty one', [[commonName('')]]],
    ['an empty one beside the right one', [[commonName('alice')], [commonName('')]]],
  ])('%s is refused', async (_, subject) => {
    await rejected('ERR_CSR_COMMON_NAME', issue(csrAsking([], subject)))
  })

  test('one that is no text is not read', async () => {
    await rejected('ERR_DER_INVALID', issue(csrAsking([], [[commonName('alice', 0x04)]])))
  })

  test('the right one in one part with something else is the user', async () => {
    expect((await issue(csrAsking([], [[organization('x'), commonName('alice')]]))).commonName).toBe('alice')
  })
})

describe('what Go could not read is not read here either:', () => {
  test.each<[string, readonly Uint8Array[]]>([
    ['extensions asked for twice', [asking(san(dns('a'))), asking(extension('1.2.3', false, sequence()))].toSorted((a, b) => a.length - b.length)],
    ['an extension twice', [asking(san(dns('a')), san(dns('b')))]],
    ['two lists of extensions in one attribute', [attribute('1.2.840.113549.1.9.14', sequence(san(dns('a'))), sequence(san(dns('b'))))]],
    ['an empty list of extensions', [asking()]],
    ['no list of extensions', [attribute('1.2.840.113549.1.9.14')]],
    ['an extension with something behind', [asking(sequence(objectIdentifier('1.2.3'), octetString(sequence()), smallInteger(1)))]],
    ['an extension without value', [asking(sequence(objectIdentifier('1.2.3')))]],
    ['an address of five octets', [asking(san(taggedPrimitive(7, new Uint8Array(5))))]],
    ['a host beyond ASCII', [asking(san(dns('é.example')))]],
    ['a URI with a space', [asking(san(uri('urn:a b')))]],
    ['a URI without scheme', [asking(san(uri('//x')))]],
    ['a URI with half an escape', [asking(san(uri('urn:x%4')))]],
    ['a URI with a host that is none', [asking(san(uri('spiffe://a..b/x')))]],
    ['a subjectAltName without names', [asking(san())]],
    ['a subjectAltName with a number', [asking(san(smallInteger(1)))]],
    ['a subjectAltName with a byte behind', [asking(extension('2.5.29.17', false, Uint8Array.from([...sequence(dns('a')), 0])))]],
    ['basicConstraints that are a number', [asking(extension('2.5.29.19', false, smallInteger(1)))]],
    ['a keyUsage that is a number', [asking(extension('2.5.29.15', false, smallInteger(1)))]],
    ['an extKeyUsage that holds a number', [asking(extension('2.5.29.37', false, sequence(smallInteger(1))))]],
  ])('%s', async (_, attributes) => {
    await rejected('ERR_DER_INVALID', verifyCsr(crypto, await csrAsking(attributes)))
  })

  test('URIs of the usual kinds are', async () => {
    for (const text of ['urn:etcd-rbac:label:node-1', 'spiffe://example.org/ns/etcd/sa/node', 'https://user@host.example:2379/a%20b?c=d#e', 'tag:x'])
      expect((await issue(csrAsking([asking(san(uri(text)))]))).differences).toMatchObject([{ asked: `URI:${text}` }])
  })
})

describe('a requester may ask for less, never for more:', () => {
  const ask = async (asked: { notBefore: Date; notAfter: Date }) => issueClient(clients, { policy, user: 'alice', csr: await createCsr(crypto, { signer }), validity, asked })
  const shifted = (begins: number, ends: number) => ({ notBefore: new Date(validity.notBefore.getTime() + begins), notAfter: new Date(validity.notAfter.getTime() + ends) })

  test('less is issued', async () => {
    for (const asked of [shifted(0, 0), shifted(1000, 0), shifted(0, -1000), days(1).from(NOW)]) {
      const issued = await ask(asked)
      expect([issued.notBefore, issued.notAfter, issued.record.notAfter]).toEqual([asked.notBefore, asked.notAfter, asked.notAfter.toISOString()])
      expect(new Date(new X509Certificate(issued.certificate).validTo)).toEqual(asked.notAfter)
    }
  })

  test.each([['an earlier beginning', -1000, 0], ['a later end', 0, 1000], ['both', -1000, 1000]])('%s is refused', async (_, begins, ends) => {
    await rejected('ERR_VALIDITY_INVALID', ask(shifted(begins, ends)))
  })

  test('what ends before it begins is refused', async () => {
    await rejected('ERR_VALIDITY_INVALID', ask({ notBefore: validity.notAfter, notAfter: validity.notBefore }))
    await expect(ask('1h' as never)).rejects.toThrow(TypeError)
  })
})
