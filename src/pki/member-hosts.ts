/**
 * The hosts of a member's certificate, derived from all of its URLs: those that it listens on and those that it advertises (etcd `embed/config.go`
 * `ListenClientUrls`, `AdvertiseClientUrls`, and the same of peers).
 *
 * Only advertised URLs are told to others, but clients and proxies are often configured with what a member listens on: a certificate without that
 * address fails there, and nowhere else.
 */
import { EtcdRbacError, quoted } from '../errors.js'
import { checkFields } from '../known-fields.js'
import { hostsOf, isUnspecified, loopbackHosts, wildcardName } from './hosts.js'

/** Where a member is found. */
export interface MemberHostsRequest {
  /** What it listens on: `https://0.0.0.0:2379`, `https://10.0.0.10:2379`. An address that stands for all (`0.0.0.0`, `::`) names no host. */
  readonly listen: readonly string[]
  /** What it tells others to dial. */
  readonly advertise: readonly string[]
  /** Whether `localhost`, `127.0.0.1` and `::1` are added. Default: where it listens there, or on all addresses. `false` for peers, who never dial it so. */
  readonly loopback?: boolean
  /**
   * Names such as `*.etcd.example`, beside its own. Default none. Pass `wildcard: 'every name of that domain'` to `issueServer` and `issuePeer` too, which refuse
   * them otherwise. A wildcard alone names no member.
   */
  readonly wildcard?: readonly string[]
}

/**
 * The hosts of a member, each once, in the spelling of `hostsOf`: advertised ones first, then those listened on, loopback, and wildcards. Nothing is
 * looked up, and nothing guessed: an international name is refused, to be written in its `xn--` form.
 *
 * @throws {@link EtcdRbacError} `ERR_HOST_INVALID` as `hostsOf`; for an advertised address that stands for all; where nothing but loopback beside an address
 * that stands for all, or a wildcard, is left to name the member
 * @example
 * ```ts
 * import { memberHosts } from 'etcd-rbac'
 * const hosts = memberHosts({ listen: ['https://0.0.0.0:2379'], advertise: ['https://10.0.0.10:2379', 'https://etcd-0.example:2379'] })
 * console.log(hosts.join()) // 10.0.0.10,etcd-0.example,localhost,127.0.0.1,::1
 * ```
 */
export function memberHosts(request: MemberHostsRequest): readonly string[] {
  checkFields(request, ['listen', 'advertise', 'loopback', 'wildcard'], "a member's hosts")
  const { listen, advertise, loopback, wildcard = [] } = request
  for (const [name, list] of Object.entries({ listen, advertise, wildcard })) if (!Array.isArray(list)) throw new TypeError(`${name} must be a list of strings`)
  if (loopback !== undefined && typeof loopback !== 'boolean') throw new TypeError('loopback must be true or false')
  const everywhere = listen.filter(isUnspecified)
  const named = [...new Set([...hostsOf(...advertise), ...hostsOf(...listen.filter((url) => !isUnspecified(url)))])]
  // Who listens on all addresses is another machine's too: only its advertised URLs say which.
  if (named.length === 0)
    throw new EtcdRbacError(
      'ERR_HOST_INVALID',
      {
        found: everywhere.length === 0 ? 'a member without URL' : `a member that listens on ${everywhere.map(quoted).join(' and ')} and advertises nothing`,
        wanted: 'a URL with the address or name by which it is dialled',
        fix: 'add its advertised URLs',
      },
      { host: everywhere[0] ?? '' },
    )
  const listensThere = everywhere.length > 0 || hostsOf(...listen.filter((url) => !isUnspecified(url))).some(isLoopback)
  return [...new Set([...named, ...(loopback ?? listensThere ? loopbackHosts : []), ...wildcard.map(wildcardName)])]
}

const isLoopback = (host: string): boolean => loopbackHosts.includes(host) || host.startsWith('127.')
