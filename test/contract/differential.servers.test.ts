/**
 * Random requests to a real etcd and to the double: both answer the same, refusals and their texts included.
 *
 * `DIFFERENTIAL_RUNS=400` asks more, `DIFFERENTIAL_SEED` asks the same again, `DIFFERENTIAL_SHRINK=1` looks for the shortest sequence that differs.
 * Not compared, since no two servers have them alike: ids, raft's index and term, sizes, tokens, times of expiry, the order of unsorted nodes. Not
 * asked: what kills a real member for good, clients without certificate, and what only etcd's memory explains
 * (`touch`).
 */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anonymous, definePolicy } from '../../src/policy/index.js'
import { memoryEtcd, type Clock, type MemoryEtcd } from '../../src/testing/index.js'
import { httpsFetch } from '../../examples/support/https-fetch.js'
import { startCluster, testLanes, type Cluster, type Lane } from '../support/cluster.js'
import { difference, outcomeOf, resolved, revisionIn, senderOf, type V3Request, type V3Sender } from '../support/differential.js'
import { comparison, indexIn, type FetchPair } from '../support/differential-v2.js'
import { beginning as beginningV2, emptying as emptyingV2, expired as expiredV2, expiring as expiringV2, requests as requestsV2, watching as watchingV2, type V2Request } from '../support/v2-requests.js'
import { beginning, certified, changesUsers, emptying, last, requests, touch } from '../support/v3-requests.js'

