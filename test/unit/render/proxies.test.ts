import { describe, expect, it } from 'vitest'
import { renderGrpcProxy, renderTcpGateway, toCommand, type GrpcProxyOptions } from '../../../src/render/index.js'
import { clientsAuthority, codeOf, keyed, serversAuthority } from './fixture.js'

describe('the TCP forwarder', () => {
  const options = { listen: '127.0.0.1:23790', endpoints: ['https://10.0.0.10:2379', 'https://[fd00::10]:2379'], reachedAs: ['127.0.0.1', 'localhost', '::1'] }

  it('forwards to the members, and says what their certificates must name', () => {
    const { subcommand, arguments: args, serverCertificatesMustName } = renderTcpGateway(options)
    expect([...subcommand, ...toCommand(args)]).toEqual(['gateway', 'start', '--endpoints=10.0.0.10:2379,[fd00::10]:2379', '--listen-addr=127.0.0.1:23790'])
    expect(serverCertificatesMustName).toEqual(['127.0.0.1', 'localhost', '::1'])
  })

  it.each([
    ['no endpoints', { endpoints: [] }], ['an endpoint over http', { endpoints: ['http://10.0.0.10:2379'] }], ['an endpoint without port', { endpoints: ['https://10.0.0.10'] }],
    ['an endpoint everywhere', { endpoints: ['https://0.0.0.0:2379'] }], ['nobody that reaches it', { reachedAs: [] }], ['a wildcard', { reachedAs: ['*.internal'] }],
    ['all interfaces', { reachedAs: ['0.0.0.0'] }], ['all interfaces of IPv6', { reachedAs: ['::'] }], ['an address with port', { reachedAs: ['10.0.0.1:80'] }], ['a flag', { listen: '--x:1' }],
    ['two addresses', { listen: '127.0.0.1:1,127.0.0.1:2' }], ['a newline', { listen: '127.0.0.1:1\n' }],
  ])('is refused with %s', (_, change) => {
    expect(codeOf(() => renderTcpGateway({ ...options, ...change }))).toBe('ERR_RENDER_REFUSED')
  })
  it.each([{ listen: 1 }, { endpoints: 'https://10.0.0.10:2379' }, { reachedAs: 'localhost' }, { reachedAs: [1] }])('is a TypeError with %j', (change) => {
    expect(() => renderTcpGateway({ ...options, ...change } as never)).toThrow(TypeError)
  })
})

describe('the gRPC proxy', () => {
  const options: GrpcProxyOptions = {
    acknowledge: 'clients are not known by their certificates, and the cache answers serializable reads of one to all others',
    listen: '0.0.0.0:23790',
    advertise: '10.0.0.20:23790',
    endpoints: ['https://10.0.0.10:2379'],
    certificatesDirectory: '/etc/etcd/proxy',
    client: keyed({ issuer: 'etcd-clients', key: 'proxy-client' }),
    server: keyed({ issuer: 'etcd-servers', key: 'proxy-server' }),
    trust: { servers: serversAuthority, clients: clientsAuthority },
  }

  it('has a certificate on both sides', () => {
    const { subcommand, arguments: args, files } = renderGrpcProxy(options)
    expect([...subcommand, ...toCommand(args)]).toEqual([
      'grpc-proxy', 'start', '--endpoints=https://10.0.0.10:2379', '--listen-addr=0.0.0.0:23790', '--advertise-client-url=10.0.0.20:23790', '--cacert=/etc/etcd/proxy/servers-ca.crt',
      '--cert=/etc/etcd/proxy/proxy-client.crt', '--key=/etc/etcd/proxy/proxy-client.key', '--cert-file=/etc/etcd/proxy/proxy-server.crt', '--key-file=/etc/etcd/proxy/proxy-server.key',
      '--trusted-ca-file=/etc/etcd/proxy/proxy-clients-ca.crt',
    ])
    expect(files.map(({ path, mode }) => [path.split('/').at(-1), mode])).toEqual([
      ['proxy-client.crt', 0o644], ['proxy-client.key', 0o600], ['proxy-server.crt', 0o644], ['proxy-server.key', 0o600], ['servers-ca.crt', 0o644], ['proxy-clients-ca.crt', 0o644],
    ])
  })

  it('trusts the authority of its own server certificate too, since it dials itself', () => {
    const trusted = (change: Partial<GrpcProxyOptions>) => renderGrpcProxy({ ...options, ...change }).files.at(-1)?.contents
    expect(trusted({})).toBe(clientsAuthority + serversAuthority)
    expect(trusted({ server: keyed({ issuer: 'etcd-clients', key: 'x' }) })).toBe(clientsAuthority)
  })

  it.each([
    ['with a server certificate of nobody', { server: keyed({ issuer: 'other', key: 'x' }) }], ['with a server certificate that cannot dial', { server: keyed({ issuer: 'etcd-servers', key: 'x', usages: ['serverAuth'] }) }],
    ['with a client certificate that cannot dial', { client: keyed({ issuer: 'etcd-clients', key: 'x', usages: ['serverAuth'] }) }],
    ['with a server certificate that does not name the advertised host', { server: keyed({ issuer: 'etcd-servers', key: 'x', ips: ['10.0.0.21'] }) }],
    ['without acknowledgement', { acknowledge: undefined }], ['with a yes', { acknowledge: 'yes' }], ['with true', { acknowledge: true }],
    ['with a certificate that is somebody', { client: keyed({ issuer: 'etcd-clients', subject: 'alice', key: 'x' }) }], ['advertised everywhere', { advertise: '0.0.0.0:23790' }],
  ])('is refused %s', (_, change) => {
    expect(codeOf(() => renderGrpcProxy({ ...options, ...change } as never))).toBe('ERR_RENDER_REFUSED')
  })

  it('names the forwarder where it is refused for want of an acknowledgement', () => {
    expect(() => renderGrpcProxy({ ...options, acknowledge: '' } as never)).toThrow(/renderTcpGateway/)
  })
})
