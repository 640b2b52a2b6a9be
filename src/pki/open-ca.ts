/** Authorities that exist already, ours or others' (RFC 5280 §6.1.4: what makes a certificate an issuer's). */
import { compareBytes } from '../bytes.js'
import { quoted } from '../errors.js'
import { nameProblem } from '../names.js'
import type { WebCryptoLike } from '../platform.js'
import { signatureAlgorithmOf, signatureAlgorithms } from './asn1/algorithms.js'
import { commonNamesOf, type NameAttribute } from './asn1/name.js'
import { ANY_EXTENDED_KEY_USAGE, CLIENT_AUTH, COMMON_NAME, NAME_CONSTRAINTS, oidName, SERVER_AUTH } from './asn1/oids.js'
import type { PublicKey } from './asn1/public-key.js'
import { certificateError, knownExtensions, readCertificate, type UnverifiedCertificate } from './asn1/read-certificate.js'
import { authorityOf, checkIssues, type Authority, type EachOnce, type Purpose } from './authority.js'
import { keyIdOf } from './key-id.js'
import { keyMismatch, proveSigner } from './prove-signer.js'
import { readPem, readPemBlocks, writePem, type PemInput } from './pem.js'
import { checkSigner, type Signer } from './signer.js'
import { subtleOf, type Subtle } from './subtle.js'
import { verifySignature } from './verify-signature.js'

/** An authority to open. */
export interface OpenCaRequest<D extends Purpose> {
  /** Its certificate: one PEM block. */
  readonly certificate: PemInput<'certificate'>
  readonly signer: Signer
  /** What it issues. Not written in its certificate, so it is said again. */
  readonly issues: readonly D[]
  /** For an intermediate: every authority above it, from its issuer up to the root. PEM blocks, in this order. */
  readonly parents?: PemInput<'certificate'>
}

const CERT_SIGN = 0x04

/**
 * Opens an authority. Checked, of it and of every authority above it: one certificate in strict DER, version 3, `CA:TRUE`, a path length that allows
 * what is below, keyCertSign, no restriction of names, no unknown critical extension, exactly one Common Name that may be an authority's, an accepted
 * key and hash, extended key usages (if any) that allow what is to be issued, and its issuer's signature, a root being its own issuer. Then, that the
 * signer has its key, by one signature over a fixed text.
 *
 * An intermediate is refused without the chain up to its root, since nothing else says that its issuer signed what it claims. Whether that root is the
 * one that etcd trusts is the caller's to know. Time is not looked at: what it issues is held against the validity of the whole chain.
 *
 * @throws {@link EtcdRbacError} `ERR_PEM_INVALID`, `ERR_DER_INVALID`, `ERR_CERTIFICATE_INVALID`, `ERR_KEY_MISMATCH`, `ERR_PURPOSE_REFUSED`,
 * `ERR_ALGORITHM_UNSUPPORTED`, `ERR_SIGNER_INVALID`, `ERR_CRYPTO_UNUSABLE`
 * @example
 * ```ts
 * import { openCa, openPrivateKey } from 'etcd-rbac'
 * declare const files: { certificate: string, key: string }
 * const { signer } = await openPrivateKey(crypto, files.key)
 * const clients = await openCa(crypto, { certificate: files.certificate, signer, issues: ['client'] })
 * ```
 */
export async function openCa<const D extends Purpose, const I extends readonly Purpose[] = readonly D[]>(
  crypto: WebCryptoLike,
  request: OpenCaRequest<D> & { readonly issues: EachOnce<I> },
): Promise<Authority<D>> {
  const subtle = subtleOf(crypto)
  const issues = checkIssues<D>(request.issues)
  const signer = checkSigner(request.signer)
  const own = await readAuthority(readPem('certificate', request.certificate))
  const parents = await Promise.all((request.parents === undefined ? [] : readPemBlocks('certificate', request.parents)).map(readAuthority))
  const chain = [own, ...parents]
  checkEnd(chain.at(-1) ?? own)
  for (const link of chain) checkExtendedUsage(link, issues)
  for (const [index, link] of chain.entries()) await checkLink(subtle, link, chain[index + 1], index)
  if (compareBytes(own.certificate.publicKeyDer, signer.key.der) !== 0) throw keyMismatch(own.name)
  await proveSigner(subtle, signer, own.name)

  const keyId = own.certificate.subjectKeyId ?? (await keyIdOf(subtle, signer.key))
  return authorityOf({
    crypto,
    signer,
    name: own.name,
    nameDer: own.certificate.subjectDer,
    certificateDer: own.certificate.der,
    keyId,
    validity: validityOf(chain),
    issues,
    intermediates: chain.filter(({ certificate }) => !selfIssued(certificate)).map(({ certificate }) => writePem('certificate', certificate.der)).join(''),
    chainNames: chain.map(({ name }) => name),
  })
}

interface ReadAuthority {
  readonly certificate: UnverifiedCertificate
  readonly name: string
  readonly key: PublicKey
}

