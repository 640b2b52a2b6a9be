import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { concatBytes, utf8 } from '../../../src/bytes.js'
import { algorithmIdentifier } from '../../../src/pki/asn1/algorithms.js'
import { commonNameOnly } from '../../../src/pki/asn1/name.js'
import { namedBits, NULL, objectIdentifier, octetString, sequence, setOf, smallInteger, tagged, TRUE, tlv } from '../../../src/pki/asn1/write.js'
import { createCa, days, generateKeyPair, openCa, type CaRequest, type Purpose, type Signer } from '../../../src/pki/index.js'
import type { CertificatePem } from '../../../src/pki/pem.js'
import { authority, certificateOf, certSign, commonName, extension, isCa, keyOf, lanes, NOW, rejected } from '../../support/pki.js'

const tenYears = days(3650).from(NOW)

describe.each(lanes)('with %s', (_, crypto) => {
  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const)('an authority of %s is what Node takes for one, and opens again', async (algorithm) => {
    const { signer } = await keyOf(crypto, algorithm)
    const ca = await createCa(crypto, { name: 'etcd-ca', signer, validity: tenYears, issues: ['client', 'server'] })
    const seen = new X509Certificate(ca.certificate)
    expect(seen.ca).toBe(true)
    expect(seen.subject).toBe('CN=etcd-ca')
    expect(seen.issuer).toBe('CN=etcd-ca')
    expect(seen.verify(seen.publicKey)).toBe(true)
    expect(new Date(seen.validFrom)).toEqual(tenYears.notBefore)
    expect(new Date(seen.validTo)).toEqual(tenYears.notAfter)
    const opened = await openCa(crypto, { certificate: ca.certificate, signer, issues: ['client', 'server'] })
    expect(opened).toEqual(ca)
    expect(JSON.stringify(opened)).toBe(JSON.stringify(ca))
  })

  test('an authority is data: what it signs with does not show', async () => {
    const ca = await authority(crypto, 'etcd-ca', ['peer'])
    expect(Object.keys(ca).toSorted()).toEqual(['certificate', 'issues', 'keyId', 'name', 'notAfter', 'notBefore', 'parents', 'root'])
    expect(ca.issues).toEqual({ peer: true })
    expect(Object.isFrozen(ca)).toBe(true)
  })

  test('opening with the key of another is refused, before and after asking it to sign', async () => {
    const mine = await keyOf(crypto)
    const other = await generateKeyPair(crypto, 'ecdsa-p256')
    const { certificate } = await createCa(crypto, { name: 'etcd-ca', signer: mine.signer, validity: tenYears, issues: ['client'] })
    const open = (signer: Signer) => openCa(crypto, { certificate, signer, issues: ['client'] })
    expect((await rejected('ERR_KEY_MISMATCH', open(other.signer))).detail.commonName).toBe('etcd-ca')
    await rejected('ERR_KEY_MISMATCH', open({ ...other.signer, publicKey: mine.signer.publicKey }))
  })
})

const { crypto } = globalThis
const { signer } = await keyOf(crypto)

describe('no authority is made from', () => {
  const good: CaRequest<Purpose> = { name: 'etcd-ca', signer, validity: tenYears, issues: ['client'] }
  test.each([
    ['a name that is a path', { name: 'x/../root' }, 'ERR_NAME_INVALID'],
    ['an empty name', { name: '' }, 'ERR_NAME_INVALID'],
    ['the name root', { name: 'root' }, 'ERR_NAME_INVALID'],
    ['nothing to issue', { issues: [] }, 'ERR_PURPOSE_REFUSED'],
    ['a purpose twice', { issues: ['client', 'client'] }, 'ERR_PURPOSE_REFUSED'],
    ['an unknown purpose', { issues: ['root' as Purpose] }, 'ERR_PURPOSE_REFUSED'],
    ['an end before its beginning', { validity: { notBefore: NOW, notAfter: new Date(0) } }, 'ERR_VALIDITY_INVALID'],
  ] as const)('%s', async (_, change, code) => {
    await rejected(code, createCa(crypto, { ...good, ...change }))
  })

  test.each([-1, 1.5, Number.NaN, 9, '0' as unknown as number])('a path length of %s', async (pathLength) => {
    await expect(createCa(crypto, { ...good, pathLength })).rejects.toThrow(TypeError)
  })
})

