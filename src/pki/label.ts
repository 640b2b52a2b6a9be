/** Labels: which of a user's certificates one is. They travel as a URI in the SAN, which etcd ignores on client certificates. */
import { EtcdRbacError, quoted } from '../errors.js'

const PREFIX = 'urn:etcd-rbac:label:'

/** A label that may be in a URI as it is: a Kubernetes node name is one. */
export function checkLabel(label: string): string {
  if (typeof label !== 'string') throw new TypeError('a label must be a string')
  if (/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/.test(label)) return label
  throw new EtcdRbacError(
    'ERR_LABEL_INVALID',
    { found: `label ${quoted(label)}`, wanted: 'letters, digits and inner ".", "_", "-", at most 253', fix: 'choose another, such as the name of the node' },
    { label },
  )
}

/** The URI of a label. */
export function labelUri(label: string): string {
  return PREFIX + label
}

/** The label of a URI, if it is one of ours. */
export function labelOf(uri: string): string | undefined {
  return uri.startsWith(PREFIX) ? uri.slice(PREFIX.length) : undefined
}
