import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resolvedName } from '../../../src/policy/lint/resolved-name.js'
import { allKeys, definePolicy, fromKey, key, lint, pattern, prefix, range, read, readwrite, write, type Finding, type KeyRange, type LintContext, type PathPattern, type Permission } from '../../../src/policy/index.js'
import { joinPath } from '../../../src/store/v2/path.js'

const v3With = (...permissions: readonly Permission<KeyRange>[]): unknown => ({
  users: { root: 'certificate', a: 'certificate' },
  v3: { roles: { r: permissions }, bindings: { root: ['root'], a: ['r'] } },
})
const v2With = (guest: readonly Permission<PathPattern>[], ...permissions: readonly Permission<PathPattern>[]): unknown => ({
  users: { root: 'certificate', a: 'certificate' },
  v2: { guest, roles: { r: permissions }, bindings: { root: ['root'], a: ['r'] } },
})
const brief = (findings: readonly Finding[]): readonly string[] => findings.map(({ code, where }) => `${code} ${where}`)

const clean = definePolicy({
  users: { root: 'certificate', a: 'certificate', b: 'password' },
  members: ['etcd-0'],
  authorities: ['ca'],
  v3: { roles: { a: [readwrite(prefix('/a/'))], b: [read(prefix('/a/')), readwrite(range('/b/', '/b0'))] }, bindings: { root: ['root'], a: ['a'], b: ['b'] } },
})

test('a policy that is as it should be has no findings', () => {
  expect(lint(clean)).toEqual([])
})

