/** The object identifiers of X.509 that are read or written here, by name. Dotted, as data; encoded where they are written. */

/** Attributes of a distinguished name (X.520). */
export const COMMON_NAME = '2.5.4.3'

/** Extensions (RFC 5280 §4.2). */
export const SUBJECT_KEY_IDENTIFIER = '2.5.29.14'
export const KEY_USAGE = '2.5.29.15'
export const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'
export const BASIC_CONSTRAINTS = '2.5.29.19'
export const NAME_CONSTRAINTS = '2.5.29.30'
export const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35'
export const EXTENDED_KEY_USAGE = '2.5.29.37'

/** Extensions of revocation lists (RFC 5280 §5.2) and of their entries (§5.3). */
export const CRL_NUMBER = '2.5.29.20'
export const REASON_CODE = '2.5.29.21'
export const INVALIDITY_DATE = '2.5.29.24'

/** Purposes of the extended key usage (RFC 5280 §4.2.1.12). */
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
export const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0'

/** The attribute of a CSR that asks for extensions (RFC 2985 §5.4.2). */
export const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'

/** Public keys (RFC 3279 §2.3, RFC 5480 §2, RFC 8410 §3). */
export const RSA_ENCRYPTION = '1.2.840.113549.1.1.1'
export const EC_PUBLIC_KEY = '1.2.840.10045.2.1'
export const ED25519 = '1.3.101.112'

/** Encryption by a passphrase (RFC 8018 §A). */
export const PBES2 = '1.2.840.113549.1.5.13'
export const PBKDF2 = '1.2.840.113549.1.5.12'

const names: Readonly<Record<string, string>> = {
  [COMMON_NAME]: 'commonName',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'countryName',
  '2.5.4.7': 'localityName',
  '2.5.4.8': 'stateOrProvinceName',
  '2.5.4.10': 'organizationName',
  '2.5.4.11': 'organizationalUnitName',
  '1.2.840.113549.1.9.1': 'emailAddress',
  '0.9.2342.19200300.100.1.1': 'userId',
  '0.9.2342.19200300.100.1.25': 'domainComponent',
  '1.2.840.113549.1.9.7': 'challengePassword',
  '1.2.840.113549.1.9.2': 'unstructuredName',
  [EXTENSION_REQUEST]: 'extensionRequest',
  [SUBJECT_KEY_IDENTIFIER]: 'subjectKeyIdentifier',
  [KEY_USAGE]: 'keyUsage',
  [SUBJECT_ALTERNATIVE_NAME]: 'subjectAltName',
  [BASIC_CONSTRAINTS]: 'basicConstraints',
  [NAME_CONSTRAINTS]: 'nameConstraints',
  [CRL_NUMBER]: 'cRLNumber',
  [REASON_CODE]: 'reasonCode',
  [INVALIDITY_DATE]: 'invalidityDate',
  '2.5.29.27': 'deltaCRLIndicator',
  '2.5.29.28': 'issuingDistributionPoint',
  '2.5.29.29': 'certificateIssuer',
  '2.5.29.31': 'cRLDistributionPoints',
  '2.5.29.32': 'certificatePolicies',
  '2.5.29.36': 'policyConstraints',
  [AUTHORITY_KEY_IDENTIFIER]: 'authorityKeyIdentifier',
  [EXTENDED_KEY_USAGE]: 'extKeyUsage',
  '1.3.6.1.5.5.7.1.1': 'authorityInfoAccess',
  [SERVER_AUTH]: 'serverAuth',
  [CLIENT_AUTH]: 'clientAuth',
  [ANY_EXTENDED_KEY_USAGE]: 'anyExtendedKeyUsage',
  [RSA_ENCRYPTION]: 'rsa',
  '1.2.840.113549.1.1.7': 'rsa-oaep',
  '1.2.840.113549.1.1.10': 'rsa-pss',
  [EC_PUBLIC_KEY]: 'ecdsa',
  '1.2.840.10040.4.1': 'dsa',
  [ED25519]: 'ed25519',
  '1.3.101.113': 'ed448',
  '1.3.132.0.33': 'p224',
  '1.3.132.0.10': 'secp256k1',
  '1.2.840.10045.3.1.1': 'p192',
  '1.2.840.113549.1.1.2': 'md2WithRSAEncryption',
  '1.2.840.113549.1.1.4': 'md5WithRSAEncryption',
  '1.2.840.113549.1.1.5': 'sha1WithRSAEncryption',
  '1.2.840.113549.1.1.14': 'sha224WithRSAEncryption',
  '1.2.840.10045.4.1': 'ecdsa-with-SHA1',
  '1.2.840.10045.4.3.1': 'ecdsa-with-SHA224',
  [PBES2]: 'PBES2',
  [PBKDF2]: 'PBKDF2',
  '1.3.6.1.4.1.11591.4.11': 'scrypt',
  '1.2.840.113549.1.5.1': 'pbeWithMD2AndDES-CBC',
  '1.2.840.113549.1.5.3': 'pbeWithMD5AndDES-CBC',
  '1.2.840.113549.1.5.6': 'pbeWithMD5AndRC2-CBC',
  '1.2.840.113549.1.5.10': 'pbeWithSHA1AndDES-CBC',
  '1.2.840.113549.1.5.11': 'pbeWithSHA1AndRC2-CBC',
  '1.2.840.113549.1.12.1.1': 'pbeWithSHA1And128BitRC4',
  '1.2.840.113549.1.12.1.2': 'pbeWithSHA1And40BitRC4',
  '1.2.840.113549.1.12.1.3': 'pbeWithSHA1And3-KeyTripleDES-CBC',
  '1.2.840.113549.1.12.1.4': 'pbeWithSHA1And2-KeyTripleDES-CBC',
  '1.2.840.113549.1.12.1.5': 'pbeWithSHA1And128BitRC2-CBC',
  '1.2.840.113549.1.12.1.6': 'pbeWithSHA1And40BitRC2-CBC',
  '1.2.840.113549.2.7': 'hmacWithSHA1',
  '1.2.840.113549.2.8': 'hmacWithSHA224',
  '1.2.840.113549.2.9': 'hmacWithSHA256',
  '1.2.840.113549.2.10': 'hmacWithSHA384',
  '1.2.840.113549.2.11': 'hmacWithSHA512',
  '1.2.840.113549.3.2': 'rc2-cbc',
  '1.2.840.113549.3.7': 'des-ede3-cbc',
  '1.3.14.3.2.7': 'des-cbc',
  '2.16.840.1.101.3.4.1.2': 'aes128-cbc',
  '2.16.840.1.101.3.4.1.22': 'aes192-cbc',
  '2.16.840.1.101.3.4.1.42': 'aes256-cbc',
}

/** The name of an identifier where it is well known, the dotted form elsewhere. */
export function oidName(oid: string): string {
  return Object.hasOwn(names, oid) ? (names[oid] ?? oid) : oid
}
