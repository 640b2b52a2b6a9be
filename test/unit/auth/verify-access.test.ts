/** Asked as each user, the double gives what the policy says; what was taken or added on the server is told, and nothing is ever written. */
import { beforeEach, describe, expect, test } from 'vitest'
import { describeAccess, verifyAccess, type AccessConnection, type AccessRow, type AccessTable, type Api } from '../../../src/auth/index.js'
import { allKeys, fromKey, key, path, pattern, prefix, range, read, readwrite, showKeys, write } from '../../../src/keys/index.js'
import { anonymous, definePolicy, type Anonymous } from '../../../src/policy/index.js'
import { double, rejected, type Double } from './doubles.js'

const policy = definePolicy({
  users: { root: 'certificate', node: 'certificate', auditor: 'certificate', nobody: 'certificate' },
  v3: {
    roles: { node: [readwrite(prefix('/calico/felix/')), read(key('/calico/ready')), write(range('/calico/w0', '/calico/w5'))], audit: [read(prefix('/calico/'))], tail: [read(fromKey('/z'))] },
    bindings: { root: ['root'], node: ['node'], auditor: ['audit', 'tail'] },
  },
  v2: {
    guest: [read(pattern('/public/*'))],
    roles: { node: [readwrite(pattern('/calico/v1/*')), readwrite(pattern('/calico/ready'))], audit: [read(pattern('/calico/*'))] },
    bindings: { root: ['root'], node: ['node'], auditor: ['audit'] },
  },
})

let made: Double
const endpoint = 'https://127.0.0.1:2379'
const plan = { unmanaged: 'report', enable: true, acknowledgePasswordsInLog: true, acknowledgeOpenV2: true } as const
const connect = (user: string | Anonymous): AccessConnection => {
  const client = made.etcd.as(user === anonymous ? 'stranger' : user)
  return { v3: client.kv, v2: { fetch: client.fetch, endpoint } }
}
const shown = ({ user, operation: { op, keys }, found }: AccessRow): string => `${String(user)} ${op} ${showKeys(keys)} ${found}`
const wrong = ({ rows }: AccessTable): readonly string[] => rows.filter(({ ok }) => !ok).map(shown)
const everyone = [...Object.keys(policy.users), anonymous] as const as readonly (keyof typeof policy.users | Anonymous)[]

async function protectedBy(api: Api, version: string): Promise<void> {
  made = double(api, version)
  const auth = made.auth()
  await auth.apply(await auth.plan(policy, plan))
}

describe.each<[Api, string]>([['v3', '3.4.23'], ['v3', '3.5.30'], ['v3', '3.7.3'], ['v2', '3.3.25'], ['v2', '3.5.30']])('on %s of etcd %s', (api, version) => {
  beforeEach(() => protectedBy(api, version))

  test('a server that holds the policy answers every question as the policy does, allowed and refused ones, to clients without a name too', async () => {
    const table = await verifyAccess(policy, connect, { apis: [api], users: everyone })
    expect(wrong(table)).toEqual([])
    expect(table.ok).toBe(true)
    for (const expected of ['allowed', 'refused']) for (const ops of [['get'], ['put', 'del']]) expect(table.rows.filter((row) => row.expected === expected && ops.includes(row.operation.op)).length).toBeGreaterThan(3)
    expect(new Set(table.rows.map(({ user }) => user))).toEqual(new Set(everyone))
  })

  test('no question leaves anything behind', async () => {
    const root = made.etcd.as('root')
    const form = { method: 'PUT', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'value=kept', redirect: 'manual' } as const
    const look = async (): Promise<unknown> =>
      api === 'v3' ? root.kv.range({ key: Buffer.alloc(1), range_end: Buffer.alloc(1) }) : JSON.parse(await (await root.fetch(`${endpoint}/v2/keys/?recursive=true`, { method: 'GET', redirect: 'manual' })).text())
    if (api === 'v3') for (const name of ['/calico/ready', '/calico/w1', '/calico/felix/', '/zz']) await root.kv.put({ key: Buffer.from(name), value: Buffer.from('kept') })
    else for (const name of ['ready', 'v1/a', 'ready-b']) await root.fetch(`${endpoint}/v2/keys/calico/${name}`, form)
    const [before, table, after] = [await look(), await verifyAccess(policy, connect, { apis: [api] }), await look()]
    expect(table.ok).toBe(true)
    const kept = (state: unknown): string => JSON.stringify(state, (name, value: unknown) => (name === 'header' && api === 'v3' ? (value as { revision: unknown }).revision : value))
    expect(kept(after)).toBe(kept(before))
    expect(kept(before)).toContain(api === 'v3' ? 'kvs' : 'kept')
  })

  test('read-only asks for reads alone', async () => {
    const { ok, rows } = await verifyAccess(policy, connect, { apis: [api], readOnly: true })
    expect(ok).toBe(true)
    expect(new Set(rows.map(({ operation }) => operation.op))).toEqual(new Set(['get']))
    expect(made.etcd.calls.filter(({ method }) => method === 'txn' || method.startsWith('PUT /v2/keys'))).toEqual([])
  })

  test('a grant that the server has lost, and one that it has beside the policy, are told and nothing else is', async () => {
    const auth = made.auth()
    await auth.revokePermission('audit', api === 'v3' ? prefix('/calico/') : pattern('/calico/*'))
    await auth.grantRole('nobody', 'audit')
    expect((await verifyAccess(policy, connect, { apis: [api], users: ['root', 'node', 'nobody'] })).ok).toBe(true)
    const lost = wrong(await verifyAccess(policy, connect, { apis: [api] }))
    expect(lost).toContain(api === 'v3' ? 'auditor get /calico/* refused' : 'auditor get /calico/etcd-rbac-access-probe refused')
    expect(lost.every((line) => /^auditor get .* refused$/.test(line))).toBe(true)

    await auth.grantPermission('audit', api === 'v3' ? read(prefix('/calico/')) : read(pattern('/calico/*')))
    const added = wrong(await verifyAccess(policy, connect, { apis: [api] }))
    expect(added).toContain(api === 'v3' ? 'nobody get /calico/* allowed' : 'nobody get /calico/etcd-rbac-access-probe (recursive) allowed')
    expect(added.every((line) => /^nobody get .* allowed$/.test(line))).toBe(true)
  })
})

