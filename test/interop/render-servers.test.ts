/** Starts real etcd with what is rendered: the peer port under each kind of trust, both forms of settings, the HTTP gateway, and both proxies. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePorts, startEtcd, type RunningEtcd } from '../../examples/support/etcd.js'
import { httpsFetch } from '../../examples/support/https-fetch.js'
import { writeRendered } from '../../examples/support/output.js'
import { createCsr, generateKeyPair, issueGateway } from '../../src/pki/index.js'
import { definePolicy } from '../../src/policy/index.js'
import { renderGrpcProxy, renderMember, renderTcpGateway, toCommand, type HttpGateway, type MemberOptions, type RenderedMember } from '../../src/render/index.js'
import { testLanes, type Lane } from '../support/cluster.js'
import { makeMaterial, type Keyed, type Material } from '../support/material.js'

const policy = definePolicy({
  users: { root: 'certificate', alice: 'certificate' },
  members: ['etcd-0', 'etcd-peer', 'proxy'],
  authorities: ['etcd-ca', 'etcd-clients', 'etcd-servers', 'etcd-peers'],
  v3: { roles: {}, bindings: { root: ['root'] } },
})
const GUARD = 'etcd-peers.internal'

interface Show {
  readonly ca: string
  readonly cert?: string
  readonly key?: string
}

/** The status of a request, or `'refused'` where TLS ends it; any other failure fails the test. */
async function ask(url: string, tls: Show, body?: string): Promise<number | 'refused'> {
  const fetch = httpsFetch(tls)
  try {
    return (await fetch(url, body === undefined ? {} : { method: 'POST', body })).status
  } catch (error) {
    const { code = '' } = error as { code?: string }
    // The alert may come as such, or as the end of a connection that TLS 1.3 had already opened on this side.
    if (code.startsWith('ERR_SSL_') || code === 'EPROTO' || code === 'ECONNRESET') return 'refused'
    throw error
  } finally {
    fetch.close()
  }
}

/** Certificates without Common Name, for what connects as nobody. */
async function nobody({ clients, validity }: Material): Promise<Keyed> {
  const keys = await generateKeyPair(globalThis.crypto, 'ecdsa-p256', { extractable: true })
  const csr = await createCsr(globalThis.crypto, { signer: keys.signer })
  return { certificate: (await issueGateway(clients, { policy, uri: 'urn:etcd-rbac:nobody', csr, validity })).chain, key: await keys.exportPkcs8() }
}

interface Running {
  readonly material: Material
  readonly directory: string
  readonly client: string
  readonly peer: string
  readonly rendered: RenderedMember
  readonly alice: Keyed
  readonly asAlice: Show
  stop(): Promise<void>
}

async function start(lane: Lane, trust: Parameters<typeof makeMaterial>[1], form: 'arguments' | 'environment', guard?: 'hostname' | 'commonName', without?: string): Promise<Running> {
  const directory = await mkdtemp(join(tmpdir(), 'etcd-rbac-render-'))
  const material = await makeMaterial(policy, trust)
  const [a, b] = await freePorts(2)
  const [client, peer] = [`https://127.0.0.1:${String(a)}`, `https://127.0.0.1:${String(b)}`]
  const splits = lane.version >= '3.5' && trust === 'three authorities'
  const gateway: HttpGateway = splits ? await nobody(material) : 'off'
  const guards: MemberOptions['trust'] = {
    clients: material.clients.certificate,
    peers: material.peers.certificate,
    ...(guard === 'hostname' ? { guard: { hostname: GUARD } } : guard === 'commonName' ? { guard: { commonName: 'etcd-peer', policy } } : {}),
  }
  const rendered = renderMember({
    version: lane.version,
    name: 'etcd-0',
    clientUrls: { listen: [client], advertise: [client] },
    peerUrls: { listen: [peer], advertise: [peer] },
    cluster: { members: { 'etcd-0': [peer] }, state: 'new', token: `render-${String(a)}` },
    dataDirectory: `${directory}/data`,
    certificatesDirectory: `${directory}/certificates`,
    server: await material.server('etcd-0', [client]),
    peer: await material.peer('etcd-0', guard === 'hostname' ? [peer, `https://${GUARD}:1`] : [peer], guard === 'commonName' ? 'etcd-peer' : undefined),
    trust: guards,
    v2: lane.v2 !== 'none',
    gateway,
    autoCompaction: { mode: 'periodic', retention: '1h' },
  })
  await writeRendered(rendered)
  const alice = await material.client('alice')
  const asAlice = { ca: material.servers.certificate, cert: alice.certificate, key: alice.key }
  const etcd = await startEtcd({
    binary: lane.binary,
    directory,
    ready: { url: client, tls: asAlice },
    ...(form === 'arguments' ? { args: toCommand(rendered.arguments.filter(({ flag }) => flag !== without)) } : { args: [], env: rendered.environment }),
  })
  const stop = async (): Promise<void> => {
    await etcd.stop()
    await rm(directory, { recursive: true, force: true })
  }
  return { material, directory, client, peer, rendered, alice, asAlice, stop }
}

const ways = [
  ['three authorities', 'arguments', undefined],
  ['one authority', 'arguments', 'hostname'],
  ['one authority', 'environment', 'commonName'],
] as const
const lanes = await testLanes()
const cases = lanes.flatMap((lane) =>
  ways.filter(([, , guard]) => guard !== 'hostname' || lane.version >= '3.4').map(([trust, form, guard]) => ({ lane, trust, form, guard, version: lane.version })),
)

