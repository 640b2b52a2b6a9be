/** `/v2/auth/…` over HTTP: paths, bodies, statuses. Follows `v2http/client_auth.go`. */
import { sortNames } from '../v3/order.js'
import { isAdmin, roleNamed, type Claim } from './access.js'
import { decodeBody, type Fields } from './body.js'
import { cleanPath } from './path.js'
import { isEnabled, listRecords, setEnabled, type Access, type Permissions, type Role, type User } from './records.js'
import {
  isReset,
  isTreeError,
  jsonReply,
  messageReply,
  methodReply,
  NOT_FOUND,
  ofCluster,
  treeErrorReply,
  type AuthError,
  type HttpReply,
  type Reset,
} from './reply.js'
import { createRole, deleteRole, getRole, updateRole } from './roles.js'
import type { Tree } from './tree.js'
import { authError, createOrUpdateUser, createUser, deleteUser, getUser, isRefused, updateUser, type Refused } from './users.js'

/** One request to the auth API. */
export interface AuthRequest extends Claim {
  readonly method: string
  /** Behind `/v2/auth`, decoded. */
  readonly path: string
  readonly body: string
  readonly now: number
  readonly longRefused: boolean
}

type Answer = HttpReply | Reset

const refuse = (refused: Refused): Answer => (isReset(refused) ? refused : isTreeError(refused) ? treeErrorReply(refused) : messageReply(refused))
const invalid = (message: string): Answer => messageReply({ status: 400, message })
const NO_BODY: HttpReply = { status: 200, headers: { 'content-type': 'application/json' }, body: '' }
const UNAUTHORIZED: AuthError = { status: 401, message: 'Insufficient credentials' }
const done = (refused: Refused | undefined): Answer => (refused ? refuse(refused) : NO_BODY)

function guarded(tree: Tree, request: AuthRequest, methods: readonly string[], open: readonly string[], answer: () => Answer): Answer {
  if (!methods.includes(request.method)) return methodReply(methods)
  const admin = open.includes(request.method) || isAdmin(tree, request)
  if (typeof admin === 'object') return admin
  return admin ? ofCluster(answer()) : messageReply(UNAUTHORIZED)
}

/** A user as GET shows it: role objects, or no `roles` at all. */
function userView(user: string, roles: readonly Role[]): object {
  return roles.length === 0 ? { user } : { user, roles }
}

/** Roles that do not exist any more are left out of the list of users, while the user alone is then "not found". */
function listUsers(tree: Tree): Answer {
  const users: object[] = []
  for (const name of sortNames(listRecords(tree, 'users'))) {
    const user = getUser(tree, name)
    if (isRefused(user)) return refuse(user)
    const roles = (user.roles ?? []).map((role) => roleNamed(tree, role)).filter((role) => role !== undefined && !isReset(role))
    users.push(userView(user.user, roles as readonly Role[]))
  }
  return jsonReply(200, { users: users.length === 0 ? null : users })
}

function listRoles(tree: Tree): Answer {
  const roles: Role[] = []
  for (const name of sortNames([...listRecords(tree, 'roles'), 'root'])) {
    const role = getRole(tree, name)
    if (isRefused(role)) return refuse(role)
    roles.push(role)
  }
  return jsonReply(200, { roles })
}

function readUserReply(tree: Tree, name: string): Answer {
  const user = getUser(tree, name)
  if (isRefused(user)) return refuse(user)
  const roles: Role[] = []
  for (const held of user.roles ?? []) {
    const role = getRole(tree, held)
    if (isRefused(role)) return refuse(role)
    roles.push(role)
  }
  return jsonReply(200, userView(user.user, roles))
}

function decodeUser(body: string): User | undefined {
  return decodeBody(body, (fields) => {
    const [password, grant, revoke] = [fields.string('password'), fields.list('grant'), fields.list('revoke')]
    const lists = { ...(grant?.length ? { grant } : {}), ...(revoke?.length ? { revoke } : {}) }
    return { user: fields.string('user'), ...(password === '' ? {} : { password }), roles: fields.list('roles') ?? null, ...lists }
  })
}

