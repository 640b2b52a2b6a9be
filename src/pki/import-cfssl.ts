/**
 * What the JSON files of cfssl say, in the words of this library (cfssl `csr/csr.go` CertificateRequest, `config/config.go` SigningProfile), and what is
 * dangerous in them. For whoever comes from `ca-csr.json`, `ca-config.json` and a request per component.
 */
import { EtcdRbacError, quoted, type Problem } from '../errors.js'
import { checkFields } from '../known-fields.js'
import { nameProblem } from '../names.js'
import type { Purpose } from './authority.js'
import type { KeyAlgorithm } from './generate-key-pair.js'
import { checkHosts } from './hosts.js'
import { LONG_LIVED_DAYS } from './validity.js'

/** The files, parsed by `JSON.parse`. */
export interface CfsslFiles {
  /** `ca-csr.json`: what `cfssl gencert -initca` takes. */
  readonly authority?: unknown
  /** `ca-config.json`: what `-config` takes. */
  readonly config?: unknown
  /** One for each certificate, by a name of the caller's choice, such as the file's. */
  readonly requests?: Readonly<Record<string, unknown>>
}

/** What they come to: options for `createCa`, `days` and `issueClient`, `issueServer`, `issuePeer`. */
export interface CfsslImport {
  readonly authority: { readonly name: string; readonly algorithm: KeyAlgorithm; readonly lifetimeDays: number; readonly pathLength: number } | undefined
  /** By the profile's name; `default` is the one that cfssl takes where none is named. */
  readonly profiles: Readonly<Record<string, { readonly purposes: readonly Purpose[]; readonly lifetimeDays: number }>>
  readonly requests: Readonly<Record<string, { readonly commonName: string | undefined; readonly algorithm: KeyAlgorithm; readonly hosts: readonly string[] }>>
  readonly warnings: readonly CfsslWarning[]
}

/** What must not be carried over as it is. */
export interface CfsslWarning {
  readonly code: 'long-lived' | 'both-usages' | 'no-usage' | 'shared-common-name' | 'no-common-name' | 'name-invalid' | 'name-parts-dropped' | 'host-invalid' | 'key-refused' | 'authority-by-profile' | 'usage-dropped' | 'field-dropped'
  /** Where it stands: `$.config.signing.profiles.client.expiry`. */
  readonly path: string
  readonly message: string
}

/** Authorities of ten years and a day may be meant. */
const LONG_LIVED_AUTHORITY_DAYS = 3660
/** What cfssl does where a file is silent: five years for authorities, one for the rest. */
const DEFAULTS = { authorityHours: 43_800, leafHours: 8760, algorithm: 'ecdsa-p256' } as const
/** No certificate ends beyond the year 9999. */
const MOST_DAYS = 3_000_000
/** As in `createCa`. */
const MOST_BELOW = 8
const keyUsages: readonly string[] = ['signing', 'digital signature', 'key encipherment']

type Note = (code: CfsslWarning['code'], path: string, message: string) => void
interface Reading {
  readonly problems: Problem[]
  readonly warnings: CfsslWarning[]
  readonly warn: Note
}

/**
 * Reads them. Nothing is made: whatever is dropped or should be otherwise is among the warnings.
 *
 * @throws {@link EtcdRbacError} `ERR_CFSSL_INVALID` with everything that is not as cfssl has it, and its place
 * @example
 * ```ts
 * import { importCfssl } from 'etcd-rbac'
 * const { authority, warnings } = importCfssl({
 *   authority: JSON.parse('{ "CN": "etcd", "key": { "algo": "rsa", "size": 2048 }, "ca": { "expiry": "876000h" } }'),
 *   requests: { 'client.json': JSON.parse('{ "CN": "calico", "names": [{ "O": "example" }] }') },
 * })
 * console.log(authority?.algorithm) // rsa-2048
 * console.log(warnings.map(({ code }) => code).join()) // long-lived,name-parts-dropped
 * ```
 */
export function importCfssl(files: CfsslFiles): CfsslImport {
  checkFields(files, ['authority', 'config', 'requests'], 'the files of cfssl')
  const problems: Problem[] = []
  const warnings: CfsslWarning[] = []
  const reading: Reading = { problems, warnings, warn: (code, path, message) => void warnings.push({ code, path, message }) }
  const authority = files.authority === undefined ? undefined : authorityOf(files.authority, '$.authority', reading)
  const profiles: CfsslImport['profiles'] = files.config === undefined ? named([]) : profilesOf(files.config, '$.config', reading)
  const requests = named(Object.entries(tableOf(files.requests ?? {}, '$.requests', reading)).map(([name, request]) => [name, requestOf(request, `$.requests[${quoted(name)}]`, reading)]))
  warnShared(requests, reading)
  if (problems.length > 0) {
    const shown = problems.slice(0, 20).map(({ path, message }) => `\n  ${path}: ${message}`)
    throw new EtcdRbacError(
      'ERR_CFSSL_INVALID',
      { found: `files of cfssl with ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}${shown.join('')}\n`, wanted: 'what cfssl reads', fix: 'correct each at its path' },
      { problems },
    )
  }
  return { authority, profiles, requests, warnings }
}

