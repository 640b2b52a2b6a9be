/** What is kept of every certificate that was issued: data for renewal, revocation, expiry reports and audits. Holds no secret. */
import type { ExtendedUsage } from './asn1/certificate.js'

/** What the records of all kinds of certificate have. */
export interface CommonRecord {
  /** The serial number, lower-case hex without leading zero bytes. */
  readonly serial: string
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly keyHash: string
  /** The kind of the key: `ecdsa-p256`, `rsa-2048`, … */
  readonly keyAlgorithm: string
  /** The Common Name of the authority that issued it. */
  readonly authority: string
  /** The key identifier of that authority, lower-case hex. */
  readonly authorityKeyId: string
  readonly usages: readonly ExtendedUsage[]
  /** Other extended key usages, by name. Only other tools issue such certificates. */
  readonly otherUsages?: readonly string[]
  /** The Common Name, absent where the subject is empty. */
  readonly commonName?: string
  /** First second of validity, ISO 8601 in UTC. */
  readonly notBefore: string
  /** Last second of validity, ISO 8601 in UTC. */
  readonly notAfter: string
}

/** The record of a user's certificate. */
export interface ClientRecord extends CommonRecord {
  readonly purpose: 'client'
  readonly user: string
  /** Which of the user's certificates this is, where it has several: usually a node's name. */
  readonly label?: string
  /** What hosts it is for as well. Only other tools issue such certificates. */
  readonly hosts?: readonly string[]
}

/** The record of a member's certificate. */
export interface MemberRecord extends CommonRecord {
  readonly purpose: 'server' | 'peer'
  readonly member: string
  /** DNS names and IP addresses, in the spelling of `hostsOf`. */
  readonly hosts: readonly string[]
}

/** The record of the certificate of a gateway or proxy: towards etcd it is nobody. */
export interface GatewayRecord extends CommonRecord {
  readonly purpose: 'gateway'
  readonly uri: string
  /** What hosts it is for as well. Only other tools issue such certificates. */
  readonly hosts?: readonly string[]
}

/** The record of one certificate: `JSON.stringify` and back gives the same. */
export type IssuanceRecord = ClientRecord | MemberRecord | GatewayRecord
