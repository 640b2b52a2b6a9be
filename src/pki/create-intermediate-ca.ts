/** Authorities under another one (RFC 5280 §4.2.1.9): their keys sign every day, while that of the root stays in its safe. */
import { EtcdRbacError, quoted } from '../errors.js'
import { commonNameOnly } from './asn1/name.js'
import { authorityOf, insideOf, insideOfAny, type Authority, type AuthorityInside, type EachOnce, type Purpose } from './authority.js'
import { checkCaRequest, type CaRequest } from './create-ca.js'
import { keyIdOf } from './key-id.js'
import { proveSigner } from './prove-signer.js'
import { signAuthority } from './sign-authority.js'
import { checkLeafValidity } from './validity.js'

/**
 * Makes an authority under `parent`, which signs it. It issues some or all of what its parent issues, lives within the validity of the whole chain, and is
 * held to the name constraints of every authority above it and to its own. No extended key usage: etcd would hold it against every leaf below.
 *
 * What it issues has `chain`: the leaf, then the intermediates. What everybody must trust is the root: `root` of the result. To open it again, pass
 * `parents` of the result to `openCa`.
 *
 * @throws {@link EtcdRbacError} `ERR_ISSUE_REFUSED` where the parent may have no such authority below it, or has that name; otherwise as `createCa`
 * @example
 * ```ts
 * import { createCa, createIntermediateCa, days, generateKeyPair } from 'etcd-rbac'
 * const [top, below] = [await generateKeyPair(crypto, 'ecdsa-p384'), await generateKeyPair(crypto, 'ecdsa-p256')]
 * const validity = days(3650).from(new Date(), { backdateMinutes: 60 })
 * const root = await createCa(crypto, { name: 'etcd-root', signer: top.signer, validity, issues: ['client'], pathLength: 1 })
 * const clients = await createIntermediateCa(root, { name: 'etcd-clients', signer: below.signer, validity, issues: ['client'] })
 * console.log(clients.root === root.certificate) // true
 * ```
 */
export async function createIntermediateCa<const D extends Purpose, const I extends readonly Purpose[] = readonly D[]>(
  parent: Authority<NoInfer<D>>,
  request: CaRequest<D> & { readonly issues: EachOnce<I> },
): Promise<Authority<D>> {
  const above = insideOfAny(parent)
  const { name, issues, pathLength, constraints, signer, fips } = checkCaRequest<D>(request, above.fips)
  for (const purpose of issues) insideOf(parent, purpose)
  const validity = checkLeafValidity(request.validity, { name: above.name, ...above.validity }, true)
  checkRoom(above, pathLength + 1)
  if (above.chainNames.includes(name))
    throw new EtcdRbacError(
      'ERR_ISSUE_REFUSED',
      { found: `authority ${quoted(name)}, named like one above it`, wanted: 'a name of its own: it would look like a root', fix: 'choose another' },
      { name, reason: 'authority named like one above it' },
    )
  const { crypto, subtle } = above
  await proveSigner(subtle, signer, name)

  const keyId = await keyIdOf(subtle, signer.key)
  const nameDer = commonNameOnly(name)
  const certificateDer = await signAuthority(above, { nameDer, key: signer.key, keyId, validity, pathLength, constraints })
  return authorityOf({
    crypto, signer, name, nameDer, certificateDer, keyId, validity, issues, pathLength, constraints, fips,
    // Where nothing bounds what is above, or it allows more, its own bound is the one that counts.
    room: pathLength,
    constraintsAbove: above.constraints,
    chainNames: [name, ...above.chainNames],
    above: above.path,
  })
}

/**
 * Refuses an authority that may not have so many below it.
 *
 * @throws {@link EtcdRbacError} `ERR_ISSUE_REFUSED`
 */
export function checkRoom({ name, room }: AuthorityInside, needed: number): void {
  if (room !== undefined && room < needed)
    throw new EtcdRbacError(
      'ERR_ISSUE_REFUSED',
      {
        found: `authority ${quoted(name)}, which may have ${room} authorities between it and a leaf`,
        wanted: `room for ${needed}: etcd counts each of them, also one that only takes over`,
        fix: `ask for a smaller pathLength, or make the one above with pathLength ${needed} or more`,
      },
      { name, reason: 'path length' },
    )
}
