/** Applying a plan to the double behind each seam: what goes wrong on the way, and what then stands in the store. */
import { describe, expect, test } from 'vitest'
import { describe as describePlan, planAuth, type PlanOptions, type StepEvent } from '../../../src/auth/index.js'
import { pattern, prefix, read } from '../../../src/keys/index.js'
import { isEtcdRbacError } from '../../../src/errors.js'
import { definePolicy, parsePolicy, type Policy } from '../../../src/policy/index.js'
import { double, isWrite, locked, passwords, policy, rejected, secret, type Double } from './doubles.js'

/** The same names with other rights, so that every kind of step occurs. */
const changed: Policy = parsePolicy({
  users: { root: 'certificate', node: 'certificate', auditor: 'password', newcomer: 'certificate' },
  v3: { roles: { node: [{ type: 'read', keys: prefix('/calico/felix/v1/') }], extra: [{ type: 'write', keys: prefix('/x/') }] }, bindings: { root: ['root'], node: ['node', 'extra'], newcomer: ['extra'] } },
  v2: { guest: [], roles: { node: [{ type: 'read', keys: pattern('/calico/v1*') }], extra: [{ type: 'write', keys: pattern('/x/*') }] }, bindings: { root: ['root'], node: ['node', 'extra'], newcomer: ['extra'] } },
})

describe('on v2, where a role that does not exist hides the next', () => {
  const held = async ({ etcd }: Double, user: string, ...roles: readonly string[]): Promise<void> => {
    await etcd.fetch(`https://127.0.0.1:2379/v2/auth/users/${user}`, { method: 'PUT', redirect: 'manual', body: JSON.stringify({ user, password: 'x', roles }) })
  }

  test.each([locked, { unmanaged: 'keep', enable: false } as const])('users of the policy are unbound from one after the other, %j', async (options) => {
    const made = double('v2')
    const ghosts = ['node', 'ghost1', 'ghost2', `${'g'.repeat(600)}1`, `${'g'.repeat(600)}2`, 'audit']
    await held(made, 'node', ...ghosts)
    const { auth } = made
    const events: StepEvent[] = []
    const { steps, state } = await auth().apply(await auth().plan(policy, options), { passwords, onStep: (event) => events.push(event) })
    expect(state.users['node']).toEqual(['node'])
    expect(steps.flatMap(({ step }) => (step.do === 'unbindRole' ? [step.role] : [])).sort()).toEqual([...ghosts].sort())
    expect(events.map(({ number }) => number)).toEqual(steps.map((_, index) => index + 1))
    expect(events.every(({ number, total }) => number <= total)).toBe(true)
    // All of them before one is made that might be among them.
    expect(steps.map(({ step }) => step.do).indexOf('addRole')).toBe(ghosts.length)
    expect((await auth().plan(policy, options)).steps).toEqual([])
  })

  test('others are unbound from all of them, and so from a role of the policy that is about to be made', async () => {
    const made = double('v2')
    await held(made, 'zed', 'ghost', 'node')
    const { auth } = made
    const { state } = await auth().apply(await auth().plan(policy, locked), { passwords })
    expect([state.enabled, state.users['zed']]).toEqual([true, []])
  })
})