type Content = Omit<Parameters<typeof certificateOf>[0], 'by'> & { readonly by?: Signer }
const ownOf = (content: Content): Promise<CertificatePem> => certificateOf({ by: signer, publicKeyDer: signer.publicKey, ...content })

describe('openCa', () => {
  const open = (certificate: string, issues: readonly Purpose[] = ['client']) => openCa(crypto, { certificate, signer, issues })
  const twoNames = sequence(setOf(commonName('etcd-ca')), setOf(commonName('root')))
  const extended = (...oids: string[]) => extension('2.5.29.37', false, sequence(...oids.map(objectIdentifier)))

  test('takes the plainest certificate of an authority, and computes the key identifier that it lacks', async () => {
    const plain = await open(await ownOf({}))
    const ours = await createCa(crypto, { name: 'etcd-ca', signer, validity: tenYears, issues: ['client'] })
    expect(plain.keyId).toBe(ours.keyId)
  })

  test('takes the key identifier that the certificate gives', async () => {
    const id = extension('2.5.29.14', false, octetString(Uint8Array.of(1, 2, 3)))
    expect((await open(await ownOf({ extensions: [isCa, certSign, id] }))).keyId).toBe('010203')
  })

  test.each([
    ['a leaf', { extensions: [certSign, extension('2.5.29.19', true, sequence())] }, 'not an authority'],
    ['no basicConstraints', { extensions: [certSign] }, 'not an authority'],
    ['no keyUsage', { extensions: [isCa] }, 'may not sign'],
    ['keyUsage without keyCertSign', { extensions: [isCa, extension('2.5.29.15', true, namedBits([0, 6]))] }, 'may not sign'],
    ['an unknown critical extension', { extensions: [isCa, certSign, extension('1.2.3.4', true, sequence())] }, '1.2.3.4'],
    ['name constraints without names', { extensions: [isCa, certSign, extension('2.5.29.30', true, sequence())] }, 'without names'],
    ['a signature over SHA-1', { inner: sequence(objectIdentifier('1.2.840.10045.4.1')) }, 'ecdsa-with-SHA1'],
    ['another algorithm outside than inside', { outer: algorithmIdentifier('ecdsa-sha384') }, 'two signature algorithms'],
    ['another encoding of the algorithm outside, which Go does not read', { outer: sequence(objectIdentifier('1.2.840.10045.4.3.2'), NULL) }, 'two signature algorithms'],
    ['an extension twice', { extensions: [isCa, certSign, isCa] }, 'twice'],
    ['two Common Names', { subject: twoNames }, '2 readable Common Names'],
    ['no Common Name', { subject: sequence(setOf(sequence(objectIdentifier('2.5.4.10'), tlv(0x0c, utf8('etcd'))))) }, '0 readable'],
    ['a Common Name that is a path', { subject: commonNameOnly('x/../root') }, 'slash'],
    ['the Common Name root', { subject: commonNameOnly('root') }, 'its subject: authority "root"'],
    ['an empty Common Name', { subject: commonNameOnly('') }, 'empty'],
    ['extensions that are BER inside', { extensions: [extension('2.5.29.19', true, Uint8Array.of(0x30, 0x03, 0x01, 0x01, 0x01)), certSign] }, 'BOOLEAN'],
  ] as const)('refuses %s', async (_, content, reason) => {
    expect((await rejected('ERR_CERTIFICATE_INVALID', open(await ownOf(content)))).message).toContain(reason)
  })

  test.each([
    ['a trailing byte', (der: Uint8Array) => concatBytes(der, Uint8Array.of(0))],
    ['a certificate cut off', (der: Uint8Array) => der.subarray(0, -1)],
    ['something else that is DER', () => sequence(smallInteger(1))],
  ])('refuses %s', async (_, change) => {
    await rejected('ERR_DER_INVALID', open(await ownOf({ change })))
  })

  test('refuses parameters of an algorithm that has none, inside and outside alike', async () => {
    const inner = sequence(objectIdentifier('1.2.840.10045.4.3.2'), smallInteger(5))
    await rejected('ERR_DER_INVALID', open(await ownOf({ inner })))
  })

  test('refuses a certificate whose self-signature was not made over it', async () => {
    const change = (der: Uint8Array) => der.map((byte, i) => (i === der.length - 1 ? byte ^ 1 : byte))
    expect((await rejected('ERR_CERTIFICATE_INVALID', open(await ownOf({ change })))).message).toContain('signature')
  })

  test('refuses extended key usages that forbid what it is to issue, and takes those that allow it', async () => {
    const client = '1.3.6.1.5.5.7.3.2'
    const server = '1.3.6.1.5.5.7.3.1'
    const clientsOnly = await ownOf({ extensions: [isCa, certSign, extended(client)] })
    expect((await open(clientsOnly)).issues).toEqual({ client: true })
    expect((await rejected('ERR_CERTIFICATE_INVALID', open(clientsOnly, ['client', 'peer']))).message).toContain('serverAuth')
    await open(await ownOf({ extensions: [isCa, certSign, extended(client, server)] }), ['client', 'server', 'peer'])
    // Go takes it for everything, and OpenSSL, which Node's TLS is, for nothing of TLS.
    await rejected('ERR_CERTIFICATE_INVALID', open(await ownOf({ extensions: [isCa, certSign, extended('2.5.29.37.0')] }), ['peer']))
  })

  test('refuses a chain file, a key file and a bundle', async () => {
    const one = await ownOf({})
    await rejected('ERR_PEM_INVALID', open(one + one))
    await rejected('ERR_PEM_INVALID', open(one.replaceAll('CERTIFICATE', 'PRIVATE KEY')))
  })

  test('refuses a weak key, in the certificate and in the signer', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'der', type: 'spki' })
    await rejected('ERR_CERTIFICATE_INVALID', open(await ownOf({ publicKeyDer: weak })))
    await rejected('ERR_ALGORITHM_UNSUPPORTED', openCa(crypto, { certificate: await ownOf({}), signer: { ...signer, publicKey: weak }, issues: ['client'] }))
  })
})

