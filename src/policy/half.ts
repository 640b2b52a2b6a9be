/** That a policy speaks of what it is asked about. */
import { EtcdRbacError } from '../errors.js'
import type { Policy } from './policy.js'

/** Refuses what is no policy at all: of nobody, everything is true. */
export function checkPolicy(policy: Policy): void {
  const { users } = Object(policy) as { readonly users?: unknown }
  if (typeof users !== 'object' || users === null) throw new TypeError('a policy is made by definePolicy or parsePolicy, and its index by indexPolicy')
}

/**
 * Refuses a question about an API of which the policy does not speak: on v2 everything is open to everybody there.
 *
 * @throws {@link EtcdRbacError} `ERR_POLICY_HALF_MISSING`
 */
export function checkHalf(policy: Policy, api: 'v2' | 'v3'): void {
  if (policy[api] !== undefined) return
  throw new EtcdRbacError(
    'ERR_POLICY_HALF_MISSING',
    { found: `a policy without ${api} half`, wanted: `a ${api} half that says what users may do there`, fix: `add ${api} to the policy` },
    { api },
  )
}
