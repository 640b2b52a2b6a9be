/** What a plan decides: about strangers, about whose connections are cut, and about what can never be applied. */
import { describe, expect, test } from 'vitest'
import { describe as describePlan, showStep, type PlanOptions, type Step } from '../../../src/auth/index.js'
import { pattern, prefix, read, readwrite, write, type Permission } from '../../../src/keys/index.js'
import { definePolicy, type Policy } from '../../../src/policy/index.js'
import { double, locked, passwords, policy, rejected } from './doubles.js'

const modes = ['keep', 'report', 'remove'] as const satisfies readonly PlanOptions['unmanaged'][]

/** A double, and somebody who writes to it. */
function planted(api: 'v3' | 'v2') {
  const made = double(api)
  const context = { clock: made.clock, deadlineMilliseconds: 1000, user: 'mallory', signal: undefined }
  const perform = async (...steps: readonly (Step extends infer S ? (S extends Step ? Omit<S, 'reason'> : never) : never)[]): Promise<void> => {
    for (const step of steps) await made.backend(made.etcd).perform({ ...step, reason: '' }, { password: 'planted', version: '3.5.30' }, context)
  }
  return { ...made, perform }
}

describe.each(['v3', 'v2'] as const)('on %s, a user whom the policy does not name', (api) => {
  describe.each(modes)('with unmanaged %s', (unmanaged) => {
    test('loses the roles of the policy, announced by name, before anything is granted or enabled', async () => {
      const { auth, perform } = planted(api)
      await perform({ do: 'addRole', role: 'node' }, { do: 'addRole', role: 'other' }, { do: 'addUser', user: 'zed', login: 'password' })
      await perform({ do: 'bindRole', user: 'zed', role: 'node' }, { do: 'bindRole', user: 'zed', role: 'other' })
      const plan = await auth().plan(policy, { unmanaged, enable: true })
      expect(plan.warnings.join('\n')).toMatch(/with a role of it, which they lose: zed \(role node\)$/m)
      expect(describePlan(plan)).toContain('zed (role node)')
      const step = plan.steps.find((one) => one.do === 'deleteUser' || one.do === 'unbindRole')
      expect(step).toMatchObject(unmanaged === 'remove' ? { do: 'deleteUser', user: 'zed' } : { do: 'unbindRole', user: 'zed', role: 'node', reason: 'the policy declares the role, and does not name the user' })
      const first = plan.steps.findIndex((one) => (one.do === 'grantPermission' && one.role === 'node') || one.do === 'enable')
      expect(plan.steps.findIndex((one) => one === step)).toBeLessThan(first)
      const { state } = await auth().apply(plan, { passwords })
      expect(state.enabled).toBe(true)
      expect(state.users['zed']).toEqual(unmanaged === 'remove' ? undefined : ['other'])
      expect((await auth().plan(policy, { unmanaged, enable: true })).steps).toEqual([])
    })

    test('and comes to hold such a role while the plan is applied, is not locked in', async () => {
      const { auth, etcd, perform } = planted(api)
      const plan = await auth().plan(policy, { unmanaged, enable: true })
      let met = false
      etcd.faults.beforeCall(
        ({ method, request }) => !met && (method === 'userGrantRole' || (method.startsWith('PUT /v2/auth/users/') && 'roles' in (request as object))) && (met = true),
        () => perform({ do: 'addUser', user: 'zed', login: 'password' }, { do: 'bindRole', user: 'zed', role: 'node' }),
      )
      const error = await rejected('ERR_READ_BACK', auth().apply(plan, { passwords }))
      expect(error.detail.differences.join()).toMatch(/zed/)
      expect((await auth().state()).enabled).toBe(false)
      const { state } = await auth().apply(await auth().plan(policy, { unmanaged, enable: true }))
      expect([state.enabled, state.users['zed'] ?? []]).toEqual([true, []])
    })
  })

  test('is removed if it is ours, by the beginning of its name or by a role that marks it, and left and listed if not', async () => {
    const { auth, perform } = planted(api)
    for (const role of ['our-old', 'marker', 'theirs']) await perform({ do: 'addRole', role })
    for (const user of ['our-app', 'marked', 'zed', 'root']) await perform({ do: 'addUser', user, login: 'password' })
    await perform({ do: 'bindRole', user: 'marked', role: 'marker' }, { do: 'bindRole', user: 'zed', role: 'theirs' })
    const marking = { ...policy, [api]: { ...policy[api], roles: { ...policy[api]?.roles, marker: [] } } } as Policy
    const removed = async (ours: PlanOptions['ours']): Promise<readonly string[]> => {
      const plan = await auth().plan(marking, { unmanaged: 'remove', enable: false, ...(ours ? { ours } : {}) })
      expect([plan.blockers, plan.unmanaged]).toEqual([[], { users: ['marked', 'our-app', 'zed'], roles: ['our-old', 'theirs'] }])
      return plan.steps.flatMap((step) => (step.do === 'deleteUser' ? [step.user] : step.do === 'deleteRole' ? [`role ${step.role}`] : []))
    }
    expect([...(await removed({ prefixes: ['our-'] }))].sort()).toEqual(['our-app', 'role our-old'])
    expect(await removed({ markerRole: 'marker' })).toEqual(['marked'])
    expect([...(await removed({ prefixes: ['our-'], markerRole: 'marker' }))].sort()).toEqual(['marked', 'our-app', 'role our-old'])
    expect(await removed(undefined)).toHaveLength(5)
  })

  test('is not ours by a mark that the policy does not declare: the plan would take it from those whom it does name', async () => {
    const { auth, perform, writes } = planted(api)
    await perform({ do: 'addRole', role: 'marker' }, { do: 'addUser', user: 'node', login: 'password' }, { do: 'bindRole', user: 'node', role: 'marker' })
    const before = writes().length
    const plan = await auth().plan(policy, { unmanaged: 'remove', enable: false, ours: { markerRole: 'marker' } })
    expect(plan.blockers).toEqual([expect.stringMatching(new RegExp(`^role marker, .* is not in the ${api} half: .*declare it there, without permissions, and bind your users to it`)) as string])
    await rejected('ERR_PLAN_BLOCKED', auth().apply(plan, { passwords }))
    expect(writes()).toHaveLength(before)
  })

  test('is ours by a rule that says something, with unmanaged remove', async () => {
    const { auth } = planted(api)
    for (const ours of [{}, { prefixes: [] }, { prefixes: [''] }, { markerRole: '' }, { markerRole: 'root' }, { prefixes: 'our-' }, null] as unknown as readonly NonNullable<PlanOptions['ours']>[])
      await expect(auth().plan(policy, { unmanaged: 'remove', enable: true, ours })).rejects.toBeInstanceOf(TypeError)
    await expect(auth().plan(policy, { unmanaged: 'report', enable: true, ours: { prefixes: ['our-'] } })).rejects.toThrow('unmanaged')
  })

  test('is unbound also where it is user root or the caller, who are never deleted', async () => {
    const { auth, perform } = planted(api)
    const without: Policy = { ...policy, users: { node: 'certificate' }, v3: { roles: policy.v3?.roles ?? {}, bindings: {} }, v2: { guest: [], roles: policy.v2?.roles ?? {}, bindings: {} } }
    await perform({ do: 'addRole', role: 'node' }, { do: 'addUser', user: 'root', login: 'password' }, { do: 'bindRole', user: 'root', role: 'node' })
    if (api === 'v3') await perform({ do: 'bindRole', user: 'root', role: 'root' })
    const plan = await auth().plan(without, { unmanaged: 'remove', enable: true })
    expect(plan.steps).toContainEqual({ do: 'unbindRole', user: 'root', role: 'node', reason: 'the policy declares the role, and does not name the user' })
    const { state } = await auth().apply(plan)
    expect(state.users['root']).toEqual(['root'])
  })

  test('keeps roles that the policy does not declare, role root among them, and costs no warning', async () => {
    const { auth, perform } = planted(api)
    await perform({ do: 'addRole', role: 'other' }, { do: 'addUser', user: 'zed', login: 'password' }, { do: 'bindRole', user: 'zed', role: 'other' })
    const plan = await auth().plan(policy, { unmanaged: 'keep', enable: true })
    expect(plan.warnings.join()).not.toContain('zed')
    const { state } = await auth().apply(plan, { passwords })
    expect(state.users['zed']).toEqual(['other'])
  })
})

