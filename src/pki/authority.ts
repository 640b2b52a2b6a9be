/** A certificate authority that may issue: its certificate, its signer, and what of its certificates is always the same, encoded once. */
import { toHex } from '../bytes.js'
import type { Because } from '../because.js'
import { EtcdRbacError, quoted } from '../errors.js'
import type { WebCryptoLike } from '../platform.js'
import { leafExtensions, signedBy, type ExtendedUsage, type KeyUsageBit } from './asn1/certificate.js'
import type { Subtrees } from './asn1/name-constraints.js'
import { writePem, type CertificatePem } from './pem.js'
import type { CheckedSigner } from './signer.js'
import { subtleOf, type Subtle } from './subtle.js'
import type { Validity } from './validity.js'

/** What a certificate is for: a user towards etcd, a member towards clients, a member towards members. */
export type Purpose = 'client' | 'server' | 'peer'

/** `I` where it has at least one purpose and none twice; otherwise a type that says so. A list that is not known when compiling is left to run time. */
export type EachOnce<I extends readonly Purpose[]> = number extends I['length']
  ? I
  : I extends readonly []
    ? Because<'an authority issues at least one of client, server and peer: say which'>
    : I extends readonly [unknown]
      ? I
      : [RepeatedPurpose<I>] extends [never]
        ? I
        : Because<`'${RepeatedPurpose<I>}' stands twice in issues: write it once`>

/** The purposes that stand twice in a list, as far as its elements are known. */
export type RepeatedPurpose<I extends readonly unknown[]> = I extends readonly [infer First, ...infer Rest]
  ? { [P in Purpose]: [First] extends [P] ? { [K in keyof Rest]: [Rest[K]] extends [P] ? P : never }[number] : never }[Purpose] | RepeatedPurpose<Rest>
  : never

/** Every {@link Purpose}. */
export const purposes: readonly Purpose[] = ['client', 'server', 'peer']

/** The names to which an authority of a chain restricts what is below it. */
export interface ChainConstraints {
  readonly authority: string
  readonly subtrees: Subtrees
}

/** What was checked of an authority, and all that issuing reads of it: what shows could have been changed, or put over another. */
export interface AuthorityInside {
  readonly name: string
  readonly issues: readonly Purpose[]
  readonly validity: Validity
  readonly crypto: WebCryptoLike
  readonly subtle: Subtle
  readonly signer: CheckedSigner
  readonly keyId: Uint8Array
  readonly nameDer: Uint8Array
  readonly certificateDer: Uint8Array
  readonly signedBy: Uint8Array
  /** The intermediates that go behind each leaf, PEM. Empty under a root. */
  readonly intermediates: string
  /** The path length of its own certificate, if it has one. */
  readonly pathLength: number | undefined
  /** How many authorities may stand between it and a leaf, by its whole chain; `undefined` where nothing bounds it. */
  readonly room: number | undefined
  /** The names that its own certificate restricts it to. */
  readonly ownConstraints: Subtrees | undefined
  /** The same of its whole chain, its own first. */
  readonly constraints: readonly ChainConstraints[]
  /** Whether it takes only keys of the option `fips`. */
  readonly fips: boolean
  /** The certificates of the chain, its own first, the root last. */
  readonly path: readonly CertificatePem[]
  /** The Common Names of every authority above a leaf, the root included. */
  readonly chainNames: readonly string[]
  /** The constant extensions of a profile. */
  leafExtensions(usage: readonly KeyUsageBit[], extended: readonly ExtendedUsage[]): Uint8Array
}

/** Registered, so that an authority made by one copy of the library serves another. */
export const inside: unique symbol = Symbol.for('etcd-rbac.authority') as typeof inside

/**
 * An authority. `issues` says what it may issue, as the keys of a table, so that the compiler names the one that is missing: what a CA issues is not
 * written in its certificate. Made by `createCa`, `createIntermediateCa` and `openCa`; plain data but for what it signs with.
 */
export interface Authority<D extends Purpose = never> {
  /** Its Common Name. No user of the policy may have it. */
  readonly name: string
  /** Its own certificate: what its clients and servers must trust, if it is a root. */
  readonly certificate: CertificatePem
  /** The certificate of the root above it, its own if it is one: what everybody must trust. */
  readonly root: CertificatePem
  /** Every authority above it, the root last, PEM: the `parents` of `openCa`. Empty if it is a root. */
  readonly parents: string
  /** The key identifier that its certificates carry, lower-case hex. */
  readonly keyId: string
  readonly notBefore: Date
  readonly notAfter: Date
  readonly issues: Readonly<Record<D, true>>
  /** @internal */
  readonly [inside]: AuthorityInside
}

