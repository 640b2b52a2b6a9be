/** The same three answers on v2: the policy's, the double's and the server's, on every lane that has the API. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anonymous, can, definePolicy, del, explain, get, indexPolicy, path, pattern, put, watch, type KeyOperation, type Path, type Permission, type PathPattern, type Policy } from '../../src/policy/index.js'
import { memoryEtcd, type MemoryClient } from '../../src/testing/index.js'
import { httpsFetch, type HttpsFetch } from '../../examples/support/https-fetch.js'
import { permission } from '../support/arbitrary.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'
import { comparison, type V2Outcome } from '../support/differential-v2.js'
import type { V2Request } from '../support/v2-requests.js'

/** Questions of a lane; a longer run asks more. */
const questions = Number(process.env['ACCESS_QUESTIONS'] ?? 5_000)
const seed = Number(process.env['ACCESS_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))
const PER_POLICY = 250

const bindings = { root: ['root'], a: ['r0'], b: ['r0', 'r1'], c: ['r1', 'r2'] } as const
const users = { root: 'certificate', a: 'certificate', b: 'certificate', c: 'certificate', d: 'certificate' } as const
const base = definePolicy({ users, members: ['etcd-0'], authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'] })
const asked = [...Object.keys(users), 'stranger'] as readonly (keyof typeof users | 'stranger')[]

const patterns = fc.constantFrom(...['/c', '/c/', '/c/*', '/c*', '/c/a', '/c/a/*', '/d', '/d/*', '/cfoo', '/c/_hid', '/', '/*', '*', '/é*'].map(pattern))
const grants = fc.array(permission<PathPattern>(patterns), { maxLength: 3 })
const policies = fc
  .tuple(grants, grants, grants, grants)
  .map(([r0, r1, r2, guest]) => definePolicy({ ...base, v3: undefined, v2: { guest, roles: { r0, r1, r2 }, bindings } } as never) as Policy<typeof users>)

const paths = fc
  .tuple(fc.constantFrom('', '/', '/c', '/c/', '/c/a', '/c/a/', '/c/b', '/cfoo', '/c/_hid', '/d', '/d/x', '/é', '/élan'), fc.boolean())
  .map(([text, recursive]) => path(text, { recursive }))
const operations: fc.Arbitrary<KeyOperation> = fc.oneof(
  { weight: 4, arbitrary: paths.map((one) => get(one)) },
  { weight: 4, arbitrary: paths.map((one) => put({ ...one, recursive: false })) },
  { weight: 3, arbitrary: paths.map((one) => del(one)) },
  { weight: 1, arbitrary: paths.map((one) => watch(one)) },
)
const sequences = fc.array(fc.tuple(fc.constantFrom(...asked), operations, fc.boolean()), { minLength: PER_POLICY, maxLength: PER_POLICY, size: 'max' })

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

/** The request that an operation stands for; a put is PUT or POST. */
function requestOf(as: string, { op, keys }: KeyOperation, post: boolean): V2Request {
  const { path: text, recursive } = keys as Path
  const query = [...(recursive ? ['recursive=true'] : []), ...(op === 'watch' ? ['wait=true', 'waitIndex=1'] : [])].join('&')
  const target = `/v2/keys${text.split('/').map(encodeURIComponent).join('/')}${query === '' ? '' : `?${query}`}`
  if (op === 'put') return { as, method: post ? 'POST' : 'PUT', target, headers: FORM, body: 'value=x' }
  return { as, method: op === 'del' ? 'DELETE' : 'GET', target }
}

const asRoot = (method: string, target: string, body?: object): V2Request => ({ as: 'root', method, target, ...(body ? { body: JSON.stringify(body) } : {}) })

function roleOf(role: string, permissions: readonly Permission<PathPattern>[]): readonly V2Request[] {
  const lists = (access: 'read' | 'write') => [...new Set(permissions.filter(({ type }) => type === access || type === 'readwrite').map(({ keys }) => keys.pattern))]
  return [asRoot('DELETE', `/v2/auth/roles/${role}`), asRoot('PUT', `/v2/auth/roles/${role}`, { role, permissions: { kv: { read: lists('read'), write: lists('write') } } })]
}

const locking: readonly V2Request[] = [
  asRoot('PUT', '/v2/auth/users/root', { user: 'root', password: 'p' }),
  ...Object.entries(bindings).flatMap(([user, roles]) => (user === 'root' ? [] : [asRoot('PUT', `/v2/auth/users/${user}`, { user, password: 'p', roles })])),
  asRoot('PUT', '/v2/auth/users/d', { user: 'd', password: 'p' }),
  asRoot('PUT', '/v2/auth/roles/guest', { role: 'guest' }),
  asRoot('PUT', '/v2/auth/enable'),
]

const passed = (outcome: V2Outcome): boolean => {
  if (!('status' in outcome)) throw new Error(`nobody expected: ${outcome.error}`)
  return outcome.status !== 401
}

for (const lane of (await testLanes()).filter(({ v2 }) => v2 !== 'none')) {
  describe(`etcd ${lane.name}, its double and the policy, on v2`, () => {
    let cluster: Cluster
    beforeAll(async () => {
      cluster = await startCluster({ lane, members: 1, policy: base })
    })
    afterAll(async () => {
      await cluster.stop()
    })

    test(`say the same of ${String(questions)} questions`, { timeout: 120_000 + questions * 40 }, async () => {
      const [endpoint = ''] = cluster.clientUrls
      const double = memoryEtcd({ version: lane.version, v2: true, chain: ['etcd-clients'] })
      const fetches = new Map<string, readonly [real: HttpsFetch, double: MemoryClient['fetch']]>()
      for (const name of asked) {
        const { certificate, key } = await cluster.credentials(name === 'stranger' ? anonymous : name)
        fetches.set(name, [httpsFetch({ ca: cluster.serverCa, cert: certificate, key }), double.as(name).fetch])
      }
      const sides = comparison(endpoint)
      const both = (request: V2Request): Promise<V2Outcome> => sides.ask(fetches.get(request.as)!, request)
      const started = Date.now()
      const tally = { allowed: 0, refused: 0 }
      try {
        for (const request of locking) await both(request)
        await fc.assert(
          fc.asyncProperty(policies, sequences, async (policy, sequence) => {
            const { guest, roles } = policy.v2!
            for (const request of [...Object.entries(roles).flatMap(([role, list]) => roleOf(role, list)), ...roleOf('guest', guest)]) await both(request)
            const index = indexPolicy(policy)
            for (const [user, operation, post] of sequence) {
              const answer = passed(await both(requestOf(user, operation, post)))
              const client = user === 'stranger' ? anonymous : user
              tally[answer ? 'allowed' : 'refused']++
              if (answer !== can(index, client, operation, { etcd: lane.version }))
                throw new Error(`${user} ${JSON.stringify(operation)}: etcd ${answer ? 'allows' : 'refuses'} it; ${explain(index, client, operation).text}\n${JSON.stringify(policy.v2)}`)
            }
            await sides.compareOpen()
            sides.abort()
          }),
          { numRuns: Math.ceil(questions / PER_POLICY), seed, endOnFailure: true },
        )
      } finally {
        sides.abort()
        for (const [real] of fetches.values()) real.close()
      }
      console.info(`etcd ${lane.name}, v2: ${JSON.stringify(tally)} in ${String(Date.now() - started)} ms, seed ${String(seed)}`)
      expect(tally.allowed).toBeGreaterThan(questions / 10)
      expect(tally.refused).toBeGreaterThan(questions / 10)
    })
  })
}
