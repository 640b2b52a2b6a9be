/** Names that a store lists and that cannot be asked for. */
import { describe, expect, test } from 'vitest'
import { describe as describePlan, EtcdAuth, parseState, planAuth, policyOfState, v3Backend, type V3Transport } from '../../../src/auth/index.js'
import { etcd3Transport } from '../../../src/auth/v3/transport.js'
import { memoryEtcd } from '../../../src/testing/index.js'
import { locked, passwords, policy, rejected } from './doubles.js'

const now = new Date('2026-01-01T00:00:00Z')

/** A double that lists more than it can be asked for, as etcd does of names that are no UTF-8. */
function listing(more: { readonly userList?: readonly string[]; readonly roleList?: readonly string[]; readonly once?: boolean }) {
  const etcd = memoryEtcd({ version: '3.5.35', v2: false })
  const through = etcd3Transport(etcd.auth)
  const asked = new Map<string, number>()
  const transport: V3Transport = {
    call: async (method, request, options) => {
      const reply = await through.call(method, request, options)
      asked.set(method, (asked.get(method) ?? 0) + 1)
      if (more.once === true && asked.get(method) !== 1) return reply
      if (method === 'userList') return { users: [...(reply as { users: string[] }).users, ...(more.userList ?? [])] } as never
      if (method === 'roleList') return { roles: [...(reply as { roles: string[] }).roles, ...(more.roleList ?? [])] } as never
      return reply
    },
  }
  return { etcd, auth: new EtcdAuth(v3Backend(transport, { versions: ['3.5.35'], crypto }), { identity: { user: 'root' } }) }
}

describe('a name that is listed', () => {
  test.each([
    ['a user, whose bytes are no text', { userList: ['m\ufffd'] }, { users: ['m\ufffd'], roles: [] }],
    ['a user of whom etcd then knows nothing', { userList: ['ghost'] }, { users: ['ghost'], roles: [] }],
    ['a role, whose bytes are no text', { roleList: ['r\ufffd'] }, { users: [], roles: ['r\ufffd'] }],
  ])('as that of %s keeps auth from being turned on, and is told', async (_, more, unreadable) => {
    const { auth } = listing(more)
    expect((await auth.state()).unreadable).toEqual(unreadable)
    const plan = await auth.plan(policy, { ...locked, unmanaged: 'remove' })
    expect(plan.blockers.join()).toContain('nothing is known of it')
    expect(plan.unreadable).toEqual(unreadable)
    expect(describePlan(plan)).toContain('Of whom not all is known')
    expect(policyOfState(await auth.state(), { logins: 'certificate' }).findings[0]?.code).toBe('unreadable')
    const exported = parseState(JSON.parse(JSON.stringify(await auth.state())))
    expect(planAuth(exported, policy, { ...locked, unmanaged: 'remove' }, { user: 'root' }, now).outcome).toBe('blocked')
    await rejected('ERR_PLAN_BLOCKED', auth.apply(plan, { passwords }))
    await auth.apply(await auth.plan(policy, { ...locked, enable: false }), { passwords })
    expect((await rejected('ERR_WRITE_REFUSED', auth.enable())).message).toContain('nothing is known of it')
  })

  test('is no less told of where it is asked for as a hidden one', async () => {
    const { auth } = listing({ userList: ['ghost'] })
    expect((await auth.state({ hiddenUsers: ['ghost', 'nobody'] })).unreadable).toEqual({ users: ['ghost'], roles: [] })
  })

  test('beside one that reads the same, and can be asked for, hides behind it in vain', async () => {
    const { auth, etcd } = listing({ userList: ['m\ufffd'] })
    await etcd.auth.userAdd({ name: 'm\ufffd', password: 'decoy' })
    const state = await auth.state()
    expect(state.unreadable).toEqual({ users: ['m\ufffd'], roles: [] })
    expect(Object.keys(state.users)).toEqual([])
    expect((await auth.plan(policy, { ...locked, unmanaged: 'remove' })).outcome).toBe('blocked')
  })

  test('and has gone when it is asked for is no more than that', async () => {
    const { auth } = listing({ userList: ['gone'], once: true })
    const state = await auth.state()
    expect('unreadable' in state).toBe(false)
    expect(Object.keys(state.users)).toEqual([])
  })

  test('while auth is on is a warning, and the store is not in sync', async () => {
    const { auth, etcd } = listing({})
    await auth.apply(await auth.plan(policy, locked), { passwords })
    await etcd.auth.roleAdd({ name: 'r\ufffd' })
    await etcd.auth.userGrantRole({ user: 'node', role: 'r\ufffd' })
    const drift = await auth.drift(policy)
    expect([drift.outcome, drift.steps]).toEqual(['drift', []])
    expect(drift.warnings.join()).toContain('nothing is known of it')
    expect(planAuth(await auth.state(), policy, locked, { user: 'root' }, now).unreadable).toEqual({ users: [], roles: ['r\ufffd'] })
  })
})
