/** What permissions on the v2 API reach, beside every request that a client of the double may send. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anonymous, definePolicy, disjoint, isolation, notGranted, pattern, type Anonymous, type PathPattern, type Permission, type Policy } from '../../src/policy/index.js'
import { manualClock, memoryEtcd, type MemoryClient } from '../../src/testing/index.js'
import { permission } from '../support/arbitrary.js'

const url = 'https://etcd.invalid:2379'
const files = ['/a/a', '/a/b/a', '/a/_h', '/b/a/_h/b', '/_h/a', '/c'] as const
const paths = ['', '/', ...['/a', '/a/a', '/a/b', '/a/b/a', '/a/_h', '/b', '/b/a', '/b/a/_h', '/b/a/_h/b', '/_h', '/_h/a', '/c', '/ab'].flatMap((path) => [path, `${path}/`])]
const texts = ['/', '/a', '/a/', '/a/a', '/a/b', '/a/b/', '/a/_h', '/b', '/b/a', '/b/a/_h', '/_h', '/c', '/c/', '/ab', '/00000000000000000007']
const every = [...texts, ...texts.map((text) => `${text}*`), '*', '/a/b/a', '/b/a/_h/b', '/b/a/_*', '/0*'].map((text) => pattern(text))
const patterns: fc.Arbitrary<PathPattern> = fc.oneof(fc.constantFrom(...texts).map((text) => pattern(text)), fc.constantFrom(...every))
const permissions = fc.array(permission(patterns), { maxLength: 2 })
const clients = ['a', 'b', anonymous] as const
type Client = (typeof clients)[number]

interface Halves {
  readonly a: readonly Permission<PathPattern>[]
  readonly b: readonly Permission<PathPattern>[]
  readonly guest: readonly Permission<PathPattern>[]
}
const halves: fc.Arbitrary<Halves> = fc.record({ a: permissions, b: permissions, guest: fc.oneof(fc.constant([]), permissions) })
const policyOf = ({ a, b, guest }: Halves): Policy =>
  definePolicy({ users: { root: 'certificate', a: 'certificate', b: 'certificate' }, v2: { guest, roles: { a, b }, bindings: { root: ['root'], a: ['a'], b: ['b'] } } })

interface Answer {
  readonly status: number
  readonly body: string
}
// In hexadecimal, since JSON spells a NUL in a key otherwise than it is.
const secret = (file: string): string => `secret of ${Buffer.from(file).toString('hex')}.`
async function ask(client: MemoryClient, method: string, target: string): Promise<Answer> {
  const [path = '', query = ''] = target.split('?')
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  const response = await client.fetch(`${url}/v2/keys${encoded}${query === '' ? '' : `?${query}`}`, { method, redirect: 'manual', headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  return { status: response.status, body: await response.text() }
}

/** A double with these files and with auth on, a client of it, and its time. */
async function guarded(version: string, { a, b, guest }: Halves, written: readonly string[]) {
  const clock = manualClock(new Date('2026-01-01T00:00:00Z'))
  const etcd = memoryEtcd({ version, v2: true, clock })
  const write = (file: string): Promise<Answer> => ask(etcd, 'PUT', `${file}?value=${encodeURIComponent(secret(file))}`)
  for (const file of written) await write(file)
  const put = (path: string, body: object): Promise<unknown> => etcd.fetch(`${url}/v2/auth/${path}`, { method: 'PUT', redirect: 'manual', body: JSON.stringify(body) })
  const role = (name: string, list: readonly Permission<PathPattern>[]): Promise<unknown> => {
    const open = (kind: string): readonly string[] => list.filter(({ type }) => type === kind || type === 'readwrite').map(({ keys }) => keys.pattern)
    return put(`roles/${name}`, { role: name, permissions: { kv: { read: [...new Set(open('read'))], write: [...new Set(open('write'))] } } })
  }
  await put('users/root', { user: 'root', password: 'pw' })
  for (const [name, list] of Object.entries({ a, b, guest })) await role(name, list)
  for (const name of ['a', 'b']) await put(`users/${name}`, { user: name, password: 'pw', roles: [name] })
  await put('enable', {})
  return { etcd, clock, write, as: (client: Client) => etcd.as(client === anonymous ? 'nobody' : client) }
}

