/** Random requests to the v2 API: few names, paths and patterns, so that they meet; the malformed among them. */
import fc, { type Arbitrary } from 'fast-check'

/** One request, as plain data. `@n` in its target stands for the index n before the newest that has been seen, `@-n` for one to come. */
export interface V2Request {
  /** The Common Name of the client's certificate. */
  readonly as: string
  readonly method: string
  /** Path and query, percent-encoded. */
  readonly target: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export const certified = ['root', 'alice', 'bob', 'stranger'] as const
/** `etcd-clients` is the authority above all clients: on v2, its name counts too. */
export const users = ['root', 'alice', 'bob', 'guest', '_hid', 'a b', 'é', 'x:y', '%', '__proto__', 'a<b', 'etcd-clients'] as const
export const roles = ['root', 'guest', 'r1', 'r2', '_r', 'é', 'constructor'] as const
const patterns = ['/c', '/c/', '/c/*', '/c*', '*', '/*', '/', '/c/a', 'c/*', '/c/**', '/c/*/x', '/é*', '/a b'] as const
/** The names below `/v2/keys` that are written, but for those that etcd chooses. */
export const tops = ['c', 'cfoo', 'd', 'é', 'a b', '_h'] as const

const paths = ['', '/', '/c', '/c/', '/c/a', '/c/a/', '/c/b/x', '/cfoo', '/c/_hid', '/d', '/%C3%A9', '/a%20b', '/_h/x', '/c//a', '/c/*/x', '/%zz']
const queries = [
  'recursive=true', 'recursive=true', 'sorted=true', 'quorum=true', 'dir=true', 'prevExist=true', 'prevExist=false', 'prevValue=x', 'prevValue=y', 'prevValue=', 'prevIndex=@0',
  'prevIndex=@1', 'prevIndex=0', 'ttl=1000', 'ttl=', 'ttl=x', 'ttl=-1', 'ttl=000000000000000000001000', 'ttl=18446744073709551616', 'refresh=true', 'noValueOnSuccess=true', 'recursive=maybe', 'dir=1', 'prevIndex=-1', 'value=q', 'stream=true', 'stream=z',
]
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const json = { 'content-type': 'application/json' }

const keyRequest: Arbitrary<Omit<V2Request, 'as'>> = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'GET', 'PUT', 'PUT', 'PUT', 'PUT', 'POST', 'DELETE', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'),
    path: fc.constantFrom(...paths),
    query: fc.subarray(queries, { maxLength: 3 }).map((all) => (all.length === 0 ? '' : `?${all.join('&')}`)),
    body: fc.constantFrom('value=x', 'value=x', 'value=y', 'value=', '', 'value=a%20b+c', 'value=%zz', 'value=x&prevExist=true', 'value=%3C%26%3E'),
    typed: fc.constantFrom(true, true, true, false),
  })
  .map(({ method, path, query, body, typed }) => ({
    method,
    target: `/v2/keys${path}${query}`,
    ...(['PUT', 'POST'].includes(method) ? { headers: typed ? form : json, body } : {}),
  }))

/** Watches, of what is written, of what is not, and of what is hidden; mostly of the present and what is to come. */
const watchRequest: Arbitrary<Omit<V2Request, 'as'>> = fc
  .record({
    path: fc.constantFrom('/c', '/c/a', '/c/b', '/c/b/x', '/c/none', '/c/_hid', '/cfoo', '/_h', '/_h/x', '/%C3%A9', '/', '', '/d'),
    recursive: fc.constantFrom('', '', '&recursive=true'),
    from: fc.oneof(fc.constantFrom('', ''), fc.integer({ min: -4, max: 9 }).map((back) => `&waitIndex=@${back}`)),
    more: fc.oneof({ weight: 12, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom('&quorum=true', '&stream=true', '&waitIndex=-1', '&waitIndex=1') }),
  })
  .map(({ path, recursive, from, more }) => ({ method: 'GET', target: `/v2/keys${path}?wait=true${recursive}${from}${more}` }))

