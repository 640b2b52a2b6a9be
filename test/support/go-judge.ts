/** The judge in Go (`test/go/judge`): crypto/x509, which etcd reads certificates with, and the lints of zlint. Built where Go is, kept in `.cache`. */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** As the judge reads it. */
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

const source = fileURLToPath(new URL('../go/judge', import.meta.url))
const cache = fileURLToPath(new URL('../../.cache/judge', import.meta.url))

/** What `go version` prints, or `undefined` where there is none. */
export async function goVersion(): Promise<string | undefined> {
  try {
    return (await promisify(execFile)('go', ['version'])).stdout.trim()
  } catch {
    return undefined
  }
}

/** Builds the judge unless it is there for these sources and this Go. `go.sum` is the check of what it is built from. */
export async function buildJudge(go: string): Promise<string> {
  const hash = createHash('sha256').update(go)
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(await readFile(join(source, file)))
  const binary = join(cache, `judge-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(binary)) return binary
  await mkdir(cache, { recursive: true })
  // In the cache, so that a finished binary gets there by a rename, and two runs at once do not meet.
  const work = await mkdtemp(join(cache, '.work-'))
  try {
    await promisify(execFile)('go', ['build', '-p', '2', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', join(work, 'judge'), '.'], {
      cwd: source,
      env: { ...process.env, GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'auto', GOWORK: 'off', CGO_ENABLED: '0' },
    })
    await rename(join(work, 'judge'), binary)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return binary
}

/** Asks about all certificates at once. */
export async function judge(binary: string, questions: readonly Question[]): Promise<readonly Verdict[]> {
  const child = spawn(binary, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>((settle, fail) => child.once('close', settle).once('error', fail))
  child.stdin.end(JSON.stringify(questions))
  const chunks: Buffer[] = []
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer)
  const code = await ended
  if (code !== 0) throw new Error(`the judge ended with ${String(code)}`)
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as readonly Verdict[]
}
