/** The two authorities of a change, read and held against each other. */
import { compareBytes, toHex } from '../bytes.js'
import { quoted } from '../errors.js'
import { takeFields } from '../known-fields.js'
import { nameProblem } from '../names.js'
import { signatureAlgorithmOf } from './asn1/algorithms.js'
import { commonNamesOf } from './asn1/name.js'
import { readCertificate, type UnverifiedCertificate } from './asn1/read-certificate.js'
import type { Authority, Purpose } from './authority.js'
import { keyIdOf } from './key-id.js'
import { readPem, readPemBlocks, writePem, type PemInput } from './pem.js'
import { rotationError, type RotationAuthority } from './rotation-plan.js'
import type { Subtle } from './subtle.js'
import { verifyChain, type ChainProblemCode } from './verify-chain.js'
import { verifySignature } from './verify-signature.js'

/** An authority that comes or goes: an `Authority` fits where it is a root. */
export interface RotatingAuthority {
  /** The certificate of the authority that issues. */
  readonly certificate: PemInput<'certificate'>
  /** What verifiers trust for it: of an intermediate the root above it. Default: the certificate itself. */
  readonly trusted?: PemInput<'certificate'>
  /** Authorities that stand between both, of an intermediate below another one. Default none. */
  readonly parents?: PemInput<'certificate'>
}

/** An authority that was read. */
export interface ReadRotating {
  readonly shown: RotationAuthority
  readonly certificate: UnverifiedCertificate
  readonly trusted: readonly UnverifiedCertificate[]
  readonly parents: readonly UnverifiedCertificate[]
  /** What an `Authority` issues; otherwise nobody knows. */
  readonly issues: Authority<Purpose>['issues'] | undefined
}

/** Its fields, and those that an `Authority` has besides. */
const FIELDS = ['certificate', 'trusted', 'name', 'root', 'parents', 'keyId', 'notBefore', 'notAfter', 'issues'] as const satisfies readonly (keyof (RotatingAuthority & Authority))[]

/** Reads an authority and what is trusted for it. */
export async function readRotating(subtle: Subtle, given: RotatingAuthority, which: 'old' | 'new'): Promise<ReadRotating> {
  const { certificate: pem, trusted: above, parents = '', issues } = takeFields(given as RotatingAuthority & Partial<Authority<Purpose>>, FIELDS, `the fields of the ${which} authority`)
  const certificate = readCertificate(readPem('certificate', pem))
  const trusted = above === undefined ? [certificate] : readPemBlocks('certificate', above).map(readCertificate)
  const commonNames = commonNamesOf(certificate.subject)
  const named = `the ${which} authority ${commonNames.map(quoted).join(' and ')}`
  if (commonNames.length !== 1) throw rotationError(`${named || 'no name'} of ${commonNames.length} Common Names`, 'exactly one', 'pass the certificate of an authority')
  const problem = which === 'new' ? nameProblem('authority', commonNames[0] ?? '') : undefined
  if (problem !== undefined) throw rotationError(problem.found, problem.wanted, 'make another authority')
  if (![certificate, ...trusted].every(({ basicConstraints }) => basicConstraints?.ca === true))
    throw rotationError(`${named} with a certificate that is no authority's`, 'basicConstraints CA:TRUE', 'see whether the right file was passed')
  if (!certificate.publicKey.ok) throw rotationError(`${named} with a key of ${certificate.publicKey.algorithm}`, certificate.publicKey.wanted, 'make another authority')
  // Go would take an intermediate for an end of the chain, Node and OpenSSL would not.
  if (above === undefined && compareBytes(certificate.issuerDer, certificate.subjectDer) !== 0)
    throw rotationError(`${named}, which is not a root`, 'what verifiers trust', 'pass the root above it as trusted')
  if (trusted.length === 0) throw rotationError(`${named}, for which nothing is trusted`, 'at least one certificate', 'leave trusted away, or fill it')
  const keyId = toHex(certificate.subjectKeyId ?? (await keyIdOf(subtle, certificate.publicKey.key)))
  return { shown: { name: commonNames[0] ?? '', keyId, notAfter: certificate.notAfter.toISOString() }, certificate, trusted, parents: readPemBlocks('certificate', parents).map(readCertificate), issues }
}

