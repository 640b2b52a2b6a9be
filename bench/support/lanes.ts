/** The servers, and for each the etcdctl of its release. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheOfProject } from '../../examples/support/etcd.js'
import { findEtcdctl, type Etcdctl } from './etcdctl.js'

export interface Lane {
  readonly binary: string
  readonly version: string
  readonly etcdctl: Etcdctl | undefined
}

const MINORS = { '3.5': { variable: 'ETCD_35', cached: '3.5.35' }, '3.6': { variable: 'ETCD_36', cached: '3.6.16' } } as const

export const minors = Object.keys(MINORS) as readonly (keyof typeof MINORS)[]

/** The etcd that the variable names, else the one that `npm run fetch-etcd` brought. Says what is not there, and what does not run for that. */
export async function laneOf(minor: keyof typeof MINORS, project: string, say: (text: string) => void): Promise<Lane | undefined> {
  const { variable, cached } = MINORS[minor]
  const binary = process.env[variable] ?? join(cacheOfProject(project) ?? '', cached, 'etcd')
  if (!existsSync(binary)) {
    say(`etcd ${minor} did not run: there is no ${binary}; set ${variable}, or run npm run fetch-etcd.\n`)
    return undefined
  }
  const version = /^etcd Version: (\S+)$/m.exec((await promisify(execFile)(binary, ['--version'])).stdout)?.[1]
  if (version?.startsWith(`${minor}.`) !== true) throw new Error(`${binary} is etcd ${version ?? 'of no version'}; wanted ${minor}`)
  const etcdctl = await findEtcdctl(minor, project)
  if (etcdctl === undefined) say(`etcdctl on ${minor} did not run: there is none; set ETCDCTL, put one on the PATH, or install Go.\n`)
  return { binary, version, etcdctl }
}
