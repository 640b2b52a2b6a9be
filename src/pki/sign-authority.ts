/** The one place that signs certificates of authorities: of roots by themselves, of intermediates, and of authorities that another one vouches for. */
import type { WebCryptoLike } from '../platform.js'
import { authorityExtensions, signedBy, tbsCertificate } from './asn1/certificate.js'
import { signedObject } from './asn1/csr.js'
import type { Subtrees } from './asn1/name-constraints.js'
import type { PublicKey } from './asn1/public-key.js'
import { keyMismatch } from './prove-signer.js'
import { signWith, type CheckedSigner } from './signer.js'
import { randomBytes, type Subtle } from './subtle.js'
import type { Validity } from './validity.js'
import { verifySignature } from './verify-signature.js'

/** Serial numbers: 16 random bytes, so that they are unique over all authorities (etcd's CRL check looks at numbers only). */
export const SERIAL_BYTES = 16

/** Who signs, and by which name and key identifier it is found. */
export interface AuthorityIssuer {
  readonly crypto: WebCryptoLike
  readonly subtle: Subtle
  readonly name: string
  readonly nameDer: Uint8Array
  readonly signer: CheckedSigner
  readonly keyId: Uint8Array
}

/** What is signed. */
export interface AuthoritySubject {
  readonly nameDer: Uint8Array
  readonly key: PublicKey
  readonly keyId: Uint8Array
  readonly validity: Validity
  readonly pathLength: number | undefined
  readonly constraints: Subtrees | undefined
}

/**
 * Signs once, and verifies that signature, so that a wrong signer shows itself here.
 *
 * @throws {@link EtcdRbacError} `ERR_KEY_MISMATCH`, `ERR_SIGNER_INVALID`, `ERR_CRYPTO_UNUSABLE`
 */
export async function signAuthority({ crypto, subtle, name, nameDer, signer, keyId }: AuthorityIssuer, subject: AuthoritySubject): Promise<Uint8Array> {
  const { algorithm } = signer.signer
  const tbs = tbsCertificate({
    serial: randomBytes(crypto, SERIAL_BYTES),
    signedBy: signedBy(algorithm, nameDer),
    ...subject.validity,
    subject: subject.nameDer,
    publicKeyDer: subject.key.der,
    extensions: [authorityExtensions(subject.keyId, subject.pathLength, { authorityKeyId: keyId, constraints: subject.constraints })],
  })
  const signature = await signWith(signer, tbs)
  if (!(await verifySignature(subtle, signer.key, algorithm, tbs, signature))) throw keyMismatch(name)
  return signedObject(tbs, algorithm, signature)
}
