/** Which certificates end when: for whoever watches over them. */
import { EtcdRbacError } from '../errors.js'
import { checkFields } from '../known-fields.js'
import { checkDated, checkNow, lifeOf, lifeState, RENEWAL_FRACTION_LEFT, type Dated, type LifeState } from './life.js'

/** One line of the report. */
export interface ExpiryRow<T extends Dated> {
  readonly certificate: T
  /** `'due'`: valid, and time to renew. `'expired'` also where a date cannot be read. */
  readonly state: LifeState
  /** Days until its end, with their fraction; negative once it is over, NaN where the date cannot be read. */
  readonly daysLeft: number
}

const DAY = 86_400_000

/**
 * One row for each certificate, what ends first standing first. Takes whatever has dates: issuance records, certificates that were inspected or issued,
 * and authorities, whose end is the end of all below them.
 *
 * @param options `daysLeft`: what ends within so many days is due. Default: what has less than a third of its life left, as `renewalDue` has it.
 * @throws {@link EtcdRbacError} `ERR_VALIDITY_INVALID` for an impossible `daysLeft`
 * @example
 * ```ts
 * import { expiryReport } from 'etcd-rbac'
 * const records = [
 *   { user: 'alice', notBefore: '2030-01-01T00:00:00Z', notAfter: '2030-04-01T00:00:00Z' },
 *   { user: 'bob', notBefore: '2029-12-01T00:00:00Z', notAfter: '2030-03-01T00:00:00Z' },
 * ]
 * const report = expiryReport(records, new Date('2030-02-19T00:00:00Z'))
 * console.log(report.map(({ certificate, state, daysLeft }) => `${certificate.user} ${state} ${daysLeft}`).join()) // bob due 10,alice valid 41
 * ```
 */
export function expiryReport<T extends Dated>(certificates: Iterable<T>, now: Date, options: { readonly daysLeft?: number } = {}): readonly ExpiryRow<T>[] {
  checkFields(options, ['daysLeft'], 'the options of expiryReport')
  const given = certificates as Partial<Iterable<T>> | null | undefined
  if (typeof certificates === 'string' || typeof given?.[Symbol.iterator] !== 'function') throw new TypeError('certificates must be a list of what has notBefore and notAfter')
  const { daysLeft } = options
  if (daysLeft !== undefined && !(typeof daysLeft === 'number' && daysLeft >= 0 && Number.isFinite(daysLeft)))
    throw new EtcdRbacError('ERR_VALIDITY_INVALID', { found: `a window of ${String(daysLeft)} days`, wanted: 'days from 0', fix: 'correct it' }, { notBefore: '', notAfter: '' })
  const window = (life: number): number => (daysLeft === undefined ? life * RENEWAL_FRACTION_LEFT : daysLeft * DAY)
  const present = checkNow(now)
  const rows = Array.from(certificates, (certificate) => {
    const life = lifeOf(checkDated(certificate))
    return { certificate, state: lifeState(life, present, window), daysLeft: (life.ends - present) / DAY }
  })
  // What cannot be read is looked at first.
  const rank = ({ daysLeft: days }: ExpiryRow<T>): number => (Number.isNaN(days) ? -Infinity : days)
  return rows.sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0))
}