describe('in a role, lint finds', () => {
  test.each<[string, unknown, readonly string[]]>([
    ['a prefix that opens its siblings', v3With(read(prefix('/calico', { siblings: 'include' }))), ['prefix-without-terminator $.v3.roles.r[0]']],
    ['but not a prefix that ends with another mark', v3With(read(prefix('/tenant-1:', { siblings: 'include' }))), []],
    ['a range without end', v3With(read(fromKey('/x'))), ['open-ended-range $.v3.roles.r[0]']],
    ['all keys', v3With(read(allKeys())), ['open-ended-range $.v3.roles.r[0]']],
    ['a right to write alone', v3With(write(prefix('/x/'))), ['write-without-read $.v3.roles.r[0]']],
    ['reading and writing of one range apart', v3With(read(prefix('/x/')), write(prefix('/x/'))), ['split-read-write $.v3.roles.r[1]']],
    ['a range that is a prefix without terminator', v3With(read(range('/calico', '/calicp'))), ['prefix-without-terminator $.v3.roles.r[0]']],
    ['bytes that are one', v3With(read(prefix(Uint8Array.of(0xff, 0x61), { siblings: 'include' }))), ['prefix-without-terminator $.v3.roles.r[0]']],
    ['but not bytes that end otherwise', v3With(read(prefix(Uint8Array.of(0xff, 0x01), { siblings: 'include' })), read(range('/a/', '/a0'))), []],
    ['an end of a byte that no text has', v3With(read(range('/calico/', Uint8Array.of(0xff)))), ['open-ended-range $.v3.roles.r[0]']],
    ['an end behind all text', v3With(read(range('/x', '\u{10ffff}'))), ['open-ended-range $.v3.roles.r[0]']],
    ['a prefix behind which nothing can be', v3With(read(prefix(Uint8Array.of(0xff, 0xff), { siblings: 'include' }))), ['open-ended-range $.v3.roles.r[0]']],
    ['no open end in single keys and prefixes of odd bytes', v3With(read(key(Uint8Array.of(0xff))), read(key('\u{10ffff}')), read(prefix('\u{10ffff}/')), read(prefix('/\u{10ffff}/'))), []],
    ['a range that leaves the directory in which it begins', v3With(read(range('/x', '~')), read(range('/t/a/x', '/t/b/'))), ['range-beyond-directory $.v3.roles.r[0]', 'range-beyond-directory $.v3.roles.r[1]']],
    ['but not one within it, nor one without directory', v3With(read(range('/t/a/', '/t/m/')), read(range('a', 'c')), read(range('/x', '/x/y'))), []],
    ['writing alone only where no other of the role reads it', v3With(write(prefix('/x/y/')), read(prefix('/x/')), write(prefix('/z/'))), ['write-without-read $.v3.roles.r[2]']],
    ['what lies inside another, whichever comes first', v3With(read(range('/a', '/c')), read(key('/a/b')), readwrite(range('/a', '/c'))), ['split-read-write $.v3.roles.r[2]', 'redundant-permission $.v3.roles.r[0]', 'redundant-permission $.v3.roles.r[1]']],
    ['a writing one beside one that does both', v3With(write(prefix('/x/')), readwrite(prefix('/x/'))), ['split-read-write $.v3.roles.r[1]', 'redundant-permission $.v3.roles.r[0]']],
    ['one that does both beside two that do one each', v3With(read(prefix('/x/')), readwrite(prefix('/x/y/')), write(range('/x/', '/x1'))), ['write-without-read $.v3.roles.r[2]', 'same-start-key $.v3.roles.r[2]', 'redundant-permission $.v3.roles.r[1]']],
    ['two ranges with one start', v3With(read(range('/x/a', '/x/b\0')), readwrite(range('/x/a', '/x/c')), readwrite(range('/x/b', '/x/d'))), ['same-start-key $.v3.roles.r[1]', 'redundant-permission $.v3.roles.r[0]']],
    ['what lies inside another', v3With(readwrite(prefix('/x/')), read(prefix('/x/y/'))), ['redundant-permission $.v3.roles.r[1]']],
    ['what its neighbours cover together', v3With(read(range('/a', '/c')), read(range('/b', '/e')), read(range('/c', '/f'))), ['redundant-permission $.v3.roles.r[1]']],
    ['but not what writes where the other reads', v3With(read(prefix('/x/')), readwrite(prefix('/x/y/'))), []],
    ['a v2 pattern that opens its siblings', v2With([], read(pattern('/calico*'))), ['prefix-without-terminator $.v2.roles.r[0]']],
    ['a v2 pattern for everything', v2With([], read(pattern('/*'))), ['open-ended-range $.v2.roles.r[0]']],
    ['a v2 pattern inside another', v2With([], read(pattern('/c/*')), read(pattern('/c/d'))), ['redundant-permission $.v2.roles.r[1]']],
    ['a guest who may write', v2With([readwrite(pattern('/pub/*'))], read(pattern('/c/*'))), ['open-guest $.v2.guest[0]']],
  ])('%s', (_, policy, wanted) => {
    expect(brief(lint(policy))).toEqual(wanted)
  })
})

describe('between the halves, of one user,', () => {
  const halves = (v3: readonly Permission<KeyRange>[], v2: readonly Permission<PathPattern>[]): readonly string[] =>
    lint({ users: { root: 'certificate', a: 'certificate' }, v3: { roles: { r: v3 }, bindings: { root: ['root'], a: ['r'] } }, v2: { guest: [], roles: { r: v2 }, bindings: { root: ['root'], a: ['r'] } } })
      .filter(({ code }) => code === 'halves-disagree')
      .map(({ severity, why }) => `${severity}: ${why}`)

  test.each<[string, readonly Permission<KeyRange>[], readonly Permission<PathPattern>[], readonly string[]]>([
    ['the same', [readwrite(prefix('/calico/'))], [readwrite(pattern('/calico/*'))], []],
    ['the same with the directory, which v2 alone has', [readwrite(prefix('/calico/'))], [readwrite(pattern('/calico/*')), read(pattern('/calico'))], []],
    ['other keys of one area', [readwrite(prefix('/calico/resources/'))], [readwrite(pattern('/calico/v1/*'))], []],
    ['everything twice', [readwrite(allKeys())], [readwrite(pattern('*'))], []],
    ['everything twice, by paths', [readwrite(allKeys())], [readwrite(pattern('/*'))], []],
    ['a right to write', [readwrite(prefix('/calico/'))], [read(pattern('/calico/*'))], ['info: user "a" may write in "/calico" by one half only']],
    ['a right to read', [write(prefix('/calico/'))], [readwrite(pattern('/calico/*'))], ['info: user "a" may read in "/calico" by one half only']],
    ['more on v2', [readwrite(prefix('/calico/a/'))], [readwrite(pattern('/calico/*'))], ['info: user "a" may read on v2 all that the other half opens and more, such as [/calico/, /calico/a/)']],
    ['more on v3', [read(prefix('/calico/'))], [read(pattern('/calico/a/*'))], ['info: user "a" may read on v3 all that the other half opens and more, such as [/calico/, /calico/a/)']],
    ['everything on v3 alone', [read(allKeys())], [read(pattern('/calico/*'))], ['info: user "a" may read on v3 all that the other half opens and more, such as [\\u0000, /calico/)']],
  ])('%s', (_, v3, v2, wanted) => {
    expect(halves(v3, v2)).toEqual(wanted)
  })
})

