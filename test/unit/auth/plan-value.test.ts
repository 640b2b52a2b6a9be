/** A plan as a value: what it says of rights, kept as JSON and applied later, told apart by one line, read by people. */
import { describe, expect, test } from 'vitest'
import { describe as describePlan, parsePlan, type Plan, type StepEvent } from '../../../src/auth/index.js'
import { fingerprintOf } from '../../../src/auth/plan.js'
import { pattern, prefix, range, read, write, type Permission } from '../../../src/keys/index.js'
import { definePolicy, type Policy } from '../../../src/policy/index.js'
import { double, locked, passwords, policy, rejected } from './doubles.js'

const text = (plan: Plan): Record<string, unknown> => JSON.parse(JSON.stringify(plan)) as Record<string, unknown>

/** The policy applied, and a plan for another one. */
async function planned(api: 'v3' | 'v2', next: Policy): Promise<Plan> {
  const { auth } = double(api)
  await auth().apply(await auth().plan(policy, locked), { passwords })
  return auth().plan(next, locked)
}

const next: Policy = definePolicy({
  users: { root: 'certificate', node: 'certificate', auditor: 'password', nobody: 'certificate' },
  v3: {
    roles: { node: [read(prefix('/calico/felix/v1/')), write(range('/calico/a', '/calico/c'))], audit: [read(range('/calico/', '/calico/m'))] },
    bindings: { root: ['root'], node: ['node'], auditor: ['audit'], nobody: ['root'] },
  },
  v2: { guest: [read(pattern('/public/*'))], roles: { node: [read(pattern('/calico/v1*'))], audit: [read(pattern('/calico/*'))] }, bindings: { root: ['root'], node: ['node'], auditor: ['audit'], nobody: ['root'] } },
})

describe('the rights of a plan', () => {
  test('are what each user gains and loses, in keys, on v3', async () => {
    expect((await planned('v3', next)).rights).toEqual([
      { user: 'auditor', opens: [], closes: ['read [/calico/m, /calico0)'] },
      { user: 'nobody', opens: ['everything, by role root'], closes: [] },
      { user: 'node', opens: ['write [/calico/a, /calico/c)'], closes: ['read /calico/bgp/*', 'write /calico/felix/v1/*'] },
    ])
  })

  test('are what each user and the guest gain and lose, recursion apart, on v2', async () => {
    expect((await planned('v2', next)).rights).toEqual([
      { user: 'nobody', opens: ['everything, by role root'], closes: [] },
      { user: 'node', opens: [], closes: ['write /calico/v1*', 'recursive write /calico/v1*'] },
      { user: 'guest', opens: ['read /public/*', 'recursive read /public/*'], closes: [] },
    ])
  })

  test('do not change where a plan only moves what is granted from one role to another', async () => {
    const v3 = policy.v3
    if (v3 === undefined) throw new Error('the policy has a v3 half')
    const moved = { ...policy, v3: { roles: { one: v3.roles['node'] ?? [], audit: v3.roles['audit'] ?? [] }, bindings: { root: ['root'], node: ['one'], auditor: ['audit'] } } } as Policy
    const plan = await planned('v3', moved)
    expect(plan.steps.length).toBeGreaterThan(2)
    expect(plan.rights).toEqual([])
  })
})

