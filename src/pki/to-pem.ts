/** PEM of DER (RFC 7468), where the bytes are what the label says. */
import { CRL_LIMITS, DER_LIMITS, readDer } from './asn1/der.js'
import { formOf, type DerForm } from './asn1/form-of.js'
import { refuseDer } from './asn1/refuse.js'
import { writePem, type Pem, type PemKind } from './pem.js'

const forms: Readonly<Record<PemKind, DerForm>> = {
  certificate: 'certificate',
  csr: 'csr',
  'private key': 'PKCS#8',
  'encrypted private key': 'encrypted PKCS#8',
  crl: 'crl',
}

/**
 * The PEM text of DER bytes. They must be one strict DER value of that kind by its form, so that no key is labelled a certificate; what is inside is read
 * by whoever takes it. Keys in the form of SEC 1 or PKCS#1 have no kind here: `openPrivateKey` takes them as they are.
 *
 * @throws {@link EtcdRbacError} `ERR_DER_INVALID`
 * @example
 * ```ts
 * import { toPem } from 'etcd-rbac'
 * declare const fileContent: Uint8Array
 * const certificate = toPem('certificate', fileContent)
 * ```
 */
export function toPem<K extends PemKind>(kind: K, der: Uint8Array): Pem<K> {
  if (typeof kind !== 'string' || !Object.hasOwn(forms, kind)) throw new TypeError(`a kind of PEM must be one of ${Object.keys(forms).join(', ')}`)
  if (!(der instanceof Uint8Array)) throw new TypeError('DER must be a Uint8Array')
  checkForm(kind, der)
  return writePem(kind, der)
}

/** Refuses bytes that are not of that kind by their form. */
export function checkForm(kind: PemKind, der: Uint8Array): void {
  const form = formOf(readDer(der, kind === 'crl' ? CRL_LIMITS : DER_LIMITS))
  if (form !== forms[kind]) refuseDer(0, `it has the form of ${form === undefined ? 'nothing that is known here' : `a ${form}`}, not of a ${kind}`)
}
