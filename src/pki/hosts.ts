/**
 * The hosts that a member's certificate is for: DNS names and IP addresses (RFC 5280 §4.2.1.6), as strings in one spelling each.
 *
 * An address that is dialled must be an IP name and a name a DNS name; a peer's certificate is also held against the address that the peer
 * dials from (etcd `pkg/transport/listener_tls.go`).
 */
import { EtcdRbacError, quoted } from '../errors.js'
import { alternativeNames, type AlternativeName } from './asn1/certificate.js'

/** What a member is called by clients on its own machine. Not added unless asked for: every member would answer to it. */
export const loopbackHosts: readonly string[] = ['localhost', '127.0.0.1', '::1']

/**
 * The hosts of member URLs (`https://10.0.0.10:2379`, `https://[fd00::1]:2380`, `https://etcd-0.example:2379`), each once, in order. Names in
 * lower case, IPv6 in the spelling of RFC 5952. Nothing is added: append {@link loopbackHosts} where clients dial the member as `localhost`.
 *
 * @throws {@link EtcdRbacError} `ERR_HOST_INVALID` for anything but scheme `https`, a host and a port: user info, path, wildcard, `0.0.0.0`, names
 * beyond ASCII
 * @example
 * ```ts
 * import { hostsOf, loopbackHosts } from 'etcd-rbac'
 * const hosts = [...hostsOf('https://10.0.0.10:2379', 'https://[fd00::1]:2379'), ...loopbackHosts]
 * ```
 */
export function hostsOf(...urls: readonly string[]): readonly string[] {
  return [...new Set(urls.map((url) => {
    const host = writtenHost(url)
    return host.startsWith('[') ? ipv6Host(host.slice(1, -1)) : nameOrIpv4(host)
  }))]
}

/** Whether a URL only says that a member listens on all of its addresses: `0.0.0.0`, or `::` in any spelling. */
export function isUnspecified(url: string): boolean {
  const host = writtenHost(url)
  return host === '0.0.0.0' || (host.startsWith('[') && canonicalIpv6(host.slice(1, -1)) === '::')
}

