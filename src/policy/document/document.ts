/** A policy as a document: plain data whose text is the same for equal policies. */
import { compareBytes, utf8 } from '../../bytes.js'
import type { KeyRange } from '../../keys/key-range.js'
import type { PathPattern } from '../../keys/pattern.js'
import type { Permission } from '../../keys/permission.js'
import type { Bindings, Login, Policy } from '../policy.js'

/** A half of a document. */
export interface PolicyDocumentHalf<S extends KeyRange | PathPattern> {
  readonly roles: Readonly<Record<string, readonly Permission<S>[]>>
  readonly bindings: Bindings
}

/** A policy as JSON holds it. What is not there is left away: `parsePolicy` takes it back. */
export interface PolicyDocument {
  readonly users: Readonly<Record<string, Login>>
  readonly members?: readonly string[]
  readonly authorities?: readonly string[]
  readonly v3?: PolicyDocumentHalf<KeyRange>
  readonly v2?: PolicyDocumentHalf<PathPattern> & { readonly guest: readonly Permission<PathPattern>[] }
}

/** A table whose names are in etcd's order, that of their bytes; numbers come first in any JavaScript object. No prototype: `__proto__` is a name. */
function sorted<T, R>(table: Readonly<Record<string, T>>, make: (value: T) => R): Readonly<Record<string, R>> {
  const result = Object.create(null) as Record<string, R>
  for (const name of Object.keys(table).sort((a, b) => compareBytes(utf8(a), utf8(b)))) result[name] = make(table[name] as T)
  return result
}

/** The fields of keys in one order, whoever made them. */
function keysOf<S extends KeyRange | PathPattern>(keys: S): S {
  const fields = ['api', 'kind', 'key', 'prefix', 'start', 'end', 'siblings', 'pattern'] as const
  const found = keys as unknown as Readonly<Record<string, unknown>>
  return Object.fromEntries(fields.filter((field) => field in keys).map((field) => [field, found[field]])) as unknown as S
}

const permissionsOf = <S extends KeyRange | PathPattern>(permissions: readonly Permission<S>[]): readonly Permission<S>[] => permissions.map(({ type, keys }) => ({ type, keys: keysOf(keys) }))

/**
 * A policy as plain data in a stable order: tables by name, lists as they stand. Equal policies have the same text, however they were written, so
 * that a document under version control changes only where the policy does.
 *
 * `parsePolicy(policyDocument(policy))` is the policy again, by way of `JSON.stringify` or without.
 *
 * @example
 * ```ts
 * import { definePolicy, parsePolicy, policyDocument, prefix, read } from 'etcd-rbac'
 * const policy = definePolicy({ users: { b: 'certificate', a: 'password' }, v3: { roles: { r: [read(prefix('/x/'))] }, bindings: { a: ['r'] } } })
 * const text = JSON.stringify(policyDocument(policy), undefined, 2)
 * parsePolicy(JSON.parse(text)) // the policy again
 * ```
 */
export function policyDocument({ users, members, authorities, v3, v2 }: Policy): PolicyDocument {
  const bindings = (bound: Bindings): Bindings => sorted(bound, (roles) => [...roles])
  return {
    users: sorted(users, (login) => login),
    ...(members.length === 0 ? {} : { members: [...members] }),
    ...(authorities.length === 0 ? {} : { authorities: [...authorities] }),
    ...(v3 === undefined ? {} : { v3: { roles: sorted(v3.roles, permissionsOf), bindings: bindings(v3.bindings) } }),
    ...(v2 === undefined ? {} : { v2: { guest: permissionsOf(v2.guest), roles: sorted(v2.roles, permissionsOf), bindings: bindings(v2.bindings) } }),
  }
}
