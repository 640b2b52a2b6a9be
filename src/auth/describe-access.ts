/** Tables of verified access for people to read. */
import { checkFields } from '../known-fields.js'
import { showKeys } from '../keys/show.js'
import { markdownText } from '../policy/document/markdown.js'
import type { AccessRow, AccessTable } from './verify-access.js'
import { visible } from './visible.js'

/**
 * A table of {@link verifyAccess} as text or as Markdown, a line for each question; `rows: 'wrong'` leaves away those that are as they should be.
 *
 * @throws `TypeError` for what is no table, and for a format or choice of rows that there is not
 * @example
 * ```ts
 * import { describeAccess, type AccessTable } from 'etcd-rbac'
 * declare const table: AccessTable
 * console.log(describeAccess(table, { format: 'markdown', rows: 'wrong' }))
 * ```
 */
export function describeAccess(table: AccessTable, options: { readonly format?: 'text' | 'markdown'; readonly rows?: 'all' | 'wrong' } = {}): string {
  if (!Array.isArray((Object(table) as Partial<AccessTable>).rows)) throw new TypeError('table must be one that verifyAccess gave')
  checkFields(options, ['format', 'rows'], 'the options of describeAccess')
  const { format = 'text', rows = 'all' } = options
  if ((format as unknown) !== 'text' && (format as unknown) !== 'markdown') throw new TypeError("format must be 'text' or 'markdown'")
  if ((rows as unknown) !== 'all' && (rows as unknown) !== 'wrong') throw new TypeError("rows must be 'all' or 'wrong'")
  const wrong = table.rows.filter(({ ok }) => !ok)
  const title = `${table.rows.length} questions, ${wrong.length === 0 ? 'all answered as the policy says' : `${wrong.length} not answered as the policy says`}`
  const cells = (rows === 'all' ? table.rows : wrong).map(cellsOf)
  if (format === 'markdown') {
    const lines = cells.map((row) => `| ${row.map(markdownText).join(' | ')} |`)
    return `${[`# ${markdownText(title)}`, ...(lines.length === 0 ? [] : ['', '| user | operation | expected | found | ok |', '|---|---|---|---|---|', ...lines])].join('\n')}\n`
  }
  return [title, ...cells.map(([user, operation, expected, found, ok]) => `  ${ok}: ${user}, ${operation}: expected ${expected}, found ${found}`)].join('\n')
}

function cellsOf({ user, api, operation: { op, keys }, expected, found, ok, reason }: AccessRow): readonly [user: string, operation: string, expected: string, found: string, ok: string] {
  const name = typeof user === 'symbol' ? '(anonymous)' : visible(user)
  return [name, visible(`${api} ${op} ${showKeys(keys)}`), expected, reason === undefined ? found : `${found} (${visible(reason)})`, ok ? 'ok' : 'wrong']
}
