/** The judge in Go (`test/go/judge`): crypto/x509, which etcd reads certificates with, and the lints of zlint. */
import { spawn } from 'node:child_process'
import { buildGo } from './go-build.js'

/** As the judge reads it: about a certificate. */
export interface Question {
  readonly certificate: string
  readonly authority: string
  readonly intermediates: string
  readonly hosts: readonly string[]
}

export interface Finding {
  readonly lint: string
  readonly status: string
  readonly source: string
  readonly details: string
}

/** As the judge writes it; an empty reason says yes. */
export interface Verdict {
  readonly unreadable: string
  readonly chain: Readonly<Record<'clientAuth' | 'serverAuth', string>>
  readonly hosts: Readonly<Record<string, string>>
  readonly version: number
  readonly commonName: string
  readonly commonNames: readonly string[]
  readonly subjectParts: number
  readonly serialBits: number
  readonly serialSign: number
  readonly dns: readonly string[]
  readonly ips: readonly string[]
  readonly uris: readonly string[]
  readonly sanCritical: boolean
  readonly keyUsage: readonly string[]
  readonly extKeyUsage: readonly string[]
  readonly authority: boolean
  readonly pathLength: number
  readonly keyIdOfAuthority: boolean
  readonly unhandledCritical: number
  readonly publicKey: string
  readonly signature: string
  readonly findings: readonly Finding[]
  readonly lintsApplied: number
}

/** What Go reads in a revocation list; an empty reason says that the signature is the authority's. */
export interface ListVerdict {
  readonly unreadable: string
  readonly lintsApplied: number
  readonly list?: {
    readonly number: string
    readonly thisUpdate: string
    readonly nextUpdate: string
    readonly revoked: readonly { readonly serial: string; readonly revokedAt: string; readonly reason: number }[]
    readonly signature: string
    readonly keyIdOfAuthority: boolean
    readonly findings: readonly Finding[]
  } | null
}

/** What Go reads in a certification request; an empty reason says that the signature is by its own key. */
export interface RequestVerdict {
  readonly unreadable: string
  readonly request?: { readonly commonName: string; readonly dns: readonly string[]; readonly uris: readonly string[]; readonly signature: string } | null
}

/** The judge, built with this Go. */
export const buildJudge = (go: string): Promise<string> => buildGo({ name: 'judge', module: 'judge', package: '.' }, go)

/** Asks about all certificates at once. */
export async function judge(binary: string, questions: readonly Question[]): Promise<readonly Verdict[]> {
  return (await ask(binary, questions)) as readonly Verdict[]
}

/** Asks about all revocation lists at once. */
export async function judgeLists(binary: string, questions: readonly { readonly list: string; readonly authority: string }[]): Promise<readonly ListVerdict[]> {
  return (await ask(binary, questions)) as readonly ListVerdict[]
}

/** Asks about all certification requests at once. */
export async function judgeRequests(binary: string, requests: readonly string[]): Promise<readonly RequestVerdict[]> {
  return (await ask(binary, requests.map((request) => ({ request })))) as readonly RequestVerdict[]
}

async function ask(binary: string, questions: readonly unknown[]): Promise<unknown> {
  const child = spawn(binary, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>((settle, fail) => child.once('close', settle).once('error', fail))
  child.stdin.end(JSON.stringify(questions))
  const chunks: Buffer[] = []
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer)
  const code = await ended
  if (code !== 0) throw new Error(`the judge ended with ${String(code)}`)
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
}
