/**
 * Three answers to one question: the policy's, the double's and the server's. Random policies, random whole operations, every user by its own
 * certificate over mutual TLS, on every lane: holes of old releases included.
 */
import { isDeepStrictEqual } from 'node:util'
import { Etcd3 } from 'etcd3'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { etcd3Options } from '../../src/auth/index.js'
import { toWire } from '../../src/keys/interval.js'
import { anonymous, can, definePolicy, explain, indexPolicy, key, readwrite, type KeyRange, type Operation, type Permission, type Policy } from '../../src/policy/index.js'
import { memoryEtcd } from '../../src/testing/index.js'
import { aroundLease, operations, passed, requestOf, rightless } from '../support/access-requests.js'
import { keyRange, permission, smallKey } from '../support/arbitrary.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'
import { difference, outcomeOf, resolved, senderOf, type Outcome, type V3Request, type V3Sender } from '../support/differential.js'

/** Questions of a lane; a longer run asks more. */
const questions = Number(process.env['ACCESS_QUESTIONS'] ?? 5_000)
const seed = Number(process.env['ACCESS_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))
const PER_POLICY = 250

const roles = ['r0', 'r1', 'r2'] as const
const bindings = { root: ['root'], a: ['r0'], b: ['r0', 'r1'], c: ['r1', 'r2'] } as const
const users = { root: 'certificate', a: 'certificate', b: 'certificate', c: 'certificate', d: 'certificate' } as const
const base = definePolicy({ users, members: ['etcd-0'], authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'] })
const asked = [...Object.keys(users), 'stranger'] as readonly (keyof typeof users | 'stranger')[]

const grants = fc.array(permission(keyRange(smallKey)), { minLength: 1, maxLength: 4 })
/** Shared start keys with different ends are in: etcd keeps each of them where it is granted first. One of one range: it keeps the last type. */
const distinct = (list: readonly Permission<KeyRange>[]): readonly Permission<KeyRange>[] => [
  ...new Map(list.map((one) => [Object.values(toWire(one.keys)).map((part: Uint8Array) => Buffer.from(part).toString('hex')).join('-'), one])).values(),
]
const policies = fc.tuple(grants, grants, grants).map(([r0, r1, r2]) =>
  definePolicy({ ...base, v3: { roles: { r0: distinct(r0), r1: distinct(r1), r2: distinct(r2) }, bindings }, v2: undefined } as never) as Policy<typeof users>,
)
const sequences = fc.array(fc.tuple(fc.constantFrom(...asked), operations(Object.keys(users), ['root', ...roles, 'none'])), { minLength: PER_POLICY, maxLength: PER_POLICY, size: 'max' })

const PERM_TYPES = { read: 'Read', write: 'Write', readwrite: 'Readwrite' } as const
const asRoot = (method: string, message?: object): V3Request => ({ as: 'root', service: 'auth', method, ...(message ? { message } : {}) })

/** The requests that make an auth store hold the roles of a policy, whatever they held. */
function changes(policy: Policy): readonly V3Request[] {
  return Object.entries(policy.v3?.roles ?? {}).flatMap(([name, list]) => [
    asRoot('roleDelete', { role: name }),
    asRoot('roleAdd', { name }),
    ...list.map(({ type, keys }) => {
      const { key, rangeEnd } = toWire(keys)
      return asRoot('roleGrantPermission', { name, perm: { permType: PERM_TYPES[type], key: Buffer.from(key), range_end: Buffer.from(rangeEnd) } })
    }),
    ...Object.entries(bindings).flatMap(([user, held]) => ((held as readonly string[]).includes(name) ? [asRoot('userGrantRole', { user, role: name })] : [])),
  ])
}

const locking: readonly V3Request[] = [
  ...Object.keys(users).map((name) => asRoot('userAdd', { name, options: { no_password: true } })),
  asRoot('roleAdd', { name: 'root' }),
  asRoot('userGrantRole', { user: 'root', role: 'root' }),
  ...roles.map((name) => asRoot('roleAdd', { name })),
  asRoot('authEnable'),
]

for (const lane of await testLanes()) {
  describe(`etcd ${lane.name}, its double and the policy`, () => {
    let cluster: Cluster
    beforeAll(async () => {
      cluster = await startCluster({ lane, members: 1, policy: base })
    })
    afterAll(async () => {
      await cluster.stop()
    })

    test(`say the same of ${String(questions)} questions`, { timeout: 120_000 + questions * 40 }, async () => {
      const double = memoryEtcd({ version: lane.version })
      const senders = new Map<string, readonly [real: V3Sender, double: V3Sender]>()
      for (const name of asked) senders.set(name, [senderOf(await cluster.client(name === 'stranger' ? anonymous : name), true), senderOf(double.as(name), false)])
      const both = async (request: V3Request): Promise<Outcome> => {
        const [real, own] = senders.get(request.as)!
        const sent = { ...request, message: resolved(request.message, 0) }
        const [wanted, found] = [await outcomeOf(() => real.send(sent)), await outcomeOf(() => own.send(sent))]
        if (!isDeepStrictEqual(found, wanted)) throw new Error(difference(request, wanted, found))
        return wanted
      }
      const started = Date.now()
      const tally = { allowed: 0, refused: 0, undecided: 0 }
      for (const request of locking) await both(request)
      await fc.assert(
        fc.asyncProperty(policies, sequences, async (policy, sequence) => {
          for (const request of changes(policy)) await both(request)
          const index = indexPolicy(policy)
          for (const [user, operation] of sequence) {
            const { before, after } = aroundLease(operation)
            for (const request of before) await both(request)
            const answer = passed(await both(requestOf(user, operation)))
            for (const request of after) await both(request)
            const client = user === 'stranger' ? anonymous : user
            const said = can(index, client, operation, { etcd: lane.version })
            tally[answer === undefined ? 'undecided' : answer ? 'allowed' : 'refused']++
            if (answer !== undefined && answer !== said) throw new Error(`${user} ${JSON.stringify(operation)}: etcd ${answer ? 'allows' : 'refuses'} it; ${explainOf(index, client, operation, lane.version)}\n${JSON.stringify(policy.v3)}`)
          }
        }),
        { numRuns: Math.ceil(questions / PER_POLICY), seed, endOnFailure: true },
      )
      console.info(`etcd ${lane.name}: ${JSON.stringify(tally)} in ${String(Date.now() - started)} ms, seed ${String(seed)}`)
      expect(tally.allowed).toBeGreaterThan(questions / 10)
      expect(tally.refused).toBeGreaterThan(questions / 10)
    })
  })
}

describe.each(await testLanes())('a client without a certificate, on etcd $version, which asks for none', (lane) => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster({ lane, members: 1, policy: base, clientCertificates: 'not asked for' })
  })
  afterAll(async () => {
    await cluster.stop()
  })

  test('is answered by the policy and by the double as by the server', { timeout: 120_000 }, async () => {
    const policy = definePolicy({ ...base, v3: { roles: { r0: [readwrite(key('\0'))], r1: [], r2: [] }, bindings }, v2: undefined } as never) as Policy<typeof users>
    const withCertificate = etcd3Options({ hosts: cluster.clientUrls, ca: cluster.serverCa, ...(await cluster.credentials('root')) })
    const options = { ...withCertificate, credentials: { rootCertificate: Buffer.from(cluster.serverCa) } }
    const nameless = new Etcd3(options)
    const root = new Etcd3({ ...options, auth: { username: 'root', password: 'root' } })
    const double = memoryEtcd({ version: lane.version })
    const [nobody, admin] = [
      [senderOf(nameless, true), senderOf(double.anonymous(), false)],
      [senderOf(root, true), senderOf(double.as('root'), false)],
    ] as const
    const both = async ([real, own]: readonly [V3Sender, V3Sender], request: V3Request): Promise<Outcome> => {
      const sent = { ...request, message: resolved(request.message, 0) }
      const [wanted, found] = [await outcomeOf(() => real.send(sent)), await outcomeOf(() => own.send(sent))]
      if (!isDeepStrictEqual(found, wanted)) throw new Error(difference(request, wanted, found))
      return wanted
    }
    try {
      // While auth is off, nobody is asked for a name.
      for (const request of [asRoot('userAdd', { name: 'root', password: 'root' }), ...locking.slice(1), ...changes(policy)]) {
        if (request.method !== 'authEnable') await both(nobody, request)
      }
      await both(nobody, asRoot('authEnable'))
      const tally = { allowed: 0, refused: 0 }
      await fc.assert(
        fc.asyncProperty(rightless(Object.keys(users), ['root', ...roles, 'none']), async (operation) => {
          const { before, after } = aroundLease(operation)
          for (const request of before) await both(admin, request)
          const answer = passed(await both(nobody, requestOf('nobody', operation)))
          for (const request of after) await both(admin, request)
          if (answer === undefined) return
          tally[answer ? 'allowed' : 'refused']++
          expect(can(policy, anonymous, operation, { etcd: lane.version, via: 'gateway' })).toBe(answer)
        }),
        { numRuns: 300, seed, endOnFailure: true },
      )
      console.info(`etcd ${lane.name}, no certificate: ${JSON.stringify(tally)}, seed ${String(seed)}`)
      expect(tally.allowed).toBeGreaterThan(3)
      expect(tally.refused).toBeGreaterThan(100)
    } finally {
      nameless.close()
      root.close()
    }
  })
})

function explainOf(policy: Parameters<typeof explain>[0], user: string | typeof anonymous, operation: Operation, etcd: string): string {
  return explain(policy, user, operation, { etcd }).text
}
