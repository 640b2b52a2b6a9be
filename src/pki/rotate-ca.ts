/**
 * The change of an authority, planned: trust both, load both, reissue, drop the old.
 *
 * etcd reads certificates and keys again at each handshake, but its CA files only at its start (`client/pkg/transport/listener.go`, `TLSInfo.cafiles`), and
 * SIGHUP ends it; so every change of trust is a restart of each member, one at a time. A user is the Common Name, whoever signed it: names and
 * rights stay as they are, and the old certificates stay valid until the old authority is dropped.
 */
import { toHex, utf8 } from '../bytes.js'
import { quoted } from '../errors.js'
import { checkFields } from '../known-fields.js'
import { checkName } from '../names.js'
import type { WebCryptoLike } from '../platform.js'
import type { UnverifiedCertificate } from './asn1/read-certificate.js'
import { checkIssues, type Purpose } from './authority.js'
import { checkedRecords } from './checked-records.js'
import { writePem, type PemInput } from './pem.js'
import type { IssuanceRecord } from './record.js'
import { checkApart, checkCrossSigned, checkLeads, readRotating, type RotatingAuthority } from './rotating-authority.js'
import { phasesOf, warningsOf } from './rotation-phases.js'
import { isFor, isLiving, isOf, othersOf, rotationError, type RotationBundle, type RotationPlan } from './rotation-plan.js'
import { sha256, subtleOf, type Subtle } from './subtle.js'

/** A change of authority. */
export interface RotationRequest {
  /** What the authority is for. Of one authority for all, each. */
  readonly purposes: readonly Purpose[]
  readonly old: RotatingAuthority
  readonly new: RotatingAuthority
  /** Every member, in the order in which they are restarted. */
  readonly members: readonly string[]
  /**
   * Who else trusts the authority: of the servers' authority every client, by the names that their reports will have; of the clients' authority proxies that
   * verify clients. Default none.
   */
  readonly holders?: readonly string[]
  /** What was issued. Those of the old authority that have not expired are issued again. */
  readonly records: readonly IssuanceRecord[]
  /**
   * The new authority's name and key, signed by the old one (`crossSign`): behind each new leaf, so that who trusts the old one alone still accepts it.
   * Needs an old authority whose path length allows one below it. Default none.
   */
  readonly crossSigned?: PemInput<'certificate'>
  readonly now: Date
}

/**
 * Plans the change of an authority. Decides only: nothing is issued, written or restarted. The plan is data; keep it, and ask `rotationProgress` where
 * one is, as often as wanted and after any interruption.
 *
 * @throws {@link EtcdRbacError} `ERR_ROTATION_INVALID` where both are one authority or one key, something that is trusted is no authority or does not lead to
 * its own, the new one is not in order at that time (as `openCa` has it) or does not issue for a purpose, nobody trusts it, or the cross-signed certificate is not what it should be; `ERR_PURPOSE_REFUSED`, `ERR_NAME_INVALID`, `ERR_RECORD_INVALID`, `ERR_PEM_INVALID`,
 * `ERR_DER_INVALID`, `ERR_CERTIFICATE_INVALID`, `ERR_CRYPTO_UNUSABLE`
 * @example
 * ```ts
 * import { createCa, days, generateKeyPair, rotateCa } from 'etcd-rbac'
 * const now = new Date()
 * const authority = async (name: string) =>
 *   createCa(crypto, { name, signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer, validity: days(3650).from(now), issues: ['client'] })
 * const plan = await rotateCa(crypto, {
 *   purposes: ['client'], old: await authority('etcd-clients'), new: await authority('etcd-clients-2'), members: ['etcd-0', 'etcd-1', 'etcd-2'], records: [], now,
 * })
 * console.log(plan.phases.map(({ name }) => name).join(', ')) // trust both, load both, reissue, drop old
 * console.log(plan.phases[1]?.steps.map((step) => step.do).join()) // restart,restart,restart
 * ```
 */
export async function rotateCa(crypto: WebCryptoLike, request: RotationRequest): Promise<RotationPlan> {
  const subtle = subtleOf(crypto)
  checkFields(request, ['purposes', 'old', 'new', 'members', 'holders', 'records', 'crossSigned', 'now'], 'a rotation')
  const { now } = request
  if (!(now instanceof Date) || Number.isNaN(now.getTime())) throw new TypeError('the present must be a valid Date')
  const listed: unknown = request.records
  if (!Array.isArray(listed)) throw new TypeError('records must be a list of issuance records')
  const purposes = checkIssues(request.purposes)
  const { members, holders } = names(request, purposes)
  const records = checkedRecords(listed)
  const [old, next] = [await readRotating(subtle, request.old, 'old'), await readRotating(subtle, request.new, 'new')]
  const both = checkApart(old, next, now)
  await checkLeads(subtle, old, next, purposes, now)
  const crossSigned = request.crossSigned === undefined ? undefined : await checkCrossSigned(subtle, request.crossSigned, old.certificate, next.certificate, now)
  const [before, during, after] = await Promise.all([old.trusted, both, next.trusted].map((list) => bundleOf(subtle, list)))

  const replaced = records.filter((record) => isFor(record, purposes) && isOf(record, old.shown) && isLiving(record, now))
  const frame = { kind: 'etcd-rbac rotation', purposes, old: old.shown, new: next.shown, members, holders } as const
  return {
    ...frame,
    before: before as RotationBundle,
    ...(crossSigned === undefined ? {} : { crossSigned }),
    phases: phasesOf(frame, during as RotationBundle, after as RotationBundle, replaced, crossSigned !== undefined),
    warnings: [...warningsOf(frame, crossSigned !== undefined, records.filter((record) => isOf(record, old.shown) && isLiving(record, now))), ...othersOf(frame, records, now)],
  }
}

async function bundleOf(subtle: Subtle, list: readonly UnverifiedCertificate[]): Promise<RotationBundle> {
  const pem = [...new Set(list.map(({ der }): string => writePem('certificate', der)))].join('')
  return { pem, sha256: toHex(await sha256(subtle, utf8(pem))) }
}

function names(request: RotationRequest, purposes: readonly Purpose[]): { readonly members: readonly string[]; readonly holders: readonly string[] } {
  const { members, holders = [] } = request
  for (const [name, list] of Object.entries({ members, holders }))
    if (!Array.isArray(list) || !list.every((one) => typeof one === 'string' && one !== '')) throw new TypeError(`${name} must be a list of names`)
  for (const member of members) checkName('member', member)
  const all = [...members, ...holders]
  const seen = new Set<string>()
  const twice = all.find((name) => seen.size === seen.add(name).size)
  if (twice !== undefined) throw rotationError(`${quoted(twice)} twice among members and holders`, 'each name once', 'rename one: reports tell them apart by it')
  if (members.length === 0) throw rotationError('no member', 'every member of the cluster', 'name them in the order in which they are to be restarted')
  if (purposes.includes('server') && holders.length === 0)
    throw rotationError("the servers' authority without holders", 'every client that trusts it', 'name the clients: those that are not told refuse the new server certificates')
  return { members: [...members], holders: [...holders] }
}
