/** What `lint` finds, as data. */
import type { ErrorCode } from '../../errors.js'
import type { ProblemKind } from '../check.js'
import { step } from '../found.js'

/** What is wrong with a policy that etcd would take all the same, or with what is none. */
export type LintCode =
  | 'prefix-without-terminator' | 'open-ended-range' | 'range-beyond-directory' | 'same-start-key' | 'split-read-write' | 'redundant-permission' | 'shadowed-permission' | 'write-without-read'
  | 'several-roots' | 'no-root' | 'user-without-role' | 'role-without-user' | 'role-without-permission'
  | 'open-guest' | 'halves-disagree'
  | 'certificate-user-behind-gateway' | 'gateway-user-unknown' | 'shared-peer-authority' | 'certificate-without-common-name' | 'certificate-named-like-user' | 'certificate-without-user'
  | 'empty-password' | 'component-lacks-right'
  // Of what is no policy yet.
  | ProblemKind

/** One finding. */
export interface Finding {
  /** A lint of its own or, for what `definePolicy` refuses, the code of the error where that tells which it is. */
  readonly code: LintCode | ErrorCode
  /** `error`: refused, or open to somebody who should not get in. `warning`: probably not meant. `info`: worth a look. */
  readonly severity: 'error' | 'warning' | 'info'
  /** The path in the policy, such as `$.v3.roles.node[2]`; `$` for what is outside it. */
  readonly where: string
  readonly why: string
  readonly fix: string
}

/** Where a field is, as a path. */
export function at(path: string, name: string | number): string {
  return path + (typeof name === 'number' ? `[${name}]` : step(name))
}