describe('an intermediate', async () => {
  const root = await generateKeyPair(crypto, 'ecdsa-p384')
  const rootPem = await ownOf({ subject: commonNameOnly('etcd-root'), by: root.signer, publicKeyDer: root.signer.publicKey })
  const under = await ownOf({ issuer: commonNameOnly('etcd-root'), by: root.signer })
  const open = (certificate: string, parents?: string, issues: readonly Purpose[] = ['client']) =>
    openCa(crypto, { certificate, signer, issues, ...(parents === undefined ? {} : { parents }) })
  const refusal = async (...args: Parameters<typeof open>): Promise<string> => (await rejected('ERR_CERTIFICATE_INVALID', open(...args))).message
  const rootOf = (content: Content = {}): Promise<CertificatePem> => certificateOf({ by: root.signer, subject: commonNameOnly('etcd-root'), publicKeyDer: root.signer.publicKey, ...content })
  const extended = (...oids: string[]) => extension('2.5.29.37', false, sequence(...oids.map(objectIdentifier)))
  const client = '1.3.6.1.5.5.7.3.2'
  const server = '1.3.6.1.5.5.7.3.1'

  test('opens with the authorities above it, up to a root', async () => {
    expect((await open(under, rootPem)).name).toBe('etcd-ca')
    const middle = await generateKeyPair(crypto, 'ecdsa-p256')
    const middlePem = await certificateOf({ by: root.signer, subject: commonNameOnly('etcd-middle'), issuer: commonNameOnly('etcd-root'), publicKeyDer: middle.signer.publicKey })
    const low = await ownOf({ issuer: commonNameOnly('etcd-middle'), by: middle.signer })
    expect((await open(low, middlePem + rootPem)).name).toBe('etcd-ca')
  })

  test('is refused without them: nothing would say that its names and rights are what its issuer signed', async () => {
    expect(await refusal(under)).toContain('pass as parents the certificates of "etcd-root" and of whatever is above it, the root last')
    const low = await ownOf({ issuer: commonNameOnly('etcd-middle'), by: root.signer })
    const middle = await certificateOf({ by: root.signer, subject: commonNameOnly('etcd-middle'), issuer: commonNameOnly('etcd-root') })
    expect(await refusal(low, middle)).toContain('of "etcd-root"')
  })

  test('is not what a root becomes by another name of its issuer', async () => {
    const own = await ownOf({ change: (der) => { const at = Buffer.from(der).indexOf('etcd-ca'); return der.map((byte, i) => (i === at ? byte ^ 1 : byte)) } })
    expect(await refusal(own)).toContain('pass as parents')
  })

  test('is refused with parents that are not its own', async () => {
    const stranger = (await authority(crypto, 'etcd-root', ['client'])).certificate
    expect(await refusal(under, stranger)).toContain('signature')
    const other = (await authority(crypto, 'other-root', ['client'])).certificate
    expect(await refusal(under, other)).toContain('not issued by')
    expect(await refusal(await ownOf({}), rootPem)).toContain('is a root')
  })

  test('is refused where its parent allows no authority below', async () => {
    const zero = extension('2.5.29.19', true, sequence(TRUE, smallInteger(0)))
    expect(await refusal(under, await rootOf({ extensions: [zero, certSign] }))).toContain('allows 0')
  })

  test('is refused where an extended key usage above it forbids what it is to issue: Go and OpenSSL hold it against the whole chain', async () => {
    const serving = await rootOf({ extensions: [isCa, certSign, extended(server)] })
    expect(await refusal(under, serving)).toContain('"etcd-root": extended key usage without clientAuth')
    await open(under, await rootOf({ extensions: [isCa, certSign, extended(client)] }))
    await open(under, await rootOf({ extensions: [isCa, certSign, extended(client, server)] }), ['peer'])
    expect(await refusal(under, await rootOf({ extensions: [isCa, certSign, extended('2.5.29.37.0')] }), ['peer'])).toContain('extended key usage without')
  })

  test('is refused where it, or one above it, is signed over SHA-1, restricts other names than hosts, or has a weak key', async () => {
    const inner = sequence(objectIdentifier('1.2.840.10045.4.1'))
    expect(await refusal(await ownOf({ issuer: commonNameOnly('etcd-root'), by: root.signer, inner }), rootPem)).toContain('ecdsa-with-SHA1')
    expect(await refusal(under, await rootOf({ inner }))).toContain('ecdsa-with-SHA1')
    expect(await refusal(under, await rootOf({ extensions: [isCa, certSign, extension('2.5.29.30', false, sequence(tagged(0, sequence(tlv(0xa4, sequence())))))] }))).toContain('directory names')
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'der', type: 'spki' })
    expect(await refusal(under, await rootOf({ publicKeyDer: weak }))).toContain('rsa-1024')
  })

  test('is refused under a root of that name, which etcd v2 would take for the user', async () => {
    const top = await rootOf({ subject: commonNameOnly('root') })
    expect(await refusal(await ownOf({ issuer: commonNameOnly('root'), by: root.signer }), top)).toContain('authority "root"')
  })

  test('ends with the first above it that ends, and begins with the last', async () => {
    const [early, late] = [new Date(NOW.getTime() - 3_600_000), NOW]
    const [soon, later] = [days(10).from(NOW).notAfter, days(20).from(NOW).notAfter]
    for (const [own, above] of [[{ notBefore: early, notAfter: later }, { notBefore: late, notAfter: soon }], [{ notBefore: late, notAfter: soon }, { notBefore: early, notAfter: later }]] as const) {
      const ca = await open(await ownOf({ issuer: commonNameOnly('etcd-root'), by: root.signer, validity: own }), await rootOf({ validity: above }))
      expect([ca.notBefore, ca.notAfter]).toEqual([late, soon])
    }
  })
})
