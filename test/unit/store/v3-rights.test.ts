/** Who may do what to which keys on v3, and the holes that releases had. */
import { describe, expect, test } from 'vitest'
import type { MemoryClient } from '../../../src/testing/index.js'
import { answerOf, bytes, locked, perm, range, since, versions, watched } from '../../support/double.js'

const denied = '7 PERMISSION_DENIED: etcdserver: permission denied'
const noName = '3 INVALID_ARGUMENT: etcdserver: user name is empty'

/** What alice may read: `get key` or `get key..end`. */
async function readable(version: string, permissions: Parameters<typeof locked>[1], asked: readonly string[]): Promise<readonly string[]> {
  const alice = (await locked(version, permissions)).as('alice')
  const allowed: string[] = []
  for (const name of asked) {
    const [key = '', end = ''] = name.split('..')
    if ((await answerOf(alice.kv.range(range(key, end)))) === 'ok') allowed.push(name)
  }
  return allowed
}

const semantics: readonly (readonly [law: string, permissions: NonNullable<Parameters<typeof locked>[1]>, asked: readonly string[], allowed: readonly string[]])[] = [
  ['a point is its key and the range that holds only it', [perm('Read', 'k')], ['k', 'k..k\0', 'k..k\0\0', 'k..l', 'k\0', 'j'], ['k', 'k..k\0']],
  ['a range excludes its end', [perm('Read', 'a', 'c')], ['a', 'b', 'c', 'a..c', 'a..c\0', 'b..c'], ['a', 'b', 'a..c', 'b..c']],
  ['a prefix without a terminator reaches its siblings', [perm('Read', '/ten1', '/ten2')], ['/ten1/x', '/ten10/x', '/ten2'], ['/ten1/x', '/ten10/x']],
  ['a prefix with a slash excludes the bare name', [perm('Read', '/p/', '/p0')], ['/p/x', '/p', '/p..q'], ['/p/x']],
  ['adjacent ranges make one', [perm('Read', 'a', 'b'), perm('Read', 'b', 'c')], ['a..c'], ['a..c']],
  ['adjacent points make one', [perm('Read', 'a'), perm('Read', 'a\0')], ['a..a\0\0'], ['a..a\0\0']],
  ['a gap denies all of a range', [perm('Read', 'a', 'b'), perm('Read', 'b\0', 'c')], ['a..c', 'a..b', 'b\0..c'], ['a..b', 'b\0..c']],
  ['an end of a zero byte is none', [perm('Read', 'm', '\0')], ['m', 'z', 'z..\0', 'l..\0', '\xff\xff..\0'], ['m', 'z', 'z..\0', '\xff\xff..\0']],
  ['everything is from the first key on', [perm('Read', '\0', '\0')], ['\0', '\0..\0', 'a'], ['\0', '\0..\0', 'a']],
  ['WRITE is not READ', [perm('Write', 'k')], ['k'], []],
  ['the same range with another type has the new type only', [perm('Read', 'k'), perm('Write', 'k')], ['k'], []],
  ['a second range of the same key is not replaced any more: the right stays', [perm('Read', 'k'), perm('Readwrite', 'k', 'm'), perm('Write', 'k', 'm')], ['k', 'l'], ['k', 'l']],
  ['a name that is no type goes over the wire as Read', [perm('WRITE', 'k')], ['k'], ['k']],
  ['an unknown type is stored and grants nothing', [perm(7, 'k')], ['k'], []],
]

