/** What etcd's client port answers over HTTP: `/v2`, `/version`, `/health`. Follows `v2http/client.go`, `etcdhttp/base.go`, `etcdhttp/health.go`. */
import type { Caller } from '../caller.js'
import type { Quirks } from '../quirks.js'
import { MEMBER_ID } from '../v3/state.js'
import { isAdmin } from './access.js'
import { answerAuth } from './auth-api.js'
import { dropExpired } from './expire.js'
import { answerKeys } from './keys-api.js'
import { decodePath, routedPath } from './path.js'
import { hex, isReset, jsonReply, messageReply, methodReply, NOT_FOUND, ofCluster, type HttpReply, type HttpRequest, type Reset } from './reply.js'
import type { Tree } from './tree.js'

/** What a request is answered from. */
export interface HttpContext {
  readonly tree: Tree
  readonly quirks: Quirks
  /** Whether the v2 API is served. */
  readonly v2: boolean
  readonly caller: Caller
  readonly now: Date
}

function plain(quirks: Quirks, path: string): HttpReply | undefined {
  const { minor } = quirks.parsed
  const headers = { 'content-type': 'application/json' }
  if (path === '/version') return { status: 200, headers, body: JSON.stringify({ etcdserver: quirks.version, etcdcluster: `3.${minor}.0` }) }
  const health = quirks.healthReason ? { health: 'true', reason: '' } : { health: 'true' }
  if (path === '/health') return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: JSON.stringify(health) }
  return undefined
}

/** Reads of the member list are open to everybody; changes need role root, and are then out of this store's reach. */
function members({ tree, caller }: HttpContext, request: HttpRequest, path: string): HttpReply | Reset {
  const methods = ['GET', 'POST', 'DELETE', 'PUT']
  if (!methods.includes(request.method)) return methodReply(methods)
  const allowed = request.method === 'GET' || isAdmin(tree, { caller, authorization: request.headers['authorization'] ?? '' })
  if (typeof allowed === 'object') return allowed
  if (!allowed) return messageReply({ status: 401, message: 'Insufficient credentials' })
  return ofCluster(member(request.method, path.replace(/^\/v2\/members\/?/, '')))
}

function member(method: string, name: string): HttpReply {
  const only = { id: hex(MEMBER_ID), name: 'default', peerURLs: ['http://localhost:2380'], clientURLs: ['http://localhost:2379'] }
  if (method !== 'GET') return messageReply({ status: 500, message: 'Internal Server Error' })
  if (name === 'leader') return jsonReply(200, only)
  return name === '' ? jsonReply(200, { members: [only] }) : messageReply({ status: 404, message: 'Not found' })
}

function v2(context: HttpContext, request: HttpRequest, path: string, query: string): HttpReply | Reset {
  const { tree, caller, quirks } = context
  const now = context.now.getTime()
  const claim = { method: request.method, caller, authorization: request.headers['authorization'] ?? '', now }
  const isForm = /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')
  const form = isForm && ['PUT', 'POST'].includes(request.method) ? request.body : ''
  dropExpired(tree, now)
  if (path.startsWith('/v2/auth/')) {
    return answerAuth(tree, { ...claim, path: path.slice('/v2/auth'.length), body: request.body, longRefused: quirks.hashedBeforeProposal })
  }
  if (path === '/v2/keys' || path.startsWith('/v2/keys/')) {
    return answerKeys(tree, { ...claim, path: path.slice('/v2/keys'.length), query, form, directoryUpdateFails: quirks.directoryUpdateFails })
  }
  if (path === '/v2/members' || path.startsWith('/v2/members/')) return members(context, request, path)
  return NOT_FOUND
}

/** As Go's router has it up to 1.25: later, the status is 307. */
function redirect(method: string, location: string, open: Readonly<Record<string, string>>): HttpReply {
  const html = ['GET', 'HEAD'].includes(method) ? { 'content-type': 'text/html; charset=utf-8' } : {}
  const escaped = location.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&#34;').replaceAll("'", '&#39;')
  return { status: 301, headers: { ...open, ...html, location }, body: method === 'GET' ? `<a href="${escaped}">Moved Permanently</a>.\n\n` : '' }
}

/** Answers a request, or resets its connection. */
export function answerHttp(context: HttpContext, request: HttpRequest): HttpReply | Reset {
  const reply = answerWhole(context, request)
  return request.method === 'HEAD' && !isReset(reply) ? { ...reply, body: '' } : reply
}

function answerWhole(context: HttpContext, request: HttpRequest): HttpReply | Reset {
  const { quirks } = context
  const at = request.target.indexOf('?')
  const [raw, query] = at < 0 ? [request.target, ''] : [request.target.slice(0, at), request.target.slice(at + 1)]
  const path = decodePath(raw)
  if (path === undefined) return { status: 400, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: '400 Bad Request' }
  const open: Readonly<Record<string, string>> = quirks.corsOpen ? { 'access-control-allow-origin': '*' } : {}
  const options: HttpReply = { status: 200, headers: open, body: '' }
  if (request.method === 'OPTIONS' && quirks.corsOpen) return options
  const routed = routedPath(path)
  if (routed !== path) return redirect(request.method, encodeURI(routed) + (query ? `?${query}` : ''), open)
  if (request.method === 'OPTIONS') return options
  const simple = plain(quirks, path)
  if (simple && request.method !== 'GET') return { ...methodReply(['GET']), headers: { ...methodReply(['GET']).headers, ...open } }
  const reply = simple ?? (context.v2 ? v2(context, request, path, query) : NOT_FOUND)
  if (isReset(reply)) return reply
  return { ...reply, headers: { ...open, ...reply.headers } }
}
