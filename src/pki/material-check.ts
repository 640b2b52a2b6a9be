/** What is asked of a preflight, and what it finds. */
import type { CertificateUser, MemberName, Policy } from '../policy/policy.js'
import type { KeyPair } from './generate-key-pair.js'
import type { PrivateKeyInput } from './open-private-key.js'
import type { PemInput } from './pem.js'
import type { ChainProblemCode } from './verify-chain.js'

/** What `checkMaterial` may find. The codes of a chain are those of RFC 5280. */
export type MaterialFindingCode =
  | ChainProblemCode | 'certificate-unreadable' | 'trusted-unreadable' | 'key-unusable' | 'key-form' | 'key-mismatch' | 'bundle-order' | 'trusted-not-root' | 'usage-too-wide' | 'fips' | 'user-unknown'
  | 'member-unknown' | 'common-name' | 'common-name-is-user' | 'authority-is-user' | 'authority-name' | 'authority-undeclared' | 'url-invalid' | 'hosts-missing' | 'uri-invalid' | 'uri-missing'

/** One thing that is wrong. Holds nothing of a private key. */
export interface MaterialFinding {
  readonly code: MaterialFindingCode
  /** What was found, and what was wanted. */
  readonly message: string
  /** What to do about it. */
  readonly fix: string
}

/** What is checked whatever the certificate is for. */
export interface CommonCheck<P extends Policy> {
  readonly policy: P
  readonly now: Date
  /** The file that is shown in a handshake: the leaf first, its intermediates behind it. */
  readonly certificate: PemInput<'certificate'>
  /**
   * The private key of the leaf, in any form that `openPrivateKey` reads; but that of a member or a gateway as plain PEM: etcd, which reads the file, takes
   * no other. Default: not checked.
   */
  readonly key?: PrivateKeyInput | KeyPair
  /** Of a key that is encrypted. */
  readonly passphrase?: string
  /** The file that whoever verifies it trusts: one root or several. Comments may stand in it, which etcd passes over. */
  readonly trusted: PemInput<'certificate'>
  /** Whether every key of the chain must be one of the option `fips`. Default false. */
  readonly fips?: boolean
}

/** A user's certificate and what it is verified by: etcd's `--trusted-ca-file`. */
export interface ClientCheck<P extends Policy, N extends string> extends CommonCheck<P> {
  readonly purpose: 'client'
  readonly user: CertificateUser<P, N>
}

/** A member's certificate and what it is verified by: the CA file of clients, or `--peer-trusted-ca-file`. */
export interface MemberCheck<P extends Policy> extends CommonCheck<P> {
  readonly purpose: 'server' | 'peer'
  readonly member: MemberName<P>
  /** The URLs by which it is dialled. Default: only that the certificate is for some host. */
  readonly urls?: readonly string[]
  /** For servers as in `issueServer`. */
  readonly gateway?: 'server-certificate' | 'own-certificate' | 'off'
}

/** The certificate of a gateway or proxy without user, as `issueGateway` makes it, and what it is verified by: etcd's `--trusted-ca-file`. */
export interface GatewayCheck<P extends Policy> extends CommonCheck<P> {
  readonly purpose: 'gateway'
  readonly uri: string
}

/** What to check. */
export type MaterialCheck<P extends Policy, N extends string = string> = ClientCheck<P, N> | MemberCheck<P> | GatewayCheck<P>
