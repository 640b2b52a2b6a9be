/**
 * The one judge of a chain of certificates: from a leaf (or an authority) up to one that is trusted (RFC 5280 §6.1).
 *
 * What it accepts, Go (`crypto/x509`, with which etcd reads certificates) and OpenSSL (which Node's TLS is) accept. Where they differ it is as strict as the
 * stricter one: names are compared byte by byte and every authority counts for the path length, as in Go; key identifiers must fit, keyUsage must
 * be there, anyExtendedKeyUsage allows nothing of TLS, and a leaf's Common Name may be taken for a host, as in OpenSSL. Reads no PEM, knows no policy, and never throws for what a certificate says.
 */
import { compareBytes } from '../bytes.js'
import { quoted, type ErrorText } from '../errors.js'
import { signatureAlgorithmOf, signatureAlgorithms } from './asn1/algorithms.js'
import type { ExtendedUsage } from './asn1/certificate.js'
import { commonNamesOf } from './asn1/name.js'
import { CLIENT_AUTH, oidName, SERVER_AUTH } from './asn1/oids.js'
import { knownExtensions, type UnverifiedCertificate } from './asn1/read-certificate.js'
import { constrainedNames, forbiddenName, unjudged } from './name-constraints.js'
import type { Subtle } from './subtle.js'
import { verifySignature } from './verify-signature.js'

/** What is wrong with a chain. */
export type ChainProblemCode =
  | 'issuer-missing' | 'too-many-issuers' | 'signature' | 'algorithm' | 'version' | 'dates' | 'expired' | 'not-yet-valid' | 'authority-as-leaf' | 'not-an-authority' | 'path-length' | 'key-usage'
  | 'extended-key-usage' | 'key-identifier' | 'unknown-critical' | 'name-constraints'

/** One thing that is wrong, in the parts that a message is made of. */
export interface ChainProblem extends ErrorText {
  readonly code: ChainProblemCode
  /** Which certificate: its place in the path, 0 being the first. */
  readonly at: number
}

/** What is asked. */
export interface ChainQuestion {
  /** The certificate in question, then those that came with it. They are the candidates for issuers, in any order; a root among them is not trusted. */
  readonly chain: readonly [UnverifiedCertificate, ...UnverifiedCertificate[]]
  /** Those with which a path may end: roots, or, as Go allows, any authority. One of them is also trusted if it is itself the certificate in question. */
  readonly trusted: readonly UnverifiedCertificate[]
  /** What every certificate of the path must allow. None: not asked. */
  readonly usages: readonly ExtendedUsage[]
  /** Whether the first one is to be a leaf, or the authority that is to issue one. */
  readonly first: 'leaf' | 'authority'
  /** When it must be valid, authorities and roots included. Absent: dates are not looked at. */
  readonly now?: Date
}

/** The answer: no problem means that the chain is good. */
export interface ChainAnswer {
  /** From the first certificate up to one that is trusted; without it where none was reached. */
  readonly path: readonly UnverifiedCertificate[]
  /** All of them, the first certificate's first. */
  readonly problems: readonly ChainProblem[]
}

/** Bounds, so that certificates that all issue each other cost no more than their number: signatures that are verified, and certificates of a path. */
const MOST_SIGNATURES = 64
const MOST_CERTIFICATES = 10

const CERT_SIGN = 0x04
// digitalSignature for TLS 1.3 and ECDHE, keyEncipherment and keyAgreement as OpenSSL takes them for TLS 1.2.
const LEAF_USAGE = 0x80

/**
 * Judges a chain. Of several paths (authorities that signed each other, a root that was renewed), the first without problem, or the one with the fewest.
 *
 * Judged of every certificate: version 3, an accepted key, dates, critical extensions, extended key usages. Of every authority: basicConstraints, path length,
 * keyCertSign, name constraints against all that is below. Of every signature: an accepted algorithm, and that it is the issuer's; also that of a trusted
 * certificate that is its own issuer.
 */
export async function verifyChain(subtle: Subtle, question: ChainQuestion): Promise<ChainAnswer> {
  let best: ChainAnswer | undefined
  for (const found of await pathsOf(subtle, question)) {
    const problems = [...found.path.flatMap((certificate, at) => judge(certificate, at, found.path, question)), ...found.problems].toSorted((a, b) => a.at - b.at)
    if (problems.length === 0) return { path: found.path, problems }
    if (best === undefined || problems.length < best.problems.length) best = { path: found.path, problems }
  }
  return best ?? { path: [], problems: [] }
}

/** A certificate as messages call it. */
export function certificateName({ subject }: UnverifiedCertificate): string {
  return commonNamesOf(subject).slice(0, 4).map(quoted).join(' and ') || 'a certificate without Common Name'
}

export const selfIssued = ({ issuerDer, subjectDer }: UnverifiedCertificate): boolean => compareBytes(issuerDer, subjectDer) === 0

const same = (a: UnverifiedCertificate, b: UnverifiedCertificate): boolean => compareBytes(a.der, b.der) === 0

