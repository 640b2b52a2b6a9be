import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planAuth, policyOfState, type AdoptFinding, type Api, type AuthState, type StoredPermission } from '../../../src/auth/index.js'
import { fromWire } from '../../../src/keys/interval.js'
import { key, pattern, prefix, read, readwrite, write, type KeyRange, type PathPattern } from '../../../src/keys/index.js'
import { definePolicy, noNewAccess, parsePolicy } from '../../../src/policy/index.js'
import { thrown } from '../../support/thrown.js'
import { double, locked, passwords, policy } from './doubles.js'
import { fromState, may, play, samplesOf, toState } from './naive-store.js'

const now = new Date('2026-01-01T00:00:00Z')
const stepsOf = (state: AuthState, adopted = policyOfState(state, { logins: 'certificate' }).policy): readonly string[] =>
  planAuth(state, adopted, { unmanaged: 'keep', enable: false }, { user: 'root' }, now).steps.map((step) => [step.do, 'user' in step ? step.user : '', 'role' in step ? step.role : ''].filter((part) => part !== '').join(' '))
const codes = (findings: readonly AdoptFinding[]): readonly string[] => findings.map(({ code, name }) => `${code} ${name}`)
const state = (api: Api, users: AuthState['users'], roles: AuthState['roles']): AuthState => ({ api, version: '3.5.30', enabled: true, users, roles })
const wire = (start: string, end: string): KeyRange => fromWire({ key: Buffer.from(start), rangeEnd: Buffer.from(end) })

describe.each(['v3', 'v2'] as const)('a store that a plan has made (%s)', (api) => {
  test('is adopted as that policy, and planning it writes nothing', async () => {
    const { auth } = double(api, api === 'v2' ? '3.4.23' : '3.5.30')
    await auth().apply(await auth().plan(policy, locked), { passwords })
    const adopted = policyOfState(await auth().state(), { logins: policy.users })
    expect(adopted.findings).toEqual([])
    const half = parsePolicy({ users: policy.users, [api]: policy[api] })
    expect([noNewAccess(half, adopted.policy), noNewAccess(adopted.policy, half)]).toEqual([{ holds: true }, { holds: true }])
    expect({ ...adopted.policy.users }).toEqual({ ...policy.users })
    expect((await auth().plan(adopted.policy, { unmanaged: 'remove', enable: true })).steps).toEqual([])
  })
})

test('a store that hands have made is adopted with what they left behind, and a plan puts it in order', async () => {
  const { auth, etcd } = double('v3', '3.4.23')
  const permissions = [['/a', '/b', 'Read'], ['/a', '/c', 'Read'], ['/a', '/c', 'Readwrite'], ['/z', '/y', 'Read'], ['', '\0', 'Read']] as const
  await etcd.auth.userAdd({ name: 'root', options: { no_password: true } })
  await etcd.auth.userGrantRole({ user: 'root', role: 'root' }).catch(async () => {
    await etcd.auth.roleAdd({ name: 'root' })
    await etcd.auth.userGrantRole({ user: 'root', role: 'root' })
  })
  await etcd.auth.roleAdd({ name: 'r' })
  for (const [start, end, permType] of permissions) await etcd.auth.roleGrantPermission({ name: 'r', perm: { permType, key: Buffer.from(start), range_end: Buffer.from(end) } })
  const adopted = policyOfState(await auth().state(), { logins: 'certificate' })
  expect(codes(adopted.findings).filter((code) => !code.startsWith('root-role')).toSorted()).toEqual(['duplicate-grant r', 'empty-grant r', 'empty-grant r'])
  const plan = await auth().plan(adopted.policy, { unmanaged: 'keep', enable: false })
  expect(plan.steps.length).toBeGreaterThan(0)
  await auth().apply(plan)
  const again = policyOfState(await auth().state(), { logins: 'certificate' })
  expect(again.findings).toEqual([])
  expect((await auth().plan(again.policy, { unmanaged: 'remove', enable: false })).steps).toEqual([])
})

