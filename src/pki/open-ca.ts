/** Authorities that exist already, ours or others' (RFC 5280 §6.1.4: what makes a certificate an issuer's). */
import { compareBytes } from '../bytes.js'
import { EtcdRbacError, quoted } from '../errors.js'
import { checkFields } from '../known-fields.js'
import { nameProblem } from '../names.js'
import type { WebCryptoLike } from '../platform.js'
import { commonNamesOf, type NameAttribute } from './asn1/name.js'
import { COMMON_NAME } from './asn1/oids.js'
import { certificateError, readCertificate, type UnverifiedCertificate } from './asn1/read-certificate.js'
import { authorityOf, checkIssues, type Authority, type EachOnce, type Purpose } from './authority.js'
import { checkFipsSigner } from './create-ca.js'
import { checkFips, FIPS_KEYS, fipsProblem } from './fips.js'
import { keyIdOf } from './key-id.js'
import { keyMismatch, proveSigner } from './prove-signer.js'
import { readPem, readPemBlocks, writePem, type PemInput } from './pem.js'
import { checkSigner, type Signer } from './signer.js'
import { subtleOf } from './subtle.js'
import { selfIssued, verifyChain } from './verify-chain.js'

/** An authority to open. */
export interface OpenCaRequest<D extends Purpose> {
  /** Its certificate: one PEM block. */
  readonly certificate: PemInput<'certificate'>
  readonly signer: Signer
  /** What it issues. Not written in its certificate, so it is said again. */
  readonly issues: readonly D[]
  /** For an intermediate: every authority above it, from its issuer up to the root. PEM blocks, in this order. */
  readonly parents?: PemInput<'certificate'>
  /** When it is used: an authority that is expired or not yet valid then, or stands under such a one, is refused. Default: time is not looked at. */
  readonly now?: Date
  /** Its key, those above it, and every key that it certifies, are P-256, P-384, or RSA from 3072 bits. Default false. */
  readonly fips?: boolean
}

/**
 * Opens an authority. Checked, of it and of every authority above it: one certificate in strict DER, version 3, `CA:TRUE`, a path length that allows
 * what is below, keyCertSign, no unknown critical extension, no restriction of other names than DNS names and addresses, exactly one Common Name that
 * may be an authority's, an accepted key and hash, extended key usages (if any) that allow what is to be issued, and its issuer's signature, a root being
 * its own issuer. Then, that the signer has its key, by one signature over a fixed text.
 *
 * An intermediate is refused without the chain up to its root, since nothing else says that its issuer signed what it claims. Whether that root is the
 * one that etcd trusts is the caller's to know. Without `now`, time is not looked at: what it issues is held against the validity of the whole chain,
 * and against the name constraints of the whole chain.
 *
 * @throws {@link EtcdRbacError} `ERR_PEM_INVALID`, `ERR_DER_INVALID`, `ERR_CERTIFICATE_INVALID` with everything that is wrong with the chain,
 * `ERR_KEY_MISMATCH`, `ERR_PURPOSE_REFUSED`, `ERR_ALGORITHM_UNSUPPORTED`, `ERR_SIGNER_INVALID`, `ERR_CRYPTO_UNUSABLE`
 * @example
 * ```ts
 * import { openCa, openPrivateKey } from 'etcd-rbac'
 * declare const files: { certificate: string, key: string }
 * const { signer } = await openPrivateKey(crypto, files.key)
 * const clients = await openCa(crypto, { certificate: files.certificate, signer, issues: ['client'], now: new Date() })
 * ```
 */
