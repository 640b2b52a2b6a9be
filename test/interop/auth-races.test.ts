/**
 * Two who apply at once to a real etcd, in orders that seeds decide; and on v2, whose servers lose what is written at once, another who writes to the
 * same roles and users all the while. `RACE_RUNS` asks more of each lane, `RACE_SEED` asks the same again.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Etcd3 } from 'etcd3'
import { httpsFetch, type HttpsFetch } from '../../examples/support/https-fetch.js'
import { EtcdAuth, platformClock, showStep, v2Backend, v3Backend, type Api, type Step } from '../../src/auth/index.js'
import { isEtcdRbacError } from '../../src/errors.js'
import { definePolicy, pattern, read, readwrite, type Policy } from '../../src/policy/index.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'
import { gatedFetch, gatedV3 } from '../support/gated.js'
import type { Turn } from '../support/interleaving.js'
import { everybody, kinds, raceOf, repeatable, seedsOf, tallyOf, type Raced, type Shared } from '../support/two-appliers.js'

const lanes = await testLanes()
const places = lanes.flatMap((lane) => (lane.v2 === 'none' ? (['v3'] as const) : (['v3', 'v2'] as const)).map((api): readonly [string, Api] => [lane.name, api]))
/** Of each lane and API: of each kind one, and so many that there are twenty. */
const RUNS = Math.max(kinds.length, Math.ceil(20 / places.length))
const { crypto } = globalThis

const bare: Policy = definePolicy({ users: { root: 'certificate' }, v3: { roles: {}, bindings: { root: ['root'] } }, v2: { guest: [], roles: {}, bindings: { root: ['root'] } } })

/** What is written beside others on v2, and what stands before: no permission of these roles, and no binding. */
const full: Policy = definePolicy({
  users: { root: 'certificate', admin: 'certificate', alice: 'certificate', bob: 'certificate' },
  v2: {
    guest: [],
    roles: { app: numbered((at) => readwrite(pattern(`/app/${at}/*`))), log: numbered((at) => read(pattern(`/log/${at}/*`))), node: [], spare: [] },
    bindings: { root: ['root'], admin: ['root'], alice: ['app', 'log', 'node'], bob: ['log'] },
  },
})
const empty: Policy = definePolicy({ users: full.users, v2: { guest: [], roles: { app: [], log: [], node: [], spare: [] }, bindings: { root: ['root'], admin: ['root'] } } } as never)

function numbered<T>(make: (at: string) => T): readonly T[] {
  return Array.from({ length: 6 }, (_, at) => make(String(at)))
}

