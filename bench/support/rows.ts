/** What is measured: each row makes one shape on a server where nobody is but root. */
import { EtcdAuth, v3Backend, type Plan } from 'etcd-rbac'
import { sampledLoop, type Sampled } from './etcdctl.js'
import { heapInUse, milliseconds } from './figures.js'
import type { Lane } from './lanes.js'
import { inFixedOrder, readAll, tenantByTenant } from './orders.js'
import { startServer, type AuthClient, type Material, type Server } from './server.js'
import type { Shape } from './shape.js'

type First = 'permissions' | 'bindings'

/** Milliseconds by round, of one shape on one etcd. */
export interface Measured {
  readonly lane: Lane
  readonly shape: Shape
  readonly apply: number[]
  readonly tenants: number[]
  readonly permissions: number[]
  readonly bindings: number[]
  readonly loop: Sampled[]
  readonly state: number[]
  readonly bare: number[]
  /** Bytes in use behind each apply. */
  readonly heap: number[]
  /** What the planner puts first. */
  picked: First | undefined
  /** What a second plan calls, and how often. */
  second: Readonly<Record<string, number>>
}

export const nothingYet = (lane: Lane, shape: Shape): Measured =>
  ({ lane, shape, apply: [], tenants: [], permissions: [], bindings: [], loop: [], state: [], bare: [], heap: [], picked: undefined, second: {} })

type Row = (server: Server, measured: Measured) => Promise<void>

const OPTIONS = { unmanaged: 'report', enable: true } as const
const READS_EACH_ROUND = 3

/** The library, as it is: reads, plans, writes and reads back. Then what is there is read, by the library and by bare RPCs in turn. */
const applyRow: Row = async (server, measured) => {
  const { policy } = measured.shape
  const auth = authOf(server)
  const run = async (): Promise<void> => {
    const plan = await auth.plan(policy, OPTIONS)
    measured.picked = putsFirst(plan)
    await auth.apply(plan)
  }
  measured.apply.push(await milliseconds(run))

  const { client, counts } = counting(server.etcd.auth)
  const second = await authOf(server, client).plan(policy, OPTIONS)
  if (second.outcome !== 'in sync') throw new Error(`a second plan is ${second.outcome}`)
  measured.second = Object.fromEntries(counts)

  for (let time = 0; time < READS_EACH_ROUND; time++) {
    measured.state.push(await milliseconds(() => auth.state()))
    measured.bare.push(await milliseconds(() => readAll(server.etcd.auth)))
  }
  measured.heap.push(heapInUse())
}

const tenantsRow: Row = async ({ etcd }, { shape, tenants }) => void tenants.push(await milliseconds(() => tenantByTenant(etcd.auth, shape)(shape.tenants)))

const fixedRow =
  (first: First): Row =>
  async ({ etcd }, measured) =>
    void measured[first].push(await milliseconds(() => inFixedOrder(etcd.auth, measured.shape, first)))

const loopRow: Row = async (server, { lane: { etcdctl }, shape, loop }) => {
  if (etcdctl !== undefined) loop.push(await sampledLoop(etcdctl, server, shape))
}

export const withoutEtcdctl: readonly Row[] = [applyRow, tenantsRow, fixedRow('permissions'), fixedRow('bindings')]
export const everyRow: readonly Row[] = [...withoutEtcdctl, loopRow]
export const againstTenants: readonly Row[] = [applyRow, tenantsRow]

export async function onFreshServer(row: Row, measured: Measured, material: Material): Promise<void> {
  const server = await startServer(measured.lane, material)
  try {
    await row(server, measured)
  } finally {
    await server.stop()
  }
}

function authOf({ etcd }: Server, client: AuthClient = etcd.auth): EtcdAuth {
  return new EtcdAuth(v3Backend(client, { maintenance: etcd.maintenance }), { identity: { user: 'root' } })
}

function putsFirst({ steps }: Plan): First {
  return steps.findIndex((step) => step.do === 'bindRole') < steps.findIndex((step) => step.do === 'grantPermission') ? 'bindings' : 'permissions'
}

/** The same client, and how often each of its RPCs was called. */
function counting(client: AuthClient): { readonly client: AuthClient; readonly counts: ReadonlyMap<string, number> } {
  const counts = new Map<string, number>()
  const counted = new Proxy(client, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function' || typeof name !== 'string') return method
      return (...args: readonly unknown[]): unknown => {
        counts.set(name, (counts.get(name) ?? 0) + 1)
        return Reflect.apply(method, target, args)
      }
    },
  })
  return { client: counted, counts }
}