describe('on v3', () => {
  beforeEach(() => protectedBy('v3', '3.5.30'))

  test('a prefix without its slash, one key too many and a grant where only `keys` looks are told by these very keys', async () => {
    const auth = made.auth()
    const granted = async (permission: Parameters<typeof auth.grantPermission>[1], keys: Parameters<typeof verifyAccess>[2] = {}): Promise<readonly string[]> => {
      await auth.grantPermission('node', permission)
      const found = wrong(await verifyAccess(policy, connect, { apis: ['v3'], ...(keys as object) }))
      await auth.revokePermission('node', permission.keys)
      return found
    }
    expect(await granted(read(key('/calico/felix0')))).toEqual(['node get /calico/felix0 allowed'])
    expect(await granted(write(key('/calico/w5')))).toEqual(['node put /calico/w5 allowed'])
    expect(await granted(read(prefix('/secret/')))).toEqual([])
    expect(await granted(read(prefix('/secret/')), { keys: [prefix('/secret/')] })).toEqual(['node get /secret/* allowed'])
    expect(await granted(readwrite(allKeys()), { users: ['auditor'] })).toEqual([])
  })

  test('a server without auth refuses nobody, and that is told', async () => {
    made = double('v3')
    const { ok, rows } = await verifyAccess(policy, connect, { apis: ['v3'] })
    expect(ok).toBe(false)
    expect(rows.every((row) => row.found === 'allowed' && row.ok === (row.expected === 'allowed'))).toBe(true)
  })

  test('what has no answer is never taken for a refusal: no connection, no client, a member that is down', async () => {
    const failures: readonly (readonly [RegExp, (user: string | Anonymous) => AccessConnection])[] = [
      [/^no certificate$/, () => { throw new Error('no certificate') }],
      [/^connect gave no client for v3$/, () => ({})],
      [/^connect gave no client for v3$/, () => undefined as never],
      [/^connect EACCES: permission denied$/, () => ({ v3: { range: () => Promise.reject(new Error('connect EACCES: permission denied')), txn: () => Promise.reject(new Error('connect EACCES: permission denied')) } })],
      [/^no certificate$/, () => ({ get v3(): never { throw new Error('no certificate') }, close: () => { throw new Error('closed') } })],
      [/^14 UNAVAILABLE$/, () => ({ v3: { range: () => Promise.reject(new Error('14 UNAVAILABLE')), txn: () => { throw new Error('14 UNAVAILABLE') } } })],
    ]
    for (const [reason, failing] of failures) {
      const { ok, rows } = await verifyAccess(policy, failing, { apis: ['v3'] })
      expect(ok).toBe(false)
      expect(rows.length).toBeGreaterThan(20)
      for (const row of rows) expect(row).toMatchObject({ found: 'unanswered', ok: false, reason: expect.stringMatching(reason) as unknown })
    }
  })

  test('no more users are asked for at once than is said, each connection is closed, and the rows stand in the order of the users', async () => {
    let [open, most, closed] = [0, 0, 0]
    const counted = (user: string | Anonymous): AccessConnection => {
      most = Math.max(most, ++open)
      return { ...connect(user), close: () => { open--; closed++ } }
    }
    const one = await verifyAccess(policy, counted, { apis: ['v3'], atOnce: 1 })
    expect([open, most, closed]).toEqual([0, 1, 4])
    const many = await verifyAccess(policy, counted, { apis: ['v3'], atOnce: 3 })
    expect([open, most, closed]).toEqual([0, 3, 8])
    expect(many).toEqual(one)
  })

  test('a signal ends it with an error and closed connections, before anything is asked or in between', async () => {
    let [opened, closed] = [0, 0]
    const counted = (user: string | Anonymous, then?: () => void): AccessConnection => {
      opened++
      const { v3 } = connect(user)
      return { v3: { range: (request) => { then?.(); return v3!.range(request) }, txn: (request) => v3!.txn(request) }, close: () => closed++ }
    }
    await rejected('ERR_ABORTED', verifyAccess(policy, counted, { signal: AbortSignal.abort() }))
    expect(opened).toBe(0)
    const controller = new AbortController()
    let asked = 0
    await rejected('ERR_ABORTED', verifyAccess(policy, (user) => counted(user, () => { if (++asked === 5) controller.abort() }), { apis: ['v3'], signal: controller.signal }))
    expect(closed).toBe(opened)
    expect(asked).toBeLessThan(10)
  })

  test.each<[string, object, RegExp]>([
    ['a misspelt option', { readonly: true }, /"readonly"/],
    ['an API that there is not', { apis: ['v1'] }, /^apis must/],
    ['no API', { apis: [] }, /^apis must/],
    ['nobody', { users: [] }, /^users must/],
    ['keys that are none', { keys: ['/a'] }, /^each of keys must/],
    ['keys of an API that is not asked', { apis: ['v3'], keys: [path('/a')] }, /^each of keys must/],
    ['a text for readOnly', { readOnly: 'no' }, /^readOnly must/],
    ['nobody at once', { atOnce: 0 }, /^atOnce must/],
    ['a controller for a signal', { signal: new AbortController() }, /^signal must/],
  ])('refuses %s before it connects', async (_, options, message) => {
    const refused = verifyAccess(policy, () => { throw new Error('connected') }, options as never)
    await expect(refused).rejects.toThrow(TypeError)
    await expect(refused).rejects.toThrow(message)
  })

  test('refuses users that the policy does not know', async () => {
    await rejected('ERR_USER_UNKNOWN', verifyAccess(policy, connect, { users: ['nodes' as never] }))
  })
})

