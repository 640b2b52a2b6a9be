/**
 * Applying policies to real etcd servers with faults on the way: nobody gains by it, nobody is locked out, and planning and applying again ends it.
 * At each step in turn on the double: test/property/auth-faults.test.ts.
 *
 * `FAULT_SAMPLES=20` takes more steps for each kind of fault, `FAULT_SEED` takes the same again.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attemptV3, v3Client, type V3Client } from '../../examples/support/attempt.js'
import { httpsFetch } from '../../examples/support/https-fetch.js'
import { EtcdAuth, v2Backend, v3Backend, type Api, type Backend, type EtcdAuthOptions, type Plan, type V3Transport } from '../../src/auth/index.js'
import { etcd3Transport } from '../../src/auth/v3/transport.js'
import { anonymous, definePolicy } from '../../src/policy/index.js'
import { operationsOf, options, usersOf } from '../support/auth-policies.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'
import { createJourney, endOf, MOST_USERS, reach, type End } from '../support/fault-journey.js'
import { atWrite, failsBefore, faultyFetch, faultyTransport, losesAnswer, neverAnswered, neverSent, type Fault } from '../support/faults.js'
import { startForwarder, type Forwarder } from '../support/forwarder.js'
import { applyAndKill } from '../support/killed-client.js'

const { crypto } = globalThis
const identity = { user: 'root' }
const everyone = definePolicy({
  users: { root: 'certificate', ...Object.fromEntries(usersOf([0, 1], MOST_USERS).map((user) => [user, 'certificate'])) },
  members: ['etcd-0', 'etcd-1', 'etcd-2'],
  authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
})
const lanes = await testLanes()

const faults: readonly (readonly [what: string, fault: Fault, end: End])[] = [
  ['fails before it is sent', failsBefore, 'ERR_UNREACHABLE'],
  ['loses its answer', losesAnswer, 'done'],
  ['is not sent and never answered', neverSent, 'ERR_DEADLINE'],
  ['is done and never answered', neverAnswered, 'done'],
]

for (const lane of lanes) {
  describe(`etcd ${lane.name}`, () => {
    let cluster: Cluster
    let forwarder: Forwarder
    const opened: { close(): unknown }[] = []
    beforeAll(async () => {
      cluster = await startCluster({ lane, members: 1, policy: everyone })
      forwarder = await startForwarder(cluster.clientUrls[0]!)
    })
    afterAll(async () => {
      for (const each of opened) each.close()
      await forwarder.stop()
      await cluster.stop()
    })

    describe.each<Api>(lane.v2 === 'none' ? ['v3'] : ['v3', 'v2'])('on %s', (api) => {
      const root = (): EtcdAuth => new EtcdAuth(cluster.backend(api, 'root'), { identity })
      const { here, travel } = createJourney({ where: `etcd ${lane.name} ${api}`, api, root: async () => root(), attempt: (user, operation) => cluster.attempt(user, operation) })

      /** Applies as root, through the forwarder, with a fault at some write. */
      const applyWith = async (fault: Fault, plan: Plan, at: number): Promise<End> => {
        const placed = atWrite(at, fault)
        const backendOf = async (): Promise<Backend> => {
          if (api === 'v3') return v3Backend(faultyTransport(etcd3Transport((await cluster.client('root', [forwarder.url])).auth), placed), { versions: [lane.version], crypto })
          const { certificate, key } = await cluster.credentials('root')
          const fetch = httpsFetch({ ca: cluster.serverCa, cert: certificate, key })
          opened.push(fetch)
          return v2Backend({ fetch: faultyFetch(fetch, placed), endpoint: forwarder.url, crypto })
        }
        const auth = new EtcdAuth(await backendOf(), { identity, clock: placed.clock })
        const end = await endOf(auth.apply(plan))
        expect(placed.isReached()).toBe(true)
        return end
      }

      test.each(faults)('a write that %s opens nothing, locks nobody out, and is made good by the next run', async (what, fault, wanted) => {
        for (const end of await travel(what, (plan, at) => applyWith(fault, plan, at))) expect(end).toBe(wanted)
      })

      test.each(['request', 'answer'] as const)('a write that is cut off in the middle of its %s opens nothing, locks nobody out, and is made good by the next run', async (way) => {
        const cut: Fault = (send) => {
          forwarder.cutAt(way)
          return send()
        }
        const before = forwarder.cuts()
        const ends = await travel(`is cut off in its ${way}`, (plan, at) => applyWith(cut, plan, at))
        // A client that waits for the connection to come back waits until the deadline.
        for (const end of ends) expect(['done', 'ERR_UNREACHABLE', 'ERR_DEADLINE']).toContain(end)
        expect(forwarder.cuts() - before).toBe(ends.length)
      })

      if (api === 'v3') test('a client that is killed as it writes opens nothing, and what it leaves is made good by the next one', async () => {
        const material = { hosts: cluster.clientUrls, ca: cluster.serverCa, ...(await cluster.credentials('root')) }
        await travel('is the last of its client', async ({ policy }, at) => {
          expect(await applyAndKill({ material, versions: [lane.version], policy, options, at })).toBe('SIGKILL')
          return 'ERR_ABORTED'
        })
      })

      test.each(faults)('the write that turns auth on, which %s, leaves it off, or on with root inside', async (_, fault, wanted) => {
        await reach(root(), here())
        await root().disable()
        expect(await applyWith(fault, await root().plan(here(), options), 1)).toBe(wanted)
        await reach(root(), here())
        expect((await root().plan(here(), options)).outcome).toBe('in sync')
        expect(await cluster.attempt(anonymous, operationsOf(api)[0]!)).toBe(false)
      })
    })
  })
}

