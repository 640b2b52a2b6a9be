/** Whether a signer has the private key of its public one. */
import { utf8 } from '../bytes.js'
import { EtcdRbacError, quoted } from '../errors.js'
import { signWith, type CheckedSigner } from './signer.js'
import type { Subtle } from './subtle.js'
import { verifySignature } from './verify-signature.js'

/** What is signed. No certificate and no CSR begins like it, so the signature is good for nothing else. */
const PROOF = 'etcd-rbac: whether this signer holds the private key of its public key'

/**
 * Has a signer sign a fixed text, and verifies it.
 *
 * @throws {@link EtcdRbacError} `ERR_KEY_MISMATCH`, `ERR_SIGNER_INVALID`
 */
export async function proveSigner(subtle: Subtle, checked: CheckedSigner, of: string): Promise<void> {
  const text = utf8(PROOF)
  const signature = await signWith(checked, text)
  if (!(await verifySignature(subtle, checked.key, checked.signer.algorithm, text, signature))) throw keyMismatch(of)
}

/** The error of a private and a public key that do not belong together. */
export function keyMismatch(commonName: string): EtcdRbacError<'ERR_KEY_MISMATCH'> {
  return new EtcdRbacError(
    'ERR_KEY_MISMATCH',
    { found: `a signer that has not the private key of ${quoted(commonName)}`, wanted: 'the two halves of one key', fix: 'pass the signer of this key' },
    { commonName },
  )
}
