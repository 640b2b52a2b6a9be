/** One real member of three authorities, whose files and log a test looks after itself. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts, startEtcd, type RunningEtcd } from '../../examples/support/etcd.js'
import type { HttpsFetchOptions } from '../../examples/support/https-fetch.js'
import { writeRendered } from '../../examples/support/output.js'
import type { Policy } from '../../src/policy/index.js'
import { renderMember, toCommand } from '../../src/render/index.js'
import type { Lane } from './cluster.js'
import { makeMaterial, type Keyed, type Material } from './material.js'

export interface OneMemberOptions {
  readonly lane: Lane
  readonly policy: Policy
  /** Who connects to see whether it is up: a user of the policy. */
  readonly user: string
  /** What it trusts for clients. Default: the authority of its material. */
  readonly trusted?: (material: Material) => string
  readonly gateway?: 'on' | 'off'
}

export interface OneMember {
  readonly material: Material
  readonly directory: string
  /** The client's port, and a plain one for its metrics. */
  readonly client: string
  readonly plain: string
  readonly server: Keyed
  readonly user: Keyed
  readonly tls: HttpsFetchOptions & { readonly ca: string; readonly cert: string; readonly key: string }
  readonly etcd: RunningEtcd
  /** Has it show this at its client port: it reads the files at each handshake. */
  readonly show: (pair: Keyed) => Promise<void>
  stop(): Promise<void>
}

export async function startMember({ lane, policy, user: name, trusted = ({ clients }) => clients.certificate, gateway = 'off' }: OneMemberOptions): Promise<OneMember> {
  const directory = await mkdtemp(join(tmpdir(), 'etcd-rbac-member-'))
  const material = await makeMaterial(policy, 'three authorities')
  const [a, b, c] = await freePorts(3)
  const [client, peer, plain] = [`https://127.0.0.1:${String(a)}`, `https://127.0.0.1:${String(b)}`, `http://127.0.0.1:${String(c)}`]
  const server = await material.server('etcd-0', [client])
  const rendered = renderMember({
    version: lane.version,
    name: 'etcd-0',
    clientUrls: { listen: [client], advertise: [client] },
    peerUrls: { listen: [peer], advertise: [peer] },
    cluster: { members: { 'etcd-0': [peer] }, state: 'new', token: `one-${String(a)}` },
    dataDirectory: `${directory}/data`,
    certificatesDirectory: `${directory}/certificates`,
    server,
    peer: await material.peer('etcd-0', [peer]),
    trust: { clients: trusted(material), peers: material.peers.certificate },
    v2: lane.v2 !== 'none',
    gateway: 'off',
  })
  await writeRendered(rendered)
  const user = await material.client(name)
  const tls = { ca: material.servers.certificate, cert: user.certificate, key: user.key }
  const args = [...toCommand(rendered.arguments.filter(({ flag }) => gateway === 'off' || flag !== '--enable-grpc-gateway')), `--listen-metrics-urls=${plain}`]
  const etcd = await startEtcd({ binary: lane.binary, args, directory, ready: { url: client, tls } })
  return {
    material,
    directory,
    client,
    plain,
    server,
    user,
    tls,
    etcd,
    show: async ({ certificate, key }) => {
      await writeFile(`${directory}/certificates/server.crt`, certificate)
      await writeFile(`${directory}/certificates/server.key`, key)
    },
    stop: async () => {
      await etcd.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
