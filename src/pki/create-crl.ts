/** Revocation lists (RFC 5280 §5), as etcd reads them (`--client-crl-file`; etcd `client/pkg/transport/listener_tls.go`, checkCRL). */
import { toHex } from '../bytes.js'
import { quoted } from '../errors.js'
import { checkFields } from '../known-fields.js'
import { tbsCrl, type CrlEntry } from './asn1/crl.js'
import { signedObject } from './asn1/csr.js'
import { readCertificate } from './asn1/read-certificate.js'
import { insideOfAny, type Authority, type AuthorityInside } from './authority.js'
import { writePem, type CrlPem } from './pem.js'
import { crlError, mergeEntries, revocationEntries, revokedOf, type Revocation, type RevokedCertificate } from './revocations.js'
import { signWith } from './signer.js'
import { checkListValidity, type Validity } from './validity.js'

/** What a new list holds. */
export interface CrlRequest {
  /** The certificates that are revoked; none makes an empty list, so that the file is there from the beginning. */
  readonly revoked: readonly Revocation[]
  /** When it is made (`notBefore`) and when the next one will be there at the latest (`notAfter`): `days(7).from(now)`. Within the life of the authority. */
  readonly validity: Validity
  /** Its number. Default 1; each later one must have a higher, which `updateCrl` sees to. */
  readonly number?: number
  /**
   * Records of other authorities are refused, since a list is its issuer's own, unless these words ask for them: etcd has one file for all client
   * authorities, such as the old and the new one of a rotation, and our serial numbers are unique over all of them.
   */
  readonly otherAuthorities?: 'etcd compares serial numbers only'
}

/** A list that was made. */
export interface IssuedCrl {
  /** The list in DER: what every etcd reads. */
  readonly der: Uint8Array
  /** The same in PEM, for other tools: from etcd 3.6 on a file of PEM is read as junk, and then etcd refuses every client. */
  readonly pem: CrlPem
  /** Decimal digits. */
  readonly number: string
  readonly thisUpdate: Date
  readonly nextUpdate: Date
  readonly revoked: readonly RevokedCertificate[]
}

const CRL_SIGN = 0x02
/** The first number that takes 21 octets, the sign counted. */
const MOST_NUMBER = 2n ** 159n

/**
 * Makes a revocation list: version 2, its number, the key identifier of its authority, a reason for each entry that has one. A serial number that stands
 * twice is one entry, since the earlier date. Every authority can make one, whatever it issues, unless its key usage lacks cRLSign.
 *
 * What it does, with `--client-crl-file` on etcd 3.3 to 3.7: at each handshake etcd reads the file anew, without a restart, and refuses a client if the serial
 * number of one of the certificates that it sends is in it. Write **DER**, and replace the file in one step (write beside it, rename):
 * while it is missing or half written, etcd refuses every client.
 *
 * What it does not do. A connection that is open stays open, with its watches and leases: etcd looks at handshakes only, so cut it (restart the
 * members one at a time) and take the user's rights away. etcd compares serial numbers and nothing else: it verifies neither who signed the list, nor
 * its dates; an outdated list, or anybody's, is as good to it, so guard the file as you guard a key. It does not protect the peer port, whose file is
 * another (`--peer-crl-file`), nor, before 3.5.32, 3.6.13 and 3.7.0, gRPC where `--listen-client-http-urls` is set (GHSA-3wh4-j44w-pg92). Other users of
 * these certificates do not see it.
 *
 * @throws {@link EtcdRbacError} `ERR_CRL_INVALID` for an authority without cRLSign, a certificate of another authority, an unknown reason, a date to
 * come; `ERR_RECORD_INVALID`, `ERR_VALIDITY_INVALID`, `ERR_CERTIFICATE_INVALID`, `ERR_DER_INVALID`, `ERR_SIGNER_INVALID`
 * @example
 * ```ts
 * import { createCrl, days, selectRecords, type Authority, type IssuanceRecord } from 'etcd-rbac'
 * declare const clients: Authority<'client'>, records: readonly IssuanceRecord[]
 * const now = new Date()
 * const lost = selectRecords(records, { label: 'node-17' })
 * const revoked = lost.map((certificate) => ({ certificate, revokedAt: now, reason: 'keyCompromise' as const }))
 * const { der } = await createCrl(clients, { revoked, validity: days(7).from(now) }) // the file of --client-crl-file
 * ```
 */
export async function createCrl(authority: Authority, request: CrlRequest): Promise<IssuedCrl> {
  checkFields(request, ['revoked', 'validity', 'number', 'otherAuthorities'], 'the options of createCrl')
  const { number = 1 } = request
  if (!Number.isSafeInteger(number) || number < 0) throw new TypeError('number must be a whole number, not negative')
  const hidden = insideOfAny(authority)
  const { validity, entries } = checkCrlRequest(hidden, request)
  return signCrl(hidden, validity, mergeEntries(entries), BigInt(number))
}

/** What new lists and later ones have in common: dates within the authority's, and entries of its own. */
export function checkCrlRequest(
  { name, validity: life, keyId }: AuthorityInside,
  { revoked, validity, otherAuthorities }: Pick<CrlRequest, 'revoked' | 'validity' | 'otherAuthorities'>,
): { readonly validity: Validity; readonly entries: readonly CrlEntry[] } {
  const words: string | undefined = otherAuthorities
  if (words !== undefined && words !== 'etcd compares serial numbers only') throw new TypeError("otherAuthorities must be 'etcd compares serial numbers only'")
  const checked = checkListValidity(validity, { name, ...life })
  return { validity: checked, entries: revocationEntries(revoked, { name, keyId: toHex(keyId), thisUpdate: checked.notBefore, others: words !== undefined }) }
}

/** Signs a list. */
export async function signCrl(hidden: AuthorityInside, validity: Validity, entries: readonly CrlEntry[], number: bigint): Promise<IssuedCrl> {
  const { keyUsage } = readCertificate(hidden.certificateDer)
  if (keyUsage === undefined || (keyUsage & CRL_SIGN) === 0)
    throw crlError(`authority ${quoted(hidden.name)}, whose key usage lacks cRLSign`, 'an authority that may sign lists', 'make another authority: nobody who verifies a list would take one of this', 'no cRLSign')
  if (number >= MOST_NUMBER)
    throw crlError(`list number ${number} of ${quoted(hidden.name)}`, 'at most 20 octets (RFC 5280 §5.2.3): nobody would read a longer one', 'go on with createCrl and all of its entries under number 1 where etcd alone reads the list, which looks at no number; otherwise make another authority', 'no number left')
  const { notBefore: thisUpdate, notAfter: nextUpdate } = validity
  const tbs = tbsCrl({ signedBy: hidden.signedBy, thisUpdate, nextUpdate, entries, keyId: hidden.keyId, number })
  const der = signedObject(tbs, hidden.signer.signer.algorithm, await signWith(hidden.signer, tbs))
  return { der, pem: writePem('crl', der), number: number.toString(), thisUpdate, nextUpdate, revoked: entries.map(revokedOf) }
}
