/** The passwords of users that a plan creates. They are checked before anything is written, and kept nowhere. */
import { EtcdRbacError } from '../errors.js'
import { utf8 } from '../bytes.js'
import type { Draft } from './plan.js'
import type { Write } from './step.js'
import { few, visible } from './visible.js'

/** bcrypt reads no more: newer servers refuse longer ones, older ones ignore the rest. */
const PASSWORD_MAX_BYTES = 72

/**
 * Checks the passwords that `apply` was given against what the plan needs. One for a password user that exists already is not used: existing
 * passwords stay.
 *
 * @throws {@link EtcdRbacError} `ERR_PASSWORD_MISSING`, `ERR_PASSWORD_INVALID`
 */
export function checkPasswords({ needsPassword, policy }: Draft, passwords: Readonly<Record<string, string>>): void {
  const missing = needsPassword.filter((user) => !Object.hasOwn(passwords, user))
  if (missing.length > 0) throw missingPasswords(missing)
  for (const [user, password] of Object.entries(passwords)) {
    if (!Object.hasOwn(policy.users, user)) throw invalidPassword(user, 'the policy does not name', 'declare the user, or drop the password')
    if (policy.users[user] !== 'password') throw invalidPassword(user, 'logs in by certificate', 'drop the password')
    checkPassword(user, password)
  }
}

/**
 * Checks one password by itself.
 *
 * @throws {@link EtcdRbacError} `ERR_PASSWORD_INVALID`; `TypeError` for what is no text
 */
export function checkPassword(user: string, password: string): void {
  if (typeof password !== 'string') throw new TypeError(`the password of user ${visible(user)} must be a string`)
  if (password === '') throw invalidPassword(user, 'is empty', 'choose one')
  if (utf8(password).length > PASSWORD_MAX_BYTES) throw invalidPassword(user, `is longer than ${PASSWORD_MAX_BYTES} bytes`, 'choose a shorter one')
}

function invalidPassword(user: string, reason: string, fix: string): EtcdRbacError<'ERR_PASSWORD_INVALID'> {
  return new EtcdRbacError('ERR_PASSWORD_INVALID', { found: `a password for user ${visible(user)} that ${reason}`, wanted: `1 to ${PASSWORD_MAX_BYTES} bytes for a user who logs in by password`, fix }, { user, reason })
}

/**
 * Refuses to make a user who logs in by password without one: etcd would let nobody in, or everybody.
 *
 * @throws {@link EtcdRbacError} `ERR_PASSWORD_MISSING`
 */
export function refuseEmptyPassword(step: Write, password: string | undefined): void {
  if ((step.do === 'setPassword' || (step.do === 'addUser' && step.login === 'password')) && (password === undefined || password === '')) throw missingPasswords([step.user])
}

function missingPasswords(users: readonly string[]): EtcdRbacError<'ERR_PASSWORD_MISSING'> {
  return new EtcdRbacError('ERR_PASSWORD_MISSING', { found: `no password for ${few(users.map((user) => visible(user)), ', ')}`, wanted: 'one for every user that is created and logs in by password', fix: 'pass it in apply(plan, { passwords })' }, { users })
}