describe.each(['v3', 'v2'] as const)('apply on %s', (api) => {
  test('done twice, it writes nothing the second time', async () => {
    const { auth, writes } = double(api)
    const first = await auth().apply(await auth().plan(policy, locked), { passwords })
    expect(first.state.enabled).toBe(true)
    const before = writes().length
    const plan = await auth().plan(policy, locked)
    expect(plan.steps).toEqual([])
    const second = await auth().apply(plan)
    expect(second.steps).toEqual([])
    expect(writes().length).toBe(before)
    expect(before).toBeGreaterThanOrEqual(api === 'v3' ? 11 : 9)
  })

  test('each step is one write, sent once, enabling last', async () => {
    const { auth, writes } = double(api)
    const plan = await auth().plan(policy, locked)
    const { steps } = await auth().apply(plan, { passwords })
    expect(writes()).toHaveLength(plan.steps.length)
    expect(steps.at(-1)?.step.do).toBe('enable')
    expect(steps.map(({ step }) => step)).toEqual(plan.steps)
  })

  test.each([
    ['a fresh store', undefined, policy],
    ['another policy', policy, changed],
  ] as const)('on %s, a write that is done and answered UNAVAILABLE is found done, whichever step it is', async (_, before, wanted) => {
    const total = await (async () => {
      const { auth } = double(api)
      if (before !== undefined) await auth().apply(await auth().plan(before, locked), { passwords })
      return (await auth().plan(wanted, { unmanaged: 'remove', enable: true })).steps.length
    })()
    expect(total).toBeGreaterThan(5)
    for (let index = 0; index < total; index++) {
      const { auth, etcd } = double(api)
      if (before !== undefined) await auth().apply(await auth().plan(before, locked), { passwords })
      const plan = await auth().plan(wanted, { unmanaged: 'remove', enable: true })
      let writes = 0
      etcd.faults.failAfter((call) => isWrite(call) && writes++ === index)
      const { steps } = await auth().apply(plan, { passwords, concurrency: 1 })
      expect(steps.flatMap(({ outcome }, number) => (outcome === 'found' ? [number] : []))).toEqual([index])
      expect((await auth().plan(wanted, { unmanaged: 'remove', enable: true })).steps).toEqual([])
    }
  })

  test('a write that fails before its effect gives a typed error, whichever step it is, and planning again finishes', async () => {
    const total = (await double(api).auth().plan(policy, locked)).steps.length
    for (let index = 0; index < total; index++) {
      const { auth, etcd } = double(api)
      const plan = await auth().plan(policy, locked)
      let writes = 0
      const remove = etcd.faults.failBefore((call) => isWrite(call) && writes++ === index)
      const error = await rejected('ERR_UNREACHABLE', auth().apply(plan, { passwords, concurrency: 1 }))
      expect(error.message).not.toContain(secret)
      remove()
      const rest = await auth().plan(policy, locked)
      expect(rest.steps.length).toBe(total - index)
      await auth().apply(rest, { passwords: Object.fromEntries(rest.needsPassword.map((user) => [user, secret])) })
      expect((await auth().plan(policy, locked)).steps).toEqual([])
    }
  })

  test.each([false, true])('an answer that never comes ends at the deadline (done all the same: %s)', async (applied) => {
    const { auth, etcd, clock } = double(api)
    const plan = await auth({ deadlineMilliseconds: 5000 }).plan(policy, locked)
    etcd.faults.timeOut((call) => isWrite(call), { applied })
    const running = auth({ deadlineMilliseconds: 5000 }).apply(plan, { passwords })
    const settled = running.then(
      () => 'done',
      (error: unknown) => (isEtcdRbacError(error) ? error.code : 'untyped'),
    )
    const over = { yes: false }
    void settled.then(() => (over.yes = true))
    for (let turn = 0; turn < 2000 && !over.yes; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      clock.advance(1000)
    }
    expect(await settled).toBe(applied ? 'done' : 'ERR_DEADLINE')
  })

  test('a signal stops before the next step; planning again finishes', async () => {
    const total = (await double(api).auth().plan(policy, locked)).steps.length
    for (const stop of [0, 1, Math.floor(total / 2), total - 1]) {
      const { auth, writes } = double(api)
      const controller = new AbortController()
      const plan = await auth().plan(policy, locked)
      if (stop === 0) controller.abort(new Error('enough'))
      const error = await rejected('ERR_ABORTED', auth().apply(plan, { passwords, concurrency: 1, signal: controller.signal, onStep: ({ number }) => (number === stop ? controller.abort() : undefined) }))
      expect(error.detail.stepsDone).toBe(stop)
      expect(writes()).toHaveLength(stop)
      const rest = await auth().plan(policy, locked)
      await auth().apply(rest, { passwords: Object.fromEntries(rest.needsPassword.map((user) => [user, secret])) })
      expect((await auth().plan(policy, locked)).steps).toEqual([])
    }
  })

  test('a signal stops the reading of a plan', async () => {
    const { auth } = double(api)
    await auth().apply(await auth().plan(policy, locked), { passwords })
    const error = await rejected('ERR_ABORTED', auth().plan(policy, { ...locked, signal: AbortSignal.abort() }))
    expect(error.detail.stepsDone).toBe(0)
  })

  test('with a signal that was aborted before, nothing is sent, whether there is something to write or not', async () => {
    const { auth, etcd } = double(api)
    const refused = async (): Promise<void> => {
      const plan = await auth().plan(policy, locked)
      const asked = etcd.calls.length
      const error = await rejected('ERR_ABORTED', auth().apply(plan, { passwords, signal: AbortSignal.abort(new Error('enough')) }))
      expect([error.detail.stepsDone, (error.cause as Error).message]).toEqual([0, 'enough'])
      expect(etcd.calls).toHaveLength(asked)
    }
    await refused()
    await auth().apply(await auth().plan(policy, locked), { passwords })
    await refused()
  })

  test('a state that has changed since the plan is refused before any write', async () => {
    const { auth, etcd, backend, clock, writes } = double(api)
    const plan = await auth().plan(policy, locked)
    await backend(etcd.as('mallory')).perform({ do: 'addRole', role: 'stray', reason: '' }, { password: undefined, version: '3.5.30' }, { clock, deadlineMilliseconds: 1, user: 'mallory', signal: undefined })
    const before = writes().length
    await rejected('ERR_PLAN_STALE', auth().apply(plan, { passwords }))
    expect(writes().length).toBe(before)
  })

  test.each(['grant to a managed role', 'user with role root'] as const)('another writer during apply, %s: auth is not enabled over it', async (what) => {
    const { auth, etcd, backend, clock } = double(api)
    const other = backend(etcd.as('mallory'))
    const context = { clock, deadlineMilliseconds: 1000, user: 'mallory', signal: undefined }
    const options = { password: 'planted', version: '3.5.30' }
    const plan = await auth().plan(policy, locked)
    let met = false
    etcd.faults.beforeCall(
      (call) => isWrite(call) && ((call.request as { name?: string } | undefined)?.name === 'node' || /\/users\/node$/.test(call.method)) && !met && (met = true),
      async () => {
        if (what === 'user with role root') {
          await other.perform({ do: 'addUser', user: 'mallory', login: 'password', reason: '' }, options, context)
          await other.perform({ do: 'bindRole', user: 'mallory', role: 'root', reason: '' }, options, context)
        } else {
          const permission = api === 'v3' ? read(prefix('/stolen/')) : read(pattern('/stolen/*'))
          await other.perform({ do: 'grantPermission', role: 'audit', permission, replaces: undefined, reason: '' }, options, context)
        }
      },
    )
    const error = await rejected('ERR_READ_BACK', auth().apply(plan, { passwords }))
    expect(met).toBe(true)
    expect(error.detail.differences.join()).toMatch(what === 'user with role root' ? /mallory.*holds role root/ : /stolen/)
    expect((await auth().state()).enabled).toBe(false)
  })

  test('another writer after the last look is met by the read-back', async () => {
    const { auth, etcd, backend, clock } = double(api)
    await auth().apply(await auth().plan(policy, locked), { passwords })
    const wanted = { ...policy, [api]: changed[api], users: changed.users }
    const plan = await auth().plan(wanted, locked)
    const other = backend()
    const permission = api === 'v3' ? read(prefix('/stolen/')) : read(pattern('/stolen/*'))
    const done: StepEvent[] = []
    etcd.faults.beforeCall(
      (call) => isWrite(call) && done.length === plan.steps.length - 1,
      () => other.perform({ do: 'grantPermission', role: 'node', permission, replaces: undefined, reason: '' }, { password: undefined, version: '3.5.30' }, { clock, deadlineMilliseconds: 1000, user: 'root', signal: undefined }),
    )
    const error = await rejected('ERR_READ_BACK', auth().apply(plan, { onStep: (event) => done.push(event) }))
    expect(error.detail.differences.join()).toContain('/stolen/')
  })

  test('a stranger who gets role root between the last look and the lock is named, unless acknowledged', async () => {
    const options = { password: 'planted', version: '3.5.30' }
    const plans: readonly PlanOptions[] = [{ unmanaged: 'keep', enable: true }, { unmanaged: 'report', enable: true }, { unmanaged: 'remove', enable: true }, { ...locked, acknowledgeRoot: ['mallory'] }]
    for (const decided of plans) {
      const { auth, etcd, backend, clock } = double(api)
      const [other, context] = [backend(etcd.as('mallory')), { clock, deadlineMilliseconds: 1000, user: 'mallory', signal: undefined }]
      etcd.faults.beforeCall(
        ({ method }) => method === 'authEnable' || method === 'PUT /v2/auth/enable',
        async () => {
          await other.perform({ do: 'addUser', user: 'mallory', login: 'password', reason: '' }, options, context)
          await other.perform({ do: 'bindRole', user: 'mallory', role: 'root', reason: '' }, options, context)
        },
      )
      const applying = auth().apply(await auth().plan(policy, decided), { passwords })
      if (decided.acknowledgeRoot !== undefined) expect((await applying).state.users['mallory']).toEqual(['root'])
      else expect((await rejected('ERR_READ_BACK', applying)).detail.differences.join()).toContain('user mallory, whom the policy does not name, holds role root')
    }
  })

  // On v2 only a user without roles is looked up: to make one with roles, etcd refuses.
  const moments = [
    ['when it is made', 'PUT', ['root', 'auditor', 'node', 'nobody']],
    ...(api === 'v2' ? [['before it is looked up', 'GET', ['root', 'nobody']] as const] : []),
  ] as const
  test.each(moments)('a user whom somebody else makes first, %s, with a password of their own, is not locked in: planning again names it', async (_, at, users) => {
    for (const user of users) {
      const { auth, etcd, backend, clock } = double(api)
      const plan = await auth().plan(policy, locked)
      let met = false
      etcd.faults.beforeCall(
        ({ method, request }) => !met && plan.steps.length > 0 && (method === `${at} /v2/auth/users/${user}` || (method === 'userAdd' && (request as { name?: string }).name === user)) && (met = true),
        () => backend(etcd.as('mallory')).perform({ do: 'addUser', user, login: 'password', reason: '' }, { password: 'planted', version: '3.5.30' }, { clock, deadlineMilliseconds: 1000, user: 'mallory', signal: undefined }),
      )
      const error = await rejected('ERR_READ_BACK', auth().apply(plan, { passwords }))
      expect(error.message).toContain(`user ${user} was there already when it was to be made`)
      expect(error.message).toContain('delete whom you did not make')
      expect((await auth().state()).enabled).toBe(false)
      const rest = await auth().plan(policy, locked)
      // On v3 the bindings followed; on v2 they were to come with the user.
      expect(rest.steps.map((step) => step.do)).toEqual(api === 'v2' && ['auditor', 'node'].includes(user) ? ['bindRole', 'enable'] : ['enable'])
      expect(rest.warnings.join()).toMatch(new RegExp(`may have given them a password.*${user}`))
      expect((await auth().apply(rest)).state.enabled).toBe(true)
    }
  })

  test('a user found already there is no obstacle where auth stays off, or is on: nobody else could have made it then', async () => {
    for (const enabled of [false, true]) {
      const { auth, etcd, backend, clock } = double(api)
      const few = definePolicy({ users: { root: 'certificate' }, v3: { roles: {}, bindings: { root: ['root'] } }, v2: { guest: [], roles: {}, bindings: { root: ['root'] } } })
      await auth().apply(await auth().plan(few, { unmanaged: 'keep', enable: enabled }))
      const plan = await auth().plan(policy, { unmanaged: 'keep', enable: enabled })
      let met = false
      etcd.faults.beforeCall(
        ({ method, request }) => !met && (method === 'PUT /v2/auth/users/node' || (method === 'userAdd' && (request as { name?: string }).name === 'node')) && (met = true),
        () => backend().perform({ do: 'addUser', user: 'node', login: 'password', ...(api === 'v2' && { roles: ['node'] }), reason: '' }, { password: 'planted', version: '3.5.30' }, { clock, deadlineMilliseconds: 1000, user: 'root', signal: undefined }),
      )
      const { steps, state } = await auth().apply(plan, { passwords })
      expect(steps.filter(({ outcome }) => outcome === 'found').map(({ step }) => step)).toMatchObject([{ do: 'addUser', user: 'node' }])
      expect(state.enabled).toBe(enabled)
    }
  })

  test('right after enabling, a root call that is denied says that the caller is locked out, and how to come back', async () => {
    const { auth, etcd } = double(api)
    const stranger = etcd.as('somebody-else')
    const plan = await auth({}, stranger).plan(policy, locked)
    const error = await rejected('ERR_LOCKED_OUT', auth({}, stranger).apply(plan, { passwords }))
    expect(error.detail.user).toBe('root')
    expect(error.message).toContain('Common Name is root')
    expect((await auth().state()).enabled).toBe(true)
  })

  test('locked out is also said when the answer to enabling was lost', async () => {
    const { auth, etcd } = double(api)
    const stranger = etcd.as('somebody-else')
    const plan = await auth({}, stranger).plan(policy, locked)
    etcd.faults.failAfter((call) => call.method === 'authEnable' || call.method === 'PUT /v2/auth/enable')
    // On v2 everyone may ask whether auth is on.
    await rejected('ERR_LOCKED_OUT', auth({}, stranger).apply(plan, { passwords }))
  })

  test('events come once a step, in order, and neither they nor plan, description, errors or calls hold a password', async () => {
    const { auth, etcd } = double(api)
    const plan = await auth().plan(policy, locked)
    const events: StepEvent[] = []
    const applied = await auth().apply(plan, { passwords, onStep: (event) => events.push(event) })
    expect(events.map(({ number }) => number)).toEqual(plan.steps.map((_, index) => index + 1))
    expect(events.every(({ total }) => total === plan.steps.length)).toBe(true)
    expect(JSON.stringify([plan, describePlan(plan), events, applied, auth(), await auth().state(), etcd.calls])).not.toContain(secret)
  })

  test.each([
    ['missing', {}, 'ERR_PASSWORD_MISSING'],
    ['empty', { auditor: '' }, 'ERR_PASSWORD_INVALID'],
    ['73 bytes long', { auditor: 'x'.repeat(73) }, 'ERR_PASSWORD_INVALID'],
    ['25 characters of 3 bytes long', { auditor: '€'.repeat(25) }, 'ERR_PASSWORD_INVALID'],
    ['for an unknown user', { auditor: secret, mallory: secret }, 'ERR_PASSWORD_INVALID'],
    ['for a certificate user', { auditor: secret, node: secret }, 'ERR_PASSWORD_INVALID'],
    ['on the prototype only', Object.create({ auditor: secret }) as Record<string, string>, 'ERR_PASSWORD_MISSING'],
  ] as const)('a password that is %s is refused before the first call', async (_, given, code) => {
    const { auth, etcd } = double(api)
    const plan = await auth().plan(policy, locked)
    const before = etcd.calls.length
    const error = await rejected(code, auth().apply(plan, { passwords: given }))
    expect(error.message).not.toContain(secret)
    expect(error.message).not.toContain('xxxxxxxxxx')
    expect(JSON.stringify(error.detail)).not.toContain(secret)
    expect(etcd.calls.length).toBe(before)
  })

  test('a password of 72 bytes is taken, one that is no string is a TypeError', async () => {
    const { auth, writes } = double(api)
    const plan = await auth().plan(policy, locked)
    await expect(auth().apply(plan, { passwords: { auditor: 7 as unknown as string } })).rejects.toBeInstanceOf(TypeError)
    expect(writes()).toEqual([])
    await auth().apply(plan, { passwords: { auditor: '€'.repeat(24) } })
  })

  test('a blocked plan is refused before any call', async () => {
    const { auth, etcd } = double(api)
    const plan = await auth({ identity: { user: 'node' } }).plan(policy, locked)
    expect(plan.blockers).not.toEqual([])
    const before = etcd.calls.length
    await rejected('ERR_PLAN_BLOCKED', auth({ identity: { user: 'node' } }).apply(plan, { passwords }))
    expect(etcd.calls.length).toBe(before)
  })

  test('a certificate that has expired between plan and apply blocks enabling', async () => {
    const { auth, clock, writes } = double(api)
    const identity = { user: 'root', certificate: { commonName: 'root', usages: ['clientAuth'], notBefore: new Date('2025-12-31T00:00:00Z'), notAfter: new Date('2026-01-01T01:00:00Z') } }
    const plan = await auth({ identity }).plan(policy, locked)
    expect(plan.blockers).toEqual([])
    clock.advance(2 * 3600 * 1000)
    const error = await rejected('ERR_PLAN_BLOCKED', auth({ identity }).apply(plan, { passwords }))
    expect(error.message).toContain('expired')
    expect(writes()).toEqual([])
  })

  test('a plan for the other API is a TypeError', async () => {
    const plan = await double(api).auth().plan(policy, locked)
    await expect(double(api === 'v3' ? 'v2' : 'v3').auth().apply(plan, { passwords })).rejects.toBeInstanceOf(TypeError)
  })

  test('with auth on, who is not root learns so, typed', async () => {
    const { auth, etcd } = double(api)
    await auth().apply(await auth().plan(policy, locked), { passwords })
    for (const client of [etcd.as('node'), etcd.as('nobody-knows'), etcd.anonymous()]) {
      await expect(auth({}, client).plan(policy, locked)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_NOT_(ROOT|AUTHENTICATED)$/) as string })
    }
  })

  test('an existing user is never given a password, whoever made it', async () => {
    const { auth, etcd, writes } = double(api)
    const half = definePolicy({ users: { root: 'certificate' }, v3: { roles: {}, bindings: { root: ['root'] } }, v2: { guest: [], roles: {}, bindings: { root: ['root'] } } })
    await auth().apply(await auth().plan(policy, { unmanaged: 'keep', enable: false }), { passwords })
    const before = writes().length
    const plan = await auth().plan(policy, locked)
    expect(plan.needsPassword).toEqual([])
    await auth().apply(plan, { passwords: { auditor: 'another password' } })
    expect(writes().slice(before).map(({ method }) => method)).toEqual([api === 'v3' ? 'authEnable' : 'PUT /v2/auth/enable'])
    expect((await auth().plan(half, { unmanaged: 'keep', enable: true })).steps).toEqual([])
    if (api === 'v3') {
      await expect(etcd.auth.authenticate({ name: 'auditor', password: secret })).resolves.toBeDefined()
      await expect(etcd.auth.authenticate({ name: 'auditor', password: 'another password' })).rejects.toThrow()
    } else {
      expect((await etcd.anonymous().withPassword('auditor', 'another password').fetch('https://127.0.0.1:2379/v2/keys/calico/', { method: 'GET', redirect: 'manual' })).status).toBe(401)
    }
  })

  test('a plan by planAuth alone meets the rules of the server all the same', async () => {
    const { auth } = double(api)
    const plan = planAuth(await auth().state(), policy, locked, { user: 'root' }, new Date('2026-01-01T00:00:00Z'))
    await auth().apply(plan, { passwords })
    expect((await auth().plan(policy, locked)).steps).toEqual([])
  })
})

