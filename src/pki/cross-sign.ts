/** Authorities that another one vouches for (RFC 5280 §3.2): what a successor issues, for those who trust its predecessor only. */
import { EtcdRbacError, quoted } from '../errors.js'
import { checkFields } from '../known-fields.js'
import { insideOf, insideOfAny, type Authority, type Purpose } from './authority.js'
import { checkFipsSigner } from './create-ca.js'
import { checkRoom } from './create-intermediate-ca.js'
import { writePem, type CertificatePem } from './pem.js'
import { signAuthority } from './sign-authority.js'
import { checkLeafValidity, type Validity } from './validity.js'

/**
 * A certificate for the name and the key of `of`, signed by `by`. Put behind the leaves and intermediates of `of`, it leads those who trust only `by` to
 * them, while those who trust `of` pass it over. `by` must issue what `of` issues, and have room for an authority below it: etcd counts this one, also
 * where both have the same name, so a root that is to vouch for its successor one day wants `pathLength: 1`.
 *
 * It lives no longer than either, and is restricted to the names that `of` is restricted to. Whether what `of` issues fits the restrictions of `by` is
 * for those to see who verify by that way. An authority of the option `fips` vouches only for another of it.
 *
 * @throws {@link EtcdRbacError} `ERR_PURPOSE_REFUSED`, `ERR_VALIDITY_INVALID`, `ERR_ISSUE_REFUSED` for an authority that has no room, is vouched for by itself,
 * or stands under another that is restricted to names, or is not of the option `fips` where `by` is; `ERR_ALGORITHM_UNSUPPORTED`, `ERR_KEY_MISMATCH`, `ERR_SIGNER_INVALID`, `ERR_CRYPTO_UNUSABLE`
 * @example
 * ```ts
 * import { createCa, crossSign, days, generateKeyPair } from 'etcd-rbac'
 * const [before, after] = [await generateKeyPair(crypto, 'ecdsa-p256'), await generateKeyPair(crypto, 'ecdsa-p256')]
 * const validity = days(3650).from(new Date(), { backdateMinutes: 60 })
 * const old = await createCa(crypto, { name: 'etcd-clients', signer: before.signer, validity, issues: ['client'], pathLength: 1 })
 * const successor = await createCa(crypto, { name: 'etcd-clients-2', signer: after.signer, validity, issues: ['client'] })
 * const bridge = await crossSign(old, successor, { validity: days(30).from(new Date()) })
 * ```
 */
export async function crossSign<D extends Purpose>(by: Authority<NoInfer<D>>, of: Authority<D>, request: { readonly validity: Validity }): Promise<CertificatePem> {
  const [signing, signed] = [insideOfAny(by), insideOfAny(of)]
  checkFields(request, ['validity'], 'options of crossSign')
  for (const purpose of signed.issues) insideOf(by, purpose)
  const refuse = (found: string, wanted: string, fix: string, reason: string): never => {
    throw new EtcdRbacError('ERR_ISSUE_REFUSED', { found, wanted, fix }, { name: signed.name, reason })
  }
  if (signing.path[0] === signed.path[0]) refuse(`authority ${quoted(signed.name)}, to be signed by itself`, 'another one that vouches for it', 'pass its predecessor as the first', 'signed by itself')
  const restricting = signed.constraints.at(-1)
  if (restricting !== undefined && restricting.subtrees !== signed.ownConstraints)
    refuse(`authority ${quoted(signed.name)}, restricted to names by ${quoted(restricting.authority)} above it`, 'restrictions in its own certificate only: by another way, those above would not bind it', 'have that one signed', 'restricted from above')
  checkRoom(signing, 1)
  if (signing.fips) {
    checkFipsSigner(signed.signer)
    if (!signed.fips) refuse(`authority ${quoted(signed.name)}, which also certifies keys that fips does not take`, `one of the option fips, as ${quoted(signing.name)} is: what it issues stands below both`, 'make or open it with fips: true', 'not of the option fips')
  }
  const validity = checkLeafValidity(request.validity, { name: signing.name, ...signing.validity }, true)
  checkLeafValidity(validity, { name: signed.name, notBefore: validity.notBefore, notAfter: signed.validity.notAfter }, true)

  const room = signing.room === undefined ? [] : [signing.room - 1]
  const below = signed.pathLength === undefined ? [] : [signed.pathLength]
  const pathLength = room.length + below.length === 0 ? undefined : Math.min(...room, ...below)
  return writePem('certificate', await signAuthority(signing, { nameDer: signed.nameDer, key: signed.signer.key, keyId: signed.keyId, validity, pathLength, constraints: signed.ownConstraints }))
}