test('on v2 a user whom the policy does not name is unbound from a role that the plan is about to make', async () => {
  const { auth, perform } = planted('v2')
  await perform({ do: 'addUser', user: 'zed', login: 'password' }, { do: 'bindRole', user: 'zed', role: 'node' })
  const plan = await auth().plan(policy, locked)
  expect(plan.warnings.join('\n')).toContain('zed (role node)')
  const steps = plan.steps.map((step) => [step.do, 'user' in step ? step.user : 'role' in step ? step.role : ''].join(' '))
  expect(steps.indexOf('unbindRole zed')).toBeLessThan(steps.indexOf('grantPermission node'))
  expect(steps).toContain('addRole node')
  const { state } = await auth().apply(plan, { passwords })
  expect(state.users['zed']).toEqual([])
})

test('the name of a stranger does not hide the role in a warning', async () => {
  const { auth, etcd } = double('v3')
  await etcd.auth.roleAdd({ name: 'node' })
  await etcd.auth.userAdd({ name: '\u001b[2J'.repeat(200), password: 'x' })
  await etcd.auth.userGrantRole({ user: '\u001b[2J'.repeat(200), role: 'node' })
  const text = describePlan(await auth().plan(policy, locked))
  expect(text).toContain('… (role node)')
  expect(text).not.toContain('\u001b')
})

