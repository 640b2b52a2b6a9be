/** Random v3 requests: few names and keys, so that they meet; the malformed among them, but for those that kill a real member for good. */
import fc, { type Arbitrary } from 'fast-check'
import type { V3Request } from './differential.js'

/** Which lane the requests are for. */
export interface V3Limits {
  /** Whether the server survives a role without a name. */
  readonly emptyRoleName: boolean
  /** Whether the server survives a grant without a permission. */
  readonly missingPermission: boolean
}

export const certified = ['root', 'alice', 'bob', 'stranger'] as const
export const users = ['root', 'alice', 'bob', 'carol', '__proto__', 'é✓'] as const
export const roles = ['root', 'r1', 'r2', 'r3', 'constructor'] as const

const text = (...bytes: readonly number[]): string => String.fromCharCode(...bytes)
const bytes = (latin1: string): Buffer => Buffer.from(latin1, 'latin1')
/** The keys that are written: six, since etcd's sorts are stable up to there with every Go. */
const written = ['a', 'ab', 'b', '/a/x', text(0), text(255, 255)].map(bytes)
const key: Arbitrary<Buffer> = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...written) }, fc.constantFrom(...['', '/a/', 'c', text(255), 'a\0'].map(bytes)))
const end: Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(bytes('')) },
  { weight: 2, arbitrary: fc.constant(bytes(text(0))) },
  { weight: 5, arbitrary: fc.constantFrom(...['b', 'ab', 'c', '/a0', 'a\0', text(255), text(255, 255)].map(bytes)) },
)
const range = { key, range_end: end }

const user = fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...users) }, fc.constant(''))
const roleOf = ({ emptyRoleName }: V3Limits): Arbitrary<string> =>
  fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...roles) }, fc.constant(emptyRoleName ? '' : 'r1'))
const anyRole = fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...roles) }, fc.constant(''))
const password = fc.constantFrom('', 'secret', 'x'.repeat(72), 'x'.repeat(73))
const permType = fc.oneof({ weight: 8, arbitrary: fc.constantFrom('Read', 'Write', 'Readwrite') }, fc.constantFrom('READWRITE', 0, 1, 2, 7, undefined))
const rarely = <T>(arbitrary: Arbitrary<T>): Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined, freq: 3 })
const revision = fc.oneof(fc.constantFrom(0, -1), fc.integer({ min: -1, max: 6 }).map((back) => ({ back })))
const flag = fc.constantFrom(true, false, false)

/** A bound of revisions: mostly there is none. */
const bound = fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, revision)
const rangeMessage = fc.record({
  ...range,
  limit: fc.constantFrom(0, 0, 1, 2, '3', 1.5, '2x'),
  revision: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, revision),
  sort_order: fc.constantFrom('None', 'Ascend', 'Descend', 2, 'ASCEND', 7),
  sort_target: fc.constantFrom('Key', 'Version', 'Create', 'Mod', 'Value', 3),
  serializable: flag,
  keys_only: flag,
  count_only: flag,
  min_mod_revision: bound,
  max_mod_revision: bound,
  min_create_revision: bound,
  max_create_revision: bound,
})
/** Chosen, since none that etcd draws could be compared: one that a JavaScript number holds, and one that none does. */
const leaseIds = ['1', '2', '7587862094561091846'] as const
const value = fc.constantFrom('', 'v', 'w').map(bytes)
const putMessage = fc.record({ key, value, prev_kv: flag, ignore_value: flag, ignore_lease: fc.constantFrom(false, false, false, true), lease: fc.constantFrom(0, 0, 0, 0, ...leaseIds, 5) })
const deleteMessage = fc.record({ ...range, prev_kv: flag })

const compare = fc
  .record({
    ...range,
    range_end: fc.oneof({ weight: 3, arbitrary: fc.constant(bytes('')) }, end),
    result: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('Equal', 'Greater', 'Less', 'NotEqual') }, fc.constant(9)),
    target: fc.constantFrom('Version', 'Create', 'Mod', 'Value', 'Lease'),
    value,
    number: fc.oneof(fc.constantFrom(0, 1, 2, '7587862094561091846', '7587862094561091847'), revision),
  })
  .map(({ number, value: wanted, ...rest }) => {
    const name = { Version: 'version', Create: 'create_revision', Mod: 'mod_revision', Value: 'value', Lease: 'lease' }[rest.target]
    return { ...rest, [name]: rest.target === 'Value' ? wanted : number }
  })

