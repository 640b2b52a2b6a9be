/**
 * The one error class of the library, the table of its codes with what each carries, and its guard.
 *
 * Every message says what was found, what was wanted and what to do, in this order. No message or detail holds a private key, a password
 * or the content of a CSR.
 */

/** One thing that is wrong with a document, and where (`$.v3.roles.node[2].keys`). */
export interface Problem {
  readonly path: string
  readonly code: ErrorCode
  readonly message: string
}

/** What an error of each code carries in `detail`. */
export interface ErrorDetails {
  // names, keys, policy
  readonly ERR_NAME_INVALID: { readonly kind: 'user' | 'role' | 'member' | 'authority'; readonly name: string }
  readonly ERR_KEY_INVALID: { readonly key: string }
  readonly ERR_PREFIX_UNTERMINATED: { readonly prefix: string; readonly sibling: string }
  readonly ERR_RANGE_EMPTY: { readonly start: string; readonly end: string }
  readonly ERR_PATTERN_INVALID: { readonly pattern: string }
  readonly ERR_POLICY_INVALID: { readonly problems: readonly Problem[] }
  readonly ERR_POLICY_HALF_MISSING: { readonly api: 'v2' | 'v3' }
  readonly ERR_USER_UNKNOWN: { readonly user: string; readonly known: readonly string[] }
  readonly ERR_USER_LOGIN: { readonly user: string; readonly login: string }
  readonly ERR_MEMBER_UNKNOWN: { readonly member: string; readonly known: readonly string[] }
  readonly ERR_AUTHORITY_UNKNOWN: { readonly authority: string; readonly known: readonly string[] }

  // pki
  readonly ERR_CRYPTO_UNUSABLE: { readonly missing: string }
  readonly ERR_ALGORITHM_UNSUPPORTED: { readonly algorithm: string }
  readonly ERR_PEM_INVALID: { readonly label: string; readonly reason: string }
  readonly ERR_DER_INVALID: { readonly offset: number; readonly reason: string }
  readonly ERR_CERTIFICATE_INVALID: { readonly reason: string }
  readonly ERR_KEY_MISMATCH: { readonly commonName: string }
  readonly ERR_PASSPHRASE: { readonly reason: 'missing' | 'wrong' | 'not encrypted' | 'too short' | 'not ASCII' }
  readonly ERR_CSR_SIGNATURE: { readonly reason: string }
  readonly ERR_CSR_KEY: { readonly algorithm: string; readonly wanted: string }
  readonly ERR_CSR_COMMON_NAME: { readonly found: readonly string[]; readonly wanted: string }
  readonly ERR_VALIDITY_INVALID: { readonly notBefore: string; readonly notAfter: string }
  readonly ERR_PURPOSE_REFUSED: { readonly wanted: string; readonly issues: readonly string[] }
  readonly ERR_HOST_INVALID: { readonly host: string }
  readonly ERR_NAME_CONSTRAINTS: { readonly name: string; readonly authority: string }
  readonly ERR_LABEL_INVALID: { readonly label: string }
  readonly ERR_RECORD_INVALID: { readonly problems: readonly Problem[] }
  readonly ERR_ISSUE_REFUSED: { readonly name: string; readonly reason: string }
  readonly ERR_SIGNER_INVALID: { readonly reason: string }
  readonly ERR_ROTATION_INVALID: { readonly reason: string }
  readonly ERR_ROTATION_ORDER: { readonly dropped: readonly string[]; readonly inUse: readonly string[] }
  readonly ERR_RENEWAL_REFUSED: { readonly name: string; readonly reason: string }
  readonly ERR_CRL_INVALID: { readonly reason: string }
  readonly ERR_CFSSL_INVALID: { readonly problems: readonly Problem[] }