test('on v2 whoever guests are is cut when guest loses a right, and not when it gains one', async () => {
  const { auth } = double('v2')
  const withGuest = (...guest: ReturnType<typeof read<ReturnType<typeof pattern>>>[]): Policy => definePolicy({ users: { root: 'certificate' }, v2: { guest, roles: {}, bindings: { root: ['root'] } } })
  const open = await auth().plan(withGuest(readwrite(pattern('*')), read(pattern('/a'))), locked)
  expect(open.sever).toBe('everyone')
  await auth().apply(open)
  const gained = await auth().plan(withGuest(readwrite(pattern('*')), read(pattern('/a')), read(pattern('/b'))), locked)
  expect([gained.steps.length, gained.sever]).toEqual([1, []])
  for (const guest of [[], [readwrite(pattern('*'))], [read(pattern('*')), read(pattern('/a'))]]) {
    const plan = await auth().plan(withGuest(...guest), locked)
    expect(plan.sever).toEqual(['guest'])
    expect(describePlan(plan)).toContain('guest: watches opened before')
  }
  expect((await auth().apply(await auth().plan(withGuest(), locked))).sever).toEqual(['guest'])
})

test('on v3 taking role root from user root blocks a plan while auth is on: etcd refuses it', async () => {
  const { auth, etcd, writes } = double('v3')
  const both = (root: readonly 'root'[]): Policy => definePolicy({ users: { root: 'certificate', admin: 'certificate' }, v3: { roles: {}, bindings: { root, admin: ['root'] } } })
  await auth().apply(await auth().plan(both(['root']), { unmanaged: 'keep', enable: false }))
  const asAdmin = auth({ identity: { user: 'admin' } }, etcd.as('admin'))
  const whileOff = await auth().plan(both([]), { unmanaged: 'keep', enable: false })
  expect(whileOff.blockers).toEqual([])
  await auth().apply(await auth().plan(both(['root']), locked))

  const before = writes().length
  const plan = await asAdmin.plan(both([]), locked)
  expect(plan.blockers).toEqual(['etcd does not take role root from user root while auth is on: bind it to "root" in the v3 half, or drop the user'])
  await rejected('ERR_PLAN_BLOCKED', asAdmin.apply(plan))
  expect(writes().length).toBe(before)
  const dropped = definePolicy({ users: { admin: 'certificate' }, v3: { roles: {}, bindings: { admin: ['root'] } } })
  expect((await asAdmin.plan(dropped, { unmanaged: 'remove', enable: true })).blockers).toEqual([])
})

test.each(['v3', 'v2'] as const)('on %s a role of ours that somebody else holds is taken from them before it goes', async (api) => {
  const { auth } = double(api)
  await auth().addRole('tenant-x')
  await auth().addUser('theirs', { login: 'password', password: 'x' })
  await auth().grantRole('theirs', 'tenant-x')
  const plan = await auth().plan(policy, { ...locked, unmanaged: 'remove', ours: { prefixes: ['tenant-'] } })
  expect(plan.steps.map(showStep).filter((step) => step.includes('tenant-x'))).toEqual(['unbind user theirs from role tenant-x', 'delete role tenant-x'])
  expect(plan.sever).toBe('everyone')
  const { state } = await auth().apply(plan, { passwords })
  expect([state.users['theirs'], 'tenant-x' in state.roles]).toEqual([[], false])
})

test.each(['v3', 'v2'] as const)('on %s nobody is cut off whose rights grow, and everybody whose rights shrink', async (api) => {
  const { auth } = double(api)
  const keys = api === 'v3' ? prefix('/a/') : pattern('/a/*')
  const policyOf = (permission: Permission): Policy => definePolicy({ users: { root: 'certificate', app: 'certificate' }, [api]: { ...(api === 'v2' ? { guest: [] } : {}), roles: { app: [permission] }, bindings: { root: ['root'], app: ['app'] } } } as never)
  await auth().apply(await auth().plan(policyOf(read(keys)), locked))
  const more = await auth().plan(policyOf(readwrite(keys)), locked)
  expect([more.steps.length, more.sever]).toEqual([1, []])
  expect(await auth().grantPermission('app', readwrite(keys))).toEqual({ outcome: 'changed' })
  expect((await auth().plan(policyOf(write(keys)), locked)).sever).toEqual(['app'])
  expect(await auth().grantPermission('app', write(keys))).toEqual({ outcome: 'changed', sever: { holdersOf: 'app' } })
})

test('more users than are bound in one turn are all made and bound, where roles are shared', async () => {
  const { auth } = double('v3')
  const names = Array.from({ length: 200 }, (_, at) => `user-${String(at)}`)
  const shared = definePolicy({
    users: { root: 'certificate', ...Object.fromEntries(names.map((name) => [name, 'certificate' as const])) },
    v3: { roles: { all: Array.from({ length: 6 }, (_, at) => read(prefix(`/k/${String(at)}/`))) }, bindings: { root: ['root'], ...Object.fromEntries(names.map((name) => [name, ['all']])) } },
  })
  const plan = await auth().plan(shared, locked)
  const kinds = plan.steps.map((step) => step.do)
  expect(kinds.lastIndexOf('bindRole')).toBeLessThan(kinds.indexOf('grantPermission'))
  expect(kinds.filter((kind) => kind === 'addUser')).toHaveLength(201)
  const { state } = await auth().apply(plan)
  for (const name of names) expect(state.users[name]).toEqual(['all'])
})
