/**
 * What a preset is made of: grants, each with the evidence that a component needs it.
 *
 * Tables of grants are data; {@link component} folds one into the permissions of a role.
 */
import type { KeyRange } from '../keys/key-range.js'
import type { PathPattern } from '../keys/pattern.js'
import { mergeTypes, type Permission, type PermissionType } from '../keys/permission.js'

/** How a fact is known. */
export type EvidenceKind =
  /** The project documents it. */
  | 'documented'
  /** Read in the project's source, at the place that the text names. */
  | 'source'
  /** The request was sent to an etcd with and without the right. */
  | 'tried'
  /** Nobody has looked; the text says why it stands here all the same. */
  | 'assumed'

/** Why a grant is in a preset. */
export interface Evidence {
  readonly kind: EvidenceKind
  readonly text: string
}

/** One permission, and why. */
export interface Grant<S extends KeyRange | PathPattern = KeyRange | PathPattern> {
  readonly permission: Permission<S>
  readonly evidence: readonly Evidence[]
}

/** What one component needs. `permissions` goes into a policy's role; the rest is for people. */
export interface Component<S extends KeyRange | PathPattern = KeyRange | PathPattern> {
  readonly permissions: readonly Permission<S>[]
  readonly grants: readonly Grant<S>[]
  /** What the grants do not say: settings that must go with them, and what they open beyond need. */
  readonly notes: readonly string[]
}

/** A row of a preset's table, before its keys are made. */
export interface Row {
  readonly path: string
  readonly type: PermissionType
  readonly evidence: Evidence
}

/**
 * A component of these rows. Rows of one path become one permission: etcd v3 replaces the type of a permission whose range is granted
 * again, so two of one range could never both hold.
 */
export function component<S extends KeyRange | PathPattern>(rows: readonly Row[], keys: (path: string) => S, notes: readonly string[] = []): Component<S> {
  const merged = new Map<string, { type: PermissionType; evidence: readonly Evidence[] }>()
  for (const { path, type, evidence } of rows) {
    const before = merged.get(path)
    merged.set(path, before === undefined ? { type, evidence: [evidence] } : { type: mergeTypes(before.type, type), evidence: [...before.evidence, evidence] })
  }
  const grants = [...merged].map(([path, { type, evidence }]) => ({ permission: { type, keys: keys(path) }, evidence }))
  return { permissions: grants.map(({ permission }) => permission), grants, notes }
}
