/** Issuance records of unknown origin, as a file holds them: every problem with its place, so that the file can be mended in one go. */
import { EtcdRbacError, quoted, type Problem } from '../errors.js'
import type { IssuanceRecord } from './record.js'

type Check = readonly [wanted: string, fits: (value: unknown) => boolean]

const isText = (value: unknown): boolean => typeof value === 'string'
const isList = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const orAbsent = ([wanted, fits]: Check): Check => [`${wanted}, or nothing`, (value) => value === undefined || fits(value)]

const text: Check = ['a string', isText]
const list: Check = ['a list of strings', isList]
const purposes = ['client', 'server', 'peer', 'gateway'] as const
const common = {
  serial: text, keyHash: text, keyAlgorithm: text, authority: text, authorityKeyId: text, usages: list, otherUsages: orAbsent(list), commonName: orAbsent(text), notBefore: text, notAfter: text,
}
// Hosts may be missing: what a certificate is for is not known then, and so it is replaced.
const member = { ...common, member: text, hosts: orAbsent(list) }
const fields: Readonly<Record<IssuanceRecord['purpose'], Readonly<Record<string, Check>>>> = {
  client: { ...common, user: text, label: orAbsent(text), hosts: orAbsent(list) },
  server: member,
  peer: member,
  gateway: { ...common, uri: text, hosts: orAbsent(list) },
}

/**
 * The records, if all of them are.
 *
 * @throws {@link EtcdRbacError} `ERR_RECORD_INVALID`, with every problem and its path
 */
export function checkedRecords(records: readonly unknown[]): readonly IssuanceRecord[] {
  const problems = records.flatMap((record, index) => problemsOf(record, `$[${index}]`))
  if (problems.length === 0) return records as readonly IssuanceRecord[]
  const shown = problems.slice(0, 20).map(({ path, message }) => `\n  ${path}: ${message}`)
  if (problems.length > shown.length) shown.push(`\n  and ${problems.length - shown.length} more`)
  throw new EtcdRbacError(
    'ERR_RECORD_INVALID',
    {
      found: `issuance records with ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}${shown.join('')}\n`,
      wanted: 'the records that were returned with each certificate',
      fix: 'correct each at its path, or make it again with inspectCertificate and recordOf',
    },
    { problems },
  )
}

function problemsOf(record: unknown, path: string): readonly Problem[] {
  const problem = (at: string, found: unknown, wanted: string): Problem => ({ path: at, code: 'ERR_RECORD_INVALID', message: `found ${shown(found)}, wanted ${wanted}` })
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return [problem(path, record, 'an issuance record')]
  const given = record as Readonly<Record<string, unknown>>
  const purpose = purposes.find((one) => one === given['purpose'])
  if (purpose === undefined) return [problem(`${path}.purpose`, given['purpose'], '"client", "server", "peer" or "gateway"')]
  return Object.entries(fields[purpose]).flatMap(([name, [wanted, fits]]) => (fits(given[name]) ? [] : [problem(`${path}.${name}`, given[name], wanted)]))
}

function shown(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return 'a list'
  return value === undefined ? 'nothing' : value === null ? 'null' : `a value of type ${typeof value}`
}
