/** Servers that are not what they seem: learners, v2 emulated on v3, and one that refuses every token. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Etcd3 } from 'etcd3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePorts, startEtcd, type RunningEtcd } from '../../examples/support/etcd.js'
import { EtcdAuth, gatewayTransport, observe, v2Backend, v3Backend } from '../../src/auth/index.js'
import { definePolicy, fromKey, key, prefix, read, readwrite, write, type Policy } from '../../src/policy/index.js'
import { startRefusingServer } from '../support/refusing-server.js'
import { testLanes, type Lane } from '../support/cluster.js'

const policy = definePolicy({ users: { root: 'certificate', app: 'certificate' }, v3: { roles: {}, bindings: { root: ['root'] } } })
const lanes = await testLanes()
const minorOf = ({ version }: Lane): number => Number(version.split('.')[1])

/** One member without TLS, on loopback. */
async function startPlain(lane: Lane, directory: string, name: string, [client, peer]: readonly number[], cluster: string, more: readonly string[] = []): Promise<RunningEtcd> {
  const [clientUrl, peerUrl] = [client, peer].map((port) => `http://127.0.0.1:${String(port)}`) as [string, string]
  const args = ['--name', name, '--data-dir', join(directory, name), '--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl, '--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl, '--initial-cluster', cluster, ...more]
  return startEtcd({ binary: lane.binary, args, directory: join(directory, `${name}-run`), ready: { url: clientUrl, health: !more.includes('existing') && !more.some((flag) => flag.startsWith('--experimental')) } })
}

/** One member for the tests of a block. */
function oneMember(lane: Lane, more: readonly string[] = []): { readonly url: () => string } {
  let directory: string
  let etcd: RunningEtcd
  let url: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'etcd-rbac-test-'))
    const [client = 0, peer = 0] = await freePorts(2)
    url = `http://127.0.0.1:${String(client)}`
    etcd = await startPlain(lane, directory, 'one', [client, peer], `one=http://127.0.0.1:${String(peer)}`, more)
  })
  afterAll(async () => {
    await etcd.stop()
    await rm(directory, { recursive: true, force: true })
  })
  return { url: () => url }
}

describe.each(lanes.filter((lane) => minorOf(lane) >= 4))('a learner of etcd $name', (lane) => {
  let directory: string
  const running: RunningEtcd[] = []
  const clients: Etcd3[] = []
  const urls: string[] = []
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'etcd-rbac-test-'))
    const [a = 0, b = 0, c = 0, d = 0] = await freePorts(4)
    const peers = [`http://127.0.0.1:${String(b)}`, `http://127.0.0.1:${String(d)}`] as const
    running.push(await startPlain(lane, directory, 'voter', [a, b], `voter=${peers[0]}`))
    urls.push(...[a, c].map((port) => `http://127.0.0.1:${String(port)}`))
    for (const url of urls) clients.push(new Etcd3({ hosts: url }))
    await clients[0]?.cluster.memberAdd({ peerURLs: [peers[1]], isLearner: true })
    running.push(await startPlain(lane, directory, 'learner', [c, d], `voter=${peers[0]},learner=${peers[1]}`, ['--initial-cluster-state', 'existing']))
  })
  afterAll(async () => {
    for (const client of clients) client.close()
    await Promise.all(running.map((each) => each.stop()))
    await rm(directory, { recursive: true, force: true })
  })

  test('is told apart from the member that votes', async () => {
    const { members, lowestVersion } = await observe(Object.fromEntries(urls.map((url, at) => [url, clients[at]?.maintenance ?? expect.unreachable()])))
    expect(members.map(({ learner, leader, error }) => [learner, leader, error])).toEqual([
      [false, true, undefined],
      [true, false, undefined],
    ])
    expect(lowestVersion).toBe(lane.version)
  })

  test('answers no question on users; another member is asked instead, and written to', async () => {
    const [voter, learner] = clients.map(({ auth }) => auth)
    if (voter === undefined || learner === undefined) throw new Error('two members were started')
    const options = { versions: [lane.version] }
    await expect(new EtcdAuth(v3Backend(learner, options), { identity: { user: 'root' } }).state()).rejects.toThrow('rpc not supported for learner')
    const auth = new EtcdAuth(v3Backend([learner, voter], options), { identity: { user: 'root' } })
    await auth.apply(await auth.plan(policy, { unmanaged: 'report', enable: false }))
    expect((await auth.drift(policy, { enable: false })).outcome).toBe('in sync')
  })
})

