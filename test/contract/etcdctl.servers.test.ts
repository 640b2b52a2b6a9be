/** What `toEtcdctl` exports, run by a shell and a real etcdctl against a real etcd: the server then holds the policy and nothing else. */
import { Etcd3 } from 'etcd3'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lanes as declaredLanes } from '../../scripts/fetch-etcd.mjs'
import { EtcdAuth, etcd3Options, type Api } from '../../src/auth/index.js'
import { toHex } from '../../src/bytes.js'
import { isEtcdRbacError } from '../../src/errors.js'
import { toWire } from '../../src/keys/interval.js'
import { byScope } from '../../src/keys/scope.js'
import {
  allKeys, anonymous, definePolicy, fromKey, get, key, parsePolicy, path, pattern, prefix, put, range, read, readwrite, toEtcdctl, write, type KeyRange, type Permission, type Policy,
} from '../../src/policy/index.js'
import { healthProbe } from '../../src/presets/index.js'
import { startCluster, testLanes, type Cluster } from '../support/cluster.js'
import { buildEtcdctl, ETCDCTL, pinnedVersion, runScript, type Etcdctl } from '../support/etcdctl.js'
import { goVersion } from '../support/go-build.js'
import { anyPolicy } from '../support/policies.js'

const go = await goVersion()
if (go === undefined) console.warn('etcdctl: did not run, there is no Go here')
const lanes = await testLanes()

/** Names that a shell or etcdctl could take for something else. */
const names = ["o'brien", 'kube node', '$(id)', '`id`', 'a"b', '-x', '--no-password', '\\', 'é', '__proto__', '%s', '#', '*', 'a:b']
const named = <T>(value: (name: string) => T): Record<string, T> => Object.fromEntries(names.map((name) => [name, value(name)]))
const password = 'a $PASSWORD, with "quotes" and `ticks`'

/** A policy with one role of these permissions. */
const withRole = (...permissions: readonly Permission<KeyRange>[]): Policy =>
  definePolicy({ users: { root: 'certificate', node: 'certificate' }, v3: { roles: { node: permissions }, bindings: { root: ['root'], node: ['node'] } } })

const base: Policy = definePolicy({
  users: { root: 'certificate', node: 'certificate', auditor: 'password' },
  members: ['etcd-0'],
  authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
  v3: { roles: { node: [readwrite(prefix('/n/'))], audit: [read(fromKey('/'))] }, bindings: { root: ['root'], node: ['node'], auditor: ['audit'] } },
  v2: {
    guest: [read(pattern('/public/*'))],
    roles: { node: [readwrite(pattern('/n/*')), read(pattern('/it\'s $(id) "x" `y`')), write(pattern('/é%20?#'))], 'aud$it "x"': [read(pattern('/*'))], none: [] },
    bindings: { root: ['root'], node: ['node', 'none'], auditor: ['aud$it "x"'] },
  },
})

const policies: readonly (readonly [string, Policy])[] = [
  [
    'users and roles of any name',
    parsePolicy({
      users: { root: 'certificate', ...named(() => 'certificate') },
      v3: { roles: named((name) => [read(key(name))]), bindings: { root: ['root'], ...named((name) => [name]) } },
    }),
  ],
  ['ranges of each kind', withRole(readwrite(prefix('/a/')), read(prefix('/b', { siblings: 'include' })), write(range('/c', '/d')), read(fromKey('/e')), write(key('/f')), read(allKeys()))],
  [
    'keys that a shell or a flag would be',
    withRole(...["'", '"', '$HOME', '$(id)', '`id`', '\\n', 'a\nb', '\n', 'end\n\n', ' ', '  two', '\t', '\r', '*', '~', '#', '--prefix', '-', '--', '%s'].map((text) => read(key(text)))),
  ],
  [
    'bytes that are no text',
    withRole(
      read(key(Uint8Array.of(0xff))),
      write(key(Uint8Array.of(0xff, 0x0a, 0x0a))),
      read(key(Uint8Array.of(0x0a, 0xfe))),
      read(prefix(Uint8Array.of(0xff, 0xff), { siblings: 'include' })),
      read(prefix(Uint8Array.of(0x80, 0x2f))),
      readwrite(range(Uint8Array.of(0x01), Uint8Array.of(0xfd, 0x27, 0x0a))),
      read(fromKey(Uint8Array.of(0xc3))),
      read(key(Uint8Array.of(0x7f, 0x25, 0x5c, 0x80))),
    ),
  ],
  ['ranges that begin at one key, and reading and writing apart', withRole(read(key('/a')), write(key('/a')), read(range('/a', '/b')), read(prefix('/a', { siblings: 'include' })), readwrite(fromKey('/a')))],
]

