/** What a gateway or proxy without user is called, and where there may be one. */
import { EtcdRbacError, quoted } from '../errors.js'
import type { Policy } from '../policy/policy.js'
import { labelOf } from './label.js'

/**
 * The URI of a gateway, checked.
 *
 * @throws {@link EtcdRbacError} `ERR_HOST_INVALID`, `ERR_ISSUE_REFUSED`
 */
export function checkGateway(policy: Policy, uri: string): string {
  if (typeof uri !== 'string') throw new TypeError('a uri must be a string')
  // No authority part: Go reads one as a host and refuses certificates for hosts that it does not like.
  if (!/^[a-z][a-z0-9+.-]{0,30}:[A-Za-z0-9][A-Za-z0-9._~:-]{0,200}$/.test(uri))
    throw new EtcdRbacError(
      'ERR_HOST_INVALID',
      { found: `URI ${quoted(uri)}`, wanted: 'scheme:name of letters, digits and ".", "_", "~", ":", "-"', fix: 'name it urn:…' },
      { host: uri },
    )
  if (labelOf(uri) !== undefined)
    throw new EtcdRbacError(
      'ERR_HOST_INVALID',
      { found: `URI ${quoted(uri)}, which is the label of a user's certificate`, wanted: 'another: by it nobody could tell the gateway from that user', fix: 'name it urn:…' },
      { host: uri },
    )
  if (policy.v2 !== undefined)
    throw new EtcdRbacError(
      'ERR_ISSUE_REFUSED',
      { found: 'a certificate without Common Name under a policy with a v2 half', wanted: 'a Common Name: etcd v2 resets connections without one', fix: 'leave gateway and proxy out while v2 is in use' },
      { name: uri, reason: 'no Common Name on v2' },
    )
  return uri
}