const writes = [
  'PUT ?value=hit', 'PUT ?value=hit&ttl=1', 'PUT ?dir=true', 'PUT ?dir=true&prevExist=true&ttl=1', 'PUT ?value=hit&prevValue=wrong', 'POST ?value=hit', 'POST ?dir=true&ttl=1',
  'DELETE ', 'DELETE ?dir=true', 'DELETE ?recursive=true', 'DELETE ?dir=true&recursive=true', 'DELETE ?prevValue=wrong',
]
const keyOf = (body: string): string | undefined => (JSON.parse(body) as { readonly node?: { readonly key?: string } }).node?.key

/** Every key whose value a client is shown, or which it changes, by any request to the paths above. */
async function touched(version: string, policy: Halves, client: Client): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  const shown = (body: string): void => files.filter((file) => body.includes(secret(file))).forEach((file) => found.add(file))
  const still = await guarded(version, policy, files)
  for (const path of paths) {
    for (const query of ['', '?recursive=true', '?quorum=true&recursive=true']) shown((await ask(still.as(client), 'GET', path + query)).body)
    // The past: of every write, as far as it concerns the path.
    for (const recursive of ['', '&recursive=true'])
      for (const at of files.keys()) {
        const reply = ask(still.as(client), 'GET', `${path}?wait=true&waitIndex=${4 + at}${recursive}`)
        shown((await Promise.race([reply, new Promise<Answer>((resolve) => setImmediate(() => resolve({ status: 0, body: '' })))])).body)
      }
  }
  let fresh = await guarded(version, policy, files)
  for (const path of paths) {
    if ((await ask(fresh.as(client), 'PUT', `${path}?refresh=true&ttl=1&prevIndex=99`)).status === 401 && (await ask(fresh.as(client), 'DELETE', `${path}?recursive=true&prevIndex=99`)).status === 401) continue
    for (const one of writes) {
      const [method = '', query = ''] = one.split(' ')
      const { status, body } = await ask(fresh.as(client), method, path + query)
      shown(body)
      if (status >= 300) continue
      const key = keyOf(body)
      if (key !== undefined) found.add(key)
      fresh.clock.advance(2000)
      for (const file of files) if (!(await ask(fresh.etcd, 'GET', file)).body.includes(secret(file))) found.add(file)
      fresh = await guarded(version, policy, files)
    }
    // Before there is anything, a directory that others will write into, and that expires.
    const empty = await guarded(version, policy, [])
    const made = [await ask(empty.as(client), 'PUT', `${path}?dir=true&ttl=1`), await ask(empty.as(client), 'POST', `${path}?dir=true&ttl=1`)].flatMap(({ status, body }) => (status < 300 ? [keyOf(body)] : []))
    const later = [...files, ...made.map((key) => `${key}/x`)]
    const there = []
    for (const file of later) if ((await empty.write(file)).status < 300) there.push(file)
    empty.clock.advance(2000)
    for (const file of there) if ((await ask(empty.etcd, 'GET', file)).status === 404) found.add(file)
  }
  return found
}

/** As etcd's `simpleMatch`. */
const matches = (text: string, path: string): boolean => (text.endsWith('*') ? path.startsWith(text.slice(0, -1)) : path === text)

/** Whether a key is one of those that a pattern names: `/t` and `/t/` are the same. */
const named = (keys: PathPattern, key: string): boolean => [key, `${key}/`].some((path) => matches(keys.pattern, path))

