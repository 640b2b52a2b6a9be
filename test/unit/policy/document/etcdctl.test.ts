import fc from 'fast-check'
import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../../../src/bytes.js'
import { toWire } from '../../../../src/keys/interval.js'
import { isEtcdRbacError } from '../../../../src/errors.js'
import { allKeys, definePolicy, fromKey, key, pattern, prefix, range, read, readwrite, toEtcdctl, write, type EtcdctlOptions, type KeyRange, type Permission, type Policy } from '../../../../src/policy/index.js'
import { anyPolicy } from '../../../support/policies.js'
import { thrown } from '../../../support/thrown.js'

/** What `etcdctl` would be called with, by a real shell: the arguments of each call, as bytes in latin1, and what its standard input held. */
function calls(lines: readonly string[]): readonly { readonly arguments: readonly string[]; readonly input: string }[] {
  const [shebang, ...rest] = lines
  expect(shebang).toBe('#!/bin/sh')
  // Where a password is piped, the double reads it; elsewhere its input is none.
  const double = `etcdctl() { printf '%s\\0' "$#" "$@"; case " $* " in *--interactive=false*) cat ;; esac; printf '\\0'; }`
  const output = execFileSync('sh', ['-c', [double, ...rest].join('\n')], { encoding: 'latin1', env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'pipe'] })
  const parts = output.split('\0')
  const found = []
  for (let at = 0; at < parts.length - 1; ) {
    const count = Number(parts[at])
    found.push({ arguments: parts.slice(at + 1, at + 1 + count), input: parts[at + 1 + count] ?? '' })
    at += count + 2
  }
  return found
}

const commands = (policy: Policy, options: EtcdctlOptions): readonly string[] => calls(toEtcdctl(policy, options)).map((call) => call.arguments.join(' '))
const v3 = (...permissions: readonly Permission<KeyRange>[]): Policy =>
  definePolicy({ users: { root: 'certificate', app: 'password' }, v3: { roles: { app: permissions }, bindings: { root: ['root'], app: ['app'] } } })
const newest: EtcdctlOptions = { api: 'v3', version: '3.5.30', enable: true }

describe('on v3, the script', () => {
  test('makes roles, permissions, users and bindings, and enables auth last', () => {
    expect(commands(v3(readwrite(prefix('/app/')), read(key('/x'))), newest)).toEqual([
      'role add root',
      'role add -- app',
      'role grant-permission --prefix -- app readwrite /app/',
      'role grant-permission -- app read /x',
      'user add --no-password -- root',
      'user grant-role -- root root',
      'user add -- app',
      'user grant-role -- app app',
      'auth enable',
    ])
  })

  test.each<[string, Permission<KeyRange>, string]>([
    ['a range', write(range('/a', '/b')), '-- app write /a /b'],
    ['a prefix with siblings', read(prefix('/a', { siblings: 'include' })), '--prefix -- app read /a'],
    ['everything from a key on', read(fromKey('/a')), '--from-key -- app read /a'],
    ['every key', read(allKeys()), '--prefix -- app read '],
    ['a key that looks like a flag', read(key('--prefix')), '-- app read --prefix'],
    ['a key that a shell would run', read(key("$(reboot) `x` 'y' \"z\" \\n ;&|")), "-- app read $(reboot) `x` 'y' \"z\" \\n ;&|"],
    ['bytes that are no text', read(key(Uint8Array.of(0xff, 0x25, 0x0a, 0x5c, 0x0a, 0x0a))), '-- app read \xff%\n\\\n\n'],
  ])('grants %s', (_, permission, wanted) => {
    expect(commands(v3(permission), newest)[2]).toBe(`role grant-permission ${wanted}`)
  })

  test('is what it looks like, whatever keys hold', () => {
    const keys = ['-a\u202ecod.', '/x\n/y', 'é\u200b%s\\', '\u001b[2J', '/\u00ad1', '\n\n']
    const lines = toEtcdctl(v3(...keys.map((one) => read(key(one)))), newest)
    expect(lines.join('')).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    const granted = calls(lines).map((call) => Buffer.from(call.arguments.at(-1) ?? '', 'latin1').toString('utf8'))
    expect(granted.slice(2, 2 + keys.length)).toEqual(keys)
  })

  test('grants reading and writing of the same keys at once: etcd would keep the last only', () => {
    expect(commands(v3(read(key('/a')), write(key('/a'))), newest).filter((command) => command.includes('grant-permission'))).toEqual(['role grant-permission -- app readwrite /a'])
  })

  test('draws a password on 3.3, where a user without one would be open to everybody, and shows it to nobody', () => {
    const found = calls(toEtcdctl(v3(), { ...newest, version: '3.3.25' }))
    const root = found.find(({ arguments: [, , flag] }) => flag === '--interactive=false')
    expect(root?.arguments).toEqual(['user', 'add', '--interactive=false', '--', 'root'])
    expect(root?.input).toMatch(/^[A-Za-z0-9+/]{43}=\n$/)
    expect(toEtcdctl(v3(), { ...newest, version: '3.3.25' })).toContain('export ETCDCTL_API=3')
    expect(calls(toEtcdctl(v3(), { ...newest, version: '3.3.25' })).find(({ input }) => input !== '')?.input).not.toBe(root?.input)
  })

  test('stops where no password can be drawn', () => {
    const lines = toEtcdctl(v3(), { ...newest, version: '3.3.25' })
    expect(() => calls([lines[0] ?? '', 'head() { return 1; }', ...lines.slice(1)])).toThrow()
  })

  test('leaves auth as it is where that is wanted', () => {
    expect(commands(v3(), { ...newest, enable: false })).not.toContain('auth enable')
  })
})

