/** The single writes that a plan consists of, as data. */
import type { Login } from '../policy/policy.js'
import type { Permission, PermissionType } from '../keys/permission.js'
import { showPermission } from '../keys/show.js'

/** One write, and why. */
export type Step = { readonly reason: string } & (
  | { readonly do: 'addRole'; readonly role: string }
  | { readonly do: 'deleteRole'; readonly role: string }
  | { readonly do: 'addUser'; readonly user: string; readonly login: Login }
  | { readonly do: 'deleteUser'; readonly user: string }
  /** `replaces` is the type that the role has on the same keys. */
  | { readonly do: 'grantPermission'; readonly role: string; readonly permission: Permission; readonly replaces: PermissionType | undefined }
  | { readonly do: 'revokePermission'; readonly role: string; readonly permission: Permission }
  | { readonly do: 'bindRole'; readonly user: string; readonly role: string }
  | { readonly do: 'unbindRole'; readonly user: string; readonly role: string }
  | { readonly do: 'enable' }
)

/** A step as people read it, without its reason. */
export function showStep(step: Step): string {
  switch (step.do) {
    case 'addRole':
      return `add role ${step.role}`
    case 'deleteRole':
      return `delete role ${step.role}`
    case 'addUser':
      return `add user ${step.user}, who logs in by ${step.login}`
    case 'deleteUser':
      return `delete user ${step.user}`
    case 'grantPermission':
      return `grant ${showPermission(step.permission)} to role ${step.role}${step.replaces === undefined ? '' : ` (was ${step.replaces})`}`
    case 'revokePermission':
      return `revoke ${showPermission(step.permission)} from role ${step.role}`
    case 'bindRole':
      return `bind user ${step.user} to role ${step.role}`
    case 'unbindRole':
      return `unbind user ${step.user} from role ${step.role}`
    case 'enable':
      return 'enable auth'
  }
}