const selfIssued = ({ issuerDer, subjectDer }: UnverifiedCertificate): boolean => compareBytes(issuerDer, subjectDer) === 0

async function readAuthority(der: Uint8Array): Promise<ReadAuthority> {
  const certificate = await readCertificate(der)
  const { version, basicConstraints, keyUsage, extensions, publicKey, notBefore, notAfter } = certificate
  const name = onlyCommonName(certificate.subject)
  const wrong = (reason: string, wanted: string) => certificateError(`${quoted(name)}: ${reason}`, wanted, 'pass the certificate of an authority, or make a new one')
  if (version !== 3) throw wrong(`version ${version}`, 'version 3')
  if (basicConstraints?.ca !== true) throw wrong('not an authority', 'basicConstraints CA:TRUE')
  if (keyUsage === undefined || (keyUsage & CERT_SIGN) === 0) throw wrong('it may not sign certificates', 'keyUsage with keyCertSign')
  // Also where it is not critical: whoever verifies a chain and knows the extension holds it against the names below.
  if (extensions.some(({ oid }) => oid === NAME_CONSTRAINTS)) throw wrong('nameConstraints', 'none: they are not held against what is issued here')
  const unknown = extensions.find(({ oid, critical }) => critical && !knownExtensions.includes(oid))
  if (unknown !== undefined) throw wrong(`critical extension ${oidName(unknown.oid)}, which is not understood here`, 'none that restricts what it may issue')
  if (!publicKey.ok) throw wrong(`a key of ${publicKey.algorithm}`, publicKey.wanted)
  if (!(notBefore.getTime() < notAfter.getTime())) throw wrong('a validity that ends before it begins', 'a readable validity')
  return { certificate, name, key: publicKey.key }
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

/** The chain ends with a root. */
function checkEnd({ certificate, name }: ReadAuthority): void {
  if (selfIssued(certificate)) return
  const above = commonNamesOf(certificate.issuer).map(quoted).join(' and ') || 'its issuer'
  throw certificateError(`${quoted(name)} is not a root, and its issuer is not there to verify it`, 'the whole chain', `pass as parents the certificates of ${above} and of whatever is above it, the root last`)
}

/** An extended key usage of an authority limits everything below it, in Go as in OpenSSL. */
function checkExtendedUsage({ certificate: { extendedKeyUsage }, name }: ReadAuthority, issues: readonly Purpose[]): void {
  if (extendedKeyUsage === undefined || extendedKeyUsage.includes(ANY_EXTENDED_KEY_USAGE)) return
  const needed = issues.every((purpose) => purpose === 'client') ? [CLIENT_AUTH] : [CLIENT_AUTH, SERVER_AUTH]
  const missing = needed.filter((oid) => !extendedKeyUsage.includes(oid))
  if (missing.length > 0) throw certificateError(`${quoted(name)}: extended key usage without ${missing.map(oidName).join(', ')}`, 'none, or what its certificates need', 'make another authority')
}

/** A root signs itself; an intermediate is signed by the next of the chain. */
async function checkLink(subtle: Subtle, { certificate, name }: ReadAuthority, next: ReadAuthority | undefined, below: number): Promise<void> {
  const pathLength = certificate.basicConstraints?.pathLength
  if (pathLength !== undefined && pathLength < below) throw certificateError(`${quoted(name)} allows ${pathLength} authorities below it`, `${below}`, 'pass the right chain')
  const isRoot = selfIssued(certificate)
  if (isRoot && next !== undefined) throw certificateError(`${quoted(name)} is a root`, 'no authority above it', 'pass the chain in order')
  const issuer = isRoot ? certificate : next?.certificate
  if (issuer === undefined || compareBytes(certificate.issuerDer, issuer.subjectDer) !== 0)
    throw certificateError(`${quoted(name)} is not issued by the next authority`, 'the chain in order', 'pass its issuer first')
  const algorithm = signatureAlgorithmOf(certificate.signatureAlgorithm)
  if (algorithm === undefined)
    throw certificateError(`${quoted(name)} is signed with ${oidName(certificate.signatureAlgorithm)}`, `one of ${Object.keys(signatureAlgorithms).join(', ')}`, 'make another authority')
  const valid = issuer.publicKey.ok && (await verifySignature(subtle, issuer.publicKey.key, algorithm, certificate.signed, certificate.signature))
  if (!valid) throw certificateError(`the signature of ${quoted(name)} is not by its issuer`, 'a valid one', 'see whether the file was changed')
}

/** A leaf is valid only while every authority above it is. */
function validityOf(chain: readonly ReadAuthority[]): { readonly notBefore: Date; readonly notAfter: Date } {
  const begins = Math.max(...chain.map(({ certificate }) => certificate.notBefore.getTime()))
  const ends = Math.min(...chain.map(({ certificate }) => certificate.notAfter.getTime()))
  return { notBefore: new Date(begins), notAfter: new Date(ends) }
}