describe('the script is read to its end before anything of it is run:', () => {
  const long = definePolicy({
    users: { root: 'password' },
    v3: { roles: Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`role-${String(index)}`, [read(prefix(`/role-${String(index)}/`))]])), bindings: { root: ['root'] } },
  })
  const lines = toEtcdctl(long, newest)

  test('piped into a shell, it is not read as a password by the etcdctl that asks for one', () => {
    // Asks as etcdctl does: of what stands in the pipe.
    const asking = "etcdctl() { if IFS= read -r line; then printf 'read %s\\n' \"$line\"; else printf 'nothing\\n'; fi; }"
    const output = execFileSync('sh', { input: [asking, ...lines].join('\n'), encoding: 'utf8' })
    expect(output).toMatch(/^nothing\n/)
    expect(output).not.toContain('read ')
  })

  test('cut short anywhere, it does nothing', () => {
    for (const kept of [lines.length - 1, 5_000, 7]) {
      const { status, stdout } = spawnSync('sh', { input: ["etcdctl() { printf 'called\\n'; }", ...lines.slice(0, kept)].join('\n'), encoding: 'utf8' })
      expect({ status, called: stdout !== '' }).toEqual({ status: expect.toSatisfy((code: unknown) => code !== 0) as unknown, called: false })
    }
  })
})

test('on v2, the script makes guest first, asks for passwords, and leaves root its own role', () => {
  const policy = definePolicy({
    users: { root: 'certificate', node: 'certificate', auditor: 'password' },
    v2: { guest: [read(pattern('/public'))], roles: { node: [readwrite(pattern('/calico/v1*')), read(pattern("/it's"))] }, bindings: { root: ['root'], node: ['node', 'root'] } },
  })
  const lines = toEtcdctl(policy, { api: 'v2', version: '3.4.23', enable: true })
  expect(lines).toContain('export ETCDCTL_API=2')
  expect(calls(lines).map((call) => call.arguments.join(' '))).toEqual([
    'role add -- guest',
    'role grant --path /public --read -- guest',
    'role add -- node',
    'role grant --path /calico/v1* --readwrite -- node',
    "role grant --path /it's --read -- node",
    // etcdctl 2 counts the time that the password takes to be typed, and gives five seconds unless told otherwise.
    '--total-timeout 10m user add -- root',
    '--total-timeout 10m user add -- node',
    'user grant --roles node -- node',
    'user grant --roles root -- node',
    '--total-timeout 10m user add -- auditor',
    'auth enable',
  ])
})

