/** An etcd as the contract suite sees it: a real cluster or the double, reached as any user. */
import type { Anonymous, KeyOperation } from '../../src/policy/index.js'
import type { Backend } from '../../src/auth/index.js'
import type { Api } from '../../src/auth/state.js'

/** A user by its certificate; `anonymous` has a certificate whose Common Name is no user. */
export type As = string | Anonymous

export interface World {
  readonly version: string
  readonly apis: readonly Api[]
  /** A backend whose client is connected as that user. */
  backend(api: Api, user: As): Backend
  /** Really asks for an operation. Whether etcd let it pass. */
  attempt(user: As, operation: KeyOperation): Promise<boolean>
}