const txnMessage: Arbitrary<object> = fc.letrec<{ txn: object; op: object; ops: object[] }>((tie) => ({
  op: fc.oneof(
    { depthSize: 'small', maxDepth: 2 },
    rangeMessage.map((request_range) => ({ request_range })),
    putMessage.map((request_put) => ({ request_put })),
    putMessage.map((request_put) => ({ request_put })),
    deleteMessage.map((request_delete_range) => ({ request_delete_range })),
    tie('txn').map((request_txn) => ({ request_txn })),
  ),
  ops: fc.array(tie('op'), { maxLength: 3, depthIdentifier: 'txn' }),
  txn: fc.record({ compare: fc.array(compare, { maxLength: 2 }), success: tie('ops'), failure: tie('ops') }),
})).txn

type Call = Omit<V3Request, 'as'>

const auth = (method: string, message?: Arbitrary<unknown>): Arbitrary<Call> =>
  message ? message.map((given) => ({ service: 'auth', method, message: given })) : fc.constant({ service: 'auth', method })
const kv = (method: string, message: Arbitrary<unknown>): Arbitrary<Call> => message.map((given) => ({ service: 'kv', method, message: given }))

const leaseId = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...leaseIds) }, fc.constantFrom('-3', 5))
const lease = (method: string, message: Arbitrary<unknown>): Arbitrary<Call> => message.map((given) => ({ service: 'leaseClient', method, message: given }))

/** Watches of a stream: most of them from now on. */
const watchMessage: Arbitrary<object> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        ...range,
        start_revision: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: -2, max: 6 }).map((back) => ({ back }))),
        filters: fc.constantFrom([], [], [], ['Noput'], ['Nodelete'], ['Noput', 'Nodelete']),
        prev_kv: flag,
        watch_id: fc.constantFrom(0, 0, 0, 0, 1, 7, '9007199254740993'),
      })
      .map((create_request) => ({ create_request })),
  },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 2, 7).map((watch_id) => ({ cancel_request: { watch_id } })) },
  { weight: 1, arbitrary: fc.constant({ progress_request: {} }) },
)

const maintenance = fc.constantFrom<Call>(
  { service: 'maintenance', method: 'status' },
  { service: 'maintenance', method: 'alarm', message: { action: 'Get' } },
  { service: 'maintenance', method: 'alarm', message: { action: 'Deactivate', alarm: 'Nospace' } },
  { service: 'maintenance', method: 'defragment' },
  { service: 'maintenance', method: 'hash' },
  { service: 'cluster', method: 'memberList', message: {} },
)

/** Messages of the wrong types: some are never sent, some go out as something else. No empty names among them. */
const unsendable: readonly (readonly [method: string, message: unknown])[] = [
  ['roleGrantPermission', { name: 'r1', perm: 7 }],
  ['roleGrantPermission', { name: 'r1', perm: 'a' }],
  ['roleGrantPermission', { name: 'r1', perm: { permType: {}, key: { length: 0 } } }],
  ['roleGrantPermission', { name: 'r1', perm: { permType: '1', key: bytes('a') } }],
  ['roleGrantPermission', { name: 'r1', perm: { permType: 1.7, key: bytes('a') } }],
  ['roleGrantPermission', { name: 'r1', perm: { permType: -1, key: bytes('a') } }],
  ['userAdd', { name: 'carol', options: 7 }],
  ['userGet', { name: ['alice'] }],
  ['userGet', { name: { alice: 1 } }],
  ['userGet', { name: true }],
  ['userGet', null],
  ['userGet', 'alice'],
  ['userGet', [{ name: 'alice' }]],
  ['userGet', Object.create({ name: 'alice' })],
  ['userRevokeRole', [{ name: 'alice', role: 'r1' }]],
  ['range', { key: 7 }],
  ['range', { key: {} }],
  ['range', { key: 'a' }],
  ['range', { key: 'YQ' }],
  ['range', { key: '__8=', range_end: '' }],
  ['range', { key: bytes('a'), limit: 'x', revision: null, sort_order: {}, count_only: 'no' }],
  ['range', { key: bytes('a'), limit: 1.5 }],
  ['put', { key: '/a/x', value: 'v' }],
  ['put', { key: bytes('a'), value: null, prev_kv: 1 }],
  ['txn', { compare: {} }],
  ['txn', { compare: null, success: [7] }],
  ['txn', { success: [{}] }],
  ['txn', { success: [{ request_put: { key: bytes('a'), value: bytes('two') }, request_range: { key: bytes('b') } }] }],
  ['txn', { compare: [{ key: bytes('a'), target: 'Version', result: 'Equal', version: 1, mod_revision: 5 }] }],
  ['txn', { compare: [{ key: bytes('none'), target: 'Version', result: 'Equal', value: bytes('x') }] }],
  ['txn', { compare: [{ key: bytes('a'), target: 'Value', result: 'Greater', version: 1 }] }],
  ['txn', { failure: [{ request_txn: 'a' }] }],
  ['txn', [{}]],
]