/** Every path to a trusted certificate, those by trusted issuers first; where there is none, the longest that was found, with what stopped it. */
async function pathsOf(subtle: Subtle, { chain: [first, ...others], trusted }: ChainQuestion): Promise<readonly ChainAnswer[]> {
  const ended: ChainAnswer[] = []
  const stopped: ChainAnswer[] = []
  let left = MOST_SIGNATURES
  const verified = async (certificate: UnverifiedCertificate, issuer: UnverifiedCertificate): Promise<ChainProblem['code'] | undefined> => {
    if (left-- <= 0) return 'too-many-issuers'
    const algorithm = signatureAlgorithmOf(certificate.signatureAlgorithm)
    if (algorithm === undefined || !issuer.publicKey.ok) return 'algorithm'
    return (await verifySignature(subtle, issuer.publicKey.key, algorithm, certificate.signed, certificate.signature)) ? undefined : 'signature'
  }
  const follow = async (path: readonly UnverifiedCertificate[], problems: readonly ChainProblem[]): Promise<void> => {
    const last = path.at(-1) ?? first
    const at = path.length - 1
    if (trusted.some((one) => same(one, last))) {
      const own = selfIssued(last) ? await verified(last, last) : undefined
      ended.push({ path, problems: own === undefined ? problems : [...problems, unsigned(own, last, last, at)] })
      return
    }
    // Of many keys under one name, those come first that the certificate names.
    const fits = (one: UnverifiedCertificate): number => (last.authorityKeyId !== undefined && one.subjectKeyId !== undefined && compareBytes(one.subjectKeyId, last.authorityKeyId) === 0 ? 0 : 1)
    const issuers = [...trusted, ...others].toSorted((a, b) => fits(a) - fits(b)).filter((one, index, all) => compareBytes(one.subjectDer, last.issuerDer) === 0 && !path.some((below) => same(below, one)) && all.findIndex((other) => same(other, one)) === index)
    if (issuers.length === 0 || path.length >= MOST_CERTIFICATES) stopped.push({ path, problems: [...problems, missing(last, at, trusted)] })
    for (const issuer of issuers) {
      const problem = await verified(last, issuer)
      // Another key of that name is no issuer; an algorithm that is refused here is found wrong, and the way goes on.
      if (problem === 'signature' || problem === 'too-many-issuers') stopped.push({ path, problems: [...problems, unsigned(problem, last, issuer, at)] })
      else await follow([...path, issuer], problem === undefined ? problems : [...problems, unsigned(problem, last, issuer, at)])
    }
  }
  await follow([first], [])
  if (ended.length > 0) return ended
  // What was not tried may be the way.
  const untried = stopped.filter(({ problems }) => problems.some(({ code }) => code === 'too-many-issuers'))
  return (untried.length > 0 ? untried : stopped).toSorted((a, b) => b.path.length - a.path.length).slice(0, 1)
}

function missing(last: UnverifiedCertificate, at: number, trusted: readonly UnverifiedCertificate[]): ChainProblem {
  const name = certificateName(last)
  const trust = trusted.map(certificateName).join(', ') || 'nothing'
  if (selfIssued(last)) return { code: 'issuer-missing', at, found: `${name}, which is its own issuer and not among what is trusted (${trust})`, wanted: 'a trusted root', fix: 'trust it, or pass the certificate of the right authority' }
  const above = commonNamesOf(last.issuer).map(quoted).join(' and ') || 'an authority without Common Name'
  return { code: 'issuer-missing', at, found: `${name}, issued by ${above}, which did not come with it and is not among what is trusted (${trust})`, wanted: 'the whole chain', fix: `put the certificate of ${above} behind it, or trust the right root` }
}

function unsigned(code: ChainProblem['code'], certificate: UnverifiedCertificate, issuer: UnverifiedCertificate, at: number): ChainProblem {
  const name = certificateName(certificate)
  if (code === 'signature') return { code, at, found: `the signature of ${name} is not by its issuer ${certificateName(issuer)}`, wanted: 'a valid one', fix: 'see whether the file was changed, or belongs to an older key of that authority' }
  if (code === 'too-many-issuers') return { code, at, found: `so many authorities are called ${certificateName(issuer)} that ${name} was not held against all of them`, wanted: `at most ${MOST_SIGNATURES} signatures to try`, fix: 'take out of the files those that are of no use' }
  // An issuer whose key is refused has that problem itself.
  const wanted = `one of ${Object.keys(signatureAlgorithms).join(', ')}`
  const algorithm = signatureAlgorithmOf(certificate.signatureAlgorithm)
  return { code, at, found: `${name} is signed with ${algorithm ?? oidName(certificate.signatureAlgorithm)}${algorithm === undefined ? '' : ', by a key that is refused'}`, wanted, fix: 'have it made again' }
}

