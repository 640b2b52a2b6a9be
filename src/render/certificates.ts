/**
 * What rendering asks of certificates: who issued whom, and which hosts they are for. No signature is verified here, since a wrong one
 * fails at the first handshake and opens nothing.
 */
import { compareBytes } from '../bytes.js'
import type { CertificateOutline } from '../pki/asn1/read-outline.js'
import { hostOfAddress } from '../pki/hosts.js'
import type { Address } from './check.js'

const same = (a: Uint8Array, b: Uint8Array): boolean => compareBytes(a, b) === 0

/** Whether a chain, leaf first, leads to one of the authorities by name. */
export function leadsTo(chain: readonly CertificateOutline[], authorities: readonly CertificateOutline[]): boolean {
  return chain.some(({ issuerDer }) => authorities.some(({ subjectDer }) => same(issuerDer, subjectDer)))
}

/**
 * Whether what `issuers` issue could be accepted where only `accepted` are trusted: one key is in both, whatever its certificates say
 * (renewed, cross-signed), or one of `accepted` issued one of `issuers`, whose clients can send it along.
 */
export function reaches(issuers: readonly CertificateOutline[], accepted: readonly CertificateOutline[]): boolean {
  return issuers.some((from) => accepted.some((to) => same(from.publicKeyDer, to.publicKeyDer) || same(from.issuerDer, to.subjectDer)))
}

/** The DNS names of a certificate, as they stand. */
export function dnsNames({ alternativeNames }: CertificateOutline): readonly string[] {
  return alternativeNames.flatMap((each) => (each.kind === 'dns' ? [each.name] : []))
}

/**
 * Whether who dials that host would find it in the certificate, as Go does (`crypto/x509` `VerifyHostname`): addresses among the addresses only,
 * names among the DNS names, whatever their case, where `*` stands for one whole first label. The Common Name does not count.
 */
export function namesHost(certificate: CertificateOutline, { host, kind }: Address): boolean {
  if (kind !== 'name') {
    const wanted = kind === 'ipv6' ? new URL(`https://${host}`).hostname.slice(1, -1) : host
    return certificate.alternativeNames.some((each) => each.kind === 'ip' && hostOfAddress(each.address) === wanted)
  }
  const wanted = host.toLowerCase()
  const parent = wanted.includes('.') ? wanted.slice(wanted.indexOf('.')) : undefined
  return dnsNames(certificate).some((name) => name.toLowerCase() === wanted || (parent !== undefined && name.toLowerCase() === `*${parent}`))
}
