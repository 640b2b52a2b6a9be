/** Real etcd clusters with mutual TLS on loopback, configured by the library's own rendering. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Etcd3 } from 'etcd3'
import { availableLanes, isCi, lanes, missingLanes, type AvailableLane } from '../../scripts/fetch-etcd.mjs'
import { attemptV2, attemptV3, v3Client } from '../../examples/support/attempt.js'
import { freePorts, startEtcd, type RunningEtcd } from '../../examples/support/etcd.js'
import { httpsFetch, type HttpsFetch, type HttpsFetchOptions } from '../../examples/support/https-fetch.js'
import { writeRendered } from '../../examples/support/output.js'
import { renderMember, toCommand, type RenderedMember } from '../../src/render/index.js'
import { etcd3Options, v2Backend, v3Backend } from '../../src/auth/index.js'
import type { Api } from '../../src/auth/state.js'
import type { Policy } from '../../src/policy/index.js'
import type { As, World } from '../contract/world.js'
import { makeMaterial, type Keyed, type Material, type Trust } from './material.js'

export type Lane = AvailableLane

/** The lanes that are there; says which are not, and under CI fails if one of those is required. */
export async function testLanes(): Promise<readonly Lane[]> {
  const found = await availableLanes()
  const absent = lanes().filter(({ name }) => !found.some((lane) => lane.name === name))
  for (const { name } of absent) console.warn(`lane ${name}: did not run, no such etcd here`)
  const required = await missingLanes()
  if (isCi() && required.length > 0) throw new Error(`required lanes are missing: ${required.map(({ name }) => name).join(', ')}; run npm run fetch-etcd`)
  return found
}

export interface ClusterOptions {
  readonly lane: Lane
  readonly members: 1 | 3
  readonly policy: Policy
  readonly trust?: Trust
  /** Default: as the library renders it. */
  readonly clientCertificates?: 'required' | 'not asked for'
  /** Behind those that the library renders. */
  readonly moreArguments?: readonly string[]
}

/** One member of a cluster: a process of its own, that can die and come back. */
export interface Member {
  readonly url: string
  /** SIGKILL, at once; resolves when the process is gone. */
  kill(): Promise<void>
  /** Starts it again, by the same command (but for what is said here) and with the data that it left, and waits until it is ready, as that client sees it. */
  start(otherwise?: Pick<ClusterOptions, 'clientCertificates'> & { readonly as?: HttpsFetchOptions }): Promise<void>
}

export interface Cluster extends World {
  readonly material: Material
  readonly members: readonly Member[]
  readonly clientUrls: readonly string[]
  readonly peerUrls: readonly string[]
  readonly serverCa: string
  readonly peerCa: string
  readonly directory: string
  credentials(user: As): Promise<Keyed>
  /** An etcd3 client with that user's certificate. */
  client(user: As, hosts?: readonly string[]): Promise<Etcd3>
  /** A fetch with that user's certificate. */
  fetch(user: As): Promise<HttpsFetch>
  /** The leader, as soon as all members that run say that it is the same one, and one that runs. */
  leader(): Promise<Member>
  stop(): Promise<void>
}

/** Certificates for clients that the policy does not know: issued under a policy of their own, by the same authority. */
const STRANGER = 'stranger'