function judge(certificate: UnverifiedCertificate, at: number, path: readonly UnverifiedCertificate[], question: ChainQuestion): readonly ChainProblem[] {
  const { now, usages } = question
  const { version, extensions, publicKey, notBefore, notAfter, extendedKeyUsage, keyUsage } = certificate
  const name = certificateName(certificate)
  const problems: ChainProblem[] = []
  const wrong = (code: ChainProblemCode, found: string, wanted: string, fix = 'have it made again'): unknown => problems.push({ code, at, found: `${name}: ${found}`, wanted, fix })

  if (version !== 3) wrong('version', `version ${version}`, 'version 3')
  if (!publicKey.ok) wrong('algorithm', `a key of ${publicKey.algorithm}`, publicKey.wanted, 'make a new key')
  const [from, until] = [notBefore.getTime(), notAfter.getTime()]
  if (!(from < until)) wrong('dates', 'a validity that ends before it begins', 'a readable validity')
  else if (now !== undefined && now.getTime() > until) wrong('expired', `expired at ${notAfter.toISOString()}`, `valid at ${now.toISOString()}`, at === 0 && question.first === 'leaf' ? 'renew it' : 'renew the authority, then what it issued')
  else if (now !== undefined && now.getTime() < from) wrong('not-yet-valid', `not valid before ${notBefore.toISOString()}`, `valid at ${now.toISOString()}`, 'correct the clock, or backdate it')
  const unknown = extensions.filter(({ oid, critical }) => critical && !knownExtensions.includes(oid))
  if (unknown.length > 0) wrong('unknown-critical', `critical extension ${unknown.map(({ oid }) => oidName(oid)).join(', ')}, which is not understood here`, 'none of unknown meaning')
  // That of an authority limits everything below it, in Go as in OpenSSL; anyExtendedKeyUsage allows everything in Go, and nothing of TLS in OpenSSL.
  const needed = usages.map((usage) => (usage === 'clientAuth' ? CLIENT_AUTH : SERVER_AUTH))
  if (extendedKeyUsage !== undefined) {
    const lacks = needed.filter((oid) => !extendedKeyUsage.includes(oid))
    if (lacks.length > 0) wrong('extended-key-usage', `extended key usage without ${lacks.map(oidName).join(', ')}`, at === 0 && question.first === 'leaf' ? usages.join(' and ') : 'none, or what the certificates below need')
  }
  // A root is its own issuer: OpenSSL looks for another one where it names another key.
  const above = path[at + 1] ?? (selfIssued(certificate) ? certificate : undefined)
  const differs = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean => a !== undefined && b !== undefined && compareBytes(a, b) !== 0
  if (differs(above?.subjectKeyId, certificate.authorityKeyId) || differs(above?.serial, certificate.authoritySerial))
    wrong('key-identifier', `the key identifier, or the serial number, of another issuer than ${certificateName(above ?? certificate)}`, 'those of its issuer', 'see whether the authority was made anew under its old name')

  if (at > 0 || question.first === 'authority') judgeAuthority(certificate, at, path, question.first, wrong)
  else if (certificate.basicConstraints?.ca === true) wrong('authority-as-leaf', 'an authority', 'a leaf: whoever holds its key could certify any user', 'issue a leaf certificate')
  else if (keyUsage !== undefined && (keyUsage & LEAF_USAGE) === 0) wrong('key-usage', 'keyUsage without digitalSignature', 'digitalSignature: TLS 1.3 signs with the key')
  return problems
}

function judgeAuthority(
  { basicConstraints, keyUsage, nameConstraints }: UnverifiedCertificate,
  at: number,
  path: readonly UnverifiedCertificate[],
  first: ChainQuestion['first'],
  wrong: (code: ChainProblemCode, found: string, wanted: string, fix?: string) => unknown,
): void {
  const another = 'pass the certificate of an authority, or make a new one'
  if (basicConstraints?.ca !== true) wrong('not-an-authority', 'not an authority', 'basicConstraints CA:TRUE', another)
  if (keyUsage === undefined || (keyUsage & CERT_SIGN) === 0) wrong('key-usage', 'it may not sign certificates', 'keyUsage with keyCertSign', another)
  const below = first === 'leaf' ? at - 1 : at
  const allowed = basicConstraints?.pathLength
  if (allowed !== undefined && allowed < below) wrong('path-length', `it allows ${allowed} authorities below it, and there ${below === 1 ? 'is 1' : `are ${below}`}`, `a path length of at least ${below}`, 'have it issue leaves itself, or make one of a greater path length')
  if (nameConstraints === undefined) return
  const kind = unjudged(nameConstraints)
  if (kind !== undefined) wrong('name-constraints', `it restricts ${kind}, which is not judged here`, 'nameConstraints of DNS names and addresses', another)
  for (const [place, certificate] of path.slice(0, at).entries()) {
    // OpenSSL takes the Common Name of the leaf alone for a host.
    const commonNames = place === 0 && first === 'leaf' ? commonNamesOf(certificate.subject) : []
    const name = forbiddenName(nameConstraints, constrainedNames(certificate.alternativeNames, commonNames))
    if (name !== undefined) wrong('name-constraints', `it does not permit ${quoted(name)}, for which ${certificateName(certificate)} is`, 'names within its nameConstraints', 'leave the name out, or have it issued by another authority')
  }
}