describe('a table is described', () => {
  const row = (found: AccessRow['found'], reason?: string): AccessRow => ({ user: 'a|b', api: 'v3', operation: { op: 'get', keys: prefix('/a/') }, expected: 'allowed', found, ok: found === 'allowed', ...(reason === undefined ? {} : { reason }) })
  const table: AccessTable = { ok: false, rows: [row('allowed'), row('unanswered', 'down\u001b[2J')] }

  test('as text, a line for each question, and nothing that is invisible', () => {
    expect(describeAccess(table)).toBe(
      ['2 questions, 1 not answered as the policy says', '  ok: a|b, v3 get /a/*: expected allowed, found allowed', '  wrong: a|b, v3 get /a/*: expected allowed, found unanswered (down\\u{1b}[2J)'].join('\n'),
    )
  })

  test('as Markdown, of which no name breaks the table; the wrong rows alone where asked', () => {
    const lines = describeAccess(table, { format: 'markdown', rows: 'wrong' }).trimEnd().split('\n')
    expect(lines.slice(2, 4)).toEqual(['| user | operation | expected | found | ok |', '|---|---|---|---|---|'])
    expect(lines).toHaveLength(5)
    expect(lines[4]?.replace(/\\./g, '').split('|')).toHaveLength(7)
    expect(describeAccess({ ok: true, rows: [row('allowed')] }, { rows: 'wrong' })).toBe('1 questions, all answered as the policy says')
  })

  test('or refused, where it is none', () => {
    for (const given of [undefined, {}, { rows: 7 }]) expect(() => describeAccess(given as never)).toThrow(/^table must be/)
    expect(() => describeAccess(table, { format: 'html' as never })).toThrow(/^format must be/)
    expect(() => describeAccess(table, { rows: 'ok' as never })).toThrow(/^rows must be/)
  })
})
