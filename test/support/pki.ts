/** What the tests of certificates share: the WebCryptos, a small world of policy and authorities, and CSRs that no honest tool makes. */
import { utf8 } from '../../src/bytes.js'
import type { WebCryptoLike } from '../../src/platform.js'
import { algorithmIdentifier } from '../../src/pki/asn1/algorithms.js'
import { objectIdentifier, bitString, sequence, setOf, smallInteger, tagged, tlv } from '../../src/pki/asn1/write.js'
import { createCa, days, generateKeyPair, type Authority, type KeyAlgorithm, type KeyPair, type Purpose, type Signer } from '../../src/pki/index.js'
import { writePem, type CsrPem } from '../../src/pki/pem.js'
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
