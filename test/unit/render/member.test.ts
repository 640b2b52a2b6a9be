import { describe, expect, it } from 'vitest'
import { definePolicy, isEtcdRbacError } from '../../../src/policy/index.js'
import { renderMember, toCommand, type MemberOptions } from '../../../src/render/index.js'
import { authority, certificate, clientsAuthority, codeOf, keyed, member, peersAuthority, privateKey, type Parts } from './fixture.js'

const flags = (options: MemberOptions): Record<string, string> => Object.fromEntries(renderMember(options).arguments.map(({ flag, value }) => [flag, value]))
const policy = definePolicy({ users: { root: 'certificate', alice: 'certificate' }, members: ['etcd-0', 'etcd-peer'], v3: { roles: {}, bindings: { root: ['root'] } } })

describe('a member with three authorities', () => {
  it('knows clients and members by certificate, each by its own authority', () => {
    expect(toCommand(renderMember(member).arguments)).toEqual([
      '--name=etcd-0',
      '--data-dir=/var/lib/etcd',
      '--listen-client-urls=https://10.0.0.10:2379,https://127.0.0.1:2379',
      '--advertise-client-urls=https://10.0.0.10:2379',
      '--listen-peer-urls=https://10.0.0.10:2380',
      '--initial-advertise-peer-urls=https://10.0.0.10:2380',
      '--initial-cluster=etcd-0=https://10.0.0.10:2380,etcd-1=https://10.0.0.11:2380',
      '--initial-cluster-state=new',
      '--initial-cluster-token=site-1',
      '--cert-file=/etc/etcd/tls/server.crt',
      '--key-file=/etc/etcd/tls/server.key',
      '--client-cert-auth=true',
      '--trusted-ca-file=/etc/etcd/tls/clients-ca.crt',
      '--peer-cert-file=/etc/etcd/tls/peer.crt',
      '--peer-key-file=/etc/etcd/tls/peer.key',
      '--peer-client-cert-auth=true',
      '--peer-trusted-ca-file=/etc/etcd/tls/peers-ca.crt',
      '--enable-grpc-gateway=false',
      '--enable-v2=false',
    ])
  })

  it('has the same as environment', () => {
    const { arguments: args, environment } = renderMember(member)
    expect(Object.keys(environment)).toHaveLength(args.length)
    expect(environment).toMatchObject({ ETCD_NAME: 'etcd-0', ETCD_CLIENT_CERT_AUTH: 'true', ETCD_PEER_TRUSTED_CA_FILE: '/etc/etcd/tls/peers-ca.crt', ETCD_ENABLE_GRPC_GATEWAY: 'false' })
  })

  it('has every file that an argument names, keys for their owner only and nothing secret elsewhere', () => {
    const { arguments: args, files, directories } = renderMember({ ...member, gateway: keyed({ issuer: 'etcd-clients', key: 'gateway-key' }) })
    const named = args.filter(({ flag }) => flag.endsWith('-file')).map(({ value }) => value)
    expect(files.map(({ path }) => path).toSorted()).toEqual(named.toSorted())
    for (const { path, mode, contents, secret } of files) {
      expect([path, mode, secret]).toEqual([path, path.endsWith('.key') ? 0o600 : 0o644, path.endsWith('.key')])
      expect(contents.includes('PRIVATE KEY')).toBe(secret)
    }
    expect(directories).toEqual([{ path: '/var/lib/etcd', mode: 0o700 }, { path: '/etc/etcd/tls', mode: 0o700 }])
  })

  it('takes a server certificate for servers only, and a peer certificate for both', () => {
    const narrow = { server: keyed({ issuer: 'etcd-servers', key: 'x', usages: ['serverAuth'] }), peer: keyed({ issuer: 'etcd-peers', key: 'x', usages: ['serverAuth', 'clientAuth'] }) }
    expect(flags({ ...member, ...narrow })).toEqual(flags(member))
  })

  it('says why for each argument', () => {
    for (const { why } of renderMember(member).arguments) expect(why.length).toBeGreaterThan(8)
  })

  it('writes PEM in one form, whatever line ends it came with', () => {
    const crlf = clientsAuthority.replaceAll('\n', '\r\n')
    const { files } = renderMember({ ...member, trust: { ...member.trust, clients: `\n${crlf}\n\n${authority('etcd-clients', 'next')}` } })
    expect(files.find(({ path }) => path.endsWith('clients-ca.crt'))?.contents).toBe(clientsAuthority + authority('etcd-clients', 'next'))
  })
})