describe('what a policy cannot say is found', () => {
  test.each<[string, AuthState, readonly string[], readonly string[]]>([
    ['the very same twice, which does no harm', state('v3', {}, { r: [read(key('/a')), read(key('/a'))] }), ['duplicate-grant r'], []],
    ['the same keys twice', state('v3', {}, { r: [read(key('/a')), readwrite(key('/a'))] }), ['duplicate-grant r'], ['revokePermission r', 'grantPermission r']],
    ['a range that holds no key', state('v3', {}, { r: [read(wire('/b', '/a')), read(key('/c'))] }), ['empty-grant r'], ['revokePermission r']],
    ['an empty key', state('v3', {}, { r: [read(wire('', '\0'))] }), ['empty-grant r'], ['revokePermission r']],
    ['a pattern that crashes etcd', state('v2', {}, { guest: [], r: [read({ api: 'v2', pattern: '' })] }), ['empty-grant r'], ['revokePermission r']],
    ['a pattern that matches nothing', state('v2', {}, { guest: [], r: [write({ api: 'v2', pattern: 'c/*' })] }), ['empty-grant r'], ['revokePermission r']],
    ['permissions of root', state('v3', { root: ['root'] }, { root: [readwrite(prefix('/'))] }), ['grant-on-root root'], []],
    ['a role that does not exist', state('v2', { a: ['gone', 'r'] }, { guest: [], r: [] }), ['dangling-role a'], ['unbindRole a gone']],
    ['a role root that nobody made', state('v3', { root: ['root'] }, {}), ['root-role-missing root'], ['addRole root']],
    ['no guest', state('v2', {}, {}), ['guest-missing guest'], ['addRole guest']],
    ['a user whom no policy may name', state('v3', { 'a/b': ['r'] }, { r: [read(key('/a'))] }), ['user-left-out a/b'], ['unbindRole a/b r']],
    ['a user whom no policy may name, without a role of it', state('v3', { 'a/b': ['root'] }, { root: [], r: [read(key('/a'))] }), ['administrator a/b', 'user-left-out a/b'], []],
    ['a type that etcd does not know', state('v3', {}, { r: [{ type: 'unknown', keys: key('/a') }, read(key('/b'))] }), ['unknown-type r'], ['revokePermission r']],
    ['a type that etcd does not know, beside one that it does', state('v3', {}, { r: [{ type: 'unknown', keys: key('/a') }, read(key('/a'))] }), ['unknown-type r'], ['revokePermission r', 'grantPermission r']],
    ['a role that no policy may name', state('v3', { a: ['r/s', 'r'] }, { 'r/s': [read(key('/a'))], r: [] }), ['role-renamed r/s'], ['addRole r-s', 'grantPermission r-s', 'bindRole a r-s', 'unbindRole a r/s']],
    ['a role that no policy may name, where the nearest name is taken', state('v3', { a: ['r/s'], b: ['r-s-2'] }, { 'r/s': [], 'r-s': [] }), ['dangling-role b', 'role-renamed r/s'], ['addRole r-s-3', 'bindRole a r-s-3', 'unbindRole a r/s', 'unbindRole b r-s-2']],
    ['a role that no policy may name, and nobody holds', state('v3', { 'a/b': ['r/s'] }, { 'r/s': [read(key('/a'))] }), ['role-left-out r/s', 'user-left-out a/b'], []],
    ['a hidden user of v2', state('v2', { _a: [] }, { guest: [] }), ['user-left-out _a'], []],
    ['a user of v2 who holds guest', state('v2', { a: ['guest'] }, { guest: [read(pattern('/p'))] }), ['role-renamed guest'], ['addRole guest-2', 'grantPermission guest-2', 'bindRole a guest-2', 'unbindRole a guest']],
    ['nothing', state('v3', { root: ['root'], a: ['r'] }, { root: [], r: [read(prefix('/a', { siblings: 'include' })), write(wire('/z', '\0'))] }), [], []],
    ['nothing on v2', state('v2', { root: ['root'], a: ['r', 'r'] }, { guest: [read(pattern('/p'))], r: [readwrite(pattern('/a*'))] }), [], []],
  ])('%s', (_, found, wanted, steps) => {
    const { findings } = policyOfState(found, { logins: 'certificate' })
    expect(codes(findings)).toEqual(wanted)
    expect(stepsOf(found)).toEqual(steps)
    expect(findings.some(({ planned }) => planned)).toBe(steps.length > 0)
  })

  test('and said without what would move a terminal', () => {
    const { findings } = policyOfState(state('v3', { 'a\u001b[2J': [] }, {}), { logins: 'password' })
    expect(findings[0]?.text).not.toContain('\u001b')
  })
})

