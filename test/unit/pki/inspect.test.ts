import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/bytes.js'
import { signedBy, tbsCertificate } from '../../../src/pki/asn1/certificate.js'
import { signedObject } from '../../../src/pki/asn1/csr.js'
import { commonNameOnly } from '../../../src/pki/asn1/name.js'
import { objectIdentifier, octetString, sequence, setOf, tlv, TRUE } from '../../../src/pki/asn1/write.js'
import { createCsr, hostsOf, inspectCertificate, issueClient, issueServer, recordOf } from '../../../src/pki/index.js'
import { writePem } from '../../../src/pki/pem.js'
import { authority, commonName, keyOf, lanes, policy, rejected, validity } from '../../support/pki.js'
import { hostile, thrown } from '../../support/thrown.js'

const { crypto } = globalThis
const { signer } = await keyOf(crypto)
const extension = (oid: string, value: Uint8Array, critical = false) => sequence(objectIdentifier(oid), ...(critical ? [TRUE] : []), octetString(value))

async function certificateOf(subject: Uint8Array, extensions: readonly Uint8Array[], serial = Uint8Array.of(1)): Promise<string> {
  const tbs = tbsCertificate({ serial, signedBy: signedBy(signer.algorithm, commonNameOnly('some ca')), ...validity, subject, publicKeyDer: signer.publicKey, extensions })
  return writePem('certificate', signedObject(tbs, signer.algorithm, await signer.sign(tbs)))
}

test.each(lanes)('%s gives the same facts as the other', async (_, lane) => {
  const ca = await authority(crypto, 'etcd-servers', ['server'])
  const { certificate, record } = await issueServer(ca, { policy, member: 'etcd-0', hosts: hostsOf('https://10.0.0.1', 'https://[fd00::1]'), csr: await createCsr(crypto, { signer }), validity })
  const facts = await inspectCertificate(lane, certificate)
  const { purpose, member, ...rest } = record
  expect(facts).toMatchObject(rest)
  expect(recordOf(facts, { purpose: 'server', member: 'etcd-0' })).toEqual({ purpose, member, ...rest })
  expect(JSON.parse(JSON.stringify(facts))).toEqual(facts)
})

test('a certificate of an authority says so', async () => {
  const ca = await authority(crypto, 'etcd-ca', ['client'])
  const facts = await inspectCertificate(crypto, ca.certificate)
  expect(facts).toMatchObject({ isAuthority: true, commonName: 'etcd-ca', authority: 'etcd-ca', keyId: ca.keyId, authorityKeyId: ca.keyId, usages: [], hosts: [], unknownCritical: [] })
  expect(facts.extendedKeyUsage).toBeUndefined()
  thrown('ERR_CERTIFICATE_INVALID', () => recordOf(facts, { purpose: 'client', user: 'etcd-ca' }))
})

test('every Common Name is listed, and none is called the one', async () => {
  const facts = await inspectCertificate(crypto, await certificateOf(sequence(setOf(commonName('alice')), setOf(commonName('root'))), []))
  expect(facts.commonNames).toEqual(['alice', 'root'])
  expect(facts.commonName).toBeUndefined()
  for (const role of [{ purpose: 'client', user: 'root' }, { purpose: 'peer', member: 'etcd-0' }, { purpose: 'gateway', uri: 'urn:x:y' }] as const)
    expect(thrown('ERR_CERTIFICATE_INVALID', () => recordOf(facts, role)).message).toContain('"alice" and "root"')
})

test('a certificate is recorded as that of a gateway only by a URI that it has', async () => {
  const facts = await inspectCertificate(crypto, await certificateOf(sequence(), [extension('2.5.29.17', sequence(tlv(0x86, utf8('urn:x:y'))))]))
  expect(recordOf(facts, { purpose: 'gateway', uri: 'urn:x:y' })).toMatchObject({ purpose: 'gateway', uri: 'urn:x:y' })
  expect(thrown('ERR_CERTIFICATE_INVALID', () => recordOf(facts, { purpose: 'gateway', uri: 'urn:x:z' })).message).toContain('"urn:x:y"')
})

test('what else a certificate is good for is in its record, and absent where there is nothing', async () => {
  const dns = extension('2.5.29.17', sequence(tlv(0x82, utf8('etcd-peers.internal'))))
  const usages = extension('2.5.29.37', sequence(objectIdentifier('1.3.6.1.5.5.7.3.2'), objectIdentifier('2.5.29.37.0')))
  const wide = recordOf(await inspectCertificate(crypto, await certificateOf(commonNameOnly('alice'), [dns, usages])), { purpose: 'client', user: 'alice' })
  expect(wide).toMatchObject({ usages: ['clientAuth'], otherUsages: ['anyExtendedKeyUsage'], hosts: ['etcd-peers.internal'] })
  const plain = recordOf(await inspectCertificate(crypto, await certificateOf(commonNameOnly('alice'), [])), { purpose: 'client', user: 'alice' })
  expect(Object.keys(plain)).not.toEqual(expect.arrayContaining(['otherUsages']))
  expect(Object.keys(plain)).not.toEqual(expect.arrayContaining(['hosts']))
})

