/** What members and clients report while an authority is changed, read and held against the plan: whom each trusts, and which certificates are in use. */
import { compareBytes } from '../bytes.js'
import { checkFields } from '../known-fields.js'
import { checkedRecords } from './checked-records.js'
import { readPemBlocks, readTrustedBlocks } from './pem.js'
import type { IssuanceRecord } from './record.js'
import { isLiving, isOf, sameFor, shownRecord, verifiersOf, type RotationPhase, type RotationPlan } from './rotation-plan.js'

/** What a member, client or proxy reports of itself. Several of one holder are allowed: the last that names a bundle counts, and each certificate. */
export interface RotationReport {
  readonly holder: string
  /**
   * What it trusts now: the PEM text, comments and all, or its SHA-256 as `sha256sum` prints it, with or without the name of the file. Of a member this is what its CA file held when it was started, whatever was
   * written since.
   */
  readonly bundle?: string
  /** What its CA file holds, in the same form. Default: what it trusts. */
  readonly file?: string
  /** The record of a certificate that it shows. */
  readonly certificate?: IssuanceRecord
}

/** Whom a bundle trusts; `undefined` where a hash does not tell. */
export type Trust = { readonly old: boolean; readonly new: boolean } | undefined

/** What tells a certificate from others for the same. */
export const idOf = (record: IssuanceRecord): string => `${sameFor(record)} ${record.serial}`

/** What the reports say: certificates, and of each holder whom it trusts and whom its file names. */
export function readReports(plan: RotationPlan, reports: readonly RotationReport[]): {
  readonly shown: readonly IssuanceRecord[]
  readonly trusted: ReadonlyMap<string, Trust>
  readonly files: ReadonlyMap<string, Trust>
  /** Who told of a bundle that nobody asked for. */
  readonly strangers: readonly string[]
} {
  if (!Array.isArray(reports)) throw new TypeError('reports must be a list')
  const given = reports as readonly RotationReport[]
  for (const report of given) {
    checkFields(report, ['holder', 'bundle', 'file', 'certificate'], 'reports')
    if (typeof report.holder !== 'string') throw new TypeError('the holder of a report must be a string')
  }
  const shown = checkedRecords(given.flatMap(({ certificate }) => (certificate === undefined ? [] : [certificate])))
  const trustOf = trustIn(plan)
  const [trusted, files, strangers] = [new Map<string, Trust>(), new Map<string, Trust>(), new Set<string>()]
  const verifiers = new Set(verifiersOf(plan))
  for (const { holder, bundle, file = bundle } of given) {
    if (file === undefined) continue
    if (!verifiers.has(holder)) strangers.add(holder)
    // With its file alone told, what it trusts is what it said before.
    if (bundle !== undefined) trusted.set(holder, trustOf(bundle))
    files.set(holder, trustOf(file))
  }
  return { shown, trusted, files, strangers: [...strangers] }
}

/** Reads a bundle: whom it trusts, or `undefined` where a hash does not tell. */
function trustIn({ before, phases }: RotationPlan): (bundle: string) => Trust {
  const after = (phases.at(-1) as RotationPhase).bundle
  const during = (phases[0] as RotationPhase).bundle
  const [old, next] = [before, after].map(({ pem }) => readPemBlocks('certificate', pem)) as [readonly Uint8Array[], readonly Uint8Array[]]
  const among = (list: readonly Uint8Array[], bundle: readonly Uint8Array[]) => (holds: 'every' | 'some') => list[holds]((one) => bundle.some((other) => compareBytes(one, other) === 0))
  return (bundle) => {
    if (typeof bundle !== 'string') throw new TypeError('a bundle must be PEM, or its SHA-256 in hex')
    const hash = /^([0-9a-f]{64})(?: [ *][^\r\n]*)?\r?\n?$/i.exec(bundle)?.[1]?.toLowerCase()
    if (hash === undefined) {
      // As etcd reads its CA file; what has no certificate at all may be a hash that was cut off.
      const found = bundle.includes('-----BEGIN ') ? readTrustedBlocks(bundle) : readPemBlocks('certificate', bundle)
      // Half of a root and its successor is not that trust; any of the old one is still some.
      return { old: among(old, found)('some'), new: among(next, found)('every') }
    }
    return { [before.sha256]: { old: true, new: false }, [during.sha256]: { old: true, new: true }, [after.sha256]: { old: false, new: true } }[hash]
  }
}

/** Which certificates of the old authority are in use, in words, and which of the new one. */
export function certificatesOf(plan: RotationPlan, shown: readonly IssuanceRecord[], now: Date): {
  readonly missing: readonly string[]
  /** Those that are missing, by what tells them apart. */
  readonly left: ReadonlySet<string>
  /** How many were of the old authority, those included that the plan does not know. */
  readonly known: number
  readonly renewed: readonly string[]
} {
  const planned = plan.phases.flatMap(({ steps }) => steps.flatMap((step) => (step.do === 'issue' ? [step.replaces] : [])))
  const seenOld = shown.filter((record) => isOf(record, plan.old))
  const stillShown = new Set(seenOld.map(idOf))
  const seenNew = shown.filter((record) => isOf(record, plan.new) && isLiving(record, now))
  const left: IssuanceRecord[] = []
  const olds = new Map([...planned, ...seenOld].filter((record) => isLiving(record, now)).map((record) => [idOf(record), record]))
  const fresh = new Map<string, Set<string>>()
  for (const record of seenNew) fresh.set(sameFor(record), (fresh.get(sameFor(record)) ?? new Set()).add(record.serial))
  for (const record of olds.values()) {
    const successors = fresh.get(sameFor(record))
    const [one] = successors ?? []
    // Several may be for the same, as of a user on many nodes without label: each needs one of its own. What is still shown has none.
    if (one === undefined || stillShown.has(idOf(record))) left.push(record)
    else successors?.delete(one)
  }
  return { known: olds.size, missing: left.map(shownRecord), left: new Set(left.map(idOf)), renewed: [...new Set(seenNew.map(shownRecord))] }
}
