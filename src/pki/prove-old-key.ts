/** The proof that whoever renews a certificate still has the key of the old one: a signature over the new request. */
import { concatBytes, fromBase64, toBase64, utf8 } from '../bytes.js'
import { signatureAlgorithms, type SignatureAlgorithm } from './asn1/algorithms.js'
import type { PublicKey } from './asn1/public-key.js'
import { readPem, type PemInput } from './pem.js'
import { checkSigner, signWith, type Signer } from './signer.js'
import type { Subtle } from './subtle.js'
import { verifySignature } from './verify-signature.js'

/** A proof, as it travels beside the CSR: plain data. */
export interface OldKeyProof {
  readonly algorithm: SignatureAlgorithm
  /** Base64. */
  readonly signature: string
}

/** What is signed begins with this. No certificate, CSR or handshake does, so the signature is good for nothing else. */
const PURPOSE = 'etcd-rbac: the holder of this key asks to renew its certificate with this request\n'

const signedText = (csr: PemInput<'csr'>): Uint8Array => concatBytes(utf8(PURPOSE), readPem('csr', csr))

/**
 * Signs a request for renewal with the key of the certificate that is to be renewed: for `renew`, made where both keys are. A CSR alone proves the new
 * key only; whoever has seen the old certificate, which is no secret, could send one.
 *
 * @param signer Of the old key.
 * @param csr The request with the new key, as it is sent: the proof is for no other.
 * @throws {@link EtcdRbacError} `ERR_PEM_INVALID`, `ERR_ALGORITHM_UNSUPPORTED`, `ERR_DER_INVALID`, `ERR_SIGNER_INVALID`
 * @example
 * ```ts
 * import { createCsr, generateKeyPair, openPrivateKey, proveOldKey } from 'etcd-rbac'
 * declare const oldKey: string
 * const next = await generateKeyPair(crypto, 'ecdsa-p256')
 * const csr = await createCsr(crypto, { commonName: 'calico-node', signer: next.signer })
 * const proof = await proveOldKey((await openPrivateKey(crypto, oldKey)).signer, csr)
 * ```
 */
export async function proveOldKey(signer: Signer, csr: PemInput<'csr'>): Promise<OldKeyProof> {
  const checked = checkSigner(signer)
  return { algorithm: checked.signer.algorithm, signature: toBase64(await signWith(checked, signedText(csr))) }
}

/** Whether a proof is by that key, over that request; `false` also for what is none. */
export async function verifyOldKey(subtle: Subtle, key: PublicKey, csr: PemInput<'csr'>, proof: OldKeyProof): Promise<boolean> {
  const { algorithm, signature } = proof as { readonly [K in keyof OldKeyProof]: unknown }
  if (typeof algorithm !== 'string' || !Object.hasOwn(signatureAlgorithms, algorithm) || typeof signature !== 'string' || signature.length > 4096) return false
  const bytes = fromBase64(signature)
  return bytes !== undefined && verifySignature(subtle, key, algorithm as SignatureAlgorithm, signedText(csr), bytes)
}
