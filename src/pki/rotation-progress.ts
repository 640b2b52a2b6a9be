/** Where a change of authority is, by what its members and clients report: a pure function, so that it is resumed by asking again. */
import { EtcdRbacError, quoted } from '../errors.js'
import { someOf } from '../names.js'
import { checkPlan } from './checked-plan.js'
import { readCertificate } from './asn1/read-certificate.js'
import { readPem } from './pem.js'
import { firstOf, othersOf, verifiersOf, type RotationPhase, type RotationPhaseName, type RotationPlan, type RotationStep } from './rotation-plan.js'
import { certificatesOf, idOf, readReports, type RotationReport, type Trust } from './rotation-reports.js'

/** One phase, as far as it has come. */
export interface RotationPhaseProgress {
  readonly name: RotationPhaseName
  readonly done: number
  readonly of: number
  /** Who has not reported what the gate waits for: members and holders, or certificates in words. */
  readonly missing: readonly string[]
  /** Whether one may go on. */
  readonly open: boolean
  /** "2 of 3 report …" */
  readonly text: string
}

/** How far a change of authority has come. */
export interface RotationProgress {
  /** The first phase whose gate is closed. */
  readonly phase: RotationPhaseName | 'done'
  readonly phases: readonly RotationPhaseProgress[]
  /** Of the phase that one is in. */
  readonly missing: readonly string[]
  /** What is left to do in the phase that one is in, in order. */
  readonly next: readonly RotationStep[]
  /** What is refused somewhere at this time, and what cannot be told. */
  readonly warnings: readonly string[]
}

/**
 * Says in which phase of a plan one is, who is missing, and whether its gate is open. Who has not reported counts as missing, and a hash that is none
 * of the plan's says nothing.
 *
 * @param now When certificates count as expired: those of the old authority hold up nothing any more.
 * @throws {@link EtcdRbacError} `ERR_ROTATION_ORDER` where somebody has dropped the old authority while certificates of it are in use, as far as the reports and
 * the plan know; `ERR_ROTATION_INVALID` for a plan that is none; `ERR_RECORD_INVALID`, `ERR_PEM_INVALID`
 * @example
 * ```ts
 * import { createCa, days, generateKeyPair, rotateCa, rotationProgress } from 'etcd-rbac'
 * const now = new Date()
 * const authority = async (name: string) =>
 *   createCa(crypto, { name, signer: (await generateKeyPair(crypto, 'ecdsa-p256')).signer, validity: days(3650).from(now), issues: ['client'] })
 * const plan = await rotateCa(crypto, {
 *   purposes: ['client'], old: await authority('etcd-clients'), new: await authority('etcd-clients-2'), members: ['etcd-0', 'etcd-1', 'etcd-2'], records: [], now,
 * })
 * const both = plan.phases[0]?.bundle.sha256 ?? ''
 * const { phase, missing } = rotationProgress(plan, [{ holder: 'etcd-0', bundle: both }, { holder: 'etcd-1', bundle: plan.before.sha256, file: both }], now)
 * console.log(phase, missing.join()) // trust both etcd-2
 * ```
 */
export function rotationProgress(plan: RotationPlan, reports: readonly RotationReport[], now: Date): RotationProgress {
  if (!(now instanceof Date) || Number.isNaN(now.getTime())) throw new TypeError('the present must be a valid Date')
  checkPlan(plan)
  const { shown, trusted, files, strangers } = readReports(plan, reports)
  const verifiers = verifiersOf(plan)
  const certificates = certificatesOf(plan, shown, now)

  const dropped = verifiers.filter((name) => [trusted.get(name), files.get(name)].some((trust) => trust !== undefined && !trust.old))
  if (dropped.length > 0 && certificates.missing.length > 0)
    throw new EtcdRbacError(
      'ERR_ROTATION_ORDER',
      {
        found: `authority ${quoted(plan.old.name)} dropped by ${someOf(dropped)}, while ${certificates.missing.length} of its certificates are in use (${firstOf(certificates.missing)})`,
        wanted: 'all of them issued again first',
        fix: 'put the bundle of both back where it was dropped and restart there, one member at a time, then issue again',
      },
      { dropped, inUse: certificates.missing },
    )

  const lacking = (holds: (name: string) => boolean): readonly string[] => verifiers.filter((name) => !holds(name))
  const unloaded = lacking((name) => trusted.get(name)?.new === true)
  const missingOf: Readonly<Record<RotationPhaseName, readonly string[]>> = {
    'trust both': lacking((name) => files.get(name)?.new === true),
    'load both': unloaded,
    'reissue': certificates.missing,
    'drop old': lacking((name) => [trusted.get(name), files.get(name)].every((trust) => trust?.new === true && !trust.old)),
  }
  const phases = plan.phases.map((phase): RotationPhaseProgress => {
    const { name, gate } = phase
    const missing = missingOf[name]
    // Certificates that the plan does not know may have been seen.
    const of = name === 'reissue' ? Math.max(gate.of, certificates.known) : gate.of
    return { name, done: of - missing.length, of, missing, open: missing.length === 0, text: gate.text.replace(/^\d+ of \d+/, `${of - missing.length} of ${of}`) }
  })
  const at = phases.findIndex(({ open }) => !open)
  const [current, progress] = [plan.phases[at], phases[at]]
  const early = !crossSignedAt(plan, now) && unloaded.length > 0 && certificates.renewed.length > 0
  return {
    phase: current?.name ?? 'done',
    phases,
    missing: progress?.missing ?? [],
    next: current === undefined ? [] : leftOf(current, new Set(progress?.missing), files, certificates.left),
    warnings: [
      ...(early ? [`${firstOf(certificates.renewed)} of the new authority in use, which ${someOf(unloaded)} did not report to trust: refused there until then`] : []),
      ...(strangers.length > 0 ? [`bundles of ${someOf(strangers)} do not count: the plan does not ask who they trust`] : []),
      ...othersOf(plan, shown, now),
    ],
  }
}

/** Whether the cross-signed certificate leads those to the new authority at that time who trust the old one alone. */
function crossSignedAt({ crossSigned }: RotationPlan, now: Date): boolean {
  if (crossSigned === undefined) return false
  const { notBefore, notAfter } = readCertificate(readPem('certificate', crossSigned))
  return notBefore <= now && now <= notAfter
}

/** The steps that are left of a phase. */
function leftOf({ steps }: RotationPhase, missing: ReadonlySet<string>, files: ReadonlyMap<string, Trust>, left: ReadonlySet<string>): readonly RotationStep[] {
  return steps.filter((step) => {
    if (step.do === 'issue') return left.has(idOf(step.replaces))
    if (!missing.has(step.at)) return false
    const file = files.get(step.at)
    // Of the last phase, whose file is right already has only to be restarted.
    return step.do !== 'write' || file === undefined || file.old || !file.new
  })
}
