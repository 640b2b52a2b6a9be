/** What a client shows etcd, checked before any socket is opened: the CA of the servers, and one identity. */
import type { Because } from '../because.js'
import { quoted } from '../errors.js'

/** A client that is whoever its certificate names. */
export interface CertificateMaterial {
  /** The CA of the servers, PEM. */
  readonly ca: string
  /** The client's certificate with its intermediates, PEM. */
  readonly certificate: string
  /** The client's private key, PEM. */
  readonly key: string
  /** None: etcd takes the password's user and the certificate's for two, and which of them counts differs by API and release. */
  readonly password?: Because<'a client has one identity: a certificate or a password, never both'>
}

/** A client that shows no certificate, for users that log in by password: the password goes into etcd's own Authenticate, not into TLS. */
export interface NoCertificateMaterial {
  /** The CA of the servers, PEM. */
  readonly ca: string
  readonly certificate?: undefined
  readonly key?: undefined
  readonly password?: Because<'TLS carries no password: it goes into Authenticate, or into the Authorization header of the v2 API'>
}

/** What a client needs for TLS with etcd. */
export type ConnectMaterial = CertificateMaterial | NoCertificateMaterial

/** Fields by which libraries take a user and a password; a client with a certificate has none of them. */
const SECOND_IDENTITY = ['password', 'username', 'user', 'auth'] as const

/**
 * Refuses a second identity beside a certificate, and a password where no library would read it.
 *
 * @throws `TypeError`
 */
export function refuseSecondIdentity(given: object): void {
  const second = SECOND_IDENTITY.find((name) => (given as Readonly<Record<string, unknown>>)[name] !== undefined)
  if (second !== undefined) throw new TypeError(`${second} must be left away: a client has one identity, and here it is its certificate; a password goes into Authenticate of a client without one`)
}

/**
 * The texts of a client's material, as they are now.
 *
 * @throws `TypeError` for what is no PEM text, half an identity, or two of them
 */
export function checkedConnectMaterial(material: ConnectMaterial): { readonly ca: string; readonly pair: { readonly certificate: string; readonly key: string } | undefined } {
  // What plain JavaScript may have left away.
  const { ca, certificate, key, ...rest } = (material as Partial<Record<keyof CertificateMaterial, unknown>> | undefined) ?? {}
  refuseSecondIdentity(rest)
  checkPem('ca', ca)
  if (certificate === undefined && key === undefined) return { ca, pair: undefined }
  checkPem('certificate', certificate)
  checkPem('key', key)
  return { ca, pair: { certificate, key } }
}

/** @throws `TypeError` for what is no PEM text */
export function checkPem(name: string, given: unknown): asserts given is string {
  if (typeof given !== 'string' || !given.includes('-----BEGIN ')) throw new TypeError(`${name} must be a PEM text, not the path of one`)
}

/**
 * One or more endpoints as a list.
 *
 * @throws `TypeError` for none, and for one that is not https
 */
export function checkedHosts(hosts: unknown): readonly string[] {
  if (typeof hosts !== 'string' && !(Array.isArray(hosts) && hosts.every((host) => typeof host === 'string'))) throw new TypeError('hosts must be an endpoint, https://host:port, or a list of them')
  const list = typeof hosts === 'string' ? [hosts] : [...(hosts as readonly string[])]
  if (list.length === 0) throw new TypeError('hosts must name at least one endpoint')
  for (const host of list) if (!/^https:\/\//.test(host)) throw new TypeError(`endpoint ${quoted(host)} must begin with https://`)
  return list
}
