/** Where in its life something with dates stands: the one place that says when a certificate is due. */

/** A record, an inspected certificate, a certificate that was issued, or an authority: whatever has a beginning and an end. */
export interface Dated {
  readonly notBefore: string | Date
  readonly notAfter: string | Date
}

/** What is left of a life when it is time to renew: at two thirds. */
export const RENEWAL_FRACTION_LEFT: number = 1 / 3

/** The state of something with dates. `'due'`: valid, and time to renew it. */
export type LifeState = 'expired' | 'not-yet-valid' | 'due' | 'valid'

/** Its beginning and end in milliseconds; NaN where a date cannot be read. */
export function lifeOf({ notBefore, notAfter }: Dated): { readonly begins: number; readonly ends: number } {
  const at = (date: string | Date): number => (date instanceof Date ? date.getTime() : Date.parse(date))
  return { begins: at(notBefore), ends: at(notAfter) }
}

/** An unreadable date compares as false everywhere, and so ends as expired. `window` is how long before its end a life of that length is due. */
export function lifeState({ begins, ends }: { readonly begins: number; readonly ends: number }, now: number, window: (life: number) => number): LifeState {
  if (!(ends >= now)) return 'expired'
  if (!(begins <= now)) return 'not-yet-valid'
  return ends - now > window(ends - begins) ? 'valid' : 'due'
}

/** The present, checked. */
export function checkNow(now: Date): number {
  if (!(now instanceof Date) || Number.isNaN(now.getTime())) throw new TypeError('the present must be a valid Date')
  return now.getTime()
}

/** Something with dates, checked for its form. */
export function checkDated(dated: Dated): Dated {
  const given = dated as Partial<Dated> | null | undefined
  const fits = (date: unknown): boolean => typeof date === 'string' || date instanceof Date
  if (typeof given !== 'object' || given === null || !fits(given.notBefore) || !fits(given.notAfter))
    throw new TypeError('wanted something with notBefore and notAfter, each a Date or a string: a record, a certificate that was inspected or issued, an authority')
  return dated
}
