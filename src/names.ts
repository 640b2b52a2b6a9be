/**
 * What a user, role, member or certificate authority may be called.
 *
 * etcd itself accepts any name. A user's name is also the Common Name of its certificates (RFC 5280 upper bound: 64 characters), part of a
 * URL on the v2 API, and there it is resolved as a path (`x/../root` is `root`), so the rules here are stricter than etcd's.
 */
import { EtcdRbacError, quoted } from './errors.js'
import { isWellFormed } from './bytes.js'

/** What a name names. */
export type NameKind = 'user' | 'role' | 'member' | 'authority'

/** The upper bound of a Common Name, in characters (RFC 5280, appendix A.1, `ub-common-name`). */
export const COMMON_NAME_MAX = 64

/**
 * What is wrong with a name, or `undefined`. Names that pass are what etcd v2 makes of them when it cleans a path, so that comparing them compares
 * users. `root` names a user and a role only, whether a policy declares that user or not.
 */
export function nameProblem(kind: NameKind, name: string): { readonly found: string; readonly wanted: string } | undefined {
  const wrong = (found: string, wanted: string) => ({ found: `${kind} ${quoted(name)} ${found}`, wanted })
  // A character is one or two UTF-16 units: beyond twice the bound nothing needs counting.
  const huge = name.length > 2 * COMMON_NAME_MAX
  if (name === '') return wrong('is empty', 'a name of at least one character')
  if (huge || [...name].length > COMMON_NAME_MAX) return wrong(`is longer than ${COMMON_NAME_MAX} characters`, 'a name that fits a Common Name')
  if (!isWellFormed(name)) return wrong('holds half of a surrogate pair', 'well-formed Unicode')
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) return wrong('holds a control or invisible character', 'visible characters only')
  if (name.includes('\ufffd')) return wrong('holds U+FFFD, the replacement character', 'a name that can be read back: a decoder puts that character wherever bytes are no text, so that nobody could tell it from another name')
  if (name.trim() !== name) return wrong('begins or ends with a space', 'a name without outer spaces: etcd compares names byte by byte')
  if (name === '.' || name === '..') return wrong('is a path', 'a name that etcd v2 does not resolve to another')
  if (name.includes('/')) return wrong('holds a slash', 'a name without slash: etcd v2 resolves user names as paths ("x/../root" is "root")')
  if (name === 'root' && (kind === 'member' || kind === 'authority'))
    return wrong("is named like etcd's superuser", 'a name that is nobody: etcd v2 takes the Common Name of every certificate of a chain for a username')
  return undefined
}

/**
 * Returns the name if it may be used.
 *
 * @throws {@link EtcdRbacError} `ERR_NAME_INVALID`
 */
export function checkName(kind: NameKind, name: string): string {
  if (typeof name !== 'string') throw new TypeError(`a ${kind}'s name must be a string`)
  const problem = nameProblem(kind, name)
  if (problem) throw new EtcdRbacError('ERR_NAME_INVALID', { ...problem, fix: `rename the ${kind}` }, { kind, name })
  return name
}

/** The error of a user that a policy does not declare. */
export function unknownUser(user: string, known: readonly string[]): EtcdRbacError<'ERR_USER_UNKNOWN'> {
  const wanted = known.length === 0 ? 'a user, and the policy declares none' : `one of ${someOf(known)}`
  return new EtcdRbacError('ERR_USER_UNKNOWN', { found: `user ${quoted(user)}`, wanted, fix: 'declare it in the policy, or correct the name' }, { user, known })
}

/** Names as messages list them: the first twenty, and how many more. */
export function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 20).map(quoted)
  return [...shown, ...(names.length > shown.length ? [`${names.length - shown.length} more`] : [])].join(', ')
}
