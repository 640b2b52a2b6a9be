/** The openssl of this machine as a judge and as a maker of foreign keys, requests and certificates. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a run of openssl came to. */
export interface Answer {
  readonly ok: boolean
  /** Both of its outputs: it says what is wrong on either. */
  readonly output: string
}

/** In each folder: one of the machine's own would put its extensions and names into what is made. */
const CONFIGURATION = 'openssl.cnf'

/** A folder of files, and openssl run in it. */
export interface Openssl {
  run(...args: readonly string[]): Promise<Answer>
  /** The same, where it must succeed. */
  must(...args: readonly string[]): Promise<void>
  write(file: string, contents: string): Promise<void>
  read(file: string): Promise<string>
  bytes(file: string): Promise<Buffer>
  remove(): Promise<void>
  /** How each certificate file fares, by its name: `'OK'`, or the reason of openssl. */
  verify(files: readonly string[], ...args: readonly string[]): Promise<Record<string, string>>
}

/** What `openssl version` prints, or `undefined` where there is none. */
export async function opensslVersion(): Promise<string | undefined> {
  const { ok, output } = await execute(['version'], tmpdir())
  return ok ? output.trim() : undefined
}

/** A fresh folder for openssl to work in. */
export async function openOpenssl(): Promise<Openssl> {
  const directory = await mkdtemp(join(tmpdir(), 'etcd-rbac-openssl-'))
  await writeFile(join(directory, CONFIGURATION), '[req]\ndistinguished_name = none\n[none]\n')
  const run = (...args: readonly string[]): Promise<Answer> => execute(args, directory)
  return {
    run,
    must: async (...args) => {
      const { ok, output } = await run(...args)
      if (!ok) throw new Error(`openssl ${args.join(' ')}: ${output}`)
    },
    write: (file, contents) => writeFile(join(directory, file), contents),
    read: (file) => readFile(join(directory, file), 'utf8'),
    bytes: (file) => readFile(join(directory, file)),
    remove: () => rm(directory, { recursive: true, force: true }),
    verify: async (files, ...args) => {
      const { output } = await run('verify', '-x509_strict', '-check_ss_sig', '-auth_level', '2', ...args, ...files)
      // The reason stands before the line that says which file it is about.
      const reasons = [...output.matchAll(/^(?:error \d+ at \d+ depth lookup: (.*)\nerror (\S+): verification failed|(\S+): (OK))$/gm)]
      return Object.fromEntries(reasons.map(([, reason, refused, accepted, ok]) => [refused ?? accepted ?? '', ok ?? reason ?? '']))
    },
  }
}

function execute(args: readonly string[], cwd: string): Promise<Answer> {
  const env = { ...process.env, OPENSSL_CONF: join(cwd, CONFIGURATION) }
  return new Promise((settle) => {
    execFile('openssl', args, { cwd, env, timeout: 60_000 }, (error, stdout, stderr) => {
      settle({ ok: error === null, output: stdout + stderr })
    })
  })
}
