/** New certificate authorities: self-signed roots (RFC 5280 §4.2.1, §3.2). */
import { checkName } from '../names.js'
import type { WebCryptoLike } from '../platform.js'
import { authorityExtensions, signedBy, tbsCertificate } from './asn1/certificate.js'
import { signedObject } from './asn1/csr.js'
import { commonNameOnly } from './asn1/name.js'
import { authorityOf, checkIssues, type Authority, type EachOnce, type Purpose } from './authority.js'
import { keyIdOf } from './key-id.js'
import { keyMismatch } from './prove-signer.js'
import { checkSigner, signWith, type Signer } from './signer.js'
import { randomBytes, subtleOf } from './subtle.js'
import { checkValidity, type Validity } from './validity.js'
import { verifySignature } from './verify-signature.js'

/** What a new authority is. */
export interface CaRequest<D extends Purpose> {
  /** Its Common Name: at most 64 characters, and never a user's. Declare it in the policy's `authorities`. */
  readonly name: string
  /** Its private key, wherever it lives. */
  readonly signer: Signer
  /** Stated, never defaulted. Backdate it at least as far as the certificates that it is to issue. */
  readonly validity: Validity
  /** What it issues. One authority for each purpose is the safe way: whoever the peer listener accepts is root. */
  readonly issues: readonly D[]
  /** How many authorities may stand between it and a leaf. Default 0: it issues leaves only. */
  readonly pathLength?: number
}

/** Serial numbers: 16 random bytes, so that they are unique over all authorities (etcd's CRL check looks at numbers only). */
export const SERIAL_BYTES = 16

/**
 * Makes a self-signed authority: a critical basicConstraints with a path length, a critical keyUsage of keyCertSign and cRLSign, no extended
 * key usage, key identifiers by SHA-256. Signs once, and verifies that signature, so that a wrong signer shows itself here.
 *
 * @throws {@link EtcdRbacError} `ERR_NAME_INVALID`, `ERR_VALIDITY_INVALID`, `ERR_PURPOSE_REFUSED`, `ERR_ALGORITHM_UNSUPPORTED`, `ERR_DER_INVALID`,
 * `ERR_SIGNER_INVALID`, `ERR_KEY_MISMATCH`, `ERR_CRYPTO_UNUSABLE`
 * @example
 * ```ts
 * import { createCa, days, generateKeyPair } from 'etcd-rbac'
 * const { signer } = await generateKeyPair(crypto, 'ecdsa-p256')
 * const validity = days(3650).from(new Date(), { backdateMinutes: 60 })
 * const clients = await createCa(crypto, { name: 'etcd-clients', signer, validity, issues: ['client'] })
 * ```
 */
export async function createCa<const D extends Purpose, const I extends readonly Purpose[] = readonly D[]>(
  crypto: WebCryptoLike,
  request: CaRequest<D> & { readonly issues: EachOnce<I> },
): Promise<Authority<D>> {
  const subtle = subtleOf(crypto)
  const name = checkName('authority', request.name)
  const validity = checkValidity(request.validity)
  const issues = checkIssues<D>(request.issues)
  const { pathLength = 0 } = request
  if (!Number.isInteger(pathLength) || pathLength < 0 || pathLength > 8) throw new TypeError('pathLength must be a whole number from 0 to 8')
  const signer = checkSigner(request.signer)

  const keyId = await keyIdOf(subtle, signer.key)
  const nameDer = commonNameOnly(name)
  const { algorithm } = signer.signer
  const tbs = tbsCertificate({
    serial: randomBytes(crypto, SERIAL_BYTES),
    signedBy: signedBy(algorithm, nameDer),
    ...validity,
    subject: nameDer,
    publicKeyDer: signer.key.der,
    extensions: [authorityExtensions(keyId, pathLength)],
  })
  const signature = await signWith(signer, tbs)
  if (!(await verifySignature(subtle, signer.key, algorithm, tbs, signature))) throw keyMismatch(name)
  const certificateDer = signedObject(tbs, algorithm, signature)
  return authorityOf({ crypto, signer, name, nameDer, certificateDer, keyId, validity, issues, intermediates: '', chainNames: [name] })
}
