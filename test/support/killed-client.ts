/** A client in a process of its own, which is killed as it writes. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Api, Etcd3Material, PlanOptions } from '../../src/auth/index.js'
import type { Policy } from '../../src/policy/index.js'

export interface KilledClientOptions {
  readonly api: Api
  readonly material: Etcd3Material
  readonly versions: readonly string[]
  readonly policy: Policy
  readonly options: PlanOptions
  /** At which write, from 1. */
  readonly at: number
}

/** Lets a client plan and apply, kills it when it has sent that write, and tells what ended it. */
export function applyAndKill(client: KilledClientOptions): Promise<NodeJS.Signals | number | null> {
  // Without the flags of this process, which may load what was not built.
  const child = fork(fileURLToPath(new URL('apply-child.mjs', import.meta.url)), { execArgv: [] })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(signal ?? code))
    child.once('message', () => child.kill('SIGKILL'))
    child.send(client)
  })
}