describe('flags by version', () => {
  it.each([
    ['3.3.25', false, 'false', undefined], ['3.3.25', true, 'true', undefined], ['3.4.23', false, 'false', 'false'], ['3.4.23', true, 'true', 'false'],
    ['3.5.16', true, 'true', 'false'], ['3.6.0', false, undefined, 'false'], ['3.7.3', false, undefined, 'false'],
  ] as const)('etcd %s with v2 %s has --enable-v2=%s and --enable-grpc-gateway=%s', (version, v2, enableV2, gateway) => {
    const found = flags({ ...member, version, v2 })
    expect([found['--enable-v2'], found['--enable-grpc-gateway']]).toEqual([enableV2, gateway])
  })

  it.each(['3.6.0', '3.7.3'])('etcd %s is not rendered with v2', (version) => {
    expect(codeOf(() => renderMember({ ...member, version, v2: true }))).toBe('ERR_RENDER_REFUSED')
  })

  it('says on 3.3 that the gateway stays', () => {
    expect(renderMember({ ...member, version: '3.3.25' }).notes.join()).toContain('503')
    expect(renderMember({ ...member, version: '3.3.25', server: keyed({ issuer: 'etcd-clients', key: 'server-key' }) }).notes.join()).toContain('stays open')
  })

  it.each([['3.5.8', 'TLS1.3'], ['3.6.0', 'TLS1.2']] as const)('etcd %s takes a minimum of %s', (version, minimumTls) => {
    expect(flags({ ...member, version, minimumTls })['--tls-min-version']).toBe(minimumTls)
  })
  it.each(['3.3.25', '3.4.23', '3.5.7'])('etcd %s takes no minimum of TLS', (version) => {
    expect(codeOf(() => renderMember({ ...member, version, minimumTls: 'TLS1.3' }))).toBe('ERR_RENDER_REFUSED')
  })

  it.each(['3.2.32', '3.8.0', '3.5', 'latest', '3.5.30\n--x'])('etcd %j is not known', (version) => {
    expect(codeOf(() => renderMember({ ...member, version }))).toBe('ERR_VERSION_UNSUPPORTED')
  })

  it.each([['periodic', '8h'], ['revision', '10000']] as const)('compacts by itself: %s %s', (mode, retention) => {
    expect(flags({ ...member, autoCompaction: { mode, retention } })).toMatchObject({ '--auto-compaction-mode': mode, '--auto-compaction-retention': retention })
  })
  it.each([['periodic', '0'], ['periodic', '8'], ['periodic', '1h --x'], ['revision', '1h'], ['revision', '0'], ['revision', '-1']] as const)('refuses to compact %s %j', (mode, retention) => {
    expect(codeOf(() => renderMember({ ...member, autoCompaction: { mode, retention } }))).toBe('ERR_RENDER_REFUSED')
  })
})

