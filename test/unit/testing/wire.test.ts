/** What goes over the wire of what a caller writes, as etcd3 has it: dropped, taken for something else, or not sent. */
import { describe, expect, test } from 'vitest'
import { memoryEtcd, type MemoryEtcd } from '../../../src/testing/index.js'
import { answerOf, bytes, locked, watched } from '../../support/double.js'

describe('numbers of 64 bits go over the wire as etcd3 reads them', () => {
  test.each<[what: unknown, granted: string]>([
    [10, '10'],
    ['10', '10'],
    [10.9, '10'],
    ['2x', '2'],
    ['1e3', '2'],
    ['x', '2'],
    [Number.NaN, '2'],
    [true, '2'],
    [{}, '2'],
    ['-5', '2'],
    ['0000000000100', '100'],
  ])('a time to live of %j is %s', async (TTL, granted) => {
    expect((await memoryEtcd({ version: '3.5.30' }).leaseClient.leaseGrant({ TTL: TTL as string })).TTL).toBe(granted)
  })

  test.each<[what: unknown, answer: string]>([
    ['9223372036854775807', '11 OUT_OF_RANGE: etcdserver: too large lease TTL'],
    [1e300, '11 OUT_OF_RANGE: etcdserver: too large lease TTL'],
    ['', '13 INTERNAL: Request message serialization failure: empty string'],
    ['1-2', '13 INTERNAL: Request message serialization failure: interior hyphen'],
  ])('a time to live of %j: %s', async (TTL, answer) => {
    expect(await answerOf(memoryEtcd({ version: '3.5.30' }).leaseClient.leaseGrant({ TTL: TTL as string }))).toBe(answer)
  })

  test('a revision and the id of a watch may be beyond what a number holds', async () => {
    const etcd = memoryEtcd({ version: '3.5.30' })
    expect(await answerOf(etcd.kv.range({ key: bytes('k'), revision: '9007199254740993' }))).toBe('11 OUT_OF_RANGE: etcdserver: mvcc: required revision is a future revision')
    expect((await watched(etcd, { key: bytes('k'), watch_id: '9007199254740993' }))[0]?.watch_id).toBe('9007199254740993')
  })
})

describe('over the wire', () => {
  const granted = async (message: object): Promise<unknown[]> => {
    const { auth } = memoryEtcd({ version: '3.5.30' })
    await auth.roleAdd({ name: 'r' })
    await auth.roleGrantPermission({ name: 'r', perm: message })
    return (await auth.roleGet({ role: 'r' })).perm.map(({ permType, key, range_end }) => [permType, Buffer.from(key).toString(), Buffer.from(range_end).toString()])
  }

  test.each([
    ['names of types as etcd3 has them', { permType: 'Readwrite', key: bytes('k') }, ['Readwrite', 'k', '']],
    ['numbers of types', { permType: 1, key: bytes('k') }, ['Write', 'k', '']],
    ['a name that etcd3 does not know as Read', { permType: 'READWRITE', key: bytes('k') }, ['Read', 'k', '']],
    ['no type as Read', { key: bytes('k') }, ['Read', 'k', '']],
    ['a number that etcd does not know as it is', { permType: 7, key: bytes('k') }, [7, 'k', '']],
    ['rangeEnd not at all', { permType: 'Read', key: bytes('k'), rangeEnd: bytes('l') }, ['Read', 'k', '']],
    ['perm_type not at all', { perm_type: 'Write', key: bytes('k') }, ['Read', 'k', '']],
    ['text for bytes as base64', { permType: 'Read', key: 'aw==' }, ['Read', 'k', '']],
    ['a list for bytes', { permType: 'Read', key: [107] }, ['Read', 'k', '']],
    ['null as nothing', { permType: 'Read', key: bytes('k'), range_end: null }, ['Read', 'k', '']],
  ])('goes: %s', async (_, message, shown) => {
    expect(await granted(message)).toEqual([shown])
  })

  test('noPassword is dropped, so the user has an empty password', async () => {
    const etcd = await locked('3.5.30')
    await etcd.auth.userAdd({ name: 'bob', options: { noPassword: true } as object })
    expect(await answerOf(etcd.auth.authenticate({ name: 'bob', password: '' }))).toBe('ok')
  })

  test('the user of userRevokeRole is its name: user is dropped', async () => {
    const { auth } = await locked('3.5.30')
    expect(await answerOf(auth.userRevokeRole({ user: 'alice', role: 'r' } as object))).toBe('9 FAILED_PRECONDITION: etcdserver: user name not found')
    expect(await answerOf(auth.userRevokeRole({ name: 'alice', role: 'r' }))).toBe('ok')
  })
})