describe.each(['v3', 'v2'] as const)('a plan for %s kept as JSON', (api) => {
  test('is the plan that it was, in whatever order and form its fields stand, and is applied', async () => {
    const { auth } = double(api)
    const plan = await auth().plan(policy, locked)
    // As jq, jsonb and YAML do, all the way down.
    const turned = (value: unknown): unknown =>
      Array.isArray(value) ? value.map(turned) : typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? 1 : -1)).map(([name, field]) => [name, turned(field)])) : value
    const sorted = turned(text(plan))
    const read = parsePlan(JSON.parse(JSON.stringify(sorted, undefined, 2)))
    expect(text(read)).toEqual(text(plan))
    expect(describePlan(read)).toBe(describePlan(plan))
    expect((await auth().apply(read, { passwords })).state.enabled).toBe(true)
    expect((await auth().plan(policy, locked)).outcome).toBe('in sync')
  })

  test('that was made to agree to more than was looked at is not applied under the old fingerprint', async () => {
    const { auth, writes } = double(api)
    if (api === 'v3') await auth().addRole('root')
    await auth().addUser('mallory', { login: 'password', password: 'planted' })
    await auth().grantRole('mallory', 'root')
    const before = writes().length
    const plan = await auth().plan(policy, locked)
    const agreeing = { ...text(plan), options: { ...locked, acknowledgeRoot: ['mallory'] }, blockers: [], strangersWithRoot: [] } as unknown as Plan
    const error = await rejected('ERR_PLAN_INVALID', auth().apply(agreeing, { passwords }))
    expect(error.message).toContain(plan.fingerprint)
    const deep: unknown = JSON.parse('['.repeat(20_000) + ']'.repeat(20_000))
    await expect(auth().apply({ ...agreeing, more: deep } as Plan, { passwords })).rejects.toBeInstanceOf(TypeError)
    expect(writes()).toHaveLength(before)
  })

  test('does not change with what it was made from', async () => {
    const needed = [read(api === 'v3' ? prefix('/calico/bgp/') : pattern('/calico/v1/x'))]
    const options = { ...locked, needs: { node: { permissions: needed } } as Record<string, { permissions: readonly Permission[] }>, acknowledgeRoot: ['admin'] }
    const plan = await double(api).auth().plan(policy, options)
    const kept = text(plan)
    needed.pop()
    options.needs['zed'] = { permissions: [] }
    options.acknowledgeRoot.push('mallory')
    expect(text(plan)).toEqual(kept)
    expect(parsePlan(text(plan)).fingerprint).toBe(plan.fingerprint)
  })

  test('is refused where anything in it was changed, and where it is none', async () => {
    const plan = text(await double(api).auth().plan(policy, locked))
    const changes: readonly Record<string, unknown>[] = [
      { steps: [] },
      { warnings: ['all is well'] },
      { blockers: ['none'] },
      { rights: [] },
      { basis: 'v3-0000000000000000' },
      { version: '3.5.1' },
      { outcome: 'in sync' },
      { fingerprint: 'v3-plan-0000000000000000' },
      { options: { unmanaged: 'remove', enable: true } },
      { policy: { ...(plan['policy'] as object), users: { root: 'certificate' } } },
      { more: 1 },
    ]
    for (const change of changes) expect(() => parsePlan({ ...plan, ...change }), JSON.stringify(change)).toThrow(expect.objectContaining({ code: 'ERR_PLAN_INVALID' }) as Error)
    for (const none of [undefined, null, 7, 'plan', [], {}, { api: 'v3' }]) expect(() => parsePlan(none)).toThrow(expect.objectContaining({ code: 'ERR_PLAN_INVALID' }) as Error)
  })

  test.each<[string, Record<string, unknown>]>([
    ['no options', { options: undefined }],
    ['options that are none', { options: { unmanaged: 'perhaps', enable: true } }],
    ['needs that are none', { options: { unmanaged: 'report', enable: true, needs: { app: { permissions: [null] } } } }],
    ['needs of keys that are none', { options: { unmanaged: 'report', enable: true, needs: { app: { permissions: [{ type: 'read', keys: { api, kind: 'bogus' } }] } } } }],
    ['no policy', { policy: undefined }],
    ['null as a step', { steps: [null] }],
    ['a step that does nothing known', { steps: [{ do: 'x', reason: '' }] }],
    ['a step without reason', { steps: [{ do: 'enable' }] }],
    ['a step without role', { steps: [{ do: 'addRole', reason: '' }] }],
    ['a step without permission', { steps: [{ do: 'revokePermission', role: 'r', reason: '' }] }],
    ['a step without keys', { steps: [{ do: 'grantPermission', role: 'r', permission: { type: 'read', keys: { api, kind: 'bogus' } }, reason: '' }] }],
    ['nobody to sever', { sever: 7 }],
    ['null as a gap', { gaps: [null] }],
    ['a gap after nothing', { gaps: [{ user: 'a', permission: 'read /a' }] }],
    ['null as rights', { rights: [null] }],
    ['null as what is unmanaged', { unmanaged: null }],
    ['blockers that are no texts', { blockers: [{}] }],
    ['a version that is no text', { version: {} }],
  ])('is none with %s, though its fingerprint fits', async (_, change) => {
    const plan = JSON.parse(JSON.stringify({ ...(await double(api).auth().plan(policy, locked)), ...change })) as Plan
    const { outcome, fingerprint: _old, ...rest } = plan
    const sealed = { ...rest, outcome, fingerprint: fingerprintOf(rest) }
    expect(() => parsePlan(sealed)).toThrow(expect.objectContaining({ code: 'ERR_PLAN_INVALID' }) as Error)
  })

  test('is none where it is nested deeper than the stack, wherever that is', async () => {
    const plan = text(await double(api).auth().plan(policy, locked))
    const deep: unknown = JSON.parse('['.repeat(20_000) + ']'.repeat(20_000))
    for (const change of [{ policy: deep }, { policy: { ...(plan['policy'] as object), more: deep } }, { options: { needs: deep } }, { steps: deep }, { more: deep }])
      expect(() => parsePlan({ ...plan, ...change })).toThrow(expect.objectContaining({ code: 'ERR_PLAN_INVALID' }) as Error)
  })

  test('is shown without what would write over the lines of others', async () => {
    const plan = text(await double(api).auth().plan(policy, locked))
    const lines = describePlan(parsePlan(plan)).split('\n').length
    const evil = 'x)\n  9. nothing else \u001b[8m'
    const { outcome, fingerprint: _old, ...rest } = { ...plan, warnings: [evil], steps: (plan['steps'] as Plan['steps']).map((step) => ({ ...step, reason: evil })) } as unknown as Plan
    const read = parsePlan({ ...rest, outcome, fingerprint: fingerprintOf(rest) })
    for (const page of [describePlan(read), describePlan(read, { format: 'markdown' })]) expect(page).not.toMatch(/\u001b|^ {2}9\. nothing/m)
    expect(describePlan(read).split('\n').length).toBeLessThanOrEqual(lines + 2)
  })

  test('is stale when the store has changed since', async () => {
    const { auth } = double(api)
    const plan = parsePlan(text(await auth().plan(policy, locked)))
    await auth().addRole('other')
    await rejected('ERR_PLAN_STALE', auth().apply(plan, { passwords }))
  })
})

