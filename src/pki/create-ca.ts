/** New certificate authorities: self-signed roots (RFC 5280 §4.2.1, §3.2). */
import { EtcdRbacError } from '../errors.js'
import { checkFields } from '../known-fields.js'
import { checkName } from '../names.js'
import type { WebCryptoLike } from '../platform.js'
import type { Subtrees } from './asn1/name-constraints.js'
import { commonNameOnly } from './asn1/name.js'
import { authorityOf, checkIssues, type Authority, type EachOnce, type Purpose } from './authority.js'
import { checkFips, FIPS_KEYS, fipsProblem } from './fips.js'
import { keyIdOf } from './key-id.js'
import { checkNameConstraints, type NameConstraints } from './name-constraints.js'
import { signAuthority } from './sign-authority.js'
import { checkSigner, type CheckedSigner, type Signer } from './signer.js'
import { subtleOf } from './subtle.js'
import { checkValidity, type Validity } from './validity.js'

/** What a new authority is. */
export interface CaRequest<D extends Purpose> {
  /** Its Common Name: at most 64 characters, and never a user's. Declare it in the policy's `authorities`. */
  readonly name: string
  /** Its private key, wherever it lives. */
  readonly signer: Signer
  /** Stated, never defaulted. Backdate it at least as far as the certificates that it is to issue. */
  readonly validity: Validity
  /** What it issues. One authority for each purpose is the safe way: whoever the peer listener accepts is root. */
  readonly issues: readonly D[]
  /** How many authorities may stand between it and a leaf. Default 0: it issues leaves only. 1 or more to have intermediates, or to cross-sign a successor. */
  readonly pathLength?: number
  /** The hosts to which it and everything below it are restricted. Critical. Default: none. */
  readonly nameConstraints?: NameConstraints
  /** Its key, and every key that it certifies, is P-256, P-384, or RSA from 3072 bits. Default false; under an authority that has it, always. */
  readonly fips?: boolean
}

/**
 * Makes a self-signed authority: a critical basicConstraints with a path length, a critical keyUsage of keyCertSign and cRLSign, no extended
 * key usage, key identifiers by SHA-256. Signs once, and verifies that signature, so that a wrong signer shows itself here.
 *
 * @throws {@link EtcdRbacError} `ERR_NAME_INVALID`, `ERR_VALIDITY_INVALID`, `ERR_PURPOSE_REFUSED`, `ERR_HOST_INVALID` for impossible name constraints,
 * `ERR_ALGORITHM_UNSUPPORTED`, `ERR_DER_INVALID`, `ERR_SIGNER_INVALID`, `ERR_KEY_MISMATCH`, `ERR_CRYPTO_UNUSABLE`
 * @example
 * ```ts
 * import { createCa, days, generateKeyPair } from 'etcd-rbac'
 * const { signer } = await generateKeyPair(crypto, 'ecdsa-p256')
 * const validity = days(3650).from(new Date(), { backdateMinutes: 60 })
 * const clients = await createCa(crypto, { name: 'etcd-clients', signer, validity, issues: ['client'] })
 * ```
 */
export async function createCa<const D extends Purpose, const I extends readonly Purpose[] = readonly D[]>(
  crypto: WebCryptoLike,
  request: CaRequest<D> & { readonly issues: EachOnce<I> },
): Promise<Authority<D>> {
  const subtle = subtleOf(crypto)
  const { name, validity, issues, pathLength, constraints, signer, fips } = checkCaRequest<D>(request)
  const keyId = await keyIdOf(subtle, signer.key)
  const nameDer = commonNameOnly(name)
  const certificateDer = await signAuthority({ crypto, subtle, name, nameDer, signer, keyId }, { nameDer, key: signer.key, keyId, validity, pathLength, constraints })
  return authorityOf({
    crypto, signer, name, nameDer, certificateDer, keyId, validity, issues, pathLength, constraints, fips,
    room: pathLength,
    constraintsAbove: [],
    chainNames: [name],
    above: [],
  })
}

/** What a request says, each part checked. */
export interface CheckedCaRequest<D extends Purpose> {
  readonly name: string
  readonly validity: Validity
  readonly issues: readonly D[]
  readonly pathLength: number
  readonly constraints: Subtrees | undefined
  readonly signer: CheckedSigner
  readonly fips: boolean
}

/** Checks what roots and intermediates have in common. */
export function checkCaRequest<D extends Purpose>(request: CaRequest<D>, inherited = false): CheckedCaRequest<D> {
  checkFields(request, ['name', 'signer', 'validity', 'issues', 'pathLength', 'nameConstraints', 'fips'], 'options of an authority')
  const name = checkName('authority', request.name)
  const validity = checkValidity(request.validity)
  const issues = checkIssues<D>(request.issues)
  const { pathLength = 0 } = request
  if (!Number.isInteger(pathLength) || pathLength < 0 || pathLength > 8) throw new TypeError('pathLength must be a whole number from 0 to 8')
  const constraints = request.nameConstraints === undefined ? undefined : checkNameConstraints(request.nameConstraints)
  const fips = checkFips(request.fips) || inherited
  const signer = checkSigner(request.signer)
  if (fips) checkFipsSigner(signer)
  return { name, validity, issues, pathLength, constraints, signer, fips }
}

/** @throws {@link EtcdRbacError} `ERR_ALGORITHM_UNSUPPORTED` */
export function checkFipsSigner({ key, signer }: CheckedSigner): void {
  const problem = fipsProblem(key, signer.algorithm)
  if (problem !== undefined) throw new EtcdRbacError('ERR_ALGORITHM_UNSUPPORTED', { found: `a signer with ${problem}`, wanted: FIPS_KEYS, fix: 'make another key' }, { algorithm: key.algorithm })
}
