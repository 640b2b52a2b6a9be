/**
 * What may stand in an argument, a variable or a path. The same text goes through unit files, shells, YAML and comma-separated lists, so a
 * value that any of them would read otherwise is refused and never quoted.
 */
import { EtcdRbacError } from '../errors.js'
import { isPlainPath } from '../presets/key-prefix.js'

/** @throws {@link EtcdRbacError} `ERR_RENDER_REFUSED`; `found` is also the reason in its detail */
export function refuseRender(found: string, wanted: string, fix: string): never {
  throw new EtcdRbacError('ERR_RENDER_REFUSED', { found, wanted, fix }, { reason: found })
}

const MAX_LENGTH = 4096

/** A short form of a value for messages. */
export const shown = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)

function text(what: string, value: string): string {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string`)
  return value.length <= MAX_LENGTH ? value : refuseRender(`${what} of ${value.length} characters`, `at most ${MAX_LENGTH}`, 'shorten it')
}

/** One word that means the same everywhere: letters, digits and `._@+-`, not beginning with `-`. */
export function checkWord(what: string, value: string): string {
  if (/^[A-Za-z0-9._@+][A-Za-z0-9._@+-]*$/.test(text(what, value))) return value
  return refuseRender(`${what} ${shown(value)}`, 'letters, digits and "._@+-" only', 'rename it: anything else is read otherwise by shells, unit files or etcd\'s lists')
}

/** An absolute POSIX path that needs no quoting anywhere; without a slash at its end. */
export function checkPath(what: string, path: string): string {
  if (isPlainPath(text(what, path))) return path
  return refuseRender(
    `${what} ${shown(path)}`,
    'an absolute path of letters, digits and "._@+-", without "." or ".." and without a slash at its end',
    'choose another path: one with other characters is read otherwise by shells, unit files or etcd',
  )
}

/** Whether `inner` is `outer` or lies in it. Both checked. */
export const isWithin = (outer: string, inner: string): boolean => inner === outer || inner.startsWith(`${outer}/`)

/** Host and port of an address. */
export interface Address {
  /** As in a URL: IPv6 in brackets. */
  readonly host: string
  readonly port: number
  readonly kind: 'name' | 'ipv4' | 'ipv6'
}

const refuseAddress = (what: string, value: string, wanted: string): never => refuseRender(`${what} ${shown(value)}`, wanted, 'correct it')

/** `host:port`, IPv6 in brackets. */
export function checkAddress(what: string, value: string): Address {
  const wanted = 'a host and a port, such as 10.0.0.10:2379 or [fd00::10]:2379'
  const [, host, digits] = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([1-9]\d{0,4})$/.exec(text(what, value)) ?? []
  const port = Number(digits)
  if (host === undefined || port > 65_535) return refuseAddress(what, value, wanted)
  if (host.startsWith('[')) {
    // The platform's own parser knows what an IPv6 address is.
    try {
      new URL(`https://${host}`)
    } catch {
      return refuseAddress(what, value, wanted)
    }
    return { host, port, kind: 'ipv6' }
  }
  if (/^[\d.]+$/.test(host)) {
    const octets = host.split('.')
    const valid = octets.length === 4 && octets.every((octet) => /^(?:0|[1-9]\d{0,2})$/.test(octet) && Number(octet) <= 255)
    return valid ? { host, port, kind: 'ipv4' } : refuseAddress(what, value, wanted)
  }
  return isDnsName(host) ? { host, port, kind: 'name' } : refuseAddress(what, value, wanted)
}

/** Whether a name is a DNS host name as certificates carry it: no wildcard, no final dot, not all digits. */
export function isDnsName(name: string): boolean {
  const labels = name.split('.')
  return name.length <= 253 && labels.every((label) => /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '')
}

/** An https URL of host and port and nothing else. */
export function checkUrl(what: string, url: string): Address {
  if (!text(what, url).startsWith('https://')) return refuseAddress(what, url, 'https://: over http nobody is identified and everything is readable')
  return checkAddress(what, url.slice('https://'.length))
}

/** A list of https URLs, none of them twice. */
export function checkUrls(what: string, urls: readonly string[]): readonly Address[] {
  if (!Array.isArray(urls)) throw new TypeError(`${what} must be a list of URLs`)
  if (urls.length === 0) refuseRender(`no ${what}`, 'at least one https URL', 'name one')
  const addresses = urls.map((url: string) => checkUrl(what, url))
  if (new Set(urls).size !== urls.length) refuseRender(`${what} with one URL twice`, 'each once', 'remove the double')
  return addresses
}

/** Whether an address stands for all interfaces, which only a listener may be told. */
export function isWildcard({ host, kind }: Address): boolean {
  return (kind === 'ipv4' && host === '0.0.0.0') || (kind === 'ipv6' && /^\[[0:.]+\]$/.test(host))
}

/** URLs that others are told to dial. */
export function checkReachable(what: string, urls: readonly string[]): readonly Address[] {
  const addresses = checkUrls(what, urls)
  if (addresses.some(isWildcard)) refuseRender(`${what} with the address of all interfaces`, 'an address that others can dial and that the certificate names', 'name it')
  return addresses
}