/** What watches hear of in a way of its own, or not at all. */
const telling: Arbitrary<Omit<V2Request, 'as'>> = fc.constantFrom(
  ...['/c?recursive=true', '/c/b?recursive=true', '/_h?recursive=true', '/c/a?prevValue=x'].map((target) => ({ method: 'DELETE', target: `/v2/keys${target}` })),
  ...['', '?prevExist=true', '?prevValue=x'].map((query) => ({ method: 'PUT', target: `/v2/keys/c/a${query}`, headers: form, body: 'refresh=true&ttl=1000' })),
  ...['/c/b/x', '/c/_hid', '/_h/x', '/c/a?noValueOnSuccess=true'].map((target) => ({ method: 'PUT', target: `/v2/keys${target}`, headers: form, body: 'value=x' })),
)

const someOf = <T>(all: readonly T[], maxLength: number): Arbitrary<T[]> => fc.array(fc.constantFrom(...all), { maxLength })
const perm = fc.record(
  { read: fc.option(someOf([...patterns, ...patterns, ''], 3)), write: fc.option(someOf(patterns, 3)) },
  { requiredKeys: [] },
)
const kv = fc.oneof({ weight: 9, arbitrary: perm.map((lists) => ({ kv: lists })) }, fc.constantFrom({}, null, { kv: null }))
/** The name in the body is that in the URL but rarely. */
const named = <T extends object>(field: 'user' | 'role', all: readonly string[], rest: Arbitrary<T>): Arbitrary<{ name: string; value: object }> =>
  fc
    .tuple(fc.constantFrom(...all), fc.constantFrom(true, true, true, true, true, true, true, false), rest)
    .map(([name, same, other]) => ({ name, value: { [field]: same ? name : 'alice', ...other } }))

const user = named(
  'user',
  users,
  fc.record(
    { password: fc.constantFrom('pw', 'pw', '', 'x'.repeat(73)), roles: fc.option(someOf([...roles, 'none'], 2)), grant: fc.option(someOf(roles, 2)), revoke: fc.option(someOf(roles, 2)) },
    { requiredKeys: [] },
  ),
)
const grants = named('user', ['alice', 'bob'], fc.constantFrom('r1', 'r2', 'root').chain((role) => fc.constantFrom({ grant: [role] }, { revoke: [role] })))
const role = named('role', roles, fc.record({ permissions: kv, grant: kv, revoke: kv }, { requiredKeys: [] }))
const changes = named('role', ['r1', 'r2', 'guest'], fc.oneof(fc.record({ grant: kv }), fc.record({ revoke: kv }), fc.record({ grant: kv, revoke: kv })))

/** Bodies as Go's decoder takes or refuses them. */
const bodies = [
  '', '{', 'null', '[]', '"x"', '7', 'nullx', '{"user":7}', '{"user":"alice","password":["x"]}', '{"USER":"alice","Password":"pw"} and more', ' {"user":"alice"}{', '{"user":"alice","roles":"r1"}',
  '{"user":"alice","roles":[null]}', '{"user":"alice","grant":[7]}', '{"role":"r1","permissions":[]}', '{"role":"r1","permissions":{"kv":7}}', '{"role":"r1","grant":{"kv":{"READ":["/d"],"write":null}}}',
  '{"role":"r1","grant":{"KV":{"read":["/d","/d"]}}}', '{"role":"r1","role":"r2"}', '{"user":"alice","extra":{"a":[1]}}', '{"user":"alice",}', "{'user':'alice'}", '{"user":"al\\u0069ce"}', '\ufeff{"user":"alice"}',
]

const put = (kind: 'users' | 'roles') => ({ name, value }: { name: string; value: object }): Omit<V2Request, 'as'> => ({
  method: 'PUT',
  target: `/v2/auth/${kind}/${encodeURIComponent(name)}`,
  headers: json,
  body: JSON.stringify(value),
})

