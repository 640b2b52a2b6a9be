/** Turning auth on over a cluster that is in use, on real servers: what goes on without a right until it is cut, and the way back from being locked out. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MemoryClient } from '../../src/testing/index.js'
import { EtcdAuth, v3Backend } from '../../src/auth/index.js'
import { anonymous, definePolicy, get, prefix, put, readwrite, type Policy } from '../../src/policy/index.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'
import type { As } from '../contract/world.js'

const policyWith = (held: readonly ['app'] | readonly []): Policy =>
  definePolicy({
    users: { root: 'certificate', app: 'certificate' },
    members: ['etcd-0', 'etcd-1', 'etcd-2'],
    authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
    v3: { roles: { app: [readwrite(prefix('/app/'))] }, bindings: { root: ['root'], app: held } },
  })
const policy = policyWith(['app'])
const options = { unmanaged: 'report', enable: true, acknowledgeOpenV2: true, acknowledgePasswordsInLog: true } as const

const lanes = await testLanes()
const asked = new Set(['3.4.23', '3.5.35', '3.6.16', '3.7.3'])

/** A watch that stays open, and what it has been told. */
interface Held {
  readonly keys: readonly string[]
  hasEnded(): boolean
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20))
}

describe.each(lanes.filter(({ name }) => asked.has(name)))('etcd $name, three members', (lane) => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster({ lane, members: 3, policy })
  })
  afterAll(async () => {
    await cluster.stop()
  })
  const authOf = async () => {
    const clients = await Promise.all(cluster.clientUrls.map(async (url) => (await cluster.client('root', [url])).auth))
    return new EtcdAuth(v3Backend(clients, { versions: [lane.version] }), { identity: { user: 'root' } })
  }
  const held = async (user: As, start: string): Promise<Held> => {
    // By a client and a connection of its own, to the first member.
    const { watchClient } = (await cluster.client(user, cluster.clientUrls.slice(0, 1))) as unknown as Pick<MemoryClient, 'watchClient'>
    const keys: string[] = []
    const state = { created: false, ended: false }
    const stream = await watchClient.watch()
    for (const end of ['error', 'end', 'close'] as const) stream.on(end as 'error', () => (state.ended = true))
    stream.on('data', ({ created, canceled, events }) => {
      if (canceled) state.ended = true
      else if (created) state.created = true
      for (const { kv } of events) keys.push(Buffer.from(kv.key).toString())
    })
    stream.write({ create_request: { key: Buffer.from(start), range_end: Buffer.from(`${start.slice(0, -1)}0`) } })
    await until(() => state.created || state.ended)
    return { keys, hasEnded: () => state.ended }
  }
  /** By whichever member answers. */
  const write = async (key: string): Promise<void> => {
    const client = await cluster.client('root')
    await until(() => client.put(key).value('x').then(() => true, () => false))
  }

  test('a watch from before goes on without any right after enabling and after revoking, as sever says, until the members are restarted one at a time', async () => {
    const stranger = await held(anonymous, '/secret/')
    const auth = await authOf()
    const enabled = await auth.apply(await auth.plan(policy, options))
    expect(enabled.sever).toBe('everyone')
    expect(await cluster.attempt(anonymous, get('/secret/a'))).toBe(false)
    await write('/secret/a')
    await until(() => stranger.keys.length > 0)
    expect(stranger.keys).toEqual(['/secret/a'])

    const app = await held('app', '/app/')
    const revoked = await auth.apply(await auth.plan(policyWith([]), options))
    expect(revoked.sever).toEqual(['app'])
    expect(await cluster.attempt('app', put('/app/x'))).toBe(false)
    await write('/app/y')
    await until(() => app.keys.length > 0)

    for (const member of cluster.members) {
      await member.kill()
      // The others go on: what is written meanwhile is there afterwards.
      await write(`/between/${member.url}`)
      await member.start()
    }
    await until(() => stranger.hasEnded() && app.hasEnded())
    await write('/secret/b')
    expect(stranger.keys).toEqual(['/secret/a'])
    const again = await held(anonymous, '/secret/')
    await until(() => again.hasEnded())
    expect((await auth.drift(policyWith([]), { acknowledgeOpenV2: true })).outcome).toBe('in sync')
  })
})

describe.each(lanes)('etcd $name that does not ask for client certificates', (lane) => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster({ lane, members: 1, policy, clientCertificates: 'not asked for' })
  })
  afterAll(async () => {
    await cluster.stop()
  })
  const authOf = async () => new EtcdAuth(v3Backend((await cluster.client('root')).auth, { versions: [lane.version], crypto: globalThis.crypto }), { identity: { user: 'root' } })

  test('locks out whoever turns auth on, which is said at once; restarted so that it does, root is root, and auth goes off and on again', async () => {
    const auth = await authOf()
    const plan = await auth.plan(policy, options)
    await expect(auth.apply(plan)).rejects.toMatchObject({ code: 'ERR_LOCKED_OUT', message: expect.stringContaining('--client-cert-auth on every member') as string })
    await expect(auth.state()).rejects.toMatchObject({ code: 'ERR_NOT_AUTHENTICATED' })
    await expect(auth.disable()).rejects.toMatchObject({ code: 'ERR_NOT_AUTHENTICATED' })

    for (const member of cluster.members) {
      await member.kill()
      await member.start({ clientCertificates: 'required' })
    }
    const back = await authOf()
    expect((await back.drift(plan)).outcome).toBe('in sync')
    expect((await back.disable()).outcome).toBe('changed')
    expect(await cluster.attempt(anonymous, put('/app/x'))).toBe(true)
    expect((await back.enable({ acknowledgeOpenV2: true })).outcome).toBe('changed')
    expect(await cluster.attempt(anonymous, put('/app/x'))).toBe(false)
  })
})
