/** What the laws of plans are judged by, the naive store, says of v2 what the double answers: before and after each step of a plan. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planAuth, v2Backend, type Step } from '../../src/auth/index.js'
import { manualClock, memoryEtcd } from '../../src/testing/index.js'
import { names, worldOf } from '../support/auth-worlds.js'
import { asWanted, fromState, may, namesOf, play, samplesOf, type NaiveStore, type Sample } from '../unit/auth/naive-store.js'

const now = new Date('2026-01-01T00:00:00Z')
const endpoint = 'https://etcd.invalid:2379'
const stranger = 'stranger'

/** A double that holds what a naive store holds, with auth on, and whether somebody is let in there. */
async function doubleOf({ users, roles }: NaiveStore) {
  const clock = manualClock(now)
  const etcd = memoryEtcd({ version: '3.4.23', v2: true, clock })
  const put = async (path: string, body: object): Promise<void> => {
    expect((await etcd.fetch(`${endpoint}/v2/auth/${path}`, { method: 'PUT', redirect: 'manual', body: JSON.stringify(body) })).status).toBeLessThan(300)
  }
  for (const [role, permissions] of roles) {
    const list = (access: string): readonly string[] => permissions.filter(({ type }) => type === access || type === 'readwrite').map(({ id }) => id)
    await put(`roles/${role}`, { role, permissions: { kv: { read: list('read'), write: list('write') } } })
  }
  for (const [user, held] of users) await put(`users/${user}`, { user, password: 'x', ...(held.length > 0 && { roles: held }) })
  if (!roles.has('guest')) await put('roles/guest', { role: 'guest' })
  await put('enable', {})
  const clients = new Map(['', ...names, 'root'].map((user) => [user, etcd.as(user === '' ? stranger : user)]))
  const letsIn = async (user: string, sample: Sample): Promise<boolean> => {
    const [access = '', path = '', recursive] = sample.split(' ')
    const [method, rest] = sample === 'administer' ? ['GET', '/v2/auth/users'] : [access === 'read' ? 'GET' : 'DELETE', `/v2/keys${path}${recursive === undefined ? '' : '?recursive=true'}`]
    return (await clients.get(user)?.fetch(endpoint + rest, { method, redirect: 'manual' }))?.status !== 401
  }
  const backend = v2Backend({ fetch: etcd.as('root').fetch, endpoint, crypto })
  const perform = (step: Step): Promise<void> => backend.perform(step, { password: undefined, version: undefined }, { clock, deadlineMilliseconds: 1000, user: 'root', signal: undefined })
  return { letsIn, perform }
}

describe('the naive store', () => {
  test('lets in on v2 whom the double lets in, users and guests, as a plan is written step by step', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(worldOf('v2'), async (world) => {
        const store = fromState({ ...world.state, enabled: true })
        const goal = asWanted(world.state, world.policy, world.unmanaged, ['root'])
        // What is no clean path is redirected, whoever asks.
        const samples = samplesOf(store, goal).filter((sample) => sample === 'administer' || (/^\w+ \//.test(sample) && !sample.includes('//')))
        const double = await doubleOf(store)
        const compare = async (when: string): Promise<void> => {
          for (const user of namesOf(store, goal)) for (const sample of samples) expect(may(store, user, sample), `${user} ${sample} ${when}`).toBe(await double.letsIn(user, sample))
        }
        await compare('at first')
        for (const step of planAuth({ ...world.state, enabled: true }, world.policy, { unmanaged: world.unmanaged, enable: true, acknowledgeRoot: names }, { user: 'root' }, now).steps) {
          play(store, step)
          await double.perform(step)
          await compare(`after ${JSON.stringify(step)}`)
        }
      }),
      { numRuns: 25 },
    )
  })
})