describe('logins', () => {
  test.each([undefined, null, {}, { logins: undefined }, { logins: 1 }, 'certificate'])('that are not there are asked for: %j', (options) => {
    expect(() => policyOfState(state('v3', { a: [] }, {}), options as never)).toThrow(new TypeError("options must hold logins: 'certificate', 'password', or a table of users with theirs; etcd tells nobody how they log in"))
  })

  test.each([undefined, null, {}, 'state'])('of no state are none: %j', (given) => {
    expect(() => policyOfState(given as never, { logins: 'certificate' })).toThrow(/^state must be what an etcd's auth store holds/)
  })

  const found = state('v3', { a: [], b: [] }, {})
  test('are what the caller says, for all or each', () => {
    expect({ ...policyOfState(found, { logins: 'password' }).policy.users }).toEqual({ a: 'password', b: 'password' })
    expect({ ...policyOfState(found, { logins: { a: 'certificate', b: 'password', c: 'password' } }).policy.users }).toEqual({ a: 'certificate', b: 'password' })
  })
  test('are never guessed', () => {
    const { detail, message } = thrown('ERR_POLICY_INVALID', () => policyOfState(state('v3', { a: [], b: [], constructor: [] }, {}), { logins: { a: 'certificate' } }))
    expect(detail.problems.map(({ path }) => path)).toEqual(['$.logins["b"]', '$.logins["constructor"]'])
    expect(message).toContain('"b"')
    thrown('ERR_POLICY_INVALID', () => policyOfState(found, { logins: 'token' as never }))
  })
})

const point = fc.constantFrom('a', 'b', 'c', 'd')
const v3Keys: fc.Arbitrary<KeyRange> = fc.tuple(point, fc.constantFrom('', '\0', 'a', 'b', 'c', 'd', 'e')).map(([start, end]) => wire(start, end))
const v2Keys: fc.Arbitrary<PathPattern> = fc.constantFrom('/a', '/a*', '/a/*', '/b*', '*').map((text) => pattern(text))

function stateOf(api: Api): fc.Arbitrary<AuthState> {
  const permission: fc.Arbitrary<StoredPermission> = fc.tuple(fc.constantFrom('read' as const, 'write' as const, 'readwrite' as const, ...(api === 'v3' ? (['unknown'] as const) : [])), api === 'v3' ? v3Keys : v2Keys).map(([type, keys]): StoredPermission => ({ type, keys }))
  const permissions = fc.array(permission, { maxLength: 5 })
  const roles = fc.dictionary(fc.constantFrom('r0', 'r1', 'r/2', 'root', ...(api === 'v2' ? ['guest', '_r'] : [])), permissions, { maxKeys: 4 })
  const held = fc.uniqueArray(fc.constantFrom('r0', 'r1', 'r/2', 'root', 'gone', ...(api === 'v2' ? ['guest', '_r'] : [])), { maxLength: 3 })
  return fc.tuple(roles, fc.dictionary(fc.constantFrom('u0', 'u1', 'u/2'), held, { maxKeys: 3 }), fc.boolean()).map(([made, users, enabled]) => ({
    api,
    version: '3.5.30',
    enabled,
    users: { root: ['root'], ...users },
    // v2 keeps one type for a pattern, and no role root.
    roles: Object.fromEntries(Object.entries(made).filter(([role]) => api === 'v3' || role !== 'root').map(([role, list]) => [role, api === 'v3' ? [...list].sort((a, b) => (JSON.stringify(a.keys) < JSON.stringify(b.keys) ? -1 : 1)) : [...new Map(list.map((one) => [JSON.stringify(one.keys), one])).values()]])),
  }))
}

describe.each(['v3', 'v2'] as const)('for any state (%s)', (api) => {
  test('planning the draft writes something exactly where a finding says so; then nobody has another right, and nothing is left to write', () => {
    let [planned, compared] = [0, 0]
    fc.assert(
      fc.property(stateOf(api), (found) => {
        const { policy: draft, findings } = policyOfState(found, { logins: 'certificate' })
        const { steps } = planAuth(found, draft, { unmanaged: 'keep', enable: false }, { user: 'root' }, now)
        expect(steps.length > 0).toBe(findings.some((one) => one.planned))
        if (steps.length > 0) planned++
        const renamed = findings.some(({ code }) => code === 'role-renamed')
        const told = (name: string): boolean => findings.some((one) => one.name === name || (one.code === 'role-renamed' && one.text.includes(`"${name}" in its place`)))
        for (const step of steps) expect(('role' in step && told(step.role)) || ('user' in step && told(step.user))).toBe(true)

        const losers = new Set(findings.flatMap(({ code, name, planned: loses }) => (code === 'user-left-out' && loses ? [name] : [])))
        const [before, after] = [fromState(found), fromState(found)]
        for (const step of steps) play(after, step)
        if (renamed) compared++
        // Whom no policy may name may lose what ties it to what the policy names, and the finding says so: nobody else loses anything, and nobody wins.
        for (const user of before.users.keys())
          for (const sample of samplesOf(before)) {
            const [was, is] = [may(before, user, sample), may(after, user, sample)]
            if (!(losers.has(user) && was && !is)) expect(`${user} ${sample}: ${is}`).toBe(`${user} ${sample}: ${was}`)
          }
        expect(policyOfState(toState(after), { logins: 'certificate' }).findings.filter((one) => one.planned)).toEqual([])
        expect(planAuth(toState(after), draft, { unmanaged: 'keep', enable: false }, { user: 'root' }, now).steps).toEqual([])
      }),
      { numRuns: 400 },
    )
    expect(Math.min(planned, compared)).toBeGreaterThan(20)
  })
})

test.each([
  ['team/app', 'team-app'],
  ['/', '-'],
  ['..', 'role'],
  [' a ', 'a'],
  ['a\u0000\u202eb', 'a--b'],
  ['\ud800', '-'],
  ['x'.repeat(300), 'x'.repeat(56)],
  ['\u{1f600}'.repeat(80), '\u{1f600}'.repeat(56)],
  ['/root', '-root'],
])('a role %j that somebody holds is %j in the draft, with the same permissions, and nobody loses anything', (role, name) => {
  const { policy: draft, findings } = policyOfState(state('v3', { app: [role] }, { [role]: [readwrite(prefix('/app/'))] }), { logins: 'certificate' })
  expect({ ...draft.v3?.roles }).toEqual({ [name]: [readwrite(prefix('/app/'))] })
  expect(draft.v3?.bindings['app']).toEqual([name])
  expect(codes(findings)).toEqual([`role-renamed ${role}`])
  expect(findings[0]?.text).toContain(`the policy has role ${JSON.stringify(name)} in its place, with the same permissions`)
  const found = state('v3', { app: [role], root: ['root'] }, { root: [], [role]: [readwrite(prefix('/app/'))] })
  const plan = planAuth(found, policyOfState(found, { logins: 'certificate' }).policy, { unmanaged: 'keep', enable: false }, { user: 'root' }, now)
  expect([plan.rights, plan.gaps]).toEqual([[], []])
})

test('a role that v2 hides from its list is found by whoever holds it, and nobody loses what it grants', async () => {
  const { auth, etcd } = double('v2')
  const put = (path: string, body: object) => etcd.fetch(`https://127.0.0.1:2379/v2/auth/${path}`, { method: 'PUT', redirect: 'manual', body: JSON.stringify(body) })
  await put('roles/_r', { role: '_r', permissions: { kv: { read: ['/p'], write: [] } } })
  await put('users/app', { user: 'app', password: 'x', roles: ['_r'] })
  await put('users/odd', { user: 'odd', password: 'x', roles: ['_a/b', 'a/b'] })
  const found = await auth().state()
  expect(found.roles['_r']).toEqual([read(pattern('/p'))])
  const { policy: draft, findings } = policyOfState(found, { logins: 'certificate' })
  expect(codes(findings)).toContain('role-renamed _r')
  await auth().apply(await auth().plan(definePolicy({ ...draft, users: { ...draft.users, root: 'certificate' }, v2: { ...draft.v2, bindings: { ...draft.v2?.bindings, root: ['root'] } } } as never), { unmanaged: 'keep', enable: false }))
  const after = await auth().state()
  expect(after.roles[after.users['app']?.[0] ?? '']).toEqual([read(pattern('/p'))])
})

test('a user whom no policy may name is told to lose what the policy gives, role by role', () => {
  const { findings } = policyOfState(state('v3', { 'a/b': ['r', 's', 'root'] }, { root: [], r: [read(key('/a'))], s: [] }), { logins: 'certificate' })
  expect(findings.at(-1)).toMatchObject({ code: 'user-left-out', planned: true, text: 'user "a/b" holds a slash: the policy does not name it, and whoever it does not name loses its roles, here "r", "s", and what they grant' })
})

test('who may do everything beside root is found first, by name', () => {
  const found = { ...state('v3', { app: [], mallory: ['root'], root: ['root'] }, { root: [read(key('/a'))] }), enabled: false }
  const { findings } = policyOfState(found, { logins: 'certificate' })
  expect(codes(findings)).toEqual(['administrator mallory', 'grant-on-root root'])
  expect(findings[0]?.text).toBe('user "mallory" holds role root and may do everything; while auth is off, anyone may have made it')
})