describe.each(versions)('etcd %s', (version) => {
  test.each(semantics)('%s', async (_, permissions, asked, allowed) => {
    expect(await readable(version, permissions, asked)).toEqual(allowed)
  })

  test('role root may do everything, whatever it was granted, and a twin of everything is not root', async () => {
    const etcd = await locked(version, [perm('Readwrite', '\0', '\0')])
    expect(await answerOf(etcd.kv.deleteRange(range('\0', '\0')))).toBe('ok')
    expect(await answerOf(etcd.as('alice').auth.userList())).toBe(denied)
    await etcd.auth.userGrantRole({ user: 'alice', role: 'root' })
    expect(await answerOf(etcd.as('alice').auth.userList())).toBe('ok')
  })

  test('revoking takes every double of the very range', async () => {
    const etcd = await locked(version, [perm('Read', 'k'), perm('Readwrite', 'k', 'm'), perm('Write', 'k', 'm')])
    expect((await etcd.auth.roleGet({ role: 'r' })).perm).toHaveLength(3)
    await etcd.auth.roleRevokePermission({ role: 'r', key: bytes('k'), range_end: bytes('m') })
    expect((await etcd.auth.roleGet({ role: 'r' })).perm.map(({ permType }) => permType)).toEqual(['Read'])
  })

  test('a deleted role is taken from its users', async () => {
    const etcd = await locked(version, [perm('Read', 'k')])
    await etcd.auth.roleDelete({ role: 'r' })
    expect((await etcd.auth.userGet({ name: 'alice' })).roles).toEqual([])
    expect(await answerOf(etcd.as('alice').kv.range(range('k')))).toBe(denied)
  })
})

const operations: readonly (readonly [name: string, run: (client: MemoryClient) => Promise<unknown>])[] = [
  ['put', ({ kv }) => kv.put({ key: bytes('k') })],
  ['put prev_kv', ({ kv }) => kv.put({ key: bytes('k'), prev_kv: true })],
  ['put ignore_value', ({ kv }) => kv.put({ key: bytes('k'), ignore_value: true })],
  ['delete', ({ kv }) => kv.deleteRange(range('k'))],
  ['delete prev_kv', ({ kv }) => kv.deleteRange({ key: bytes('k'), prev_kv: true })],
  ['compare', ({ kv }) => kv.txn({ compare: [{ key: bytes('k'), target: 'Version', result: 'Equal', version: 0 }] })],
  ['other branch', ({ kv }) => kv.txn({ compare: [], success: [], failure: [{ request_put: { key: bytes('z') } }] })],
  ['empty txn', ({ kv }) => kv.txn({})],
  ['put prev_kv in txn', ({ kv }) => kv.txn({ success: [{ request_put: { key: bytes('k'), prev_kv: true } }] })],
  ['nested put of z', ({ kv }) => kv.txn({ success: [{ request_txn: { success: [{ request_put: { key: bytes('z') } }] } }] })],
  ['compact', ({ kv }) => kv.compact({ revision: 0 })],
  ['status', ({ maintenance }) => maintenance.status()],
]

/** What is allowed to whom: with WRITE on `k` alone, to a certificate without a user, and without a certificate. */
const allowed = async (version: string, who: (client: MemoryClient) => MemoryClient): Promise<readonly string[]> => {
  const names: string[] = []
  for (const [name, run] of operations) {
    const etcd = await locked(version, [perm('Write', 'k')])
    await etcd.kv.put({ key: bytes('k') })
    if ((await answerOf(run(who(etcd)))) === 'ok') names.push(name)
  }
  return names
}

const plainWriter = ['put', 'put ignore_value', 'delete', 'empty txn']
const holes = { transactionPut: 'put prev_kv in txn', nested: 'nested put of z', compact: 'compact', status: 'status' }

test.each([
  ['3.3.25', [...plainWriter, holes.transactionPut, holes.nested, holes.compact, holes.status]],
  ['3.4.23', [...plainWriter, holes.transactionPut, holes.nested, holes.compact, holes.status]],
  ['3.5.16', [...plainWriter, holes.transactionPut, holes.nested, holes.compact, holes.status]],
  ['3.5.29', [...plainWriter, holes.transactionPut]],
  ['3.5.30', plainWriter],
  ['3.5.35', [...plainWriter, holes.status]],
  ['3.6.16', [...plainWriter, holes.status]],
  ['3.7.3', [...plainWriter, holes.status]],
] as const)('WRITE on one key of etcd %s allows %j', async (version, names) => {
  expect(await allowed(version, (etcd) => etcd.as('alice'))).toEqual(names)
})

