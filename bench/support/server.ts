/** A fresh etcd for each run: one member, mutual TLS, auth on, and nobody in it but root. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Etcd3 } from 'etcd3'
import {
  createCa, createCsr, days, EtcdAuth, etcd3Options, generateKeyPair, hostsOf, issueClient, issuePeer, issueServer, renderMember, toCommand, v3Backend,
} from 'etcd-rbac'
import { freePorts, startEtcd } from '../../examples/support/etcd.js'
import { writeRendered, writeText } from '../../examples/support/output.js'
import { onlyRoot } from './shape.js'

export type AuthClient = Etcd3['auth']

export interface Server {
  /** Connected by root's certificate. */
  readonly etcd: Etcd3
  /** What etcdctl is told by its environment. */
  readonly environment: Readonly<Record<string, string>>
  stop(): Promise<void>
}

export interface Material {
  readonly servers: string
  readonly clients: string
  readonly peers: string
  readonly server: { readonly certificate: string; readonly key: string }
  readonly peer: { readonly certificate: string; readonly key: string }
  readonly root: { readonly certificate: string; readonly key: string }
}

/** Three authorities, and what a member and root need of them; the same for all runs. */
export async function makeMaterial(): Promise<Material> {
  const { crypto } = globalThis
  const now = new Date()
  const validity = days(2).from(now, { backdateMinutes: 5 })
  const authority = async <const P extends 'client' | 'server' | 'peer'>(purpose: P) =>
    createCa(crypto, { name: `etcd-${purpose}s`, signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer, validity: days(3).from(now, { backdateMinutes: 5 }), issues: [purpose] })
  const request = async (commonName?: string) => {
    const keys = await generateKeyPair(crypto, 'ecdsa-p256', { extractable: true })
    return { csr: await createCsr(crypto, { signer: keys.signer, ...(commonName === undefined ? {} : { commonName }) }), key: await keys.exportPkcs8() }
  }
  const [clients, servers, peers] = [await authority('client'), await authority('server'), await authority('peer')]
  const [root, server, peer] = [await request('root'), await request(), await request()]
  const member = { policy: onlyRoot, member: 'etcd-0', hosts: hostsOf('https://127.0.0.1:2379'), validity }
  return {
    clients: clients.certificate,
    servers: servers.certificate,
    peers: peers.certificate,
    root: { certificate: (await issueClient(clients, { policy: onlyRoot, user: 'root', csr: root.csr, validity })).chain, key: root.key },
    server: { certificate: (await issueServer(servers, { ...member, csr: server.csr })).chain, key: server.key },
    peer: { certificate: (await issuePeer(peers, { ...member, csr: peer.csr })).chain, key: peer.key },
  }
}

export async function startServer({ binary, version }: { readonly binary: string; readonly version: string }, material: Material): Promise<Server> {
  const directory = await mkdtemp(join(tmpdir(), 'etcd-rbac-bench-'))
  const [clientPort = 0, peerPort = 0] = await freePorts(2)
  const [url, peerUrl] = [`https://127.0.0.1:${clientPort}`, `https://127.0.0.1:${peerPort}`]
  const rendered = renderMember({
    version,
    name: 'etcd-0',
    clientUrls: { listen: [url], advertise: [url] },
    peerUrls: { listen: [peerUrl], advertise: [peerUrl] },
    cluster: { members: { 'etcd-0': [peerUrl] }, state: 'new', token: 'bench' },
    dataDirectory: join(directory, 'data'),
    certificatesDirectory: join(directory, 'certificates'),
    server: material.server,
    peer: material.peer,
    trust: { clients: material.clients, peers: material.peers },
    v2: false,
    gateway: 'off',
  })
  await writeRendered(rendered)
  const { certificate, key } = material.root
  const files = { ETCDCTL_CACERT: join(directory, 'ca.pem'), ETCDCTL_CERT: join(directory, 'root.pem'), ETCDCTL_KEY: join(directory, 'root-key.pem') }
  await writeText(files.ETCDCTL_CACERT, material.servers, 0o644)
  await writeText(files.ETCDCTL_CERT, certificate, 0o644)
  await writeText(files.ETCDCTL_KEY, key, 0o600)
  const running = await startEtcd({ binary, args: toCommand(rendered.arguments), directory: join(directory, 'run'), ready: { url, tls: { ca: material.servers, cert: certificate, key } } })
  const etcd = new Etcd3(etcd3Options({ hosts: url, ca: material.servers, certificate, key }))
  const stop = async (): Promise<void> => {
    etcd.close()
    await running.stop()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const auth = new EtcdAuth(v3Backend(etcd.auth, { maintenance: etcd.maintenance }), { identity: { user: 'root' } })
    await auth.apply(await auth.plan(onlyRoot, { unmanaged: 'report', enable: true }))
  } catch (error) {
    await stop()
    throw error
  }
  return { etcd, environment: { ...files, ETCDCTL_ENDPOINTS: url }, stop }
}
