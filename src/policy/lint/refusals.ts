/** What `definePolicy` refuses, as findings: which of them it is, and what to do. */
import type { ErrorCode } from '../../errors.js'
import type { FoundProblem, ProblemKind } from '../check.js'
import type { Finding } from './finding.js'

const SHAPE = 'write what is wanted there'

const FIXES: Readonly<Record<ProblemKind, string>> & { readonly [C in ErrorCode]?: string } = {
  'wrong-shape': SHAPE,
  'permissions-on-root': 'leave the role out of roles, and bind to "root" whoever is to do everything',
  'guest-among-roles': 'move its permissions to v2.guest; an empty list there opens nothing',
  'named-like-user': 'rename the member or authority and issue its certificate again, or rename the user',
  'named-like-member': 'give the authority a name of its own, and issue its certificate again',
  'listed-twice': 'leave one of them out',
  'role-unknown': 'declare the role in roles, or correct its name',
  ERR_NAME_INVALID: 'rename it, and issue again what bears the name',
  ERR_USER_UNKNOWN: 'declare the user in users, or take it out of bindings',
  ERR_KEY_INVALID: 'write the key as text of at least one character, or as base64; allKeys where every key is meant',
  ERR_PREFIX_UNTERMINATED: 'end the prefix with "/", or say siblings: "include" if what is beside it is meant',
  ERR_RANGE_EMPTY: 'swap start and end, or correct them: the end comes after the start, in byte order',
  ERR_PATTERN_INVALID: 'write a clean path that begins with "/", with at most one "*", as its last character',
}

/** Every problem as an error. Its code is the problem's own, or its kind where that code is the one of policies as a whole. */
export function refusals(problems: readonly FoundProblem[]): readonly Finding[] {
  return problems.map(({ path, code, kind, message }) => ({ code: kind ?? code, severity: 'error', where: path, why: message, fix: FIXES[kind ?? code] ?? SHAPE }))
}