for (const lane of lanes.filter(({ name }) => ['3.3.25', '3.4.23', '3.5.35', '3.6.16'].includes(name))) {
  describe(`etcd ${lane.name} with three members`, () => {
    let cluster: Cluster
    /** The members that run. */
    const living = new Set<string>()
    /** Root at each member. */
    const transports: V3Transport[] = []
    beforeAll(async () => {
      cluster = await startCluster({ lane, members: 3, policy: everyone })
      for (const url of cluster.clientUrls) {
        living.add(url)
        transports.push(await rootOf(url))
      }
    })
    afterAll(async () => {
      await cluster.stop()
    })

    const rootOf = async (url: string): Promise<V3Transport> => etcd3Transport((await cluster.client('root', [url])).auth)
    const authOf = (transports: readonly V3Transport[], more: Partial<EtcdAuthOptions> = {}): EtcdAuth => new EtcdAuth(v3Backend(transports, { versions: [lane.version], crypto }), { identity, ...more })
    const clients = new Map<string, V3Client>()
    const { here, travel } = createJourney({
      where: `etcd ${lane.name} with three members`,
      api: 'v3',
      // The dead one is among those that are asked.
      root: async () => authOf(transports),
      attempt: async (user, operation) => {
        if (operation.keys.api !== 'v3') throw new TypeError('these members are asked over v3')
        const [url = ''] = living
        const client = clients.get(user + url) ?? v3Client(await cluster.client(user, [url]))
        clients.set(user + url, client)
        return attemptV3(client, operation, operation.keys)
      },
    })

    /** Starts who died. It has missed what was written without it. */
    const revive = async (): Promise<void> => {
      for (const member of cluster.members) {
        if (living.has(member.url)) continue
        await member.start()
        living.add(member.url)
        expect((await authOf([await rootOf(member.url)]).plan(here(), options)).outcome).toBe('in sync')
      }
    }

    test.each([
      ['meets the end of its leader', 0],
      ['is under way when its leader ends', 8],
    ])('a write that %s opens nothing, locks nobody out, and is made good by the next run', async (what, turns) => {
      await travel(what, async (plan, at, random) => {
        await revive()
        const leader = await cluster.leader()
        let dead = Promise.resolve()
        const kill = (): void => {
          living.delete(leader.url)
          dead = leader.kill()
        }
        // As the request goes out, or so many turns of the event loop later.
        const wait = turns === 0 ? 0 : 1 + random(turns)
        const placed = atWrite(at, async (send) => {
          if (wait === 0) kill()
          const answer = send()
          for (let turn = 0; turn < wait; turn++) await new Promise((resolve) => setImmediate(resolve))
          if (wait > 0) kill()
          return answer
        })
        const first = random(transports.length)
        const inTurn = [...transports.slice(first), ...transports.slice(0, first)].map((transport) => faultyTransport(transport, placed))
        const auth = authOf(inTurn, { deadlineMilliseconds: 2_000 })
        const end = await endOf(auth.apply(plan))
        expect(placed.isReached()).toBe(true)
        await dead
        await cluster.leader()
        return end
      })
      await revive()
    })
  })
}