/** A table of what is bound or granted, for comparing: names in order, without those of etcd's own. */
const table = <T>(entries: Readonly<Record<string, readonly T[]>>, show: (one: T) => string): readonly unknown[] =>
  Object.entries(entries)
    .map(([name, list]) => [name, list.map(show).sort()] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
const bytesOf = ({ type, keys }: { readonly type: string; readonly keys: Permission['keys'] }): string => {
  if (keys.api === 'v2') return `${type} ${keys.pattern}`
  const wire = toWire(keys)
  return `${type} ${toHex(wire.key)} ${toHex(wire.rangeEnd)}`
}

/** That a server holds one half of a policy, and nothing else. */
async function expectHeld(auth: EtcdAuth, policy: Policy, api: Api, enable: boolean): Promise<void> {
  expect((await auth.plan(policy, { unmanaged: 'remove', enable })).steps).toEqual([])
  const { users, roles, enabled } = await auth.state()
  const half = policy[api] ?? { roles: {}, bindings: {} }
  const unbound = Object.fromEntries(Object.keys(policy.users).map((user) => [user, [] as readonly string[]]))
  const merged = Object.entries<readonly Permission[]>(half.roles).map(([role, permissions]) => [role, [...byScope(permissions).values()]] as const)
  const bindsRoot = Object.values(half.bindings).some((held) => held.includes('root'))
  const own = api === 'v2' ? [['guest', policy.v2?.guest ?? []] as const] : bindsRoot ? [['root', []] as const] : []
  expect(table(users, (role) => role)).toEqual(table({ ...unbound, ...half.bindings }, (role) => role))
  // etcd 3.6 shows a permission of role root, which nobody granted.
  const granted = Object.fromEntries(Object.entries(roles).map(([role, permissions]) => [role, role === 'root' ? [] : permissions]))
  expect(table(granted, bytesOf)).toEqual(table(Object.fromEntries([...merged, ...own]), bytesOf))
  expect(enabled).toBe(enable)
}

test('etcdctl is built where Go is, in the releases of lanes, and said to be absent elsewhere', async () => {
  for (const module of Object.values(ETCDCTL)) {
    const pinned = await pinnedVersion(module)
    expect(declaredLanes().map(({ version }) => version)).toContain(pinned)
    if (go === undefined) continue
    expect((await buildEtcdctl(module, go)).version).toBe(pinned)
  }
})

/** etcdctl of the same release as the server; for 3.3, which asks for most, the one that is nearest. */
for (const lane of go === undefined ? [] : lanes) {
  const old = lane.version.startsWith('3.3.')
  const module = ETCDCTL[old ? '3.5' : lane.version.slice(0, 3)]
  if (module === undefined || (!old && (await pinnedVersion(module)) !== lane.version)) continue

  describe(`on etcd ${lane.name}, the script`, () => {
    let cluster: Cluster
    let etcdctl: Etcdctl
    beforeAll(async () => {
      etcdctl = await buildEtcdctl(module, go ?? '')
      cluster = await startCluster({ lane, members: 1, policy: base })
    })
    afterAll(() => cluster.stop())

    const authOf = (api: Api): EtcdAuth => new EtcdAuth(cluster.backend(api, 'root'), { identity: { user: 'root' } })
    const script = (policy: Policy, enable = false): readonly string[] => toEtcdctl(policy, { api: 'v3', version: lane.version, enable })
    /** As somebody types it: the password of each user, and once more. */
    const typed = (policy: Policy): readonly string[] => Object.values(policy.users).flatMap((how) => (how === 'password' ? [password, password] : []))
    const empty = async (): Promise<void> => {
      const { auth } = await cluster.client('root')
      for (const name of (await auth.userList()).users) await auth.userDelete({ name })
      for (const role of (await auth.roleList()).roles) await auth.roleDelete({ role })
    }

    if (!old) {
      test.each(policies)('writes %s', async (_, policy) => {
        await empty()
        expect(await runScript(etcdctl, cluster, script(policy))).toMatchObject({ status: 0 })
        await expectHeld(authOf('v3'), policy, 'v3', false)
      })

      test('writes any policy that it does not refuse', async () => {
        const isRefused = (policy: Policy): boolean => {
          try {
            script(policy)
            return false
          } catch (error) {
            if (isEtcdRbacError(error, 'ERR_RENDER_REFUSED')) return true
            throw error
          }
        }
        await fc.assert(
          fc.asyncProperty(anyPolicy.filter((policy) => policy.v3 !== undefined && !isRefused(policy)), async (policy) => {
            await empty()
            expect(await runScript(etcdctl, cluster, script(policy), { typed: typed(policy) })).toMatchObject({ status: 0 })
            await expectHeld(authOf('v3'), policy, 'v3', false)
          }),
          { numRuns: 2, endOnFailure: true },
        )
      })

      test.each([
        ['before a call', 5, false],
        ['after a call, whose answer is lost', 5, true],
      ])('stops where it is cut %s; run again it changes nothing, and a plan finishes it', async (_, call, done) => {
        await empty()
        const auth = authOf('v3')
        const lines = script(base)
        expect(await runScript(etcdctl, cluster, lines, { typed: typed(base), fails: { call, done } })).toMatchObject({ status: 1, output: expect.stringMatching(/connection lost\n$/) as string })
        const left = await auth.state()
        expect(await runScript(etcdctl, cluster, lines, { typed: typed(base) })).toMatchObject({ status: 1, output: expect.stringContaining('role name already exists') as string })
        expect(await auth.state()).toEqual(left)
        const plan = await auth.plan(base, { unmanaged: 'remove', enable: false })
        expect(plan.steps).not.toEqual([])
        await auth.apply(plan, { passwords: Object.fromEntries(plan.needsPassword.map((user) => [user, password])) })
        await expectHeld(auth, base, 'v3', false)
      })
    }

    test('piped into a shell, makes no user whose password is asked for', async () => {
      await empty()
      for (const api of cluster.apis) {
        const asking = definePolicy({ users: { auditor: 'password' }, v3: { roles: {}, bindings: {} }, v2: { guest: [], roles: {}, bindings: {} } })
        // Role guest is for the test of the v2 half to make.
        const lines = toEtcdctl(asking, { api, version: lane.version, enable: false }).filter((line) => !line.includes('guest'))
        expect((await runScript(etcdctl, cluster, lines, { piped: true })).status).not.toBe(0)
        expect((await authOf(api).state()).users).toEqual({})
      }
    })

    if (lane.v2 !== 'none')
      test('writes the v2 half and turns auth on there, guest being made first', async () => {
        const lines = toEtcdctl(base, { api: 'v2', version: lane.version, enable: true })
        expect(await runScript(etcdctl, cluster, lines, { typed: Object.keys(base.users).map(() => password) })).toMatchObject({ status: 0 })
        await expectHeld(authOf('v2'), base, 'v2', true)
        expect(await cluster.attempt('node', put(path('/n/x')))).toBe(true)
        expect(await cluster.attempt('node', put(path('/x')))).toBe(false)
        expect(await cluster.attempt(anonymous, put(path('/n/x')))).toBe(false)
      })

    test('turns auth on, by which each user may do its own, and nobody logs in by a password that was not given', async () => {
      await empty()
      expect(await runScript(etcdctl, cluster, script(base, true), { typed: typed(base) })).toMatchObject({ status: 0 })
      await expectHeld(authOf('v3'), base, 'v3', true)
      expect(await cluster.attempt('node', put('/n/x'))).toBe(true)
      expect(await cluster.attempt('node', put('/x'))).toBe(false)
      expect(await cluster.attempt(anonymous, get('/n/x'))).toBe(false)
      const logIn = async (username: string, tried: string): Promise<string> => {
        const client = new Etcd3({ ...etcd3Options({ hosts: cluster.clientUrls, ca: cluster.serverCa, ...(await cluster.credentials(anonymous)) }), auth: { username, password: tried } })
        try {
          await client.get('/n/x')
          return 'in'
        } catch (error) {
          return String(error)
        } finally {
          client.close()
        }
      }
      expect(await logIn('auditor', password)).toBe('in')
      for (const user of ['root', 'node', 'auditor']) expect(await logIn(user, 'x')).not.toBe('in')
      for (const user of ['root', 'node', 'auditor']) expect(await logIn(user, '')).not.toBe('in')
    })
  })
}

/** Where the release of etcdctl is that of the server. */
for (const lane of go === undefined ? [] : lanes) {
  const module = ETCDCTL[lane.version.slice(0, 3)]
  if (module === undefined || (await pinnedVersion(module)) !== lane.version) continue

  test(`on etcd ${lane.name}, etcdctl finds the member healthy as the user of healthProbe, who reads nothing else`, async () => {
    const policy: Policy = definePolicy({
      users: { root: 'certificate', probe: 'certificate' },
      members: ['etcd-0'],
      authorities: ['etcd-clients', 'etcd-servers', 'etcd-peers'],
      v3: { roles: { health: healthProbe().permissions }, bindings: { root: ['root'], probe: ['health'] } },
    })
    const cluster = await startCluster({ lane, members: 1, policy })
    try {
      const auth = new EtcdAuth(cluster.backend('v3', 'root'), { identity: { user: 'root' } })
      await auth.apply(await auth.plan(policy, { unmanaged: 'report', enable: true, acknowledgeOpenV2: true, needs: { probe: healthProbe() } }))
      const etcdctl = await buildEtcdctl(module, go ?? '')
      const { status, output } = await runScript(etcdctl, cluster, ['etcdctl endpoint health', 'etcdctl get health'], { as: 'probe' })
      expect({ status, output }).toMatchObject({ status: 0, output: expect.stringContaining('is healthy') as string })
      expect(await runScript(etcdctl, cluster, ['etcdctl get healthy'], { as: 'probe' })).toMatchObject({ status: 1, output: expect.stringContaining('permission denied') as string })
    } finally {
      await cluster.stop()
    }
  })
}