describe.each(lanes.filter(({ v2 }) => v2 !== 'none'))('v2 emulated on v3 by etcd $name', (lane) => {
  const server = oneMember(lane, ['--enable-v2=true', '--experimental-enable-v2v3=/emulated'])

  test('is refused: its users would lie open among the keys of v3', async () => {
    const auth = new EtcdAuth(v2Backend({ fetch, endpoint: server.url(), crypto: globalThis.crypto }), { identity: { user: 'root' } })
    await expect(auth.state()).rejects.toThrow(/emulates v2 on v3.*without --experimental-enable-v2v3/)
    await expect(auth.addRole('r')).rejects.toThrow('emulates v2 on v3')
  })
})

describe.each(lanes.filter((lane) => minorOf(lane) >= 4))('the gateway of etcd $name', (lane) => {
  const server = oneMember(lane)
  const authBy = (password?: string) => new EtcdAuth(v3Backend(gatewayTransport({ fetch, endpoint: server.url(), ...(password === undefined ? {} : { login: { user: 'root', password } }) }), { versions: [lane.version] }), { identity: { user: 'root' } })
  const acknowledged = { acknowledgePasswordsInLog: true, unmanaged: 'remove', enable: true } as const
  const policyAt = (turn: 0 | 1): Policy =>
    definePolicy({
      users: { root: 'password', app: 'certificate', [`user-${String(turn)}`]: 'password' },
      v3: { roles: { app: [turn === 0 ? readwrite(prefix('/app/')) : read(prefix('/app/')), write(key(new Uint8Array([255, turn]))), read(fromKey('/z'))] }, bindings: { root: ['root'], app: ['app'] } },
    } as never)
  const [before, after] = [policyAt(0), policyAt(1)]
  const passwords = { root: 'the password of root', 'user-0': 'a password', 'user-1': 'a password' }

  test('plans, applies, enables and proves root, all by HTTP and a password', async () => {
    const auth = authBy(passwords.root)
    const plan = await auth.plan(before, acknowledged)
    const applied = await auth.apply(plan, { passwords: { root: passwords.root, 'user-0': passwords['user-0'] } })
    expect(applied.state.enabled).toBe(true)
    expect(applied.state.roles['app']).toHaveLength(3)
    const next = await authBy(passwords.root).plan(after, acknowledged)
    await authBy(passwords.root).apply(next, { passwords: { 'user-1': passwords['user-1'] } })
    expect((await authBy(passwords.root).drift(after)).outcome).toBe('in sync')
    expect(Object.keys((await authBy(passwords.root).state()).users)).toEqual(['app', 'root', 'user-1'])
  })

  test('lets nobody in without a password, or by a wrong one', async () => {
    await expect(authBy().state()).rejects.toMatchObject({ code: 'ERR_NOT_AUTHENTICATED' })
    await expect(authBy('wrong').state()).rejects.toMatchObject({ code: 'ERR_NOT_AUTHENTICATED' })
  })
})

test('a server that calls every token invalid is not asked for ever: etcd3 repeats by itself, and the deadline ends it', async () => {
  const server = await startRefusingServer()
  const client = new Etcd3({ hosts: server.url })
  try {
    const auth = new EtcdAuth(v3Backend(client.auth, { versions: ['3.5.35'] }), { identity: { user: 'root' }, deadlineMilliseconds: 400 })
    await expect(auth.state()).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_(DEADLINE|NOT_AUTHENTICATED)$/) as string })
    // What was under way when the deadline passed has ended too.
    await server.isQuiet()
    expect(server.calls()).toBeGreaterThan(1)
  } finally {
    client.close()
    await server.stop()
  }
})
