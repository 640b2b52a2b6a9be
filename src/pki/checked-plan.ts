/** Plans of a change of authority of unknown origin, as a file holds them: complete, and what their phases say follows from the rest. */
import { isEtcdRbacError } from '../errors.js'
import { purposes } from './authority.js'
import { readCertificate } from './asn1/read-certificate.js'
import { checkedRecords } from './checked-records.js'
import { readPem, readPemBlocks, type PemInput } from './pem.js'
import type { IssuanceRecord } from './record.js'
import { phasesOf } from './rotation-phases.js'
import { isOf, rotationError, type RotationPhase, type RotationPlan } from './rotation-plan.js'

type Fits = (value: unknown) => boolean

const isText: Fits = (value) => typeof value === 'string'
const isName: Fits = (value) => typeof value === 'string' && value !== ''
const listOf = (fits: Fits): Fits => (value) => Array.isArray(value) && value.every(fits)
const tableOf = (fields: Readonly<Record<string, Fits>>): Fits => (value) => firstWrong(fields, value) === undefined
/** What is read without an error, and is something. */
const read = (reader: (value: unknown) => unknown): Fits => (value) => {
  try {
    return reader(value) !== undefined
  } catch (error) {
    if (isEtcdRbacError(error) || error instanceof TypeError) return false
    throw error
  }
}

const bundle = tableOf({ pem: read((pem) => readPemBlocks('certificate', pem as PemInput<'certificate'>)[0]), sha256: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) })
const authority = tableOf({ name: isName, keyId: (value) => typeof value === 'string' && /^(?:[0-9a-f]{2})+$/.test(value), notAfter: (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)) })
const steps: Readonly<Record<string, Fits>> = {
  write: tableOf({ at: isName, flags: listOf(isText), text: isText }),
  restart: tableOf({ at: isName, text: isText }),
  reload: tableOf({ at: isName, text: isText }),
  issue: tableOf({ replaces: read((record) => checkedRecords([record])), text: isText }),
}
const step: Fits = (value) => {
  const kind = (value as { readonly do?: unknown } | null | undefined)?.do
  return typeof kind === 'string' && Object.hasOwn(steps, kind) && steps[kind]?.(value) === true
}
const phase = tableOf({ name: isText, bundle, steps: listOf(step), gate: tableOf({ of: Number.isSafeInteger, text: isText }), ifSkipped: isText })
const fields: Readonly<Record<keyof RotationPlan, Fits>> = {
  kind: (value) => value === 'etcd-rbac rotation',
  purposes: (value) => Array.isArray(value) && value.length > 0 && new Set(value).size === value.length && value.every((one) => purposes.includes(one as (typeof purposes)[number])),
  old: authority,
  new: authority,
  members: (value) => listOf(isName)(value) && (value as readonly unknown[]).length > 0,
  holders: listOf(isName),
  before: bundle,
  crossSigned: (value) => value === undefined || read((pem) => readCertificate(readPem('certificate', pem as PemInput<'certificate'>)))(value),
  phases: (value) => listOf(phase)(value) && (value as readonly unknown[]).length === 4,
  warnings: listOf(isText),
}

/** Refuses a plan that `rotateCa` would not have made so. Its texts may be those of another release. */
export function checkPlan(plan: RotationPlan): void {
  const wrong = (reason: string): Error => rotationError(`a plan that is none: ${reason}`, 'what rotateCa returned, or JSON of it', 'plan again')
  const field = firstWrong(fields, plan)
  if (field !== undefined) throw wrong(field)
  const { old, new: next, members, holders, before, phases } = plan
  const [first, , , last] = phases as readonly [RotationPhase, RotationPhase, RotationPhase, RotationPhase]
  if (new Set([...members, ...holders]).size !== members.length + holders.length) throw wrong('a name that stands twice among members and holders')
  // Without hashing: each text stands twice, here and in the bundle of both.
  if (first.bundle.pem !== before.pem + last.bundle.pem || new Set([before.sha256, first.bundle.sha256, last.bundle.sha256]).size !== 3 || old.keyId === next.keyId) throw wrong('bundles that do not go together')
  const replaced = phases.flatMap((one) => one.steps.flatMap((each): readonly IssuanceRecord[] => (each.do === 'issue' ? [each.replaces] : [])))
  if (!replaced.every((record) => isOf(record, old))) throw wrong('certificates that the old authority did not issue')
  if (decided(phases) !== decided(phasesOf(plan, first.bundle, last.bundle, replaced, plan.crossSigned !== undefined))) throw wrong('phases that do not follow from its purposes, members, holders and bundles')
}

/** What phases decide, as one text: without words, whatever the order of their fields. */
function decided(phases: readonly RotationPhase[]): string {
  return JSON.stringify(phases, (name, value: unknown) => {
    if (name === 'text' || name === 'ifSkipped') return undefined
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value
  })
}

/** The first field of a table that is not as it must be. */
function firstWrong(wanted: Readonly<Record<string, Fits>>, value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'no table'
  const [found] = Object.entries(wanted).find(([name, fits]) => !fits((value as Readonly<Record<string, unknown>>)[name])) ?? []
  return found
}