test('names of every kind are told apart', async () => {
  const names = [
    tlv(0x82, utf8('ETCD-0.Example')), tlv(0x87, Uint8Array.of(10, 0, 0, 1)), tlv(0x86, utf8('https://example/x')),
    tlv(0x81, utf8('root@example')), tlv(0xa4, commonNameOnly('root')),
  ]
  const facts = await inspectCertificate(crypto, await certificateOf(commonNameOnly('x'), [extension('2.5.29.17', sequence(...names))]))
  expect(facts.hosts).toEqual(['etcd-0.example', '10.0.0.1'])
  expect(facts.uris).toEqual(['https://example/x'])
  expect(facts.commonNames).toEqual(['x'])
})

test('usages and unknown critical extensions are named', async () => {
  const facts = await inspectCertificate(
    crypto,
    await certificateOf(sequence(), [
      extension('2.5.29.37', sequence(objectIdentifier('1.3.6.1.5.5.7.3.2'), objectIdentifier('1.3.6.1.5.5.7.3.4'))),
      extension('1.2.3.4', Uint8Array.of(5, 0), true),
      extension('1.2.3.5', Uint8Array.of(5, 0)),
    ]),
  )
  expect(facts.usages).toEqual(['clientAuth'])
  expect(facts.extendedKeyUsage).toEqual(['clientAuth', '1.3.6.1.5.5.7.3.4'])
  expect(facts.unknownCritical).toEqual(['1.2.3.4'])
})

describe('what is no certificate is a typed error', () => {
  test('bad insides', async () => {
    const open = async (...extensions: readonly Uint8Array[]) => inspectCertificate(crypto, await certificateOf(commonNameOnly('x'), extensions))
    await rejected('ERR_CERTIFICATE_INVALID', open(extension('2.5.29.19', Uint8Array.of(5, 0))))
    await rejected('ERR_CERTIFICATE_INVALID', open(extension('2.5.29.37', Uint8Array.of(5, 0))))
    await rejected('ERR_CERTIFICATE_INVALID', open(extension('2.5.29.17', Uint8Array.of(5, 0))))
    await rejected('ERR_CERTIFICATE_INVALID', open(extension('2.5.29.15', Uint8Array.of(5, 0))))
    await rejected('ERR_CERTIFICATE_INVALID', open(extension('2.5.29.14', Uint8Array.of(5, 0))))
    await rejected('ERR_CERTIFICATE_INVALID', open(extension('2.5.29.35', Uint8Array.of(5, 0))))
    await rejected('ERR_CERTIFICATE_INVALID', open(extension('2.5.29.15', Uint8Array.of(3, 2, 0, 1, 0))))
    await rejected('ERR_CERTIFICATE_INVALID', open(Uint8Array.of(5, 0)))
  })

  test('another thing in its place', async () => {
    const csr = await createCsr(crypto, { signer })
    await rejected('ERR_PEM_INVALID', inspectCertificate(crypto, csr as string as never))
    await rejected('ERR_DER_INVALID', inspectCertificate(crypto, csr.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE')))
  })

  test.each(hostile)('%s is a TypeError', async (_, value) => {
    await expect(inspectCertificate(crypto, value as string)).rejects.toThrow(TypeError)
  })
})

describe('recordOf', async () => {
  const by = await authority(crypto, 'etcd-clients', ['client'])
  const labelled = await issueClient(by, { policy, user: 'alice', label: 'n1', csr: await createCsr(crypto, { signer: (await keyOf(crypto)).signer }), validity })
  const facts = await inspectCertificate(crypto, labelled.certificate)

  test("takes no user's certificate for a gateway's, whatever URI it has", () => {
    const { message } = thrown('ERR_CERTIFICATE_INVALID', () => recordOf(facts, { purpose: 'gateway', uri: 'urn:etcd-rbac:label:n1' }))
    expect(message).toContain('"alice"')
  })

  test.each<[string, unknown, unknown]>([
    ['no facts', null, { purpose: 'client', user: 'alice' }], ['facts that are none', {}, { purpose: 'client', user: 'alice' }], ['no role', facts, null], ['an empty role', facts, {}], ['a purpose that there is not', facts, { purpose: 'constructor', member: 'x' }],
    ['a user without name', facts, { purpose: 'client' }], ['a member without name', facts, { purpose: 'peer' }], ['a gateway without URI', facts, { purpose: 'gateway', uri: 7 }],
  ])('refuses %s as a TypeError that says what was wanted', (_, odd, role) => {
    expect(() => recordOf(odd as never, role as never)).toThrow(TypeError)
    expect(() => recordOf(odd as never, role as never)).toThrow(/inspectCertificate|a role/)
  })
})
