/** What stands in the certificates that we write, bit by bit: tools that verify a chain do not object to all that would be wrong. */
import { createHash, createPublicKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readCertificate, type UnverifiedCertificate } from '../../../src/pki/asn1/read-certificate.js'
import { bitString, tlv } from '../../../src/pki/asn1/write.js'
import { createCa, createCsr, days, hostsOf, inspectCertificate, issueClient, issuePeer, issueServer, type KeyAlgorithm } from '../../../src/pki/index.js'
import { readPem } from '../../../src/pki/pem.js'
import { concatBytes, toHex } from '../../../src/bytes.js'
import { authority, certificateOf, keyOf, NOW, policy, validity } from '../../support/pki.js'

const { crypto } = globalThis
const read = (pem: string): UnverifiedCertificate => readCertificate(readPem('certificate', pem))

const SIGNS = 0x80
const SIGNS_AND_ENCIPHERS = 0xa0
const SIGNS_CERTIFICATES_AND_LISTS = 0x06

describe('an authority', () => {
  test.each([
    ['no authority below it, unless asked for', {}, 0],
    ['as many as asked for', { pathLength: 2 }, 2],
  ] as const)('allows %s', async (_, change, pathLength) => {
    const { signer } = await keyOf(crypto)
    const { certificate } = await createCa(crypto, { name: 'etcd-ca', signer, validity: days(1).from(NOW), issues: ['client'], ...change })
    expect((read(certificate)).basicConstraints).toEqual({ ca: true, pathLength })
  })

  test('may sign certificates and revocation lists, and nothing else', async () => {
    const seen = read((await authority(crypto, 'etcd-ca', ['client'])).certificate)
    expect(seen.keyUsage).toBe(SIGNS_CERTIFICATES_AND_LISTS)
    expect(seen.extendedKeyUsage).toBeUndefined()
    expect(seen.extensions.filter(({ critical }) => critical).map(({ oid }) => oid)).toEqual(['2.5.29.19', '2.5.29.15'])
  })

  test.each(['ecdsa-p256', 'rsa-2048'] as const)('has for key identifier the first 20 bytes of the SHA-256 hash of its key of %s alone', async (algorithm) => {
    const { signer } = await keyOf(crypto, algorithm)
    const ca = await createCa(crypto, { name: 'etcd-ca', signer, validity: days(1).from(NOW), issues: ['client'] })
    const spki = Buffer.from(signer.publicKey)
    // The content of the BIT STRING: of an RSA key its PKCS#1 form, of a curve the point.
    const bits = algorithm === 'rsa-2048' ? createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({ format: 'der', type: 'pkcs1' }) : spki.subarray(-65)
    const wanted = createHash('sha256').update(bits).digest('hex').slice(0, 40)
    const seen = read(ca.certificate)
    expect(ca.keyId).toBe(wanted)
    expect([seen.subjectKeyId, seen.authorityKeyId].map((id) => id && toHex(id))).toEqual([wanted, wanted])
  })
})

test('an RSA signature is named with the NULL that RFC 4055 wants, inside and outside', async () => {
  const ca = await authority(crypto, 'etcd-ca', ['client'], 'rsa-2048')
  const csr = await createCsr(crypto, { signer: (await keyOf(crypto)).signer })
  for (const pem of [ca.certificate, (await issueClient(ca, { policy, user: 'alice', csr, validity })).certificate])
    expect(toHex(readPem('certificate', pem)).split('300d06092a864886f70d01010b0500')).toHaveLength(3)
})

describe('under one authority each certificate has the key usage of its own kind and key, whichever was issued before it', async () => {
  const hosts = hostsOf('https://10.0.0.10:2379')
  const both = ['rsa-2048', 'ecdsa-p256'] as const
  test.each([both, both.toReversed()])('%s, then %s', async (...algorithms) => {
    const ca = await authority(crypto, 'etcd-ca', ['client', 'server', 'peer'])
    const usageOf = async (algorithm: KeyAlgorithm) => {
      const csr = await createCsr(crypto, { signer: (await keyOf(crypto, algorithm)).signer })
      const member = { policy, member: 'etcd-0', hosts, csr, validity } as const
      const issued = [await issueServer(ca, member), await issueServer(ca, { ...member, gateway: 'off' }), await issuePeer(ca, member), await issueClient(ca, { policy, user: 'alice', csr, validity })]
      return Promise.all(issued.map(async ({ certificate }) => (read(certificate)).keyUsage))
    }
    for (const algorithm of algorithms) {
      const serving = algorithm === 'rsa-2048' ? SIGNS_AND_ENCIPHERS : SIGNS
      expect(await usageOf(algorithm), algorithm).toEqual([serving, serving, serving, SIGNS])
    }
  })
})

test.each([['the issuer', 1], ['the subject', 2]])('the obsolete unique identifier of %s does not keep a certificate from being read', async (_, tag) => {
  const { signer } = await keyOf(crypto)
  const identifier = bitString(Uint8Array.of(1, 2, 3)).slice()
  identifier[0] = 0x80 | tag
  const pem = await certificateOf({
    by: signer,
    body: (tbs) => {
      const at = Buffer.from(tbs).indexOf(Buffer.from(signer.publicKey)) + signer.publicKey.length
      const header = Buffer.from(tbs).indexOf(Buffer.from('a003020102', 'hex'))
      return tlv(0x30, concatBytes(tbs.subarray(header, at), identifier, tbs.subarray(at)))
    },
  })
  expect((await inspectCertificate(crypto, pem)).commonName).toBe('etcd-ca')
})