/** Messages that are not what `rpc.proto` asks for, as JavaScript callers make them. */
function odd(limits: V3Limits): Arbitrary<Call> {
  const perm = { permType: 'Write', key: bytes('a') }
  const call = (method: string, message: unknown): Call => ({ service: method in { range: 0, put: 0, txn: 0 } ? 'kv' : 'auth', method, message })
  return fc.constantFrom(
    call('userAdd', { name: 'carol', options: { noPassword: true }, password: 'p' }),
    call('userAdd', { name: 'carol', options: null }),
    call('userAdd', { user: 'carol' }),
    call('userAdd', { name: 7 }),
    call('userGrantRole', { name: 'alice', role: 'r1' }),
    call('userRevokeRole', { user: 'alice', role: 'r1' }),
    call('userGet', {}),
    call('roleGet', { name: 'r1' }),
    call('roleAdd', { name: 'r1', extra: 1 }),
    call('roleGrantPermission', { name: 'r1', perm: { ...perm, rangeEnd: bytes('b') } }),
    call('roleGrantPermission', { name: 'r1', perm: { ...perm, key: 'YQ==' } }),
    call('roleGrantPermission', { name: 'r1', perm: { perm_type: 'Write', key: bytes('b') } }),
    call('roleGrantPermission', { name: 'r1', perm: { ...perm, key: [97, 98] } }),
    ...(limits.missingPermission ? [call('roleGrantPermission', { name: 'r1' }), call('roleGrantPermission', { name: 'r9', perm: null })] : []),
    call('range', { key: 'YQ==', rangeEnd: 'Yg==' }),
    call('put', { key: bytes('a'), value: 'dg==', prevKv: true }),
    call('txn', {}),
    ...unsendable.map(([method, message]) => call(method, message)),
  )
}

function call(limits: V3Limits): Arbitrary<Call> {
  const role = roleOf(limits)
  const noPassword = fc.constantFrom({ no_password: true }, { no_password: true }, { no_password: true }, { no_password: false })
  return fc.oneof(
    { weight: 2, arbitrary: auth('authEnable') },
    { weight: 1, arbitrary: auth('authDisable') },
    { weight: 1, arbitrary: auth('authStatus') },
    { weight: 1, arbitrary: auth('authenticate', fc.record({ name: user, password })) },
    { weight: 3, arbitrary: auth('userAdd', fc.record({ name: user, password: fc.oneof({ weight: 3, arbitrary: fc.constant('') }, password), options: rarely(noPassword).map((given) => given ?? { no_password: true }) })) },
    { weight: 2, arbitrary: auth('userGet', fc.record({ name: user })) },
    { weight: 1, arbitrary: auth('userList') },
    { weight: 1, arbitrary: auth('userDelete', fc.record({ name: user })) },
    { weight: 1, arbitrary: auth('userChangePassword', fc.record({ name: user, password })) },
    { weight: 5, arbitrary: auth('userGrantRole', fc.record({ user, role: anyRole })) },
    { weight: 2, arbitrary: auth('userRevokeRole', fc.record({ name: user, role: anyRole })) },
    { weight: 3, arbitrary: auth('roleAdd', fc.record({ name: role })) },
    { weight: 3, arbitrary: auth('roleGet', fc.record({ role: anyRole })) },
    { weight: 1, arbitrary: auth('roleList') },
    { weight: 1, arbitrary: auth('roleDelete', fc.record({ role: anyRole })) },
    { weight: 8, arbitrary: auth('roleGrantPermission', fc.record({ name: anyRole, perm: fc.record({ permType, ...range }) })) },
    { weight: 3, arbitrary: auth('roleRevokePermission', fc.record({ role: anyRole, ...range })) },
    { weight: 2, arbitrary: odd(limits) },
    { weight: 8, arbitrary: kv('range', rangeMessage) },
    { weight: 8, arbitrary: kv('put', putMessage) },
    { weight: 4, arbitrary: kv('deleteRange', deleteMessage) },
    { weight: 10, arbitrary: kv('txn', txnMessage) },
    { weight: 2, arbitrary: kv('compact', fc.record({ revision })) },
    { weight: 6, arbitrary: watchMessage.map((message): Call => ({ service: 'watchClient', method: 'watch', message })) },
    { weight: 3, arbitrary: lease('leaseGrant', fc.record({ ID: leaseId, TTL: fc.constantFrom(100, '200', 9_000_000_000, '9000000001') })) },
    { weight: 1, arbitrary: lease('leaseRevoke', fc.record({ ID: leaseId })) },
    { weight: 1, arbitrary: lease('leaseKeepAlive', fc.record({ ID: leaseId })) },
    { weight: 2, arbitrary: lease('leaseTimeToLive', fc.record({ ID: leaseId, keys: fc.boolean() })) },
    { weight: 1, arbitrary: fc.constant<Call>({ service: 'leaseClient', method: 'leaseLeases' }) },
    { weight: 1, arbitrary: maintenance },
  )
}

