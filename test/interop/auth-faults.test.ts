/**
 * Applying policies to real etcd servers with faults on the way: nobody gains by it, nobody is locked out, and planning and applying again ends it.
 * At each step in turn on the double: test/property/auth-faults.test.ts.
 *
 * `FAULT_SAMPLES=20` takes more steps for each kind of fault, `FAULT_SEED` takes the same again.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attemptV2, attemptV3, v3Client, type V3Client } from '../../examples/support/attempt.js'
import { httpsFetch } from '../../examples/support/https-fetch.js'
import { EtcdAuth, v2Backend, v3Backend, type Api, type Backend, type EtcdAuthOptions, type Plan, type V3Transport } from '../../src/auth/index.js'
import { etcd3Transport } from '../../src/auth/v3/transport.js'
import { anonymous, definePolicy } from '../../src/policy/index.js'
import { operationsOf, options, usersOf } from '../support/auth-policies.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'
import { createJourney, endOf, MOST_USERS, reach, type End } from '../support/fault-journey.js'
import { atWrite, failsBefore, faultyFetch, faultyTransport, losesAnswer, neverAnswered, neverSent, type Fault, type Placed } from '../support/faults.js'
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

      test('a client that is killed as it writes opens nothing, and what it leaves is made good by the next one', async () => {
        const material = { hosts: cluster.clientUrls, ca: cluster.serverCa, ...(await cluster.credentials('root')) }
        await travel('is the last of its client', async ({ policy }, at) => {
          expect(await applyAndKill({ api, material, versions: [lane.version], policy, options, at })).toBe('SIGKILL')
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
    beforeAll(async () => {
      cluster = await startCluster({ lane, members: 3, policy: everyone })
      for (const url of cluster.clientUrls) living.add(url)
    })
    afterAll(async () => {
      await cluster.stop()
    })

    describe.each<Api>(lane.v2 === 'none' ? ['v3'] : ['v3', 'v2'])('on %s', (api) => {
      /** Root at each member. */
      const transports = new Map<string, V3Transport>()
      beforeAll(async () => {
        for (const url of cluster.clientUrls) transports.set(url, etcd3Transport((await cluster.client('root', [url])).auth))
      })

      const facade = (backend: Backend, more: Partial<EtcdAuthOptions> = {}): EtcdAuth => new EtcdAuth(backend, { identity, ...more })
      /** Root at these members, who stand in for one another on v3; on v2 at the first of them. */
      const backendOf = async (urls: readonly string[], placed: Placed = atWrite(0, failsBefore)): Promise<Backend> => {
        if (api === 'v3') return v3Backend(urls.map((url) => faultyTransport(transports.get(url)!, placed)), { versions: [lane.version], crypto })
        return v2Backend({ fetch: faultyFetch(await cluster.fetch('root'), placed), endpoint: urls[0]!, crypto })
      }
      /** A member that runs and holds all that was written: on v2 each answers by what it has heard of, unless a quorum is asked for. */
      const upToDate = async (url = [...living][0]!): Promise<string> => {
        if (api === 'v2') await (await cluster.fetch('root'))(`${url}/v2/keys/?quorum=true`, { method: 'GET' })
        return url
      }
      const clients = new Map<string, V3Client>()
      const { here, travel } = createJourney({
        where: `etcd ${lane.name} ${api} with three members`,
        api,
        // The dead one is among those that are asked, where there may be several.
        root: async () => facade(await backendOf(api === 'v3' ? cluster.clientUrls : [await upToDate()])),
        attempt: async (user, operation) => {
          const [url = ''] = living
          if (operation.keys.api === 'v2') return attemptV2(await cluster.fetch(user), url, operation, operation.keys)
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
          expect((await facade(await backendOf([await upToDate(member.url)])).plan(here(), options)).outcome).toBe('in sync')
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
          const first = random(cluster.clientUrls.length)
          const inTurn = [...cluster.clientUrls.slice(first), ...cluster.clientUrls.slice(0, first)]
          const auth = facade(await backendOf(inTurn, placed), { deadlineMilliseconds: 2_000 })
          const end = await endOf(auth.apply(plan))
          expect(placed.isReached()).toBe(true)
          await dead
          await cluster.leader()
          await upToDate()
          return end
        })
        await revive()
      })

      test('a write after which no two members run opens nothing, locks nobody out, and is made good by the next run when they have come back', async () => {
        const what = 'loses its quorum'
        const ends = await travel(what, async (plan, at, random) => {
          await revive()
          const staying = random(cluster.members.length)
          const gone = cluster.members.filter((_, index) => index !== staying)
          let dead: Promise<unknown> = Promise.resolve()
          const placed = atWrite(at, async (send) => {
            dead = Promise.all(gone.map((member) => member.kill()))
            await dead
            return send()
          })
          const auth = facade(await backendOf([cluster.clientUrls[staying]!], placed), { deadlineMilliseconds: 1_000 })
          const end = await endOf(auth.apply(plan))
          expect(placed.isReached()).toBe(true)
          await dead
          await Promise.all(gone.map((member) => member.start()))
          await cluster.leader()
          await upToDate()
          return end
        })
        for (const end of ends) expect(end).not.toBe('done')
        await revive()
      })
    })
  })
}