test.each([
  ['3.3.25', ['empty txn', holes.nested, holes.compact, holes.status]],
  ['3.5.16', ['empty txn', holes.nested, holes.compact, holes.status]],
  ['3.5.30', ['empty txn']],
  ['3.7.3', ['empty txn']],
] as const)('without a certificate, etcd %s allows %j', async (version, names) => {
  expect(await allowed(version, (etcd) => etcd.anonymous())).toEqual(names)
  expect(await answerOf((await locked(version)).anonymous().kv.put({ key: bytes('k') }))).toBe(noName)
})

describe('a watch', () => {
  const opened = async (version: string, key: string, end: string): Promise<string> => {
    const [first] = await watched((await locked(version, [perm('Read', 'k')])).as('alice'), { key: bytes(key), range_end: bytes(end) })
    return first?.canceled ? first.cancel_reason : 'open'
  }
  const refused = 'rpc error: code = PermissionDenied desc = etcdserver: permission denied'

  test.each(versions)('of the granted key is open, of another refused in the stream, on etcd %s', async (version) => {
    expect([await opened(version, 'k', ''), await opened(version, 'z', '')]).toEqual(['open', refused])
  })

  test.each([['3.3.25', 'open'], ['3.5.30', 'open'], ['3.5.33', refused], ['3.6.13', 'open'], ['3.6.16', refused], ['3.7.3', refused]])(
    'from the granted key to the end of all keys, on etcd %s: %s',
    async (version, answer) => {
      expect(await opened(version, 'k', '\0')).toBe(answer)
    },
  )
})

describe('found by comparing with servers', () => {
  const { before, from } = since('3.7.0')
  const secrets = async (version: string, run: (client: MemoryClient) => Promise<{ readonly kvs: readonly { readonly key: Uint8Array }[] }>): Promise<readonly string[]> => {
    const etcd = await locked(version, [perm('Read', 'a')])
    for (const key of ['a', 'b', 'c']) await etcd.kv.put({ key: bytes(key) })
    return (await run(etcd.as('alice'))).kvs.map(({ key }) => Buffer.from(key).toString('latin1'))
  }
  const emptyEnd = { key: bytes('a'), range_end: bytes('') }
  type Responses = { readonly responses: readonly { readonly response_range?: { readonly kvs: readonly { readonly key: Uint8Array }[] } }[] }
  const inTxn = async (client: MemoryClient, more: readonly object[]): Promise<{ readonly kvs: readonly { readonly key: Uint8Array }[] }> => {
    const { responses } = (await client.kv.txn({ success: [{ request_range: emptyEnd }], failure: more })) as Responses
    return responses[0]!.response_range!
  }

  test.each(before)('an empty end that is sent reads everything behind the one granted key, on etcd %s', async (version) => {
    expect(await secrets(version, ({ kv }) => kv.range(emptyEnd))).toEqual(['a', 'b', 'c'])
    expect(await secrets(version, (client) => inTxn(client, []))).toEqual(['a', 'b', 'c'])
  })

  test.each(from)('an empty end that is sent is none, on etcd %s', async (version) => {
    expect(await secrets(version, ({ kv }) => kv.range(emptyEnd))).toEqual(['a'])
    expect(await secrets(version, (client) => inTxn(client, []))).toEqual(['a'])
  })

  test.each(versions)('an end that is not sent, or goes through raft, is one key, on etcd %s', async (version) => {
    expect(await secrets(version, ({ kv }) => kv.range({ key: bytes('a') }))).toEqual(['a'])
    expect(await secrets(version, (client) => inTxn(client, [{ request_txn: {} }]))).toEqual(['a'])
  })

  test.each(since('3.5.0').before)('a grant that ends before it begins grants nothing and hides nothing, on etcd %s', async (version) => {
    expect(await readable(version, [perm('Read', 'b', 'c'), perm('Read', 'z', 'a'), perm('Read', '', '\0')], ['a', 'b', 'b..c', 'y', 'z', '\0..\0'])).toEqual(['b', 'b..c'])
  })

  test('a range that ends before it begins is allowed where its begin is, or not, by the shape of the tree', async () => {
    expect(await readable('3.5.30', [perm('Read', 'm', '\0')], ['z..a'])).toEqual(['z..a'])
    expect(await readable('3.5.30', [perm('Read', 'b'), perm('Read', 'm', 'n'), perm('Read', 'x', '\0')], ['z..a'])).toEqual([])
  })
})
