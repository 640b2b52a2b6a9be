/** What the tests of apply have in common: a policy, the double behind each seam, and who has written. */
import { EtcdAuth, v2Backend, v3Backend, type Api, type Backend, type EtcdAuthOptions, type PlanOptions } from '../../../src/auth/index.js'
import { isEtcdRbacError, type ErrorCode, type EtcdRbacError } from '../../../src/errors.js'
import { pattern, prefix, range, read, readwrite } from '../../../src/keys/index.js'
import { definePolicy, type Policy } from '../../../src/policy/index.js'
import { manualClock, memoryEtcd, type Call, type ManualClock, type MemoryClient, type MemoryEtcd } from '../../../src/testing/index.js'

export const secret = 'correct horse battery staple'
export const passwords = { auditor: secret } as const

export const policy: Policy = definePolicy({
  users: { root: 'certificate', node: 'certificate', auditor: 'password', nobody: 'certificate' },
  v3: {
    roles: { node: [readwrite(prefix('/calico/felix/v1/')), read(prefix('/calico/bgp/'))], audit: [read(range('/calico/', '/calico0'))] },
    bindings: { root: ['root'], node: ['node'], auditor: ['audit'] },
  },
  v2: {
    guest: [],
    roles: { node: [readwrite(pattern('/calico/v1*'))], audit: [read(pattern('/calico/*'))] },
    bindings: { root: ['root'], node: ['node'], auditor: ['audit'] },
  },
})

/** Some of the servers are older than 3.5. */
export const locked: PlanOptions = { unmanaged: 'report', enable: true, acknowledgePasswordsInLog: true, acknowledgeOpenV2: true }

export interface Double {
  readonly api: Api
  readonly etcd: MemoryEtcd
  readonly clock: ManualClock
  readonly backend: (client?: MemoryClient) => Backend
  readonly auth: (options?: Partial<EtcdAuthOptions>, client?: MemoryClient) => EtcdAuth
  /** The writes so far, repeated ones too. */
  readonly writes: () => readonly Call[]
}

const WRITES: ReadonlySet<string> = new Set(['authEnable', 'userAdd', 'userDelete', 'userChangePassword', 'userGrantRole', 'userRevokeRole', 'roleAdd', 'roleDelete', 'roleGrantPermission', 'roleRevokePermission'])
export const isWrite = ({ method }: Call): boolean => WRITES.has(method) || /^(PUT|DELETE|POST) /.test(method)

/** A double behind one seam, with a clock that stands still. */
export function double(api: Api, version = '3.5.30'): Double {
  const clock = manualClock(new Date('2026-01-01T00:00:00Z'))
  const etcd = memoryEtcd({ version, clock, ...(api === 'v2' ? { v2: true } : {}) })
  const backend = (client: MemoryClient = etcd): Backend =>
    api === 'v3' ? v3Backend(client.auth, { versions: [version], crypto }) : v2Backend({ fetch: client.fetch, endpoint: 'https://127.0.0.1:2379', crypto })
  return {
    api,
    etcd,
    clock,
    backend,
    auth: (options = {}, client = etcd) => new EtcdAuth(backend(client), { identity: { user: 'root' }, clock, ...options }),
    writes: () => etcd.calls.filter(isWrite),
  }
}

/** The typed error of this code that the promise rejects with. */
export async function rejected<Code extends ErrorCode>(code: Code, promise: Promise<unknown>): Promise<EtcdRbacError<Code>> {
  const error = await promise.then(
    (value) => new Error(`wanted ${code}, found ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  if (isEtcdRbacError(error, code)) return error
  throw new Error(`wanted ${code}, found ${String(error)}`, { cause: error })
}