  // auth
  readonly ERR_UNREACHABLE: { readonly reason: string }
  readonly ERR_TLS: { readonly reason: string }
  readonly ERR_DEADLINE: { readonly milliseconds: number; readonly method: string }
  readonly ERR_ABORTED: { readonly stepsDone: number }
  readonly ERR_NOT_AUTHENTICATED: { readonly user: string }
  readonly ERR_NOT_ROOT: { readonly user: string }
  readonly ERR_V2_DISABLED: { readonly endpoint: string }
  readonly ERR_VERSION_UNSUPPORTED: { readonly version: string; readonly wanted: string }
  readonly ERR_VERSION_UNKNOWN: { readonly wanted: string }
  readonly ERR_VERSION_CONTRADICTED: { readonly stated: readonly string[]; readonly found: string }
  readonly ERR_PASSWORD_MISSING: { readonly users: readonly string[] }
  readonly ERR_PASSWORD_INVALID: { readonly user: string; readonly reason: string }
  readonly ERR_PLAN_BLOCKED: { readonly blockers: readonly string[] }
  readonly ERR_PLAN_INVALID: { readonly reason: string }
  readonly ERR_PLAN_STALE: { readonly planned: string; readonly found: string }
  readonly ERR_STATE_INVALID: { readonly reason: string }
  readonly ERR_LOCK_HELD: { readonly reason: string }
  readonly ERR_LOCKED_OUT: { readonly user: string }
  readonly ERR_WRITE_REFUSED: { readonly reason: string }
  readonly ERR_UNREADABLE: { readonly kind: 'user'; readonly name: string }
  readonly ERR_NOT_FOUND: { readonly kind: 'user' | 'role'; readonly name: string }
  readonly ERR_READ_BACK: { readonly differences: readonly string[] }
  readonly ERR_SERVER: { readonly method: string; readonly code: string; readonly message: string; readonly meaning: 'refused' | 'conflict' | 'unclear' }

  // presets, render, testing
  readonly ERR_PRESET_UNKNOWN: { readonly wanted: string; readonly known: readonly string[] }
  readonly ERR_RENDER_REFUSED: { readonly reason: string }
}

/** The code of an {@link EtcdRbacError}. */
export type ErrorCode = keyof ErrorDetails

/** What a message is made of. Each part is a clause without a final full stop. */
export interface ErrorText {
  readonly found: string
  readonly wanted: string
  readonly fix: string
}

/** A text as messages show it: in quotes, cut where nobody would read it to its end, and what is invisible spelt out, of which JSON leaves much as it is. */
export function quoted(text: string): string {
  const shown = withoutSecrets(text)
  const cut = JSON.stringify(shown.length > 120 ? `${shown.slice(0, 100)}…` : shown)
  return cut.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

/**
 * A text without what nobody may read in a log, and a caller may have passed in the wrong place: PEM, the base64 of DER, or whoever logs in by a URL.
 */
function withoutSecrets(text: string): string {
  if (text.includes('-----BEGIN ') || /^\s*M[A-Za-z0-9+/]{59}/.test(text)) return `(${text.length} characters that look like a key)`
  return text.replace(/:\/\/[^\s/?#"]*@/g, '://…@')
}

/** Data with every text in it so. */
function shownDetail<T>(detail: T): T {
  if (typeof detail === 'string') return withoutSecrets(detail) as T
  if (typeof detail !== 'object' || detail === null) return detail
  if (Array.isArray(detail)) return detail.map(shownDetail) as T
  return Object.fromEntries(Object.entries(detail).map(([name, value]) => [name, shownDetail(value as unknown)])) as T
}

/**
 * The only error that the library throws for what it was given or what a server answered (`TypeError` is for wrong JavaScript types).
 *
 * @example
 * ```ts
 * import { isEtcdRbacError, prefix } from 'etcd-rbac'
 * const fromUser: string = '/calico'
 * try {
 *   prefix(fromUser)
 * } catch (error) {
 *   if (isEtcdRbacError(error, 'ERR_PREFIX_UNTERMINATED')) console.log(error.detail.sibling) // /calicofoo
 * }
 * ```
 */
export class EtcdRbacError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'EtcdRbacError'
  readonly code: Code
  readonly detail: ErrorDetails[Code]

  constructor(code: Code, text: ErrorText, detail: ErrorDetails[Code], cause?: unknown) {
    super(`${text.found}; wanted ${text.wanted}; ${text.fix}.`, cause === undefined ? undefined : { cause })
    this.code = code
    this.detail = shownDetail(detail)
  }
}

/**
 * Whether `error` is an {@link EtcdRbacError}, of that code if one is given; its `detail` is typed by the code then. Also true across two copies of
 * the library. Throws nothing.
 *
 * @example
 * ```ts
 * import { isEtcdRbacError, parsePolicy } from 'etcd-rbac'
 * try {
 *   parsePolicy({ users: { root: 'ticket' } })
 * } catch (error) {
 *   if (isEtcdRbacError(error, 'ERR_POLICY_INVALID')) console.log(error.detail.problems.map(({ path }) => path).join()) // $.users.root
 * }
 * ```
 */
export function isEtcdRbacError<Code extends ErrorCode = ErrorCode>(error: unknown, code?: Code): error is EtcdRbacError<Code> {
  return error instanceof Error && error.name === 'EtcdRbacError' && (code === undefined || ('code' in error && error.code === code))
}
