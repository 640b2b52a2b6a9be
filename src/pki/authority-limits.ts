/** What an authority does not certify, whatever it issues: names outside its constraints and those above it, and keys that the option `fips` does not take. */
import { EtcdRbacError, quoted } from '../errors.js'
import type { AlternativeName } from './asn1/certificate.js'
import type { PublicKey } from './asn1/public-key.js'
import type { AuthorityInside } from './authority.js'
import { FIPS_KEYS, fipsProblem } from './fips.js'
import { constrainedNames, forbiddenName } from './name-constraints.js'

/**
 * Holds what is about to be certified against the limits of an authority and of all above it.
 *
 * @throws {@link EtcdRbacError} `ERR_NAME_CONSTRAINTS`, `ERR_CSR_KEY`
 */
export function checkLimits(
  { constraints, fips }: AuthorityInside,
  { name, commonName, alternativeNames }: { readonly name: string; readonly commonName: string | undefined; readonly alternativeNames: readonly AlternativeName[] },
  key: PublicKey,
): void {
  const names = constrainedNames(alternativeNames, commonName === undefined ? [] : [commonName])
  for (const { authority, subtrees } of constraints) {
    const forbidden = forbiddenName(subtrees, names)
    if (forbidden !== undefined)
      throw new EtcdRbacError(
        'ERR_NAME_CONSTRAINTS',
        { found: `a certificate of ${quoted(name)} for ${quoted(forbidden)}, which authority ${quoted(authority)} is not permitted`, wanted: 'names within its name constraints', fix: 'leave the name out, or issue under another authority' },
        { name: forbidden, authority },
      )
  }
  const problem = fips ? fipsProblem(key) : undefined
  if (problem !== undefined) throw new EtcdRbacError('ERR_CSR_KEY', { found: `a CSR for ${quoted(name)} with ${problem}`, wanted: FIPS_KEYS, fix: 'have a new key made' }, { algorithm: key.algorithm, wanted: FIPS_KEYS })
}
