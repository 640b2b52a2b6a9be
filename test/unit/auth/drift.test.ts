/** What differs from a policy, and from what a recorded plan came to. */
import { describe, expect, test } from 'vitest'
import { describe as describePlan, parsePlan, showStep } from '../../../src/auth/index.js'
import { double, locked, passwords, policy } from './doubles.js'

describe.each(['v3', 'v2'] as const)('drift on %s', (api) => {
  test('since a plan that was applied and kept is nothing, until somebody changes something', async () => {
    const { auth } = double(api)
    const plan = await auth().plan(policy, locked)
    await auth().apply(plan, { passwords })
    const kept = parsePlan(JSON.parse(JSON.stringify(plan)))
    expect((await auth().drift(kept)).outcome).toBe('in sync')
    await auth().revokeRole('auditor', 'audit')
    expect((await auth().drift(kept)).steps.map(showStep)).toEqual(['bind user auditor to role audit'])
    await auth().grantRole('auditor', 'audit')
    await auth().disable()
    expect((await auth().drift(kept)).steps.map(showStep)).toEqual(['enable auth'])
  })

  test('since a plan of the other API, or since nothing, is no question', async () => {
    const { auth } = double(api)
    const other = await double(api === 'v3' ? 'v2' : 'v3').auth().plan(policy, locked)
    await expect(auth().drift(other)).rejects.toThrow(`says nothing of the ${api} API`)
    for (const nothing of [undefined, null, 'policy', {}]) await expect(auth().drift(nothing as never)).rejects.toMatchObject({ code: 'ERR_POLICY_INVALID' })
  })

  test('since a plan that listed strangers tells who came since, and a store with such a one is not in sync', async () => {
    const { auth } = double(api)
    await auth().addUser('known', { login: 'password', password: 'x' })
    const plan = await auth().plan(policy, locked)
    await auth().apply(plan, { passwords })
    expect((await auth().drift(plan)).outcome).toBe('in sync')
    await auth().addUser('zed', { login: 'password', password: 'x' })
    const drift = await auth().drift(plan)
    expect([drift.outcome, drift.appeared, drift.steps]).toEqual(['drift', { users: ['zed'], roles: [] }, []])
    expect(describePlan(drift)).toContain('Come since the plan was made:\n  - user zed')
    expect(parsePlan(JSON.parse(JSON.stringify(drift))).fingerprint).toBe(drift.fingerprint)
  })

  test('lists strangers also where the plan kept them, and removes them where it did', async () => {
    const { auth } = double(api)
    for (const unmanaged of ['keep', 'report', 'remove'] as const) {
      const plan = await auth().plan(policy, { ...locked, unmanaged })
      await auth().apply(plan, { passwords: Object.fromEntries(plan.needsPassword.map((user) => [user, 'a password'])) })
      await auth().addUser('zed', { login: 'password', password: 'x' })
      const drift = await auth().drift(plan)
      expect(drift.unmanaged.users).toEqual(['zed'])
      expect(drift.steps.map(showStep)).toEqual(unmanaged === 'remove' ? ['delete user zed'] : [])
    }
  })

  test('only lists, where that is asked for, what the plan would have removed as its own', async () => {
    const { auth } = double(api)
    const plan = await auth().plan(policy, { ...locked, unmanaged: 'remove', ours: { prefixes: ['z'] } })
    await auth().apply(plan, { passwords })
    for (const user of ['mallory', 'zed']) await auth().addUser(user, { login: 'password', password: 'x' })
    const [same, listed] = [await auth().drift(plan), await auth().drift(plan, { unmanaged: 'report' })]
    expect(same.steps.map(showStep)).toEqual(['delete user zed'])
    expect([listed.steps, listed.unmanaged.users]).toEqual([[], ['mallory', 'zed']])
    await expect(auth().drift(plan, { unmanaged: 'report', ours: { prefixes: ['z'] } })).rejects.toBeInstanceOf(TypeError)
  })

  test('counts the requests that it took, each user and role once, and they are not part of what names the plan', async () => {
    const { auth, etcd } = double(api)
    await auth().apply(await auth().plan(policy, locked), { passwords })
    const before = etcd.calls.length
    const drift = await auth().drift(policy)
    expect(drift.reads).toBe(etcd.calls.length - before)
    const asked = etcd.calls.slice(before).map(({ method, request }) => `${method} ${JSON.stringify(request)}`).filter((call) => /userGet|roleGet|auth\/(users|roles)\/./.test(call))
    expect(new Set(asked).size).toBe(asked.length)
    expect(drift.reads).toBeGreaterThan(6)
    expect((await auth().drift(policy)).fingerprint).toBe(drift.fingerprint)
  })
})
