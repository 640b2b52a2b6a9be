/** What differs from a policy, and from what a recorded plan came to. */
import { describe, expect, test } from 'vitest'
import { describe as describePlan, parsePlan, showStep } from '../../../src/auth/index.js'
import fc from 'fast-check'
import { definePolicy } from '../../../src/policy/index.js'
import { allKeys, key, pattern, prefix, read, readwrite } from '../../../src/keys/index.js'
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

/** Root alone: everybody else is unmanaged. */
const rootOnly = definePolicy({ users: { root: 'certificate' }, v3: { roles: {}, bindings: { root: ['root'] } }, v2: { guest: [], roles: {}, bindings: { root: ['root'] } } })
const nothing = { users: [], roles: [] }

describe.each(['v3', 'v2'] as const)('drift on %s since a recorded plan, of whom the policy does not name,', (api) => {
  const everything = readwrite(api === 'v3' ? allKeys() : pattern('*'))
  const little = read(api === 'v3' ? key('/a') : pattern('/a'))
  /** A store with an unmanaged user, and a role without permissions that it does not hold. */
  const world = async (unmanaged: 'report' | 'keep' = 'report') => {
    const { auth } = double(api)
    await auth().addUser('known', { login: 'password', password: 'x' })
    await auth().addRole('theirs')
    const plan = await auth().plan(rootOnly, { ...locked, unmanaged })
    await auth().apply(plan)
    return { auth, plan: parsePlan(JSON.parse(JSON.stringify(plan))) }
  }

  test('tells who became nearly almighty, and by what', async () => {
    const { auth, plan } = await world()
    expect([plan.stays.users['known'], plan.stays.roles['theirs']]).toEqual([[], []])
    expect((await auth().drift(plan)).outcome).toBe('in sync')
    await auth().grantPermission('theirs', everything)
    await auth().grantRole('known', 'theirs')
    const drift = await auth().drift(plan)
    const what = api === 'v3' ? 'readwrite all keys' : 'readwrite *'
    expect([drift.outcome, drift.steps, drift.appeared, drift.disappeared]).toEqual(['drift', [], nothing, nothing])
    expect(drift.altered).toEqual({ users: [{ name: 'known', gained: ['theirs'], lost: [] }], roles: [{ name: 'theirs', gained: [what], lost: [] }] })
    for (const shown of [describePlan(drift), describePlan(parsePlan(JSON.parse(JSON.stringify(drift))))]) expect(shown).toContain(`Altered since the plan was made:\n  - user known gained role theirs\n  - role theirs gained ${what}`)
    expect(describePlan(drift, { format: 'markdown' })).toContain('## Altered since the plan was made')
    // Whoever has looked at it records it, and it is drift no more.
    const recorded = await auth().plan(rootOnly, locked)
    expect(describePlan(recorded)).toContain(`Not in the policy:\n  - user known (theirs)\n  - role theirs (${what})`)
    expect((await auth().drift(recorded)).outcome).toBe('in sync')
  })

  test('tells what such a one has lost, and who has gone', async () => {
    const { auth } = await world()
    await auth().grantPermission('theirs', little)
    await auth().grantRole('known', 'theirs')
    const plan = await auth().plan(rootOnly, locked)
    await auth().revokeRole('known', 'theirs')
    expect((await auth().drift(plan)).altered).toEqual({ users: [{ name: 'known', gained: [], lost: ['theirs'] }], roles: [] })
    await auth().deleteUser('known')
    await auth().deleteRole('theirs')
    const drift = await auth().drift(plan)
    expect([drift.outcome, drift.disappeared, drift.altered]).toEqual(['drift', { users: ['known'], roles: ['theirs'] }, nothing])
    expect(describePlan(drift)).toContain('Gone since the plan was made:\n  - user known\n  - role theirs')
  })

  test('tells who came back after it had been removed, whatever is to be done with them now', async () => {
    const { auth } = await world()
    const plan = await auth().plan(rootOnly, { ...locked, unmanaged: 'remove' })
    expect([plan.unmanaged, plan.stays]).toEqual([{ users: ['known'], roles: ['theirs'] }, { users: {}, roles: {} }])
    expect(describePlan(plan)).toContain('Not in the policy:\n  - user known\n  - role theirs')
    await auth().apply(plan)
    expect((await auth().drift(plan)).outcome).toBe('in sync')
    await auth().addUser('known', { login: 'password', password: 'x' })
    for (const options of [{}, { unmanaged: 'report' }] as const) {
      const drift = await auth().drift(plan, options)
      expect([drift.outcome, drift.appeared]).toEqual(['drift', { users: ['known'], roles: [] }])
    }
  })

  test('counts what the plan itself takes from them, and no order of what they hold', async () => {
    const { auth } = double(api)
    await auth().addUser('known', { login: 'password', password: 'x' })
    for (const role of ['b', 'a', 'node']) {
      await auth().addRole(role)
      await auth().grantRole('known', role)
    }
    const plan = await auth().plan(policy, locked)
    expect(plan.stays.users['known']).toEqual(['a', 'b'])
    await auth().apply(plan, { passwords })
    expect((await auth().drift(plan)).outcome).toBe('in sync')
  })

  test('tells nothing where they were to be kept unlisted, or are now', async () => {
    for (const [then, now] of [['keep', 'report'], ['report', 'keep']] as const) {
      const { auth, plan } = await world(then)
      await auth().grantRole('known', 'theirs')
      const drift = await auth().drift(plan, { unmanaged: now })
      expect([drift.outcome, drift.appeared, drift.altered]).toEqual(['in sync', nothing, nothing])
    }
  })

  test('is refused of what is no whole plan', async () => {
    const { auth, plan } = await world()
    const { stays: _, ...half } = plan
    await expect(auth().drift(half as never)).rejects.toThrow('plan must be a plan, as EtcdAuth.plan, planAuth and parsePlan give it: found one with no tables of what stays')
    await expect(auth().drift(plan, { hiddenUsers: 'known' as never })).rejects.toBeInstanceOf(TypeError)
  })
})

