/** Judges what is rendered by the flags that real etcd binaries know. Nothing is started: an unknown flag at the end stops each of them. */
import { execFile } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { isSince, parseVersion, type Since } from '../../src/advisories/index.js'
import { definePolicy } from '../../src/policy/index.js'
import { knowsFlag } from '../../src/render/flags.js'
import { renderGrpcProxy, renderMember, renderTcpGateway, toCommand, type MemberOptions } from '../../src/render/index.js'
import { testLanes } from '../support/cluster.js'
import { clientsAuthority, keyed, member, serversAuthority } from '../unit/render/fixture.js'

const SENTINEL = 'no-such-flag-of-etcd'

/** The flag at which the binary stopped; `undefined` if at none. */
function stoppedAt(binary: string, args: readonly string[]): Promise<string | undefined> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ETCD_')))
  return new Promise((settle) => {
    execFile(binary, [...args, `--${SENTINEL}`], { env: { ...env, ETCD_UNSUPPORTED_ARCH: 'arm64' }, timeout: 20_000 }, (_, stdout, stderr) => {
      settle(/(?:flag provided but not defined: -|unknown flag: --)([\w-]+)/.exec(stdout + stderr)?.[1])
    })
  })
}

const policy = definePolicy({ users: { root: 'certificate' }, members: ['etcd-0', 'etcd-peer'], v3: { roles: {}, bindings: { root: ['root'] } } })
const shared: Partial<MemberOptions> = { peer: keyed({ issuer: 'etcd-clients', subject: 'etcd-peer', key: 'peer-key', dns: ['etcd-peers.internal'] }) }
const trust = { clients: clientsAuthority, peers: clientsAuthority }

/** Every option that adds a flag, and from which release on it may be asked for. */
const variants: readonly (readonly [name: string, since: Since, change: (v2: boolean) => Partial<MemberOptions>])[] = [
  ['three authorities', { '3.3': 0 }, (v2) => ({ v2 })],
  ['one authority, guarded by Common Name', { '3.3': 0 }, () => ({ ...shared, trust: { ...trust, guard: { commonName: 'etcd-peer', policy } } })],
  ['one authority, guarded by host name', { '3.4': 0 }, () => ({ ...shared, trust: { ...trust, guard: { hostname: 'etcd-peers.internal' } } })],
  ['automatic compaction', { '3.3': 0 }, () => ({ autoCompaction: { mode: 'periodic', retention: '8h' } })],
  ['a gateway with its own certificate', { '3.5': 0 }, () => ({ gateway: keyed({ issuer: 'etcd-clients', key: 'gateway-key' }) })],
  ['a minimum of TLS', { '3.5': 8 }, () => ({ minimumTls: 'TLS1.3' })],
]

const found = await testLanes()
it('has at least one etcd to judge by', () => {
  expect(found.length).toBeGreaterThan(0)
})

describe.each(found)('etcd $version', ({ binary, version, v2 }) => {
  const numbers = parseVersion(version)

  it.each(variants.filter(([, since]) => isSince(numbers, since)))('knows every flag of a member with %s', async (_, __, change) => {
    const args = toCommand(renderMember({ ...member, version, ...change(v2 !== 'none') }).arguments)
    expect(await stoppedAt(binary, args)).toBe(SENTINEL)
  })

  it.each(['--peer-cert-allowed-hostname=x', '--enable-grpc-gateway=false', '--client-cert-file=x', '--client-key-file=x', '--tls-min-version=TLS1.3', '--enable-v2=true'] as const)(
    'agrees with the table whether it knows %s', async (argument) => {
      const flag = argument.replace(/=.*/, '') as `--${string}`
      expect(await stoppedAt(binary, [argument])).toBe(knowsFlag(numbers, flag) ? SENTINEL : flag.slice(2))
    },
  )

  it('knows every flag of the TCP forwarder', async () => {
    const { subcommand, arguments: args } = renderTcpGateway({ listen: '127.0.0.1:1', endpoints: ['https://10.0.0.10:2379'], reachedAs: ['127.0.0.1'] })
    expect(await stoppedAt(binary, [...subcommand, ...toCommand(args)])).toBe(SENTINEL)
  })

  it('knows every flag of the gRPC proxy', async () => {
    const { subcommand, arguments: args } = renderGrpcProxy({
      acknowledge: 'clients are not known by their certificates, and the cache answers serializable reads of one to all others',
      listen: '127.0.0.1:1', advertise: '127.0.0.1:1', endpoints: ['https://10.0.0.10:2379'], certificatesDirectory: '/etc/etcd/proxy',
      client: keyed({ issuer: 'etcd-clients', key: 'a' }), server: keyed({ issuer: 'etcd-servers', key: 'b' }), trust: { servers: serversAuthority, clients: clientsAuthority },
    })
    expect(await stoppedAt(binary, [...subcommand, ...toCommand(args)])).toBe(SENTINEL)
  })
})