/** How many sequences a lane gets. */
const runs = Number(process.env['DIFFERENTIAL_RUNS'] ?? 12)
const seed = Number(process.env['DIFFERENTIAL_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))
const parameters = { numRuns: runs, seed, endOnFailure: process.env['DIFFERENTIAL_SHRINK'] === undefined }
const timeout = 60_000 + runs * 5_000
const policy = definePolicy({ users: { root: 'certificate', alice: 'certificate', bob: 'certificate' }, members: ['etcd-0'], authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'] })
/** How long etcd may take until a watch that begins in the past has seen it: it looks ten times a second. */
const CATCH_UP_MS = 300
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))
const minorOf = ({ version }: Lane): number => Number(version.split('.')[1])

/** The time of the servers. */
const clock: Clock = {
  now: () => new Date(),
  after: (milliseconds, run) => {
    const timer = setTimeout(run, milliseconds)
    return () => clearTimeout(timer)
  },
}

/** How many permissions of one role both sides keep in the same order: beyond, the sort of Go before 1.19 or its successor is not stable. */
const stable = (lane: Lane): number => (minorOf(lane) < 4 ? 6 : 12)

async function pair(cluster: Cluster, double: MemoryEtcd) {
  let senders = new Map<string, readonly [real: V3Sender, double: V3Sender]>()
  const asked: V3Request[] = []
  const open = async (): Promise<void> => {
    for (const name of certified) {
      const real = await cluster.client(name === 'stranger' ? anonymous : name)
      senders.set(name, [senderOf(real, true), senderOf(double.as(name), false)])
    }
  }
  await open()
  /** What is missing of what the double's watches of a client have been told, or what is there instead. */
  const behind = (name: string): string | undefined => {
    const [real, own] = senders.get(name)!
    return isDeepStrictEqual(real.told, own.told) ? undefined : difference(`the watches of ${name}`, shownTold(real), shownTold(own))
  }
  /** Waits until the real watches have been told what those of the double have. */
  const settled = async (names: readonly string[]): Promise<void> => {
    // The double answers by itself, but not at once.
    await pause(0)
    for (const name of names) {
      for (const end = Date.now() + 5_000; behind(name) !== undefined && Date.now() < end; ) await pause(5)
      const found = behind(name)
      if (found !== undefined) throw new Error(`${found}before: ${JSON.stringify(asked.slice(-6))}`)
    }
  }
  /** Ends a sequence: whatever the watches were told is the same, and there are no watches any more. */
  const finish = async (): Promise<void> => {
    try {
      await settled(certified)
      // What should not have come may still be on its way.
      if ([...senders.values()].some(([real]) => real.told.control.length > 0)) await pause(20)
      await settled(certified)
    } finally {
      for (const [real, own] of senders.values()) await Promise.all([real.close(), own.close()])
      senders = new Map()
      await open()
    }
  }
  let revision = 1
  let compared = 0
  let lastWatch = 0
  /** Sends a request to both. Compaction waits for watches of the past, and they for it: etcd does both in the background. */
  const both = async (request: V3Request): Promise<void> => {
    const sent = { ...request, message: resolved(request.message, revision) }
    asked.push(sent)
    const [real, own] = senders.get(request.as)!
    if (request.method === 'compact') await pause(CATCH_UP_MS - (Date.now() - lastWatch))
    const [wanted, found] = [await outcomeOf(() => real.send(sent)), await outcomeOf(() => own.send(sent))]
    revision = revisionIn(wanted, revision)
    compared++
    if (!isDeepStrictEqual(found, wanted)) throw new Error(difference(sent, wanted, found))
    if (request.method === 'compact') await pause(30)
    if (request.method !== 'watch') return
    lastWatch = Date.now()
    await settled([request.as])
  }
  return { both, finish, compared: () => compared }
}

const shownTold = ({ told: { control, events } }: V3Sender): unknown => ({ control, events: Object.fromEntries(events) })

async function pairV2(cluster: Cluster, double: MemoryEtcd) {
  const [endpoint = ''] = cluster.clientUrls
  const fetches = new Map<string, FetchPair>()
  for (const name of certified) {
    const { certificate, key } = await cluster.credentials(name === 'stranger' ? anonymous : name)
    fetches.set(name, [httpsFetch({ ca: cluster.serverCa, cert: certificate, key }), double.as(name).fetch])
  }
  let index = 0
  let compared = 0
  const sides = comparison(endpoint)
  const both = async (request: V2Request): Promise<void> => {
    const sent = { ...request, target: request.target.replaceAll(/@(-?\d+)/g, (_, back: string) => String(Math.max(0, index - Number(back)))) }
    index = indexIn(await sides.ask(fetches.get(request.as)!, sent), index)
    compared++
  }
  /** What deletes the keys whose names etcd has chosen. */
  const topKeys = async (): Promise<readonly V2Request[]> => {
    const listed = await double.fetch(`${endpoint}/v2/keys/`, { method: 'GET', redirect: 'manual' })
    const { node } = (await listed.json()) as { node?: { nodes?: { key: string }[] } }
    return (node?.nodes ?? []).map(({ key }) => ({ as: 'root', method: 'DELETE', target: `/v2/keys${encodeURI(key)}?recursive=true` }))
  }
  return { ...sides, both, topKeys, compared: () => compared }
}

/** The permissions of a role that a grant would add to. */
async function held(double: MemoryEtcd, { method, message }: V3Request): Promise<number> {
  if (method !== 'roleGrantPermission') return 0
  const { name } = message as { name: string }
  const reply = await double.auth.roleGet({ role: name }).catch(() => ({ perm: [] }))
  return reply.perm.length
}

const lanes = await testLanes()

for (const lane of lanes) {
  describe(`etcd ${lane.name} and its double`, () => {
    let cluster: Cluster
    let double: MemoryEtcd
    beforeAll(async () => {
      cluster = await startCluster({ lane, members: 1, policy })
      double = memoryEtcd({ version: lane.version, clock, v2: lane.v2 !== 'none', chain: ['etcd-clients'] })
    })
    afterAll(async () => {
      await cluster.stop()
    })

    if (lane.v2 !== 'none') test('answer any sequence of v2 requests alike', async () => {
      const started = Date.now()
      const { both, compareOpen, abort, topKeys, compared } = await pairV2(cluster, double)
      await fc.assert(
        fc.asyncProperty(beginningV2(), requestsV2(60), watchingV2(80), async (first, then, last) => {
          try {
            for (const request of [...emptyingV2, ...(await topKeys()), ...first, ...then, ...last]) await both(request)
            await compareOpen()
          } finally {
            abort()
          }
        }),
        parameters,
      )
      console.info(`etcd ${lane.name}: ${compared()} v2 requests answered alike in ${Date.now() - started} ms, seed ${seed}`)
    }, timeout)

    // Its time is over in no less than two seconds: the oldest and the newest have it alike.
    if ([lanes[0], lanes.at(-1)].includes(lane)) test('let a lease end by itself, with what was put under it, and tell a watch of that', { timeout: 30_000 }, async () => {
      const told: unknown[] = []
      for (const sender of [senderOf(await cluster.client('root'), true), senderOf(double, false)]) {
        const ask = (service: V3Request['service'], method: string, message: object): Promise<unknown> => sender.send({ as: 'root', service, method, message })
        await ask('leaseClient', 'leaseGrant', { ID: '77', TTL: 1 })
        for (const key of ['lease/b', 'lease/a']) await ask('kv', 'put', { key: Buffer.from(key), lease: '77' })
        await ask('watchClient', 'watch', { create_request: { key: Buffer.from('lease/'), range_end: Buffer.from('lease0') } })
        for (const end = Date.now() + 10_000; sender.told.events.size === 0 && Date.now() < end; ) await pause(20)
        told.push([...sender.told.events.values()].map((events) => events.map((event) => (event as { kv: { key: string } }).kv.key)))
        expect(await ask('leaseClient', 'leaseTimeToLive', { ID: '77' })).toMatchObject({ TTL: '-1' })
        await sender.close()
      }
      expect(told).toEqual([[['bytes "lease/a"', 'bytes "lease/b"']], [['bytes "lease/a"', 'bytes "lease/b"']]])
    })

    if (lane.v2 !== 'none') test('tell alike of v2 keys that expire', async () => {
      const { both, awaitNewest, compareOpen, abort } = await pairV2(cluster, double)
      try {
        for (const request of [...emptyingV2, ...expiringV2]) await both(request)
        await awaitNewest()
        for (const request of expiredV2) await both(request)
        await compareOpen()
      } finally {
        abort()
      }
    })

    test('answer any sequence of v3 requests alike', async () => {
      const started = Date.now()
      const { both, finish, compared } = await pair(cluster, double)
      const limits = { emptyRoleName: minorOf(lane) >= 4, missingPermission: minorOf(lane) >= 5 }
      await both(last)
      await fc.assert(
        fc.asyncProperty(beginning(), requests(limits, 60), async (first, then) => {
          for (const request of [...emptying, ...first, ...then]) {
            if ((await held(double, request)) >= stable(lane)) continue
            await both(request)
            if (minorOf(lane) === 5 && changesUsers.includes(request.method)) await both(touch)
          }
          await finish()
        }),
        parameters,
      )
      console.info(`etcd ${lane.name}: ${compared()} v3 requests answered alike in ${Date.now() - started} ms, seed ${seed}`)
    }, timeout)
  })
}