/** What is trusted of both, old first: two keys, below two roots, the new one living. */
export function checkApart(old: ReadRotating, next: ReadRotating, now: Date): readonly UnverifiedCertificate[] {
  const same = (a: UnverifiedCertificate, b: UnverifiedCertificate): boolean => compareBytes(a.publicKeyDer, b.publicKeyDer) === 0
  if (old.shown.keyId === next.shown.keyId || same(old.certificate, next.certificate))
    throw rotationError(
      `two certificates of one key, ${quoted(old.shown.name)}`, 'a new key',
      'to renew the certificate of an authority, put the new one in its place and restart the members one at a time: what it issued stays valid',
    )
  if (old.trusted.some((one) => next.trusted.some((other) => same(one, other))))
    throw rotationError('one root above both authorities', 'another root', 'verifiers trust both already: issue everything again, nothing else changes')
  if (![next.certificate, ...next.trusted].every(({ notAfter }) => notAfter.getTime() > now.getTime()))
    throw rotationError(`the new authority ${quoted(next.shown.name)}, which has expired`, 'one that is valid', 'make another authority')
  return [...old.trusted, ...next.trusted]
}

/** What makes an authority one that what is trusted does not lead to. What else is wrong with the old one may be why it is replaced. */
const UNLED: readonly ChainProblemCode[] = ['issuer-missing', 'too-many-issuers', 'signature']

/**
 * What is trusted of each leads to it, or who has that bundle accepts nothing that the authority issued; and the new one is in order, for these purposes.
 */
export async function checkLeads(subtle: Subtle, old: ReadRotating, next: ReadRotating, purposes: readonly Purpose[], now: Date): Promise<void> {
  const lacks = purposes.filter((purpose) => next.issues !== undefined && !Object.hasOwn(next.issues, purpose))
  if (lacks.length > 0) throw rotationError(`the new authority ${quoted(next.shown.name)}, which does not issue for ${lacks.join(', ')}`, `one that issues for ${purposes.join(', ')}`, 'pass the right authority, or open it for these purposes')
  const usages = [...(purposes.some((purpose) => purpose !== 'server') ? (['clientAuth'] as const) : []), ...(purposes.some((purpose) => purpose !== 'client') ? (['serverAuth'] as const) : [])]
  for (const [side, which, asked] of [[next, 'new', { usages, now }], [old, 'old', { usages: [] }]] as const) {
    const { problems } = await verifyChain(subtle, { chain: [side.certificate, ...side.parents], trusted: side.trusted, first: 'authority', ...asked })
    const wrong = problems.filter(({ code }) => which === 'new' || UNLED.includes(code))
    const all = (part: 'found' | 'wanted' | 'fix'): string => [...new Set(wrong.map((problem) => problem[part]))].join('; ')
    if (wrong.length > 0) throw rotationError(`the ${which} authority ${quoted(side.shown.name)}, with a fault: ${all('found')}`, all('wanted'), all('fix'))
  }
}

/** The cross-signed certificate, if it is the new authority's, signed by the old one, who may have an authority below it, and not over. */
export async function checkCrossSigned(subtle: Subtle, pem: PemInput<'certificate'>, old: UnverifiedCertificate, next: UnverifiedCertificate, now: Date): Promise<string> {
  const cross = readCertificate(readPem('certificate', pem))
  const wrong = (found: string, wanted: string): Error => rotationError(`a cross-signed certificate ${found}`, wanted, 'make it by crossSign(old, new, …), or leave it away')
  if (compareBytes(cross.publicKeyDer, next.publicKeyDer) !== 0 || compareBytes(cross.subjectDer, next.subjectDer) !== 0) throw wrong('of another authority', 'the name and key of the new one')
  const algorithm = signatureAlgorithmOf(cross.signatureAlgorithm)
  const signed = algorithm !== undefined && old.publicKey.ok && (await verifySignature(subtle, old.publicKey.key, algorithm, cross.signed, cross.signature))
  if (!signed || compareBytes(cross.issuerDer, old.subjectDer) !== 0) throw wrong('that the old authority did not sign', "the old one's name and signature")
  if (cross.basicConstraints?.ca !== true) throw wrong("that is no authority's", 'basicConstraints CA:TRUE')
  if (old.basicConstraints?.pathLength === 0) throw wrong('under an old authority of path length 0', 'a path length that allows one below it: every verifier refuses the chain otherwise')
  if (!(now.getTime() <= cross.notAfter.getTime())) throw wrong(`that has expired at ${cross.notAfter.toISOString()}`, 'one that is valid')
  return writePem('certificate', cross.der)
}
