/** The single writes that a plan consists of, as data. */
import type { Login } from '../policy/policy.js'
import type { Permission, PermissionType } from '../keys/permission.js'
import { showKeys, showPermission } from '../keys/show.js'
import type { StoredPermission } from './state.js'
import { visible } from './visible.js'

/** One write, and why. */
export type Step = { readonly reason: string } & (
  | { readonly do: 'addRole'; readonly role: string }
  | { readonly do: 'deleteRole'; readonly role: string }
  /** `roles`, on v2: what the user is made with, in the same write, since whoever is a user holds what guests hold no longer. Left away for none. */
  | { readonly do: 'addUser'; readonly user: string; readonly login: Login; readonly roles?: readonly string[] }
  | { readonly do: 'deleteUser'; readonly user: string }
  /** `replaces` is the type that the role has on the same keys. */
  | { readonly do: 'grantPermission'; readonly role: string; readonly permission: Permission; readonly replaces: PermissionType | undefined }
  | { readonly do: 'revokePermission'; readonly role: string; readonly permission: StoredPermission }
  | { readonly do: 'bindRole'; readonly user: string; readonly role: string }
  | { readonly do: 'unbindRole'; readonly user: string; readonly role: string }
  /** On v2, of users who are to be made anew: the password is all that is theirs there, and nobody is a guest meanwhile. */
  | { readonly do: 'setPassword' | 'dropPassword'; readonly user: string }
  | { readonly do: 'enable' }
)

/** A write of an auth store: a step of a plan, or the one that no plan makes. */
export type Write = Step | { readonly reason: string; readonly do: 'disable' }

/**
 * A step as people read it, without its reason.
 *
 * @example
 * ```ts
 * import { showStep } from 'etcd-rbac'
 * console.log(showStep({ do: 'bindRole', user: 'auditor', role: 'audit', reason: 'the policy binds it' })) // bind user auditor to role audit
 * ```
 */
export function showStep(step: Step): string {
  switch (step.do) {
    case 'addRole':
      return `add role ${visible(step.role)}`
    case 'deleteRole':
      return `delete role ${visible(step.role)}`
    case 'addUser':
      return `add user ${visible(step.user)}, who logs in by ${step.login}${step.roles === undefined ? '' : ` and holds role ${step.roles.map((role) => visible(role)).join(', ')}`}`
    case 'deleteUser':
      return `delete user ${visible(step.user)}`
    case 'grantPermission':
      return `grant ${visible(showPermission(step.permission))} to role ${visible(step.role)}${step.replaces === undefined ? '' : ` (was ${step.replaces})`}`
    case 'revokePermission':
      return `revoke ${visible(showStored(step.permission))} from role ${visible(step.role)}`
    case 'bindRole':
      return `bind user ${visible(step.user)} to role ${visible(step.role)}`
    case 'unbindRole':
      return `unbind user ${visible(step.user)} from role ${visible(step.role)}`
    case 'setPassword':
      return `set the password of user ${visible(step.user)}`
    case 'dropPassword':
      return `give user ${visible(step.user)} a password that nobody knows`
    case 'enable':
      return 'enable auth'
  }
}

function showStored(permission: StoredPermission): string {
  return permission.type === 'unknown' ? `an unknown right to ${showKeys(permission.keys)}` : showPermission(permission)
}
