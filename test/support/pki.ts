/** What the tests of certificates share: the WebCryptos, a small world of policy and authorities, and CSRs that no honest tool makes. */
import { concatBytes, utf8 } from '../../src/bytes.js'
import type { WebCryptoLike } from '../../src/platform.js'
import { algorithmIdentifier } from '../../src/pki/asn1/algorithms.js'
import { signedBy, tbsCertificate } from '../../src/pki/asn1/certificate.js'
import { commonNameOnly } from '../../src/pki/asn1/name.js'
import { objectIdentifier, bitString, namedBits, octetString, sequence, setOf, smallInteger, tagged, tlv, TRUE } from '../../src/pki/asn1/write.js'
import { createCa, days, generateKeyPair, type Authority, type KeyAlgorithm, type KeyPair, type Purpose, type Signer, type Validity } from '../../src/pki/index.js'
import { writePem, type CertificatePem, type CsrPem } from '../../src/pki/pem.js'
import { definePolicy, type Policy } from '../../src/policy/index.js'
import { createWebCrypto } from '../../src/webcrypto.js'
import { isEtcdRbacError, type ErrorCode, type EtcdRbacError } from '../../src/errors.js'

export const lanes: readonly (readonly [string, WebCryptoLike])[] = [
  ["the platform's WebCrypto", globalThis.crypto],
  ['@peculiar/webcrypto', createWebCrypto()],
]

export const NOW = new Date('2026-11-24T12:00:00.000Z')
export const validity = days(90).from(NOW, { backdateMinutes: 5 })

export const policy = definePolicy({
  users: { root: 'certificate', 'calico-node': 'certificate', alice: 'certificate', auditor: 'password', 'naïve ✓': 'certificate' },
  members: ['etcd-0', 'etcd-1', 'etcd-peer'],
  authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers', 'etcd-ca'],
  v3: { roles: {}, bindings: { root: ['root'] } },
})

/** The same with a v2 half. */
export const policyV2: Policy = definePolicy({
  users: { root: 'certificate' },
  authorities: ['etcd-clients'],
  v2: { guest: [], roles: {}, bindings: { root: ['root'] } },
})

/** One key of each kind for each WebCrypto: RSA takes long to make. */
const keys = new Map<string, Promise<KeyPair>>()
export function keyOf(crypto: WebCryptoLike, algorithm: KeyAlgorithm = 'ecdsa-p256'): Promise<KeyPair> {
  const name = `${lanes.findIndex(([, one]) => one === crypto)} ${algorithm}`
  const known = keys.get(name) ?? generateKeyPair(crypto, algorithm)
  keys.set(name, known)
  return known
}

export async function authority<const D extends Purpose>(crypto: WebCryptoLike, name: string, issues: readonly D[], algorithm: KeyAlgorithm = 'ecdsa-p256'): Promise<Authority<D>> {
  const { signer } = await generateKeyPair(crypto, algorithm)
  return createCa(crypto, { name, signer, issues, validity: days(3650).from(NOW, { backdateMinutes: 60 }) })
}

const attribute = (type: string, tag: number, value: string | Uint8Array): Uint8Array => sequence(objectIdentifier(type), tlv(tag, typeof value === 'string' ? utf8(value) : value))

export const commonName = (value: string | Uint8Array, tag = 0x0c): Uint8Array => attribute('2.5.4.3', tag, value)
export const organization = (value: string): Uint8Array => attribute('2.5.4.10', 0x0c, value)

/** A CSR of any content, signed by `signer`. `subject` is a list of relative names, each a list of attributes. */
export async function csrOf(
  signer: Signer,
  subject: readonly (readonly Uint8Array[])[],
  { version = 0, attributes = tagged(0), spki = signer.publicKey, signature, algorithm }: {
    version?: number
    attributes?: Uint8Array
    spki?: Uint8Array
    signature?: (real: Uint8Array) => Uint8Array
    algorithm?: Uint8Array
  } = {},
): Promise<CsrPem> {
  const info = sequence(smallInteger(version), sequence(...subject.map((one) => setOf(...one))), spki, attributes)
  const real = await signer.sign(info)
  return writePem('csr', sequence(info, algorithm ?? algorithmIdentifier(signer.algorithm), bitString(signature?.(real) ?? real)))
}

/** An extension of a certificate, its value encoded. */
export const extension = (oid: string, critical: boolean, value: Uint8Array): Uint8Array => sequence(objectIdentifier(oid), ...(critical ? [TRUE] : []), octetString(value))

/** What makes an authority: CA:TRUE without path length, and keyCertSign. */
export const isCa = extension('2.5.29.19', true, sequence(TRUE))
export const certSign = extension('2.5.29.15', true, namedBits([5]))

/** A certificate of any content, by default that of a root that is valid for ten years. */
export async function certificateOf({ by, subject = commonNameOnly('etcd-ca'), issuer = subject, extensions = [isCa, certSign], publicKeyDer = by.publicKey, validity = days(3650).from(NOW, { backdateMinutes: 60 }), inner, outer, body, change }: {
  readonly by: Signer
  readonly subject?: Uint8Array
  readonly issuer?: Uint8Array
  readonly extensions?: readonly Uint8Array[]
  readonly publicKeyDer?: Uint8Array
  readonly validity?: Validity
  /** The AlgorithmIdentifiers in and behind what is signed. */
  readonly inner?: Uint8Array
  readonly outer?: Uint8Array
  /** Changes what is signed, before it is signed. */
  readonly body?: (tbs: Uint8Array) => Uint8Array
  /** Changes the whole, after that. */
  readonly change?: (der: Uint8Array) => Uint8Array
}): Promise<CertificatePem> {
  const algorithm = inner === undefined ? signedBy(by.algorithm, issuer) : concatBytes(inner, issuer)
  const made = tbsCertificate({ serial: Uint8Array.of(1), signedBy: algorithm, ...validity, subject, publicKeyDer, extensions })
  const tbs = body?.(made) ?? made
  const der = sequence(tbs, outer ?? inner ?? algorithmIdentifier(by.algorithm), bitString(await by.sign(tbs)))
  return writePem('certificate', change?.(der) ?? der)
}

/** The typed error of this code with which a promise rejects. Fails the test if it rejects with another, or resolves. */
export async function rejected<Code extends ErrorCode>(code: Code, promise: Promise<unknown>): Promise<EtcdRbacError<Code>> {
  let result: unknown
  try {
    result = await promise
  } catch (error) {
    if (isEtcdRbacError(error, code)) return error
    throw new Error(`wanted ${code}, found ${String(error)}`, { cause: error })
  }
  throw new Error(`wanted ${code}, found ${JSON.stringify(result)}`)
}
