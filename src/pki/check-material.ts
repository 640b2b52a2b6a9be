/** Preflight: whether a certificate, its key and what it is verified by will do, before they are written to where etcd reads them. */
import { compareBytes } from '../bytes.js'
import { isEtcdRbacError, quoted, type ErrorText } from '../errors.js'
import { checkFields } from '../known-fields.js'
import type { WebCryptoLike } from '../platform.js'
import type { Policy } from '../policy/policy.js'
import { signatureAlgorithmOf } from './asn1/algorithms.js'
import type { ExtendedUsage } from './asn1/certificate.js'
import { ANY_EXTENDED_KEY_USAGE, SERVER_AUTH } from './asn1/oids.js'
import { readCertificate, type UnverifiedCertificate } from './asn1/read-certificate.js'
import { checkFips, FIPS_KEYS, fipsProblem } from './fips.js'
import type { KeyPair } from './generate-key-pair.js'
import type { MaterialCheck, MaterialFinding, MaterialFindingCode } from './material-check.js'
import { hostFindings, nameFindings } from './material-names.js'
import { openPrivateKey, type PrivateKeyInput } from './open-private-key.js'
import { pemLabels, readPemBlocks, readTrustedBlocks, type PemInput } from './pem.js'
import { profiles, serverProfile } from './profiles.js'
import { proveSigner } from './prove-signer.js'
import { checkSigner } from './signer.js'
import { subtleOf, type Subtle } from './subtle.js'
import { certificateName, selfIssued, verifyChain } from './verify-chain.js'

/**
 * Everything that is wrong with a certificate, its chain and its key, all at once; nothing, if etcd and its clients will take them. Checked: the key is that
 * of the leaf; the chain leads to what is trusted, for the purpose, at `now` (path lengths, extended key usages, critical extensions, name constraints,
 * dates, algorithms, signatures); the bundle is in order; the Common Name is the user, and nobody else's; no member and no authority is named like a user; the
 * hosts cover the URLs; a gateway has its URI and no Common Name; the key that etcd reads is plain PEM.
 *
 * What a certificate, key or URL says is never thrown, but found. Decides nothing about revocation: that is in no certificate.
 *
 * @throws {@link EtcdRbacError} `ERR_CRYPTO_UNUSABLE`
 * @example
 * ```ts
 * import { checkMaterial, definePolicy } from 'etcd-rbac'
 * declare const files: { chain: string, key: string, ca: string }
 * const policy = definePolicy({ users: { root: 'certificate' }, members: ['etcd-0'], authorities: ['etcd-servers'] })
 * const findings = await checkMaterial(crypto, {
 *   policy, now: new Date(), purpose: 'server', member: 'etcd-0', urls: ['https://10.0.0.10:2379'], certificate: files.chain, key: files.key, trusted: files.ca,
 * })
 * for (const { message, fix } of findings) console.warn(`${message}: ${fix}`)
 * ```
 */