function authorityOf(given: unknown, path: string, reading: Reading): CfsslImport['authority'] {
  const { commonName, algorithm } = requestOf(given, path, reading)
  const { ca } = tableOf(given, path, reading)
  const { expiry, pathlen = 0, pathlenzero, ...others } = tableOf(ca ?? {}, `${path}.ca`, reading)
  drop(others, `${path}.ca`, reading)
  const problem = commonName === undefined ? undefined : nameProblem('authority', commonName)
  if (problem !== undefined) reading.warn('name-invalid', `${path}.CN`, `${problem.found}: an authority is called otherwise (${problem.wanted})`)
  const lifetimeDays = daysOf(expiry, DEFAULTS.authorityHours, `${path}.ca.expiry`, reading)
  if (lifetimeDays > LONG_LIVED_AUTHORITY_DAYS) reading.warn('long-lived', `${path}.ca.expiry`, `an authority of ${Math.floor(lifetimeDays)} days outlives its algorithm and everybody who knows where its key is: ten years are long`)
  // Without `pathlenzero` cfssl takes a 0 for no limit; what issues leaves only needs none.
  const depth = pathlenzero === true || pathlen === null ? 0 : pathlen
  const isDepth = typeof depth === 'number' && Number.isInteger(depth) && depth >= 0
  if (!isDepth) note(depth, 'a whole number', `${path}.ca.pathlen`, reading)
  const pathLength = isDepth ? Math.min(depth, MOST_BELOW) : 0
  if (isDepth && depth > MOST_BELOW) reading.warn('field-dropped', `${path}.ca.pathlen`, `${depth} authorities below it: ${MOST_BELOW} is the most here`)
  return { name: commonName ?? '', algorithm, lifetimeDays, pathLength }
}

function profilesOf(given: unknown, path: string, reading: Reading): CfsslImport['profiles'] {
  const { signing, ...others } = tableOf(given, path, reading)
  drop(others, path, reading)
  const { default: fallback, profiles = {}, ...rest } = tableOf(signing, `${path}.signing`, reading)
  drop(rest, `${path}.signing`, reading)
  const ofNames = Object.entries(tableOf(profiles ?? {}, `${path}.signing.profiles`, reading)).map(([name, profile]) => [name, profile, `${path}.signing.profiles.${name}`] as const)
  const all = [...(fallback === undefined ? [] : [['default', fallback, `${path}.signing.default`] as const]), ...ofNames]
  return named(all.map(([name, profile, at]) => [name, profileOf(profile, at, reading)]))
}

function profileOf(given: unknown, path: string, reading: Reading): CfsslImport['profiles'][string] {
  const { usages = [], expiry, is_ca, ca_constraint, ...others } = tableOf(given, path, reading)
  drop(others, path, reading)
  const constraint = tableOf(ca_constraint ?? {}, `${path}.ca_constraint`, reading)
  if (is_ca === true || constraint['is_ca'] === true) reading.warn('authority-by-profile', path, 'it makes authorities: use createIntermediateCa, and keep it from those who issue certificates')
  const list = textsOf(usages, `${path}.usages`, reading)
  const dropped = list.filter((usage) => !['server auth', 'client auth', ...keyUsages].includes(usage))
  if (dropped.length > 0) reading.warn('usage-dropped', `${path}.usages`, `${dropped.map(quoted).join(', ')}: not needed towards etcd, and not issued`)
  const [server, client] = [list.includes('server auth'), list.includes('client auth')]
  if (server && client) reading.warn('both-usages', `${path}.usages`, 'both server auth and client auth: a client with it can pose as a server. Only members want both; issue clients for client auth alone')
  if (!server && !client) reading.warn('no-usage', `${path}.usages`, 'neither server auth nor client auth: it says not what it is for')
  const lifetimeDays = daysOf(expiry, DEFAULTS.leafHours, `${path}.expiry`, reading)
  if (lifetimeDays > LONG_LIVED_DAYS) reading.warn('long-lived', `${path}.expiry`, `certificates of ${Math.floor(lifetimeDays)} days: a certificate cannot be taken back from a running etcd, only outlived; above ${LONG_LIVED_DAYS} days it must be asked for in words`)
  return { purposes: server && client ? ['server', 'peer'] : server ? ['server'] : client ? ['client'] : [], lifetimeDays }
}