describe('one authority for clients and peers', () => {
  const peer = keyed({ issuer: 'etcd-clients', subject: 'etcd-peer', key: 'peer-key', dns: ['etcd-0.internal', 'etcd-peers.internal'] })
  const shared: MemberOptions = { ...member, peer, trust: { clients: clientsAuthority, peers: clientsAuthority } }
  const hostname = { hostname: 'etcd-peers.internal' }
  const commonName = { commonName: 'etcd-peer', policy }

  it('is refused without a guard, and the message says what is at stake', () => {
    expect(() => renderMember(shared)).toThrow(/which is to be root; wanted .*guard; /)
    expect(codeOf(() => renderMember(shared))).toBe('ERR_RENDER_REFUSED')
  })

  it.each([
    ['one of a bundle', { clients: clientsAuthority, peers: peersAuthority + clientsAuthority }],
    ['one of a bundle of clients', { clients: authority('old') + clientsAuthority, peers: clientsAuthority }],
    ['the same key under a renewed certificate', { clients: clientsAuthority, peers: certificate({ subject: 'etcd-clients', issuer: 'etcd-clients', key: 'etcd-clients', dns: ['renewed'] }) }],
    ['the same key under another name', { clients: authority('a', 'one key'), peers: authority('etcd-clients', 'one key') }],
    ['an authority of clients that the one of peers issued', { clients: certificate({ subject: 'etcd-users', issuer: 'etcd-clients', key: 'users' }), peers: clientsAuthority }],
  ])('is recognised as %s', (_, trust) => {
    expect(codeOf(() => renderMember({ ...shared, trust }))).toBe('ERR_RENDER_REFUSED')
    expect(flags({ ...shared, trust: { ...trust, guard: hostname } })['--peer-cert-allowed-hostname']).toBe('etcd-peers.internal')
  })

  it.each(['3.4.0', '3.5.30', '3.6.0', '3.7.3'])('is guarded by host name on %s', (version) => {
    const found = flags({ ...shared, version, trust: { ...shared.trust, guard: hostname } })
    expect([found['--peer-cert-allowed-hostname'], found['--peer-cert-allowed-cn']]).toEqual(['etcd-peers.internal', undefined])
  })
  it.each(['3.3.25', '3.5.30'])('is guarded by Common Name on %s', (version) => {
    const found = flags({ ...shared, version, trust: { ...shared.trust, guard: commonName } })
    expect([found['--peer-cert-allowed-hostname'], found['--peer-cert-allowed-cn']]).toEqual([undefined, 'etcd-peer'])
  })
  it.each([['both', { ...hostname, ...commonName }], ['neither', {}], ['a misspelt one', { hostName: 'etcd-peers.internal' }], ['a word', 'hostname'], ['null', null]])('is a TypeError with a guard of %s', (_, guard) => {
    expect(() => renderMember({ ...shared, trust: { ...shared.trust, guard: guard as never } })).toThrow(TypeError)
  })
  it('is not guarded by host name on 3.3', () => {
    expect(codeOf(() => renderMember({ ...shared, version: '3.3.25', trust: { ...shared.trust, guard: hostname } }))).toBe('ERR_RENDER_REFUSED')
  })

  it.each(['localhost', 'LOCALHOST', '*.internal', '10.0.0.10', '', 'a b', 'a,b', 'other.internal', 'etcd-peers.internal.', 'x'.repeat(300)])('is not guarded by host name %j', (name) => {
    expect(codeOf(() => renderMember({ ...shared, trust: { ...shared.trust, guard: { hostname: name } } }))).toBe('ERR_RENDER_REFUSED')
  })
  it.each([['alice', 'ERR_RENDER_REFUSED'], ['root', 'ERR_NAME_INVALID'], ['etcd-0', 'ERR_RENDER_REFUSED'], ['nobody', 'ERR_RENDER_REFUSED'], ['', 'ERR_NAME_INVALID'], ['a/b', 'ERR_NAME_INVALID']])(
    'is not guarded by Common Name %j', (name, code) => {
      expect(codeOf(() => renderMember({ ...shared, trust: { ...shared.trust, guard: { commonName: name, policy } } }))).toBe(code)
    },
  )

  it('may be guarded too where peers have their own', () => {
    const own = keyed({ issuer: 'etcd-peers', key: 'peer-key', dns: ['etcd-peers.internal'] })
    expect(flags({ ...member, peer: own, trust: { ...member.trust, guard: hostname } })['--peer-cert-allowed-hostname']).toBe('etcd-peers.internal')
  })
})

describe('the HTTP/JSON gateway', () => {
  const own = keyed({ issuer: 'etcd-clients', key: 'gateway-key' })
  const server = keyed({ issuer: 'etcd-clients', key: 'server-key' })

  it.each(['3.5.0', '3.6.0'])('dials with its own certificate on %s', (version) => {
    expect(flags({ ...member, version, gateway: own })).toMatchObject({ '--client-cert-file': '/etc/etcd/tls/gateway.crt', '--client-key-file': '/etc/etcd/tls/gateway.key' })
    expect(flags({ ...member, version, gateway: own })['--enable-grpc-gateway']).toBeUndefined()
  })
  it('dials with the server certificate where the authority of clients issued that', () => {
    expect(flags({ ...member, server, gateway: 'server certificate' })['--enable-grpc-gateway']).toBeUndefined()
  })
  it.each<[string, Partial<MemberOptions>]>([
    ['with a server certificate of another authority', { gateway: 'server certificate' }],
    ['with its own certificate on 3.4', { version: '3.4.23', gateway: own }],
    ['with a certificate of another authority', { gateway: keyed({ issuer: 'etcd-servers', key: 'x' }) }],
    ['with a certificate that is somebody', { gateway: keyed({ issuer: 'etcd-clients', subject: 'alice', key: 'x' }) }],
  ])('is refused %s', (_, change) => {
    expect(codeOf(() => renderMember({ ...member, ...change }))).toBe('ERR_RENDER_REFUSED')
  })
})