for (const lane of lanes) {
  describe(`etcd ${lane.name}`, () => {
    let cluster: Cluster
    const clients = new Map<string, { readonly etcd: Etcd3; readonly fetch: HttpsFetch }>()
    beforeAll(async () => {
      cluster = await startCluster({ lane, members: 1, policy: everybody })
      for (const user of ['root', 'admin']) {
        const { certificate, key } = await cluster.credentials(user)
        clients.set(user, { etcd: await cluster.client(user), fetch: httpsFetch({ ca: cluster.serverCa, cert: certificate, key }) })
      }
    })
    afterAll(async () => {
      for (const { fetch } of clients.values()) fetch.close()
      await cluster.stop()
    })

    const endpoint = (): string => cluster.clientUrls[0] ?? ''
    const sharedOf = (api: Api): Shared => ({
      api,
      clock: platformClock,
      backend: (user, turn) => {
        const { etcd, fetch } = clients.get(user)!
        if (api === 'v2') return v2Backend({ fetch: turn === undefined ? fetch : gatedFetch(fetch, turn), endpoint: endpoint(), crypto })
        return v3Backend(turn === undefined ? etcd.auth : gatedV3(etcd.auth, turn), { versions: [lane.version], crypto })
      },
      attempt: (user, operation) => cluster.attempt(user, operation),
    })
    const authOf = (api: Api): EtcdAuth => new EtcdAuth(sharedOf(api).backend('root'), { identity: { user: 'root' } })
    const emptied = async (api: Api): Promise<void> => {
      const auth = authOf(api)
      await auth.disable()
      await auth.apply(await auth.plan(bare, { unmanaged: 'remove', enable: false, acknowledgePasswordsInLog: true }))
    }

    test.each(places.flatMap(([name, api], at) => (name === lane.name ? [[api, at] as const] : [])))('two at once on %s keep the laws', async (api, at) => {
      const raced: Raced[] = []
      const seeds = seedsOf(RUNS, at * RUNS)
      for (const seed of seeds) {
        await emptied(api)
        raced.push(await repeatable(seed, () => raceOf(kinds[seed % kinds.length]!, seed, sharedOf(api))))
      }
      console.info(`etcd ${lane.name}, ${api}: ${String(raced.length)} orders from seed ${String(seeds[0])}: ${tallyOf(raced)}`)
      expect(raced.length).toBe(seeds.length)
    })

    if (lane.v2 === 'none') return
    const put = async (what: string, body: object): Promise<number> => (await clients.get('root')!.fetch(`${endpoint()}/v2/auth/${what}`, { method: 'PUT', body: JSON.stringify(body) })).status
    const grant = (role: string, keys: string): Promise<number> => put(`roles/${role}`, { role, grant: { kv: { read: [keys], write: [] } } })
    const revoke = (role: string, keys: string): Promise<number> => put(`roles/${role}`, { role, revoke: { kv: { read: [keys], write: [] } } })

    test('on v2, what is granted at once is answered 200 and lost', async () => {
      await emptied('v2')
      expect(await put('roles/crowd', { role: 'crowd', permissions: { kv: { read: [], write: [] } } })).toBe(201)
      const statuses = await Promise.all(Array.from({ length: 40 }, (_, at) => grant('crowd', `/crowd/${String(at)}`)))
      const kept = (await authOf('v2').state()).roles['crowd']!.length
      console.info(`etcd ${lane.name}, v2: of 40 grants at once, ${String(statuses.filter((status) => status === 200).length)} were answered 200, and ${String(kept)} kept`)
      expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(kept)
    })

    test('on v2, while another writes to the same roles and users, apply reports success only if nothing was lost', async () => {
      await emptied('v2')
      const auth = authOf('v2')
      const options = { unmanaged: 'remove', enable: true } as const
      await auth.apply(await auth.plan(empty, options))
      const ends: number[] = []
      // The race is there when something has been lost. Fewer and fewer others leave it a chance that nothing is.
      while (ends.length < 3 || (ends.every((lost) => lost === 0) && ends.length < 50)) {
        await auth.apply(await auth.plan(empty, options))
        const plan = await auth.plan(full, options)
        const rivals = rivalsOf({ grant, revoke, put }, 5 - 2 * (ends.length % 3))
        const done: Step[] = []
        let writes = 0
        const turn: Turn = async (_, does, run) => {
          if (does === 'write' && writes++ === 0) rivals.start()
          // Quiet comes before the read-back, so that what it finds is what stays.
          if (does === 'read' && writes === plan.steps.length) await rivals.stop()
          return run()
        }
        try {
          const crowded = new EtcdAuth(sharedOf('v2').backend('root', turn), { identity: { user: 'root' } })
          await crowded.apply(plan, { onStep: ({ step, outcome }) => void (outcome === 'done' && done.push(step)) })
          ends.push(0)
          expect((await auth.plan(full, options)).steps).toEqual([])
        } catch (error) {
          if (!isEtcdRbacError(error, 'ERR_READ_BACK')) throw error
          const missing = (await auth.plan(full, options)).steps
          ends.push(missing.length)
          expect(error.detail.differences).toEqual(missing.map(showStep))
          // etcd had answered 200 to each.
          expect(done).toEqual(expect.arrayContaining(missing.map((step) => expect.objectContaining({ ...step, reason: expect.any(String) as string }) as Step)))
        } finally {
          await rivals.stop()
        }
        // Alone, the next run makes it good.
        await auth.apply(await auth.plan(full, options))
        expect((await auth.plan(full, options)).outcome).toBe('in sync')
      }
      console.info(`etcd ${lane.name}, v2: writes lost in each run beside another writer: ${ends.join(', ')}`)
      expect(Math.max(...ends)).toBeGreaterThan(0)
    })
  })
}

interface Wire {
  readonly grant: (role: string, keys: string) => Promise<number>
  readonly revoke: (role: string, keys: string) => Promise<number>
  readonly put: (what: string, body: object) => Promise<number>
}

/** So many others, five at most, who grant and revoke their own in the same roles and users until they are stopped, and leave nothing of it. */
function rivalsOf({ grant, revoke, put }: Wire, count: number): { start(): void; stop(): Promise<void> } {
  const bind = (sort: 'grant' | 'revoke'): Promise<number> => put('users/alice', { user: 'alice', [sort]: ['spare'] })
  const works: readonly (readonly [() => Promise<number>, () => Promise<number>])[] = [
    [() => bind('grant'), () => bind('revoke')] as const,
    ...['app', 'log', 'app', 'log'].map((role, at) => [() => grant(role, `/rival/${String(at)}`), () => revoke(role, `/rival/${String(at)}`)] as const),
  ].slice(0, count)
  let isOver = false
  let running: readonly Promise<void>[] = []
  const work = async ([make, take]: (typeof works)[number]): Promise<void> => {
    while (!isOver) {
      await make()
      await take()
    }
  }
  return {
    start: () => (running = works.map(work)),
    stop: async () => {
      isOver = true
      await Promise.all(running)
      // Some of what was taken has come back with what others had read before.
      for (const [, take] of works) await take()
    },
  }
}
