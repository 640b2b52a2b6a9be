/**
 * A real etcd on loopback: finds a binary, starts it, knows when it is ready, and leaves nothing running behind.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, openSync, closeSync, readFileSync, statSync } from 'node:fs'
import { access, constants, readdir } from 'node:fs/promises'
import { createServer, connect, type Server } from 'node:net'
import { delimiter, dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { threadId } from 'node:worker_threads'
import { httpsFetch, type HttpsFetchOptions } from './https-fetch.js'

export interface FoundEtcd {
  readonly binary: string
  /** As `etcd --version` prints it: `'3.5.30'`. */
  readonly version: string
  readonly from: 'ETCD_RBAC_ETCD' | 'PATH' | 'cache'
}

/**
 * The etcd that `ETCD_RBAC_ETCD` names, else the one on the PATH, else the newest 3.5 that `npm run fetch-etcd` brought, else the
 * newest of any version.
 *
 * @throws `Error` if `ETCD_RBAC_ETCD` names something that is no etcd: whoever set it would not want another one
 */
export async function findEtcd(): Promise<FoundEtcd | undefined> {
  const given = process.env['ETCD_RBAC_ETCD']
  if (given) {
    const binary = resolve(given)
    const version = await versionOf(binary)
    if (version === undefined)
      throw new Error(`ETCD_RBAC_ETCD=${given} is no etcd that runs here; wanted the path of an etcd binary; correct it, or unset it to use the one on the PATH or in the cache.`)
    return { binary, version, from: 'ETCD_RBAC_ETCD' }
  }
  for (const directory of (process.env['PATH'] ?? '').split(delimiter).filter((each) => each !== '')) {
    const binary = resolve(directory, 'etcd')
    const version = await versionOf(binary)
    if (version !== undefined) return { binary, version, from: 'PATH' }
  }
  const cached: FoundEtcd[] = []
  for (const binary of await cachedBinaries()) {
    const version = await versionOf(binary)
    if (version !== undefined) cached.push({ binary, version, from: 'cache' })
  }
  cached.sort((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }))
  return cached.find(({ version }) => version.startsWith('3.5.')) ?? cached[0]
}

export interface StartOptions {
  readonly binary: string
  readonly args: readonly string[]
  /** Beside this process's own variables, of which those named `ETCD_…` are left out: etcd would take them for settings. */
  readonly env?: Readonly<Record<string, string>>
  /** Working directory; made if absent. The log is `etcd.log` in it, and goes on where an earlier run ended. */
  readonly directory: string
  /**
   * When it is ready: as soon as `GET <url>/health` answers 200, that is once the cluster has a leader. An https URL without `tls`
   * cannot be asked, so there, and with `health: false`, a connection that is accepted is enough.
   */
  readonly ready: { readonly url: string; readonly tls?: HttpsFetchOptions; readonly health?: boolean }
  /** Milliseconds to become ready; 60 000 unless told otherwise. */
  readonly timeoutMs?: number
  /** Gives the start up; a process that is ready is stopped by `stop` only. */
  readonly signal?: AbortSignal
}

export interface RunningEtcd {
  readonly pid: number
  /** What this run has printed up to now. */
  log(): string
  /** SIGTERM, and SIGKILL if that has not ended it within 2 seconds; resolves when the process is gone. */
  stop(): Promise<void>
  /** SIGKILL, at once: as a machine that dies. What is in its data directory stays; resolves when the process is gone. */
  kill(): Promise<void>
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

/**
 * Starts one etcd process (member, gateway or proxy) and resolves when it is ready. The members of a new cluster wait for each
 * other: start them together.
 *
 * @throws `Error` with the end of its log, if it ends, or is not ready in time; the signal's reason, if aborted. Nothing is left running.
 */
export async function startEtcd(options: StartOptions): Promise<RunningEtcd> {
  const { binary, args, directory, ready, timeoutMs = 60_000, signal } = options
  signal?.throwIfAborted()
  mkdirSync(directory, { recursive: true })
  const logFile = join(directory, 'etcd.log')
  const output = openSync(logFile, 'a')
  const logStart = statSync(logFile).size
  const log = (): string => readFileSync(logFile).subarray(logStart).toString('utf8')

  const child = spawn(resolve(binary), args, {
    cwd: directory,
    env: { ...inheritedEnvironment(), ...options.env },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((settle, fail) => {
    child.once('exit', (code, killedBy) => settle({ code, signal: killedBy }))
    child.on('error', fail)
  })
  killWithParent(child, exited)

  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    // A leader first looks for a successor, in vain where all members are being stopped.
    const patience = setTimeout(() => child.kill('SIGKILL'), 2_000)
    await exited.finally(() => clearTimeout(patience))
  }
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }

  const waiting = new AbortController()
  const timeout = AbortSignal.timeout(timeoutMs)
  const signals = [waiting.signal, timeout, ...(signal === undefined ? [] : [signal])]
  try {
    await Promise.race([
      untilReady(ready, AbortSignal.any(signals)),
      exited.then(({ code, signal: killedBy }) => {
        throw new Error(`etcd ended with ${killedBy ?? `code ${code}`} before it was ready`)
      }),
    ])
  } catch (error) {
    child.kill('SIGKILL')
    await exited.catch(() => {})
    signal?.throwIfAborted()
    const reason = timeout.aborted ? `etcd was not ready within ${timeoutMs} ms` : (error as Error).message
    throw new Error(`${reason}: ${resolve(binary)} ${args.join(' ')}\n${lastLines(log())}`, { cause: error })
  } finally {
    waiting.abort()
  }
  return { pid: child.pid as number, log, stop, kill, exited }
}

/** Polls: what etcd logs when it is ready differs by version. Resolves, or rejects when the signal aborts. */
async function untilReady({ url, tls, health = true }: StartOptions['ready'], signal: AbortSignal): Promise<void> {
  const target = new URL(url)
  const ask = health && (target.protocol === 'http:' || tls !== undefined)
  for (;;) {
    // A new connection for each try: what the process did with an earlier one says nothing.
    const fetch = httpsFetch(tls)
    try {
      if (!ask) {
        await accepts(target, signal)
        return
      }
      const { status } = await fetch(new URL('/health', target), { signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]) })
      if (status === 200) return
    } catch {
      signal.throwIfAborted()
    } finally {
      fetch.close()
    }
    await delay(25, undefined, { signal })
  }
}