it('has at least one etcd to judge by', () => {
  expect(lanes.length).toBeGreaterThan(0)
})

describe.each(cases)('etcd $version with $trust (guard: $guard), set by $form', ({ lane, trust, form, guard }) => {
  let running: Running
  beforeAll(async () => {
    running = await start(lane, trust, form, guard)
  })
  afterAll(async () => {
    await running.stop()
  })

  it("refuses the certificates of clients, of root and of the client port at the peer port, and accepts a member's", async () => {
    const { material, peer, alice, directory } = running
    const ca = material.peers.certificate
    const root = await material.client('root')
    const shown = async (name: string): Promise<Show> => {
      const [cert, key] = await Promise.all([`${name}.crt`, `${name}.key`].map((file) => readFile(`${directory}/certificates/${file}`, 'utf8')))
      return { ca, cert: cert!, key: key! }
    }
    expect(await ask(`${peer}/members`, { ca, cert: alice.certificate, key: alice.key })).toBe('refused')
    expect(await ask(`${peer}/members`, { ca, cert: root.certificate, key: root.key })).toBe('refused')
    expect(await ask(`${peer}/members`, await shown('server'))).toBe('refused')
    expect(await ask(`${peer}/members`, { ca })).toBe('refused')
    expect(await ask(`${peer}/members`, await shown('peer'))).toBe(200)
  })

  it('lets in nobody without a certificate at the client port', async () => {
    const { client, material, asAlice } = running
    expect(await ask(`${client}/health`, { ca: material.servers.certificate })).toBe('refused')
    expect(await ask(`${client}/health`, asAlice)).toBe(200)
  })

  it('has the HTTP gateway on where it has a certificate for it, and closed otherwise', async () => {
    const { client, material, rendered } = running
    const { certificate: cert, key } = await nobody(material)
    const path = lane.version < '3.4' ? '/v3beta/kv/range' : '/v3/kv/range'
    const own = rendered.arguments.some(({ flag }) => flag === '--client-cert-file')
    // 3.3 cannot switch it off: with three authorities it cannot dial, with one it can.
    const wanted = own ? 200 : lane.version >= '3.4' ? 404 : trust === 'three authorities' ? 503 : 200
    expect(await ask(`${client}${path}`, { ca: material.servers.certificate, cert, key }, '{"key":"YQ=="}')).toBe(wanted)
  })

  it('serves v2 exactly where it was asked for', async () => {
    expect(await ask(`${running.client}/v2/keys/`, running.asAlice)).toBe(lane.v2 === 'none' ? 404 : 200)
  })
})

// What the guard is for, and that the request above can be answered: nothing else is changed.
it.each(lanes.map((lane) => ({ lane, version: lane.version, guard: lane.version >= '3.4' ? ('hostname' as const) : ('commonName' as const) })))(
  "etcd $version with one authority, its guard taken away, lets a client's certificate in at the peer port",
  async ({ lane, guard }) => {
    const running = await start(lane, 'one authority', 'arguments', guard, guard === 'hostname' ? '--peer-cert-allowed-hostname' : '--peer-cert-allowed-cn')
    const { material, peer, alice } = running
    try {
      expect(await ask(`${peer}/members`, { ca: material.peers.certificate, cert: alice.certificate, key: alice.key })).toBe(200)
    } finally {
      await running.stop()
    }
  },
)

describe.each(lanes)('proxies of etcd $version', (lane) => {
  let running: Running
  beforeAll(async () => {
    running = await start(lane, 'three authorities', 'arguments')
  })
  afterAll(async () => {
    await running.stop()
  })
  const withProxy = async (proxy: Promise<RunningEtcd>, judge: () => Promise<void>): Promise<void> => {
    const started = await proxy
    try {
      await judge()
    } finally {
      await started.stop()
    }
  }

  it("forwards TCP, so that TLS ends at the member with the client's own certificate", async () => {
    const { client, asAlice, directory } = running
    const [port] = await freePorts(1)
    const listen = `127.0.0.1:${String(port)}`
    const { subcommand, arguments: args } = renderTcpGateway({ listen, endpoints: [client], reachedAs: ['127.0.0.1'] })
    const options = { binary: lane.binary, args: [...subcommand, ...toCommand(args)], directory: join(directory, 'gateway'), ready: { url: `https://${listen}`, tls: asAlice } }
    await withProxy(startEtcd(options), async () => {
      expect(await ask(`https://${listen}/health`, { ca: asAlice.ca })).toBe('refused')
    })
  })

  // The newer ones exit where they cannot dial themselves, so that being ready is the proof.
  it('speaks gRPC to those who have a certificate, itself among them', async () => {
    const { client, asAlice, directory, material } = running
    const [port] = await freePorts(1)
    const listen = `127.0.0.1:${String(port)}`
    const rendered = renderGrpcProxy({
      acknowledge: 'clients are not known by their certificates, and the cache answers serializable reads of one to all others',
      listen,
      advertise: listen,
      endpoints: [client],
      certificatesDirectory: `${directory}/proxy-certificates`,
      client: await nobody(material),
      server: await material.server('proxy', [`https://${listen}`]),
      trust: { servers: material.servers.certificate, clients: material.clients.certificate },
    })
    await writeRendered(rendered)
    const args = [...rendered.subcommand, ...toCommand(rendered.arguments)]
    await withProxy(startEtcd({ binary: lane.binary, args, directory: join(directory, 'proxy'), ready: { url: `https://${listen}`, tls: asAlice } }), async () => {
      expect(await ask(`https://${listen}/health`, { ca: asAlice.ca })).toBe('refused')
    })
  })
})