/** Puts an authority together from parts that were checked. */
export function authorityOf<D extends Purpose>(parts: {
  readonly crypto: WebCryptoLike
  readonly signer: CheckedSigner
  readonly name: string
  readonly nameDer: Uint8Array
  readonly certificateDer: Uint8Array
  readonly keyId: Uint8Array
  readonly validity: Validity
  readonly issues: readonly D[]
  readonly pathLength: number | undefined
  readonly room: number | undefined
  readonly constraints: Subtrees | undefined
  readonly constraintsAbove: readonly ChainConstraints[]
  readonly fips: boolean
  readonly chainNames: readonly string[]
  /** The certificates of the authorities above it, the root last. */
  readonly above: readonly CertificatePem[]
}): Authority<D> {
  const cache = new Map<string, Uint8Array>()
  const { notBefore, notAfter } = parts.validity
  const certificate = writePem('certificate', parts.certificateDer)
  const hidden: AuthorityInside = Object.freeze({
    name: parts.name,
    issues: Object.freeze([...parts.issues]),
    validity: { notBefore: new Date(notBefore), notAfter: new Date(notAfter) },
    crypto: parts.crypto,
    subtle: subtleOf(parts.crypto),
    signer: parts.signer,
    keyId: parts.keyId,
    nameDer: parts.nameDer,
    certificateDer: parts.certificateDer,
    signedBy: signedBy(parts.signer.signer.algorithm, parts.nameDer),
    intermediates: [certificate, ...parts.above].slice(0, -1).join(''),
    pathLength: parts.pathLength,
    room: parts.room,
    ownConstraints: parts.constraints,
    constraints: [...(parts.constraints === undefined ? [] : [{ authority: parts.name, subtrees: parts.constraints }]), ...parts.constraintsAbove],
    fips: parts.fips,
    path: [certificate, ...parts.above],
    chainNames: Object.freeze([...parts.chainNames]),
    leafExtensions(usage: readonly KeyUsageBit[], extended: readonly ExtendedUsage[]) {
      const key = [...usage, ...extended].join()
      const known = cache.get(key) ?? leafExtensions(usage, extended, parts.keyId)
      cache.set(key, known)
      return known
    },
  })
  const shown: Omit<Authority<D>, typeof inside> = {
    name: parts.name,
    certificate,
    root: parts.above.at(-1) ?? certificate,
    parents: parts.above.join(''),
    keyId: toHex(parts.keyId),
    notBefore,
    notAfter,
    issues: Object.freeze(Object.fromEntries(parts.issues.map((purpose) => [purpose, true])) as Record<D, true>),
  }
  // Not enumerable: printing or comparing an authority shows its data only.
  return Object.freeze(Object.defineProperty(shown, inside, { value: hidden })) as Authority<D>
}

/** What an authority is to issue: at least one known purpose, none twice. */
export function checkIssues<D extends Purpose>(issues: readonly D[]): readonly D[] {
  if (!Array.isArray(issues)) throw new TypeError(`issues must be a list of ${purposes.join(', ')}`)
  const list = issues as readonly D[]
  const texts = list.map(String)
  if (list.length === 0 || new Set(list).size !== list.length || !list.every((purpose) => purposes.includes(purpose)))
    throw new EtcdRbacError(
      'ERR_PURPOSE_REFUSED',
      { found: `an authority that issues ${texts.slice(0, 6).map(quoted).join(', ') || 'nothing'}`, wanted: `at least one of ${purposes.join(', ')}, each once`, fix: 'say what it issues' },
      { wanted: 'client, server or peer', issues: texts },
    )
  return list
}

/**
 * What is inside an authority that issues for a purpose. The compiler says the same first.
 *
 * @throws {@link EtcdRbacError} `ERR_PURPOSE_REFUSED`
 */
export function insideOf(authority: Authority, purpose: Purpose): AuthorityInside {
  const hidden = insideOfAny(authority)
  const { name, issues } = hidden
  if (!issues.includes(purpose))
    throw new EtcdRbacError(
      'ERR_PURPOSE_REFUSED',
      {
        found: `authority ${quoted(name)}, which issues for ${issues.join(', ')}`,
        wanted: `one that issues for ${purpose}`,
        fix: 'pass the right authority: whoever holds a certificate that the peer listener accepts is root',
      },
      { wanted: purpose, issues },
    )
  return hidden
}

/** What is inside an authority, whatever it issues. */
export function insideOfAny(authority: Authority): AuthorityInside {
  const given = authority as Partial<Authority> | null | undefined
  const hidden = given?.[inside]
  if (hidden === undefined) throw new TypeError('an authority must come from createCa, createIntermediateCa or openCa')
  return hidden
}