describe('what etcdctl cannot say is refused, with every reason', () => {
  test.each<[string, Policy, EtcdctlOptions, readonly string[]]>([
    ['a zero byte', v3(read(key('a\0')), read(range('a', 'b\0'))), newest, ['a\\u0000 of role "app"', '[a, b\\u0000) of role "app"']],
    ['a key that is longer than Linux lets a word be', v3(read(key('k'.repeat(131_072))), read(range('a', `b${'c'.repeat(131_071)}`))), newest, ['kkk', 'ccc']],
    ['a pattern that is longer than Linux lets a word be', definePolicy({ users: { root: 'certificate' }, v2: { guest: [], roles: { r: [read(pattern(`/${'é'.repeat(66_000)}`))] }, bindings: {} } }), { api: 'v2', version: '3.5.30', enable: true }, ['pattern']],
    ['every key before 3.4', v3(read(allKeys())), { ...newest, version: '3.3.25' }, ['all keys']],
    ['a colon in a name with password', definePolicy({ users: { root: 'certificate', 'a:b': 'password' }, v3: { roles: {}, bindings: { root: ['root'] } } }), newest, ['"a:b"']],
    ['enabling without root', definePolicy({ users: { root: 'certificate' }, v3: { roles: {}, bindings: {} } }), newest, ['root']],
    ['everything on v2', definePolicy({ users: { root: 'certificate' }, v2: { guest: [], roles: { r: [read(pattern('*'))] }, bindings: {} } }), { api: 'v2', version: '3.5.30', enable: true }, ['pattern "*"']],
    ['a comma in a role of v2', definePolicy({ users: { root: 'certificate', a: 'password' }, v2: { guest: [], roles: { 'r,s': [] }, bindings: { a: ['r,s'] } } }), { api: 'v2', version: '3.5.30', enable: true }, ['"r,s"']],
  ])('%s', (_, policy, options, reasons) => {
    const { detail } = thrown('ERR_RENDER_REFUSED', () => toEtcdctl(policy, options))
    for (const reason of reasons) expect(detail.reason).toContain(reason)
  })

  test('a key of the longest word is written, and a process takes it', () => {
    const lines = toEtcdctl(v3(read(key('k'.repeat(131_071)))), newest)
    expect(spawnSync('sh', { input: ['etcdctl() { env true "$@"; }', ...lines].join('\n'), encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  })

  test('a colon in the name of a certificate user is none', () => {
    const policy = definePolicy({ users: { 'a:b': 'certificate' }, v3: { roles: {}, bindings: {} } })
    expect(commands(policy, { ...newest, enable: false })).toEqual(['user add --no-password -- a:b'])
  })

  test('a half that is not there, and a v2 API that is gone', () => {
    thrown('ERR_POLICY_HALF_MISSING', () => toEtcdctl(v3(), { ...newest, api: 'v2' }))
    thrown('ERR_VERSION_UNSUPPORTED', () => toEtcdctl(definePolicy({ users: {}, v2: { guest: [], roles: {}, bindings: {} } }), { api: 'v2', version: '3.6.16', enable: false }))
    thrown('ERR_VERSION_UNSUPPORTED', () => toEtcdctl(v3(), { ...newest, version: '3.5' }))
    expect(() => toEtcdctl(v3(), { api: 'v3', version: '3.5.30' } as EtcdctlOptions)).toThrow(TypeError)
  })
})

test('for any policy, a shell calls etcdctl with exactly its names and keys', { timeout: 60_000 }, () => {
  const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
  const text = (name: string): string => Buffer.from(name).toString('latin1')
  let granted = 0
  fc.assert(
    fc.property(anyPolicy, (policy) => {
      if (policy.v3 === undefined) return
      let lines: readonly string[]
      try {
        lines = toEtcdctl(policy, { ...newest, enable: false })
      } catch (error) {
        if (isEtcdRbacError(error, 'ERR_RENDER_REFUSED')) return
        throw error
      }
      const found = calls(lines).map((call) => call.arguments)
      const of = (...words: readonly string[]): readonly (readonly string[])[] => found.filter((call) => words.every((word, place) => call[place] === word)).map((call) => call.slice(call.indexOf('--') + 1))
      expect(of('user', 'add')).toEqual(Object.keys(policy.users).map((user) => [text(user)]))
      expect(of('user', 'grant-role').toSorted()).toEqual(Object.entries(policy.v3.bindings).flatMap(([user, roles]) => roles.map((role) => [text(user), text(role)])).toSorted())
      // Read anew: which wire range the flags and words mean.
      const ranges = found
        .filter(([, command]) => command === 'grant-permission')
        .map((call) => {
          const [role = '', , start = '', end = ''] = call.slice(call.indexOf('--') + 1)
          const flag = call[2]
          return [role, start === '' ? '\0' : start, flag === '--' ? end : start === '' || flag === '--from-key' ? '\0' : 'prefix']
        })
      const wanted = Object.entries(policy.v3.roles).flatMap(([role, permissions]) =>
        permissions.map(({ keys }) => {
          const { key: start, rangeEnd } = toWire(keys)
          return [text(role), latin1(concatBytes(start)), keys.kind === 'prefix' ? 'prefix' : latin1(rangeEnd)]
        }),
      )
      granted += ranges.length
      expect(new Set(ranges.map((one) => JSON.stringify(one)))).toEqual(new Set(wanted.map((one) => JSON.stringify(one))))
    }),
    { numRuns: 100 },
  )
  expect(granted).toBeGreaterThan(50)
})
