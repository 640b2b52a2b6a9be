/**
 * Two who apply at once, on the double, in orders that seeds decide: whoever reports success has read its policy back, whoever does not says why, and
 * planning and applying again ends it. `RACE_RUNS=1000` asks more, `RACE_SEED` asks the same again.
 */
import { describe, expect, test } from 'vitest'
import { EtcdAuth, showStep, v2Backend, v3Backend, type Plan } from '../../src/auth/index.js'
import type { KeyRange } from '../../src/keys/index.js'
import type { Path } from '../../src/policy/index.js'
import type { MemoryClient } from '../../src/testing/index.js'
import { attemptV2, attemptV3, memoryV3Client } from '../../examples/support/attempt.js'
import { settled } from '../support/double.js'
import { gatedFetch, gatedV3 } from '../support/gated.js'
import type { Turn } from '../support/interleaving.js'
import { readModifyWrite } from '../support/read-modify-write.js'
import { kinds, one, raceOf, repeatable, seedsOf, tallyOf, type Raced, type Shared } from '../support/two-appliers.js'
import { double, rejected, type Double } from '../unit/auth/doubles.js'

const RUNS = 100
const endpoint = 'https://etcd.invalid:2379'

interface Store extends Shared {
  /** What was answered 200 and overwritten by another who had read before. */
  readonly lost: readonly string[]
}

/** One client for each, made once. */
function clientsOf({ etcd }: Double): (user: string) => MemoryClient {
  const made = new Map<string, MemoryClient>()
  return (user) => {
    const client = made.get(user) ?? etcd.as(user)
    made.set(user, client)
    return client
  }
}

function v3Store(): Store {
  const version = '3.5.30'
  const made = double('v3', version)
  const client = clientsOf(made)
  return {
    api: 'v3',
    clock: made.clock,
    lost: [],
    backend: (user, turn) => v3Backend(turn === undefined ? client(user).auth : gatedV3(client(user).auth, turn), { versions: [version], crypto: globalThis.crypto }),
    attempt: (user, operation) => attemptV3(memoryV3Client(client(user)), operation, operation.keys as KeyRange),
  }
}

/** The double does a change at once, where etcd v2 reads, and then writes: so do these calls. */
function v2Store(): Store {
  const made = double('v2', '3.4.23')
  const client = clientsOf(made)
  const lost: string[] = []
  return {
    api: 'v2',
    clock: made.clock,
    lost,
    backend: (user, turn) => v2Backend({ fetch: turn === undefined ? client(user).fetch : readModifyWrite(client(user).fetch, turn, (what) => void lost.push(what)), endpoint, crypto: globalThis.crypto }),
    attempt: (user, operation) => attemptV2(client(user).fetch, endpoint, operation, operation.keys as Path),
  }
}

const stores: Readonly<Record<string, () => Store>> = { v3: v3Store, v2: v2Store }

describe.each(Object.entries(stores))('two at once on %s', (api, store) => {
  test.each(kinds)('with %s, each order keeps the laws', { timeout: 120_000 }, async (kind) => {
    const seeds = seedsOf(RUNS)
    const raced: Raced[] = []
    let losses = 0
    for (const seed of seeds) {
      const made = store()
      raced.push(await repeatable(seed, () => raceOf(kind, seed, made)))
      if (made.lost.length > 0) losses++
    }
    console.info(`${api}, ${kind}: ${String(raced.length)} orders from seed ${String(seeds[0])}: ${tallyOf(raced)}${api === 'v3' ? '' : `, with lost updates: ${String(losses)}`}`)
    expect(raced.length).toBe(seeds.length)
    // Or else nothing has been mixed.
    if (seeds.length >= RUNS) expect(raced.filter(({ ends, isMixed }) => isMixed || Object.values(ends).every((end) => end === 'applied')).length).toBeGreaterThan(0)
  })

  test('the same seed is the same order, with the same end', async () => {
    for (const seed of seedsOf(3).slice(0, 3)) for (const kind of kinds) expect(await raceOf(kind, seed, store()), `seed ${String(seed)}`).toEqual(await raceOf(kind, seed, store()))
  })
})

test('on v2, whichever grant or binding another overwrites with what it had read before, apply names it, and auth stays off', async () => {
  const plannedOn = (made: Double): Promise<Plan> => made.auth().plan(one, { unmanaged: 'report', enable: true, acknowledgePasswordsInLog: true })
  // Users who are there already are bound by writes of their own; others come with what they hold.
  const prepared = async (): Promise<Double> => {
    const made = double('v2', '3.4.23')
    for (const user of Object.keys(one.users)) await made.auth().addUser(user, { login: 'certificate' })
    return made
  }
  const { steps } = await plannedOn(await prepared())
  const losable = steps.flatMap((step, at) => (step.do === 'grantPermission' || step.do === 'bindRole' ? [{ step, at }] : []))
  expect(losable.length).toBeGreaterThan(10)
  for (const { step, at } of losable) {
    const made = await prepared()
    const plan = await plannedOn(made)
    const lost: string[] = []
    let finish = (): void => undefined
    const released = new Promise<void>((resolve) => (finish = resolve))
    const rival = readModifyWrite(made.etcd.fetch, (_, does, run) => (does === 'write' ? released.then(run) : run()), (what) => void lost.push(what))
    const [what, change] =
      step.do === 'bindRole' ? [`users/${step.user}`, { user: step.user, grant: [step.role === 'node' ? 'app' : 'node'] }] : [`roles/${step.role}`, { role: step.role, grant: { kv: { read: ['/rival'], write: [] } } }]
    const sent = { writes: 0, rivals: Promise.resolve<unknown>(undefined) }
    const turn: Turn = async (_, does, run) => {
      // The rival has read the record, and writes it when all is written but for turning auth on.
      if (does === 'write' && sent.writes++ === at) {
        sent.rivals = rival(`${endpoint}/v2/auth/${what}`, { method: 'PUT', redirect: 'manual', body: JSON.stringify(change) })
        await settled()
      } else if (does === 'read' && sent.writes === steps.length - 1) {
        finish()
        await sent.rivals
      }
      return run()
    }
    const auth = new EtcdAuth(v2Backend({ fetch: gatedFetch(made.etcd.fetch, turn), endpoint, crypto: globalThis.crypto }), { identity: { user: 'root' }, clock: made.clock })
    const { detail } = await rejected('ERR_READ_BACK', auth.apply(plan, { passwords: { auditor: 'a password' } }))
    expect(lost).toHaveLength(1)
    expect(detail.differences).toContain(showStep(step))
    expect((await made.auth().state()).enabled).toBe(false)
  }
})
