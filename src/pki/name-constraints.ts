/**
 * The hosts that an authority may certify, and everything under it (RFC 5280 §4.2.1.10): DNS names with all that is below them, and CIDR blocks.
 *
 * Judged as Go (`crypto/x509` `verify.go`) and OpenSSL (`crypto/x509/v3_ncons.c`) do, and where they differ, as the stricter one: a name is refused if
 * it is excluded, or if any name of its kind is permitted and it is not. So a permitted IPv4 block leaves no IPv6 address.
 */
import { EtcdRbacError, quoted } from '../errors.js'
import { checkFields } from '../known-fields.js'
import type { AlternativeName } from './asn1/certificate.js'
import type { ReadName } from './asn1/general-name.js'
import type { Subtree, Subtrees } from './asn1/name-constraints.js'
import { addressBytes, hostOfAddress } from './hosts.js'

/**
 * The hosts that an authority is restricted to. At least one of both lists, and in it at least one entry. Below it, etcd from 3.5.35 on refuses every
 * certificate with a URI that names no host, whatever the lists say: no gateway and no label is certified there.
 */
export interface NameConstraints {
  /**
   * `etcd.example` for that name and everything below it; `10.0.0.0/8`, `fd00::/8` for addresses. Where one DNS name is given, no other is permitted,
   * and where one block of addresses is given, no other address of either family. Names alone leave every address, and blocks alone every name: for names
   * and no address, exclude `0.0.0.0/0` and `::/0`.
   */
  readonly permitted?: readonly string[]
  /** Never, whatever is permitted. */
  readonly excluded?: readonly string[]
}

/**
 * The subtrees of constraints, in the spelling that the certificate has.
 *
 * @throws {@link EtcdRbacError} `ERR_HOST_INVALID`
 */
export function checkNameConstraints(constraints: NameConstraints): Subtrees {
  checkFields(constraints, ['permitted', 'excluded'], 'nameConstraints')
  const { permitted = [], excluded = [] } = constraints
  for (const list of [permitted, excluded] as readonly unknown[]) if (!Array.isArray(list)) throw new TypeError('permitted and excluded must be lists of strings')
  if (permitted.length + excluded.length === 0) return refuse('', 'name constraints without names', 'at least one name or block, permitted or excluded')
  if (permitted.length + excluded.length > 100) return refuse('', `${permitted.length + excluded.length} name constraints`, 'at most 100')
  const each = (list: readonly string[]): readonly Subtree[] => [...new Set(list)].map(subtreeOf)
  return { permitted: each(permitted), excluded: each(excluded) }
}

function subtreeOf(text: string): Subtree {
  if (typeof text !== 'string') throw new TypeError('a name constraint must be a string')
  const found = `name constraint ${quoted(text)}`
  const [base = '', length, more] = text.split('/')
  if (length !== undefined) {
    const address = addressBytes(base)
    if (address === undefined || more !== undefined || !/^(?:0|[1-9]\d{0,2})$/.test(length) || Number(length) > address.length * 8)
      return refuse(text, found, 'a CIDR block, such as 10.0.0.0/8 or fd00::/8')
    const mask = address.map((_, index) => 0xff00 >> Math.min(8, Math.max(0, Number(length) - 8 * index)))
    const block = address.map((octet, index) => octet & (mask[index] ?? 0))
    if (block.some((octet, index) => octet !== address[index])) return refuse(text, found, `the block itself: ${hostOfAddress(block) ?? ''}/${length}`)
    return { kind: 'ip', address, mask }
  }
  if (addressBytes(text) !== undefined) return refuse(text, found, `a block: for this address alone, append /${text.includes(':') ? 128 : 32}`)
  const suffix = text.toLowerCase()
  if (suffix.length > 253 || !suffix.split('.').every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label)))
    return refuse(text, found, 'a DNS name without leading dot and wildcard: everything below it is meant as well')
  return { kind: 'dns', suffix }
}

/** The names of a certificate that constraints of DNS names and addresses speak of. */
export interface ConstrainedNames {
  readonly dns: readonly string[]
  readonly addresses: readonly Uint8Array[]
  /** Those URIs that name no host, as `urn:` does: Go (1.26, and etcd since 3.5.35) refuses them below constraints of any kind. */
  readonly hostless: readonly string[]
}

