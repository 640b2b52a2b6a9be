/** The order of steps where they wait for one another: what the laws of test/property/auth-order.test.ts meet too seldom. */
import { describe, expect, test } from 'vitest'
import { planAuth, showStep, type Api, type AuthState } from '../../../src/auth/index.js'
import { key, pattern, read } from '../../../src/keys/index.js'
import { parsePolicy } from '../../../src/policy/index.js'
import { fromState, may, play } from './naive-store.js'

const now = new Date('2026-01-01T00:00:00Z')
const at = (api: Api, name: string) => read(api === 'v3' ? key(`/${name}`) : pattern(`/${name}`))

describe.each(['v3', 'v2'] as const)('on %s', (api) => {
  const guest = api === 'v2' ? { guest: [] } : {}
  const state: AuthState = {
    api,
    version: '3.5.30',
    enabled: true,
    users: { ann: ['left'], bob: ['right'], root: ['root'] },
    roles: { ...guest, ...(api === 'v3' ? { root: [] } : {}), left: [at(api, 'x')], right: [at(api, 'y')] },
  }
  const users = { root: 'certificate', ann: 'certificate', bob: 'certificate' }

  test('two roles that change places, with those who hold them, make a circle: one gap, listed, and nobody has too much on the way', () => {
    const policy = parsePolicy({ users, [api]: { ...guest, roles: { left: [at(api, 'y')], right: [at(api, 'x')] }, bindings: { root: ['root'], ann: ['right'], bob: ['left'] } } })
    const plan = planAuth(state, policy, { unmanaged: 'keep', enable: true }, { user: 'root' }, now)
    expect(plan.gaps).toHaveLength(1)
    const store = fromState(state)
    const lacking: string[] = []
    for (const step of plan.steps) {
      play(store, step)
      expect([may(store, 'ann', 'read /y'), may(store, 'bob', 'read /x')]).toEqual([false, false])
      for (const [user, sample] of [['ann', 'read /x'], ['bob', 'read /y']] as const) if (!may(store, user, sample)) lacking.push(`${user} after ${showStep(step)}`)
    }
    expect([may(store, 'ann', 'read /x'), may(store, 'bob', 'read /y')]).toEqual([true, true])
    expect(lacking[0]).toBe(plan.gaps.map(({ user, after }) => `${user} after ${showStep(after)}`)[0])
    expect(new Set(lacking.map((line) => line.split(' ')[0])).size).toBe(1)
  })

  test('a stranger is unbound before a role grants more, and what a role must not grant goes before somebody else holds it', () => {
    const policy = parsePolicy({ users: { root: 'certificate', ann: 'certificate' }, [api]: { ...guest, roles: { left: [at(api, 'x')], right: [at(api, 'x')] }, bindings: { root: ['root'], ann: ['left', 'right'] } } })
    const plan = planAuth(state, policy, { unmanaged: 'keep', enable: true }, { user: 'root' }, now)
    const done = plan.steps.map((step) => `${step.do} ${'user' in step ? step.user : ''}`.trim())
    expect(done.sort()).toEqual(['bindRole ann', 'grantPermission', 'revokePermission', 'unbindRole bob'])
    const order = plan.steps.map((step) => step.do)
    expect(order.indexOf('unbindRole')).toBeLessThan(order.indexOf('grantPermission'))
    expect(order.indexOf('revokePermission')).toBeLessThan(order.indexOf('bindRole'))
    expect(plan.gaps).toEqual([])
  })
})