const authRequest: Arbitrary<Omit<V2Request, 'as'>> = fc.oneof(
  { weight: 6, arbitrary: user.map(put('users')) },
  { weight: 6, arbitrary: grants.map(put('users')) },
  { weight: 6, arbitrary: role.map(put('roles')) },
  { weight: 8, arbitrary: changes.map(put('roles')) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('users/alice', 'roles/r1'), body: fc.constantFrom(...bodies) }).map(({ kind, body }) => ({ method: 'PUT', target: `/v2/auth/${kind}`, body })) },
  { weight: 5, arbitrary: fc.record({ method: fc.constantFrom('GET', 'GET', 'DELETE', 'POST', 'HEAD'), name: fc.constantFrom(...users) }).map(({ method, name }) => ({ method, target: `/v2/auth/users/${encodeURIComponent(name)}` })) },
  { weight: 5, arbitrary: fc.record({ method: fc.constantFrom('GET', 'GET', 'DELETE', 'POST', 'HEAD'), name: fc.constantFrom(...roles) }).map(({ method, name }) => ({ method, target: `/v2/auth/roles/${encodeURIComponent(name)}` })) },
  {
    weight: 4,
    arbitrary: fc.record({ method: fc.constantFrom('GET', 'GET', 'PUT', 'HEAD', 'OPTIONS'), path: fc.constantFrom('users', 'users/', 'roles', 'roles/', 'users/a%2Fb', 'users/a/b', 'roles/x/', '', 'nothing', 'enable/', 'userss') }).map(({ method, path }) => ({ method, target: `/v2/auth/${path}` })),
  },
  { weight: 3, arbitrary: fc.constantFrom('GET', 'PUT', 'PUT', 'DELETE', 'POST').map((method) => ({ method, target: '/v2/auth/enable' })) },
)

const elsewhere = fc
  .tuple(fc.constantFrom('GET', 'GET', 'HEAD'), fc.constantFrom('/v2', '/v2/', '/v2/nothing', '/nothing', '/v2/auth', '/v2/admin/machines', '/'))
  .map(([method, target]): Omit<V2Request, 'as'> => ({ method, target }))

/** Logins are dear: bcrypt takes its time. */
const authorization = fc.constantFrom('Basic YWxpY2U6cHc=', 'Basic YWxpY2U6d3Jvbmc=', 'Basic bm9ib2R5Og==', 'Bearer x', '', 'basic YWxpY2U6cHc=', 'Basic !', 'Basic eC8uLi9yb290OnB3', 'Basic Ojo=')

/** Any requests, of any client. */
export function requests(length: number): Arbitrary<readonly V2Request[]> {
  const rest = fc.oneof({ weight: 9, arbitrary: keyRequest }, { weight: 2, arbitrary: watchRequest }, { weight: 1, arbitrary: telling }, { weight: 8, arbitrary: authRequest }, { weight: 1, arbitrary: elsewhere })
  const as = fc.oneof({ weight: 2, arbitrary: fc.constant('root' as const) }, { weight: 3, arbitrary: fc.constantFrom(...certified) })
  const one = fc.tuple(as, rest, fc.option(authorization, { freq: 12, nil: undefined })).map(
    ([client, request, login]): V2Request => ({ as: client, ...request, ...(login === undefined ? {} : { headers: { ...request.headers, authorization: login } }) }),
  )
  return fc.array(one, { minLength: Math.trunc(length / 2), maxLength: length, size: 'max' })
}

/** Requests for keys alone, which nobody refuses: they cost little, and watches hear much. */
export function watching(length: number): Arbitrary<readonly V2Request[]> {
  const one = fc.oneof({ weight: 4, arbitrary: watchRequest }, { weight: 4, arbitrary: telling }, { weight: 3, arbitrary: keyRequest })
  return fc.array(one.map((request): V2Request => ({ as: 'root', ...request })), { minLength: Math.trunc(length / 2), maxLength: length, size: 'max' })
}

