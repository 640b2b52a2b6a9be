/** A policy held to a table: who must be able to do what, and who must not. */
import { anonymous, type Anonymous } from '../anonymous.js'
import { explain } from '../explain.js'
import { indexPolicy, lookUp, type Asked } from '../index-policy.js'
import type { Circumstances } from '../judge.js'
import type { Operation } from '../operations.js'
import type { Policy } from '../policy.js'

/** One line of the table. */
export interface ExpectedAccess<U extends string = string> {
  readonly user: U | Anonymous
  readonly operation: Operation
  readonly allowed: boolean
  /** Default: etcd's intended rules, straight. */
  readonly circumstances?: Circumstances
}

/** A line whose answer is another. */
export interface AccessDifference<U extends string = string> {
  readonly row: ExpectedAccess<U>
  /** Its place in the table, from 0. */
  readonly place: number
  /** Who, what was wanted, and why it is not so, as `explain` says it. */
  readonly text: string
}

/**
 * The lines of a table that the policy does not answer as wanted. Empty where all are: a test of one line in any framework.
 *
 * @throws {@link EtcdRbacError} `ERR_USER_UNKNOWN`, `ERR_POLICY_HALF_MISSING`, `ERR_VERSION_UNSUPPORTED`
 * @example
 * ```ts
 * import { definePolicy, expectAccess, get, prefix, put, read } from 'etcd-rbac'
 * const policy = definePolicy({ users: { auditor: 'password' }, v3: { roles: { audit: [read(prefix('/calico/'))] }, bindings: { auditor: ['audit'] } } })
 * const differences = expectAccess(policy, [
 *   { user: 'auditor', operation: get(prefix('/calico/')), allowed: true },
 *   { user: 'auditor', operation: put('/calico/x'), allowed: false },
 * ])
 * console.log(differences.map(({ text }) => text)) // []
 * ```
 */
export function expectAccess<P extends Policy>(policy: Asked<P>, rows: readonly ExpectedAccess<keyof P['users'] & string>[]): readonly AccessDifference<keyof P['users'] & string>[] {
  if (typeof policy !== 'object' || (policy as unknown) === null) throw new TypeError('policy must be a policy, or an index of one')
  const given: unknown = rows
  if (!Array.isArray(given)) throw new TypeError('rows must be a list')
  const index = indexPolicy(lookUp(policy).policy as Policy)
  return rows.flatMap((row, place) => {
    if (typeof row !== 'object' || (row as unknown) === null) throw new TypeError(`row ${place} must be an object`)
    if (typeof row.allowed !== 'boolean') throw new TypeError(`allowed must be true or false, in row ${place}`)
    const { allowed, text } = explain(index, row.user, row.operation, row.circumstances)
    if (allowed === row.allowed) return []
    const who = row.user === anonymous ? 'clients whom no user names' : `user ${JSON.stringify(row.user)}`
    return [{ row, place, text: `row ${place}: ${who} should be ${row.allowed ? 'allowed' : 'refused'}, but is ${text}` }]
  })
}
