/** An access review: who holds what by which role, a row for each, for people who do not read policies. */
import { markdownText } from './markdown.js'
import { visibleText } from './visible.js'
import { compareBytes, utf8 } from '../../bytes.js'
import { showKeys } from '../../keys/show.js'
import { isOpenEnded } from '../../keys/open-ended.js'
import type { Login, Policy } from '../policy.js'
import { rightsOf } from '../rights.js'

/** One right of one user. */
export interface ReviewRow {
  /** `undefined` for the v2 guest: clients whom no user names. */
  readonly user: string | undefined
  readonly login: Login | undefined
  readonly api: 'v2' | 'v3'
  /** `undefined` for a user without roles, who may do nothing there. */
  readonly role: string | undefined
  /** `everything` for role root, `nothing` for a user or role that opens no key. */
  readonly access: 'read' | 'write' | 'readwrite' | 'everything' | 'nothing'
  /** The keys as people read them; empty where there are none, or all. */
  readonly keys: string
  /** Whether it reaches whatever is added behind it later: every new tenant. */
  readonly openEnded: boolean
}

/**
 * Who may do what, a row for each user, role and permission, in a stable order. Users and roles that open nothing have a row too, so that nobody
 * is left out.
 *
 * @example
 * ```ts
 * import { accessReview, definePolicy, prefix, read, toCsv, toMarkdown } from 'etcd-rbac'
 * const policy = definePolicy({ users: { auditor: 'password' }, v3: { roles: { audit: [read(prefix('/calico/'))] }, bindings: { auditor: ['audit'] } } })
 * const rows = accessReview(policy)
 * console.log(toMarkdown(rows))
 * console.log(toCsv(rows))
 * ```
 */
export function accessReview(policy: Policy): readonly ReviewRow[] {
  return (['v3', 'v2'] as const).flatMap((api) => {
    if (policy[api] === undefined) return []
    const users = Object.keys(policy.users).sort((a, b) => compareBytes(utf8(a), utf8(b)))
    return [...(api === 'v2' ? [undefined] : []), ...users].flatMap((user) => rowsOf(policy, api, user))
  })
}

function rowsOf(policy: Policy, api: 'v2' | 'v3', user: string | undefined): readonly ReviewRow[] {
  const { root, roles, granted } = rightsOf(policy, api, user)
  const who = { user, login: user === undefined ? undefined : policy.users[user], api }
  const held = user === undefined ? ['guest'] : root && !roles.includes('root') ? ['root', ...roles] : roles
  if (held.length === 0) return [{ ...who, role: undefined, access: 'nothing', keys: '', openEnded: false }]
  return held.flatMap((role): readonly ReviewRow[] => {
    if (user !== undefined && role === 'root') return [{ ...who, role, access: 'everything', keys: '', openEnded: true }]
    const own = granted.filter((one) => one.role === role)
    if (own.length === 0) return [{ ...who, role, access: 'nothing', keys: '', openEnded: false }]
    return own.map(({ permission: { type, keys } }) => ({ ...who, role, access: type, keys: showKeys(keys), openEnded: isOpenEnded(keys) }))
  })
}

const HEADS = ['user', 'login', 'api', 'role', 'access', 'keys', 'open-ended'] as const
const NOBODY = '(anonymous)'

/** Whoever is named like what stands for nobody is in quotes, and whoever is in quotes too. */
function userCell(user: string | undefined): string {
  if (user === undefined) return NOBODY
  return user === NOBODY || /^".*"$/.test(user) ? JSON.stringify(user) : user
}

function cellsOf({ user, login, api, role, access, keys, openEnded }: ReviewRow): readonly string[] {
  return [userCell(user), login ?? '', api, role ?? '', access, keys, openEnded ? 'yes' : 'no']
}

function checkRows(rows: readonly ReviewRow[]): void {
  if (!Array.isArray(rows)) throw new TypeError('the rows of a review must be a list: pass what accessReview returns')
  for (const [place, row] of (rows as readonly unknown[]).entries())
    if (typeof row !== 'object' || row === null || !('access' in row && typeof row.access === 'string' && 'keys' in row && typeof row.keys === 'string' && 'api' in row && typeof row.api === 'string'))
      throw new TypeError(`row ${place} is no row of a review: pass what accessReview returns`)
}

/**
 * The rows as a table in Markdown (GitHub's). Names and keys are text in it, whatever they hold.
 *
 * @example
 * ```ts
 * import { accessReview, definePolicy, prefix, read, toMarkdown } from 'etcd-rbac'
 * const policy = definePolicy({ users: { a: 'certificate' }, v3: { roles: { r: [read(prefix('/x/'))] }, bindings: { a: ['r'] } } })
 * export const text = toMarkdown(accessReview(policy))
 * ```
 */
export function toMarkdown(rows: readonly ReviewRow[]): string {
  checkRows(rows)
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return `${[line(HEADS), line(HEADS.map(() => '---')), ...rows.map((row) => line(cellsOf(row).map(markdownText)))].join('\n')}\n`
}

/** One field of CSV. What a spreadsheet would take for a formula gets a `'` before it, which it shows as text; what nobody sees is made visible. */
function csvField(text: string): string {
  const visible = visibleText(text, '\t\r\n')
  const safe = /^[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/.test(visible) ? `'${visible}` : visible
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe
}

/**
 * The rows as CSV (RFC 4180) with a line of heads, lines ended by CRLF. No field is a formula to a spreadsheet.
 *
 * @example
 * ```ts
 * import { accessReview, definePolicy, prefix, read, toCsv } from 'etcd-rbac'
 * const policy = definePolicy({ users: { a: 'certificate' }, v3: { roles: { r: [read(prefix('/x/'))] }, bindings: { a: ['r'] } } })
 * export const text = toCsv(accessReview(policy))
 * ```
 */
export function toCsv(rows: readonly ReviewRow[]): string {
  checkRows(rows)
  return [HEADS, ...rows.map(cellsOf)].map((cells) => `${cells.map(csvField).join(',')}\r\n`).join('')
}
