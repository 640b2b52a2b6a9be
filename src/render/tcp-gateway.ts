/**
 * `etcd gateway start`: a forwarder of TCP connections. TLS ends at the member, so clients keep their certificates and their names; it is
 * the proxy to have with certificates. Tried on 3.4.23 and 3.5.30.
 */
import { checkAddress, checkReachable, isDnsName, isWildcard, refuseRender, shown } from './check.js'
import type { Argument } from './rendered.js'

/** A TCP forwarder in front of members. */
export interface TcpGatewayOptions {
  /** Host and port: `'127.0.0.1:2379'`. */
  readonly listen: string
  /** Client URLs of the members. */
  readonly endpoints: readonly string[]
  /** Hosts by which clients reach the forwarder: names, IPv4, or IPv6 without brackets. */
  readonly reachedAs: readonly string[]
}

/** How to start the forwarder. It holds no certificate and no key. */
export interface RenderedTcpGateway {
  /** Before the arguments: `etcd gateway start …`. */
  readonly subcommand: readonly ['gateway', 'start']
  readonly arguments: readonly Argument[]
  /** What the server certificate of every member must name beside the member's own hosts, or clients refuse it. */
  readonly serverCertificatesMustName: readonly string[]
  readonly notes: readonly string[]
}

/**
 * The arguments of `etcd gateway start`.
 *
 * @throws {@link EtcdRbacError} `ERR_RENDER_REFUSED`
 * @example
 * ```ts
 * import { renderTcpGateway, toCommand } from 'etcd-rbac/render'
 * const gateway = renderTcpGateway({ listen: '127.0.0.1:23790', endpoints: ['https://10.0.0.10:2379'], reachedAs: ['127.0.0.1', 'localhost'] })
 * console.log(['etcd', ...gateway.subcommand, ...toCommand(gateway.arguments)].join(' '))
 * ```
 */
export function renderTcpGateway({ listen, endpoints, reachedAs }: TcpGatewayOptions): RenderedTcpGateway {
  checkAddress('the address to listen on', listen)
  const members = checkReachable('endpoints', endpoints)
  if (!Array.isArray(reachedAs)) throw new TypeError('reachedAs must be a list of hosts')
  if (reachedAs.length === 0) refuseRender('no host by which clients reach the forwarder', 'at least one', 'name it: the server certificates must')
  const hosts: readonly string[] = reachedAs
  for (const host of hosts) {
    if (typeof host !== 'string') throw new TypeError('a host must be a string')
    if (isDnsName(host)) continue
    if (isWildcard(checkAddress('a host by which clients reach the forwarder', `${host.includes(':') ? `[${host}]` : host}:1`)))
      refuseRender(`clients that reach the forwarder as ${shown(host)}`, 'an address that can be dialled', 'name it')
  }
  return {
    subcommand: ['gateway', 'start'],
    arguments: [
      { flag: '--endpoints', value: members.map(({ host, port }) => `${host}:${port}`).join(','), why: 'the members, without scheme: it forwards bytes' },
      { flag: '--listen-addr', value: listen, why: 'where clients connect' },
    ],
    serverCertificatesMustName: [...hosts],
    notes: ['members see the address of the forwarder, not the client\'s; who the client is they know by its certificate as before'],
  }
}
