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
  | { readonly do: 'addUser'; readonly user: string; readonly login: Login }
  | { readonly do: 'deleteUser'; readonly user: string }
  /** `replaces` is the type that the role has on the same keys. */
  | { readonly do: 'grantPermission'; readonly role: string; readonly permission: Permission; readonly replaces: PermissionType | undefined }
  | { readonly do: 'revokePermission'; readonly role: string; readonly permission: StoredPermission }
  | { readonly do: 'bindRole'; readonly user: string; readonly role: string }
  | { readonly do: 'unbindRole'; readonly user: string; readonly role: string }
  | { readonly do: 'enable' }
)

/** A write of an auth store: a step of a plan, or one of those that no plan makes. */
export type Write = Step | ({ readonly reason: string } & ({ readonly do: 'setPassword' | 'dropPassword'; readonly user: string } | { readonly do: 'disable' }))

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
      return `add user ${visible(step.user)}, who logs in by ${step.login}`
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
    case 'enable':
      return 'enable auth'
  }
}

function showStored(permission: StoredPermission): string {
  return permission.type === 'unknown' ? `an unknown right to ${showKeys(permission.keys)}` : showPermission(permission)
}