describe('of the wrong type', () => {
  const failed = (why: string): string => `13 INTERNAL: Request message serialization failure: ${why}`
  const ok = 'ok'
  const noKey = '3 INVALID_ARGUMENT: etcdserver: key is not provided'

  const cases: readonly (readonly [what: string, call: (etcd: MemoryEtcd) => Promise<unknown>, answer: string])[] = [
    ['no message', ({ auth }) => auth.userGet(undefined as never), failed('.etcdserverpb.AuthUserGetRequest: object expected')],
    ['null', ({ auth }) => auth.userGet(null as never), failed('.etcdserverpb.AuthUserGetRequest: object expected')],
    ['a text', ({ auth }) => auth.userGet('alice' as never), failed('.etcdserverpb.AuthUserGetRequest: object expected')],
    ['a list', ({ auth }) => auth.userGet([{ name: 'alice' }] as never), failed('Failed to serialize message: expected object with AuthUserGetRequest structure, got array instead')],
    ['a number for a message', ({ auth }) => auth.roleGrantPermission({ name: 'r', perm: 7 as never }), failed('.etcdserverpb.AuthRoleGrantPermissionRequest.perm: object expected')],
    ['a number for options', ({ auth }) => auth.userAdd({ name: 'u', options: 7 as never }), failed('.etcdserverpb.AuthUserAddRequest.options: object expected')],
    ['an object for a list', ({ kv }) => kv.txn({ compare: {} as never }), failed('.etcdserverpb.TxnRequest.compare: array expected')],
    ['a number in a list', ({ kv }) => kv.txn({ success: [7 as never] }), failed('.etcdserverpb.TxnRequest.success: object expected')],
    ['a text for an inner transaction', ({ kv }) => kv.txn({ success: [{ request_txn: 'x' }] }), failed('.etcdserverpb.RequestOp.request_txn: object expected')],
    ['text that is no base64', ({ kv }) => kv.put({ key: 'é' as never }), failed('invalid encoding')],
    ['base64 whose last character stands alone', ({ kv }) => kv.put({ key: 'a' as never }), failed('invalid encoding')],
    ['base64 without padding', ({ kv }) => kv.put({ key: 'aw' as never }), ok],
    ['a number for bytes', ({ kv }) => kv.put({ key: 7 as never }), noKey],
    ['an object for bytes', ({ kv }) => kv.put({ key: {} as never }), noKey],
    ['an inherited field', ({ auth }) => auth.userGet(Object.create({ name: 'alice' }) as object), ok],
    ['a list for a name', ({ auth }) => auth.userGet({ name: ['alice'] as never }), ok],
    ['a text for a number', ({ kv }) => kv.range({ key: bytes('k'), limit: 'many' }), ok],
    ['an operation that holds none', ({ kv }) => kv.txn({ success: [{}] }), '3 INVALID_ARGUMENT: etcdserver: key not found'],
  ]

  test.each(cases)('%s', async (_, call, answer) => {
    expect(await answerOf(call(await locked('3.5.30')))).toBe(answer)
  })

  test('of two operations in one, the later of rpc.proto is done', async () => {
    const { kv } = await locked('3.5.30')
    const { responses } = await kv.txn({ success: [{ request_put: { key: bytes('k') }, request_range: { key: bytes('k') } }] })
    expect(responses.map(({ response }) => response)).toEqual(['response_put'])
  })

  test.each([
    ['its own value', { version: 1 }, true],
    ['a value of another kind sent behind it', { version: 1, mod_revision: 5 }, false],
    ['a value of another kind only, which is 0', { value: bytes('x') }, false],
  ])('a compare of a version with %s', async (_, union, succeeded) => {
    const { kv } = await locked('3.5.30')
    await kv.put({ key: bytes('k') })
    expect((await kv.txn({ compare: [{ key: bytes('k'), target: 'Version', result: 'Equal', ...union }] })).succeeded).toBe(succeeded)
  })
})