function requestOf(given: unknown, path: string, reading: Reading): CfsslImport['requests'][string] {
  const { CN, hosts = [], key, names, ca: _, ...others } = tableOf(given, path, reading)
  drop(others, path, reading)
  const parts = (Array.isArray(names) ? names : []).flatMap((part: unknown) => Object.keys(tableOf(part, `${path}.names`, reading)))
  if (parts.length > 0) reading.warn('name-parts-dropped', `${path}.names`, `${[...new Set(parts)].join(', ')}: etcd reads the Common Name alone, and nothing else is issued`)
  if (CN !== undefined && CN !== null && typeof CN !== 'string') note(CN, 'a string', `${path}.CN`, reading)
  const commonName = typeof CN === 'string' && CN !== '' ? CN : undefined
  if (commonName === undefined) reading.warn('no-common-name', `${path}.CN`, 'none: a client without one is nobody towards etcd')
  return { commonName, algorithm: algorithmOf(key, `${path}.key`, reading), hosts: textsOf(hosts, `${path}.hosts`, reading).filter((host) => host !== '').flatMap((host, at) => hostOf(host, `${path}.hosts[${at}]`, reading)) }
}

function hostOf(host: string, path: string, { warn }: Reading): readonly string[] {
  try {
    return checkHosts([host])
  } catch (error) {
    warn('host-invalid', path, error instanceof Error ? error.message : String(error))
    return []
  }
}

function algorithmOf(key: unknown, path: string, reading: Reading): KeyAlgorithm {
  if (key === undefined || key === null) return DEFAULTS.algorithm
  const { algo, size } = tableOf(key, path, reading)
  if (algo === 'ed25519') return algo
  const known: Readonly<Record<string, KeyAlgorithm>> = {
    'ecdsa 256': 'ecdsa-p256', 'ecdsa 384': 'ecdsa-p384', 'ecdsa 521': 'ecdsa-p521', 'rsa 2048': 'rsa-2048', 'rsa 3072': 'rsa-3072', 'rsa 4096': 'rsa-4096',
  }
  const asked = `${String(algo)} ${String(size)}`
  if (Object.hasOwn(known, asked)) return known[asked] ?? DEFAULTS.algorithm
  reading.warn('key-refused', path, `${quoted(asked)}: ${DEFAULTS.algorithm} in its place`)
  return DEFAULTS.algorithm
}

/** Two components with one name are one user towards etcd. */
function warnShared(requests: CfsslImport['requests'], { warn }: Reading): void {
  const files = new Map<string, string[]>()
  for (const [name, { commonName }] of Object.entries(requests)) if (commonName !== undefined) files.set(commonName, [...(files.get(commonName) ?? []), name])
  for (const [commonName, names] of files)
    if (names.length > 1) warn('shared-common-name', '$.requests', `${names.map(quoted).join(' and ')} have the Common Name ${quoted(commonName)}: they would be one user, with the rights of both`)
}

/** The days of a duration as Go writes it: `8760h`, `24h30m`. */
function daysOf(given: unknown, otherwise: number, path: string, reading: Reading): number {
  if (given === undefined || given === null || given === '') return otherwise / 24
  const units: Readonly<Record<string, number>> = { h: 24, m: 24 * 60, s: 24 * 3600, ms: 24 * 3600e3, us: 24 * 3600e6, ns: 24 * 3600e9 }
  const found = typeof given === 'string' && /^(?:\d+(?:\.\d+)?(?:h|m|s|ms|us|ns))+$/.test(given) ? [...given.matchAll(/(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)/g)] : undefined
  const sum = found?.reduce((total, [, count, unit]) => total + Number(count) / (units[unit ?? 'h'] ?? 24), 0)
  if (sum !== undefined && sum > 0 && sum < MOST_DAYS) return sum
  note(given, 'a duration such as "8760h"', path, reading)
  return 0
}

/** A table in which nothing stands that was not put there. */
function named<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  return Object.assign(Object.create(null) as Record<string, T>, Object.fromEntries(entries))
}

function tableOf(given: unknown, path: string, reading: Reading): Readonly<Record<string, unknown>> {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Readonly<Record<string, unknown>>
  note(given, 'an object', path, reading)
  return {}
}

function textsOf(given: unknown, path: string, reading: Reading): readonly string[] {
  if (given === null) return []
  if (Array.isArray(given) && given.every((one) => typeof one === 'string')) return given
  note(given, 'a list of strings', path, reading)
  return []
}

function note(given: unknown, wanted: string, path: string, { problems }: Reading): void {
  // What was found is not shown: the files hold keys for the API of cfssl.
  problems.push({ path, code: 'ERR_CFSSL_INVALID', message: `found ${given === undefined ? 'nothing' : `a value of type ${given === null ? 'null' : Array.isArray(given) ? 'list' : typeof given}`}, wanted ${wanted}` })
}

function drop(others: Readonly<Record<string, unknown>>, path: string, { warn }: Reading): void {
  const names = Object.keys(others)
  if (names.length > 0) warn('field-dropped', path, `${names.map(quoted).join(', ')}: nothing here is like it`)
}
