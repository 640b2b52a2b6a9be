/** What single writes are told, and what they come to. */
import type { Login } from '../policy/policy.js'
import type { PlanOptions } from './plan-options.js'

/** What a single write came to. */
export interface Written<Outcome extends string> {
  /** `unchanged`: it was so already, and nothing was written but where etcd cannot tell. */
  readonly outcome: Outcome | 'unchanged'
  /** Whose open connections must be cut now, since streams outlive what opened them: everyone's, one user's, or those of all who hold a role. */
  readonly sever?: 'everyone' | { readonly user: string } | { readonly holdersOf: string }
}

/** How a user is to log in. Nothing of it is changed where the user is there already. */
export type NewUser = ({ readonly login: Extract<Login, 'certificate'> } & PasswordOptions) | ({ readonly login: Extract<Login, 'password'>; readonly password: string } & PasswordOptions)

/** What must be known of a new password. */
export interface PasswordOptions {
  /** See `acknowledgePasswordsInLog` of {@link EtcdAuth.plan}. */
  readonly acknowledgePasswordsInLog?: boolean
}

/** What must be known before auth is turned on. */
export type EnableOptions = Pick<PlanOptions, 'acknowledgeRoot' | 'acknowledgeOpenV2' | 'needs' | 'hiddenUsers'>
