/** Other clients at work while a policy is applied: all that they are refused is what etcd itself refuses while its auth revision moves. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EtcdAuth, platformClock, type Clock } from '../../src/auth/index.js'
import { definePolicy, prefix, read, readwrite, type Policy } from '../../src/policy/index.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'
import { putStill, startTraffic, type Traffic } from '../support/live-traffic.js'

const LANES: readonly string[] = ['3.3.25', '3.4.23', '3.5.35', '3.6.16']
const PASSWORD = 'of the user who logs in'

/** The rights of those who work stay; around them, so many roles come from number `first` on, each with four permissions and one user for ten of them. */
function policyOf({ first, roles }: { readonly first: number; readonly roles: number }): Policy {
  const numbers = Array.from({ length: roles }, (_, at) => first + at)
  const holders = numbers.filter((number) => number % 10 === 0)
  return definePolicy({
    users: { root: 'certificate', reader: 'certificate', writer: 'certificate', human: 'password', ...Object.fromEntries(holders.map((number) => [`user-${String(number)}`, 'certificate' as const])) },
    members: ['etcd-0'],
    authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
    v3: {
      roles: {
        reading: [read(prefix('/live/')), read(prefix('/still/'))],
        writing: [readwrite(prefix('/live/'))],
        ...Object.fromEntries(numbers.map((number) => [`role-${String(number)}`, ['a', 'b', 'c', 'd'].map((part) => readwrite(prefix(`/tenants/${String(number)}/${part}/`)))])),
      },
      bindings: { root: ['root'], reader: ['reading'], writer: ['writing'], human: ['reading'], ...Object.fromEntries(holders.map((number) => [`user-${String(number)}`, [`role-${String(number)}`]])) },
    },
  })
}
const first = policyOf({ first: 0, roles: 40 })
const second = policyOf({ first: 20, roles: 220 })
const third = policyOf({ first: 20, roles: 231 })
// The password is no secret: etcd before 3.5 keeps it in its log.
const options = { unmanaged: 'remove', enable: true, acknowledgePasswordsInLog: true, acknowledgeOpenV2: true } as const

const PAUSE = 41
/** The platform's clock, but that a pause between two writes lasts until `ready` resolves. */
const pausing = (ready: () => Promise<void>): Clock => ({
  now: () => platformClock.now(),
  after: (milliseconds, run) => {
    if (milliseconds !== PAUSE) return platformClock.after(milliseconds, run)
    void ready().then(run)
    return () => undefined
  },
})

for (const lane of (await testLanes()).filter(({ name }) => LANES.includes(name))) {
  describe(`etcd ${lane.name}`, () => {
    let cluster: Cluster
    const authOf = (clock = platformClock) => new EtcdAuth(cluster.backend('v3', 'root'), { identity: { user: 'root' }, clock })
    const begin = () => startTraffic({ cluster, writer: 'writer', reader: 'reader', login: { name: 'human', password: PASSWORD } })
    beforeAll(async () => {
      cluster = await startCluster({ lane, members: 1, policy: first })
      await putStill(await cluster.client('root'))
      await authOf().apply(await authOf().plan(first, options), { passwords: { human: PASSWORD } })
    })
    afterAll(async () => {
      await cluster.stop()
    })

    /** Ends the work, and judges what holds whatever was applied meanwhile. */
    async function judge(traffic: Traffic, steps: number): Promise<void> {
      const { writes, reads, logins, wrong, atOnce } = traffic
      const { written, heard } = await traffic.end()
      console.info(`etcd ${lane.name}, ${String(steps)} steps: ${JSON.stringify({ writes, reads, logins })}`)
      expect(wrong).toEqual([])
      expect(heard).toEqual(written)
      // Each step moves the revision once, and meets no more than one request of each client.
      expect(writes.refused + reads.refused).toBeLessThanOrEqual(steps * atOnce)
      expect([writes.done, reads.done]).not.toContain(0)
      const before = logins.done
      await traffic.login(20_000)
      expect(logins.done).toBe(before + 1)
    }

    test('while 1,000 steps are applied, requests fail by the old revision alone, have no effect then, and pass when sent again; no watch misses an event', async () => {
      const plan = await authOf().plan(second, options)
      expect(plan.steps.length).toBeGreaterThanOrEqual(1_000)
      const traffic = await begin()
      const logins: Promise<void>[] = []
      await authOf().apply(plan, { onStep: ({ number }) => void (number % 500 === 1 && logins.push(traffic.login(2_000))) })
      await Promise.all(logins)
      await judge(traffic, plan.steps.length)
      expect(traffic.writes.refused).toBeGreaterThan(0)
    })

    test('pauses that are long enough let each request through when it is sent a second time, and every login', async () => {
      const plan = await authOf().plan(third, options)
      expect(plan.steps.length).toBeGreaterThanOrEqual(50)
      const traffic = await begin()
      let [pauses, login] = [0, Promise.resolve()]
      const ready = async (): Promise<void> => {
        if (pauses++ % 5 === 0) login = traffic.login(20_000)
        await Promise.all([login, traffic.progress()])
      }
      await authOf(pausing(ready)).apply(plan, { pacing: { pauseMs: PAUSE } })
      await judge(traffic, plan.steps.length)
      const { logins, writes, reads } = traffic
      expect([logins.late, logins.refused]).toEqual([0, 0])
      expect(writes.sentAtMost).toBeLessThanOrEqual(2)
      expect(reads.sentAtMost).toBeLessThanOrEqual(2)
    })
  })
}
