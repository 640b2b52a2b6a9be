/** Requests that must never be sent: some kill a member for good. Whoever asks for them, by a plan, a policy or a backend, is refused before. */
import { describe, expect, test } from 'vitest'
import type { Plan, Step } from '../../../src/auth/index.js'
import { fingerprintOf } from '../../../src/auth/plan.js'
import { isEtcdRbacError } from '../../../src/errors.js'
import { key, pattern, prefix, range, read } from '../../../src/keys/index.js'
import type { Policy } from '../../../src/policy/index.js'
import { double, isWrite, locked, passwords, policy, rejected, secret } from './doubles.js'

const open = { unmanaged: 'keep', enable: false, acknowledgePasswordsInLog: true } as const
const fromJson = (plan: Plan): Plan => JSON.parse(JSON.stringify(plan)) as Plan
/** As whoever can count a fingerprint would change a plan. */
const sealedAnew = (plan: Plan): Plan => ({ ...plan, fingerprint: fingerprintOf(plan) })
type Loose = Readonly<Record<string, unknown>> & { readonly do: string }

const wrong: readonly (readonly [string, Loose])[] = [
  ['a role without name', { do: 'addRole', role: '' }],
  ['a role with a control character', { do: 'addRole', role: 'a\nb' }],
  ['a user without name', { do: 'addUser', user: '', login: 'certificate' }],
  ['a user who is a path', { do: 'addUser', user: 'x/../root', login: 'certificate' }],
  ['a user who logs in by nothing known', { do: 'addUser', user: 'node', login: 'ticket' }],
  ['a user who logs in by password, without one', { do: 'addUser', user: 'node', login: 'password' }],
  ['a binding of nobody', { do: 'bindRole', user: '', role: 'node' }],
  ['a binding to a role without name', { do: 'bindRole', user: 'node', role: '' }],
  ['an unbinding from a role without name', { do: 'unbindRole', user: 'node', role: '' }],
  ['the deletion of nobody', { do: 'deleteUser', user: '' }],
  ['the deletion of a role without name', { do: 'deleteRole', role: '' }],
  ['a name that is none', { do: 'deleteRole', role: 7 }],
  ['half of a surrogate pair', { do: 'deleteUser', user: '\ud800' }],
  ['a step that is none', { do: 'nothing' }],
]
const wrongKeys: Readonly<Record<'v3' | 'v2', readonly (readonly [string, unknown])[]>> = {
  v3: [
    ['no permission', undefined],
    ['a type that is none', { type: 'nonsense', keys: key('/a') }],
    ['an empty key', { type: 'read', keys: { api: 'v3', kind: 'key', key: '' } }],
    ['an end before the start', { type: 'read', keys: { api: 'v3', kind: 'range', start: 'z', end: 'a' } }],
    ['an end at the start', { type: 'read', keys: { api: 'v3', kind: 'range', start: 'a', end: 'a' } }],
    ['a prefix without terminator', { type: 'read', keys: { api: 'v3', kind: 'prefix', prefix: '/calico' } }],
    ['a kind that is none', { type: 'read', keys: { api: 'v3', kind: 'everything' } }],
    ['keys of the other API', read(pattern('/a'))],
  ],
  v2: [
    ['no permission', undefined],
    ['a type that is none', { type: 'nonsense', keys: pattern('/a') }],
    ['an empty pattern', { type: 'read', keys: { api: 'v2', pattern: '' } }],
    ['a pattern without slash', { type: 'read', keys: { api: 'v2', pattern: 'a' } }],
    ['keys of the other API', read(key('/a'))],
  ],
}

describe.each([
  ['v3', '3.3.25'],
  ['v3', '3.5.30'],
  ['v2', '3.3.25'],
] as const)('on %s of etcd %s, a backend refuses before any call', (api, version) => {
  const granted = wrongKeys[api].flatMap(([what, permission]) => [
    [`the grant of ${what}`, { do: 'grantPermission', role: 'node', permission }] as const,
    ...(what === 'no permission' || what === 'a type that is none' || what === 'keys of the other API' ? [[`the revocation of ${what}`, { do: 'revokePermission', role: 'node', permission }] as const] : []),
  ])
  test.each([...wrong, ...granted])('%s', async (_, step) => {
    const { backend, etcd, clock } = double(api, version)
    const context = { clock, deadlineMilliseconds: 1000, user: 'root', signal: undefined }
    const error: unknown = await backend()
      .perform({ reason: '', ...step } as unknown as Step, { password: undefined, version }, context)
      .catch((reason: unknown) => reason)
    expect(isEtcdRbacError(error) || error instanceof TypeError).toBe(true)
    expect(etcd.calls).toEqual([])
    expect(etcd.isDead()).toBe(false)
  })
})

test('what old servers stored and never match is revoked all the same', async () => {
  const { auth, etcd } = double('v3', '3.4.23')
  await etcd.auth.roleAdd({ name: 'node' })
  for (const [start, end] of [['', '\0'], ['', ''], ['z', 'a']] as const) await etcd.auth.roleGrantPermission({ name: 'node', perm: { permType: 0, key: Buffer.from(start), range_end: Buffer.from(end) } })
  const plan = await auth().plan(policy, locked)
  expect(plan.steps.filter((step) => step.do === 'revokePermission')).toHaveLength(3)
  await auth().apply(plan, { passwords })
  expect((await auth().plan(policy, locked)).steps).toEqual([])
})