describe('across roles', () => {
  const across = (bindings: Readonly<Record<string, readonly string[]>>, roles: Readonly<Record<string, readonly Permission<KeyRange>[]>>): unknown => ({
    users: { root: 'certificate', a: 'certificate', b: 'certificate' },
    v3: { roles, bindings: { root: ['root'], ...bindings } },
  })

  test('writing alone is not found where another role of every holder reads', () => {
    const roles = { w: [write(prefix('/x/'))], r: [read(prefix('/x/'))] }
    expect(brief(lint(across({ a: ['w', 'r'], b: ['r', 'w'] }, roles)))).toEqual([])
    expect(brief(lint(across({ a: ['w', 'r'], b: ['w'] }, roles)))).toEqual(['write-without-read $.v3.roles.w[0]'])
    expect(brief(lint(across({ a: ['w', 'root'], b: ['r'] }, roles)))).not.toContain('write-without-read $.v3.roles.w[0]')
  })

  test('what other roles of a user give is found once, for all who hold them', () => {
    const roles = { wide: [readwrite(prefix('/x/'))], narrow: [read(prefix('/x/y/')), read(key('/z'))] }
    const found = lint(across({ a: ['wide', 'narrow'], b: ['narrow', 'wide'] }, roles))
    expect(found.map(({ code, severity, where }) => `${severity} ${code} ${where}`)).toEqual(['info shadowed-permission $.v3.bindings.a'])
    expect(found[0]?.why).toBe('other roles of users "a", "b" give all that role "narrow" gives by read /x/y/*')
    expect(lint(across({ a: ['wide'], b: ['narrow'] }, roles))).toEqual([])
  })
})

describe('of who holds what, lint finds', () => {
  test.each<[string, unknown, readonly string[]]>([
    ['a second root', { users: { root: 'certificate', b: 'password' }, v3: { roles: {}, bindings: { root: ['root'], b: ['root'] } } }, ['several-roots $.v3.bindings']],
    ['no root at all', { users: { a: 'certificate' }, v3: { roles: { r: [read(prefix('/x/'))] }, bindings: { a: ['r'] } } }, ['no-root $.v3.bindings']],
    ['a user without a role', { users: { root: 'certificate', a: 'certificate' }, v3: { roles: {}, bindings: { root: ['root'] } } }, ['user-without-role $.users.a']],
    ['a role without a user', { users: { root: 'certificate' }, v3: { roles: { r: [read(prefix('/x/'))] }, bindings: { root: ['root'] } } }, ['role-without-user $.v3.roles.r']],
    ['a role without a permission', v3With(), ['role-without-permission $.v3.roles.r']],
    [
      'a root in one half only',
      { users: { root: 'certificate', a: 'certificate' }, v3: { roles: { r: [read(prefix('/x/'))] }, bindings: { root: ['root'], a: ['root'] } }, v2: { guest: [], roles: { r: [read(pattern('/x/*'))] }, bindings: { root: ['root'], a: ['r'] } } },
      ['role-without-user $.v3.roles.r', 'several-roots $.v3.bindings', 'halves-disagree $.users.a'],
    ],
    [
      'an area that only one half opens',
      { users: { root: 'certificate', a: 'certificate' }, v3: { roles: { r: [read(prefix('/x/'))] }, bindings: { root: ['root'], a: ['r'] } }, v2: { guest: [], roles: { r: [read(pattern('/y/*'))] }, bindings: { root: ['root'], a: ['r'] } } },
      ['halves-disagree $.users.a'],
    ],
  ])('%s', (_, policy, wanted) => {
    expect(brief(lint(policy))).toEqual(wanted)
  })
})