function accepts({ hostname, port, protocol }: URL, signal: AbortSignal): Promise<void> {
  return new Promise((settle, fail) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (protocol === 'https:' ? 443 : 80)), signal })
    socket.once('connect', () => {
      socket.destroy()
      settle()
    })
    socket.once('error', fail)
  })
}

// Below the range from which systems usually give out ephemeral ports, so that no outgoing connection takes a port between its choice
// here and the moment at which etcd binds it; and each process chooses from a part of its own, so that two at once do not meet.
const firstPort = 19_000
const portsOfProcess = 200
const ownPorts = firstPort + ((process.pid + threadId) % 64) * portsOfProcess
let nextPort = 0

/**
 * Ports that are free on loopback. A port comes again only after all others of this process's part have been given out.
 */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = []
  const ports: number[] = []
  try {
    for (let tries = 0; ports.length < count; tries++) {
      if (tries >= portsOfProcess) throw new Error(`no ${count} free ports from ${ownPorts} to ${ownPorts + portsOfProcess - 1}`)
      const port = ownPorts + (nextPort++ % portsOfProcess)
      const server = await listen(port)
      if (server === undefined) continue
      held.push(server)
      ports.push(port)
    }
  } finally {
    await Promise.all(held.map((server) => new Promise((settle) => server.close(settle))))
  }
  return ports
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((settle) => {
    const server = createServer()
    server.once('error', () => settle(undefined))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => settle(server))
  })
}

async function versionOf(binary: string): Promise<string | undefined> {
  try {
    await access(binary, constants.X_OK)
    const { stdout } = await promisify(execFile)(binary, ['--version'], { env: inheritedEnvironment() })
    return /^etcd Version: (\S+)$/m.exec(stdout)?.[1]
  } catch {
    return undefined
  }
}

async function cachedBinaries(): Promise<string[]> {
  const cache = process.env['ETCD_RBAC_CACHE'] || cacheOfProject(dirname(fileURLToPath(import.meta.url)))
  if (cache === undefined) return []
  const lanes = await readdir(cache).catch(() => [])
  return lanes.filter((name) => !name.startsWith('.')).map((name) => resolve(cache, name, 'etcd'))
}

/**
 * The cache of this project, if the nearest `package.json` at or above the folder is this project's: the examples may have been compiled to
 * anywhere in it. Nothing above is looked at, since what is in a foreign cache would be run.
 */
export function cacheOfProject(directory: string): string | undefined {
  const description = join(directory, 'package.json')
  if (existsSync(description)) return /"name":\s*"etcd-rbac"/.test(readFileSync(description, 'utf8')) ? join(directory, '.cache/etcd') : undefined
  return dirname(directory) === directory ? undefined : cacheOfProject(dirname(directory))
}

function inheritedEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('ETCD_'))
  // Older releases refuse to start on arm64 unless told that it is known to be untested.
  return { ...Object.fromEntries(kept), ...(process.arch === 'arm64' ? { ETCD_UNSUPPORTED_ARCH: 'arm64' } : {}) }
}

const children = new Set<ChildProcess>()
const killChildren = (): void => children.forEach((child) => child.kill('SIGKILL'))
const fatalSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** A signal that ends this process would skip its exit handlers, so it is caught as long as there are children. */
function onFatalSignal(signal: NodeJS.Signals): void {
  killChildren()
  fatalSignals.forEach((each) => process.off(each, onFatalSignal))
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
}

function killWithParent(child: ChildProcess, exited: Promise<unknown>): void {
  if (children.size === 0) {
    process.on('exit', killChildren)
    fatalSignals.forEach((signal) => process.on(signal, onFatalSignal))
  }
  children.add(child)
  const forget = (): void => {
    children.delete(child)
    if (children.size > 0) return
    process.off('exit', killChildren)
    fatalSignals.forEach((signal) => process.off(signal, onFatalSignal))
  }
  exited.then(forget, forget)
}

const lastLines = (text: string): string => text.trimEnd().split('\n').slice(-30).join('\n')