describe('the hosts that certificates name', () => {
  const reached = (url: string, server: Partial<Parts>, peer: Partial<Parts> = server): MemberOptions => ({
    ...member,
    clientUrls: { listen: ['https://10.0.0.10:2379'], advertise: [url] },
    peerUrls: { listen: ['https://10.0.0.10:2380'], advertise: [url] },
    cluster: { ...member.cluster, members: { 'etcd-0': [url] } },
    server: keyed({ issuer: 'etcd-servers', key: 'server-key', ...server }),
    peer: keyed({ issuer: 'etcd-peers', key: 'peer-key', ...peer }),
  })

  it.each<[string, Partial<Parts>]>([
    ['https://10.0.0.10:2379', { ips: ['10.0.0.11', '10.0.0.10'] }], ['https://[FD00:0::10]:2379', { ips: ['fd00::10'] }], ['https://etcd-0.internal:2379', { dns: ['etcd-0.internal'], ips: [] }],
    ['https://ETCD-0.internal:2379', { dns: ['etcd-0.INTERNAL'] }], ['https://etcd-0.internal:2379', { dns: ['*.internal'] }],
  ])('are %s by %j', (url, names) => {
    expect(flags(reached(url, names))['--advertise-client-urls']).toBe(url)
  })

  it.each<[string, Partial<Parts>]>([
    ['https://10.0.0.10:2379', { ips: [] }], ['https://10.0.0.10:2379', { ips: ['10.0.0.11'] }], ['https://10.0.0.10:2379', { ips: [], dns: ['10.0.0.10'] }], ['https://10.0.0.10:2379', { ips: [], subject: '10.0.0.10' }],
    ['https://etcd-0.internal:2379', { subject: 'etcd-0.internal' }], ['https://etcd-0.internal:2379', { dns: ['etcd-1.internal'] }], ['https://etcd-0.internal:2379', { dns: ['internal', '*', '*.*', '*internal'] }],
    ['https://a.etcd-0.internal:2379', { dns: ['*.internal'] }], ['https://internal:2379', { dns: ['*.internal'] }], ['https://[fd00::10]:2379', { ips: ['fd00::11'] }],
  ])('are not %s by %j: whoever dials it would refuse the member', (url, names) => {
    const good = { ips: ['10.0.0.10', 'fd00::10'], dns: ['etcd-0.internal', 'a.etcd-0.internal', 'internal'] }
    const host = url.replace(/^https:\/\/|:\d+$/g, '')
    expect(renderMember(reached(url, good)).arguments.length).toBeGreaterThan(0)
    for (const [options, what] of [[reached(url, names, good), 'server certificate'], [reached(url, good, names), 'peer certificate']] as const) {
      expect(codeOf(() => renderMember(options))).toBe('ERR_RENDER_REFUSED')
      expect(() => renderMember(options)).toThrow(`the ${what} does not name "${host}"`)
    }
  })

  it('must be all that are advertised, and not all that are listened on: then a note says who is turned away', () => {
    const two = { ...member, clientUrls: { ...member.clientUrls, advertise: ['https://10.0.0.10:2379', 'https://etcd-0.internal:2379'] } }
    expect(() => renderMember(two)).toThrow('does not name "etcd-0.internal"')
    const narrow = { ...member, server: keyed({ issuer: 'etcd-servers', key: 'server-key', ips: ['10.0.0.10'] }) }
    expect(renderMember(narrow).notes.join()).toContain('127.0.0.1')
    expect(renderMember({ ...narrow, clientUrls: { ...member.clientUrls, listen: ['https://0.0.0.0:2379'] } }).notes).toEqual(renderMember(member).notes)
  })
})