test('the fingerprint is one for equal plans, another for others, and the outcome says which class a plan is of', async () => {
  const { auth } = double('v3')
  const [one, other] = [await auth().plan(policy, locked), await auth().plan(policy, locked)]
  expect(one.fingerprint).toBe(other.fingerprint)
  expect(one.fingerprint).toMatch(/^v3-plan-[0-9a-f]{16}$/)
  expect((await auth().plan(policy, { ...locked, unmanaged: 'keep' })).fingerprint).not.toBe(one.fingerprint)
  expect(one.outcome).toBe('drift')
  expect((await double('v3').auth({ identity: { user: 'node' } }).plan(policy, locked)).outcome).toBe('blocked')
  await auth().apply(one, { passwords })
  expect((await auth().drift(policy)).outcome).toBe('in sync')
})

test('names the holes of a release that is exactly known, and none of one that is not', async () => {
  expect((await double('v3').auth().plan(policy, locked)).advisories).toContain('GHSA-xg4h-6gfc-h4m8')
  expect((await double('v3', '3.7.3').auth().plan(policy, locked)).advisories).toEqual([])
})

test('each step of apply tells its actor and its plan, for a log that etcd does not keep', async () => {
  const { auth } = double('v3')
  const events: StepEvent[] = []
  const plan = await auth().plan(policy, locked)
  await auth().apply(plan, { passwords, onStep: (event) => events.push(event) })
  expect(events.length).toBe(plan.steps.length)
  for (const event of events) expect(event).toMatchObject({ actor: 'root', plan: plan.fingerprint, outcome: 'done', step: { reason: expect.stringMatching(/./) as string } })
})

test('as Markdown, steps are a table and names are text, whatever they hold', async () => {
  const { auth } = double('v3')
  await auth().addUser('a|b `c` <d>', { login: 'certificate' })
  const plan = await auth().plan(policy, locked)
  const page = describePlan(plan, { format: 'markdown' })
  expect(page.split('\n')[0]).toBe(`# etcd 3\\.5\\.30, v3 API: ${String(plan.steps.length)} steps`)
  expect(page).toContain(`Plan \`${plan.fingerprint}\``)
  expect(page).toContain('| 1 | add role root | the policy binds users to it |')
  expect(page).toContain('## Rights that change')
  expect(page).toContain('- user a\\|b \\`c\\` \\<d\\>')
})

describe.each(['v3', 'v2'] as const)('on %s, a stranger with role root', (api) => {
  test('keeps a store from being in sync, until acknowledged, though a plan leaves him', async () => {
    const { auth } = double(api)
    await auth().apply(await auth().plan(policy, locked), { passwords })
    await auth().addUser('mallory', { login: 'password', password: 'a long password' })
    await auth().grantRole('mallory', 'root')
    const drift = await auth().drift(policy)
    expect([drift.outcome, drift.steps, drift.strangersWithRoot]).toEqual(['drift', [], ['mallory']])
    expect(describePlan(drift)).toContain('Not in the policy, and with role root:\n  - mallory')
    expect((await auth().plan(policy, { ...locked, acknowledgeRoot: ['mallory'] })).outcome).toBe('in sync')
    expect((await auth().plan(policy, { ...locked, unmanaged: 'remove' })).strangersWithRoot).toEqual([])
  })
})

test('a misspelt option of a plan or a pace is a TypeError: it would remove more, or write faster, than was meant', async () => {
  const { auth, writes } = double('v3')
  await expect(auth().plan(policy, { unmanaged: 'remove', enable: true, our: { prefixes: ['x'] } } as never)).rejects.toBeInstanceOf(TypeError)
  await expect(auth().plan(policy, { unmanaged: 'remove', enable: true, ours: { prefix: 'x' } } as never)).rejects.toBeInstanceOf(TypeError)
  const plan = await auth().plan(policy, locked)
  for (const pacing of [{ pause: 5 }, 5, null]) await expect(auth().apply(plan, { passwords, pacing: pacing as never })).rejects.toBeInstanceOf(TypeError)
  expect(writes()).toEqual([])
})
