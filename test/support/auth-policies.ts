/** A family of policies to apply one after the other, and who may do what under them: what tests of faults begin from and end with. */
import type { Api, PlanOptions } from '../../src/auth/index.js'
import { pattern, prefix, type Permission, type PermissionType } from '../../src/keys/index.js'
import { can, definePolicy, get, path, put, type KeyOperation, type Policy, type PolicyIndex } from '../../src/policy/index.js'

const TYPES: readonly PermissionType[] = ['read', 'write', 'readwrite']
const KEYS = 14
const at = <T>(list: readonly T[], index: number): T => list[index % list.length]!

/**
 * From one turn to the next a role comes and a role goes; of those that stay, one permission changes its type and another its keys; two users come
 * and two go, and the others move from role to role. The more users, the more steps: 10 make 57, 26 make 299.
 */
export function policyAt(api: Api, turn: number, users = 12): Policy {
  const keys = (index: number): Permission['keys'] => (api === 'v3' ? prefix(`/k/${String(index % KEYS)}/`) : pattern(`/k/${String(index % KEYS)}/*`))
  const names = usersOf([turn], users)
  const roles = Object.fromEntries(
    Array.from({ length: Math.round((users * 5) / 7) }, (_, index) => index + turn).map((role) => [
      `role-${String(role)}`,
      [
        { type: at(TYPES, role + turn), keys: keys(role) },
        { type: at(TYPES, role + 1), keys: keys(role + 5 + turn) },
      ] satisfies Permission[],
    ]),
  )
  const bindings = Object.fromEntries(names.map((name, index) => [name, Object.keys(roles).filter((_, role) => (role + index + turn) % 4 === 0)]))
  const half = { roles, bindings: { root: ['root'], ...bindings } }
  return definePolicy({ users: { root: 'certificate', ...Object.fromEntries(names.map((name) => [name, 'certificate'])) }, [api]: api === 'v2' ? { guest: [], ...half } : half } as never)
}

/** All but root, of any of these turns. */
export function usersOf(turns: readonly number[], users = 12): readonly string[] {
  return [...new Set(turns.flatMap((turn) => Array.from({ length: users }, (_, index) => `user-${String(index + turn * 2)}`)))]
}

/** Others are removed, so that the way back from one policy to the one before is as long. */
export const options: PlanOptions = { unmanaged: 'remove', enable: true, acknowledgeOpenV2: true, acknowledgePasswordsInLog: true }

/** A read and a write under each of the keys. */
export function operationsOf(api: Api): readonly KeyOperation[] {
  return Array.from({ length: KEYS }, (_, index) => `/k/${String(index)}/x`).flatMap((key) => (api === 'v3' ? [get(key), put(key)] : [get(path(key)), put(path(key))]))
}

/** Whether one of the policies gives it: a user whom none of them knows has nothing. */
export function isGiven(policies: readonly PolicyIndex[], user: string, operation: KeyOperation): boolean {
  return policies.some((index) => Object.hasOwn(index.policy.users, user) && can(index, user, operation))
}
