/** Which certificates a policy needs, and what to do about each: pure, so that an installer can run again without issuing everything anew. */
import { EtcdRbacError, quoted } from '../errors.js'
import { checkFields } from '../known-fields.js'
import type { Policy } from '../policy/policy.js'
import type { ExtendedUsage } from './asn1/certificate.js'
import { checkedRecords } from './checked-records.js'
import { checkNow, lifeOf, lifeState, RENEWAL_FRACTION_LEFT } from './life.js'
import { profiles, serverProfile } from './profiles.js'
import type { IssuanceRecord } from './record.js'
import { wantedCertificates, type MaterialOptions, type WantedCertificate } from './wanted-certificates.js'

/** Why a certificate is kept or not. */
export interface MaterialReason {
  readonly code:
    | 'valid' | 'missing' | 'expires' | 'expired' | 'not-yet-valid' | 'authority-changed' | 'hosts-differ' | 'usages-differ' | 'common-name-differs' | 'key-algorithm-refused'
  readonly text: string
}

/** What to do about one: `issue` there is none; `renew` its time is near; `replace` it is not what is needed. */
export interface PlannedCertificate {
  readonly action: 'keep' | 'issue' | 'renew' | 'replace'
  readonly wanted: WantedCertificate
  /** At least one. */
  readonly reasons: readonly MaterialReason[]
  /** The certificate that is there. */
  readonly existing: IssuanceRecord | undefined
}

/** The result of {@link planMaterial}. */
export interface MaterialPlan {
  /** One for each certificate that the policy needs. */
  readonly certificates: readonly PlannedCertificate[]
  /** Certificates that nothing needs: their name has gone from the policy, or nobody asks for their label. While they are valid, they should be revoked. */
  readonly orphans: readonly { readonly existing: IssuanceRecord; readonly reason: string }[]
  /** Certificates beside which there is a better one for the same. */
  readonly superseded: readonly IssuanceRecord[]
}

const DAY = 86_400_000

/**
 * Compares what a policy needs with what was issued: a certificate for each user that logs in by one, a server and a peer certificate for each member.
 * Decides only; issues nothing. An issued certificate's record, added to `existing`, makes the next plan keep it.
 *
 * @throws {@link EtcdRbacError} `ERR_RECORD_INVALID` with every record that is none, and its place; `ERR_MEMBER_UNKNOWN` for a member without entry in
 * `hosts`; `ERR_VALIDITY_INVALID` for an impossible window; `ERR_USER_UNKNOWN`, `ERR_USER_LOGIN`, `ERR_LABEL_INVALID`, `ERR_NAME_INVALID`, `ERR_HOST_INVALID` and
 * `ERR_ISSUE_REFUSED` for what could not be issued
 * @example
 * ```ts
 * import { definePolicy, hostsOf, planMaterial, type Authority, type IssuanceRecord } from 'etcd-rbac'
 * declare const clients: Authority<'client'>, servers: Authority<'server'>, peers: Authority<'peer'>, records: readonly IssuanceRecord[]
 * const policy = definePolicy({ users: { root: 'certificate' }, members: ['etcd-0'] })
 * const hosts = { 'etcd-0': { server: hostsOf('https://10.0.0.10:2379'), peer: hostsOf('https://10.0.0.10:2380') } }
 * const plan = planMaterial(policy, records, new Date(), { hosts, authorities: { client: clients, server: servers, peer: peers } })
 * const todo = plan.certificates.filter(({ action }) => action !== 'keep')
 * ```
 */
export function planMaterial<P extends Policy>(policy: P, existing: readonly IssuanceRecord[], now: Date, options: MaterialOptions<P>): MaterialPlan {
  checkNow(now)
  const given: unknown = existing
  if (!Array.isArray(given)) throw new TypeError('existing must be a list of issuance records')
  const records = checkedRecords(given)
  // Its names are those of the policy: from here on they are only strings.
  const settings = options as unknown as MaterialOptions<Policy>
  const wanted = wantedCertificates(policy, settings)
  const window = renewalWindow(settings.renew)
  const byKey = new Map<string, IssuanceRecord[]>()
  for (const record of records) {
    const same = byKey.get(keyOf(record))
    if (same === undefined) byKey.set(keyOf(record), [record])
    else same.push(record)
  }
  const superseded: IssuanceRecord[] = []

  const certificates = wanted.map((one): PlannedCertificate => {
    const judged = (byKey.get(keyOf(one)) ?? []).map((record) => ({ record, ...judge(one, record, now, window, settings) }))
    byKey.delete(keyOf(one))
    judged.sort((a, b) => ranks[a.action] - ranks[b.action] || (a.record.notAfter < b.record.notAfter ? 1 : a.record.notAfter > b.record.notAfter ? -1 : 0))
    const [best, ...others] = judged
    superseded.push(...others.map(({ record }) => record))
    if (best === undefined) return { action: 'issue', wanted: one, reasons: [{ code: 'missing', text: 'there is none' }], existing: undefined }
    return { action: best.action, wanted: one, reasons: best.reasons, existing: best.record }
  })
  const orphans = [...byKey.values()].flat().map((record) => ({ existing: record, reason: orphanReason(policy, record) }))
  return { certificates, orphans, superseded }
}

const ranks: Readonly<Record<PlannedCertificate['action'], number>> = { keep: 0, renew: 1, replace: 2, issue: 3 }