const asRoot = (method: string, message?: object): V3Request => ({ as: 'root', service: 'auth', method, ...(message ? { message } : {}) })

/** Users with roles with rights, and auth mostly on: where a sequence begins. */
export function beginning(): Arbitrary<readonly V3Request[]> {
  const grants = fc.array(
    fc.record({ name: fc.constantFrom('r1', 'r2'), perm: fc.record({ permType: fc.constantFrom('Read', 'Write', 'Readwrite'), ...range }) }),
    { minLength: 1, maxLength: 6 },
  )
  const bindings = fc.subarray([['alice', 'r1'], ['alice', 'r2'], ['bob', 'r2'], ['bob', 'root']] as const)
  const puts = fc.array(putMessage, { maxLength: 3 })
  return fc.tuple(grants, bindings, puts, fc.constantFrom(true, true, true, false)).map(([granted, bound, given, enabled]) => [
    ...['root', 'alice', 'bob'].map((name) => asRoot('userAdd', { name, options: { no_password: true } })),
    ...['r1', 'r2'].map((name) => asRoot('roleAdd', { name })),
    asRoot('userGrantRole', { user: 'root', role: 'root' }),
    ...granted.map((message) => asRoot('roleGrantPermission', message)),
    ...bound.map(([name, role]) => asRoot('userGrantRole', { user: name, role })),
    ...given.map((message): V3Request => ({ as: 'root', service: 'kv', method: 'put', message })),
    ...(enabled ? [asRoot('authEnable')] : []),
  ])
}

/** Any requests, of any client. */
export function requests(limits: V3Limits, length: number): Arbitrary<readonly V3Request[]> {
  const as = fc.oneof({ weight: 3, arbitrary: fc.constant('root' as const) }, { weight: 6, arbitrary: fc.constantFrom(...certified) })
  return fc.array(fc.tuple(as, call(limits)).map(([client, rest]): V3Request => ({ as: client, ...rest })), { minLength: Math.trunc(length / 2), maxLength: length, size: 'max' })
}

/**
 * A user behind all others, never deleted, and a write to it. On 3.5, a look-up behind the last user that was written since the last commit to
 * disk finds what stood there before: a user as it was, deleted ones too (`tx_buffer.go`, mended in 3.6). It depends on the moment, so it is
 * kept from happening: after each change of users, this one is written too.
 */
export const last: V3Request = asRoot('userAdd', { name: '\u{10ffff}', options: { no_password: true } })
export const touch: V3Request = asRoot('userChangePassword', { name: '\u{10ffff}', password: '' })
export const changesUsers: readonly string[] = ['userAdd', 'userDelete', 'userChangePassword', 'userGrantRole', 'userRevokeRole', 'roleDelete']

/** What empties a store again, whatever its state. */
export const emptying: readonly V3Request[] = [
  asRoot('authDisable'),
  ...users.map((name) => asRoot('userDelete', { name })),
  ...roles.map((role) => asRoot('roleDelete', { role })),
  asRoot('userDelete', { name: '7' }),
  { as: 'root', service: 'kv', method: 'deleteRange', message: { key: bytes(text(0)), range_end: bytes(text(0)) } },
  ...[...leaseIds, '-3', '5'].map((ID): V3Request => ({ as: 'root', service: 'leaseClient', method: 'leaseRevoke', message: { ID } })),
]