export async function openCa<const D extends Purpose, const I extends readonly Purpose[] = readonly D[]>(
  crypto: WebCryptoLike,
  request: OpenCaRequest<D> & { readonly issues: EachOnce<I> },
): Promise<Authority<D>> {
  const subtle = subtleOf(crypto)
  checkFields(request, ['certificate', 'signer', 'issues', 'parents', 'now', 'fips'], 'options of openCa')
  const issues = checkIssues<D>(request.issues)
  const { now } = request
  if (now !== undefined && (!(now instanceof Date) || Number.isNaN(now.getTime()))) throw new TypeError('the present must be a valid Date')
  const fips = checkFips(request.fips)
  const signer = checkSigner(request.signer)
  if (fips) checkFipsSigner(signer)
  const own = readCertificate(readPem('certificate', request.certificate))
  const above = (request.parents === undefined ? [] : readPemBlocks('certificate', request.parents)).map(readCertificate)
  const chain = [own, ...above] as const
  const names = chain.map(({ subject }) => onlyCommonName(subject))
  const name = names[0] ?? ''
  checkOrder(chain, names)

  const usages = issues.every((purpose) => purpose === 'client') ? (['clientAuth'] as const) : (['clientAuth', 'serverAuth'] as const)
  const { problems } = await verifyChain(subtle, { chain, trusted: chain.slice(-1), usages, first: 'authority', ...(now === undefined ? {} : { now }) })
  if (problems.length > 0) {
    const all = (part: 'found' | 'wanted' | 'fix'): string => [...new Set(problems.map((problem) => problem[part]))].join('; ')
    throw certificateError(all('found'), all('wanted'), all('fix'))
  }
  if (fips) chain.forEach(checkFipsCertificate)
  if (compareBytes(own.publicKeyDer, signer.key.der) !== 0) throw keyMismatch(name)
  await proveSigner(subtle, signer, name)

  return authorityOf({
    crypto, signer, name, issues, fips,
    nameDer: own.subjectDer,
    certificateDer: own.der,
    keyId: own.subjectKeyId ?? (await keyIdOf(subtle, signer.key)),
    validity: validityOf(chain),
    pathLength: own.basicConstraints?.pathLength,
    room: roomOf(chain),
    constraints: own.nameConstraints,
    constraintsAbove: above.flatMap(({ nameConstraints }, index) => (nameConstraints === undefined ? [] : [{ authority: names[index + 1] ?? '', subtrees: nameConstraints }])),
    chainNames: names,
    above: above.map(({ der }) => writePem('certificate', der)),
  })
}

function onlyCommonName(attributes: readonly NameAttribute[]): string {
  const found = attributes.filter(({ type }) => type === COMMON_NAME)
  const name = found[0]?.value
  if (found.length !== 1 || name === undefined)
    throw certificateError(`its subject has ${found.length} readable Common Names`, 'exactly one: etcd v2 takes it for a username', 'make another authority')
  const problem = nameProblem('authority', name)
  if (problem !== undefined) throw certificateError(`its subject: ${problem.found}`, problem.wanted, 'make another authority')
  return name
}

/** Each is issued by the next, and the last is a root: nothing is left over, and nothing out of its place. */
function checkOrder(chain: readonly UnverifiedCertificate[], names: readonly string[]): void {
  for (const [index, link] of chain.entries()) {
    const [next, name] = [chain[index + 1], quoted(names[index] ?? '')]
    if (next === undefined) {
      if (selfIssued(link)) return
      const above = commonNamesOf(link.issuer).map(quoted).join(' and ') || 'its issuer'
      throw certificateError(`${name} is not a root, and its issuer is not there to verify it`, 'the whole chain', `pass as parents the certificates of ${above} and of whatever is above it, the root last`)
    }
    if (selfIssued(link)) throw certificateError(`${name} is a root`, 'no authority above it', 'pass the chain in order')
    if (compareBytes(link.issuerDer, next.subjectDer) !== 0) throw certificateError(`${name} is not issued by the next authority`, 'the chain in order', 'pass its issuer first')
  }
}

function checkFipsCertificate({ publicKey }: UnverifiedCertificate): void {
  const problem = publicKey.ok ? fipsProblem(publicKey.key) : undefined
  if (problem !== undefined)
    throw new EtcdRbacError('ERR_ALGORITHM_UNSUPPORTED', { found: `an authority with ${problem}`, wanted: FIPS_KEYS, fix: 'make another authority' }, { algorithm: publicKey.algorithm })
}

/** How many authorities may stand below the first: what each above allows, less those that stand there already. */
function roomOf(chain: readonly UnverifiedCertificate[]): number | undefined {
  const rooms = chain.flatMap(({ basicConstraints }, below) => (basicConstraints?.pathLength === undefined ? [] : [basicConstraints.pathLength - below]))
  return rooms.length === 0 ? undefined : Math.min(...rooms)
}

/** A leaf is valid only while every authority above it is. */
function validityOf(chain: readonly UnverifiedCertificate[]): { readonly notBefore: Date; readonly notAfter: Date } {
  const begins = Math.max(...chain.map(({ notBefore }) => notBefore.getTime()))
  const ends = Math.min(...chain.map(({ notAfter }) => notAfter.getTime()))
  return { notBefore: new Date(begins), notAfter: new Date(ends) }
}