test('a hidden user whom the recorded plan was told of has not gone because others are looked for now', async () => {
  const { auth, etcd } = double('v2')
  const put = (name: string) => etcd.fetch(`https://127.0.0.1:2379/v2/auth/users/${name}`, { method: 'PUT', redirect: 'manual', body: JSON.stringify({ user: name, password: 'x' }) })
  await put('_back')
  const plan = await auth().plan(rootOnly, { ...locked, hiddenUsers: ['_back'] })
  await auth().apply(plan)
  expect((await auth().drift(plan, { hiddenUsers: ['_door'] })).outcome).toBe('in sync')
})

test('since a plan that was applied, a store is in sync exactly as long as what nobody manages holds what it held', async () => {
  const roles = ['a', 'b'] as const
  const holding = fc.record({ known: fc.subarray([...roles]), other: fc.option(fc.subarray([...roles]), { nil: undefined }), a: fc.subarray(['/x/', '/y/']), b: fc.subarray(['/x/', '/y/']) })
  await fc.assert(
    fc.asyncProperty(holding, holding, async (then, now) => {
      const { auth } = double('v3')
      const become = async (wanted: typeof then) => {
        for (const role of roles) {
          await auth().addRole(role)
          for (const at of ['/x/', '/y/']) await (wanted[role].includes(at) ? auth().grantPermission(role, readwrite(prefix(at))) : auth().revokePermission(role, prefix(at)))
        }
        if (wanted.other === undefined) await auth().deleteUser('other')
        for (const [user, held] of Object.entries({ known: wanted.known, other: wanted.other })) {
          if (held === undefined) continue
          await auth().addUser(user, { login: 'certificate' })
          for (const role of roles) await (held.includes(role) ? auth().grantRole(user, role) : auth().revokeRole(user, role))
        }
      }
      await become(then)
      const plan = await auth().plan(rootOnly, locked)
      await auth().apply(plan)
      expect((await auth().drift(plan)).outcome).toBe('in sync')
      await become(now)
      expect((await auth().drift(plan)).outcome).toBe(JSON.stringify(then) === JSON.stringify(now) ? 'in sync' : 'drift')
      await become(then)
      expect((await auth().drift(plan)).outcome).toBe('in sync')
    }),
    { numRuns: 30 },
  )
})
