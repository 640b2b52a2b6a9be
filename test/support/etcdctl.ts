/** A real etcdctl, built from the Go module of its release, and the shell scripts that call it. */
import { execFile, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Cluster } from './cluster.js'
import { buildGo } from './go-build.js'

/** The releases of etcdctl that there are, by minor version. */
export const ETCDCTL: Readonly<Record<string, string>> = { '3.5': 'etcdctl-3.5', '3.6': 'etcdctl-3.6' }

export interface Etcdctl {
  readonly binary: string
  readonly version: string | undefined
}

export async function buildEtcdctl(module: string, go: string): Promise<Etcdctl> {
  const binary = await buildGo({ name: 'etcdctl', module, package: 'go.etcd.io/etcd/etcdctl/v3' }, go)
  const { stdout } = await promisify(execFile)(binary, ['version'])
  return { binary, version: /^etcdctl version: (\S+)$/m.exec(stdout)?.[1] }
}

export interface Ran {
  readonly status: number | null
  readonly output: string
}

/** How a script is run. */
export interface Circumstances {
  /** Whose certificate etcdctl shows. Default: root's. */
  readonly as?: string
  /** What is typed when it asks: passwords, a line each. */
  readonly typed?: readonly string[]
  /** Whether the script is piped into the shell, so that nothing can be typed. Default: it is run from a file. */
  readonly piped?: boolean
  /** The call of etcdctl that fails, counted from one, and whether etcd has done what it asked by then. */
  readonly fails?: { readonly call: number; readonly done: boolean }
}

/** Saves a script, as its user would, and runs it by `sh` with a user's certificate. */
export async function runScript({ binary }: Etcdctl, cluster: Cluster, lines: readonly string[], { as = 'root', typed = [], piped = false, fails }: Circumstances = {}): Promise<Ran> {
  const directory = await mkdtemp(join(cluster.directory, 'etcdctl-'))
  const file = async (name: string, contents: string): Promise<string> => {
    await writeFile(join(directory, name), contents)
    return join(directory, name)
  }
  const { certificate, key } = await cluster.credentials(as)
  const [ca, cert, keyFile, script] = [await file('ca.pem', cluster.serverCa), await file('client.pem', certificate), await file('client-key.pem', key), await file('script', lines.join('\n'))]
  const path = [dirname(binary), process.env['PATH'] ?? '']
  if (fails !== undefined) {
    await mkdir(join(directory, 'bin'))
    const calls = join(directory, 'calls')
    const stop = 'echo "connection lost" >&2; exit 1'
    await writeFile(
      join(directory, 'bin/etcdctl'),
      `#!/bin/sh\necho >> ${calls}\n[ "$(wc -l < ${calls})" -ne ${String(fails.call)} ] || { ${fails.done ? `${binary} "$@"; ` : ''}${stop}; }\nexec ${binary} "$@"\n`,
    )
    await chmod(join(directory, 'bin/etcdctl'), 0o755)
    path.unshift(join(directory, 'bin'))
  }
  const endpoints = cluster.clientUrls.join(',')
  const child = spawn('sh', piped ? [] : [script], {
    env: {
      PATH: path.join(delimiter),
      ETCDCTL_ENDPOINTS: endpoints,
      ...(lines.includes('export ETCDCTL_API=2')
        ? { ETCDCTL_CA_FILE: ca, ETCDCTL_CERT_FILE: cert, ETCDCTL_KEY_FILE: keyFile }
        : { ETCDCTL_CACERT: ca, ETCDCTL_CERT: cert, ETCDCTL_KEY: keyFile }),
    },
    stdio: 'pipe',
  })
  const ended = new Promise<number | null>((settle, fail) => child.once('close', settle).once('error', fail))
  // One that ends before it has read everything is no error of its own.
  child.stdin.on('error', () => undefined).end((piped ? lines : typed).map((line) => `${line}\n`).join(''))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => void (output += text))
  return { status: await ended, output }
}

/** The version of etcdctl that a module pins. */
export async function pinnedVersion(module: string): Promise<string | undefined> {
  const text = await readFile(new URL(`../go/${module}/go.mod`, import.meta.url), 'utf8')
  return /^require go\.etcd\.io\/etcd\/etcdctl\/v3 v(\S+)/m.exec(text)?.[1]
}