export async function startCluster({ lane, members, policy, trust = 'three authorities', clientCertificates = 'required', moreArguments = [] }: ClusterOptions): Promise<Cluster> {
  const directory = await mkdtemp(join(tmpdir(), 'etcd-rbac-test-'))
  const ports = await freePorts(2 * members)
  const names = ['etcd-0', 'etcd-1', 'etcd-2'].slice(0, members)
  const url = (index: number): string => `https://127.0.0.1:${String(ports[index])}`
  const clientUrls = names.map((_, index) => url(index))
  const peerUrls = names.map((_, index) => url(members + index))
  const strangers: Policy = { ...policy, users: { ...policy.users, [STRANGER]: 'certificate' } }
  const material = await makeMaterial(strangers, trust)
  const v2 = lane.v2 !== 'none'
  const [minor] = /(?<=^3\.)\d+/.exec(lane.version) ?? ['0']
  const credentials = memo(async (name: string) => material.client(name))
  const as = (user: As): string => (typeof user === 'symbol' ? STRANGER : user)

  // One authority for all needs the guard of the peer port: by host name where etcd has that flag, by a reserved Common Name before.
  const guard = trust !== 'one authority' ? undefined : Number(minor) >= 4 ? ({ hostname: 'peer.etcd.test' } as const) : ({ commonName: 'etcd-peer', policy } as const)
  const processes = await Promise.all(
    names.map(async (name, index) => {
      const [client, peer] = [clientUrls[index] ?? '', peerUrls[index] ?? '']
      const peerHosts = guard !== undefined && 'hostname' in guard ? [peer, `https://${guard.hostname}:1`] : [peer]
      const rendered = renderMember({
        version: lane.version,
        name,
        clientUrls: { listen: [client], advertise: [client] },
        peerUrls: { listen: [peer], advertise: [peer] },
        cluster: { members: Object.fromEntries(names.map((member, at) => [member, [peerUrls[at] ?? '']])), state: 'new', token: `test-${String(ports[0])}` },
        dataDirectory: `${directory}/${name}/data`,
        certificatesDirectory: `${directory}/${name}/certificates`,
        server: await material.server(name, [client]),
        peer: await material.peer(name, peerHosts, guard !== undefined && 'commonName' in guard ? guard.commonName : undefined),
        trust: { clients: material.clients.root, peers: material.peers.root, ...(guard === undefined ? {} : { guard }) },
        v2,
        gateway: 'off',
      })
      await writeRendered(rendered)
      return { name, rendered, client }
    }),
  )
  const commandOf = (rendered: RenderedMember, how: ClusterOptions['clientCertificates']): readonly string[] => [
    ...toCommand(rendered.arguments.filter(({ flag }) => how === 'required' || (flag !== '--client-cert-auth' && flag !== '--trusted-ca-file'))),
    ...moreArguments,
  ]
  const { certificate: cert, key } = await credentials('root')
  const tls = { ca: material.servers.root, cert, key }
  const running = new Map<string, RunningEtcd>()
  const all = await Promise.all(
    processes.map(async ({ name, rendered, client: url }): Promise<Member> => {
      // Asked for once: a lane may give each member a binary of its own.
      const { binary } = lane
      const start: Member['start'] = async (otherwise = {}) => {
        running.set(url, await startEtcd({ binary, args: commandOf(rendered, otherwise.clientCertificates ?? clientCertificates), directory: `${directory}/${name}`, ready: { url, tls: otherwise.as ?? tls } }))
      }
      const kill = async (): Promise<void> => {
        const process = running.get(url)
        running.delete(url)
        await process?.kill()
      }
      await start()
      return { url, kill, start }
    }),
  )

  const clients: Etcd3[] = []
  const client = async (user: As, hosts: readonly string[] = clientUrls): Promise<Etcd3> => {
    const made = new Etcd3(etcd3Options({ hosts, ca: material.servers.root, ...(await credentials(as(user))) }))
    clients.push(made)
    return made
  }
  const leader = async (): Promise<Member> => {
    for (;;) {
      const deadline = new Date(Date.now() + 2_000)
      const said = await Promise.all(
        [...running.keys()].map(async (url) => {
          const status = await (await rootOf(url)).maintenance.status({ deadline }).catch(() => undefined)
          return { url, id: status?.header.member_id, leader: status?.leader }
        }),
      )
      const leading = said.find(({ id, leader }) => id !== undefined && id === leader)
      const found = all.find(({ url }) => url === leading?.url)
      if (found !== undefined && said.every(({ leader }) => leader === leading?.id)) return found
      await delay(25)
    }
  }
  const rootOf = memo((url: string) => client('root', [url]))
  const clientOf = memo((user: string) => client(user, clientUrls.slice(0, 1)))
  const fetchOf = memo(async (user: string) => {
    const { certificate, key } = await credentials(user)
    return httpsFetch({ ca: material.servers.root, cert: certificate, key })
  })
  for (const user of ['root', STRANGER, ...Object.keys(policy.users)]) if (policy.users[user] !== 'password') await Promise.all([clientOf(user), fetchOf(user)])
  const [endpoint = ''] = clientUrls
  const ready = <T>(map: Map<string, T>, user: As): T => map.get(as(user)) ?? fail(`no client for ${as(user)}`)
  const etcds = await settled(clientOf.made)
  const fetches = await settled(fetchOf.made)

  return {
    version: lane.version,
    apis: v2 ? ['v3', 'v2'] : ['v3'],
    material,
    members: all,
    clientUrls,
    peerUrls,
    serverCa: material.servers.root,
    peerCa: material.peers.root,
    directory,
    credentials: (user) => credentials(as(user)),
    client,
    fetch: (user) => fetchOf(as(user)),
    leader,
    backend: (api: Api, user: As) => {
      if (api === 'v2') return v2Backend({ fetch: ready(fetches, user), endpoint, crypto: globalThis.crypto })
      const etcd = ready(etcds, user)
      return v3Backend(etcd.auth, { versions: [lane.version], crypto: globalThis.crypto })
    },
    attempt: (user, operation) =>
      operation.keys.api === 'v3'
        ? attemptV3(v3Client(ready(etcds, user)), operation, operation.keys)
        : attemptV2(ready(fetches, user), endpoint, operation, operation.keys),
    stop: async () => {
      for (const each of clients) each.close()
      for (const each of fetchOf.made.values()) (await each).close()
      await Promise.all([...running.values()].map((each) => each.stop()))
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function fail(message: string): never {
  throw new Error(message)
}

function memo<T>(make: (name: string) => Promise<T>): ((name: string) => Promise<T>) & { readonly made: Map<string, Promise<T>> } {
  const made = new Map<string, Promise<T>>()
  const get = (name: string): Promise<T> => {
    const known = made.get(name) ?? make(name)
    made.set(name, known)
    return known
  }
  return Object.assign(get, { made })
}

async function settled<T>(map: ReadonlyMap<string, Promise<T>>): Promise<Map<string, T>> {
  return new Map(await Promise.all([...map].map(async ([name, value]) => [name, await value] as const)))
}
