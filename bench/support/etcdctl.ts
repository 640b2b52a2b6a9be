/** etcdctl in a loop: what the guides do. It is sampled over the whole run, since calls get slower as the store fills. */
import { execFile, spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { milliseconds } from './figures.js'
import { tenantByTenant } from './orders.js'
import type { Server } from './server.js'
import { allCalls, callsOf, type Call, type Shape } from './shape.js'

const execute = promisify(execFile)

export interface Etcdctl {
  readonly binary: string
  readonly version: string
}

/** The one that `ETCDCTL` names, else one on the PATH, else the release of that minor, built from its Go module; `undefined` where there is none. */
export async function findEtcdctl(minor: string, project: string): Promise<Etcdctl | undefined> {
  const given = process.env['ETCDCTL']
  if (given) return (await tried(resolve(given))) ?? fail(`ETCDCTL=${given} is no etcdctl that runs here`)
  for (const directory of (process.env['PATH'] ?? '').split(delimiter).filter((each) => each !== '')) {
    const found = await tried(resolve(directory, 'etcdctl'))
    if (found !== undefined) return found
  }
  const directory = join(project, 'build', `etcdctl-${minor}`)
  await mkdir(directory, { recursive: true })
  try {
    await execute('go', ['build', '-p', '2', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', join(directory, 'etcdctl'), 'go.etcd.io/etcd/etcdctl/v3'], {
      cwd: join(project, 'test/go', `etcdctl-${minor}`),
      env: { ...process.env, GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'auto', GOWORK: 'off', CGO_ENABLED: '0' },
    })
  } catch {
    return undefined
  }
  return tried(join(directory, 'etcdctl'))
}

async function tried(binary: string): Promise<Etcdctl | undefined> {
  try {
    const version = /^etcdctl version: (\S+)$/m.exec((await execute(binary, ['version'])).stdout)?.[1]
    return version === undefined ? undefined : { binary, version }
  } catch {
    return undefined
  }
}

function fail(message: string): never {
  throw new Error(message)
}

function argumentsOf(call: Call): readonly string[] {
  switch (call.do) {
    case 'role add':
      return ['role', 'add', call.role]
    case 'grant':
      return ['role', 'grant-permission', call.role, 'readwrite', call.prefix, '--prefix']
    case 'user add':
      return ['user', 'add', call.user, '--no-password']
    case 'bind':
      return ['user', 'grant-role', call.user, call.role]
  }
}

export interface Sampled {
  /** Milliseconds that the whole run would take. */
  readonly milliseconds: number
  readonly calls: number
  readonly of: number
}

const WANTED_CALLS = 200

/**
 * Tenant by tenant, as a loop does it: tenants that are spread evenly over the run are made by etcdctl, one call after the other, and timed; those between,
 * which only fill the store, by RPCs. Shared roles are all made by etcdctl. A kind's mean stands for all calls of that kind.
 */
export async function sampledLoop({ binary }: Etcdctl, { etcd, environment }: Server, shape: Shape): Promise<Sampled> {
  const { tenants, roles } = shape
  const shared = roles.size < tenants.length
  const samples = Math.min(tenants.length, Math.ceil(WANTED_CALLS / allCalls(shape).length * tenants.length))
  const sampled = new Set(Array.from({ length: samples }, (_, at) => Math.floor(((at + 0.5) * tenants.length) / samples)))
  const times = new Map<Call['do'], number[]>()
  const shell = startShell(binary, environment)
  const timed = async (call: Call): Promise<void> => {
    const took = await milliseconds(() => shell.run(argumentsOf(call)))
    times.set(call.do, [...(times.get(call.do) ?? []), took])
  }

  try {
    if (shared) for (const call of [...roles.values()].flat()) await timed(call)
    const fill = tenantByTenant(etcd.auth, { roles: shared ? new Map() : roles })
    let from = 0
    for (const place of sampled) {
      await fill(tenants.slice(from, place))
      const tenant = tenants[place]!
      for (const call of [...(shared ? [] : (roles.get(tenant.role) ?? [])), ...callsOf(tenant)]) await timed(call)
      from = place + 1
    }
  } finally {
    shell.end()
  }

  const calls = allCalls(shape)
  const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length
  const whole = [...times].reduce((sum, [kind, each]) => sum + mean(each) * calls.filter((call) => call.do === kind).length, 0)
  return { milliseconds: whole, calls: [...times.values()].flat().length, of: calls.length }
}

interface Shell {
  run(args: readonly string[]): Promise<void>
  end(): void
}

/** A shell that calls etcdctl, as a script does: to start a process from this one would cost more. */
function startShell(binary: string, environment: Readonly<Record<string, string>>): Shell {
  const shell = spawn('sh', [], { env: environment, stdio: ['pipe', 'pipe', 'inherit'] })
  const statuses = createInterface({ input: shell.stdout })[Symbol.asyncIterator]()
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
  return {
    run: async (args) => {
      shell.stdin.write(`${[binary, ...args].map(quoted).join(' ')} >/dev/null; echo $?\n`)
      const { value } = (await statuses.next()) as { readonly value: string | undefined }
      if (value !== '0') throw new Error(`etcdctl ${args.join(' ')} ended with ${value ?? 'the shell'}`)
    },
    end: () => shell.stdin.end(),
  }
}
