/** What a policy declares, looked up before anything is certified or planned under it. */
import { EtcdRbacError, quoted } from '../errors.js'
import { checkName, someOf, unknownUser } from '../names.js'
import type { Policy } from '../policy/policy.js'

/**
 * A policy of plain JavaScript, as far as it is read here.
 *
 * @throws `TypeError`
 */
export function checkPolicy(policy: Policy): Policy {
  const { users, members, authorities } = (policy as { readonly [K in keyof Policy]?: unknown } | null | undefined) ?? {}
  if (typeof users !== 'object' || users === null || Array.isArray(users) || !Array.isArray(members) || !Array.isArray(authorities))
    throw new TypeError('a policy must be one that definePolicy or parsePolicy made')
  return policy
}

/**
 * A user that logs in by certificate.
 *
 * @throws {@link EtcdRbacError} `ERR_NAME_INVALID`, `ERR_USER_UNKNOWN`, `ERR_USER_LOGIN`
 */
export function certificateUser({ users }: Policy, user: string): string {
  checkName('user', user)
  const login = Object.hasOwn(users, user) ? users[user] : undefined
  if (login === undefined) throw unknownUser(user, Object.keys(users))
  if (login === 'certificate') return user
  throw new EtcdRbacError(
    'ERR_USER_LOGIN',
    { found: `user ${quoted(user)}, who logs in by ${login}`, wanted: 'a user of login "certificate"', fix: "change the user's login in the policy, or leave it without certificate" },
    { user, login },
  )
}

/**
 * A member, or another name that is kept for members.
 *
 * @throws {@link EtcdRbacError} `ERR_NAME_INVALID`, `ERR_ISSUE_REFUSED`, `ERR_MEMBER_UNKNOWN`
 */
export function declaredMember({ users, members }: Policy, member: string): string {
  checkName('member', member)
  if (Object.hasOwn(users, member))
    throw new EtcdRbacError(
      'ERR_ISSUE_REFUSED',
      { found: `member ${quoted(member)}, named like a user`, wanted: 'a name that no user has', fix: 'rename the member: whoever holds its certificate would be that user' },
      { name: member, reason: 'member named like a user' },
    )
  if (members.includes(member)) return member
  throw new EtcdRbacError(
    'ERR_MEMBER_UNKNOWN',
    { found: `member ${quoted(member)}`, wanted: `one of the policy's members (${someOf(members)})`, fix: 'declare it in the policy' },
    { member, known: members },
  )
}
