/** The RPCs of a double by etcd3's names of services and methods: how a message goes over the wire, and how an answer is read. */
import type { Calls, Method } from '../store/index.js'
import type { PermissionReply } from './services.js'
import { enumField, flagField, idField, messageField, numberField, PERMISSION_TYPES, textField, type Message } from './wire.js'
import { fromTxn, ranged, toDeleteRange, toPut, toRange, toTxn } from './wire-keys.js'

/** One RPC. */
export interface Rpc {
  readonly call: Method
  /** The name of the message that it takes, in `rpc.proto`. Without one, the method of a client takes options only. */
  readonly takes: string | undefined
  readonly encode: (message: Message) => object
  readonly decode: (reply: object) => object
}

const rpc = <M extends Method>(call: M, takes: string | undefined, encode: (message: Message) => Calls[M][0], decode: (reply: Calls[M][1]) => object = (reply) => reply): Rpc =>
  ({ call, takes, encode, decode }) as unknown as Rpc

/** Of the service Auth, whose messages are named after their methods. */
const auth = <M extends Method>(call: M, encode: (message: Message) => Calls[M][0], decode?: (reply: Calls[M][1]) => object): Rpc =>
  rpc(call, `Auth${call.charAt(0).toUpperCase()}${call.slice(1)}Request`, encode, decode)

/** A call whose message holds nothing. */
const bare = (call: 'authEnable' | 'authDisable' | 'authStatus' | 'userList' | 'roleList' | 'leaseLeases' | 'status' | 'defragment' | 'hash'): Rpc => rpc(call, undefined, () => ({}))

const named = (message: Message): { readonly name: string } => ({ name: textField(message, 'name') })
const login = (message: Message): { readonly name: string; readonly password: string } => ({ ...named(message), password: textField(message, 'password') })
const role = (message: Message): { readonly role: string } => ({ role: textField(message, 'role') })
const lease = (message: Message): { readonly ID: string } => ({ ID: idField(message, 'ID') })

function shownPermission({ permType, key, range_end }: Calls['roleGet'][1]['perm'][number]): PermissionReply {
  // Of a type without name, etcd3 shows the number.
  return { permType: PERMISSION_TYPES[permType] ?? (permType as unknown as string), key, range_end }
}

/** By service, then by method. */
export const rpcs: Readonly<Record<string, Readonly<Record<string, Rpc>>>> = {
  Auth: {
    authEnable: bare('authEnable'),
    authDisable: bare('authDisable'),
    authStatus: bare('authStatus'),
    authenticate: rpc('authenticate', 'AuthenticateRequest', login),
    userAdd: auth('userAdd', (message) => ({ ...login(message), no_password: flagField(messageField(message, 'options', 'AuthUserAddRequest') ?? {}, 'no_password') })),
    userGet: auth('userGet', named),
    userList: bare('userList'),
    userDelete: auth('userDelete', named),
    userChangePassword: auth('userChangePassword', login),
    userGrantRole: auth('userGrantRole', (message) => ({ user: textField(message, 'user'), ...role(message) })),
    userRevokeRole: auth('userRevokeRole', (message) => ({ ...named(message), ...role(message) })),
    roleAdd: auth('roleAdd', named),
    roleGet: auth('roleGet', role, ({ header, perm }) => ({ header, perm: perm.map(shownPermission) })),
    roleList: bare('roleList'),
    roleDelete: auth('roleDelete', role),
    roleGrantPermission: auth('roleGrantPermission', (message) => {
      const perm = messageField(message, 'perm', 'AuthRoleGrantPermissionRequest')
      return { ...named(message), perm: perm && { permType: enumField(perm, 'permType', PERMISSION_TYPES), ...ranged(perm) } }
    }),
    roleRevokePermission: auth('roleRevokePermission', (message) => ({ ...role(message), ...ranged(message) })),
  },
  KV: {
    range: rpc('range', 'RangeRequest', toRange),
    put: rpc('put', 'PutRequest', toPut),
    deleteRange: rpc('deleteRange', 'DeleteRangeRequest', toDeleteRange),
    txn: rpc('txn', 'TxnRequest', toTxn, fromTxn),
    compact: rpc('compact', 'CompactionRequest', (message) => ({ revision: numberField(message, 'revision') })),
  },
  Lease: {
    leaseGrant: rpc('leaseGrant', 'LeaseGrantRequest', (message) => ({ ...lease(message), TTL: numberField(message, 'TTL') })),
    leaseRevoke: rpc('leaseRevoke', 'LeaseRevokeRequest', lease),
    leaseTimeToLive: rpc('leaseTimeToLive', 'LeaseTimeToLiveRequest', (message) => ({ ...lease(message), keys: flagField(message, 'keys') })),
    leaseLeases: bare('leaseLeases'),
  },
  Cluster: {
    memberList: rpc('memberList', 'MemberListRequest', () => ({})),
  },
  Maintenance: {
    alarm: rpc('alarm', 'AlarmRequest', (message) => ({ action: enumField(message, 'action', ['Get', 'Activate', 'Deactivate']) })),
    status: bare('status'),
    defragment: bare('defragment'),
    hash: bare('hash'),
  },
}

/** One message of the stream of the same name. */
export const leaseKeepAlive: Rpc = rpc('leaseKeepAlive', 'LeaseKeepAliveRequest', lease)