describe.each(['v3', 'v2'] as const)('on %s, a plan', (api) => {
  test('that went through JSON is applied as it was made', async () => {
    const { auth, writes } = double(api)
    const plan = fromJson(await auth().plan(policy, locked))
    await auth().apply(plan, { passwords })
    expect(writes()).toHaveLength(plan.steps.length)
    expect((await auth().plan(policy, locked)).steps).toEqual([])
  })

  test.each([
    ['a step of its own', (plan: Plan) => ({ ...plan, steps: [{ do: 'addRole', role: '', reason: '' }] as const })],
    ['a step more', (plan: Plan) => ({ ...plan, steps: [...plan.steps, { do: 'bindRole', user: 'node', role: 'root', reason: '' }] as const })],
    ['a step less', (plan: Plan) => ({ ...plan, steps: plan.steps.slice(1) })],
    ['no steps', (plan: Plan) => ({ ...plan, steps: [] })],
    ['another order', (plan: Plan) => ({ ...plan, steps: plan.steps.toReversed() })],
    ['other options', (plan: Plan) => ({ ...plan, options: { ...plan.options, enable: true, acknowledgeOpenV2: true } })],
    ['another policy', (plan: Plan) => ({ ...plan, policy: { ...plan.policy, users: { root: 'certificate', node: 'certificate', auditor: 'password', mallory: 'certificate' } } satisfies Policy })],
  ] as const)('with %s than it was made with is stale, and nothing is written', async (_, change) => {
    const { auth, etcd, writes } = double(api, '3.3.25')
    const plan = change(fromJson(await auth().plan({ ...policy, users: { root: 'certificate', node: 'certificate', auditor: 'password' } }, open)))
    await rejected('ERR_PLAN_INVALID', auth().apply(plan, { passwords }))
    await rejected('ERR_PLAN_STALE', auth().apply(sealedAnew(plan), { passwords }))
    expect(writes()).toEqual([])
    expect(etcd.isDead()).toBe(false)
  })

  test('whose blockers were taken out is blocked', async () => {
    const { auth, writes } = double(api)
    const plan = { ...(await auth({ identity: { user: 'node' } }).plan(policy, locked)), blockers: [] }
    await rejected('ERR_PLAN_INVALID', auth({ identity: { user: 'node' } }).apply(plan, { passwords }))
    await rejected('ERR_PLAN_BLOCKED', auth({ identity: { user: 'node' } }).apply(sealedAnew(plan), { passwords }))
    expect(writes()).toEqual([])
  })

  test.each([
    ['list of needed passwords was emptied', { needsPassword: [] }],
    ['change of rights was emptied', { rights: [] }],
    ['list of whose connections to cut was emptied', { sever: [] }],
    ['strangers were taken out', { unmanaged: { users: [], roles: [] } }],
    ['gaps were made up', { gaps: [{ user: 'node', permission: 'x', after: { do: 'enable', reason: '' } }] }],
  ] as const)('whose %s, so that nobody could agree to it, is stale, and nothing is written', async (_, change) => {
    const { auth, writes } = double(api)
    await auth().addRole('of-others')
    const before = writes().length
    const plan = await auth().plan(policy, locked)
    const error = await rejected('ERR_PLAN_STALE', auth().apply(sealedAnew({ ...plan, ...change }), { passwords }))
    expect(error.message).not.toContain(secret)
    await rejected('ERR_PLAN_INVALID', auth().apply({ ...plan, ...change }, { passwords }))
    expect(writes()).toHaveLength(before)
  })

  test.each([
    ['a role without name', { roles: { '': [] }, bindings: { root: ['root'] } }],
    ['a role named root', { roles: { root: [] }, bindings: { root: ['root'] } }],
    ['a range without keys', { roles: { node: [{ type: 'read', keys: api === 'v3' ? { ...range('a', 'b'), end: 'a' } : { api: 'v2', pattern: '' } }] }, bindings: { root: ['root'] } }],
    ['a binding to a role that is not declared', { roles: {}, bindings: { root: ['root'], node: ['node'] } }],
  ])('of a policy that was spread, with %s, is not made', async (_, half) => {
    const { auth, etcd } = double(api, '3.3.25')
    const bad = { ...policy, [api]: api === 'v2' ? { guest: [], ...half } : half } as unknown as Policy
    const error = await rejected('ERR_POLICY_INVALID', auth().plan(bad, open))
    expect(error.detail.problems[0]?.path).toMatch(new RegExp(`^\\$\\.${api}`))
    await rejected('ERR_POLICY_INVALID', auth().apply(sealedAnew({ ...(await auth().plan(policy, open)), policy: bad }), { passwords }))
    expect(etcd.calls.filter(isWrite)).toEqual([])
  })

  test('of a policy that was spread and is right holds a checked copy', async () => {
    const { auth } = double(api)
    const plan = await auth().plan({ ...policy, users: { ...policy.users } }, open)
    expect(plan.policy).toEqual(policy)
    expect(Object.isFrozen(plan.policy)).toBe(true)
    expect(Object.getPrototypeOf(plan.policy.users)).toBe(null)
  })
})

test('keys that a constructor made are granted as they are', async () => {
  const { backend, etcd, clock } = double('v3')
  const context = { clock, deadlineMilliseconds: 1000, user: 'root', signal: undefined }
  const perform = (step: Step) => backend().perform(step, { password: undefined, version: '3.5.30' }, context)
  await perform({ do: 'addRole', role: 'node', reason: '' })
  await perform({ do: 'grantPermission', role: 'node', permission: read(prefix('/a', { siblings: 'include' })), replaces: undefined, reason: '' })
  expect((await etcd.auth.roleGet({ role: 'node' })).perm).toHaveLength(1)
})
