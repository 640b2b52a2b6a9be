/** What a CSR says and whether its sender has the private key. Issuing verifies by itself; this is the report. */
import { toHex } from '../bytes.js'
import type { WebCryptoLike } from '../platform.js'
import { readCsr, type UnverifiedCsr } from './asn1/csr.js'
import { commonNamesOf } from './asn1/name.js'
import { COMMON_NAME, oidName } from './asn1/oids.js'
import { readPem, type PemInput } from './pem.js'
import { sha256, subtleOf, type Subtle } from './subtle.js'
import { verifySignature } from './verify-signature.js'

/** The state of a CSR's signature. `unsupported`: its algorithm (SHA-1, an unknown one) or its key is not accepted, so it was not verified. */
export type CsrSignature = 'valid' | 'invalid' | 'unsupported'

/** A report about a CSR. */
export interface CsrReport {
  /** Every Common Name, in order. A value that is no readable text is shown as the empty string. */
  readonly commonNames: readonly string[]
  /** The kind of the key: `ecdsa-p256`, `rsa-2048`, … */
  readonly keyAlgorithm: string
  /** What is wrong with the key, if it cannot be certified. */
  readonly keyProblem: string | undefined
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly keyHash: string
  readonly signature: CsrSignature
  /** Everything else that it asks for, which issuing ignores: other parts of the subject, attributes, extensions. */
  readonly ignored: readonly string[]
}

/**
 * Reads a CSR and verifies its signature. A CSR that can be read is reported, however bad it is; what cannot be read is an error.
 *
 * @throws {@link EtcdRbacError} `ERR_PEM_INVALID`, `ERR_DER_INVALID`, `ERR_CRYPTO_UNUSABLE`
 * @example
 * ```ts
 * import { verifyCsr } from 'etcd-rbac'
 * declare const fileContent: string
 * const { commonNames, signature } = await verifyCsr(crypto, fileContent)
 * ```
 */
export async function verifyCsr(crypto: WebCryptoLike, pem: PemInput<'csr'>): Promise<CsrReport> {
  const subtle = subtleOf(crypto)
  const unverified = readCsr(readPem('csr', pem))
  const [signature, keyHash] = await Promise.all([verifyCsrSignature(subtle, unverified), sha256(subtle, unverified.publicKeyDer)])
  const { publicKey } = unverified
  return {
    commonNames: commonNamesOf(unverified.subject),
    keyAlgorithm: publicKey.algorithm,
    keyProblem: publicKey.ok ? undefined : `wanted ${publicKey.wanted}`,
    keyHash: toHex(keyHash),
    signature,
    ignored: [
      ...unverified.subject.filter(({ type }) => type !== COMMON_NAME).map(({ type }) => `subject ${oidName(type)}`),
      ...unverified.requested.map(({ kind, oid }) => `${kind} ${oidName(oid)}`),
    ],
  }
}

/** Whether the sender of a CSR has the private key of its public key. */
export async function verifyCsrSignature(subtle: Subtle, unverified: UnverifiedCsr): Promise<CsrSignature> {
  const { publicKey, signatureAlgorithm, signed, signature } = unverified
  if (!publicKey.ok || 'unsupported' in signatureAlgorithm) return 'unsupported'
  return (await verifySignature(subtle, publicKey.key, signatureAlgorithm.algorithm, signed, signature)) ? 'valid' : 'invalid'
}