function writeUser(tree: Tree, name: string, request: AuthRequest): Answer {
  const asked = decodeUser(request.body)
  if (!asked) return invalid('Invalid JSON in request body.')
  if (asked.user !== name) return invalid('User JSON name does not match the name in the URL')
  const changes = asked.grant !== undefined || asked.revoke !== undefined
  const withRoles = asked.roles !== null && asked.roles.length > 0
  if (changes && withRoles) return invalid('User JSON contains both roles and grant/revoke')
  const sure = changes ? updateUser(tree, asked, request) : withRoles ? createUser(tree, asked, request) : undefined
  const outcome = sure ?? createOrUpdateUser(tree, asked, request)
  if (isRefused(outcome)) return refuse(outcome)
  const { user, roles } = 'created' in outcome ? outcome.user : outcome
  return jsonReply('created' in outcome && outcome.created ? 201 : 200, { user, roles })
}

function permissionsOf(fields: Fields | undefined): Permissions {
  const kv = fields?.object('kv')
  return { kv: { read: kv?.list('read') ?? null, write: kv?.list('write') ?? null } }
}

function decodeRole(body: string): Role | undefined {
  return decodeBody(body, (fields) => {
    const [grant, revoke] = [fields.object('grant'), fields.object('revoke')]
    const changes = { ...(grant ? { grant: permissionsOf(grant) } : {}), ...(revoke ? { revoke: permissionsOf(revoke) } : {}) }
    return { role: fields.string('role'), permissions: permissionsOf(fields.object('permissions')), ...changes }
  })
}

const isEmpty = ({ read, write }: Access): boolean => !read?.length && !write?.length

function writeRole(tree: Tree, name: string, request: AuthRequest): Answer {
  const asked = decodeRole(request.body)
  if (!asked) return invalid('Invalid JSON in request body.')
  if (asked.role !== name) return invalid('Role JSON name does not match the name in the URL')
  const creates = [asked.grant, asked.revoke].every((change) => change === undefined || isEmpty(change.kv))
  if (!creates && !isEmpty(asked.permissions.kv)) return invalid('Role JSON contains both permissions and grant/revoke')
  const role = creates ? createRole(tree, asked, request.now) : updateRole(tree, asked, request.now)
  return isRefused(role) ? refuse(role) : jsonReply(creates ? 201 : 200, role)
}

/** Without a role `guest`, enabling makes one that may do everything. */
function enable(tree: Tree, now: number): Answer {
  if (isEnabled(tree)) return refuse(authError(409, 'already enabled'))
  if (isRefused(getUser(tree, 'root'))) return refuse(authError(409, 'No root user available, please create one'))
  if (isRefused(getRole(tree, 'guest'))) createRole(tree, { role: 'guest', permissions: { kv: { read: ['/*'], write: ['/*'] } } }, now)
  setEnabled(tree, true, now)
  return NO_BODY
}

function disable(tree: Tree, now: number): Answer {
  if (!isEnabled(tree)) return refuse(authError(409, 'already disabled'))
  setEnabled(tree, false, now)
  return NO_BODY
}

function one(tree: Tree, kind: 'users' | 'roles', name: string, request: AuthRequest): Answer {
  return guarded(tree, request, ['GET', 'PUT', 'DELETE'], [], () => {
    if (request.method === 'PUT') return kind === 'users' ? writeUser(tree, name, request) : writeRole(tree, name, request)
    if (request.method === 'DELETE') return done(kind === 'users' ? deleteUser(tree, name, request.now) : deleteRole(tree, name, request.now))
    if (kind === 'users') return readUserReply(tree, name)
    const role = getRole(tree, name)
    return isRefused(role) ? refuse(role) : jsonReply(200, role)
  })
}

/** Answers a request to `/v2/auth/…`. */
export function answerAuth(tree: Tree, request: AuthRequest): Answer {
  if (request.path === '/enable') {
    return guarded(tree, request, ['GET', 'PUT', 'DELETE'], ['GET'], () => {
      if (request.method === 'GET') return jsonReply(200, { enabled: isEnabled(tree) })
      return request.method === 'PUT' ? enable(tree, request.now) : disable(tree, request.now)
    })
  }
  const kind = /^\/(users|roles)(?:\/|$)/.exec(request.path)?.[1] as 'users' | 'roles' | undefined
  if (kind === undefined) return NOT_FOUND
  const [, , name, ...rest] = cleanPath(request.path).split('/')
  if (name === undefined) return guarded(tree, request, ['GET'], [], () => (kind === 'users' ? listUsers(tree) : listRoles(tree)))
  return rest.length > 0 ? invalid('Invalid path') : one(tree, kind, name, request)
}