describe('around a policy, lint finds', () => {
  test.each<[string, LintContext, readonly string[]]>([
    ['nothing in what is right', { certificates: [{ purpose: 'client', commonName: 'a' }, { purpose: 'server', commonName: undefined }], passwords: { b: 'long enough' }, gatewayUsers: ['b'], peers: 'shared authority, guarded' }, []],
    ['a server named like a user', { certificates: [{ purpose: 'server', commonName: 'a' }] }, ['certificate-named-like-user $.users.a']],
    ['an authority named root', { certificates: [{ purpose: 'authority', commonName: 'root' }] }, ['certificate-named-like-user $.users.root']],
    ['a certificate of nobody', { certificates: [{ purpose: 'client', commonName: 'gone' }] }, ['certificate-without-user $.users']],
    ['an empty password', { passwords: { b: '' } }, ['empty-password $.users.b']],
    ['a certificate user behind the gateway', { gatewayUsers: ['a'] }, ['certificate-user-behind-gateway $.users.a']],
    ['one authority for clients and peers', { peers: 'shared authority' }, ['shared-peer-authority $.authorities']],
    ['a component that lacks a right', { components: [{ name: 'felix', user: 'a', permissions: [read(prefix('/a/')), read(prefix('/c/'))] }] }, ['component-lacks-right $.users.a']],
    ['nothing in a component that is root', { components: [{ name: 'x', user: 'root', permissions: [read(allKeys())] }] }, []],
    ['once that a component needs rights where the policy has no half', { components: [{ name: 'y', user: 'a', permissions: [read(pattern('/a/*')), read(pattern('/b/*'))] }] }, ['component-lacks-right $.v2']],
    ['users of the gateway who are not declared', { gatewayUsers: ['gone', 'constructor'] }, ['gateway-user-unknown $.users', 'gateway-user-unknown $.users']],
    ['a component whose user is not there', { components: [{ name: 'felix', user: 'felix', permissions: [] }] }, ['component-lacks-right $.users']],
  ])('%s', (_, context, wanted) => {
    expect(brief(lint(clean, context))).toEqual(wanted)
  })

  const named = (purpose: 'client' | 'server' | 'peer' | 'authority', commonName: string): LintContext => ({ certificates: [{ purpose, commonName }] })
  test.each(['x/../root', 'root/', '/root', './root', '../users/root', '../../2/users/root', 'x//..//./root'])('that etcd v2 takes the Common Name %j for user root, whatever the certificate is for', (commonName) => {
    for (const purpose of ['client', 'server', 'peer', 'authority'] as const)
      for (const policy of [clean, v2With([], read(pattern('/c/*')))]) {
        const findings = lint(policy, named(purpose, commonName)).filter(({ code }) => code.startsWith('certificate'))
        expect(findings.map(({ code, severity, where }) => `${severity} ${code} ${where}`)).toEqual(['error certificate-named-like-user $.users.root'])
        expect(findings[0]?.why).toContain('etcd')
      }
  })

  test('that a Common Name is another user on v2, and that a policy without v2 does not tell whether that API is on', () => {
    const [found] = lint(clean, named('authority', './a'))
    expect([found?.code, found?.where]).toEqual(['certificate-named-like-user', '$.users.a'])
    expect(found?.why).toContain('where the v2 API is on')
    expect(lint(v2With([], read(pattern('/c/*'))), named('client', './a')).find(({ severity }) => severity === 'error')?.why).not.toContain('where the v2 API is on')
  })

  test.each(['../roles/a', '../../root', 'a/b', '..', '.'])('nobody behind the Common Name %j', (commonName) => {
    expect(lint(clean, named('authority', commonName))).toEqual([])
    expect(brief(lint(clean, named('client', commonName)))).toEqual(['certificate-without-user $.users'])
  })

  test('for any Common Name the user that the store looks up', () => {
    const names = fc.array(fc.constantFrom('/', '..', '.', 'root', 'a', 'users', '2', 'x/../', 'roles'), { minLength: 1, maxLength: 8 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(names, (commonName) => {
        expect(resolvedName(commonName)).toBe(/^\/2\/users\/(.+)$/.exec(joinPath('/2', `/users/${commonName}`))?.[1])
      }),
      { numRuns: 1000 },
    )
  })

  test('a certificate without Common Name only where v2 is on', () => {
    const context: LintContext = { certificates: [{ purpose: 'client', commonName: undefined }] }
    expect(lint(clean, context)).toEqual([])
    expect(brief(lint(v2With([], read(pattern('/c/*'))), context))).toEqual(['certificate-without-common-name $.v2'])
  })

  test.each<[unknown, RegExp]>([
    [null, /the context of lint must be an object/],
    [[], /must be an object/],
    [{ certificate: [] }, /unknown field "certificate"/],
    [{ certificates: [null] }, /certificates\[0\] must be an object/],
    [{ certificates: {} }, /certificates must be a list/],
    [{ certificates: [{ purpose: 'clients', commonName: 'a' }] }, /certificates\[0\]\.purpose must be/],
    [{ certificates: [{ purpose: 'client', commonName: 1 }] }, /certificates\[0\]\.commonName must be a string/],
    [{ passwords: { a: 1 } }, /the password of user "a" must be a string/],
    [{ gatewayUsers: 'a' }, /gatewayUsers must be a list/],
    [{ peers: 'shared' }, /peers must be 'own authority'/],
    [{ components: [{ name: 'x', user: 'a' }] }, /components\[0\]\.permissions must be a list/],
    [{ components: [{ name: 'x', user: 'a', permissions: [{}] }] }, /components\[0\]\.permissions\[0\]\.keys must be an object/],
  ])('nothing in %j, which is no context', (context, message) => {
    expect(() => lint(clean, context as LintContext)).toThrow(TypeError)
    expect(() => lint(clean, context as LintContext)).toThrow(message)
  })

  test('never shows a password', () => {
    expect(JSON.stringify(lint(clean, { passwords: { a: 'correct horse', b: '' } }))).not.toContain('correct horse')
  })
})

test('ten names are shown, however many there are', () => {
  const names = Array.from({ length: 12 }, (_, index) => `u${String(index + 10)}`)
  const roots = lint({ users: Object.fromEntries(names.map((name) => [name, 'password'])), v3: { roles: {}, bindings: Object.fromEntries(names.map((name) => [name, ['root']])) } })
  expect(roots.find(({ code }) => code === 'several-roots')?.why).toBe(`12 users hold role root and may do everything: ${names.slice(0, 10).map((name) => `"${name}"`).join(', ')}`)
  const areas = lint({
    users: { root: 'certificate', a: 'certificate' },
    v3: { roles: { r: names.map((name) => read(prefix(`/${name}/`))) }, bindings: { root: ['root'], a: ['r'] } },
    v2: { guest: [], roles: { r: [read(pattern('/u10/*'))] }, bindings: { root: ['root'], a: ['r'] } },
  })
  expect(areas.find(({ code }) => code === 'halves-disagree')?.why).toBe(`user "a" is let into ${names.slice(1, 11).map((name) => `"/${name}"`).join(', ')} by one half only`)
})

test('each finding has its severity, and the gravest come first', () => {
  const guests = [read(pattern('/pub/*')), write(pattern('/drop/*')), readwrite(pattern('/all/*'))]
  const apart = { users: { root: 'certificate', a: 'certificate' }, v3: { roles: { r: [read(prefix('/x/'))] }, bindings: { root: ['root'], a: ['r'] } }, v2: { guest: [], roles: { r: [read(pattern('/y/*'))] }, bindings: { root: ['root'], a: ['r'] } } }
  const found = [
    lint(v3With(read(prefix('/a', { siblings: 'include' })), write(prefix('/x/')), read(prefix('/x/')), read(allKeys()), read(range('/x/', '/y')))),
    lint(v3With(write(prefix('/x/')), read(range('/x', '~')))).filter(({ code }) => code !== 'range-beyond-directory'),
    lint(v3With(write(prefix('a/')), read(range('/x', '~')))),
    lint(v2With(guests, read(pattern('/c/*')))),
    lint(v3With()),
    lint({ users: { a: 'certificate', b: 'certificate', c: 'certificate' }, v3: { roles: { r: [] }, bindings: { a: ['root'], b: ['root'] } } }),
    lint({ users: { a: 'certificate' }, v3: { roles: {}, bindings: {} } }),
    lint(apart),
    lint({ ...apart, v2: { ...apart.v2, bindings: { root: ['root'], a: ['root'] } } }),
    lint(clean, { certificates: [{ purpose: 'peer', commonName: 'a' }, { purpose: 'client', commonName: 'gone' }], passwords: { b: '' }, gatewayUsers: ['a', 'gone'], peers: 'shared authority', components: [{ name: 'x', user: 'gone', permissions: [] }] }),
    lint(v2With([], read(pattern('/c/*'))), { certificates: [{ purpose: 'client', commonName: undefined }] }),
  ]
  const severities = new Map<string, Set<string>>()
  for (const { code, severity } of found.flat()) severities.set(code, (severities.get(code) ?? new Set()).add(severity))
  expect(Object.fromEntries([...severities].map(([code, each]) => [code, [...each].sort().join()]))).toEqual({
    'prefix-without-terminator': 'warning', 'open-ended-range': 'warning', 'range-beyond-directory': 'info', 'same-start-key': 'info', 'split-read-write': 'warning', 'redundant-permission': 'info', 'write-without-read': 'info',
    'several-roots': 'warning', 'no-root': 'warning', 'user-without-role': 'info', 'role-without-user': 'warning', 'role-without-permission': 'warning',
    'open-guest': 'error,warning', 'halves-disagree': 'info,warning',
    'certificate-user-behind-gateway': 'error', 'gateway-user-unknown': 'warning', 'shared-peer-authority': 'error', 'certificate-without-common-name': 'error', 'certificate-named-like-user': 'error', 'certificate-without-user': 'warning',
    'empty-password': 'error', 'component-lacks-right': 'error',
  })
  expect(lint(v2With(guests, read(pattern('/c/*')))).filter(({ code }) => code === 'open-guest').map(({ where, severity }) => `${severity} ${where}`)).toEqual(['error $.v2.guest[1]', 'error $.v2.guest[2]', 'warning $.v2.guest[0]'])
  for (const each of found) expect(each.map(({ severity }) => ['error', 'warning', 'info'].indexOf(severity))).toEqual(each.map(({ severity }) => ['error', 'warning', 'info'].indexOf(severity)).toSorted())
})

describe('what no policy is made of is found too, by the code of its error or one of its own', () => {
  test.each<[string, unknown, readonly string[]]>([
    ['an inverted range', v3With({ type: 'read', keys: { api: 'v3', kind: 'range', start: 'b', end: 'a' } }), ['ERR_RANGE_EMPTY $.v3.roles.r[0].keys']],
    ['a prefix without terminator', v3With({ type: 'read', keys: { api: 'v3', kind: 'prefix', prefix: '/calico' } }), ['ERR_PREFIX_UNTERMINATED $.v3.roles.r[0].keys']],
    ['permissions on role root', { users: { root: 'certificate' }, v3: { roles: { root: [read(prefix('/x/'))] }, bindings: { root: ['root'] } } }, ['permissions-on-root $.v3.roles.root']],
    ['a member named like a user', { users: { root: 'certificate' }, members: ['root'], v3: { roles: {}, bindings: { root: ['root'] } } }, ['ERR_NAME_INVALID $.members[0]']],
    ['a name that v2 resolves to root', { users: { root: 'certificate', 'x/../root': 'certificate' }, v3: { roles: {}, bindings: { root: ['root'] } } }, ['ERR_NAME_INVALID $.users["x/../root"]', 'user-without-role $.users["x/../root"]']],
    ['a name that v2 hides', { users: { root: 'certificate', _a: 'certificate' }, v2: { guest: [], roles: {}, bindings: {} } }, ['ERR_NAME_INVALID $.users._a', 'user-without-role $.users._a']],
    ['no policy at all', 'text', ['wrong-shape $']],
    ['an unknown field', { users: { root: 'certificate' }, v4: {} }, ['wrong-shape $.v4']],
    ['a member named like a user', { users: { a: 'certificate' }, members: ['a'], authorities: ['ca', 'ca'] }, ['named-like-user $.members[0]', 'listed-twice $.authorities[1]']],
    ['an authority named like a user, and one like a member', { users: { a: 'certificate' }, members: ['m'], authorities: ['a', 'm'] }, ['named-like-user $.authorities[0]', 'named-like-member $.authorities[1]']],
    ['role guest on v2', { users: { root: 'certificate' }, v2: { guest: [], roles: { guest: [] }, bindings: { root: ['guest'] } } }, ['guest-among-roles $.v2.roles.guest']],
    ['a role that is not declared', { users: { root: 'certificate', a: 'certificate' }, v3: { roles: {}, bindings: { root: ['root'], a: ['gone'] } } }, ['role-unknown $.v3.bindings.a[0]']],
    ['no bindings, without a word of what they would have held', { users: { root: 'certificate', a: 'certificate' }, v3: { roles: { r: [read(prefix('/x/'))] } } }, ['wrong-shape $.v3.bindings']],
    ['a login that is none, without a word of its roles', { users: { root: 'certificate', a: 'ticket' }, v3: { roles: { r: [read(prefix('/x/'))] }, bindings: { root: ['root'], a: ['r'] } } }, ['wrong-shape $.users.a']],
    ['a user who is not declared, and no root', { users: { a: 'certificate' }, v3: { roles: { r: [read(prefix('/x/'))] }, bindings: { a: ['r'], gone: ['r'] } } }, ['ERR_USER_UNKNOWN $.v3.bindings.gone', 'no-root $.v3.bindings']],
    ['an empty key', v3With({ type: 'read', keys: { api: 'v3', kind: 'key', key: '' } }, read(prefix('/x/'))), ['ERR_KEY_INVALID $.v3.roles.r[0].keys']],
    ['a pattern that matches nothing', v2With([], { type: 'read', keys: { api: 'v2', pattern: 'x' } }), ['ERR_PATTERN_INVALID $.v2.roles.r[0].keys']],
  ])('%s', (_, policy, wanted) => {
    expect(brief(lint(policy))).toEqual(wanted)
  })

  test('with a fix for each code, and no field beyond those of findings', () => {
    const found = lint({ users: { root: 'certificate', 'a/b': 'certificate' }, members: ['root', 'm', 'm'], v3: { roles: { root: [], r: [{ type: 'read', keys: { api: 'v3', kind: 'range', start: 'b', end: 'a' } }, { type: 'read', keys: { api: 'v3', kind: 'prefix', prefix: '/c' } }] }, bindings: { gone: ['r'], root: ['missing'] } } })
    const fixes = new Map(found.filter(({ severity }) => severity === 'error').map(({ code, fix }) => [code, fix]))
    expect([...fixes.keys()]).toEqual(['ERR_NAME_INVALID', 'listed-twice', 'permissions-on-root', 'ERR_RANGE_EMPTY', 'ERR_PREFIX_UNTERMINATED', 'ERR_USER_UNKNOWN', 'role-unknown'])
    expect(new Set(fixes.values()).size).toBe(fixes.size)
    for (const finding of found) expect(Object.keys(finding)).toEqual(['code', 'severity', 'where', 'why', 'fix'])
  })

  test('and lint never throws, whatever policy it is given', () => {
    for (const value of [undefined, null, 1, [], {}, { users: null, v3: { roles: 1 } }, { v2: { guest: [{}] } }, new Map()]) expect(lint(value).length).toBeGreaterThan(0)
  })
})