/** Whether a request does to a key what a counterexample says of it. */
async function isReal(version: string, policy: Halves, client: Client, key: string, by: string): Promise<boolean> {
  const [method = '', target = ''] = by.split(' ')
  const { etcd, clock, write, as } = await guarded(version, policy, [])
  const shows = async (): Promise<boolean> => (await ask(etcd, 'GET', key)).body.includes(secret(key))
  if (method === 'POST' || target.includes('ttl=')) {
    const made = await ask(as(client), method, target)
    if (made.status !== 201) return false
    const where = keyOf(made.body) ?? ''
    if (!target.includes('ttl=')) return where.length === key.length && where.slice(0, -20) === key.slice(0, -20)
    const below = method === 'POST' ? `${where}/x` : key
    if ((await write(below)).status !== 201) return false
    clock.advance(2000)
    return (await ask(etcd, 'GET', below)).status === 404
  }
  if ((await write(key)).status !== 201 || !(await shows())) return false
  const { body } = await ask(as(client), method, method === 'PUT' ? `${target}?value=hit` : target.replace('…', '4'))
  return method === 'GET' ? body.includes(secret(key)) : !(await shows())
}

const versions = ['3.3.25', '3.5.30'] as const

describe.each(versions)('on etcd %s', (version) => {
  test('no request shows or changes what is not granted, and each counterexample is a request that does', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(permission(patterns), { minLength: 1, maxLength: 2 }), fc.constantFrom<Client>('a', anonymous), async (held, client) => {
        const lists = { a: client === 'a' ? held : [], b: [], guest: client === 'a' ? [] : held }
        const policy = policyOf(lists)
        const all = await touched(version, lists, client)
        for (const keys of every) {
          const verdict = notGranted(policy, client as Anonymous, keys)
          if (verdict.holds) expect([...all].filter((key) => named(keys, key))).toEqual([])
          else if (verdict.counterexample !== 'root') {
            const { access, key, by } = verdict.counterexample
            if (by === undefined) {
              const { as } = await guarded(version, lists, [])
              const answer = access.endsWith('read') ? await ask(as(client), 'GET', key as string) : await ask(as(client), 'PUT', `${key as string}?value=x`)
              expect([answer.status, matches(keys.pattern, key as string)]).toEqual([expect.not.toSatisfy((status: number) => status === 401), true])
            } else {
              expect(named(keys, key as string), by).toBe(true)
              expect(await isReal(version, lists, client, key as string, by), `${by}: ${JSON.stringify(key)}`).toBe(true)
            }
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  test('users who are isolated touch no key of each other, and each overlap is a key that both reach by the requests that it names', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(halves, fc.constantFrom<readonly PathPattern[]>([], [pattern('/a/*')], [pattern('/b')], [pattern('/a*'), pattern('/c')]), async (lists, except) => {
        const { overlaps } = isolation(policyOf(lists), { api: 'v2', except })
        if (overlaps.length === 0) {
          const seen = new Map<string, Client>()
          for (const client of clients)
            for (const key of await touched(version, lists, client)) {
              if (except.some((one) => named(one, key))) continue
              expect([key, seen.get(key) ?? client]).toEqual([key, client])
              seen.set(key, client)
            }
          return
        }
        for (const { holdings, shared, by } of overlaps) {
          expect(except.some((one) => named(one, shared as string))).toBe(false)
          for (const [at, { user }] of holdings.entries()) expect(await isReal(version, lists, user as Client, shared as string, by![at]!), `${by![at]}: ${JSON.stringify(shared)}`).toBe(true)
        }
      }),
      { numRuns: 40 },
    )
  })

  test('lists that are disjoint touch no key in common, and the counterexample is a key that is granted by both', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(permissions, permissions, async (a, b) => {
        const verdict = disjoint(a, b)
        const lists = { a, b, guest: [] }
        if (verdict.holds) {
          const theirs = await touched(version, lists, 'b')
          expect([...(await touched(version, lists, 'a'))].filter((key) => theirs.has(key))).toEqual([])
        } else for (const client of ['a', 'b']) expect(notGranted(policyOf(lists), client, pattern(verdict.counterexample as string)).holds).toBe(false)
      }),
      { numRuns: 30 },
    )
  })
})