/** What two descriptions of the same certificate share. */
function keyOf(one: WantedCertificate | IssuanceRecord): string {
  if (one.purpose === 'client') return JSON.stringify([one.purpose, one.user, one.label ?? null])
  return JSON.stringify([one.purpose, one.purpose === 'gateway' ? one.uri : one.member])
}

/** How long before its end a certificate of that life is renewed, in milliseconds. */
function renewalWindow(renew: MaterialOptions<Policy>['renew'] = { fractionLeft: RENEWAL_FRACTION_LEFT }): (life: number) => number {
  const given: unknown = renew
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new TypeError('renew must be { daysLeft } or { fractionLeft }')
  checkFields(renew, ['daysLeft', 'fractionLeft'], 'the fields of renew')
  if ('daysLeft' in renew && renew.daysLeft >= 0 && Number.isFinite(renew.daysLeft)) {
    const wanted = renew.daysLeft * DAY
    // A certificate may have been backdated by an hour: within that, a fresh one is in the window already.
    return (life) => (wanted < life - DAY / 24 ? wanted : life * RENEWAL_FRACTION_LEFT)
  }
  if ('fractionLeft' in renew && renew.fractionLeft >= 0 && renew.fractionLeft < 1) return (life) => life * renew.fractionLeft
  throw new EtcdRbacError(
    'ERR_VALIDITY_INVALID',
    { found: `a renewal window of ${JSON.stringify(renew)}`, wanted: 'daysLeft from 0, or fractionLeft from 0 to below 1', fix: 'correct it' },
    { notBefore: '', notAfter: '' },
  )
}

function judge(
  wanted: WantedCertificate,
  record: IssuanceRecord,
  now: Date,
  window: (life: number) => number,
  { authorities, keyAlgorithms, gateway }: MaterialOptions<Policy>,
): Pick<PlannedCertificate, 'action' | 'reasons'> {
  const wrong: MaterialReason[] = []
  const authority = authorities[wanted.purpose === 'gateway' ? 'client' : wanted.purpose]
  if (record.authority !== authority.name || record.authorityKeyId !== authority.keyId)
    wrong.push({ code: 'authority-changed', text: `issued by ${quoted(record.authority)} (key ${record.authorityKeyId || 'unknown'}), wanted ${quoted(authority.name)} (key ${authority.keyId})` })
  const usages = usagesOf(wanted.purpose, gateway)
  const found = [...record.usages, ...(record.otherUsages ?? [])]
  if (!sameSet(found, usages)) wrong.push({ code: 'usages-differ', text: `for ${found.join(', ') || 'nothing named'}, wanted ${usages.join(', ')}` })
  const commonName = wanted.purpose === 'client' ? wanted.user : wanted.purpose === 'gateway' ? undefined : wanted.commonName
  if (record.commonName !== commonName) wrong.push({ code: 'common-name-differs', text: `Common Name ${shown(record.commonName)}, wanted ${shown(commonName)}` })
  const hosts = 'hosts' in wanted ? wanted.hosts : []
  // Of a record from a file they may be missing.
  const recorded: readonly string[] = record.hosts ?? []
  if (!sameSet(recorded, hosts)) wrong.push({ code: 'hosts-differ', text: `for ${recorded.join(', ') || 'no host'}, wanted ${hosts.join(', ') || 'none'}` })
  if (keyAlgorithms !== undefined && !(keyAlgorithms as readonly string[]).includes(record.keyAlgorithm))
    wrong.push({ code: 'key-algorithm-refused', text: `a key of ${record.keyAlgorithm}, wanted ${keyAlgorithms.join(' or ')}` })
  const time = judgeTime(record, now.getTime(), window)
  if (wrong.length > 0) return { action: 'replace', reasons: time === undefined ? wrong : [...wrong, time] }
  return time === undefined ? { action: 'keep', reasons: [{ code: 'valid', text: `valid until ${record.notAfter}` }] } : { action: 'renew', reasons: [time] }
}

function judgeTime(record: IssuanceRecord, now: number, window: (life: number) => number): MaterialReason | undefined {
  const state = lifeState(lifeOf(record), now, window)
  if (state === 'expired') return { code: 'expired', text: `expired at ${record.notAfter}` }
  if (state === 'not-yet-valid') return { code: 'not-yet-valid', text: `not valid before ${record.notBefore}` }
  return state === 'valid' ? undefined : { code: 'expires', text: `expires at ${record.notAfter}` }
}

function usagesOf(purpose: WantedCertificate['purpose'], gateway: MaterialOptions<Policy>['gateway']): readonly ExtendedUsage[] {
  if (purpose === 'server') return serverProfile(gateway).usages
  return (purpose === 'peer' ? profiles.peer : profiles.client).usages
}

function orphanReason(policy: Policy, record: IssuanceRecord): string {
  if (record.purpose === 'gateway') return `no gateway ${quoted(record.uri)} is asked for`
  if (record.purpose !== 'client')
    return policy.members.includes(record.member) ? `member ${quoted(record.member)} has no hosts` : `member ${quoted(record.member)} is not in the policy`
  const { user, label } = record
  if (!Object.hasOwn(policy.users, user)) return `user ${quoted(user)} is not in the policy`
  if (policy.users[user] !== 'certificate') return `user ${quoted(user)} logs in by password`
  return label === undefined ? `user ${quoted(user)} has certificates by label only` : `label ${quoted(label)} of user ${quoted(user)} is not asked for`
}

const shown = (name: string | undefined): string => (name === undefined ? 'none' : quoted(name))

const sameSet = (a: readonly string[], b: readonly string[]): boolean => new Set(a).size === new Set(b).size && a.every((one) => b.includes(one))
