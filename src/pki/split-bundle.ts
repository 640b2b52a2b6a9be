/** The certificates of a file that holds several: a chain, or what is trusted. */
import { readPemBlocks, writePem, type CertificatePem, type PemInput } from './pem.js'

/**
 * The certificates of a file, each as PEM of its own, in their order. An empty text has none. Nothing but certificates and white space may be in it; none
 * is looked into.
 *
 * @throws {@link EtcdRbacError} `ERR_PEM_INVALID`
 * @example
 * ```ts
 * import { inspectCertificate, splitBundle } from 'etcd-rbac'
 * declare const caFile: string
 * for (const certificate of splitBundle(caFile)) console.log((await inspectCertificate(crypto, certificate)).notAfter)
 * ```
 */
export function splitBundle(text: PemInput<'certificate'>): readonly CertificatePem[] {
  return readPemBlocks('certificate', text).map((der) => writePem('certificate', der))
}