describe('what a member is refused for', () => {
  const urls = (url: string): MemberOptions => ({ ...member, clientUrls: { ...member.clientUrls, listen: [url] } })

  it.each([
    'http://10.0.0.10:2379', 'https://10.0.0.10', 'https://10.0.0.10:2379/', 'https://10.0.0.10:2379/x', 'https://u:p@10.0.0.10:2379', 'https://10.0.0.10:2379?x', 'https://10.0.0.10:0',
    'https://10.0.0.10:65536', 'https://10.0.0.256:2379', 'https://10.0.0:2379', 'https://01.0.0.1:2379', 'https://etcd-0.internal:2379', 'https://[fd00::1:2379', 'https://[::g]:2379',
    'https://10.0.0.10:2379,https://0.0.0.0:1', 'https://10.0.0.10:2379\n', ' https://10.0.0.10:2379', 'unix:///x', '', 'https://*:2379', 'https://é:2379', 'https://[1.2.3.4]:2379', 'HTTPS://10.0.0.10:2379',
  ])('listening on %j', (url) => {
    expect(codeOf(() => renderMember(urls(url)))).toBe('ERR_RENDER_REFUSED')
  })
  it.each(['https://0.0.0.0:2379', 'https://[::]:2379', 'https://localhost:2379', 'https://[fd00::10]:2379', 'https://[::ffff:10.0.0.1]:2379'])('but not listening on %s', (url) => {
    expect(flags(urls(url))['--listen-client-urls']).toBe(url)
  })
  it.each(['https://0.0.0.0:2379', 'https://[::]:2379', 'https://[0:0::0]:2379', 'http://10.0.0.10:2379'])('advertising %s', (url) => {
    expect(codeOf(() => renderMember({ ...member, clientUrls: { ...member.clientUrls, advertise: [url] } }))).toBe('ERR_RENDER_REFUSED')
  })

  it.each([
    'var/lib/etcd', '/var/lib/../etcd', '/var/lib/./etcd', '/var//lib', '/var/lib/etcd/', '/', '', '/var/lib/a b', '/var/lib/a=b', '/var/lib/a\nb', '/var/lib/a\0b', '/var/lib/%i', '/var/lib/$HOME',
    '/var/lib/"a', '/var/lib/a;b', '/var/lib/a\\b', '/var/lib/é', '~/etcd', 'C:\\etcd',
  ])('the path %j', (path) => {
    expect(codeOf(() => renderMember({ ...member, dataDirectory: path }))).toBe('ERR_RENDER_REFUSED')
    expect(codeOf(() => renderMember({ ...member, certificatesDirectory: path }))).toBe('ERR_RENDER_REFUSED')
  })

  it.each<[string, Partial<MemberOptions>, string]>([
    ['certificates within the data', { certificatesDirectory: '/var/lib/etcd/tls' }, 'ERR_RENDER_REFUSED'],
    ['data in place of a certificate', { dataDirectory: '/etc/etcd/tls/server.crt' }, 'ERR_RENDER_REFUSED'],
    ['data below a key', { dataDirectory: '/etc/etcd/tls/peer.key/data' }, 'ERR_RENDER_REFUSED'],
    ['certificates in place of the data', { certificatesDirectory: '/var/lib/etcd' }, 'ERR_RENDER_REFUSED'],
    ['no URL', { peerUrls: { listen: [], advertise: ['https://10.0.0.10:2380'] } }, 'ERR_RENDER_REFUSED'],
    ['a URL twice', { peerUrls: { listen: ['https://10.0.0.10:2380', 'https://10.0.0.10:2380'], advertise: ['https://10.0.0.10:2380'] } }, 'ERR_RENDER_REFUSED'],
    ['a name with a comma', { name: 'a,b' }, 'ERR_RENDER_REFUSED'],
    ['a name with an equals sign', { name: 'a=b' }, 'ERR_RENDER_REFUSED'],
    ['a name with a newline', { name: 'a\nb' }, 'ERR_NAME_INVALID'],
    ['a name that is a flag', { name: '--x' }, 'ERR_RENDER_REFUSED'],
    ['a cluster without it', { cluster: { ...member.cluster, members: { 'etcd-1': ['https://10.0.0.11:2380'] } } }, 'ERR_RENDER_REFUSED'],
    ['a cluster that knows it elsewhere', { cluster: { ...member.cluster, members: { 'etcd-0': ['https://10.0.0.99:2380'] } } }, 'ERR_RENDER_REFUSED'],
    ['two members at one URL', { cluster: { ...member.cluster, members: { ...member.cluster.members, 'etcd-2': ['https://10.0.0.11:2380'] } } }, 'ERR_RENDER_REFUSED'],
    ['a member over http', { cluster: { ...member.cluster, members: { ...member.cluster.members, 'etcd-2': ['http://10.0.0.12:2380'] } } }, 'ERR_RENDER_REFUSED'],
    ['a member named like two', { cluster: { ...member.cluster, members: { ...member.cluster.members, 'x=https://evil:2380,y': ['https://10.0.0.12:2380'] } } }, 'ERR_NAME_INVALID'],
    ['a token with a space', { cluster: { ...member.cluster, token: 'a b' } }, 'ERR_RENDER_REFUSED'],
    ['a peer certificate of another authority', { peer: keyed({ issuer: 'etcd-clients', key: 'peer-key' }) }, 'ERR_RENDER_REFUSED'],
    ['a server certificate that is none', { server: keyed({ issuer: 'etcd-servers', key: 'x', usages: ['clientAuth'] }) }, 'ERR_RENDER_REFUSED'],
    ['a peer certificate that cannot dial', { peer: keyed({ issuer: 'etcd-peers', key: 'x', usages: ['serverAuth'] }) }, 'ERR_RENDER_REFUSED'],
    ['a peer certificate that cannot be dialled', { peer: keyed({ issuer: 'etcd-peers', key: 'x', usages: ['clientAuth'] }) }, 'ERR_RENDER_REFUSED'],
    ['a gateway with a server certificate that cannot dial', { gateway: 'server certificate', server: keyed({ issuer: 'etcd-clients', key: 'x', usages: ['serverAuth'] }) }, 'ERR_RENDER_REFUSED'],
    ['a gateway that cannot dial', { gateway: keyed({ issuer: 'etcd-clients', key: 'x', usages: ['serverAuth'] }) }, 'ERR_RENDER_REFUSED'],
    ['a key for a certificate', { server: { ...member.server, certificate: privateKey('x') } }, 'ERR_PEM_INVALID'],
    ['a key behind a certificate', { server: { ...member.server, certificate: String(member.server.certificate) + privateKey('x') } }, 'ERR_PEM_INVALID'],
    ['a key among authorities', { trust: { ...member.trust, clients: clientsAuthority + privateKey('x') } }, 'ERR_PEM_INVALID'],
    ['a certificate for a key', { server: { ...member.server, key: clientsAuthority } }, 'ERR_PEM_INVALID'],
    ['two keys', { server: { ...member.server, key: privateKey('x') + privateKey('y') } }, 'ERR_PEM_INVALID'],
    ['no authority', { trust: { ...member.trust, clients: '\n' } }, 'ERR_RENDER_REFUSED'],
    ['a certificate that is none', { trust: { ...member.trust, peers: '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n' } }, 'ERR_DER_INVALID'],
  ])('%s', (_, change, code) => {
    expect(codeOf(() => renderMember({ ...member, ...change }))).toBe(code)
  })

  it('never shows a key in the message', () => {
    const [, body = ''] = String(member.server.key).split('\n')
    expect(body.length).toBeGreaterThan(8)
    for (const key of [`x${String(member.server.key)}`, `-----BEGIN PRIVATE KEY-----\n${body}`, body]) {
      let thrown: unknown
      try {
        renderMember({ ...member, server: { ...member.server, key } })
      } catch (error) {
        thrown = error
      }
      expect(isEtcdRbacError(thrown, 'ERR_PEM_INVALID')).toBe(true)
      expect(`${String(thrown)} ${JSON.stringify(thrown)}`).not.toContain(body)
    }
  })

  it.each<[string, object]>([
    ['v2', { v2: undefined }], ['gateway', { gateway: undefined }], ['name', { name: 7 }], ['state', { cluster: { ...member.cluster, state: 'old' } }],
    ['listen', { clientUrls: { listen: 'https://10.0.0.10:2379', advertise: ['https://10.0.0.10:2379'] } }], ['dataDirectory', { dataDirectory: undefined }], ['version', { version: 3 }],
    ['token', { cluster: { ...member.cluster, token: undefined } }],
  ])('a TypeError where JavaScript gives no proper %s', (_, change) => {
    expect(() => renderMember({ ...member, ...change })).toThrow(TypeError)
  })
})
