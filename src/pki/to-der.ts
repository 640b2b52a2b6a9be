/** DER of PEM (RFC 7468), for programs that want the bytes. */
import { onlyBlock, pemLabels, type PemInput, type PemKind } from './pem.js'
import { checkForm } from './to-pem.js'

/**
 * The DER bytes of one PEM block of any {@link PemKind}. They must be one strict DER value of the kind that the label says.
 *
 * @throws {@link EtcdRbacError} `ERR_PEM_INVALID`, `ERR_DER_INVALID`
 * @example
 * ```ts
 * import { toDer } from 'etcd-rbac'
 * declare const certificate: string
 * const bytes = toDer(certificate)
 * ```
 */
export function toDer(pem: PemInput<PemKind>): Uint8Array {
  const { label, der } = onlyBlock(pem, Object.values(pemLabels), 'certificate, CSR, key or CRL')
  const kind = (Object.keys(pemLabels) as PemKind[]).find((one) => pemLabels[one] === label)
  if (kind !== undefined) checkForm(kind, der)
  return der
}