const asRoot = (method: string, target: string, value?: object): V2Request => ({ as: 'root', method, target, ...(value ? { headers: json, body: JSON.stringify(value) } : {}) })
const rootKey = (path: string, value: string): V2Request => ({ as: 'root', method: 'PUT', target: `/v2/keys${path}`, headers: form, body: `value=${value}` })

/** Users with roles with rights, a guest of any kind, and auth mostly on: where a sequence begins. */
export function beginning(): Arbitrary<readonly V2Request[]> {
  const rights = fc.record({ kv: fc.record({ read: someOf(patterns, 3), write: someOf(patterns, 3) }) })
  const guest = fc.option(rights, { freq: 3 })
  const bound = fc.constantFrom(['r1'], ['r1', 'r2'], ['r2', 'root'], ['none', 'r1'])
  return fc.tuple(rights, rights, guest, bound, fc.constantFrom(true, true, true, false)).map(([first, second, open, held, enabled]) => [
    rootKey('/c/a', 'x'),
    rootKey('/d', 'y'),
    asRoot('PUT', '/v2/auth/roles/r1', { role: 'r1', permissions: first }),
    asRoot('PUT', '/v2/auth/roles/r2', { role: 'r2', permissions: second }),
    ...(open ? [asRoot('PUT', '/v2/auth/roles/guest', { role: 'guest', permissions: open })] : []),
    asRoot('PUT', '/v2/auth/users/root', { user: 'root', password: 'pw' }),
    asRoot('PUT', '/v2/auth/users/alice', { user: 'alice', password: 'pw', roles: held }),
    ...(enabled ? [asRoot('PUT', '/v2/auth/enable')] : []),
  ])
}

/** What empties the store again, whatever its state; etcd's own names of keys are added by whoever sees them. */
export const emptying: readonly V2Request[] = [
  asRoot('DELETE', '/v2/auth/enable'),
  ...users.map((name) => asRoot('DELETE', `/v2/auth/users/${encodeURIComponent(name)}`)),
  ...roles.map((name) => asRoot('DELETE', `/v2/auth/roles/${encodeURIComponent(name)}`)),
  ...tops.map((name) => asRoot('DELETE', `/v2/keys/${encodeURIComponent(name)}?recursive=true`)),
]

const waitFor = (path: string): V2Request => asRoot('GET', `/v2/keys${path}${path.includes('?') ? '&' : '?'}wait=true`)
const limited = (path: string, body: string): V2Request => ({ as: 'root', method: 'PUT', target: `/v2/keys${path}`, headers: form, body })

/** Keys that live for two seconds, and watches that hear of their end, but for those of what is not there; the last watch hears of the last end. */
export const expiring: readonly V2Request[] = [
  limited('/d', 'dir=true&ttl=2'),
  ...['/d/a', '/d/_h/x'].map((path) => rootKey(path, 'x')),
  limited('/d/b', 'value=y&ttl=1000'),
  ...['/c/a', '/c/b', '/_h/x'].map((path) => limited(path, 'value=x&ttl=2')),
  limited('/c/a', 'refresh=true&ttl=2&prevExist=true'),
  ...['?recursive=true', '/c?recursive=true', '/d/none?recursive=true', '/_h?recursive=true'].map(waitFor),
  ...['/d', '/d/a', '/d/b', '/d/_h', '/d/_h/x', '/d/none', '/c', '/c/b', '/_h/x', '/c/a'].map(waitFor),
]

/** What is left, and how the past is remembered. */
export const expired: readonly V2Request[] = [
  asRoot('GET', '/v2/keys/?recursive=true&sorted=true'),
  ...[3, 2, 1, 0].flatMap((back) => ['/c', '/d/none', '/_h'].map((path) => asRoot('GET', `/v2/keys${path}?wait=true&recursive=true&waitIndex=@${back}`))),
]
