/** On v2 a name that is no user is a guest: users come from there and go there, and plans say what that opens and closes. */
import { describe, expect, test } from 'vitest'
import { describe as describePlan, planAuth, showStep, type PlanOptions } from '../../../src/auth/index.js'
import { pattern, read, readwrite, type PathPattern, type Permission } from '../../../src/keys/index.js'
import { parsePolicy, type Policy } from '../../../src/policy/index.js'
import { double, type Double } from './doubles.js'

type Grants = readonly Permission<PathPattern>[]
const options = { unmanaged: 'remove', enable: true } as const

/** Users hold a role of their own name, unless they hold nothing. */
function policyOf(guest: Grants, users: Readonly<Record<string, Grants>> = {}): Policy {
  const own = Object.entries(users).filter(([, grants]) => grants.length > 0)
  return parsePolicy({
    users: Object.fromEntries(['root', ...Object.keys(users)].map((user) => [user, 'certificate'])),
    v2: { guest, roles: Object.fromEntries(own), bindings: { root: ['root'], ...Object.fromEntries(own.map(([user]) => [user, [user]])) } },
  })
}

/** What the double answers to somebody, by certificate. */
async function answers({ etcd }: Double, user: string, method: string, path: string): Promise<number> {
  const { status } = await etcd.as(user).fetch(`https://127.0.0.1:2379/v2/keys${path}`, { method, redirect: 'manual', ...(method === 'PUT' && { body: 'value=1' }) })
  return status
}

/** A store that goes from one policy to the next, and what somebody is answered before, after each step, and afterwards. */
async function journey(from: Policy, to: Policy, [user, method, path]: readonly [string, string, string], more: Partial<PlanOptions> = {}) {
  const made = double('v2', '3.4.23')
  await made.auth().apply(await made.auth().plan(from, options))
  const plan = await made.auth().plan(to, { ...options, ...more })
  const seen = [await answers(made, user, method, path)]
  await made.auth().apply(plan, { onStep: async () => void seen.push(await answers(made, user, method, path)) })
  expect((await made.auth().plan(to, options)).outcome).toBe('in sync')
  return { plan, isLetIn: seen.map((status) => status !== 401), steps: plan.steps.map(showStep) }
}

describe('a guest who becomes a user', () => {
  test('keeps what both give: guest loses it when the user has its own, and the plan says what the user loses', async () => {
    const { plan, isLetIn, steps } = await journey(policyOf([readwrite(pattern('/*'))]), policyOf([], { app: [readwrite(pattern('/app/*'))] }), ['app', 'PUT', '/app/x'])
    expect(isLetIn).not.toContain(false)
    expect(plan.gaps).toEqual([])
    expect(steps).toEqual(['add role app', 'grant readwrite /app/* to role app', 'add user app, who logs in by certificate and holds role app', 'revoke readwrite /* from role guest'])
    expect(plan.rights.map(({ user }) => user)).toEqual(['app', 'guest'])
    expect(plan.rights[0]?.closes[0]).toBe('read [/, /app/)')
    expect(plan.sever).toEqual(['app', 'guest'])
    expect(describePlan(plan)).toContain('app loses read [/, /app/)')
  })

  test('does not get, before it is one, what only guests are to get', async () => {
    const { isLetIn, steps } = await journey(policyOf([]), policyOf([read(pattern('/*'))], { app: [readwrite(pattern('/a*'))] }), ['app', 'GET', '/b/c'])
    expect(isLetIn).not.toContain(true)
    expect(steps.at(-1)).toBe('grant read /* to role guest')
  })

  test('and holds nothing is cut off at once', async () => {
    const { isLetIn, plan } = await journey(policyOf([read(pattern('/*'))]), policyOf([read(pattern('/*'))], { locked: [] }), ['locked', 'GET', '/'])
    expect(isLetIn).toEqual([true, false])
    expect([plan.gaps, plan.sever]).toEqual([[], ['locked']])
    expect(plan.rights).toEqual([{ user: 'locked', opens: [], closes: ['read /*', 'recursive read /*'] }])
  })

  test('who might recurse by an exact pattern may no longer by its own', async () => {
    const exact = [read(pattern('/c'))]
    const { plan } = await journey(policyOf(exact), policyOf([], { app: exact }), ['app', 'GET', '/c'])
    expect(plan.gaps).toEqual([])
    expect(plan.rights).toContainEqual({ user: 'app', opens: [], closes: ['recursive read /c'] })
  })
})

describe('a user who becomes a guest', () => {
  test('gains what guests hold: the plan says so', async () => {
    const { plan, isLetIn } = await journey(policyOf([read(pattern('/*'))], { locked: [] }), policyOf([read(pattern('/*'))]), ['locked', 'GET', '/'])
    expect(isLetIn).toEqual([false, true])
    expect(plan.rights).toEqual([{ user: 'locked', opens: ['read /*', 'recursive read /*'], closes: [] }])
  })

  test('keeps what both give: guest gains it before', async () => {
    const { plan, isLetIn } = await journey(policyOf([], { app: [read(pattern('/a/*'))] }), policyOf([read(pattern('/a/*'))]), ['app', 'GET', '/a/x'])
    expect(isLetIn).not.toContain(false)
    expect(plan.gaps).toEqual([])
  })

  test('does not get on the way what guests are about to lose', async () => {
    const { isLetIn } = await journey(policyOf([read(pattern('/b/*'))], { app: [read(pattern('/a/*'))] }), policyOf([read(pattern('/a/*'))]), ['app', 'GET', '/b/x'])
    expect(isLetIn).not.toContain(true)
  })
})

test('a user who is made anew is no guest meanwhile', async () => {
  const policy = policyOf([read(pattern('/*'))], { app: [readwrite(pattern('/app/*'))] })
  const { plan, isLetIn, steps } = await journey(policy, policy, ['app', 'GET', '/b'], { recreate: ['app'] })
  expect(isLetIn).toEqual([false, false])
  expect(steps).toEqual(['give user app a password that nobody knows'])
  expect([plan.gaps, plan.rights, plan.sever]).toEqual([[], [], ['app']])
})

test('where no order keeps a right, the plan lists the gap', () => {
  // Who comes holds a role that another must lose before it grants what the two policies give the first, and the other way round.
  const state = { api: 'v2', version: '3.5.30', enabled: true, users: { root: ['root'], old: ['r'] }, roles: { guest: [read(pattern('/x'))], r: [read(pattern('/y'))] } } as const
  const to = parsePolicy({ users: { root: 'certificate', new: 'certificate' }, v2: { guest: [read(pattern('/y'))], roles: { r: [read(pattern('/x'))] }, bindings: { root: ['root'], new: ['r'] } } })
  const plan = planAuth(state, to, options, { user: 'root' }, new Date('2026-01-01T00:00:00Z'))
  expect(plan.gaps.map(({ user, permission, after }) => [user, permission, showStep(after)])).toEqual([['new', 'read of read /x', 'revoke read /x from role guest'], ['old', 'read of read /y', 'revoke read /y from role r']])
})

test('on v3 users are made without roles, and bound afterwards', async () => {
  const { backend, clock } = double('v3')
  const step = { do: 'addUser', user: 'app', login: 'certificate', roles: ['app'], reason: '' } as const
  await expect(backend().perform(step, { password: undefined, version: '3.5.30' }, { clock, deadlineMilliseconds: 1000, user: 'root', signal: undefined })).rejects.toThrow('etcd v3 makes users without roles')
})
