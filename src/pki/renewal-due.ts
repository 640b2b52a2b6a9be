/** When a certificate is to be renewed. */
import { checkFields } from '../known-fields.js'
import { checkDated, checkNow, lifeOf, lifeState, RENEWAL_FRACTION_LEFT, type Dated } from './life.js'

/** Whether it is time, and from when on it is. */
export interface Renewal {
  readonly due: boolean
  /** From when on it is due; absent where the dates cannot be read, and then it is due. */
  readonly at?: Date
}

/** How much of a life the jitter may take off. */
const SPREAD = 0.1

/**
 * Whether a certificate is to be renewed: at two thirds of its life, counted from its beginning, or earlier by the jitter, never later. What has expired
 * is due too.
 *
 * `jitter`, a number from 0 (the default) to 1, is the caller's randomness, so that the certificates of a thousand nodes, made in the same minute, are not
 * renewed in the same minute: it takes up to a tenth of the life off. Draw it once for each certificate and keep it with its record, or take it from the
 * serial number; drawn anew at each look, the earliest would win.
 *
 * @example
 * ```ts
 * import { renewalDue } from 'etcd-rbac'
 * const record = { notBefore: '2030-01-01T00:00:00Z', notAfter: '2030-03-02T00:00:00Z' }
 * console.log(renewalDue(record, new Date('2030-02-09T23:59:59Z')).due) // false
 * console.log(renewalDue(record, new Date('2030-02-10T00:00:00Z')).due) // true
 * const jitter = Number.parseInt('c3d2e1f0'.slice(0, 8), 16) / 0xffff_ffff // of a serial number
 * console.log(renewalDue(record, new Date('2030-02-09T00:00:00Z'), { jitter }).due) // true
 * ```
 */
export function renewalDue(record: Dated, now: Date, options: { readonly jitter?: number } = {}): Renewal {
  checkFields(options, ['jitter'], 'the options of renewalDue')
  const { jitter = 0 } = options
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1)) throw new TypeError('jitter must be a number from 0 to 1')
  const life = lifeOf(checkDated(record))
  const left = RENEWAL_FRACTION_LEFT + jitter * SPREAD
  const state = lifeState(life, checkNow(now), (length) => length * left)
  const at = new Date(life.ends - (life.ends - life.begins) * left)
  const due = state === 'due' || state === 'expired'
  return Number.isNaN(at.getTime()) ? { due } : { due, at }
}
