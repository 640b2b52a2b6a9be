/** pkijs, which shares no code with ours, reads and verifies what we write: certificates of every kind, requests, revocation lists. */
import { Certificate, CertificateChainValidationEngine, CertificateRevocationList, CertificationRequest, CryptoEngine } from 'pkijs'
import { describe, expect, test } from 'vitest'
import { createCrl, createCsr, toDer } from '../../src/pki/index.js'
import { combinations, makers, validity } from '../support/certificates.js'
import { lanes } from '../support/pki.js'

const bytes = (pem: string): ArrayBuffer => Uint8Array.from(toDer(pem)).buffer
/** Stock pkijs knows no Ed25519. */
const known = combinations.filter((pair) => !pair.includes('ed25519'))

describe.each(lanes)('of what is made with %s', (_, crypto) => {
  const made = makers(crypto)
  // Judged by the platform's WebCrypto, whoever made it.
  const engine = new CryptoEngine({ name: 'judge', crypto: globalThis.crypto })

  test.each(known)('pkijs verifies every kind of certificate, the request and the list of an authority of %s with keys of %s', async (by, leaf) => {
    const authority = await made.authority(by)
    const trusted = Certificate.fromBER(bytes(authority.certificate))
    for (const { name, kind, certificate } of await made.everyKind(by, leaf)) {
      const read = Certificate.fromBER(bytes(certificate))
      const subject = read.subject.typesAndValues.map(({ value }) => value.valueBlock.value)
      expect(subject, name).toEqual(kind.commonName === undefined ? [] : [kind.commonName])
      expect(Buffer.from(read.toSchema(true).toBER()).equals(Buffer.from(bytes(certificate))), name).toBe(true)
      const { result, resultMessage } = await new CertificateChainValidationEngine({ certs: [read], trustedCerts: [trusted] }).verify({}, engine)
      expect(result, `${name}: ${resultMessage}`).toBe(true)
    }
    const { signer } = await made.key(leaf)
    expect(await CertificationRequest.fromBER(bytes(await createCsr(crypto, { signer, commonName: 'alice' }))).verify(engine)).toBe(true)
    const { der } = await createCrl(authority, { revoked: [{ certificate: { serial: '01ff' }, revokedAt: validity.notBefore, reason: 'keyCompromise' }], validity })
    const list = CertificateRevocationList.fromBER(Uint8Array.from(der).buffer)
    expect(await list.verify({ issuerCertificate: trusted }, engine)).toBe(true)
    expect(list.revokedCertificates?.length).toBe(1)
  })
})
