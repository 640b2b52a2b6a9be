/** What etcd v2 lists nowhere: names that begin with "_", and what a role that does not exist hides behind it. */
import { describe, expect, test } from 'vitest'
import { policyOfState, showStep } from '../../../src/auth/index.js'
import { pattern, readwrite } from '../../../src/keys/index.js'
import { definePolicy } from '../../../src/policy/index.js'
import { double, type Double } from './doubles.js'

const url = 'https://127.0.0.1:2379'
const root = { root: ['root'] } as const
const alone = definePolicy({ users: { root: 'certificate' }, v2: { guest: [], roles: {}, bindings: root } })
const report = { unmanaged: 'report', enable: true } as const

/** Something that a stranger wrote while auth was off. */
async function planted({ etcd }: Double, kind: 'users' | 'roles', name: string, body: object): Promise<void> {
  const { status } = await etcd.fetch(`${url}/v2/auth/${kind}/${name}`, { method: 'PUT', redirect: 'manual', body: JSON.stringify({ [kind.slice(0, -1)]: name, ...body }) })
  expect([200, 201]).toContain(status)
}
const user = (made: Double, name: string, ...roles: readonly string[]): Promise<void> => planted(made, 'users', name, { password: 'planted', roles })

describe('a role whose name begins with "_"', () => {
  async function opened(): Promise<Double> {
    const made = double('v2', '3.4.23')
    await planted(made, 'roles', '_all', { permissions: { kv: { read: ['/*'], write: ['/*'] } } })
    await user(made, 'app', '_all')
    return made
  }

  test('is read by that name where somebody holds it, and judged like any other', async () => {
    const { auth } = await opened()
    expect((await auth().state()).roles['_all']).toEqual([readwrite(pattern('/*'))])
    const plan = await auth().plan(alone, report)
    expect(plan.unmanaged).toEqual({ users: ['app'], roles: ['_all'] })
    const taken = await auth().plan(definePolicy({ users: { root: 'certificate', app: 'certificate' }, v2: { guest: [], roles: {}, bindings: root } }), report)
    expect(taken.steps.map(showStep)).toContain('unbind user app from role _all')
    expect(taken.rights).toContainEqual({ user: 'app', opens: [], closes: ['read /*', 'write /*', 'recursive read /*', 'recursive write /*'] })
    expect(policyOfState(await auth().state(), { logins: 'certificate' }).findings.map(({ code, name }) => [code, name])).toEqual([['role-left-out', '_all'], ['guest-missing', 'guest'], ['dangling-role', 'app']])
  })

  test('goes with whom the policy does not name, where they are to be removed', async () => {
    const { auth, etcd } = await opened()
    await auth().apply(await auth().plan(alone, { ...report, unmanaged: 'remove' }))
    expect((await auth().plan(alone, { ...report, unmanaged: 'remove' })).steps).toEqual([])
    expect((await etcd.as('root').fetch(`${url}/v2/auth/roles/_all`, { method: 'GET', redirect: 'manual' })).status).toBe(404)
  })
})

test('a role that no URL can name is held without stopping anything', async () => {
  const made = double('v2')
  await user(made, 'app', 'a/b')
  expect((await made.auth().state()).users['app']).toEqual(['a/b'])
})