/**
 * Names of a certificate, as they are read or about to be issued. Without a DNS name, a Common Name that looks like one counts for it: Go looks at no
 * Common Name, and OpenSSL does (`NAME_CONSTRAINTS_check_CN`).
 */
export function constrainedNames(names: readonly (AlternativeName | ReadName)[], commonNames: readonly string[]): ConstrainedNames {
  const dns = names.flatMap((name) => (name.kind !== 'dns' ? [] : ['name' in name ? name.name : name.text]))
  const addresses = names.flatMap((name) => (name.kind === 'ip' ? [name.address] : []))
  const hostless = names.flatMap((name) => (name.kind !== 'uri' ? [] : ['uri' in name ? name.uri : name.text])).filter((uri) => !namesHost(uri))
  return { hostless, dns: dns.length > 0 ? dns : commonNames.filter((name) => /^\w(?:[\w-]*\w)?(?:\.\w(?:[\w-]*\w)?)+$/.test(name)), addresses }
}

/** Whether a URI has a host that is a DNS name, as Go wants it below constraints. */
function namesHost(uri: string): boolean {
  const host = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#:[\]]+)(?::\d*)?(?:[/?#]|$)/.exec(uri)?.[1]
  return host !== undefined && addressBytes(host) === undefined
}

/** The first name that constraints forbid, or `undefined`. Subtrees of other kinds are not judged: see {@link unjudged}. */
export function forbiddenName({ permitted, excluded }: Subtrees, { dns, addresses, hostless }: ConstrainedNames): string | undefined {
  const only = <K extends Subtree['kind']>(list: readonly Subtree[], kind: K): readonly Extract<Subtree, { kind: K }>[] =>
    list.filter((subtree): subtree is Extract<Subtree, { kind: K }> => subtree.kind === kind)
  const [names, noNames] = [only(permitted, 'dns'), only(excluded, 'dns')]
  const [blocks, noBlocks] = [only(permitted, 'ip'), only(excluded, 'ip')]
  const forbidsName = (name: string): boolean =>
    names.length + noNames.length > 0 &&
    // A name that is none is nobody's to permit.
    (!/^(?:\*\.)?[\w-]+(?:\.[\w-]+)*$/.test(name) || noNames.some(({ suffix }) => reaches(name, suffix)) || (names.length > 0 && !names.some(({ suffix }) => isBelow(name, suffix))))
  const forbidsAddress = (address: Uint8Array): boolean =>
    noBlocks.some((block) => isInside(address, block)) || (blocks.length > 0 && !blocks.some((block) => isInside(address, block)))
  const address = addresses.find(forbidsAddress)
  return dns.find(forbidsName) ?? (address === undefined ? hostless[0] : (hostOfAddress(address) ?? 'an address of another length'))
}

/** What constraints speak of that is not judged here: an authority that has such ones must be refused. */
export function unjudged({ permitted, excluded }: Subtrees): string | undefined {
  return [...permitted, ...excluded].flatMap((subtree) => (subtree.kind === 'other' ? [subtree.name] : []))[0]
}

function isBelow(name: string, suffix: string): boolean {
  const [inner, outer] = [name.toLowerCase(), suffix.toLowerCase()]
  if (outer === '' || (!outer.startsWith('.') && inner === outer)) return true
  return inner.endsWith(outer.startsWith('.') ? outer : `.${outer}`)
}

/** Also where a wildcard stands for a name that is excluded. */
function reaches(name: string, suffix: string): boolean {
  if (isBelow(name, suffix)) return true
  const [, rest] = /^[^.]+(\..+)$/.exec(suffix) ?? []
  return name.startsWith('*.') && rest?.toLowerCase() === name.slice(1).toLowerCase()
}

function isInside(address: Uint8Array, block: { readonly address: Uint8Array; readonly mask: Uint8Array }): boolean {
  return address.length === block.address.length && address.every((octet, index) => ((octet ^ (block.address[index] ?? 0)) & (block.mask[index] ?? 0)) === 0)
}

function refuse(host: string, found: string, wanted: string): never {
  throw new EtcdRbacError('ERR_HOST_INVALID', { found, wanted, fix: 'correct it' }, { host })
}
