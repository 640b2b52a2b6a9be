/** Programs in Go that tests need, built where Go is and kept in `.cache`. `go.sum` is the check of what they are built from. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface GoProgram {
  /** What the program is called. */
  readonly name: string
  /** Its module, a folder of `test/go`. */
  readonly module: string
  /** The package in it, such as `.`. */
  readonly package: string
}

/** What `go version` prints, or `undefined` where there is none. */
export async function goVersion(): Promise<string | undefined> {
  try {
    return (await promisify(execFile)('go', ['version'])).stdout.trim()
  } catch {
    return undefined
  }
}

/** Builds a program unless it is there for these sources and this Go, in a folder where nothing else is: one for `PATH`. */
export async function buildGo({ name, module, package: built }: GoProgram, go: string): Promise<string> {
  const source = fileURLToPath(new URL(`../go/${module}`, import.meta.url))
  const cache = fileURLToPath(new URL(`../../.cache/${module}`, import.meta.url))
  const hash = createHash('sha256').update(go)
  for (const file of (await readdir(source)).sort()) hash.update(await readFile(join(source, file)))
  const directory = join(cache, hash.digest('hex').slice(0, 16))
  const binary = join(directory, name)
  if (existsSync(binary)) return binary
  await mkdir(directory, { recursive: true })
  // In the cache, so that a finished binary gets there by a rename, and two runs at once do not meet.
  const work = await mkdtemp(join(cache, '.work-'))
  try {
    await promisify(execFile)('go', ['build', '-p', '2', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', join(work, name), built], {
      cwd: source,
      env: { ...process.env, GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'auto', GOWORK: 'off', CGO_ENABLED: '0' },
    })
    await rename(join(work, name), binary)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return binary
}
