/** How long a certificate is valid (RFC 5280 §4.1.2.5): two whole seconds, both included. Time is a value; nothing here reads a clock. */
import { EtcdRbacError, quoted } from '../errors.js'
import { checkFields } from '../known-fields.js'

/** From when until when, both included. */
export interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
}

/** A length of time, to be placed. */
export interface Lifetime {
  /**
   * The validity that ends this long after `now`. `backdateMinutes` (0 to 60, default 0) puts its beginning earlier: where the clock of
   * whoever issues is ahead of the server's, etcd refuses a certificate that begins now, and calls it expired. An authority must be backdated
   * at least as far as what it issues.
   *
   * @throws {@link EtcdRbacError} `ERR_VALIDITY_INVALID`
   */
  from(now: Date, options?: { readonly backdateMinutes?: number }): Validity
}

/** Leaves that live longer must be asked for in words: a certificate cannot be taken back from a running etcd, only outlived. */
export const LONG_LIVED_DAYS = 397

const DAY = 86_400_000
const MINUTE = 60_000
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59)
const EARLIEST = Date.UTC(1950, 0, 1)

/**
 * A lifetime of that many days of 24 hours.
 *
 * @throws {@link EtcdRbacError} `ERR_VALIDITY_INVALID` where it is not a positive number
 * @example
 * ```ts
 * import { days } from 'etcd-rbac'
 * const validity = days(90).from(new Date(), { backdateMinutes: 5 })
 * ```
 */
export function days(count: number): Lifetime {
  return lifetime(count, DAY, 'days')
}

/**
 * A lifetime of that many hours.
 *
 * @throws {@link EtcdRbacError} `ERR_VALIDITY_INVALID` where it is not a positive number
 * @example
 * ```ts
 * import { hours } from 'etcd-rbac'
 * console.log(hours(12).from(new Date('2030-01-01T00:00:00Z')).notAfter.toISOString()) // 2030-01-01T12:00:00.000Z
 * ```
 */
export function hours(count: number): Lifetime {
  return lifetime(count, DAY / 24, 'hours')
}

function lifetime(count: number, unit: number, name: string): Lifetime {
  if (typeof count !== 'number') throw new TypeError(`the number of ${name} must be a number`)
  if (!(count > 0 && count * unit <= LATEST)) return refuse(`a lifetime of ${count} ${name}`, 'a positive one', '', '')
  return {
    from(now, options = {}) {
      checkFields(options, ['backdateMinutes'], 'the options of a lifetime')
      const { backdateMinutes = 0 } = options
      if (!(now instanceof Date)) throw new TypeError('the present must be a Date')
      if (!(backdateMinutes >= 0 && backdateMinutes <= 60)) return refuse(`a beginning ${backdateMinutes} minutes earlier`, '0 to 60 minutes', '', '')
      const validity = { notBefore: new Date(now.getTime() - backdateMinutes * MINUTE), notAfter: new Date(now.getTime() + count * unit) }
      return checkValidity(validity)
    },
  }
}

/** A validity of whole seconds (fractions dropped: Go cannot read them) within the years that a certificate can express. */
export function checkValidity(validity: Validity): Validity {
  const given = validity as Partial<Validity> | null | undefined
  if (!(given?.notBefore instanceof Date) || !(given.notAfter instanceof Date)) throw new TypeError('a validity must have notBefore and notAfter, both Date')
  const notBefore = wholeSeconds(given.notBefore)
  const notAfter = wholeSeconds(given.notAfter)
  const from = textOf(notBefore)
  const until = textOf(notAfter)
  // Negated so that an invalid date, which is NaN, is refused.
  if (!(notBefore.getTime() >= EARLIEST && notAfter.getTime() <= LATEST)) return refuse(`a validity from ${from} until ${until}`, 'dates from 1950 to 9999', from, until)
  if (!(notBefore.getTime() < notAfter.getTime())) return refuse(`a validity from ${from} until ${until}`, 'an end after its beginning', from, until)
  return { notBefore, notAfter }
}

/** Refuses a leaf that is valid while its authority is not, and a long-lived one unless it was asked for. */
export function checkLeafValidity(validity: Validity, authority: Validity & { readonly name: string }, longLived: boolean): Validity {
  const checked = checkValidity(validity)
  const from = textOf(checked.notBefore)
  const until = textOf(checked.notAfter)
  const of = `authority ${quoted(authority.name)}, valid from ${textOf(authority.notBefore)} until ${textOf(authority.notAfter)}`
  if (checked.notBefore < authority.notBefore)
    return refuse(`a certificate from ${from}, before ${of}`, 'one that does not begin before its authority', from, until, 'backdate the authority as far as its certificates, or the certificate less')
  if (checked.notAfter > authority.notAfter)
    return refuse(`a certificate until ${until}, beyond ${of}`, 'one that does not outlive its authority', from, until, 'ask for a shorter one, or renew the authority first')
  // An hour more, so that the longest lifetime may also be backdated.
  if (!longLived && checked.notAfter.getTime() - checked.notBefore.getTime() > LONG_LIVED_DAYS * DAY + 60 * MINUTE)
    return refuse(
      `a certificate from ${from} until ${until}`, `at most ${LONG_LIVED_DAYS} days`, from, until,
      `renew more often, or pass longLived: 'longer than ${LONG_LIVED_DAYS} days'`,
    )
  return checked
}

/** Refuses a revocation list that is made before its authority was, or promises the next one for when nobody can sign it any more. */
export function checkListValidity(validity: Validity, authority: Validity & { readonly name: string }): Validity {
  const checked = checkValidity(validity)
  if (checked.notBefore >= authority.notBefore && checked.notAfter <= authority.notAfter) return checked
  const [from, until] = [textOf(checked.notBefore), textOf(checked.notAfter)]
  return refuse(
    `a revocation list from ${from} until ${until}, and authority ${quoted(authority.name)}, valid from ${textOf(authority.notBefore)} until ${textOf(authority.notAfter)}`,
    'dates within those of the authority', from, until,
  )
}

/**
 * Less than what may be had, as a requester asks for it.
 *
 * @throws {@link EtcdRbacError} `ERR_VALIDITY_INVALID` where it is more
 */
export function checkAskedValidity(asked: Validity, most: Validity): Validity {
  const checked = checkValidity(asked)
  if (checked.notBefore >= most.notBefore && checked.notAfter <= most.notAfter) return checked
  const [from, until] = [textOf(checked.notBefore), textOf(checked.notAfter)]
  return refuse(`a request for a certificate from ${from} until ${until}`, `one within ${textOf(most.notBefore)} and ${textOf(most.notAfter)}`, from, until, 'ask for less, or allow more')
}

const wholeSeconds = (date: Date): Date => new Date(Math.floor(date.getTime() / 1000) * 1000)

const textOf = (date: Date): string => (Number.isNaN(date.getTime()) ? 'an invalid date' : date.toISOString())

function refuse(found: string, wanted: string, notBefore: string, notAfter: string, fix = 'correct the dates'): never {
  throw new EtcdRbacError('ERR_VALIDITY_INVALID', { found, wanted, fix }, { notBefore, notAfter })
}