export async function checkMaterial<const P extends Policy, const N extends string = string>(crypto: WebCryptoLike, check: MaterialCheck<P, N>): Promise<readonly MaterialFinding[]> {
  const subtle = subtleOf(crypto)
  // Its names are those of the policy: from here on they are only strings.
  const asked = check as unknown as MaterialCheck<Policy>
  const [usages, fips] = checkOptions(asked)
  const { now, key } = asked
  const findings: MaterialFinding[] = []
  const find = (code: MaterialFindingCode, { found, wanted, fix }: ErrorText): unknown => findings.push({ code, message: `${found}; wanted ${wanted}`, fix })

  const bundle = readBundle(asked.certificate, readCertificateBlocks, (message) => findings.push({ code: 'certificate-unreadable', message, fix: 'pass the certificate file: PEM, the leaf first, its intermediates behind it' }))
  const trusted = readBundle(asked.trusted, readTrustedBlocks, (message) => findings.push({ code: 'trusted-unreadable', message, fix: 'pass the CA file: the PEM of one root or several' }))
  const [leaf, ...others] = bundle
  if (key !== undefined && asked.purpose !== 'client') {
    const form = key instanceof Uint8Array ? 'in DER' : typeof key === 'string' && key.includes(`-----BEGIN ${pemLabels['encrypted private key']}-----`) ? 'encrypted' : undefined
    if (form !== undefined) find('key-form', { found: `a key that is ${form}`, wanted: 'plain PEM: etcd takes no passphrase, reads nothing else and exits ("failed to parse private key", "failed to find any PEM data")', fix: 'write what exportPkcs8 gives without passphrase, mode 0600' })
  }
  if (key !== undefined) await checkKey(crypto, subtle, key, { passphrase: asked.passphrase, fips }, bundle, find, (message) => findings.push({ code: 'key-unusable', message, fix: 'pass the private key of the leaf' }))
  if (leaf === undefined) {
    findings.push(...nameFindings(asked, undefined, []))
    return findings
  }

  const { path, problems } = await verifyChain(subtle, { chain: [leaf, ...others], trusted, usages, first: 'leaf', now })
  // Nothing leads to what could not be read.
  for (const problem of problems) if (trusted.length > 0 || problem.code !== 'issuer-missing') find(problem.code, problem)
  const root = path.at(-1)
  if (problems.every(({ code }) => !['issuer-missing', 'signature', 'too-many-issuers'].includes(code)) && root !== undefined && !selfIssued(root))
    find('trusted-not-root', { found: `${certificateName(root)} is trusted, and not a root`, wanted: 'a root: etcd takes any authority, Node and others that are built on OpenSSL do not', fix: 'trust the root above it, and put it behind the leaf' })
  const places = path.slice(1).map((one) => bundle.findIndex((other) => compareBytes(one.der, other.der) === 0)).filter((place) => place >= 0)
  if (places.some((place, index) => place < (places[index - 1] ?? 0))) find('bundle-order', { found: 'intermediates out of order', wanted: 'each behind the one that it issued (RFC 8446 §4.4.2)', fix: 'sort the bundle: the leaf first, the root last or left out' })
  if ((asked.purpose === 'client' || asked.purpose === 'gateway') && isWide(leaf))
    find('usage-too-wide', { found: `a certificate of ${asked.purpose === 'client' ? `user ${quoted(asked.user)}` : `gateway ${quoted(asked.uri)}`} that may serve`, wanted: 'clientAuth only: its holder could pose as a server', fix: 'issue it anew, with clientAuth alone' })
  if (fips) for (const one of path) for (const found of fipsFindings(one)) find('fips', { found, wanted: FIPS_KEYS, fix: 'make another key' })

  const authorities = [...path.slice(1), ...others].filter((one, index, all) => all.findIndex((other) => compareBytes(one.der, other.der) === 0) === index)
  findings.push(...nameFindings(asked, leaf, authorities))
  if (asked.purpose === 'server' || asked.purpose === 'peer') findings.push(...hostFindings(leaf, asked.urls))
  return findings
}

const particular = { client: ['user'], server: ['member', 'urls', 'gateway'], peer: ['member', 'urls', 'gateway'], gateway: ['uri'] } as const