/** The host of a member URL as it stands there, an IPv6 address in its brackets. */
function writtenHost(url: string): string {
  if (typeof url !== 'string') throw new TypeError('a member URL must be a string')
  const found = /^https:\/\/(\[[^\]/?#@]*\]|[^:/?#@[\]]*)(?::(\d{1,5}))?\/?$/.exec(url)
  if (found === null || Number(found[2] ?? 0) > 65_535) return refuse(url, `URL ${quoted(url)}`, 'https://host:port, without user, path or query')
  return found[1] ?? ''
}

/**
 * The bytes that the hosts of one certificate may take. Go reads no handshake above 64 KiB (`crypto/tls` `maxHandshake`), the whole chain included, and
 * neither does the reader of certificates here.
 */
const MOST_BYTES = 49_152

/** A wildcard must be asked for in these words: whoever holds the certificate answers to every name of that domain. */
export type Wildcard = 'every name of that domain'

/** Whether wildcards were asked for. */
export function checkWildcard(asked: Wildcard | undefined): boolean {
  const given: unknown = asked
  if (given !== undefined && given !== 'every name of that domain') throw new TypeError("wildcard must be 'every name of that domain'")
  return given !== undefined
}

/**
 * Hosts written by hand, checked and in one spelling each.
 *
 * @throws {@link EtcdRbacError} `ERR_HOST_INVALID`
 */
export function checkHosts(hosts: readonly string[], wildcard?: Wildcard): readonly string[] {
  if (!Array.isArray(hosts)) throw new TypeError('hosts must be a list of strings')
  if (hosts.length === 0) return refuse('', 'no host', 'at least one: without one, no client can verify the member')
  if (hosts.length > 1000) return refuse('', `${hosts.length} hosts`, 'at most 1000')
  const asked = checkWildcard(wildcard)
  const checked = [...new Set((hosts as readonly string[]).map((host) => (asked && isWildcard(host) ? wildcardName(host) : checkHost(host))))]
  const { length } = alternativeNames(checked.map(alternativeNameOf), true)
  return length > MOST_BYTES ? refuse('', `${hosts.length} hosts of ${length} bytes`, `at most ${MOST_BYTES} bytes: clients could not read the certificate`) : checked
}

const isWildcard = (host: unknown): host is string => typeof host === 'string' && host.startsWith('*.')

/** `*` for one whole first label (RFC 6125 §6.4.3, Go `matchHostnames`), below a domain of two labels at least. */
export function wildcardName(host: string): string {
  if (typeof host !== 'string') throw new TypeError('a wildcard must be a string')
  const domain = isWildcard(host) ? nameOrIpv4(host.slice(2)) : ''
  if (!domain.includes('.') || isIpv4(domain)) return refuse(host, `wildcard ${quoted(host)}`, '"*." and a domain of at least two labels')
  return `*.${domain}`
}

function checkHost(host: string): string {
  if (typeof host !== 'string') throw new TypeError('a host must be a string')
  return host.includes(':') ? ipv6Host(host) : nameOrIpv4(host)
}

/** The SAN entry of a host that was checked. */
export function alternativeNameOf(host: string): AlternativeName {
  if (host.includes(':')) return { kind: 'ip', address: ipv6Bytes(host) }
  return isIpv4(host) ? { kind: 'ip', address: Uint8Array.from(host.split('.').map(Number)) } : { kind: 'dns', name: host }
}

/** The spelling of an IP address from its bytes, or `undefined` where it is none. */
export function hostOfAddress(address: Uint8Array): string | undefined {
  if (address.length === 4) return address.join('.')
  if (address.length !== 16) return undefined
  const groups = Array.from({ length: 8 }, (_, i) => (((address[2 * i] ?? 0) << 8) | (address[2 * i + 1] ?? 0)).toString(16))
  return canonicalIpv6(groups.join(':'))
}

/** The bytes of an IP address, also of one that nobody can dial, or `undefined` where it is none. */
export function addressBytes(text: string): Uint8Array | undefined {
  if (isIpv4(text)) return Uint8Array.from(text.split('.').map(Number))
  const host = /^[0-9a-fA-F:.]{2,45}$/.test(text) ? canonicalIpv6(text) : undefined
  return host === undefined ? undefined : ipv6Bytes(host)
}

const isIpv4 = (host: string): boolean => /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/.test(host)

function nameOrIpv4(host: string): string {
  const found = `host ${quoted(host)}`
  if (isIpv4(host)) return host === '0.0.0.0' ? refuse(host, found, 'an address that can be dialled: 0.0.0.0 only says where to listen') : host
  if (host === '') return refuse(host, 'an empty host', 'a DNS name or an IP address')
  if (host.includes('*')) return refuse(host, found, "the name of one member, without wildcard unless it is asked for: wildcard: 'every name of that domain'")
  if (!/^[\x00-\x7f]*$/.test(host)) return refuse(host, found, 'a name in ASCII: write an international name in its xn-- form')
  const name = host.toLowerCase()
  if (name.length > 253) return refuse(host, found, 'at most 253 characters')
  const labels = name.split('.')
  if (!labels.every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label)))
    return refuse(host, found, 'labels of letters, digits and inner hyphens, without a final dot (RFC 5280 §4.2.1.6)')
  // As URLs are read, such a name is an IPv4 address in another spelling.
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) return refuse(host, found, 'an IPv4 address of four plain numbers, or a name that does not end in one')
  return name
}

function ipv6Host(text: string): string {
  const found = `host ${quoted(text)}`
  const host = /^[0-9a-fA-F:.]{2,45}$/.test(text) ? canonicalIpv6(text) : undefined
  if (host === undefined) return refuse(text, found, 'an IPv6 address, without zone')
  if (host === '::') return refuse(text, found, 'an address that can be dialled: :: only says where to listen')
  if (ipv6Bytes(host).subarray(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 0xff))) return refuse(text, found, 'the IPv4 address itself: Go takes this one for it')
  return host
}

function canonicalIpv6(text: string): string | undefined {
  try {
    return new URL(`https://[${text}]`).hostname.slice(1, -1)
  } catch {
    return undefined
  }
}

/** The bytes of an address in its canonical spelling: hexadecimal groups, `::` at most once. */
function ipv6Bytes(host: string): Uint8Array {
  const [head = [], tail = []] = host.split('::').map((part) => (part === '' ? [] : part.split(':')))
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail].map((group) => Number.parseInt(group, 16))
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}

function refuse(host: string, found: string, wanted: string): never {
  throw new EtcdRbacError('ERR_HOST_INVALID', { found, wanted, fix: 'correct it' }, { host })
}
