/** What the change of an authority is, as data: phases, each with its bundle, its steps and its gate. `JSON.stringify` and back gives the same. */
import { EtcdRbacError, quoted } from '../errors.js'
import type { Purpose } from './authority.js'
import type { IssuanceRecord } from './record.js'

/** An authority that comes or goes. */
export interface RotationAuthority {
  readonly name: string
  /** The key identifier that its certificates carry, lower-case hex. */
  readonly keyId: string
  readonly notAfter: string
}

/** The certificates that a CA file holds. */
export interface RotationBundle {
  readonly pem: string
  /** SHA-256 of that text, lower-case hex: what `sha256sum` prints of a file that holds it. */
  readonly sha256: string
}

/** The phases, in order. */
export type RotationPhaseName = 'trust both' | 'load both' | 'reissue' | 'drop old'

/** One thing to do. Steps of members stand in the order in which they are done. */
export type RotationStep =
  /** Write the bundle of the phase into a CA file. `flags` are etcd's, empty where it is no member. */
  | { readonly do: 'write'; readonly at: string; readonly flags: readonly string[]; readonly text: string }
  /** Restart a member, and wait for it before the next. */
  | { readonly do: 'restart'; readonly at: string; readonly text: string }
  /** Restart a client or proxy, unless it reads its CA file by itself. */
  | { readonly do: 'reload'; readonly at: string; readonly text: string }
  /** Issue a certificate again, by the new authority, through the policy. */
  | { readonly do: 'issue'; readonly replaces: IssuanceRecord; readonly text: string }

/** What must be seen before the next phase. */
export interface RotationGate {
  /** How many must report. */
  readonly of: number
  readonly text: string
}

/** One phase. */
export interface RotationPhase {
  readonly name: RotationPhaseName
  /** What the CA files hold from this phase on. */
  readonly bundle: RotationBundle
  readonly steps: readonly RotationStep[]
  readonly gate: RotationGate
  /** What breaks for whoever leaves it out. */
  readonly ifSkipped: string
}

/** The plan of a change of authority. */
export interface RotationPlan {
  readonly kind: 'etcd-rbac rotation'
  /** What the authority is for. */
  readonly purposes: readonly Purpose[]
  readonly old: RotationAuthority
  readonly new: RotationAuthority
  readonly members: readonly string[]
  readonly holders: readonly string[]
  /** What the CA files hold before the first phase. */
  readonly before: RotationBundle
  /** The new authority's name and key, signed by the old one: behind each new leaf. Absent where there is none. */
  readonly crossSigned?: string
  readonly phases: readonly RotationPhase[]
  /** What the plan cannot avoid. */
  readonly warnings: readonly string[]
}

/** Who holds certificates against the authority: they all must trust both before anything is issued. */
export function verifiersOf({ purposes, members, holders }: Pick<RotationPlan, 'purposes' | 'members' | 'holders'>): readonly string[] {
  // What members show to clients, no member verifies: the gateway inside etcd trusts its own member unseen (etcd `embed/serve.go`).
  return [...(purposes.some((purpose) => purpose !== 'server') ? members : []), ...holders]
}

/** What two certificates for the same share, as one text. */
export function sameFor(record: IssuanceRecord): string {
  if (record.purpose === 'client') return JSON.stringify(['client', record.user, record.label ?? null])
  return JSON.stringify([record.purpose, record.purpose === 'gateway' ? record.uri : record.member])
}

/** A certificate in words. */
export function shownRecord(record: IssuanceRecord): string {
  if (record.purpose === 'client') return `client ${quoted(record.user)}${record.label === undefined ? '' : ` (${quoted(record.label)})`}`
  return `${record.purpose} ${quoted(record.purpose === 'gateway' ? record.uri : record.member)}`
}

/** Whether a certificate is of an authority. Other tools leave the key identifier away: then its name must do. */
export function isOf(record: IssuanceRecord, { name, keyId }: Pick<RotationAuthority, 'name' | 'keyId'>): boolean {
  return record.authorityKeyId === '' ? record.authority === name : record.authorityKeyId === keyId
}

/**
 * Certificates that go with the old authority though it did not issue them: living, for a purpose of the change, of an authority that is neither, as of another
 * one below the root that is dropped. By authority, in words.
 */
export function othersOf({ purposes, old, new: next }: Pick<RotationPlan, 'purposes' | 'old' | 'new'>, records: readonly IssuanceRecord[], now: Date): readonly string[] {
  const others = new Map<string, Set<string>>()
  for (const record of records) {
    if (!isFor(record, purposes) || !isLiving(record, now) || isOf(record, old) || isOf(record, next)) continue
    const key = `${quoted(record.authority)} (key ${record.authorityKeyId || 'unknown'})`
    others.set(key, (others.get(key) ?? new Set()).add(shownRecord(record)))
  }
  return [...others].map(([authority, shown]) => `authority ${authority} is neither the old nor the new one, and the last bundle does not lead to it unless the new root does: once ${quoted(old.name)} is dropped, ${firstOf([...shown])} may be refused; issue these again by the new authority, too`)
}

/** Texts, as messages list them: the first twenty, and how many more. */
export const firstOf = (texts: readonly string[]): string => [...texts.slice(0, 20), ...(texts.length > 20 ? [`${texts.length - 20} more`] : [])].join(', ')

/** Whether a certificate is for one of these purposes. What a gateway shows is a client's. */
export function isFor({ purpose }: IssuanceRecord, purposes: readonly Purpose[]): boolean {
  return purposes.includes(purpose === 'gateway' ? 'client' : purpose)
}

/** Whether a certificate is still accepted at that time. An unreadable date counts as such. */
export function isLiving({ notAfter }: IssuanceRecord, now: Date): boolean {
  return !(Date.parse(notAfter) < now.getTime())
}

/** The error of a rotation that cannot be planned, or of a plan that is none. */
export function rotationError(found: string, wanted: string, fix: string): EtcdRbacError<'ERR_ROTATION_INVALID'> {
  return new EtcdRbacError('ERR_ROTATION_INVALID', { found, wanted, fix }, { reason: found })
}