function checkOptions(check: MaterialCheck<Policy>): readonly [readonly ExtendedUsage[], boolean] {
  const given = check as unknown as Readonly<Record<string, unknown>> | null | undefined
  if (typeof given !== 'object' || given === null) throw new TypeError('what is to be checked must be a table: policy, now, purpose, certificate, trusted and more')
  const { policy, now, purpose, key, passphrase, urls } = given
  if (typeof purpose !== 'string' || !Object.hasOwn(particular, purpose)) throw new TypeError("purpose must be 'client', 'server', 'peer' or 'gateway'")
  checkFields(check, ['policy', 'now', 'certificate', 'key', 'passphrase', 'trusted', 'fips', 'purpose', ...particular[check.purpose]], 'options of checkMaterial')
  if (!(now instanceof Date) || Number.isNaN(now.getTime())) throw new TypeError('the present must be a valid Date')
  const { users, members, authorities } = (policy ?? {}) as Partial<Policy>
  if (typeof users !== 'object' || !Array.isArray(members) || !Array.isArray(authorities)) throw new TypeError('policy must be a policy')
  for (const name of ['user', 'member', 'uri'] as const)
    if ((particular[check.purpose] as readonly string[]).includes(name) && typeof given[name] !== 'string') throw new TypeError(`${name} must be a string`)
  if (urls !== undefined && !(Array.isArray(urls) && urls.every((url) => typeof url === 'string'))) throw new TypeError('urls must be a list of strings')
  if (passphrase !== undefined && typeof passphrase !== 'string') throw new TypeError('a passphrase must be a string')
  if (key !== undefined && typeof key !== 'string' && !(key instanceof Uint8Array) && !(typeof key === 'object' && key !== null && 'signer' in key)) throw new TypeError('key must be PEM, DER or a key pair')
  const profile = check.purpose === 'server' ? serverProfile(check.gateway) : check.purpose === 'peer' ? profiles.peer : profiles.client
  return [profile.usages, checkFips(check.fips)]
}

const readCertificateBlocks = (pem: PemInput<'certificate'>): readonly Uint8Array[] => readPemBlocks('certificate', pem)

function readBundle(pem: PemInput<'certificate'>, blocks: typeof readCertificateBlocks, unreadable: (message: string) => unknown): readonly UnverifiedCertificate[] {
  const read: UnverifiedCertificate[] = []
  try {
    for (const der of blocks(pem)) read.push(readCertificate(der))
    if (read.length === 0) unreadable('no PEM block; wanted at least one certificate')
  } catch (error) {
    if (!isEtcdRbacError(error)) throw error
    unreadable(`certificate ${read.length + 1}: ${error.message}`)
  }
  return read
}

async function checkKey(
  crypto: WebCryptoLike,
  subtle: Subtle,
  key: PrivateKeyInput | KeyPair,
  { passphrase, fips }: { readonly passphrase: string | undefined; readonly fips: boolean },
  bundle: readonly UnverifiedCertificate[],
  find: (code: MaterialFindingCode, text: ErrorText) => unknown,
  unusable: (message: string) => unknown,
): Promise<void> {
  try {
    const isFile = typeof key === 'string' || key instanceof Uint8Array
    const pair = isFile ? await openPrivateKey(crypto, key, { fips, ...(passphrase === undefined ? {} : { passphrase }) }) : key
    const checked = checkSigner(pair.signer)
    if (!isFile) await proveSigner(subtle, checked, 'private key')
    const [leaf] = bundle
    const place = bundle.findIndex(({ publicKeyDer }) => compareBytes(publicKeyDer, checked.key.der) === 0)
    if (leaf === undefined || place === 0) return
    const fix = place > 0 ? `it is that of certificate ${place + 1} of the bundle: put that one first` : 'see whether the files belong together'
    find('key-mismatch', { found: `a key that is not that of ${certificateName(leaf)}`, wanted: 'the private key of the leaf', fix })
  } catch (error) {
    if (!isEtcdRbacError(error) || error.code === 'ERR_CRYPTO_UNUSABLE') throw error
    unusable(error.message)
  }
}

/** No extended key usage allows everything. */
function isWide({ extendedKeyUsage }: UnverifiedCertificate): boolean {
  return extendedKeyUsage === undefined || extendedKeyUsage.includes(SERVER_AUTH) || extendedKeyUsage.includes(ANY_EXTENDED_KEY_USAGE)
}

function fipsFindings(certificate: UnverifiedCertificate): readonly string[] {
  const { publicKey } = certificate
  // What is refused anyway has been found already.
  const problem = publicKey.ok && signatureAlgorithmOf(certificate.signatureAlgorithm) !== undefined ? fipsProblem(publicKey.key) : undefined
  return problem === undefined ? [] : [`${certificateName(certificate)}: ${problem}`]
}
