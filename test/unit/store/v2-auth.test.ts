/** `/v2/auth` as etcd answers it: statuses, bodies, guest. */
import { describe, expect, test } from 'vitest'
import { memoryEtcd, type MemoryEtcd } from '../../../src/testing/index.js'
import { since } from '../../support/double.js'

const v2Versions = since('3.6.0').before
const url = 'https://etcd.invalid:2379'

/** `200 {"enabled":false}`, or the error code of a broken connection. */
async function ask(etcd: Pick<MemoryEtcd, 'fetch'>, method: string, path: string, body?: object | string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  try {
    const text = typeof body === 'object' ? JSON.stringify(body) : body
    const response = await etcd.fetch(`${url}${path}`, { method, redirect: 'manual', headers, ...(text === undefined ? {} : { body: text }) })
    return `${response.status} ${await response.text()}`.trim()
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

const kv = (read: readonly string[] | null, write: readonly string[] | null = []): object => ({ kv: { read, write } })

/** A user root, a user alice with roles r and gone (which does not exist), a role r, auth off. */
async function prepared(version: string): Promise<MemoryEtcd> {
  const etcd = memoryEtcd({ version, v2: true })
  await ask(etcd, 'PUT', '/v2/auth/users/root', { user: 'root', password: 'pw' })
  await ask(etcd, 'PUT', '/v2/auth/roles/r', { role: 'r', permissions: kv(['/c'], ['/c']) })
  await ask(etcd, 'PUT', '/v2/auth/users/alice', { user: 'alice', password: 'pw', roles: ['r'] })
  await ask(etcd, 'PUT', '/v2/auth/users/bob', { user: 'bob', password: 'pw', roles: ['gone'] })
  return etcd
}

type Case = readonly [method: string, path: string, body: object | string | undefined, answer: string]
const message = (status: number, text: string): string => `${status} {"message":"${text}"}`
const r = '{"role":"r","permissions":{"kv":{"read":["/c"],"write":["/c"]}}}'
const root = '{"role":"root","permissions":{"kv":{"read":["/*"],"write":["/*"]}}}'

const cases: readonly Case[] = [
  ['GET', 'enable', undefined, '200 {"enabled":false}'],
  ['DELETE', 'enable', undefined, message(409, 'auth: already disabled')],
  ['GET', 'users', undefined, `200 {"users":[{"user":"alice","roles":[${r}]},{"user":"bob"},{"user":"root","roles":[${root}]}]}`],
  ['GET', 'users/nobody', undefined, message(404, 'auth: User nobody does not exist.')],
  ['GET', 'users/bob', undefined, message(404, 'auth: Role gone does not exist.')],
  ['GET', 'users/alice', undefined, `200 {"user":"alice","roles":[${r}]}`],
  ['PUT', 'users/new', { user: 'new', password: 'x' }, '201 {"user":"new","roles":null}'],
  ['PUT', 'users/new', { user: 'new', password: 'x', roles: ['b', 'a', 'a'] }, '200 {"user":"new","roles":["b","a","a"]}'],
  ['PUT', 'users/alice', { user: 'alice', password: 'other' }, '200 {"user":"alice","roles":["r"]}'],
  ['PUT', 'users/alice', { user: 'alice', password: 'x', roles: ['r'] }, message(409, 'auth: User alice already exists.')],
  ['PUT', 'users/new', { user: 'new' }, message(400, 'auth: Cannot create user new with an empty password')],
  ['PUT', 'users/alice', { user: 'alice', roles: ['r'] }, message(400, 'auth: Cannot create user alice with an empty password')],
  ['PUT', 'users/alice', { user: 'alice' }, message(400, 'auth: User not updated. Use grant/revoke/password to update the user.')],
  ['PUT', 'users/alice', { user: 'alice', grant: ['z', 'a'] }, '200 {"user":"alice","roles":["a","r","z"]}'],
  ['PUT', 'users/alice', { user: 'alice', grant: ['x', 'r'] }, message(409, 'auth: Granting duplicate role r for user alice')],
  ['PUT', 'users/alice', { user: 'alice', revoke: ['x'] }, message(409, 'auth: Revoking ungranted role x for user alice')],
  ['PUT', 'users/alice', { user: 'alice', grant: ['x'], revoke: ['r'], password: 'new' }, '200 {"user":"alice","roles":["x"]}'],
  ['PUT', 'users/alice', { user: 'alice', roles: ['r'], grant: ['x'] }, message(400, 'User JSON contains both roles and grant/revoke')],
  ['PUT', 'users/nobody', { user: 'nobody', grant: ['r'] }, message(404, 'auth: User nobody does not exist.')],
  ['PUT', 'users/alice', { user: 'bob', password: 'x' }, message(400, 'User JSON name does not match the name in the URL')],
  ['PUT', 'users/root', { user: 'root', revoke: ['root'] }, '200 {"user":"root","roles":[]}'],
  ['DELETE', 'users/alice', undefined, '200'],
  ['DELETE', 'users/nobody', undefined, message(404, 'auth: User nobody does not exist')],
  ['DELETE', 'users/root', undefined, '200'],
  ['GET', 'roles', undefined, `200 {"roles":[${r},${root}]}`],
  ['GET', 'roles/root', undefined, `200 ${root}`],
  ['GET', 'roles/none', undefined, message(404, 'auth: Role none does not exist.')],
  ['PUT', 'roles/new', { role: 'new' }, '201 {"role":"new","permissions":{"kv":{"read":null,"write":null}}}'],
  ['PUT', 'roles/r', { role: 'r', permissions: kv([]) }, message(409, 'auth: Role r already exists.')],
  ['PUT', 'roles/r', { role: 'r', grant: kv(['/a']) }, '200 {"role":"r","permissions":{"kv":{"read":["/a","/c"],"write":["/c"]}}}'],
  ['PUT', 'roles/r', { role: 'r', grant: kv(['/a', '/c']) }, message(409, 'auth: Granting duplicate read permission /c')],
  ['PUT', 'roles/none', { role: 'none', grant: kv(['/a']) }, message(404, 'auth: Role none does not exist.')],
  ['PUT', 'roles/r', { role: 'r', revoke: kv(['/none']) }, message(400, 'auth: Role not updated. Use grant/revoke to update the role.')],
  ['PUT', 'roles/r', { role: 'r', revoke: kv(['/c', '/none']) }, '200 {"role":"r","permissions":{"kv":{"read":[],"write":["/c"]}}}'],
  ['PUT', 'roles/r', { role: 'r', permissions: kv(['/x']), grant: kv(['/a']) }, message(400, 'Role JSON contains both permissions and grant/revoke')],
  ['PUT', 'roles/root', { role: 'root', grant: kv(['/a']) }, message(403, 'auth: Cannot modify role root: is root role.')],
  ['DELETE', 'roles/root', undefined, message(403, 'auth: Cannot modify role root: is root role.')],
  ['DELETE', 'roles/r', undefined, '200'],
  ['DELETE', 'roles/none', undefined, message(404, "auth: Role none doesn't exist.")],
  ['PUT', 'users/x', '', message(400, 'Invalid JSON in request body.')],
  ['PUT', 'users/x', '{"user":7}', message(400, 'Invalid JSON in request body.')],
  ['PUT', 'users/x', 'nullx', message(400, 'User JSON name does not match the name in the URL')],
  ['PUT', 'users/x', '{"USER":"x","Password":"y"} and more', '201 {"user":"x","roles":null}'],
  ['GET', 'users/a%2Fb', undefined, message(400, 'Invalid path')],
  ['POST', 'users/x', undefined, '405 Method Not Allowed'],
  ['HEAD', 'users/x', undefined, '405'],
  ['GET', 'nothing', undefined, '404 404 page not found'],
]

describe.each(v2Versions)('etcd %s', (version) => {
  test.each(cases)('%s %s %j: %s', async (method, path, body, answer) => {
    expect(await ask(await prepared(version), method, `/v2/auth/${path}`, body)).toBe(answer)
  })

  test('without users the list is null, and nothing can be enabled', async () => {
    const etcd = memoryEtcd({ version, v2: true })
    expect(await ask(etcd, 'GET', '/v2/auth/users')).toBe('200 {"users":null}')
    expect(await ask(etcd, 'PUT', '/v2/auth/enable')).toBe(message(409, 'auth: No root user available, please create one'))
  })

  test('with auth on, only role root administers, and the switch is read by everybody', async () => {
    const etcd = await prepared(version)
    expect(await ask(etcd, 'PUT', '/v2/auth/enable')).toBe('200')
    expect(await ask(etcd, 'PUT', '/v2/auth/enable')).toBe(message(409, 'auth: already enabled'))
    expect(await ask(etcd.as('alice'), 'GET', '/v2/auth/users/alice')).toBe(message(401, 'Insufficient credentials'))
    expect(await ask(etcd.as('alice'), 'GET', '/v2/auth/enable')).toBe('200 {"enabled":true}')
    expect(await ask(etcd.anonymous(), 'DELETE', '/v2/auth/enable')).toBe(message(401, 'Insufficient credentials'))
    expect(await ask(etcd, 'DELETE', '/v2/auth/users/root')).toBe(message(403, 'auth: Cannot delete root user while auth is enabled.'))
  })

  test('enabling makes a guest who may do everything, unless there is one', async () => {
    const open = await prepared(version)
    await ask(open, 'PUT', '/v2/auth/enable')
    expect(await ask(open, 'GET', '/v2/auth/roles/guest')).toBe('200 {"role":"guest","permissions":{"kv":{"read":["/*"],"write":["/*"]}}}')
    expect(await ask(open.anonymous(), 'GET', '/v2/keys/')).toMatch(/^200/)

    const closed = await prepared(version)
    await ask(closed, 'PUT', '/v2/auth/roles/guest', { role: 'guest', permissions: kv([]) })
    await ask(closed, 'PUT', '/v2/auth/enable')
    expect(await ask(closed.anonymous(), 'GET', '/v2/keys/')).toBe('401 {"errorCode":110,"message":"The request requires user authentication","cause":"Insufficient credentials","index":0}')

    await ask(closed, 'DELETE', '/v2/auth/roles/guest')
    await ask(closed, 'DELETE', '/v2/auth/enable')
    await ask(closed, 'PUT', '/v2/auth/enable')
    expect(await ask(closed.anonymous(), 'GET', '/v2/keys/')).toMatch(/^200/)
  })

  test('a password of 73 bytes is refused where Go refuses it', async () => {
    const answer = since('3.5.0').from.includes(version) ? message(500, 'Internal Server Error') : '201 {"user":"new","roles":null}'
    expect(await ask(await prepared(version), 'PUT', '/v2/auth/users/new', { user: 'new', password: 'x'.repeat(73) })).toBe(answer)
  })

  test('names that begin with an underscore are not listed, and are found by name', async () => {
    const etcd = await prepared(version)
    await ask(etcd, 'PUT', '/v2/auth/users/_x', { user: '_x', password: 'x', roles: ['root'] })
    expect(await ask(etcd, 'GET', '/v2/auth/users')).not.toContain('_x')
    expect(await ask(etcd, 'GET', '/v2/auth/users/_x')).toMatch(/^200/)
  })

  test('a certificate is whom its name resolves to, and every authority above it counts', async () => {
    const etcd = await prepared(version)
    await ask(etcd, 'PUT', '/v2/auth/enable')
    const admin = (client: MemoryEtcd | ReturnType<MemoryEtcd['as']>): Promise<string> => ask(client, 'GET', '/v2/auth/roles/none')
    expect(await admin(etcd.as('x/../root'))).toMatch(/^404/)
    expect(await admin(etcd.as('stranger'))).toMatch(/^401/)
    expect(await admin(etcd.as(undefined))).toBe('ECONNRESET')
    expect(await admin(etcd.as('alice').withPassword('root', 'pw') as MemoryEtcd)).toMatch(/^404/)
    expect(await admin(etcd.as('root').withPassword('root', 'wrong') as MemoryEtcd)).toMatch(/^401/)

    const below = memoryEtcd({ version, v2: true, identity: 'stranger', chain: ['root'] })
    await ask(below, 'PUT', '/v2/auth/users/root', { user: 'root', password: 'pw' })
    await ask(below, 'PUT', '/v2/auth/enable')
    expect(await admin(below)).toMatch(/^404/)
  })
})

test.each(since('3.6.0').from)('etcd %s has no v2, and says so', (version) => {
  expect(() => memoryEtcd({ version, v2: true })).toThrow(expect.objectContaining({ code: 'ERR_VERSION_UNSUPPORTED' }))
})

test('v2 is served by default on 3.3 only', async () => {
  expect(await ask(memoryEtcd({ version: '3.3.25' }), 'GET', '/v2/auth/enable')).toBe('200 {"enabled":false}')
  expect(await ask(memoryEtcd({ version: '3.4.23' }), 'GET', '/v2/auth/enable')).toBe('404 404 page not found')
})
