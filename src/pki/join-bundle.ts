/** Several certificates in one file, in the order that TLS wants: each certifies the one before it (RFC 8446 §4.4.2). */
import { compareBytes, toHex } from '../bytes.js'
import { readOutline, type CertificateOutline } from './asn1/read-outline.js'
import { readPemBlocks, writePem, type PemInput } from './pem.js'

/**
 * One file of certificates: each once, and each before its issuer, so that a chain begins with its leaf; otherwise in the order given. What is passed may
 * hold several itself. Issuers are found by name: no signature is looked at.
 *
 * @throws {@link EtcdRbacError} `ERR_PEM_INVALID`, `ERR_DER_INVALID`
 * @example
 * ```ts
 * import { joinBundle } from 'etcd-rbac'
 * declare const files: { newRoot: string, oldRoot: string }
 * const trusted = joinBundle([files.newRoot, files.oldRoot])
 * ```
 */
export function joinBundle(certificates: readonly PemInput<'certificate'>[]): string {
  if (!Array.isArray(certificates)) throw new TypeError('certificates must be a list of PEM')
  const given = certificates as readonly PemInput<'certificate'>[]
  const each = new Map(given.flatMap((text) => readPemBlocks('certificate', text)).map((der) => [toHex(der), { der, outline: readOutline(der) }]))
  return inOrder([...each.values()]).map((der) => writePem('certificate', der)).join('')
}

interface Read {
  readonly der: Uint8Array
  readonly outline: CertificateOutline
}

/** What a certificate issued comes before it. Ends in a circle too: two authorities may have signed each other. */
function inOrder(all: readonly Read[]): readonly Uint8Array[] {
  const placed = new Set<Read>()
  const ordered: Uint8Array[] = []
  const place = (one: Read): void => {
    if (placed.has(one)) return
    placed.add(one)
    for (const other of all) if (compareBytes(other.outline.issuerDer, one.outline.subjectDer) === 0) place(other)
    ordered.push(one.der)
  }
  for (const one of all) place(one)
  return ordered
}
